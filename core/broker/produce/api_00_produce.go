package produce

import (
	"math"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/verify"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// Produce (key 0).
//
// Behavior: each partition's batch is appended by itself; one partition's error does not touch the others. acks=all
// is answered when the HighWatermark has passed the last batch, or when the request's timeout has passed: then the
// partitions that lag answer REQUEST_TIMED_OUT and the data stays (KIP-91's ambiguous outcome). acks=1 is answered when
// this log holds it durably under its policy: acknowledged means fsynced, whoever acknowledges (Kafka answers once it is
// in the page cache; see docs/DIVERGENCE.md). acks=0 has no answer; an error closes the connection so that the client
// looks for the leader again, and while the disk does not keep up such a connection waits for it.
//
// A transactional batch needs the transactional id. Unless it repeats one, or its transaction is open here, it waits until the
// coordinator knows the partition to be in the transaction (KIP-890), and the rest of the request with it.
//
// Version notes: 0-2 are advertised and not served (KAFKA-18659). 7 allows zstd (KIP-110). 8 adds record errors
// (KIP-467). 10 adds the current leader to NOT_LEADER_OR_FOLLOWER (KIP-951). 11 knows TRANSACTION_ABORTABLE, 12 adds
// partitions to transactions (KIP-890). 13 names topics by id.

// claimed is a batch of the request at hand that has to wait for its transaction's coordinator.
type claimed struct {
	batch heldBatch
	claim verify.Claim
}

// heldBatch is such a batch while it waits.
type heldBatch struct {
	of      *held
	t       Target
	epoch   core.LeaderEpoch
	records record.Batch
	checked *step.Batch
	rp      *kmsg.ProduceResponseTopicPartition
	fresh   bool // transaction version 2: an unknown producer begins at 0
}

// held is a produce some of whose batches wait for coordinators.
type held struct {
	wait
	body *kmsg.ProduceRequest
	left int // batches that wait
}

// Produce serves a request.
func (p *Plane) Produce(now core.Now, r *step.Request, req *kmsg.ProduceRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	w := wait{req: r, resp: resp}
	resp.Topics = make([]kmsg.ProduceResponseTopic, len(req.Topics))
	unfit := unfitForTransactions(r, req)
	n := 0
	for i := range req.Topics {
		t, rt := &req.Topics[i], &resp.Topics[i]
		rt.Topic, rt.TopicID = strings.Clone(t.Topic), t.TopicID // the request's lies in its memory, see step.Effects.Spent
		rt.Partitions = make([]kmsg.ProduceResponseTopicPartition, len(t.Partitions))
		for j := range t.Partitions {
			rp := &rt.Partitions[j]
			*rp = kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.BaseOffset = t.Partitions[j].Partition, int64(core.NoOffset)
			if unfit != core.ErrNone {
				refuse(rp, unfit, "")
			} else {
				p.produceBatch(now, r, req, t, j, &r.Batches[n], rp, &w, out)
			}
			n++
		}
	}
	if len(p.claimed) == 0 {
		p.conclude(now, &w, req, out)
		return
	}
	h := &held{wait: w, body: req, left: len(p.claimed)}
	batches := make([]heldBatch, len(p.claimed))
	list := p.claimed
	p.claimed = nil // what is decided at once comes back
	for i := range list {
		b := &batches[i]
		*b = list[i].batch
		b.of = h
		if code := p.gate.Hold(now, &list[i].claim, b); code != core.ErrNone {
			p.released(now, b, code, out)
		}
	}
	clear(list)
	p.claimed = list[:0]
	out.Reachable("produce.held-for-coordinator", nil)
}

// unfitForTransactions is why a request with transactional batches is refused as a whole.
func unfitForTransactions(r *step.Request, req *kmsg.ProduceRequest) core.ErrorCode {
	var first *record.Summary
	for i := range r.Batches {
		s := &r.Batches[i].Summary
		switch {
		case !r.Batches[i].Refusal.OK() || !s.Transactional:
		case req.TransactionID == nil: // whoever may write to no transactional id may not do it without naming one
			return core.ErrTransactionalIDAuthorizationFailed
		case first == nil:
			first = s
		case first.ProducerID != s.ProducerID || first.ProducerEpoch != s.ProducerEpoch:
			return core.ErrInvalidProducerIDMapping
		}
	}
	return core.ErrNone
}

// conclude answers a request all of whose batches are appended or refused, or parks it until they are stored.
func (p *Plane) conclude(now core.Now, w *wait, req *kmsg.ProduceRequest, out *step.Effects) {
	switch {
	case req.Acks == 0:
		p.goOn(now, w, out)
	case len(w.appended) == 0:
		p.reply(w, out)
	default:
		w.release(out) // of exact repeats
		p.park(*w, now.Mono.Add(core.Millis(int64(max(0, req.TimeoutMillis)))))
	}
}

func anyRefused(resp *kmsg.ProduceResponse) bool {
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			if resp.Topics[i].Partitions[j].ErrorCode != 0 {
				return true
			}
		}
	}
	return false
}

