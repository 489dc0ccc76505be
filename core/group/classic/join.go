package classic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group/records"
)

// Join handles a JoinGroup; the answer comes through [Env.Answers]. The caller has checked the session timeout's bounds.
func (g *Group) Join(now core.Now, r *JoinRequest) {
	switch {
	case !g.accepts(g.placeOf(r)):
		if m := g.placeOf(r); m != nil {
			// Shrinking after group.max.size was lowered: who comes back last finds no room.
			g.remove(m)
		}
		g.unpend(r.MemberID) // the others need not wait for it
		g.completeIfAllJoined(now)
		g.reply(r.Ticket, JoinResult{Code: core.ErrGroupMaxSizeReached})
	case !g.supports(r.ProtocolType, r.Protocols):
		g.reply(r.Ticket, JoinResult{Code: core.ErrInconsistentGroupProtocol, MemberID: r.MemberID})
	case r.MemberID == "":
		g.joinNew(now, r)
	default:
		g.joinKnown(now, r)
	}
}

// placeOf is the member that a JoinGroup comes from, or whose place it takes (KIP-345); nil if it comes from a new one.
func (g *Group) placeOf(r *JoinRequest) *member {
	if r.MemberID == "" && r.InstanceID != nil {
		return g.static[*r.InstanceID]
	}
	return g.members.At(r.MemberID)
}

// accepts reports whether there is room for a member, nil for a new one (KIP-389). While members rejoin, those who have count, not
// those of the old generation: so a group over its size gets rid of whoever comes last. A static member that comes back
// has its place; Kafka looks at its member id alone, which is new, and sends it away from a full group.
func (g *Group) accepts(m *member) bool {
	most := int64(g.env.Config.MaxSize)
	switch g.state {
	case PreparingRebalance:
		return m != nil && m.join != 0 || int64(g.joining) < most
	case CompletingRebalance, Stable:
		return m != nil || int64(g.members.Len()) < most
	case Empty, Dead:
	}
	return true
}

// joinNew admits somebody without a member id.
func (g *Group) joinNew(now core.Now, r *JoinRequest) {
	if r.InstanceID != nil {
		g.joinStatic(now, r)
		return
	}
	id := g.newID(r.ClientID)
	if !r.RequireMemberID {
		g.admit(now, r, id)
		return
	}
	// KIP-394: a client whose JoinGroup times out sends another. If the first had made it a member the group would fill
	// with members that nobody is. So it learns its id before it counts.
	p := &pendingMember{g: g, id: id}
	p.timer = g.env.Timers.Add(now.Mono.Add(core.Millis(int64(r.SessionTimeoutMs))), p)
	g.pending[id] = p
	g.reply(r.Ticket, JoinResult{Code: core.ErrMemberIDRequired, MemberID: id})
}

