package modern

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group/records"
)

// Check refuses a request that makes no sense whatever the group is. cfg names the assignors.
func (r *HeartbeatRequest) Check(cfg *Config) (core.ErrorCode, string) {
	empty := func(s *string) bool { return s != nil && *s == "" }
	switch {
	case empty(r.InstanceID):
		return core.ErrInvalidRequest, "InstanceId can't be empty."
	case empty(r.RackID):
		return core.ErrInvalidRequest, "RackId can't be empty."
	case r.MemberID == "" && r.MemberEpoch != JoinEpoch:
		return core.ErrInvalidRequest, "MemberId can't be empty."
	case r.MemberEpoch < LeaveStaticEpoch:
		return core.ErrInvalidRequest, "MemberEpoch is invalid."
	case r.MemberEpoch == LeaveStaticEpoch && r.InstanceID == nil:
		return core.ErrInvalidRequest, "InstanceId can't be null."
	case r.ServerAssignor != nil && !slices.Contains(cfg.Assignors, *r.ServerAssignor):
		return core.ErrUnsupportedAssignor, "ServerAssignor " + *r.ServerAssignor + " is not supported."
	case !r.recordable():
		return core.ErrInvalidRequest, "A string is too long."
	}
	if r.MemberEpoch == JoinEpoch {
		switch {
		case r.RebalanceTimeoutMs == -1:
			return core.ErrInvalidRequest, "RebalanceTimeoutMs must be provided in first request."
		case !r.OwnedSet || len(r.Owned) > 0:
			return core.ErrInvalidRequest, "TopicPartitions must be empty when (re-)joining."
		case !r.TopicsSet && r.Regex == nil:
			return core.ErrInvalidRequest, "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining."
		}
	}
	if r.Regex != nil && *r.Regex != "" {
		return checkRegex(*r.Regex)
	}
	return core.ErrNone, ""
}

// recordable reports whether the strings fit into records: those of keys have 15 bits of length, and Kafka reads none that is longer
// in a value either.
func (r *HeartbeatRequest) recordable() bool {
	fits := func(s *string) bool { return s == nil || len(*s) <= records.MaxString }
	return len(r.MemberID) <= records.MaxString && fits(r.InstanceID) && fits(r.RackID) && len(r.ClientID) <= records.MaxString &&
		!slices.ContainsFunc(r.Topics, func(topic string) bool { return len(topic) > records.MaxString })
}

// Heartbeat handles a ConsumerGroupHeartbeat that has passed [HeartbeatRequest.Check].
func (g *Group) Heartbeat(now core.Now, r *HeartbeatRequest) HeartbeatResult {
	if r.MemberEpoch < 0 {
		return g.leave(now, r)
	}
	join := r.MemberEpoch == JoinEpoch
	id := r.MemberID
	if !g.hasRoom(id, r.InstanceID) {
		return refuse(core.ErrGroupMaxSizeReached, "The consumer group has reached its maximum capacity.")
	}
	if id == "" {
		id = g.newID()
	}
	m, fresh, refusal := g.admit(now, r, id, join)
	if refusal != nil {
		return *refusal
	}
	// A first heartbeat of a member that is known may be its very first one, executed long after the connection that brought it
	// has died. It must not move the member: its empty list of partitions need not mean that the member has given up what
	// it was asked to, and what it is answered need not reach the member, which would never hear of partitions that it got by
	// it. Whoever really joins again is answered what it has, and moves on by its next heartbeat, under the epoch that this one
	// answers. Kafka moves it, and can give partitions to others on which the member still works.
	// A member at epoch 0 is not meant by that: it has taken a place, the log has lost what was to follow, and nobody was answered.
	updated, code := g.advance(now, m, g.updated(m, r, id), r, !join || fresh || m.Epoch == JoinEpoch)
	if code != core.ErrNone {
		return refuse(coord.AppendError(code), "")
	}
	g.heard(now, id)
	g.limit(now, updated)
	result := HeartbeatResult{MemberID: id, MemberEpoch: updated.Epoch}
	// A full request comes from a member that does not know what it has been told: it joins, or had an error.
	full := join || r.RebalanceTimeoutMs != -1 && (r.TopicsSet || r.Regex != nil) && r.OwnedSet
	if full || m == nil || !samePartitions(m.Assigned, updated.Assigned) {
		result.AssignmentSet = true
		for _, h := range updated.Assigned {
			result.Assignment = append(result.Assignment, h.Partition)
		}
	}
	return result
}

// hasRoom reports whether somebody can be in the group: there is room for one more, or it has its place already, by its member id or, as a
// static member that comes back with another, by its instance id. (Kafka sends that one away from a full group.)
func (g *Group) hasRoom(id string, instance *string) bool {
	if instance != nil {
		if _, known := g.static[*instance]; known {
			return true
		}
	}
	return g.members.Has(id) || int64(g.members.Len()) < int64(g.env.Config.MaxSize)
}

func refuse(code core.ErrorCode, message string) HeartbeatResult {
	return HeartbeatResult{Code: code, Message: message}
}

func samePartitions(a, b []Held) bool {
	return slices.EqualFunc(a, b, func(x, y Held) bool { return x.Partition == y.Partition })
}

