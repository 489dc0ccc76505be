package route

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Lanes of the connections to other nodes; what may wait long has one of its own. Those of the control plane, below
// LaneControl, are its own business.
const (
	LaneControl peer.Lane = iota + 2 // registration, heartbeats, ISR changes
	LaneForward                      // clients' requests, passed on
	LaneReplica                      // long polls of partitions
	_                                // the control plane's registration
	LaneMarkers                      // transaction markers: they wait for the HighWatermark
	LaneVerify                       // partitions that are added to transactions, or looked for in them
)

// Then goes on with an answer: nil if there is none, and then nobody knows whether the request was executed.
type Then func(now core.Now, body wire.Response, out *step.Effects)

// Options is what a Router is made of.
type Options struct {
	Config config.Broker
	Peers  *peer.Pool
	// Handle serves a request of this node to itself. The reply comes as any other, to [LocalConn].
	Handle func(now core.Now, r *step.Request, out *step.Effects)
}

// LocalConn is the connection of this node to itself; no real one has the number, nor has the control plane's
// [control.LocalConn].
const LocalConn = ^step.ConnID(0)

// Router puts a node's requests to whoever has to answer them.
type Router struct {
	opts     Options
	plane    *control.Plane
	forwards []*forwarding

	nextAsk uint64
	asked   map[uint64]*asked // of this node itself, waiting for an answer
	owed    int               // replies that will come to LocalConn; also those that come too late
	timers  deadline.Heap[uint64]
	ended   []answered
}

// asked is a request of this node to itself.
type asked struct {
	then  Then
	timer deadline.Handle
}

// answered is one that has its answer.
type answered struct {
	then Then
	body wire.Response
}

// New is a router without a control plane. It may be asked for deadlines; the rest waits for [Router.Open].
func New(opts Options) *Router {
	return &Router{opts: opts, asked: make(map[uint64]*asked)}
}

// Open tells the control plane, which says where the controller and the brokers are.
func (r *Router) Open(plane *control.Plane) { r.plane = plane }

// AskBroker puts a request to a broker, which may be this one. then is called once, later: with nil if the broker is not
// registered, cannot be reached, refuses to talk or has not answered in time.
func (r *Router) AskBroker(
	now core.Now, id core.NodeID, lane peer.Lane, body wire.Request, timeout core.Mono, then Then, out *step.Effects,
) {
	if id == r.opts.Config.NodeID {
		r.nextAsk++
		r.owed++
		r.asked[r.nextAsk] = &asked{then: then, timer: r.timers.Add(now.Mono.Add(timeout), r.nextAsk)}
		r.opts.Handle(now, &step.Request{Conn: LocalConn, Seq: r.nextAsk, Version: body.GetVersion(), Body: body}, out)
		return
	}
	addr := r.BrokerAddr(id)
	if addr == "" {
		r.ended = append(r.ended, answered{then: then})
		return
	}
	r.opts.Peers.Call(now, peer.Call{
		Addr: addr, Lane: lane, Body: body, Timeout: timeout,
		Then: func(now core.Now, res *peer.Result, out *step.Effects) { then(now, res.Body, out) },
	}, out)
}

// BrokerAddr is where a broker listens for brokers, empty if it is not registered.
func (r *Router) BrokerAddr(id core.NodeID) string {
	reg := r.plane.Image().Broker(id)
	if reg == nil {
		return ""
	}
	e, ok := reg.Endpoint(r.opts.Config.InterBrokerListener)
	if !ok {
		return ""
	}
	return control.JoinHostPort(e.Host, int32(e.Port))
}

// Deliver takes the answers to this node's own requests out of the turn's replies, gives them to those who asked, and says
// whether there were any.
func (r *Router) Deliver(now core.Now, out *step.Effects) bool {
	if r.owed > 0 {
		r.take(out)
	}
	ended := r.ended
	r.ended = nil // who is answered may ask again
	for _, a := range ended {
		a.then(now, a.body, out)
	}
	return len(ended) > 0
}

// take moves the replies to this node itself out of the turn's.
func (r *Router) take(out *step.Effects) {
	kept := out.Replies[:0]
	for i := range out.Replies {
		if reply := &out.Replies[i]; reply.Conn == LocalConn {
			r.owed--
			r.finish(reply.Seq, reply.Body)
		} else {
			kept = append(kept, *reply)
		}
	}
	clear(out.Replies[len(kept):])
	out.Replies = kept
}

// finish ends one of this node's own requests; a reply that comes after its time is nobody's.
func (r *Router) finish(seq uint64, body wire.Response) {
	a := r.asked[seq]
	if a == nil {
		return
	}
	delete(r.asked, seq)
	r.timers.Cancel(a.timer)
	r.ended = append(r.ended, answered{a.then, body})
}

// Tick gives up what this node has not answered itself in time.
func (r *Router) Tick(now core.Now) {
	for {
		seq, ok := r.timers.PopDue(now.Mono)
		if !ok {
			return
		}
		a := r.asked[seq]
		delete(r.asked, seq)
		r.ended = append(r.ended, answered{then: a.then})
	}
}

// NextDeadline is when a client's request is passed on again, or one of this node's own is given up.
func (r *Router) NextDeadline() (at core.Mono, ok bool) {
	at, ok = r.timers.Next()
	for _, f := range r.forwards {
		if !ok || f.retryAt < at {
			at, ok = f.retryAt, true
		}
	}
	return at, ok
}
