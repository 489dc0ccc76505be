// Package compare holds comparators.
package compare

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

type row struct {
	name  string
	size  int
	epoch int16
}

func (r row) Compare(other row) int { return cmp.Compare(r.name, other.name) }

func unstable(rows []row) {
	sort.Slice(rows, func(i, j int) bool { return rows[i].size < rows[j].size }) // want `sort.Slice: its order of equal elements is unspecified; use slices.SortFunc with a chain of cmp.Compare in cmp.Or, or slices.SortStableFunc`
	sort.Sort(byName(rows))                                                      // want `sort.Sort: its order of equal elements is unspecified`
	sort.Stable(byName(rows))
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].size < rows[j].size })
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].size <= rows[j].size }) // want `comparator is not a total order: a less function must answer false for equal elements; use < or >`
	sort.SliceStable(rows, func(i, _ int) bool { return rows[i].size < 7 })             // want `it never looks at _`
	sort.Strings(nil)
}

type byName []row

func (b byName) Len() int           { return len(b) }
func (b byName) Less(i, j int) bool { return b[i].name < b[j].name }
func (b byName) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

func good(rows []row) {
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.size, b.size), strings.Compare(a.name, b.name))
	})
	slices.SortFunc(rows, row.Compare)
	slices.SortFunc(rows, func(a, b row) int { return int(a.epoch) - int(b.epoch) })
	slices.SortFunc(rows, threeWay)
	slices.SortFunc(rows, func(a, b row) int {
		if a.size != b.size {
			return cmp.Compare(a.size, b.size)
		}
		return 0
	})
	_, _ = slices.BinarySearchFunc(rows, 3, func(r row, size int) int { return cmp.Compare(r.size, size) })
}

// boundary looks for the first row that is large enough; no row is "equal".
func boundary(rows []row) {
	_, _ = slices.BinarySearchFunc(rows, 3, func(r row, size int) int {
		if r.size < size {
			return -1
		}
		return 1
	})
	_, _ = slices.BinarySearchFunc(rows, 3, func(r row, size int) int { return r.size - size }) // want `the subtraction can overflow`
}

func threeWay(a, b row) int {
	switch {
	case a.size < b.size:
		return -1
	case a.size > b.size:
		return +1
	}
	return 0
}

func bad(rows []row) {
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.size, 3) })               // want `comparator is not a total order: it never looks at b; compare both arguments, field by field, with cmp.Or and cmp.Compare`
	slices.SortStableFunc(rows, func(a, b row) int { return a.size - b.size })                // want `the subtraction can overflow \(int has 32 bits on GOARCH=386\); use cmp.Compare`
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.name, a.name) + b.size }) // want `it compares a.name with itself`
	slices.SortFunc(rows, func(a, b row) int { return a.Compare(a) + b.Compare(a) })          // want `it compares a with itself`
	slices.SortFunc(rows, noZero)                                                             // want `it never answers 0, so an element differs from itself; use cmp.Compare`
	_ = slices.MaxFunc(rows, func(a, b row) int {                                             // want `it always answers the same`
		_, _ = a, b
		return 0
	})
	slices.SortFunc(rows, func(row, row) int { return 0 }) // want `it never looks at an unnamed argument` `it never looks at an unnamed argument` `it always answers the same`
}

func noZero(a, b row) int {
	if a.size < b.size {
		return -1
	}
	return 1
}
