package sim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/workload"
)

// trio is a calm cluster of three combined nodes with the clients of tiny.
func trio(seed uint64) sim.Plan {
	p := tiny(seed)
	p.Brokers = make([]sim.BrokerPlan, 3)
	p.Clients[0].Ops[0].Replication = 2
	return p
}

// What never fires takes part in nothing: without it the run is the same, event for event.
func TestTakingOutWhatNeverFiredChangesNothing(t *testing.T) {
	for name, plan := range map[string]sim.Plan{"one broker": tiny(3), "cluster": trio(3)} {
		plan.Faults = []sim.Fault{{ID: 1, Kind: sim.Crash, At: 700 * core.Millisecond, Until: 900 * core.Millisecond}}
		bare := sim.Run(plan, sim.Options{})
		for what, add := range map[string]func(p *sim.Plan){
			"a fault after the end": func(p *sim.Plan) {
				p.Faults = append(p.Faults, sim.Fault{ID: 7, Kind: sim.PowerLoss, At: p.Safety + 1, Until: p.Safety + 2})
			},
			"a fault of nobody": func(p *sim.Plan) {
				p.Faults = append([]sim.Fault{{ID: 8, Kind: sim.Crash, At: 1, Until: 2, Node: 99}}, p.Faults...)
			},
			"an operation after the end": func(p *sim.Plan) {
				p.Clients[1].Ops = append(p.Clients[1].Ops, workload.Op{ID: 9, At: p.Safety + 1, Kind: workload.Produce, Topic: "t", Count: 9})
			},
			"an I/O error that waits": func(p *sim.Plan) {
				p.Brokers[0].Disk.Plan = []simdisk.Fault{{ID: 1, Kind: simdisk.IOError, After: 1 << 40}}
			},
			"a slow disk elsewhere": func(p *sim.Plan) {
				p.Brokers[0].Disk.Plan = []simdisk.Fault{{ID: 2, Kind: simdisk.Slow, Amount: 50, Path: "nowhere/*"}}
			},
			"a full disk too late": func(p *sim.Plan) {
				p.Brokers[0].Disk.Plan = []simdisk.Fault{{ID: 3, Kind: simdisk.NoSpace, At: p.Safety + 1, Until: p.Safety + 2}}
			},
		} {
			other := plan
			other.Clients = append([]workload.Plan{}, plan.Clients...)
			other.Brokers = append([]sim.BrokerPlan{}, plan.Brokers...)
			add(&other)
			require.Equal(t, bare.Chain, sim.Run(other, sim.Options{}).Chain, "%s: %s", name, what)
		}
	}
}

// A node that was taken out is nobody's voter, gets no replica, and owes nothing.
func TestAnAbsentNodeIsNotThere(t *testing.T) {
	for out := range 3 {
		p := trio(4)
		p.Brokers[out].Absent = true
		require.NoError(t, p.Validate())
		got := sim.Run(p, sim.Options{})
		require.Empty(t, got.Panics)
		require.Empty(t, got.Unhealthy)
		require.Less(t, got.Settled, core.Mono(1<<62))
	}
	p := trio(4)
	p.Brokers[0].Absent, p.Brokers[1].Absent, p.Brokers[2].Absent = true, true, true
	require.ErrorContains(t, p.Validate(), "0 brokers")
	p = trio(4)
	p.Brokers[0].Roles, p.Brokers[1].Absent, p.Brokers[2].Absent = "controller", true, true
	require.ErrorContains(t, p.Validate(), "0 brokers")
	p.Clients = nil
	require.NoError(t, p.Validate(), "a quorum needs no broker")
	require.Empty(t, sim.Run(p, sim.Options{}).Panics)
	p = trio(4)
	p.Brokers[1].Absent, p.Core = true, []int32{0, 1}
	require.ErrorContains(t, p.Validate(), "node 1 of the core is not there")
	p = trio(4)
	p.Brokers[0].Properties = []sim.Property{{Name: "replica.lag.time.max.ms", Value: "soon"}}
	require.ErrorContains(t, p.ValidateConfigs(), "the configuration of node 0")
}

// The bound is exact: a run of n events is not abandoned at n, and is at n-1.
func TestARunIsAbandonedPastItsBound(t *testing.T) {
	plan := tiny(5)
	n := sim.Run(plan, sim.Options{}).Events
	require.False(t, sim.Run(plan, sim.Options{MaxEvents: n}).Abandoned)
	for _, bound := range []int64{1, n / 2, n - 1} {
		got := sim.Run(plan, sim.Options{MaxEvents: bound})
		require.True(t, got.Abandoned)
		require.LessOrEqual(t, got.Events, n)
		require.Greater(t, got.Events, bound)
	}
}

// A run of the safety phase alone is the beginning of the whole run.
func TestSafetyOnlyIsAPrefix(t *testing.T) {
	whole := trio(6)
	short := whole
	short.SafetyOnly = true
	a, b := sim.Run(whole, sim.Options{}), sim.Run(short, sim.Options{})
	require.Less(t, b.Events, a.Events)
	require.Equal(t, whole.Safety, b.SimTime)
	n := len(b.Chain) - 1 // the last link is wherever the run ended
	require.Equal(t, a.Chain[:n], b.Chain[:n])
}
