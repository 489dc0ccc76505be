package cluster_test

import (
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	topic      = "fire"
	partitions = 6
	rejoin     = 90 * time.Second // for a node to be in every ISR again, what it missed included
	resume     = 60 * time.Second // for a partition to take records again
)

// blow is what one blow at one node came to.
type blow struct {
	node       int32
	controller bool          // it led the quorum as well
	outages    times         // by partition that it led
	probes     times         // the same for a client without timeouts, see probe
	healthy    times         // longest silence of the partitions that it did not lead
	restart    time.Duration // until the node itself serves again
	rejoined   time.Duration // and from then until every ISR is full
	led        int
}

// battle is a cluster under a fire.
type battle struct {
	t       *testing.T
	cluster *harness.Cluster
	fire    *fire
}

func newBattle(t *testing.T, o harness.ClusterOptions, idempotent bool, more ...kgo.Opt) *battle {
	t.Helper()
	c := harness.StartCluster(t, o)
	harness.CreateReplicated(t, c.Nodes[0].Addr, topic, partitions, 3, "retention.ms", "-1")
	harness.CreateReplicated(t, c.Nodes[0].Addr, probed, partitions, 3)
	c.AwaitFull(t, probed, rejoin)
	c.AwaitFull(t, topic, rejoin)
	b := &battle{t: t, cluster: c, fire: open(t, c.Addrs(), topic, partitions, idempotent, more...)}
	b.fire.awaitAcks(resume)
	return b
}

// victim chooses whom to hit: in odd rounds the leader of the quorum, else who leads most partitions; in both cases
// a node that leads some.
func (b *battle) victim(n int, v harness.View) (index int, controller bool) {
	b.t.Helper()
	leader, _, err := harness.QuorumLeader(b.cluster.Nodes[0].Addr)
	if err != nil {
		b.t.Fatalf("DescribeQuorum: %v", err)
	}
	most := int32(1)
	for id := range int32(len(b.cluster.Nodes)) {
		other := leader == id+1
		if len(v.Led(id+1)) > len(v.Led(most)) || len(v.Led(id+1)) == len(v.Led(most)) && !other && most == leader {
			most = id + 1
		}
	}
	if n%2 == 1 && len(v.Led(leader)) > 0 {
		most = leader
	}
	return int(most - 1), most == leader
}

// strike hits one node, waits until all partitions take records again, lets it return, and waits until it is back.
//
// An outage counts from the blow to the first acknowledgement by another leader. A hit that takes its time (an orderly
// end) is not an outage while it lasts: there it counts from the last acknowledgement by the old one.
func (b *battle) strike(n int, hit, undo func(*harness.Node)) blow {
	b.t.Helper()
	v, _ := b.cluster.AwaitFull(b.t, topic, rejoin)
	spread, _ := b.cluster.AwaitFull(b.t, probed, rejoin)
	index, controller := b.victim(n, v)
	node := b.cluster.Nodes[index]
	out := blow{node: int32(index + 1), controller: controller, led: len(v.Led(int32(index + 1)))}
	before := time.Now()
	hit(node)
	at := time.Now()
	quick := at.Sub(before) < settle
	if quick {
		at = before
	}
	out.probes = b.probe(at, spread, index)
	var waiting []*writer
	for _, p := range v.Led(out.node) {
		waiting = append(waiting, b.fire.writers[p])
	}
	b.fire.awaitAcksAfter(at.Add(settle), resume, waiting)
	b.fire.awaitAcks(resume)
	for i, w := range b.fire.writers {
		silence := w.outage(before, at.Add(settle))
		if v.Partitions[i].Leader == out.node {
			from := silence.from
			if quick || from.Before(before) {
				from = before
			}
			out.outages = append(out.outages, silence.to.Sub(from))
		} else {
			out.healthy = append(out.healthy, silence.length())
		}
	}
	back := time.Now()
	undo(node)
	out.restart = time.Since(back)
	_, out.rejoined = b.cluster.AwaitFull(b.t, topic, rejoin)
	b.fire.awaitAcks(resume)
	return out
}

