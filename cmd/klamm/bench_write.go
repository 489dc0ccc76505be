//go:build !js

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/hist"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/spf13/cobra"
)

// inFlight is the size of a writer's ring of instants: more than the records that the client's memory holds.
const inFlight = 1 << 20

// writer writes a benchmark's records and measures their answers. run and take may run at the same time.
type writer struct {
	o        benchOptions
	value    []byte
	began    [inFlight]atomic.Int64 // by token: when a record was begun, or was to be begun; ns since clock
	clock    time.Time
	room     chan struct{} // capacity Outstanding; nil without that limit
	answered atomic.Int64
	failed   chan core.ErrorCode // capacity 1: the first error

	// Of take's goroutine, until the client was flushed.
	latency hist.Hist
	errors  int64
	code    core.ErrorCode // of the first error
	first   time.Duration  // when the first measured record was begun
	last    time.Duration  // when the last one was answered
}

func newWriter(o benchOptions) *writer {
	w := &writer{o: o, value: benchValue(o.Size), clock: time.Now(), failed: make(chan core.ErrorCode, 1)}
	if o.Outstanding > 0 {
		w.room = make(chan struct{}, o.Outstanding)
	}
	return w
}

// benchValue is text that codecs shrink to about a half: random hexadecimal digits.
func benchValue(size int) []byte {
	const digits = "0123456789abcdef"
	out := make([]byte, size)
	x := uint64(0x9e3779b97f4a7c15)
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = digits[x>>60]
	}
	return out
}

// run writes all records. In an open loop a record's time begins when it was due, not when its turn came: a broker
// that stands still is charged for all that waits behind it.
func (w *writer) run(ctx context.Context, c *kclient.Client) error {
	begin := time.Since(w.clock)
	for i := range w.o.Warmup + w.o.Records {
		now, err := w.turn(ctx, begin, i)
		if err != nil {
			return err
		}
		if err := w.write(ctx, c, uint64(i), now, w.value); err != nil {
			return err
		}
	}
	return nil
}

// turn waits until record i may be written, and returns when its time begins.
func (w *writer) turn(ctx context.Context, begin time.Duration, i int64) (time.Duration, error) {
	now := time.Since(w.clock)
	if w.o.Rate > 0 {
		due := begin + time.Duration(float64(i)/float64(w.o.Rate)*float64(time.Second))
		if err := waitFor(ctx, due-now); err != nil {
			return 0, err
		}
		now = due
	}
	if w.room != nil {
		select {
		case w.room <- struct{}{}:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if w.o.Rate == 0 {
			now = time.Since(w.clock)
		}
	}
	return now, nil
}

// write begins one record.
func (w *writer) write(ctx context.Context, c *kclient.Client, token uint64, now time.Duration, value []byte) error {
	w.began[token%inFlight].Store(int64(now))
	r := producer.Record{Topic: w.o.Topic, Partition: producer.AnyPartition, Value: value}
	return c.Produce(ctx, r, token)
}

// waitFor waits for a time that may be past.
func waitFor(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take measures results.
func (w *writer) take(list []producer.Result) {
	now := time.Since(w.clock)
	for i := range list {
		r := &list[i]
		began := time.Duration(w.began[r.Token%inFlight].Load())
		if w.room != nil {
			<-w.room
		}
		if int64(r.Token) < w.o.Warmup {
			continue
		}
		if w.first == 0 || began < w.first {
			w.first = began
		}
		w.last = now
		if r.Err != core.ErrNone {
			if w.errors == 0 {
				w.code = r.Err
				w.failed <- r.Err
			}
			w.errors++
			continue
		}
		w.latency.Add(now - began)
	}
	w.answered.Add(int64(len(list)))
}

// result is what was measured. The client must have been flushed.
func (w *writer) result(kind string) benchResult {
	r := benchResult{
		Schema: benchSchema, Kind: kind, Topic: w.o.Topic, Records: w.latency.Count(), Errors: w.errors,
		Bytes: w.latency.Count() * int64(w.o.Size), Acks: w.o.Acks, Codec: w.o.Codec,
	}
	r.measured(w.last - w.first)
	r.Latency = latencyOf(&w.latency)
	return r
}

func newBenchE2E(a *cli.App) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "e2e",
		Short: "Write records at a rate, read them, and measure the time between",
		Args:  cobra.NoArgs,
	}
	o.common(cmd.Flags(), 10_000, 500)
	o.writing(cmd.Flags(), 1000)
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error { return runBenchE2E(ctx, a, o) })
	return cmd
}

// e2eMagic begins the value of a record that is measured end to end; the record's token follows.
const e2eMagic = "klamme2e"

