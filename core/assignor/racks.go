package assignor

import "slices"

// noRack is the rack of a member that has not told one.
const noRack int32 = -1

// racks is what rack-aware assignment knows of a group (KIP-881).
type racks struct {
	ofMember    []int32   // noRack if unknown
	ofPartition [][]int32 // racks of its replicas, ascending; nil if no member has a rack
	count       int32     // distinct racks
}

// newRacks numbers the racks of members and replicas.
func (g *group) newRacks() racks {
	r := racks{ofMember: make([]int32, len(g.members))}
	numbers := make(map[string]int32)
	number := func(name string) int32 {
		n, known := numbers[name]
		if !known {
			n = int32(len(numbers))
			numbers[name] = n
		}
		return n
	}
	for m := range g.members {
		r.ofMember[m] = noRack
		if name := g.members[m].Rack; name != "" {
			r.ofMember[m] = number(name)
		}
	}
	if len(numbers) == 0 {
		return r
	}
	r.ofPartition = make([][]int32, g.partitions())
	for p := range r.ofPartition {
		t := g.topicOf[p]
		at := int32(p) - g.first[t]
		if int(at) >= len(g.topics[t].Racks) {
			continue
		}
		var list []int32
		for _, name := range g.topics[t].Racks[at] {
			if name != "" {
				list = append(list, number(name))
			}
		}
		slices.Sort(list)
		r.ofPartition[p] = slices.Compact(list)
	}
	r.count = int32(len(numbers))
	return r
}

// matches reports whether a replica of the partition stands in the member's rack. A member without a rack matches
// everything: there is nothing to be gained for it.
func (r *racks) matches(member, p int32) bool {
	rack := r.ofMember[member]
	return rack == noRack || r.has(p, rack)
}

func (r *racks) has(p, rack int32) bool {
	return r.ofPartition != nil && slices.Contains(r.ofPartition[p], rack)
}

// worthwhile reports whether racks can make a difference for these members and the partitions [from, to). They cannot
// if no member stands in a rack that has replicas, or if every partition has replicas in all the racks.
func (r *racks) worthwhile(members []int32, from, to int32) bool {
	if r.ofPartition == nil {
		return false
	}
	inUse := make([]bool, r.count)
	for p := from; p < to; p++ {
		for _, rack := range r.ofPartition[p] {
			inUse[rack] = true
		}
	}
	met, all := false, 0
	for _, m := range members {
		met = met || r.ofMember[m] != noRack && inUse[r.ofMember[m]]
	}
	for _, used := range inUse {
		if used {
			all++
		}
	}
	if !met {
		return false
	}
	for p := from; p < to; p++ {
		if len(r.ofPartition[p]) != all {
			return true
		}
	}
	return false
}
