package controller

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/ordmap"
)

// index answers "which partitions" without a walk over all of them: fencing a broker must cost what the broker holds,
// not what the cluster holds. It is a fold of the image: built once, then kept by every change that is replayed, so
// it is equal to one built anew at any time ([Controller.Check] compares them).
type index struct {
	isr map[core.NodeID]*partitions // whose ISR contains the broker; for lookups only, as are the next two
	elr map[core.NodeID]*partitions // whose ELR contains the broker
	led map[core.NodeID]int         // how many the broker leads; no entry is zero

	leaderless  *partitions // offline
	imbalanced  *partitions // not led by the preferred leader, the first replica; offline ones included
	reassigning *partitions // with replicas on their way in or out (KIP-455)

	flat map[string][]string // topics by their flat names: one each, unless another software has let them collide
}

// newIndex is the index of an image.
func newIndex(m *metadata.Image) *index {
	x := &index{
		isr: make(map[core.NodeID]*partitions), elr: make(map[core.NodeID]*partitions), led: make(map[core.NodeID]int),
		leaderless: newPartitions(), imbalanced: newPartitions(), reassigning: newPartitions(), flat: make(map[string][]string),
	}
	for t := range m.Topics() {
		x.name(t.Name, true)
		for _, p := range t.Partitions() {
			x.update(t.ID, nil, p)
		}
	}
	return x
}

// apply follows one change of the image.
func (x *index) apply(ch *metadata.Change) {
	switch ch.Kind {
	case metadata.TopicCreated:
		x.name(ch.Topic, true)
	case metadata.PartitionCreated, metadata.PartitionChanged:
		x.update(ch.TopicID, ch.Before, ch.After)
	case metadata.TopicDeleted:
		x.name(ch.Topic, false)
		for _, p := range ch.Gone {
			x.update(ch.TopicID, p, nil)
		}
	default: // nothing else is indexed
	}
}

// name adds a topic's name or takes it off. One without '.' and '_' collides with none.
func (x *index) name(topic string, in bool) {
	if !strings.ContainsAny(topic, "._") {
		return
	}
	f := flat(topic)
	left := slices.DeleteFunc(x.flat[f], func(other string) bool { return other == topic })
	if in {
		left = append(left, topic)
	}
	if x.flat[f] = left; len(left) == 0 {
		delete(x.flat, f)
	}
}

// update moves one partition from its place before to its place after; nil is a partition that does not exist.
func (x *index) update(topic core.TopicID, before, after *metadata.Partition) {
	none := &metadata.Partition{Leader: core.NoNode}
	b, a := before, after
	if b == nil {
		b = none
	}
	if a == nil {
		a = none
	}
	id := max(b.ID, a.ID) // none has 0
	members(x.isr, topic, id, b.ISR, a.ISR)
	members(x.elr, topic, id, b.EligibleLeaderReplicas, a.EligibleLeaderReplicas)
	if b.Leader != a.Leader {
		x.lead(b.Leader, -1)
		x.lead(a.Leader, +1)
	}
	x.leaderless.put(topic, id, after != nil && a.Leader == core.NoNode)
	x.imbalanced.put(topic, id, len(a.Replicas) > 0 && a.Leader != a.Replicas[0])
	x.reassigning.put(topic, id, reassigning(a))
}

// members moves a partition between the sets of the brokers that have left a list and those that have joined it.
func members(sets map[core.NodeID]*partitions, topic core.TopicID, id int32, before, after []core.NodeID) {
	for _, n := range before {
		if !slices.Contains(after, n) {
			sets[n].put(topic, id, false)
		}
	}
	for _, n := range after {
		if !slices.Contains(before, n) {
			if sets[n] == nil {
				sets[n] = newPartitions()
			}
			sets[n].put(topic, id, true)
		}
	}
}

// lead counts a leadership in or out.
func (x *index) lead(node core.NodeID, by int) {
	if node == core.NoNode {
		return
	}
	if x.led[node] += by; x.led[node] == 0 {
		delete(x.led, node)
	}
}

// entries is the whole index in order, for comparison.
func (x *index) entries() (out []entry) {
	sets := func(kind int8, m map[core.NodeID]*partitions) {
		for _, n := range slices.Sorted(maps.Keys(m)) {
			for topic, id := range m[n].all() {
				out = append(out, entry{kind, n, topic, id, ""})
			}
		}
	}
	sets(0, x.isr)
	sets(1, x.elr)
	for _, n := range slices.Sorted(maps.Keys(x.led)) {
		out = append(out, entry{kind: 2, node: n, id: int32(x.led[n])})
	}
	for i, s := range []*partitions{x.leaderless, x.imbalanced, x.reassigning} {
		for topic, id := range s.all() {
			out = append(out, entry{int8(3 + i), core.NoNode, topic, id, ""})
		}
	}
	for _, f := range slices.Sorted(maps.Keys(x.flat)) {
		for _, name := range slices.Sorted(slices.Values(x.flat[f])) {
			out = append(out, entry{kind: 6, name: name})
		}
	}
	return out
}

// entry is one line of an index.
type entry struct {
	kind  int8
	node  core.NodeID
	topic core.TopicID
	id    int32
	name  string
}

// reassigning reports whether replicas of the partition are on their way in or out.
func reassigning(p *metadata.Partition) bool {
	return len(p.AddingReplicas) > 0 || len(p.RemovingReplicas) > 0
}

// partitions is a set of partitions. A nil one is empty. Per partition it costs four bytes, because a broker of a
// large cluster is in the ISR of many partitions of few topics.
type partitions struct {
	byTopic *ordmap.Map[core.TopicID, []int32] // sorted; no entry is empty
	n       int
}

func newPartitions() *partitions {
	return &partitions{byTopic: ordmap.New[core.TopicID, []int32](core.TopicID.Compare)}
}

// len is the number of partitions in the set.
func (s *partitions) len() int {
	if s == nil {
		return 0
	}
	return s.n
}

// put adds a partition or takes it off.
func (s *partitions) put(topic core.TopicID, id int32, in bool) {
	ids := s.byTopic.At(topic)
	at, has := slices.BinarySearch(ids, id)
	switch {
	case has == in:
		return
	case in:
		s.byTopic.Set(topic, slices.Insert(ids, at, id))
		s.n++
	case len(ids) == 1:
		s.byTopic.Delete(topic)
		s.n--
	default:
		s.byTopic.Set(topic, slices.Delete(ids, at, at+1))
		s.n--
	}
}

// all iterates by topic id and partition. The set must not change meanwhile.
func (s *partitions) all() iter.Seq2[core.TopicID, int32] {
	return func(yield func(core.TopicID, int32) bool) {
		if s == nil {
			return
		}
		for topic, ids := range s.byTopic.All() {
			for _, id := range ids {
				if !yield(topic, id) {
					return
				}
			}
		}
	}
}