func runBenchE2E(ctx context.Context, a *cli.App, o benchOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	po, err := o.producer()
	if err != nil {
		return err
	}
	o.Size = max(o.Size, len(e2eMagic)+16)
	w := newWriter(o)
	run := uint64(time.Now().UnixNano()) // other runs may write to the topic
	return o.with(ctx, kclient.Options{Producer: po, Results: w.take}, func(ctx context.Context, c *kclient.Client) error {
		partitions, err := o.ensureTopic(ctx, c)
		if err != nil {
			return err
		}
		if err := assignAll(ctx, c, o.Topic, partitions, consumer.SeekEnd); err != nil {
			return err
		}
		if err := located(ctx, c, o.Topic, partitions, o.Timeout); err != nil {
			return err
		}
		user := ctx
		ctx, cancel := context.WithCancelCause(user)
		defer cancel(nil)
		go func() { // a record that is not there would be waited for for ever
			select {
			case code := <-w.failed:
				cancel(fmt.Errorf("a record failed: %w", c.Why(user, code)))
			case <-ctx.Done():
			}
		}()
		go func() {
			if err := w.runStamped(ctx, c, run); err != nil {
				cancel(err)
			}
		}()
		var ends hist.Hist
		if err := w.readStamped(ctx, c, run, &ends); err != nil {
			if why := context.Cause(ctx); why != nil && user.Err() == nil {
				return why
			}
			return err
		}
		if err := c.Flush(ctx); err != nil {
			return err
		}
		r := w.result("e2e")
		r.EndToEnd = latencyOf(&ends)
		return exit.With(exit.IO, a.Result(r))
	})
}

// runStamped writes records that carry their token.
func (w *writer) runStamped(ctx context.Context, c *kclient.Client, run uint64) error {
	begin := time.Since(w.clock)
	for i := range w.o.Warmup + w.o.Records {
		now, err := w.turn(ctx, begin, i)
		if err != nil {
			return err
		}
		value := append(make([]byte, 0, len(w.value)), e2eMagic...)
		value = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(value, run), uint64(i))
		value = append(value, w.value[len(value):]...)
		if err := w.write(ctx, c, uint64(i), now, value); err != nil {
			return err
		}
	}
	return nil
}

// readStamped reads the run's records until all have come.
func (w *writer) readStamped(ctx context.Context, c *kclient.Client, run uint64, ends *hist.Hist) error {
	var records []consumer.Record
	var err error
	for ends.Count() < w.o.Records {
		if records, err = pollSome(ctx, c, 1000, records[:0]); err != nil {
			return err
		}
		now := time.Since(w.clock)
		for i := range records {
			v := records[i].Value
			if len(v) < len(e2eMagic)+16 || string(v[:len(e2eMagic)]) != e2eMagic || binary.BigEndian.Uint64(v[len(e2eMagic):]) != run {
				continue
			}
			if token := binary.BigEndian.Uint64(v[len(e2eMagic)+8:]); int64(token) >= w.o.Warmup {
				ends.Add(now - time.Duration(w.began[token%inFlight].Load()))
			}
		}
	}
	return nil
}

func assignAll(ctx context.Context, c *kclient.Client, topic string, partitions []int32, at consumer.SeekKind) error {
	for _, p := range partitions {
		if err := c.Assign(ctx, topic, p, consumer.Start{Kind: at}); err != nil {
			return err
		}
	}
	return nil
}

// located waits until every partition has a position, which one without a leader never gets.
func located(ctx context.Context, c *kclient.Client, topic string, partitions []int32, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, p := range partitions {
		for {
			_, ok, err := c.Position(ctx, topic, p)
			if err == nil && !ok {
				err = waitFor(ctx, time.Millisecond)
			}
			if err != nil {
				return fmt.Errorf("the end of %s-%d: %w", topic, p, err)
			}
			if ok {
				break
			}
		}
	}
	return nil
}

// enoughRecords says so if a topic has fewer records than are to be read. Else it tells where its partitions end.
func enoughRecords(ctx context.Context, c *kclient.Client, o benchOptions, partitions []int32) (ends []admin.PartitionOffset, err error) {
	sum := int64(0)
	for _, at := range []core.Wall{admin.LatestOffset, admin.EarliestOffset} {
		offsets, err := c.Offsets(ctx, o.Topic, partitions, at)
		if err != nil {
			return nil, err
		}
		for _, p := range offsets {
			if p.Err != core.ErrNone {
				return nil, fmt.Errorf("offsets of %v: %w", p.TopicPartition, p.Err)
			}
			if at == admin.EarliestOffset {
				sum -= int64(p.Offset)
			} else {
				sum += int64(p.Offset)
				ends = append(ends, p)
			}
		}
	}
	if need := o.Warmup + o.Records; sum < need {
		return nil, exit.Errorf(exit.NoInput, "topic %s has %d records, %d are needed: run klamm bench produce --topic %s --records %d first",
			o.Topic, sum, need, o.Topic, need-sum)
	}
	return ends, nil
}
