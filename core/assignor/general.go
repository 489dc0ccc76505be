package assignor

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/core/invariant"
)

// general assigns to members with different subscriptions: (1) members keep what they own and still want; (2) each free
// partition goes to the subscriber with the fewest, where racks matter first to those in its racks; (3) partitions move
// from members with more to members with at least two fewer, until none can.
//
// Kafka asks before each partition of (3) whether the whole group is balanced, which costs members x partitions each
// time. Every move that its loop can make presupposes that it is not, so the question only ends the loop early, and the
// moves without it are the same.
type general struct {
	g       *group
	claims  *claims
	racks   *racks
	owner   []int32
	sizes   []int32
	revoked bool // somebody lost a partition that it owned: it does not want the topic any more, or is in no rack of it
	// before is the member that had a partition in an older generation: it should rather get it back than anybody else.
	before map[int32]int32
	moves  movements
	order  []int32 // partitions, topics with the fewest subscribers first
}

func (g *group) newGeneral(c *claims, r *racks) *general {
	b := &general{g: g, claims: c, racks: r, owner: g.nobodys(), before: make(map[int32]int32)}
	b.moves.init()
	topics := make([]int32, len(g.topics))
	for t := range topics {
		topics[t] = int32(t)
	}
	slices.SortStableFunc(topics, func(x, y int32) int { return cmp.Compare(len(g.subs[x]), len(g.subs[y])) })
	for _, t := range topics {
		for p := g.first[t]; p < g.first[t+1]; p++ {
			b.order = append(b.order, p)
		}
	}
	return b
}

func (b *general) assign() []int32 {
	b.remember()
	b.keepOwned()
	b.sizes = b.g.sizes(b.owner)
	initializing := slices.Max(b.sizes) == 0
	free := b.free()
	rest := free
	if b.racks.ofPartition != nil {
		rest = b.giveOut(free, b.racks)
	}
	b.giveOut(rest, nil)

	movable := func(list []int32) []int32 {
		return slices.DeleteFunc(slices.Clone(list), func(p int32) bool { return len(b.g.subs[b.g.topicOf[p]]) < 2 })
	}
	kept, score := slices.Clone(b.owner), b.imbalance()
	if !b.revoked {
		b.balance(movable(free)) // new partitions can be moved without anybody noticing
	}
	// Moving what members have must improve the balance of the whole group, or it is undone.
	if moved := b.balance(movable(b.order)); moved && !initializing && b.imbalance() >= score {
		b.owner = kept
	}
	return b.owner
}

// remember notes of each partition who had it in the latest of the older generations.
func (b *general) remember() {
	generation := make(map[int32]int32)
	for m := range b.g.members {
		its := b.g.members[m].Generation
		if its >= b.claims.highest {
			continue
		}
		for _, tp := range b.g.members[m].Owned {
			p, exists := b.g.find(tp)
			// Kafka does not look at the subscription here, and may give the partition back to a member that has left
			// its topic.
			if !exists || !b.g.subscribes(int32(m), b.g.topicOf[p]) {
				continue
			}
			if at, known := generation[p]; !known || its > at {
				generation[p], b.before[p] = its, int32(m)
			}
		}
	}
}

// keepOwned lets members keep what they own, want, and reach in their rack.
func (b *general) keepOwned() {
	for p, m := range b.claims.owner {
		if m == nobody {
			continue
		}
		if b.g.subscribes(m, b.g.topicOf[p]) && b.racks.matches(m, int32(p)) {
			b.owner[p] = m
		} else {
			b.revoked = true
		}
	}
}

func (b *general) free() []int32 {
	var free []int32
	for _, p := range b.order {
		if b.owner[p] == nobody {
			free = append(free, p)
		}
	}
	return free
}

// least finds the subscriber of p's topic with the fewest partitions, of those the first; where r is not nil, of those
// that match the partition's racks. It returns nobody if there is none.
func (b *general) least(p int32, r *racks) int32 {
	found := nobody
	for _, m := range b.g.subs[b.g.topicOf[p]] {
		if (found == nobody || b.sizes[m] < b.sizes[found]) && (r == nil || r.matches(m, p)) {
			found = m
		}
	}
	return found
}

