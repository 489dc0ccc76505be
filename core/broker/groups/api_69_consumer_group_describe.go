package groups

import (
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/group/modern"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ConsumerGroupDescribe (key 69).
//
// Behavior: epochs, state, members and assignments of consumer groups (KIP-848); classic groups are GROUP_ID_NOT_FOUND.
// Partitions of topics that are gone are left out.
//
// Version notes: 1 adds the member's type: 1 for the consumer protocol, 0 for the classic one.
func (p *Plane) consumerGroupDescribe(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.ConsumerGroupDescribeRequest)
	w := begin(r, len(req.Groups))
	resp := w.Resp.(*kmsg.ConsumerGroupDescribeResponse)
	resp.Groups = make([]kmsg.ConsumerGroupDescribeResponseGroup, len(req.Groups))
	if len(req.Groups) == 0 {
		w.Left = 1
		w.Done(out)
		return
	}
	again := repeated(len(req.Groups))
	for i, id := range req.Groups {
		code := checkBatched(id, again(id))
		if id == "" {
			code = core.ErrInvalidGroupID
		}
		if code != core.ErrNone {
			w.Refuse(i, code, out)
			continue
		}
		s := p.Serving(w, i, id, out)
		if s == nil {
			continue
		}
		row := describeConsumers(s.Machine(), id, p.host.Image())
		if row.AuthorizedOperations = math.MinInt32; req.IncludeAuthorizedOperations && row.ErrorCode == 0 {
			row.AuthorizedOperations = groupOperations
		}
		resp.Groups[i] = row
		p.Wait(now, s, w, i, out)
	}
}

func describeConsumers(c *group.Coordinator, id string, image *metadata.Image) kmsg.ConsumerGroupDescribeResponseGroup {
	row := kmsg.NewConsumerGroupDescribeResponseGroup()
	row.Group = id
	g := c.ConsumerGroup(id)
	if g == nil {
		row.ErrorCode, row.ErrorMessage = int16(core.ErrGroupIDNotFound), kmsg.StringPtr("Group "+id+" is not a consumer group.")
		return row
	}
	row.State, row.Epoch, row.AssignmentEpoch, row.AssignorName = g.StateName(), g.Epoch(), g.AssignmentEpoch(), g.AssignorName()
	for _, m := range g.Members() {
		rm := kmsg.NewConsumerGroupDescribeResponseGroupMember()
		rm.MemberID, rm.InstanceID, rm.RackID, rm.MemberEpoch = m.ID, m.InstanceID, m.RackID, m.Epoch
		rm.ClientID, rm.ClientHost, rm.SubscribedTopics = m.ClientID, m.ClientHost, m.Topics
		if m.Regex != "" {
			rm.SubscribedTopicRegex = kmsg.StringPtr(m.Regex)
		}
		if rm.MemberType = 1; m.Classic != nil {
			rm.MemberType = 0
		}
		rm.Assignment = describeAssignment(heldPartitions(m.Assigned), image)
		rm.TargetAssignment = describeAssignment(g.Target(m.ID), image)
		row.Members = append(row.Members, rm)
	}
	return row
}

// describeAssignment groups ascending partitions by topic, with names.
func describeAssignment(list []modern.Partition, image *metadata.Image) kmsg.Assignment {
	a := kmsg.NewAssignment()
	for i, p := range list {
		t := image.TopicByID(p.Topic)
		if t == nil {
			continue
		}
		if i == 0 || p.Topic != list[i-1].Topic {
			row := kmsg.NewAssignmentTopicPartition()
			row.TopicID, row.Topic = p.Topic, t.Name
			a.TopicPartitions = append(a.TopicPartitions, row)
		}
		last := &a.TopicPartitions[len(a.TopicPartitions)-1]
		last.Partitions = append(last.Partitions, p.Index)
	}
	return a
}
