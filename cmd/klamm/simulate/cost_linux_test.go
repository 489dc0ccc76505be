package simulate

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/cluster"
	"github.com/klamm-log/klamm/checkers/group"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/checkers/linear"
	"github.com/klamm-log/klamm/checkers/txn"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
)

// What a run costs, and what of it the checkers: the tables of docs/PERFORMANCE.md. It is measured in processor time of the
// whole process, garbage included, because the machine may do other things besides.

// used is the processor time of this process so far.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// worlds are some plans of a profile with settings.
func worlds(b *testing.B, profile string, seeds uint64, settings ...string) []sim.Plan {
	p, err := scenarios.LoadProfile(profile)
	if err != nil {
		b.Fatal(err)
	}
	if p, err = scenarios.Override(p, settings); err != nil {
		b.Fatal(err)
	}
	var plans []sim.Plan
	for seed := range seeds {
		plans = append(plans, scenarios.Draw(seed+1, p))
	}
	return plans
}

// total is what runs came to.
type total struct {
	events int64
	time   core.Mono
	took   time.Duration
}

// run runs plans, with the oracle or without, and keeps their histories.
func run(b *testing.B, plans []sim.Plan, oracle bool) (t total, logs []*history.Log) {
	begin := used(b)
	for i := range plans {
		var o sim.Options
		if oracle {
			o.Witness = cluster.New()
		}
		r := sim.Run(plans[i], o)
		t.events, t.time, logs = t.events+r.Events, t.time+r.SimTime, append(logs, r.History)
	}
	t.took = used(b) - begin
	return t, logs
}

// BenchmarkCheckers is what each checker adds to runs without any, in per mille of their time.
func BenchmarkCheckers(b *testing.B) {
	after := []struct {
		name  string
		check func(*history.Log)
	}{
		{"history", func(l *history.Log) { checkers.Check(l, checkers.Options{}) }},
		{"groups", func(l *history.Log) { group.Check(l) }},
		{"transactions", func(l *history.Log) { txn.Check(l) }},
		{"linear", func(l *history.Log) { linear.Check(l, linear.Options{}) }},
	}
	for _, profile := range []string{"default", "cluster", "quorum", "groups", "txn"} {
		b.Run(profile, func(b *testing.B) {
			plans := worlds(b, profile, 16)
			var bare, seen total
			costs := make([]time.Duration, len(after))
			for b.Loop() {
				t, logs := run(b, plans, false)
				bare.events, bare.took = bare.events+t.events, bare.took+t.took
				t, _ = run(b, plans, true)
				seen.took += t.took
				for i, c := range after {
					begin := used(b)
					for _, l := range logs {
						c.check(l)
					}
					costs[i] += used(b) - begin
				}
			}
			per := func(d time.Duration) float64 { return 1000 * float64(d) / float64(bare.took) }
			b.ReportMetric(float64(bare.took)/float64(bare.events), "ns/event")
			b.ReportMetric(per(seen.took-bare.took), "oracle")
			for i, c := range after {
				b.ReportMetric(per(costs[i]), c.name)
			}
		})
	}
}

// BenchmarkSize is how the cost of a run grows with brokers, partitions and operations, all checkers on.
func BenchmarkSize(b *testing.B) {
	sizes := []struct {
		what     string
		setting  string
		settings []string
		values   []int
	}{
		{"brokers", "cluster.brokers=[%d,%d]", []string{"cluster.voters=[1]"}, []int{1, 3, 5, 7}},
		{"partitions", "partitions=[%d,%d]", nil, []int{1, 4, 16, 64}},
		{"operations", "intensity=[%d,%d]", nil, []int{1, 2, 4, 8}},
	}
	for _, s := range sizes {
		for _, n := range s.values {
			b.Run(fmt.Sprintf("%s=%d", s.what, n), func(b *testing.B) {
				plans := worlds(b, "cluster", 12, append([]string{fmt.Sprintf(s.setting, n, n), "safety_ms=[8000,8000]"}, s.settings...)...)
				var t total
				for b.Loop() {
					begin := used(b)
					for i := range plans {
						v := scenarios.Run(plans[i], nil)
						t.events, t.time = t.events+v.Result.Events, t.time+v.Result.SimTime
					}
					t.took += used(b) - begin
				}
				b.ReportMetric(float64(t.took)/float64(t.events), "ns/event")
				b.ReportMetric(float64(t.events)*1e9/float64(t.time), "events/sim-s")
				b.ReportMetric(float64(t.time)/float64(t.took), "sim-s/s")
				b.ReportMetric(float64(t.took)/float64(b.N*len(plans))/1e6, "ms/world")
			})
		}
	}
}

// BenchmarkMemory is the most that a world with all checkers on holds at a time: what is reachable, looked at every 8,192 events.
func BenchmarkMemory(b *testing.B) {
	reachable := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, profile := range []string{"default", "cluster", "groups", "txn"} {
		b.Run(profile, func(b *testing.B) {
			var peaks []int64
			for b.Loop() {
				for _, plan := range worlds(b, profile, 20) {
					before, peak, asked := reachable(), int64(0), 0
					sim.Run(plan, sim.Options{Witness: cluster.New(), GiveUp: func() bool {
						if asked++; asked%8 == 0 {
							peak = max(peak, reachable()-before)
						}
						return false
					}})
					peaks = append(peaks, peak)
				}
			}
			slices.Sort(peaks)
			b.ReportMetric(float64(peaks[len(peaks)/2])/(1<<20), "MiB-median")
			b.ReportMetric(float64(peaks[len(peaks)-1])/(1<<20), "MiB-most")
		})
	}
}
