package kclient

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Outcome is what became of one partition of a request. Err wraps a code, and is nil if all went well.
type Outcome struct {
	core.TopicPartition
	Err error
}

// Replicas tells of the partitions of the named topics, or of all if there are no names, with their eligible leader
// replicas. An answer in pages is put together. The error of brokers that do not know the request wraps
// core.ErrUnsupportedVersion.
func (c *Client) Replicas(ctx context.Context, names ...string) ([]Topic, error) {
	var out []Topic
	var from *kmsg.DescribeTopicPartitionsRequestCursor
	for {
		resp, _, err := body[*kmsg.DescribeTopicPartitionsResponse](c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) {
			a.DescribePartitions(now, names, from, token)
		}))
		if err != nil {
			return nil, err
		}
		for i := range resp.Topics {
			t := describedTopic(&resp.Topics[i])
			if n := len(out); n > 0 && out[n-1].Name == t.Name { // a page ended within the topic
				out[n-1].Partitions = append(out[n-1].Partitions, t.Partitions...)
				continue
			}
			out = append(out, t)
		}
		if resp.NextCursor == nil {
			slices.SortFunc(out, func(a, b Topic) int { return cmp.Compare(a.Name, b.Name) })
			return out, nil
		}
		next := kmsg.DescribeTopicPartitionsRequestCursor{Topic: resp.NextCursor.Topic, Partition: resp.NextCursor.Partition}
		if from != nil && cmp.Or(cmp.Compare(next.Topic, from.Topic), cmp.Compare(next.Partition, from.Partition)) <= 0 {
			return nil, errors.New("the answer to DescribeTopicPartitions goes in circles")
		}
		from = &next
	}
}

func describedTopic(t *kmsg.DescribeTopicPartitionsResponseTopic) Topic {
	out := Topic{ID: t.TopicID, Internal: t.IsInternal, Err: core.ErrorCode(t.ErrorCode)}
	if t.Topic != nil {
		out.Name = *t.Topic
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		out.Partitions = append(out.Partitions, Partition{
			Index: p.Partition, Err: core.ErrorCode(p.ErrorCode), Leader: core.NodeID(p.LeaderID),
			LeaderEpoch: core.LeaderEpoch(p.LeaderEpoch), Replicas: nodes(p.Replicas), ISR: nodes(p.ISR), Offline: nodes(p.OfflineReplicas),
			ELR: nodes(p.EligibleLeaderReplicas), LastKnownELR: nodes(p.LastKnownELR),
		})
	}
	return out
}

// Elect elects leaders, of all partitions if there are none: preferred ones, or, with unclean, of partitions that have
// nobody in sync. Rows come for each partition asked for, or, for all, for those where there was something to do.
func (c *Client) Elect(ctx context.Context, unclean bool, partitions []core.TopicPartition) ([]Outcome, error) {
	resp, _, err := body[*kmsg.ElectLeadersResponse](c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) {
		a.ElectLeaders(now, unclean, partitions, token)
	}))
	if err != nil {
		return nil, err
	}
	if err := refused("the election", resp.ErrorCode, nil); err != nil {
		return nil, err
	}
	var out []Outcome
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			out = append(out, outcome(resp.Topics[i].Topic, p.Partition, p.ErrorCode, p.ErrorMessage))
		}
	}
	sortOutcomes(out)
	return out, nil
}

// Reassign moves replicas, or cancels moves. Rows come for each partition asked for. That there is nothing to cancel is no error if an
// answer was lost on its way: it may have been cancelled by this call.
func (c *Client) Reassign(ctx context.Context, list []admin.Assignment) ([]Outcome, error) {
	resp, repeated, err := body[*kmsg.AlterPartitionAssignmentsResponse](c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) {
		a.AlterAssignments(now, list, token)
	}))
	if err != nil {
		return nil, err
	}
	if err := refused("the reassignment", resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, err
	}
	var out []Outcome
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			if repeated && core.ErrorCode(p.ErrorCode) == core.ErrNoReassignmentInProgress {
				p.ErrorCode, p.ErrorMessage = 0, nil
			}
			out = append(out, outcome(resp.Topics[i].Topic, p.Partition, p.ErrorCode, p.ErrorMessage))
		}
	}
	sortOutcomes(out)
	return out, nil
}

func outcome(topic string, partition int32, code int16, text *string) Outcome {
	tp := core.TopicPartition{Topic: topic, Partition: partition}
	return Outcome{TopicPartition: tp, Err: refused(tp.String(), code, text)}
}

func sortOutcomes(list []Outcome) {
	slices.SortFunc(list, func(a, b Outcome) int { return a.Compare(b.TopicPartition) })
}

// Reassignment is a move in progress. Replicas are those of before and of after together.
type Reassignment struct {
	core.TopicPartition
	Replicas, Adding, Removing []core.NodeID
}

// Reassignments tells which moves are in progress, by partition.
func (c *Client) Reassignments(ctx context.Context) ([]Reassignment, error) {
	resp, _, err := body[*kmsg.ListPartitionReassignmentsResponse](c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) {
		a.ListReassignments(now, nil, token)
	}))
	if err != nil {
		return nil, err
	}
	if err := refused("the list of reassignments", resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, err
	}
	var out []Reassignment
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			out = append(out, Reassignment{
				TopicPartition: core.TopicPartition{Topic: resp.Topics[i].Topic, Partition: p.Partition},
				Replicas:       nodes(p.Replicas), Adding: nodes(p.AddingReplicas), Removing: nodes(p.RemovingReplicas),
			})
		}
	}
	slices.SortFunc(out, func(a, b Reassignment) int { return a.Compare(b.TopicPartition) })
	return out, nil
}
