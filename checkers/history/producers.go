package history

import "github.com/klamm-log/klamm/core"

// Produced is what a batch says of the producer that wrote it, or whose transaction it ends.
type Produced struct {
	By                    bool // it has a producer; else the rest means nothing
	Transactional, Marker bool
	Commit                bool // of a marker
	ID                    core.ProducerID
	Epoch                 core.ProducerEpoch
	FirstSeq, LastSeq     int32 // -1 without one
	Coordinator           int32 // epoch of the coordinator that wrote the marker
}

// ProducerWitness is what a [Witness] may be besides: one that is told what replicas have made of the producers in their logs.
type ProducerWitness interface {
	// Producers tells of one replica after a turn, behind [Witness.Replica].
	Producers(at core.Mono, l ProducerLook)
	// Forgotten tells that a replica has forgotten a producer that was silent for producer.id.expiration.ms.
	Forgotten(at core.Mono, node core.NodeID, k Key, id core.ProducerID)
}

// ProducerLook is a look at what one replica holds of producers and transactions.
type ProducerLook struct {
	Node                                            core.NodeID
	Key                                             Key
	LogStartOffset, HighWatermark, LastStableOffset core.Offset
	// Changed says that the log has changed since the last look, or was opened: only then Producers is filled in.
	Changed   bool
	Producers []ProducerState // by id
}

// ProducerState is one row of a replica's producer table.
type ProducerState struct {
	ID          core.ProducerID
	Epoch       core.ProducerEpoch
	LastSeq     int32       // -1 if no batch of the epoch is remembered
	LastOffset  core.Offset // likewise
	Coordinator int32       // -1 before the first marker
	TxnFirst    core.Offset // of the open transaction, or NoOffset
}
