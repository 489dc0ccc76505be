package classic

import (
	"bytes"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/deadline"
)

// member is one member of a group.
type member struct {
	g                  *Group
	id                 string
	instance           *string // nil: dynamic (KIP-345)
	clientID           string
	clientHost         string
	sessionTimeoutMs   int32
	rebalanceTimeoutMs int32
	protocols          []Protocol
	assignment         []byte

	// isNew: it has not been in a generation yet and cannot be expected to send heartbeats.
	isNew bool
	join  coord.Ticket // its JoinGroup that waits, 0 for none
	sync  coord.Ticket // its SyncGroup that waits, 0 for none
	// unsynced: it is in the generation and has not sent SyncGroup.
	unsynced bool

	timer deadline.Handle
	armed bool
}

// pendingMember has been told its id and is expected to join with it (KIP-394).
type pendingMember struct {
	g     *Group
	id    string
	timer deadline.Handle
}

func (m *member) session() core.Mono { return core.Millis(int64(m.sessionTimeoutMs)) }

// patience is how long nothing need be heard of the member.
func (m *member) patience() core.Mono {
	if m.isNew {
		return newMemberTimeout
	}
	return m.session()
}

func (m *member) supportsProtocol(name string) bool { return has(m.protocols, name) }

// metadata is what the member has to say for a protocol.
func (m *member) metadata(protocol *string) []byte {
	if protocol == nil {
		return nil
	}
	for i := range m.protocols {
		if m.protocols[i].Name == *protocol {
			return m.protocols[i].Metadata
		}
	}
	return nil
}

// matches reports whether the member's protocols are just these.
func (m *member) matches(protocols []Protocol) bool {
	return slices.EqualFunc(m.protocols, protocols, func(a, b Protocol) bool {
		return a.Name == b.Name && bytes.Equal(a.Metadata, b.Metadata)
	})
}

// insert makes m a member. The caller has seen to it that its protocols fit and its id and instance id are free.
func (g *Group) insert(m *member) {
	if m.instance != nil {
		g.static[*m.instance] = m
	}
	if g.leader == "" {
		g.leader = m.id
	}
	g.members.Set(m.id, m)
	g.count(m, 1)
	g.unpend(m.id)
}

// count adds a member's protocols to those that are supported, or takes them away.
func (g *Group) count(m *member, by int) {
	for i := range m.protocols {
		name := m.protocols[i].Name
		if has(m.protocols[:i], name) {
			continue // named twice, supported once
		}
		if g.supported[name] += by; g.supported[name] == 0 {
			delete(g.supported, name)
		}
	}
}

// remove ends a membership. What the member waited for is answered: nobody else will.
func (g *Group) remove(m *member) {
	g.answerJoin(m, JoinResult{Code: core.ErrUnknownMemberID})
	g.answerSync(m, SyncResult{Code: core.ErrUnknownMemberID})
	g.synced(m)
	g.disarm(m)
	g.members.Delete(m.id)
	g.count(m, -1)
	if m.instance != nil && g.static[*m.instance] == m {
		delete(g.static, *m.instance)
	}
	if g.leader == m.id {
		g.leader, _, _ = g.members.First()
	}
}

// unpend forgets a pending member.
func (g *Group) unpend(id string) {
	if p := g.pending[id]; p != nil {
		g.env.Timers.Cancel(p.timer)
		delete(g.pending, id)
	}
}

// update takes what a member's JoinGroup says, and lets it wait.
func (g *Group) update(m *member, r *JoinRequest) {
	g.count(m, -1)
	m.protocols, m.rebalanceTimeoutMs, m.sessionTimeoutMs = r.Protocols, r.RebalanceTimeoutMs, r.SessionTimeoutMs
	g.count(m, 1)
	g.awaitJoin(m, r.Ticket)
}

// awaitJoin lets a member's JoinGroup wait. One that waits already was sent on a connection that the client has given up.
func (g *Group) awaitJoin(m *member, t coord.Ticket) {
	g.answerJoin(m, JoinResult{Code: core.ErrRebalanceInProgress, MemberID: m.id})
	m.join = t
	g.joining++
}

// answerJoin answers a member's JoinGroup, if it waits.
func (g *Group) answerJoin(m *member, r JoinResult) {
	if m.join == 0 {
		return
	}
	g.reply(m.join, r)
	m.join = 0
	g.joining--
}

// answerSync answers a member's SyncGroup, if it waits.
func (g *Group) answerSync(m *member, r SyncResult) bool {
	if m.sync == 0 {
		return false
	}
	g.replySync(m.sync, r)
	m.sync = 0
	return true
}

// reply answers a JoinGroup. Errors carry no generation.
func (g *Group) reply(t coord.Ticket, r JoinResult) {
	if r.Code != core.ErrNone && r.Generation == 0 {
		r.Generation = -1
	}
	g.env.Answers = append(g.env.Answers, Answer{Ticket: t, Join: &r})
}

func (g *Group) replySync(t coord.Ticket, r SyncResult) {
	g.env.Answers = append(g.env.Answers, Answer{Ticket: t, Sync: &r})
}

// synced notes that a member need not be waited for in the sync phase; the last one ends it.
func (g *Group) synced(m *member) {
	if !m.unsynced {
		return
	}
	m.unsynced = false
	if g.unsynced--; g.unsynced == 0 {
		g.cancelSyncTimer()
	}
}

// arm begins a member's session anew.
func (g *Group) arm(now core.Now, m *member, after core.Mono) {
	g.disarm(m)
	m.timer, m.armed = g.env.Timers.Add(now.Mono.Add(after), m), true
}

func (g *Group) disarm(m *member) {
	g.env.Timers.Cancel(m.timer)
	m.armed = false
}

// Expire implements [coord.Timer]: the member has not been heard for its session timeout.
func (m *member) Expire(now core.Now) {
	g := m.g
	m.armed = false
	// Who waits for the others is alive as far as anybody can know, and gets a new session with the answer. A new
	// member has no session yet: for it this is the end of newMemberTimeout.
	if !m.isNew && (m.join != 0 || m.sync != 0) {
		return
	}
	g.remove(m)
	switch {
	case g.state == Stable || g.state == CompletingRebalance:
		g.rebalanceOrComplete(now)
	case g.state == PreparingRebalance && g.allJoined():
		g.completeJoin(now)
	}
}

// Expire implements [coord.Timer]: the client has not come back with the id that it was given.
func (p *pendingMember) Expire(now core.Now) {
	g := p.g
	delete(g.pending, p.id)
	if g.state == PreparingRebalance && g.allJoined() {
		g.completeJoin(now)
	}
	if g.Shell() {
		g.env.Idle = append(g.env.Idle, g)
	}
}
