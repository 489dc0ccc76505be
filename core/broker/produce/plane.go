package produce

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/verify"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/purgatory"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Target is a partition of this broker.
type Target struct {
	*replica.Replica
	Config   *config.Topic
	Slot     purgatory.Slot
	Internal bool // of a coordinators' topic: clients do not write there
}

// Host is the broker around the plane.
type Host interface {
	verify.Host
	// Lookup finds a partition by topic id, if that is not zero, or by name. With a code other than NONE there may be no replica.
	Lookup(id core.TopicID, topic string, partition int32) (Target, core.ErrorCode)
	// Touch notes that a partition has work at the end of the turn.
	Touch(r *replica.Replica)
	// Hint completes a response whose partitions have other leaders.
	Hint(r *step.Request, resp *kmsg.ProduceResponse)
	// MarkerCode is why a coordinators' partition takes no marker now, NONE if it does.
	MarkerCode(t *Target) core.ErrorCode
	// Marked tells the coordinators of an internal topic's partition of a marker, with next behind it.
	Marked(now core.Now, t *Target, next core.Offset, m *coord.Marker, out *step.Effects)
}

// Plane serves Produce, WriteTxnMarkers and DescribeProducers.
type Plane struct {
	host    Host
	table   purgatory.Table[wait] // answered when their records are committed
	gate    *verify.Gate[*heldBatch]
	trusts  bool      // transaction.partition.verification.enable is off
	claimed []claimed // of the request that is being appended
	quiet   int64     // bytes of requests with acks=0 that are not durable here yet
	codecs  record.Codecs
}

// New is a plane without requests. verification is transaction.partition.verification.enable: without it clients that add partitions to their
// transactions themselves are trusted to have done so.
func New(host Host, verification bool) *Plane {
	return &Plane{host: host, gate: verify.New[*heldBatch](host), trusts: !verification}
}

// wait is a request whose records are appended and not yet committed everywhere.
type wait struct {
	req  *step.Request
	resp wire.Response
	// appended are the batches that wait; the answer is complete when each is committed or has failed.
	appended []appended
	// inUse tells that a log may use the request's memory for longer: a batch was decided and not found durable.
	inUse bool
	// quiet is what a request with acks=0 counts in Plane.quiet, 0 for all others; wentOn says that its connection has not waited for it.
	quiet  int64
	wentOn bool
}

// appended is bound to the epoch in which it was appended: should another leader take over, the same offsets
// may come to hold other records, so a higher HighWatermark would prove nothing.
type appended struct {
	t     Target
	end   core.Offset
	epoch core.LeaderEpoch
	local bool // acks=1 or 0: this log's durability is enough
	// into is where the outcome goes, of a produce or of a marker.
	into   *kmsg.ProduceResponseTopicPartition
	marker *kmsg.WriteTxnMarkersResponseMarkerTopicPartition
}

// stored says whether the batch is where acks demands it, and the error if it is and there are too few copies.
func (a *appended) stored() (bool, core.ErrorCode) {
	if a.local {
		return a.t.Log.DurableOffset() >= a.end || a.t.HighWatermark() >= a.end, core.ErrNone
	}
	return a.t.Acked(a.end, int(a.t.Config.MinInsyncReplicas))
}

// decided reports whether nothing has to be waited for: the batch is stored, or this replica cannot say any more whether it will be.
func (a *appended) decided() bool {
	done, _ := a.stored()
	return done || a.t.Serving() != core.ErrNone || a.epoch != a.t.LeaderEpoch()
}

// refuse says what has become of the batch.
func (a *appended) refuse(code core.ErrorCode, why string) {
	if a.marker != nil {
		a.marker.ErrorCode = int16(code)
		return
	}
	refuse(a.into, code, why)
}

// park waits until everything is stored.
func (p *Plane) park(w wait, at core.Mono) {
	parked := p.table.Park(w, at)
	for i := range w.appended {
		a := &w.appended[i]
		p.table.Watch(parked, a.t.Slot)
		// Nothing need change any more that it could wait for: an exact repeat appends nothing, and while the other batches of the
		// request waited for their coordinator this one may have been stored, or its leader deposed.
		if a.decided() {
			p.table.Touch(a.t.Slot)
		}
	}
}

