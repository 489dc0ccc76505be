package groups_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
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

	r.becomeClassicAndBack(p)
}

// becomeClassicAndBack lets a group of A and B become a classic one, and that a consumer group again, and deletes it.
func (r *rig) becomeClassicAndBack(p int32) {
	t := r.t
	// What does not speak the consumers' protocol cannot join; when nobody is in it the group can become a classic one.
	connect := joining("g", "")
	connect.ProtocolType = "connect"
	joined := r.call(9, connect).(*kmsg.JoinGroupResponse)
	require.Equal(t, int16(core.ErrInconsistentGroupProtocol), joined.ErrorCode)
	r.leaveConsumer("A")
	r.pass(46 * core.Second) // B is silent
	require.Equal(t, "Empty", r.describeConsumers("g")[0].State)
	require.Equal(t, int64(19), r.fetchOffset("g", 2))
	joined = r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse)
	require.Equal(t, int16(core.ErrMemberIDRequired), joined.ErrorCode)
	require.Equal(t, int16(core.ErrGroupIDNotFound), r.describeConsumers("g")[0].ErrorCode)
	require.Equal(t, int64(19), r.fetchOffset("g", 2), "offsets stay when the group changes its kind")
	epoch, all := r.joinConsumer("C")
	require.Equal(t, int32(5), epoch, "no epoch comes twice")
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

// classicSubscription is what a cooperative consumer says of itself.
func classicSubscription(generation int32, owned ...int32) []byte {
	s := protocol.Subscription{Topics: []string{"t"}, Generation: generation}
	for _, p := range owned {
		s.Owned = append(s.Owned, core.TopicPartition{Topic: "t", Partition: p})
	}
	return s.AppendTo(nil, protocol.Newest)
}

// classicRound lets a classic member join and sync; with an assignment it does so as the leader of a classic group.
func (r *rig) classicRound(id string, generation int32, owned, assign []int32) (next int32, assigned []int32) {
	req := joining("g", id)
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "cooperative-sticky", Metadata: classicSubscription(generation, owned...)}}
	seq := r.send(9, req)
	if assign != nil {
		r.pass(core.Second)
	}
	joined := r.answer(seq).(*kmsg.JoinGroupResponse)
	require.Zero(r.t, joined.ErrorCode)
	require.Equal(r.t, "cooperative-sticky", *joined.Protocol)
	sync := r.syncing("g", id, joined.Generation, nil)
	sync.ProtocolType, sync.Protocol = joined.ProtocolType, joined.Protocol
	if assign != nil {
		a := protocol.Assignment{}
		for _, p := range assign {
			a.Partitions = append(a.Partitions, core.TopicPartition{Topic: "t", Partition: p})
		}
		sync.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: id, MemberAssignment: a.AppendTo(nil, 1)}}
	}
	resp := r.call(5, sync).(*kmsg.SyncGroupResponse)
	require.Zero(r.t, resp.ErrorCode)
	a, _, err := protocol.ParseAssignment(resp.MemberAssignment)
	require.NoError(r.t, err)
	for _, tp := range a.Partitions {
		assigned = append(assigned, tp.Partition)
	}
	return joined.Generation, assigned
}

