package eos_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// begin obtains a producer id for a transactional id.
func begin(ctx context.Context, t *testing.T, cl *kgo.Client, id string) (producer int64, epoch int16) {
	t.Helper()
	init := kmsg.NewPtrInitProducerIDRequest()
	init.TransactionalID, init.TransactionTimeoutMillis = &id, 60_000
	who, err := init.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(who.ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	return who.ProducerID, who.ProducerEpoch
}

// late sends a record of a transaction that no coordinator knows, as a client of before KIP-890 could: its Produce is late, and arrives when
// the transaction is over.
func late(t *testing.T, leader, topic, id string, producer int64, epoch int16) error {
	t.Helper()
	batch := harness.Plain("hangs")
	batch.Attributes, batch.ProducerID, batch.ProducerEpoch, batch.BaseSequence = 1<<4, producer, epoch, 0
	produce := kmsg.NewPtrProduceRequest()
	produce.SetVersion(8)
	produce.TransactionID, produce.Acks, produce.TimeoutMillis = &id, -1, 10_000
	part := kmsg.NewProduceRequestTopicPartition()
	part.Records = batch.Encode()
	of := kmsg.NewProduceRequestTopic()
	of.Topic, of.Partitions = topic, []kmsg.ProduceRequestTopicPartition{part}
	produce.Topics = append(produce.Topics, of)
	answer, err := harness.Query(leader, produce)
	if err != nil {
		t.Fatal(err)
	}
	return kerr.ErrorForCode(answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)
}

// With verification off a cluster takes what older brokers take. klamm txn finds the transaction that hangs, says what is known of its
// producer, and ends it; then a reader of committed records goes on, and does not see what hung.
func TestHangingTransactionIsFoundAndAborted(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{Set: []string{"transaction.partition.verification.enable=false"}})
	const topic = "stuck"
	harness.CreateReplicated(t, c.Nodes[0].Addr, topic, 1, 3)
	view, _ := c.AwaitFull(t, topic, 90*time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	put := func(value string) {
		if err := cl.ProduceSync(ctx, kgo.StringRecord(value)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	put("before")
	producer, epoch := begin(ctx, t, cl, "old")
	if err := late(t, c.Nodes[view.Partitions[0].Leader-1].Addr, topic, "old", producer, epoch); err != nil {
		t.Fatal(err)
	}
	put("behind")
	if got := readByFranz(ctx, t, c.Addrs(), topic, 1); !slices.Equal(got, []string{"before"}) {
		t.Fatalf("before the repair a reader of committed records sees %q", got)
	}

	says := func(want string, args ...string) {
		t.Helper()
		if out := c.Klamm(t, args...); !strings.Contains(out, want) {
			t.Errorf("klamm %s printed:\n%swant %q", strings.Join(args, " "), out, want)
		}
	}
	says("old               Empty", "txn", "list")
	says(fmt.Sprint(producer), "txn", "describe", "old")
	says(fmt.Sprintf(`"producer_id": %d`, producer), "txn", "find-hanging", "-o", "json")
	says(`"start_offset": 1`, "txn", "find-hanging", "-o", "json")
	says("would abort", "txn", "abort", topic, "-p", "0", "--start-offset", "1", "--dry-run")
	says("aborted the transaction of producer "+fmt.Sprint(producer), "txn", "abort", topic, "-p", "0", "--start-offset", "1")
	if out := c.Klamm(t, "txn", "find-hanging", "-o", "json"); strings.Contains(out, "producer_id") {
		t.Errorf("it still hangs: %s", out)
	}
	if got := readByFranz(ctx, t, c.Addrs(), topic, 2); !slices.Equal(got, []string{"before", "behind"}) {
		t.Errorf("after the repair a reader of committed records sees %q", got)
	}
}

// By default no such transaction can arise: the leader asks the coordinator, who knows of none.
func TestHangingTransactionIsRefused(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{Nodes: 1})
	harness.CreateTopic(t, c.Nodes[0].Addr, "sound", 1)
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	producer, epoch := begin(ctx, t, cl, "old")
	if err := late(t, c.Nodes[0].Addr, "sound", "old", producer, epoch); !errors.Is(err, kerr.InvalidTxnState) {
		t.Errorf("a Produce that no coordinator knows of: %v", err)
	}
	if ends := harness.Ends(t, c.Nodes[0].Addr, "sound", 1); ends[0] != 0 {
		t.Errorf("it was stored: the log ends at %d", ends[0])
	}
}