// offer answers a parked request if every batch is decided, or its time is up.
func (p *Plane) offer(w *wait, expired bool, out *step.Effects) bool {
	waiting := w.appended[:0]
	for _, a := range w.appended {
		done, short := a.stored()
		code := a.t.Serving()
		switch {
		case code != core.ErrNone:
			a.refuse(code, "")
		case a.epoch != a.t.LeaderEpoch():
			a.refuse(core.ErrNotLeaderOrFollower, "")
		case done && short != core.ErrNone:
			a.refuse(short, "fewer replicas are in sync than min.insync.replicas")
		case done:
		case expired:
			a.refuse(core.ErrRequestTimedOut, "")
		default:
			waiting = append(waiting, a)
			continue
		}
		w.inUse = w.inUse || code != core.ErrNone || a.epoch != a.t.LeaderEpoch() || a.t.Log.DurableOffset() < a.end
	}
	w.appended = waiting
	if len(waiting) > 0 {
		w.release(out)
		return false
	}
	if w.quiet > 0 {
		p.quieten(w, out)
	} else {
		p.reply(w, out)
	}
	return true
}

// mostQuiet bounds what requests with acks=0 have on its way to the disk while their connections go on, in bytes. Nobody waits for such
// requests, and a network is faster than a disk.
const mostQuiet = 64 << 20

// goOn lets the connection of a request with acks=0 go on, now or when its batches are durable. However long that takes: the request's timeout
// is about an answer, and there is none.
func (p *Plane) goOn(now core.Now, w *wait, out *step.Effects) {
	r := w.req
	w.wentOn = len(w.appended) == 0 || p.quiet < mostQuiet || anyRefused(w.resp.(*kmsg.ProduceResponse))
	if w.wentOn {
		p.replyNothing(w, out)
	}
	if len(w.appended) > 0 {
		w.quiet = max(1, r.Size, int64(cap(r.Frame)))
		p.quiet += w.quiet
		p.park(*w, now.Mono.Add(patience))
	}
}

// patience is longer than any disk is waited for.
const patience = 24 * 60 * core.Minute

// quieten ends a request with acks=0 whose batches are decided.
func (p *Plane) quieten(w *wait, out *step.Effects) {
	p.quiet -= w.quiet
	if !w.wentOn {
		p.replyNothing(w, out)
	}
	w.release(out)
}

// replyNothing ends a request that has no answer. An error closes the connection.
func (p *Plane) replyNothing(w *wait, out *step.Effects) {
	r := w.req
	out.Replies = append(out.Replies, step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version,
		Close: anyRefused(w.resp.(*kmsg.ProduceResponse))})
}

// reply sends an answer that is complete.
func (p *Plane) reply(w *wait, out *step.Effects) {
	if resp, ok := w.resp.(*kmsg.ProduceResponse); ok {
		p.host.Hint(w.req, resp)
	}
	r := w.req
	out.Replies = append(out.Replies, step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Body: w.resp})
	w.release(out)
}

// release gives the request's memory back once no log needs it: what still waits is durable here, and waits for other replicas. Those may take
// long, and until the memory is back the edge reads less, or nothing, of anybody, their fetches included.
func (w *wait) release(out *step.Effects) {
	for i := range w.appended {
		if a := &w.appended[i]; a.t.Log.DurableOffset() < a.end {
			return
		}
	}
	if r := w.req; r.Frame != nil && !w.inUse {
		out.Spent = append(out.Spent, r.Frame)
		r.Frame, r.Body = nil, nil
	}
}

// settled reports whether every batch that the request waits for is decided.
func (w *wait) settled() bool {
	for i := range w.appended {
		if !w.appended[i].decided() {
			return false
		}
	}
	return true
}

// Touch notes that a partition has changed.
func (p *Plane) Touch(s purgatory.Slot) { p.table.Touch(s) }

// Touched reports whether Sweep has something to do in this turn.
func (p *Plane) Touched() bool { return p.table.Touched() || p.gate.Pending() }

// Sweep appends what coordinators have confirmed, asks them for what waits, and offers parked requests whose partitions changed or whose
// time is up.
func (p *Plane) Sweep(now core.Now, out *step.Effects) {
	for {
		b, code, ok := p.gate.Next()
		if !ok {
			break
		}
		p.released(now, b, code, out)
	}
	p.gate.EndTurn(now, out)
	p.table.Sweep(now.Mono, func(w *wait, expired bool) bool { return p.offer(w, expired, out) })
}

// NextDeadline is when a parked request's time is up, or a coordinator is asked again.
func (p *Plane) NextDeadline() (core.Mono, bool) {
	at, ok := p.table.NextDeadline()
	if again, asks := p.gate.NextDeadline(); asks && (!ok || again < at) {
		return again, true
	}
	return at, ok
}

// Check panics if somebody who could be answered was left parked.
func (p *Plane) Check() {
	p.table.All(func(w *purgatory.Parked[wait]) {
		if w.Waiter.settled() {
			invariant.Fail("a settled request is parked: request %d of connection %d", w.Waiter.req.Seq, w.Waiter.req.Conn)
		}
	})
	if p.gate.Pending() {
		invariant.Fail("a transaction's verification is decided and its batches wait")
	}
}