// KIP-848, "Online Migration": a member of the new protocol joins a classic group. Those who are in it stay, with what they have,
// and follow by their own protocol; a new coordinator finds all of it in the log. The policy is that it stays a consumer group.
func TestOnlineUpgrade(t *testing.T) {
	r := newRigWith(t, "group.consumer.migration.policy", "upgrade")
	r.leadAll(1)
	told := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse)
	a := told.MemberID
	all := []int32{0, 1, 2, 3, 4, 5, 6, 7}
	generation, assigned := r.classicRound(a, -1, nil, all)
	require.Equal(t, all, assigned)
	require.Equal(t, core.ErrNone, r.commitOffset("g", a, generation, 2, 17))

	epoch, none := r.joinConsumer("B")
	require.Greater(t, epoch, generation)
	require.Empty(t, none)
	rows := r.describeConsumers("g")
	require.Equal(t, "Reconciling", rows[0].State)
	require.Equal(t, []int8{1, 0}, []int8{rows[0].Members[0].MemberType, rows[0].Members[1].MemberType})
	require.Equal(t, int64(17), r.fetchOffset("g", 2))
	require.Equal(t, core.ErrNone, r.commitOffset("g", a, generation, 2, 18), "it has not heard of anything yet")
	require.Equal(t, core.ErrIllegalGeneration, r.commitOffset("g", a, generation+5, 2, 18))

	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", a, generation))
	p := groups.PartitionFor("g", partitions)
	r.plane.Unlead(r.now, p, 1, &r.out)
	r.lead(p, 2)
	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", a, generation))

	same, keep := r.classicRound(a, generation, all, nil)
	require.Equal(t, generation, same, "it has something to give up under its old generation")
	require.Len(t, keep, 4)
	_, none = r.beatOwning("B", epoch)
	require.Nil(t, none)
	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", a, generation))
	next, kept := r.classicRound(a, generation, keep, nil)
	require.Equal(t, epoch, next)
	require.Equal(t, keep, kept)
	require.Equal(t, core.ErrNone, r.heartbeat("g", a, next))
	require.Equal(t, core.ErrIllegalGeneration, r.heartbeat("g", a, generation))
	_, rest := r.beatOwning("B", epoch)
	require.Len(t, rest, 4)
	require.Equal(t, "Stable", r.describeConsumers("g")[0].State)

	// A classic member can join, too, and leave; the last member of the new protocol can, and the group goes on.
	other := joining("g", "")
	require.Equal(t, int16(core.ErrInconsistentGroupProtocol), r.call(9, other).(*kmsg.JoinGroupResponse).ErrorCode, "nothing in common")
	other.Protocols = append(other.Protocols, kmsg.JoinGroupRequestProtocol{Name: "cooperative-sticky", Metadata: subscription("t")})
	require.Equal(t, int16(core.ErrMemberIDRequired), r.call(9, other).(*kmsg.JoinGroupResponse).ErrorCode)
	r.leaveConsumer("B")
	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", a, next))
	next, again := r.classicRound(a, next, keep, nil)
	require.Equal(t, all, again)
	require.Equal(t, core.ErrNone, r.heartbeat("g", a, next))
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group = "g"
	leave.Members = []kmsg.LeaveGroupRequestMember{{MemberID: a}, {MemberID: "nobody"}}
	left := r.call(4, leave).(*kmsg.LeaveGroupResponse)
	require.Equal(t, []int16{0, int16(core.ErrUnknownMemberID)}, []int16{left.Members[0].ErrorCode, left.Members[1].ErrorCode})
	require.Equal(t, "Empty", r.describeConsumers("g")[0].State)
}

// mixed is a Stable group of a classic member, which is returned with its epoch and partitions, and "B" of the new protocol.
func (r *rig) mixed() (a string, next int32, keep []int32, epoch int32) {
	a = r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse).MemberID
	all := []int32{0, 1, 2, 3, 4, 5, 6, 7}
	generation, _ := r.classicRound(a, -1, nil, all)
	epoch, _ = r.joinConsumer("B")
	_, keep = r.classicRound(a, generation, all, nil)
	next, _ = r.classicRound(a, generation, keep, nil)
	_, rest := r.beatOwning("B", epoch)
	require.Len(r.t, rest, 4)
	require.Equal(r.t, "Stable", r.describeConsumers("g")[0].State)
	return a, next, keep, epoch
}

