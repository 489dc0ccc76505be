package metadata

import (
	"encoding/base64"

	"github.com/klamm-log/klamm/core"
)

// DirectoryID identifies a log directory of a broker (KIP-858): it stands in the directory's meta.properties and says
// which replicas are lost when a disk fails. Ids below 100 are reserved.
type DirectoryID [16]byte

// DirMigrating is the zero id: the replica has a directory, but nobody has said which.
var DirMigrating = DirectoryID{} //nolint:gochecknoglobals // a constant array is not expressible in Go

// DirUnassigned waits for the broker to pick a directory.
var DirUnassigned = DirectoryID{15: 1} //nolint:gochecknoglobals // a constant array is not expressible in Go

// DirLost is a directory that is offline and unknown.
var DirLost = DirectoryID{15: 2} //nolint:gochecknoglobals // a constant array is not expressible in Go

// String is Kafka's printed form: URL-safe base64 without padding.
func (d DirectoryID) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// Reserved reports whether the id is none of a real directory: the named ones above and all others below 100.
func (d DirectoryID) Reserved() bool {
	for _, b := range d[:15] {
		if b != 0 {
			return false
		}
	}
	return d[15] < 100
}

// LeaderRecoveryState says whether the leader was elected from the ISR (KIP-704). After an unclean election the new
// leader is Recovering until it has reported, with AlterPartition, that its log is consistent again.
type LeaderRecoveryState int8

// The leader recovery states. RecoveryKeep appears only in change records.
const (
	Recovered    LeaderRecoveryState = 0
	Recovering   LeaderRecoveryState = 1 // elected outside the ISR, repair not confirmed
	RecoveryKeep LeaderRecoveryState = -1
)

// LeaderKeep in a [PartitionChangeRecord] leaves leader and leader epoch as they are. It differs from core.NoNode,
// which takes the leadership from whoever has it.
const LeaderKeep core.NodeID = -2

// TopicRecord creates a topic; its configuration and its partitions follow in the same batch, so that no reader sees
// a topic without partitions.
type TopicRecord struct {
	Name    string
	TopicID core.TopicID // drawn by the controller; never used again for another topic (KIP-516)
}

// APIKey implements [Record].
func (*TopicRecord) APIKey() RecordKey { return KeyTopic }

func (r *TopicRecord) walk(c *coder) {
	c.str(&r.Name)
	uuid(c, &r.TopicID)
	c.noTags()
}

// RemoveTopicRecord deletes a topic with its partitions and its configuration: no other record says so. Brokers
// delete their replicas when they replay it; the id tells them which incarnation is meant.
type RemoveTopicRecord struct {
	TopicID core.TopicID
}

// APIKey implements [Record].
func (*RemoveTopicRecord) APIKey() RecordKey { return KeyRemoveTopic }

func (r *RemoveTopicRecord) walk(c *coder) {
	uuid(c, &r.TopicID)
	c.noTags()
}

// PartitionRecord is a partition's whole state: as created, or as a snapshot found it. What happens to a partition in
// between is told by [PartitionChangeRecord]. Schema versions 0-2.
type PartitionRecord struct {
	PartitionID            int32
	TopicID                core.TopicID
	Replicas               []core.NodeID // first is the preferred leader
	ISR                    []core.NodeID // subset of Replicas
	RemovingReplicas       []core.NodeID // on their way out in a reassignment (KIP-455)
	AddingReplicas         []core.NodeID // on their way in
	Leader                 core.NodeID   // core.NoNode: offline
	LeaderRecoveryState    LeaderRecoveryState
	LeaderEpoch            core.LeaderEpoch    // rises with each record that names a leader
	PartitionEpoch         core.PartitionEpoch // rises with each change; AlterPartition is checked against it
	Directories            []DirectoryID       // version 1+, parallel to Replicas, or empty: all DirMigrating
	EligibleLeaderReplicas []core.NodeID       // version 2+, nil: none (KIP-966)
	LastKnownElr           []core.NodeID       // version 2+, nil: none
}

// APIKey implements [Record].
func (*PartitionRecord) APIKey() RecordKey { return KeyPartition }

