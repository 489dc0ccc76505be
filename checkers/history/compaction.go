package history

import "github.com/klamm-log/klamm/core"

// CompactionWitness is what a [Witness] may be besides: one that is told of each swap of a log cleaner.
type CompactionWitness interface {
	// Compacted tells of the whole log, before and after one swap.
	Compacted(at core.Mono, c Compaction)
}

// Compaction is one swap of a log cleaner: some segments of one replica's log have been replaced by one.
type Compaction struct {
	Node      core.NodeID
	Name      core.TopicPartition
	Key       Key
	Base, End core.Offset // the offsets of the segments that were replaced
	Wall      core.Wall   // the node's clock
	Before    []KeyedRecord
	After     []KeyedRecord
}

// KeyedRecord is what a compaction can be judged by, of one record of a log.
type KeyedRecord struct {
	Offset    core.Offset
	Key       uint64 // a hash of the key
	Keyless   bool
	Tombstone bool
	Content   uint64    // a hash of everything that a reader sees of it
	Horizon   core.Wall // the delete horizon of its batch (KIP-534), core.NoTimestamp without one
	// Producer is whose transaction the record is part of, or whose its marker ends; core.NoProducerID without one.
	Producer core.ProducerID
	Marker   Marker
}

// Marker says what a record is to a transaction.
type Marker uint8

// The kinds of records.
const (
	NoMarker Marker = iota
	CommitMarker
	AbortMarker
)
