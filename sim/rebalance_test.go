package sim

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim/workload"
)

// What a rebalance is measured with: a group at rest that one more member joins.
const (
	rebalanceMembers    = 100
	rebalancePartitions = 300
	rebalanceAt         = 60 * core.Second
	rebalanceFor        = 60 * core.Second
)

// rebalanceProtocols are how a group can share partitions out: eager, cooperative (KIP-429), and by the broker (KIP-848).
var rebalanceProtocols = []struct {
	name, color string
	assignor    string
	modern      bool
}{
	{"eager, range", "#b2182b", "range", false},
	{"eager, sticky", "#ef8a62", "sticky", false},
	{"cooperative-sticky", "#2166ac", "cooperative-sticky", false},
	{"KIP-848, uniform", "#1b7837", "", true},
}

// stop is the time in which nobody has a partition.
type stop struct{ from, to core.Mono }

// rebalanced is what became of the partitions when a member joined.
type rebalanced struct {
	stops []stop // since the member joined
	moved int    // partitions that have another owner
	done  core.Mono
}

// BenchmarkRebalance lets one more member join a group of 100 over 300 partitions into which 1,000 records a second flow; a
// member processes what a poll brings for 100 ms to a second. Timeouts are the defaults (heartbeats every 3 s, 5 s for
// KIP-848). It reports how many partitions move, how many stand still at all, for how long together, and when the
// last one is read again. KLAMM_PLOT=file.svg draws the partitions that are read over time.
func BenchmarkRebalance(b *testing.B) {
	results := make([]rebalanced, len(rebalanceProtocols))
	for i, p := range rebalanceProtocols {
		b.Run(p.name, func(b *testing.B) {
			for range b.N {
				results[i] = rebalance(b, p.assignor, p.modern)
			}
			r := &results[i]
			var still core.Mono
			for _, s := range r.stops {
				still += s.to - s.from
			}
			b.ReportMetric(float64(r.moved), "moved")
			b.ReportMetric(float64(len(r.stops)), "stopped")
			b.ReportMetric(float64(still)/1e9, "partition-s-stopped")
			b.ReportMetric(float64(r.done-rebalanceAt)/1e9, "sim-s-until-done")
		})
	}
	if path := os.Getenv("KLAMM_PLOT"); path != "" {
		require.NoError(b, os.WriteFile(path, plotRebalances(results), 0o644))
	}
}

// rebalance runs the group and looks at its history.
func rebalance(b *testing.B, assignor string, modern bool) rebalanced {
	options := &workload.GroupOptions{Topics: []string{"t"}, Modern: modern, AutoEvery: 5 * core.Second}
	if assignor != "" {
		options.Assignors = []string{assignor}
	}
	plan := Plan{Seed: 1, Profile: "rebalance", Safety: rebalanceAt + rebalanceFor}
	plan.Brokers = []BrokerPlan{{PerEvent: core.Microsecond}}
	plan.Clients = []workload.Plan{{ID: 1, Kind: workload.Admin, Ops: []workload.Op{{
		ID: 1, Kind: workload.CreateTopic, Topic: "t", Partitions: rebalancePartitions, Replication: 1,
	}}}}
	plan.Clients = append(plan.Clients, workload.Plan{
		ID: 2, Kind: workload.Producer, Producer: &workload.ProducerOptions{Acks: -1, Idempotent: true, Partitioner: "round-robin", Linger: 50 * core.Millisecond},
		Ops: []workload.Op{{
			ID: 1, At: 10 * core.Second, Kind: workload.Produce, Topic: "t", Partition: -1, Count: 90_000, Every: core.Millisecond,
			Size: 100,
		}},
	})
	for i := range rebalanceMembers + 1 {
		at := 5*core.Second + core.Mono(i)*10*core.Millisecond
		if i == rebalanceMembers {
			at = rebalanceAt
		}
		plan.Clients = append(plan.Clients, workload.Plan{
			ID: int32(i + 3), Kind: workload.Member, Group: options,
			Ops: []workload.Op{
				{ID: 1, Kind: workload.Work, Max: 100, Every: core.Mono(1+i%10) * 100 * core.Millisecond},
				{ID: 2, At: at, Kind: workload.Join, Topics: []string{"t"}},
			},
		})
	}
	r := &run{
		w: newWorld(plan.Seed, plan.Net), plan: plan, history: &history.Log{},
		fired: make(map[FaultKind]int64), points: make(map[string]int64),
	}
	r.build()
	r.w.runUntil(plan.Safety, func() bool { return false })
	require.Empty(b, r.w.panics)
	return lookAt(b, r.history)
}

