package txn

import (
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Refusals says what the judgement of refusals must know besides the history.
type Refusals struct {
	// Timeouts are the shortest transaction.timeout.ms of each transactional.id; who is not named is not judged.
	Timeouts []Timeout
	// Deposed are the times in which a coordinator may have answered that was one no more.
	Deposed []Span
}

// Span is the time [From, To).
type Span struct{ From, To core.Mono }

// Timeout is how long the coordinator leaves a transaction of a writer open.
type Timeout struct {
	Writer int32
	After  core.Mono
}

// CheckRefusals judges what the only producer of a transactional.id was told.
//
//   - TXN-NOT-REFUSED: a transaction is not refused as another producer's, as out of order, or as one that is not open, unless its
//     producer may have been fenced: another InitProducerId of its transactional.id was under way, or may have been executed, since its
//     own began, or the transaction was open for as long as its timeout. A client that asks for nothing wrong is never told that it
//     has (KIP-890; KAFKA-18575; BUGS.md F7).
//
// A coordinator that has been replaced and does not know it can acknowledge nothing, but it refuses by what it remembers, as Kafka's does:
// what it may have said is not judged while there was one. Of sequence numbers it says nothing.
//
// A broker that was started again knows of a producer's last five batches only the newest (so does Kafka's: that is what a snapshot of
// producers has). It takes the repetition of an older one for out of order, for it cannot tell that from one that was never stored.
//
// A coordinator that takes office counts a timeout by its own wall clock, so that nothing can be judged where such clocks jump.
func CheckRefusals(log *history.Log, r Refusals) []checkers.Violation {
	c := &checker{log: log, count: make(map[checkers.Property]int)}
	inits := make(map[int32][]int)
	var starts []core.Mono // of brokers
	for i := range log.Len() {
		op, body := log.At(i)
		switch b := body.(type) {
		case *history.Init:
			inits[b.Writer] = append(inits[b.Writer], i)
		case *history.NodeChange:
			if b.State == history.Starting {
				starts = append(starts, op.End)
			}
		default: // nothing else says whose transactional.id it is
		}
	}
	for i := range log.Len() {
		op, body := log.At(i)
		b, ok := body.(*history.Txn)
		if !ok || !denies(b.Refused) {
			continue
		}
		if coordinates(b.Refused) && slices.ContainsFunc(r.Deposed, func(s Span) bool { return s.From <= op.End && op.Start < s.To }) {
			continue
		}
		if b.Refused == core.ErrOutOfOrderSequenceNumber && slices.ContainsFunc(starts, func(at core.Mono) bool { return op.Start <= at && at < op.End }) {
			continue
		}
		k := slices.IndexFunc(r.Timeouts, func(t Timeout) bool { return t.Writer == b.Writer })
		if k < 0 || op.End-op.Start >= r.Timeouts[k].judged() {
			continue
		}
		if own, sole := c.sole(inits[b.Writer], op); sole {
			c.report(NotRefused, history.Place{Topic: -1}, core.NoOffset, []int{own, i},
				"p%d was told %v in transaction %d, and nobody but it has had writer %d since it began", op.Process, b.Refused, b.ID, b.Writer)
		}
	}
	return c.out.Violations
}

// judged is below the timeout by what a clock may be fast.
func (t Timeout) judged() core.Mono { return t.After - t.After/100 }

// denies reports whether an error says that a transaction is another one's, or that there is none.
func denies(code core.ErrorCode) bool {
	switch code {
	case core.ErrProducerFenced, core.ErrInvalidProducerEpoch, core.ErrInvalidTxnState, core.ErrOutOfOrderSequenceNumber,
		core.ErrInvalidProducerIDMapping, core.ErrUnknownProducerID:
		return true
	}
	return false
}

// coordinates reports whether a coordinator may say so, and not a partition's leader alone.
func coordinates(code core.ErrorCode) bool {
	return code != core.ErrOutOfOrderSequenceNumber && code != core.ErrUnknownProducerID
}

// sole finds how the process of a transaction came by its producer id, and reports whether no other InitProducerId of the same writer
// can have been executed between that and the end of the transaction.
func (c *checker) sole(inits []int, txn history.Op) (own int, sole bool) {
	own = -1
	for _, i := range inits {
		if op, _ := c.log.At(i); op.Process == txn.Process && op.Outcome == history.OK && op.End <= txn.Start {
			own = i
		}
	}
	if own < 0 {
		return own, false
	}
	mine, _ := c.log.At(own)
	for _, i := range inits {
		op, body := c.log.At(i)
		late := body.(*history.Init).Lost > 0
		switch {
		case op.Start >= txn.End:
		case late, i != own && op.End >= mine.Start:
			return own, false
		}
	}
	return own, true
}
