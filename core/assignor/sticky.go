package assignor

// claims is what the members say they own, freed of contradictions.
type claims struct {
	owner []int32 // of each partition: whose claim stands, or nobody
	// contested partitions were claimed by several members in one generation: nobody can be believed, and a cooperative
	// round must make sure that all of them have let go (KAFKA-12984).
	contested []bool
	highest   int32 // the highest generation of any member
}

// newClaims hears the members in ascending order. Of two claims to a partition the one of the later generation stands:
// the other member missed a rebalance (KAFKA-13406, KIP-792). Claims of older generations stand while nobody contradicts.
func (g *group) newClaims() claims {
	c := claims{owner: g.nobodys(), contested: make([]bool, g.partitions()), highest: NoGeneration}
	claimed := g.nobodys() // who was the last to claim it with success, even if nobody holds it now
	for m := range g.members {
		member := int32(m)
		generation := g.members[m].Generation
		c.highest = max(c.highest, generation)
		for _, tp := range g.members[m].Owned {
			p, exists := g.find(tp)
			if !exists {
				continue
			}
			other := claimed[p]
			switch {
			case other == nobody || generation > g.members[other].Generation:
				c.owner[p], claimed[p] = member, member
			case generation == g.members[other].Generation:
				c.contested[p] = true
				c.owner[p], claimed[p] = nobody, member
			}
		}
	}
	return c
}

// assignSticky balances the group and moves as little as it can (KIP-54). With equal subscriptions the quotas are
// known beforehand and one pass suffices (KAFKA-9987); otherwise partitions move one by one while that helps.
func (g *group) assignSticky() []int32 {
	c, r := g.newClaims(), g.stickyRacks()
	if g.equal {
		return g.newConstrained(&c, &r).assign()
	}
	return g.newGeneral(&c, &r).assign()
}

// stickyRacks knows no racks where they could not make a difference.
func (g *group) stickyRacks() racks {
	r := g.newRacks()
	all := make([]int32, len(g.members))
	for i := range all {
		all[i] = int32(i)
	}
	if !r.worthwhile(all, 0, g.partitions()) {
		r = racks{ofMember: r.ofMember}
		for m := range r.ofMember {
			r.ofMember[m] = noRack
		}
	}
	return r
}

// assignCooperative is assignSticky without the partitions that another member still has to give up: those get their
// new owner in the rebalance that follows when the old one has revoked them (KIP-429).
func (g *group) assignCooperative() []int32 {
	c, r := g.newClaims(), g.stickyRacks()
	if g.equal {
		b := g.newConstrained(&c, &r)
		owner := b.assign()
		for p := range owner {
			if was := b.giver[p]; c.contested[p] || was != nobody && was != owner[p] {
				owner[p] = nobody
			}
		}
		return owner
	}
	owner := g.newGeneral(&c, &r).assign()
	g.withhold(owner)
	return owner
}

// withhold takes from each member what it did not have and another member says it has. Here every claim counts, old
// ones too: the claimant may be alive and reading.
func (g *group) withhold(owner []int32) {
	type claim struct{ p, m int32 }
	had := make(map[claim]bool)
	revoked := make([]bool, len(owner))
	for m := range g.members {
		for _, tp := range g.members[m].Owned {
			if p, exists := g.find(tp); exists {
				had[claim{p, int32(m)}] = true
				revoked[p] = revoked[p] || owner[p] != int32(m)
			}
		}
	}
	for p, m := range owner {
		if revoked[p] && !had[claim{int32(p), m}] {
			owner[p] = nobody
		}
	}
}