// lookAt finds who had which partition when.
func lookAt(b *testing.B, log *history.Log) rebalanced {
	type owner struct {
		who   history.Process
		since core.Mono // of its end, if it has ended
		ended bool
	}
	var r rebalanced
	before := make(map[int32]history.Process)
	now := make(map[int32]owner)
	for i := range log.Len() {
		op, body := log.At(i)
		g, ok := body.(*history.Group)
		if !ok {
			continue
		}
		p, at := g.Partition, op.End
		if at < rebalanceAt && g.Step == history.Claimed {
			before[p] = op.Process
		}
		was, known := now[p]
		switch g.Step {
		case history.Released:
			if !was.ended && was.who == op.Process {
				now[p] = owner{op.Process, at, true}
			}
		case history.Claimed:
			if known && was.ended && at >= rebalanceAt {
				r.stops = append(r.stops, stop{max(was.since, rebalanceAt), at})
				r.done = max(r.done, at)
			}
			now[p] = owner{who: op.Process}
		default: // commits and records do not change hands
		}
	}
	require.Len(b, now, rebalancePartitions, "the group was not at rest before")
	for p := range int32(rebalancePartitions) {
		require.False(b, now[p].ended, "nobody has partition %d at the end", p)
		if now[p].who != before[p] {
			r.moved++
		}
	}
	return r
}

// plotRebalances draws how many partitions are read, over the time since the member joined.
func plotRebalances(results []rebalanced) []byte {
	const width, height, left, top, seconds = 760, 300, 60, 20, 10
	x := func(t core.Mono) float64 {
		return left + float64(min(t-rebalanceAt, seconds*core.Second))/1e9*(width/seconds)
	}
	y := func(n int) float64 { return top + height - float64(n)*height/rebalancePartitions }
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width+left+20, height+top+50)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	for s := range seconds + 1 {
		at := x(rebalanceAt + core.Mono(s)*core.Second)
		fmt.Fprintf(&out, `<path d="M%.0f %d V%d" stroke="#ddd"/><text x="%.0f" y="%d" text-anchor="middle">%d</text>`+"\n", at, top, top+height, at, top+height+16, s)
	}
	for n := 0; n <= rebalancePartitions; n += 100 {
		fmt.Fprintf(&out, `<path d="M%d %.0f H%d" stroke="#ddd"/><text x="%d" y="%.0f" text-anchor="end">%d</text>`+"\n", left, y(n), left+width, left-6, y(n)+4, n)
	}
	fmt.Fprintf(&out, `<text x="%d" y="%d">seconds since one member joined %d others; partitions that somebody reads, of %d</text>`+"\n",
		left, top+height+36, rebalanceMembers, rebalancePartitions)
	for i, p := range rebalanceProtocols {
		fmt.Fprintf(&out, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", steps(results[i].stops, x, y), p.color)
		fmt.Fprintf(&out, `<text x="%d" y="%d" fill="%s" text-anchor="end">%s</text>`+"\n", left+width-8, top+height-78+18*i, p.color, p.name)
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// steps is the path of the number of partitions that are read.
func steps(stops []stop, x func(core.Mono) float64, y func(int) float64) string {
	type change struct {
		at core.Mono
		by int
	}
	var changes []change
	for _, s := range stops {
		changes = append(changes, change{s.from, -1}, change{s.to, 1})
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	n := rebalancePartitions
	path := fmt.Sprintf("M%.1f %.1f", x(rebalanceAt), y(n))
	for _, c := range changes {
		n += c.by
		path += fmt.Sprintf(" H%.1f V%.1f", x(c.at), y(n))
	}
	return path + fmt.Sprintf(" H%.1f", x(rebalanceAt+rebalanceFor))
}
