// Package ordmap is a map whose iteration order is the order of its keys.
//
// Lookups cost what a Go map's cost. The order is kept lazily: it is sorted again by the first iteration after keys
// were added, so bursts of insertions cost one sort. Go's own maps are never ranged over in deterministic code.
package ordmap

import (
	"cmp"
	"iter"
	"slices"
)

// Map maps K to V and iterates in the order given at its making.
type Map[K comparable, V any] struct {
	compare func(a, b K) int
	values  map[K]V
	keys    []K // superset of the map's keys between rebuilds
	sorted  bool
	stale   int // keys in the slice that the map no longer has
}

// New is an empty map ordered by compare, which must be a total order consistent with ==.
func New[K comparable, V any](compare func(a, b K) int) *Map[K, V] {
	return &Map[K, V]{compare: compare, values: make(map[K]V), sorted: true}
}

// Ordered is an empty map in the natural order of its keys.
func Ordered[K cmp.Ordered, V any]() *Map[K, V] { return New[K, V](cmp.Compare[K]) }

// Len is the number of entries.
func (m *Map[K, V]) Len() int { return len(m.values) }

// Get is the value of k, and whether there is one.
func (m *Map[K, V]) Get(k K) (V, bool) {
	v, ok := m.values[k]
	return v, ok
}

// At is the value of k, or the zero value.
func (m *Map[K, V]) At(k K) V { return m.values[k] }

// Has reports whether k has a value.
func (m *Map[K, V]) Has(k K) bool {
	_, ok := m.values[k]
	return ok
}

// Set gives k the value v.
func (m *Map[K, V]) Set(k K, v V) {
	if _, ok := m.values[k]; !ok {
		if m.stale > 0 { // k may be among the stale keys; a duplicate would be iterated twice
			m.compact()
		}
		if n := len(m.keys); n > 0 && m.sorted && m.compare(m.keys[n-1], k) > 0 {
			m.sorted = false
		}
		m.keys = append(m.keys, k)
	}
	m.values[k] = v
}

// Delete removes k if present.
func (m *Map[K, V]) Delete(k K) {
	if _, ok := m.values[k]; ok {
		delete(m.values, k)
		m.stale++
	}
}

// compact drops keys that have been deleted.
func (m *Map[K, V]) compact() {
	m.keys = slices.DeleteFunc(m.keys, func(k K) bool { return !m.Has(k) })
	m.stale = 0
}

func (m *Map[K, V]) order() []K {
	if m.stale > 0 {
		m.compact()
	}
	if !m.sorted {
		slices.SortFunc(m.keys, m.compare)
		m.sorted = true
	}
	return m.keys
}

// All iterates in key order. Entries deleted during the iteration are not visited; entries added are visited by the
// next iteration only.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Clone(m.order()) {
			if v, ok := m.values[k]; ok && !yield(k, v) {
				return
			}
		}
	}
}

// Keys is a copy of the keys in order.
func (m *Map[K, V]) Keys() []K { return slices.Clone(m.order()) }

// First is the least key and its value, and whether there is one.
func (m *Map[K, V]) First() (k K, v V, ok bool) {
	keys := m.order()
	if len(keys) == 0 {
		return k, v, false
	}
	return keys[0], m.values[keys[0]], true
}
