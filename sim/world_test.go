package sim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
)

// tiny is a calm world: one broker, one topic, a producer and a consumer.
func tiny(seed uint64) sim.Plan {
	return sim.Plan{
		Seed: seed, Profile: "tiny", Safety: 2 * core.Second, Settle: 30 * core.Second,
		Brokers: []sim.BrokerPlan{{}},
		Clients: []workload.Plan{
			{ID: 1, Kind: workload.Admin, Ops: []workload.Op{{ID: 1, Kind: workload.CreateTopic, Topic: "t", Partitions: 2}}},
			{ID: 2, Kind: workload.Producer, Producer: &workload.ProducerOptions{Acks: -1, Idempotent: true}, Ops: []workload.Op{
				{ID: 1, At: 100 * core.Millisecond, Kind: workload.Produce, Topic: "t", Partition: -1, Count: 100, Size: 100, Keys: 10},
				{ID: 2, At: core.Second, Kind: workload.Produce, Topic: "t", Partition: 0, Count: 50, Size: 1000, Every: core.Millisecond},
			}},
			{ID: 3, Kind: workload.Consumer, Ops: []workload.Op{
				{ID: 1, At: 50 * core.Millisecond, Kind: workload.Assign, Topic: "t", Partition: 0, Where: workload.Beginning},
				{ID: 2, At: 50 * core.Millisecond, Kind: workload.Assign, Topic: "t", Partition: 1, Where: workload.Beginning},
				{ID: 3, At: 50 * core.Millisecond, Kind: workload.Poll, Max: 100},
			}},
		},
	}
}

func TestTinyWorldRepeats(t *testing.T) {
	a, b := sim.Run(tiny(1), sim.Options{}), sim.Run(tiny(1), sim.Options{})
	require.Equal(t, a.Chain, b.Chain)
	require.Equal(t, a.History.String(), b.History.String())
	require.Empty(t, a.Panics)
	require.Empty(t, a.Unhealthy)
	t.Log(a.Events, a.SimTime, a.Hash)
	if testing.Verbose() {
		t.Log(a.History.String())
	}
	require.NotEqual(t, a.Hash, sim.Run(tiny(2), sim.Options{}).Hash)
}

// A world without clients is not over before its broker serves.
func TestNobodyWaits(t *testing.T) {
	plan := tiny(1)
	plan.Clients, plan.Safety = nil, core.Millisecond
	require.Empty(t, sim.Run(plan, sim.Options{}).Unhealthy)
}

// A run that nobody wants any more is abandoned soon, and one that is wanted goes as if nobody had asked.
func TestGiveUp(t *testing.T) {
	whole := sim.Run(tiny(1), sim.Options{})
	asked := 0
	wanted := sim.Run(tiny(1), sim.Options{GiveUp: func() bool { asked++; return false }})
	require.Equal(t, whole.Hash, wanted.Hash)
	require.Positive(t, asked)
	left := sim.Run(tiny(1), sim.Options{GiveUp: func() bool { return true }})
	require.True(t, left.Abandoned)
	require.Less(t, left.Events, whole.Events)
}