// KIP-848, "Online Migration", the other way: when the last member of the new protocol is gone, those who are left are a classic group,
// in the generation that they know, and are asked to join the next, in which its partitions are theirs. A coordinator that takes
// over just then asks them, too.
func TestOnlineDowngrade(t *testing.T) {
	ways := map[string]func(r *rig, a string, next int32){
		"it leaves": func(r *rig, _ string, _ int32) { r.leaveConsumer("B") },
		"its session ends": func(r *rig, a string, next int32) {
			for range 46 {
				_ = r.heartbeat("g", a, next) // it is heard
				r.pass(core.Second)
			}
		},
		"it leaves, and the coordinator dies": func(r *rig, _ string, _ int32) {
			r.leaveConsumer("B")
			p := groups.PartitionFor("g", partitions)
			r.plane.Unlead(r.now, p, 1, &r.out)
			r.lead(p, 2)
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.leadAll(1)
			a, next, keep, epoch := r.mixed()
			way(r, a, next)
			require.Equal(t, int16(core.ErrGroupIDNotFound), r.describeConsumers("g")[0].ErrorCode, "it is a classic group")
			require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", a, next))
			require.Equal(t, core.ErrNone, r.commitOffset("g", a, next, keep[0], 17))
			late, _ := r.beatOwning("B", epoch, 1)
			require.Equal(t, int16(core.ErrUnknownMemberID), late.ErrorCode)

			all := []int32{0, 1, 2, 3, 4, 5, 6, 7}
			third, got := r.classicRound(a, next, keep, all)
			require.Equal(t, next+1, third)
			require.Equal(t, all, got)
			require.Equal(t, int64(17), r.fetchOffset("g", keep[0]))
			again, _ := r.joinConsumer("B")
			require.Greater(t, again, third, "and it can come back")
		})
	}
}

// OffsetCommit has known member epochs since version 9: who has one and sends an older version does not know what it says.
func TestCommitsOfOldVersions(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	a, next, keep, epoch := r.mixed()
	commit := func(version int16, member string, generation int32) core.ErrorCode {
		resp := r.call(version, committing("g", member, generation, keep[0], 1)).(*kmsg.OffsetCommitResponse)
		return core.ErrorCode(resp.Topics[0].Partitions[0].ErrorCode)
	}
	require.Equal(t, core.ErrNone, commit(8, a, next))
	require.Equal(t, core.ErrNone, commit(9, "B", epoch))
	require.Equal(t, core.ErrUnsupportedVersion, commit(8, "B", epoch))
	require.Equal(t, core.ErrUnknownMemberID, commit(8, "C", epoch))
}

// A member of a cooperative classic group is to give something up, which nobody was assigned yet (KIP-429), when one of the new protocol
// comes. That gets it when the member has joined without it, and not before.
func TestUpgradeWhileSomethingIsGivenUp(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	a := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse).MemberID
	all, keep := []int32{0, 1, 2, 3, 4, 5, 6, 7}, []int32{0, 1, 2, 3}
	generation, _ := r.classicRound(a, -1, nil, all)
	generation, got := r.classicRound(a, generation, all, keep)
	require.Equal(t, keep, got)
	epoch, none := r.joinConsumer("B")
	require.Empty(t, none)
	_, none = r.beatOwning("B", epoch)
	require.Nil(t, none)
	require.Equal(t, core.ErrNone, r.commitOffset("g", a, generation, 7, 17), "it is still at work on it")
	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", a, generation))
	r.classicRound(a, generation, keep, nil)
	_, rest := r.beatOwning("B", epoch)
	require.Equal(t, []int32{4, 5, 6, 7}, rest)
}

// A static member of a classic group restarts with the new protocol, and so does not leave before: its place is its successor's, with all that
// it had, and the process of before is fenced.
func TestUpgradeByAStaticMember(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	req := joining("g", "")
	req.InstanceID = kmsg.StringPtr("i")
	seq := r.send(9, req)
	r.pass(core.Second)
	joined := r.answer(seq).(*kmsg.JoinGroupResponse)
	require.Zero(t, joined.ErrorCode)
	a := protocol.Assignment{Partitions: []core.TopicPartition{{Topic: "t", Partition: 0}, {Topic: "t", Partition: 5}}}
	sync := r.syncing("g", joined.MemberID, joined.Generation, map[string]string{joined.MemberID: string(a.AppendTo(nil, 1))})
	sync.InstanceID = req.InstanceID
	require.Zero(t, r.call(5, sync).(*kmsg.SyncGroupResponse).ErrorCode)
	resp, got := r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.MemberID, req.InstanceID, req.RebalanceTimeoutMillis, req.SubscribedTopicNames = "B", kmsg.StringPtr("i"), 10_000, []string{"t"}
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	})
	require.Zero(t, resp.ErrorCode)
	require.Len(t, got, 8)
	require.Len(t, r.describeConsumers("g")[0].Members, 1)
	late := kmsg.NewPtrHeartbeatRequest()
	late.Group, late.MemberID, late.InstanceID, late.Generation = "g", joined.MemberID, req.InstanceID, joined.Generation
	require.Equal(t, int16(core.ErrFencedInstanceID), r.call(4, late).(*kmsg.HeartbeatResponse).ErrorCode)
}

