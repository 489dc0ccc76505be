package cluster_test

import (
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// stopping bounds an orderly end, also of a node that finds no controller to ask: it gives up after a session (9 s).
const stopping = 15 * time.Second

// SIGTERM of a leader under fire: it hands its partitions over before it goes, so that they are away for as long as an
// election takes and no session has to run out; the producer gives up nothing; the mark is there by
// which the next start knows that it need not scan its logs.
func TestControlledShutdown(t *testing.T) {
	b := newBattle(t, harness.ClusterOptions{}, true)
	var blows []blow
	for n := range pick(10, 3) {
		var took time.Duration
		got := b.strike(n, func(node *harness.Node) {
			begin := time.Now()
			node.Stop()
			took = time.Since(begin)
			if _, err := os.Stat(filepath.Join(node.Data, cleanShutdown)); err != nil {
				t.Errorf("the node left no mark of an orderly end: %v", err)
			}
		}, (*harness.Node).Start)
		t.Logf("stop %d: node %d (controller %v) led %d, ended in %v: outages %v; probes %v; others %v; serves after %v, in sync %v later; load %s",
			n+1, got.node, got.controller, got.led, round(took), got.outages, got.probes, got.healthy, round(got.restart), round(got.rejoined), load())
		blows = append(blows, got)
		b.spread()
	}
	for _, w := range b.fire.writers {
		if g := w.longest(b.fire.begin); g.length() > handover {
			t.Errorf("partition %d took no records for %v; a controlled shutdown hands over within %v", w.partition, round(g.length()), handover)
		}
	}
	b.finish(blows)
}

// cleanShutdown is Kafka's name of that mark.
const cleanShutdown = ".kafka_cleanshutdown"

// handover is far less than a session (9 s), and far more than an election of the quorum's leader takes (at most 2 s
// of timeout, drawn between 1 and 2 s, KIP-595) on a loaded machine.
const handover = 6 * time.Second

// All nodes are told to stop at once. The last ones have no controller left to ask; they end all the same, and the
// cluster starts again from clean logs.
func TestStopAll(t *testing.T) {
	b := newBattle(t, harness.ClusterOptions{}, true)
	harness.Eventually(t, resume, func() (bool, string) { return b.fire.acked() > 100_000, "too few records" })
	b.fire.close(resume)
	c := b.cluster
	begin := time.Now()
	done := make(chan time.Duration, len(c.Nodes))
	for i, n := range c.Nodes {
		n.Signal(syscall.SIGTERM)
		go func() {
			if code, ended := n.Exited(stopping); !ended || code != 0 {
				t.Errorf("node %d: ended within %v: %v, exit code %d", i+1, stopping, ended, code)
			}
			done <- time.Since(begin)
		}()
	}
	for range c.Nodes {
		t.Logf("a node ended after %v", round(<-done))
	}
	for i, n := range c.Nodes {
		if !regexp.MustCompile(`(?m)^klamm: stopped in `).MatchString(n.Said()) {
			t.Errorf("node %d did not end in good order: %s", i+1, n.Said())
		}
	}
	begin = time.Now()
	for _, n := range c.Nodes {
		n.Launch()
	}
	for _, n := range c.Nodes {
		n.AwaitServing()
	}
	_, took := c.AwaitFull(t, topic, rejoin)
	t.Logf("all serve after %v, in sync %v later", round(time.Since(begin)-took), round(took))
	b.fire.verify(c.Addrs())
}
