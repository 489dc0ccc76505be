package conn

import (
	"math"

	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// keepBuffer is the largest encode buffer that is kept for reuse, in bytes.
const keepBuffer = 256 << 10

// Outbound is the sending half of a served connection: replies, in whatever order they come, to the bytes of the
// responses in the order of the requests.
type Outbound struct {
	released uint64 // replies encoded or passed over, from the first without a gap
	held     []slot // replies that wait for an earlier one; held[i] is that to request released+i
	finish   uint64 // once finished: the number of requests of the connection
	finished bool
	closed   bool

	batches [2]batch // one collects, the other was taken
	current int
	lens    []int64 // scratch of a response with spans: their lengths
	cuts    []int   // and where in the buffer each belongs
}

type slot struct {
	reply step.Reply
	full  bool
}

// batch is one Output in the making.
type batch struct {
	out     Output
	buf     []byte // literal bytes; chunks point into it, or into its smaller predecessors
	literal int    // start in buf of what no chunk holds yet
}

// NewOutbound is the sending half of a connection that has just been accepted.
func NewOutbound() Outbound { return Outbound{} }

// Released is the number of replies, from the first without a gap, that have been encoded.
func (o *Outbound) Released() uint64 { return o.released }

// Finish tells that the connection has received n requests and will receive no more: it closes when they are
// answered.
func (o *Outbound) Finish(n uint64) {
	o.finish, o.finished = n, true
	o.closeIfDone()
}

// Reply takes the answer to one request. Each request has exactly one; after a reply with Close further ones are
// dropped.
func (o *Outbound) Reply(r step.Reply) {
	if o.closed {
		return
	}
	if r.Seq < o.released {
		invariant.Fail("conn: second reply to request %d of connection %d, %d are answered", r.Seq, r.Conn, o.released)
	}
	if r.Seq > o.released {
		o.hold(r)
		return
	}
	if len(o.held) == 0 { // the usual case: nothing waits
		o.release(&r)
	} else {
		o.held[0] = slot{reply: r, full: true}
		o.releaseHeld()
	}
	o.closeIfDone()
}

// Take returns what there is to write and to do, and forgets it. The result is valid until the next call, or [Outbound.Sent].
func (o *Outbound) Take() *Output {
	b := &o.batches[o.current]
	b.endLiteral()
	o.current = 1 - o.current
	o.batches[o.current].reset()
	return &b.out
}

// Sent tells that what Take returned last is needed no more. A connection may be silent for long after a large response, and would keep it.
func (o *Outbound) Sent() { o.batches[1-o.current].reset() }

// Pending reports whether there is anything to take.
func (o *Outbound) Pending() bool {
	b := &o.batches[o.current]
	return len(b.buf) > 0 || len(b.out.Chunks) > 0 || b.out.Close || b.out.MuteFor > 0
}

// hold keeps a reply that came early.
func (o *Outbound) hold(r step.Reply) {
	i := int(r.Seq - o.released)
	for len(o.held) <= i {
		o.held = append(o.held, slot{})
	}
	if o.held[i].full {
		invariant.Fail("conn: second reply to request %d of connection %d", r.Seq, r.Conn)
	}
	o.held[i] = slot{reply: r, full: true}
}

// releaseHeld encodes the replies at the front of held up to the first gap.
func (o *Outbound) releaseHeld() {
	n := 0
	for n < len(o.held) && o.held[n].full && !o.closed {
		o.release(&o.held[n].reply)
		n++
	}
	if o.closed {
		o.held = nil
		return
	}
	rest := copy(o.held, o.held[n:])
	clear(o.held[rest:])
	o.held = o.held[:rest]
}

// release encodes the reply whose turn it is.
func (o *Outbound) release(r *step.Reply) {
	o.released++
	b := &o.batches[o.current]
	o.encode(b, r)
	b.out.MuteFor = max(b.out.MuteFor, r.MuteFor)
	if r.Close {
		o.close()
	}
}

// encode writes a reply's response. Of those with spans, the record bytes stay where they are.
func (o *Outbound) encode(b *batch, r *step.Reply) {
	fetch, isFetch := r.Body.(*kmsg.FetchResponse)
	snapshot, isSnapshot := r.Body.(*kmsg.FetchSnapshotResponse)
	switch {
	case r.Body == nil:
	case isFetch: // also without spans: kmsg would write null records
		o.measure(r)
		b.buf, o.cuts = wire.AppendFetchResponse(b.buf, o.cuts[:0], r.Corr, r.Version, fetch, o.lens)
		o.cut(b, r)
	case isSnapshot && len(r.Spans) > 0:
		o.measure(r)
		b.buf, o.cuts = wire.AppendFetchSnapshotResponse(b.buf, o.cuts[:0], r.Corr, r.Version, snapshot, o.lens)
		o.cut(b, r)
	default:
		start := len(b.buf)
		b.buf = wire.AppendResponse(b.buf, r.Corr, r.Version, r.Body)
		if size := int64(len(b.buf) - start); size > math.MaxInt32 {
			invariant.Fail("conn: response to key %d has %d bytes", r.Body.Key(), size)
		}
	}
}

// measure notes the lengths of a reply's spans.
func (o *Outbound) measure(r *step.Reply) {
	o.lens = o.lens[:0]
	for i := range r.Spans {
		o.lens = append(o.lens, r.Spans[i].Len)
	}
}

// cut puts the spans of the response that was just encoded between its literal bytes.
func (o *Outbound) cut(b *batch, r *step.Reply) {
	for i, cut := range o.cuts {
		if r.Spans[i].Len > 0 {
			b.endLiteralAt(cut)
			b.out.Chunks = append(b.out.Chunks, Chunk{Span: r.Spans[i]})
		}
	}
}

func (o *Outbound) closeIfDone() {
	if o.finished && !o.closed && o.released >= o.finish {
		o.close()
	}
}

func (o *Outbound) close() {
	o.closed = true
	o.batches[o.current].out.Close = true
}

// endLiteral puts the bytes encoded so far into a chunk.
func (b *batch) endLiteral() { b.endLiteralAt(len(b.buf)) }

func (b *batch) endLiteralAt(end int) {
	if end > b.literal {
		b.out.Chunks = append(b.out.Chunks, Chunk{Data: b.buf[b.literal:end:end]})
		b.literal = end
	}
}

func (b *batch) reset() {
	clear(b.out.Chunks)
	b.out = Output{Chunks: b.out.Chunks[:0]}
	b.literal = 0
	b.buf = b.buf[:0]
	if cap(b.buf) > keepBuffer {
		b.buf = nil
	}
}
