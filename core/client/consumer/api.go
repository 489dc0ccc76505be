package consumer

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

// Header is one record header; keys may repeat.
type Header = record.RecordHeader

// Record is one consumed record. Key, Value and Headers are views of memory that is never reused: they stay valid as
// long as they are held, and holding one keeps its whole fetched batch in memory.
type Record struct {
	Topic       string
	Partition   int32
	Offset      core.Offset
	LeaderEpoch core.LeaderEpoch // of the leader that appended the batch
	Timestamp   core.Wall
	Key         []byte // nil: no key
	Value       []byte // nil: a tombstone
	Headers     []Header
}

// SeekKind says how a [Start] names a place in a log.
type SeekKind uint8

// The ways of naming a place.
const (
	SeekReset     SeekKind = iota // where the reset policy says; ResetNone makes it an error
	SeekOffset                    // Start.Offset
	SeekBeginning                 // the log start
	SeekEnd                       // the high watermark, with ReadCommitted the last stable offset
	SeekTimestamp                 // the first record not before Start.Timestamp, the end if there is none
)

// Start is where consuming a partition begins.
type Start struct {
	Kind      SeekKind
	Offset    core.Offset
	Timestamp core.Wall
	// Epoch, with SeekOffset, is one more than the leader epoch of the record before Offset, or 0 if that is unknown.
	// With it a log that was truncated since the offset was stored is recognised (KIP-320).
	EpochPlusOne core.LeaderEpoch
}

// EventKind says what an [Event] tells.
type EventKind uint8

// The events of a partition.
const (
	EventReset     EventKind = iota + 1 // the position was not in the log any more; consuming goes on at To
	EventTruncated                      // KIP-320: the log was truncated below the position; consuming goes on at To
	EventStopped                        // the partition stopped with Err at From; Seek starts it again
	EventError                          // Err is being retried; told once until the partition recovers
)

// Event tells what happened to a partition besides records.
type Event struct {
	Kind      EventKind
	Topic     string
	Partition int32
	From      core.Offset // the position before
	To        core.Offset // the position after; EventStopped by a truncation: the first diverging offset
	Err       core.ErrorCode
	Detail    string
}

// Watermarks is what the last response told about a partition's log; each is core.NoOffset until known.
type Watermarks struct {
	LogStartOffset   core.Offset
	LastStableOffset core.Offset
	HighWatermark    core.Offset
}
