package assignor

import (
	"fmt"
	"slices"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func all() []Assignor { return []Assignor{Range, RoundRobin, Sticky, CooperativeSticky, Uniform} }

func tps(topic string, partitions ...int32) []core.TopicPartition {
	list := []core.TopicPartition{}
	for _, p := range partitions {
		list = append(list, core.TopicPartition{Topic: topic, Partition: p})
	}
	return list
}

// The examples of the Javadoc of Kafka's assignors, with the results that it gives.
func TestDocumentedCases(t *testing.T) {
	both := []string{"t0", "t1"}
	two := []Topic{{Name: "t0", Partitions: 3}, {Name: "t1", Partitions: 3}}
	stairs := []Topic{{Name: "t0", Partitions: 1}, {Name: "t1", Partitions: 2}, {Name: "t2", Partitions: 3}}
	join := slices.Concat[[]core.TopicPartition]
	for name, c := range map[string]struct {
		assignor Assignor
		members  []Member
		topics   []Topic
		want     [][]core.TopicPartition
	}{
		"RangeAssignor": {
			Range, []Member{{ID: "C0", Topics: both}, {ID: "C1", Topics: both}}, two,
			[][]core.TopicPartition{join(tps("t0", 0, 1), tps("t1", 0, 1)), join(tps("t0", 2), tps("t1", 2))},
		},
		"RangeAssignor, static": {
			Range, []Member{{ID: "C3", InstanceID: "I0", Topics: both}, {ID: "C2", InstanceID: "I1", Topics: both}}, two,
			[][]core.TopicPartition{join(tps("t0", 0, 1), tps("t1", 0, 1)), join(tps("t0", 2), tps("t1", 2))},
		},
		"RoundRobinAssignor": {
			RoundRobin, []Member{{ID: "C0", Topics: both}, {ID: "C1", Topics: both}}, two,
			[][]core.TopicPartition{join(tps("t0", 0, 2), tps("t1", 1)), join(tps("t0", 1), tps("t1", 0, 2))},
		},
		"RoundRobinAssignor, different subscriptions": {
			RoundRobin,
			[]Member{{ID: "C0", Topics: both[:1]}, {ID: "C1", Topics: both}, {ID: "C2", Topics: []string{"t0", "t1", "t2"}}},
			stairs,
			[][]core.TopicPartition{tps("t0", 0), tps("t1", 0), join(tps("t1", 1), tps("t2", 0, 1, 2))},
		},
		// KIP-54: round-robin would leave C1 with t0-0 alone and C2 with five.
		"StickyAssignor, different subscriptions": {
			Sticky,
			[]Member{{ID: "C0", Topics: both[:1]}, {ID: "C1", Topics: both}, {ID: "C2", Topics: []string{"t0", "t1", "t2"}}},
			stairs,
			[][]core.TopicPartition{tps("t0", 0), tps("t1", 0, 1), tps("t2", 0, 1, 2)},
		},
		"StickyAssignor, C0 has left": {
			Sticky,
			[]Member{
				{ID: "C1", Topics: both, Owned: tps("t1", 0, 1), Generation: 1},
				{ID: "C2", Topics: []string{"t0", "t1", "t2"}, Owned: tps("t2", 0, 1, 2), Generation: 1},
			},
			stairs,
			[][]core.TopicPartition{join(tps("t0", 0), tps("t1", 0, 1)), tps("t2", 0, 1, 2)},
		},
		// KIP-429: B gets nothing before A has given it up.
		"CooperativeStickyAssignor, B joins": {
			CooperativeSticky,
			[]Member{{ID: "A", Topics: both[:1], Owned: tps("t0", 0, 1, 2), Generation: 4}, {ID: "B", Topics: both[:1], Generation: -1}},
			two,
			[][]core.TopicPartition{tps("t0", 0, 1), tps("t0")},
		},
		"CooperativeStickyAssignor, A has given up": {
			CooperativeSticky,
			[]Member{{ID: "A", Topics: both[:1], Owned: tps("t0", 0, 1), Generation: 5}, {ID: "B", Topics: both[:1], Generation: 5}},
			two,
			[][]core.TopicPartition{tps("t0", 0, 1), tps("t0", 2)},
		},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.assignor.Assign(c.members, c.topics)) })
	}
}

