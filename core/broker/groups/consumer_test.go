package groups_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/metadata"
)

// beat sends a ConsumerGroupHeartbeat and returns its answer with the assigned partitions of topic t, nil if none were told.
func (r *rig) beat(change func(*kmsg.ConsumerGroupHeartbeatRequest)) (*kmsg.ConsumerGroupHeartbeatResponse, []int32) {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group = "g"
	change(req)
	resp := r.call(1, req).(*kmsg.ConsumerGroupHeartbeatResponse)
	if resp.Assignment == nil {
		return resp, nil
	}
	partitions := []int32{}
	for _, t := range resp.Assignment.Topics {
		require.Equal(r.t, [16]byte(core.TopicIDFromWords(7, 2)), t.TopicID)
		partitions = append(partitions, t.Partitions...)
	}
	return resp, partitions
}

func (r *rig) joinConsumer(id string) (epoch int32, partitions []int32) {
	resp, partitions := r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.MemberID, req.RebalanceTimeoutMillis, req.SubscribedTopicNames = id, 10_000, []string{"t"}
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	})
	require.Zero(r.t, resp.ErrorCode)
	require.Equal(r.t, id, *resp.MemberID)
	require.Equal(r.t, int32(5000), resp.HeartbeatIntervalMillis)
	return resp.MemberEpoch, partitions
}

func (r *rig) beatOwning(id string, epoch int32, partitions ...int32) (*kmsg.ConsumerGroupHeartbeatResponse, []int32) {
	return r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.MemberID, req.MemberEpoch = id, epoch
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{{TopicID: core.TopicIDFromWords(7, 2), Partitions: partitions}}
	})
}

func (r *rig) leaveConsumer(id string) {
	resp, _ := r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) { req.MemberID, req.MemberEpoch = id, -1 })
	require.Zero(r.t, resp.ErrorCode)
}

func (r *rig) describeConsumers(ids ...string) []kmsg.ConsumerGroupDescribeResponseGroup {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = ids
	return r.call(1, req).(*kmsg.ConsumerGroupDescribeResponse).Groups
}

