package workload

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
)

// MinValueSize is the least length of a record's value: the number, and a checksum of key, headers and what follows.
const MinValueSize = 12

// Header is a record's header.
type Header = record.RecordHeader

// valueOf is the number of a record. It is unique in a run: no two records share client, incarnation, operation and
// index. The top bit is clear; see [Decode].
func valueOf(client int32, incarnation int64, op, index int32) history.Value {
	return history.Value(uint64(client)<<(maxIncarnBits+maxOpBits+maxCountBits) |
		uint64(incarnation)<<(maxOpBits+maxCountBits) | uint64(op)<<maxCountBits | uint64(index))
}

// Encode appends the value of a record, size bytes or [MinValueSize] if that is more. The filler follows from the
// number: half of it repeats, so that compression has something to find.
func Encode(dst []byte, v history.Value, size int64, key []byte, headers []Header) []byte {
	at := len(dst)
	dst = slices.Grow(dst, int(max(size, MinValueSize))+8) // its filler ends with a whole word
	dst = binary.BigEndian.AppendUint64(dst, uint64(v))
	dst = append(dst, 0, 0, 0, 0)
	dst = appendFiller(dst, v, max(size-MinValueSize, 0))
	binary.BigEndian.PutUint32(dst[at+8:], checksum(dst[at:at+8], dst[at+MinValueSize:], key, headers))
	return dst
}

func appendFiller(dst []byte, v history.Value, n int64) []byte {
	r := prng.New(uint64(v))
	end := len(dst) + int(n)
	for len(dst) < end {
		word := r.Uint64()
		if word&1 != 0 {
			word = 0
		}
		dst = binary.LittleEndian.AppendUint64(dst, word)
	}
	return dst[:end]
}

// Decode is the number of a record that was read. A record that is not, byte for byte, one that [Encode] made has a
// hash of what was read instead, with the top bit set: a number that nobody sent.
func Decode(value, key []byte, headers []Header) history.Value {
	if len(value) >= MinValueSize && value[0]&0x80 == 0 &&
		binary.BigEndian.Uint32(value[8:]) == checksum(value[:8], value[MinValueSize:], key, headers) {
		return history.Value(binary.BigEndian.Uint64(value))
	}
	const prime = 1099511628211 // FNV-1a
	h := uint64(14695981039346656037)
	for _, b := range value {
		h = (h ^ uint64(b)) * prime
	}
	return history.Value(h | 1<<63)
}

// checksum covers everything of a record that a broker must keep, lengths included, and a null key apart from an
// empty one.
func checksum(number, filler, key []byte, headers []Header) uint32 {
	sum := crc32.ChecksumIEEE(number)
	sum = part(sum, filler, false)
	sum = part(sum, key, key == nil)
	for _, h := range headers {
		sum = part(part(sum, h.Key, false), h.Value, h.Value == nil)
	}
	return sum
}

func part(sum uint32, b []byte, null bool) uint32 {
	var size [9]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(b)))
	if null {
		size[8] = 1
	}
	sum = crc32.Update(sum, crc32.IEEETable, size[:])
	return crc32.Update(sum, crc32.IEEETable, b)
}
