package verify

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/purgatory"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Host is the broker around a gate.
type Host interface {
	// TxnCoordinator is the broker that coordinates a transactional id, NoNode if that is not known.
	TxnCoordinator(transactionalID string) core.NodeID
	// AskBroker puts a request to a broker, see [route.Router.AskBroker].
	AskBroker(now core.Now, id core.NodeID, lane peer.Lane, body wire.Request, timeout core.Mono, then route.Then, out *step.Effects)
}

// Bounds of what a gate holds. What exceeds them is refused with an error that clients retry.
const (
	mostBatches = 4096     // that wait
	mostBytes   = 64 << 20 // of batches that wait
	mostPerKey  = 32       // batches of one producer that wait for one partition; clients have at most five on their way
	mostFailed  = 4096     // failures that are remembered, the oldest is forgotten
)

// Times. Kafka: add.partitions.to.txn.retry.backoff.ms and .max.ms. The first pauses are shorter than Kafka's 20 ms: the transaction
// before is most often complete within a sync or two, and a producer that begins at once would spend its time waiting.
const (
	leastBackoff = core.Millisecond
	backoff      = 20 * core.Millisecond
	retryFor     = 100 * core.Millisecond
	timeout      = 10 * core.Second
)

// Claim is what a batch says of the transaction to which it belongs.
type Claim struct {
	Slot            purgatory.Slot // of the partition
	LeaderEpoch     core.LeaderEpoch
	Topic           string
	Partition       int32
	TransactionalID string
	ProducerID      core.ProducerID
	Epoch           core.ProducerEpoch
	Sequence        int32 // of the batch's first record
	Bytes           int64
	// Add says that the partition is to be added to the transaction (KIP-890 part 2), Abortable that the client knows
	// TRANSACTION_ABORTABLE.
	Add, Abortable bool
}

// place is where batches of one producer meet.
type place struct {
	slot purgatory.Slot
	id   core.ProducerID
}

// stage is what an entry is doing.
type stage uint8

const (
	toAsk   stage = iota // the coordinator is to be asked, not before entry.due
	asked                // and has not answered
	decided              // what waits is to be taken by Next
	failed               // nothing waits; a sequence number is to come again
)

// entry is one producer epoch's claim to one partition.
type entry[T any] struct {
	claim   Claim // the first one's
	stage   stage
	code    core.ErrorCode // once decided
	due     core.Mono
	since   core.Mono // when the coordinator was first asked
	waiting []waiting[T]
	lowest  int32 // sequence that has to be written first, NoSequence if any may be
	gone    bool  // not in Gate.places any more
}

type waiting[T any] struct {
	item  T
	claim Claim
}

// Gate holds back batches whose transaction is not known to be ongoing. T is what the caller wants back.
type Gate[T any] struct {
	host   Host
	places map[place][]*entry[T]
	asking []*entry[T] // in stage toAsk, oldest first
	ready  []*entry[T] // decided, in order
	failed []*entry[T] // oldest first
	busy   []core.NodeID
	count  int
	bytes  int64
}

// New is a gate that holds nothing.
func New[T any](host Host) *Gate[T] {
	return &Gate[T]{host: host, places: make(map[place][]*entry[T])}
}

// Len is the number of batches that wait.
func (g *Gate[T]) Len() int { return g.count }

// Waiting reports whether batches of a producer epoch wait for the partition; later ones must wait behind them.
func (g *Gate[T]) Waiting(slot purgatory.Slot, id core.ProducerID, epoch core.ProducerEpoch) bool {
	return slices.ContainsFunc(g.places[place{slot, id}], func(e *entry[T]) bool {
		return e.claim.Epoch == epoch && len(e.waiting) > 0
	})
}

// Hold keeps a batch until its transaction is known to be ongoing, or not. NOT_ENOUGH_REPLICAS, which clients retry without looking for
// another leader, says that too many wait.
func (g *Gate[T]) Hold(now core.Now, c *Claim, item T) core.ErrorCode {
	at := place{c.Slot, c.ProducerID}
	if g.count >= mostBatches || g.bytes+c.Bytes > mostBytes && g.count > 0 {
		return core.ErrNotEnoughReplicas
	}
	var e *entry[T]
	for _, x := range slices.Clone(g.places[at]) {
		switch {
		case x.claim.Epoch != c.Epoch || x.claim.TransactionalID != c.TransactionalID:
		case x.claim.LeaderEpoch != c.LeaderEpoch:
			g.void(x, core.ErrNotLeaderOrFollower)
		default:
			e = x
		}
	}
	switch {
	case e == nil:
		e = &entry[T]{claim: *c, stage: toAsk, lowest: c.Sequence, since: now.Mono}
		g.places[at] = append(g.places[at], e)
		g.asking = append(g.asking, e)
	case len(e.waiting) >= mostPerKey:
		return core.ErrNotEnoughReplicas
	case e.stage == failed: // what comes after a failure asks again
		g.failed = remove(g.failed, e)
		e.claim, e.stage, e.due, e.since = *c, toAsk, 0, now.Mono
		g.asking = append(g.asking, e)
	}
	if e.lowest == record.NoSequence || precedes(c.Sequence, e.lowest) {
		e.lowest = c.Sequence
	}
	e.waiting = append(e.waiting, waiting[T]{item: item, claim: *c})
	g.count++
	g.bytes += c.Bytes
	return core.ErrNone
}

