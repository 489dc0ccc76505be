package group

import (
	"encoding/binary"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/offsets"
	"github.com/klamm-log/klamm/core/group/records"
)

// AppendState appends the hard state in a canonical form: two coordinators that have replayed equal logs have equal bytes,
// and, but for the places of records that compaction has removed, the other way round. Soft state is not in it.
func (c *Coordinator) AppendState(dst []byte) []byte {
	for _, g := range c.groups.All() {
		switch g := g.(type) {
		case classicGroup:
			if g.Hard() != nil {
				dst = records.AppendBytes(dst, groupKey(g.ID()))
				dst = records.AppendBytes(dst, g.Hard().AppendTo(nil))
			}
		case consumerGroup:
			dst = g.AppendState(dst)
		}
	}
	for id := range c.offsets.Groups() {
		for tp, o := range c.offsets.Group(id) {
			dst = appendOffset(dst, core.NoProducerID, id, tp, &o)
		}
	}
	for producer, id := range c.offsets.OpenTxns() {
		for tp, o := range c.offsets.PendingIn(producer, id) {
			dst = appendOffset(dst, producer, id, tp, &o)
		}
	}
	return dst
}

func appendOffset(dst []byte, producer core.ProducerID, id string, tp core.TopicPartition, o *offsets.Committed) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(producer))
	dst = records.AppendBytes(dst, offsetKey(id, tp))
	dst = records.AppendBytes(dst, o.AppendTo(nil))
	return binary.BigEndian.AppendUint64(dst, uint64(o.At))
}