// giveOut gives partitions to whoever has the fewest, and returns those that nobody could get.
func (b *general) giveOut(list []int32, r *racks) []int32 {
	var rest []int32
	for _, p := range list {
		m := b.least(p, r)
		if m == nobody {
			rest = append(rest, p)
			continue
		}
		b.owner[p] = m
		b.sizes[m]++
	}
	return rest
}

// balance moves partitions of the list until none can move for the better, and reports whether any did. KIP-881 does not
// look at racks here: balance goes before locality.
func (b *general) balance(list []int32) (moved bool) {
	// Every plain move lowers the sum of the squares of sizes. A move that reverses an earlier one need not: it may put
	// the load on a member that is not the one to be relieved. After so many rounds only plain ones are made.
	const reversing = 64
	for round := 0; ; round++ {
		modified := false
		for _, p := range list {
			from := b.owner[p]
			to, had := b.before[p]
			if !had || b.sizes[from] <= b.sizes[to]+1 {
				to = b.least(p, nil)
			}
			if b.sizes[from] <= b.sizes[to]+1 {
				continue
			}
			if round < reversing {
				p = b.moves.instead(b, p, from, to)
			}
			b.move(p, to)
			modified = true
		}
		if !modified {
			return moved
		}
		moved = true
	}
}

// move gives a partition to another member.
func (b *general) move(p, to int32) {
	from := b.owner[p]
	invariant.Check(b.g.subscribes(to, b.g.topicOf[p]), "sticky: partition %d goes to member %d that does not subscribe", p, to)
	b.moves.note(b.g.topicOf[p], p, from, to)
	b.sizes[from]--
	b.sizes[to]++
	b.owner[p] = to
}

// imbalance is the sum of the differences between all pairs of members, without those that share no topic with anybody:
// they have all they want and nothing to give.
func (b *general) imbalance() (score int64) {
	var sorted []int32
	for m, topics := range b.g.topicsOf {
		if slices.ContainsFunc(topics, func(t int32) bool { return len(b.g.subs[t]) > 1 }) {
			sorted = append(sorted, b.sizes[m])
		}
	}
	slices.Sort(sorted)
	below := int64(0) // the sum of those before
	for i, size := range sorted {
		score += int64(i)*int64(size) - below
		below += int64(size)
	}
	return score
}

// movement is a way that partitions of a topic took.
type movement struct{ topic, from, to int32 }

// movements remembers what has moved, so that two members do not swap partitions of a topic: if one of them must give a
// partition of the topic to the other, it gives back one that came from there.
type movements struct {
	of   map[int32]movement
	took map[movement][]int32 // ascending
}

func (s *movements) init() {
	s.of = make(map[int32]movement)
	s.took = make(map[movement][]int32)
}

// instead is the partition to move in the place of p, which is to go from one member to another: one that came the
// other way, or p itself. Kafka takes any, this the first.
func (s *movements) instead(b *general, p, from, to int32) int32 {
	if earlier, moved := s.of[p]; moved {
		from = earlier.from
	}
	if back := s.took[movement{b.g.topicOf[p], to, from}]; len(back) > 0 {
		return back[0]
	}
	return p
}

// note records a move. A partition that moved before counts as having gone straight from its first owner, and one that
// is back there as not having moved.
func (s *movements) note(topic, p, from, to int32) {
	if earlier, moved := s.of[p]; moved {
		at, _ := slices.BinarySearch(s.took[earlier], p)
		s.took[earlier] = slices.Delete(s.took[earlier], at, at+1)
		delete(s.of, p)
		if from = earlier.from; from == to {
			return
		}
	}
	way := movement{topic, from, to}
	s.of[p] = way
	at, _ := slices.BinarySearch(s.took[way], p)
	s.took[way] = slices.Insert(s.took[way], at, p)
}
