package pstate

import (
	"cmp"
	"math"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/record"
)

// remembered is the number of batches per producer in which a repeat is recognised: max.in.flight of an idempotent
// producer is at most five (KIP-98, KAFKA-5494).
const remembered = 5

// batch is what is kept of one appended batch.
type batch struct {
	lastOffset  core.Offset
	timestamp   core.Wall
	lastSeq     int32
	offsetDelta int32 // distance from the first record to the last, in offsets and in sequence numbers
}

func (b *batch) firstSeq() int32 { return decrement(b.lastSeq, b.offsetDelta) }

// producer is one row of the table. It is a value in a slice: many thousands of them must stay cheap.
type producer struct {
	id               core.ProducerID
	lastTimestamp    core.Wall
	txnFirst         core.Offset // first offset of the open transaction, or NoOffset
	seen             core.Mono   // when this process met its last batch, 0 if it has met none
	batches          [remembered]batch
	coordinatorEpoch int32
	epoch            core.ProducerEpoch // NoProducerEpoch in a free slot
	count, head      uint8              // batches[head] is the oldest of count
}

func (p *producer) at(i uint8) *batch { return &p.batches[(p.head+i)%remembered] }

// last is the newest batch, or nil.
func (p *producer) last() *batch {
	if p.count == 0 {
		return nil
	}
	return p.at(p.count - 1)
}

func (p *producer) push(b batch) {
	if p.count == remembered {
		p.head = (p.head + 1) % remembered
		p.count--
	}
	p.count++
	*p.at(p.count - 1) = b
}

// setEpoch moves the producer to another epoch, which forgets the batches of the one before.
func (p *producer) setEpoch(e core.ProducerEpoch) {
	if p.epoch != e {
		p.epoch, p.count, p.head = e, 0, 0
	}
}

// txn is a transaction of one producer on this partition.
type txn struct {
	id    core.ProducerID
	first core.Offset
	last  core.Offset // of the marker; NoOffset while open
}

// Table is the producer table. The zero value is empty and ready.
type Table struct {
	slots        []producer
	free         []int32
	index        map[core.ProducerID]int32
	ongoing      []txn       // by first offset
	unreplicated []txn       // ended, in the order of their markers
	undecided    core.Offset // the least first offset in unreplicated, which is not in the order of beginnings
}

// Len is the number of producers.
func (t *Table) Len() int { return len(t.index) }

// Batch is what the table needs to know of a batch.
type Batch struct {
	ProducerID              core.ProducerID
	Epoch                   core.ProducerEpoch
	FirstSequence           int32 // record.NoSequence for batches that carry none
	LastSequence            int32
	FirstOffset, LastOffset core.Offset // not read by Check
	MaxTimestamp            core.Wall
	Transactional           bool
	// Marker says that this control batch ends a transaction; CoordinatorEpoch is then the marker's, Commit its outcome.
	Marker           bool
	Commit           bool
	CoordinatorEpoch int32
	// Bumped says that the coordinator raises the epoch before it writes markers (transaction version 2). It is not in the log, and only
	// Check reads it.
	Bumped bool
	// Seen is when this process met the batch, 0 in recovery.
	Seen core.Mono
}

// Ended is a transaction that a marker has ended.
type Ended struct {
	ProducerID  core.ProducerID
	First, Last core.Offset // its first record, its marker
	// LastStable is the first offset of the earliest transaction that is still open, or the offset after the marker.
	LastStable core.Offset
	Commit     bool
}

// Of is the table's view of a data batch with the given header; control batches need [Marker].
func Of(h *record.Header) Batch {
	return Batch{
		ProducerID: h.ProducerID, Epoch: h.ProducerEpoch,
		FirstSequence: h.BaseSequence, LastSequence: h.LastSequence(),
		FirstOffset: h.BaseOffset, LastOffset: h.LastOffset(), MaxTimestamp: h.MaxTimestamp,
		Transactional: h.Attributes.Transactional(),
	}
}

