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

// Roles are the parts that a process plays (process.roles, KIP-500). A resolved configuration has one of them at least.
type Roles struct {
	Broker     bool // it holds partitions and serves clients
	Controller bool // it holds the metadata log as a voter, or may become one
}

// Voter is one member of the quorum as an operator wrote it: id@host:port.
type Voter struct {
	ID   core.NodeID
	Host string // empty for a node that is the whole quorum and has no controller listener
	Port int32  // 0 likewise, or until the system has chosen one
}

// Broker is a node's own configuration, resolved. Names in comments are Kafka's. Times are in milliseconds, sizes in
// bytes.
type Broker struct {
	NodeID    core.NodeID // node.id
	ClusterID string      // cluster.id; taken from meta.properties, or made at formatting
	Rack      string      // broker.rack; empty for none
	Roles     Roles       // process.roles

	// Listeners serve clients and brokers: listeners without those of controller.listener.names. None if the node is only
	// a controller.
	Listeners []Listener
	// ControllerListeners serve the quorum: the listeners in controller.listener.names, in the order of that list. None if
	// the node is only a broker, perhaps none if it is the whole quorum.
	ControllerListeners []Listener
	// ControllerListenerNames is controller.listener.names, upper-cased. Of a controller's endpoints, the one of the first
	// name is dialled.
	ControllerListenerNames []string
	// InterBrokerListener is the listener that brokers dial on brokers (inter.broker.listener.name); empty if the node is
	// only a controller.
	InterBrokerListener string

	// Voters is the quorum that a node without a metadata log begins with (controller.quorum.voters, KIP-595). A
	// controller that stands alone has itself as the only voter, whether that is written or not. Empty if the node is to
	// find a quorum through BootstrapServers and join it. Once the log has a VotersRecord, that counts (KIP-853).
	Voters []Voter
	// BootstrapServers are the "host:port" at which the quorum can be asked for (controller.quorum.bootstrap.servers).
	// Never only this node itself: that is to stand alone, and then the list is empty.
	BootstrapServers []string

	// How brokers and the active controller deal with each other.
	BrokerSessionTimeoutMs    int64 // broker.session.timeout.ms: a broker silent for longer is fenced
	BrokerHeartbeatIntervalMs int64 // broker.heartbeat.interval.ms
	ControlledShutdown        bool  // controlled.shutdown.enable: hand leaderships over before stopping
	AutoLeaderRebalance       bool  // auto.leader.rebalance.enable
	LeaderImbalanceCheckMs    int64 // leader.imbalance.check.interval.seconds

	// Replication.
	ReplicaLagMs                 int64 // replica.lag.time.max.ms
	ReplicaFetchWaitMs           int64 // replica.fetch.wait.max.ms
	ReplicaFetchMinBytes         int32 // replica.fetch.min.bytes
	ReplicaFetchMaxBytes         int32 // replica.fetch.max.bytes, per partition
	ReplicaFetchResponseMaxBytes int32 // replica.fetch.response.max.bytes
	ReplicaFetchBackoffMs        int64 // replica.fetch.backoff.ms
	ReplicaSocketTimeoutMs       int64 // replica.socket.timeout.ms: a fetch unanswered for longer has failed
	HWCheckpointMs               int64 // replica.high.watermark.checkpoint.interval.ms
	ReplicaSelectorRackAware     bool  // replica.selector.class is Kafka's RackAwareReplicaSelector (KIP-392)

	// The quorum.
	QuorumElectionTimeoutMs    int64 // controller.quorum.election.timeout.ms
	QuorumFetchTimeoutMs       int64 // controller.quorum.fetch.timeout.ms
	QuorumElectionBackoffMaxMs int64 // controller.quorum.election.backoff.max.ms
	QuorumRequestTimeoutMs     int64 // controller.quorum.request.timeout.ms
	QuorumRetryBackoffMs       int64 // controller.quorum.retry.backoff.ms
	MetadataSnapshotBytes      int64 // metadata.log.max.record.bytes.between.snapshots

	Groups       Groups       // the group coordinator
	Transactions Transactions // the transaction coordinator

	// The node by itself.
	LogDir                 string     // log.dirs: the data directory as configured; the core only reports it
	Durability             Durability // klamm.durability
	AutoCreateTopics       bool       // auto.create.topics.enable
	DeleteTopicEnable      bool       // delete.topic.enable
	NumPartitions          int32      // num.partitions
	DefaultReplication     int16      // default.replication.factor
	FetchMaxBytes          int32      // fetch.max.bytes
	FetchSessionSlots      int32      // max.incremental.fetch.session.cache.slots
	ProducerIDExpirationMs int64      // producer.id.expiration.ms
	Cleaner                Cleaner    // log.cleaner.*
	CheckpointIntervalMs   int64      // log.flush.offset.checkpoint.interval.ms
	RetentionCheckMs       int64      // log.retention.check.interval.ms
	MaxRequestPartitions   int32      // max.request.partition.size.limit
	DiskStallMs            int64      // klamm.disk.stall.ms: a disk silent for longer is offline
}
