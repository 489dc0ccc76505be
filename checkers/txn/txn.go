package txn

import (
	"fmt"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// The properties of transactions, see the package comment.
const (
	Atomic           checkers.Property = "TXN-ATOMIC"
	NoAborted        checkers.Property = "TXN-NO-ABORTED"
	NoOpen           checkers.Property = "TXN-NO-OPEN"
	PrecommittedRead checkers.Property = "precommitted-read"
	ExactlyOnce      checkers.Property = "EOS"
	Circular         checkers.Property = "G1c"
	Completes        checkers.Property = "L-TXN-COMPLETES"
	LastStable       checkers.Property = "L-LSO"
	NotRefused       checkers.Property = "TXN-NOT-REFUSED"
)

// keep bounds the findings of one property.
const keep = 10

// Report is what a history shows.
type Report struct {
	Violations   []checkers.Violation
	Transactions int // of which the history knows the end
	Committed    int // certainly, or because their records were read
	Aborted      int
	Unknown      int // neither
	// DirtyWrites is how many circles of ww edges there are (G0): legal, and a sign that writers met.
	DirtyWrites int
}

const never core.Mono = 1<<63 - 1

// fate is what became of a transaction, as far as the history shows.
type fate uint8

const (
	unknown fate = iota
	committed
	aborted
)

// txn is one transaction.
type txn struct {
	id    history.TxnID
	event int // its Txn event, -1 if there is none
	op    history.Op
	body  *history.Txn
	fate  fate
	seen  int   // the first read_committed poll that returned a record of it, -1 if none
	sends []int // events, in order
}

// visible reports whether readers of committed records must see it.
func (t *txn) visible() bool { return t.fate == committed || t.fate == unknown && t.seen >= 0 }

// value names a record: values are unique per topic name and partition.
type value struct {
	tp core.TopicPartition
	v  history.Value
}

// writing is where a value comes from and where it stands.
type writing struct {
	send   int
	txn    *txn // nil: of no transaction
	offset core.Offset
	place  history.Place // where the offset counts
	seen   bool          // returned by a read_committed poll
}

// place is what is known of a partition of one incarnation.
type place struct {
	id       history.Place
	start    core.Offset // the highest log start that may be in force at the end
	polls    []int       // OK read_committed polls
	final    bool        // one of them came after final reads had been announced
	order    []*writing  // those with an offset here, ascending
	consumed []consumption
}

// consumption is a range that a transaction has consumed.
type consumption struct {
	group    int32
	from, to core.Offset
	txn      *txn
}

type checker struct {
	log     *history.Log
	txns    []*txn // in order of first appearance
	byID    map[history.TxnID]*txn
	values  map[value]*writing
	places  []*place
	byPlace map[history.Place]*place
	final   core.Mono // when final reads were announced, never if they were not
	out     Report
	count   map[checkers.Property]int
}

// Check judges the transactions of a whole history.
func Check(log *history.Log) Report {
	c := &checker{log: log, byID: make(map[history.TxnID]*txn), values: make(map[value]*writing), byPlace: make(map[history.Place]*place),
		final: never, count: make(map[checkers.Property]int)}
	for i := range log.Len() {
		op, body := log.At(i)
		c.gather(i, op, body)
	}
	if len(c.txns) == 0 {
		return c.out
	}
	for i := range log.Len() {
		op, body := log.At(i)
		if p, ok := body.(*history.Poll); ok {
			c.poll(i, op, p)
		}
	}
	c.tally()
	for _, t := range c.txns {
		c.whole(t)
	}
	c.sort()
	for _, pl := range c.places {
		c.passed(pl)
		c.unseen(pl)
		c.consumed(pl)
	}
	c.circles()
	return c.out
}

func (c *checker) report(property checkers.Property, at history.Place, o core.Offset, events []int, format string, args ...any) {
	v := checkers.Violation{Property: property, Offset: o, Events: events, Message: fmt.Sprintf(format, args...)}
	if at.Topic >= 0 {
		v.Partition, v.TopicID = c.log.Name(at), c.log.Topic(at.Topic).ID
	}
	c.add(v)
}

func (c *checker) add(v checkers.Violation) {
	if c.count[v.Property]++; c.count[v.Property] <= keep {
		c.out.Violations = append(c.out.Violations, v)
	}
}

func (c *checker) txn(id history.TxnID) *txn {
	t := c.byID[id]
	if t == nil {
		t = &txn{id: id, event: -1, seen: -1}
		c.byID[id] = t
		c.txns = append(c.txns, t)
	}
	return t
}

func (c *checker) place(id history.Place) *place {
	pl := c.byPlace[id]
	if pl == nil {
		pl = &place{id: id}
		c.byPlace[id] = pl
		c.places = append(c.places, pl)
	}
	return pl
}

// gather takes in what was written, and how transactions ended.
func (c *checker) gather(i int, op history.Op, body history.Body) {
	switch b := body.(type) {
	case *history.Send:
		c.send(i, op, b)
	case *history.Txn:
		c.ended(i, op, b)
	case *history.Poll:
		c.place(b.Place).rise(b.LogStartOffset)
	case *history.ListOffsets:
		if b.Spec == history.SpecEarliest && op.Outcome == history.OK {
			c.place(b.Place).rise(b.Offset)
		}
	case *history.Replica:
		c.place(b.Place).rise(b.LogStartOffset)
	case *history.DeleteRecords:
		if op.Outcome != history.Fail {
			c.place(b.Place).deleted(b)
		}
	case *history.Loss: // what is permitted to be lost is not judged at all
		c.place(b.Place).rise(1 << 62)
	case *history.Mark:
		if b.Name == history.FinalReads && c.final == never {
			c.final = op.End
		}
	default: // nothing about transactions
	}
}

func (pl *place) rise(o core.Offset) { pl.start = max(pl.start, o) }

// deleted raises the log start as far as a DeleteRecords may have.
func (pl *place) deleted(b *history.DeleteRecords) {
	switch {
	case b.Before != core.NoOffset:
		pl.rise(b.Before)
	case b.LowWatermark != core.NoOffset:
		pl.rise(b.LowWatermark)
	default: // "up to the HighWatermark", and nobody was told where that is
		pl.rise(1 << 62)
	}
}

func (c *checker) send(i int, op history.Op, s *history.Send) {
	var t *txn
	if s.Txn != 0 {
		t = c.txn(s.Txn)
		t.sends = append(t.sends, i)
	}
	tp := c.log.Name(s.Place)
	for _, r := range s.Records {
		w := &writing{send: i, txn: t, offset: core.NoOffset, place: s.Place}
		c.values[value{tp, r.Value}] = w
		if op.Outcome == history.OK {
			w.offset = r.Offset
		}
	}
}

func (c *checker) ended(i int, op history.Op, b *history.Txn) {
	t := c.txn(b.ID)
	if t.event >= 0 {
		c.report(checkers.Malformed, history.Place{Topic: -1}, core.NoOffset, []int{t.event, i}, "transaction %d ended twice", b.ID)
		return
	}
	t.event, t.op, t.body = i, op, b
	switch {
	case !b.Commit, op.Outcome == history.Fail:
		t.fate = aborted
	case op.Outcome == history.OK:
		t.fate = committed
	}
	for _, r := range b.Consumed {
		pl := c.place(r.Place)
		pl.consumed = append(pl.consumed, consumption{b.Group, r.From, r.To, t})
	}
}

// poll takes in what a poll returned. What nobody sent is package checkers' matter.
func (c *checker) poll(i int, op history.Op, p *history.Poll) {
	tp := c.log.Name(p.Place)
	judged := p.Isolation == history.ReadCommitted
	for _, r := range p.Records {
		w := c.values[value{tp, r.Value}]
		if w == nil {
			continue
		}
		if w.offset == core.NoOffset {
			w.offset, w.place = r.Offset, p.Place
		}
		if !judged {
			continue
		}
		w.seen = true
		if w.txn != nil {
			c.read(i, op, p, r, w)
		}
	}
	if pl := c.place(p.Place); judged && op.Outcome == history.OK {
		pl.polls = append(pl.polls, i)
		pl.final = pl.final || op.Start >= c.final
	}
}

// read judges one record of a transaction that a read_committed poll returned.
func (c *checker) read(i int, op history.Op, p *history.Poll, r history.Record, w *writing) {
	t := w.txn
	if t.seen < 0 {
		t.seen = i
	}
	events := []int{w.send, i}
	if t.event >= 0 {
		events = []int{w.send, t.event, i}
	}
	switch {
	case p.Txn == t.id:
		c.report(PrecommittedRead, p.Place, r.Offset, events, "p%d read value %d of its own transaction %d, which was open", op.Process, r.Value, t.id)
	case t.fate == aborted:
		c.report(NoAborted, p.Place, r.Offset, events, "p%d read value %d of transaction %d, which was aborted", op.Process, r.Value, t.id)
	case t.body != nil && t.body.Commit && op.End < t.body.Asked:
		c.report(NoOpen, p.Place, r.Offset, events, "p%d read value %d of transaction %d before anybody asked for its commit", op.Process, r.Value, t.id)
	}
}

func (c *checker) tally() {
	for _, t := range c.txns {
		if t.event >= 0 {
			c.out.Transactions++
		}
		switch {
		case t.visible():
			c.out.Committed++
		case t.fate == aborted:
			c.out.Aborted++
		default:
			c.out.Unknown++
		}
	}
}

// whole demands that a transaction was not committed without all that was to be in it.
func (c *checker) whole(t *txn) {
	if t.fate != committed {
		return
	}
	for _, i := range t.sends {
		op, body := c.log.At(i)
		if s := body.(*history.Send); op.Outcome != history.OK {
			c.report(Atomic, s.Place, core.NoOffset, []int{i, t.event}, "transaction %d was committed without a send whose outcome was %s", t.id, op.Outcome)
		}
	}
}
