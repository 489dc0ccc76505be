package checkers

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// poll takes in one read. Records count whatever the outcome, since whatever a client was given must be safe;
// positions and counters count only when the poll succeeded.
func (c *Checker) poll(pl *place, i int, op history.Op, p *history.Poll) {
	if op.Outcome == history.OK {
		c.continuity(pl, i, op, p)
	}
	c.records(pl, i, op, p)
	if op.Outcome != history.OK {
		pl.proveEnd(i, op, p)
		return
	}
	if k, whole := pl.eraOf(op); whole {
		pl.eras[k].polls = append(pl.eras[k].polls, i)
	}
	c.startAtMost(pl, i, p.LogStartOffset, p.HighWatermark)
	c.showStart(pl, i, op, p.LogStartOffset)
	if p.Follower { // true, though perhaps old news
		pl.end.raise(op.End, p.HighWatermark, i)
		pl.stable.raise(op.End, p.LastStableOffset, i)
	} else {
		c.showEnd(pl, i, op, p.HighWatermark)
		c.showStable(pl, i, op, p.LastStableOffset)
	}
	pl.proveEnd(i, op, p)
}

// proveEnd raises the HighWatermark to behind what a poll returned: consumers see only what is below it.
func (pl *place) proveEnd(i int, op history.Op, p *history.Poll) {
	if n := len(p.Records); n > 0 {
		last := p.Records[n-1].Offset
		if k, whole := pl.eraOf(op); whole || pl.certain(k, op, last) {
			pl.tell(&pl.end, op, last+1, i)
			pl.end.raise(op.End, last+1, i)
		}
	}
}

// pollFrom is the position at which a poll began, as far as it can be known; core.NoOffset if it cannot.
func pollFrom(p *history.Poll) core.Offset {
	if p.From == core.NoOffset && len(p.Records) > 0 {
		return p.Records[0].Offset
	}
	return p.From
}

// continuity compares a poll's position with the end of its process' last poll.
func (c *Checker) continuity(pl *place, i int, op history.Op, p *history.Poll) {
	from := pollFrom(p)
	if from == core.NoOffset {
		return
	}
	last, tracked := pl.readers[op.Process]
	switch {
	case !tracked:
	case from < last.next:
		c.report(NonmonotonicPoll, pl.id, from, []int{last.event, i},
			"p%d polled from %d after it had read up to %d", op.Process, from, last.next)
	case from > last.next:
		pl.jumps = append(pl.jumps, jump{from: last.next, to: from, event: i, after: last.event})
	}
	pl.readers[op.Process] = reader{next: max(p.End(), from), event: i}
}

// seek ends what a process' next poll is compared with. A position that its process was told to have lost, though it lies in what was
// committed, is judged when all deletions are known.
func (c *Checker) seek(pl *place, i int, op history.Op, b *history.Seek) {
	last, tracked := pl.readers[op.Process]
	if f, ok := pl.bound(&pl.end, op); b.Lost && tracked && ok && last.next <= f.value {
		pl.lost = append(pl.lost, jump{from: last.next, to: b.To, event: i, after: last.event})
	}
	delete(pl.readers, op.Process)
}

// records checks the records of one poll, each against its neighbours, the response's bounds and what is known.
func (c *Checker) records(pl *place, i int, op history.Op, p *history.Poll) {
	prev, epoch := core.NoOffset, core.NoLeaderEpoch
	deleted, bounded := pl.bound(&pl.start, op)
	for n, r := range p.Records {
		switch {
		case n > 0 && r.Offset <= prev:
			c.report(IntNonmonotonicPoll, pl.id, r.Offset, []int{i},
				"p%d's poll returned offset %d after %d", op.Process, r.Offset, prev)
		case n == 0 && r.Offset < p.From:
			c.report(NonmonotonicPoll, pl.id, r.Offset, []int{i},
				"p%d polled from %d and was given offset %d", op.Process, p.From, r.Offset)
		}
		prev = max(prev, r.Offset)
		c.recordBounds(pl, i, op, p, r)
		if r.Epoch != core.NoLeaderEpoch {
			if r.Epoch < epoch {
				c.report(EpochOrder, pl.id, r.Offset, []int{i},
					"offset %d is of leader epoch %d, after epoch %d", r.Offset, r.Epoch, epoch)
			}
			epoch = max(epoch, r.Epoch)
		}
		if bounded && r.Offset < deleted.value {
			c.report(c.startProperty(deleted.event), pl.id, r.Offset, []int{deleted.event, i},
				"p%d read offset %d after the log start was at %d", op.Process, r.Offset, deleted.value)
		}
		c.read(pl, i, op, r)
	}
}

