package cluster_test

import (
	"errors"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// deposed bounds the time in which a leader of the quorum that hears nobody must resign: one and a half fetch timeouts of 2 s
// (KIP-996), on a loaded machine.
const deposed = 10 * time.Second

// produceTo writes one record to partition 0 through one node.
func produceTo(addr, topic, value string, acks int16) (offset int64, err error) {
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = harness.Plain(value).Encode()
	pt := kmsg.NewProduceRequestTopic()
	pt.Topic, pt.Partitions = topic, append(pt.Partitions, p)
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(9)
	r.Acks, r.TimeoutMillis = acks, 1000
	r.Topics = append(r.Topics, pt)
	answer, err := harness.Query(addr, r)
	if err != nil {
		return -1, err
	}
	got := answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
	return got.BaseOffset, kerr.ErrorForCode(got.ErrorCode)
}

// A node that leads the quorum and a partition loses both other nodes, in both directions, and no client. The quorum's leader
// resigns when it has heard nobody for one and a half fetch timeouts. The partition's leader does not hear that another leads
// now: as in Kafka it keeps its view, takes records with acks=1, which are gone when it hears, serves what is
// committed, and acknowledges nothing with acks=all.
func TestCutOff(t *testing.T) {
	network := harness.NewNetwork(t, 3)
	c := harness.StartCluster(t, harness.ClusterOptions{Net: network})
	leader := must1(harness.QuorumLeader(c.Nodes[0].Addr))(t)
	lone := int(leader - 1)
	// The first replica is the leader, so one of six partitions will do; it becomes partition 0 of a topic of its own.
	const name = "alone"
	harness.CreateAssigned(t, c.Nodes[lone].Addr, name, []int32{leader, leader%3 + 1, (leader+1)%3 + 1})
	c.AwaitFull(t, name, rejoin)
	addr := c.Nodes[lone].Addr
	kept, err := produceTo(addr, name, "kept", -1)
	if err != nil {
		t.Fatal(err)
	}
	others := func(do func(from, to int)) {
		for i := range c.Nodes {
			if i != lone {
				do(lone, i)
				do(i, lone)
			}
		}
	}
	others(network.Cut)
	took := harness.Eventually(t, deposed, func() (bool, string) {
		now, _, err := harness.QuorumLeader(addr)
		return err != nil || now != leader, "it still says that it leads the quorum"
	})
	t.Logf("it does not say so after %v; a question that finds no leader waits up to 3 s", round(took))
	elsewhere := harness.Eventually(t, rejoin, func() (bool, string) {
		v, err := harness.Look(c.Nodes[(lone+1)%3].Addr, name)
		return err == nil && v.Partitions[0].Leader != leader && v.Partitions[0].Leader >= 0, "the others elect nobody"
	})
	v, err := harness.Look(addr, name)
	t.Logf("another leads after %v; the node that is cut off says %+v, %v", round(took+elsewhere), v.Partitions, err)
	if err != nil || v.Partitions[0].Leader != leader {
		t.Errorf("it has changed its view, and has heard nobody")
	}
	for range 3 {
		if _, err := produceTo(addr, name, "unheard", -1); !errors.Is(err, kerr.RequestTimedOut) {
			t.Errorf("acks=all: %v", err)
		}
	}
	if _, err := produceTo(addr, name, "lost", 1); err != nil {
		t.Errorf("acks=1: %v", err)
	}
	next := v.Partitions[0].LeaderEpoch
	seen, err := harness.Look(c.Nodes[(lone+1)%3].Addr, name)
	if err != nil || seen.Partitions[0].LeaderEpoch <= next {
		t.Fatalf("the others are in %+v, %v", seen, err)
	}
	at, err := produceTo(c.Nodes[seen.Partitions[0].Leader-1].Addr, name, "heard", -1)
	if err != nil || at != kept+1 {
		t.Errorf("the new leader put its record at %d, not at %d: %v", at, kept+1, err)
	}
	others(network.Heal)
	_, full := c.AwaitFull(t, name, rejoin)
	t.Logf("full ISRs %v after healing", round(full))
	if ends := harness.Ends(t, addr, name, 1); ends[0] != kept+2 {
		t.Errorf("the partition ends at %d, not at %d", ends[0], kept+2)
	}
	for _, n := range c.Nodes {
		n.Alive()
	}
}
