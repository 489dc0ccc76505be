package classic

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
)

// Sync handles a SyncGroup; the answer comes through [Env.Answers].
func (g *Group) Sync(now core.Now, r *SyncRequest) {
	m, code := g.checkSync(r)
	switch {
	case code != core.ErrNone:
		g.replySync(r.Ticket, SyncResult{Code: code})
	case g.state == PreparingRebalance:
		g.replySync(r.Ticket, SyncResult{Code: core.ErrRebalanceInProgress})
	case g.state == Stable:
		g.synced(m)
		g.replySync(r.Ticket, g.assigned(m))
	default:
		// One that waits already was sent on a connection that the client has given up.
		g.answerSync(m, SyncResult{Code: core.ErrRebalanceInProgress})
		m.sync = r.Ticket
		g.synced(m)
		if m.id == g.leader {
			g.assign(now, r)
		}
	}
}

// checkSync finds the member that a SyncGroup is from.
func (g *Group) checkSync(r *SyncRequest) (*member, core.ErrorCode) {
	if g.state == Empty || g.state == Dead {
		return nil, core.ErrUnknownMemberID
	}
	m, code := g.identify(r.MemberID, r.InstanceID)
	switch {
	case code != core.ErrNone:
		return nil, code
	case r.Generation != g.generation:
		return nil, core.ErrIllegalGeneration
	case r.ProtocolType != nil && *r.ProtocolType != g.protocolType,
		r.Protocol != nil && g.protocol != nil && *r.Protocol != *g.protocol:
		return nil, core.ErrInconsistentGroupProtocol // KIP-559
	}
	return m, core.ErrNone
}

// assign takes the leader's assignment: it is written to the log, and everybody who waits is told. Members that the leader
// has left out get nothing.
func (g *Group) assign(now core.Now, r *SyncRequest) {
	given := make(map[string][]byte, len(r.Assignments))
	for i := range r.Assignments {
		given[r.Assignments[i].MemberID] = r.Assignments[i].Assignment
	}
	for _, m := range g.members.All() {
		m.assignment = given[m.id]
	}
	if code := g.save(now, g.value()); code != core.ErrNone {
		g.dropAssignment(now, coord.AppendError(code))
		g.prepare(now)
		return
	}
	// Stable before it is committed: if it never is, this coordinator is none any more, and its answers never left.
	g.transition(now, Stable)
	for _, m := range g.members.All() {
		if g.answerSync(m, g.assigned(m)) {
			// The session of a member that waited may have run out meanwhile, without effect.
			g.arm(now, m, m.session())
		}
	}
}

// assigned is what a member of a Stable group is told.
func (g *Group) assigned(m *member) SyncResult {
	protocolType := g.protocolType
	return SyncResult{ProtocolType: &protocolType, Protocol: g.protocol, Assignment: m.assignment}
}