// produceBatch appends one partition's batch, or says in rp why not, or puts it into p.claimed.
func (p *Plane) produceBatch(
	now core.Now, r *step.Request, req *kmsg.ProduceRequest, t *kmsg.ProduceRequestTopic, j int,
	checked *step.Batch, rp *kmsg.ProduceResponseTopicPartition, w *wait, out *step.Effects,
) {
	if req.Acks < -1 || req.Acks > 1 {
		refuse(rp, core.ErrInvalidRequiredAcks, "")
		return
	}
	to, code := p.host.Lookup(t.TopicID, t.Topic, t.Partitions[j].Partition)
	if code != core.ErrNone {
		refuse(rp, code, "")
		return
	}
	if to.Internal {
		refuse(rp, core.ErrInvalidTopic, "clients cannot append to an internal topic")
		return
	}
	if !admit(now, &to, checked, rp) {
		return
	}
	batch := record.Batch(t.Partitions[j].Records)
	if s := &checked.Summary; s.Transactional && p.needsWord(&to, batch, r.Version) {
		p.claimed = append(p.claimed, claimed{
			batch: heldBatch{t: to, epoch: to.LeaderEpoch(), records: batch, checked: checked, rp: rp, fresh: r.Version >= addVersion},
			claim: verify.Claim{
				Slot: to.Slot, LeaderEpoch: to.LeaderEpoch(), Topic: to.TP.Topic, Partition: to.TP.Partition,
				TransactionalID: strings.Clone(*req.TransactionID), ProducerID: s.ProducerID, Epoch: s.ProducerEpoch, Sequence: s.FirstSequence,
				Bytes: s.SizeInBytes, Add: r.Version >= addVersion, Abortable: r.Version >= abortableVersion,
			},
		})
		return
	}
	p.append(now, &to, batch, checked, rp, w, req.Acks, out)
}

// Versions of Produce from which on a client knows TRANSACTION_ABORTABLE, and leaves it to the broker to add partitions to transactions.
const (
	abortableVersion = 11
	addVersion       = 12
)

// needsWord reports whether a transactional batch must not be appended without its coordinator's word: it would open a transaction, or
// others of its producer wait. A repeat of a batch that stands in the log is answered as ever, whatever has become of its transaction.
func (p *Plane) needsWord(to *Target, batch record.Batch, version int16) bool {
	h := batch.Header()
	if p.gate.Waiting(to.Slot, h.ProducerID, h.ProducerEpoch) {
		return true
	}
	if to.Log.Producers().Ongoing(h.ProducerID, h.ProducerEpoch) || p.trusts && version < addVersion {
		return false
	}
	view := pstate.Of(&h)
	return !to.Log.Producers().Check(&view).Duplicate
}

