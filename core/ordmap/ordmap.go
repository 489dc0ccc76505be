// Package ordmap is a map whose iteration order is the order of its keys.
//
// Lookups, insertions and deletions cost what a Go map's cost. The order is kept lazily: it is sorted again by the first
// iteration after keys were added, so bursts of insertions cost one sort, and deleted keys are swept when they are as many as
// the others. Go's own maps are never ranged over in deterministic code.
package ordmap

import (
	"cmp"
	"iter"
	"slices"
)

// Map maps K to V and iterates in the order given at its making.
type Map[K comparable, V any] struct {
	compare func(a, b K) int
	values  map[K]held[V]
	slots   []slot[K] // of all keys, and of deleted ones that have not been swept
	sorted  bool
	stale   int    // slots of deleted keys
	born    uint64 // insertions so far
}

// held is a value with the number of its key's insertion.
type held[V any] struct {
	value V
	born  uint64
}

// slot is one insertion of a key. It is stale once the key has been deleted, even if the key was inserted again: then
// there is another slot for it.
type slot[K any] struct {
	key  K
	born uint64
}

// New is an empty map ordered by compare, which must be a total order consistent with ==.
func New[K comparable, V any](compare func(a, b K) int) *Map[K, V] {
	return &Map[K, V]{compare: compare, values: make(map[K]held[V]), sorted: true}
}

// Ordered is an empty map in the natural order of its keys.
func Ordered[K cmp.Ordered, V any]() *Map[K, V] { return New[K, V](cmp.Compare[K]) }

// Len is the number of entries.
func (m *Map[K, V]) Len() int { return len(m.values) }

// Get is the value of k, and whether there is one.
func (m *Map[K, V]) Get(k K) (V, bool) {
	h, ok := m.values[k]
	return h.value, ok
}

// At is the value of k, or the zero value.
func (m *Map[K, V]) At(k K) V { return m.values[k].value }

// Has reports whether k has a value.
func (m *Map[K, V]) Has(k K) bool {
	_, ok := m.values[k]
	return ok
}

// Set gives k the value v.
func (m *Map[K, V]) Set(k K, v V) {
	h, ok := m.values[k]
	if !ok {
		if n := len(m.slots); n > 0 && m.sorted && m.compare(m.slots[n-1].key, k) > 0 {
			m.sorted = false
		}
		m.born++
		h.born = m.born
		m.slots = append(m.slots, slot[K]{key: k, born: m.born})
	}
	h.value = v
	m.values[k] = h
}

// Delete removes k if present.
func (m *Map[K, V]) Delete(k K) {
	if _, ok := m.values[k]; !ok {
		return
	}
	delete(m.values, k)
	if m.stale++; m.stale > len(m.values)+leastStale {
		m.sweep()
	}
}

// leastStale is how many deleted keys are kept however few entries there are.
const leastStale = 16

// sweep drops the slots of deleted keys.
func (m *Map[K, V]) sweep() {
	if m.stale > 0 {
		m.slots = slices.DeleteFunc(m.slots, func(s slot[K]) bool { return !m.live(s) })
		m.stale = 0
	}
}

func (m *Map[K, V]) live(s slot[K]) bool {
	h, ok := m.values[s.key]
	return ok && h.born == s.born
}

// order sweeps and sorts.
func (m *Map[K, V]) order() []slot[K] {
	m.sweep()
	m.sort()
	return m.slots
}

func (m *Map[K, V]) sort() {
	if !m.sorted {
		slices.SortFunc(m.slots, func(a, b slot[K]) int { return m.compare(a.key, b.key) })
		m.sorted = true
	}
}

// All iterates in key order. Entries deleted during the iteration are not visited; entries added are visited by the
// next iteration only.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, s := range slices.Clone(m.order()) {
			if h, ok := m.values[s.key]; ok && !yield(s.key, h.value) {
				return
			}
		}
	}
}

// Keys is a copy of the keys in order.
func (m *Map[K, V]) Keys() []K {
	keys := make([]K, 0, len(m.values))
	for _, s := range m.order() {
		keys = append(keys, s.key)
	}
	return keys
}

// First is the least key and its value, and whether there is one. Taking entries from the front costs no sweeps.
func (m *Map[K, V]) First() (k K, v V, ok bool) {
	m.sort()
	for len(m.slots) > 0 && !m.live(m.slots[0]) {
		m.slots = m.slots[1:]
		m.stale--
	}
	if len(m.slots) == 0 {
		return k, v, false
	}
	k = m.slots[0].key
	return k, m.values[k].value, true
}
