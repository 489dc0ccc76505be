package dump_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// Kafka's tool prints our transaction indexes and producer snapshots: each aborted transaction once, from its first record to its marker, in
// the segment of the marker, and the producer as it was left, with the transaction that was still open.
func TestTransactionIndex(t *testing.T) {
	w := written{tool: apache.Classpath(t, apache.Tools()), dir: t.TempDir()}
	node := harness.Start(t, harness.Options{Data: w.dir})
	const topic, partition = "aborts", "aborts-0"
	harness.CreateTopic(t, node.Addr, topic, 1, "segment.bytes", "1048576", "retention.ms", "-1")
	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr), kgo.TransactionalID("dump"), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var want []string // first and last offset of each aborted transaction
	for txn := range 12 {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		first, last := int64(-1), int64(-1)
		for range 5 {
			r := kgo.KeyStringRecord(fmt.Sprint(txn), strings.Repeat("x", 60_000))
			if err := client.ProduceSync(ctx, r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if first < 0 {
				first = r.Offset
			}
			last = r.Offset
		}
		if txn == 11 {
			break // stays open
		}
		if err := client.EndTransaction(ctx, kgo.TransactionEndTry(txn%3 == 0)); err != nil {
			t.Fatal(err)
		}
		if txn%3 != 0 {
			want = append(want, fmt.Sprintf("%d %d", first, last+1))
		}
	}
	node.Stop()
	client.Close()

	indexes := w.files(t, partition, ".txnindex")
	if len(indexes) < 2 {
		t.Fatalf("%d transaction indexes; the test wants aborts in several segments", len(indexes))
	}
	var found []string
	entry := regexp.MustCompile(`version: 0 producerId: \d+ firstOffset: (\d+) lastOffset: (\d+) lastStableOffset: (\d+)`)
	for _, m := range entry.FindAllStringSubmatch(w.dump(t, indexes), -1) {
		found = append(found, m[1]+" "+m[2])
		if number(t, m[3]) != number(t, m[2])+1 {
			t.Errorf("nothing else was open, and the last stable offset after the marker at %s is %s", m[2], m[3])
		}
	}
	if !slices.Equal(found, want) {
		t.Errorf("the tool prints the transactions %q, not %q", found, want)
	}
	snapshots := w.files(t, partition, ".snapshot")
	out := w.dump(t, snapshots[len(snapshots)-1:])
	producer := regexp.MustCompile(`producerId: \d+ producerEpoch: \d+ coordinatorEpoch: (-?\d+) currentTxnFirstOffset: (\S+) lastTimestamp: \d+ firstSequence: (\d+)`)
	m := producer.FindStringSubmatch(out)
	if m == nil || m[1] == "-1" || !strings.Contains(m[2], "66") {
		t.Errorf("the last snapshot has no producer with an open transaction from 66 on: %s", out)
	}
}
