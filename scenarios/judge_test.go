package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/sim"
)

// Each property that this package judges itself is reported for a result that breaks it.
func TestJudgedPropertiesFail(t *testing.T) {
	broken := func(r sim.Result, plan sim.Plan) []string {
		v := Verdict{Result: r}
		v.invariants()
		v.damage(plan)
		v.liveness(plan)
		var found []string
		for _, x := range v.Violations {
			found = append(found, x.Property)
		}
		return found
	}
	sound := sim.Result{History: &history.Log{}, SimTime: 10, Settled: 9, Stopped: 5, Bounds: 3}
	require.Empty(t, broken(sound, sim.Plan{}))

	damaged, late, ailing, panicked, misused := sound, sound, sound, sound, sound
	damaged.Damage = []string{"t-0@5: beyond the high watermark"}
	late.Settled = 1 << 62
	ailing.Unhealthy = []string{"broker1 does not serve"}
	panicked.Panics = []sim.Panic{{Proc: "broker1", What: "invariant broken"}}
	misused.Faults = []sim.FaultCount{{Name: "disk/misuse", N: 1}}
	require.Equal(t, []string{PropertyDamage}, broken(damaged, sim.Plan{}))
	require.Equal(t, []string{PropertySettle}, broken(late, sim.Plan{}))
	require.Equal(t, []string{PropertyHealthy}, broken(ailing, sim.Plan{}))
	require.Equal(t, []string{PropertyInvariant}, broken(panicked, sim.Plan{}))
	require.Equal(t, []string{PropertyContract}, broken(misused, sim.Plan{}))

	// A plan whose faults may destroy the only copy is excused from serving it, and from nothing else.
	lossy := sim.Plan{ExpectLoss: true}
	require.Empty(t, broken(damaged, lossy))
	require.Empty(t, broken(ailing, lossy))
	require.Equal(t, []string{PropertyInvariant}, broken(panicked, lossy))
	require.Equal(t, []string{PropertyContract}, broken(misused, lossy))
}
