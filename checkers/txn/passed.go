package txn

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// sort puts the writings whose offset is known in the order of their partitions' logs.
func (c *checker) sort() {
	for i := range c.log.Len() {
		_, body := c.log.At(i)
		s, ok := body.(*history.Send)
		if !ok {
			continue
		}
		tp := c.log.Name(s.Place)
		for _, r := range s.Records {
			if w := c.values[value{tp, r.Value}]; w.offset != core.NoOffset && w.send == i {
				pl := c.place(w.place)
				pl.order = append(pl.order, w)
			}
		}
	}
	for _, pl := range c.places {
		slices.SortStableFunc(pl.order, func(a, b *writing) int { return cmp.Compare(a.offset, b.offset) })
	}
}

// owed reports whether readers of committed records must be given a record: it stands in the log for good, and its transaction is
// visible.
func (c *checker) owed(pl *place, w *writing) bool {
	if w.txn == nil || !w.txn.visible() || w.offset < pl.start {
		return false
	}
	_, body := c.log.At(w.send)
	return body.(*history.Send).Promise == history.Durable && !c.log.Topic(pl.id.Topic).Compacted
}

// passed finds records of visible transactions that a read_committed poll passed over. Each is reported once.
func (c *checker) passed(pl *place) {
	told := make(map[*writing]bool)
	for _, i := range pl.polls {
		op, body := c.log.At(i)
		p := body.(*history.Poll)
		from, end := p.From, p.End()
		if from == core.NoOffset || end <= from {
			continue
		}
		at, _ := slices.BinarySearchFunc(pl.order, from, func(w *writing, o core.Offset) int { return cmp.Compare(w.offset, o) })
		for ; at < len(pl.order) && pl.order[at].offset < end; at++ {
			w := pl.order[at]
			if told[w] || !c.owed(pl, w) || returned(p, w.offset) {
				continue
			}
			told[w] = true
			events := []int{w.send, i}
			switch {
			case w.txn.fate != committed:
				events = []int{w.send, w.txn.seen, i}
			case w.txn.event >= 0:
				events = []int{w.send, w.txn.event, i}
			}
			c.report(Atomic, pl.id, w.offset, events, "p%d read past offset %d and was not given the record of transaction %d, which is committed",
				op.Process, w.offset, w.txn.id)
		}
	}
}

// returned reports whether a poll returned an offset. Records of a poll that are out of order are package checkers' matter.
func returned(p *history.Poll, o core.Offset) bool {
	_, ok := slices.BinarySearchFunc(p.Records, o, func(r history.Record, o core.Offset) int { return cmp.Compare(r.Offset, o) })
	return ok
}

// unseen finds records of visible transactions that final reads should have shown.
func (c *checker) unseen(pl *place) {
	if !pl.final {
		return
	}
	end := core.Offset(0)
	for _, i := range pl.polls {
		_, body := c.log.At(i)
		end = max(end, body.(*history.Poll).End())
	}
	for _, w := range pl.order {
		if !w.seen && w.offset >= end && c.owed(pl, w) { // below it was passed over, and reported so
			c.report(checkers.Unseen, pl.id, w.offset, []int{w.send}, "the record of transaction %d at offset %d was committed, and final reads did not show it",
				w.txn.id, w.offset)
		}
	}
}

// consumed judges what transactions have consumed of a partition, group by group.
func (c *checker) consumed(pl *place) {
	list := slices.Clone(pl.consumed)
	slices.SortStableFunc(list, func(a, b consumption) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].group == list[0].group {
			n++
		}
		c.twice(pl, list[:n])
		c.skipped(pl, list[:n])
		list = list[n:]
	}
}

// twice finds offsets that two visible transactions have consumed.
func (c *checker) twice(pl *place, list []consumption) {
	var last *consumption // the visible one that reaches furthest
	for i := range list {
		x := &list[i]
		if !x.txn.visible() || x.from >= x.to {
			continue
		}
		if last != nil && x.from < last.to && x.txn != last.txn {
			c.report(ExactlyOnce, pl.id, x.from, []int{last.txn.event, x.txn.event},
				"group %d: transactions %d and %d, both committed, have consumed offset %d", x.group, last.txn.id, x.txn.id, x.from)
		}
		if last == nil || x.to > last.to {
			last = x
		}
	}
}

// skipped finds records that a reader of committed records was given, and that no transaction has consumed although a visible one
// has consumed what lies behind.
func (c *checker) skipped(pl *place, list []consumption) {
	end := core.Offset(0)
	for i := range list {
		if list[i].txn.visible() {
			end = max(end, list[i].to)
		}
	}
	next := 0
	covered := core.Offset(0) // behind the furthest of list[:next]
	for _, w := range c.shown(pl) {
		if w.offset >= end {
			return
		}
		for next < len(list) && list[next].from <= w.offset {
			if list[next].txn.fate != aborted {
				covered = max(covered, list[next].to)
			}
			next++
		}
		if w.offset >= covered && w.offset >= pl.start {
			c.report(ExactlyOnce, pl.id, w.offset, []int{w.send}, "group %d: a committed transaction has consumed up to %d, and none has consumed offset %d",
				list[0].group, end, w.offset)
		}
	}
}

// shown are the writings that a reader of committed records was given, ascending.
func (c *checker) shown(pl *place) []*writing {
	var list []*writing
	for _, w := range pl.order {
		if w.seen {
			list = append(list, w)
		}
	}
	return list
}
