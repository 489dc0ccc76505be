package classic

import (
	"github.com/klamm-log/klamm/core"
)

// rebalanceOrComplete begins a rebalance, or ends the join phase if one is under way and nobody is missing.
func (g *Group) rebalanceOrComplete(now core.Now) {
	if g.canRebalance() {
		g.prepare(now)
		return
	}
	g.completeIfAllJoined(now)
}

// completeIfAllJoined ends the join phase when nobody is missing, but never before the initial delay is over: it is there
// for those of whom nothing is known yet.
func (g *Group) completeIfAllJoined(now core.Now) {
	if g.state == PreparingRebalance && g.previous != Empty && g.allJoined() {
		g.completeJoin(now)
	}
}

// prepare begins a rebalance: members learn of it from their heartbeats and have the rebalance timeout to join.
func (g *Group) prepare(now core.Now) {
	if g.state == CompletingRebalance {
		// The generation will not be assigned any more. Whoever waits for that is to join again.
		g.dropAssignment(now, core.ErrRebalanceInProgress)
	}
	g.clearUnsynced()
	initial := g.state == Empty
	g.transition(now, PreparingRebalance)
	if initial {
		// A group that starts has all its members come within moments. Without the delay each of them would begin a
		// rebalance of its own (KIP-134).
		t := &g.joinPhase
		t.initial, t.delay = true, core.Millis(g.env.Config.InitialRebalanceDelayMs)
		t.remaining = max(0, g.rebalanceTimeout()-t.delay)
		g.moreJoined, g.unsaved = false, false
		g.armJoinTimer(now, t.delay)
		return
	}
	g.joinPhase.initial = false
	if g.allJoined() {
		g.completeJoin(now)
		return
	}
	g.armJoinTimer(now, g.rebalanceTimeout())
}

// Expire implements [coord.Timer]: the join phase's time is up.
func (t *joinTimer) Expire(now core.Now) {
	g := t.g
	t.armed = false
	switch {
	case g.state == Empty:
		g.saveEmpty(now)
	case g.state != PreparingRebalance:
	case t.initial && g.moreJoined && t.remaining > 0:
		// Somebody came: there may be more. The whole delay is bounded by the rebalance timeout.
		g.moreJoined = false
		before := t.delay
		t.delay = min(core.Millis(g.env.Config.InitialRebalanceDelayMs), t.remaining)
		t.remaining = max(0, t.remaining-before)
		g.armJoinTimer(now, t.delay)
	default:
		g.completeJoin(now)
	}
}

// completeJoin ends the join phase. Dynamic members that have not come back are out. Static ones stay as long as their session
// lasts: their process may be restarting (KIP-345).
func (g *Group) completeJoin(now core.Now) {
	g.cancelJoinTimer()
	g.joinPhase.initial = false
	for _, m := range g.members.All() {
		if m.join == 0 && m.instance == nil {
			g.remove(m)
		}
	}
	if g.members.Len() == 0 {
		g.nextGeneration(now, Empty)
		g.saveEmpty(now)
		return
	}
	if !g.electJoined() {
		// Only static members are left and none has come. Without a leader that is there nothing can be assigned, so the
		// phase goes on until one joins or all sessions have ended. A rebalance timeout of nothing must not make that a loop.
		g.armJoinTimer(now, max(core.Second, g.rebalanceTimeout()))
		return
	}
	g.nextGeneration(now, CompletingRebalance)
	for _, m := range g.members.All() {
		g.answerJoin(m, g.current(m))
		g.arm(now, m, m.session())
		m.isNew, m.unsynced = false, true
		g.unsynced++
	}
	// KAFKA-12890: heartbeats keep a session alive, not an assignment. A member that joined and never syncs, the leader most
	// of all, would hold the generation up for ever.
	g.armSyncTimer(now, g.rebalanceTimeout())
}

// electJoined sees to it that the leader is a member that has joined: the old one if it has, else another. The answer is false
// if nobody has.
func (g *Group) electJoined() bool {
	if m := g.members.At(g.leader); m != nil && m.join != 0 {
		return true
	}
	for id, m := range g.members.All() {
		if m.join != 0 {
			g.leader = id
			return true
		}
	}
	return false
}

// nextGeneration begins a generation with the members that there are.
func (g *Group) nextGeneration(now core.Now, s State) {
	g.generation++
	g.protocol = nil
	if s != Empty {
		g.protocol = g.selectProtocol(nil, nil)
	}
	g.topics = g.subscribedTopics()
	g.clearUnsynced()
	g.transition(now, s)
}

// saveEmpty writes the empty generation. If the log does not take it, the generation before will be found by the next
// coordinator, whose members then time out: no harm, but the group would seem alive. So it is tried again.
func (g *Group) saveEmpty(now core.Now) {
	if g.hard == nil {
		// Nobody has ever been assigned anything: there is nothing that the log must forget. Kafka writes such groups, too,
		// so that a stranger's JoinGroup costs it a record.
		g.unsaved = false
		return
	}
	g.unsaved = g.save(now, g.value()) != core.ErrNone
	if g.unsaved {
		g.armJoinTimer(now, core.Millis(g.env.Config.CommitTimeoutMs))
	}
}

// clearUnsynced ends the wait for SyncGroup requests.
func (g *Group) clearUnsynced() {
	for _, m := range g.members.All() {
		m.unsynced = false
	}
	g.unsynced = 0
	g.cancelSyncTimer()
}

// Expire implements [coord.Timer]: members of the generation have not asked for their assignment in time. They are out.
func (t *syncTimer) Expire(now core.Now) {
	g := t.g
	t.armed = false
	if g.state != CompletingRebalance && g.state != Stable || g.unsynced == 0 {
		return
	}
	for _, m := range g.members.All() {
		if m.unsynced {
			g.remove(m)
		}
	}
	g.prepare(now)
}

// dropAssignment ends a generation before it was assigned.
func (g *Group) dropAssignment(now core.Now, code core.ErrorCode) {
	for _, m := range g.members.All() {
		m.assignment = nil
		if g.answerSync(m, SyncResult{Code: code}) {
			g.arm(now, m, m.session())
		}
	}
}
