package checkers

import (
	"sort"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// stamped is a record whose stored timestamp is known.
type stamped struct {
	offset core.Offset
	stamp  core.Wall
	since  core.Mono // the record was committed by then
	event  int
}

// lookupTimes checks the answers for timestamps: the first record, in offset order, at or after the timestamp.
// It is not judged where records may vanish (compaction, permitted losses).
func (c *Checker) lookupTimes(pl *place) {
	if len(pl.times) == 0 || len(pl.eras) > 1 || pl.topic.Compacted {
		return
	}
	list := c.stamps(pl)
	tree := newMaxTree(list)
	for _, i := range pl.times {
		op, body := c.log.At(i)
		b := body.(*history.ListOffsets)
		if b.Offset != core.NoOffset {
			c.lookupFits(pl, i, list, b)
		}
		seen := op.End
		if pl.topic.Retained {
			seen = forever // retention may have removed records before anybody was shown the new log start
		}
		from := sort.Search(len(list), func(n int) bool { return list[n].offset >= pl.startBy(seen) })
		if b.Spec == history.SpecMaxTimestamp {
			c.lookupLargest(pl, i, list, tree, from)
			continue
		}
		n := tree.first(from, b.Spec)
		if n >= len(list) {
			continue
		}
		r := list[n]
		// A log is dense: whatever stands below the answer was there when the answer was given. That there is nothing may
		// be the answer of a deposed leader.
		if b.Offset != core.NoOffset && r.offset < b.Offset || b.Offset == core.NoOffset && r.since < op.Start && !pl.topic.Replicated {
			c.report(LookupTime, pl.id, r.offset, []int{r.event, i},
				"the first record at or after timestamp %d was said to be at %d, and offset %d has timestamp %d",
				b.Spec, b.Offset, r.offset, r.stamp)
		}
	}
}

// lookupLargest checks that an answer for the largest timestamp names the first record that has it (KIP-734). None may be the answer
// while the record is not committed.
func (c *Checker) lookupLargest(pl *place, i int, list []stamped, tree *maxTree, from int) {
	op, body := c.log.At(i)
	b := body.(*history.ListOffsets)
	if b.Offset == core.NoOffset {
		return
	}
	told := func(r stamped) {
		c.report(LookupTime, pl.id, r.offset, []int{r.event, i},
			"the first record with the largest timestamp was said to be at %d, with %d, and offset %d has timestamp %d", b.Offset, b.Timestamp, r.offset, r.stamp)
	}
	if n := tree.first(from, b.Timestamp); n < len(list) && list[n].offset < b.Offset {
		told(list[n])
	} else if n := tree.first(from, b.Timestamp+1); n < len(list) && list[n].since < op.Start && !pl.topic.Replicated {
		told(list[n]) // a deposed leader need not have it
	}
}

// lookupFits checks that the record which an answer names is at or after the timestamp, and of the leader epoch that it tells.
func (c *Checker) lookupFits(pl *place, i int, list []stamped, b *history.ListOffsets) {
	n := sort.Search(len(list), func(n int) bool { return list[n].offset >= b.Offset })
	if n == len(list) || list[n].offset != b.Offset {
		return
	}
	if stamp := list[n].stamp; stamp < b.Spec || b.Timestamp != core.NoTimestamp && b.Timestamp != stamp {
		c.report(LookupTime, pl.id, b.Offset, []int{list[n].event, i},
			"offset %d was said to have timestamp %d, at or after %d, and has %d", b.Offset, b.Timestamp, b.Spec, stamp)
	}
	if cl := pl.eras[0].cells.at(b.Offset); cl != nil && cl.epoch != core.NoLeaderEpoch && b.Epoch != core.NoLeaderEpoch && cl.epoch != b.Epoch {
		c.report(EpochUnique, pl.id, b.Offset, []int{int(cl.read - 1), i},
			"offset %d was said to be of leader epoch %d, and was read under %d", b.Offset, b.Epoch, cl.epoch)
	}
}

// stamps are the records of known timestamp, by offset, the earliest evidence of each.
func (c *Checker) stamps(pl *place) []stamped {
	var list []stamped
	for _, i := range pl.sends {
		op, body := c.log.At(i)
		s := body.(*history.Send)
		since := op.End
		if s.Acks != acksAll || s.Promise != history.Durable {
			since = forever // acknowledged, but perhaps not yet below the HighWatermark
		}
		for _, r := range s.Records {
			stamp := stampOf(s, r)
			if stamp != core.NoTimestamp && r.Offset != core.NoOffset && pl.holds(r) {
				list = append(list, stamped{r.Offset, stamp, since, i})
			}
		}
	}
	for _, i := range pl.eras[0].polls {
		op, body := c.log.At(i)
		for _, r := range body.(*history.Poll).Records {
			if r.Timestamp != core.NoTimestamp {
				list = append(list, stamped{r.Offset, r.Timestamp, op.End, i})
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].offset != list[j].offset {
			return list[i].offset < list[j].offset
		}
		return list[i].since < list[j].since
	})
	kept := list[:0]
	for n, r := range list {
		if n == 0 || r.offset != kept[len(kept)-1].offset {
			kept = append(kept, r)
		}
	}
	return kept
}

// stampOf is the timestamp with which a send's record was said to be stored.
func stampOf(s *history.Send, r history.Record) core.Wall {
	if s.LogAppendTime != core.NoTimestamp {
		return s.LogAppendTime
	}
	return r.Timestamp
}

// maxTree finds the first entry at or behind an index whose timestamp is large enough, in O(log n).
type maxTree struct {
	size int // leaves, a power of two
	max  []core.Wall
}

func newMaxTree(list []stamped) *maxTree {
	t := &maxTree{size: 1}
	for t.size < len(list) {
		t.size *= 2
	}
	t.max = make([]core.Wall, 2*t.size)
	for i := range t.max {
		t.max[i] = core.NoTimestamp
	}
	for i, r := range list {
		t.max[t.size+i] = r.stamp
	}
	for i := t.size - 1; i > 0; i-- {
		t.max[i] = max(t.max[2*i], t.max[2*i+1])
	}
	return t
}

// first is the smallest index >= from whose timestamp is at least stamp, the number of leaves if there is none.
func (t *maxTree) first(from int, stamp core.Wall) int {
	if from >= t.size {
		return t.size
	}
	n := t.size + from
	for t.max[n] < stamp {
		for n&1 == 1 { // a right child: nothing more below its parent
			n >>= 1
		}
		if n == 0 {
			return t.size
		}
		n++ // the sibling to the right
	}
	for n < t.size {
		n *= 2
		if t.max[n] < stamp {
			n++
		}
	}
	return n - t.size
}
