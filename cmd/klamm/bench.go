//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/simulate"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// benchOptions are the flags that the broker's benchmarks have in common. Not all have all.
type benchOptions struct {
	clientOptions
	writeOptions
	Topic       string
	Records     int64
	Warmup      int64
	Size        int
	Partitions  int32
	Rate        int64
	Outstanding int
	Idempotent  bool
	Committed   bool
}

func (o *benchOptions) common(f *pflag.FlagSet, records, warmup int64) {
	o.clientOptions.flags(f)
	f.StringVar(&o.Topic, "topic", "klamm-bench", "topic; created if it does not exist, never deleted")
	f.Int64Var(&o.Records, "records", records, "records that are measured")
	f.Int64Var(&o.Warmup, "warmup", warmup, "records before them that are not")
	f.Int32Var(&o.Partitions, "partitions", 12, "partitions of the topic, if it is created")
}

func (o *benchOptions) writing(f *pflag.FlagSet, rate int64) {
	o.writeOptions.flags(f)
	f.BoolVar(&o.Idempotent, "idempotent", true, "with acks=all: number batches, so that a repeated one is stored once")
	f.IntVar(&o.Size, "size", 1024, "bytes of a value")
	f.Int64Var(&o.Rate, "rate", rate, "records begun per second, whatever the broker does (open loop); 0 is as fast as it goes")
	f.IntVar(&o.Outstanding, "outstanding", 0, "records that may wait for their answer (closed loop); 0 is what memory holds")
}

func (o *benchOptions) validate() error {
	if o.Records < 1 || o.Warmup < 0 || o.Size < 0 || o.Partitions < 1 || o.Rate < 0 || o.Outstanding < 0 {
		return exit.Errorf(exit.Usage, "--records and --partitions are 1 or more, --warmup, --size, --rate and --outstanding not negative")
	}
	return nil
}

// producer are the options of a producer whose flags writing has made.
func (o *benchOptions) producer() (producer.Options, error) {
	p, err := o.writeOptions.options()
	if !o.Idempotent {
		p.Idempotence = producer.IdempotenceOff
	}
	return p, err
}

func newBench(a *cli.App) *cobra.Command {
	cmd := simulate.NewBench(a)
	cmd.AddCommand(newBenchProduce(a), newBenchConsume(a), newBenchE2E(a), newBenchTxn(a))
	return cmd
}

func newBenchProduce(a *cli.App) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "produce",
		Short: "Write records as fast as the broker takes them, or at a rate",
		Args:  cobra.NoArgs,
	}
	o.common(cmd.Flags(), 1_000_000, 50_000)
	o.writing(cmd.Flags(), 0)
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error { return runBenchProduce(ctx, a, o) })
	return cmd
}

// ensureTopic makes the topic unless it is there.
func (o *benchOptions) ensureTopic(ctx context.Context, c *kclient.Client) ([]int32, error) {
	_, err := c.CreateTopic(ctx, kclient.NewTopic{Name: o.Topic, Partitions: o.Partitions, Replication: -1})
	if err != nil && !errors.Is(err, core.ErrTopicAlreadyExists) {
		return nil, err
	}
	t, err := c.Topic(ctx, o.Topic)
	if err != nil {
		return nil, err
	}
	var partitions []int32
	for _, p := range t.Partitions {
		partitions = append(partitions, p.Index)
	}
	return partitions, nil
}

func runBenchProduce(ctx context.Context, a *cli.App, o benchOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	po, err := o.producer()
	if err != nil {
		return err
	}
	w := newWriter(o)
	return o.with(ctx, kclient.Options{Producer: po, Results: w.take}, func(ctx context.Context, c *kclient.Client) error {
		if _, err := o.ensureTopic(ctx, c); err != nil {
			return err
		}
		stop := a.Progress(func() string { return fmt.Sprintf("%d of %d records answered", w.answered.Load(), o.Warmup+o.Records) })
		defer stop()
		if err := w.run(ctx, c); err != nil {
			return err
		}
		if err := c.Flush(ctx); err != nil {
			return err
		}
		stop()
		r := w.result("produce")
		if err := a.Result(r); err != nil {
			return exit.With(exit.IO, err)
		}
		if r.Errors > 0 {
			return clientError(fmt.Errorf("%d records failed: %w", r.Errors, c.Why(ctx, w.code)))
		}
		return nil
	})
}

func newBenchConsume(a *cli.App) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "consume",
		Short: "Read records that are there, from the beginning of all partitions",
		Args:  cobra.NoArgs,
	}
	o.common(cmd.Flags(), 1_000_000, 50_000)
	cmd.Flags().BoolVar(&o.Committed, "committed", false, "read no record of a transaction that is open or was aborted")
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error { return runBenchConsume(ctx, a, o) })
	return cmd
}

func runBenchConsume(ctx context.Context, a *cli.App, o benchOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	var ko kclient.Options
	if o.Committed {
		ko.Consumer.Isolation = consumer.ReadCommitted
	}
	return o.with(ctx, ko, func(ctx context.Context, c *kclient.Client) error {
		partitions, err := o.ensureTopic(ctx, c)
		if err != nil {
			return err
		}
		ends, err := enoughRecords(ctx, c, o, partitions)
		if err != nil {
			return err
		}
		if err := assignAll(ctx, c, o.Topic, partitions, consumer.SeekBeginning); err != nil {
			return err
		}
		if _, err := drain(ctx, c, o.Warmup, ends); err != nil {
			return err
		}
		r := benchResult{Schema: benchSchema, Kind: "consume", Topic: o.Topic, Records: o.Records}
		begin := time.Now()
		if r.Bytes, err = drain(ctx, c, o.Records, ends); err != nil {
			return err
		}
		r.measured(time.Since(begin))
		return exit.With(exit.IO, a.Result(r))
	})
}

// drain reads so many records and returns the bytes of their keys and values. Where all partitions are at their ends and it were too few,
// there are no more: transactions' markers and what was compacted away have offsets too.
func drain(ctx context.Context, c *kclient.Client, count int64, ends []admin.PartitionOffset) (bytes int64, err error) {
	const most = 10_000
	var records []consumer.Record
	for seen := int64(0); seen < count; seen += int64(len(records)) {
		if records, err = pollSome(ctx, c, int(min(most, count-seen)), records[:0]); err != nil {
			return bytes, err
		}
		for i := range records {
			bytes += int64(len(records[i].Key) + len(records[i].Value))
		}
		if len(records) > 0 {
			continue
		}
		if end, err := allRead(ctx, c, ends); err != nil {
			return bytes, err
		} else if end {
			return bytes, exit.Errorf(exit.NoInput, "%d records are missing: not every offset of topic %s is that of a record to be read", count-seen, ends[0].Topic)
		}
	}
	return bytes, nil
}

// pollSome waits for records, but not for ever: then there are none. A partition that stopped will never bring any.
func pollSome(ctx context.Context, c *kclient.Client, most int, dst []consumer.Record) ([]consumer.Record, error) {
	brief, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	records, events, err := c.Poll(brief, most, dst)
	if err != nil && (ctx.Err() != nil || brief.Err() == nil) {
		return records, err
	}
	for _, e := range events {
		if e.Kind == consumer.EventStopped {
			return records, stopped(e)
		}
	}
	return records, nil
}

// allRead reports whether every partition is at its end.
func allRead(ctx context.Context, c *kclient.Client, ends []admin.PartitionOffset) (bool, error) {
	for _, p := range ends {
		if at, known, err := c.Position(ctx, p.Topic, p.Partition); err != nil || !known || at < p.Offset {
			return false, err
		}
	}
	return true, nil
}
