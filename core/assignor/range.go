package assignor

import "slices"

// rangeTopic is one topic while its ranges are handed out.
type rangeTopic struct {
	from, to  int32   // its partitions
	consumers []int32 // its subscribers in the order of byInstance
	assigned  []int32 // of each of consumers: how many partitions it has
	least     int32   // partitions that each consumer gets
	extra     int32   // consumers that may still get one more
	rackAware bool
}

// mayTake is how many partitions the i-th consumer can still get.
func (t *rangeTopic) mayTake(i int) int32 {
	limit := t.least
	if t.extra > 0 {
		limit++
	}
	return max(limit-t.assigned[i], 0)
}

// took notes that the i-th consumer got n more.
func (t *rangeTopic) took(i int, n int32) {
	t.assigned[i] += n
	if t.assigned[i] > t.least {
		t.extra--
	}
}

// assignRange gives each topic's partitions out in contiguous ranges: the first partitions%consumers of them get one
// more. Topics with equally many partitions and the same subscribers are co-partitioned by that: whoever has partition
// 3 of one has it of all, which joins rely on. KIP-881: where racks matter, partitions go to matching consumers first,
// co-partitioned topics together, within the same quotas; what is left is dealt out as without racks.
func (g *group) assignRange() []int32 {
	owner := g.nobodys()
	racks := g.newRacks()
	states := g.rangeTopics(&racks)
	if slices.ContainsFunc(states, func(t *rangeTopic) bool { return t.rackAware }) {
		for _, peers := range copartitioned(states) {
			switch {
			case len(peers) > 1:
				matchTogether(owner, peers, &racks)
			case peers[0].rackAware:
				peers[0].ranges(owner, &racks)
			}
		}
	}
	for _, t := range states {
		t.ranges(owner, nil)
	}
	return owner
}

// rangeTopics prepares the topics.
func (g *group) rangeTopics(r *racks) []*rangeTopic {
	order := g.byInstance()
	states := make([]*rangeTopic, len(g.topics))
	for t := range g.topics {
		s := &rangeTopic{from: g.first[t], to: g.first[t+1]}
		for _, m := range order {
			if g.subscribes(m, int32(t)) {
				s.consumers = append(s.consumers, m)
			}
		}
		n := int32(len(s.consumers))
		s.assigned = make([]int32, n)
		s.least, s.extra = (s.to-s.from)/n, (s.to-s.from)%n
		s.rackAware = r.worthwhile(s.consumers, s.from, s.to)
		states[t] = s
	}
	return states
}

// ranges gives each consumer in turn as many of the first unassigned partitions as it may take, of those that match its
// rack, or of all if racks is nil.
func (t *rangeTopic) ranges(owner []int32, r *racks) {
	start := t.from
	for i, m := range t.consumers {
		for start < t.to && owner[start] != nobody {
			start++
		}
		left, n := t.mayTake(i), int32(0)
		for p := start; p < t.to && n < left; p++ {
			if owner[p] == nobody && (r == nil || r.matches(m, p)) {
				owner[p] = m
				n++
			}
		}
		if n > 0 {
			t.took(i, n)
		}
	}
}

// copartitioned gathers the topics with the same subscribers and equally many partitions.
func copartitioned(states []*rangeTopic) [][]*rangeTopic {
	var sets [][]*rangeTopic
next:
	for _, t := range states {
		for i, peers := range sets {
			if peers[0].to-peers[0].from == t.to-t.from && slices.Equal(peers[0].consumers, t.consumers) {
				sets[i] = append(peers, t)
				continue next
			}
		}
		sets = append(sets, []*rangeTopic{t})
	}
	return sets
}

// matchTogether gives partition i of all the topics to the first consumer whose rack matches each of them and that may
// take one of each.
func matchTogether(owner []int32, peers []*rangeTopic, r *racks) {
	if !slices.ContainsFunc(peers[0].consumers, func(m int32) bool { return r.ofMember[m] != noRack }) {
		return
	}
	remaining := make([]int, len(peers[0].consumers))
	for i := range remaining {
		remaining[i] = i
	}
	for at := int32(0); at < peers[0].to-peers[0].from && len(remaining) > 0; at++ {
		found := slices.IndexFunc(remaining, func(i int) bool {
			return !slices.ContainsFunc(peers, func(t *rangeTopic) bool {
				return t.mayTake(i) == 0 || !r.matches(t.consumers[i], t.from+at)
			})
		})
		if found < 0 {
			continue
		}
		i := remaining[found]
		more := false
		for _, t := range peers {
			owner[t.from+at] = t.consumers[i]
			t.took(i, 1)
			more = more || t.mayTake(i) > 0
		}
		if !more {
			remaining = slices.Delete(remaining, found, found+1)
		}
	}
}
