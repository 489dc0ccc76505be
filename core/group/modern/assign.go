package modern

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
	"github.com/klamm-log/klamm/core/coord"
)

// batch collects the records of one request against the state as it is.
type batch struct {
	g    *Group
	recs []coord.Record
}

func (b *batch) put(kind Kind, name string, value []byte) {
	b.recs = append(b.recs, coord.Record{Key: Key{Kind: kind, Group: b.g.id, Name: name}.AppendTo(nil), Value: value})
}

// remove appends the tombstones of a member, its partitions first.
func (b *batch) remove(id string) {
	b.put(KindCurrentOf, id, nil)
	b.put(KindTargetOf, id, nil)
	b.put(KindMember, id, nil)
}

// view is a group as it will be when the batch has been replayed: one member updated or removed, expressions resolved anew.
type view struct {
	g       *Group
	updated *Member              // nil if none
	removed string               // member id; empty if none
	regexes map[string]*Resolved // those that change; nil for one that nobody uses any more
}

func (v *view) members(yield func(*Member) bool) {
	for m := range v.g.with(v.updated) {
		if m.ID != v.removed && !yield(m) {
			return
		}
	}
}

// topicsOf are the topics that a member subscribes to, by name or by expression, ascending.
func (v *view) topicsOf(m *Member) []string {
	if m.Regex == "" {
		return m.Topics
	}
	resolved, changes := v.regexes[m.Regex]
	if !changes {
		resolved = v.g.regexes.At(m.Regex)
	}
	switch {
	case resolved == nil || len(resolved.Topics) == 0:
		return m.Topics
	case len(m.Topics) == 0:
		return resolved.Topics
	}
	all := slices.Concat(m.Topics, resolved.Topics)
	slices.Sort(all)
	return slices.Compact(all)
}

// subscribed are all topics that anybody subscribes to, ascending.
func (v *view) subscribed() []string {
	var all []string
	var last []string
	for m := range v.members {
		topics := v.topicsOf(m)
		if len(all) == 0 || !slices.Equal(topics, last) { // most members subscribe to the same
			all = append(all, topics...)
		}
		last = topics
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// hashTopics is a hash of the topics that exist: FNV-1a over name, id and number of partitions. When it changes the group must
// assign anew. Kafka's (KIP-1101) covers racks, too, and is another function; nothing but the group compares it.
func hashTopics(topics Topics, names []string) int64 {
	const offset, prime = 0xcbf29ce484222325, 0x100000001b3
	h := uint64(offset)
	add := func(b byte) { h = (h ^ uint64(b)) * prime }
	for _, name := range names {
		id, partitions, exists := topics.Topic(name)
		if !exists {
			continue
		}
		for i := range len(name) {
			add(name[i])
		}
		add(0)
		for _, b := range id {
			add(b)
		}
		for shift := 0; shift < 32; shift += 8 {
			add(byte(partitions >> shift))
		}
	}
	if h == offset {
		return 0
	}
	return int64(h)
}

// assign computes the target assignment of the view and appends what changes in it. It returns the target of one member.
func (b *batch) assign(v *view, epoch int32, now core.Wall, of string) []Partition {
	members, topics := v.input()
	lists := assignorOf(v.g.preferredAssignor(v.updated)).Assign(members, topics)
	var mine []Partition
	for i, m := range members {
		target := v.g.partitionsOf(lists[i])
		if m.ID == of {
			mine = target
		}
		if old, known := v.g.targets.Get(m.ID); !known || !slices.Equal(old, target) {
			b.put(KindTargetOf, m.ID, appendTarget(nil, target))
		}
	}
	b.put(KindTarget, "", epochValue{epoch: epoch, tagged: int64(now)}.appendTo(nil))
	return mine
}

// input is what the assignor sees: members with their targets so far, and the topics that somebody wants.
func (v *view) input() (members []assignor.Member, topics []assignor.Topic) {
	known := v.g.env.Topics
	for _, name := range v.subscribed() {
		if _, partitions, exists := known.Topic(name); exists {
			topics = append(topics, assignor.Topic{Name: name, Partitions: partitions})
		}
	}
	names := make(map[core.TopicID]string)
	for m := range v.members {
		in := assignor.Member{ID: m.ID, Topics: v.topicsOf(m), Generation: assignor.NoGeneration}
		if m.InstanceID != nil {
			in.InstanceID = *m.InstanceID
		}
		for _, p := range v.g.targets.At(m.ID) {
			name, looked := names[p.Topic]
			if !looked {
				name, _ = known.Name(p.Topic)
				names[p.Topic] = name
			}
			if name != "" { // the incarnation is gone otherwise, and with it the partition
				in.Owned = append(in.Owned, core.TopicPartition{Topic: name, Partition: p.Index})
			}
		}
		members = append(members, in)
	}
	return members, topics
}

// partitionsOf translates names to ids, ascending.
func (g *Group) partitionsOf(list []core.TopicPartition) []Partition {
	if len(list) == 0 {
		return nil
	}
	partitions := make([]Partition, len(list))
	var id core.TopicID
	for i, tp := range list {
		if i == 0 || tp.Topic != list[i-1].Topic {
			id, _, _ = g.env.Topics.Topic(tp.Topic)
		}
		partitions[i] = Partition{Topic: id, Index: tp.Partition}
	}
	slices.SortFunc(partitions, Partition.Compare)
	return partitions
}