// A classic group in which nobody is yet but one that was told its id gives way, and that one joins the group that it finds. (Kafka says that it
// is no consumer group, which ends the client that asked.)
func TestUpgradeBeforeTheFirstMember(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	told := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse)
	require.Equal(t, int16(core.ErrMemberIDRequired), told.ErrorCode)
	_, all := r.joinConsumer("B")
	require.Len(t, all, 8)
	joined := r.call(9, joining("g", told.MemberID)).(*kmsg.JoinGroupResponse)
	require.Zero(t, joined.ErrorCode)
	require.Equal(t, told.MemberID, joined.MemberID)
	require.Len(t, r.describeConsumers("g")[0].Members, 2)
}

// The policy says which way groups in use may go.
func TestMigrationPolicy(t *testing.T) {
	r := newRigWith(t, "group.consumer.migration.policy", "downgrade")
	r.leadAll(1)
	a := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse).MemberID
	generation, _ := r.classicRound(a, -1, nil, []int32{0, 1, 2, 3, 4, 5, 6, 7})
	resp, _ := r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.MemberID, req.RebalanceTimeoutMillis, req.SubscribedTopicNames = "B", 10_000, []string{"t"}
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	})
	require.Equal(t, int16(core.ErrGroupIDNotFound), resp.ErrorCode)
	require.Contains(t, *resp.ErrorMessage, "group.consumer.migration.policy")
	require.Equal(t, core.ErrNone, r.heartbeat("g", a, generation))
}

// A static member that comes back with the classic protocol takes the place of the last one of the new protocol.
func TestDowngradeByAStaticMember(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	resp, _ := r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.MemberID, req.InstanceID, req.RebalanceTimeoutMillis, req.SubscribedTopicNames = "B", kmsg.StringPtr("i"), 10_000, []string{"t"}
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	})
	require.Zero(t, resp.ErrorCode)
	req := joining("g", "")
	req.InstanceID = kmsg.StringPtr("i")
	joined := r.call(9, req).(*kmsg.JoinGroupResponse)
	require.Zero(t, joined.ErrorCode)
	require.Equal(t, int16(core.ErrGroupIDNotFound), r.describeConsumers("g")[0].ErrorCode)
	sync := r.syncing("g", joined.MemberID, joined.Generation, nil)
	sync.InstanceID = req.InstanceID
	require.Equal(t, int16(core.ErrRebalanceInProgress), r.call(5, sync).(*kmsg.SyncGroupResponse).ErrorCode)
	req.MemberID = joined.MemberID
	next := r.call(9, req).(*kmsg.JoinGroupResponse)
	require.Zero(t, next.ErrorCode)
	require.Equal(t, joined.MemberID, next.LeaderID)
	require.Equal(t, joined.Generation+1, next.Generation)
}

// A classic member that is asked to join again and only sends heartbeats is removed when its rebalance time-out has passed.
func TestSilentClassicMember(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	a := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse).MemberID
	generation, _ := r.classicRound(a, -1, nil, []int32{0, 1, 2, 3, 4, 5, 6, 7})
	epoch, _ := r.joinConsumer("B")
	for range 61 {
		if code := r.heartbeat("g", a, generation); code != core.ErrRebalanceInProgress {
			require.Equal(t, core.ErrUnknownMemberID, code)
			break
		}
		_, none := r.beatOwning("B", epoch)
		require.Nil(t, none)
		r.pass(core.Second)
	}
	require.Equal(t, core.ErrUnknownMemberID, r.heartbeat("g", a, generation))
	_, all := r.beatOwning("B", epoch)
	require.Len(t, all, 8)
}

