package wire

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// everywhereTag is a tagged field of Klamm's own in a Fetch response's partitions, far from those that Kafka numbers from 0 on. Who does
// not know a tag passes over it (KIP-482).
const everywhereTag = 9000

// SetEverywhere tells a replica how far all replicas of the partition have the log on their disks.
func SetEverywhere(p *kmsg.FetchResponseTopicPartition, offset int64) {
	p.UnknownTags.Set(everywhereTag, binary.BigEndian.AppendUint64(nil, uint64(offset)))
}

// Everywhere is what SetEverywhere told; 0 if nothing was.
func Everywhere(p *kmsg.FetchResponseTopicPartition) int64 {
	offset := int64(0)
	p.UnknownTags.Each(func(tag uint32, value []byte) {
		if tag == everywhereTag && len(value) == 8 {
			offset = int64(binary.BigEndian.Uint64(value))
		}
	})
	return max(0, offset)
}
