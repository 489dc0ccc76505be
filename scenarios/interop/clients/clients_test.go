package clients_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/clients"
	"github.com/klamm-log/klamm/scenarios/interop/clients/librdkafka"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	partitions = 3
	count      = 100_000
	timeout    = 90 * time.Second // for one client to write or read that many
)

// roundTrip produces a topic with one client and reads it with others.
func roundTrip(t *testing.T, addr string, job clients.Job, writer clients.Client, readers []clients.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	harness.CreateTopic(t, addr, job.Topic, partitions, "retention.ms", "-1", "segment.bytes", "2000000")
	job.Addr, job.Partitions, job.Shape = addr, partitions, writer.Shape()
	acks := acknowledged(&job)
	begin := time.Now()
	if err := writer.Produce(ctx, job); err != nil {
		t.Fatalf("%s produces: %v", writer.Name(), err)
	}
	t.Logf("%s produced %d records with %s in %v", writer.Name(), job.Count, job.Codec, time.Since(begin))
	compressed := compresses(t, addr, writer, job.Codec)
	ends := harness.Ends(t, addr, job.Topic, partitions)
	for _, reader := range readers {
		begin := time.Now()
		check := exactly{job: job, acks: acks, next: make([]int64, partitions), codecs: map[int8]int{}, plain: !compressed}
		err := reader.Consume(ctx, clients.Source{Addr: addr, Topic: job.Topic, Ends: ends}, check.add)
		if err == nil {
			err = check.done()
		}
		if err != nil {
			t.Errorf("%s produced with %s, %s consumed: %v", writer.Name(), job.Codec, reader.Name(), err)
			continue
		}
		t.Logf("%s consumed them in %v", reader.Name(), time.Since(begin))
	}
}

// acknowledged makes the job note its acknowledgements: offset by record, -1 without.
func acknowledged(job *clients.Job) []int64 {
	acks := slices.Repeat([]int64{-1}, job.Count)
	job.Acked = func(i int, offset int64) { acks[i] = offset }
	return acks
}

// exactly checks that a topic holds each record of a job once, in order, at the offset that was acknowledged, and
// compressed as asked.
type exactly struct {
	job    clients.Job
	acks   []int64
	next   []int64 // by partition: the offset expected
	codecs map[int8]int
	plain  bool // the writer does not compress
}

// compresses tells whether the writer will compress with the codec it is told to. librdkafka does not use lz4 with a
// broker that does not serve FindCoordinator: it takes that for one older than 0.8.2 (RD_KAFKA_FEATURE_LZ4).
func compresses(t *testing.T, addr string, writer clients.Client, codec clients.Codec) bool {
	if codec != "lz4" || writer.Name() != (librdkafka.Client{}).Name() && writer.Name() != (clients.Kcat{}).Name() {
		return true
	}
	if harness.Serves(t, addr, kmsg.FindCoordinator) {
		return true
	}
	harness.Note(t, "%s sends lz4 uncompressed to a broker without FindCoordinator", writer.Name())
	return false
}

func (e *exactly) add(r clients.Read) error {
	if want := e.next[r.Partition]; r.Offset != want {
		return fmt.Errorf("partition %d has offset %d after %d", r.Partition, r.Offset, want-1)
	}
	i := int(r.Offset)*partitions + int(r.Partition)
	e.next[r.Partition]++
	if i >= e.job.Count {
		return fmt.Errorf("partition %d has %d records too many", r.Partition, i/partitions)
	}
	if at := e.acks[i]; at >= 0 && at != r.Offset {
		return fmt.Errorf("record %d was acknowledged at offset %d and is at %d", i, at, r.Offset)
	}
	if why := e.job.Shape.Differs(i, r.Record); why != "" {
		return fmt.Errorf("partition %d offset %d: %s", r.Partition, r.Offset, why)
	}
	e.codecs[r.Codec]++
	return nil
}

func (e *exactly) done() error {
	total := int64(0)
	for _, n := range e.next {
		total += n
	}
	if total != int64(e.job.Count) {
		return fmt.Errorf("%d records came, not %d", total, e.job.Count)
	}
	if told := e.codecs[-1] == 0; told && !e.plain {
		// A batch that compression would not make smaller goes out as it is. Few do.
		want := int8(slices.Index(clients.Codecs(), e.job.Codec))
		if e.codecs[want] < e.job.Count*9/10 {
			return fmt.Errorf("records by codec: %v; %s is %d", e.codecs, e.job.Codec, want)
		}
	}
	return nil
}

// present returns the clients that can run here.
func present(t *testing.T) []clients.Client {
	var found []clients.Client
	for _, c := range []clients.Client{clients.Franz{}, clients.Sarama{}, librdkafka.Client{}, clients.Kcat{}} {
		if c.Missing() == "" {
			found = append(found, c)
			continue
		}
		t.Run(c.Name(), func(t *testing.T) { harness.Missing(t, "%s", c.Missing()) })
	}
	return found
}

// Every client writes 100,000 records with every codec and reads them back. franz-go, the only one that tells a
// record's codec, reads what the others wrote as well.
func TestRoundTrip(t *testing.T) {
	harness.Install(t, "kcat", "kcat")
	all := present(t)
	node := harness.Start(t, harness.Options{})
	for _, client := range all {
		for _, codec := range clients.Codecs() {
			t.Run(client.Name()+"/"+string(codec), func(t *testing.T) {
				readers := []clients.Client{client}
				if client.Name() != all[0].Name() {
					readers = append(readers, all[0])
				}
				job := clients.Job{Topic: "round-" + client.Name() + "-" + string(codec), Codec: codec, Count: count}
				roundTrip(t, node.Addr, job, client, readers)
			})
		}
	}
}

// What one client wrote every other reads, with every codec.
func TestMatrix(t *testing.T) {
	harness.Install(t, "kcat", "kcat")
	all := present(t)
	node := harness.Start(t, harness.Options{})
	for _, writer := range all {
		for _, codec := range clients.Codecs() {
			t.Run(writer.Name()+"/"+string(codec), func(t *testing.T) {
				t.Parallel()
				job := clients.Job{
					Topic: "matrix-" + writer.Name() + "-" + string(codec), Codec: codec, Count: 3000, Idempotent: true,
				}
				roundTrip(t, node.Addr, job, writer, all)
			})
		}
	}
}
