package log

import (
	"sort"

	"github.com/klamm-log/klamm/core"
)

// recentBatch is where one batch stands.
type recentBatch struct {
	base  core.Offset
	delta int32 // last offset minus base
	pos   int32 // in the segment that contains base
	size  int32
}

func (b *recentBatch) last() core.Offset { return b.base + core.Offset(b.delta) }

// recent remembers the exact places of the newest batches, so that readers of the tail need no I/O. It is a ring that
// grows with use up to its limit.
type recent struct {
	ring  []recentBatch
	head  int // of the oldest
	count int
}

func (r *recent) at(i int) *recentBatch {
	if i += r.head; i >= len(r.ring) {
		i -= len(r.ring)
	}
	return &r.ring[i]
}

// push adds the newest batch and drops the oldest one at the limit.
func (r *recent) push(b recentBatch, limit int32) {
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

func (r *recent) grow(size int) {
	ring := make([]recentBatch, size)
	for i := range r.count {
		ring[i] = *r.at(i)
	}
	r.ring, r.head = ring, 0
}

func (r *recent) popFront() {
	r.head++
	if r.head == len(r.ring) {
		r.head = 0
	}
	r.count--
}

// dropBelow forgets batches that begin below the offset.
func (r *recent) dropBelow(o core.Offset) {
	for r.count > 0 && r.at(0).base < o {
		r.popFront()
	}
}

// clear forgets everything and keeps the memory.
func (r *recent) clear() { r.head, r.count = 0, 0 }

// find is the first batch that ends at or above the offset. ok is false if the ring does not reach back to it.
func (r *recent) find(o core.Offset) (b *recentBatch, ok bool) {
	if r.count == 0 || o < r.at(0).base {
		return nil, false
	}
	i := sort.Search(r.count, func(i int) bool { return r.at(i).last() >= o })
	if i == r.count {
		return nil, false
	}
	return r.at(i), true
}
