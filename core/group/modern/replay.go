package modern

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
)

// Replay applies one record of the group; a nil value is a tombstone. The error is a value that cannot be read, and then
// nothing has changed.
func (g *Group) Replay(key Key, value []byte) error {
	invariant.Check(key.Group == g.id, "group %q replays a record of %q", g.id, key.Group)
	switch key.Kind {
	case KindGroup:
		return g.replayEpoch(value)
	case KindTopics:
		// Written by Kafka before 4.1 (KIP-1101). The hash that replaces it is missing then, and the first heartbeat will raise
		// the group epoch.
	case KindMember:
		return g.replayMember(key.Name, value)
	case KindTarget:
		v, err := parseOr(value, parseEpoch, epochValue{})
		if err == nil {
			g.targetEpoch, g.targetTime = v.epoch, core.Wall(v.tagged)
		}
		return err
	case KindTargetOf:
		list, err := parseOr(value, parseTarget, nil)
		if err == nil {
			setOrDelete(value != nil, g.targets.Set, g.targets.Delete, key.Name, list)
		}
		return err
	case KindCurrentOf:
		return g.replayCurrent(key.Name, value)
	case KindRegex:
		v, err := parseOr(value, parseResolved, nil)
		if err == nil {
			setOrDelete(value != nil, g.regexes.Set, g.regexes.Delete, key.Name, v)
		}
		return err
	}
	return nil
}

// parseOr parses a value, or returns none for a tombstone.
func parseOr[V any](value []byte, parse func([]byte) (V, error), none V) (V, error) {
	if value == nil {
		return none, nil
	}
	return parse(value)
}

func setOrDelete[V any](set bool, put func(string, V), remove func(string), name string, v V) {
	if set {
		put(name, v)
	} else {
		remove(name)
	}
}

func (g *Group) replayEpoch(value []byte) error {
	v, err := parseOr(value, parseEpoch, epochValue{})
	if err == nil {
		g.epoch, g.hash, g.written = v.epoch, v.tagged, value != nil
	}
	return err
}

// replayMember applies what a member says of itself. It says nothing of what the member holds.
func (g *Group) replayMember(id string, value []byte) error {
	old := g.members.At(id)
	m := Member{ID: id}
	if old != nil {
		m = *old
	}
	if value != nil {
		if err := parseMember(value, &m); err != nil {
			return err
		}
	}
	if old != nil && old.InstanceID != nil && g.static[*old.InstanceID] == id {
		delete(g.static, *old.InstanceID)
	}
	if value == nil {
		g.release(&m)
		g.members.Delete(id)
		return nil
	}
	g.members.Set(id, &m)
	if m.InstanceID != nil {
		g.static[*m.InstanceID] = id
	}
	return nil
}

// replayCurrent applies a member's progress. A tombstone takes everything away from it: the one of the member itself follows.
func (g *Group) replayCurrent(id string, value []byte) error {
	old := g.members.At(id)
	m := Member{ID: id}
	if old != nil {
		m = *old
	}
	if value == nil {
		if old == nil {
			return nil // compaction may leave tombstones of what is not there any more
		}
		m.Epoch, m.PreviousEpoch, m.State, m.Assigned, m.Revoking = LeaveEpoch, LeaveEpoch, Stable, nil, nil
	} else if err := parseCurrent(value, &m); err != nil {
		return err
	}
	if old != nil {
		g.release(old)
	}
	g.members.Set(id, &m)
	for _, list := range [][]Held{m.Assigned, m.Revoking} {
		for _, h := range list {
			g.holder[h.Partition] = id
		}
	}
	return nil
}

// release takes out of the index what a member holds. While a compacted log is loaded a partition can appear at its next holder
// before the record is read that takes it from the last one: the record that was read last says who holds it, and what another holds
// by now is not taken from it (KAFKA-19862 made Kafka as tolerant). That no two members hold it in the end is for [Group.Check].
func (g *Group) release(m *Member) {
	for _, list := range [][]Held{m.Assigned, m.Revoking} {
		for _, h := range list {
			if g.holder[h.Partition] == m.ID {
				delete(g.holder, h.Partition)
			}
		}
	}
}

// Equal reports whether two groups have the same hard state.
func (g *Group) Equal(other *Group) bool {
	if g.written != other.written || g.epoch != other.epoch || g.hash != other.hash || g.targetEpoch != other.targetEpoch ||
		g.targetTime != other.targetTime || len(g.holder) != len(other.holder) || len(g.static) != len(other.static) {
		return false
	}
	for p, id := range g.holder { //det:unordered all must hold
		if other.holder[p] != id {
			return false
		}
	}
	for instance, id := range g.static { //det:unordered all must hold
		if other.static[instance] != id {
			return false
		}
	}
	return equalMaps(g.members, other.members, equalMembers) && equalMaps(g.targets, other.targets, equalPartitions) &&
		equalMaps(g.regexes, other.regexes, equalResolved)
}
