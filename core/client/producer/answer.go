package producer

import (
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/record"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Done takes the end of one of the producer's calls.
func (p *Producer) Done(now core.Now, done *cluster.Completion) {
	if p.closed {
		return
	}
	r, ok := done.Call.Ref.(*request)
	if !ok {
		p.identified(now, done)
		return
	}
	for _, b := range r.batches {
		if !b.orphan {
			b.part.inflight--
		}
	}
	resp, ok := done.Resp.(*kmsg.ProduceResponse)
	if !ok { // lost: the request and its bytes may still be under way
		p.txn.Doubt()
		for _, b := range r.batches {
			b.lent = true
			p.settle(now, b, nil)
		}
		return
	}
	for i := range resp.Brokers {
		n := &resp.Brokers[i]
		p.cl.HintNode(core.NodeID(n.NodeID), n.Host, n.Port)
	}
	for _, b := range r.batches {
		if resp.Version < 13 { // the request named no id, whatever we know
			b.topicID = core.TopicID{}
		}
		p.settle(now, b, find(resp, b))
	}
	p.requests = append(p.requests, r)
}

// find is the answer to a batch, nil if the broker forgot it.
func find(resp *kmsg.ProduceResponse, b *batch) *kmsg.ProduceResponseTopicPartition {
	for i := range resp.Topics {
		t := &resp.Topics[i]
		// The id is the request's: the topic may have been made anew since.
		if resp.Version >= 13 && core.TopicID(t.TopicID) != b.topicID || resp.Version < 13 && t.Topic != b.part.topic.meta.Name {
			continue
		}
		for j := range t.Partitions {
			if t.Partitions[j].Partition == b.part.index {
				return &t.Partitions[j]
			}
		}
	}
	return nil
}

// settle decides what becomes of a batch after an attempt.
func (p *Producer) settle(now core.Now, b *batch, a *kmsg.ProduceResponseTopicPartition) {
	if b.orphan {
		p.release(b)
		return
	}
	b.state = sealed
	code := core.ErrNetworkException
	if a != nil {
		code = core.ErrorCode(a.ErrorCode)
		p.hint(b, a)
	}
	if b.expired {
		p.bury(b, code)
		return
	}
	switch code {
	case core.ErrNone:
		p.succeed(b, core.Offset(a.BaseOffset), core.Wall(a.LogAppendTime))
	case core.ErrDuplicateSequenceNumber: // appended once, so long ago that the broker does not know where
		p.succeed(b, core.NoOffset, core.NoTimestamp)
	case core.ErrMessageTooLarge:
		if len(b.records) > 1 && !b.unknown {
			p.split(b)
		} else {
			p.fail(b, code, b.unknown)
		}
	case core.ErrOutOfOrderSequenceNumber, core.ErrUnknownProducerID, core.ErrInvalidProducerEpoch:
		p.misnumbered(now, b, code)
	default:
		b.unknown = b.unknown || mayHaveBeenWritten(code)
		if !code.Retriable() || b.attempts > p.opts.Retries {
			p.fail(b, code, b.unknown)
			return
		}
		p.retry(now, b)
	}
}

// hint passes on what the broker says of the partition's leader, and doubts the metadata where it errs.
func (p *Producer) hint(b *batch, a *kmsg.ProduceResponseTopicPartition) {
	switch core.ErrorCode(a.ErrorCode) {
	case core.ErrNotLeaderOrFollower, core.ErrUnknownTopicOrPartition, core.ErrLeaderNotAvailable, core.ErrKafkaStorageError,
		core.ErrFencedLeaderEpoch, core.ErrUnknownLeaderEpoch, core.ErrUnknownTopicID, core.ErrInconsistentTopicID,
		core.ErrReplicaNotAvailable, core.ErrNetworkException:
		p.cl.Refresh()
		p.cl.Hint(b.part.topic.meta, b.part.index, core.NodeID(a.CurrentLeader.LeaderID),
			core.LeaderEpoch(a.CurrentLeader.LeaderEpoch))
	default:
	}
}

// mayHaveBeenWritten reports whether a broker that answers so may have appended the batch, or may do so yet. A leader
// that loses its leadership while the batch waits for followers answers NOT_LEADER_OR_FOLLOWER although the next leader
// may have it (KAFKA-13574); the same holds for timeouts and for errors that nobody understands.
func mayHaveBeenWritten(code core.ErrorCode) bool {
	switch code {
	case core.ErrNetworkException, core.ErrRequestTimedOut, core.ErrNotEnoughReplicasAfterAppend, core.ErrUnknownServerError,
		core.ErrNotLeaderOrFollower, core.ErrKafkaStorageError, core.ErrFencedLeaderEpoch, core.ErrUnknownTopicOrPartition,
		core.ErrUnknownTopicID, core.ErrReplicaNotAvailable:
		return true
	}
	return false
}

// retry makes a batch wait for its next attempt.
func (p *Producer) retry(now core.Now, b *batch) {
	part := b.part
	leader, _ := part.topic.meta.Leader(part.index)
	if leader != part.sentTo && leader != core.NoNode && b.attempts == 1 {
		return // KIP-951: the way to the new leader is known already
	}
	part.retryAt = max(part.retryAt, p.cl.RetryAfter(now.Mono, b.attempts))
}

// misnumbered treats an answer that says "not the number I expect", which is a refusal: this attempt wrote nothing.
func (p *Producer) misnumbered(now core.Now, b *batch, code core.ErrorCode) {
	part := b.part
	switch {
	case !b.numbered: // the broker is confused
		p.fail(b, code, b.unknown)
	case p.txn.On() && (code != core.ErrOutOfOrderSequenceNumber || b.first):
		// Another number would belong to another epoch, and that to another transaction: this one must be aborted.
		p.fail(b, code, b.unknown)
	case b.attempts > p.opts.Retries:
		p.fail(b, code, b.unknown)
	case part.numbers.gap:
		p.retry(now, b) // the partition is being renumbered anyway
	case code == core.ErrOutOfOrderSequenceNumber && !b.first:
		// A batch before it failed first. It is repeated as it is, once that one is settled. (librdkafka bumped the epoch
		// here and wrote duplicates.)
		p.retry(now, b)
	default:
		// All before it are acknowledged, and yet the broker misses some: its log lost them (KIP-360). The batch gets a new
		// number if it was refused each time, or fails when the partition is renumbered.
		part.numbers.gap = true
		p.retry(now, b)
	}
}

// succeed gives the records of a batch their offsets.
func (p *Producer) succeed(b *batch, base core.Offset, appendTime core.Wall) {
	for i, m := range b.records {
		r := Result{Token: m.token, Partition: b.part.index, Offset: core.NoOffset, Timestamp: m.timestamp,
			Attempts: int32(min(b.attempts, math.MaxInt32)), TopicID: b.topicID}
		if base >= 0 {
			r.Offset = base + core.Offset(i)
		}
		if appendTime >= 0 {
			r.Timestamp = appendTime
		}
		p.finish(m.size, r)
	}
	b.part.retryAt = 0
	b.part.numbers.proven = b.part.numbers.proven || b.numbered
	p.release(b)
}

// fail gives up on a batch.
func (p *Producer) fail(b *batch, code core.ErrorCode, ambiguous bool) {
	if b.numbered {
		p.txn.Doubt() // its number may be missing
	}
	vacate(b)
	p.drop(b, code, ambiguous)
}

func (p *Producer) drop(b *batch, code core.ErrorCode, ambiguous bool) {
	p.failRecords(b, code, ambiguous)
	p.release(b)
}

func (p *Producer) failRecords(b *batch, code core.ErrorCode, ambiguous bool) {
	for _, m := range b.records {
		p.finish(m.size, Result{Token: m.token, Partition: b.part.index, Offset: core.NoOffset, Timestamp: m.timestamp,
			Err: code, Ambiguous: ambiguous, Attempts: int32(min(b.attempts, math.MaxInt32))})
	}
}

// bury ends a batch whose results went out before its answer came.
func (p *Producer) bury(b *batch, code core.ErrorCode) {
	if code != core.ErrNone && code != core.ErrDuplicateSequenceNumber {
		b.unknown = b.unknown || mayHaveBeenWritten(code)
		vacate(b)
	}
	p.release(b)
}

// expire fails what has waited for longer than the delivery timeout (KIP-91).
func (p *Producer) expire(now core.Now) {
	for _, part := range p.active {
		for i := 0; i < len(part.queue); {
			b := part.queue[i]
			switch {
			case b.expired:
				i++
				continue
			case now.Mono < b.since.Add(p.opts.DeliveryTimeout):
				i = len(part.queue) // the others are younger
				continue
			case b.state == inFlight:
				p.failRecords(b, core.ErrRequestTimedOut, true)
				b.expired = true
				i++
				continue
			case b.state == filling:
				p.seal(b)
			}
			p.fail(b, core.ErrRequestTimedOut, b.unknown)
		}
	}
	p.deactivate()
}

// split replaces a batch that is too large for the topic by two halves (KIP-126). The halves' numbers follow each
// other within the batch's own, so what comes after keeps its numbers.
func (p *Producer) split(b *batch) {
	part := b.part
	at := 0
	for part.queue[at] != b {
		at++
	}
	var halves [2]*batch
	var it record.Iterator
	var r record.Record
	if err := it.Reset(record.Batch(b.bytes), &p.codecs, 1<<31-1); err != nil {
		panic(err) // we built it
	}
	var headers []Header
	half := len(b.records) / 2
	for k, members := range [2][]member{b.records[:half], b.records[half:]} {
		h := p.newBatch(part, b.since)
		h.attempts, h.flush, h.state = b.attempts, true, sealed
		h.records = append(h.records, members...)
		var builder record.Builder
		builder.Begin(h.bytes, record.Options{Codec: p.opts.Compression, Transactional: p.txn.On()})
		for range members {
			it.Next(&r)
			headers = r.Headers.AppendTo(headers[:0])
			if err := builder.Append(r.Timestamp, r.Key, r.Value, headers); err != nil {
				panic(err)
			}
		}
		h.bytes, _ = builder.Finish(&p.codecs)
		if b.numbered {
			h.numbered, h.sequence = true, record.IncrementSequence(b.sequence, int32(k*half))
			stamp(h)
		}
		halves[k] = h
	}
	part.queue = append(part.queue, nil)
	copy(part.queue[at+2:], part.queue[at+1:])
	part.queue[at], part.queue[at+1] = halves[0], halves[1]
	b.records = b.records[:0]
	p.batches = append(p.batches, b)
}
