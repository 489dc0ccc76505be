package purgatory_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/purgatory"
)

func sweep(t *purgatory.Table[int], now core.Mono, done func(int) bool) (offered []int) {
	t.Sweep(now, func(w *int, _ bool) bool {
		offered = append(offered, *w)
		return done(*w)
	})
	return offered
}

func always(int) bool { return true }
func never(int) bool  { return false }

func TestOnlyTouchedSlotsAreOffered(t *testing.T) {
	var table purgatory.Table[int]
	table.Park(1, 100, 0)
	table.Park(2, 100, 1)
	require.Empty(t, sweep(&table, 0, always))
	table.Touch(1)
	require.Equal(t, []int{2}, sweep(&table, 0, always))
	table.Touch(1)
	require.Empty(t, sweep(&table, 0, always))
	require.Equal(t, 1, table.Len())
}

func TestOrderIsDeadlineThenArrival(t *testing.T) {
	var table purgatory.Table[int]
	table.Park(1, 300, 0)
	table.Park(2, 100, 0, 1)
	table.Park(3, 100, 1)
	table.Touch(1)
	table.Touch(0)
	require.Equal(t, []int{2, 3, 1}, sweep(&table, 0, never), "each once, though 2 watches both slots")
}

func TestExpiredWaiterLeavesWhateverTheAnswer(t *testing.T) {
	var table purgatory.Table[int]
	table.Park(1, 100, 0)
	at, ok := table.NextDeadline()
	require.True(t, ok)
	require.Equal(t, core.Mono(100), at)
	require.Empty(t, sweep(&table, 99, never))
	require.Equal(t, []int{1}, sweep(&table, 100, never))
	require.Zero(t, table.Len())
	_, ok = table.NextDeadline()
	require.False(t, ok)
}

func TestTouchDuringSweepCountsForTheNext(t *testing.T) {
	var table purgatory.Table[int]
	table.Park(1, 100, 0)
	table.Touch(0)
	n := 0
	table.Sweep(0, func(*int, bool) bool { n++; table.Touch(0); table.Park(2, 50, 0); return true })
	require.Equal(t, 1, n)
	require.Equal(t, []int{2}, sweep(&table, 0, never))
}

func TestCancelledWaiterIsNeverOffered(t *testing.T) {
	var table purgatory.Table[int]
	p := table.Park(1, 100, 0)
	table.Park(2, 100, 0)
	table.Touch(0)
	table.Cancel(p)
	require.Equal(t, []int{2}, sweep(&table, 200, never))
}

// A waiter that has gone is not held by the slots that it watched, however long nothing happens to them.
func TestFinishedWaiterIsLetGo(t *testing.T) {
	var table purgatory.Table[*int]
	answered, expired, dropped := table.Park(new(int), 200, 0, 1), table.Park(new(int), 100, 1), table.Park(new(int), 200, 1)
	table.Touch(0)
	table.Sweep(100, func(**int, bool) bool { return true })
	table.Cancel(dropped)
	require.Zero(t, table.Len())
	require.Nil(t, answered.Waiter)
	require.Nil(t, expired.Waiter)
	require.Nil(t, dropped.Waiter)
}

// Against a list that is searched whole at every step.
func TestAgainstModel(t *testing.T) {
	type waiter struct {
		id    int
		at    core.Mono
		slots []purgatory.Slot
		must  bool // a watched slot was touched while it was parked
	}
	rapid.Check(t, func(t *rapid.T) {
		var table purgatory.Table[int]
		var model []waiter
		dirty := map[purgatory.Slot]bool{}
		now := core.Mono(0)
		for id := range rapid.IntRange(1, 120).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "op") {
			case 0, 1:
				w := waiter{id: id, at: now + core.Mono(rapid.IntRange(1, 10).Draw(t, "wait"))}
				for s := range purgatory.Slot(4) {
					if rapid.Bool().Draw(t, "watch") {
						w.slots = append(w.slots, s)
					}
				}
				table.Park(id, w.at, w.slots...)
				model = append(model, w)
			case 2:
				s := purgatory.Slot(rapid.IntRange(0, 4).Draw(t, "slot"))
				table.Touch(s)
				dirty[s] = true
				for i := range model {
					model[i].must = model[i].must || slices.Contains(model[i].slots, s)
				}
			case 3:
				now += core.Mono(rapid.IntRange(0, 4).Draw(t, "pass"))
				finishes := func(id int) bool { return id%3 == 0 }
				got := map[int]bool{}
				for _, w := range sweep(&table, now, finishes) {
					require.False(t, got[w], "offered twice")
					got[w] = true
				}
				var kept []waiter
				for _, w := range model {
					may := slices.ContainsFunc(w.slots, func(s purgatory.Slot) bool { return dirty[s] })
					if w.must || w.at <= now {
						require.True(t, got[w.id], "waiter %d was forgotten", w.id)
					} else if !may {
						require.False(t, got[w.id], "waiter %d was offered for nothing", w.id)
					}
					w.must = false
					if !(got[w.id] && (finishes(w.id) || w.at <= now)) {
						kept = append(kept, w)
					}
				}
				model, dirty = kept, map[purgatory.Slot]bool{}
			}
			require.Equal(t, len(model), table.Len())
		}
	})
}

func TestNoAllocationInSteadyState(t *testing.T) {
	var table purgatory.Table[int]
	round := func() {
		table.Park(1, 100, 0)
		table.Park(2, 90, 1)
		table.Touch(0)
		table.Touch(1)
		table.Sweep(0, func(*int, bool) bool { return true })
	}
	for range 20 {
		round()
	}
	require.Zero(t, testing.AllocsPerRun(100, round))
}
