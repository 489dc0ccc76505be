package assignor

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/core/invariant"
)

// assignUniform is the server's default assignor (KIP-848): balanced within what subscriptions permit, and sticky to
// the previous target assignment, which the members give as Owned. Generations and racks play no part.
func (g *group) assignUniform() []int32 {
	owner := g.nobodys()
	for m := range g.members {
		for _, tp := range g.members[m].Owned {
			// A target assignment gives a partition to one member; the first is believed if it does not.
			if p, exists := g.find(tp); exists && owner[p] == nobody && g.subscribes(int32(m), g.topicOf[p]) {
				owner[p] = int32(m)
			}
		}
	}
	if g.equal {
		g.uniformEqual(owner)
		return owner
	}
	u := &uniform{g: g, owner: owner, sizes: g.sizes(owner)}
	u.assignFree()
	u.balance()
	return owner
}

// uniformEqual assigns to members with equal subscriptions. Everybody keeps its lowest partitions up to its quota; then
// the free ones, and after them those that were taken away, fill the members up in ascending order. If the division
// leaves a rest, so many members get one more: those that have it already as long as there are such, so that it need not
// move; a member that would have to be given it gets it only if as few members are left as partitions.
func (g *group) uniformEqual(owner []int32) {
	n := int32(len(g.members))
	least, extra := g.partitions()/n, g.partitions()%n
	held := make([][]int32, n)
	var free []int32
	for p, m := range owner {
		if m == nobody {
			free = append(free, int32(p))
		} else {
			held[m] = append(held[m], int32(p))
		}
	}
	wants := make([]int32, n)
	for m := range n {
		quota := least
		if extra > 0 {
			quota++
		}
		kept := min(quota, int32(len(held[m])))
		if kept < quota && extra > 0 && n-m > extra {
			quota--
		}
		if quota > least {
			extra--
		}
		wants[m] = quota - kept
		free = append(free, held[m][kept:]...)
	}
	for m, want := range wants {
		for _, p := range free[:want] {
			owner[p] = int32(m)
		}
		free = free[want:]
	}
	invariant.Check(len(free) == 0, "uniform: %d partitions are left over", len(free))
}

// uniform assigns to members with different subscriptions.
type uniform struct {
	g     *group
	owner []int32
	sizes []int32
}

// topicOrder sorts topics so that the assignment is likely to be balanced from the start: those with the most
// partitions per subscriber first, then those with the fewest subscribers.
func (u *uniform) topicOrder() []int32 {
	order := make([]int32, len(u.g.topics))
	for t := range order {
		order[t] = int32(t)
	}
	slices.SortStableFunc(order, func(x, y int32) int {
		nx, ny := int64(len(u.g.subs[x])), int64(len(u.g.subs[y]))
		if c := cmp.Compare(int64(u.g.topics[y].Partitions)*nx, int64(u.g.topics[x].Partitions)*ny); c != 0 {
			return c
		}
		return cmp.Compare(nx, ny)
	})
	return order
}

// assignFree gives each topic's free partitions to its least loaded subscribers.
func (u *uniform) assignFree() {
	var s scale
	for _, t := range u.topicOrder() {
		fresh := true
		for p := u.g.first[t]; p < u.g.first[t+1]; p++ {
			if u.owner[p] != nobody {
				continue
			}
			if fresh {
				s.weigh(u, t)
				fresh = false
			}
			m := s.lightest(u.sizes)
			u.owner[p] = m
			u.sizes[m]++
		}
	}
}

// balance goes over the topics until none changes any more. Overlapping subscriptions can make that take long; Kafka
// stops after 16 rounds, assuming that each about halves what is left.
func (u *uniform) balance() {
	const maxRounds = 16
	order := slices.DeleteFunc(u.topicOrder(), func(t int32) bool { return len(u.g.subs[t]) < 2 })
	last := -1 // the place of the last topic that changed
	for range maxRounds {
		for i, t := range order {
			if i == last {
				return
			}
			if u.balanceTopic(t) > 0 || last < 0 {
				last = i
			}
		}
	}
}

