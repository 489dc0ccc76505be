//go:build !js

package main

import (
	"context"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/nodes"
	"github.com/klamm-log/klamm/core"
	"github.com/spf13/cobra"
)

func newElect(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "elect",
		Short: "Elect leaders of partitions",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	preferred := newElectKind(a, false)
	preferred.Use, preferred.Short = "preferred "+nodes.PartitionUse+"...", "Give partitions back to their preferred leaders"
	unclean := newElectKind(a, true)
	unclean.Use, unclean.Short = "unclean "+nodes.PartitionUse+"...", "Let a replica lead that is not in sync, where none else can"
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
	Args    []nodes.PartitionArg
}

func newElectKind(a *cli.App, unclean bool) *cobra.Command {
	o := electOptions{Unclean: unclean}
	cmd := &cobra.Command{}
	f := cmd.Flags()
	o.flags(f)
	f.BoolVar(&o.All, "all", false, "of all partitions")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) (err error) {
		if o.Args, err = nodes.ParsePartitionArgs(args); err != nil {
			return err
		}
		if o.All == (len(o.Args) > 0) {
			return exit.Errorf(exit.Usage, "name partitions, or give --all")
		}
		return runElect(ctx, a, o)
	})
	return cmd
}

func runElect(ctx context.Context, a *cli.App, o electOptions) error {
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
		return printOutcomes(a, rows, "elected", map[core.ErrorCode]string{core.ErrElectionNotNeeded: "not needed"})
	})
}

// printOutcomes prints what became of each partition. The first failure gives the exit code.
func printOutcomes(a *cli.App, rows []kclient.Outcome, done string, harmless map[core.ErrorCode]string) error {
	list, failed := nodes.NewOutcomes(rows, done, harmless)
	if err := a.Result(list); err != nil {
		return err
	}
	return exit.Silently(exit.Of(failed))
}
