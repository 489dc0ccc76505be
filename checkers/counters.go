package checkers

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// showEnd takes in a HighWatermark that a leader showed.
func (c *Checker) showEnd(pl *place, i int, op history.Op, hw core.Offset) {
	c.show(pl, &pl.end, HighWatermarkMono, "HighWatermark", i, op, hw)
}

// showStable takes in a LastStableOffset.
func (c *Checker) showStable(pl *place, i int, op history.Op, lso core.Offset) {
	c.show(pl, &pl.stable, HighWatermarkMono, "LastStableOffset", i, op, lso)
}

// show checks a counter that never goes back, and raises what is known of it. The bound is whatever had ended
// before this operation began.
func (c *Checker) show(pl *place, s *series, p Property, name string, i int, op history.Op, o core.Offset) bool {
	if o == core.NoOffset {
		return false
	}
	if f, ok := pl.bound(s, op); ok && o < f.value {
		c.report(p, pl.id, o, []int{f.event, i}, "the %s was %d, and it had been at least %d before", name, o, f.value)
	}
	if k, whole := pl.eraOf(op); !whole && !pl.certain(k, op, o-1) {
		return false
	}
	pl.tell(s, op, o, i)
	return s.raise(op.End, o, i)
}

// teller is one process and a counter that it was shown.
type teller struct {
	process history.Process
	counter *series
}

// bound is what a counter must have reached when an operation begins: whatever anybody was shown, or, where a deposed
// leader may still answer, what the same process was shown. Each replica has a log start of its own: retention and a
// DeleteRecords that is not acknowledged yet may have raised the old leader's alone. What was acknowledged is judged where
// one can see who leads (package cluster).
func (pl *place) bound(s *series, op history.Op) (floor, bool) {
	switch {
	case !pl.topic.Replicated:
		return s.before(op.Start)
	case s == &pl.start:
		return floor{}, false
	}
	f, ok := pl.told[teller{op.Process, s}]
	return f, ok && f.at < op.Start
}

// tell notes what a process was shown of a counter.
func (pl *place) tell(s *series, op history.Op, o core.Offset, event int) {
	k := teller{op.Process, s}
	if !pl.topic.Replicated || op.Process == history.World || o <= pl.told[k].value {
		return
	}
	pl.told[k] = floor{op.End, o, event}
}

// showStart takes in a log start.
func (c *Checker) showStart(pl *place, i int, op history.Op, o core.Offset) {
	p := LogStartMono
	if f, ok := pl.bound(&pl.start, op); ok {
		p = c.startProperty(f.event)
	}
	if c.show(pl, &pl.start, p, "log start", i, op, o) {
		pl.rises = append(pl.rises, i)
		pl.shown.allow(op.Start, o)
	}
}

// startProperty is what a log start below the one that event showed violates.
func (c *Checker) startProperty(event int) Property {
	if _, body := c.log.At(event); isDelete(body) {
		return DeleteRespected
	}
	return LogStartMono
}

func isDelete(body history.Body) bool {
	_, ok := body.(*history.DeleteRecords)
	return ok
}

// startAtMost checks S-START on one response or look.
func (c *Checker) startAtMost(pl *place, i int, start, hw core.Offset) {
	if start != core.NoOffset && hw != core.NoOffset && start > hw {
		c.report(LogStartBounded, pl.id, start, []int{i}, "the log start was %d and the HighWatermark %d", start, hw)
	}
}

// lookup takes in an answer of ListOffsets.
func (c *Checker) lookup(pl *place, i int, op history.Op, b *history.ListOffsets) {
	if op.Outcome != history.OK {
		return
	}
	switch {
	case b.Spec == history.SpecLatest && b.Isolation == history.ReadCommitted:
		c.showStable(pl, i, op, b.Offset)
	case b.Spec == history.SpecLatest:
		c.showEnd(pl, i, op, b.Offset)
	case b.Spec == history.SpecEarliest, b.Spec == history.SpecLocalStart:
		c.showStart(pl, i, op, b.Offset)
	case b.Spec == history.SpecMaxTimestamp:
		pl.times = append(pl.times, i)
	case b.Spec >= 0:
		s := pl.lookups[b.Spec]
		if s == nil {
			s = &series{}
			pl.lookups[b.Spec] = s
		}
		// The first record at or after a timestamp stays the first until it is deleted.
		if len(pl.eras) == 1 {
			c.show(pl, s, LookupMono, "first offset at that timestamp", i, op, b.Offset)
		}
		pl.times = append(pl.times, i)
	}
}

