//go:build !js

package simulate

import (
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/mutate"
)

func TestShrunkMutants(t *testing.T) {
	small := func(before, after int64, wall time.Duration, complete, holds bool) *shrunkResult {
		return &shrunkResult{Holds: holds, Shrunk: mutate.Shrunk{
			Property: "HW-MONO", Runs: 1234, Complete: complete, WallNs: int64(wall), CPUNs: int64(wall / 2),
			Before: mutate.Extent{Events: before, Nodes: 3, Faults: 20, Clients: 6, Ops: 80},
			After:  mutate.Extent{Events: after, Nodes: 2, Faults: 1, Clients: 2, Ops: 3},
		}}
	}
	r := mutantsResult{Schema: mutantsSchema, FirstSeed: 1, Mutants: []mutantResult{
		{ID: "a", Profile: "cluster", Starts: []int64{3}, Median: 3, P90: 3, Budget: 50, Replayed: true, Seed: 3, Seeds: 3, Shrunk: small(10_000, 501, 9*time.Second, true, true)},
		{ID: "b", Profile: "default", Starts: []int64{1}, Median: 1, P90: 1, Budget: 50, Replayed: true, Seed: 1, Seeds: 1, Shrunk: small(2000, 41, 30*time.Second, false, false)},
		{ID: "c", Profile: "default", Starts: []int64{}, Open: 50, Budget: 50, Seeds: 50},
	}}
	clitest.Golden(t, "mutants_shrunk.txt", clitest.Printed(t, r))
}

func TestQuantile(t *testing.T) {
	var v []int64
	for i := range int64(20) {
		v = append(v, 20-i)
	}
	for p, want := range map[int]int64{0: 1, 50: 10, 95: 19, 100: 20} {
		if got := quantile(v, p); got != want {
			t.Errorf("quantile %d of 1 to 20 is %d, not %d", p, got, want)
		}
	}
}
