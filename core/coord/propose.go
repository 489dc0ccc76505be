package coord

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/record"
)

// Record is one record that a machine proposes. Its slices are copied.
type Record struct {
	Key   []byte
	Value []byte // nil is a tombstone
}

// Producer is the transaction that proposed records belong to (KIP-447).
type Producer struct {
	ID       core.ProducerID
	Epoch    core.ProducerEpoch
	Sequence int32 // of the first record; [record.NoSequence] for what the coordinator itself writes
}

// Propose appends records as one batch and replays them. A code other than none means that nothing has happened: the batch
// is not in the log and the machine is as before. What the answer to a request rests on is bound by [Shard.Defer] afterwards.
func (s *Shard[M, A]) Propose(now core.Now, recs []Record) core.ErrorCode {
	return s.propose(now, recs, record.Options{Codec: s.opts.Codec}, core.NoProducerID, core.NoProducerEpoch)
}

// ProposeTxn is Propose for records that take effect when the producer's transaction commits.
func (s *Shard[M, A]) ProposeTxn(now core.Now, p Producer, recs []Record) core.ErrorCode {
	return s.propose(now, recs, record.Options{
		Codec: s.opts.Codec, Transactional: true, Idempotent: true,
		ProducerID: p.ID, ProducerEpoch: p.Epoch, BaseSequence: p.Sequence,
	}, p.ID, p.Epoch)
}

func (s *Shard[M, A]) propose(
	now core.Now, recs []Record, o record.Options, id core.ProducerID, epoch core.ProducerEpoch,
) core.ErrorCode {
	if s.phase != Active {
		invariant.Fail("coordinator partition %d proposes while it is %s", s.opts.Partition, s.phase)
	}
	if len(recs) == 0 {
		return core.ErrNone
	}
	// The bytes are the log's until they are on disk, so each batch has its own.
	s.builder.Begin(make([]byte, 0, sizeOf(recs)), o)
	for i := range recs {
		if err := s.builder.Append(now.Wall, recs[i].Key, recs[i].Value, nil); err != nil {
			return core.ErrMessageTooLarge
		}
	}
	batch, err := s.builder.Finish(&s.codecs)
	if err != nil {
		invariant.Fail("coordinator partition %d cannot build a batch: %v", s.opts.Partition, err)
	}
	next, code := s.opts.Log.Append(now, s.opts.Partition, s.epoch, batch)
	if code != core.ErrNone {
		return code
	}
	base := next - core.Offset(len(recs))
	// A coordinator's partition has one writer, its leader's coordinator. Only transaction markers come between, and what
	// the broker appends when it begins to lead; both are told, or lie below the loaded end.
	if base < s.position {
		invariant.Fail("coordinator partition %d: appended at %d, but %d has been replayed", s.opts.Partition, base, s.position)
	}
	for i := range recs {
		e := Entry{
			Offset: base + core.Offset(i), Timestamp: now.Wall, ProducerID: id, ProducerEpoch: epoch,
			Key: recs[i].Key, Value: recs[i].Value,
		}
		if err := s.machine.Replay(&e); err != nil {
			invariant.Fail("coordinator partition %d proposed what it cannot replay: %v", s.opts.Partition, err)
		}
	}
	s.position = next
	return core.ErrNone
}

// Marker is a transaction marker as a partition's leader has appended it.
type Marker struct {
	ProducerID core.ProducerID
	Epoch      core.ProducerEpoch // of the marker
	Commit     bool
	// Bumped says that the epoch was raised before the marker was written (transaction version 2): what has the marker's own epoch belongs to
	// the next transaction. The log does not tell.
	Bumped bool
}

// Ends reports whether the marker ends whatever a producer epoch has begun. With transaction version 2 a producer goes on as soon as
// the end is decided, so what it sends next may be there before the marker (KAFKA-18575).
func (m *Marker) Ends(id core.ProducerID, epoch core.ProducerEpoch) bool {
	return id == m.ProducerID && (epoch < m.Epoch || epoch == m.Epoch && !m.Bumped)
}

// Marked applies a transaction marker that was appended to the partition, and moves behind it. Markers are refused until the
// shard is Active (as Kafka refuses them with COORDINATOR_LOAD_IN_PROGRESS): one behind the loaded end would be missed.
func (s *Shard[M, A]) Marked(epoch core.LeaderEpoch, next core.Offset, m *Marker) {
	if s.phase != Active || epoch != s.epoch {
		return
	}
	s.machine.EndTxn(m.ProducerID, m.Epoch, m.Commit)
	s.position = max(s.position, next)
}

// sizeOf is about how large the batch will be.
func sizeOf(recs []Record) int {
	const perRecord = 24 // lengths, deltas
	n := record.HeaderSize
	for i := range recs {
		n += len(recs[i].Key) + len(recs[i].Value) + perRecord
	}
	return n
}

// AppendError is what clients are told when the log has not taken a proposal: the codes of the append name a partition that
// they know nothing of (Kafka's CoordinatorOperationExceptionHelper).
func AppendError(code core.ErrorCode) core.ErrorCode {
	switch code {
	case core.ErrUnknownTopicOrPartition, core.ErrNotEnoughReplicas, core.ErrNotEnoughReplicasAfterAppend, core.ErrRequestTimedOut:
		return core.ErrCoordinatorNotAvailable
	case core.ErrNotLeaderOrFollower, core.ErrKafkaStorageError:
		return core.ErrNotCoordinator
	case core.ErrMessageTooLarge, core.ErrRecordListTooLarge, core.ErrInvalidFetchSize:
		return core.ErrUnknownServerError
	default:
		return code
	}
}