func TestNames(t *testing.T) {
	for _, a := range all() {
		got, ok := ByName(a.Name())
		require.True(t, ok)
		require.Equal(t, a, got)
	}
	_, ok := ByName("best")
	require.False(t, ok)
}

func TestNobodyAndNothing(t *testing.T) {
	for _, a := range all() {
		require.Empty(t, a.Assign(nil, []Topic{{Name: "t", Partitions: 3}}))
		require.Equal(t, [][]core.TopicPartition{{}, {}}, a.Assign([]Member{{ID: "x", Topics: []string{"t"}}, {ID: "y"}}, nil))
		require.Equal(t, [][]core.TopicPartition{{}}, a.Assign([]Member{{ID: "x"}}, []Topic{{Name: "t", Partitions: 3}}))
	}
}

// A member that claims what no longer exists, or what is not there to be assigned, gets no more for it.
func TestClaimsOfNothing(t *testing.T) {
	owned := slices.Concat(tps("t", 0, 7, -1), tps("gone", 0, 1, 2), tps("u", 0))
	members := []Member{{ID: "x", Topics: []string{"t"}, Owned: owned, Generation: 3}, {ID: "y", Topics: []string{"t"}, Generation: 3}}
	for _, a := range []Assignor{Sticky, CooperativeSticky, Uniform} {
		got := a.Assign(members, []Topic{{Name: "t", Partitions: 4}, {Name: "u", Partitions: 4}})
		require.Equal(t, 4, len(got[0])+len(got[1]), "%s: %v", a.Name(), got)
		require.Len(t, got[0], 2)
		require.Contains(t, got[0], core.TopicPartition{Topic: "t"})
	}
}

// drawGroup makes any group, nonsense included.
func drawGroup(t *rapid.T) (members []Member, topics []Topic) {
	racks := rapid.SampledFrom([]string{"", "r1", "r2", "r3"})
	names := []string{"a", "b", "c", "d", "ghost"}
	for _, name := range names[:rapid.IntRange(1, 4).Draw(t, "topics")] {
		topic := Topic{Name: name, Partitions: rapid.Int32Range(0, 9).Draw(t, "partitions")}
		if rapid.Bool().Draw(t, "racks") {
			for range topic.Partitions {
				topic.Racks = append(topic.Racks, rapid.SliceOfN(racks, 0, 3).Draw(t, "replicas"))
			}
		}
		topics = append(topics, topic)
	}
	same := rapid.Bool().Draw(t, "same subscriptions")
	for i := range rapid.IntRange(1, 9).Draw(t, "members") {
		m := Member{
			ID: fmt.Sprintf("member-%d", (i*7)%10), Rack: racks.Draw(t, "rack"),
			Topics:     rapid.SliceOfN(rapid.SampledFrom(names), 0, 5).Draw(t, "subscribed"),
			Generation: rapid.Int32Range(-1, 3).Draw(t, "generation"),
		}
		if same && i > 0 {
			m.Topics = members[0].Topics
		}
		if rapid.IntRange(0, 3).Draw(t, "static") == 0 {
			m.InstanceID = fmt.Sprintf("i%d", rapid.IntRange(0, 99).Draw(t, "instance")*10+i)
		}
		for range rapid.IntRange(0, 12).Draw(t, "owned") {
			m.Owned = append(m.Owned, core.TopicPartition{
				Topic: rapid.SampledFrom(names).Draw(t, "topic"), Partition: rapid.Int32Range(-1, 9).Draw(t, "partition"),
			})
		}
		members = append(members, m)
	}
	return members, topics
}

