package sums

import (
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// view is what one reader has seen of the bank.
type view struct {
	reached map[history.Place][]span
	copies  map[history.Value]int64 // of each record that it was given
}

// bank judges the view of each reader of committed records.
func (c *checker) bank() {
	if len(c.transfers) == 0 {
		return
	}
	var readers []history.Process
	for _, r := range c.readings {
		if !slices.Contains(readers, r.process) {
			readers = append(readers, r.process)
		}
	}
	slices.Sort(readers)
	for _, process := range readers {
		c.balance(process)
	}
}

// balance adds up a reader's view. It names the first transfers that are wrong.
func (c *checker) balance(process history.Process) {
	v := c.view(process)
	total, wrong := int64(0), 0
	var first []history.TxnID
	for _, t := range c.transfers {
		debits, ok1 := v.seen(c, t.Debit)
		credits, ok2 := v.seen(c, t.Credit)
		if !ok1 || !ok2 || debits == credits && debits <= 1 {
			continue
		}
		total += t.Amount * (credits - debits)
		if wrong++; len(first) < 3 {
			first = append(first, t.Txn)
		}
	}
	if wrong > 0 {
		c.report(BankTotal, "the accounts that p%d sees hold %+d of what they held at first: %d transfers are not whole, among them those of transactions %v",
			process, total, wrong, first)
	}
}

// view gathers what a process has read.
func (c *checker) view(process history.Process) view {
	v := view{reached: make(map[history.Place][]span), copies: make(map[history.Value]int64)}
	at := make(map[history.Value][]entry)
	for _, r := range c.readings {
		if r.process != process {
			continue
		}
		v.reached[r.place] = merged(r.spans)
		for _, e := range r.shown {
			if c.known[e.value] == nil || slices.Contains(at[e.value], e) { // the same record, read again
				continue
			}
			at[e.value] = append(at[e.value], e)
			v.copies[e.value]++
		}
	}
	return v
}

// seen is how often a view holds a record; ok is false while the record may be still to come.
func (v *view) seen(c *checker, value history.Value) (copies int64, ok bool) {
	n := v.copies[value]
	e := c.known[value]
	switch {
	case n > 0:
		return n, true
	case e.failed:
		return 0, true
	case e.offset == core.NoOffset, e.weak, e.offset < c.start[e.place]:
		return 0, false
	}
	return 0, covers(v.reached[e.place], span{e.offset, e.offset + 1})
}
