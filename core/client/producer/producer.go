package producer

import (
	"bytes"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// Producer batches, numbers, sends and repeats. Make one with [New].
type Producer struct {
	opts Options
	cl   *cluster.Cluster
	rand *prng.Rand

	topics map[string]*topic
	order  []*topic     // topics in the order of first use
	active []*partition // those with batches, in the order of becoming active
	turn   int          // where in active the next drain begins, so that none starves
	ids    identity
	txn    *txn.Manager // of the same client; off without a transactional id

	results  []Result
	pending  int   // records accepted and without a result
	buffered int64 // their bytes

	closed   bool
	dirty    bool // Produce or Flush was called since the last turn
	deadline core.Mono

	codecs   record.Codecs
	drains   []drain // scratch of a turn
	batches  []*batch
	requests []*request
}

// New makes a producer on a cluster; what it writes belongs to the transactions of tx if that is on. Options must be valid; defaults
// are filled in.
func New(opts Options, cl *cluster.Cluster, tx *txn.Manager, r *prng.Rand) *Producer {
	opts = opts.WithDefaults()
	if opts.RequestTimeout == 0 {
		opts.RequestTimeout = cl.Options().RequestTimeout
	}
	p := &Producer{opts: opts, cl: cl, txn: tx, rand: r, topics: make(map[string]*topic), deadline: cluster.Never}
	if opts.Idempotence == IdempotenceOff || opts.Acks != AcksAll {
		p.ids.state = idsOff
	}
	return p
}

// Produce takes a record to be written. It is false, and nothing happens, if the producer is closed or the buffer memory is
// used up: then the caller drains results and tries again. Token comes back in the record's [Result].
func (p *Producer) Produce(now core.Now, r Record, token uint64) (accepted bool) {
	size := record.HeaderSize + record.RecordSize(0, 0, r.Key, r.Value, r.Headers)
	if p.closed || p.buffered > 0 && p.buffered+size > p.opts.BufferMemory {
		return false
	}
	p.dirty = true
	p.pending++
	p.buffered += size
	if r.Timestamp <= 0 {
		r.Timestamp = now.Wall
	}
	w := waiting{record: r, token: token, size: size, since: now.Mono}
	if p.txn.On() && p.txn.State() != txn.Open {
		p.finish(w.size, Result{Token: token, Partition: r.Partition, Offset: core.NoOffset, Timestamp: r.Timestamp,
			Err: core.ErrInvalidTxnState})
		return true
	}
	if size > p.maxBatch() { // no request could carry it
		p.finish(w.size, Result{Token: token, Partition: r.Partition, Offset: core.NoOffset, Timestamp: r.Timestamp,
			Err: core.ErrMessageTooLarge})
		return true
	}
	t := p.topic(r.Topic)
	// Behind parked records it waits for the turn, which places them in order: looking at all of them for each new one
	// would cost the square of a flood that comes before the first metadata.
	if len(t.parked) > 0 || !p.place(t, &w) {
		w.record.Key, w.record.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
		w.record.Headers = cloneHeaders(r.Headers)
		t.parked = append(t.parked, w)
	}
	return true
}

// requestOverhead is what a Produce request has around the batch of one partition, in bytes, generously: header, client
// id, topic name of up to 249 bytes.
const requestOverhead = 512

// maxBatch is the largest batch that a request can carry.
func (p *Producer) maxBatch() int64 { return p.opts.MaxRequestSize - requestOverhead }

// Results appends to dst the results of records that are finished, in the order of finishing, and forgets them.
func (p *Producer) Results(dst []Result) []Result {
	dst = append(dst, p.results...)
	p.results = p.results[:0]
	return dst
}

// Pending is the number of records accepted whose result is not known yet.
func (p *Producer) Pending() int { return p.pending }

// Flush makes what has been produced so far leave without waiting for linger.
func (p *Producer) Flush(core.Now) {
	p.dirty = true
	for _, part := range p.active {
		for _, b := range part.queue {
			b.flush = true
		}
	}
	for _, t := range p.order {
		for i := range t.parked {
			t.parked[i].flush = true
		}
	}
}

// SetPartitioner makes a topic's records without a partition go where pt says.
func (p *Producer) SetPartitioner(topicName string, pt Partitioner) {
	p.topic(topicName).partitioner = pt
}

// EndTurn sends what is due.
func (p *Producer) EndTurn(now core.Now, out *step.Effects) {
	p.dirty = false
	p.deadline = cluster.Never
	for _, t := range p.order {
		if len(t.parked) > 0 {
			p.unpark(now, t)
		}
	}
	p.expire(now)
	if p.txn.On() {
		p.transact(now)
	}
	if len(p.active) == 0 {
		return
	}
	if !p.txn.On() {
		p.identify(now, out)
	}
	if p.ids.state == idsKnown || p.ids.state == idsOff {
		p.drain(now, out)
	}
	p.deactivate()
	p.plan(now)
}

// transact follows the transaction's state.
func (p *Producer) transact(now core.Now) {
	p.borrow()
	if code, doomed := p.txn.Doomed(); doomed {
		p.abandon(code)
	} else if p.txn.Flushing() {
		p.Flush(now)
		p.dirty = false
	}
}

// Quiet reports whether nothing is under way, not even what has its result, and nothing is to be sent.
func (p *Producer) Quiet() bool { return p.pending == 0 && len(p.active) == 0 }

// NextDeadline is when the producer must be looked at again; [cluster.Never] if it waits for events only.
func (p *Producer) NextDeadline() core.Mono {
	if p.dirty {
		return 0
	}
	return p.deadline
}

// wakeAt makes the producer be looked at at an instant, if that is to come: what was due has just been tried and waits
// for something else.
func (p *Producer) wakeAt(now core.Now, at core.Mono) {
	if at > now.Mono {
		p.deadline = min(p.deadline, at)
	}
}

// plan finds the next deadline.
func (p *Producer) plan(now core.Now) {
	p.wakeAt(now, p.ids.retryAt)
	for _, part := range p.active {
		p.wakeAt(now, part.retryAt)
		for _, b := range part.queue {
			if !b.expired {
				p.wakeAt(now, b.since.Add(p.opts.DeliveryTimeout))
				break // the others are younger
			}
		}
		if b := part.queue[len(part.queue)-1]; b.state == filling {
			p.wakeAt(now, b.since.Add(p.opts.Linger))
		}
	}
}

// finish gives a record its result.
func (p *Producer) finish(size int64, r Result) {
	p.results = append(p.results, r)
	p.pending--
	p.buffered -= size
	if r.Err != core.ErrNone {
		p.txn.Failed(r.Err)
	}
}

// Close fails everything that has no result yet.
func (p *Producer) Close() {
	for _, t := range p.order {
		for i := range t.parked {
			p.failParked(&t.parked[i], core.ErrNetworkException)
		}
		t.parked = nil
	}
	for _, part := range p.active {
		for _, b := range part.queue {
			if !b.expired {
				p.failRecords(b, core.ErrNetworkException, b.unknown || b.state == inFlight)
			}
		}
		part.queue, part.inflight, part.active = nil, 0, false
	}
	p.active = nil
	p.closed, p.dirty, p.deadline = true, false, cluster.Never
}

func cloneHeaders(headers []Header) []Header {
	if len(headers) == 0 {
		return nil
	}
	out := make([]Header, len(headers))
	for i, h := range headers {
		out[i] = Header{Key: bytes.Clone(h.Key), Value: bytes.Clone(h.Value)}
	}
	return out
}
