package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim/workload"
)

// Under steady writing the HighWatermark travels with the next records; when the writing ends it is known everywhere a few
// milliseconds later, not when the followers' long polls are over (half a second).
func TestAHighWatermarkTravelsWithRecords(t *testing.T) {
	const begin, count, every = 15 * core.Second, 200, 2 * core.Millisecond
	plan := Plan{Seed: 1, Profile: "news", Safety: begin + core.Second, Settle: 30 * core.Second}
	for range 3 {
		plan.Brokers = append(plan.Brokers, BrokerPlan{PerEvent: core.Microsecond})
	}
	plan.Clients = []workload.Plan{
		{ID: 1, Kind: workload.Admin, Ops: []workload.Op{
			{ID: 1, At: core.Second, Kind: workload.CreateTopic, Topic: "t", Partitions: 1, Replication: 3, Partition: -1},
		}},
		{ID: 2, Kind: workload.Producer, Producer: &workload.ProducerOptions{Acks: -1, BatchSize: 1}, Ops: []workload.Op{
			{ID: 1, At: begin, Kind: workload.Produce, Topic: "t", Count: count, Size: 100, Every: every},
		}},
	}
	r := &run{w: newWorld(plan.Seed, plan.Net), plan: plan, history: &history.Log{}, fired: make(map[FaultKind]int64), points: make(map[string]int64)}
	r.build()
	ends := func() (ends, marks [3]core.Offset) {
		for i, p := range r.brokers {
			v, ok := p.machine.(machine).View(core.TopicPartition{Topic: "t"})
			require.True(t, ok)
			ends[i], marks[i] = v.LogEndOffset, v.HighWatermark
		}
		return ends, marks
	}
	all := [3]core.Offset{count, count, count}
	r.w.runUntil(begin, func() bool { return false })
	told := r.points["fetch.news-goes-with-records"]
	r.w.runUntil(begin+core.Second, func() bool { e, _ := ends(); return e == all })
	written := r.w.now
	require.Greater(t, r.points["fetch.news-goes-with-records"]-told, int64(count), "two followers, and nearly every record")
	r.w.runUntil(written+core.Second, func() bool { _, m := ends(); return m == all })
	require.Less(t, r.w.now-written, 20*core.Millisecond)
	require.Empty(t, r.w.panics)
}
