package assignors_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// member, topic and group are one line of the golden file, as core/assignor's test reads it too.
type (
	member struct {
		ID         string             `json:"id"`
		Instance   string             `json:"instance,omitempty"`
		Rack       string             `json:"rack,omitempty"`
		Topics     []string           `json:"topics"`
		Owned      map[string][]int32 `json:"owned,omitempty"`
		Generation int32              `json:"generation"`
	}
	topic struct {
		Name       string     `json:"name"`
		Partitions int32      `json:"partitions"`
		Racks      [][]string `json:"racks,omitempty"`
	}
	group struct {
		Name    string   `json:"name"`
		Members []member `json:"members"`
		Topics  []topic  `json:"topics"`
	}
)

// letters are names that Java's hash maps iterate in ascending order, up to 24 of them.
func letters(from byte, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = string(rune(from) + rune(i))
	}
	return list
}

// draw makes a group.
func draw(r *rand.Rand, n int) group {
	g := group{Name: fmt.Sprintf("drawn-%d", n)}
	racks := []string{"r1", "r2", "r3", "r4"}[:1+r.IntN(4)]
	rackAware := r.IntN(3) == 0
	sizes := []int32{1 + r.Int32N(12), 1 + r.Int32N(12)}
	names := letters('a', 1+r.IntN(6))
	for _, name := range names {
		t := topic{Name: name, Partitions: sizes[r.IntN(2)]}
		if rackAware && r.IntN(8) > 0 {
			first, replicas := r.IntN(len(racks)), 1+r.IntN(min(len(racks), 2))
			for p := range int(t.Partitions) {
				var list []string
				for k := range replicas {
					list = append(list, racks[(first+p+k)%len(racks)])
				}
				t.Racks = append(t.Racks, list)
			}
		}
		g.Topics = append(g.Topics, t)
	}
	count := 1 + r.IntN(10)
	if r.IntN(8) == 0 {
		count = 13 + r.IntN(11)
	}
	subscribed := subset(r, names)
	kinds := r.IntN(3) // 0: all subscribe to the same
	for _, id := range letters('A', count) {
		m := member{ID: id, Topics: slices.Clone(subscribed), Generation: -1}
		if kinds > 0 {
			m.Topics = subset(r, names)
		}
		if rackAware && r.IntN(5) > 0 {
			m.Rack = racks[r.IntN(len(racks))]
		}
		if r.IntN(6) == 0 {
			m.Instance = fmt.Sprintf("i%02d", r.IntN(90))
		}
		if r.IntN(40) == 0 {
			m.Topics = append(m.Topics, "ghost")
		}
		g.Members = append(g.Members, m)
	}
	for i := range g.Members { // instance ids must be unique
		if g.Members[i].Instance != "" {
			g.Members[i].Instance += g.Members[i].ID
		}
	}
	g.own(r)
	return g
}

// subset is some of the names, at least one.
func subset(r *rand.Rand, names []string) []string {
	var list []string
	for _, name := range names {
		if r.IntN(3) > 0 {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		list = append(list, names[r.IntN(len(names))])
	}
	return list
}

// own invents a past: what the members had before.
func (g *group) own(r *rand.Rand) {
	style := r.IntN(5)
	if style == 0 {
		return // everybody is new
	}
	old := g.Members[:1+r.IntN(len(g.Members))] // the others are new
	give := func(m *member, t string, p int32) {
		if m.Owned == nil {
			m.Owned = make(map[string][]int32)
		}
		m.Owned[t] = append(m.Owned[t], p)
	}
	turn := r.IntN(len(old))
	for _, t := range g.Topics {
		for p := range t.Partitions {
			if r.IntN(10) == 0 {
				continue
			}
			turn = (turn + 1) % len(old)
			if style == 2 {
				turn = r.IntN(len(old)) // lopsided
			}
			wants := slices.Contains(old[turn].Topics, t.Name)
			if wants || style == 3 && r.IntN(4) == 0 {
				give(&old[turn], t.Name, p)
			}
			if style == 4 && r.IntN(6) == 0 { // claimed by another, too
				if other := r.IntN(len(old)); other != turn {
					give(&old[other], t.Name, p)
				}
			}
		}
	}
	for i := range old {
		old[i].Generation = 5
		if style >= 3 && r.IntN(3) == 0 {
			old[i].Generation = 3 + r.Int32N(3)
		}
	}
}

// documented are the groups of the Javadoc of Kafka's assignors and of the KIPs.
func documented() []group {
	two := []topic{{Name: "t0", Partitions: 3}, {Name: "t1", Partitions: 3}}
	return []group{
		{Name: "RangeAssignor, RoundRobinAssignor: C0 and C1, two topics", Topics: two, Members: []member{
			{ID: "C0", Topics: []string{"t0", "t1"}, Generation: -1}, {ID: "C1", Topics: []string{"t0", "t1"}, Generation: -1},
		}},
		{Name: "RangeAssignor: static members keep their ranges under other member ids", Topics: two, Members: []member{
			{ID: "C3", Instance: "I0", Topics: []string{"t0", "t1"}, Generation: -1},
			{ID: "C2", Instance: "I1", Topics: []string{"t0", "t1"}, Generation: -1},
		}},
		{
			Name:   "RoundRobinAssignor: different subscriptions",
			Topics: []topic{{Name: "t0", Partitions: 1}, {Name: "t1", Partitions: 2}, {Name: "t2", Partitions: 3}},
			Members: []member{
				{ID: "C0", Topics: []string{"t0"}, Generation: -1},
				{ID: "C1", Topics: []string{"t0", "t1"}, Generation: -1},
				{ID: "C2", Topics: []string{"t0", "t1", "t2"}, Generation: -1},
			},
		},
		{Name: "RoundRobinAssignor: static members under other member ids", Topics: two, Members: []member{
			{ID: "C5", Instance: "I1", Topics: []string{"t0", "t1"}, Generation: -1},
			{ID: "C3", Instance: "I2", Topics: []string{"t0", "t1"}, Generation: -1},
			{ID: "C4", Instance: "I3", Topics: []string{"t0", "t1"}, Generation: -1},
		}},
		{
			Name: "StickyAssignor: C1 of three has left",
			Topics: []topic{
				{Name: "t0", Partitions: 2}, {Name: "t1", Partitions: 2}, {Name: "t2", Partitions: 2}, {Name: "t3", Partitions: 2},
			},
			Members: []member{
				{ID: "C0", Topics: []string{"t0", "t1", "t2", "t3"}, Owned: map[string][]int32{"t0": {0}, "t1": {1}, "t3": {0}}, Generation: 1},
				{ID: "C2", Topics: []string{"t0", "t1", "t2", "t3"}, Owned: map[string][]int32{"t1": {0}, "t2": {1}}, Generation: 1},
			},
		},
		{
			Name:   "StickyAssignor: C0 of three has left, different subscriptions",
			Topics: []topic{{Name: "t0", Partitions: 1}, {Name: "t1", Partitions: 2}, {Name: "t2", Partitions: 3}},
			Members: []member{
				{ID: "C1", Topics: []string{"t0", "t1"}, Owned: map[string][]int32{"t1": {0, 1}}, Generation: 1},
				{ID: "C2", Topics: []string{"t0", "t1", "t2"}, Owned: map[string][]int32{"t2": {0, 1, 2}}, Generation: 1},
			},
		},
	}
}
