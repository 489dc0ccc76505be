package replica

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
)

var (
	seeds = flag.Int("lab.seeds", 100, "seeds of the random cluster test")
	tail  = flag.Int("lab.tail", 40, "lines of the story of a red seed")
	first = flag.Uint64("lab.first", 1, "first seed")
)

// TestClusterKeepsItsPromises runs a cluster under crashes, power losses, fencing, leaderships that move without any
// failure, metadata that comes late and out of step, and a network that delays, loses and repeats. Then everything is
// healed and must come to rest with all replicas equal.
func TestClusterKeepsItsPromises(t *testing.T) {
	points := map[string]int{}
	red, acked := 0, 0
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		l := chaos(t, seed)
		acked += l.acked
		for name, n := range l.points {
			points[name] += n
		}
		if l.failed != "" {
			red++
			if red <= 3 {
				for _, line := range l.trail[max(0, len(l.trail)-*tail):] {
					t.Log(line)
				}
				for _, n := range l.nodes {
					for i, p := range n.parts {
						lg := p.rep.Log
						t.Logf("node %d partition %d: up %v, leads %v, epoch %d, start %d, HW %d, end %d, content from %d, epochs %v", n.id, i,
							n.up, p.rep.Leading(), p.rep.epoch, lg.LogStartOffset(), p.rep.HighWatermark(), lg.LogEndOffset(), p.content.base, lg.Epochs())
					}
				}
				t.Errorf("seed %d: %s", seed, l.failed)
			}
		}
	}
	names := make([]string, 0, len(points))
	for name, n := range points {
		names = append(names, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(names)
	t.Logf("%d of %d seeds red, %d produces acknowledged, points %q", red, *seeds, acked, names)
	require.Zero(t, red)
	require.Greater(t, acked, 20**seeds)
	if *seeds >= 100 {
		for _, name := range []string{
			"replica.truncated-on-diverging-epoch", "replica.isr-shrink-proposed", "replica.isr-expansion-proposed",
			"replica.proposal-lost", "replica.proposal-repeated", "replica.proposal-overtaken", "replica.proposal-refused",
			"replica.hw-held-by-proposed", "replica.follower-bound-above-durable", "replica.stale-answer-dropped",
			"replica.answer-not-awaited", "replica.fetch-session-lost", "replica.restarted-at-leader-log-start",
			"replica.log-start-inside-batch", "replica.refusal-doubted", "replica.proposal-awaits-metadata",
			"replica.fetch-of-dead-incarnation",
		} {
			require.Positive(t, points[name], name)
		}
	}
}

// chaos is one run.
func chaos(t testing.TB, seed uint64) (l *lab) {
	l = newLab(t, seed, 2)
	defer func() {
		if r := recover(); r != nil {
			l.fail("%v", r)
		}
	}()
	l.opts.ELR = l.rand.Chance(1, 2)
	l.cfg.TrackWrites = l.rand.Chance(2, 3)
	l.ctl.init(2)
	net := l.rand.Fork("net")
	loss, slow, twice, deaf := net.Below(8), net.Below(8), net.Below(8), net.Below(50)
	if l.rand.Chance(1, 2) {
		l.patience = 2 * core.Second
	}
	metaLag := core.Mono(l.rand.Between(10, 2000)) * core.Millisecond
	faults := true
	l.delay = func(link string) (core.Mono, bool, bool) {
		d := core.Mono(net.Skewed(int64(4 * core.Millisecond)))
		if !faults {
			return d, true, false
		}
		if net.Chance(slow, 100) {
			d += core.Mono(net.Below(int64(core.Second)))
		}
		if link[0] == 'm' { // metadata
			return d + core.Mono(net.Skewed(int64(metaLag))), true, false
		}
		if link[0] == 'c' { // the controller's answers
			return d, !net.Chance(deaf, 100), false
		}
		return d, !net.Chance(loss, 100), net.Chance(twice, 100)
	}
	for _, n := range l.nodes {
		n.start()
		l.ctl.register(l, n)
		l.ctl.unfence(l, n.id)
	}
	l.run(500 * core.Millisecond)
	l.mischief(l.rand.Fork("mischief"))
	faults = false
	clear(l.cuts)
	l.heal()
	if l.failed == "" {
		l.checkRest()
		l.checkFiles()
	}
	return l
}

// heal restarts and unfences everybody and gives the cluster time.
func (l *lab) heal() {
	for _, n := range l.nodes {
		if !n.up {
			n.start()
			l.ctl.register(l, n)
		}
	}
	l.run(3 * core.Second)
	for range 3 {
		for _, n := range l.nodes {
			l.ctl.unfence(l, n.id)
		}
		l.ctl.publish(l)
		l.run(3 * core.Second)
	}
	for i := range l.oracle {
		if s := l.ctl.parts[i]; s.Leader != core.NoNode {
			l.nodes[s.Leader].produce(i, "last", 1)
		}
	}
	l.run(3 * core.Second)
}

// checkRest is the liveness half: one leader, all in sync, all committed, and everybody knows it.
func (l *lab) checkRest() {
	for i, state := range l.ctl.parts {
		if state.Leader == core.NoNode || len(state.ISR) != 3 {
			l.fail("L-CATCHUP: partition %d ends with leader %d, ISR %v", i, state.Leader, state.ISR)
			continue
		}
		for _, n := range l.nodes {
			lg := n.parts[i].rep.Log
			if hw := n.parts[i].rep.HighWatermark(); !lg.Ready() || hw != lg.LogEndOffset() || int(hw) != len(l.oracle[i]) {
				l.fail("L-REPLICATED: partition %d on node %d: HW %d, end %d, committed %d",
					i, n.id, hw, lg.LogEndOffset(), len(l.oracle[i]))
			}
		}
	}
}
