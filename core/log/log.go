package log

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

const timeEntrySize = 12

// Log is one partition's log. It is not usable until [Log.Ready].
type Log struct {
	cfg Config
}

// Failure says why a log is offline.
type Failure struct {
	Code   core.ErrorCode // KAFKA_STORAGE_ERROR, or what fits better
	File   string         // the path concerned, or ""
	Pos    core.Pos       // where in the file, if that is known
	Offset core.Offset    // the first offset concerned, or -1
	What   string         // in words, for the operator
}

// Appended is the outcome of an append.
type Appended struct {
	Code       core.ErrorCode
	Why        string      // in words, when Code is set
	Base, Last core.Offset // offsets of the first and last record
	AppendTime core.Wall   // the log append time, or NoTimestamp with CreateTime
	// Duplicate says that the batch had been appended before (idempotent producer); Base and Last are the originals.
	Duplicate bool
	// Consumed is the number of bytes taken by AppendAsFollower: whole batches only.
	Consumed int64
}

// ReadRequest names bytes that a lookup needs to see. Len is 0 when nothing is needed; the read may return fewer bytes.
type ReadRequest struct {
	File step.FileID
	Pos  core.Pos
	Len  int64
}

// Query asks for batches from an offset on (KIP-74).
type Query struct {
	Offset      core.Offset // first offset wanted
	MaxBytes    int64
	MinOneBatch bool        // the first batch is returned whole even if it is larger than MaxBytes
	UpperBound  core.Offset // only batches that end at or below it: HighWatermark, LastStableOffset or LogEndOffset
}

// Located answers a [Query].
type Located struct {
	Code core.ErrorCode
	Span step.Span   // Len 0: nothing to read now
	Base core.Offset // base offset of the first batch, at or below the offset asked for
	Need ReadRequest // if Len > 0: not known yet, read this and call ResolveLocate
}

// TimeQuery asks for the first record at or after a timestamp, or for the record with the largest one.
type TimeQuery struct {
	Timestamp  core.Wall
	Max        bool        // KIP-734: the largest timestamp instead; Timestamp is ignored
	UpperBound core.Offset // records at or above it do not exist for the caller
}

// TimeFound answers a [TimeQuery].
type TimeFound struct {
	Code      core.ErrorCode
	Found     bool
	Offset    core.Offset
	Timestamp core.Wall
	Epoch     core.LeaderEpoch
	Need      ReadRequest // if Len > 0: not known yet, read this and call ResolveTimestamp
}

// New is a log in the directory dir, relative to the node's data directory, for instance "orders-0". Nothing happens
// before Open. The owner number must be the log's own: its operations and files are numbered with it.
func New(cfg Config, owner step.Owner, dir string, past Past) *Log {
	return &Log{cfg: cfg.withDefaults()}
}
