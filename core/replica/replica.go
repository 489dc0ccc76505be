package replica

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/record"
)

// Replica is this node's replica of one partition.
type Replica struct {
	TP      core.TopicPartition
	TopicID core.TopicID
	Log     *log.Log

	leader        core.NodeID
	self          core.NodeID
	epoch         core.LeaderEpoch
	highWatermark core.Offset
}

// New is a replica on node self that follows nobody yet.
func New(self core.NodeID, tp core.TopicPartition, id core.TopicID, l *log.Log) *Replica {
	return &Replica{TP: tp, TopicID: id, Log: l, self: self, leader: core.NoNode, epoch: core.NoLeaderEpoch}
}

// SetLeader takes over the leader and epoch that the metadata log assigns.
func (r *Replica) SetLeader(leader core.NodeID, epoch core.LeaderEpoch) {
	invariant.Check(epoch >= r.epoch, "%v: leader epoch falls from %d to %d", r.TP, r.epoch, epoch)
	r.leader, r.epoch = leader, epoch
}

// LeaderEpoch is the current epoch.
func (r *Replica) LeaderEpoch() core.LeaderEpoch { return r.epoch }

// Serving says whether clients may read and write here, and if not, Kafka's answer.
func (r *Replica) Serving() core.ErrorCode {
	switch _, offline := r.Log.Offline(); {
	case offline:
		return core.ErrKafkaStorageError
	case r.leader != r.self || !r.Log.Ready():
		return core.ErrNotLeaderOrFollower
	}
	return core.ErrNone
}

// CheckEpoch compares the leader epoch that a client believes in with the current one; -1 is not checked (KIP-320).
func (r *Replica) CheckEpoch(believed core.LeaderEpoch) core.ErrorCode {
	switch {
	case believed == core.NoLeaderEpoch || believed == r.epoch:
		return core.ErrNone
	case believed < r.epoch:
		return core.ErrFencedLeaderEpoch
	}
	return core.ErrUnknownLeaderEpoch
}

// Append appends one checked batch as the leader.
func (r *Replica) Append(now core.Now, b record.Batch, sum *record.Summary) log.Appended {
	return r.Log.AppendAsLeader(now, b, sum, r.epoch)
}

// HighWatermark is the end of what is committed: what every in-sync replica, here this one, holds durably.
func (r *Replica) HighWatermark() core.Offset { return r.highWatermark }

// LastStableOffset is the HighWatermark, or the first offset of the oldest open transaction if that is less (KIP-98).
func (r *Replica) LastStableOffset() core.Offset {
	if first, open := r.Log.FirstUnstable(); open {
		return min(r.highWatermark, max(first, r.Log.LogStartOffset()))
	}
	return r.highWatermark
}

// Settle notes in the log's epoch history that this replica leads from here on, as soon as the log is ready
// (KIP-101: a leader records where its epoch starts before it appends in it).
func (r *Replica) Settle() {
	if r.leader == r.self && r.Log.Ready() && r.Log.LatestEpoch() < r.epoch {
		r.Log.AssignEpoch(r.epoch)
	}
}

// EpochAt is the leader epoch of the record at an offset, or NoLeaderEpoch.
func (r *Replica) EpochAt(o core.Offset) core.LeaderEpoch { return r.Log.EpochOf(o) }

// Advance raises the HighWatermark as far as the rules allow and reports whether it moved.
func (r *Replica) Advance() bool {
	if !r.Log.Ready() {
		return false
	}
	hw := max(r.Log.DurableOffset(), r.Log.LogStartOffset())
	if hw <= r.highWatermark {
		return false
	}
	r.highWatermark = hw
	return true
}

// Check asserts the package's invariants.
func (r *Replica) Check() {
	if !r.Log.Ready() {
		return
	}
	start, end := r.Log.LogStartOffset(), r.Log.LogEndOffset()
	lso, hw := r.LastStableOffset(), r.highWatermark
	invariant.Check(start <= hw && hw <= end && lso <= hw && hw <= max(start, r.Log.DurableOffset()),
		"%v: log start %d, last stable %d, high watermark %d, durable %d, log end %d",
		r.TP, start, lso, hw, r.Log.DurableOffset(), end)
}

// EpochEnd is the largest epoch at or below the one asked for and its end offset, or (-1, -1). The current epoch is
// known to its leader even before it has appended anything in it (KIP-279).
func (r *Replica) EpochEnd(asked core.LeaderEpoch) (core.LeaderEpoch, core.Offset) {
	if asked == r.epoch {
		return r.epoch, r.Log.LogEndOffset()
	}
	return r.Log.EpochEnd(asked)
}