// Ended tells that a marker was appended to the partition: whatever the coordinator has said, or will say to questions of before, is about
// a transaction that is over. What belongs to the next one waits on.
func (g *Gate[T]) Ended(slot purgatory.Slot, m *coord.Marker) {
	for _, e := range slices.Clone(g.places[place{slot, m.ProducerID}]) {
		if m.Ends(e.claim.ProducerID, e.claim.Epoch) {
			g.void(e, core.ErrInvalidTxnState)
		}
	}
}

// Wrote tells that a transactional batch of the producer was appended: nothing has to come before others any more.
func (g *Gate[T]) Wrote(slot purgatory.Slot, id core.ProducerID, epoch core.ProducerEpoch) {
	for _, e := range slices.Clone(g.places[place{slot, id}]) {
		switch {
		case e.claim.Epoch != epoch:
		case e.stage == failed:
			g.forget(e)
		default:
			e.lowest = record.NoSequence
		}
	}
}

// precedes reports whether one sequence number comes before another. They wrap from 2^31-1 to 0; what is compared is never far apart.
func precedes(a, b int32) bool {
	const mask = 1<<31 - 1
	return a != b && (b-a)&mask < 1<<30
}

// void ends an entry: what waits is refused with the code, and answers to come are nobody's.
func (g *Gate[T]) void(e *entry[T], code core.ErrorCode) {
	g.forget(e)
	e.code, e.lowest = code, record.NoSequence
	if len(e.waiting) > 0 && e.stage != decided {
		g.ready = append(g.ready, e)
	}
	e.stage = decided
}

// forget takes an entry out of its place.
func (g *Gate[T]) forget(e *entry[T]) {
	if e.gone {
		return
	}
	e.gone = true
	at := place{e.claim.Slot, e.claim.ProducerID}
	if list := remove(g.places[at], e); len(list) > 0 {
		g.places[at] = list
	} else {
		delete(g.places, at)
	}
	g.asking, g.failed = remove(g.asking, e), remove(g.failed, e)
}

func remove[E comparable](list []E, e E) []E {
	if i := slices.Index(list, e); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// Next takes one batch that is decided: NONE says that it may be appended now, in this turn and before Next is asked again.
func (g *Gate[T]) Next() (item T, code core.ErrorCode, ok bool) {
	for len(g.ready) > 0 {
		e := g.ready[0]
		if len(e.waiting) == 0 {
			g.ready = g.ready[1:]
			g.rest(e)
			continue
		}
		w := e.waiting[0]
		e.waiting[0] = waiting[T]{}
		e.waiting = e.waiting[1:]
		g.count--
		g.bytes -= w.claim.Bytes
		code = told(e.code, &w.claim)
		if code == core.ErrNone && e.lowest != record.NoSequence && precedes(e.lowest, w.claim.Sequence) {
			code = core.ErrOutOfOrderSequenceNumber
		}
		return w.item, code, true
	}
	return item, core.ErrNone, false
}

// Pending reports whether Next has something.
func (g *Gate[T]) Pending() bool { return len(g.ready) > 0 }

// rest ends a decided entry whose batches have been taken. If none was written, and the producer is going to come again, the lowest
// sequence number is kept for that.
func (g *Gate[T]) rest(e *entry[T]) {
	if e.gone {
		return
	}
	if e.lowest == record.NoSequence || final(e.code) {
		g.forget(e)
		return
	}
	e.stage = failed
	if len(g.failed) >= mostFailed {
		g.forget(g.failed[0])
	}
	g.failed = append(g.failed, e)
}

// final reports whether the coordinator's answer ends the producer's attempts.
func final(code core.ErrorCode) bool {
	return code != core.ErrNone && !retried(code)
}

// retried reports whether clients are to come again. Kafka tells them NOT_ENOUGH_REPLICAS for all of these, which old clients, too, retry
// without asking who leads (ReplicaManager).
func retried(code core.ErrorCode) bool {
	switch code {
	case core.ErrConcurrentTransactions, core.ErrNetworkException, core.ErrCoordinatorLoadInProgress, core.ErrCoordinatorNotAvailable,
		core.ErrNotCoordinator:
		return true
	default:
		return false
	}
}

// told is what a producer hears for the coordinator's answer (AddPartitionsToTxnManager).
func told(code core.ErrorCode, c *Claim) core.ErrorCode {
	switch {
	case retried(code):
		return core.ErrNotEnoughReplicas
	case code == core.ErrProducerFenced:
		return core.ErrInvalidProducerEpoch // KIP-588: what producers expect of a partition's leader
	case code == core.ErrTransactionAbortable && !c.Abortable:
		return core.ErrInvalidTxnState
	case code == core.ErrClusterAuthorizationFailed:
		return core.ErrInvalidTxnState // the brokers' affair, not the client's
	}
	return code
}

// NextDeadline is when a coordinator is asked again.
func (g *Gate[T]) NextDeadline() (at core.Mono, ok bool) {
	for _, e := range g.asking {
		if e.due > 0 && (!ok || e.due < at) {
			at, ok = e.due, true
		}
	}
	return at, ok
}