// Verdict is the judgement of a batch.
type Verdict struct {
	Code core.ErrorCode // NONE: append it, unless Duplicate
	Why  string
	// Duplicate: the batch is in the log already, with these offsets; the producer is told so and nothing is appended.
	Duplicate   bool
	First, Last core.Offset
	Timestamp   core.Wall
}

// Check judges a batch that a client or, with FirstSequence NoSequence, a coordinator asks the leader to append.
func (t *Table) Check(b *Batch) Verdict {
	if b.ProducerID <= core.NoProducerID {
		return Verdict{}
	}
	p := t.find(b.ProducerID)
	if p == nil {
		// KIP-360: state may have expired or been deleted with its records; any sequence is then a fresh start.
		return Verdict{}
	}
	sequenced := b.FirstSequence != record.NoSequence && !b.Marker
	if sequenced {
		if d := p.find(b); d != nil {
			first := d.lastOffset - core.Offset(d.offsetDelta)
			return Verdict{Duplicate: true, First: first, Last: d.lastOffset, Timestamp: d.timestamp}
		}
	}
	if b.Epoch < p.epoch {
		// KIP-588: INVALID_PRODUCER_EPOCH instead of a fatal fencing, so that a producer can abort and go on.
		return Verdict{Code: core.ErrInvalidProducerEpoch, Why: "the producer's epoch is lower than the last one seen"}
	}
	if b.Marker {
		return p.checkMarker(b)
	}
	if sequenced && !p.inSequence(b) {
		return Verdict{Code: core.ErrOutOfOrderSequenceNumber, Why: "the sequence does not follow the last one"}
	}
	if p.txnFirst != core.NoOffset && !b.Transactional {
		return Verdict{Code: core.ErrInvalidTxnState, Why: "a batch outside the producer's open transaction"}
	}
	return Verdict{}
}

// checkMarker judges a marker whose epoch is not below the producer's.
//
// KIP-1228: with transaction version 2 the coordinator raises the epoch before it writes markers, so the marker of a transaction has a higher
// epoch than its records. One with the epoch of an open transaction's records is late, it ended the transaction before: taken for this
// one's it would end what the producer is still writing. Without an open transaction it repeats a marker that stands in the log already, whose
// answer was lost; the caller says so and appends nothing.
func (p *producer) checkMarker(b *Batch) Verdict {
	switch {
	case b.CoordinatorEpoch < p.coordinatorEpoch:
		return Verdict{Code: core.ErrTransactionCoordinatorFenced, Why: "the marker is a deposed coordinator's"}
	case b.Bumped && b.Epoch == p.epoch && p.txnFirst != core.NoOffset:
		return Verdict{Code: core.ErrInvalidProducerEpoch, Why: "the marker's epoch is that of the open transaction: it is an earlier one's"}
	case b.Bumped && b.Epoch == p.epoch:
		return Verdict{Duplicate: true, First: core.NoOffset, Last: core.NoOffset}
	}
	return Verdict{}
}

// inSequence reports whether the batch continues the producer's sequence, or starts a new epoch at 0.
func (p *producer) inSequence(b *Batch) bool {
	if b.Epoch != p.epoch {
		return b.FirstSequence == 0 || p.epoch == core.NoProducerEpoch
	}
	last := p.last()
	if last == nil || last.lastSeq == record.NoSequence {
		// Only a marker or unsequenced batches of this epoch were seen: the producer starts at 0, as after -1.
		return b.FirstSequence == 0
	}
	return b.FirstSequence == record.IncrementSequence(last.lastSeq, 1)
}

// find is the remembered batch with exactly the sequence range of b in the same epoch, or nil.
func (p *producer) find(b *Batch) *batch {
	if b.Epoch != p.epoch {
		return nil
	}
	for i := range p.count {
		if d := p.at(i); d.lastSeq == b.LastSequence && d.firstSeq() == b.FirstSequence {
			return d
		}
	}
	return nil
}

