package groups_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/klamm-log/klamm/core/broker/groups"
)

func ptr[T any](v T) *T { return &v }

func newLeader(t require.TestingT) *rig {
	r := newRig(t)
	r.leadAll(1)
	return r
}

// joined is the answer to a JoinGroup, which must have come.
func (r *rig) joined(seq uint64) *kmsg.JoinGroupResponse {
	return r.answer(seq).(*kmsg.JoinGroupResponse)
}

func (r *rig) waits(seq uint64) bool {
	_, answered := r.answered[seq]
	return !answered
}

func (r *rig) describe(version int16, group string) kmsg.DescribeGroupsResponseGroup {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	return r.call(version, req).(*kmsg.DescribeGroupsResponse).Groups[0]
}

func (r *rig) state(group string) string { return r.describe(5, group).State }

func code(c int16) core.ErrorCode { return core.ErrorCode(c) }

// KIP-62: a client from before has no rebalance timeout, and is waited for as long as its session lasts.
func TestTheOldestJoinGroup(t *testing.T) {
	r := newLeader(t)
	req := joining("g", "")
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 8000, 0
	a := r.send(0, req)
	r.pass(core.Second)
	first := r.answer(a).(*kmsg.JoinGroupResponse)
	require.Zero(t, first.ErrorCode)
	require.Equal(t, first.MemberID, first.LeaderID)
	other := r.send(0, req) // a second member, for which the first one is waited for
	r.pass(7 * core.Second)
	require.Nil(t, r.answered[other])
	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", first.MemberID, first.Generation))
	r.pass(2 * core.Second)
	require.NotNil(t, r.answered[other], "8 s after it had come")
}

