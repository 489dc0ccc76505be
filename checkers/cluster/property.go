package cluster

import "github.com/klamm-log/klamm/checkers"

// Partitions.
const (
	// AckedDurable: something acknowledged with acks=all is above every leader's HighWatermark, or not in the log of the
	// leader that the controller has chosen.
	AckedDurable checkers.Property = "ACKED-DURABLE"
	// IsrComplete: a running member of the controller's ISR or ELR lacks a committed record, or has not fsynced it when it
	// becomes committed (StrongIsr, LeaderCandidateCompleteness).
	IsrComplete checkers.Property = "ISR-COMPLETE"
	// QuorumSuperset: a leader's maximal ISR lacks a member of the controller's ISR, or of the ELR while the ISR is large
	// enough (KIP-497, KIP-966).
	QuorumSuperset checkers.Property = "QUORUM-SUPERSET"
	// LogMatch: two replicas differ below both HighWatermarks.
	LogMatch checkers.Property = "LOG-MATCH"
	// EpochUnique: an epoch has two leaders, or an (epoch, offset) two contents.
	EpochUnique checkers.Property = "EPOCH-UNIQUE"
	// HighWatermarkMono: a leader that knows its HighWatermark shows less than an earlier leader or itself did; a follower
	// shows, or a client is told, more than any leader did.
	HighWatermarkMono checkers.Property = "HW-MONO"
	// DeleteRespected: a leader of a later epoch than that in which DeleteRecords was acknowledged has the records still
	// (KIP-107: all live replicas have moved their log start by then).
	DeleteRespected checkers.Property = "DELETE-RECORDS"
	// MinIsr: the HighWatermark rose while the ISR was smaller than min.insync.replicas, with ELR on (KIP-966); or a batch was
	// acknowledged with acks=all while it was (Partition.checkEnoughReplicasReachOffset).
	MinIsr checkers.Property = "MIN-ISR"
)

// Producers and transactions, on every replica after every turn.
const (
	// PstatePure is PSTATE-PURE: what a replica holds of producers is not a fold over its log.
	PstatePure checkers.Property = "PSTATE-PURE"
	// LsoExact is LSO-EXACT: a replica's LastStableOffset is not the HighWatermark, or the first offset of a transaction that is open
	// there, or whose marker is not below the HighWatermark; or a client is told of one that no replica has had.
	LsoExact checkers.Property = "LSO-EXACT"
	// TxnFenced: a log takes a batch of a producer epoch behind one of a newer, or a marker of a coordinator behind one of its successor.
	TxnFenced checkers.Property = "TXN-FENCED"
)

// The controller.
const (
	// NoFencedIsr: a fenced or departing broker is in an ISR of more than one (KIP-841).
	NoFencedIsr checkers.Property = "NO-FENCED-ISR"
	// LeaderInIsr: the leader is not in the ISR.
	LeaderInIsr checkers.Property = "LEADER-IN-ISR"
	// ControllerState: the committed state contradicts itself or goes back: an ISR outside the replicas, an ELR that
	// overlaps the ISR, epochs that fall, a broker epoch with two incarnations, a reassignment that ends before its replicas are in sync.
	ControllerState checkers.Property = "CTRL-STATE"
)

// The metadata quorum.
const (
	// RaftOneLeader: an epoch has two leaders.
	RaftOneLeader checkers.Property = "R-ONE-LEADER"
	// RaftLogMatch: LOG-MATCH and the content half of EPOCH-UNIQUE for the metadata log.
	RaftLogMatch checkers.Property = "R-LOG-MATCH"
	// RaftLeaderComplete: a new leader lacks a committed record.
	RaftLeaderComplete checkers.Property = "R-LEADER-COMPLETE"
	// RaftHighWatermarkMono: a node's HighWatermark falls, or a leader that knows its own shows less than was committed.
	RaftHighWatermarkMono checkers.Property = "R-HW-MONO"
	// RaftEpochMono: a node's epoch falls, over restarts too, or it votes for two in one epoch.
	RaftEpochMono checkers.Property = "R-EPOCH-MONO"
	// RaftMajority: something counts as committed that no majority of voters has fsynced.
	RaftMajority checkers.Property = "R-MAJORITY-HW"
	// RaftOneChange: a leader changes the voters before a record of its epoch is committed, or before the change ahead of it
	// is, or by more than one voter (Ongaro, raft-dev 2015; KIP-853).
	RaftOneChange checkers.Property = "R-ONE-CHANGE"
	// RaftLastConfig: a leader counts by other voters than those of the last set in its log (KIP-853: appended is in force).
	RaftLastConfig checkers.Property = "R-LAST-CONFIG"
	// RaftRemovedLeader: a node leads although a committed voter set is without it.
	RaftRemovedLeader checkers.Property = "R-REMOVED-LEADER"
	// RaftSnapshot: a log begins above 0 without a snapshot there, or a snapshot holds what is not committed.
	RaftSnapshot checkers.Property = "R-SNAP"
)

// Liveness, see [Oracle.Waiting].
const (
	LiveStableLeader checkers.Property = "L-STABLE-LEADER"
	LiveMeta         checkers.Property = "L-META"
	LiveUnfence      checkers.Property = "L-UNFENCE"
	LiveAlter        checkers.Property = "L-ALTER"
	LiveLeader       checkers.Property = "L-LEADER"
	LiveCatchup      checkers.Property = "L-CATCHUP"
	LiveReplicated   checkers.Property = "L-REPLICATED"
	LiveReassign     checkers.Property = "L-REASSIGN"
	LiveReconfig     checkers.Property = "L-RECONFIG"
)
