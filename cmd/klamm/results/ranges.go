package results

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Range is the seeds from First to Last, both included.
type Range [2]uint64

// Ranges are seeds: disjoint ranges in order, none next to another.
type Ranges []Range

// Seeds are n seeds from first on; none if n is 0. The caller has made sure that they exist.
func Seeds(first uint64, n int64) Ranges {
	if n <= 0 {
		return nil
	}
	return Ranges{{first, first + uint64(n-1)}}
}

// Union is the seeds in either.
func (r Ranges) Union(o Ranges) Ranges {
	all := slices.Concat(r, o)
	slices.SortFunc(all, func(a, b Range) int {
		switch {
		case a[0] < b[0]:
			return -1
		case a[0] > b[0]:
			return 1
		}
		return 0
	})
	var out Ranges
	for _, x := range all {
		if n := len(out); n > 0 && (out[n-1][1] == math.MaxUint64 || x[0] <= out[n-1][1]+1) {
			out[n-1][1] = max(out[n-1][1], x[1])
			continue
		}
		out = append(out, x)
	}
	return out
}

// of are the ranges of sorted seeds.
func of(seeds []uint64) Ranges {
	var out Ranges
	for _, s := range seeds {
		if n := len(out); n > 0 && s <= out[n-1][1]+1 && out[n-1][1] != math.MaxUint64 {
			out[n-1][1] = max(out[n-1][1], s)
			continue
		}
		out = append(out, Range{s, s})
	}
	return out
}

// Minus are the seeds that are not in o.
func (r Ranges) Minus(o Ranges) Ranges {
	var out Ranges
	for _, x := range r {
		from, open := x[0], true
		for _, y := range o {
			if y[1] < from || y[0] > x[1] {
				continue
			}
			if y[0] > from {
				out = append(out, Range{from, y[0] - 1})
			}
			if y[1] >= x[1] {
				open = false
				break
			}
			from = y[1] + 1
		}
		if open {
			out = append(out, Range{from, x[1]})
		}
	}
	return out
}

// Count is how many seeds there are.
func (r Ranges) Count() uint64 {
	n := uint64(0)
	for _, x := range r {
		n += x[1] - x[0] + 1
	}
	return n
}

// String lists the ranges: "1-100, 250", shortened when there are many.
func (r Ranges) String() string {
	const most = 8
	parts := make([]string, 0, most+1)
	for i, x := range r {
		switch {
		case i == most:
			parts = append(parts, fmt.Sprintf("... (%d ranges more)", len(r)-most))
			return strings.Join(parts, ", ")
		case x[0] == x[1]:
			parts = append(parts, fmt.Sprint(x[0]))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", x[0], x[1]))
		}
	}
	return strings.Join(parts, ", ")
}
