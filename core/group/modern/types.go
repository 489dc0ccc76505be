package modern

import (
	"bytes"
	"cmp"
	"iter"

	"github.com/klamm-log/klamm/core"
)

// Member epochs with a meaning of their own (KIP-848).
const (
	JoinEpoch        int32 = 0  // the member joins, or joins again
	LeaveEpoch       int32 = -1 // the member leaves
	LeaveStaticEpoch int32 = -2 // a static member leaves and will be back within its session
)

// Partition is one partition of one incarnation of a topic.
type Partition struct {
	Topic core.TopicID
	Index int32
}

// Compare orders by topic id, then by index; it returns -1, 0 or +1.
func (p Partition) Compare(other Partition) int {
	if c := bytes.Compare(p.Topic[:], other.Topic[:]); c != 0 {
		return c
	}
	return cmp.Compare(p.Index, other.Index)
}

// Held is a partition that a member has, since an epoch of the member: its assignment epoch (KIP-1251).
type Held struct {
	Partition
	Since int32
}

// MemberState says what a member waits for. The numbers are those of the records.
type MemberState int8

// The states of a member.
const (
	Stable     MemberState = 0 // has reached the target of its epoch
	Unrevoked  MemberState = 1 // has partitions to give up before its epoch can rise
	Unreleased MemberState = 2 // has reached its epoch; partitions of its target are still with others
)

// String is Kafka's name of the state.
func (s MemberState) String() string {
	switch s {
	case Stable:
		return "Stable"
	case Unrevoked:
		return "UnrevokedPartitions"
	case Unreleased:
		return "UnreleasedPartitions"
	}
	return "Unknown"
}

// Member is one member as the log has it. Values are replaced, never changed.
type Member struct {
	ID                 string
	InstanceID         *string // nil for a dynamic member
	RackID             *string
	ClientID           string
	ClientHost         string
	Topics             []string // subscribed by name, ascending
	Regex              string   // subscribed by expression; empty if not
	RebalanceTimeoutMs int32
	ServerAssignor     *string // preferred by the member
	Classic            *ClassicMember

	Epoch         int32
	PreviousEpoch int32 // accepted from a member that has not heard of Epoch yet
	State         MemberState
	Assigned      []Held // ascending
	Revoking      []Held // ascending; still with the member, and not for long
}

// ClassicMember is what the group knows of a member that speaks the classic protocol (KIP-848, online upgrade).
type ClassicMember struct {
	SessionTimeoutMs int32
	Protocols        []ClassicProtocol
}

// ClassicProtocol is one protocol of a classic member.
type ClassicProtocol struct {
	Name     string
	Metadata []byte
}

// HeartbeatRequest is a ConsumerGroupHeartbeat. Fields that are nil (or -1) mean: as before.
type HeartbeatRequest struct {
	MemberID           string // empty: the coordinator gives one (version 0 only)
	MemberEpoch        int32
	InstanceID         *string
	RackID             *string
	RebalanceTimeoutMs int32 // -1: as before
	Topics             []string
	TopicsSet          bool // Topics is not null
	Regex              *string
	ServerAssignor     *string
	Owned              []Partition // what the member has
	OwnedSet           bool        // Owned is not null
	ClientID           string
	ClientHost         string
}

// HeartbeatResult answers it.
type HeartbeatResult struct {
	Code          core.ErrorCode
	Message       string // why, for people; empty without an error
	MemberID      string
	MemberEpoch   int32
	Assignment    []Partition // ascending; meaningful if AssignmentSet
	AssignmentSet bool        // the member must be told its assignment: it has changed, or the member does not know it
}

// Topics is what a group must know of the cluster.
type Topics interface {
	// Version changes whenever a topic is created, deleted, or gets partitions.
	Version() int64
	// Topic is a topic by name; ok is false if there is none.
	Topic(name string) (id core.TopicID, partitions int32, ok bool)
	// Name is a topic by id; ok is false if there is none, or not any more.
	Name(id core.TopicID) (name string, ok bool)
	// Names are the names of all topics, ascending.
	Names() iter.Seq[string]
}

// Config is how groups behave; Kafka's names and defaults.
type Config struct {
	SessionTimeoutMs    int32    // group.consumer.session.timeout.ms
	HeartbeatIntervalMs int32    // group.consumer.heartbeat.interval.ms
	MaxSize             int32    // group.consumer.max.size
	Assignors           []string // group.consumer.assignors; the first is the default
	Downgrade           bool     // group.consumer.migration.policy lets groups become classic ones
	ClassicMaxSize      int32    // group.max.size: larger groups cannot
}

// DefaultConfig is Kafka's.
func DefaultConfig() Config {
	return Config{
		SessionTimeoutMs: 45_000, HeartbeatIntervalMs: 5_000, MaxSize: 1<<31 - 1, Assignors: []string{"uniform", "range"},
		Downgrade: true, ClassicMaxSize: 1<<31 - 1,
	}
}
