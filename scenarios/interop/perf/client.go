package perf

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// mode is what a client does.
type mode string

const (
	produce mode = "produce" // writes as fast as the broker takes it
	consume mode = "consume" // reads what is there
	loop    mode = "loop"    // writes a record when the one before is acknowledged
)

// load says what one client process does. What is warm-up comes first, on the same connections, and is not measured.
type load struct {
	Mode       mode
	Brokers    []string
	Topic      string // exists
	Partitions int32
	Size       int   // bytes of a value
	Records    int64 // that are measured
	Warmup     int64 // records
}

// outcome is what a client measured.
type outcome struct {
	Records    int64
	Bytes      int64   // of their values
	Seconds    float64 // from the first record until the last is acknowledged or read
	CPUSeconds float64 // of the client in that time
	P50, P99   float64 // of one record's way, microseconds; only of a loop
}

// batchBytes bounds a batch, and outstandingBytes the values that may wait for acknowledgements: more than franz-go can
// have under way (five requests of a batch for each of twelve partitions), so that the broker never waits for work.
const (
	batchBytes       = 1_000_000
	outstandingBytes = 128 << 20
)

// run does it all and returns the outcome.
func (l load) run(ctx context.Context) (outcome, error) {
	switch l.Mode {
	case produce:
		return l.produce(ctx)
	case consume:
		return l.consume(ctx)
	case loop:
		return l.loop(ctx)
	}
	return outcome{}, fmt.Errorf("no mode %q", l.Mode)
}

// produce writes with franz-go's own partitioner and linger, idempotently and with acks=all, which are defaults, too.
func (l load) produce(ctx context.Context) (outcome, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(l.Brokers...),
		kgo.DefaultProduceTopic(l.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(batchBytes),
		kgo.MaxBufferedRecords(outstandingBytes/l.Size),
	)
	if err != nil {
		return outcome{}, err
	}
	defer client.Close()
	p := &producer{client: client, values: newValues(l.Size)}
	if err := p.send(ctx, l.Warmup); err != nil {
		return outcome{}, fmt.Errorf("warm-up: %w", err)
	}
	w := startWatch()
	if err := p.send(ctx, l.Records); err != nil {
		return outcome{}, err
	}
	return w.outcome(l.Records, l.Records*int64(l.Size)), nil
}

// producer writes records whose memory it uses again.
type producer struct {
	client *kgo.Client
	values *values
	pool   sync.Pool // of *kgo.Record

	mu     sync.Mutex
	failed error // the first
}

// send writes n records and waits for their acknowledgements.
func (p *producer) send(ctx context.Context, n int64) error {
	done := p.done
	for range n {
		record, ok := p.pool.Get().(*kgo.Record)
		if !ok {
			record = new(kgo.Record)
		}
		*record = kgo.Record{Value: p.values.next()}
		p.client.Produce(ctx, record, done)
	}
	if err := p.client.Flush(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

// done takes what became of one record.
func (p *producer) done(record *kgo.Record, err error) {
	p.pool.Put(record)
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = err
	}
}

// consume reads all partitions from their beginning until it has seen all records. What franz-go has fetched already when
// the warm-up ends, a MiB of each partition at most, counts as if it came in no time.
func (l load) consume(ctx context.Context) (outcome, error) {
	from := make(map[int32]kgo.Offset)
	for p := range l.Partitions {
		from[p] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(l.Brokers...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.Topic: from}),
	)
	if err != nil {
		return outcome{}, err
	}
	defer client.Close()
	if _, err := drain(ctx, client, l.Warmup); err != nil {
		return outcome{}, fmt.Errorf("warm-up: %w", err)
	}
	w := startWatch()
	bytes, err := drain(ctx, client, l.Records)
	if err != nil {
		return outcome{}, err
	}
	return w.outcome(l.Records, bytes), nil
}

// drain reads n records and returns the bytes of their values.
func drain(ctx context.Context, client *kgo.Client, n int64) (bytes int64, err error) {
	for left := n; left > 0; {
		fetches := client.PollRecords(ctx, int(left))
		if err := fetches.Err(); err != nil {
			return bytes, fmt.Errorf("%d of %d records: %w", n-left, n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			left--
			bytes += int64(len(r.Value))
		})
	}
	return bytes, nil
}

// loop has one record under way at any time.
func (l load) loop(ctx context.Context) (outcome, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(l.Brokers...),
		kgo.DefaultProduceTopic(l.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(0), // nothing else is coming
	)
	if err != nil {
		return outcome{}, err
	}
	defer client.Close()
	values := newValues(l.Size)
	if _, err := roundTrips(ctx, client, values, l.Warmup); err != nil {
		return outcome{}, fmt.Errorf("warm-up: %w", err)
	}
	w := startWatch()
	times, err := roundTrips(ctx, client, values, l.Records)
	if err != nil {
		return outcome{}, err
	}
	got := w.outcome(l.Records, l.Records*int64(l.Size))
	got.P50, got.P99 = quantiles(times)
	return got, nil
}

// roundTrips writes n records one after the other and returns how long each took.
func roundTrips(ctx context.Context, client *kgo.Client, values *values, n int64) ([]time.Duration, error) {
	times := make([]time.Duration, 0, n)
	for range n {
		record := &kgo.Record{Value: values.next()}
		begin := time.Now()
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begin))
	}
	return times, nil
}

// values are random bytes, which no layer below can shrink, cut into values that overlap.
type values struct {
	random []byte
	size   int
	at     int
}

// valueBytes is what values are cut from, and valueStep how far one begins behind another.
const (
	valueBytes = 4 << 20
	valueStep  = 4099
)

func newValues(size int) *values {
	v := &values{random: make([]byte, valueBytes+size), size: size}
	_, _ = rand.NewChaCha8([32]byte{}).Read(v.random) // never fails
	return v
}

// next is a value that nobody may change.
func (v *values) next() []byte {
	v.at = (v.at + valueStep) % valueBytes
	return v.random[v.at : v.at+v.size : v.at+v.size]
}

// watch measures time and the processor time of this process.
type watch struct {
	begin time.Time
	used  float64
}

func startWatch() watch { return watch{time.Now(), ownCPU()} }

// outcome is what was done since the watch was started.
func (w watch) outcome(records, bytes int64) outcome {
	return outcome{Records: records, Bytes: bytes, Seconds: time.Since(w.begin).Seconds(), CPUSeconds: ownCPU() - w.used}
}

// ownCPU is the processor time of this process in user and kernel mode, seconds.
func ownCPU() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails for no process's own
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// quantiles are the median and the 99th percentile, microseconds. The sample is sorted by this.
func quantiles(sample []time.Duration) (p50, p99 float64) {
	slices.Sort(sample)
	at := func(percent int) float64 {
		return float64(sample[min(len(sample)*percent/100, len(sample)-1)]) / float64(time.Microsecond)
	}
	return at(50), at(99)
}