// settle is the time in which answers that a dead leader sent may still come out of the client.
const settle = 300 * time.Millisecond

// kill -9 of a leader, again and again, under a producer at full speed: the node is back in every ISR before the next.
// No acknowledged record is lost or moved; an idempotent producer's records are there once each.
func TestKillLeader(t *testing.T) {
	kill, start := (*harness.Node).Kill, (*harness.Node).Start
	t.Run("idempotent", func(t *testing.T) { killLeader(t, pick(30, 3), true, kill, start) })
	if full() {
		t.Run("at-least-once", func(t *testing.T) { killLeader(t, 10, false, kill, start) })
	}
	// A supervisor restarts a process before anybody has noticed that it was gone: nothing has moved then, and the new
	// incarnation must not count as the old one.
	t.Run("restarted at once", func(t *testing.T) {
		killLeader(t, pick(10, 2), true, func(n *harness.Node) { n.Kill(); n.Launch() }, (*harness.Node).AwaitServing)
	})
}

func killLeader(t *testing.T, kills int, idempotent bool, hit, undo func(*harness.Node)) {
	b := newBattle(t, harness.ClusterOptions{}, idempotent)
	var blows []blow
	for n := range kills {
		got := b.strike(n, hit, undo)
		t.Logf("kill %d: node %d (controller %v) led %d: outages %v; probes %v; others %v; serves after %v, in sync %v later; load %s",
			n+1, got.node, got.controller, got.led, got.outages, got.probes, got.healthy, round(got.restart), round(got.rejoined), load())
		blows = append(blows, got)
		b.spread()
	}
	b.finish(blows)
}

// spread gives every partition back to its preferred leader, so that each blow meets some.
func (b *battle) spread() {
	b.t.Helper()
	if err := harness.ElectPreferred(b.t, b.cluster.Nodes[0].Addr); err != nil {
		b.t.Errorf("ElectLeaders: %v", err)
	}
}

// finish stops the fire, verifies, and reports.
func (b *battle) finish(blows []blow) {
	b.t.Helper()
	lasted := time.Since(b.fire.begin)
	b.fire.close(resume)
	b.cluster.AwaitFull(b.t, topic, rejoin)
	if len(blows) > 0 {
		report(b.t, blows)
	}
	var silence times
	for _, w := range b.fire.writers {
		silence = append(silence, w.longest(b.fire.begin).length())
	}
	b.t.Logf("longest silence by partition: %v", silence)
	b.t.Logf("%d records acknowledged in %v; load %s", b.fire.acked(), round(lasted), load())
	b.fire.verify(b.cluster.Addrs())
	for _, n := range b.cluster.Nodes {
		n.Alive()
	}
	b.sameLogs()
}

// report prints the distributions.
func report(t *testing.T, blows []blow) {
	t.Helper()
	var all, probes, controllers, brokers, healthy, restart, rejoined times
	for _, b := range blows {
		all = append(all, b.outages...)
		probes = append(probes, b.probes...)
		healthy = append(healthy, b.healthy...)
		restart, rejoined = append(restart, b.restart), append(rejoined, b.rejoined)
		if b.controller {
			controllers = append(controllers, b.outages...)
		} else {
			brokers = append(brokers, b.outages...)
		}
	}
	t.Logf("time without a writable partition, from the blow to the first acknowledgement: %v", all)
	t.Logf("  where the node led the quorum as well: %v", controllers)
	t.Logf("  where it did not: %v", brokers)
	t.Logf("  for a client that does not wait for the old leader: %v", probes)
	t.Logf("longest silence of partitions that it did not lead: %v", healthy)
	t.Logf("until the node serves again: %v; from then to full ISRs: %v", restart, rejoined)
}
