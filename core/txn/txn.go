package txn

import (
	"math"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/invariant"
)

// Producer is a producer id with its epoch.
type Producer struct {
	ID    core.ProducerID
	Epoch core.ProducerEpoch
}

// nobody is no producer.
func nobody() Producer { return Producer{ID: core.NoProducerID, Epoch: core.NoProducerEpoch} }

// lastEpoch is the highest epoch that a client gets. The one above it is for the coordinator, to fence its holder with.
const lastEpoch core.ProducerEpoch = math.MaxInt16 - 1

// Txn is one transactional id.
type Txn struct {
	id   string
	hard Value       // as the last record has it
	at   core.Offset // of that record

	// retry is who may call InitProducerId once more and get the current epoch again: the producer that has just been replaced
	// at its own request, and may not have heard the answer (KIP-360). It is not in the log: whoever asks a new coordinator is
	// fenced, as in Kafka.
	retry Producer
	// deadline is when the coordinator aborts, while Ongoing.
	deadline core.Mono
	// ending is the version as which the transaction is being ended, while it is prepared. Records below level 1 do not tell.
	ending Version
	// sending is what is under way, from the moment that Prepare is committed until the transaction is complete.
	sending *sending
}

// ID is the transactional id.
func (t *Txn) ID() string { return t.id }

// Value is the state as the log has it; read it only.
func (t *Txn) Value() *Value { return &t.hard }

// producer is who may write.
func (t *Txn) producer() Producer { return Producer{ID: t.hard.ProducerID, Epoch: t.hard.Epoch} }

// has reports whether all of the partitions are part of the transaction.
func (t *Txn) has(tps []core.TopicPartition) bool {
	for _, tp := range tps {
		if _, found := slices.BinarySearchFunc(t.hard.Partitions, tp, core.TopicPartition.Compare); !found {
			return false
		}
	}
	return true
}

// sending is a prepared transaction whose markers are being written.
type sending struct {
	// left are the partitions that have not answered finally, ascending. failed are those of them that are to be asked again.
	left    []core.TopicPartition
	failed  []core.TopicPartition
	backoff core.Mono
	timer   deadline.Handle // the next attempt, while failed is not empty or completing was refused
	armed   bool
}

// ordered sorts partitions and drops repetitions, in place.
func ordered(tps []core.TopicPartition) []core.TopicPartition {
	slices.SortFunc(tps, core.TopicPartition.Compare)
	return slices.Compact(tps)
}

// next is the value that a transition begins from: the current one, updated now.
func (t *Txn) next(now core.Now, s State) Value {
	v := t.hard
	v.State, v.Updated, v.PreviousProducerID = s, now.Wall, t.hard.ProducerID
	return v
}

// move proposes a transition. A code other than none means that nothing has happened.
func (c *Coordinator) move(now core.Now, t *Txn, v *Value) core.ErrorCode {
	t.assertMove(v)
	level := c.opts.Level()
	rec := coord.Record{Key: AppendKey(nil, t.id), Value: v.AppendTo(nil, level.valueVersion())}
	if code := c.opts.Log.Propose(now, []coord.Record{rec}); code != core.ErrNone {
		return coord.AppendError(code)
	}
	return core.ErrNone
}

// assertMove holds a transition against what must never be: Kafka's TransactionMetadata.completeTransitionTo.
func (t *Txn) assertMove(v *Value) {
	old := &t.hard
	invariant.Check(t.at == core.NoOffset || v.State.mayFollow(old.State), "transactional id %q goes from %s to %s", t.id, old.State, v.State)
	invariant.Check(v.ProducerID >= 0 && v.Epoch >= 0, "transactional id %q would get producer id %d, epoch %d", t.id, v.ProducerID, v.Epoch)
	if v.ProducerID == old.ProducerID {
		invariant.Check(v.Epoch >= old.Epoch, "transactional id %q: epoch %d after %d of producer id %d", t.id, v.Epoch, old.Epoch, v.ProducerID)
	} else {
		invariant.Check(v.Epoch == 0, "transactional id %q: new producer id %d begins at epoch %d", t.id, v.ProducerID, v.Epoch)
	}
	switch v.State {
	case Ongoing:
		invariant.Check(len(v.Partitions) > 0 && t.producer() == Producer{v.ProducerID, v.Epoch},
			"transactional id %q: a transaction of %d partitions by another producer than %v", t.id, len(v.Partitions), t.producer())
	case PrepareCommit, PrepareAbort:
		invariant.Check(slices.Equal(v.Partitions, old.Partitions), "transactional id %q: partitions change when it is prepared", t.id)
	case Empty, CompleteCommit, CompleteAbort:
		invariant.Check(len(v.Partitions) == 0, "transactional id %q: %s with %d partitions", t.id, v.State, len(v.Partitions))
	case Dead, PrepareEpochFence:
		invariant.Fail("transactional id %q: %s is not for the log", t.id, v.State)
	}
}
