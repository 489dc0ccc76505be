package metadata

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/core"
)

// Topic is one incarnation of a topic. The value is live: its partitions change with the image. After its deletion it
// stays as it was.
type Topic struct {
	Name       string
	ID         core.TopicID // never zero
	partitions []*Partition // sorted by id; Kafka's controller leaves no gaps, the image does not rely on it
}

// Partition is a partition's state. Values never change once the image has handed them out.
type Partition struct {
	ID                     int32
	Replicas               []core.NodeID // first is the preferred leader
	Directories            []DirectoryID // parallel to Replicas
	ISR                    []core.NodeID // subset of Replicas; may be empty (KIP-966)
	RemovingReplicas       []core.NodeID // on their way out in a reassignment (KIP-455)
	AddingReplicas         []core.NodeID // on their way in
	Leader                 core.NodeID   // one of Replicas, or core.NoNode: offline
	LeaderRecoveryState    LeaderRecoveryState
	LeaderEpoch            core.LeaderEpoch
	PartitionEpoch         core.PartitionEpoch
	EligibleLeaderReplicas []core.NodeID // have all committed records although not in the ISR (KIP-966)
	LastKnownElr           []core.NodeID // in the ELR until they restarted uncleanly, or the last leader
}

// Directory is the log directory of a replica, and whether the node is a replica at all.
func (p *Partition) Directory(node core.NodeID) (DirectoryID, bool) {
	if i := slices.Index(p.Replicas, node); i >= 0 {
		return p.Directories[i], true
	}
	return DirMigrating, false
}

// Partition is the topic's partition with that id, nil when there is none.
func (t *Topic) Partition(id int32) *Partition {
	if i, ok := t.search(id); ok {
		return t.partitions[i]
	}
	return nil
}

// Partitions are the topic's partitions by id. The slice is the image's own: read it before the next Replay.
func (t *Topic) Partitions() []*Partition { return t.partitions }

// search finds where a partition is or would be. Ids are dense in practice, so the index is tried first.
func (t *Topic) search(id int32) (int, bool) {
	if i := int(id); i >= 0 && i < len(t.partitions) && t.partitions[i].ID == id {
		return i, true
	}
	return slices.BinarySearchFunc(t.partitions, id, func(p *Partition, id int32) int { return cmp.Compare(p.ID, id) })
}

// createTopic adds a topic without partitions. Name and id must both be free: two topics of one name could not be told
// apart by clients, two of one id not by brokers.
func (m *Image) createTopic(r *TopicRecord, ch changes) error {
	if old := m.topics.At(r.Name); old != nil {
		return contradiction("topic %q exists already with id %s", r.Name, old.ID)
	}
	if old := m.topicsByID[r.TopicID]; old != nil {
		return contradiction("topic id %s is taken by %q", r.TopicID, old.Name)
	}
	if r.TopicID.IsZero() {
		return contradiction("topic %q has no id", r.Name)
	}
	t := &Topic{Name: r.Name, ID: r.TopicID}
	m.topics.Set(t.Name, t)
	m.topicsByID[t.ID] = t
	ch.add(Change{Kind: TopicCreated, Topic: t.Name, TopicID: t.ID})
	return nil
}

// removeTopic forgets a topic, its partitions and its configuration.
func (m *Image) removeTopic(r *RemoveTopicRecord, ch changes) error {
	t := m.topicsByID[r.TopicID]
	if t == nil {
		return contradiction("no topic has id %s", r.TopicID)
	}
	m.topics.Delete(t.Name)
	delete(m.topicsByID, t.ID)
	m.partitions -= int64(len(t.partitions))
	ch.add(Change{Kind: TopicDeleted, Topic: t.Name, TopicID: t.ID, Gone: t.partitions})
	// Kafka drops the topic's configuration with the topic: no ConfigRecord says so.
	if res := (ConfigResource{ResourceTopic, t.Name}); m.configs.Has(res) {
		m.configs.Delete(res)
		ch.add(Change{Kind: ConfigChanged, Resource: res})
	}
	return nil
}

// createPartition adds a partition to its topic. Kafka's image would let the record overwrite a partition that exists;
// no Kafka controller writes that, so here it is a contradiction.
func (m *Image) createPartition(r *PartitionRecord, ch changes) error {
	t := m.topicsByID[r.TopicID]
	if t == nil {
		return contradiction("partition %d: no topic has id %s", r.PartitionID, r.TopicID)
	}
	at, taken := t.search(r.PartitionID)
	if taken {
		return contradiction("partition %s-%d exists already", t.Name, r.PartitionID)
	}
	p := &Partition{
		ID:                     r.PartitionID,
		Replicas:               r.Replicas,
		Directories:            r.Directories,
		ISR:                    r.ISR,
		RemovingReplicas:       r.RemovingReplicas,
		AddingReplicas:         r.AddingReplicas,
		Leader:                 r.Leader,
		LeaderRecoveryState:    r.LeaderRecoveryState,
		LeaderEpoch:            r.LeaderEpoch,
		PartitionEpoch:         r.PartitionEpoch,
		EligibleLeaderReplicas: r.EligibleLeaderReplicas,
		LastKnownElr:           r.LastKnownElr,
	}
	if err := p.settle(t.Name); err != nil {
		return err
	}
	t.partitions = slices.Insert(t.partitions, at, p)
	m.partitions++
	ch.add(Change{Kind: PartitionCreated, Topic: t.Name, TopicID: t.ID, After: p})
	return nil
}

