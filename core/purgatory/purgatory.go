// Package purgatory parks requests that wait for a partition to change: produces until the HighWatermark passes
// their records, fetches until enough bytes are there.
//
// It is data, not threads. A [Table] indexes waiters by the slots they watch; a state change touches a slot; once a
// turn the owner sweeps, and every waiter that watches a touched slot, or whose deadline has passed, is offered for
// completion in (deadline, arrival) order. There are no locks and no re-entrancy: touching during a sweep counts for
// the next one. Whether a waiter is done is the owner's judgement, taken anew at each offer, so a spurious touch is
// harmless and a waiter bound to an epoch fails by itself when the epoch has changed.
//
// Kafka's purgatory completes operations from whichever thread noticed the change, under per-operation and
// per-partition locks; a decade of deadlocks came of it (KAFKA-8151, KAFKA-13651 and others).
package purgatory

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
)

// Slot names something that can change, for instance a partition, as a small dense index.
type Slot int32

// Table parks waiters of one kind. The zero value is empty and ready.
type Table[W any] struct {
	watching [][]*Parked[W] // by slot; entries of finished waiters are dropped when next seen
	timers   deadline.Heap[*Parked[W]]
	touched  []Slot
	isTouch  []bool // by slot
	ready    []*Parked[W]
	free     []*Parked[W]
	arrivals uint64
	count    int
}

// Parked is one waiter's place in the table.
type Parked[W any] struct {
	Waiter   W // zero once it is done
	Deadline core.Mono

	arrival uint64
	timer   deadline.Handle
	watches int  // list entries that still point here
	offered bool // already among the ready of this sweep
	done    bool
}

// Len is the number of parked waiters.
func (t *Table[W]) Len() int { return t.count }

// Park adds a waiter that is offered whenever one of the slots is touched, and once when its deadline has passed.
// The returned place stays valid until the waiter is done.
func (t *Table[W]) Park(w W, at core.Mono, slots ...Slot) *Parked[W] {
	var p *Parked[W]
	if n := len(t.free); n > 0 {
		p, t.free = t.free[n-1], t.free[:n-1]
	} else {
		p = new(Parked[W])
	}
	t.arrivals++
	*p = Parked[W]{Waiter: w, Deadline: at, arrival: t.arrivals}
	p.timer = t.timers.Add(at, p)
	t.count++
	for _, s := range slots {
		t.Watch(p, s)
	}
	return p
}

// Watch adds a slot to a parked waiter.
func (t *Table[W]) Watch(p *Parked[W], s Slot) {
	for int(s) >= len(t.watching) {
		t.watching = append(t.watching, nil)
		t.isTouch = append(t.isTouch, false)
	}
	list := t.watching[s]
	if n := len(list); n > 8 && n == cap(list) { // before growing, drop those that finished through another slot
		list = t.prune(list)
	}
	t.watching[s] = append(list, p)
	p.watches++
}

// Touch notes that the slot changed; its waiters are offered by the next Sweep.
func (t *Table[W]) Touch(s Slot) {
	if int(s) >= len(t.watching) || t.isTouch[s] || len(t.watching[s]) == 0 {
		return
	}
	t.isTouch[s] = true
	t.touched = append(t.touched, s)
}

// Cancel removes a waiter without offering it.
func (t *Table[W]) Cancel(p *Parked[W]) {
	if !p.done {
		t.finish(p)
		t.release(p)
	}
}

// Touched reports whether anything was touched since the last sweep.
func (t *Table[W]) Touched() bool { return len(t.touched) > 0 }

// Sweep offers every waiter that watches a touched slot or is past its deadline. The offer answers whether the
// waiter is done; a waiter past its deadline must be, and is removed whatever the answer.
func (t *Table[W]) Sweep(now core.Mono, offer func(w *W, expired bool) (done bool)) {
	t.collect(now)
	if len(t.ready) == 0 {
		return
	}
	ready := t.ready
	t.ready = nil // an offer that parks or touches must not disturb this sweep
	slices.SortFunc(ready, func(a, b *Parked[W]) int {
		return cmp.Or(cmp.Compare(a.Deadline, b.Deadline), cmp.Compare(a.arrival, b.arrival))
	})
	for i, p := range ready {
		p.offered = false
		expired := p.Deadline <= now
		if !p.done && (offer(&p.Waiter, expired) || expired) && !p.done {
			t.finish(p)
		}
		t.release(p)
		ready[i] = nil
	}
	if t.ready == nil {
		t.ready = ready[:0]
	}
}

// collect gathers the waiters to offer and prunes the lists it walks.
func (t *Table[W]) collect(now core.Mono) {
	for _, s := range t.touched {
		t.isTouch[s] = false
		t.watching[s] = t.prune(t.watching[s])
		for _, p := range t.watching[s] {
			t.enqueue(p)
		}
	}
	t.touched = t.touched[:0]
	for {
		p, ok := t.timers.PopDue(now)
		if !ok {
			return
		}
		t.enqueue(p)
	}
}

func (t *Table[W]) enqueue(p *Parked[W]) {
	if !p.done && !p.offered {
		p.offered = true
		t.ready = append(t.ready, p)
	}
}

func (t *Table[W]) prune(list []*Parked[W]) []*Parked[W] {
	kept := list[:0]
	for _, p := range list {
		if p.done {
			p.watches--
			t.release(p)
		} else {
			kept = append(kept, p)
		}
	}
	clear(list[len(kept):])
	return kept
}

// finish ends a waiter's stay. Lists of slots that nothing happens to may point to its place for long; what the waiter holds, a produce
// its whole frame, goes now.
func (t *Table[W]) finish(p *Parked[W]) {
	var none W
	p.done, p.Waiter = true, none
	t.timers.Cancel(p.timer)
	t.count--
}

// release recycles a finished waiter once no list points at it.
func (t *Table[W]) release(p *Parked[W]) {
	if p.done && p.watches == 0 && !p.offered {
		p.watches = -1 // released; a second call is a no-op
		t.free = append(t.free, p)
	}
}

// NextDeadline is the earliest deadline of a parked waiter, and whether there is one.
func (t *Table[W]) NextDeadline() (core.Mono, bool) { return t.timers.Next() }

// All visits every parked waiter that watches a slot, in arrival order per slot; it serves rare, whole-table work
// such as dropping a closed connection's waiters.
func (t *Table[W]) All(visit func(p *Parked[W])) {
	for s := range t.watching {
		for _, p := range slices.Clone(t.watching[s]) {
			if !p.done {
				visit(p)
			}
		}
	}
}
