//go:build !js

package main

import (
	"context"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/nodes"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/spf13/cobra"
)

func newQuorum(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quorum",
		Short: "Describe and change the quorum that holds the metadata log",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newQuorumDescribe(a), newQuorumAdd(a), newQuorumRemove(a))
	return cmd
}

func newQuorumDescribe(a *cli.App) *cobra.Command {
	var o clientOptions
	cmd := &cobra.Command{Use: "describe", Short: "Tell who leads, who votes, who observes, and how far each is", Args: cobra.NoArgs}
	o.flags(cmd.Flags())
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error {
		return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			q, err := c.Quorum(ctx)
			if err != nil {
				return err
			}
			return a.Result(nodes.NewQuorum(q, time.Now()))
		})
	})
	return cmd
}

// voterOptions are the flags of klamm quorum add and remove.
type voterOptions struct {
	clientOptions
	Directory string
	Listeners []string
}

func newQuorumAdd(a *cli.App) *cobra.Command {
	var o voterOptions
	cmd := &cobra.Command{
		Use:   "add NODE",
		Short: "Make an observer a voter",
		Long: `Make an observer a voter. It is a node with the controller role that runs, has found the quorum by
controller.quorum.bootstrap.servers, and has caught up. Its directory id is looked up unless it is given.`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	o.flags(f)
	f.StringVar(&o.Directory, "directory", "", "the id of its data directory (directory.id in meta.properties)")
	f.StringArrayVar(&o.Listeners, "listener", nil, "NAME://host:port at which the other voters find it; may be repeated")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		v, err := nodes.ParseVoter(args[0], o.Directory, o.Listeners)
		if err != nil {
			return err
		}
		if len(v.Listeners) == 0 {
			return exit.Errorf(exit.Usage, "--listener is missing: where the other voters find node %d", v.ID)
		}
		return runVoter(ctx, a, o, v, "added", (*kclient.Client).AddVoter)
	})
	return cmd
}

func newQuorumRemove(a *cli.App) *cobra.Command {
	var o voterOptions
	cmd := &cobra.Command{Use: "remove NODE", Short: "Make a voter an observer", Args: cobra.ExactArgs(1)}
	f := cmd.Flags()
	o.flags(f)
	f.StringVar(&o.Directory, "directory", "", "the id of its data directory; it is looked up if there is one voter of that number")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		v, err := nodes.ParseVoter(args[0], o.Directory, o.Listeners)
		if err != nil {
			return err
		}
		return runVoter(ctx, a, o, v, "removed", (*kclient.Client).RemoveVoter)
	})
	return cmd
}

// runVoter looks up the directory if it was not given, and changes the quorum.
func runVoter(
	ctx context.Context, a *cli.App, o voterOptions, v admin.Voter, done string, change func(*kclient.Client, context.Context, admin.Voter) error,
) error {
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		if o.Directory == "" {
			q, err := c.Quorum(ctx)
			if err != nil {
				return err
			}
			if v.Directory, err = nodes.DirectoryOf(q, v.ID, done == "removed"); err != nil {
				return err
			}
		}
		if err := change(c, ctx, v); err != nil {
			return err
		}
		return a.Result(nodes.VoterDone{Node: v.ID, Directory: kclient.Directory(v.Directory).String(), Done: done})
	})
}
