package modern

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/klamm-log/klamm/core/coord"
)

// ClassicJoin is a JoinGroup of a consumer that speaks the classic protocol, in a group that others are in by the new one.
type ClassicJoin struct {
	MemberID           string // empty for a new member
	InstanceID         *string
	ClientID           string
	ClientHost         string
	SessionTimeoutMs   int32
	RebalanceTimeoutMs int32
	ProtocolType       string
	Protocols          []ClassicProtocol
	RequireMemberID    bool // a new dynamic member is told its id first (KIP-394)
}

// ClassicJoined answers it: the member epoch is the generation, nobody leads, and SyncGroup brings the assignment.
type ClassicJoined struct {
	Code       core.ErrorCode
	MemberID   string
	Generation int32
	Protocol   string
}

// JoinClassic handles a JoinGroup. To the group the member is one like the others: its JoinGroup is a heartbeat that says what it
// wants and what it has, and it is asked to join again when its next step is due.
func (g *Group) JoinClassic(now core.Now, r *ClassicJoin) ClassicJoined {
	refuse := func(code core.ErrorCode) ClassicJoined {
		return ClassicJoined{Code: code, MemberID: r.MemberID, Generation: -1}
	}
	if !g.hasRoom(r.MemberID, r.InstanceID) {
		return refuse(core.ErrGroupMaxSizeReached)
	}
	if r.ProtocolType != protocol.Type || !g.supportsClassic(r) {
		return refuse(core.ErrInconsistentGroupProtocol)
	}
	wish, _, err := protocol.ParseSubscription(r.Protocols[0].Metadata)
	if err != nil {
		return refuse(core.ErrInconsistentGroupProtocol)
	}
	id := r.MemberID
	if id != "" && !g.members.Has(id) && len(wish.Owned) > 0 {
		// It was a member, was removed, and has not heard of it: what it says it has may be another's by now. Kafka makes it a
		// member again, which goes on with those partitions until it has given them up.
		return refuse(core.ErrUnknownMemberID)
	}
	if id == "" {
		if id = g.newID(); r.RequireMemberID {
			return ClassicJoined{Code: core.ErrMemberIDRequired, MemberID: id, Generation: -1}
		}
	}
	m, code := g.admitClassic(now, r, id)
	if code != core.ErrNone {
		return refuse(code)
	}
	says := HeartbeatRequest{Owned: g.named(wish.Owned), OwnedSet: true}
	moved, code := g.advance(now, m, updatedClassic(m, r, id, &wish), &says, true)
	if code != core.ErrNone {
		return refuse(coord.AppendError(code))
	}
	g.heard(now, id)
	g.expectClassic(now, moved, true) // SyncGroup
	return ClassicJoined{MemberID: id, Generation: moved.Epoch, Protocol: r.Protocols[0].Name}
}

// supportsClassic reports whether some protocol of a member is one of all the other classic members.
func (g *Group) supportsClassic(r *ClassicJoin) bool {
	return slices.ContainsFunc(r.Protocols, func(p ClassicProtocol) bool {
		for id, m := range g.members.All() {
			if id != r.MemberID && m.Classic != nil &&
				!slices.ContainsFunc(m.Classic.Protocols, func(q ClassicProtocol) bool { return q.Name == p.Name }) {
				return false
			}
		}
		return true
	})
}

// admitClassic finds the member that a JoinGroup speaks for, nil for a new one. A static member without a member id has
// started anew: it takes the place of the one before it at once, as in a classic group (KIP-345).
func (g *Group) admitClassic(now core.Now, r *ClassicJoin, id string) (*Member, core.ErrorCode) {
	if r.InstanceID == nil {
		return g.members.At(id), core.ErrNone
	}
	holder, known := g.static[*r.InstanceID]
	switch {
	case !known && r.MemberID != "":
		return nil, core.ErrUnknownMemberID
	case !known:
		return nil, core.ErrNone
	case r.MemberID != "" && holder != id:
		return nil, core.ErrFencedInstanceID
	case r.MemberID == "" || g.members.At(holder).Epoch == LeaveStaticEpoch:
		if code := g.replace(now, g.members.At(holder), id); code != core.ErrNone {
			return nil, coord.AppendError(code)
		}
	}
	return g.members.At(id), core.ErrNone
}

// updatedClassic is a member with what a JoinGroup tells of it.
func updatedClassic(m *Member, r *ClassicJoin, id string, wish *protocol.Subscription) *Member {
	next := Member{ID: id}
	if m != nil {
		next = *m
	}
	if r.InstanceID != nil {
		next.InstanceID = r.InstanceID
	}
	if wish.Rack != "" {
		next.RackID = &wish.Rack
	}
	next.Topics = slices.Clone(wish.Topics)
	slices.Sort(next.Topics)
	next.Topics, next.Regex, next.ServerAssignor = slices.Compact(next.Topics), "", nil
	next.ClientID, next.ClientHost, next.RebalanceTimeoutMs = r.ClientID, r.ClientHost, r.RebalanceTimeoutMs
	next.Classic = &ClassicMember{SessionTimeoutMs: r.SessionTimeoutMs, Protocols: r.Protocols}
	return &next
}

