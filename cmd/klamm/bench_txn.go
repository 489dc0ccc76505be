//go:build !js

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/hist"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/spf13/cobra"
)

// benchTxnOptions are the flags of klamm bench txn.
type benchTxnOptions struct {
	benchOptions
	Transactions int64
	Touch        int
	Each         int
	ID           string
}

func newBenchTxn(a *cli.App) *cobra.Command {
	var o benchTxnOptions
	cmd := &cobra.Command{
		Use:   "txn",
		Short: "Commit transactions, one after another",
		Long: `Write a record, or some, to each of some partitions, commit, and begin again. The latency is that of a
whole transaction, from its begin until the coordinator says that it is committed.`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	o.clientOptions.flags(f)
	o.writeOptions.flags(f)
	f.StringVar(&o.Topic, "topic", "klamm-bench-txn", "topic; created if it does not exist, never deleted")
	f.Int32Var(&o.Partitions, "partitions", 100, "partitions of the topic, if it is created")
	f.IntVar(&o.Size, "size", 100, "bytes of a value")
	f.Int64Var(&o.Transactions, "transactions", 1000, "transactions that are measured")
	f.Int64Var(&o.Warmup, "warmup", 50, "transactions before them that are not")
	f.IntVar(&o.Touch, "touch", 1, "partitions that a transaction writes to")
	f.IntVar(&o.Each, "each", 1, "records that it writes to each of them")
	f.StringVar(&o.ID, "transactional-id", "klamm-bench-"+strconv.Itoa(os.Getpid()), "transactional.id")
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error { return runBenchTxn(ctx, a, o) })
	return cmd
}

func runBenchTxn(ctx context.Context, a *cli.App, o benchTxnOptions) error {
	if o.Transactions < 1 || o.Warmup < 0 || o.Size < 0 || o.Partitions < 1 || o.Touch < 1 || o.Each < 1 {
		return exit.Errorf(exit.Usage, "--transactions, --partitions, --touch and --each are 1 or more, --warmup and --size not negative")
	}
	po, err := o.writeOptions.options()
	if err != nil {
		return err
	}
	options := kclient.Options{Producer: po, Results: func([]producer.Result) {}, Txn: txn.Options{ID: o.ID}}
	return o.with(ctx, options, func(ctx context.Context, c *kclient.Client) error {
		partitions, err := o.ensureTopic(ctx, c)
		if err != nil {
			return err
		}
		if len(partitions) < o.Touch {
			return exit.Errorf(exit.Usage, "topic %s has %d partitions, --touch wants %d", o.Topic, len(partitions), o.Touch)
		}
		var committed atomic.Int64
		stop := a.Progress(func() string { return fmt.Sprintf("%d of %d transactions", committed.Load(), o.Warmup+o.Transactions) })
		defer stop()
		r := benchTxnResult{Schema: benchTxnSchema, Topic: o.Topic, Transactions: o.Transactions, Partitions: o.Touch, Each: o.Each, Size: o.Size}
		var took hist.Hist
		var begin time.Time
		value := benchValue(o.Size)
		for i := range o.Warmup + o.Transactions {
			begun := time.Now()
			if i == o.Warmup {
				begin = begun
			}
			if err := o.transact(ctx, c, partitions, value); err != nil {
				return clientError(fmt.Errorf("transaction %d: %w", i+1, err))
			}
			if committed.Add(1); i >= o.Warmup {
				took.Add(time.Since(begun))
			}
		}
		stop()
		r.WallNs, r.Latency = int64(time.Since(begin)), latencyOf(&took)
		r.PerSecond = show.PerSecond(o.Transactions, time.Since(begin))
		return exit.With(exit.IO, a.Result(r))
	})
}

// transact commits one transaction.
func (o *benchTxnOptions) transact(ctx context.Context, c *kclient.Client, partitions []int32, value []byte) error {
	if err := c.Begin(ctx); err != nil {
		return err
	}
	for i := range o.Touch * o.Each {
		p := partitions[i%o.Touch]
		if err := c.Produce(ctx, producer.Record{Topic: o.Topic, Partition: p, Timestamp: core.NoTimestamp, Value: value}, 0); err != nil {
			return err
		}
	}
	return c.End(ctx, true)
}

// benchTxnSchema names the format of klamm bench txn -o json.
const benchTxnSchema = "klamm.bench.txn/v1"

// benchTxnResult is what klamm bench txn measured.
type benchTxnResult struct {
	Schema       string   `json:"schema"`
	Topic        string   `json:"topic"`
	Transactions int64    `json:"transactions"`
	Partitions   int      `json:"partitions"` // of each
	Each         int      `json:"records_per_partition"`
	Size         int      `json:"size"`
	WallNs       int64    `json:"wall_ns"`
	PerSecond    float64  `json:"transactions_per_s"`
	Latency      *latency `json:"latency_ns"` // from the begin of a transaction to its commit
}

// AppendText implements [show.Result].
func (r benchTxnResult) AppendText(dst []byte) []byte {
	return show.Table(dst,
		[]string{"txn", fmt.Sprintf("%s transactions of %d records in each of %d partitions of topic %s in %s", show.Count(r.Transactions),
			r.Each, r.Partitions, r.Topic, show.Duration(time.Duration(r.WallNs)))},
		[]string{"rate", fmt.Sprintf("%s transactions/s", show.Count(int64(r.PerSecond)))},
		[]string{"latency", r.Latency.text()},
	)
}
