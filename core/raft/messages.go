package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

// CallID names one of our calls; ids are never reused by a process.
type CallID uint64

// Asker names whoever waits for an answer. It is the caller's and means nothing here; zero is nobody.
type Asker uint64

// Lane separates calls that wait long from those that must not wait behind them.
type Lane uint8

// The lanes of a peer's connections.
const (
	LaneControl Lane = iota // elections and changes of the voter set: answered soon
	LaneFetch               // Fetch and FetchSnapshot: the leader may hold them back until there is news
)

// Peer is where a call goes. ID is NoNode where only the address is known (a bootstrap server).
type Peer struct {
	ID   core.NodeID
	Addr string // "host:port"
}

// Call is a request of ours to a peer. Exactly one [Quorum.Response] answers it.
type Call struct {
	ID   CallID
	To   Peer
	Lane Lane
	Req  Request
}

// Answer is the response to a request that came through [Quorum.Receive].
type Answer struct {
	To   Asker
	Resp Response
	// Span is the records of a [FetchResponse], or the piece of a snapshot of a [FetchSnapshotResponse]; the response's own
	// bytes are then nil, and the edge sends the span in their place. Len 0: none.
	Span step.Span
}

// OffsetAndEpoch is an end of a log: the offset after the last record, and the epoch of that record.
type OffsetAndEpoch struct {
	Offset core.Offset
	Epoch  core.LeaderEpoch
}

// noOffsetAndEpoch is Kafka's default on the wire: absent.
func noOffsetAndEpoch() OffsetAndEpoch {
	return OffsetAndEpoch{Offset: core.NoOffset, Epoch: core.NoLeaderEpoch}
}

// Present tells an end from "absent" (epoch -1).
func (a OffsetAndEpoch) Present() bool { return a.Epoch >= 0 }

// Compare orders ends of logs as raft does (section 5.4.1): the later epoch wins, then the longer log. It returns -1, 0
// or +1.
func (a OffsetAndEpoch) Compare(b OffsetAndEpoch) int {
	switch {
	case a.Epoch < b.Epoch:
		return -1
	case a.Epoch > b.Epoch:
		return 1
	case a.Offset < b.Offset:
		return -1
	case a.Offset > b.Offset:
		return 1
	}
	return 0
}

// Current is what every response says about the quorum, as far as the answering node knows: how nodes learn of epochs
// and leaders.
type Current struct {
	LeaderID    core.NodeID // NoNode: unknown
	LeaderEpoch core.LeaderEpoch
	LeaderAddr  string // "host:port" of the leader's controller listener, "" if unknown
}

// Request is the closed sum of what nodes of a quorum ask each other.
type Request interface{ request() }

// Response is the closed sum of the answers; each carries [Current].
type Response interface{ quorum() *Current }

// VoteRequest asks for a vote, or with PreVote whether one would be given (KIP-595, 853, 996; Vote version 2).
type VoteRequest struct {
	VoterID            core.NodeID // whom the candidate means, NoNode: not said
	VoterDirectoryID   metadata.DirectoryID
	ReplicaEpoch       core.LeaderEpoch // the candidate's epoch; with PreVote the epoch that it is in
	ReplicaID          core.NodeID
	ReplicaDirectoryID metadata.DirectoryID
	LastOffsetEpoch    core.LeaderEpoch // of the candidate's last record
	LastOffset         core.Offset      // the end of the candidate's log
	PreVote            bool
}

// VoteResponse answers a [VoteRequest]. Codes: FENCED_LEADER_EPOCH, INVALID_VOTER_KEY, INVALID_REQUEST.
type VoteResponse struct {
	Code core.ErrorCode
	Current
	VoteGranted bool
}

// BeginQuorumEpochRequest tells a voter who leads.
type BeginQuorumEpochRequest struct {
	VoterID          core.NodeID
	VoterDirectoryID metadata.DirectoryID
	LeaderID         core.NodeID
	LeaderEpoch      core.LeaderEpoch
	LeaderEndpoints  []metadata.VoterEndpoint
}

// BeginQuorumEpochResponse answers it. Codes: FENCED_LEADER_EPOCH, INVALID_VOTER_KEY, INVALID_REQUEST.
type BeginQuorumEpochResponse struct {
	Code core.ErrorCode
	Current
}

// EndQuorumEpochRequest tells a voter that the leader has resigned.
type EndQuorumEpochRequest struct {
	LeaderID            core.NodeID
	LeaderEpoch         core.LeaderEpoch
	PreferredCandidates []VoterKey // the most caught up first
	LeaderEndpoints     []metadata.VoterEndpoint
}

// EndQuorumEpochResponse answers it. Codes: FENCED_LEADER_EPOCH, INVALID_REQUEST.
type EndQuorumEpochResponse struct {
	Code core.ErrorCode
	Current
}

