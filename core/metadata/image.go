package metadata

import (
	"fmt"
	"iter"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/ordmap"
)

// ErrContradiction is a record that cannot follow the ones before it: an unknown topic, a topic that exists
// already, a broker epoch that is not the registration's.
const ErrContradiction Fault = "metadata record contradicts the image"

// Image is the state of the cluster at one offset of the metadata log. It is one process's own copy: not safe for
// concurrent use, changed by [Image.Replay] and by nothing else.
//
// Pointers that its methods return are valid for reading for ever ([Broker], [Controller], [Partition]) or until
// the next Replay ([Topic]). Nobody may write through them.
type Image struct {
	offset core.Offset      // of the last record replayed
	epoch  core.LeaderEpoch // of that record; never falls
	txn    *transaction     // the open metadata transaction, or nil

	brokers     *ordmap.Map[core.NodeID, *Broker]
	controllers *ordmap.Map[core.NodeID, *Controller]

	topics     *ordmap.Map[string, *Topic]
	topicsByID map[core.TopicID]*Topic // the same topics; for lookups only, never ranged over
	partitions int64                   // of all topics

	features *ordmap.Map[string, FeatureLevel] // no entry has level 0
	configs  *ordmap.Map[ConfigResource, *ordmap.Map[string, string]]
	quotas   *ordmap.Map[string, *quotaEntry] // by canonical entity; no entry is empty
	acls     *ordmap.Map[AclID, *AccessControlEntryRecord]
	scram    *ordmap.Map[ScramKey, *UserScramCredentialRecord]
	tokens   *ordmap.Map[string, *DelegationTokenRecord]

	nextProducerID core.ProducerID // the first id that no broker has been handed

	rulesOffset core.Offset // of the last record that changed min.insync.replicas or a feature; not in snapshots
}

// transaction holds back the records between BeginTransactionRecord and its end (KIP-868).
type transaction struct {
	begin   core.Offset
	records []Record
}

// NewImage is the image of an empty log: offset -1, epoch -1, nothing in it.
func NewImage() *Image {
	return &Image{
		offset:      core.NoOffset,
		epoch:       core.NoLeaderEpoch,
		rulesOffset: core.NoOffset,
		brokers:     ordmap.Ordered[core.NodeID, *Broker](),
		controllers: ordmap.Ordered[core.NodeID, *Controller](),
		topics:      ordmap.Ordered[string, *Topic](),
		topicsByID:  make(map[core.TopicID]*Topic),
		features:    ordmap.Ordered[string, FeatureLevel](),
		configs:     ordmap.New[ConfigResource, *ordmap.Map[string, string]](ConfigResource.Compare),
		quotas:      ordmap.Ordered[string, *quotaEntry](),
		acls:        ordmap.New[AclID, *AccessControlEntryRecord](AclID.Compare),
		scram:       ordmap.New[ScramKey, *UserScramCredentialRecord](ScramKey.Compare),
		tokens:      ordmap.Ordered[string, *DelegationTokenRecord](),
	}
}

// Offset is the offset of the last record replayed, -1 when there was none.
func (m *Image) Offset() core.Offset { return m.offset }

// Epoch is the leader epoch of the last record replayed, -1 when there was none.
func (m *Image) Epoch() core.LeaderEpoch { return m.epoch }

// InTransaction reports whether a metadata transaction is open. Its records are not in the image yet, and
// snapshots must wait for its end.
func (m *Image) InTransaction() bool { return m.txn != nil }

// Replay applies one record that stands at offset in the metadata log and was written in epoch. What it changed is
// appended to out, which may be nil. Records of a snapshot are all replayed into a new image at the snapshot's last
// contained offset and epoch, so offsets may repeat but not fall; [Image.ChangesSince] then says what changed.
//
// An error wraps [ErrContradiction] or [ErrUnsupportedVersion] and names record and offset. The image is then
// unchanged, except that a failing EndTransactionRecord leaves it part-way: either way the process must stop,
// because its state is no longer the log's.
func (m *Image) Replay(rec Record, offset core.Offset, epoch core.LeaderEpoch, out *[]Change) error {
	err := m.checkPosition(offset, epoch)
	if err == nil {
		err = m.replay(rec, offset, changes{out})
	}
	if changesRules(rec) {
		m.rulesOffset = offset
	}
	if err != nil {
		return fmt.Errorf("metadata: replay %s at offset %d of epoch %d: %w", rec.APIKey(), offset, epoch, err)
	}
	m.offset, m.epoch = offset, epoch
	return nil
}

// changesRules reports whether a record may change by which rules leaders move their HighWatermark.
func changesRules(rec Record) bool {
	switch r := rec.(type) {
	case *FeatureLevelRecord, *EndTransactionRecord: // the latter may apply any
		return true
	case *ConfigRecord:
		return r.Name == "min.insync.replicas"
	}
	return false
}

// RulesOffset is the offset of the last record that may have changed by which rules leaders move their HighWatermark:
// min.insync.replicas and features; -1 if there was none. It is no part of the cluster's state: an image that was loaded
// from a snapshot has the snapshot's offset here, because that is all it knows.
func (m *Image) RulesOffset() core.Offset { return m.rulesOffset }

// checkPosition refuses records from before the image: applied twice they would move epochs twice.
func (m *Image) checkPosition(offset core.Offset, epoch core.LeaderEpoch) error {
	if offset < m.offset {
		return contradiction("the image is at offset %d already", m.offset)
	}
	if epoch < m.epoch {
		return contradiction("the image is at epoch %d already", m.epoch)
	}
	return nil
}