// deleteRecords takes in a deletion: how far it may have moved the log start, and how far it has.
func (c *Checker) deleteRecords(pl *place, i int, op history.Op, b *history.DeleteRecords) {
	if op.Outcome == history.Fail {
		return
	}
	asked := b.Before
	if asked == core.NoOffset {
		asked = b.LowWatermark // "up to the HighWatermark": the answer says which
		if op.Outcome != history.OK {
			asked = maxOffset
		}
	}
	pl.deletions.allow(op.Start, asked)
	if op.Outcome != history.OK {
		return
	}
	if b.LowWatermark < b.Before {
		c.report(DeleteRespected, pl.id, b.LowWatermark, []int{i},
			"p%d asked to delete below %d and was told %d", op.Process, b.Before, b.LowWatermark)
	}
	pl.deletedTo = max(pl.deletedTo, asked)
	c.showStart(pl, i, op, b.LowWatermark)
}

// replica checks a look at one replica's counters.
func (c *Checker) replica(pl *place, i int, op history.Op, b *history.Replica) {
	c.startAtMost(pl, i, b.LogStartOffset, b.HighWatermark)
	if b.LogEndOffset != core.NoOffset && max(b.HighWatermark, b.Durable) > b.LogEndOffset {
		c.report(CountersOrder, pl.id, b.LogEndOffset, []int{i},
			"node %d has HighWatermark %d and durable offset %d, and its log ends at %d",
			b.Node, b.HighWatermark, b.Durable, b.LogEndOffset)
	}
	if b.Leader && b.Sole && b.Policy == history.PolicyCommit && b.Durable != core.NoOffset && b.HighWatermark > b.Durable {
		c.report(HighWatermarkDurable, pl.id, b.Durable, []int{i},
			"node %d shows HighWatermark %d and has fsynced up to %d", b.Node, b.HighWatermark, b.Durable)
	}
	if b.Leader {
		c.showEnd(pl, i, op, b.HighWatermark)
		c.showStart(pl, i, op, b.LogStartOffset)
	}
}

// scan checks S-READABLE: every batch from the log start to the log end parses, and they follow one another.
func (c *Checker) scan(pl *place, i int, b *history.Scan) {
	if pl.topic.Retained { // what retention removed since anybody looked need not have been read
		op, _ := c.log.At(i)
		c.showStart(pl, i, op, b.LogStartOffset)
	}
	next := core.Offset(0) // behind the last batch
	for n, batch := range b.Batches {
		switch {
		case batch.Fault != history.Sound:
			c.report(Readable, pl.id, batch.Base, []int{i}, "node %d: the batch at %d is broken: %s", b.Node, batch.Base, batch.Fault)
		case batch.Last < batch.Base:
			c.report(Readable, pl.id, batch.Base, []int{i}, "node %d: the batch at %d ends at %d", b.Node, batch.Base, batch.Last)
		case n > 0 && batch.Base < next:
			c.report(Readable, pl.id, batch.Base, []int{i}, "node %d: the batch at %d overlaps the one before it", b.Node, batch.Base)
		case batch.Base > max(next, b.LogStartOffset) && !pl.topic.Compacted:
			c.report(Readable, pl.id, next, []int{i}, "node %d: nothing is stored from %d to %d",
				b.Node, max(next, b.LogStartOffset), batch.Base)
		}
		if batch.Fault == history.BadFrame {
			return // what follows a bad frame cannot be found, so the log end cannot be judged
		}
		next = max(next, batch.Last+1)
	}
	next = max(next, b.LogStartOffset)
	if b.LogEndOffset != core.NoOffset && next != b.LogEndOffset && (next > b.LogEndOffset || !pl.topic.Compacted) {
		c.report(Readable, pl.id, next, []int{i}, "node %d: batches end at %d, the log at %d", b.Node, next, b.LogEndOffset)
	}
}
