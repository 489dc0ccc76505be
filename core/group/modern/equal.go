package modern

import (
	"bytes"
	"slices"

	"github.com/klamm-log/klamm/core/group/records"
	"github.com/klamm-log/klamm/core/ordmap"
)

func equalMaps[V any](a, b *ordmap.Map[string, V], equal func(V, V) bool) bool {
	if a.Len() != b.Len() {
		return false
	}
	for k, v := range a.All() {
		if w, has := b.Get(k); !has || !equal(v, w) {
			return false
		}
	}
	return true
}

func equalPartitions(a, b []Partition) bool { return slices.Equal(a, b) }

func equalResolved(a, b *Resolved) bool {
	return a.Version == b.Version && a.At == b.At && slices.Equal(a.Topics, b.Topics)
}

func equalMembers(a, b *Member) bool { return sameMetadata(a, b) && samePlace(a, b) }

// sameMetadata compares what the members have told of themselves.
func sameMetadata(a, b *Member) bool {
	return a.ID == b.ID && equalPtr(a.InstanceID, b.InstanceID) && equalPtr(a.RackID, b.RackID) && a.ClientID == b.ClientID &&
		a.ClientHost == b.ClientHost && slices.Equal(a.Topics, b.Topics) && a.Regex == b.Regex &&
		a.RebalanceTimeoutMs == b.RebalanceTimeoutMs && equalPtr(a.ServerAssignor, b.ServerAssignor) &&
		equalClassic(a.Classic, b.Classic)
}

// samePlace compares how far the members are.
func samePlace(a, b *Member) bool {
	return a.Epoch == b.Epoch && a.PreviousEpoch == b.PreviousEpoch && a.State == b.State &&
		slices.Equal(a.Assigned, b.Assigned) && slices.Equal(a.Revoking, b.Revoking)
}

func equalPtr(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

func equalClassic(a, b *ClassicMember) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.SessionTimeoutMs == b.SessionTimeoutMs && slices.EqualFunc(a.Protocols, b.Protocols, func(x, y ClassicProtocol) bool {
		return x.Name == y.Name && bytes.Equal(x.Metadata, y.Metadata)
	})
}

// AppendState appends the hard state in a canonical form: the records that make it, in order.
func (g *Group) AppendState(dst []byte) []byte {
	put := func(kind Kind, name string, value []byte) {
		dst = records.AppendBytes(dst, Key{Kind: kind, Group: g.id, Name: name}.AppendTo(nil))
		dst = records.AppendBytes(dst, value)
	}
	if g.Shell() {
		return dst
	}
	put(KindGroup, "", epochValue{g.epoch, g.hash}.appendTo(nil))
	put(KindTarget, "", epochValue{g.targetEpoch, int64(g.targetTime)}.appendTo(nil))
	for id, m := range g.members.All() {
		put(KindMember, id, appendMember(nil, m))
		put(KindCurrentOf, id, appendCurrent(nil, m))
	}
	for id, target := range g.targets.All() {
		put(KindTargetOf, id, appendTarget(nil, target))
	}
	for expression, v := range g.regexes.All() {
		put(KindRegex, expression, v.appendTo(nil))
	}
	return dst
}
