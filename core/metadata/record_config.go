package metadata

import (
	"github.com/klamm-log/klamm/core"
)

// ResourceType is the kind of thing a configuration belongs to, in the numbering of Kafka's ConfigResource.
type ResourceType int8

// The resource types that the metadata log holds.
const (
	ResourceTopic         ResourceType = 2
	ResourceBroker        ResourceType = 4
	ResourceClientMetrics ResourceType = 16
	ResourceGroup         ResourceType = 32
)

// ConfigRecord sets one configuration key of a resource, or removes it when Value is nil. Values are strings as the
// administrator gave them; defaults are not in the log.
type ConfigRecord struct {
	ResourceType ResourceType
	ResourceName string // of ResourceBroker: the node id in decimal, or empty for the cluster's default
	Name         string
	Value        *string
}

// APIKey implements [Record].
func (*ConfigRecord) APIKey() RecordKey { return KeyConfig }

func (r *ConfigRecord) walk(c *coder) {
	num8(c, &r.ResourceType)
	c.str(&r.ResourceName)
	c.str(&r.Name)
	c.nullableStr(&r.Value)
	c.noTags()
}

// FeatureLevelRecord finalizes a feature's level for the whole cluster (KIP-584). Level 0 removes the feature. The
// first record of every log and snapshot finalizes metadata.version, so that a reader which is too old stops there
// instead of misreading what follows (KIP-778).
type FeatureLevelRecord struct {
	Name         string
	FeatureLevel FeatureLevel
}

// APIKey implements [Record].
func (*FeatureLevelRecord) APIKey() RecordKey { return KeyFeatureLevel }

func (r *FeatureLevelRecord) walk(c *coder) {
	c.str(&r.Name)
	num16(c, &r.FeatureLevel)
	c.noTags()
}

// QuotaEntity is one part of the entity a quota applies to: Type is "user", "client-id" or "ip"; a nil Name
// stands for the default of that type.
type QuotaEntity struct {
	Type string
	Name *string
}

func (e *QuotaEntity) walk(c *coder) {
	c.str(&e.Type)
	c.nullableStr(&e.Name)
	c.noTags()
}

// QuotaValue is the bits of an IEEE-754 double, as on the wire; the core does no float arithmetic.
type QuotaValue uint64

// ClientQuotaRecord sets or removes one quota of one entity (KIP-546).
type ClientQuotaRecord struct {
	Entity []QuotaEntity // in any order; at most one part of each type
	Key    string        // for instance "producer_byte_rate"
	Value  QuotaValue
	Remove bool
}

// APIKey implements [Record].
func (*ClientQuotaRecord) APIKey() RecordKey { return KeyClientQuota }

func (r *ClientQuotaRecord) walk(c *coder) {
	array(c, &r.Entity, 1+1+1, func(c *coder, e *QuotaEntity) { e.walk(c) })
	c.str(&r.Key)
	num64(c, &r.Value)
	c.boolean(&r.Remove)
	c.noTags()
}

// ProducerIDsRecord hands the block of ids below NextProducerID to a broker (KIP-730). Only the end of the block is
// in the log: it begins where the record before it ended, so no id is ever handed out twice.
type ProducerIDsRecord struct {
	BrokerID       core.NodeID      // -1 in snapshots
	BrokerEpoch    core.BrokerEpoch // -1 in snapshots
	NextProducerID core.ProducerID
}

// APIKey implements [Record].
func (*ProducerIDsRecord) APIKey() RecordKey { return KeyProducerIDs }

func (r *ProducerIDsRecord) walk(c *coder) {
	num32(c, &r.BrokerID)
	num64(c, &r.BrokerEpoch)
	num64(c, &r.NextProducerID)
	c.noTags()
}

// NoOpRecord changes nothing; an idle controller writes it so that followers see the log advance (KIP-835).
type NoOpRecord struct{}

// APIKey implements [Record].
func (*NoOpRecord) APIKey() RecordKey { return KeyNoOp }

func (*NoOpRecord) walk(c *coder) { c.noTags() }

// BeginTransactionRecord opens a metadata transaction (KIP-868): what follows counts only when it ends. It lets a
// controller write more records than fit into one batch and still have them take effect together.
type BeginTransactionRecord struct {
	Name *string // for people who read the log
}

// APIKey implements [Record].
func (*BeginTransactionRecord) APIKey() RecordKey { return KeyBeginTransaction }

func (r *BeginTransactionRecord) walk(c *coder) {
	t := newTags(c)
	t.field(0, r.Name != nil, func(c *coder) { c.nullableStr(&r.Name) })
	t.end()
}

// EndTransactionRecord commits the open metadata transaction.
type EndTransactionRecord struct{}

// APIKey implements [Record].
func (*EndTransactionRecord) APIKey() RecordKey { return KeyEndTransaction }

func (*EndTransactionRecord) walk(c *coder) { c.noTags() }

// AbortTransactionRecord discards the open metadata transaction. A new controller writes it when the old one died
// before the end.
type AbortTransactionRecord struct {
	Reason *string // for people who read the log
}

// APIKey implements [Record].
func (*AbortTransactionRecord) APIKey() RecordKey { return KeyAbortTransaction }

func (r *AbortTransactionRecord) walk(c *coder) {
	t := newTags(c)
	t.field(0, r.Reason != nil, func(c *coder) { c.nullableStr(&r.Reason) })
	t.end()
}

// ZkMigrationStateRecord is left in the logs of clusters that came from ZooKeeper (KIP-866). Kafka 4 can read it and
// never writes it; so do we.
type ZkMigrationStateRecord struct {
	State int8 // 0 none, 1 migration, 2 pre-migration, 3 post-migration
}

// APIKey implements [Record].
func (*ZkMigrationStateRecord) APIKey() RecordKey { return KeyZkMigrationState }

func (r *ZkMigrationStateRecord) walk(c *coder) {
	num8(c, &r.State)
	c.noTags()
}