// KnowsAnyHighWatermark in [FetchRequest.HighWatermark] says that the asker does not tell what it knows (before KIP-1166).
const KnowsAnyHighWatermark core.Offset = 1<<63 - 1

// FetchRequest asks the leader for records, and acknowledges: everything below FetchOffset is durable at the asker.
type FetchRequest struct {
	ReplicaID          core.NodeID
	ReplicaDirectoryID metadata.DirectoryID
	MaxWait            core.Mono
	MaxBytes           int32
	CurrentLeaderEpoch core.LeaderEpoch
	FetchOffset        core.Offset
	LastFetchedEpoch   core.LeaderEpoch
	HighWatermark      core.Offset // KIP-1166: what the asker knows, NoOffset: nothing; or KnowsAnyHighWatermark
}

// FetchResponse answers it. At most one of DivergingEpoch, SnapshotID and records is there. Codes: FENCED_LEADER_EPOCH,
// UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER, INVALID_REQUEST, BROKER_NOT_AVAILABLE.
type FetchResponse struct {
	Code core.ErrorCode
	Current
	HighWatermark  core.Offset // NoOffset until the leader has committed in its epoch
	LogStartOffset core.Offset
	DivergingEpoch OffsetAndEpoch // the leader's largest epoch at or below LastFetchedEpoch and where it ends; Epoch -1: absent
	SnapshotID     OffsetAndEpoch // fetch this snapshot first (KIP-630); Epoch -1: absent
	Records        []byte
}

// FetchSnapshotRequest asks for a piece of a snapshot (KIP-630).
type FetchSnapshotRequest struct {
	ReplicaID          core.NodeID
	ReplicaDirectoryID metadata.DirectoryID
	MaxBytes           int32
	CurrentLeaderEpoch core.LeaderEpoch
	SnapshotID         OffsetAndEpoch
	Position           int64
}

// FetchSnapshotResponse answers it. Codes: those of [FetchResponse], SNAPSHOT_NOT_FOUND, POSITION_OUT_OF_RANGE.
type FetchSnapshotResponse struct {
	Code core.ErrorCode
	Current
	SnapshotID OffsetAndEpoch
	Size       int64 // of the whole snapshot
	Position   int64
	Bytes      []byte // not aligned to batches
}

// AddRaftVoterRequest makes an observer a voter (KIP-853).
type AddRaftVoterRequest struct {
	Timeout          core.Mono
	VoterID          core.NodeID
	VoterDirectoryID metadata.DirectoryID
	Listeners        []metadata.VoterEndpoint
	// AckNow answers when the change is appended rather than when it is committed: Kafka's AckWhenCommitted=false, by which
	// controllers that join by themselves avoid waiting for their own acknowledgement.
	AckNow bool
}

// AddRaftVoterResponse answers it. Codes: NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT (also: another change is under way, or
// the node has not caught up), UNSUPPORTED_VERSION, DUPLICATE_VOTER, INVALID_REQUEST.
type AddRaftVoterResponse struct {
	Code core.ErrorCode
	Why  string
	Current
}

// RemoveRaftVoterRequest takes a voter out of the voter set (KIP-853).
type RemoveRaftVoterRequest struct {
	VoterID          core.NodeID
	VoterDirectoryID metadata.DirectoryID
}

// RemoveRaftVoterResponse answers it. Codes: NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, UNSUPPORTED_VERSION, VOTER_NOT_FOUND.
type RemoveRaftVoterResponse struct {
	Code core.ErrorCode
	Why  string
	Current
}

// UpdateRaftVoterRequest changes a voter's endpoints or its range of kraft.version (KIP-853).
type UpdateRaftVoterRequest struct {
	CurrentLeaderEpoch core.LeaderEpoch
	VoterID            core.NodeID
	VoterDirectoryID   metadata.DirectoryID
	Listeners          []metadata.VoterEndpoint
	KRaftMin, KRaftMax metadata.FeatureLevel
}

// UpdateRaftVoterResponse answers it, when the change is appended. Codes: those of [RemoveRaftVoterResponse],
// FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, INVALID_REQUEST.
type UpdateRaftVoterResponse struct {
	Code core.ErrorCode
	Current
}

func (*VoteRequest) request()             {}
func (*BeginQuorumEpochRequest) request() {}
func (*EndQuorumEpochRequest) request()   {}
func (*FetchRequest) request()            {}
func (*FetchSnapshotRequest) request()    {}
func (*AddRaftVoterRequest) request()     {}
func (*RemoveRaftVoterRequest) request()  {}
func (*UpdateRaftVoterRequest) request()  {}

func (c *Current) quorum() *Current { return c }
