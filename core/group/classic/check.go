package classic

import (
	"bytes"

	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/invariant"
)

// Check asserts the invariants that the package comment lists. owed gets the tickets of requests that wait here.
func (g *Group) Check(owed map[coord.Ticket]bool) {
	joining, unsynced := 0, 0
	for id, m := range g.members.All() {
		invariant.Check(m.id == id && m.g == g, "group %q: member %q is filed under %q", g.id, m.id, id)
		invariant.Check(m.instance == nil || g.static[*m.instance] == m, "group %q: %q is not the member of its instance id", g.id, id)
		invariant.Check(g.pending[id] == nil, "group %q: member %q is pending, too", g.id, id)
		invariant.Check(m.armed || m.join != 0 || m.sync != 0, "group %q: member %q can stay silent for ever", g.id, id)
		if m.join != 0 {
			joining++
			owed[m.join] = true
		}
		if m.sync != 0 {
			owed[m.sync] = true
			invariant.Check(g.state == CompletingRebalance, "group %q is %s and member %q waits for its assignment", g.id, g.state, id)
		}
		if m.unsynced {
			unsynced++
		}
	}
	invariant.Check(joining == g.joining && unsynced == g.unsynced, "group %q counts %d joining and %d unsynced members; there are %d and %d",
		g.id, g.joining, g.unsynced, joining, unsynced)
	invariant.Check(unsynced == 0 || g.syncPhase.armed, "group %q waits for SyncGroup for ever", g.id)
	invariant.Check(joining == 0 || g.state == PreparingRebalance, "group %q is %s and members wait to join", g.id, g.state)
	g.checkState()
	g.checkProtocols()
}

func (g *Group) checkState() {
	_, led := g.members.Get(g.leader)
	switch g.state {
	case Empty:
		invariant.Check(g.members.Len() == 0 && g.leader == "", "group %q is Empty and has %d members, leader %q", g.id, g.members.Len(), g.leader)
		invariant.Check(!g.unsaved || g.joinPhase.armed, "group %q will never be saved", g.id)
		if !g.unsaved && g.hard != nil {
			invariant.Check(len(g.hard.Members) == 0 && g.hard.Generation == g.generation, "group %q is Empty in generation %d; the log has %d members in %d",
				g.id, g.generation, len(g.hard.Members), g.hard.Generation)
		}
	case PreparingRebalance:
		invariant.Check(g.joinPhase.armed, "group %q prepares a rebalance for ever", g.id)
		invariant.Check(led || g.members.Len() == 0, "group %q: the leader %q is no member", g.id, g.leader)
	case CompletingRebalance:
		invariant.Check(led && g.protocol != nil, "group %q completes a rebalance without leader or protocol", g.id)
		invariant.Check(g.syncPhase.armed, "group %q completes a rebalance for ever", g.id)
	case Stable:
		invariant.Check(led && g.protocol != nil, "group %q is Stable without leader or protocol", g.id)
		g.checkStable()
	case Dead:
		invariant.Fail("group %q is dead and still known", g.id)
	}
}

// checkStable compares a Stable group with what the log has of it.
func (g *Group) checkStable() {
	h := g.hard
	invariant.Check(h != nil, "group %q is Stable and the log knows nothing of it", g.id)
	invariant.Check(h.Generation == g.generation && h.Leader != nil && *h.Leader == g.leader && len(h.Members) == g.members.Len() &&
		h.ProtocolType == g.protocolType && h.Protocol != nil && *h.Protocol == *g.protocol,
		"group %q is Stable in generation %d, led by %q, with %d members of protocol %q %q; the log has generation %d, leader %q, %d members, protocol %q %q",
		g.id, g.generation, g.leader, g.members.Len(), g.protocolType, *g.protocol,
		h.Generation, deref(h.Leader), len(h.Members), h.ProtocolType, deref(h.Protocol))
	for i := range h.Members {
		hm := &h.Members[i]
		m := g.members.At(hm.ID)
		invariant.Check(m != nil && bytes.Equal(m.assignment, hm.Assignment) && bytes.Equal(m.metadata(g.protocol), hm.Subscription) &&
			(m.instance == nil) == (hm.InstanceID == nil) && (m.instance == nil || *m.instance == *hm.InstanceID),
			"group %q: member %q is not as the log has it", g.id, hm.ID)
	}
}

func (g *Group) checkProtocols() {
	want := make(map[string]int)
	for _, m := range g.members.All() {
		for i, p := range m.protocols {
			if !has(m.protocols[:i], p.Name) {
				want[p.Name]++
			}
		}
	}
	same := len(want) == len(g.supported)
	for name, n := range want { //det:unordered all are compared
		same = same && g.supported[name] == n
	}
	invariant.Check(same, "group %q counts supported protocols as %v; they are %v", g.id, g.supported, want)
	for id, m := range g.static { //det:unordered all are asserted
		invariant.Check(g.members.At(m.id) == m && m.instance != nil && *m.instance == id, "group %q: instance %q belongs to nobody", g.id, id)
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
