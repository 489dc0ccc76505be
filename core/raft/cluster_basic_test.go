package raft

import (
	"fmt"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim/simdisk"
)

func quick() Options {
	return Options{
		ElectionTimeout: 100 * core.Millisecond, FetchTimeout: 200 * core.Millisecond,
		ElectionBackoffMax: 100 * core.Millisecond, RequestTimeout: 200 * core.Millisecond,
		RetryBackoff: 5 * core.Millisecond, FetchMaxWait: 50 * core.Millisecond,
	}
}

func TestSingleVoterLeadsWithoutWaiting(t *testing.T) {
	c := newCluster(t, 1, 1, 1, quick(), simdisk.Config{})
	start := c.now
	n := c.nodes[0]
	c.until(core.Second, "activity", n.q.Active)
	if took := c.now - start; took > 100*core.Millisecond {
		t.Fatalf("it took %d ms", took/core.Millisecond)
	}
	if n.q.voters.last().kraft != 1 || n.q.log.LogEndOffset() != 3 {
		t.Fatalf("the log begins otherwise: %s", c.describe())
	}
	c.propose(n, "a", "b")
	c.until(core.Second, "commit", func() bool { return len(n.state) == 2 })
	for i := range 3 {
		epoch := n.q.hard.epoch
		c.stop(n, i%2 == 0)
		c.start(n)
		c.until(core.Second, "activity again", n.q.Active)
		if n.q.hard.epoch <= epoch || len(n.state) != 2 {
			t.Fatalf("epoch %d after %d, state %v", n.q.hard.epoch, epoch, n.state)
		}
	}
}

func TestThreeVotersElectReplicateAndFailOver(t *testing.T) {
	c := newCluster(t, 2, 4, 3, quick(), simdisk.Config{})
	c.until(5*core.Second, "a leader", func() bool { l := c.leader(); return l != nil && l.q.Active() })
	for i := range 20 {
		if !c.propose(c.leader(), fmt.Sprint("v", i)) {
			t.Fatal("not proposed")
		}
		c.run(5 * core.Millisecond)
	}
	all := func(want int) func() bool {
		return func() bool {
			for _, n := range c.nodes {
				if n.up && len(n.state) != want {
					return false
				}
			}
			return true
		}
	}
	c.until(core.Second, "everybody has everything", all(20))
	c.until(core.Second, "the upgrade", func() bool { return c.node(4).q.voters.last().kraft == 1 })
	old := c.leader()
	epoch := old.q.hard.epoch
	c.stop(old, true)
	c.until(5*core.Second, "another leader", func() bool { l := c.leader(); return l != nil && l.q.Active() && l.q.hard.epoch > epoch })
	c.propose(c.leader(), "after")
	c.until(5*core.Second, "everybody has the next", all(21))
	c.start(old)
	c.until(5*core.Second, "the old leader, too", func() bool { return len(old.state) == 21 })
	c.oracle.logMatch()
}