// Apply folds one batch of the log into the table. Batches of plain producers change nothing. done reports that the batch is a marker
// that ended a transaction.
//
// Replicas forget silent producers by their own clocks ([Table.Expire]), so the leader may have taken a batch for a fresh start that does not
// continue what is remembered here. Then the batches before it are forgotten here, too: two replicas that have applied the same batch
// agree on what comes next, and what they remember beyond that are repeats of batches which stand in the log.
func (t *Table) Apply(b *Batch) (ended Ended, done bool) {
	if b.ProducerID <= core.NoProducerID {
		return Ended{}, false
	}
	p := t.find(b.ProducerID)
	if p == nil {
		p = t.add(b.ProducerID)
	}
	p.setEpoch(b.Epoch)
	p.seen = b.Seen
	if b.Marker {
		return t.end(p, b)
	}
	if p.count > 0 && !p.inSequence(b) {
		p.count, p.head = 0, 0
	}
	p.push(batch{
		lastOffset: b.LastOffset, timestamp: b.MaxTimestamp,
		lastSeq: b.LastSequence, offsetDelta: int32(b.LastOffset - b.FirstOffset),
	})
	p.lastTimestamp = b.MaxTimestamp
	if b.Transactional && p.txnFirst == core.NoOffset {
		p.txnFirst = b.FirstOffset
		t.ongoing = append(t.ongoing, txn{id: p.id, first: b.FirstOffset, last: core.NoOffset})
	}
	return Ended{}, false
}

// end applies a marker. A marker without an open transaction (all its data went elsewhere) leaves no trace but the
// epochs.
func (t *Table) end(p *producer, b *Batch) (ended Ended, done bool) {
	p.lastTimestamp = b.MaxTimestamp
	p.coordinatorEpoch = b.CoordinatorEpoch
	if p.txnFirst == core.NoOffset {
		return Ended{}, false
	}
	i := slices.IndexFunc(t.ongoing, func(x txn) bool { return x.id == p.id })
	x := t.ongoing[i]
	x.last = b.LastOffset
	t.ongoing = slices.Delete(t.ongoing, i, i+1)
	if len(t.unreplicated) == 0 || x.first < t.undecided {
		t.undecided = x.first
	}
	t.unreplicated = append(t.unreplicated, x)
	p.txnFirst = core.NoOffset
	ended = Ended{ProducerID: p.id, First: x.first, Last: x.last, LastStable: x.last + 1, Commit: b.Commit}
	if len(t.ongoing) > 0 {
		ended.LastStable = t.ongoing[0].first
	}
	return ended, true
}

// Ongoing reports whether the producer has an open transaction in the epoch.
func (t *Table) Ongoing(id core.ProducerID, epoch core.ProducerEpoch) bool {
	p := t.find(id)
	return p != nil && p.txnFirst != core.NoOffset && p.epoch == epoch
}

// Known reports whether the table has the producer.
func (t *Table) Known(id core.ProducerID) bool { return t.find(id) != nil }

// Transactional reports whether a marker of some producer that the table has was ever applied.
func (t *Table) Transactional() bool {
	return slices.ContainsFunc(t.slots, func(p producer) bool { return p.id >= 0 && p.coordinatorEpoch >= 0 })
}

// FirstUnstable is the first offset of the earliest transaction that is open, or whose marker is not below the high
// watermark; the LastStableOffset may not pass it. ok is false if there is none.
func (t *Table) FirstUnstable() (first core.Offset, ok bool) {
	first = math.MaxInt64
	if len(t.ongoing) > 0 {
		first = t.ongoing[0].first
	}
	if len(t.unreplicated) > 0 {
		first = min(first, t.undecided)
	}
	return first, first != math.MaxInt64
}

// Replicated forgets the ended transactions whose markers lie below the high watermark.
func (t *Table) Replicated(hw core.Offset) {
	n := 0
	for n < len(t.unreplicated) && t.unreplicated[n].last < hw {
		n++
	}
	if n == 0 {
		return
	}
	t.unreplicated = slices.Delete(t.unreplicated, 0, n)
	t.undecided = math.MaxInt64
	for i := range t.unreplicated {
		t.undecided = min(t.undecided, t.unreplicated[i].first)
	}
}