// A consumer group from its first member to its end, over a change of coordinators.
func TestLifeOfAConsumerGroup(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	epoch, all := r.joinConsumer("A")
	require.Equal(t, int32(1), epoch)
	require.Equal(t, []int32{0, 1, 2, 3, 4, 5, 6, 7}, all)
	epoch, none := r.joinConsumer("B")
	require.Equal(t, int32(2), epoch)
	require.Empty(t, none)
	require.NotNil(t, none)
	require.Equal(t, core.ErrNone, r.commitOffset("g", "A", 1, 2, 17))
	require.Equal(t, core.ErrStaleMemberEpoch, r.commitOffset("g", "A", 2, 2, 18))
	require.Equal(t, core.ErrUnknownMemberID, r.commitOffset("g", "C", 1, 2, 18))

	p := groups.PartitionFor("g", partitions)
	r.plane.Unlead(r.now, p, 1, &r.out)
	r.settle()
	resp, _ := r.beatOwning("A", 1, all...)
	require.Equal(t, int16(core.ErrNotCoordinator), resp.ErrorCode)
	r.lead(p, 2)

	resp, keep := r.beatOwning("A", 1, all...)
	require.Equal(t, int32(1), resp.MemberEpoch)
	require.Equal(t, []int32{0, 1, 2, 3}, keep)
	rows := r.describeConsumers("g", "none")
	require.Equal(t, int16(core.ErrGroupIDNotFound), rows[1].ErrorCode)
	require.Equal(t, "Reconciling", rows[0].State)
	require.Equal(t, "uniform", rows[0].AssignorName)
	require.Equal(t, []int32{2, 2}, []int32{rows[0].Epoch, rows[0].AssignmentEpoch})
	require.Equal(t, []int32{0, 1, 2, 3}, rows[0].Members[0].Assignment.TopicPartitions[0].Partitions)
	require.Equal(t, []int32{4, 5, 6, 7}, rows[0].Members[1].TargetAssignment.TopicPartitions[0].Partitions)
	require.Equal(t, "/127.0.0.1", rows[0].Members[0].ClientHost)
	resp, _ = r.beatOwning("A", 1, keep...)
	require.Equal(t, int32(2), resp.MemberEpoch)
	_, rest := r.beatOwning("B", 2)
	require.Equal(t, []int32{4, 5, 6, 7}, rest)
	require.Equal(t, core.ErrNone, r.commitOffset("g", "A", 1, 2, 19), "had it since epoch 1, and does not know of 2")
	require.Equal(t, core.ErrStaleMemberEpoch, r.commitOffset("g", "A", 1, 5, 1), "has given it up")
	require.Equal(t, int64(19), r.fetchOffset("g", 2))

	resp, _ = r.beatOwning("A", 7)
	require.Equal(t, int16(core.ErrFencedMemberEpoch), resp.ErrorCode)
	require.NotEmpty(t, *resp.ErrorMessage)
	list := kmsg.NewPtrListGroupsRequest()
	list.TypesFilter = []string{"consumer"}
	got := r.call(5, list).(*kmsg.ListGroupsResponse).Groups
	require.Len(t, got, 1)
	require.Equal(t, []string{"g", "consumer", "Stable", "consumer"}, []string{got[0].Group, got[0].ProtocolType, got[0].GroupState, got[0].GroupType})

	// Classic members cannot join while there are members of the new protocol; when there are none they can, and back.
	joined := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse)
	require.Equal(t, int16(core.ErrInconsistentGroupProtocol), joined.ErrorCode)
	r.leaveConsumer("A")
	r.pass(46 * core.Second) // B is silent
	require.Equal(t, "Empty", r.describeConsumers("g")[0].State)
	require.Equal(t, int64(19), r.fetchOffset("g", 2))
	joined = r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse)
	require.Equal(t, int16(core.ErrMemberIDRequired), joined.ErrorCode)
	require.Equal(t, int16(core.ErrGroupIDNotFound), r.describeConsumers("g")[0].ErrorCode)
	require.Equal(t, int64(19), r.fetchOffset("g", 2), "offsets stay when the group changes its kind")
	resp, _ = r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.MemberID, req.RebalanceTimeoutMillis, req.SubscribedTopicNames = "C", 10_000, []string{"t"}
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	})
	require.Equal(t, int16(core.ErrGroupIDNotFound), resp.ErrorCode, "somebody is about to join the classic group")
	r.pass(60 * core.Second)
	epoch, all = r.joinConsumer("C")
	require.Equal(t, int32(1), epoch)
	require.Len(t, all, 8)
	require.Equal(t, int64(19), r.fetchOffset("g", 2))

	r.leaveConsumer("C")
	del := kmsg.NewPtrDeleteGroupsRequest()
	del.Groups = []string{"g"}
	require.Zero(t, r.call(2, del).(*kmsg.DeleteGroupsResponse).Groups[0].ErrorCode)
	require.Equal(t, int64(-1), r.fetchOffset("g", 2))
	r.plane.Unlead(r.now, p, 2, &r.out)
	r.lead(p, 3)
	require.Equal(t, int16(core.ErrGroupIDNotFound), r.describeConsumers("g")[0].ErrorCode)
}

// A group whose topic gets partitions, or goes, assigns anew by itself.
func TestConsumerGroupFollowsTopics(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	_, all := r.joinConsumer("A")
	resp, told := r.beatOwning("A", 1, all...)
	require.Equal(t, int32(1), resp.MemberEpoch)
	require.Nil(t, told)
	r.topic("other", 3, 1)
	resp, told = r.beatOwning("A", 1, all...)
	require.Equal(t, int32(1), resp.MemberEpoch)
	require.Nil(t, told)
	r.apply(&metadata.RemoveTopicRecord{TopicID: core.TopicIDFromWords(7, 2)})
	_, told = r.beatOwning("A", 1, all...)
	require.Equal(t, []int32{}, told)
	resp, _ = r.beatOwning("A", 1)
	require.Equal(t, int32(2), resp.MemberEpoch)
}
