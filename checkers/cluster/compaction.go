package cluster

import (
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// CompactEqual is COMPACT-EQ: compaction changes no key's latest value, and nothing that is not committed.
const CompactEqual checkers.Property = "COMPACT-EQ"

// clockSlack is how far a node's clock may have gone, in ms, between the rewriting of a batch and the swap: the disk may be
// slow, and clocks jump by up to an hour. A horizon that was taken from old timestamps is further off.
const clockSlack = 2 * 3600 * 1000

// Compacted implements [history.CompactionWitness]. From now on the partition's replicas may hold different batches: each
// is cleaned at its own pace, and followers copy what a cleaned leader has left.
func (o *Oracle) Compacted(at core.Mono, c history.Compaction) {
	p := o.part(c.Key)
	p.compacted = true
	say := func(off core.Offset, format string, args ...any) { o.report(at, CompactEqual, p, off, format, args...) }
	after := make(map[core.Offset]*history.KeyedRecord, len(c.After))
	last := core.NoOffset
	for i := range c.After {
		r := &c.After[i]
		if r.Offset <= last {
			say(r.Offset, "node %d: offset %d stands behind %d", c.Node, r.Offset, last)
			return
		}
		last = r.Offset
		after[r.Offset] = r
	}
	f := foretell(c.Before, p.hw)
	for i := range c.Before {
		was := &c.Before[i]
		is := after[was.Offset]
		switch {
		case is == nil && was.Marker != history.NoMarker:
			o.droppedMarker(at, p, &c, was, after, f.data[was.Offset])
		case is == nil && f.fates[i] == aborted:
		case is == nil && f.fates[i] == open:
			say(was.Offset, "node %d: the record at %d is gone, and its transaction is open", c.Node, was.Offset)
		case is == nil:
			o.dropped(at, p, &c, was, f.newest)
		case is.Content != was.Content || is.Key != was.Key:
			say(was.Offset, "node %d: the record at %d is another one now", c.Node, was.Offset)
		case is.Horizon != was.Horizon && (was.Horizon != core.NoTimestamp || is.Horizon < c.Wall-clockSlack):
			say(was.Offset, "node %d: the batch at %d had the delete horizon %d and has %d now, at %d", c.Node, was.Offset,
				was.Horizon, is.Horizon, c.Wall)
		}
	}
	for i := range c.Before {
		delete(after, c.Before[i].Offset)
	}
	if len(after) > 0 {
		say(c.Base, "node %d: %d records have come from nowhere", c.Node, len(after))
	}
}

// fate is what has become of a record.
type fate uint8

const (
	settled fate = iota // it is of no transaction, or of one that was committed
	aborted
	open
)

// forecast is what compaction must go by.
type forecast struct {
	fates  []fate                        // of each record
	newest map[uint64]core.Offset        // of each key, as far as is committed and settled
	data   map[core.Offset][]core.Offset // of each marker
}

// foretell reads a whole log in order; markers count as far as they are committed.
func foretell(records []history.KeyedRecord, hw core.Offset) forecast {
	f := forecast{fates: make([]fate, len(records)), newest: make(map[uint64]core.Offset), data: make(map[core.Offset][]core.Offset)}
	undecided := make(map[core.ProducerID][]int)
	for i := range records {
		switch r := &records[i]; {
		case r.Marker == history.NoMarker && r.Producer != core.NoProducerID:
			f.fates[i] = open
			undecided[r.Producer] = append(undecided[r.Producer], i)
		case r.Marker == history.NoMarker || r.Offset >= hw:
		default:
			for _, j := range undecided[r.Producer] {
				f.data[r.Offset] = append(f.data[r.Offset], records[j].Offset)
				if f.fates[j] = settled; r.Marker == history.AbortMarker {
					f.fates[j] = aborted
				}
			}
			delete(undecided, r.Producer)
		}
	}
	for i := range records {
		if r := &records[i]; !r.Keyless && r.Offset < hw && f.fates[i] == settled {
			f.newest[r.Key] = r.Offset
		}
	}
	return f
}

// droppedMarker judges a transaction's marker that is gone: readers have had the time to see it, and nothing that it ends is left
// (BUGS.md D3).
func (o *Oracle) droppedMarker(
	at core.Mono, p *partition, c *history.Compaction, was *history.KeyedRecord, after map[core.Offset]*history.KeyedRecord, data []core.Offset,
) {
	if was.Horizon == core.NoTimestamp || was.Horizon > c.Wall+clockSlack {
		o.report(at, CompactEqual, p, was.Offset, "node %d: the marker at %d is gone at %d; its delete horizon is %d (-1: it had none)",
			c.Node, was.Offset, c.Wall, was.Horizon)
	}
	for _, off := range data {
		if after[off] != nil {
			o.report(at, CompactEqual, p, was.Offset, "node %d: the marker at %d is gone, and a record of its transaction is left at %d",
				c.Node, was.Offset, off)
			return
		}
	}
}

// dropped judges a record that is gone: a newer one of its key must be committed, or it is a tombstone that readers have
// had the time to see, and nothing older of its key is left.
func (o *Oracle) dropped(
	at core.Mono, p *partition, c *history.Compaction, was *history.KeyedRecord, newest map[uint64]core.Offset,
) {
	switch {
	case was.Keyless:
	case was.Offset >= p.hw || was.Offset < c.Base || was.Offset >= c.End:
		o.report(at, CompactEqual, p, was.Offset, "node %d: the record at %d is gone; %d..%d was cleaned, and %d is committed",
			c.Node, was.Offset, c.Base, c.End-1, p.hw)
	case newest[was.Key] > was.Offset:
	case !was.Tombstone:
		o.report(at, CompactEqual, p, was.Offset, "node %d: the latest value of its key, at %d, is gone", c.Node, was.Offset)
	case was.Horizon == core.NoTimestamp || was.Horizon > c.Wall+clockSlack:
		o.report(at, CompactEqual, p, was.Offset, "node %d: the tombstone at %d is gone at %d; its delete horizon is %d (-1: it had none)",
			c.Node, was.Offset, c.Wall, was.Horizon)
	case slices.ContainsFunc(c.After, func(r history.KeyedRecord) bool { return !r.Keyless && r.Key == was.Key && r.Offset < was.Offset }):
		o.report(at, CompactEqual, p, was.Offset, "node %d: the tombstone at %d is gone, and a value that it deletes is left", c.Node, was.Offset)
	}
}

// append adds a batch to a replica's log; false if it does not follow the last one. Compacted logs may have holes.
func (p *partition) append(r *replica, b history.Stored) bool {
	if p.compacted && b.Base > r.log.end() {
		r.log.batches = append(r.log.batches, b)
		return true
	}
	return r.log.append(b)
}
