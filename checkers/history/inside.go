package history

import "github.com/klamm-log/klamm/core"

// Key names one partition of one incarnation of a topic by id, as nodes know it. core.MetadataTopicID, partition 0, is
// the metadata log.
type Key struct {
	TopicID   core.TopicID
	Partition int32
}

// Stored is one batch as a node's log holds it.
type Stored struct {
	Base, Last core.Offset
	Epoch      core.LeaderEpoch
	CRC        uint32
	Produced   Produced
}

// LogChange says what happened to a log.
type LogChange uint8

// Changes of a log.
const (
	Appended  LogChange = iota + 1 // one batch
	Truncated                      // everything at and above Base is gone
	Restarted                      // everything is gone, the log starts anew at Base
)

// LogEntry is one change of one node's log.
type LogEntry struct {
	Node core.NodeID
	Key  Key
	Kind LogChange
	Stored
}

// Opening is what a log holds when its recovery is over.
type Opening struct {
	Node       core.NodeID
	Name       core.TopicPartition
	Key        Key
	Start, End core.Offset
	Batches    []Stored // from Start to End, read off the disk
	Swapped    bool     // a start of the node found a swap of the log cleaner to finish: nobody may have told of it
}

// ReplicaLook is a look at one replica after a turn.
type ReplicaLook struct {
	Node core.NodeID
	Key  Key
	// Leader: it leads in Epoch as far as it knows, and answers clients.
	Leader          bool
	Epoch           core.LeaderEpoch
	ISR, MaximalISR []core.NodeID // of a leader: committed, and with what it has proposed
	HWKnown         bool          // of a leader: it exposes its HighWatermark (KIP-207)
	MinISR          int           // of a leader: min.insync.replicas as the node knows it; 0: the rule for HighWatermarks is off (no ELR)
	Least           int           // of a leader: min.insync.replicas as the node knows it, for acks=all
	LogStartOffset  core.Offset
	HighWatermark   core.Offset
}

// PartitionState is the controller's committed state of one partition.
type PartitionState struct {
	Name               core.TopicPartition
	Key                Key
	Replicas, ISR, ELR []core.NodeID
	Adding, Removing   []core.NodeID
	Leader             core.NodeID
	LeaderEpoch        core.LeaderEpoch
	PartitionEpoch     core.PartitionEpoch
	MinISR             int
	Gone               bool // the topic was deleted; only Key counts
}

// BrokerState is a committed registration.
type BrokerState struct {
	ID                           core.NodeID
	Epoch                        core.BrokerEpoch
	Incarnation                  [16]byte
	Fenced, InControlledShutdown bool
	Gone                         bool // unregistered
}

// QuorumLook is a look at one node's part of the metadata quorum after a turn.
type QuorumLook struct {
	Node      core.NodeID
	Leads     bool
	Current   core.LeaderEpoch // in which the node is
	Leader    core.NodeID      // of Current, as far as the node knows
	Epoch     core.LeaderEpoch // what its disk would keep in a power loss, and whom it has voted for by it
	Voted     core.NodeID
	Directory [16]byte
	Voters    []core.NodeID // of a leader, by its own log
	Told      core.Offset   // the voter sets of all that the log has below it have been told
	// HighWatermark is the end of what the node knows to be committed.
	HighWatermark, LogStartOffset, LogEndOffset, SnapshotEnd core.Offset
}

// VoterSet is the set of voters that a record of a node's metadata log makes (KIP-853).
type VoterSet struct {
	Offset core.Offset
	Epoch  core.LeaderEpoch
	Voters []core.NodeID // ascending
}

// Acceptance is an acknowledgement of a batch with acks=all that leaves its leader, with what the leader counts on at the end
// of the turn.
type Acceptance struct {
	Node  core.NodeID
	Key   Key
	Epoch core.LeaderEpoch
	Base  core.Offset
	ISR   []core.NodeID // committed, as the leader knows it
	Least int           // min.insync.replicas, likewise
}

// Core is the part of a cluster that has been healed: a majority of the voters, all links among its nodes work, all of them
// run. Everything promised must happen within it, whatever the others do.
type Core struct {
	Nodes   []core.NodeID // ascending
	Brokers []core.NodeID // those of Nodes with the broker role
	// Quiet is how long no election may have been held for the quorum to count as stable.
	Quiet core.Mono
}

// Owed is something that must happen in a healed core and has not yet.
type Owed struct {
	Property, Place, Message string
}

// Witness sees the inside of a cluster while it runs: the world calls it after each turn of a node, in this order:
// LogChanged, LogOpened and Voters; the registrations and partitions that a newer committed image changed, then ImageSeen;
// Accepted; Durable of all nodes before a look that raises a HighWatermark; Replica; Quorum. A witness that judges says in Broken
// that it has seen enough.
type Witness interface {
	// Up and Down are starts and ends of a node's process; wiped: its disk is lost.
	Up(at core.Mono, node core.NodeID)
	Down(at core.Mono, node core.NodeID, wiped bool)
	LogOpened(at core.Mono, o Opening)
	LogChanged(at core.Mono, e LogEntry)
	// Voters is a voter set in a node's metadata log, appended or found when it was opened.
	Voters(node core.NodeID, v VoterSet)
	// LogClosed: the node has no ready log of that key any more.
	LogClosed(at core.Mono, node core.NodeID, k Key)
	// Durable is how much of a log a node has fsynced.
	Durable(node core.NodeID, k Key, o core.Offset)
	// Committed is the end of what any leader of the partition has shown to be committed.
	Committed(k Key) core.Offset
	Replica(at core.Mono, v ReplicaLook)
	Partition(at core.Mono, s PartitionState)
	Broker(at core.Mono, s BrokerState)
	// ImageSeen: all that the committed image at this offset changed has been told; the state may be judged.
	ImageSeen(at core.Mono, offset core.Offset)
	// Applied is the end of what a node has applied of the metadata log, and the epoch of its registration as far as it knows; -1: none yet.
	Applied(at core.Mono, node core.NodeID, offset core.Offset, epoch core.BrokerEpoch)
	Quorum(at core.Mono, v QuorumLook)
	// Accepted is what a leader tells a producer, before the looks of the same turn.
	Accepted(at core.Mono, a Acceptance)
	// Acked: a client was told with acks=all that everything up to last is stored.
	Acked(at core.Mono, k Key, last core.Offset)
	// Told: a client was told that everything below end is committed, and everything below stable decided; [core.NoOffset]: nothing
	// of it.
	Told(at core.Mono, k Key, end, stable core.Offset)
	// Deleted: a client was told that everything below before is deleted.
	Deleted(at core.Mono, k Key, before core.Offset)
	Broken() bool
	// Waiting is what a healed core owes at this instant; what it still owes at the end of the time that it is granted is a
	// violation.
	Waiting(at core.Mono, c Core) []Owed
}
