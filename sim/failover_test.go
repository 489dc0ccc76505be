package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/workload"
)

// large is a calm cluster of three controllers and three brokers with topics of 5,000 partitions each, one replica per
// partition, and an admin who asks for one more topic at an instant.
func large(partitions int, more core.Mono) Plan {
	const perTopic = 5000
	plan := Plan{Seed: 1, Profile: "large", Safety: more, Settle: 60 * core.Second}
	for range 3 {
		plan.Brokers = append(plan.Brokers, BrokerPlan{Roles: "controller", PerEvent: core.Microsecond})
	}
	for range 3 {
		plan.Brokers = append(plan.Brokers, BrokerPlan{Roles: "broker", PerEvent: core.Microsecond})
	}
	admin := workload.Plan{ID: 1, Kind: workload.Admin}
	n := partitions / perTopic
	for i := range n {
		admin.Ops = append(admin.Ops, workload.Op{
			ID: int32(i + 1), At: core.Mono(i) * core.Second, Kind: workload.CreateTopic,
			Topic: fmt.Sprintf("t%d", i), Partitions: perTopic, Replication: 1,
		})
	}
	admin.Ops = append(admin.Ops, workload.Op{
		ID: int32(n + 1), At: more, Kind: workload.CreateTopic, Topic: "more", Partitions: 1, Replication: 1,
	})
	plan.Clients = []workload.Plan{admin}
	return plan
}

// BenchmarkControllerFailover kills the active controller of a large cluster under a client that asks for a topic at that
// moment. It reports, in simulated and in real time, how long it takes until another controller leads with the whole image,
// and until the client's topic exists. Every node is simulated whole, with its disk; only the invariants that look at every
// partition after every turn are off.
func BenchmarkControllerFailover(b *testing.B) {
	for _, partitions := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(partitions), func(b *testing.B) {
			for range b.N {
				failover(b, partitions)
			}
		})
	}
}

func failover(b *testing.B, partitions int) {
	kill := core.Mono(partitions/5000)*core.Second + 20*core.Second
	plan := large(partitions, kill)
	r := &run{
		w: newWorld(plan.Seed, plan.Net), plan: plan, history: &history.Log{},
		fired: make(map[FaultKind]int64), points: make(map[string]int64),
	}
	r.build()
	for i, p := range r.brokers {
		props := plan.properties(i)
		cfg, err := config.ResolveBroker(props)
		require.NoError(b, err)
		p.spawn = func(incarnation int64) (step.Machine, Driver) {
			return broker.New(broker.Options{Config: cfg, Static: props, Seed: uint64(incarnation)<<8 | uint64(i)}), nil
		}
	}
	begin := time.Now()
	r.w.runUntil(kill, func() bool { return false })
	b.Logf("%d partitions after %v", count(r.brokers[5]), time.Since(begin))
	require.Equal(b, partitions, count(r.brokers[5]), "not all topics have come to be")

	var old *process
	for _, p := range r.brokers[:3] {
		if q := p.quorum(); q != nil && q.Role() == "leader" {
			old = p
		}
	}
	require.NotNil(b, old)
	r.down(old, false)
	begin = time.Now()
	r.w.runUntil(kill+60*core.Second, func() bool { return leads(r.brokers[:3], old) })
	b.ReportMetric(float64(r.w.now-kill)/1e6, "sim-ms/led")
	b.ReportMetric(float64(time.Since(begin).Milliseconds()), "real-ms/led")
	made := func() bool { return r.brokers[5].machine.(machine).Image().Topic("more") != nil }
	r.w.runUntil(kill+60*core.Second, made)
	require.True(b, made(), "the topic has not come to be within a minute")
	b.ReportMetric(float64(r.w.now-kill)/1e6, "sim-ms/served")
	b.ReportMetric(float64(time.Since(begin).Milliseconds()), "real-ms/served")
	require.Empty(b, r.w.panics)
}

// count is the number of partitions that a broker knows of.
func count(p *process) (n int) {
	for t := range p.machine.(machine).Image().Topics() {
		n += len(t.Partitions())
	}
	return n
}

// leads reports whether another controller leads, with everything up to its own epoch committed and applied.
func leads(controllers []*process, old *process) bool {
	for _, p := range controllers {
		if p == old || !p.up {
			continue
		}
		if q := p.quorum(); q != nil && q.Role() == "leader" && p.machine.(machine).Controlling() {
			return true
		}
	}
	return false
}