// named are the partitions of topics that exist, ascending.
func (g *Group) named(list []core.TopicPartition) []Partition {
	var out []Partition
	for _, tp := range list {
		if id, partitions, exists := g.env.Topics.Topic(tp.Topic); exists && tp.Partition >= 0 && tp.Partition < partitions {
			out = append(out, Partition{Topic: id, Index: tp.Partition})
		}
	}
	slices.SortFunc(out, Partition.Compare)
	return slices.Compact(out)
}

// expectClassic limits the time that a classic member has for its next SyncGroup or JoinGroup. With anew it begins now, else
// it runs on if it is running.
func (g *Group) expectClassic(now core.Now, m *Member, anew bool) {
	if t := &g.timersOf(m.ID).rebalance; anew || !t.armed {
		t.arm(now.Mono.Add(core.Millis(int64(max(m.RebalanceTimeoutMs, 0)))))
	}
}

// classicMember finds the classic member that a request speaks for.
func (g *Group) classicMember(id string, instance *string) (*Member, core.ErrorCode) {
	if instance != nil {
		holder, known := g.static[*instance]
		switch {
		case !known:
			return nil, core.ErrUnknownMemberID
		case holder != id:
			return nil, core.ErrFencedInstanceID
		}
	}
	if m := g.members.At(id); m != nil && m.Classic != nil {
		return m, core.ErrNone
	}
	return nil, core.ErrUnknownMemberID
}

// SyncClassic handles a SyncGroup: the member's assignment, in the version of its subscription.
func (g *Group) SyncClassic(now core.Now, id string, instance *string, generation int32, typ, name *string) ([]byte, core.ErrorCode) {
	m, code := g.classicMember(id, instance)
	switch {
	case code != core.ErrNone:
		return nil, code
	case generation != m.Epoch:
		return nil, core.ErrIllegalGeneration
	case typ != nil && *typ != protocol.Type || name != nil && *name != m.Classic.Protocols[0].Name:
		return nil, core.ErrInconsistentGroupProtocol
	case g.epoch > m.Epoch && m.State != Unrevoked:
		// One that is to give something up has joined already, and joins again by itself when it has done so.
		g.expectClassic(now, m, false)
		return nil, core.ErrRebalanceInProgress
	}
	g.timersOf(id).rebalance.cancel()
	g.heard(now, id)
	return g.assignmentOf(m), core.ErrNone
}

// assignmentOf is what a classic member has, in the version of its subscription.
func (g *Group) assignmentOf(m *Member) []byte {
	a := protocol.Assignment{}
	for _, h := range m.Assigned {
		if topic, exists := g.env.Topics.Name(h.Topic); exists {
			a.Partitions = append(a.Partitions, core.TopicPartition{Topic: topic, Partition: h.Index})
		}
	}
	_, version, _ := protocol.ParseSubscription(m.Classic.Protocols[0].Metadata) // it could be read when the member joined
	return a.AppendTo(nil, min(version, protocol.Newest))
}

// HeartbeatClassic handles a Heartbeat: REBALANCE_IN_PROGRESS asks the member to join again, because the group has moved on, it
// has something to give up, or what it waits for is free.
func (g *Group) HeartbeatClassic(now core.Now, id string, instance *string, generation int32) core.ErrorCode {
	m, code := g.classicMember(id, instance)
	switch {
	case code != core.ErrNone:
		return code
	case generation != m.Epoch:
		return core.ErrIllegalGeneration
	}
	g.heard(now, id)
	if code := g.refresh(now); code != core.ErrNone {
		return coord.AppendError(code)
	}
	if m.Epoch < g.epoch || m.State == Unrevoked || m.State == Unreleased && !g.waits(m) {
		g.expectClassic(now, m, false)
		return core.ErrRebalanceInProgress
	}
	return core.ErrNone
}

// refresh raises the group epoch if topics have changed: classic members say nothing by which they could move on until they
// are asked to join again.
func (g *Group) refresh(now core.Now) core.ErrorCode {
	version := g.env.Topics.Version()
	if g.looked && g.seen == version {
		return core.ErrNone
	}
	b := batch{g: g}
	v := view{g: g}
	raise := b.resolveAll(&v, now.Wall, true)
	if hash := hashTopics(g.env.Topics, v.subscribed()); raise || hash != g.hash {
		b.put(KindGroup, "", epochValue{epoch: g.epoch + 1, tagged: hash}.appendTo(nil))
	}
	code := g.env.Log.Propose(now, b.recs)
	if code == core.ErrNone {
		g.seen, g.looked = version, true
	}
	return code
}

// waits reports whether something of a member's target is still with another.
func (g *Group) waits(m *Member) bool {
	return slices.ContainsFunc(g.targets.At(m.ID), func(p Partition) bool { return !m.holds(p) && g.isHeld(p) })
}

// LeaveClassic handles one leaver of a LeaveGroup. Administrators send it, too, for members of either protocol (KAFKA-18188), and name
// a static member without its member id.
func (g *Group) LeaveClassic(now core.Now, id string, instance *string) core.ErrorCode {
	if instance != nil {
		holder, known := g.static[*instance]
		switch {
		case !known:
			return core.ErrUnknownMemberID
		case id != "" && holder != id:
			return core.ErrFencedInstanceID
		}
		id = holder
	}
	if !g.members.Has(id) {
		return core.ErrUnknownMemberID
	}
	if code := g.remove(now, id); code != core.ErrNone {
		return coord.AppendError(code)
	}
	return core.ErrNone
}
