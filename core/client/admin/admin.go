package admin

import (
	"reflect"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Admin sends requests one by one. Make one with [New].
type Admin struct {
	opts Options
	cl   *cluster.Cluster

	ops      []*op    // unfinished, in the order of Call
	unsplit  []*group // wait for the list of brokers
	replies  []Reply
	dirty    bool
	closed   bool
	deadline core.Mono
}

// op is one request until its reply.
type op struct {
	req      kmsg.Request
	route    Route
	reply    Reply
	due      core.Mono
	retryAt  core.Mono
	failures int
	inflight bool
	finished bool
	finding  *finding // with route Coordinator: who that is
	call     cluster.Call
	group    *group // nil for a plain Call
	index    int    // in the group
}

// New makes an admin on a cluster; defaults are filled in.
func New(opts Options, cl *cluster.Cluster) *Admin {
	return &Admin{opts: opts.WithDefaults(), cl: cl, deadline: cluster.Never}
}

// Call sends a request along a route. The request belongs to the admin from now on. Its [Reply] carries the token.
func (a *Admin) Call(now core.Now, req kmsg.Request, route Route, token uint64) {
	a.add(&op{req: req, route: route, due: now.Mono.Add(a.opts.Timeout), reply: Reply{Token: token, Node: core.NoNode}})
}

func (a *Admin) add(o *op) {
	a.dirty = true
	if o.route.Kind == PartitionLeader {
		a.cl.Want(o.route.Topic)
	}
	a.ops = append(a.ops, o)
	if a.closed {
		a.finish(o, core.ErrNetworkException)
	}
}

// Replies appends the replies that came since the last call to dst.
func (a *Admin) Replies(dst []Reply) []Reply {
	dst = append(dst, a.replies...)
	clear(a.replies)
	a.replies = a.replies[:0]
	return dst
}

// Close fails what is unfinished.
func (a *Admin) Close() {
	for _, g := range a.unsplit {
		a.replies = append(a.replies, Reply{Token: g.reply.Token, Node: core.NoNode, Err: core.ErrNetworkException})
	}
	for _, o := range a.ops {
		if !o.finished {
			o.reply.Ambiguous = o.reply.Ambiguous || o.inflight
			a.finish(o, core.ErrNetworkException)
		}
	}
	a.ops, a.unsplit = nil, nil
	a.closed, a.dirty, a.deadline = true, false, cluster.Never
}

// EndTurn sends what can be sent.
func (a *Admin) EndTurn(now core.Now, out *step.Effects) {
	a.dirty = false
	a.deadline = cluster.Never
	a.splitReady(now)
	for _, o := range a.ops {
		if !o.inflight && !o.finished {
			a.try(now, o, out)
		}
	}
	kept := a.ops[:0]
	for _, o := range a.ops {
		if !o.finished {
			kept = append(kept, o)
		}
	}
	clear(a.ops[len(kept):])
	a.ops = kept
}

// NextDeadline is when the admin must be looked at again; [cluster.Never] if it waits for events only.
func (a *Admin) NextDeadline() core.Mono {
	if a.dirty {
		return 0
	}
	return a.deadline
}

// try sends a request if its broker can be reached and its back-off is over.
func (a *Admin) try(now core.Now, o *op, out *step.Effects) {
	if now.Mono >= o.due {
		a.finish(o, core.ErrRequestTimedOut)
		return
	}
	a.deadline = min(a.deadline, o.due)
	if now.Mono < o.retryAt {
		a.deadline = min(a.deadline, o.retryAt)
		return
	}
	l := a.link(now, o, out)
	if l == nil {
		return
	}
	o.call = cluster.Call{Owner: cluster.Admin, Ref: o, Body: o.req}
	if !a.cl.Call(now, l, &o.call, out) {
		a.finish(o, core.ErrUnsupportedVersion)
		return
	}
	o.inflight = true
	o.reply.Attempts++
}

func (a *Admin) link(now core.Now, o *op, out *step.Effects) *cluster.Link {
	switch o.route.Kind {
	case Controller:
		return a.cl.ControllerLink(now, out)
	case Broker:
		return a.cl.Link(now, o.route.Node, cluster.Main, out)
	case PartitionLeader:
		t := a.cl.Want(o.route.Topic)
		if t.Answered && t.Err != core.ErrNone && !t.Err.Retriable() {
			a.finish(o, t.Err)
			return nil
		}
		leader, epoch := t.Leader(o.route.Partition)
		if leader == core.NoNode {
			a.cl.Refresh()
			return nil
		}
		o.req = inEpoch(o.req, epoch)
		return a.cl.Link(now, leader, cluster.Main, out)
	case Coordinator, TxnCoordinator:
		return a.coordinator(now, o, out)
	case AnyBroker:
	}
	return a.cl.AnyLink(now, out)
}

// Done takes the end of one of the admin's calls.
func (a *Admin) Done(now core.Now, done *cluster.Completion) {
	if f, ok := done.Call.Ref.(*finding); ok {
		a.found(now, f, done)
		return
	}
	o, ok := done.Call.Ref.(*op)
	if !ok || o.finished {
		return
	}
	o.inflight = false
	if done.Outcome == cluster.Lost {
		o.reply.Ambiguous = true
		o.req = copyOf(o.req) // the lost one may still be on its way
		a.again(now, o)
		return
	}
	o.reply.Body, o.reply.Node = done.Resp, done.Call.Node
	code := refusal(done.Resp)
	if !code.Retriable() {
		a.finish(o, core.ErrNone)
		return
	}
	if code == core.ErrRequestTimedOut {
		o.reply.Ambiguous = true
	}
	o.reply.Err = code
	a.cl.Refresh() // NOT_CONTROLLER, NOT_LEADER_OR_FOLLOWER and their like
	a.again(now, o)
}

// again makes a request wait for its next attempt.
func (a *Admin) again(now core.Now, o *op) {
	o.failures++
	o.finding = nil // the coordinator may have moved
	o.retryAt = a.cl.RetryAfter(now.Mono, o.failures)
}

// finish replies. A retriable error that outlasted the deadline stays what it was, with its body; err is for requests that got no answer,
// and for those that no repetition helps, whatever was said before.
func (a *Admin) finish(o *op, err core.ErrorCode) {
	o.finished = true
	if err != core.ErrNone && !err.Retriable() {
		o.reply.Err, o.reply.Body = core.ErrNone, nil
	}
	if err == core.ErrNone || o.reply.Err == core.ErrNone {
		o.reply.Err = err
	}
	if o.group != nil {
		a.merge(o)
		return
	}
	a.replies = append(a.replies, o.reply)
}

// copyOf is a shallow copy: sending sets the version in the struct, and touches nothing below it.
func copyOf(req kmsg.Request) kmsg.Request {
	v := reflect.ValueOf(req)
	if v.Kind() != reflect.Pointer {
		return req
	}
	fresh := reflect.New(v.Elem().Type())
	fresh.Elem().Set(v.Elem())
	return fresh.Interface().(kmsg.Request)
}
