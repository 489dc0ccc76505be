package producer

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/partitioner"
	"github.com/klamm-log/klamm/core/record"
)

// AnyPartition as a record's partition lets the partitioner choose.
const AnyPartition int32 = -1

// Record is what a caller wants written. Key, Value and Headers are copied by Produce.
type Record struct {
	Topic     string
	Partition int32     // AnyPartition or an index; note that the zero value is partition 0
	Timestamp core.Wall // 0 or core.NoTimestamp: the wall clock at Produce
	Key       []byte    // nil is no key, which differs from an empty one
	Value     []byte    // nil is a tombstone
	Headers   []Header
}

// Header is one record header; keys may repeat.
type Header = record.RecordHeader

// Result tells what became of one record. Each accepted record gets exactly one.
type Result struct {
	Token     uint64         // the caller's
	Partition int32          // AnyPartition if the record failed before one was chosen
	Offset    core.Offset    // core.NoOffset if unknown (acks=0, a duplicate too old for the broker to know) or failed
	Timestamp core.Wall      // the record's, or the broker's for LogAppendTime topics
	Err       core.ErrorCode // zero: written as acks demands
	// Attempts is how often the record was handed to a connection. Without idempotence each may have left a copy.
	Attempts int32
	// TopicID is the incarnation of the topic that took the record (KIP-516); zero if the broker did not say.
	TopicID core.TopicID
	// Ambiguous goes with Err: the record may have been written, or may be written later by a request that is still
	// on its way. An unambiguous error means that it never was and never will be.
	Ambiguous bool
}

// Partitioner chooses a partition for each record of one topic that names none. core/partitioner has the usual ones.
type Partitioner interface {
	// Partition returns an index in [0, view.Partitions). A nil key is no key.
	Partition(view partitioner.View, key []byte) int32
	// Appended tells that the last record went to partition p with so many bytes, and whether it opened a new batch.
	Appended(view partitioner.View, p int32, bytes int64, newBatch bool)
}
