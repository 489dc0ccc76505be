package coord

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/record"
)

// Entry is one record as it is replayed. Its slices are views that the machine copies if it keeps them.
type Entry struct {
	Offset    core.Offset
	Timestamp core.Wall
	// ProducerID and ProducerEpoch are those of the transaction that the record belongs to, [core.NoProducerID] if it
	// belongs to none. A record of a transaction counts when [Machine.EndTxn] says so.
	ProducerID    core.ProducerID
	ProducerEpoch core.ProducerEpoch
	Key, Value    []byte // a nil Value is a tombstone
}

// Machine is a coordinator's state as a fold over its log.
type Machine interface {
	// Replay applies one record. It is the only mutator of hard state. Records of unknown kind are skipped (KIP-915); the
	// error is a record that is known and cannot be read.
	Replay(e *Entry) error

	// EndTxn applies a transaction marker: what the producer has written since its last marker takes effect, or is dropped.
	EndTxn(producer core.ProducerID, epoch core.ProducerEpoch, commit bool)

	// Activate tells that everything has been replayed and committed: soft state (timers, sessions) begins now.
	Activate(now core.Now)
}

// Log is the partition below a shard, as the broker implements it.
type Log interface {
	// Append appends one batch under the epoch and returns the offset behind it. The bytes are the log's from then on.
	// The code is why nothing was appended: NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS, MESSAGE_TOO_LARGE ...
	Append(now core.Now, partition int32, epoch core.LeaderEpoch, batch []byte) (next core.Offset, code core.ErrorCode)
}

// Phase says how far a shard is.
type Phase uint8

// The phases of a shard.
const (
	Inactive Phase = iota // this node does not lead the partition
	Loading               // the log is being replayed
	Settling              // all is replayed; it is not committed in this leadership yet
	Active                // requests are served
	Failed                // the log could not be replayed; only another leadership helps
)

// String is the phase in words.
func (p Phase) String() string {
	switch p {
	case Inactive:
		return "inactive"
	case Loading:
		return "loading"
	case Settling:
		return "settling"
	case Active:
		return "active"
	case Failed:
		return "failed"
	}
	return "unknown"
}

// Code is why requests are refused in this phase, as Kafka's CoordinatorRuntime says it; none when Active.
func (p Phase) Code() core.ErrorCode {
	switch p {
	case Active:
		return core.ErrNone
	case Loading, Settling:
		return core.ErrCoordinatorLoadInProgress
	case Inactive, Failed:
	}
	return core.ErrNotCoordinator
}

// Options is what a Shard is made of.
type Options[M Machine] struct {
	Partition int32
	Log       Log
	// New makes an empty machine for one leadership.
	New func(epoch core.LeaderEpoch) M
	// Codec compresses what is proposed (offsets.topic.compression.codec).
	Codec record.Codec
	// AnswerTimeout is how long an answer waits for the HighWatermark (offsets.commit.timeout.ms).
	AnswerTimeout core.Mono
}

// Shard is one partition of a coordinator on this node. M is the machine, A an answer that waits.
type Shard[M Machine, A any] struct {
	opts  Options[M]
	phase Phase
	epoch core.LeaderEpoch

	// position is the next offset to replay while Loading, then the offset behind all that has been replayed.
	position core.Offset
	end      core.Offset // Loading: log end at the election
	hw       core.Offset // never falls within one leadership
	machine  M
	why      string // Failed: what could not be read

	// waiting holds answers in the order of their making: bounds and deadlines never fall.
	waiting []waiting[A]

	builder record.Builder
	codecs  record.Codecs
}

type waiting[A any] struct {
	bound    core.Offset // leaves when the HighWatermark is here
	deadline core.Mono
	answer   A
}

// New is an Inactive shard.
func New[M Machine, A any](opts Options[M]) *Shard[M, A] {
	return &Shard[M, A]{opts: opts, epoch: core.NoLeaderEpoch}
}

// Phase is how far the shard is.
func (s *Shard[M, A]) Phase() Phase { return s.phase }

// Epoch is the leader epoch of the current or last leadership.
func (s *Shard[M, A]) Epoch() core.LeaderEpoch { return s.epoch }

// Partition is the partition's index.
func (s *Shard[M, A]) Partition() int32 { return s.opts.Partition }

// Machine is the machine of the current leadership; the zero value if there is none.
func (s *Shard[M, A]) Machine() M { return s.machine }

// End is the offset behind all that has been replayed: what a new answer is bound to.
func (s *Shard[M, A]) End() core.Offset { return s.position }

// HighWatermark is the last one that the shard was told.
func (s *Shard[M, A]) HighWatermark() core.Offset { return s.hw }

// Why says what made the shard Failed.
func (s *Shard[M, A]) Why() string { return s.why }

// Lead begins a leadership: [start, end) is to be read and given to [Shard.Loaded]. The shard must be Inactive. Epochs rise, but
// for those of a topic that was deleted and made anew.
func (s *Shard[M, A]) Lead(epoch core.LeaderEpoch, start, end core.Offset) {
	if s.phase != Inactive {
		invariant.Fail("coordinator partition %d leads in epoch %d and is %s since epoch %d", s.opts.Partition, epoch, s.phase, s.epoch)
	}
	s.phase, s.epoch, s.position, s.end, s.hw, s.why = Loading, epoch, start, end, 0, ""
	s.machine = s.opts.New(epoch)
	if s.position >= s.end {
		s.phase = Settling
	}
}