// recordBounds checks one record against the HighWatermark and LastStableOffset of its own response.
func (c *Checker) recordBounds(pl *place, i int, op history.Op, p *history.Poll, r history.Record) {
	bound, name := p.HighWatermark, "HighWatermark"
	if p.Isolation == history.ReadCommitted && p.LastStableOffset != core.NoOffset {
		bound, name = p.LastStableOffset, "LastStableOffset"
	}
	if bound != core.NoOffset && r.Offset >= bound {
		c.report(PastHighWatermark, pl.id, r.Offset, []int{i},
			"p%d was given offset %d, and the %s was %d", op.Process, r.Offset, name, bound)
	}
}

// seen notes the first reading of a value, sent or not.
func (vs *values) seen(i int, r history.Record) {
	s := vs.of(r.Value)
	if s == nil {
		vs.index[r.Value] = int32(len(vs.list))
		vs.list = append(vs.list, sent{event: unsent})
		s = &vs.list[len(vs.list)-1]
	}
	if s.readBy == 0 {
		s.readBy, s.readAt = int32(i+1), r.Offset
	}
}

// read compares a record with what is known of its offset.
func (c *Checker) read(pl *place, i int, op history.Op, r history.Record) {
	pl.values.seen(i, r)
	k, whole := pl.eraOf(op)
	if !whole && !pl.certain(k, op, r.Offset) {
		return
	}
	cl := pl.eras[pl.owner(k, r.Offset)].cells.put(r.Offset)
	switch {
	case !cl.known():
		cl.value, cl.read = r.Value, int32(i+1)
	case cl.value == r.Value:
		if cl.read == 0 {
			cl.read = int32(i + 1)
		}
	case cl.read != 0:
		c.report(ReadStable, pl.id, r.Offset, []int{int(cl.read - 1), i},
			"p%d read value %d at offset %d, where %d had been read", op.Process, r.Value, r.Offset, cl.value)
		return
	default:
		if !c.excused(int(cl.acked - 1)) {
			c.report(AckedDurable, pl.id, r.Offset, []int{int(cl.acked - 1), i},
				"p%d read value %d at offset %d, where %d had been acknowledged", op.Process, r.Value, r.Offset, cl.value)
		}
		cl.value, cl.acked, cl.read, cl.stamp = r.Value, 0, int32(i+1), core.NoTimestamp
	}
	c.dates(pl, cl, i, r)
	if r.Epoch == core.NoLeaderEpoch {
		return
	}
	if cl.epoch != core.NoLeaderEpoch && cl.epoch != r.Epoch {
		c.report(EpochUnique, pl.id, r.Offset, []int{int(cl.read - 1), i},
			"offset %d was read under leader epochs %d and %d", r.Offset, cl.epoch, r.Epoch)
		return
	}
	cl.epoch = r.Epoch
}

// dates compares a record's timestamp with what was told of it before: by a read, or by the acknowledgement (KIP-32).
func (c *Checker) dates(pl *place, cl *cell, i int, r history.Record) {
	if was, differs := cl.dated(r.Timestamp); differs {
		by := cl.acked
		if by == 0 || int(by-1) == i {
			by = cl.read
		}
		c.report(ReadStable, pl.id, r.Offset, []int{int(by - 1), i}, "offset %d has timestamp %d, and had %d before", r.Offset, r.Timestamp, was)
	}
}
