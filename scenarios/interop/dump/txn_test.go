package dump_test

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// coordinator is a client that speaks to the transaction coordinator of one id.
type coordinator struct {
	t      *testing.T
	client *kgo.Client
	id     string
}

// ask sends a request until the coordinator is there and serves it.
func (c coordinator) ask(req kmsg.Request, code func(kmsg.Response) int16) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for {
		resp, err := c.client.Request(ctx, req)
		if err == nil {
			err = kerr.ErrorForCode(code(resp))
		}
		if err == nil {
			return
		}
		if !kerr.IsRetriable(err) || ctx.Err() != nil {
			c.t.Fatalf("%s for %s: %v", kmsg.NameForKey(req.Key()), c.id, err)
		}
	}
}

// begin makes the id known, and a transaction of it with partitions of a topic.
func (c coordinator) begin(topic string, partitions ...int32) (pid int64, epoch int16) {
	c.t.Helper()
	start := kmsg.NewPtrInitProducerIDRequest()
	start.TransactionalID, start.TransactionTimeoutMillis, start.ProducerID, start.ProducerEpoch = &c.id, 60_000, -1, -1
	c.ask(start, func(r kmsg.Response) int16 {
		resp := r.(*kmsg.InitProducerIDResponse)
		pid, epoch = resp.ProducerID, resp.ProducerEpoch
		return resp.ErrorCode
	})
	add := kmsg.NewPtrAddPartitionsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch = c.id, pid, epoch
	add.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: topic, Partitions: partitions}}
	c.ask(add, func(r kmsg.Response) int16 {
		return r.(*kmsg.AddPartitionsToTxnResponse).Topics[0].Partitions[0].ErrorCode
	})
	return pid, epoch
}

// Kafka's tool prints our transaction log: every state of a transactional id, with its partitions.
func TestTransactionLog(t *testing.T) {
	w := written{tool: apache.Classpath(t, apache.Tools()), dir: t.TempDir()}
	node := harness.Start(t, harness.Options{Data: w.dir})
	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	harness.CreateTopic(t, node.Addr, "kept", 3)
	harness.CreateTopic(t, node.Addr, "gone", 3)
	coordinator{t, client, "open"}.begin("kept", 2, 0)
	ended := coordinator{t, client, "ended"}
	pid, epoch := ended.begin("gone", 1)
	harness.DeleteTopic(t, node.Addr, "gone") // so that the transaction is complete without anybody's marker
	end := kmsg.NewPtrEndTxnRequest()
	end.TransactionalID, end.ProducerID, end.ProducerEpoch, end.Commit = ended.id, pid, epoch, true
	ended.ask(end, func(r kmsg.Response) int16 { return r.(*kmsg.EndTxnResponse).ErrorCode })
	ended.ask(end, func(r kmsg.Response) int16 { return r.(*kmsg.EndTxnResponse).ErrorCode })
	node.Stop()

	logs, err := filepath.Glob(filepath.Join(w.dir, "__transaction_state-*", "*.log"))
	if err != nil || len(logs) != 50 {
		t.Fatalf("%d logs of __transaction_state: %v", len(logs), err)
	}
	out := w.dump(t, logs, "--transaction-log-decoder")
	status := regexp.MustCompile(`"transactionalId":"(\w+)".*"transactionStatus":(\d),"transactionPartitions":(.*),"transactionLast`)
	var said []string
	for _, m := range status.FindAllStringSubmatch(out, -1) {
		said = append(said, strings.Join(m[1:], " "))
	}
	want := []string{ // Empty, Ongoing, PrepareCommit, CompleteCommit
		`ended 0 null`, `ended 1 [{"topic":"gone","partitionIds":[1]}]`, `ended 2 [{"topic":"gone","partitionIds":[1]}]`, `ended 4 []`,
		`open 0 null`, `open 1 [{"topic":"kept","partitionIds":[0,2]}]`,
	}
	if slices.Sort(said); !slices.Equal(said, want) {
		t.Errorf("the tool prints %q, not %q", said, want)
	}
}