// Coverage and validity: each partition that somebody wants goes to exactly one member, and that one wants it. Only
// cooperative-sticky withholds any, and then it withholds what another member claims. Determinism: the result depends on
// neither the order of members nor that of topics.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, topics := drawGroup(t)
		for _, a := range all() {
			got := a.Assign(members, topics)
			owners := checkValid(t, a, members, topics, got)
			shuffled := rapid.Permutation(members).Draw(t, "order")
			again := a.Assign(shuffled, rapid.Permutation(topics).Draw(t, "topics' order"))
			for i, m := range shuffled {
				at := slices.IndexFunc(members, func(o Member) bool { return o.ID == m.ID })
				require.Equal(t, got[at], again[i], "%s: %s", a.Name(), m.ID)
			}
			checkBalance(t, a, members, got, owners)
		}
	})
}

func checkValid(t *rapid.T, a Assignor, members []Member, topics []Topic, got [][]core.TopicPartition) map[core.TopicPartition]int {
	owners := map[core.TopicPartition]int{}
	for i, list := range got {
		require.True(t, slices.IsSortedFunc(list, core.TopicPartition.Compare))
		for _, tp := range list {
			require.NotContains(t, owners, tp, "%s gives it twice", a.Name())
			require.Contains(t, members[i].Topics, tp.Topic, "%s: not subscribed", a.Name())
			owners[tp] = i
		}
	}
	for _, topic := range topics {
		wanted := slices.ContainsFunc(members, func(m Member) bool { return slices.Contains(m.Topics, topic.Name) })
		for p := range topic.Partitions {
			tp := core.TopicPartition{Topic: topic.Name, Partition: p}
			_, given := owners[tp]
			if claimed := slices.ContainsFunc(members, func(m Member) bool { return slices.Contains(m.Owned, tp) }); !given &&
				a == CooperativeSticky && claimed {
				continue
			}
			require.Equal(t, wanted, given, "%s: %v", a.Name(), tp)
		}
	}
	return owners
}

// checkBalance demands of the balanced assignors that with equal subscriptions sizes differ by one at most, and of
// sticky, that with any subscriptions no single move of a partition that brings the two members closer is left, unless
// what has been there before was kept because moving would not have improved the whole.
func checkBalance(t *rapid.T, a Assignor, members []Member, got [][]core.TopicPartition, owners map[core.TopicPartition]int) {
	equal := !slices.ContainsFunc(members, func(m Member) bool { return !slices.Equal(m.Topics, members[0].Topics) })
	fresh := !slices.ContainsFunc(members, func(m Member) bool { return len(m.Owned) > 0 })
	if equal && (a == RoundRobin || a == Sticky || a == Uniform) {
		sizes := []int{}
		for _, list := range got {
			sizes = append(sizes, len(list))
		}
		require.LessOrEqual(t, slices.Max(sizes)-slices.Min(sizes), 1, "%s: %v", a.Name(), sizes)
	}
	if fresh && a == Sticky {
		for tp, from := range owners {
			for to := range members {
				if slices.Contains(members[to].Topics, tp.Topic) {
					require.LessOrEqual(t, len(got[from]), len(got[to])+1, "%v should move from %d to %d", tp, from, to)
				}
			}
		}
	}
}