// newID is a fresh member id: a prefix that people recognise and a random UUID (version 4).
func (g *Group) newID(prefix string) string {
	var u [16]byte
	g.env.Rand.Fill(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%s-%x-%x-%x-%x-%x", prefix, u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// admit makes a new member and lets it wait for the next generation.
func (g *Group) admit(now core.Now, r *JoinRequest, id string) {
	m := &member{
		g: g, id: id, instance: r.InstanceID, clientID: r.ClientID, clientHost: r.ClientHost,
		sessionTimeoutMs: r.SessionTimeoutMs, rebalanceTimeoutMs: r.RebalanceTimeoutMs, protocols: r.Protocols, isNew: true,
	}
	if g.state == PreparingRebalance && g.previous == Empty {
		g.moreJoined = true
	}
	if g.members.Len() == 0 {
		g.protocolType = r.ProtocolType
	}
	g.insert(m)
	g.awaitJoin(m, r.Ticket)
	g.arm(now, m, m.patience())
	g.rebalanceOrComplete(now)
}

// joinKnown handles somebody who has a member id.
func (g *Group) joinKnown(now core.Now, r *JoinRequest) {
	if g.pending[r.MemberID] != nil {
		if r.InstanceID != nil {
			// Ids are given ahead to dynamic members only. Kafka throws, which clients see as this.
			g.reply(r.Ticket, JoinResult{Code: core.ErrUnknownServerError, MemberID: r.MemberID})
			return
		}
		g.admit(now, r, r.MemberID)
		return
	}
	m, code := g.identify(r.MemberID, r.InstanceID)
	if code != core.ErrNone {
		g.reply(r.Ticket, JoinResult{Code: code, MemberID: r.MemberID})
		return
	}
	switch g.state {
	case PreparingRebalance:
		g.update(m, r)
		g.rebalanceOrComplete(now)
	case CompletingRebalance:
		// The same metadata: the answer was lost, and the generation it belonged to is the current one.
		if m.matches(r.Protocols) {
			g.reply(r.Ticket, g.current(m))
			return
		}
		g.update(m, r)
		g.rebalanceOrComplete(now)
	case Stable:
		// A leader joins again when something changed that the members' metadata does not show: partitions were added to
		// a topic, say. A follower without news gets what it had.
		if m.id != g.leader && m.matches(r.Protocols) {
			g.reply(r.Ticket, g.current(m))
			return
		}
		g.update(m, r)
		g.rebalanceOrComplete(now)
	case Empty, Dead:
		g.reply(r.Ticket, JoinResult{Code: core.ErrUnknownMemberID, MemberID: r.MemberID})
	}
}

// identify finds a member by its id, and by its group.instance.id if it gives one: whoever has joined under an instance id
// last is the member, and all before are fenced (KIP-345).
func (g *Group) identify(memberID string, instance *string) (*member, core.ErrorCode) {
	if instance != nil {
		m := g.static[*instance]
		if m == nil {
			return nil, core.ErrUnknownMemberID
		}
		if m.id != memberID {
			return nil, core.ErrFencedInstanceID
		}
	}
	if m := g.members.At(memberID); m != nil {
		return m, core.ErrNone
	}
	return nil, core.ErrUnknownMemberID
}

// current is what a member of the current generation is told. Only the leader sees the others.
func (g *Group) current(m *member) JoinResult {
	protocolType := g.protocolType
	r := JoinResult{
		MemberID: m.id, Generation: g.generation, ProtocolType: &protocolType, Protocol: g.protocol, Leader: g.leader,
	}
	if m.id == g.leader {
		for _, other := range g.members.All() {
			r.Members = append(r.Members, JoinMember{ID: other.id, InstanceID: other.instance, Metadata: other.metadata(g.protocol)})
		}
	}
	return r
}

// joinStatic lets a process join under a group.instance.id: as a new member, or in the place of one that had the same, whose
// membership and assignment it inherits, and whose member id is fenced (KIP-345).
func (g *Group) joinStatic(now core.Now, r *JoinRequest) {
	id, old := g.newID(*r.InstanceID), g.static[*r.InstanceID]
	unnoticed := old != nil && g.fitsIn(old, r)
	// The log must know the new process before that knows itself: else another coordinator would know the old id, and fence the
	// new one for good (KAFKA-10284). So it is, too, where a rebalance follows: until that completes the log has the generation
	// before, and with it the id of whoever had the instance then, even if that has left since. Kafka writes only what nobody
	// else notices.
	if code := g.saveReplaced(now, r, id, unnoticed); code != core.ErrNone {
		g.reply(r.Ticket, g.refused(code))
		return
	}
	switch {
	case old == nil:
		g.admit(now, r, id)
	case unnoticed:
		g.replaceUnnoticed(now, r, old, id)
	default:
		g.replace(now, r, old, id)
	}
}

// fitsIn reports whether a process can go on with what the member that it replaces was assigned, so that nobody else need notice.
func (g *Group) fitsIn(old *member, r *JoinRequest) bool {
	if g.state != Stable {
		return false
	}
	chosen := g.selectProtocol(old, r.Protocols)
	return chosen != nil && g.protocol != nil && *chosen == *g.protocol && !g.mustRevoke(old) && !g.readsOthers(old, r.Protocols)
}

// replace puts a new process into the place of an old one, and has the group join again.
func (g *Group) replace(now core.Now, r *JoinRequest, old *member, id string) {
	m := g.swap(now, old, id)
	g.update(m, r)
	if g.state == PreparingRebalance {
		g.completeIfAllJoined(now)
		return
	}
	// While the rebalance completes, too: the leader may assign to the old id already, and the new one would get nothing.
	g.prepare(now)
}

// replaceUnnoticed puts a new process into the place of an old one in a Stable group that stays so.
func (g *Group) replaceUnnoticed(now core.Now, r *JoinRequest, old *member, id string) {
	leader := g.leader
	m := g.swap(now, old, id)
	g.count(m, -1)
	m.protocols, m.rebalanceTimeoutMs, m.sessionTimeoutMs = r.Protocols, r.RebalanceTimeoutMs, r.SessionTimeoutMs
	g.count(m, 1)
	g.arm(now, m, m.session())
	result := g.current(m)
	if r.SkipAssignment {
		result.SkipAssignment = m.id == g.leader // KIP-814: it leads, and knows the members, but need not assign
	} else {
		// An older leader must not think that it leads: it would assign, and send that to a Stable group. So it is shown
		// its predecessor as the leader (KAFKA-7728's answer).
		result.Leader, result.Members = leader, nil
	}
	g.reply(r.Ticket, result)
}

// refused is the answer to a static member whose joining the log has not taken: all is as before.
func (g *Group) refused(code core.ErrorCode) JoinResult {
	protocolType := g.protocolType
	return JoinResult{
		Code: coord.AppendError(code), Generation: g.generation, ProtocolType: &protocolType, Protocol: g.protocol, Leader: g.leader,
	}
}

// swap puts a new member into the place of an old one, with its assignment.
func (g *Group) swap(now core.Now, old *member, id string) *member {
	g.answerJoin(old, JoinResult{Code: core.ErrFencedInstanceID, MemberID: old.id})
	g.answerSync(old, SyncResult{Code: core.ErrFencedInstanceID})
	m := *old
	m.id = id
	m.armed = false
	g.disarm(old)
	g.members.Delete(old.id)
	g.members.Set(id, &m)
	g.static[*m.instance] = &m
	if g.leader == old.id {
		g.leader = id
	}
	g.arm(now, &m, m.patience())
	return &m
}

// saveReplaced writes the log's generation anew, with another member id for an instance. The rest of the member changes only
// where it goes on in that generation; else it will be seen, when it comes back, that its metadata is not what was assigned to.
func (g *Group) saveReplaced(now core.Now, r *JoinRequest, id string, goesOn bool) core.ErrorCode {
	if g.hard == nil {
		return core.ErrNone
	}
	v := *g.hard
	v.Members = slices.Clone(v.Members)
	i := slices.IndexFunc(v.Members, func(m records.Member) bool { return m.InstanceID != nil && *m.InstanceID == *r.InstanceID })
	if i < 0 {
		return core.ErrNone
	}
	m := &v.Members[i]
	if v.Leader != nil && *v.Leader == m.ID {
		v.Leader = &id
	}
	m.ID = id
	if goesOn {
		next := member{protocols: r.Protocols}
		m.Subscription, m.SessionTimeoutMs, m.RebalanceTimeoutMs = next.metadata(g.protocol), r.SessionTimeoutMs, r.RebalanceTimeoutMs
	}
	slices.SortFunc(v.Members, func(a, b records.Member) int { return strings.Compare(a.ID, b.ID) })
	return g.save(now, &v)
}
