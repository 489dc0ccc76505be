package checkers

import (
	"sort"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// finish judges one partition when the whole history is known.
func (c *Checker) finish(pl *place) {
	for k := range pl.eras {
		pl.eras[k].index()
	}
	pl.deletions.settle()
	pl.shown.settle()
	for k := range pl.eras {
		c.sources(pl, k)
	}
	if !pl.topic.Compacted { // a cleaner may remove what the following would miss
		for k := range pl.eras {
			c.lost(pl, k)
			c.skips(pl, k)
		}
		c.jumped(pl)
		c.misled(pl)
		c.unseen(pl)
	}
	for k := range pl.eras {
		c.copies(pl, k)
	}
	c.pipelined(pl)
	c.explainStart(pl)
	c.explainRetention(pl)
	c.lookupTimes(pl)
	c.accounts(pl)
}

// startBy is the highest log start that may have been in force at an instant. What was shown without having been
// asked for is reported by explainStart, not by what is missing below it.
func (pl *place) startBy(at core.Mono) core.Offset {
	return max(pl.deletions.by(at), pl.shown.by(at))
}

// sources checks where the values come from that were read in an era.
func (c *Checker) sources(pl *place, k int) {
	pl.eras[k].cells.walk(0, maxOffset, func(o core.Offset, cl *cell) {
		if cl.read == 0 {
			return
		}
		reader := int(cl.read - 1)
		s := pl.values.of(cl.value)
		if s == nil || s.event == unsent {
			c.report(Phantom, pl.id, o, []int{reader}, "value %d was read at offset %d, and nobody sent it", cl.value, o)
			return
		}
		events := []int{int(s.event), reader}
		op, body := c.log.At(int(s.event))
		read, _ := c.log.At(reader)
		send := body.(*history.Send)
		from := c.log.Topic(send.Topic).ID
		switch {
		case op.Outcome == history.Fail:
			c.report(AbortedRead, pl.id, o, events, "value %d was read at offset %d, and its send had failed", cl.value, o)
		// A producer's retry goes to whatever the name means by then, so an earlier attempt may stand in an earlier
		// incarnation beside the one that was acknowledged.
		case !from.IsZero() && !pl.topic.ID.IsZero() && from != pl.topic.ID && send.Attempts <= 1:
			c.report(TopicIDMixed, pl.id, o, events, "value %d was sent to topic id %s and read under %s", cl.value, from, pl.topic.ID)
		case read.End < op.Start:
			c.report(Phantom, pl.id, o, events, "value %d was read at offset %d before it was sent", cl.value, o)
		default:
			c.reused(pl, o, cl, op, events)
		}
	})
}

// reused is sendOrder for a record whose offset only a read told: it too was appended after its send began.
func (c *Checker) reused(pl *place, o core.Offset, cl *cell, op history.Op, events []int) {
	if cl.acked != 0 {
		return
	}
	if f, ok := pl.end.before(op.Start); ok && o < f.value {
		c.report(OffsetReused, pl.id, o, append([]int{f.event}, events...),
			"p%d's send began after offsets below %d were committed, and its value %d was read at offset %d",
			op.Process, f.value, cl.value, o)
	}
}

// span is the offsets that one poll of an era answers for.
type span struct {
	lo, hi core.Offset
	event  int
}

// spans are the ranges that the polls of an era passed over, without what may have been deleted, by lower end.
func (c *Checker) spans(pl *place, k int) []span {
	var list []span
	for _, i := range pl.eras[k].polls {
		op, body := c.log.At(i)
		p := body.(*history.Poll)
		if s := (span{max(pollFrom(p), pl.startBy(op.End)), p.End(), i}); s.lo < s.hi && pollFrom(p) != core.NoOffset {
			list = append(list, s)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].lo < list[j].lo })
	return list
}

