package log

// Signatures that are being filled in.

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// Open starts recovery; the log is usable once Ready, or Offline.
func (l *Log) Open(now core.Now, out *step.Effects) { panic("todo") }

// DiskDone takes the completion of one of the log's operations (d.Owner() is the log's owner).
func (l *Log) DiskDone(now core.Now, d *step.DiskDone, out *step.Effects) { panic("todo") }

// EndTurn hands out the turn's appends and syncs. Call it once per turn after appends or completions.
func (l *Log) EndTurn(now core.Now, out *step.Effects) { panic("todo") }

// Ready reports whether the log can be appended to and read.
func (l *Log) Ready() bool { panic("todo") }

// Offline is the failure that ended the log's service, and whether there is one.
func (l *Log) Offline() (Failure, bool) { panic("todo") }

// LogStartOffset is the first offset that may be read.
func (l *Log) LogStartOffset() core.Offset { panic("todo") }

// LogEndOffset is the offset of the next record to be appended.
func (l *Log) LogEndOffset() core.Offset { panic("todo") }

// DurableOffset is the end of what counts as durable under the policy.
func (l *Log) DurableOffset() core.Offset { panic("todo") }

// WrittenOffset is the end of what is known to be in the files, synced or not: what spans may name.
func (l *Log) WrittenOffset() core.Offset { panic("todo") }

// RecoveryPoint is the value for recovery-point-offset-checkpoint.
func (l *Log) RecoveryPoint() core.Offset { panic("todo") }

// Size is the bytes of all segments' .log files.
func (l *Log) Size() int64 { panic("todo") }

// TopicID is what partition.metadata says, zero if nothing.
func (l *Log) TopicID() core.TopicID { panic("todo") }

// AppendAsLeader appends one checked batch, stamping offsets, epoch and time into it in place; the bytes then belong
// to the log.
func (l *Log) AppendAsLeader(now core.Now, batch record.Batch, sum *record.Summary, epoch core.LeaderEpoch) Appended {
	panic("todo")
}

// AppendAsFollower appends the whole batches at the start of data as another leader wrote them.
func (l *Log) AppendAsFollower(now core.Now, data []byte) Appended { panic("todo") }

// Locate finds the bytes that answer a fetch.
func (l *Log) Locate(q Query) Located { panic("todo") }

// ResolveLocate continues a Locate with the bytes it needed.
func (l *Log) ResolveLocate(q Query, need ReadRequest, data []byte) Located { panic("todo") }

// FindByTimestamp looks a record up by time.
func (l *Log) FindByTimestamp(q TimeQuery) TimeFound { panic("todo") }

// ResolveTimestamp continues a FindByTimestamp with the bytes it needed.
func (l *Log) ResolveTimestamp(q TimeQuery, need ReadRequest, data []byte, c *record.Codecs) TimeFound {
	panic("todo")
}

// EpochEnd is the largest known epoch at or below the one asked for and the offset at which it ends (KIP-279).
func (l *Log) EpochEnd(asked core.LeaderEpoch) (core.LeaderEpoch, core.Offset) { panic("todo") }

// LatestEpoch is the epoch of the last batch, or NoLeaderEpoch.
func (l *Log) LatestEpoch() core.LeaderEpoch { panic("todo") }

// Producers is the table of idempotent producers as of LogEndOffset.
func (l *Log) Producers() *pstate.Table { panic("todo") }

// NextDeadline is when Tick wants to be called: the age limit of the oldest outstanding operation.
func (l *Log) NextDeadline() (core.Mono, bool) { panic("todo") }

// Tick takes a log with a stuck disk offline.
func (l *Log) Tick(now core.Now) { panic("todo") }

// TruncateTo cuts the log so that it ends at or below offset; asynchronous, Ready is false meanwhile.
func (l *Log) TruncateTo(now core.Now, offset core.Offset, out *step.Effects) { panic("todo") }

// TruncateFullyAndStartAt empties the log and lets it continue at offset; asynchronous like TruncateTo.
func (l *Log) TruncateFullyAndStartAt(now core.Now, offset core.Offset, out *step.Effects) {
	panic("todo")
}

// DeleteRecordsBefore raises the log start offset (DeleteRecords, or a leader's answer to a follower), never past hw.
func (l *Log) DeleteRecordsBefore(now core.Now, offset, hw core.Offset, out *step.Effects) core.ErrorCode {
	panic("todo")
}

// ApplyRetention removes whole segments by age and size, never past hw.
func (l *Log) ApplyRetention(now core.Now, hw core.Offset, out *step.Effects) (removed int) {
	panic("todo")
}

// Close makes everything durable and closes the files; Closed reports the end.
func (l *Log) Close(now core.Now, out *step.Effects) { panic("todo") }

// Closed reports whether a Close or Delete has completed.
func (l *Log) Closed() bool { panic("todo") }

// Delete removes the log from the disk; suffix must be unique, 32 hex digits as Kafka has them.
func (l *Log) Delete(now core.Now, suffix string, out *step.Effects) { panic("todo") }

// NeedsCheckpoint reports that a truncation waits until the node's recovery point checkpoint says at most the offset.
func (l *Log) NeedsCheckpoint() (core.Offset, bool) { panic("todo") }

// Checkpointed tells that the node's recovery point checkpoint durably says offset for this log.
func (l *Log) Checkpointed(now core.Now, offset core.Offset, out *step.Effects) { panic("todo") }

// Reconfigure replaces the configuration; it applies from the next append on.
func (l *Log) Reconfigure(cfg Config) { panic("todo") }
