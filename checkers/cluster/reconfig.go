package cluster

import (
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Voters implements [history.Witness]. What was found at an opening may be told again as an append.
func (o *Oracle) Voters(id core.NodeID, v history.VoterSet) {
	n := o.node(id)
	if k := len(n.voters); k == 0 || n.voters[k-1].Offset < v.Offset {
		n.voters = append(n.voters, v)
	}
}

// cutVoters forgets the voter sets at and above an offset.
func (n *node) cutVoters(to core.Offset) {
	i := len(n.voters)
	for i > 0 && n.voters[i-1].Offset >= to {
		i--
	}
	n.voters, n.judged = n.voters[:i], min(n.judged, to)
}

// reconfigures judges a leader by the voter sets in its log.
func (o *Oracle) reconfigures(at core.Mono, p *partition, r *replica, v *history.QuorumLook) {
	n := r.node
	if !v.Leads || len(n.voters) == 0 {
		return
	}
	for i := range n.voters {
		if set := &n.voters[i]; set.Offset >= n.judged && set.Epoch == v.Current {
			o.changes(at, p, r, v, i)
		}
	}
	last := &n.voters[len(n.voters)-1]
	n.judged = max(n.judged, last.Offset+1)
	switch {
	case v.Told < v.LogEndOffset: // a newer set may be on its way to the disk
	case !slices.Equal(v.Voters, last.Voters):
		o.report(at, RaftLastConfig, p, last.Offset, "leader %d of epoch %d counts by voters %v, and the last set in its log is %v",
			v.Node, v.Current, v.Voters, last.Voters)
	case last.Offset < v.HighWatermark && !slices.Contains(last.Voters, v.Node):
		o.report(at, RaftRemovedLeader, p, last.Offset, "node %d leads epoch %d, and the voter set %v is committed", v.Node, v.Current, last.Voters)
	}
}

// changes judges a change that a leader has appended in its own epoch. Its HighWatermark may have risen in the same turn
// before the change, but not past it: a change is not durable in the turn that appends it.
func (o *Oracle) changes(at core.Mono, p *partition, r *replica, v *history.QuorumLook, i int) {
	set := &r.node.voters[i]
	if i == 0 && len(set.Voters) == 1 {
		return // a cluster of one begins with its voter set
	}
	if start := r.log.begin(v.Current); v.HighWatermark <= start {
		o.report(at, RaftOneChange, p, set.Offset, "leader %d changes the voters to %v, and nothing of its epoch %d, which starts at %d, is committed; its HighWatermark is %d",
			v.Node, set.Voters, v.Current, start, v.HighWatermark)
		return
	}
	if i == 0 {
		return // the first of its log; what was before it is configured, or in a snapshot
	}
	was := &r.node.voters[i-1]
	switch {
	case was.Offset >= v.HighWatermark:
		o.report(at, RaftOneChange, p, set.Offset, "leader %d changes the voters to %v, and the change to %v at %d is not committed; its HighWatermark is %d",
			v.Node, set.Voters, was.Voters, was.Offset, v.HighWatermark)
	case apart(was.Voters, set.Voters) > 1:
		o.report(at, RaftOneChange, p, set.Offset, "leader %d changes the voters from %v to %v at once", v.Node, was.Voters, set.Voters)
	}
}

// apart is the number of nodes that are in one of two sets alone.
func apart(a, b []core.NodeID) int {
	n := 0
	for _, id := range a {
		if !slices.Contains(b, id) {
			n++
		}
	}
	for _, id := range b {
		if !slices.Contains(a, id) {
			n++
		}
	}
	return n
}

// Accepted implements [history.Witness]. One turn may hold both, the acknowledgement and a smaller ISR or another setting
// after it: it must have been too few before the turn, too.
func (o *Oracle) Accepted(at core.Mono, a history.Acceptance) {
	p := o.part(a.Key)
	r := p.replica(a.Node)
	if r == nil || !r.viewed || len(a.ISR) >= a.Least {
		return
	}
	if was := &r.view; was.Leader && was.Epoch == a.Epoch && len(was.ISR) < was.Least {
		o.report(at, MinIsr, p, a.Base, "leader %d acknowledges a batch with acks=all, its ISR is %v, and min.insync.replicas is %d",
			a.Node, a.ISR, a.Least)
	}
}
