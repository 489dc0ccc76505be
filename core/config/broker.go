package config

import "github.com/klamm-log/klamm/core"

// Durability says when a record counts as stored by a replica.
type Durability int8

// The durability policies.
const (
	DurabilityCommit Durability = iota // when it is fsynced (default)
	DurabilityOS                       // when the operating system has it in the page cache (Kafka's default)
)

// Listener is one address the broker serves, and how clients are told to reach it.
type Listener struct {
	Name           string // for instance "PLAINTEXT"
	Bind           string // "host:port" to listen on; an empty host is every interface
	AdvertisedHost string
	AdvertisedPort int32
}

// Broker is the broker's own configuration, resolved. Names in comments are Kafka's.
type Broker struct {
	NodeID                 core.NodeID // node.id
	ClusterID              string      // cluster.id; taken from meta.properties, or made at formatting
	Rack                   string      // broker.rack; empty for none
	Listeners              []Listener  // listeners, advertised.listeners
	LogDir                 string      // log.dirs: the data directory as configured; the core only reports it
	Durability             Durability  // klamm.durability
	AutoCreateTopics       bool        // auto.create.topics.enable
	DeleteTopicEnable      bool        // delete.topic.enable
	NumPartitions          int32       // num.partitions
	DefaultReplication     int16       // default.replication.factor
	FetchMaxBytes          int32       // fetch.max.bytes
	FetchSessionSlots      int32       // max.incremental.fetch.session.cache.slots
	ProducerIDExpirationMs int64       // producer.id.expiration.ms
	CheckpointIntervalMs   int64       // log.flush.offset.checkpoint.interval.ms
	RetentionCheckMs       int64       // log.retention.check.interval.ms
	MaxRequestPartitions   int32       // max.request.partition.size.limit
	DiskStallMs            int64       // klamm.disk.stall.ms: a disk silent for longer is offline
}
