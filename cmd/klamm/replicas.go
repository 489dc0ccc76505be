//go:build !js

package main

import (
	"context"
	"errors"
	"slices"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/nodes"
	"github.com/klamm-log/klamm/core"
)

// current looks the partitions up. The error of a topic or partition that is not there wraps its code.
func current(ctx context.Context, c *kclient.Client, args []nodes.PartitionArg) ([]partitionNow, error) {
	var out []partitionNow
	for _, a := range args {
		t, err := c.Topic(ctx, a.Topic)
		if err != nil {
			return nil, err
		}
		chosen := a.Partitions
		if chosen == nil {
			for _, p := range t.Partitions {
				chosen = append(chosen, p.Index)
			}
		}
		for _, index := range chosen {
			tp := core.TopicPartition{Topic: a.Topic, Partition: index}
			if int(index) >= len(t.Partitions) {
				return nil, &kclient.Refused{What: tp.String(), Code: core.ErrUnknownTopicOrPartition}
			}
			out = append(out, partitionNow{tp, t.Partitions[index]})
		}
	}
	return out, nil
}

// partitionNow is a partition as it is.
type partitionNow struct {
	core.TopicPartition
	Is kclient.Partition
}

// withELR adds the eligible leader replicas, if the broker knows of them (KIP-966).
func withELR(ctx context.Context, c *kclient.Client, t *kclient.Topic) error {
	described, err := c.Replicas(ctx, t.Name)
	if errors.Is(err, core.ErrUnsupportedVersion) {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range described {
		for _, p := range described[i].Partitions {
			if at := slices.IndexFunc(t.Partitions, func(q kclient.Partition) bool { return q.Index == p.Index }); at >= 0 {
				t.Partitions[at].ELR, t.Partitions[at].LastKnownELR = p.ELR, p.LastKnownELR
			}
		}
	}
	return nil
}

func runUnderReplicated(ctx context.Context, a *cli.App, o topicDescribeOptions) error {
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		topics, err := c.Replicas(ctx, o.Topics...)
		if errors.Is(err, core.ErrUnsupportedVersion) {
			var cl kclient.Cluster
			cl, err = c.Metadata(ctx, o.Topics...)
			topics = cl.Topics
		}
		if err != nil {
			return err
		}
		for _, t := range topics {
			if t.Err != core.ErrNone {
				return &kclient.Refused{What: "topic " + t.Name, Code: t.Err}
			}
		}
		moving, err := c.Reassignments(ctx)
		if err != nil && !errors.Is(err, core.ErrUnsupportedVersion) {
			return err
		}
		return a.Result(nodes.NewUnderReplicated(topics, moving))
	})
}
