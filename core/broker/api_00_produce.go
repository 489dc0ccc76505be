package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/purgatory"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Produce (key 0).
//
// Behavior: each partition's batch is appended by itself; one partition's error does not touch the others. acks=all
// is answered when the HighWatermark has passed the last batch, or when the request's timeout has passed: then the
// partitions that lag answer REQUEST_TIMED_OUT and the data stays (KIP-91's ambiguous outcome). acks=1 is answered when
// this log holds it durably under its policy: acknowledged means fsynced, whoever acknowledges (Kafka answers once it is
// in the page cache; see docs/DIVERGENCE.md). acks=0 has no answer; an error closes the connection so that the client
// looks for the leader again.
//
// Version notes: 0-2 are advertised and not served (KAFKA-18659). 7 allows zstd (KIP-110). 8 adds record errors
// (KIP-467). 10 adds the current leader to NOT_LEADER_OR_FOLLOWER (KIP-951). 13 names topics by id.

// produceTable parks produces until their records are committed.
type produceTable = purgatory.Table[produceWait]

// produceWait is a produce whose records are appended and not yet committed everywhere.
type produceWait struct {
	req  *step.Request
	resp *kmsg.ProduceResponse
	// appended are the batches that wait; the answer is complete when each is committed or has failed.
	appended []appendedBatch
}

// appendedBatch is bound to the epoch in which it was appended: should another leader take over, the same offsets
// may come to hold other records, so a higher HighWatermark would prove nothing.
type appendedBatch struct {
	p     *partition
	end   core.Offset
	epoch core.LeaderEpoch
	local bool // acks=1: this log's durability is enough
	into  *kmsg.ProduceResponseTopicPartition
}

// stored says whether the batch is where acks demands it, and the error if it is and there are too few copies.
func (a *appendedBatch) stored() (bool, core.ErrorCode) {
	if a.local {
		return a.p.Log.DurableOffset() >= a.end || a.p.HighWatermark() >= a.end, core.ErrNone
	}
	return a.p.Acked(a.end, int(a.p.cfg.MinInsyncReplicas))
}

func (b *Broker) produce(now core.Now, r *step.Request, req *kmsg.ProduceRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	wait := produceWait{req: r, resp: resp}
	resp.Topics = make([]kmsg.ProduceResponseTopic, len(req.Topics))
	failed, n := false, 0
	for i := range req.Topics {
		t, rt := &req.Topics[i], &resp.Topics[i]
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		rt.Partitions = make([]kmsg.ProduceResponseTopicPartition, len(t.Partitions))
		for j := range t.Partitions {
			rp := &rt.Partitions[j]
			*rp = kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.BaseOffset = t.Partitions[j].Partition, int64(core.NoOffset)
			b.produceBatch(now, r, req, t, j, &r.Batches[n], rp, &wait, out)
			failed = failed || rp.ErrorCode != 0
			n++
		}
	}
	switch {
	case req.Acks == 0:
		out.Replies = append(out.Replies, step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Close: failed})
	case len(wait.appended) == 0:
		b.plane.HintProduce(b.listenerOf(r), r, resp)
		reply(r, resp, out)
	default:
		parked := b.produces.Park(wait, now.Mono.Add(core.Millis(int64(max(0, req.TimeoutMillis)))))
		for _, a := range wait.appended {
			b.produces.Watch(parked, a.p.slot)
			if done, _ := a.stored(); done { // KIP-98: an exact repeat appends nothing, so nothing will change that it could wait for
				b.produces.Touch(a.p.slot)
			}
		}
	}
}

// produceBatch appends one partition's batch, or says in rp why not.
func (b *Broker) produceBatch(
	now core.Now, r *step.Request, req *kmsg.ProduceRequest, t *kmsg.ProduceRequestTopic, j int,
	checked *step.Batch, rp *kmsg.ProduceResponseTopicPartition, wait *produceWait, out *step.Effects,
) {
	if req.Acks < -1 || req.Acks > 1 {
		refuse(rp, core.ErrInvalidRequiredAcks, "")
		return
	}
	if req.TransactionID != nil {
		refuse(rp, core.ErrInvalidTxnState, "transactions are not supported")
		return
	}
	p, code := b.lookup(t.TopicID, t.Topic, t.Partitions[j].Partition)
	if code != core.ErrNone {
		refuse(rp, code, "")
		return
	}
	if p.internal != nil {
		refuse(rp, core.ErrInvalidTopic, "clients cannot append to an internal topic")
		return
	}
	if !admit(now, p, checked, rp) {
		return
	}
	if req.Acks == -1 {
		if code := p.EnoughReplicas(int(p.cfg.MinInsyncReplicas)); code != core.ErrNone {
			refuse(rp, code, "fewer replicas are in sync than min.insync.replicas")
			return
		}
	}
	batch := record.Batch(t.Partitions[j].Records)
	a := p.Append(now, batch, &checked.Summary)
	b.touch(p)
	if a.Code != core.ErrNone {
		refuse(rp, a.Code, a.Why)
		return
	}
	if a.Duplicate {
		out.Reachable("produce.duplicate", nil)
	}
	rp.BaseOffset, rp.LogAppendTime = int64(a.Base), int64(a.AppendTime)
	rp.LogStartOffset = int64(p.Log.LogStartOffset())
	if req.Acks != 0 {
		wait.appended = append(wait.appended, appendedBatch{
			p: p, end: a.Last + 1, epoch: p.LeaderEpoch(), local: req.Acks == 1, into: rp,
		})
	}
}

