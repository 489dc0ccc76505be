package shrink

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// first is a tryFunc that takes the first alternative that satisfies ok.
func first(ok func(kept []int) bool) tryFunc {
	return func(kept [][]int) int { return slices.IndexFunc(kept, ok) }
}

func containsAll(list, needed []int) bool {
	return !slices.ContainsFunc(needed, func(x int) bool { return !slices.Contains(list, x) })
}

// Of a monotone predicate with one smallest set minimize finds exactly that set, whatever the width of a batch.
func TestMinimizeFindsTheSmallestSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "n")
		needed := []int{}
		for i := range n {
			if rapid.IntRange(0, 9).Draw(t, "needed") == 0 {
				needed = append(needed, i)
			}
		}
		wide := rapid.IntRange(1, 10).Draw(t, "wide")
		got := minimize(n, wide, 1, first(func(kept []int) bool { return containsAll(kept, needed) }))
		require.Equal(t, needed, append([]int{}, got...))
	})
}

// Of any predicate that everything together satisfies it returns something that does, from which no single item can go, in
// order and without repetition. And it does so always alike.
func TestMinimizeIsOneMinimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		salt := rapid.Uint64().Draw(t, "salt")
		ok := func(kept []int) bool { // arbitrary, but for the whole
			h := salt
			for _, i := range kept {
				h = (h ^ uint64(i)) * 0x100000001b3
			}
			return len(kept) == n || h>>33%3 == 0
		}
		got := minimize(n, 4, 1, first(ok))
		require.True(t, ok(got))
		require.True(t, slices.IsSorted(got))
		require.Len(t, slices.Compact(slices.Clone(got)), len(got))
		for i := range got {
			require.False(t, ok(slices.Delete(slices.Clone(got), i, i+1)), "item %d of %v can go", i, got)
		}
		require.Equal(t, got, minimize(n, 4, 1, first(ok)))
	})
}

// It asks about as often as the set that matters is large, not as often as there are items.
func TestMinimizeAsksLittleWhenLittleMatters(t *testing.T) {
	asked := 0
	got := minimize(1000, 1, 1, func(kept [][]int) int {
		asked += len(kept)
		return slices.IndexFunc(kept, func(k []int) bool { return containsAll(k, []int{123, 777}) })
	})
	require.Equal(t, []int{123, 777}, got)
	require.Less(t, asked, 80)
}

// A coarse minimize asks a handful of times only, and returns something that will do.
func TestACoarseMinimizeAsksLittle(t *testing.T) {
	asked := 0
	got := minimize(400, 4, 100, func(kept [][]int) int {
		asked += len(kept)
		return slices.IndexFunc(kept, func(k []int) bool { return containsAll(k, []int{123, 377}) })
	})
	require.Len(t, got, 200, "the two quarters that matter")
	require.LessOrEqual(t, asked, 12)
}
