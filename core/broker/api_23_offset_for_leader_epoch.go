package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetForLeaderEpoch (key 23, KIP-101).
//
// Behavior: answers the largest epoch at or below the one asked for and the offset at which it ends (KIP-279), or
// (-1, -1) if the log knows none. For the current epoch that end is the LogEndOffset.
//
// Version notes: 2 checks the caller's current epoch (KIP-320); 3 adds the replica id.
func (b *Broker) offsetForLeaderEpoch(r *step.Request, req *kmsg.OffsetForLeaderEpochRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.OffsetForLeaderEpochResponseTopic{Topic: t.Topic}
		for j := range t.Partitions {
			asked := &t.Partitions[j]
			rp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			rp.Partition, rp.LeaderEpoch, rp.EndOffset = asked.Partition, -1, -1
			p, code := b.lookup(core.TopicID{}, t.Topic, asked.Partition)
			if code == core.ErrNone {
				code = p.CheckEpoch(core.LeaderEpoch(asked.CurrentLeaderEpoch))
			}
			if code == core.ErrNone {
				epoch, end := p.EpochEnd(core.LeaderEpoch(asked.LeaderEpoch))
				rp.LeaderEpoch, rp.EndOffset = int32(epoch), int64(end)
			}
			rp.ErrorCode = int16(code)
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	reply(r, resp, out)
}
