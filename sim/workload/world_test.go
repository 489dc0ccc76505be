package workload_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
)

// calm is a world of one broker without faults.
func calm(seed uint64, clients []workload.Plan) sim.Plan {
	return sim.Plan{Seed: seed, Profile: "test", Brokers: []sim.BrokerPlan{{PerEvent: core.Microsecond}}, Clients: clients,
		Safety: 3 * core.Second, Settle: 60 * core.Second}
}

func shape() workload.Shape {
	return workload.Shape{Brokers: 1, Start: 10 * core.Millisecond, End: 3 * core.Second, Clients: 6,
		Topics: []workload.TopicShape{{Name: "a", Partitions: 2}, {Name: "b", Partitions: 1, Retention: true}},
		Churn:  []string{"c"}}
}

func TestDrawnClientsInACalmWorld(t *testing.T) {
	for seed := range uint64(20) {
		out := sim.Run(calm(seed, workload.Draw(prng.New(seed).Fork("clients"), shape())), nil)
		require.Empty(t, out.Panics, "seed %d", seed)
		var kinds [16]int
		ok := [3]int{}
		for i := range out.History.Len() {
			op, body := out.History.At(i)
			if s, is := body.(*history.Send); is {
				ok[op.Outcome]+=len(s.Records)
			}
			kinds[kindOf(body)]++
		}
		t.Logf("seed %d: settled %v events %d: %d, sent %v", seed, out.Settled < 1<<62, out.Events, kinds, ok)
		for _, v := range checkers.Check(out.History, checkers.Options{}) {
			t.Errorf("seed %d: %v", seed, v)
		}
		require.Less(t, out.Settled, core.Mono(1<<62), "seed %d: not done", seed)
	}
}

func kindOf(body history.Body) int {
	switch body.(type) {
	case *history.Send:
		return 0
	case *history.Poll:
		return 1
	case *history.ListOffsets:
		return 2
	case *history.DeleteRecords:
		return 3
	case *history.CreateTopic:
		return 4
	case *history.DeleteTopic:
		return 5
	case *history.Seek:
		return 6
	}
	return 7
}