// KIP-394: "the first JoinGroup request of a dynamic member is rejected with MEMBER_ID_REQUIRED", and the id expires.
func TestNewMembersLearnTheirIDFirst(t *testing.T) {
	r := newLeader(t)
	resp := r.call(4, joining("g", "")).(*kmsg.JoinGroupResponse)
	require.Equal(t, core.ErrMemberIDRequired, code(resp.ErrorCode))
	require.Regexp(t, `^c-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, resp.MemberID)
	require.Equal(t, int32(-1), resp.Generation)
	r.pass(11 * core.Second)
	again := r.call(4, joining("g", resp.MemberID)).(*kmsg.JoinGroupResponse)
	require.Equal(t, core.ErrUnknownMemberID, code(again.ErrorCode), "it came back after its session timeout")
	require.Equal(t, "Dead", r.state("g"), "nothing is left of it")

	seq := r.send(3, joining("g", ""))
	r.pass(core.Second)
	require.Zero(t, r.joined(seq).ErrorCode, "before version 4 members join at once")
}

// KIP-134: the initial delay is drawn out by members that come, up to the rebalance timeout.
func TestInitialDelayWaitsForMore(t *testing.T) {
	r := newLeader(t)
	_, first := r.member("g")
	r.pass(90 * core.Millisecond)
	_, second := r.member("g")
	r.pass(50 * core.Millisecond)
	require.True(t, r.waits(first), "140 ms: somebody came in the first 100")
	require.Equal(t, "PreparingRebalance", r.state("g"))
	r.pass(60 * core.Millisecond)
	require.Len(t, append(r.joined(first).Members, r.joined(second).Members...), 2)
	require.Equal(t, "CompletingRebalance", r.state("g"))
}

func TestLeaderRejoinBeginsARebalanceAFollowersDoesNot(t *testing.T) {
	r := newLeader(t)
	ids, generation := r.stable("g", 3)
	resp := r.call(9, joining("g", ids[1])).(*kmsg.JoinGroupResponse)
	require.Equal(t, []any{core.ErrNone, generation, ids[0]}, []any{code(resp.ErrorCode), resp.Generation, resp.LeaderID})
	require.Empty(t, resp.Members)
	require.Equal(t, core.ErrNone, r.heartbeat("g", ids[2], generation))

	changed := joining("g", ids[1])
	changed.Protocols[0].Metadata = subscription("t", "u")
	seq := r.send(9, changed)
	require.True(t, r.waits(seq), "other metadata")
	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", ids[2], generation))
	require.Equal(t, core.ErrNone, r.commitOffset("g", ids[2], generation, 0, 5), "before it joins again it may commit what it has done")
	others := []uint64{r.send(9, joining("g", ids[0])), r.send(9, joining("g", ids[2]))}
	require.Equal(t, generation+1, r.joined(seq).Generation, "all are there")
	require.Equal(t, ids[0], r.joined(others[1]).LeaderID, "the leader stays")
	require.Equal(t, core.ErrRebalanceInProgress, r.commitOffset("g", ids[2], generation+1, 0, 6), "nobody owns anything")
	require.Equal(t, core.ErrIllegalGeneration, r.commitOffset("g", ids[2], generation, 0, 6))

	r.call(5, r.syncing("g", ids[0], generation+1, nil))
	require.Equal(t, "Stable", r.state("g"))
	seq = r.send(9, joining("g", ids[0]))
	require.True(t, r.waits(seq), "the leader's JoinGroup: perhaps partitions were added")
}

// The answer was lost: the same JoinGroup again gets the same generation.
func TestJoinAgainWhileTheAssignmentIsAwaited(t *testing.T) {
	r := newLeader(t)
	id, seq := r.member("g")
	r.pass(core.Second)
	require.Equal(t, r.joined(seq).Generation, r.call(9, joining("g", id)).(*kmsg.JoinGroupResponse).Generation)
	changed := joining("g", id)
	changed.Protocols[0].Metadata = subscription("u")
	resp := r.call(9, changed).(*kmsg.JoinGroupResponse)
	require.Equal(t, r.joined(seq).Generation+1, resp.Generation, "other metadata is another generation; nobody else is waited for")
}

func TestLaggardsAreOutAfterTheRebalanceTimeout(t *testing.T) {
	r := newLeader(t)
	ids, generation := r.stable("g", 3)
	seq := r.send(9, joining("g", ids[0]))
	for range 59 {
		r.pass(core.Second)
		require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", ids[1], generation), "alive, and does not join")
		require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", ids[2], generation))
		require.True(t, r.waits(seq))
	}
	r.pass(2 * core.Second)
	require.Len(t, r.joined(seq).Members, 1)
	require.Equal(t, core.ErrUnknownMemberID, r.heartbeat("g", ids[1], generation))
}

// KAFKA-12890: heartbeats keep nobody in a generation who does not ask for the assignment.
func TestMembersThatNeverSyncAreOut(t *testing.T) {
	r := newLeader(t)
	id, seq := r.member("g")
	other, _ := r.member("g")
	r.pass(300 * core.Millisecond)
	generation, leader := r.joined(seq).Generation, r.joined(seq).LeaderID
	follower := id
	if leader == id {
		follower = other
	}
	waiting := r.send(5, r.syncing("g", follower, generation, nil))
	for range 61 {
		r.pass(core.Second)
		_ = r.heartbeat("g", leader, generation) // keeps the session, and learns of the rebalance at the end
	}
	require.Equal(t, core.ErrRebalanceInProgress, code(r.answer(waiting).(*kmsg.SyncGroupResponse).ErrorCode))
	require.Equal(t, core.ErrUnknownMemberID, r.heartbeat("g", leader, generation))
	require.Zero(t, r.call(9, joining("g", follower)).(*kmsg.JoinGroupResponse).ErrorCode)
}

func TestSessionsEnd(t *testing.T) {
	r := newLeader(t)
	ids, generation := r.stable("g", 2)
	r.pass(9 * core.Second)
	require.Equal(t, core.ErrNone, r.commitOffset("g", ids[1], generation, 0, 1), "a commit is as good as a heartbeat")
	r.pass(2 * core.Second)
	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", ids[1], generation))
	require.Equal(t, core.ErrUnknownMemberID, r.heartbeat("g", ids[0], generation))
	require.Len(t, r.call(9, joining("g", ids[1])).(*kmsg.JoinGroupResponse).Members, 1)
}

func TestRefusedJoins(t *testing.T) {
	r := newLeader(t)
	r.stable("g", 1)
	for name, c := range map[string]struct {
		change func(*kmsg.JoinGroupRequest)
		want   core.ErrorCode
	}{
		"no group":           {func(q *kmsg.JoinGroupRequest) { q.Group = "" }, core.ErrInvalidGroupID},
		"huge group":         {func(q *kmsg.JoinGroupRequest) { q.Group = strings.Repeat("g", 40_000) }, core.ErrInvalidGroupID},
		"group is not UTF-8": {func(q *kmsg.JoinGroupRequest) { q.Group = "g\xff" }, core.ErrInvalidGroupID},
		"short session":      {func(q *kmsg.JoinGroupRequest) { q.SessionTimeoutMillis = 5_999 }, core.ErrInvalidSessionTimeout},
		"long session":       {func(q *kmsg.JoinGroupRequest) { q.SessionTimeoutMillis = 1_800_001 }, core.ErrInvalidSessionTimeout},
		"negative session":   {func(q *kmsg.JoinGroupRequest) { q.SessionTimeoutMillis = -1 }, core.ErrInvalidSessionTimeout},
		"other type":         {func(q *kmsg.JoinGroupRequest) { q.ProtocolType = "connect" }, core.ErrInconsistentGroupProtocol},
		"no type":            {func(q *kmsg.JoinGroupRequest) { q.ProtocolType = "" }, core.ErrInconsistentGroupProtocol},
		"no protocols":       {func(q *kmsg.JoinGroupRequest) { q.Protocols = nil }, core.ErrInconsistentGroupProtocol},
		"nothing in common":  {func(q *kmsg.JoinGroupRequest) { q.Protocols[0].Name = "x" }, core.ErrInconsistentGroupProtocol},
		"unknown member":     {func(q *kmsg.JoinGroupRequest) { q.MemberID = "m" }, core.ErrUnknownMemberID},
		"unknown group":      {func(q *kmsg.JoinGroupRequest) { q.Group, q.MemberID = "h", "m" }, core.ErrUnknownMemberID},
		"unknown instance":   {func(q *kmsg.JoinGroupRequest) { q.MemberID, q.InstanceID = "m", ptr("i") }, core.ErrUnknownMemberID},
		"huge instance":      {func(q *kmsg.JoinGroupRequest) { q.InstanceID = ptr(strings.Repeat("i", 40_000)) }, core.ErrInvalidRequest},
		"257 protocols":      {func(q *kmsg.JoinGroupRequest) { q.Protocols = slices.Repeat(q.Protocols, 257) }, core.ErrInvalidRequest},
		"huge protocol":      {func(q *kmsg.JoinGroupRequest) { q.Protocols[0].Name = strings.Repeat("i", 40_000) }, core.ErrInvalidRequest},
	} {
		req := joining("g", "")
		c.change(req)
		before := r.logs[groups.PartitionFor("g", partitions)].end
		resp := r.call(9, req).(*kmsg.JoinGroupResponse)
		require.Equal(t, c.want, code(resp.ErrorCode), name)
		require.Equal(t, "Stable", r.state("g"), name)
		require.Equal(t, "Dead", r.state("h"), name)
		require.Equal(t, before, r.logs[groups.PartitionFor("g", partitions)].end, name)
	}
}

// KIP-389.
func TestGroupMaxSize(t *testing.T) {
	r := newRigWith(t, "group.max.size", "2")
	r.leadAll(1)
	ids, generation := r.stable("g", 2)
	resp := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse)
	require.Equal(t, core.ErrGroupMaxSizeReached, code(resp.ErrorCode))
	require.Equal(t, core.ErrNone, r.heartbeat("g", ids[1], generation))

	small := newRigWith(t, "group.max.size", "1")
	small.logs = r.logs
	small.leadAll(2)
	require.Equal(t, core.ErrRebalanceInProgress, small.heartbeat("g", ids[0], generation), "a group over its size rebalances")
	first, second := small.send(9, joining("g", ids[0])), small.send(9, joining("g", ids[1]))
	require.Equal(t, core.ErrGroupMaxSizeReached, code(small.joined(second).ErrorCode))
	require.Len(t, small.joined(first).Members, 1)
}

func TestSyncIsChecked(t *testing.T) {
	r := newLeader(t)
	ids, generation := r.stable("g", 2)
	sync := func(change func(*kmsg.SyncGroupRequest)) core.ErrorCode {
		req := r.syncing("g", ids[1], generation, nil)
		change(req)
		return code(r.call(5, req).(*kmsg.SyncGroupResponse).ErrorCode)
	}
	require.Equal(t, core.ErrNone, sync(func(q *kmsg.SyncGroupRequest) { q.ProtocolType, q.Protocol = ptr("consumer"), ptr("range") }))
	require.Equal(t, core.ErrInconsistentGroupProtocol, sync(func(q *kmsg.SyncGroupRequest) { q.Protocol = ptr("sticky") }))
	require.Equal(t, core.ErrInconsistentGroupProtocol, sync(func(q *kmsg.SyncGroupRequest) { q.ProtocolType = ptr("connect") }))
	for name, lacks := range map[string]func(*kmsg.SyncGroupRequest){
		"type":     func(q *kmsg.SyncGroupRequest) { q.ProtocolType = nil },
		"protocol": func(q *kmsg.SyncGroupRequest) { q.Protocol = nil },
	} {
		require.Equal(t, core.ErrInconsistentGroupProtocol, sync(lacks), name)
		old := r.syncing("g", ids[1], generation, nil)
		lacks(old)
		require.Zero(t, r.call(4, old).(*kmsg.SyncGroupResponse).ErrorCode, "version 4 has no %s", name)
	}
	require.Equal(t, core.ErrIllegalGeneration, sync(func(q *kmsg.SyncGroupRequest) { q.Generation++ }))
	require.Equal(t, core.ErrUnknownMemberID, sync(func(q *kmsg.SyncGroupRequest) { q.MemberID = "x" }))
	require.Equal(t, core.ErrUnknownMemberID, sync(func(q *kmsg.SyncGroupRequest) { q.Group = "x" }))
	require.Equal(t, core.ErrInvalidGroupID, sync(func(q *kmsg.SyncGroupRequest) { q.Group = "" }))
	seq := r.send(9, joining("g", ids[0]))
	require.True(t, r.waits(seq))
	require.Equal(t, core.ErrRebalanceInProgress, sync(func(*kmsg.SyncGroupRequest) {}))
}

// Each member votes for what it prefers among what all support.
func TestProtocolOfTheMajority(t *testing.T) {
	r := newLeader(t)
	var seqs []uint64
	for _, names := range [][]string{{"a", "b", "x"}, {"b", "a"}, {"y", "b", "a"}} {
		req := joining("g", "")
		req.Protocols = nil
		for _, n := range names {
			req.Protocols = append(req.Protocols, kmsg.JoinGroupRequestProtocol{Name: n, Metadata: []byte(n)})
		}
		req.MemberID = r.call(9, req).(*kmsg.JoinGroupResponse).MemberID
		seqs = append(seqs, r.send(9, req))
	}
	r.pass(core.Second)
	for _, seq := range seqs {
		require.Equal(t, "b", *r.joined(seq).Protocol)
		for _, m := range r.joined(seq).Members {
			require.Equal(t, "b", string(m.ProtocolMetadata))
		}
	}
}

func TestLeaving(t *testing.T) {
	r := newLeader(t)
	ids, generation := r.stable("g", 3)
	leave := func(version int16, members ...kmsg.LeaveGroupRequestMember) []core.ErrorCode {
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Group, req.Members = "g", members
		if version < 3 {
			req.MemberID = members[0].MemberID
		}
		resp := r.call(version, req).(*kmsg.LeaveGroupResponse)
		codes := []core.ErrorCode{code(resp.ErrorCode)}
		for _, m := range resp.Members {
			codes = append(codes, code(m.ErrorCode))
		}
		return codes
	}
	pending := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse).MemberID
	require.Equal(t, []core.ErrorCode{core.ErrNone, core.ErrUnknownMemberID, core.ErrUnknownMemberID, core.ErrUnknownMemberID}, leave(5,
		kmsg.LeaveGroupRequestMember{MemberID: "x"}, kmsg.LeaveGroupRequestMember{InstanceID: ptr("i")},
		kmsg.LeaveGroupRequestMember{MemberID: ids[0], InstanceID: ptr("i")}))
	require.Equal(t, core.ErrNone, r.heartbeat("g", ids[0], generation), "nobody has left")
	require.Equal(t, []core.ErrorCode{core.ErrNone, core.ErrNone, core.ErrNone, core.ErrUnknownMemberID}, leave(5,
		kmsg.LeaveGroupRequestMember{MemberID: ids[0]}, kmsg.LeaveGroupRequestMember{MemberID: pending}, kmsg.LeaveGroupRequestMember{MemberID: ids[0]}))
	require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", ids[1], generation))
	require.Equal(t, []core.ErrorCode{core.ErrNone}, leave(2, kmsg.LeaveGroupRequestMember{MemberID: ids[1]}))
	require.Equal(t, []core.ErrorCode{core.ErrUnknownMemberID}, leave(2, kmsg.LeaveGroupRequestMember{MemberID: ids[1]}))
	leave(3, kmsg.LeaveGroupRequestMember{MemberID: ids[2]})
	require.Equal(t, "Empty", r.state("g"))
}

// static joins a static member; the answer must come.
func static(r *rig, version int16, member, instance string) *kmsg.JoinGroupResponse {
	req := joining("g", member)
	req.InstanceID = &instance
	seq := r.send(version, req)
	r.pass(300 * core.Millisecond)
	return r.joined(seq)
}

func staticBeat(r *rig, member, instance string, generation int32) core.ErrorCode {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation, req.InstanceID = "g", member, generation, &instance
	return code(r.call(4, req).(*kmsg.HeartbeatResponse).ErrorCode)
}

// moveCoordinator ends the coordinator of the group, and has the next one load its log.
func (r *rig) moveCoordinator(group string) {
	p := groups.PartitionFor(group, partitions)
	for _, v := range r.plane.Views() {
		if v.Partition == p {
			r.plane.Unlead(r.now, p, v.Epoch, &r.out)
			r.lead(p, v.Epoch+1)
		}
	}
}

// KIP-345: whoever joins under a group.instance.id replaces who had it before, without a rebalance, and fences it everywhere; and
// so it is for the next coordinator too (KAFKA-10284).
func TestStaticMemberIsReplaced(t *testing.T) {
	for _, version := range []int16{5, 9} {
		r := newLeader(t)
		old := static(r, version, "", "i")
		require.Zero(t, old.ErrorCode)
		r.call(5, r.syncing("g", old.MemberID, old.Generation, map[string]string{old.MemberID: "all"}))

		fresh := static(r, version, "", "i")
		require.Equal(t, []any{core.ErrNone, old.Generation}, []any{code(fresh.ErrorCode), fresh.Generation})
		require.NotEqual(t, old.MemberID, fresh.MemberID)
		if version >= 9 {
			require.True(t, fresh.SkipAssignment)
			require.Equal(t, fresh.MemberID, fresh.LeaderID)
			require.Equal(t, fresh.MemberID, fresh.Members[0].MemberID)
		} else {
			require.Equal(t, old.MemberID, fresh.LeaderID, "it must not assign")
			require.Empty(t, fresh.Members)
		}
		for range 2 {
			sync := r.call(5, r.syncing("g", fresh.MemberID, fresh.Generation, nil)).(*kmsg.SyncGroupResponse)
			require.Equal(t, "all", string(sync.MemberAssignment), "it goes on with what the other had")
			require.Equal(t, core.ErrNone, staticBeat(r, fresh.MemberID, "i", fresh.Generation))
			require.Equal(t, core.ErrFencedInstanceID, staticBeat(r, old.MemberID, "i", old.Generation))
			require.Equal(t, core.ErrFencedInstanceID, code(static(r, version, old.MemberID, "i").ErrorCode))
			req := committing("g", old.MemberID, old.Generation, 0, 9)
			req.InstanceID = ptr("i")
			require.Equal(t, core.ErrFencedInstanceID, code(r.call(9, req).(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode))
			stale := r.syncing("g", old.MemberID, old.Generation, nil)
			stale.InstanceID = ptr("i")
			require.Equal(t, core.ErrFencedInstanceID, code(r.call(5, stale).(*kmsg.SyncGroupResponse).ErrorCode))
			r.moveCoordinator("g")
		}
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Group, leave.Members = "g", []kmsg.LeaveGroupRequestMember{{InstanceID: ptr("i")}}
		require.Zero(t, r.call(5, leave).(*kmsg.LeaveGroupResponse).Members[0].ErrorCode, "an administrator removes it by its instance id")
		require.Equal(t, "Empty", r.state("g"))
	}
}

// A static member that has still to give up partitions (KIP-429) is replaced with a rebalance: its successor would not know that
// they wait for its joining again.
func TestReplacingWhoMustRevokeBeginsARebalance(t *testing.T) {
	p := func(i int32) core.TopicPartition { return core.TopicPartition{Topic: "t", Partition: i} }
	owning := protocol.Subscription{Topics: []string{"t"}, Owned: []core.TopicPartition{p(0), p(1)}}
	for given, rises := range map[string]int32{
		string(protocol.Assignment{Partitions: []core.TopicPartition{p(1), p(0), p(2)}}.AppendTo(nil, 1)): 0,
		string(protocol.Assignment{Partitions: []core.TopicPartition{p(1), p(2)}}.AppendTo(nil, 1)):       1,
		"": 1, // nothing
	} {
		r := newLeader(t)
		req := joining("g", "")
		req.InstanceID, req.Protocols[0].Metadata = ptr("i"), owning.AppendTo(nil, 1)
		seq := r.send(9, req)
		r.pass(300 * core.Millisecond)
		old := r.joined(seq)
		r.call(5, r.syncing("g", old.MemberID, old.Generation, map[string]string{old.MemberID: given}))
		require.Equal(t, old.Generation+rises, static(r, 9, "", "i").Generation)
	}
}

// A static member that comes back to read other topics has nothing to go on with: what the leader has assigned does not fit.
func TestReplacingWhoReadsOtherTopicsBeginsARebalance(t *testing.T) {
	reading := func(r *rig, topics ...string) uint64 {
		req := joining("g", "")
		req.InstanceID, req.Protocols[0].Metadata = ptr("i"), protocol.Subscription{Topics: topics}.AppendTo(nil, 1)
		return r.send(9, req)
	}
	for want, topics := range map[int32][]string{0: {"u", "t"}, 1: {"t", "u", "v"}} {
		r := newLeader(t)
		seq := reading(r, "t", "u")
		r.pass(300 * core.Millisecond)
		old := r.joined(seq)
		r.call(5, r.syncing("g", old.MemberID, old.Generation, map[string]string{old.MemberID: "all"}))
		seq = reading(r, topics...)
		r.pass(300 * core.Millisecond)
		require.Equal(t, old.Generation+want, r.joined(seq).Generation)
	}
}

// A replacement that the log does not take has not happened.
func TestRefusedReplacementChangesNothing(t *testing.T) {
	r := newLeader(t)
	old := static(r, 9, "", "i")
	r.call(5, r.syncing("g", old.MemberID, old.Generation, map[string]string{old.MemberID: "all"}))
	r.refuse = core.ErrNotEnoughReplicas
	require.Equal(t, core.ErrCoordinatorNotAvailable, code(static(r, 9, "", "i").ErrorCode))
	require.Equal(t, core.ErrNone, staticBeat(r, old.MemberID, "i", old.Generation))
	r.refuse = core.ErrMessageTooLarge
	require.Equal(t, core.ErrUnknownServerError, code(static(r, 9, "", "i").ErrorCode))
}

// A static member that has been told its id is not fenced by a coordinator that comes before the generation is assigned: whether
// it replaced a process in a rebalance, or came after that had left (KIP-345). Found by the simulator: a member replaced in a
// rebalance was fenced by the next coordinator, and its process ended for good.
func TestStaticMemberOutlivesTheCoordinatorInARebalance(t *testing.T) {
	for name, gone := range map[string]bool{"replaced": false, "left": true} {
		t.Run(name, func(t *testing.T) {
			r := newLeader(t)
			old := static(r, 9, "", "i")
			r.call(5, r.syncing("g", old.MemberID, old.Generation, map[string]string{old.MemberID: "all"}))
			_, other := r.member("g")
			require.True(t, r.waits(other), "a rebalance is under way")
			if gone {
				leave := kmsg.NewPtrLeaveGroupRequest()
				leave.Group, leave.Members = "g", []kmsg.LeaveGroupRequestMember{{MemberID: old.MemberID, InstanceID: ptr("i")}}
				require.Zero(t, r.call(5, leave).(*kmsg.LeaveGroupResponse).Members[0].ErrorCode)
				require.False(t, r.waits(other))
			}
			seq := r.send(9, func() *kmsg.JoinGroupRequest { req := joining("g", ""); req.InstanceID = ptr("i"); return req }())
			for range 60 {
				if r.waits(seq) {
					r.pass(core.Second)
				}
			}
			fresh := r.joined(seq)
			require.Equal(t, core.ErrNone, code(fresh.ErrorCode))
			r.moveCoordinator("g")
			sync := r.syncing("g", fresh.MemberID, fresh.Generation, nil)
			sync.InstanceID = ptr("i")
			require.Equal(t, core.ErrIllegalGeneration, code(r.call(5, sync).(*kmsg.SyncGroupResponse).ErrorCode), "it is to join again")
			require.Equal(t, core.ErrFencedInstanceID, staticBeat(r, old.MemberID, "i", old.Generation))
		})
	}
}

// Static members that do not come back in a rebalance stay in the group as long as their session lasts.
func TestStaticMembersSurviveARebalance(t *testing.T) {
	r := newLeader(t)
	req := joining("g", "")
	req.InstanceID, req.SessionTimeoutMillis = ptr("i"), 100_000
	seq := r.send(9, req)
	r.pass(300 * core.Millisecond)
	r.call(5, r.syncing("g", r.joined(seq).MemberID, r.joined(seq).Generation, nil))
	_, seq = r.member("g")
	r.pass(59 * core.Second)
	require.True(t, r.waits(seq))
	r.pass(2 * core.Second)
	require.Len(t, r.joined(seq).Members, 2, "the rebalance timeout has passed, the session not")
}

// A rebalance timeout of nothing, and nobody who could lead: that must not be a loop.
func TestNobodyComesBackWithoutARebalanceTimeout(t *testing.T) {
	r := newLeader(t)
	first := static(r, 9, "", "i")
	r.call(5, r.syncing("g", first.MemberID, first.Generation, nil))
	req := joining("g", "")
	req.InstanceID, req.RebalanceTimeoutMillis, req.SessionTimeoutMillis = ptr("i"), 0, 20_000
	require.Zero(t, r.call(9, req).(*kmsg.JoinGroupResponse).ErrorCode)
	require.Equal(t, "Stable", r.state("g"))
	other := joining("g", "")
	other.RebalanceTimeoutMillis = 0
	other.MemberID = r.call(9, other).(*kmsg.JoinGroupResponse).MemberID
	r.send(9, other)
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group, leave.Members = "g", []kmsg.LeaveGroupRequestMember{{MemberID: other.MemberID}}
	r.call(5, leave)
	r.pass(15 * core.Second)
	require.Equal(t, "PreparingRebalance", r.state("g"))
	r.pass(10 * core.Second)
	require.Equal(t, "Empty", r.state("g"), "its session is over")
}

func TestRefusedAssignmentIsMadeAgain(t *testing.T) {
	r := newLeader(t)
	id, seq := r.member("g")
	r.pass(core.Second)
	r.refuse = core.ErrNotEnoughReplicas
	sync := r.call(5, r.syncing("g", id, r.joined(seq).Generation, map[string]string{id: "all"})).(*kmsg.SyncGroupResponse)
	require.Equal(t, core.ErrCoordinatorNotAvailable, code(sync.ErrorCode))
	require.Equal(t, "PreparingRebalance", r.state("g"))
	r.refuse = core.ErrNone
	again := r.call(9, joining("g", id)).(*kmsg.JoinGroupResponse)
	require.Equal(t, r.joined(seq).Generation+1, again.Generation)
}

// An empty generation that the log does not take at first is written later.
func TestEmptyGenerationIsWrittenInTheEnd(t *testing.T) {
	r := newLeader(t)
	ids, _ := r.stable("g", 1)
	r.refuse = core.ErrNotEnoughReplicas
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group, leave.Members = "g", []kmsg.LeaveGroupRequestMember{{MemberID: ids[0]}}
	r.call(5, leave)
	require.Equal(t, "Empty", r.state("g"))
	r.pass(10 * core.Second)
	r.refuse = core.ErrNone
	before := r.logs[groups.PartitionFor("g", partitions)].end
	r.pass(10 * core.Second)
	require.Equal(t, before+1, r.logs[groups.PartitionFor("g", partitions)].end)
	r.leadAll(2)
	require.Equal(t, "Empty", r.state("g"))
}

// Whatever a consumer's metadata says, it is the leader's to read; the coordinator only looks for topics in it.
func TestAbsurdMetadata(t *testing.T) {
	for name, metadata := range map[string][]byte{
		"none":            nil,
		"garbage":         {0xff, 0xff, 1, 2, 3},
		"claims too much": {0, 0, 0x7f, 0xff, 0xff, 0xff},
		"100,000 topics":  subscription(slices.Repeat([]string{strings.Repeat("x", 200)}, 100_000)...),
	} {
		r := newLeader(t)
		req := joining("g", "")
		req.Protocols[0].Metadata = metadata
		req.MemberID = r.call(9, req).(*kmsg.JoinGroupResponse).MemberID
		seq := r.send(9, req)
		r.pass(core.Second)
		require.Zero(t, r.joined(seq).ErrorCode, name)
		require.Zero(t, r.call(5, r.syncing("g", req.MemberID, 1, nil)).(*kmsg.SyncGroupResponse).ErrorCode, name)
		require.Equal(t, "Stable", r.state("g"), name)
	}
}

// A static member that restarts before its first generation is as new as before: it waits for longer than a session, and sends no
// heartbeats meanwhile.
func TestNewStaticMemberIsReplaced(t *testing.T) {
	r := newLeader(t)
	ids, generation := r.stable("g", 1)
	join := func() uint64 {
		req := joining("g", "")
		req.InstanceID = ptr("i")
		return r.send(9, req)
	}
	before := join()
	r.pass(core.Second)
	after := join()
	require.Equal(t, core.ErrFencedInstanceID, code(r.joined(before).ErrorCode))
	for range 30 {
		r.pass(core.Second)
		require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", ids[0], generation))
	}
	require.True(t, r.waits(after))
	r.send(9, joining("g", ids[0]))
	require.Zero(t, r.joined(after).ErrorCode)
}
