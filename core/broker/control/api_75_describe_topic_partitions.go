package control

import (
	"maps"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeTopicPartitions (key 75, KIP-966).
//
// Behavior: topics in the order of their names, page by page: at most as many partitions as the client and
// max.request.partition.size.limit allow, at least one, and a cursor if there are more. No topics means all. A cursor
// begins at its topic and partition; with a list of topics it must name one of them, and its partition cannot be
// negative, or every topic answers INVALID_REQUEST. Topics that do not exist answer UNKNOWN_TOPIC_OR_PARTITION and
// count nothing; they are never created.
func (p *Plane) DescribeTopicPartitions(listener string, r *step.Request, req *kmsg.DescribeTopicPartitionsRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DescribeTopicPartitionsResponse)
	names, all := p.describedTopics(req)
	if c := req.Cursor; c != nil && (c.Partition < 0 || !all && !slices.Contains(names, c.Topic)) {
		for i := range req.Topics {
			resp.Topics = append(resp.Topics, missingDescribed(req.Topics[i].Topic, core.ErrInvalidRequest))
		}
		p.reply(r, resp, out)
		return
	}
	left := max(1, min(p.cfg.MaxRequestPartitions, req.ResponsePartitionLimit))
	for _, name := range names {
		first := int32(0)
		if req.Cursor != nil && req.Cursor.Topic == name {
			first = req.Cursor.Partition
		}
		if left == 0 {
			resp.NextCursor = &kmsg.DescribeTopicPartitionsResponseNextCursor{Topic: name, Partition: 0}
			break
		}
		row, next := p.describeTopicPage(name, listener, first, left)
		if row.ErrorCode != 0 && all {
			continue // deleted since the cursor was made
		}
		resp.Topics = append(resp.Topics, row)
		left -= int32(len(row.Partitions))
		if next >= 0 {
			resp.NextCursor = &kmsg.DescribeTopicPartitionsResponseNextCursor{Topic: name, Partition: next}
			break
		}
	}
	p.reply(r, resp, out)
}

// describedTopics lists the topics from the cursor on, by name, and says whether all were meant.
func (p *Plane) describedTopics(req *kmsg.DescribeTopicPartitionsRequest) (names []string, all bool) {
	from := ""
	if req.Cursor != nil {
		from = req.Cursor.Topic
	}
	asked := make(map[string]bool, len(req.Topics))
	for i := range req.Topics {
		if t := req.Topics[i].Topic; t >= from {
			asked[t] = true
		}
	}
	if len(req.Topics) > 0 {
		return slices.Sorted(maps.Keys(asked)), false
	}
	for t := range p.image.Topics() {
		if t.Name >= from {
			names = append(names, t.Name)
		}
	}
	return names, true
}

// describeTopicPage describes at most limit partitions of a topic from first on; next is the first that is left, or -1.
func (p *Plane) describeTopicPage(name, listener string, first, limit int32) (row kmsg.DescribeTopicPartitionsResponseTopic, next int32) {
	t := p.image.Topic(name)
	if t == nil {
		code := core.ErrUnknownTopicOrPartition
		if r := controller.CheckTopicName(name); !r.OK() {
			code = r.Code
		}
		return missingDescribed(name, code), -1
	}
	row = kmsg.NewDescribeTopicPartitionsResponseTopic()
	row.Topic, row.TopicID, row.IsInternal, row.AuthorizedOperations = &name, t.ID, InternalTopic(name), TopicOperations
	states := t.Partitions()
	states = states[min(int(first), len(states)):]
	next = -1
	if len(states) > int(limit) {
		states, next = states[:limit], first+limit
	}
	for _, state := range states {
		s := p.Sight(state, listener)
		rp := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
		rp.Partition, rp.LeaderID, rp.LeaderEpoch = state.ID, s.Leader, int32(state.LeaderEpoch)
		rp.Replicas, rp.ISR, rp.OfflineReplicas = NodeIDs(state.Replicas), NodeIDs(state.ISR), s.Offline
		rp.EligibleLeaderReplicas, rp.LastKnownELR = NodeIDs(state.EligibleLeaderReplicas), NodeIDs(state.LastKnownElr)
		row.Partitions = append(row.Partitions, rp)
	}
	return row, next
}

func missingDescribed(name string, code core.ErrorCode) kmsg.DescribeTopicPartitionsResponseTopic {
	row := kmsg.NewDescribeTopicPartitionsResponseTopic()
	row.Topic, row.ErrorCode, row.IsInternal, row.AuthorizedOperations = &name, int16(code), InternalTopic(name), TopicOperations
	return row
}
