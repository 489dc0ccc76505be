package scenarios_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/workload"
)

// Draws of the clusters' profiles reach every size and every fault, and stay within the atlas.
func TestClustersAreDrawnWithinTheAtlas(t *testing.T) {
	sizes, voters, faults, ops := map[int]bool{}, map[int]bool{}, map[sim.FaultKind]bool{}, map[workload.OpKind]bool{}
	roles, cores := map[string]bool{}, 0
	for _, name := range []string{"cluster", "swarm", "quorum"} {
		p, err := scenarios.LoadProfile(name)
		require.NoError(t, err)
		for seed := range uint64(300) {
			plan := scenarios.Draw(seed, p)
			require.NoError(t, plan.Validate(), "%s %d", name, seed)
			v := 0
			for _, b := range plan.Brokers {
				roles[b.Roles] = true
				if b.IsController() {
					v++
				}
			}
			sizes[len(plan.Brokers)], voters[v] = true, true
			for _, f := range plan.Faults {
				faults[f.Kind] = true
				require.True(t, f.Until == 0 || f.Until > f.At, "%s %d: %v", name, seed, f)
			}
			for _, c := range plan.Clients {
				for _, op := range c.Ops {
					ops[op.Kind] = true
				}
			}
			if len(plan.Core) > 0 {
				cores++
				checkCore(t, &plan, v)
			}
			checkWipe(t, &plan)
		}
	}
	for n := 2; n <= 12; n++ {
		require.True(t, sizes[n], "no cluster of %d nodes", n)
	}
	require.Equal(t, map[int]bool{1: true, 3: true, 5: true}, voters)
	require.Equal(t, map[string]bool{"": true, "broker": true, "controller": true}, roles)
	require.Greater(t, cores, 100)
	for _, k := range []sim.FaultKind{sim.Crash, sim.PowerLoss, sim.Pause, sim.ClockJump, sim.ClockDrift, sim.Cut, sim.CutAPI, sim.SlowLink, sim.Reset,
		sim.CrashLoop, sim.CrashDirty, sim.CleanReboot, sim.Groups, sim.Bridge, sim.OneWay, sim.NoController, sim.Wipe} {
		require.True(t, faults[k], k)
	}
	for _, k := range []workload.OpKind{workload.Reassign, workload.ElectLeaders, workload.AddVoter, workload.RemoveVoter, workload.DescribeQuorum} {
		require.True(t, ops[k], k)
	}
}

// checkCore: a majority of the voters stays, and a broker.
func checkCore(t *testing.T, plan *sim.Plan, voters int) {
	v, b := 0, 0
	for _, i := range plan.Core {
		if plan.Brokers[i].IsController() {
			v++
		}
		if plan.Brokers[i].IsBroker() {
			b++
		}
	}
	require.Greater(t, 2*v, voters)
	require.Positive(t, b)
	require.Less(t, len(plan.Core), len(plan.Brokers))
}

// checkWipe: where a disk is lost, two copies are in sync of whatever is acknowledged, and nothing else ends uncleanly.
func checkWipe(t *testing.T, plan *sim.Plan) {
	wiped, unclean := 0, 0
	for _, f := range plan.Faults {
		if f.Kind == sim.Wipe {
			wiped++
		}
		kills := []sim.FaultKind{sim.Crash, sim.PowerLoss, sim.CrashDirty, sim.CrashLoop}
		if slices.Contains(kills, f.Kind) && int(f.Node) < len(plan.Brokers) {
			unclean++
		}
	}
	require.LessOrEqual(t, wiped, 1)
	if wiped == 0 {
		return
	}
	require.Zero(t, unclean)
	for _, b := range plan.Brokers {
		for _, f := range b.Disk.Plan {
			require.Equal(t, simdisk.Slow, f.Kind)
		}
	}
	for _, c := range plan.Clients {
		for _, op := range c.Ops {
			require.True(t, op.Kind != workload.CreateTopic || op.Replication >= 3)
			require.True(t, op.Kind != workload.Reassign || op.Replicas == nil || len(op.Replicas) >= 3)
			require.True(t, op.Kind != workload.AddVoter && op.Kind != workload.RemoveVoter)
			for _, cfg := range op.Configs {
				require.True(t, cfg.Name != "min.insync.replicas" || cfg.Value >= "2")
			}
		}
	}
}
