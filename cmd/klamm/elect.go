//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
	"github.com/spf13/cobra"
)

func newElect(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "elect",
		Short: "Elect leaders of partitions",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	preferred := newElectKind(a, false)
	preferred.Use, preferred.Short = "preferred "+partitionUse+"...", "Give partitions back to their preferred leaders"
	unclean := newElectKind(a, true)
	unclean.Use, unclean.Short = "unclean "+partitionUse+"...", "Let a replica lead that is not in sync, where none else can"
	unclean.Long = unclean.Short + `.

Records that only the lost replicas had are gone then, acknowledged ones too. Partitions that have a leader, or a
replica in sync, are left alone.`
	cmd.AddCommand(preferred, unclean)
	return cmd
}

// electOptions are the flags of klamm elect.
type electOptions struct {
	clientOptions
	Unclean bool
	All     bool
	Args    []partitionArg
}

func newElectKind(a *app, unclean bool) *cobra.Command {
	o := electOptions{Unclean: unclean}
	cmd := &cobra.Command{}
	f := cmd.Flags()
	o.flags(f)
	f.BoolVar(&o.All, "all", false, "of all partitions")
	cmd.RunE = a.does(func(ctx context.Context, args []string) (err error) {
		if o.Args, err = parsePartitionArgs(args); err != nil {
			return err
		}
		if o.All == (len(o.Args) > 0) {
			return exit.Errorf(exit.Usage, "name partitions, or give --all")
		}
		return runElect(ctx, a, o)
	})
	return cmd
}

func runElect(ctx context.Context, a *app, o electOptions) error {
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		var partitions []core.TopicPartition
		now, err := current(ctx, c, o.Args)
		for _, p := range now {
			partitions = append(partitions, p.TopicPartition)
		}
		if err != nil {
			return err
		}
		rows, err := c.Elect(ctx, o.Unclean, partitions)
		if err != nil {
			return err
		}
		return a.outcomes(rows, "elected", map[core.ErrorCode]string{core.ErrElectionNotNeeded: "not needed"})
	})
}

// outcomes prints what became of each partition. A code among the harmless ones is no failure, but a word; the first failure
// gives the exit code.
func (a *app) outcomes(rows []kclient.Outcome, done string, harmless map[core.ErrorCode]string) error {
	list := outcomeList{}
	var failed error
	for _, o := range rows {
		row := outcomeRow{Topic: o.Topic, Partition: o.Partition, Done: done}
		var code core.ErrorCode
		if errors.As(o.Err, &code) {
			if row.Done = harmless[code]; row.Done == "" {
				row.Done, row.Error = "failed", o.Err.Error()
			}
		}
		if row.Error != "" && failed == nil {
			failed = exit.Silently(exit.Of(o.Err))
		}
		list = append(list, row)
	}
	if err := a.Result(list); err != nil {
		return err
	}
	return failed
}

// outcomeList is what became of the partitions of a request.
type outcomeList []outcomeRow

type outcomeRow struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Done      string `json:"done"` // a word
	Error     string `json:"error,omitempty"`
}

// AppendText implements [show.Result].
func (l outcomeList) AppendText(dst []byte) []byte {
	if len(l) == 0 {
		return append(dst, "nothing to do\n"...)
	}
	var rows [][]string
	for _, r := range l {
		row := []string{fmt.Sprintf("%s-%d", r.Topic, r.Partition), r.Done}
		if r.Error != "" {
			row = append(row, r.Error)
		}
		rows = append(rows, row)
	}
	return show.Table(dst, rows...)
}