// balanceTopic moves partitions of one topic from its most to its least loaded subscribers until they differ by one at
// most, or those with the most have none of this topic to give. It returns how many have moved.
func (u *uniform) balanceTopic(t int32) (moved int) {
	var s scale
	if s.weigh(u, t) <= 1 {
		return 0
	}
	holds := make(map[int32][]int32) // of each member: its partitions of this topic, ascending
	for p := u.g.first[t]; p < u.g.first[t+1]; p++ {
		holds[u.owner[p]] = append(holds[u.owner[p]], p)
	}
	for !s.level() {
		giver := s.heaviest(u.sizes)
		for giver != nobody && len(holds[giver]) == 0 {
			s.exclude()
			giver = s.heaviest(u.sizes)
		}
		if giver == nobody {
			break
		}
		its := holds[giver]
		p := its[len(its)-1]
		holds[giver] = its[:len(its)-1] // what a member is given here, it need not give away again
		taker := s.lightest(u.sizes)
		if s.level() {
			break
		}
		u.owner[p] = taker
		u.sizes[giver]--
		u.sizes[taker]++
		moved++
	}
	return moved
}

// scale holds subscribers of a topic sorted by load, and two ranges of them: the lightest from below, which takes one
// partition per member and then rises by one and widens, and the heaviest from above, which gives one per member and then
// falls by one and widens. Within a range all members had the same load when it was last widened.
//
//	         ^          [##<-   ]x     x: has nothing to give, excluded
//	load     |        ##[#######]x
//	         | [..-> ]##[#######]x
//	         | [#####]##[#######]x
//	         +--------------------> members
type scale struct {
	members   []int32
	lowEnd    int   // [0, lowEnd) is the light range
	lowLoad   int32 // its load before this pass over it
	lowNext   int
	highStart int // [highStart, highEnd) is the heavy range
	highEnd   int
	highLoad  int32 // its load before this pass over it
	highNext  int
}

// weigh prepares the subscribers of a topic and returns the difference between the most and the least loaded.
func (s *scale) weigh(u *uniform, t int32) int32 {
	s.members = append(s.members[:0], u.g.subs[t]...)
	slices.SortStableFunc(s.members, func(a, b int32) int { return cmp.Compare(u.sizes[a], u.sizes[b]) })
	n := len(s.members)
	low, high := u.sizes[s.members[0]], u.sizes[s.members[n-1]]
	s.lowEnd, s.lowLoad, s.lowNext = 0, low-1, 0
	s.highStart, s.highEnd, s.highLoad, s.highNext = n, n, high+1, n-1
	return high - low
}

// lightest is the member to get the next partition.
func (s *scale) lightest(sizes []int32) int32 {
	if s.lowNext >= s.lowEnd {
		s.lowLoad++
		for s.lowEnd < len(s.members) && sizes[s.members[s.lowEnd]] == s.lowLoad {
			s.lowEnd++
		}
		s.lowNext = 0
	}
	m := s.members[s.lowNext]
	s.lowNext++
	return m
}

// heaviest is the member to give the next partition, or nobody.
func (s *scale) heaviest(sizes []int32) int32 {
	if s.highNext < s.highStart {
		if s.highEnd <= s.highStart && s.highStart > 0 {
			// All of the range have been excluded: go on with those below, however far.
			s.highLoad = sizes[s.members[s.highStart-1]]
		} else {
			s.highLoad--
		}
		for s.highStart > 0 && sizes[s.members[s.highStart-1]] == s.highLoad {
			s.highStart--
		}
		s.highNext = s.highEnd - 1
	}
	if s.highNext < 0 {
		return nobody
	}
	m := s.members[s.highNext]
	s.highNext--
	return m
}

// exclude removes the member that heaviest returned last from the heavy range.
func (s *scale) exclude() {
	at := s.highNext + 1
	s.highEnd--
	s.members[at], s.members[s.highEnd] = s.members[s.highEnd], s.members[at]
}

// level reports whether the two ranges differ by one at most.
func (s *scale) level() bool { return s.highLoad-s.lowLoad <= 1 }