// changePartition replaces a partition by its changed copy. Whoever holds the old value can still compare.
func (m *Image) changePartition(r *PartitionChangeRecord, ch changes) error {
	t := m.topicsByID[r.TopicID]
	if t == nil {
		return contradiction("partition %d: no topic has id %s", r.PartitionID, r.TopicID)
	}
	at, ok := t.search(r.PartitionID)
	if !ok {
		return contradiction("topic %q has no partition %d", t.Name, r.PartitionID)
	}
	before := t.partitions[at]
	after := before.merged(r)
	if err := after.settle(t.Name); err != nil {
		return err
	}
	t.partitions[at] = after
	ch.add(Change{Kind: PartitionChanged, Topic: t.Name, TopicID: t.ID, Before: before, After: after})
	return nil
}

// merged is the partition with r's changes: each record is one partition epoch, each named leader, even the old
// one, one leader epoch (KIP-101, KIP-631).
func (p *Partition) merged(r *PartitionChangeRecord) *Partition {
	n := *p
	keep := func(dst *[]core.NodeID, src []core.NodeID) {
		if src != nil {
			*dst = src
		}
	}
	keep(&n.ISR, r.ISR)
	keep(&n.Replicas, r.Replicas)
	keep(&n.RemovingReplicas, r.RemovingReplicas)
	keep(&n.AddingReplicas, r.AddingReplicas)
	keep(&n.EligibleLeaderReplicas, r.EligibleLeaderReplicas)
	keep(&n.LastKnownElr, r.LastKnownElr)
	if r.Directories != nil {
		n.Directories = r.Directories
	}
	if r.Leader != LeaderKeep {
		n.Leader = r.Leader
		n.LeaderEpoch++
	}
	if r.LeaderRecoveryState != RecoveryKeep {
		n.LeaderRecoveryState = r.LeaderRecoveryState
	}
	n.PartitionEpoch++
	return &n
}

// Changed is the partition as it will be when r is replayed. Controllers answer with it before they have proposed r.
func (p *Partition) Changed(r *PartitionChangeRecord) *Partition { return p.merged(r) }

// settle gives absent lists their defaults and refuses a state that no controller can have meant. It does not ask
// whether the replicas are registered brokers, since one may be unregistered later, nor whether the ELR is a subset
// of the replicas, since Kafka leaves removed replicas in it until the next change.
func (p *Partition) settle(topic string) error {
	// Partitions written before KIP-858, or none of whose replicas has a known directory.
	if !slices.ContainsFunc(p.Directories, func(d DirectoryID) bool { return d != DirMigrating }) {
		p.Directories = make([]DirectoryID, len(p.Replicas))
	}
	// None is nil, so that a snapshot omits the tagged fields as Kafka's does.
	if len(p.EligibleLeaderReplicas) == 0 {
		p.EligibleLeaderReplicas = nil
	}
	if len(p.LastKnownElr) == 0 {
		p.LastKnownElr = nil
	}
	switch {
	case p.ID < 0:
		return contradiction("partition %s-%d: negative id", topic, p.ID)
	case len(p.Directories) != len(p.Replicas):
		return contradiction("partition %s-%d: %d directories for replicas %v", topic, p.ID, len(p.Directories), p.Replicas)
	case p.Leader != core.NoNode && !slices.Contains(p.Replicas, p.Leader):
		return contradiction("partition %s-%d: leader %d is none of the replicas %v", topic, p.ID, p.Leader, p.Replicas)
	case p.LeaderEpoch < 0 || p.PartitionEpoch < 0:
		return contradiction("partition %s-%d: leader epoch %d, partition epoch %d",
			topic, p.ID, p.LeaderEpoch, p.PartitionEpoch)
	case p.LeaderRecoveryState != Recovered && p.LeaderRecoveryState != Recovering:
		return contradiction("partition %s-%d: leader recovery state %d", topic, p.ID, p.LeaderRecoveryState)
	}
	for i, n := range p.Replicas {
		if slices.Contains(p.Replicas[:i], n) {
			return contradiction("partition %s-%d: replica twice in %v", topic, p.ID, p.Replicas)
		}
	}
	for i, n := range p.ISR {
		if !slices.Contains(p.Replicas, n) || slices.Contains(p.ISR[:i], n) {
			return contradiction("partition %s-%d: ISR %v is not a subset of replicas %v", topic, p.ID, p.ISR, p.Replicas)
		}
	}
	return nil
}

// clearElr empties the ELRs of one topic or of all; each partition that had some gets a new partition epoch, as
// if a change record had said so (KIP-966).
func (m *Image) clearElr(r *ClearElrRecord, ch changes) error {
	if r.TopicName != "" {
		t := m.topics.At(r.TopicName)
		if t == nil {
			return contradiction("no topic is named %q", r.TopicName)
		}
		return m.clearTopicElr(t, ch)
	}
	for t := range m.Topics() {
		if err := m.clearTopicElr(t, ch); err != nil {
			return err
		}
	}
	return nil
}

// clearTopicElr is clearElr for one topic.
func (m *Image) clearTopicElr(t *Topic, ch changes) error {
	for _, p := range t.partitions {
		if len(p.EligibleLeaderReplicas) == 0 && len(p.LastKnownElr) == 0 {
			continue
		}
		r := NewPartitionChange(t.ID, p.ID)
		r.EligibleLeaderReplicas, r.LastKnownElr = []core.NodeID{}, []core.NodeID{}
		if err := m.changePartition(r, ch); err != nil {
			return err
		}
	}
	return nil
}