func (r *PartitionRecord) walk(c *coder) {
	num32(c, &r.PartitionID)
	uuid(c, &r.TopicID)
	array(c, &r.Replicas, 4, num32[core.NodeID])
	array(c, &r.ISR, 4, num32[core.NodeID])
	array(c, &r.RemovingReplicas, 4, num32[core.NodeID])
	array(c, &r.AddingReplicas, 4, num32[core.NodeID])
	num32(c, &r.Leader)
	num32(c, &r.LeaderEpoch)
	num32(c, &r.PartitionEpoch)
	if c.since(1, len(r.Directories) > 0, "Directories") {
		array(c, &r.Directories, 16, uuid[DirectoryID])
	}
	t := newTags(c)
	t.field(0, r.LeaderRecoveryState != Recovered, func(c *coder) { num8(c, &r.LeaderRecoveryState) })
	if c.since(2, r.EligibleLeaderReplicas != nil, "EligibleLeaderReplicas") {
		nullableNodes(&t, 1, &r.EligibleLeaderReplicas)
	}
	if c.since(2, r.LastKnownElr != nil, "LastKnownElr") {
		nullableNodes(&t, 2, &r.LastKnownElr)
	}
	t.end()
}

// PartitionChangeRecord changes the fields of a partition that are not at their "keep" value. Each one raises the
// partition epoch by one; a Leader other than LeaderKeep raises the leader epoch too, even if it names the leader
// that there is. The epochs themselves are not in the record: a reader that missed one would be wrong for ever,
// which is why replay refuses changes of partitions it does not know. Schema versions 0-2.
type PartitionChangeRecord struct {
	PartitionID            int32
	TopicID                core.TopicID
	ISR                    []core.NodeID // nil: keep, here and in the slices below
	Leader                 core.NodeID   // LeaderKeep, core.NoNode or a replica
	Replicas               []core.NodeID
	RemovingReplicas       []core.NodeID
	AddingReplicas         []core.NodeID
	LeaderRecoveryState    LeaderRecoveryState // RecoveryKeep: keep
	EligibleLeaderReplicas []core.NodeID       // version 2+
	LastKnownElr           []core.NodeID       // version 2+
	Directories            []DirectoryID       // version 1+, parallel to the replicas
}

// NewPartitionChange is a change of one partition that keeps everything; the caller sets what changes. The zero
// PartitionChangeRecord is not that: it makes node 0 the leader.
func NewPartitionChange(topic core.TopicID, partition int32) *PartitionChangeRecord {
	return &PartitionChangeRecord{
		PartitionID: partition, TopicID: topic, Leader: LeaderKeep, LeaderRecoveryState: RecoveryKeep,
	}
}

// APIKey implements [Record].
func (*PartitionChangeRecord) APIKey() RecordKey { return KeyPartitionChange }

func (r *PartitionChangeRecord) walk(c *coder) {
	num32(c, &r.PartitionID)
	uuid(c, &r.TopicID)
	if c.reading { // absent tags mean "keep"
		r.Leader, r.LeaderRecoveryState = LeaderKeep, RecoveryKeep
	}
	t := newTags(c)
	nullableNodes(&t, 0, &r.ISR)
	t.field(1, r.Leader != LeaderKeep, func(c *coder) { num32(c, &r.Leader) })
	nullableNodes(&t, 2, &r.Replicas)
	nullableNodes(&t, 3, &r.RemovingReplicas)
	nullableNodes(&t, 4, &r.AddingReplicas)
	t.field(5, r.LeaderRecoveryState != RecoveryKeep, func(c *coder) { num8(c, &r.LeaderRecoveryState) })
	if c.since(2, r.EligibleLeaderReplicas != nil, "EligibleLeaderReplicas") {
		nullableNodes(&t, 6, &r.EligibleLeaderReplicas)
	}
	if c.since(2, r.LastKnownElr != nil, "LastKnownElr") {
		nullableNodes(&t, 7, &r.LastKnownElr)
	}
	if c.since(1, r.Directories != nil, "Directories") {
		t.field(8, r.Directories != nil, func(c *coder) { nullableArray(c, &r.Directories, 16, uuid[DirectoryID]) })
	}
	t.end()
}

// nullableNodes codes a tagged, nullable list of nodes whose default is null.
func nullableNodes(t *tags, tag uint32, p *[]core.NodeID) {
	t.field(tag, *p != nil, func(c *coder) { nullableArray(c, p, 4, num32[core.NodeID]) })
}

// ClearElrRecord empties the eligible leader replicas of one topic, or of all when TopicName is empty (KIP-966). The
// controller writes it when min.insync.replicas changes, since ELR members were chosen under the old value.
type ClearElrRecord struct {
	TopicName string
}

// APIKey implements [Record].
func (*ClearElrRecord) APIKey() RecordKey { return KeyClearElr }

func (r *ClearElrRecord) walk(c *coder) {
	c.str(&r.TopicName)
	c.noTags()
}
