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
// written to the log-start checkpoint before it takes effect, so that no crash resurrects records (Kafka writes the
// checkpoint later and may; see docs/DIVERGENCE.md).
func (b *Broker) deleteRecords(r *step.Request, req *kmsg.DeleteRecordsRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	resp.Topics = make([]kmsg.DeleteRecordsResponseTopic, len(req.Topics))
	var raises []raise
	for i := range req.Topics {
		t, rt := &req.Topics[i], &resp.Topics[i]
		rt.Topic = t.Topic
		rt.Partitions = make([]kmsg.DeleteRecordsResponseTopicPartition, len(t.Partitions))
		for j := range t.Partitions {
			rp := &rt.Partitions[j]
			*rp = kmsg.NewDeleteRecordsResponseTopicPartition()
			rp.Partition, rp.LowWatermark = t.Partitions[j].Partition, -1
			p, code := b.lookup(core.TopicID{}, t.Topic, rp.Partition)
			before := core.Offset(t.Partitions[j].Offset)
			if code == core.ErrNone {
				before, code = deletable(p, before)
			}
			rp.ErrorCode = int16(code)
			if code == core.ErrNone {
				p.raisedStart = max(p.raisedStart, before)
				raises = append(raises, raise{p: p, before: before, into: rp})
			}
		}
	}
	if len(raises) == 0 {
		reply(r, resp, out)
		return
	}
	b.checkpoint.raises = append(b.checkpoint.raises, raises...)
	b.checkpoint.answers = append(b.checkpoint.answers, answer(r, resp))
}

// raise is a log start that takes effect when the checkpoint that says so is durable.
type raise struct {
	p      *partition
	before core.Offset
	into   *kmsg.DeleteRecordsResponseTopicPartition
}

// deletable is the offset up to which a partition's records are to be deleted, or why they cannot be.
func deletable(p *partition, before core.Offset) (core.Offset, core.ErrorCode) {
	if before == -1 {
		before = p.HighWatermark()
	}
	if before < 0 || before > p.HighWatermark() {
		return 0, core.ErrOffsetOutOfRange
	}
	if !p.cfg.Delete {
		return 0, core.ErrPolicyViolation // as Kafka: a topic that is only compacted keeps its latest values
	}
	return before, core.ErrNone
}

// take lets a raise take effect.
func (r *raise) take(b *Broker, now core.Now, out *step.Effects) {
	code := r.p.Serving()
	if code == core.ErrNone {
		code = r.p.Log.DeleteRecordsBefore(now, r.before, r.p.HighWatermark(), out)
		b.touch(r.p)
	}
	if r.into.ErrorCode = int16(code); code == core.ErrNone {
		r.into.LowWatermark = int64(r.p.Log.LogStartOffset())
	}
}
