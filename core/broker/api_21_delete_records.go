package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DeleteRecords (key 21, KIP-107).
//
// Behavior: raises the log start offset; -1 means up to the HighWatermark. Beyond the HighWatermark is
// OFFSET_OUT_OF_RANGE, below the log start changes nothing. The log start is answered, and never moves back: it is
// written to the log-start checkpoint before the answer, so that a crash does not resurrect records (Kafka answers
// first and may; see docs/DIVERGENCE.md).
func (b *Broker) deleteRecords(now core.Now, r *step.Request, req *kmsg.DeleteRecordsRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	moved := false
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.DeleteRecordsResponseTopic{Topic: t.Topic}
		for j := range t.Partitions {
			rp := kmsg.NewDeleteRecordsResponseTopicPartition()
			rp.Partition, rp.LowWatermark = t.Partitions[j].Partition, -1
			p, code := b.lookup(core.TopicID{}, t.Topic, rp.Partition)
			if code == core.ErrNone {
				code = b.deleteBefore(now, p, core.Offset(t.Partitions[j].Offset), out)
			}
			if code == core.ErrNone {
				rp.LowWatermark = int64(p.Log.LogStartOffset())
				moved = true
			}
			rp.ErrorCode = int16(code)
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	if !moved {
		reply(r, resp, out)
		return
	}
	b.checkpoint.answers = append(b.checkpoint.answers, answer(r, resp))
}

func (b *Broker) deleteBefore(now core.Now, p *partition, before core.Offset, out *step.Effects) core.ErrorCode {
	if before == -1 {
		before = p.HighWatermark()
	}
	if before < 0 || before > p.HighWatermark() {
		return core.ErrOffsetOutOfRange
	}
	if !p.cfg.Delete {
		return core.ErrPolicyViolation // as Kafka: a topic that is only compacted keeps its latest values
	}
	b.touch(p)
	return p.Log.DeleteRecordsBefore(now, before, p.HighWatermark(), out)
}
