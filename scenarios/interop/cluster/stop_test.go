package cluster_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// pause is how long a leader is stopped: longer than any session at default timeouts, so that others lead when it wakes
// up and still takes itself for the leader.
const pause = 20 * time.Second

// SIGSTOP of a leader for 20 s, then SIGCONT. Unlike a dead process, a stopped one closes no connection, and when it goes
// on it has its own idea of who leads.
func TestStopLeader(t *testing.T) {
	b := newBattle(t, harness.ClusterOptions{}, true, hurried()...)
	var blows []blow
	for n := range pick(6, 1) {
		var stopped time.Time
		got := b.strike(n, func(node *harness.Node) {
			node.Signal(syscall.SIGSTOP)
			stopped = time.Now()
		}, func(node *harness.Node) {
			harness.Wait(time.Until(stopped.Add(pause)))
			node.Signal(syscall.SIGCONT)
		})
		t.Logf("stop %d: node %d (controller %v) led %d: outages %v; probes %v; others %v; in sync %v after it went on; load %s",
			n+1, got.node, got.controller, got.led, got.outages, got.probes, got.healthy, round(got.rejoined), load())
		blows = append(blows, got)
		b.spread()
	}
	b.finish(blows)
}
