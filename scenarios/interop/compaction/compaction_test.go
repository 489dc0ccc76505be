package compaction_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

const (
	rounds  = 8
	batches = 5   // in a round: less than a segment, so that no round has two passes of the cleaner over one tombstone
	perOne  = 100 // records in a batch
	sent    = rounds * batches * perOne
	patient = 90 * time.Second
	// settled is several times log.cleaner.backoff.ms.
	settled = 1500 * time.Millisecond
)

// began is the timestamp of the first record: some time ago, but not beyond any retention.
var began = time.Now().Add(-time.Hour).UnixMilli() //nolint:gochecknoglobals // a constant that the clock chooses

// topics are the ways of compaction that are compared: tombstones stay, or go, and what the producer compressed.
func topics() map[string][]string {
	common := []string{"cleanup.policy", "compact", "segment.bytes", "1048576", "min.cleanable.dirty.ratio", "0.01",
		"index.interval.bytes", "1024"}
	return map[string][]string{
		"kept": append(slices.Clone(common), "delete.retention.ms", "86400000"),
		"gone": append(slices.Clone(common), "delete.retention.ms", "1"),
		"lag":  append(slices.Clone(common), "min.compaction.lag.ms", "86400000"),
	}
}

// TestSameRecordsAreLeft feeds both and waits until they agree on less than what was sent.
func TestSameRecordsAreLeft(t *testing.T) {
	kafka := apache.StartBroker(t, apache.Classpath(t, apache.Broker()), "log.cleaner.backoff.ms=200",
		"log.initial.task.delay.ms=100", "log.retention.check.interval.ms=500")
	node := harness.Start(t, harness.Options{Set: []string{"log.cleaner.backoff.ms=200"}})
	names := slices.Sorted(maps.Keys(topics()))
	for _, topic := range names {
		harness.CreateTopic(t, kafka, topic, 1, topics()[topic]...)
		harness.CreateTopic(t, node.Addr, topic, 1, topics()[topic]...)
	}
	left := map[string]string{}
	for round := range rounds {
		for _, topic := range names {
			produce(t, kafka, topic, round)
			produce(t, node.Addr, topic, round)
		}
		harness.Wait(settled)
		for _, topic := range names {
			records := ""
			harness.Eventually(t, patient, func() (bool, string) {
				n, theirs := consume(t, kafka, topic)
				m, ours := consume(t, node.Addr, topic)
				left[topic] = ours
				records = fmt.Sprintf("round %d: %d and %d of %d records", round, n, m, (round+1)*batches*perOne)
				cleaned := round+1 < rounds || n < sent || topic == "lag" // of that one everything is too young
				return cleaned && theirs == ours, records + ": " + firstDifference(theirs, ours)
			})
			t.Logf("%s: %s are left", topic, records)
		}
	}
	if strings.Count(left["gone"], "=null") >= strings.Count(left["kept"], "=null") {
		t.Errorf("no tombstone was removed")
	}
	node.Stop() // an orderly end leaves all files complete
	tool := apache.Classpath(t, apache.Tools())
	for topic := range topics() {
		dump(t, tool, filepath.Join(node.Data, topic+"-0"), left[topic])
	}
}

// produce sends the same batches wherever it is called: records of few keys, every fifth a tombstone.
func produce(t *testing.T, addr, topic string, round int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(), kgo.GzipCompression(), kgo.SnappyCompression()}
	r := rand.New(rand.NewPCG(uint64(round), 2))
	for i := round * batches; i < (round+1)*batches; i++ {
		client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(50*time.Millisecond),
			kgo.ProducerBatchCompression(codecs[i%len(codecs)]), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			t.Fatal(err)
		}
		var records []*kgo.Record
		for j := range perOne {
			rec := &kgo.Record{Key: fmt.Appendf(nil, "key-%d", r.IntN(400)), Timestamp: time.UnixMilli(began + int64(i*perOne+j)),
				Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, i*perOne+j)}}}
			if r.IntN(5) > 0 {
				rec.Value = make([]byte, 1500)
				for k := range rec.Value {
					rec.Value[k] = byte(r.IntN(256)) // not to be compressed: the segments must roll
				}
			}
			records = append(records, rec)
		}
		if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
			t.Fatalf("producing to %s at %s: %v", topic, addr, err)
		}
		client.Close()
	}
}

// consume reads everything that is left, as text.
func consume(t *testing.T, addr, topic string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	end := harness.Ends(t, addr, topic, 1)[0]
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	n, text := 0, strings.Builder{}
	for last := int64(-1); last < end-1; {
		polled := client.PollFetches(ctx)
		if err := polled.Err0(); err != nil {
			t.Fatalf("consuming %s at %s: %v", topic, addr, err)
		}
		polled.EachRecord(func(r *kgo.Record) {
			last, n = r.Offset, n+1
			value := "null"
			if r.Value != nil {
				value = fmt.Sprintf("%d bytes, %x", len(r.Value), r.Value[:4])
			}
			fmt.Fprintf(&text, "%d: %s=%s at %d with %v\n", r.Offset, r.Key, value, r.Timestamp.UnixMilli(), r.Headers)
		})
	}
	return n, text.String()
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("Kafka has %q, klamm has %q", x[i], y[i])
		}
	}
	return "the same as far as the shorter goes"
}

// dump has Kafka's tool read a cleaned partition: each batch valid, each index sane and in accord with its segment, and
// the records those that were consumed.
func dump(t *testing.T, tool, dir, left string) {
	t.Helper()
	logs := glob(t, dir, "*.log")
	out := run(t, tool, logs, "--deep-iteration", "--print-data-log")
	records := 0
	for line := range strings.Lines(out) {
		switch {
		case strings.HasPrefix(line, "baseOffset:") && !strings.Contains(line, "isvalid: true"):
			t.Errorf("%s: %s", dir, line)
		case strings.HasPrefix(line, "| offset:"):
			records++
		}
	}
	if want := strings.Count(left, "\n"); records != want {
		t.Errorf("%s: the tool finds %d records, consumers %d", dir, records, want)
	}
	t.Logf("%s: %d segments, %d batches, %d of them without records", dir, len(logs), strings.Count(out, "baseOffset:"),
		strings.Count(out, " count: 0 "))
	indexes := append(glob(t, dir, "*.index"), glob(t, dir, "*.timeindex")...)
	sane := run(t, tool, indexes, "--index-sanity-check")
	if n := strings.Count(sane, "passed sanity check."); n != len(indexes) {
		t.Errorf("%s: %d of %d indexes are sane:\n%s", dir, n, len(indexes), sane)
	}
	for line := range strings.Lines(run(t, tool, indexes, "--verify-index-only")) {
		// A batch without records keeps its largest timestamp, and the time index names it: Kafka's cleaner does the same
		// (MemoryRecords.filterTo), and Kafka's tool finds no record with that time.
		if !strings.HasPrefix(line, "Dumping") && !strings.HasPrefix(line, "Found timestamp mismatch") && !strings.Contains(line, "log timestamp: -1") {
			t.Errorf("%s: %s", dir, line)
		}
	}
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s has no %s: %v", dir, pattern, err)
	}
	return found
}

func run(t *testing.T, tool string, files []string, options ...string) string {
	t.Helper()
	out, err := apache.Dump(t, tool, append(options, "--files", strings.Join(files, ","))...)
	if err != nil {
		t.Fatalf("Kafka's tool on %v: %v\n%s", files, err, out)
	}
	return out
}