// Expire forgets producers without an open transaction of which this process has seen nothing since the given time, and reports which. from is
// when the table was recovered: what was in the log by then counts as seen then.
//
// Kafka goes by the timestamps of batches. Those are the client's: a producer that copies records of last week, or writes none, is
// forgotten at once, and a retry of its last batch is appended again.
func (t *Table) Expire(since, from core.Mono) (forgotten []core.ProducerID) {
	for i := range t.slots {
		p := &t.slots[i]
		if p.id >= 0 && p.txnFirst == core.NoOffset && max(p.seen, from) <= since {
			forgotten = append(forgotten, p.id)
			t.remove(int32(i))
		}
	}
	return forgotten
}

func (t *Table) find(id core.ProducerID) *producer {
	if i, ok := t.index[id]; ok {
		return &t.slots[i]
	}
	return nil
}

func (t *Table) add(id core.ProducerID) *producer {
	if t.index == nil {
		t.index = make(map[core.ProducerID]int32)
	}
	var i int32
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = int32(len(t.slots))
		t.slots = append(t.slots, producer{})
	}
	t.index[id] = i
	t.slots[i] = producer{id: id, epoch: core.NoProducerEpoch, txnFirst: core.NoOffset,
		lastTimestamp: core.NoTimestamp, coordinatorEpoch: -1}
	return &t.slots[i]
}

func (t *Table) remove(i int32) {
	delete(t.index, t.slots[i].id)
	t.slots[i] = producer{id: core.NoProducerID, txnFirst: core.NoOffset}
	t.free = append(t.free, i)
}

// Producer is what DescribeProducers shows of one producer.
type Producer struct {
	ID               core.ProducerID
	Epoch            core.ProducerEpoch
	LastSequence     int32
	LastOffset       core.Offset
	LastTimestamp    core.Wall
	CoordinatorEpoch int32
	TxnFirst         core.Offset // first offset of the open transaction, or NoOffset
}

// Producers is all producers, by id.
func (t *Table) Producers() []Producer {
	all := make([]Producer, 0, len(t.index))
	for i := range t.slots {
		if p := &t.slots[i]; p.id >= 0 {
			all = append(all, p.describe())
		}
	}
	slices.SortFunc(all, func(a, b Producer) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (p *producer) describe() Producer {
	d := Producer{ID: p.id, Epoch: p.epoch, LastSequence: record.NoSequence, LastOffset: core.NoOffset,
		LastTimestamp: p.lastTimestamp, CoordinatorEpoch: p.coordinatorEpoch, TxnFirst: p.txnFirst}
	if last := p.last(); last != nil {
		d.LastSequence, d.LastOffset = last.lastSeq, last.lastOffset
	}
	return d
}

// Verify panics if an invariant of the table is broken.
func (t *Table) Verify() {
	open := 0
	for i := range t.slots {
		if p := &t.slots[i]; p.id >= 0 && p.txnFirst != core.NoOffset {
			open++
		}
	}
	invariant.Check(open == len(t.ongoing), "%d producers have an open transaction, %d are listed", open, len(t.ongoing))
	for i, x := range t.ongoing {
		p := t.find(x.id)
		invariant.Check(p != nil && p.txnFirst == x.first, "listed transaction %+v is not its producer's", x)
		invariant.Check(i == 0 || t.ongoing[i-1].first < x.first, "open transactions out of order at %+v", x)
	}
	for _, x := range t.unreplicated {
		invariant.Check(x.first >= t.undecided, "transaction %+v begins below %d", x, t.undecided)
	}
	invariant.Check(len(t.index)+len(t.free) == len(t.slots), "slots %d, used %d, free %d",
		len(t.slots), len(t.index), len(t.free))
}

// decrement is the sequence number n records before s; sequences wrap from 0 to 2^31-1.
func decrement(s, n int32) int32 {
	if s < n {
		return math.MaxInt32 - (n - s) + 1
	}
	return s - n
}
