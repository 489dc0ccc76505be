package cluster

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// waiting collects what has not happened yet.
type waiting struct {
	o    *Oracle
	core *history.Core
	at   core.Mono
	list []history.Owed
}

// Waiting implements [history.Witness].
func (o *Oracle) Waiting(at core.Mono, c history.Core) []history.Owed {
	w := &waiting{o: o, core: &c, at: at}
	leader := w.leader()
	if leader != nil {
		w.meta(leader)
		w.reconfigured(leader)
	}
	w.unfenced()
	for _, p := range o.order {
		if p.known && !p.gone && !p.raft() {
			w.partition(p)
		}
	}
	return w.list
}

func (w *waiting) add(prop checkers.Property, p *partition, format string, args ...any) {
	v := history.Owed{Property: string(prop), Message: fmt.Sprintf(format, args...) + fmt.Sprintf(" (at %d ns)", w.at)}
	if p != nil {
		v.Place = p.name.String()
	}
	w.list = append(w.list, v)
}

// leader demands one leader that all voters of the core know, and no election for a while.
func (w *waiting) leader() *node {
	var leader *node
	for _, id := range w.core.Nodes {
		if n := w.o.nodes[id]; n != nil && n.up && n.seen && n.quorum.Leads && (leader == nil || n.quorum.Current > leader.quorum.Current) {
			leader = n
		}
	}
	if leader == nil {
		w.add(LiveStableLeader, nil, "nobody of %v leads the quorum", w.core.Nodes)
		return nil
	}
	for _, id := range leader.quorum.Voters {
		n := w.o.nodes[id]
		if !slices.Contains(w.core.Nodes, id) || n == leader {
			continue
		}
		if n == nil || !n.seen || n.quorum.Current != leader.quorum.Current || n.quorum.Leader != leader.id {
			w.add(LiveStableLeader, nil, "voter %d does not follow %d, which leads epoch %d", id, leader.id, leader.quorum.Current)
		}
	}
	if since := w.at - w.o.quorum.risen; since < w.core.Quiet {
		w.add(LiveStableLeader, nil, "epoch %d began %d ns ago", w.o.quorum.top, since)
	}
	return leader
}

// meta demands that all that is in the leader's log is committed, and known everywhere.
func (w *waiting) meta(leader *node) {
	p := w.o.part(metadata())
	if r := p.replica(leader.id); r != nil && r.log.end() > leader.quorum.HighWatermark {
		w.add(LiveMeta, p, "leader %d has committed %d of %d", leader.id, leader.quorum.HighWatermark, r.log.end())
	}
	for _, id := range w.core.Nodes {
		n := w.o.node(id)
		if !n.seen || n.quorum.HighWatermark != leader.quorum.HighWatermark || n.applied != leader.applied {
			w.add(LiveMeta, p, "node %d knows of %d and has applied up to %d; the leader is at %d and %d",
				id, n.quorum.HighWatermark, n.applied, leader.quorum.HighWatermark, leader.applied)
		}
	}
}

// reconfigured demands that the last change of the voters is committed and is everywhere the last: who has another one counts,
// or would count, by other voters than the leader.
func (w *waiting) reconfigured(leader *node) {
	if len(leader.voters) == 0 {
		return
	}
	last := leader.voters[len(leader.voters)-1]
	p := w.o.part(metadata())
	if last.Offset >= leader.quorum.HighWatermark {
		w.add(LiveReconfig, p, "leader %d has voters %v at offset %d, and its HighWatermark is %d", leader.id, last.Voters, last.Offset, leader.quorum.HighWatermark)
	}
	for _, id := range w.core.Nodes {
		n := w.o.node(id)
		k := len(n.voters)
		if !n.seen || n.quorum.LogStartOffset > last.Offset || k > 0 && n.voters[k-1].Offset == last.Offset {
			continue // it has it, or a snapshot that does
		}
		w.add(LiveReconfig, p, "node %d has not the voters %v of offset %d as its last", id, last.Voters, last.Offset)
	}
}

// unfenced demands that every broker is registered and may lead.
func (w *waiting) unfenced() {
	for _, id := range w.core.Brokers {
		b := w.o.brokers[id]
		switch {
		case b == nil || !w.o.running(w.o.node(id)):
			w.add(LiveUnfence, nil, "broker %d is not registered", id)
		case b.Fenced || b.InControlledShutdown:
			w.add(LiveUnfence, nil, "broker %d is fenced or on its way out", id)
		}
	}
}

// partition judges one partition, if the core can do anything about it.
func (w *waiting) partition(p *partition) {
	s := &p.state
	live := func(id core.NodeID) bool { return slices.Contains(w.core.Brokers, id) }
	if !slices.ContainsFunc(s.ISR, live) && !slices.ContainsFunc(s.ELR, live) {
		return // whoever has its records is not in the core
	}
	r := p.replica(s.Leader)
	if r == nil || !live(s.Leader) || !r.viewed || !r.view.Leader || r.view.Epoch != s.LeaderEpoch {
		w.add(LiveLeader, p, "nobody leads: the controller has leader %d of epoch %d, ISR %v, ELR %v", s.Leader, s.LeaderEpoch, s.ISR, s.ELR)
		return
	}
	if !sameSet(r.view.MaximalISR, s.ISR) {
		w.add(LiveAlter, p, "leader %d counts on %v, and the controller has ISR %v", s.Leader, r.view.MaximalISR, s.ISR)
	}
	w.followers(p, s, r, live)
	// A reassignment ends when all that shall stay are in sync.
	absent := slices.ContainsFunc(s.Replicas, func(id core.NodeID) bool { return !live(id) && !slices.Contains(s.Removing, id) })
	if len(s.Adding)+len(s.Removing) > 0 && !absent {
		w.add(LiveReassign, p, "replicas %v are being added and %v removed", s.Adding, s.Removing)
	}
}

// followers demands that every replica in the core has what is committed, catches up and is in sync.
func (w *waiting) followers(p *partition, s *history.PartitionState, leader *replica, live func(core.NodeID) bool) {
	for _, id := range s.Replicas {
		if !live(id) {
			continue
		}
		end := core.NoOffset
		if m := p.replica(id); m != nil && m.open {
			end = m.log.end()
		}
		switch {
		case end < p.hw:
			w.add(LiveReplicated, p, "node %d has the log up to %d, and %d is committed", id, end, p.hw)
		case end < leader.log.end() || !slices.Contains(s.ISR, id):
			w.add(LiveCatchup, p, "node %d has the log up to %d, leader %d up to %d, ISR %v", id, end, s.Leader, leader.log.end(), s.ISR)
		}
	}
}

func sameSet(a, b []core.NodeID) bool {
	for _, id := range a {
		if !slices.Contains(b, id) {
			return false
		}
	}
	return len(a) == len(b)
}