// Stickiness: what a sticky assignor has assigned, it assigns again; when a member leaves, nobody else loses anything; and
// when one joins, only it gains.
func TestStickiness(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, topics := drawGroup(t)
		a := rapid.SampledFrom([]Assignor{Sticky, Uniform}).Draw(t, "assignor")
		for i := range members {
			members[i].Topics = members[0].Topics // KIP-54 promises it for equal subscriptions
			members[i].Owned, members[i].Rack = nil, ""
		}
		adopt := func(got [][]core.TopicPartition) {
			for i := range members {
				members[i].Owned, members[i].Generation = got[i], 7
			}
		}
		first := a.Assign(members, topics)
		adopt(first)
		require.Equal(t, first, a.Assign(members, topics), "%s moves without reason", a.Name())

		if gone := rapid.IntRange(0, len(members)-1).Draw(t, "gone"); len(members) > 1 {
			members = slices.Delete(slices.Clone(members), gone, gone+1)
			got := a.Assign(members, topics)
			for i, m := range members {
				require.Subset(t, got[i], m.Owned, "%s: %s loses when another leaves", a.Name(), m.ID)
			}
			adopt(got)
		}
		members = append(members, Member{ID: "newcomer", Topics: members[0].Topics, Generation: -1})
		got := a.Assign(members, topics)
		for i, m := range members[:len(members)-1] {
			require.Subset(t, m.Owned, got[i], "%s: %s gains when another joins", a.Name(), m.ID)
		}
	})
}

// Cooperative rounds end, with everybody giving up what it was not given, and from the second one on nobody is given
// what another member still has. (In the first the drawn members may contradict each other.) With racks and different
// subscriptions they need not end, in Kafka neither: see the package comment.
func TestCooperativeConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, topics := drawGroup(t)
		if slices.ContainsFunc(members, func(m Member) bool { return !slices.Equal(m.Topics, members[0].Topics) }) {
			members = withoutRacks(members)
		}
		for round := int32(0); ; round++ {
			got := CooperativeSticky.Assign(members, topics)
			owners := checkValid(t, CooperativeSticky, members, topics, got)
			for i, m := range members {
				for _, tp := range m.Owned { // who has it goes on reading until it hears of its assignment
					to, given := owners[tp]
					require.False(t, given && to != i && round > 0, "%v is taken from %s before it has given it up", tp, m.ID)
				}
			}
			same := true
			for i := range members {
				same = same && slices.Equal(got[i], members[i].Owned)
				members[i].Owned, members[i].Generation = got[i], 10+round
			}
			if same {
				return
			}
			require.Less(t, round, int32(12), "no end")
		}
	})
}

// benchGroup has the size of the issue: 1,000 members, 10,000 partitions in 100 topics.
func benchGroup(different, rackAware bool) (members []Member, topics []Topic) {
	racks := []string{"r0", "r1", "r2"}
	var names []string
	for t := range 100 {
		topic := Topic{Name: fmt.Sprintf("topic-%02d", t), Partitions: 100}
		for p := range topic.Partitions {
			if rackAware {
				topic.Racks = append(topic.Racks, []string{racks[(t+int(p))%3]})
			}
		}
		names = append(names, topic.Name)
		topics = append(topics, topic)
	}
	for i := range 1000 {
		m := Member{ID: fmt.Sprintf("consumer-%03d-6b0f", i), Topics: names, Generation: -1}
		if different {
			m.Topics = nil
			for t, name := range names {
				if (i*31+t*17)%5 > 0 {
					m.Topics = append(m.Topics, name)
				}
			}
		}
		if rackAware {
			m.Rack = racks[i%3]
		}
		members = append(members, m)
	}
	return members, topics
}

// BenchmarkAssign measures a group of 1,000 members and 10,000 partitions: from nothing, and when one member of a settled
// group has left.
func BenchmarkAssign(b *testing.B) {
	for _, a := range all() {
		for _, kind := range []struct {
			name                 string
			different, rackAware bool
		}{{"equal", false, false}, {"different", true, false}, {"racks", false, true}, {"different-racks", true, true}} {
			members, topics := benchGroup(kind.different, kind.rackAware)
			b.Run(a.Name()+"/"+kind.name+"/fresh", func(b *testing.B) {
				for b.Loop() {
					a.Assign(members, topics)
				}
			})
			for i, list := range a.Assign(members, topics) {
				members[i].Owned, members[i].Generation = list, 1
			}
			left := members[1:]
			b.Run(a.Name()+"/"+kind.name+"/left", func(b *testing.B) {
				for b.Loop() {
					a.Assign(left, topics)
				}
			})
		}
	}
}
