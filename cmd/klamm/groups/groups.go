//go:build !js

// Package groups has the commands of klamm group: list, describe, reset-offsets, delete.
package groups

import (
	"context"
	"slices"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// With runs a function with a client.
type With func(ctx context.Context, o kclient.Options, f func(context.Context, *kclient.Client) error) error

// Flags adds the flags of every command that talks to a broker.
type Flags func(f *pflag.FlagSet) With

// New is klamm group.
func New(a *cli.App, flags Flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group",
		Short: "List and describe consumer groups, and change where they are",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newList(a, flags), newDescribe(a, flags), newReset(a, flags), newDelete(a, flags))
	return cmd
}

func newList(a *cli.App, flags Flags) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List all groups", Args: cobra.NoArgs}
	with := flags(cmd.Flags())
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error {
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			all, err := c.Groups(ctx)
			if err != nil {
				return err
			}
			return a.Result(newListing(all))
		})
	})
	return cmd
}

func newDescribe(a *cli.App, flags Flags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "describe GROUP...",
		Short: "Tell a group's members, what each has, where the group is and how far it lags behind",
		Args:  cobra.MinimumNArgs(1),
	}
	with := flags(cmd.Flags())
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			var all Descriptions
			for _, id := range args {
				d, err := describe(ctx, c, id)
				if err != nil {
					return err
				}
				all = append(all, d)
			}
			return a.Result(all)
		})
	})
	return cmd
}

// describe gathers a group's members, offsets and lags.
func describe(ctx context.Context, c *kclient.Client, id string) (Description, error) {
	g, err := c.DescribeGroup(ctx, id)
	if err != nil {
		return Description{}, err
	}
	offsets, err := c.GroupOffsets(ctx, id)
	if err != nil {
		return Description{}, err
	}
	if g.State == kclient.Dead && len(offsets) == 0 {
		return Description{}, noGroup(id)
	}
	ends, err := endsOf(ctx, c, partitionsOf(g, offsets), admin.LatestOffset)
	if err != nil {
		return Description{}, err
	}
	return newDescription(g, offsets, ends), nil
}

// partitionsOf are the partitions that a group has or had, sorted.
func partitionsOf(g kclient.GroupDetails, offsets []kclient.GroupOffset) []core.TopicPartition {
	var list []core.TopicPartition
	for _, o := range offsets {
		list = append(list, o.TopicPartition)
	}
	for _, m := range g.Members {
		list = append(list, m.Assigned...)
	}
	slices.SortFunc(list, core.TopicPartition.Compare)
	return slices.Compact(list)
}

// endsOf looks offsets up. What cannot be told is core.NoOffset.
func endsOf(ctx context.Context, c *kclient.Client, list []core.TopicPartition, at core.Wall) (map[core.TopicPartition]core.Offset, error) {
	rows, err := lookUp(ctx, c, list, at)
	if err != nil {
		return nil, err
	}
	out := make(map[core.TopicPartition]core.Offset)
	for tp, r := range rows {
		out[tp] = core.NoOffset
		if r.Err == core.ErrNone {
			out[tp] = r.Offset
		}
	}
	return out, nil
}

// lookUp asks for offsets topic by topic.
func lookUp(ctx context.Context, c *kclient.Client, list []core.TopicPartition, at core.Wall) (map[core.TopicPartition]admin.PartitionOffset, error) {
	out := make(map[core.TopicPartition]admin.PartitionOffset)
	for len(list) > 0 {
		topic := list[0].Topic
		var partitions []int32
		for len(list) > 0 && list[0].Topic == topic {
			partitions, list = append(partitions, list[0].Partition), list[1:]
		}
		rows, err := c.Offsets(ctx, topic, partitions, at)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.TopicPartition] = r
		}
	}
	return out, nil
}

func newDelete(a *cli.App, flags Flags) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "delete GROUP...",
		Short: "Delete groups without members, with their offsets",
		Args:  cobra.MinimumNArgs(1),
	}
	with := flags(cmd.Flags())
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be deleted, and delete nothing")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			for _, id := range args {
				done := Deleted{Group: id, DryRun: dry}
				if dry {
					g, err := idle(ctx, c, id)
					if err == nil && g.State == kclient.Dead {
						err = noGroup(id)
					}
					if err != nil {
						return err
					}
				} else if err := c.DeleteGroup(ctx, id); err != nil {
					return err
				}
				if err := a.Row(done); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return cmd
}

// idle is the group, or an error if it has members: then its members say where it is, not we.
func idle(ctx context.Context, c *kclient.Client, id string) (kclient.GroupDetails, error) {
	g, err := c.DescribeGroup(ctx, id)
	if err == nil && (len(g.Members) > 0 || g.State != "Empty" && g.State != kclient.Dead) {
		err = exit.Errorf(exit.TempFail, "group %s is %s and has %d members; stop them first", id, g.State, len(g.Members))
	}
	return g, err
}

func noGroup(id string) error { return exit.Errorf(exit.NoInput, "there is no group %s", id) }