// hidden reports whether a poll may pass over a record although it is there: a reader of committed records alone does not see
// what an aborted transaction wrote (KIP-98). Package txn knows which were aborted, and judges these.
func (c *Checker) hidden(pl *place, poll int, v history.Value) bool {
	_, body := c.log.At(poll)
	s := pl.values.of(v)
	if body.(*history.Poll).Isolation != history.ReadCommitted || s == nil || s.event == unsent {
		return false
	}
	_, body = c.log.At(int(s.event))
	return body.(*history.Send).Txn != 0
}

// lost finds acknowledged records that polls of an era passed over and nobody read.
func (c *Checker) lost(pl *place, k int) {
	var passed [2]core.Offset // by isolation level: the two do not see the same
	for _, s := range c.spans(pl, k) {
		_, body := c.log.At(s.event)
		level := body.(*history.Poll).Isolation & 1
		pl.visit(k, max(passed[level], s.lo), s.hi, func(_ int, o core.Offset, cl *cell) {
			if cl.read != 0 || cl.told || c.hidden(pl, s.event, cl.value) {
				return
			}
			cl.told = true
			sender := int(cl.acked - 1)
			if c.excused(sender) {
				return
			}
			if v := pl.values.of(cl.value); v.readBy != 0 && v.readAt != o {
				c.report(AckedDurable, pl.id, o, []int{sender, int(v.readBy - 1), s.event},
					"value %d was acknowledged at offset %d, is not there, and was read at %d", cl.value, o, v.readAt)
				return
			}
			c.report(LostWrite, pl.id, o, []int{sender, s.event},
				"value %d was acknowledged at offset %d, and a read from %d to %d passed over it", cl.value, o, s.lo, s.hi)
		})
		passed[level] = max(passed[level], s.hi)
	}
}

// skips finds offsets that a poll of an era left out between its position before and after: records that others
// read, or offsets that nobody filled.
func (c *Checker) skips(pl *place, k int) {
	told := make(map[core.Offset]bool)
	for _, s := range c.spans(pl, k) {
		_, body := c.log.At(s.event)
		records := body.(*history.Poll).Records
		if !ascending(records) {
			continue // reported as such
		}
		next := s.lo
		for _, r := range records {
			if r.Offset >= next {
				c.hole(pl, k, s.event, next, r.Offset, told)
				next = r.Offset + 1
			}
		}
		c.hole(pl, k, s.event, next, s.hi, told)
	}
}

func ascending(rs []history.Record) bool {
	for n := 1; n < len(rs); n++ {
		if rs[n].Offset <= rs[n-1].Offset {
			return false
		}
	}
	return true
}

// hole judges what a poll left out in [lo, hi).
func (c *Checker) hole(pl *place, k, event int, lo, hi core.Offset, told map[core.Offset]bool) {
	if lo >= hi {
		return
	}
	op, body := c.log.At(event)
	all, read := pl.count(k, lo, hi)
	if read > 0 && body.(*history.Poll).Isolation == history.ReadCommitted {
		read = 0
		pl.visit(k, lo, hi, func(_ int, _ core.Offset, cl *cell) {
			if cl.read != 0 && !c.hidden(pl, event, cl.value) {
				read++
			}
		})
	}
	switch {
	case read > 0:
		o, cl := pl.first(k, lo, hi, func(cl *cell) bool { return cl.read != 0 && !c.hidden(pl, event, cl.value) })
		c.report(IntPollSkip, pl.id, o, []int{int(cl.read - 1), event},
			"p%d's poll left out offset %d, where value %d was read by another", op.Process, o, cl.value)
	case !pl.topic.Gaps && core.Offset(all) < hi-lo:
		o := pl.firstUnknown(k, lo, hi)
		if !told[o] {
			told[o] = true
			c.report(OffsetGap, pl.id, o, []int{event}, "p%d's poll passed over offset %d, which holds nothing", op.Process, o)
		}
	}
}

