package sums

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// The properties, see the package comment.
const (
	BankTotal  checkers.Property = "BANK-TOTAL"
	WordsExact checkers.Property = "WORDS-EXACT"
)

const never core.Mono = 1<<63 - 1

// entry is a record that one of the workloads counts, or an input record.
type entry struct {
	value  history.Value
	place  history.Place
	offset core.Offset // core.NoOffset: nobody knows
	failed bool        // certainly not written
	weak   bool        // not promised for good
}

// reading is what one process, a reader of committed records, has read of a partition.
type reading struct {
	process history.Process
	place   history.Place
	spans   []span  // what it has read past, in order of time
	final   []span  // since final reads were announced
	shown   []entry // what it was given, in order of time
}

// span is a run of offsets [from, to).
type span struct{ from, to core.Offset }

type checker struct {
	log       *history.Log
	transfers []*history.Transfer
	tallies   []*history.Tally
	txns      []*history.Txn
	known     map[history.Value]*entry // records of transfers and tallies
	readings  []*reading
	byReader  map[readerOf]*reading
	start     map[history.Place]core.Offset // the highest log start that may be in force
	finalAt   core.Mono
	out       []checkers.Violation
}

type readerOf struct {
	process history.Process
	place   history.Place
}

// Check judges a whole history.
func Check(log *history.Log) []checkers.Violation {
	c := &checker{log: log, known: make(map[history.Value]*entry), byReader: make(map[readerOf]*reading),
		start: make(map[history.Place]core.Offset), finalAt: never}
	for i := range log.Len() {
		c.about(i)
	}
	if len(c.transfers)+len(c.tallies) == 0 {
		return nil
	}
	for i := range log.Len() {
		c.gather(i)
	}
	c.bank()
	c.words()
	return c.out
}

// about takes in what the workloads say that they write.
func (c *checker) about(i int) {
	op, body := c.log.At(i)
	switch b := body.(type) {
	case *history.Transfer:
		c.transfers = append(c.transfers, b)
		c.expect(b.Debit)
		c.expect(b.Credit)
	case *history.Tally:
		c.tallies = append(c.tallies, b)
		c.expect(b.Value)
	case *history.Txn:
		if len(b.Consumed) > 0 {
			c.txns = append(c.txns, b)
		}
	case *history.Mark:
		if b.Name == history.FinalReads {
			c.finalAt = min(c.finalAt, op.End)
		}
	default: // the next pass takes it
	}
}

func (c *checker) expect(v history.Value) {
	c.known[v] = &entry{value: v, offset: core.NoOffset, place: history.Place{Topic: -1}}
}

// gather takes in what was written and read.
func (c *checker) gather(i int) {
	op, body := c.log.At(i)
	switch b := body.(type) {
	case *history.Send:
		c.send(op, b)
	case *history.Poll:
		c.rise(b.Place, b.LogStartOffset)
		c.poll(op, b)
	case *history.ListOffsets:
		if b.Spec == history.SpecEarliest && op.Outcome == history.OK {
			c.rise(b.Place, b.Offset)
		}
	case *history.Replica:
		c.rise(b.Place, b.LogStartOffset)
	case *history.DeleteRecords:
		if op.Outcome != history.Fail {
			c.rise(b.Place, 1<<62)
		}
	case *history.Loss:
		c.rise(b.Place, 1<<62)
	default: // nothing is written or read
	}
}

func (c *checker) rise(p history.Place, o core.Offset) { c.start[p] = max(c.start[p], o) }

func (c *checker) send(op history.Op, s *history.Send) {
	for _, r := range s.Records {
		e := c.known[r.Value]
		if e == nil {
			continue
		}
		e.weak = s.Promise != history.Durable || c.log.Topic(s.Topic).Compacted
		switch op.Outcome {
		case history.OK:
			e.place, e.offset = s.Place, r.Offset
		case history.Fail:
			e.failed = true
		case history.Info:
		}
	}
}

// poll takes in what a poll has shown. Who reads what is not committed tells only where records stand.
func (c *checker) poll(op history.Op, p *history.Poll) {
	var r *reading
	if p.Isolation == history.ReadCommitted && op.Outcome == history.OK {
		r = c.reading(op.Process, p.Place)
		if s := (span{p.From, p.End()}); p.From != core.NoOffset && s.to > s.from {
			r.spans = append(r.spans, s)
			if op.Start >= c.finalAt {
				r.final = append(r.final, s)
			}
		}
	}
	for _, rec := range p.Records {
		if e := c.known[rec.Value]; e != nil && e.offset == core.NoOffset {
			e.place, e.offset = p.Place, rec.Offset
		}
		if r != nil {
			r.shown = append(r.shown, entry{value: rec.Value, place: p.Place, offset: rec.Offset})
		}
	}
}

func (c *checker) reading(process history.Process, at history.Place) *reading {
	key := readerOf{process, at}
	r := c.byReader[key]
	if r == nil {
		r = &reading{process: process, place: at}
		c.byReader[key] = r
		c.readings = append(c.readings, r)
	}
	return r
}

func (c *checker) report(property checkers.Property, format string, args ...any) {
	c.out = append(c.out, checkers.Violation{Property: property, Offset: core.NoOffset, Message: fmt.Sprintf(format, args...)})
}

// merged are spans in order, those that touch made one.
func merged(spans []span) []span {
	list := slices.Clone(spans)
	slices.SortFunc(list, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	out := list[:0]
	for _, s := range list {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// covers reports whether merged spans hold the run of offsets.
func covers(spans []span, s span) bool {
	return slices.ContainsFunc(spans, func(x span) bool { return x.from <= s.from && s.to <= x.to })
}
