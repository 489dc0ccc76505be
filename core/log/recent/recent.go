// Package recent remembers where the newest batches of a log stand. It is a ring of bounded size: state of one log, filled
// by appends and by recovery's scan, asked by lookups. It may have gaps between batches (compaction), never overlaps.
package recent

import (
	"sort"

	"github.com/klamm-log/klamm/core"
)

// Batch is where one batch stands.
type Batch struct {
	Base  core.Offset
	Delta int32 // last offset minus base
	Pos   int32 // in the segment that contains base
	Size  int32 // in bytes
}

// Last is the batch's last offset.
func (b *Batch) Last() core.Offset { return b.Base + core.Offset(b.Delta) }

// Ring remembers the exact places of the newest batches, so that readers of the tail need no I/O. It is a ring that
// grows with use up to its limit.
type Ring struct {
	ring  []Batch
	head  int // of the oldest
	count int
}

func (r *Ring) at(i int) *Batch {
	if i += r.head; i >= len(r.ring) {
		i -= len(r.ring)
	}
	return &r.ring[i]
}

// Push adds the newest batch and drops the oldest one at the limit.
func (r *Ring) Push(b Batch, limit int32) {
	if r.count == len(r.ring) {
		if r.count < int(limit) {
			r.grow(min(max(8, 2*r.count), int(limit)))
		} else {
			r.popFront()
		}
	}
	r.count++
	*r.at(r.count - 1) = b
}

func (r *Ring) grow(size int) {
	ring := make([]Batch, size)
	for i := range r.count {
		ring[i] = *r.at(i)
	}
	r.ring, r.head = ring, 0
}

func (r *Ring) popFront() {
	r.head++
	if r.head == len(r.ring) {
		r.head = 0
	}
	r.count--
}

// DropBelow forgets batches that begin below the offset.
func (r *Ring) DropBelow(o core.Offset) {
	for r.count > 0 && r.at(0).Base < o {
		r.popFront()
	}
}

// Clear forgets everything and keeps the memory.
func (r *Ring) Clear() { r.head, r.count = 0, 0 }

// Find is the first batch that ends at or above the offset. ok is false if the ring does not reach back to it.
func (r *Ring) Find(o core.Offset) (b *Batch, ok bool) {
	if r.count == 0 || o < r.at(0).Base {
		return nil, false
	}
	i := sort.Search(r.count, func(i int) bool { return r.at(i).Last() >= o })
	if i == r.count {
		return nil, false
	}
	return r.at(i), true
}

// Check reports two neighbours that overlap, as indexes, and whether there are any.
func (r *Ring) Check() (first, second int, overlap bool) {
	for i := 1; i < r.count; i++ {
		if r.at(i-1).Last() >= r.at(i).Base {
			return i - 1, i, true
		}
	}
	return 0, 0, false
}
