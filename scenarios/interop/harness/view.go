package harness

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Partition is what one node says about a partition.
type Partition struct {
	Leader      int32 // node id, -1 without
	LeaderEpoch int32
	ISR         []int32
	Replicas    []int32
	Code        int16
}

// View is what one node says about the cluster and one topic.
type View struct {
	ClusterID  string
	Controller int32
	Brokers    []int32 // node ids, ascending
	Partitions []Partition
}

// viewTimeout bounds one question to one node, which may be stopped or cut off.
const viewTimeout = 3 * time.Second

// Query sends one request on a connection of its own to exactly the node that is named.
func Query(addr string, r kmsg.Request) (kmsg.Response, error) {
	c, err := net.DialTimeout("tcp", addr, viewTimeout)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }() // the answer is read
	return (&Conn{Conn: c, limit: viewTimeout}).Ask(r)
}

// Look asks one node for its view. A topic that it does not know is an error.
func Look(addr, topic string) (View, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.SetVersion(9)
	wanted := kmsg.NewMetadataRequestTopic()
	wanted.Topic = kmsg.StringPtr(topic)
	request.Topics = append(request.Topics, wanted)
	request.AllowAutoTopicCreation = false
	answer, err := Query(addr, request)
	if err != nil {
		return View{}, err
	}
	got := answer.(*kmsg.MetadataResponse)
	v := View{Controller: got.ControllerID}
	if got.ClusterID != nil {
		v.ClusterID = *got.ClusterID
	}
	for _, b := range got.Brokers {
		v.Brokers = append(v.Brokers, b.NodeID)
	}
	slices.Sort(v.Brokers)
	if len(got.Topics) != 1 {
		return v, fmt.Errorf("%d topics, not one", len(got.Topics))
	}
	if err := kerr.ErrorForCode(got.Topics[0].ErrorCode); err != nil {
		return v, err
	}
	v.Partitions = make([]Partition, len(got.Topics[0].Partitions))
	for _, p := range got.Topics[0].Partitions {
		if int(p.Partition) >= len(v.Partitions) {
			return v, fmt.Errorf("partition %d of %d", p.Partition, len(v.Partitions))
		}
		v.Partitions[p.Partition] = Partition{
			Leader: p.Leader, LeaderEpoch: p.LeaderEpoch, ISR: p.ISR, Replicas: p.Replicas, Code: p.ErrorCode,
		}
	}
	return v, nil
}

// Full says why not every replica of every partition is in its ISR; empty if all are.
func (v View) Full() string {
	for i, p := range v.Partitions {
		if p.Leader < 0 || len(p.ISR) != len(p.Replicas) {
			return fmt.Sprintf("partition %d is led by %d in epoch %d, ISR %v of %v", i, p.Leader, p.LeaderEpoch, p.ISR, p.Replicas)
		}
	}
	return ""
}

// Led lists the partitions that a node leads.
func (v View) Led(node int32) []int {
	var out []int
	for i, p := range v.Partitions {
		if p.Leader == node {
			out = append(out, i)
		}
	}
	return out
}

// AwaitFull waits until every running node says that all replicas of a topic are in sync, and that all nodes are
// there. It returns the view, the same of all in leaders and epochs.
func (c *Cluster) AwaitFull(t testing.TB, topic string, limit time.Duration) (View, time.Duration) {
	t.Helper()
	var v View
	defer c.explain(t, topic)
	took := Eventually(t, limit, func() (bool, string) {
		for i, n := range c.Nodes {
			seen, err := Look(n.Addr, topic)
			if err != nil {
				return false, fmt.Sprintf("node %d: %v", i+1, err)
			}
			if why := seen.Full(); why != "" {
				return false, fmt.Sprintf("node %d: %s", i+1, why)
			}
			if len(seen.Brokers) != len(c.Nodes) {
				return false, fmt.Sprintf("node %d: brokers are %v", i+1, seen.Brokers)
			}
			if i > 0 && !slices.EqualFunc(v.Partitions, seen.Partitions, sameLeader) {
				return false, fmt.Sprintf("nodes 1 and %d disagree: %v, %v", i+1, v.Partitions, seen.Partitions)
			}
			v = seen
		}
		return true, ""
	})
	return v, took
}

// explain shows every node's view, and the bytes that each replica has, if the test has just failed.
func (c *Cluster) explain(t testing.TB, topic string) {
	if !t.Failed() {
		return
	}
	for i, n := range c.Nodes {
		v, err := Look(n.Addr, topic)
		t.Logf("node %d sees (%v) %+v", i+1, err, v)
		for p := range v.Partitions {
			size := int64(0)
			files, _ := filepath.Glob(filepath.Join(n.Data, fmt.Sprintf("%s-%d", topic, p), "*.log")) // the pattern is good
			for _, f := range files {
				if info, err := os.Stat(f); err == nil {
					size += info.Size()
				}
			}
			t.Logf("node %d holds %d bytes of partition %d", i+1, size, p)
		}
	}
}

func sameLeader(a, b Partition) bool { return a.Leader == b.Leader && a.LeaderEpoch == b.LeaderEpoch }

// QuorumLeader asks a node who leads the quorum (DescribeQuorum, KIP-595).
func QuorumLeader(addr string) (leader, epoch int32, err error) {
	request := kmsg.NewPtrDescribeQuorumRequest()
	request.SetVersion(1)
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = "__cluster_metadata"
	topic.Partitions = append(topic.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	request.Topics = append(request.Topics, topic)
	answer, err := Query(addr, request)
	if err != nil {
		return -1, -1, err
	}
	got := answer.(*kmsg.DescribeQuorumResponse)
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		return -1, -1, err
	}
	if len(got.Topics) != 1 || len(got.Topics[0].Partitions) != 1 {
		return -1, -1, fmt.Errorf("DescribeQuorum answers with %+v", got.Topics)
	}
	p := got.Topics[0].Partitions[0]
	return p.LeaderID, p.LeaderEpoch, kerr.ErrorForCode(p.ErrorCode)
}

// ElectPreferred asks for preferred leaders of all partitions, and returns the first error that matters.
func ElectPreferred(t testing.TB, addr string) error {
	t.Helper()
	request := kmsg.NewPtrElectLeadersRequest()
	request.TimeoutMillis = int32(requestTimeout / time.Millisecond)
	response := ask(t, addr, request)
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return err
	}
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			err := kerr.ErrorForCode(p.ErrorCode)
			if err != nil && p.ErrorCode != kerr.ElectionNotNeeded.Code {
				return fmt.Errorf("%s-%d: %w", topic.Topic, p.Partition, err)
			}
		}
	}
	return nil
}