// first is the first cell in [lo, hi) that satisfies f; there must be one.
func (pl *place) first(k int, lo, hi core.Offset, f func(*cell) bool) (at core.Offset, found *cell) {
	pl.visit(k, lo, hi, func(_ int, o core.Offset, cl *cell) {
		if found == nil && f(cl) {
			at, found = o, cl
		}
	})
	return at, found
}

// firstUnknown is the first offset in [lo, hi) of which nothing is known; there must be one.
func (pl *place) firstUnknown(k int, lo, hi core.Offset) core.Offset {
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		if all, _ := pl.count(k, lo, mid); core.Offset(all) < mid-lo {
			hi = mid
		} else {
			lo = mid
		}
	}
	return lo
}

// jumped judges the polls that began behind the end of their process' last one.
func (c *Checker) jumped(pl *place) {
	for _, j := range pl.jumps {
		op, _ := c.log.At(j.event)
		k, whole := pl.eraOf(op)
		lo := max(j.from, pl.startBy(op.End))
		if lo >= j.to || !whole {
			continue
		}
		if all, _ := pl.count(k, lo, j.to); all > 0 || !pl.topic.Gaps {
			c.report(PollSkip, pl.id, lo, []int{j.after, j.event},
				"p%d had read up to %d and polled from %d", op.Process, j.from, j.to)
		}
	}
}

// misled finds readers that had to give up a position although everything below it was committed and nothing of that deleted: no log
// ends there, and none was cut below it. Where retention removes records it may have gone further than anybody was shown.
func (c *Checker) misled(pl *place) {
	if len(pl.eras) > 1 || pl.topic.Retained {
		return
	}
	for _, j := range pl.lost {
		if op, _ := c.log.At(j.event); j.from >= pl.startBy(op.End) {
			c.report(PositionLost, pl.id, j.from, []int{j.after, j.event},
				"p%d had read up to %d, below the HighWatermark, and was told that the log does not have that position", op.Process, j.from)
		}
	}
}

// unseen finds promised records that nobody read although final reads were made.
func (c *Checker) unseen(pl *place) {
	if !c.final || c.gone[pl.id.Topic] {
		return
	}
	deleted := pl.startBy(forever)
	for _, i := range pl.sends {
		op, body := c.log.At(i)
		s := body.(*history.Send)
		if s.Txn != 0 {
			continue // of an aborted transaction nobody need have seen anything; package txn judges the others
		}
		for _, r := range s.Records {
			if pl.values.of(r.Value).readBy != 0 || max(r.Offset, 0) < deleted || c.mayBeGone(pl, i, op, s, r.Offset) {
				continue
			}
			cl := pl.eras[pl.owner(len(pl.eras)-1, r.Offset)].cells.at(r.Offset)
			if cl != nil && cl.known() && (cl.told || cl.value != r.Value) {
				continue // reported as lost, or as overwritten
			}
			c.report(Unseen, pl.id, r.Offset, []int{i}, "value %d was acknowledged to p%d at offset %d and never read",
				r.Value, op.Process, r.Offset)
		}
	}
}

// forever is the end of time.
const forever core.Mono = 1<<63 - 1

// mayBeGone reports whether the settings permit an acknowledged record to be gone at the end of the history.
func (c *Checker) mayBeGone(pl *place, i int, op history.Op, s *history.Send, o core.Offset) bool {
	if s.Promise == history.Durable {
		return false
	}
	if c.excused(i) {
		return true
	}
	for k := 1; k < len(pl.eras); k++ {
		if pl.eras[k].at >= op.Start && (o == core.NoOffset || o >= pl.eras[k].from) {
			return true
		}
	}
	return false
}

