//go:build !js

// Package txns has the commands of klamm txn: list, describe, producers, abort, find-hanging (KIP-664).
package txns

import (
	"context"
	"slices"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/groups"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/spf13/cobra"
)

// New is klamm txn.
func New(a *cli.App, flags groups.Flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "txn",
		Short: "List and describe transactions, and end those that hang",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newList(a, flags), newDescribe(a, flags), newProducers(a, flags), newAbort(a, flags), newFindHanging(a, flags))
	return cmd
}

func newList(a *cli.App, flags groups.Flags) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List all transactional ids", Args: cobra.NoArgs}
	with := flags(cmd.Flags())
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error {
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			all, err := c.Transactions(ctx)
			if err != nil {
				return err
			}
			return a.Result(newListing(all))
		})
	})
	return cmd
}

func newDescribe(a *cli.App, flags groups.Flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "describe TRANSACTIONAL-ID...",
		Short: "Tell the state of transactional ids, and which partitions are in their transactions",
		Args:  cobra.MinimumNArgs(1),
	}
	with := flags(cmd.Flags())
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			var all Descriptions
			for _, id := range args {
				d, err := c.DescribeTransaction(ctx, id)
				if err != nil {
					return err
				}
				all = append(all, newDescription(d))
			}
			return a.Result(all)
		})
	})
	return cmd
}

// place are the flags that name a partition.
type place struct {
	topic     string
	partition int32
}

func (p *place) tp() core.TopicPartition {
	return core.TopicPartition{Topic: p.topic, Partition: p.partition}
}

func newProducers(a *cli.App, flags groups.Flags) *cobra.Command {
	var p place
	cmd := &cobra.Command{
		Use:   "producers TOPIC",
		Short: "Tell which producers a partition's leader knows, and where their open transactions begin",
		Args:  cobra.ExactArgs(1),
	}
	with := flags(cmd.Flags())
	cmd.Flags().Int32VarP(&p.partition, "partition", "p", 0, "the partition")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		p.topic = args[0]
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			list, err := c.Producers(ctx, p.tp())
			if err != nil {
				return err
			}
			return a.Result(newProducerRows(list))
		})
	})
	return cmd
}

// abortOptions are the flags of klamm txn abort.
type abortOptions struct {
	place
	start            int64
	producer         int64
	epoch            int16
	coordinatorEpoch int32
	dryRun           bool
}

func newAbort(a *cli.App, flags groups.Flags) *cobra.Command {
	var o abortOptions
	cmd := &cobra.Command{
		Use:   "abort TOPIC",
		Short: "Abort a transaction that hangs in a partition",
		Long: `Write an abort marker into one partition: for a transaction that hangs, because no
coordinator knows it. find-hanging tells which ones do. Name the transaction by the offset at
which it begins, or by producer id, producer epoch and coordinator epoch.`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	with := flags(f)
	f.Int32VarP(&o.partition, "partition", "p", 0, "the partition")
	f.Int64Var(&o.start, "start-offset", -1, "where the transaction begins")
	f.Int64Var(&o.producer, "producer-id", -1, "whose transaction, if not by --start-offset")
	f.Int16Var(&o.epoch, "producer-epoch", -1, "its epoch")
	f.Int32Var(&o.coordinatorEpoch, "coordinator-epoch", 0, "of the last coordinator that is known to have written there")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be aborted, and write nothing")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		o.topic = args[0]
		byID := f.Changed("producer-id") || f.Changed("producer-epoch") || f.Changed("coordinator-epoch")
		if byOffset := f.Changed("start-offset"); byOffset == byID || byOffset && o.start < 0 || byID && (o.producer < 0 || o.epoch < 0) {
			return exit.Errorf(exit.Usage, "name the transaction by --start-offset, or by --producer-id and --producer-epoch")
		}
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error { return abort(ctx, a, c, o) })
	})
	return cmd
}

func abort(ctx context.Context, a *cli.App, c *kclient.Client, o abortOptions) error {
	who := kclient.ActiveProducer{ID: core.ProducerID(o.producer), Epoch: core.ProducerEpoch(o.epoch), CoordinatorEpoch: o.coordinatorEpoch, TxnStart: core.NoOffset}
	if o.start >= 0 {
		list, err := c.Producers(ctx, o.tp())
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list, func(p kclient.ActiveProducer) bool { return p.TxnStart == core.Offset(o.start) })
		if at < 0 {
			return exit.Errorf(exit.NoInput, "no transaction begins at offset %d of %v", o.start, o.tp())
		}
		who = list[at]
	}
	if !o.dryRun {
		if err := c.AbortAt(ctx, o.tp(), who.ID, who.Epoch, who.CoordinatorEpoch); err != nil {
			return err
		}
	}
	return a.Result(Aborted{Topic: o.topic, Partition: o.partition, Producer: int64(who.ID), Epoch: int16(who.Epoch), Start: int64(who.TxnStart), DryRun: o.dryRun})
}

// findOptions are the flags of klamm txn find-hanging.
type findOptions struct {
	topics []string
	oldest time.Duration
}

func newFindHanging(a *cli.App, flags groups.Flags) *cobra.Command {
	var o findOptions
	cmd := &cobra.Command{
		Use:   "find-hanging",
		Short: "Find transactions that are open in a partition, and that no coordinator knows",
		Args:  cobra.NoArgs,
	}
	f := cmd.Flags()
	with := flags(f)
	f.StringSliceVar(&o.topics, "topic", nil, "topics to look at; all without")
	f.DurationVar(&o.oldest, "max-transaction-timeout", 15*time.Minute, "younger transactions are left alone: transaction.max.timeout.ms")
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error {
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			found, err := findHanging(ctx, c, o, time.Now())
			if err != nil {
				return err
			}
			return a.Result(found)
		})
	})
	return cmd
}

// findHanging looks at every partition for transactions that have been open for longer than any may be, and asks the coordinators for
// their owners: an owner that is unknown, or whose transaction is without the partition, will never end it.
func findHanging(ctx context.Context, c *kclient.Client, o findOptions, now time.Time) (Hangings, error) {
	cl, err := c.Metadata(ctx, o.topics...)
	if err != nil {
		return nil, err
	}
	found := Hangings{}
	for _, t := range cl.Topics {
		if t.Err != core.ErrNone { // nobody has looked there
			return nil, &kclient.Refused{What: "topic " + t.Name, Code: t.Err}
		}
		for _, p := range t.Partitions {
			tp := core.TopicPartition{Topic: t.Name, Partition: p.Index}
			list, err := c.Producers(ctx, tp)
			if err != nil {
				return nil, err
			}
			for _, who := range list {
				age := now.Sub(time.UnixMilli(int64(who.LastTimestamp)))
				if who.TxnStart == core.NoOffset || age < o.oldest {
					continue
				}
				owned, err := owned(ctx, c, tp, who.ID)
				if err != nil {
					return nil, err
				}
				if !owned {
					found = append(found, newHanging(tp, who, age))
				}
			}
		}
	}
	return found, nil
}

// owned reports whether some coordinator knows the producer's transaction with the partition.
func owned(ctx context.Context, c *kclient.Client, tp core.TopicPartition, id core.ProducerID) (bool, error) {
	all, err := c.Transactions(ctx, id)
	if err != nil {
		return false, err
	}
	for _, t := range all {
		if t.ProducerID != id {
			continue // a broker that does not know the filter
		}
		d, err := c.DescribeTransaction(ctx, t.ID)
		if err != nil {
			return false, err
		}
		if d.ProducerID == id && slices.Contains(d.Partitions, tp) {
			return true, nil
		}
	}
	return false, nil
}
