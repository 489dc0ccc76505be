//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
)

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

func runUnderReplicated(ctx context.Context, a *app, o topicDescribeOptions) error {
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
		return a.Result(newUnderReplicated(topics, moving))
	})
}

// underReplicated are partitions that have fewer replicas in sync than they should have.
type underReplicated []underReplicatedRow

type underReplicatedRow struct {
	Topic       string        `json:"topic"`
	Partition   int32         `json:"partition"`
	Leader      core.NodeID   `json:"leader"` // -1 if there is none
	LeaderEpoch int32         `json:"leader_epoch"`
	Replicas    []core.NodeID `json:"replicas"`
	ISR         []core.NodeID `json:"isr"`
	ELR         []core.NodeID `json:"elr"`     // null if the broker does not tell
	Missing     []core.NodeID `json:"missing"` // replicas that are not in sync
}

// newUnderReplicated picks the partitions. As in Kafka's tools, replicas that a reassignment is adding are not missed yet:
// a partition that moves is as healthy as it was.
func newUnderReplicated(topics []kclient.Topic, moving []kclient.Reassignment) underReplicated {
	adding := make(map[core.TopicPartition][]core.NodeID)
	for _, r := range moving {
		adding[r.TopicPartition] = r.Adding
	}
	out := underReplicated{}
	for _, t := range topics {
		for _, p := range t.Partitions {
			extra := adding[core.TopicPartition{Topic: t.Name, Partition: p.Index}]
			var missing []core.NodeID
			for _, id := range p.Replicas {
				if !slices.Contains(p.ISR, id) && !slices.Contains(extra, id) {
					missing = append(missing, id)
				}
			}
			if len(p.ISR) < len(p.Replicas)-len(extra) {
				out = append(out, underReplicatedRow{
					Topic: t.Name, Partition: p.Index, Leader: p.Leader, LeaderEpoch: int32(p.LeaderEpoch),
					Replicas: p.Replicas, ISR: p.ISR, ELR: p.ELR, Missing: missing,
				})
			}
		}
	}
	return out
}

// AppendText implements [show.Result].
func (l underReplicated) AppendText(dst []byte) []byte {
	if len(l) == 0 {
		return append(dst, "all replicas are in sync\n"...)
	}
	rows := [][]string{{"PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR", "ELR", "MISSING"}}
	for _, r := range l {
		leader := fmt.Sprint(r.Leader)
		if r.Leader == core.NoNode {
			leader = "none"
		}
		rows = append(rows, []string{
			fmt.Sprintf("%s-%d", r.Topic, r.Partition), leader, fmt.Sprint(r.LeaderEpoch), nodeList(r.Replicas), nodeList(r.ISR),
			nodeList(r.ELR), nodeList(r.Missing),
		})
	}
	return show.Table(dst, rows...)
}