// released goes on with a batch that has waited for a coordinator.
func (p *Plane) released(now core.Now, b *heldBatch, code core.ErrorCode, out *step.Effects) {
	h, s := b.of, &b.checked.Summary
	known := b.t.Log.Producers().Known(s.ProducerID)
	switch {
	case b.t.Serving() != core.ErrNone:
		refuse(b.rp, b.t.Serving(), "")
	case b.epoch != b.t.LeaderEpoch():
		refuse(b.rp, core.ErrNotLeaderOrFollower, "")
	case code != core.ErrNone:
		out.Reachable("produce.refused-by-coordinator", nil)
		refuse(b.rp, code, "the coordinator does not confirm that the partition belongs to the transaction")
	case b.fresh && !known && s.FirstSequence != 0:
		// With transaction version 2 each transaction has an epoch of its own, and begins at 0: what comes first is not the first.
		refuse(b.rp, core.ErrOutOfOrderSequenceNumber, "the producer's first batch in the partition does not begin at 0")
	default:
		p.append(now, &b.t, b.records, b.checked, b.rp, &h.wait, h.body.Acks, out)
		if b.rp.ErrorCode == 0 {
			p.gate.Wrote(b.t.Slot, s.ProducerID, s.ProducerEpoch)
		}
	}
	if h.left--; h.left == 0 {
		p.conclude(now, &h.wait, h.body, out)
	}
}

// append appends a batch that nothing but the log can refuse.
func (p *Plane) append(
	now core.Now, to *Target, batch record.Batch, checked *step.Batch, rp *kmsg.ProduceResponseTopicPartition, w *wait, acks int16,
	out *step.Effects,
) {
	if acks == -1 {
		if code := to.EnoughReplicas(int(to.Config.MinInsyncReplicas)); code != core.ErrNone {
			refuse(rp, code, "fewer replicas are in sync than min.insync.replicas")
			return
		}
	}
	a := to.Append(now, batch, &checked.Summary)
	p.host.Touch(to.Replica)
	if a.Code != core.ErrNone {
		refuse(rp, a.Code, a.Why)
		return
	}
	if a.Duplicate {
		out.Reachable("produce.duplicate", nil)
	}
	rp.BaseOffset, rp.LogAppendTime = int64(a.Base), int64(a.AppendTime)
	rp.LogStartOffset = int64(to.Log.LogStartOffset())
	w.appended = append(w.appended, appended{t: *to, end: a.Last + 1, epoch: to.LeaderEpoch(), local: acks != -1, into: rp})
}

// admit checks a batch against the topic's configuration, after the edge has checked it by itself.
func admit(now core.Now, to *Target, checked *step.Batch, rp *kmsg.ProduceResponseTopicPartition) bool {
	s := &checked.Summary
	switch {
	case !checked.Refusal.OK():
		refuse(rp, checked.Refusal.Code, checked.Refusal.Why)
		if at := checked.Refusal.RecordIndex; at >= 0 {
			recordError(rp, at, checked.Refusal.Why)
		}
	case s.SizeInBytes > int64(to.Config.MaxMessageBytes):
		refuse(rp, core.ErrMessageTooLarge, "the batch is larger than max.message.bytes")
	case to.Config.Compact && s.FirstKeyless >= 0:
		const why = "a compacted topic cannot accept a record without a key"
		refuse(rp, core.ErrInvalidRecord, why)
		recordError(rp, s.FirstKeyless, why)
	case !to.Config.LogAppendTime && !timely(now, to.Config, s):
		refuse(rp, core.ErrInvalidTimestamp, "a timestamp is out of the range that message.timestamp.before.max.ms and after.max.ms allow")
	default:
		return true
	}
	return false
}

// timely checks create times against the topic's bounds (KIP-937). Records without a timestamp are not judged; those from before 1970 are,
// however far back.
func timely(now core.Now, cfg *config.Topic, s *record.Summary) bool {
	if s.MinTimestamp == core.NoTimestamp {
		return true
	}
	behind, ahead := int64(now.Wall-s.MinTimestamp), int64(s.MaxTimestamp-now.Wall)
	if s.MinTimestamp < now.Wall && behind < 0 { // beyond 64 bits
		behind = math.MaxInt64
	}
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
