//go:build !js

package main

import (
	"context"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/moves"
	"github.com/klamm-log/klamm/cmd/klamm/nodes"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/spf13/cobra"
)

func newReassign(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reassign",
		Short: "Move replicas of partitions between brokers",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newReassignAlter(a), newReassignList(a), newReassignCancel(a))
	return cmd
}

// reassignOptions are the flags of klamm reassign alter.
type reassignOptions struct {
	clientOptions
	File        string
	Topics      []string
	To          []int32
	Replication int
	DryRun      bool
}

func newReassignAlter(a *cli.App) *cobra.Command {
	var o reassignOptions
	cmd := &cobra.Command{
		Use:   "alter",
		Short: "Begin to move replicas",
		Long: `Begin to move replicas, as a file says that kafka-reassign-partitions could read, or by --topic and --to: then
replicas that are on one of the brokers stay, and the others are spread over them. It ends once the moves are
recorded; klamm reassign list tells how they go on. --dry-run -o json writes such a file.`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	o.flags(f)
	f.StringVarP(&o.File, "file", "f", "", "JSON file of partitions and their replicas; - is the standard input")
	f.StringArrayVarP(&o.Topics, "topic", "t", nil, nodes.PartitionUse+"; may be repeated")
	f.Int32SliceVar(&o.To, "to", nil, "brokers that are to have the replicas: 1,2,3")
	f.IntVarP(&o.Replication, "replication", "r", 0, "replicas of each partition, with --to; 0 is as many as it has")
	f.BoolVar(&o.DryRun, "dry-run", false, "say only what would be moved")
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error { return runReassign(ctx, a, o) })
	return cmd
}

func runReassign(ctx context.Context, a *cli.App, o reassignOptions) error {
	args, err := nodes.ParsePartitionArgs(o.Topics)
	switch {
	case err != nil:
		return err
	case (o.File == "") == (len(args) == 0 && len(o.To) == 0):
		return exit.Errorf(exit.Usage, "give either --file, or --topic and --to")
	case o.File == "" && (len(args) == 0 || len(o.To) == 0):
		return exit.Errorf(exit.Usage, "--topic and --to go together")
	case o.Replication < 0 || o.File != "" && o.Replication != 0:
		return exit.Errorf(exit.Usage, "--replication %d makes no sense here", o.Replication)
	}
	var plan moves.Plan
	if o.File != "" {
		if plan, err = readPlan(a, o.File); err != nil {
			return err
		}
	}
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		if plan == nil {
			plan, err = o.spread(ctx, c, args)
		} else {
			err = locate(ctx, c, plan)
		}
		if err != nil {
			return err
		}
		return reassign(ctx, a, c, plan, o.DryRun)
	})
}

// readPlan reads the file of --file.
func readPlan(a *cli.App, name string) (moves.Plan, error) {
	b, err := a.ReadInput(name)
	if err != nil {
		return nil, err
	}
	plan, err := moves.Parse(b)
	return plan, exit.With(exit.Data, err)
}

// spread makes a plan of the brokers of --to.
func (o *reassignOptions) spread(ctx context.Context, c *kclient.Client, args []nodes.PartitionArg) (moves.Plan, error) {
	now, err := current(ctx, c, args)
	if err != nil {
		return nil, err
	}
	var from []moves.Current
	for _, p := range now {
		from = append(from, moves.Current{TopicPartition: p.TopicPartition, Replicas: p.Is.Replicas})
	}
	var to []core.NodeID
	for _, id := range o.To {
		to = append(to, core.NodeID(id))
	}
	plan, err := moves.Spread(from, to, o.Replication)
	return plan, exit.With(exit.Data, err)
}

// locate fills in where the replicas of a plan are.
func locate(ctx context.Context, c *kclient.Client, plan moves.Plan) error {
	for i := range plan {
		m := &plan[i]
		now, err := current(ctx, c, []nodes.PartitionArg{{Topic: m.Topic, Partitions: []int32{m.Partition}}})
		if err != nil {
			return err
		}
		m.From = now[0].Is.Replicas
	}
	return nil
}

// reassign asks for the changes of a plan, or shows them.
func reassign(ctx context.Context, a *cli.App, c *kclient.Client, plan moves.Plan, dry bool) error {
	if dry {
		return a.Result(nodes.NewPlan(plan))
	}
	var list []admin.Assignment
	for _, m := range plan {
		if m.Changes() {
			list = append(list, admin.Assignment{TopicPartition: m.TopicPartition, Replicas: m.To})
		}
	}
	if len(list) == 0 {
		return a.Result(nodes.Outcomes{})
	}
	rows, err := c.Reassign(ctx, list)
	if err != nil {
		return err
	}
	return printOutcomes(a, rows, "begun", nil)
}

func newReassignList(a *cli.App) *cobra.Command {
	var o clientOptions
	cmd := &cobra.Command{Use: "list", Short: "Tell which moves are in progress", Args: cobra.NoArgs}
	o.flags(cmd.Flags())
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error {
		return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			list, err := c.Reassignments(ctx)
			if err != nil {
				return err
			}
			return a.Result(nodes.NewReassignments(list))
		})
	})
	return cmd
}

// cancelOptions are the flags of klamm reassign cancel.
type cancelOptions struct {
	clientOptions
	All  bool
	Args []nodes.PartitionArg
}

func newReassignCancel(a *cli.App) *cobra.Command {
	var o cancelOptions
	cmd := &cobra.Command{Use: "cancel " + nodes.PartitionUse + "...", Short: "End moves in progress and go back to where the replicas were"}
	f := cmd.Flags()
	o.flags(f)
	f.BoolVar(&o.All, "all", false, "all moves in progress")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) (err error) {
		if o.Args, err = nodes.ParsePartitionArgs(args); err != nil {
			return err
		}
		if o.All == (len(o.Args) > 0) {
			return exit.Errorf(exit.Usage, "name partitions, or give --all")
		}
		return runReassignCancel(ctx, a, o)
	})
	return cmd
}

func runReassignCancel(ctx context.Context, a *cli.App, o cancelOptions) error {
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		moving, err := c.Reassignments(ctx)
		if err != nil {
			return err
		}
		list := nodes.Cancellations(moving, o.All, o.Args)
		if len(list) == 0 {
			return a.Result(nodes.Outcomes{})
		}
		rows, err := c.Reassign(ctx, list)
		if err != nil {
			return err
		}
		return printOutcomes(a, rows, "cancelled", nil)
	})
}
