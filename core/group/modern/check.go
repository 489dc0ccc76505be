package modern

import "github.com/klamm-log/klamm/core/invariant"

// Check asserts the invariants that the package comment lists, of a group that is served.
func (g *Group) Check() {
	invariant.Check(g.targetEpoch <= g.epoch, "group %q assigned for epoch %d, and is in %d", g.id, g.targetEpoch, g.epoch)
	holders := 0
	for id, m := range g.members.All() {
		invariant.Check(m.ID == id && m.Epoch <= g.targetEpoch, "group %q: member %q (%q) is in epoch %d of %d", g.id, m.ID, id, m.Epoch, g.targetEpoch)
		for _, list := range [][]Held{m.Assigned, m.Revoking} {
			for _, h := range list {
				holders++
				// G-ONE-OWNER, as the coordinator sees it.
				invariant.Check(g.holder[h.Partition] == id, "group %q: %v is held by %q and %q", g.id, h.Partition, id, g.holder[h.Partition])
			}
		}
		invariant.Check((m.State == Unrevoked) == (len(m.Revoking) > 0), "group %q: member %q is %s with %d partitions to revoke",
			g.id, id, m.State, len(m.Revoking))
		t := g.timers[id]
		invariant.Check(t != nil && t.session.armed, "group %q: nobody would notice if member %q died", g.id, id)
		invariant.Check(m.Classic != nil || t.rebalance.armed == (m.State == Unrevoked), "group %q: member %q is %s, its time is limited: %v",
			g.id, id, m.State, t.rebalance.armed)
		if m.InstanceID != nil {
			invariant.Check(g.static[*m.InstanceID] == id, "group %q: instance %q belongs to %q and %q", g.id, *m.InstanceID, id, g.static[*m.InstanceID])
		}
	}
	invariant.Check(holders == len(g.holder), "group %q: %d partitions are held, %d are known to be", g.id, holders, len(g.holder))
	invariant.Check(len(g.timers) == g.members.Len(), "group %q has %d members and the timers of %d", g.id, g.members.Len(), len(g.timers))
	given := make(map[Partition]string)
	for id, target := range g.targets.All() {
		invariant.Check(g.members.Has(id), "group %q: %q has a target and is no member", g.id, id)
		for _, p := range target {
			invariant.Check(given[p] == "", "group %q: %v is in the targets of %q and %q", g.id, p, given[p], id)
			given[p] = id
		}
	}
}
