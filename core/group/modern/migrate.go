package modern

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group/records"
	"github.com/klamm-log/klamm/core/ordmap"
)

// KIP-848, "Online Migration": a group can change its protocol while members are in it.

// Successor is the records of a consumer group without members that follows a classic group of a generation.
func Successor(id string, generation int32) []coord.Record {
	b := batch{g: &Group{id: id}}
	b.put(KindGroup, "", epochValue{epoch: generation}.appendTo(nil))
	return b.recs
}

// FromClassic is a Stable classic group as records of a consumer group: the generation becomes all epochs, and what the members
// were assigned both their target and what they have. What a member had when it joined, and nobody was assigned, it has still and is
// to give up: by a cooperative protocol that is given to others in a later generation (KIP-429). (Kafka takes it for free.) ok is false
// if that is not possible: somebody does not speak the consumers' protocol, or two members have one partition.
func FromClassic(topics Topics, id string, v *records.GroupValue) (recs []coord.Record, ok bool) {
	if v == nil || v.ProtocolType != protocol.Type || v.Protocol == nil || v.Generation < 1 {
		return nil, false
	}
	g := New(&Env{Topics: topics}, id)
	taken := make(map[Partition]bool)
	var members []*Member
	var wishes []protocol.Subscription
	for i := range v.Members {
		m, wish, valid := g.fromClassic(v, &v.Members[i], taken)
		if !valid {
			return nil, false
		}
		members, wishes = append(members, m), append(wishes, wish)
	}
	b := batch{g: g}
	for i, m := range members {
		b.put(KindTargetOf, m.ID, appendTarget(nil, partitionsOf(m.Assigned)))
		for _, p := range g.named(wishes[i].Owned) {
			if !taken[p] {
				taken[p] = true
				m.State, m.Revoking = Unrevoked, append(m.Revoking, Held{Partition: p, Since: v.Generation})
			}
		}
		b.put(KindMember, m.ID, appendMember(nil, m))
		b.put(KindCurrentOf, m.ID, appendCurrent(nil, m))
	}
	b.put(KindGroup, "", epochValue{epoch: v.Generation}.appendTo(nil)) // no hash: the first look will raise the epoch
	b.put(KindTarget, "", epochValue{epoch: v.Generation}.appendTo(nil))
	return b.recs, true
}

func partitionsOf(list []Held) (out []Partition) {
	for _, h := range list {
		out = append(out, h.Partition)
	}
	return out
}

func (g *Group) fromClassic(v *records.GroupValue, old *records.Member, taken map[Partition]bool) (*Member, protocol.Subscription, bool) {
	wish, _, err := protocol.ParseSubscription(old.Subscription)
	if err != nil {
		return nil, wish, false
	}
	has, _, err := protocol.ParseAssignment(old.Assignment)
	if err != nil {
		return nil, wish, false
	}
	r := ClassicJoin{
		InstanceID: old.InstanceID, ClientID: old.ClientID, ClientHost: old.ClientHost, SessionTimeoutMs: old.SessionTimeoutMs,
		RebalanceTimeoutMs: old.RebalanceTimeoutMs, Protocols: []ClassicProtocol{{Name: *v.Protocol, Metadata: old.Subscription}},
	}
	if r.RebalanceTimeoutMs < 0 {
		r.RebalanceTimeoutMs = old.SessionTimeoutMs // version 0 of the record had none
	}
	m := updatedClassic(nil, &r, old.ID, &wish)
	m.Epoch, m.PreviousEpoch = v.Generation, v.Generation
	for _, p := range g.named(has.Partitions) {
		if taken[p] {
			return nil, wish, false
		}
		taken[p] = true
		m.Assigned = append(m.Assigned, Held{Partition: p, Since: v.Generation})
	}
	return m, wish, true
}

// Downgrade makes a classic group of a group in which all speak the classic protocol, if group.consumer.migration.policy lets
// it; done says whether it did. Whoever has Env then finds its id in Downgraded.
func (g *Group) Downgrade(now core.Now) (done bool, code core.ErrorCode) { return g.downgrade(now, "") }

// downgrade also takes a member out; nobody for an empty id. The group epoch becomes the generation: members that have followed so far stay
// in it, and are asked to join the next one, which the record's lack of a leader demands of every coordinator that reads it.
// (Kafka names a leader. A coordinator that is new just then finds a Stable group, in which nobody has what the last
// member of the new protocol had.)
func (g *Group) downgrade(now core.Now, without string) (done bool, code core.ErrorCode) {
	v := g.toClassic(now.Wall, without)
	if v == nil {
		return false, core.ErrNone
	}
	var recs []coord.Record
	for _, key := range g.Tombstones(nil) {
		recs = append(recs, coord.Record{Key: key})
	}
	recs = append(recs, coord.Record{Key: records.GroupKey{Group: g.id}.AppendTo(nil), Value: v.AppendTo(nil)})
	switch code = g.env.Log.Propose(now, recs); code {
	case core.ErrNone:
	case core.ErrMessageTooLarge, core.ErrRecordListTooLarge:
		return false, core.ErrNone // one record does not hold them all: it stays what it is
	default:
		return false, code
	}
	for id := range g.timers { //det:unordered cancelling timers commutes
		g.forget(id)
	}
	g.env.Downgraded = append(g.env.Downgraded, g.id)
	return true, core.ErrNone
}

// toClassic is the group without a member as the generation of a classic group, nil if it cannot be one.
func (g *Group) toClassic(now core.Wall, without string) *records.GroupValue {
	cfg := &g.env.Config
	if !cfg.Downgrade {
		return nil
	}
	var rest []*Member
	for id, m := range g.members.All() {
		switch {
		case id == without:
		case m.Classic == nil:
			return nil
		default:
			rest = append(rest, m)
		}
	}
	name := commonProtocol(rest)
	if name == "" || int64(len(rest)) > int64(cfg.ClassicMaxSize) {
		return nil
	}
	v := &records.GroupValue{ProtocolType: protocol.Type, Generation: g.epoch, Protocol: &name, Since: now}
	for _, m := range rest {
		v.Members = append(v.Members, records.Member{
			ID: m.ID, InstanceID: m.InstanceID, ClientID: m.ClientID, ClientHost: m.ClientHost,
			RebalanceTimeoutMs: m.RebalanceTimeoutMs, SessionTimeoutMs: m.Classic.SessionTimeoutMs,
			Subscription: m.Classic.metadata(name), Assignment: g.assignmentOf(m),
		})
	}
	return v
}

// commonProtocol is the protocol that most of the members prefer of those that all of them support; empty if there is none.
func commonProtocol(members []*Member) string {
	votes := ordmap.Ordered[string, int]()
	for _, m := range members {
		for _, p := range m.Classic.Protocols {
			if !slices.ContainsFunc(members, func(m *Member) bool { return !m.Classic.supports(p.Name) }) {
				votes.Set(p.Name, votes.At(p.Name)+1)
				break
			}
		}
	}
	best := ""
	for name, n := range votes.All() {
		if n > votes.At(best) {
			best = name
		}
	}
	return best
}

func (c *ClassicMember) supports(name string) bool {
	return slices.ContainsFunc(c.Protocols, func(p ClassicProtocol) bool { return p.Name == name })
}

// metadata is what the member has to say for a protocol that it supports.
func (c *ClassicMember) metadata(name string) []byte {
	return c.Protocols[slices.IndexFunc(c.Protocols, func(p ClassicProtocol) bool { return p.Name == name })].Metadata
}
