package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// cut is a set of directed links between nodes, by index.
type cut struct {
	name  string
	links [][2]int
}

// cuts are what is cut, with leader as the leader of the quorum: each single direction to and from it, one between the
// other two, and all that one node sends or receives.
func cuts(leader int) []cut {
	a, b := (leader+1)%3, (leader+2)%3
	out := []cut{
		{"quorum leader does not reach one", [][2]int{{leader, a}}},
		{"one does not reach the quorum leader", [][2]int{{a, leader}}},
		{"quorum leader is mute", [][2]int{{leader, a}, {leader, b}}},
		{"quorum leader is deaf", [][2]int{{a, leader}, {b, leader}}},
		{"one does not reach another", [][2]int{{a, b}}},
		{"one is mute", [][2]int{{a, leader}, {a, b}}},
		{"one is deaf", [][2]int{{leader, a}, {b, a}}},
	}
	return pick(out, out[2:3])
}

// lagging is the time after which a leader gives up a follower: Kafka's 30 s in the long run.
func lagging() time.Duration { return pick(30*time.Second, 5*time.Second) }

// Links that are cut one way, between network namespaces: packets of one direction vanish, clients reach everybody. While
// a link is cut all partitions take records again, at the latest when the leader has given up a follower that it does
// not hear, and when a session has run out; when it is whole, every replica comes back. No acknowledged record is lost or moved.
func TestCutLinks(t *testing.T) {
	network := harness.NewNetwork(t, 3)
	b := newBattle(t, harness.ClusterOptions{
		Net: network, Set: []string{fmt.Sprintf("replica.lag.time.max.ms=%d", lagging().Milliseconds())},
	}, true)
	var outages times
	for i := range cuts(0) {
		leader, _, err := harness.QuorumLeader(b.cluster.Nodes[0].Addr)
		if err != nil {
			t.Fatal(err)
		}
		outages = append(outages, b.sever(network, cuts(int(leader - 1))[i])...)
		b.spread()
	}
	t.Logf("time without a writable partition, all partitions, per cut: %v", outages)
	b.finish(nil)
}

// sever cuts links for longer than a leader waits for followers, and heals them. Of a node that is cut off clients may
// learn for long that it still leads: only the probes, which believe the highest epoch, tell what the cluster does.
func (b *battle) sever(network *harness.Network, c cut) times {
	b.t.Helper()
	before, _ := b.cluster.AwaitFull(b.t, topic, rejoin)
	at := time.Now()
	for _, l := range c.links {
		network.Cut(l[0], l[1])
	}
	probes := b.probeAll(at, []int{0, 1, 2, 3, 4, 5}, -1)
	if longest := slices.Max(append(probes, 0)); longest > lagging()+grace {
		b.t.Errorf("%s: a partition took no record for %v", c.name, longest)
	}
	b.fire.awaitAcksAfter(at.Add(lagging()+grace), resume, b.fire.writers)
	var silences times
	for _, w := range b.fire.writers {
		silences = append(silences, w.longest(at).length())
	}
	for _, l := range c.links {
		network.Heal(l[0], l[1])
	}
	healed := time.Now()
	after, took := b.cluster.AwaitFull(b.t, topic, rejoin)
	b.fire.awaitAcks(resume)
	var late times
	for _, w := range b.fire.writers {
		late = append(late, w.longest(healed).length())
	}
	b.t.Logf("%s (%v): probes %v; longest silence by partition %v; full ISRs %v after healing, longest silence then %v; leaders %v, then %v; load %s",
		c.name, c.links, rounded(probes), rounded(silences), round(took), rounded(late), leaders(before), leaders(after), load())
	return silences
}

// grace is what failure detection, an election and a loaded machine may add to the time for which a leader waits for a
// follower.
const grace = 15 * time.Second

func leaders(v harness.View) []int32 {
	var out []int32
	for _, p := range v.Partitions {
		out = append(out, p.Leader)
	}
	return out
}

func rounded(s times) []time.Duration {
	var out []time.Duration
	for _, d := range s {
		out = append(out, round(d))
	}
	return out
}
