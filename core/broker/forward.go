package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Lanes of the connections to other nodes; what may wait long has one of its own.
const (
	laneQuorum      peer.Lane = iota // votes, epochs
	laneQuorumFetch                  // long polls of the metadata log
	laneControl                      // registration, heartbeats, ISR changes
	laneForward                      // clients' requests, passed on
	laneReplica                      // long polls of partitions
)

// askController puts a request to the active controller, wherever it is. then is called once, perhaps at once: with nil
// if no controller is known, if it is no longer one, or if the call failed.
func (b *Broker) askController(
	now core.Now, body wire.Request, timeout core.Mono, then func(core.Now, wire.Response, *step.Effects), out *step.Effects,
) {
	b.callController(now, body, laneControl, timeout, func(now core.Now, r *peer.Result, out *step.Effects) {
		if r.Body != nil && control.Code(r.Body) == core.ErrNotController {
			r.Body = nil
		}
		then(now, r.Body, out)
	}, out)
}

// callController is askController with the whole result.
func (b *Broker) callController(
	now core.Now, body wire.Request, lane peer.Lane, timeout core.Mono,
	then func(core.Now, *peer.Result, *step.Effects), out *step.Effects,
) {
	if b.plane.Active() {
		b.plane.Ask(now, body, func(now core.Now, resp wire.Response, out *step.Effects) {
			then(now, &peer.Result{Body: resp, Sent: true}, out)
		}, out)
		return
	}
	addr := b.plane.LeaderAddr()
	if addr == "" {
		then(now, &peer.Result{Why: "no controller is known"}, out)
		return
	}
	b.peers.Call(now, peer.Call{Addr: addr, Lane: lane, Body: body, Timeout: timeout, Then: then}, out)
}

// forwarding is a client's request on its way to the active controller (KIP-590).
type forwarding struct {
	req      *step.Request
	deadline core.Mono
	retryAt  core.Mono
}

// retryForward is the pause before a request is passed on again.
const retryForward = 50 * core.Millisecond

// forward passes a client's request on and relays the answer. It is tried again only while nobody can have executed it:
// a request that was lost on the way may have been, and the client alone knows whether asking twice is safe.
func (b *Broker) forward(now core.Now, r *step.Request, out *step.Effects) {
	if b.plane.Active() {
		b.plane.Handle(now, r, out)
		return
	}
	b.pass(now, &forwarding{req: r, deadline: now.Mono.Add(forwardTimeout(r.Body))}, out)
}

func (b *Broker) pass(now core.Now, f *forwarding, out *step.Effects) {
	left := max(core.Millisecond, f.deadline-now.Mono)
	b.callController(now, f.req.Body, laneForward, left, func(now core.Now, r *peer.Result, out *step.Effects) {
		switch {
		case r.Body != nil && control.Code(r.Body) != core.ErrNotController:
			reply(f.req, r.Body, out)
		case r.Body == nil && r.Sent:
			reply(f.req, control.Refusal(f.req.Body, core.ErrRequestTimedOut, "the controller did not answer: "+r.Why), out)
		case now.Mono >= f.deadline:
			reply(f.req, control.Refusal(f.req.Body, core.ErrNotController, "there is no active controller"), out)
		default:
			f.retryAt = min(now.Mono.Add(retryForward), f.deadline)
			b.forwards = append(b.forwards, f)
		}
	}, out)
}

// passAgain retries what waits for a controller.
func (b *Broker) passAgain(now core.Now, out *step.Effects) {
	waiting := b.forwards
	b.forwards = nil
	for _, f := range waiting {
		if f.retryAt > now.Mono {
			b.forwards = append(b.forwards, f)
			continue
		}
		if b.plane.Active() { // this node has become the controller
			b.plane.Handle(now, f.req, out)
			continue
		}
		b.pass(now, f, out)
	}
}

// forwardDue is when the first waiting request is passed on again.
func (b *Broker) forwardDue() (at core.Mono, ok bool) {
	for _, f := range b.forwards {
		if !ok || f.retryAt < at {
			at, ok = f.retryAt, true
		}
	}
	return at, ok
}

// forwardTimeout is how long the client waits: what the request says, or Kafka's default for admin requests.
func forwardTimeout(body wire.Request) core.Mono {
	const least, usual = core.Second, 30 * core.Second
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
	return max(least, core.Millis(int64(ms)))
}
