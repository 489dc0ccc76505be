package route

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AskController puts a request to the active controller, wherever it is. then is called once, perhaps at once: with nil
// if no controller is known, if it is no longer one, or if the call failed.
func (r *Router) AskController(now core.Now, body wire.Request, timeout core.Mono, then Then, out *step.Effects) {
	r.callController(now, body, LaneControl, timeout, func(now core.Now, res *peer.Result, out *step.Effects) {
		if res.Body != nil && control.Code(res.Body) == core.ErrNotController {
			res.Body = nil
		}
		then(now, res.Body, out)
	}, out)
}

// callController is AskController with the whole result.
func (r *Router) callController(
	now core.Now, body wire.Request, lane peer.Lane, timeout core.Mono,
	then func(core.Now, *peer.Result, *step.Effects), out *step.Effects,
) {
	if r.plane.Active() {
		r.plane.Ask(now, body, func(now core.Now, resp wire.Response, out *step.Effects) {
			then(now, &peer.Result{Body: resp, Sent: true}, out)
		}, out)
		return
	}
	addr := r.plane.LeaderAddr()
	if addr == "" {
		then(now, &peer.Result{Why: "no controller is known"}, out)
		return
	}
	r.opts.Peers.Call(now, peer.Call{Addr: addr, Lane: lane, Body: body, Timeout: timeout, Then: then}, out)
}

// forwarding is a client's request on its way to the active controller (KIP-590).
type forwarding struct {
	req      *step.Request
	deadline core.Mono
	retryAt  core.Mono
}

// retryForward is the pause before a request is passed on again.
const retryForward = 50 * core.Millisecond

// Forward passes a client's request on and relays the answer. It is tried again only while nobody can have executed it:
// a request that was lost on the way may have been, and the client alone knows whether asking twice is safe.
func (r *Router) Forward(now core.Now, req *step.Request, out *step.Effects) {
	if r.plane.Active() {
		r.plane.Handle(now, req, out)
		return
	}
	r.pass(now, &forwarding{req: req, deadline: now.Mono.Add(forwardTimeout(req.Body))}, out)
}

func (r *Router) pass(now core.Now, f *forwarding, out *step.Effects) {
	left := max(core.Millisecond, f.deadline-now.Mono)
	r.callController(now, f.req.Body, LaneForward, left, func(now core.Now, res *peer.Result, out *step.Effects) {
		switch {
		case res.Body != nil && control.Code(res.Body) != core.ErrNotController:
			reply(f.req, res.Body, out)
		case res.Body == nil && res.Sent:
			reply(f.req, control.Refusal(f.req.Body, core.ErrRequestTimedOut, "the controller did not answer: "+res.Why), out)
		case now.Mono >= f.deadline:
			reply(f.req, control.Refusal(f.req.Body, core.ErrNotController, "there is no active controller"), out)
		default:
			f.retryAt = min(now.Mono.Add(retryForward), f.deadline)
			r.forwards = append(r.forwards, f)
		}
	}, out)
}

// PassAgain retries the clients' requests that wait for a controller.
func (r *Router) PassAgain(now core.Now, out *step.Effects) {
	waiting := r.forwards
	r.forwards = nil
	for _, f := range waiting {
		if f.retryAt > now.Mono {
			r.forwards = append(r.forwards, f)
			continue
		}
		if r.plane.Active() { // this node has become the controller
			r.plane.Handle(now, f.req, out)
			continue
		}
		r.pass(now, f, out)
	}
}

// reply answers a client in this turn.
func reply(r *step.Request, body wire.Response, out *step.Effects) {
	out.Replies = append(out.Replies, step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Body: body})
}

// forwardTimeout is how long the client waits: what the request says, or Kafka's default for admin requests. After a minute, as
// in Kafka, nobody waits any more, whatever was said: a request that outlives its client's connection by days would be executed
// by the next controller all the same.
func forwardTimeout(body wire.Request) core.Mono {
	const least, usual, most = core.Second, 30 * core.Second, 60 * core.Second
	var ms int32
	switch req := body.(type) {
	case *kmsg.CreateTopicsRequest:
		ms = req.TimeoutMillis
	case *kmsg.DeleteTopicsRequest:
		ms = req.TimeoutMillis
	case *kmsg.CreatePartitionsRequest:
		ms = req.TimeoutMillis
	case *kmsg.ElectLeadersRequest:
		ms = req.TimeoutMillis
	case *kmsg.AlterPartitionAssignmentsRequest:
		ms = req.TimeoutMillis
	case *kmsg.ListPartitionReassignmentsRequest:
		ms = req.TimeoutMillis
	case *kmsg.UpdateFeaturesRequest:
		ms = req.TimeoutMillis
	default:
		return usual
	}
	return min(most, max(least, core.Millis(int64(ms))))
}
