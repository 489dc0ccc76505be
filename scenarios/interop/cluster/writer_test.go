package cluster_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kgo"
)

// full tells whether the tests are to take as long as it takes to be convincing.
func full() bool { return os.Getenv("CLUSTER_FULL") == "1" }

// pick chooses by full.
func pick[T any](long, short T) T {
	if full() {
		return long
	}
	return short
}

// valueSize is the size of a record's value: its number, and padding that compresses well, so that the disks hold a long
// run at full speed.
const valueSize = 128

// run is a stretch of acknowledged records: numbers and offsets both grow by one.
type run struct{ number, offset, n int64 }

// writer is a producer at full speed for one partition. Each has a client of its own: the buffer of a shared one would
// stop all partitions with one.
type writer struct {
	partition int32
	client    *kgo.Client
	sent      atomic.Int64 // records handed over
	acked     atomic.Int64

	mu     sync.Mutex
	ledger []run
	times  []time.Time // of acknowledgements, at most one per millisecond
	failed error       // of records that the client gave up
	lost   int64       // number of those
}

// fire is a set of writers, one per partition of a topic.
type fire struct {
	t          testing.TB
	topic      string
	idempotent bool
	writers    []*writer
	stop       context.CancelFunc
	wait       sync.WaitGroup
	begin      time.Time
}

// hurried makes a client give up a request after 2 s instead of franz-go's 20. A stopped leader answers nothing and
// closes nothing: how long that lasts for a client is up to the client, but how soon another leads is not.
func hurried() []kgo.Opt {
	return []kgo.Opt{kgo.ProduceRequestTimeout(time.Second), kgo.RequestTimeoutOverhead(time.Second)}
}

// open starts writers to partitions 0 to n-1.
func open(t testing.TB, addrs []string, topic string, n int32, idempotent bool, more ...kgo.Opt) *fire {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	f := &fire{t: t, topic: topic, idempotent: idempotent, stop: stop, begin: time.Now()}
	for p := range n {
		options := []kgo.Opt{
			kgo.SeedBrokers(addrs...),
			kgo.DefaultProduceTopic(topic),
			kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.RequiredAcks(kgo.AllISRAcks()),
			kgo.ProducerBatchCompression(kgo.SnappyCompression()),
			kgo.MaxBufferedRecords(2000),
			kgo.DialTimeout(3 * time.Second),
			// A partition that moved is found by asking again. The default, 5 s between two questions, would measure the
			// client's patience instead of the cluster's.
			kgo.MetadataMinAge(50 * time.Millisecond),
			kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		}
		if !idempotent {
			options = append(options, kgo.DisableIdempotentWrite())
		}
		client, err := kgo.NewClient(append(options, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		w := &writer{partition: p, client: client}
		f.writers = append(f.writers, w)
		f.wait.Go(func() { w.run(ctx) })
	}
	t.Cleanup(func() { // what close did already does no harm
		stop()
		for _, w := range f.writers {
			w.client.Close()
		}
		f.wait.Wait()
	})
	return f
}

func (w *writer) run(ctx context.Context) {
	for number := int64(0); ctx.Err() == nil; number++ {
		value := make([]byte, valueSize)
		binary.BigEndian.PutUint64(value, uint64(number))
		binary.BigEndian.PutUint32(value[8:], uint32(w.partition))
		w.sent.Store(number + 1)
		// The context is not ctx: what was handed over is to be delivered.
		w.client.Produce(context.Background(), &kgo.Record{Partition: w.partition, Value: value}, func(r *kgo.Record, err error) {
			w.done(number, r.Offset, err)
		})
	}
}

// done takes the outcome of one record.
func (w *writer) done(number, offset int64, err error) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failed, w.lost = errors.Join(err), w.lost+1
		return
	}
	w.acked.Add(1)
	if last := len(w.times) - 1; last < 0 || now.Sub(w.times[last]) >= time.Millisecond {
		w.times = append(w.times, now)
	}
	if last := len(w.ledger) - 1; last >= 0 {
		r := &w.ledger[last]
		if r.number+r.n == number && r.offset+r.n == offset {
			r.n++
			return
		}
	}
	w.ledger = append(w.ledger, run{number: number, offset: offset, n: 1})
}

// since returns the first acknowledgement after an instant.
func (w *writer) since(at time.Time) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, _ := slices.BinarySearchFunc(w.times, at, time.Time.Compare)
	if i == len(w.times) {
		return time.Time{}, false
	}
	return w.times[i], true
}

// gap is a time without acknowledgements.
type gap struct{ from, to time.Time }

func (g gap) length() time.Duration { return g.to.Sub(g.from) }

// outage is the longest gap that begins before the latest instant given and ends after the earliest. An answer that was
// on its way when the leader died still arrives a moment later: so the silence begins a little after the kill.
func (w *writer) outage(earliest, latest time.Time) gap {
	w.mu.Lock()
	defer w.mu.Unlock()
	var longest gap
	i, _ := slices.BinarySearchFunc(w.times, earliest, time.Time.Compare)
	for i = max(i, 1); i < len(w.times) && !w.times[i-1].After(latest); i++ {
		if g := (gap{w.times[i-1], w.times[i]}); g.length() > longest.length() {
			longest = g
		}
	}
	return longest
}

// longest is the longest gap of all, begun at or after an instant.
func (w *writer) longest(from time.Time) gap { return w.outage(from, time.Now()) }

// awaitAcks waits until every partition has acknowledged a record later than now.
func (f *fire) awaitAcks(limit time.Duration, writers ...*writer) {
	f.t.Helper()
	if len(writers) == 0 {
		writers = f.writers
	}
	f.awaitAcksAfter(time.Now(), limit, writers)
}

// awaitAcksAfter waits until writers have acknowledged a record later than an instant.
func (f *fire) awaitAcksAfter(begin time.Time, limit time.Duration, writers []*writer) {
	f.t.Helper()
	for _, w := range writers {
		harness.Eventually(f.t, limit-time.Since(begin), func() (bool, string) {
			_, ok := w.since(begin)
			return ok, fmt.Sprintf("partition %d of %s has no acknowledgement; %s", w.partition, f.topic, w.state())
		})
	}
}

func (w *writer) state() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("%d sent, %d acknowledged, %d given up (%v)", w.sent.Load(), w.acked.Load(), w.lost, w.failed)
}

// close stops the writers and waits until everything that was handed over is acknowledged.
func (f *fire) close(limit time.Duration) {
	f.t.Helper()
	f.stop()
	f.wait.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for _, w := range f.writers {
		if err := w.client.Flush(ctx); err != nil {
			f.t.Fatalf("partition %d: what was handed over is not acknowledged within %v: %v; %s", w.partition, limit, err, w.state())
		}
		w.client.Close()
		if w.failed != nil {
			f.t.Errorf("partition %d: the producer gave up %d records: %v", w.partition, w.lost, w.failed)
		}
	}
}

// acked is the number of acknowledged records.
func (f *fire) acked() int64 {
	total := int64(0)
	for _, w := range f.writers {
		total += w.acked.Load()
	}
	return total
}
