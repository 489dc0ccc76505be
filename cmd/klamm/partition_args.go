//go:build !js

package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
)

// partitionArg is an argument TOPIC or TOPIC:PARTITION,PARTITION. Topics' names have no colons.
type partitionArg struct {
	Topic      string
	Partitions []int32 // nil is all
}

// partitionUse describes such arguments in a command's use line.
const partitionUse = "TOPIC[:PARTITION,...]"

func parsePartitionArgs(args []string) ([]partitionArg, error) {
	out := make([]partitionArg, 0, len(args))
	for _, text := range args {
		topic, list, some := strings.Cut(text, ":")
		a := partitionArg{Topic: topic}
		if topic == "" {
			return nil, exit.Errorf(exit.Usage, "%q is not %s", text, partitionUse)
		}
		for _, p := range strings.Split(list, ",") {
			n, err := strconv.ParseInt(p, 10, 32)
			if some && (err != nil || n < 0) {
				return nil, exit.Errorf(exit.Usage, "%q is not %s", text, partitionUse)
			}
			if some {
				a.Partitions = append(a.Partitions, int32(n))
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// current looks the partitions up. The error of a topic or partition that is not there wraps its code.
func current(ctx context.Context, c *kclient.Client, args []partitionArg) ([]partitionNow, error) {
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
