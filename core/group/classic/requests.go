package classic

import "github.com/klamm-log/klamm/core"

// Heartbeat keeps a member's session alive and tells it of rebalances.
func (g *Group) Heartbeat(now core.Now, memberID string, instance *string, generation int32) core.ErrorCode {
	m, code := g.identify(memberID, instance)
	if code != core.ErrNone {
		return code
	}
	if generation != g.generation {
		return core.ErrIllegalGeneration
	}
	g.arm(now, m, m.session())
	if g.state == PreparingRebalance {
		return core.ErrRebalanceInProgress
	}
	return core.ErrNone
}

// Leaver is one member that leaves, by its id or, for an administrator, by its group.instance.id alone (KIP-345).
type Leaver struct {
	MemberID   string
	InstanceID *string
}

// Leave removes members and answers a code for each, in order.
func (g *Group) Leave(now core.Now, leavers []Leaver) []core.ErrorCode {
	codes := make([]core.ErrorCode, len(leavers))
	some := false
	for i := range leavers {
		codes[i] = g.leave(&leavers[i])
		some = some || codes[i] == core.ErrNone
	}
	switch {
	case !some:
	case g.state == Stable || g.state == CompletingRebalance:
		g.prepare(now)
	case g.state == PreparingRebalance:
		g.completeIfAllJoined(now)
	}
	if g.Shell() {
		g.env.Idle = append(g.env.Idle, g)
	}
	return codes
}

func (g *Group) leave(l *Leaver) core.ErrorCode {
	if l.MemberID == "" {
		if l.InstanceID == nil || g.static[*l.InstanceID] == nil {
			return core.ErrUnknownMemberID
		}
		g.remove(g.static[*l.InstanceID])
		return core.ErrNone
	}
	if g.pending[l.MemberID] != nil {
		g.unpend(l.MemberID)
		return core.ErrNone
	}
	m, code := g.identify(l.MemberID, l.InstanceID)
	if code == core.ErrNone {
		g.remove(m)
	}
	return code
}

// CheckCommit decides whether somebody may commit offsets for the group. txn is a commit within a transaction, which older
// clients send without saying who they are.
func (g *Group) CheckCommit(memberID string, instance *string, generation int32, txn bool) core.ErrorCode {
	switch {
	case g.state == Dead:
		return core.ErrCoordinatorNotAvailable
	case generation < 0 && g.state == Empty:
		return core.ErrNone // an administrator, or a consumer that assigns partitions to itself
	case generation >= 0 || memberID != "" || instance != nil:
		if _, code := g.identify(memberID, instance); code != core.ErrNone {
			return code
		}
		// A member of an older generation may own nothing any more: it would overwrite what the new owner has
		// committed.
		if generation != g.generation {
			return core.ErrIllegalGeneration
		}
	case !txn && g.state != Empty:
		return core.ErrUnknownMemberID
	}
	if !txn && g.state == CompletingRebalance {
		// It has the generation, so it knows that it has nothing to commit for: what it owned is being assigned anew.
		return core.ErrRebalanceInProgress
	}
	return core.ErrNone
}

// Committed notes that a member has committed offsets: that keeps its session alive, as a heartbeat does.
func (g *Group) Committed(now core.Now, memberID string) {
	if m := g.members.At(memberID); m != nil && (g.state == Stable || g.state == PreparingRebalance) {
		g.arm(now, m, m.session())
	}
}

// CheckDelete decides whether the group can be deleted.
func (g *Group) CheckDelete() core.ErrorCode {
	switch g.state {
	case Empty:
		return core.ErrNone
	case Dead:
		return core.ErrGroupIDNotFound
	case PreparingRebalance, CompletingRebalance, Stable:
	}
	return core.ErrNonEmptyGroup
}

// CheckOffsetDelete decides whether offsets of the group can be deleted; topics that members subscribe to are refused one by
// one (KIP-496).
func (g *Group) CheckOffsetDelete() core.ErrorCode {
	if g.state != Empty && g.protocolType != ConsumerProtocol {
		return core.ErrNonEmptyGroup // nobody knows what such members read
	}
	return core.ErrNone
}

// MemberView is one member as it is described.
type MemberView struct {
	ID         string
	InstanceID *string
	ClientID   string
	ClientHost string
	Metadata   []byte // for the current protocol; only of a Stable group
	Assignment []byte // only of a Stable group
}

// Members are the members, by id.
func (g *Group) Members() []MemberView {
	views := make([]MemberView, 0, g.members.Len())
	for _, m := range g.members.All() {
		v := MemberView{ID: m.id, InstanceID: m.instance, ClientID: m.clientID, ClientHost: m.clientHost}
		if g.state == Stable {
			v.Metadata, v.Assignment = m.metadata(g.protocol), m.assignment
		}
		views = append(views, v)
	}
	return views
}
