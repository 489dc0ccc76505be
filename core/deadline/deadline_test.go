package deadline_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
)

// A random mix of Add, Cancel and PopDue behaves as a sorted list does.
func TestAgainstSortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type ref struct {
			at core.Mono
			id int
			h  deadline.Handle
		}
		var heap deadline.Heap[int]
		var model []ref
		for id := range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "op") {
			case 0, 1:
				at := core.Mono(rapid.IntRange(0, 20).Draw(t, "at"))
				model = append(model, ref{at, id, heap.Add(at, id)})
			case 2:
				if len(model) > 0 {
					i := rapid.IntRange(0, len(model)-1).Draw(t, "victim")
					require.True(t, heap.Cancel(model[i].h))
					require.False(t, heap.Cancel(model[i].h))
					model = slices.Delete(model, i, i+1)
				}
			case 3:
				now := core.Mono(rapid.IntRange(0, 20).Draw(t, "now"))
				slices.SortStableFunc(model, func(a, b ref) int { return int(a.at - b.at) })
				got, ok := heap.PopDue(now)
				if len(model) == 0 || model[0].at > now {
					require.False(t, ok)
				} else {
					require.True(t, ok)
					require.Equal(t, model[0].id, got)
					require.False(t, heap.Cancel(model[0].h))
					model = model[1:]
				}
			}
			require.Equal(t, len(model), heap.Len())
		}
	})
}

func TestNoAllocationInSteadyState(t *testing.T) {
	var heap deadline.Heap[int]
	heap.Add(1, 1)
	heap.PopDue(1)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		h := heap.Add(5, 1)
		heap.Add(4, 2)
		heap.Cancel(h)
		heap.PopDue(9)
	}))
}
