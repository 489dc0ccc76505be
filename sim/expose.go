package sim

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

// Node is what the world looks at inside a node of a cluster after each of its turns. core/broker satisfies it; the
// three structs below have twins there, field by field, so that one converts to the other.
//
// Nothing here changes the node, and nothing is copied: what is returned is read before the next turn.
type Node interface {
	step.Machine

	// Listening reports whether the edge accepts connections on the listener of that name: controllers' from the start
	// of the process, clients' while the broker serves.
	Listening(name string) bool
	// Serving reports whether the node has come up: a broker is registered and unfenced, its logs are recovered; a
	// controller without the broker role has recovered its metadata log.
	Serving() bool
	// Halted says that the process has ended itself, why, and whether in good order.
	Halted() (why string, clean, halted bool)
	// Shutdown begins an orderly end.
	Shutdown()

	// BrokerEpoch is the epoch of this incarnation's registration, -1 before the controller has answered it, and for nodes
	// without the broker role.
	BrokerEpoch() core.BrokerEpoch
	// Image is the committed cluster image of this node; Image().Offset() says as of when.
	Image() *metadata.Image
	// Quorum is the state of this node's part of the metadata quorum; ok is false before its log is recovered.
	Quorum() (v QuorumLook, ok bool)
	// View is one replica's state; ok is false if this node has none. __cluster_metadata is no replica.
	View(tp core.TopicPartition) (v ReplicaLook, ok bool)
	// Touched are the replicas of which anything but LogEndOffset and DurableOffset changed in the last turn: being made,
	// becoming ready, going offline, leadership, epochs, ISR, HighWatermark, log start. Needs Tuning.Check.
	Touched() []ReplicaLook
	// Journal is what the last turn did to logs, __cluster_metadata's included, in order. Needs Tuning.Check. It begins
	// when a log is ready; what recovery found is read off the disk.
	Journal() []JournalEntry
}

// JournalKind says what a [JournalEntry] did.
type JournalKind uint8

// Changes of a log, as core/log numbers them. Its other kinds of entries may be among them and are passed over.
const (
	JournalAppended  JournalKind = iota + 1 // one batch, Base to Last, in memory; not yet durable
	JournalTruncated                        // everything at and above Base is gone
	JournalRestarted                        // everything is gone, the log starts anew at Base
)

// JournalEntry is one change of one log.
type JournalEntry struct {
	TP         core.TopicPartition
	TopicID    core.TopicID // core.MetadataTopicID for the metadata log
	Kind       JournalKind
	Base, Last core.Offset
	Epoch      core.LeaderEpoch
	CRC        uint32
}

// ReplicaLook is one replica's state.
type ReplicaLook struct {
	TP      core.TopicPartition
	TopicID core.TopicID
	// Leader says that this node leads in Epoch as far as it knows, and answers clients.
	Leader           bool
	LeaderID         core.NodeID
	Epoch            core.LeaderEpoch
	PartitionEpoch   core.PartitionEpoch
	ISR, MaximalISR  []core.NodeID // of a leader
	EpochStart       core.Offset   // of a leader: where its epoch begins
	HWKnown          bool          // of a leader: HighWatermark has reached EpochStart (KIP-207), so it is exposed
	LogStartOffset   core.Offset
	HighWatermark    core.Offset
	LogEndOffset     core.Offset
	DurableOffset    core.Offset
	LastStableOffset core.Offset
	Offline          string // why the log is offline; empty while it is not
	Opening          bool   // recovery is under way: the counters mean nothing yet
}

// QuorumLook is one node's part of the metadata quorum.
type QuorumLook struct {
	Role      string           // unattached voted prospective candidate leader follower observer resigned
	Epoch     core.LeaderEpoch // as quorum-state has it on the disk
	Leader    core.NodeID      // core.NoNode: not known
	Voted     core.NodeID      // core.NoNode: nobody in this epoch
	Directory metadata.DirectoryID
	// Voters is the set that this node's log says is in force, by id; a voter with another directory id than the set
	// names is none.
	Voters                                      []core.NodeID
	HighWatermark, LogStartOffset, LogEndOffset core.Offset
	DurableOffset                               core.Offset
	EpochStart                                  core.Offset // of a leader
	SnapshotEnd                                 core.Offset // end offset of the newest complete snapshot; 0: none
}
