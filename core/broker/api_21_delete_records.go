package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DeleteRecords (key 21, KIP-107).
//
// Behavior: raises the log start offset; -1 means up to the HighWatermark. Beyond the HighWatermark is
// OFFSET_OUT_OF_RANGE, below the log start changes nothing. Internal topics are INVALID_TOPIC_EXCEPTION, and a
// partition that comes twice is INVALID_REQUEST each time (in Kafka the last offset counts). The log start is
// written to the log-start checkpoint before it takes effect, here and at every follower, so that no crash resurrects records
// (Kafka writes the checkpoint later and may; see docs/DIVERGENCE.md). It is answered when every in-sync replica has
// followed: whoever leads next does not know the records either. If that takes longer than the request's timeout the answer is
// REQUEST_TIMED_OUT, and the records are on their way out all the same.
func (b *Broker) deleteRecords(now core.Now, r *step.Request, req *kmsg.DeleteRecordsRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	resp.Topics = make([]kmsg.DeleteRecordsResponseTopic, len(req.Topics))
	d := &deletion{reply: answer(r, resp), expires: requestDeadline(now, req.TimeoutMillis)}
	times := make(map[core.TopicPartition]int)
	for i := range req.Topics {
		for _, rp := range req.Topics[i].Partitions {
			times[core.TopicPartition{Topic: req.Topics[i].Topic, Partition: rp.Partition}]++
		}
	}
	for i := range req.Topics {
		t, rt := &req.Topics[i], &resp.Topics[i]
		rt.Topic = t.Topic
		rt.Partitions = make([]kmsg.DeleteRecordsResponseTopicPartition, len(t.Partitions))
		for j := range t.Partitions {
			rp := &rt.Partitions[j]
			*rp = kmsg.NewDeleteRecordsResponseTopicPartition()
			rp.Partition, rp.LowWatermark = t.Partitions[j].Partition, -1
			p, code := b.lookup(core.TopicID{}, t.Topic, rp.Partition)
			if control.InternalTopic(t.Topic) {
				code = core.ErrInvalidTopic // a coordinator's state is a fold over all of its log, whatever cleanup.policy it was given
			}
			if times[core.TopicPartition{Topic: t.Topic, Partition: rp.Partition}] > 1 {
				code = core.ErrInvalidRequest
			}
			before := core.Offset(t.Partitions[j].Offset)
			if code == core.ErrNone {
				before, code = deletable(p, before)
			}
			rp.ErrorCode = int16(code)
			if code == core.ErrNone {
				p.raisedStart = max(p.raisedStart, before)
				d.raises = append(d.raises, &raise{p: p, before: before, epoch: p.LeaderEpoch(), into: rp})
			}
		}
	}
	if len(d.raises) == 0 {
		reply(r, resp, out)
		return
	}
	b.checkpoint.raises = append(b.checkpoint.raises, d.raises...)
	b.deletions = append(b.deletions, d)
}

// deletion is a DeleteRecords that has begun.
type deletion struct {
	reply   step.Reply
	expires core.Mono
	raises  []*raise // not decided yet
}

// raise is a log start that takes effect when the checkpoint that says so is durable: a leader's, which a client wishes, or
// a follower's, which its leader has.
type raise struct {
	p      *partition
	before core.Offset
	epoch  core.LeaderEpoch // under which it was admitted
	taken  bool
	into   *kmsg.DeleteRecordsResponseTopicPartition // nil at a follower
}

// requestDeadline is when a request's own timeout has passed.
func requestDeadline(now core.Now, timeoutMs int32) core.Mono {
	return now.Mono.Add(core.Millis(int64(max(0, timeoutMs))))
}

// followStart begins to raise a follower's log start to its leader's (KIP-107).
func (b *Broker) followStart(p *partition) {
	start, ok := p.WantedStart()
	if !ok || start <= p.raisedStart {
		return
	}
	p.raisedStart = start
	b.checkpoint.raises = append(b.checkpoint.raises, &raise{p: p, before: start, epoch: p.LeaderEpoch()})
}

// answerDeletions answers those whose raises are all decided, or whose time is up.
func (b *Broker) answerDeletions(now core.Now, out *step.Effects) {
	kept := b.deletions[:0]
	for _, d := range b.deletions {
		waiting := d.raises[:0]
		for _, r := range d.raises {
			if !r.decided(d.expires <= now.Mono) {
				waiting = append(waiting, r)
			}
		}
		if d.raises = waiting; len(waiting) > 0 {
			kept = append(kept, d)
			continue
		}
		out.Replies = append(out.Replies, d.reply)
	}
	clear(b.deletions[len(kept):])
	b.deletions = kept
}

// decided reports whether a client's raise has come to its end, and fills in how.
func (r *raise) decided(expired bool) bool {
	code := r.p.Serving()
	switch {
	case code == core.ErrNone && r.epoch != r.p.LeaderEpoch():
		code = core.ErrNotLeaderOrFollower
	case code == core.ErrNone && r.taken && r.p.LowWatermark() >= r.before:
		r.into.ErrorCode, r.into.LowWatermark = 0, int64(r.p.LowWatermark())
		return true
	case code == core.ErrNone && expired:
		code = core.ErrRequestTimedOut
	}
	r.into.ErrorCode = int16(code)
	return code != core.ErrNone
}

// deletionDue is when the first deletion's time is up.
func (b *Broker) deletionDue() (at core.Mono, ok bool) {
	for _, d := range b.deletions {
		if !ok || d.expires < at {
			at, ok = d.expires, true
		}
	}
	return at, ok
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

// take lets a raise take effect. A leader that no longer leads lets its successor decide. One that is not taken is wished
// for no more: a follower that kept it in mind would take its leader's log start for one that is on its way, and never
// join an ISR again. A led, was asked to delete before 6, and was deposed while the checkpoint was written; B deletes
// before 6, and A hears of it. Nor is one that is taken: the log says it from then on, and may begin anew below it after an unclean
// election.
func (r *raise) take(b *Broker, now core.Now, out *step.Effects) {
	if r.p.deleting {
		return
	}
	stale := r.into != nil && (r.p.Serving() != core.ErrNone || r.epoch != r.p.LeaderEpoch())
	if !stale && r.p.Log.DeleteRecordsBefore(now, r.before, r.p.HighWatermark(), out) == core.ErrNone {
		if r.p.raisedStart <= r.before { // no higher one is on its way
			r.p.raisedStart = 0
		}
		r.taken = true
	} else {
		out.Reachable("broker.raise-not-taken", nil)
		b.checkpoint.unwish(r.p)
	}
	b.touch(r.p)
}

// unwish brings back what the next checkpoint has to say of a partition's log start to what is still wished for.
func (c *checkpointState) unwish(p *partition) {
	p.raisedStart = 0
	for _, r := range c.raises {
		if r.p == p {
			p.raisedStart = max(p.raisedStart, r.before)
		}
	}
}
