package assignor

import (
	"cmp"
	"slices"
)

// constrained assigns to members with equal subscriptions. Each gets least partitions, and the first so many one more:
// (1) members keep what they own up to their quota; (2) where racks matter, free partitions go to members in their
// racks; (3) the rest is dealt out in turn.
type constrained struct {
	g       *group
	claims  *claims
	racks   *racks
	owner   []int32
	sizes   []int32
	giver   []int32 // of each partition: who owned it and could not keep it, or nobody
	least   int32   // every member gets at least this
	most    int32   // and at most this: least, or least+1
	over    int32   // members that have got most
	maxOver int32   // members that may get it; zero if most == least
	under   []int32 // members with fewer than least partitions
	exact   []int32 // members with exactly least partitions that may get one more
}

func (g *group) newConstrained(c *claims, r *racks) *constrained {
	n, members := g.partitions(), int32(len(g.members))
	return &constrained{
		g: g, claims: c, racks: r, owner: g.nobodys(), giver: g.nobodys(), sizes: make([]int32, members),
		least: n / members, most: (n + members - 1) / members, maxOver: n % members,
	}
}

func (b *constrained) assign() []int32 {
	b.keepOwned()
	slices.Sort(b.under)
	slices.Sort(b.exact)
	free := b.free()
	if b.racks.ofPartition != nil {
		free = b.fillRacks(free)
	}
	b.fill(free)
	return b.owner
}

// keepOwned lets the members keep what they own up to their quota, the lowest partitions of each topic first. Members
// that own most or more may keep most as long as there are such places; who comes first gets them.
func (b *constrained) keepOwned() {
	owned := make([][]int32, len(b.g.members))
	for p, m := range b.claims.owner {
		if m == nobody {
			continue
		}
		if !b.racks.matches(m, int32(p)) {
			b.giver[p] = m // KIP-881: better assigned to somebody in its rack
			continue
		}
		if !b.claims.contested[p] {
			owned[m] = append(owned[m], int32(p))
		}
	}
	for m, list := range owned {
		// By index first, so that what is cut off at the quota is spread over all topics.
		slices.SortStableFunc(list, func(x, y int32) int {
			return cmp.Compare(x-b.g.first[b.g.topicOf[x]], y-b.g.first[b.g.topicOf[y]])
		})
		b.keep(int32(m), list)
	}
}

// keep settles what one member keeps of its list.
func (b *constrained) keep(m int32, list []int32) {
	n := int32(len(list))
	quota := b.least
	switch {
	case n < b.least:
		quota = n
		b.under = append(b.under, m)
	case n >= b.most && b.over < b.maxOver:
		quota = b.most
		b.over++
		if b.over == b.maxOver {
			b.exact = b.exact[:0]
		}
	case b.over < b.maxOver:
		b.exact = append(b.exact, m)
	}
	for _, p := range list[:quota] {
		b.owner[p] = m
	}
	for _, p := range list[quota:] {
		b.giver[p] = m
	}
	b.sizes[m] = quota
}

// free lists the partitions without owner, where racks are known those first that have the fewest members in their
// racks: they are the hardest to place.
func (b *constrained) free() []int32 {
	var free []int32
	for p, m := range b.owner {
		if m == nobody {
			free = append(free, int32(p))
		}
	}
	if b.racks.ofPartition == nil {
		return free
	}
	inRack := make([]int32, b.racks.count)
	for _, rack := range b.racks.ofMember {
		if rack != noRack {
			inRack[rack]++
		}
	}
	takers := func(p int32) (n int32) {
		for _, rack := range b.racks.ofPartition[p] {
			n += inRack[rack]
		}
		return n
	}
	slices.SortStableFunc(free, func(x, y int32) int { return cmp.Compare(takers(x), takers(y)) })
	return free
}

// inRack finds in list, from place start on and around, the first member in a rack of the partition, or -1.
func (b *constrained) inRack(p int32, list []int32, start int) int {
	for i := range list {
		at := (start + i) % len(list)
		if rack := b.racks.ofMember[list[at]]; rack != noRack && b.racks.has(p, rack) {
			return at
		}
	}
	return -1
}

// fillRacks gives free partitions in turn to members in their racks that are below their quota, and returns the rest.
func (b *constrained) fillRacks(free []int32) []int32 {
	rest := free[:0]
	next := 0
	for _, p := range free {
		if at := b.inRack(p, b.under, next); at >= 0 {
			m := b.under[at]
			b.give(p, m)
			if b.sizes[m] >= b.least {
				b.under = slices.Delete(b.under, at, at+1)
				if b.sizes[m] < b.most && b.over < b.maxOver {
					b.exact = append(b.exact, m)
				}
			} else {
				at++
			}
			next = 0
			if len(b.under) > 0 {
				next = at % len(b.under)
			}
			continue
		}
		at := b.inRack(p, b.exact, 0)
		if at < 0 {
			rest = append(rest, p)
			continue
		}
		m := b.exact[at]
		b.give(p, m)
		if b.sizes[m] == b.most {
			b.exact = slices.Delete(b.exact, at, at+1)
			b.over++
			if b.over == b.maxOver {
				b.exact = b.exact[:0]
			}
		}
	}
	return rest
}

// fill deals the free partitions out: in turn to members below least, then one each to those that may get one more.
func (b *constrained) fill(free []int32) {
	next := 0
	for _, p := range free {
		if len(b.under) == 0 {
			m := b.exact[0]
			b.exact = b.exact[1:]
			b.give(p, m)
			continue
		}
		if next >= len(b.under) {
			next = 0
		}
		m := b.under[next]
		b.give(p, m)
		if b.sizes[m] < b.least {
			next++
			continue
		}
		b.under = slices.Delete(b.under, next, next+1)
		b.exact = append(b.exact, m)
	}
}

func (b *constrained) give(p, m int32) {
	b.owner[p] = m
	b.sizes[m]++
}
