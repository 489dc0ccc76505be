package shrink

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/scenarios"
)

// No plan is run again that has failed to show the target within as many events.
func TestShrinkTriesNothingTwiceInVain(t *testing.T) {
	for seed := range uint64(3) {
		plan := drawn(t, seed, []string{"default", "cluster", "quorum"}[seed])
		y := someToy(prng.New(seed), &plan)
		within := make(map[string]int64)
		got, err := Shrink(plan, Target{Property: "TOY"}, func(batch []Candidate) []Outcome {
			out := y.run(batch)
			for i, o := range out {
				d := digest(&batch[i].Plan)
				key, limit := string(d[:]), batch[i].MaxEvents
				before, again := within[key]
				require.False(t, again && limit > 0 && limit <= before, "seed %d: a plan of %d faults was run twice", seed, len(batch[i].Plan.Faults))
				if o.Fails {
					break // what stands behind it was not counted, and may come again
				}
				within[key] = max(before, limit)
			}
			return out
		}, Options{})
		require.NoError(t, err)
		require.Greater(t, got.Rounds, 1, "rounds repeat each other")
	}
}

// Everything takes the same time where the violation does not mind, which a run with fewer turns and the same verdict shows.
func TestQuick(t *testing.T) {
	plan := drawn(t, 1, scenarios.CanaryProfile)
	first := scenarios.Run(plan, nil)
	require.NotEmpty(t, first.Violations)
	target := TargetOf(first.Violations[0])
	s := session{target: target, first: plan, best: clone(plan), size: Judge(Candidate{Plan: plan}, target), tried: make(map[planDigest]int64)}
	s.run = func(batch []Candidate) []Outcome {
		out := make([]Outcome, len(batch))
		for i := range batch {
			out[i] = Judge(batch[i], target)
		}
		return out
	}
	before := s.size.Events
	s.quick()
	require.Less(t, s.size.Events, before)
	require.Equal(t, instant, s.best.Brokers[0].Disk.Sync.Base)
	require.Zero(t, s.best.Brokers[0].Disk.Sync.Skew)
	require.Equal(t, plan.Clients, s.best.Clients)
	require.Equal(t, plan.Faults, s.best.Faults)
}
