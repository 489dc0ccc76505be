package groups

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/modern"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ConsumerGroupHeartbeat (key 68).
//
// Behavior: joins (member epoch 0), stays in, or leaves (-1, a static member that will be back: -2) a consumer group (KIP-848).
// The answer has the member's epoch, and its assignment if that has changed or the member may not know it. Fields that are
// null are as they were. FENCED_MEMBER_EPOCH and UNKNOWN_MEMBER_ID mean: give everything up and join again.
//
// Where group.version is below 1 the protocol is off: UNSUPPORTED_VERSION (KIP-848, KIP-1022).
//
// Version notes: 1 adds regular expressions, and the client makes its member id itself; in version 0 the coordinator does.
func (p *Plane) consumerGroupHeartbeat(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.ConsumerGroupHeartbeatRequest)
	w := begin(r, 1)
	resp := w.Resp.(*kmsg.ConsumerGroupHeartbeatResponse)
	if p.host.Image().FeatureLevel(metadata.GroupVersionFeature) < 1 {
		w.Refuse(0, core.ErrUnsupportedVersion, out)
		return
	}
	if !validMemberGroup(req.Group) {
		w.Refuse(0, core.ErrInvalidRequest, out)
		return
	}
	if r.Version >= 1 && req.MemberID == "" {
		resp.ErrorMessage = kmsg.StringPtr("MemberId can't be empty.")
		resp.ErrorCode = int16(core.ErrInvalidRequest)
		w.Done(out)
		return
	}
	s := p.Serving(w, 0, req.Group, out)
	if s == nil {
		return
	}
	_, remote := p.host.Client(r)
	beat := modern.HeartbeatRequest{
		MemberID: req.MemberID, MemberEpoch: req.MemberEpoch, InstanceID: req.InstanceID, RackID: req.RackID,
		RebalanceTimeoutMs: req.RebalanceTimeoutMillis, Topics: req.SubscribedTopicNames, TopicsSet: req.SubscribedTopicNames != nil,
		Regex: req.SubscribedTopicRegex, ServerAssignor: req.ServerAssignor, OwnedSet: req.Topics != nil,
		ClientID: r.ClientID, ClientHost: hostOf(remote),
	}
	for i := range req.Topics {
		for _, index := range req.Topics[i].Partitions {
			beat.Owned = append(beat.Owned, modern.Partition{Topic: req.Topics[i].TopicID, Index: index})
		}
	}
	result := s.Machine().ConsumerHeartbeat(now, req.Group, &beat)
	out.Sometimes(result.Code == core.ErrUnreleasedInstanceID, "groups.instance-unreleased", nil)
	resp.ErrorCode = int16(result.Code)
	if result.Message != "" {
		resp.ErrorMessage = &result.Message
	}
	if result.Code == core.ErrNone {
		resp.MemberID, resp.MemberEpoch = &result.MemberID, result.MemberEpoch
		if result.MemberEpoch >= 0 {
			resp.HeartbeatIntervalMillis = s.Machine().ConsumerConfig().HeartbeatIntervalMs
		}
		if result.AssignmentSet {
			resp.Assignment = heartbeatAssignment(result.Assignment)
		}
	}
	p.Wait(now, s, w, 0, out)
}

// heartbeatAssignment groups ascending partitions by topic.
func heartbeatAssignment(list []modern.Partition) *kmsg.ConsumerGroupHeartbeatResponseAssignment {
	a := kmsg.NewConsumerGroupHeartbeatResponseAssignment()
	a.Topics = []kmsg.ConsumerGroupHeartbeatResponseAssignmentTopic{}
	for i, p := range list {
		if i == 0 || p.Topic != list[i-1].Topic {
			t := kmsg.NewConsumerGroupHeartbeatResponseAssignmentTopic()
			t.TopicID = p.Topic
			a.Topics = append(a.Topics, t)
		}
		last := &a.Topics[len(a.Topics)-1]
		last.Partitions = append(last.Partitions, p.Index)
	}
	return &a
}

// heldPartitions are the partitions that a member has, without the epochs since when.
func heldPartitions(lists ...[]modern.Held) []modern.Partition {
	var list []modern.Partition
	for _, held := range lists {
		for _, h := range held {
			list = append(list, h.Partition)
		}
	}
	slices.SortFunc(list, modern.Partition.Compare)
	return list
}
