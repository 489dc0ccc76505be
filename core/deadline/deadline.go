// Package deadline is a timer heap: entries ordered by (instant, arrival), cancellable in O(log n).
//
// It holds no clock. The owner asks for the earliest instant, sleeps until then by whatever means its world has, and
// takes what is due. Nothing ticks: an idle owner has an empty heap.
package deadline

import "github.com/klamm-log/klamm/core"

// Handle cancels an entry. The zero Handle cancels nothing.
type Handle struct {
	slot int32 // index into slots, plus one
	gen  uint32
}

// Heap is a set of instants with a value each. The zero value is empty and ready.
type Heap[T any] struct {
	heap  []entry // 4-ary
	slots []slot[T]
	free  []int32
	seq   uint64
}

type entry struct {
	at   core.Mono
	seq  uint64
	slot int32
}

type slot[T any] struct {
	value T
	pos   int32 // index into heap, -1 when free
	gen   uint32
}

func (a entry) before(b entry) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// Len is the number of pending entries.
func (h *Heap[T]) Len() int { return len(h.heap) }

// Add schedules v at the given instant.
func (h *Heap[T]) Add(at core.Mono, v T) Handle {
	var s int32
	if n := len(h.free); n > 0 {
		s, h.free = h.free[n-1], h.free[:n-1]
	} else {
		s = int32(len(h.slots))
		h.slots = append(h.slots, slot[T]{})
	}
	h.slots[s].value = v
	h.slots[s].gen++
	h.seq++
	h.heap = append(h.heap, entry{at: at, seq: h.seq, slot: s})
	h.up(len(h.heap) - 1)
	return Handle{slot: s + 1, gen: h.slots[s].gen}
}

// Cancel removes an entry; it reports whether the entry was still pending.
func (h *Heap[T]) Cancel(x Handle) bool {
	s := x.slot - 1
	if s < 0 || int(s) >= len(h.slots) || h.slots[s].gen != x.gen || h.slots[s].pos < 0 {
		return false
	}
	h.removeAt(int(h.slots[s].pos))
	return true
}

// Next is the earliest instant, and whether there is one.
func (h *Heap[T]) Next() (core.Mono, bool) {
	if len(h.heap) == 0 {
		return 0, false
	}
	return h.heap[0].at, true
}

// PopDue takes the earliest entry if its instant is not after now.
func (h *Heap[T]) PopDue(now core.Mono) (v T, ok bool) {
	if len(h.heap) == 0 || h.heap[0].at > now {
		return v, false
	}
	v = h.slots[h.heap[0].slot].value
	h.removeAt(0)
	return v, true
}

func (h *Heap[T]) removeAt(i int) {
	s := h.heap[i].slot
	var zero T
	h.slots[s].value = zero
	h.slots[s].pos = -1
	h.free = append(h.free, s)
	last := len(h.heap) - 1
	moved := h.heap[last]
	h.heap = h.heap[:last]
	if i == last {
		return
	}
	h.heap[i] = moved
	h.down(i)
	h.up(int(h.slots[moved.slot].pos))
}

func (h *Heap[T]) up(i int) {
	e := h.heap[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(h.heap[parent]) {
			break
		}
		h.set(i, h.heap[parent])
		i = parent
	}
	h.set(i, e)
}

func (h *Heap[T]) down(i int) {
	e := h.heap[i]
	for {
		first := 4*i + 1
		if first >= len(h.heap) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h.heap)); c++ {
			if h.heap[c].before(h.heap[least]) {
				least = c
			}
		}
		if !h.heap[least].before(e) {
			break
		}
		h.set(i, h.heap[least])
		i = least
	}
	h.set(i, e)
}

func (h *Heap[T]) set(i int, e entry) {
	h.heap[i] = e
	h.slots[e.slot].pos = int32(i)
}
