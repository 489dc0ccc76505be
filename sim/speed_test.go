package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim/simnet"
	"github.com/klamm-log/klamm/sim/workload"
)

// BenchmarkBareWorld is the simulator without what it simulates: five hosts, each with a connection to every other, on which
// a message of 64 bytes goes to and fro for ever; every arrival enters the trace hash.
func BenchmarkBareWorld(b *testing.B) {
	const hosts, port = 5, ":1"
	w := newWorld(1, simnet.Config{BaseLatency: 100 * core.Microsecond, Jitter: 100})
	for h := range simnet.Host(hosts) {
		w.net.Listen(host(int(h))+port, h)
	}
	for from := range simnet.Host(hosts) {
		for to := range simnet.Host(hosts) {
			if from != to {
				w.net.Dial(0, from, host(int(to))+port)
			}
		}
	}
	message := make([]byte, 64)
	bounce := func(ev simnet.Event) {
		w.note(TraceNet, int(ev.Host), uint64(ev.Conn)<<8|uint64(ev.Side)<<4|uint64(ev.Kind), noteBytes(ev.Bytes))
		if ev.Kind == simnet.Data || ev.Side == simnet.Dialer {
			w.net.Write(w.now, ev.Conn, ev.Side, message)
		}
	}
	for b.Loop() {
		at, ok := w.net.NextDeadline()
		if !ok {
			b.Fatal("nothing is on its way any more")
		}
		w.now = at
		w.net.Poll(at, bounce)
	}
	b.ReportMetric(float64(w.events)/b.Elapsed().Seconds()/1e6, "M-events/s")
	require.NotEmpty(b, w.chain)
}

// BenchmarkIdleCluster is five brokers, three of them the quorum, with 100 partitions of three replicas each, default timeouts and nothing
// to do.
func BenchmarkIdleCluster(b *testing.B) {
	plan := Plan{Seed: 1, Profile: "idle", Safety: 1 << 60}
	for i := range 5 {
		roles := "broker"
		if i < 3 {
			roles = "broker,controller"
		}
		plan.Brokers = append(plan.Brokers, BrokerPlan{Roles: roles, PerEvent: core.Microsecond})
	}
	plan.Clients = []workload.Plan{{ID: 1, Kind: workload.Admin, Ops: []workload.Op{{
		ID: 1, Kind: workload.CreateTopic, Topic: "t", Partitions: 100, Replication: 3,
	}}}}
	r := &run{
		w: newWorld(plan.Seed, plan.Net), plan: plan, history: &history.Log{},
		fired: make(map[FaultKind]int64), points: make(map[string]int64),
	}
	r.build()
	r.w.runUntil(60*core.Second, nil)
	require.Equal(b, 100, count(r.brokers[4]))
	events, from, begin := r.w.events, r.w.now, time.Now()
	for b.Loop() {
		r.w.runUntil(r.w.now+core.Second, nil)
	}
	passed := float64(r.w.now-from) / 1e9
	b.ReportMetric(passed/time.Since(begin).Seconds(), "sim-s/s")
	b.ReportMetric(float64(r.w.events-events)/passed, "events/sim-s")
	require.Empty(b, r.w.panics)
}
