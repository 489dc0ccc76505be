//go:build !js

package main

import (
	"context"
	"strings"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/spf13/cobra"
)

func newTopic(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "topic",
		Short: "Create, list, describe, change and delete topics",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTopicCreate(a), newTopicList(a), newTopicDescribe(a), newTopicAlter(a), newTopicDelete(a))
	return cmd
}

// topicCreateOptions are the flags of klamm topic create.
type topicCreateOptions struct {
	clientOptions
	Name        string
	Partitions  int32
	Replication int16
	Configs     []string
	Validate    bool
	IfNotExists bool
}

func newTopicCreate(a *cli.App) *cobra.Command {
	var o topicCreateOptions
	cmd := &cobra.Command{Use: "create TOPIC", Short: "Create a topic", Args: topicArg}
	f := cmd.Flags()
	o.flags(f)
	f.Int32VarP(&o.Partitions, "partitions", "p", -1, "number of partitions; -1 is the broker's default")
	f.Int16VarP(&o.Replication, "replication", "r", -1, "replicas of each; -1 is the broker's default")
	f.StringArrayVarP(&o.Configs, "config", "c", nil, "name=value; may be repeated")
	f.BoolVar(&o.Validate, "validate", false, "say only whether it could be created")
	f.BoolVar(&o.IfNotExists, "if-not-exists", false, "an existing topic is no error")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		o.Name = args[0]
		return runTopicCreate(ctx, a, o)
	})
	return cmd
}

func runTopicCreate(ctx context.Context, a *cli.App, o topicCreateOptions) error {
	configs, err := parseConfigs(o.Configs)
	if err != nil {
		return err
	}
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		id, err := c.CreateTopic(ctx, kclient.NewTopic{
			Name: o.Name, Partitions: o.Partitions, Replication: o.Replication, Configs: configs, Validate: o.Validate,
		})
		done := "created"
		if o.Validate {
			done = "could be created"
		}
		if exit.Of(err) == exit.CantCreate && o.IfNotExists {
			done, err = "exists", nil
		}
		if err != nil {
			return err
		}
		r := topicDone{Topic: o.Name, Done: done}
		if !id.IsZero() {
			r.ID = id.String()
		}
		return a.Result(r)
	})
}

// parseConfigs reads name=value arguments.
func parseConfigs(list []string) ([]kclient.Config, error) {
	out := make([]kclient.Config, 0, len(list))
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, exit.Errorf(exit.Usage, "%q is not name=value", text)
		}
		out = append(out, kclient.Config{Name: name, Value: value, HasValue: true})
	}
	return out, nil
}

func newTopicList(a *cli.App) *cobra.Command {
	var o clientOptions
	cmd := &cobra.Command{Use: "list", Short: "List all topics", Args: cobra.NoArgs}
	o.flags(cmd.Flags())
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error {
		return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			cl, err := c.Metadata(ctx)
			if err != nil {
				return err
			}
			return a.Result(topicListOf(cl))
		})
	})
	return cmd
}

// topicDescribeOptions are the flags of klamm topic describe.
type topicDescribeOptions struct {
	clientOptions
	Topics          []string
	AllConfigs      bool
	UnderReplicated bool
}

func newTopicDescribe(a *cli.App) *cobra.Command {
	var o topicDescribeOptions
	cmd := &cobra.Command{Use: "describe TOPIC...", Short: "Tell partitions, offsets and configuration of topics"}
	f := cmd.Flags()
	o.flags(f)
	f.BoolVar(&o.AllConfigs, "all-configs", false, "tell defaults too, not only what is set for the topic")
	f.BoolVar(&o.UnderReplicated, "under-replicated", false, "tell only partitions with fewer replicas in sync than they should have; of all topics if none is named")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		o.Topics = args
		switch {
		case o.UnderReplicated:
			return runUnderReplicated(ctx, a, o)
		case len(args) == 0:
			return exit.Errorf(exit.Usage, "name topics, or give --under-replicated")
		}
		return runTopicDescribe(ctx, a, o)
	})
	return cmd
}

func runTopicDescribe(ctx context.Context, a *cli.App, o topicDescribeOptions) error {
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		var out topicDescriptions
		for _, name := range o.Topics {
			d, err := describe(ctx, c, name, o.AllConfigs)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return a.Result(out)
	})
}

// describe gathers what a broker tells of a topic.
func describe(ctx context.Context, c *kclient.Client, name string, allConfigs bool) (topicDescription, error) {
	t, err := c.Topic(ctx, name)
	if err != nil {
		return topicDescription{}, err
	}
	partitions := make([]int32, 0, len(t.Partitions))
	for _, p := range t.Partitions {
		partitions = append(partitions, p.Index)
	}
	first, err := c.Offsets(ctx, name, partitions, admin.EarliestOffset)
	if err != nil {
		return topicDescription{}, err
	}
	last, err := c.Offsets(ctx, name, partitions, admin.LatestOffset)
	if err != nil {
		return topicDescription{}, err
	}
	configs, err := c.Configs(ctx, name)
	if err != nil {
		return topicDescription{}, err
	}
	if err := withELR(ctx, c, &t); err != nil {
		return topicDescription{}, err
	}
	return newTopicDescription(t, first, last, configs, allConfigs), nil
}

// topicAlterOptions are the flags of klamm topic alter.
type topicAlterOptions struct {
	clientOptions
	Name       string
	Partitions int32
	Set        []string
	Unset      []string
}

func newTopicAlter(a *cli.App) *cobra.Command {
	var o topicAlterOptions
	cmd := &cobra.Command{Use: "alter TOPIC", Short: "Change the configuration of a topic, or add partitions", Args: topicArg}
	f := cmd.Flags()
	o.flags(f)
	f.Int32VarP(&o.Partitions, "partitions", "p", 0, "number of partitions to have in all; 0 changes nothing")
	f.StringArrayVarP(&o.Set, "config", "c", nil, "name=value to set; may be repeated")
	f.StringArrayVar(&o.Unset, "unset", nil, "name of an entry to remove; may be repeated")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		o.Name = args[0]
		return runTopicAlter(ctx, a, o)
	})
	return cmd
}

func runTopicAlter(ctx context.Context, a *cli.App, o topicAlterOptions) error {
	entries, err := parseConfigs(o.Set)
	if err != nil {
		return err
	}
	for _, name := range o.Unset {
		entries = append(entries, kclient.Config{Name: name})
	}
	if o.Partitions == 0 && len(entries) == 0 {
		return exit.Errorf(exit.Usage, "nothing to change: give --partitions, --config or --unset")
	}
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		if len(entries) > 0 {
			if err := c.AlterConfigs(ctx, o.Name, entries); err != nil {
				return err
			}
		}
		if o.Partitions != 0 {
			if err := c.AddPartitions(ctx, o.Name, o.Partitions); err != nil {
				return err
			}
		}
		return a.Result(topicDone{Topic: o.Name, Done: "changed"})
	})
}

func newTopicDelete(a *cli.App) *cobra.Command {
	var o clientOptions
	cmd := &cobra.Command{Use: "delete TOPIC...", Short: "Delete topics with all their records", Args: cobra.MinimumNArgs(1)}
	o.flags(cmd.Flags())
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			for _, name := range args {
				if err := c.DeleteTopic(ctx, name); err != nil {
					return err
				}
				if err := a.Row(topicDone{Topic: name, Done: "deleted"}); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return cmd
}
