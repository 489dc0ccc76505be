package modern

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
)

// retryAfter is when a removal is tried again that the log has not taken (Kafka's backoff for timers).
const retryAfter = 500 * core.Millisecond

// memberTimers are the clocks of one member. They are soft state, keyed by the member's id.
type memberTimers struct {
	session, rebalance expiry
}

// expiry removes a member when it is due.
type expiry struct {
	g      *Group
	member string
	epoch  int32 // rebalance: the epoch that the member must leave in time
	armed  bool
	handle deadline.Handle
}

func (g *Group) timersOf(id string) *memberTimers {
	t := g.timers[id]
	if t == nil {
		t = &memberTimers{session: expiry{g: g, member: id}, rebalance: expiry{g: g, member: id}}
		g.timers[id] = t
	}
	return t
}

func (e *expiry) arm(at core.Mono) {
	e.cancel()
	e.armed, e.handle = true, e.g.env.Timers.Add(at, e)
}

func (e *expiry) cancel() {
	if e.armed {
		e.g.env.Timers.Cancel(e.handle)
		e.armed = false
	}
}

// Expire implements [coord.Timer]: the member was silent for a session, or did not give partitions up in time.
func (e *expiry) Expire(now core.Now) {
	e.armed = false
	if code := e.g.remove(now, e.member); code != core.ErrNone {
		e.arm(now.Mono.Add(retryAfter))
	}
}

// heard starts a member's session anew.
func (g *Group) heard(now core.Now, id string) {
	session := g.env.Config.SessionTimeoutMs
	if m := g.members.At(id); m != nil && m.Classic != nil {
		session = m.Classic.SessionTimeoutMs // a classic member brings its own
	}
	g.timersOf(id).session.arm(now.Mono.Add(core.Millis(int64(session))))
}

// limit lets the rebalance timer run exactly while the member has partitions to give up: anew for each epoch, on through
// heartbeats within one.
func (g *Group) limit(now core.Now, m *Member) {
	t := &g.timersOf(m.ID).rebalance
	switch {
	case m.State != Unrevoked || m.Epoch < 0:
		t.cancel()
	case !t.armed || t.epoch != m.Epoch:
		t.epoch = m.Epoch
		t.arm(now.Mono.Add(core.Millis(int64(max(m.RebalanceTimeoutMs, 0)))))
	}
}

// forget ends the timers of a member that is no more.
func (g *Group) forget(id string) {
	if t := g.timers[id]; t != nil {
		t.session.cancel()
		t.rebalance.cancel()
		delete(g.timers, id)
	}
}

// Restore starts the timers of a group that was loaded: every member gets a whole session to be heard in.
func (g *Group) Restore(now core.Now) {
	for id, m := range g.members.All() {
		g.heard(now, id)
		if m.Classic == nil {
			g.limit(now, m)
		}
	}
}