// newID is a fresh member id, spelled as Kafka spells a UUID.
func (g *Group) newID() string {
	var u core.TopicID
	g.env.Rand.Fill(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u.String()
}

// admit finds the member that a heartbeat speaks for, nil for a new one, or refuses it. fresh says that the member certainly has
// no partitions: it is new, or has just taken the place of one that had left.
func (g *Group) admit(now core.Now, r *HeartbeatRequest, id string, join bool) (m *Member, fresh bool, refusal *HeartbeatResult) {
	no := func(code core.ErrorCode, message string) (*Member, bool, *HeartbeatResult) {
		x := refuse(code, message)
		return nil, false, &x
	}
	m = g.members.At(id)
	comesBack := func(gone *Member) (*Member, bool, *HeartbeatResult) {
		if code := g.replace(now, gone, id); code != core.ErrNone {
			return no(coord.AppendError(code), "")
		}
		return g.members.At(id), true, nil
	}
	if r.InstanceID != nil {
		holder, known := g.static[*r.InstanceID]
		switch {
		case !known && !join:
			return no(core.ErrUnknownMemberID, "Instance id "+*r.InstanceID+" is unknown.")
		case !known:
			return m, m == nil, nil
		case !join && holder != id:
			return no(core.ErrFencedInstanceID, "Static member "+id+" was fenced by member "+holder+".")
		case join && (g.members.At(holder).Epoch == LeaveStaticEpoch || holder != id && g.members.At(holder).Classic != nil):
			// A classic one does not say that it goes: as in a classic group, whoever comes after it takes its place (KIP-345).
			return comesBack(g.members.At(holder))
		case join && holder != id:
			// KIP-848: unlike the classic protocol a living instance is not thrown out; whoever came first stays.
			return no(core.ErrUnreleasedInstanceID, "Instance id "+*r.InstanceID+" is owned by member "+holder+".")
		}
		// The same member joins with its instance id: its first request again. Kafka says UNRELEASED_INSTANCE_ID, which is
		// fatal to the client whose answer was lost.
	}
	switch {
	case m == nil && !join:
		return no(core.ErrUnknownMemberID, "Member "+id+" is not a member of group "+g.id+".")
	case m != nil && join && m.Epoch == LeaveStaticEpoch:
		return comesBack(m)
	case m == nil || join:
		return m, m == nil, nil
	case r.MemberEpoch > m.Epoch:
		return no(core.ErrFencedMemberEpoch, "The member epoch is greater than the one known by the group coordinator.")
	case r.MemberEpoch < m.Epoch && (r.MemberEpoch != m.PreviousEpoch || !r.OwnedSet || !subset(r.Owned, m.Assigned)):
		// The previous epoch is accepted from a member that has nothing but what it was assigned: the answer that raised its
		// epoch was lost.
		return no(core.ErrFencedMemberEpoch, "The member epoch is smaller than the one known by the group coordinator.")
	}
	return m, false, nil
}

// replace gives the place of a static member that has left to its next incarnation, with all that it had (KIP-848). The batch is
// complete in itself: what the new one changes follows in another.
func (g *Group) replace(now core.Now, old *Member, id string) core.ErrorCode {
	next := *old
	next.ID, next.Epoch, next.PreviousEpoch = id, JoinEpoch, JoinEpoch
	b := batch{g: g}
	if old.ID != id {
		b.remove(old.ID)
		b.put(KindMember, id, appendMember(nil, &next))
		b.put(KindTargetOf, id, appendTarget(nil, g.targets.At(old.ID)))
	}
	b.put(KindCurrentOf, id, appendCurrent(nil, &next))
	code := g.env.Log.Propose(now, b.recs)
	if code == core.ErrNone && old.ID != id {
		g.forget(old.ID)
		g.heard(now, id)
		if next.Classic == nil {
			g.limit(now, &next)
		}
	}
	return code
}

// updated is a member with what a heartbeat tells of it.
func (g *Group) updated(m *Member, r *HeartbeatRequest, id string) *Member {
	next := Member{ID: id, RebalanceTimeoutMs: -1}
	if m != nil {
		next = *m
	}
	set := func(field **string, v *string) {
		if v != nil {
			*field = v
		}
	}
	set(&next.InstanceID, r.InstanceID)
	set(&next.RackID, r.RackID)
	set(&next.ServerAssignor, r.ServerAssignor)
	if r.RebalanceTimeoutMs != -1 {
		next.RebalanceTimeoutMs = r.RebalanceTimeoutMs
	}
	if r.TopicsSet {
		next.Topics = slices.Clone(r.Topics)
		slices.Sort(next.Topics)
		next.Topics = slices.Compact(next.Topics)
	}
	if r.Regex != nil {
		next.Regex = *r.Regex
	}
	next.ClientID, next.ClientHost, next.Classic = r.ClientID, r.ClientHost, nil
	return &next
}

// advance does everything that is due for a heartbeat of a member, old (nil if it is new) becoming next, in one batch: it writes
// the member, raises the group epoch, computes the target, and moves the member on if it may move. It returns the member as it is
// then.
func (g *Group) advance(now core.Now, old, next *Member, r *HeartbeatRequest, mayMove bool) (*Member, core.ErrorCode) {
	b := batch{g: g}
	v := view{g: g, updated: next}
	raise := old == nil
	if old == nil || !sameMetadata(old, next) {
		b.put(KindMember, next.ID, appendMember(nil, next))
		raise = raise || old.Regex != next.Regex || !slices.Equal(old.Topics, next.Topics)
	}
	version := g.env.Topics.Version()
	changed := !g.looked || g.seen != version
	if changed || raise {
		raise = b.resolveAll(&v, now.Wall, changed) || raise
	}
	hash := g.hash
	if changed || raise {
		hash = hashTopics(g.env.Topics, v.subscribed())
		raise = raise || hash != g.hash
	}
	epoch := g.epoch
	if raise {
		epoch++
		b.put(KindGroup, "", epochValue{epoch: epoch, tagged: hash}.appendTo(nil))
	}
	targetEpoch, target := g.targetEpoch, g.targets.At(next.ID)
	assigns := epoch > g.targetEpoch && g.mayAssign(now)
	if assigns {
		target = b.assign(&v, epoch, now.Wall, next.ID)
		targetEpoch = epoch
	}
	moved := next
	if mayMove {
		moved = next.reconcile(target, targetEpoch, g.isHeld, r.Owned, r.OwnedSet)
	}
	if moved != next {
		b.put(KindCurrentOf, next.ID, appendCurrent(nil, moved))
	}
	if code := g.env.Log.Propose(now, b.recs); code != core.ErrNone {
		return nil, code
	}
	g.seen, g.looked = version, true
	if assigns {
		g.assignedAt = now.Mono
	}
	return moved, core.ErrNone
}

// mayAssign reports whether a new target may be computed already. A thousand members that join one after the other would have a
// thousand targets computed, each for all of them; in a large group targets keep a distance that grows with what they cost, so
// that they take a tenth of the coordinator's time at most. Until then members follow the last one. (KIP-1263 has a fixed
// distance, group.consumer.assignment.interval.ms, that small groups wait for, too.)
func (g *Group) mayAssign(now core.Now) bool {
	const large, distance = 1000, 20 * core.Microsecond // members and partitions; per each of them
	cost := g.members.Len() + len(g.holder)
	return g.targetEpoch == 0 || cost < large || g.assignedAt == 0 || now.Mono-g.assignedAt >= core.Mono(cost)*distance
}

func (g *Group) isHeld(p Partition) bool {
	_, held := g.holder[p]
	return held
}

// leave handles a heartbeat of a member that goes.
func (g *Group) leave(now core.Now, r *HeartbeatRequest) HeartbeatResult {
	m := g.members.At(r.MemberID)
	if r.InstanceID != nil {
		holder, known := g.static[*r.InstanceID]
		switch {
		case !known:
			return refuse(core.ErrUnknownMemberID, "Instance id "+*r.InstanceID+" is unknown.")
		case holder != r.MemberID:
			return refuse(core.ErrFencedInstanceID, "Static member "+r.MemberID+" was fenced by member "+holder+".")
		}
	}
	if m == nil {
		return refuse(core.ErrUnknownMemberID, "Member "+r.MemberID+" is not a member of group "+g.id+".")
	}
	var code core.ErrorCode
	if r.MemberEpoch == LeaveStaticEpoch {
		code = g.pause(now, m)
	} else {
		code = g.remove(now, m.ID)
	}
	if code != core.ErrNone {
		return refuse(coord.AppendError(code), "")
	}
	return HeartbeatResult{MemberID: r.MemberID, MemberEpoch: r.MemberEpoch}
}

// pause lets a static member go that will be back within its session: its partitions wait for it, but for those that it was to
// give up anyway.
func (g *Group) pause(now core.Now, m *Member) core.ErrorCode {
	next := *m
	next.Epoch, next.Revoking = LeaveStaticEpoch, nil
	if next.State == Unrevoked {
		next.State = Stable
	}
	b := batch{g: g}
	b.put(KindCurrentOf, m.ID, appendCurrent(nil, &next))
	code := g.env.Log.Propose(now, b.recs)
	if code == core.ErrNone {
		g.limit(now, &next)
	}
	return code
}

// remove takes a member out of the group; its partitions are free. The others hear of it by their next heartbeats. If all of them speak
// the classic protocol the group becomes a classic one.
func (g *Group) remove(now core.Now, id string) core.ErrorCode {
	if !g.members.Has(id) {
		g.forget(id)
		return core.ErrNone
	}
	if done, code := g.downgrade(now, id); done || code != core.ErrNone {
		return code
	}
	b := batch{g: g}
	v := view{g: g, removed: id}
	b.remove(id)
	b.resolveAll(&v, now.Wall, false)
	b.put(KindGroup, "", epochValue{epoch: g.epoch + 1, tagged: hashTopics(g.env.Topics, v.subscribed())}.appendTo(nil))
	code := g.env.Log.Propose(now, b.recs)
	if code == core.ErrNone {
		g.forget(id)
	}
	return code
}
