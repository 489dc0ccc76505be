// Package order holds what depends on the order of a map.
package order

import (
	"maps"
	"reflect"
	"slices"
)

type table map[string]int

func ranges(m map[int]int, named table) int {
	sum := 0
	for k := range m { // want `range over a map: the order differs between runs; range over slices.Sorted\(maps.Keys\(m\)\), keep the data in core/ordmap, or, if the order truly cannot matter, end the line with //det:unordered <reason>`
		sum += k
	}
	for range m { // want `range over a map`
		sum++
	}
	for _, v := range named { // want `range over a map`
		sum += v
	}
	for _, v := range named { //det:unordered addition commutes
		sum += v
	}
	for i := range 3 {
		sum += i
	}
	for i := range []int{1} {
		sum += i
	}
	return sum
}

func generic[M ~map[K]V, K comparable, V any](m M) (n int) {
	for range m { // want `range over a map`
		n++
	}
	return n
}

type byKey[K comparable] interface{ ~map[K]bool }

func constrained[K comparable, M byKey[K]](m M) (n int) {
	for range m { // want `range over a map`
		n++
	}
	return n
}

func elements[S ~[]E, E any](s S) (n int) {
	for range s {
		n++
	}
	return n
}

func handedOut(m map[string]int) []string {
	for k := range maps.Keys(m) { // want `maps.Keys: the order differs between runs; put it directly inside slices.Sorted or slices.SortedFunc`
		_ = k
	}
	_ = slices.Collect(maps.Values(m))                                               // want `maps.Values: the order differs between runs`
	_ = slices.SortedStableFunc(maps.Values(m), func(a, b int) int { return b - a }) // want `maps.Values: the order` `subtraction can overflow`
	keys := maps.Keys[map[string]int]                                                // want `maps.Keys: the order differs between runs`
	_ = keys
	sorted := slices.Sorted(maps.Keys(m))
	_ = slices.SortedFunc(maps.Values[map[string]int](m), compareInts)
	return sorted
}

func compareInts(a, b int) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

func pairs(m map[string]int) {
	for k, v := range maps.All(m) { // want `maps.All: the order differs between runs`
		_, _ = k, v
	}
	other := maps.Collect(maps.All(m))
	maps.Insert(other, maps.All(m))
	maps.Copy(other, m)
	clear(other)
	maps.DeleteFunc(other, func(string, int) bool { return true })      // want `maps.DeleteFunc: it calls the function in an order that differs`
	maps.DeleteFunc(other, func(_ string, v int) bool { return v < 0 }) //det:unordered the predicate looks at its argument only
}

func reflected(v reflect.Value) {
	_ = v.MapKeys()                    // want `reflect.Value.MapKeys: iteration order differs`
	for r := v.MapRange(); r.Next(); { // want `reflect.Value.MapRange: iteration order differs`
	}
	_ = v.Pointer() // want `reflect.Value.Pointer: addresses differ between runs`
}
