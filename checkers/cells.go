package checkers

import (
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// cell is what is known about one offset. Events are kept plus one, so that zero means none.
type cell struct {
	value history.Value
	read  int32 // the first event that read the value here
	acked int32 // the send that was acknowledged here
	epoch core.LeaderEpoch
	stamp core.Wall // as read, or as acknowledged
	told  bool      // its loss was reported
}

// known reports whether anything stands here.
func (c *cell) known() bool { return c.read != 0 || c.acked != 0 }

// dated notes the timestamp of the cell's value, and returns what it was known to be if that is another one.
func (c *cell) dated(stamp core.Wall) (was core.Wall, differs bool) {
	was = c.stamp
	if stamp != core.NoTimestamp {
		c.stamp = stamp
	}
	return was, was != core.NoTimestamp && was != c.stamp
}

const (
	pageBits = 8
	pageLen  = 1 << pageBits
)

type page struct {
	base  core.Offset
	cells [pageLen]cell
}

// cells maps offsets to cells, in pages, so that dense logs cost neither a map entry per offset nor memory for
// wild offsets.
type cells struct {
	pages map[core.Offset]*page
	list  []*page // sorted by base once index has run
	last  *page
}

// at is the cell of an offset, nil when its page was never written.
func (c *cells) at(o core.Offset) *cell {
	base := o >> pageBits << pageBits
	if c.last == nil || c.last.base != base {
		p := c.pages[base]
		if p == nil {
			return nil
		}
		c.last = p
	}
	return &c.last.cells[o-base]
}

// put is the cell of an offset, made if need be.
func (c *cells) put(o core.Offset) *cell {
	if have := c.at(o); have != nil {
		return have
	}
	if c.pages == nil {
		c.pages = make(map[core.Offset]*page)
	}
	p := &page{base: o >> pageBits << pageBits}
	for i := range p.cells {
		p.cells[i].epoch, p.cells[i].stamp = core.NoLeaderEpoch, core.NoTimestamp
	}
	c.pages[p.base] = p
	c.list = append(c.list, p)
	c.last = p
	return &p.cells[o-p.base]
}

// sort orders the pages, so that walk ascends.
func (c *cells) sort() {
	slices.SortFunc(c.list, func(a, b *page) int {
		switch {
		case a.base < b.base:
			return -1
		case a.base > b.base:
			return 1
		}
		return 0
	})
}

// walk calls f for each known cell in [lo, hi) in ascending order; the pages must be sorted.
func (c *cells) walk(lo, hi core.Offset, f func(core.Offset, *cell)) {
	from, _ := slices.BinarySearchFunc(c.list, lo, func(p *page, lo core.Offset) int {
		if p.base+pageLen <= lo {
			return -1
		}
		return 1
	})
	for _, p := range c.list[from:] {
		if p.base >= hi {
			return
		}
		for i := range p.cells {
			if o := p.base + core.Offset(i); o >= lo && o < hi && p.cells[i].known() {
				f(o, &p.cells[i])
			}
		}
	}
}

// era is the time between two permitted losses. Offsets below from still belong to the era before.
type era struct {
	at    core.Mono // when it began
	from  core.Offset
	cells cells
	all   []core.Offset // after index: known offsets, ascending
	read  []core.Offset // after index: those that were read
	polls []int         // OK polls that lie in this era alone
}

// index prepares the era for counting; no cell may be added afterwards.
func (e *era) index() {
	e.cells.sort()
	e.cells.walk(0, maxOffset, func(o core.Offset, c *cell) {
		e.all = append(e.all, o)
		if c.read != 0 {
			e.read = append(e.read, o)
		}
	})
}

// eraOf is the era in which an operation lies. whole is false when a loss falls into the operation: then only
// offsets below the loss are certain.
func (pl *place) eraOf(op history.Op) (k int, whole bool) {
	k = len(pl.eras) - 1
	if k == 0 {
		return 0, true
	}
	whole = true
	for k > 0 && pl.eras[k].at >= op.Start {
		whole = whole && pl.eras[k].at > op.End
		k--
	}
	return k, whole
}

// owner is the era to which an offset belongs, seen from era k.
func (pl *place) owner(k int, o core.Offset) int {
	for k > 0 && o < pl.eras[k].from {
		k--
	}
	return k
}

// certain reports whether a loss during op, which began in era k, leaves the offset alone.
func (pl *place) certain(k int, op history.Op, o core.Offset) bool {
	for j := k + 1; j < len(pl.eras) && pl.eras[j].at <= op.End; j++ {
		if o >= pl.eras[j].from {
			return false
		}
	}
	return true
}

// visit calls f for the known cells in [lo, hi) as seen from era k, ascending, with the era that owns each.
func (pl *place) visit(k int, lo, hi core.Offset, f func(owner int, o core.Offset, c *cell)) {
	if lo >= hi {
		return
	}
	from := lo
	if k > 0 {
		pl.visit(k-1, lo, min(hi, pl.eras[k].from), f)
		from = max(lo, pl.eras[k].from)
	}
	pl.eras[k].cells.walk(from, hi, func(o core.Offset, c *cell) { f(k, o, c) })
}

// count is the number of known and of read offsets in [lo, hi) as seen from era k.
func (pl *place) count(k int, lo, hi core.Offset) (all, read int) {
	for ; k >= 0 && lo < hi; k-- {
		e := &pl.eras[k]
		from := lo
		if k > 0 {
			from = max(lo, e.from)
		}
		all += between(e.all, from, hi)
		read += between(e.read, from, hi)
		hi = min(hi, from)
	}
	return all, read
}

// between counts the offsets in [lo, hi) of an ascending list.
func between(list []core.Offset, lo, hi core.Offset) int {
	if lo >= hi {
		return 0
	}
	i, _ := slices.BinarySearch(list, lo)
	j, _ := slices.BinarySearch(list, hi)
	return j - i
}

// lose opens an era at an instant: everything at and above from may be gone, except what was acknowledged as
// durable, which is expected there still.
func (pl *place) lose(at core.Mono, from core.Offset, durable func(event int) bool) {
	k := len(pl.eras) - 1
	next := era{at: at, from: max(from, 0)}
	for j := range pl.eras {
		pl.eras[j].cells.sort()
	}
	pl.visit(k, next.from, maxOffset, func(_ int, o core.Offset, c *cell) {
		if c.acked != 0 && durable(int(c.acked-1)) {
			*next.cells.put(o) = cell{value: c.value, acked: c.acked, epoch: core.NoLeaderEpoch, stamp: c.stamp, told: c.told}
		}
	})
	pl.eras = append(pl.eras, next)
	pl.end.reset(at, max(from, pl.durableEnd))
	pl.stable.reset(at, from)
	pl.sent.reset(at, max(from, pl.durableEnd)-1)
	pl.start.reset(at, from)
	clear(pl.told)
}