// Unlead ends the leadership: the machine is thrown away. The answers that waited are returned, in order: nobody may
// hear them any more.
func (s *Shard[M, A]) Unlead() []A {
	dropped := make([]A, 0, len(s.waiting))
	for i := range s.waiting {
		dropped = append(dropped, s.waiting[i].answer)
	}
	var none M
	s.waiting, s.machine, s.phase = nil, none, Inactive
	return dropped
}

// Wanted is the offset from which the log is to be read next, and whether it is to be read at all.
func (s *Shard[M, A]) Wanted() (core.Offset, bool) { return s.position, s.phase == Loading }

// Loaded replays batches that were read at [Shard.Wanted]; an incomplete batch at their end is ignored. done says that
// nothing is left below the log end of the election.
func (s *Shard[M, A]) Loaded(epoch core.LeaderEpoch, batches []byte, done bool) {
	if s.phase != Loading || epoch != s.epoch {
		return
	}
	for len(batches) > 0 && s.position < s.end {
		b, rest, err := record.ParseBatch(batches)
		if err != nil {
			break // the read ended within a batch
		}
		batches = rest
		if err := s.replayBatch(b); err != nil {
			s.Fail(fmt.Sprintf("offset %d: %v", s.position, err))
			return
		}
	}
	if s.position >= s.end || done {
		s.position, s.phase = max(s.position, s.end), Settling
	}
}

// Fail gives the leadership's state up: the log cannot be read. Requests get NOT_COORDINATOR until another leadership, here
// or elsewhere, reads it.
func (s *Shard[M, A]) Fail(why string) {
	if s.phase == Loading || s.phase == Settling {
		s.phase, s.why = Failed, why
	}
}

// replayBatch applies one batch of the log and moves the position behind it.
func (s *Shard[M, A]) replayBatch(b record.Batch) error {
	// The log is on a disk that may have rotted since it was written; a wrong offset that is served is worse than none.
	if err := b.VerifyCRC(); err != nil {
		return err
	}
	h := b.Header()
	if h.Attributes.Control() {
		if err := s.replayControl(b); err != nil {
			return err
		}
		s.position = max(s.position, b.NextOffset())
		return nil
	}
	e := Entry{ProducerID: core.NoProducerID, ProducerEpoch: core.NoProducerEpoch}
	if h.Attributes.Transactional() {
		e.ProducerID, e.ProducerEpoch = h.ProducerID, h.ProducerEpoch
	}
	var it record.Iterator
	if err := it.Reset(b, &s.codecs, record.DefaultMaxDecompressed); err != nil {
		return err
	}
	for r := (record.Record{}); it.Next(&r); {
		if r.Offset < s.position {
			continue // a read returns whole batches, the log start may lie within one
		}
		e.Offset, e.Timestamp, e.Key, e.Value = r.Offset, r.Timestamp, r.Key, r.Value
		if err := s.machine.Replay(&e); err != nil {
			return err
		}
	}
	if err := it.Err(); err != nil {
		return err
	}
	s.position = max(s.position, b.NextOffset())
	return nil
}

// replayControl applies transaction markers; other control records mean nothing to a coordinator.
func (s *Shard[M, A]) replayControl(b record.Batch) error {
	h := b.Header()
	var it record.Iterator
	if err := it.Reset(b, &s.codecs, record.DefaultMaxDecompressed); err != nil {
		return err
	}
	for r := (record.Record{}); it.Next(&r); {
		t, err := record.ParseControlKey(r.Key)
		if err != nil {
			return err
		}
		if (t == record.ControlCommit || t == record.ControlAbort) && r.Offset >= s.position {
			s.machine.EndTxn(h.ProducerID, h.ProducerEpoch, t == record.ControlCommit)
		}
	}
	return it.Err()
}

// Advanced tells the HighWatermark. The shard becomes Active when that has passed everything that was loaded; the answer is
// whether it did so now.
func (s *Shard[M, A]) Advanced(now core.Now, epoch core.LeaderEpoch, hw core.Offset) bool {
	if epoch != s.epoch || s.phase == Inactive {
		return false
	}
	s.hw = max(s.hw, hw)
	if s.phase != Settling || s.hw < s.position {
		return false
	}
	s.phase = Active
	s.machine.Activate(now)
	return true
}

// Defer holds an answer back until everything that has been replayed so far is committed.
func (s *Shard[M, A]) Defer(now core.Now, answer A) {
	s.waiting = append(s.waiting, waiting[A]{
		bound: s.position, deadline: now.Mono.Add(s.opts.AnswerTimeout), answer: answer,
	})
}

// Next takes the oldest answer if it may leave. committed is false for one whose time is up: the HighWatermark has not
// moved for so long that the client had better ask again, and whether its records will ever be committed is unknown.
func (s *Shard[M, A]) Next(now core.Now) (answer A, committed, ok bool) {
	if len(s.waiting) == 0 {
		return answer, false, false
	}
	w := s.waiting[0]
	if committed = w.bound <= s.hw; !committed && w.deadline > now.Mono {
		return answer, false, false
	}
	var none waiting[A]
	s.waiting[0] = none
	if s.waiting = s.waiting[1:]; len(s.waiting) == 0 {
		s.waiting = nil // lets go of the slice that the answers have walked through
	}
	return w.answer, committed, true
}

// NextDeadline is when the oldest answer stops waiting.
func (s *Shard[M, A]) NextDeadline() (core.Mono, bool) {
	if len(s.waiting) == 0 {
		return 0, false
	}
	return s.waiting[0].deadline, true
}

// Waiting is the number of answers that wait.
func (s *Shard[M, A]) Waiting() int { return len(s.waiting) }
