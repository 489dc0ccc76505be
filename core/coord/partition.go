package coord

// PartitionFor is the partition of a coordinators' topic that a key (a group id, a transactional id) belongs to: Java's hash of
// the string, which is over UTF-16, without its sign, modulo the number of partitions (Utils.abs(key.hashCode()) in Kafka).
func PartitionFor(key string, partitions int32) int32 {
	var h int32
	for _, r := range key {
		if r > 0xffff {
			r -= 0x10000
			h = 31*h + 0xd800 + r>>10
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + r
	}
	if h == -1<<31 {
		h = 0 // Utils.abs, for which the least int is 0
	}
	return max(h, -h) % partitions
}