// admit checks a batch against the topic's configuration, after the edge has checked it by itself.
func admit(now core.Now, p *partition, checked *step.Batch, rp *kmsg.ProduceResponseTopicPartition) bool {
	s := &checked.Summary
	switch {
	case !checked.Refusal.OK():
		refuse(rp, checked.Refusal.Code, checked.Refusal.Why)
		if at := checked.Refusal.RecordIndex; at >= 0 {
			recordError(rp, at, checked.Refusal.Why)
		}
	case s.SizeInBytes > int64(p.cfg.MaxMessageBytes):
		refuse(rp, core.ErrMessageTooLarge, "the batch is larger than max.message.bytes")
	case s.Transactional:
		refuse(rp, core.ErrInvalidTxnState, "transactions are not supported")
	case p.cfg.Compact && s.FirstKeyless >= 0:
		const why = "a compacted topic cannot accept a record without a key"
		refuse(rp, core.ErrInvalidRecord, why)
		recordError(rp, s.FirstKeyless, why)
	case !p.cfg.LogAppendTime && !timely(now, &p.cfg, s):
		refuse(rp, core.ErrInvalidTimestamp, "a timestamp is out of the range that message.timestamp.before.max.ms and after.max.ms allow")
	default:
		return true
	}
	return false
}

// timely checks create times against the topic's bounds (KIP-937). Records without a timestamp are not judged.
func timely(now core.Now, cfg *config.Topic, s *record.Summary) bool {
	if s.MaxTimestamp == core.NoTimestamp {
		return true
	}
	behind, ahead := int64(now.Wall-s.MinTimestamp), int64(s.MaxTimestamp-now.Wall)
	return behind <= cfg.TimestampBeforeMaxMs && ahead <= cfg.TimestampAfterMaxMs
}

func refuse(rp *kmsg.ProduceResponseTopicPartition, code core.ErrorCode, why string) {
	rp.ErrorCode, rp.BaseOffset, rp.LogStartOffset = int16(code), int64(core.NoOffset), int64(core.NoOffset)
	if why != "" {
		rp.ErrorMessage = kmsg.StringPtr(why)
	}
}

// recordError names the record at fault (KIP-467).
func recordError(rp *kmsg.ProduceResponseTopicPartition, index int32, why string) {
	rp.ErrorRecords = append(rp.ErrorRecords, kmsg.ProduceResponseTopicPartitionErrorRecord{
		RelativeOffset: index, ErrorMessage: kmsg.StringPtr(why),
	})
}

// offerProduce answers a parked produce if every batch is decided, or its time is up.
func (b *Broker) offerProduce(w *produceWait, expired bool, out *step.Effects) bool {
	waiting := w.appended[:0]
	for _, a := range w.appended {
		done, short := a.stored()
		switch code := a.p.Serving(); {
		case code != core.ErrNone:
			refuse(a.into, code, "")
		case a.epoch != a.p.LeaderEpoch():
			refuse(a.into, core.ErrNotLeaderOrFollower, "")
		case done && short != core.ErrNone:
			refuse(a.into, short, "fewer replicas are in sync than min.insync.replicas")
		case done:
		case expired:
			refuse(a.into, core.ErrRequestTimedOut, "")
		default:
			waiting = append(waiting, a)
		}
	}
	w.appended = waiting
	if len(waiting) > 0 {
		return false
	}
	b.plane.HintProduce(b.listenerOf(w.req), w.req, w.resp)
	reply(w.req, w.resp, out)
	return true
}

// settled reports whether every batch that the produce waits for is decided.
func (w *produceWait) settled() bool {
	for _, a := range w.appended {
		if done, _ := a.stored(); a.p.Serving() == core.ErrNone && a.epoch == a.p.LeaderEpoch() && !done {
			return false
		}
	}
	return true
}

// sweep offers parked requests whose partitions changed or whose time is up.
func (b *Broker) sweep(now core.Now, out *step.Effects) {
	b.produces.Sweep(now.Mono, func(w *produceWait, expired bool) bool { return b.offerProduce(w, expired, out) })
	b.fetches.Sweep(now.Mono, func(f *fetchWait, expired bool) bool { return b.offerFetch(now, *f, expired, out) })
}
