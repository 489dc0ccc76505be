package metadata

import (
	"iter"
	"slices"

	"github.com/klamm-log/klamm/core/ordmap"
)

// Records iterates over records that replay to an image equal to this one: the body of a snapshot (KIP-630). The
// order is Kafka's: features first, metadata.version before all, since it says how to read the rest; then brokers,
// controllers, each topic followed by its partitions, configurations, quotas, producer ids and security entries.
//
// The records fit [AppendTo] at the image's own metadata.version. An open metadata transaction is not in them.
func (m *Image) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		_ = m.yieldFeatures(yield) && m.yieldCluster(yield) && m.yieldTopics(yield) &&
			m.yieldConfigs(yield) && m.yieldSecurity(yield)
	}
}

// The yield functions pass on one part each and report whether the consumer wants more.

func (m *Image) yieldFeatures(yield func(Record) bool) bool {
	if v := m.MetadataVersion(); v != 0 && !yield(&FeatureLevelRecord{MetadataVersionFeature, v}) {
		return false
	}
	for name, level := range m.features.All() {
		if name != MetadataVersionFeature && !yield(&FeatureLevelRecord{name, level}) {
			return false
		}
	}
	return true
}

func (m *Image) yieldCluster(yield func(Record) bool) bool {
	for b := range m.Brokers() {
		if !yield(b.record()) {
			return false
		}
	}
	for c := range m.Controllers() {
		if !yield(c.record()) {
			return false
		}
	}
	return true
}

// record is the registration as it stands, however many records it took.
func (b *Broker) record() *RegisterBrokerRecord {
	return &RegisterBrokerRecord{
		BrokerID:             b.ID,
		IsMigratingZkBroker:  b.IsMigratingZkBroker,
		IncarnationID:        b.IncarnationID,
		BrokerEpoch:          b.Epoch,
		Endpoints:            b.Endpoints,
		Features:             b.Features,
		Rack:                 b.Rack,
		Fenced:               b.Fenced,
		InControlledShutdown: b.InControlledShutdown,
		LogDirs:              b.LogDirs,
		CordonedLogDirs:      b.CordonedLogDirs,
	}
}

// record is the registration as it was written.
func (c *Controller) record() *RegisterControllerRecord {
	return &RegisterControllerRecord{
		ControllerID:     c.ID,
		IncarnationID:    c.IncarnationID,
		ZkMigrationReady: c.ZkMigrationReady,
		Endpoints:        c.Endpoints,
		Features:         c.Features,
	}
}

func (m *Image) yieldTopics(yield func(Record) bool) bool {
	directories := m.MetadataVersion().HasDirectoryAssignment()
	for t := range m.Topics() {
		if !yield(&TopicRecord{t.Name, t.ID}) {
			return false
		}
		for _, p := range t.partitions {
			if !yield(p.record(t, directories)) {
				return false
			}
		}
	}
	return true
}

// record is the partition's whole state. Before KIP-858 the record has no directories; all are then DirMigrating,
// which is also what their absence means.
func (p *Partition) record(t *Topic, directories bool) *PartitionRecord {
	r := &PartitionRecord{
		PartitionID:            p.ID,
		TopicID:                t.ID,
		Replicas:               p.Replicas,
		ISR:                    p.ISR,
		RemovingReplicas:       p.RemovingReplicas,
		AddingReplicas:         p.AddingReplicas,
		Leader:                 p.Leader,
		LeaderRecoveryState:    p.LeaderRecoveryState,
		LeaderEpoch:            p.LeaderEpoch,
		PartitionEpoch:         p.PartitionEpoch,
		EligibleLeaderReplicas: p.EligibleLeaderReplicas,
		LastKnownElr:           p.LastKnownElr,
	}
	if directories || slices.ContainsFunc(p.Directories, func(d DirectoryID) bool { return d != DirMigrating }) {
		r.Directories = p.Directories
	}
	return r
}

func (m *Image) yieldConfigs(yield func(Record) bool) bool {
	for res, c := range m.configs.All() {
		for k, v := range c.All() {
			if !yield(&ConfigRecord{res.Type, res.Name, k, &v}) {
				return false
			}
		}
	}
	for q := range m.Quotas() {
		if !yield(&ClientQuotaRecord{Entity: q.Entity, Key: q.Key, Value: q.Value}) {
			return false
		}
	}
	if m.nextProducerID == 0 {
		return true
	}
	// Who got the last block is forgotten, as in Kafka's snapshots.
	return yield(&ProducerIDsRecord{BrokerID: -1, BrokerEpoch: -1, NextProducerID: m.nextProducerID})
}

func (m *Image) yieldSecurity(yield func(Record) bool) bool {
	for _, r := range m.acls.All() {
		if !yield(r) {
			return false
		}
	}
	for _, r := range m.scram.All() {
		if !yield(r) {
			return false
		}
	}
	for _, r := range m.tokens.All() {
		if !yield(r) {
			return false
		}
	}
	return true
}

// Clone is an independent image with the same state, an open transaction included. It costs a pointer per partition:
// values that never change are shared. A controller that starts from a broker's image needs it.
func (m *Image) Clone() *Image {
	n := NewImage()
	n.offset, n.epoch, n.nextProducerID, n.partitions = m.offset, m.epoch, m.nextProducerID, m.partitions
	n.rulesOffset = m.rulesOffset
	if m.txn != nil {
		n.txn = &transaction{m.txn.begin, slices.Clone(m.txn.records)}
	}
	for name, t := range m.topics.All() {
		t = &Topic{t.Name, t.ID, slices.Clone(t.partitions)}
		n.topics.Set(name, t)
		n.topicsByID[t.ID] = t
	}
	for res, c := range m.configs.All() {
		copied := ordmap.Ordered[string, string]()
		copyInto(copied, c)
		n.configs.Set(res, copied)
	}
	for id, q := range m.quotas.All() {
		copied := ordmap.Ordered[string, QuotaValue]()
		copyInto(copied, q.values)
		n.quotas.Set(id, &quotaEntry{q.entity, copied})
	}
	copyInto(n.brokers, m.brokers)
	copyInto(n.controllers, m.controllers)
	copyInto(n.features, m.features)
	copyInto(n.acls, m.acls)
	copyInto(n.scram, m.scram)
	copyInto(n.tokens, m.tokens)
	return n
}

// copyInto sets every entry of src in dst.
func copyInto[K comparable, V any](dst, src *ordmap.Map[K, V]) {
	for k, v := range src.All() {
		dst.Set(k, v)
	}
}