// copies finds values that stand at more offsets than their sender's settings allow, as seen from an era.
func (c *Checker) copies(pl *place, k int) {
	c.passes++
	pl.visit(k, 0, maxOffset, func(owner int, o core.Offset, cl *cell) {
		s := pl.values.of(cl.value)
		if cl.read == 0 && cl.told || s.event == unsent {
			return
		}
		if s.pass != c.passes || c.forgotten(pl, s.first, cl, int(s.event)) {
			s.pass, s.count, s.first = c.passes, 0, o
		}
		s.count++
		_, body := c.log.At(int(s.event))
		if s.count <= body.(*history.Send).Copies() || owner != k {
			return
		}
		events := []int{int(s.event)}
		if cl.read != 0 {
			events = append(events, int(cl.read-1))
		}
		c.report(Duplicate, pl.id, o, events, "value %d stands at offset %d and at %d: %d copies", cl.value, s.first, o, s.count)
	})
}

// forgotten reports whether a retry may be appended again because its first copy, at an offset, lay below the log start by then: a
// follower that begins anew at its leader's log start learns nothing of the producers below it (Kafka's does not, either), and
// takes the retry for new once it leads.
func (c *Checker) forgotten(pl *place, first core.Offset, cl *cell, send int) bool {
	if !pl.topic.Replicated {
		return false
	}
	seen := send
	if cl.read != 0 {
		seen = int(cl.read - 1)
	}
	op, _ := c.log.At(seen)
	return first < pl.startBy(op.End)
}

// call is one send of a producer that keeps the order of its calls, with the first and last offset it got.
type call struct {
	op          history.Op
	event       int
	first, last core.Offset
}

// pipelined checks that the sends of a producer that promises it stand in the order of its calls, also where it did not wait
// (up to five in flight keep their order with idempotence: KAFKA-5494). Calls at one instant have no order.
func (c *Checker) pipelined(pl *place) {
	calls := c.calls(pl)
	var top call // the highest offset of the process' calls before the current instant
	for n := 0; n < len(calls); {
		if n == 0 || calls[n].op.Process != calls[n-1].op.Process {
			top = call{last: core.NoOffset}
		}
		next := top
		for m := n; n < len(calls) && calls[n].op.Process == calls[m].op.Process && calls[n].op.Start == calls[m].op.Start; n++ {
			b := &calls[n]
			if b.first <= top.last && top.op.End >= b.op.Start { // sequential ones were judged by sendOrder
				c.report(NonmonotonicSend, pl.id, b.first, []int{top.event, b.event},
					"p%d called send for offset %d after it had called send for offset %d", b.op.Process, b.first, top.last)
			}
			if b.last > next.last {
				next = *b
			}
		}
		top = next
	}
}

// calls are the sends that keep their order and bind, by process and Start.
func (c *Checker) calls(pl *place) []call {
	var list []call
	for _, i := range pl.sends {
		op, body := c.log.At(i)
		s := body.(*history.Send)
		n := len(s.Records)
		if !s.Idempotent && !s.Ordered || n == 0 || s.Records[0].Offset == core.NoOffset || c.mayBeGone(pl, i, op, s, s.Records[0].Offset) {
			continue
		}
		list = append(list, call{op, i, s.Records[0].Offset, s.Records[n-1].Offset})
	}
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].op.Process != list[j].op.Process {
			return list[i].op.Process < list[j].op.Process
		}
		return list[i].op.Start < list[j].op.Start
	})
	return list
}

// explainStart checks that log starts rose no further than somebody asked.
func (c *Checker) explainStart(pl *place) {
	if pl.topic.Retained {
		return
	}
	for _, i := range pl.rises {
		op, body := c.log.At(i)
		if o := startShown(body); o > pl.deletions.by(op.End) {
			c.report(LogStartUnexplained, pl.id, o, []int{i},
				"the log start is %d, and nobody asked to delete above %d", o, pl.deletions.by(op.End))
		}
	}
}

