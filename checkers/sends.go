package checkers

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// acksAll is the acks setting that waits for every in-sync replica.
const acksAll = -1

// unsent is the event of a value that was read and not yet sent, as far as the history goes.
const unsent = -1

// send takes in a send: what values exist, and where acknowledged ones stand.
func (c *Checker) send(pl *place, i int, op history.Op, s *history.Send) {
	for _, r := range s.Records {
		c.value(pl, i, r.Value)
	}
	switch op.Outcome {
	case history.Fail:
		return
	case history.Info:
		pl.maybes = append(pl.maybes, i)
		return
	case history.OK:
		pl.sends = append(pl.sends, i)
	}
	first, last := core.NoOffset, core.NoOffset
	for _, r := range s.Records {
		if r.Offset == core.NoOffset {
			continue
		}
		if last != core.NoOffset && r.Offset <= last {
			c.report(IntNonmonotonicSend, pl.id, r.Offset, []int{i},
				"p%d's send got offset %d after offset %d", op.Process, r.Offset, last)
		}
		if first == core.NoOffset {
			first = r.Offset
		}
		last = max(last, r.Offset)
		c.ack(pl, i, op, s, r)
	}
	if first != core.NoOffset {
		c.sendOrder(pl, i, op, s, first, last)
	}
}

// value registers a sent value. A read may have been recorded before the send that it proves.
func (c *Checker) value(pl *place, i int, v history.Value) {
	vs := pl.values
	s := vs.of(v)
	switch {
	case s == nil:
		vs.index[v] = int32(len(vs.list))
		vs.list = append(vs.list, sent{event: int32(i)})
	case s.event == unsent:
		s.event = int32(i)
	default:
		c.report(Malformed, pl.id, core.NoOffset, []int{int(s.event), i}, "value %d was sent twice", v)
	}
}

// sendOrder checks a send's offsets against what was finished before it began: it can only have been appended
// behind that. Then its own acknowledgement becomes such a bound.
func (c *Checker) sendOrder(pl *place, i int, op history.Op, s *history.Send, first, last core.Offset) {
	if pl.topic.Replicated && s.Promise == history.None {
		return // a leader that does not know yet that it is deposed may have answered, with offsets that are taken
	}
	if f, ok := pl.sent.before(op.Start); ok && first <= f.value {
		c.report(NonmonotonicSend, pl.id, first, []int{f.event, i},
			"p%d's send began after offset %d was acknowledged, and got offset %d", op.Process, f.value, first)
	} else if f, ok := pl.end.before(op.Start); ok && first < f.value && !c.readEarly(pl, op, s) {
		c.report(OffsetReused, pl.id, first, []int{f.event, i},
			"p%d's send began after offsets below %d were committed, and got offset %d", op.Process, f.value, first)
	}
	if s.Promise != history.None && pl.binding(op, s, last) {
		pl.sent.raise(op.End, last, i)
	}
	// acks=all answers when the HighWatermark has passed the record. Weaker promises do not bind it for ever.
	if s.Promise == history.Durable && s.Acks == acksAll {
		pl.tell(&pl.end, op, last+1, i)
		pl.end.raise(op.End, last+1, i)
		pl.durableEnd = max(pl.durableEnd, last+1)
	}
}

// readEarly reports whether one of the send's values was read before the send began: that is reported as Phantom.
func (c *Checker) readEarly(pl *place, op history.Op, s *history.Send) bool {
	for _, r := range s.Records {
		if v := pl.values.of(r.Value); v.readBy != 0 {
			if reader, _ := c.log.At(int(v.readBy - 1)); reader.End < op.Start {
				return true
			}
		}
	}
	return false
}

// binding reports whether an acknowledgement still tells where its record stands: a durable one always does,
// another one unless a permitted loss fell into the send.
func (pl *place) binding(op history.Op, s *history.Send, o core.Offset) bool {
	if s.Promise == history.Durable {
		return true
	}
	k, whole := pl.eraOf(op)
	return whole || pl.certain(k, op, o)
}

// ack puts an acknowledged record at its offset.
func (c *Checker) ack(pl *place, i int, op history.Op, s *history.Send, r history.Record) {
	if !pl.binding(op, s, r.Offset) {
		return
	}
	k := len(pl.eras) - 1
	if s.Promise != history.Durable {
		k, _ = pl.eraOf(op)
	}
	cl := pl.eras[pl.owner(k, r.Offset)].cells.put(r.Offset)
	switch {
	case !cl.known():
		cl.value, cl.acked, cl.stamp = r.Value, int32(i+1), stampOf(s, r)
	case cl.value == r.Value:
		cl.acked = int32(i + 1)
		if cl.read != 0 {
			r.Timestamp = stampOf(s, r)
			c.dates(pl, cl, i, r)
		}
	case cl.read != 0:
		if !c.excused(i) {
			c.report(AckedDurable, pl.id, r.Offset, []int{int(cl.read - 1), i},
				"value %d was acknowledged to p%d at offset %d, where %d was read", r.Value, op.Process, r.Offset, cl.value)
		}
	case c.excused(int(cl.acked - 1)):
		cl.value, cl.acked, cl.stamp = r.Value, int32(i+1), stampOf(s, r)
	case !c.excused(i):
		c.report(InconsistentOffsets, pl.id, r.Offset, []int{int(cl.acked - 1), i},
			"values %d and %d were both acknowledged at offset %d", cl.value, r.Value, r.Offset)
	}
}