// replay handles metadata transactions (KIP-868): while one is open, everything but its end waits.
func (m *Image) replay(rec Record, offset core.Offset, ch changes) error {
	switch rec.(type) {
	case *BeginTransactionRecord:
		if m.txn != nil {
			return contradiction("the transaction begun at offset %d is open", m.txn.begin)
		}
		m.txn = &transaction{begin: offset}
		return nil
	case *AbortTransactionRecord, *EndTransactionRecord:
		if m.txn == nil {
			return contradiction("no transaction is open")
		}
		held := m.txn.records
		m.txn = nil
		if _, abort := rec.(*AbortTransactionRecord); abort {
			return nil
		}
		for i, r := range held {
			if err := m.apply(r, ch); err != nil {
				return fmt.Errorf("record %d of the transaction, %s: %w", i, r.APIKey(), err)
			}
		}
		return nil
	}
	if m.txn != nil {
		m.txn.records = append(m.txn.records, rec)
		return nil
	}
	return m.apply(rec, ch)
}

// apply is the switch over the records that carry state. Each case checks everything before it changes anything, so
// that a refused record leaves no trace.
//
//nolint:cyclop // one line per record
func (m *Image) apply(rec Record, ch changes) error {
	switch r := rec.(type) {
	case *RegisterBrokerRecord:
		return m.registerBroker(r, ch)
	case *UnregisterBrokerRecord:
		return m.unregisterBroker(r, ch)
	case *FenceBrokerRecord: // the two old forms of a registration change
		return m.changeBroker(&BrokerRegistrationChangeRecord{BrokerID: r.ID, BrokerEpoch: r.Epoch, Fenced: Fence}, ch)
	case *UnfenceBrokerRecord:
		return m.changeBroker(&BrokerRegistrationChangeRecord{BrokerID: r.ID, BrokerEpoch: r.Epoch, Fenced: Unfence}, ch)
	case *BrokerRegistrationChangeRecord:
		return m.changeBroker(r, ch)
	case *RegisterControllerRecord:
		return m.registerController(r, ch)
	case *UnregisterControllerRecord:
		return m.unregisterController(r, ch)
	case *TopicRecord:
		return m.createTopic(r, ch)
	case *RemoveTopicRecord:
		return m.removeTopic(r, ch)
	case *PartitionRecord:
		return m.createPartition(r, ch)
	case *PartitionChangeRecord:
		return m.changePartition(r, ch)
	case *ClearElrRecord:
		return m.clearElr(r, ch)
	case *FeatureLevelRecord:
		return m.setFeature(r, ch)
	case *ConfigRecord:
		m.setConfig(r, ch)
	case *ClientQuotaRecord:
		return m.setQuota(r, ch)
	case *ProducerIDsRecord:
		return m.advanceProducerIDs(r, ch)
	case *AccessControlEntryRecord, *RemoveAccessControlEntryRecord:
		return m.changeAcl(rec, ch)
	case *UserScramCredentialRecord, *RemoveUserScramCredentialRecord:
		return m.changeScram(rec, ch)
	case *DelegationTokenRecord, *RemoveDelegationTokenRecord:
		m.changeToken(rec, ch)
	case *NoOpRecord, *ZkMigrationStateRecord:
		// Kafka 4 keeps reading the migration state of clusters that came from ZooKeeper, and ignores it.
	default:
		return contradiction("no replay for it")
	}
	return nil
}

// contradiction is an error that wraps ErrContradiction.
func contradiction(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrContradiction, fmt.Sprintf(format, args...))
}

// unsupported is an error that wraps ErrUnsupportedVersion.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupportedVersion, fmt.Sprintf(format, args...))
}

// Broker is the registration of a broker, nil when there is none.
func (m *Image) Broker(id core.NodeID) *Broker { return m.brokers.At(id) }

// Brokers iterates over the registrations by node id.
func (m *Image) Brokers() iter.Seq[*Broker] { return values(m.brokers) }

// BrokerCount is the number of registered brokers, fenced ones included.
func (m *Image) BrokerCount() int { return m.brokers.Len() }

// Controller is the registration of a controller, nil when there is none.
func (m *Image) Controller(id core.NodeID) *Controller { return m.controllers.At(id) }

// Controllers iterates over the controllers' registrations by node id.
func (m *Image) Controllers() iter.Seq[*Controller] { return values(m.controllers) }

// Topic is the topic of that name, nil when there is none.
func (m *Image) Topic(name string) *Topic { return m.topics.At(name) }

// TopicByID is the topic with that id, nil when there is none.
func (m *Image) TopicByID(id core.TopicID) *Topic { return m.topicsByID[id] }

// Topics iterates over the topics by name.
func (m *Image) Topics() iter.Seq[*Topic] { return values(m.topics) }

// TopicCount is the number of topics.
func (m *Image) TopicCount() int { return m.topics.Len() }

// PartitionCount is the number of partitions of all topics.
func (m *Image) PartitionCount() int64 { return m.partitions }

// Partition is one partition by topic id, nil when there is none.
func (m *Image) Partition(topic core.TopicID, partition int32) *Partition {
	if t := m.topicsByID[topic]; t != nil {
		return t.Partition(partition)
	}
	return nil
}

// NextProducerID is the first producer id that no broker has been handed (KIP-730).
func (m *Image) NextProducerID() core.ProducerID { return m.nextProducerID }

// values iterates over a map's values in the order of its keys.
func values[K comparable, V any](m *ordmap.Map[K, V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, v := range m.All() {
			if !yield(v) {
				return
			}
		}
	}
}
