package member

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
)

// EventKind says what an [Event] tells.
type EventKind uint8

// The events of a group member.
const (
	EventAssigned EventKind = iota + 1 // Partitions are this member's from now on
	EventRevoked                       // Partitions are to be given up; the next Poll says that the application is done with them
	EventLost                          // Partitions are not this member's any more; Err is why
	EventFailed                        // the member has left the group for good because of Err; Subscribe begins anew
	EventLeft                          // Leave is done
	EventFetched                       // with Options.Witness: the coordinator told Partitions' committed offset
)

// Event tells what happened to the membership. Events come in the order in which things happened.
type Event struct {
	Kind       EventKind
	Partitions []core.TopicPartition // sorted
	Err        core.ErrorCode
	Detail     string
	Generation int32 // EventAssigned: in which Partitions were assigned

	Offset core.Offset // EventFetched: of the only partition; core.NoOffset if nothing is committed
	Tag    int64       // EventFetched: what Member.Tag had set when the request was sent
}

// Offset is one partition's place to commit.
type Offset struct {
	core.TopicPartition
	Offset core.Offset // of the next record to be processed
	// EpochPlusOne is one more than the leader epoch of the record before Offset, or 0 if that is unknown: with it a log
	// that was truncated since is recognised when the offset is used (KIP-320).
	EpochPlusOne core.LeaderEpoch
	Metadata     string
	Err          core.ErrorCode // in a [Commit]: this partition's outcome
}

// Commit is the outcome of a commit.
type Commit struct {
	Token   uint64
	Auto    bool // it was the member's own idea; only with Options.Witness
	Offsets []Offset
	// Err is the first partition's error, or none. ILLEGAL_GENERATION: a partition is not this member's any more.
	Err core.ErrorCode
	// Ambiguous goes with any outcome: an attempt was lost on its way. It may have been, or may be yet, executed, and then
	// overwrite later commits of this generation with these offsets.
	Ambiguous bool
	// Tag is what Member.Tag had set when the commit was asked for, Generation that of the member then.
	Tag        int64
	Generation int32
}

// Assigned reads a member's assignment as DescribeGroups shows it. Of groups that are not of consumers, and of bytes that
// cannot be read, it is empty.
func Assigned(protocolType string, assignment []byte) []core.TopicPartition {
	if protocolType != protocol.Type {
		return nil
	}
	a, _, err := protocol.ParseAssignment(assignment)
	if err != nil {
		return nil
	}
	return a.Partitions
}

// State is where a member is in the protocol, for people.
type State uint8

// The states.
const (
	Off       State = iota // not subscribed, or has left
	Preparing              // a rebalance waits until the application has given partitions up
	Joining                // JoinGroup, or the first heartbeat of KIP-848, is wanted or under way
	Syncing                // SyncGroup is wanted or under way; the leader assigns
	Stable                 // in the group
	Leaving                // Leave was called
	Failed                 // see EventFailed
)

// String is the state's name.
func (s State) String() string {
	switch s {
	case Off:
		return "off"
	case Preparing:
		return "preparing"
	case Joining:
		return "joining"
	case Syncing:
		return "syncing"
	case Stable:
		return "stable"
	case Leaving:
		return "leaving"
	case Failed:
		return "failed"
	}
	return "unknown"
}
