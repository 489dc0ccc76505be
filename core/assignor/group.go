package assignor

import (
	"cmp"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
)

// nobody is the owner of a partition that is not assigned.
const nobody int32 = -1

// group is the input in numbers: members ascending by id, topics ascending by name, partitions ascending by (topic,
// index), each counted from zero. Every assignor works on these and yields an owner per partition.
type group struct {
	members []Member // ascending by ID
	place   []int32  // of each member: its place in the caller's list
	topics  []Topic  // ascending by name: those that have partitions and subscribers
	first   []int32  // of each topic: its first partition; one more entry ends the last topic
	topicOf []int32  // of each partition
	subs    [][]int32
	// topicsOf lists of each member the topics it subscribes to, ascending: the inverse of subs.
	topicsOf [][]int32
	subbed   []bool // [member*len(topics)+topic]
	equal    bool   // all members name the same topics, whether they exist or not
	byTopic  map[string]int32
}

// newGroup numbers the input.
func newGroup(members []Member, topics []Topic) *group {
	g := &group{place: make([]int32, len(members))}
	for i := range g.place {
		g.place[i] = int32(i)
	}
	slices.SortFunc(g.place, func(a, b int32) int { return strings.Compare(members[a].ID, members[b].ID) })
	names := make([][]string, len(members))
	for i, at := range g.place {
		g.members = append(g.members, members[at])
		names[i] = distinct(members[at].Topics)
	}
	g.equal = true
	for _, list := range names {
		g.equal = g.equal && slices.Equal(list, names[0])
	}
	g.number(names, topics)
	g.subscribe(names)
	return g
}

// distinct returns the names sorted, each once.
func distinct(names []string) []string {
	if slices.IsSorted(names) {
		return slices.Compact(slices.Clone(names))
	}
	list := slices.Clone(names)
	slices.Sort(list)
	return slices.Compact(list)
}

// number keeps the topics that have partitions and somebody who wants them, and counts their partitions through.
func (g *group) number(names [][]string, topics []Topic) {
	wanted := make(map[string]bool)
	for i, list := range names {
		if i > 0 && g.equal {
			break
		}
		for _, name := range list {
			wanted[name] = true
		}
	}
	for _, t := range topics {
		if t.Partitions > 0 && wanted[t.Name] {
			g.topics = append(g.topics, t)
		}
	}
	slices.SortFunc(g.topics, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	g.byTopic = make(map[string]int32, len(g.topics))
	for i, t := range g.topics {
		g.byTopic[t.Name] = int32(i)
		g.first = append(g.first, int32(len(g.topicOf)))
		for range t.Partitions {
			g.topicOf = append(g.topicOf, int32(i))
		}
	}
	g.first = append(g.first, int32(len(g.topicOf)))
}

// subscribe fills in who may get what.
func (g *group) subscribe(names [][]string) {
	g.subs = make([][]int32, len(g.topics))
	g.topicsOf = make([][]int32, len(g.members))
	g.subbed = make([]bool, len(g.members)*len(g.topics))
	for m, list := range names {
		for _, name := range list {
			if t, known := g.byTopic[name]; known {
				g.subs[t] = append(g.subs[t], int32(m))
				g.topicsOf[m] = append(g.topicsOf[m], t)
				g.subbed[m*len(g.topics)+int(t)] = true
			}
		}
	}
}

// partitions is the number of partitions that are to be assigned.
func (g *group) partitions() int32 { return int32(len(g.topicOf)) }

// subscribes reports whether a member wants a topic.
func (g *group) subscribes(member, topic int32) bool {
	return g.subbed[int(member)*len(g.topics)+int(topic)]
}

// number of a partition by name; ok is false if the topic is not to be assigned or has no such partition. A topic that
// was deleted and created with fewer partitions leaves members with partitions that are no more; Kafka's constrained
// sticky assignor counts those and so hands out others twice.
func (g *group) find(tp core.TopicPartition) (p int32, ok bool) {
	t, known := g.byTopic[tp.Topic]
	if !known || tp.Partition < 0 || tp.Partition >= g.topics[t].Partitions {
		return 0, false
	}
	return g.first[t] + tp.Partition, true
}

// name of a partition by number.
func (g *group) name(p int32) core.TopicPartition {
	t := g.topicOf[p]
	return core.TopicPartition{Topic: g.topics[t].Name, Partition: p - g.first[t]}
}

// nobodys returns an owner list in which nothing is assigned.
func (g *group) nobodys() []int32 {
	owner := make([]int32, g.partitions())
	for p := range owner {
		owner[p] = nobody
	}
	return owner
}

// sizes counts each member's partitions.
func (g *group) sizes(owner []int32) []int32 {
	sizes := make([]int32, len(g.members))
	for _, m := range owner {
		if m != nobody {
			sizes[m]++
		}
	}
	return sizes
}

// byInstance lists all members in the order of range and round-robin: static ones by instance id, then dynamic ones by
// member id. KIP-345: a static member gets a new member id with each restart, and would get another range.
func (g *group) byInstance() []int32 {
	order := make([]int32, len(g.members))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		x, y := g.members[a].InstanceID, g.members[b].InstanceID
		switch {
		case x != "" && y != "":
			return strings.Compare(x, y)
		case x != "":
			return -1
		case y != "":
			return 1
		}
		return cmp.Compare(a, b)
	})
	return order
}

// result turns owners into lists by name, in the caller's order of members.
func (g *group) result(owner []int32) [][]core.TopicPartition {
	sizes := g.sizes(owner)
	lists := make([][]core.TopicPartition, len(g.members))
	for m, size := range sizes {
		lists[g.place[m]] = make([]core.TopicPartition, 0, size)
	}
	for p, m := range owner {
		if m != nobody {
			at := g.place[m]
			lists[at] = append(lists[at], g.name(int32(p)))
		}
	}
	return lists
}
