package partitioner

import "encoding/binary"

// Murmur2 is the 32-bit hash that Java's clients compute over serialized keys (org.apache.kafka.common.utils.Utils):
// Appleby's MurmurHash2 with a fixed seed, little-endian whatever the platform.
func Murmur2(key []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := seed ^ uint32(len(key))
	for len(key) >= 4 {
		k := binary.LittleEndian.Uint32(key) * m
		k = (k ^ k>>r) * m
		h = h*m ^ k
		key = key[4:]
	}
	if len(key) > 0 {
		for i, b := range key {
			h ^= uint32(b) << (8 * i)
		}
		h *= m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}

// ForKey is the partition of a record with this key in a topic of so many partitions, which must be positive. Java's
// toPositive clears the sign bit; it is not the absolute value.
func ForKey(key []byte, partitions int32) int32 {
	return int32(Murmur2(key)&0x7fffffff) % partitions
}
