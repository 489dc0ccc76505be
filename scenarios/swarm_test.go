package scenarios_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios"
)

// Every built-in profile holds on a few seeds, and each seed repeats itself. KLAMM_SEEDS=from-to widens the sample.
func TestSwarm(t *testing.T) {
	n := 12
	if s := os.Getenv("KLAMM_SEEDS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	for _, name := range scenarios.Profiles() {
		p, err := scenarios.LoadProfile(name)
		require.NoError(t, err)
		for seed := range uint64(n) {
			plan := scenarios.Draw(seed, p)
			require.NoError(t, plan.Validate(), "profile %s seed %d", name, seed)
			v := scenarios.Run(plan, nil)
			if len(v.Violations) > 0 {
				t.Errorf("profile %s seed %d: %d events, %d s: %v", name, seed, v.Result.Events, v.Result.SimTime/1e9, v.Lines())
				for _, p := range v.Result.Panics {
					t.Log(p.Stack)
				}
			}
		}
	}
}