// Where group.version is off, so is the protocol; a client then takes the classic one.
func TestGroupVersionOff(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	r.apply(&metadata.FeatureLevelRecord{Name: metadata.GroupVersionFeature, FeatureLevel: 0})
	resp, _ := r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.MemberID, req.SubscribedTopicNames = "m", []string{"t"}
	})
	require.Equal(t, core.ErrUnsupportedVersion, core.ErrorCode(resp.ErrorCode))
}

// A request that names a large group a million times must not be answered by as many descriptions.
func TestConsumerGroupIsDescribedOnce(t *testing.T) {
	r := newLeader(t)
	r.joinConsumer("A")
	rows := r.describeConsumers("g", "g", "", "")
	require.Len(t, rows[0].Members, 1)
	require.Empty(t, rows[1].Members)
	for i, want := range []core.ErrorCode{core.ErrNone, core.ErrInvalidRequest, core.ErrInvalidGroupID, core.ErrInvalidGroupID} {
		require.Equal(t, want, code(rows[i].ErrorCode), i)
	}
}

// A request that is refused changes nothing: an empty consumer group does not become a classic one for somebody who does not join it.
func TestRefusedJoinLeavesAnEmptyConsumerGroup(t *testing.T) {
	r := newLeader(t)
	r.joinConsumer("A")
	r.leaveConsumer("A")
	before := r.written()
	strange := joining("g", "")
	strange.Protocols = nil
	for want, req := range map[core.ErrorCode]*kmsg.JoinGroupRequest{
		core.ErrUnknownMemberID: joining("g", "zombie"), core.ErrInconsistentGroupProtocol: strange,
	} {
		require.Equal(t, want, code(r.call(9, req).(*kmsg.JoinGroupResponse).ErrorCode))
		require.Equal(t, before, r.written())
		require.Equal(t, "Empty", r.describeConsumers("g")[0].State)
	}
	require.Equal(t, core.ErrMemberIDRequired, code(r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse).ErrorCode))
	require.Equal(t, "Empty", r.state("g"), "a classic group")
}

// An administrator removes members of the new protocol by LeaveGroup, all of them or static ones by their instance ids.
func TestMembersAreRemovedFromAConsumerGroup(t *testing.T) {
	r := newLeader(t)
	epoch, _ := r.joinConsumer("A")
	require.Equal(t, core.ErrNone, r.beatAs("B", "i", 0))
	require.Equal(t, core.ErrNone, r.beatAs("C", "j", 0))
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group = "g"
	leave.Members = []kmsg.LeaveGroupRequestMember{
		{MemberID: "A"}, {MemberID: "x"}, {}, {InstanceID: ptr("x")}, {MemberID: "B", InstanceID: ptr("j")}, {InstanceID: ptr("i")},
		{MemberID: "C", InstanceID: ptr("j")}, {MemberID: "C"},
	}
	var codes []core.ErrorCode
	for _, row := range r.call(5, leave).(*kmsg.LeaveGroupResponse).Members {
		codes = append(codes, code(row.ErrorCode))
	}
	require.Equal(t, []core.ErrorCode{
		core.ErrNone, core.ErrUnknownMemberID, core.ErrUnknownMemberID, core.ErrUnknownMemberID, core.ErrFencedInstanceID, core.ErrNone,
		core.ErrNone, core.ErrUnknownMemberID,
	}, codes)
	require.Equal(t, "Empty", r.describeConsumers("g")[0].State)
	late, _ := r.beatOwning("A", epoch)
	require.Equal(t, core.ErrUnknownMemberID, code(late.ErrorCode), "it can join again")
	_, all := r.joinConsumer("A")
	require.Len(t, all, 8)
}