// explainRetention checks that what retention has removed was old enough (BUGS.md C4): when a log start is seen, no record below it may be
// younger than the topic keeps its records.
func (c *Checker) explainRetention(pl *place) {
	if pl.topic.RetentionMs <= 0 || pl.topic.Compacted || len(pl.eras) > 1 || len(pl.rises) == 0 {
		return
	}
	list := c.stamps(pl)
	from := core.Offset(0)
	for _, i := range pl.rises {
		op, body := c.log.At(i)
		from = max(from, pl.deletions.by(op.End))
		start, now := startShown(body), pl.topic.Dawn+core.Wall(op.End/core.Millisecond)
		for n := sort.Search(len(list), func(n int) bool { return list[n].offset >= from }); n < len(list) && list[n].offset < start; n++ {
			if r := list[n]; now-r.stamp <= pl.topic.RetentionMs {
				c.report(LogStartUnexplained, pl.id, start, []int{r.event, i},
					"the log start is %d at %d; the record at %d has timestamp %d, and is kept for %d ms at least", start, now, r.offset, r.stamp, pl.topic.RetentionMs)
				return
			}
		}
		from = max(from, start)
	}
}

// startShown is the log start that an event showed.
func startShown(body history.Body) core.Offset {
	switch b := body.(type) {
	case *history.Poll:
		return b.LogStartOffset
	case *history.ListOffsets:
		return b.Offset
	case *history.Replica:
		return b.LogStartOffset
	case *history.DeleteRecords:
		return b.LowWatermark
	case *history.Scan:
		return b.LogStartOffset
	}
	return core.NoOffset
}

// debt is how many offsets the sends that began by an instant may fill though nobody saw their records there.
type debt struct {
	at  core.Mono
	sum int64
}

// accounts checks, at each rise of the HighWatermark, that the offsets below it are no more than what had been
// sent by then can fill.
func (c *Checker) accounts(pl *place) {
	if len(pl.eras) > 1 || pl.topic.Gaps || pl.topic.Compacted || pl.values.places > 1 || c.told(OffsetGap, pl) {
		return // what else may take offsets, or give them back, is not known; or a poll has shown the gap already
	}
	debts := c.debts(pl)
	for _, f := range pl.end.floors {
		all, _ := pl.count(0, 0, f.value)
		missing := int64(f.value) - int64(all)
		if n := sort.Search(len(debts), func(n int) bool { return debts[n].at > f.at }); n > 0 {
			missing -= debts[n-1].sum
		}
		if missing > 0 {
			c.report(OffsetGap, pl.id, pl.firstUnknown(0, 0, f.value), []int{f.event},
				"the HighWatermark had reached %d, and %d of the offsets below it were never written", f.value, missing)
			return
		}
	}
}

// debts are the running sums of what sends of a partition may have left unseen, by start.
func (c *Checker) debts(pl *place) []debt {
	var list []debt
	for _, sends := range [][]int{pl.sends, pl.maybes} {
		for _, i := range sends {
			op, body := c.log.At(i)
			s := body.(*history.Send)
			sum := (s.Copies() - 1) * int64(len(s.Records))
			for _, r := range s.Records {
				if pl.values.of(r.Value).readBy == 0 && (r.Offset == core.NoOffset || !pl.holds(r)) {
					sum++
				}
			}
			if sum > 0 {
				list = append(list, debt{op.Start, sum})
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].at < list[j].at })
	for n := 1; n < len(list); n++ {
		list[n].sum = min(list[n].sum+list[n-1].sum, history.AnyCopies)
	}
	return list
}

// holds reports whether an acknowledged record has a place of its own.
func (pl *place) holds(r history.Record) bool {
	cl := pl.eras[0].cells.at(r.Offset)
	return cl != nil && cl.known() && cl.value == r.Value
}

// told reports whether a violation of p was kept for the partition.
func (c *Checker) told(p Property, pl *place) bool {
	for _, v := range c.kept {
		if v.Property == p && v.Partition == c.log.Name(pl.id) && v.TopicID == pl.topic.ID {
			return true
		}
	}
	return false
}
