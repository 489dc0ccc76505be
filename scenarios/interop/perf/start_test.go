package perf

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// TestStart: from nothing to the first record that is acknowledged, by one node and by a cluster of three.
func TestStart(t *testing.T) {
	times := 1
	if os.Getenv("PERF_FULL") == "1" {
		times = 20
	}
	binary := harness.Build(t)
	for _, c := range []struct {
		what  string
		start func(*testing.T) []string
	}{
		{"one node", func(t *testing.T) []string {
			return []string{harness.Start(t, harness.Options{Binary: binary}).Addr}
		}},
		{"three nodes", func(t *testing.T) []string {
			return harness.StartCluster(t, harness.ClusterOptions{Binary: binary}).Addrs()
		}},
	} {
		var took []time.Duration
		for i := range times {
			t.Run(fmt.Sprintf("%s %d", c.what, i+1), func(t *testing.T) {
				begin := time.Now()
				firstRecord(t, c.start(t))
				took = append(took, time.Since(begin))
			})
		}
		slices.Sort(took)
		if len(took) > 0 {
			fmt.Printf("%s from nothing to the first acknowledged record, %d times: median %v, least %v, most %v\n",
				c.what, len(took), took[len(took)/2], took[0], took[len(took)-1])
		}
	}
}

// firstRecord creates a topic with the cluster's default replicas and writes a record with acks=all.
func firstRecord(t *testing.T, addrs []string) {
	t.Helper()
	const topic = "first"
	create := kmsg.NewPtrCreateTopicsRequest()
	create.SetVersion(7)
	create.TimeoutMillis = 10_000
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = topic, 1, -1
	create.Topics = append(create.Topics, wanted)
	if got, err := harness.Query(addrs[0], create); err != nil {
		t.Fatal(err)
	} else if err := kerr.ErrorForCode(got.(*kmsg.CreateTopicsResponse).Topics[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = harness.Plain("first").Encode()
	data := kmsg.NewProduceRequestTopic()
	data.Topic, data.Partitions = topic, append(data.Partitions, partition)
	produce := kmsg.NewPtrProduceRequest()
	produce.SetVersion(9)
	produce.Acks, produce.TimeoutMillis, produce.Topics = -1, 10_000, append(produce.Topics, data)
	var last error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); harness.Wait(time.Millisecond) {
		for _, addr := range addrs { // one of them leads it
			got, err := harness.Query(addr, produce)
			if err == nil {
				err = kerr.ErrorForCode(got.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)
			}
			if last = err; err == nil {
				return
			}
		}
	}
	t.Fatal(last)
}
