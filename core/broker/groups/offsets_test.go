package groups_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

func topicT() core.TopicID { return core.TopicIDFromWords(7, 2) }

func TestWhoMayCommit(t *testing.T) {
	r := newLeader(t)
	require.Equal(t, core.ErrGroupIDNotFound, r.commitOffset("none", "m", 3, 0, 1))
	req := committing("none", "m", 3, 0, 1)
	require.Equal(t, core.ErrIllegalGeneration, code(r.call(8, req).(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode))
	require.Equal(t, "Dead", r.state("none"))
	require.Equal(t, core.ErrNone, r.commitOffset("simple", "", -1, 0, 1), "a group is made for who assigns partitions to itself")
	require.Equal(t, core.ErrNone, r.commitOffset("", "", -1, 0, 1), "the empty group too")
	require.Equal(t, int64(1), r.fetchOffset("", 0))
	row := r.describe(5, "simple")
	require.Equal(t, []string{"Empty", ""}, []string{row.State, row.ProtocolType})

	ids, generation := r.stable("g", 2)
	require.Equal(t, core.ErrNone, r.commitOffset("g", ids[0], generation, 0, 1))
	require.Equal(t, core.ErrIllegalGeneration, r.commitOffset("g", ids[0], generation+1, 0, 2))
	require.Equal(t, core.ErrIllegalGeneration, r.commitOffset("g", ids[0], -1, 0, 2))
	require.Equal(t, core.ErrUnknownMemberID, r.commitOffset("g", "x", generation, 0, 2))
	require.Equal(t, core.ErrUnknownMemberID, r.commitOffset("g", "", -1, 0, 2), "not while the group has members")
	require.Equal(t, int64(1), r.fetchOffset("g", 0))
	require.Equal(t, core.ErrInvalidGroupID, r.commitOffset("g\xff", "", -1, 0, 2))
}

func TestCommitsOfPartitionsAreJudgedOneByOne(t *testing.T) {
	r := newLeader(t)
	req := committing("g", "", -1, 0, 1)
	ps := &req.Topics[0].Partitions
	*ps = append(*ps, (*ps)[0], (*ps)[0], (*ps)[0])
	(*ps)[1].Partition, (*ps)[1].Metadata = 1, kmsg.StringPtr(strings.Repeat("é", 4096))
	(*ps)[2].Partition, (*ps)[2].Metadata = 2, kmsg.StringPtr(strings.Repeat("e", 4097))
	(*ps)[3].Partition = 8
	req.Topics = append(req.Topics, kmsg.OffsetCommitRequestTopic{Topic: "missing", Partitions: (*ps)[:1]})
	resp := r.call(8, req).(*kmsg.OffsetCommitResponse)
	var codes []core.ErrorCode
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			codes = append(codes, code(p.ErrorCode))
		}
	}
	require.Equal(t, []core.ErrorCode{
		core.ErrNone, core.ErrNone, core.ErrOffsetMetadataTooLarge, core.ErrUnknownTopicOrPartition, core.ErrUnknownTopicOrPartition,
	}, codes)
	require.Equal(t, int64(1), r.fetchOffset("g", 1), "4096 characters, whatever their bytes")
	require.Equal(t, int64(-1), r.fetchOffset("g", 2))
}

// Every version answers in its own form.
func TestOffsetFetchInAllVersions(t *testing.T) {
	for version := int16(1); version <= 10; version++ {
		r := newLeader(t)
		r.mustCommit("g", "", -1, 3, 17)
		req := kmsg.NewPtrOffsetFetchRequest()
		req.Group = "g"
		req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: "t", Partitions: []int32{3, 4}}}
		for _, id := range []string{"g", "nobody"} {
			g := kmsg.NewOffsetFetchRequestGroup()
			g.Group, g.Topics = id, []kmsg.OffsetFetchRequestGroupTopic{{Topic: "t", TopicID: topicT(), Partitions: []int32{3, 4}}}
			if version < 10 {
				g.Topics[0].TopicID = core.TopicID{}
			} else {
				g.Topics[0].Topic = ""
			}
			req.Groups = append(req.Groups, g)
		}
		resp := r.call(version, req).(*kmsg.OffsetFetchResponse)
		if version < 8 {
			require.Len(t, resp.Topics, 1)
			ps := resp.Topics[0].Partitions
			require.Equal(t, []any{int64(17), "meta", int32(3), int64(-1), "", int16(0)},
				[]any{ps[0].Offset, *ps[0].Metadata, ps[0].LeaderEpoch, ps[1].Offset, *ps[1].Metadata, ps[1].ErrorCode}, "version %d", version)
			continue
		}
		ps := resp.Groups[0].Topics[0].Partitions
		require.Equal(t, []int64{17, -1}, []int64{ps[0].Offset, ps[1].Offset}, "version %d", version)
		ps = resp.Groups[1].Topics[0].Partitions
		require.Equal(t, []any{int64(-1), int16(0), int16(0)}, []any{ps[0].Offset, ps[0].ErrorCode, resp.Groups[1].ErrorCode})
	}
}

func TestOffsetFetchOfEverything(t *testing.T) {
	r := newLeader(t)
	r.mustCommit("g", "", -1, 3, 17)
	r.mustCommit("g", "", -1, 1, 5)
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = "g"
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = "g"
	req.Groups = []kmsg.OffsetFetchRequestGroup{g}
	require.Len(t, r.call(2, req).(*kmsg.OffsetFetchResponse).Topics[0].Partitions, 2)
	resp := r.call(10, req).(*kmsg.OffsetFetchResponse)
	require.Equal(t, [16]byte(topicT()), resp.Groups[0].Topics[0].TopicID)
	require.Equal(t, int32(1), resp.Groups[0].Topics[0].Partitions[0].Partition)

	unknown := kmsg.NewPtrOffsetFetchRequest()
	g.Topics = []kmsg.OffsetFetchRequestGroupTopic{{TopicID: [16]byte{9}, Partitions: []int32{0}}}
	unknown.Groups = []kmsg.OffsetFetchRequestGroup{g}
	require.Equal(t, core.ErrUnknownTopicID, code(r.call(10, unknown).(*kmsg.OffsetFetchResponse).Groups[0].Topics[0].Partitions[0].ErrorCode))
}

// A request that names one partition many times is not answered by as many copies of its metadata, 4 KiB each for 4 bytes.
func TestOffsetFetchTwice(t *testing.T) {
	r := newLeader(t)
	r.mustCommit("g", "", -1, 3, 17)
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, g.Topics = "g", []kmsg.OffsetFetchRequestGroupTopic{{Topic: "t", Partitions: []int32{3, 4, 3}}, {Topic: "t", Partitions: []int32{3}}}
	req.Groups = []kmsg.OffsetFetchRequestGroup{g}
	topics := r.call(8, req).(*kmsg.OffsetFetchResponse).Groups[0].Topics
	require.Equal(t, []any{int64(17), "meta"}, []any{topics[0].Partitions[0].Offset, *topics[0].Partitions[0].Metadata})
	for _, again := range []kmsg.OffsetFetchResponseGroupTopicPartition{topics[0].Partitions[2], topics[1].Partitions[0]} {
		require.Equal(t, []any{core.ErrInvalidRequest, int64(-1), ""}, []any{code(again.ErrorCode), again.Offset, *again.Metadata})
	}
}

// Nothing is served while the log is read, and none of it before it is committed; every API says so.
func TestNothingIsServedWhileLoading(t *testing.T) {
	r := newLeader(t)
	ids, generation := r.stable("g", 1)
	p := groups.PartitionFor("g", partitions)
	r.auto = false
	r.plane.Unlead(r.now, p, 1, &r.out)
	r.lead(p, 2)
	for _, stage := range []string{"loading", "settling"} {
		for want, reqs := range map[core.ErrorCode][]kmsg.Request{
			core.ErrCoordinatorLoadInProgress: requestsFor("g", ids[0], generation)[1:],
			core.ErrNone:                      requestsFor("g", ids[0], generation)[:1], // heartbeats
		} {
			for _, req := range reqs {
				require.Equal(t, want, firstCode(t, r.call(versionOf(req), req)), "%s: %T", stage, req)
			}
		}
		r.answerReads()
		r.settle()
	}
	r.commit(p, 2)
	r.settle()
	require.Equal(t, core.ErrNone, r.heartbeat("g", ids[0], generation))
	r.plane.Unlead(r.now, p, 2, &r.out)
	for _, req := range requestsFor("g", ids[0], generation) {
		if _, list := req.(*kmsg.ListGroupsRequest); !list {
			require.Equal(t, core.ErrNotCoordinator, firstCode(t, r.call(versionOf(req), req)), "%T", req)
		}
	}
}

// A list that cannot be complete is none: a partition that could not be read has groups, too.
func TestNothingIsListedThatLooksComplete(t *testing.T) {
	r := newLeader(t)
	r.stable("g", 1)
	p := groups.PartitionFor("g", partitions)
	list := func() core.ErrorCode {
		return code(r.call(5, kmsg.NewPtrListGroupsRequest()).(*kmsg.ListGroupsResponse).ErrorCode)
	}
	require.Equal(t, core.ErrNone, list())
	r.auto = false
	r.plane.Unlead(r.now, p, 1, &r.out)
	r.lead(p, 2)
	require.Equal(t, core.ErrCoordinatorLoadInProgress, list())
	r.plane.LoadFailed(p, 2, "the disk is gone")
	require.Equal(t, core.ErrCoordinatorNotAvailable, list())
	r.plane.Unlead(r.now, p, 2, &r.out)
	require.Equal(t, core.ErrNone, list(), "the partition is somebody else's")
}

func versionOf(req kmsg.Request) int16 { return min(req.MaxVersion(), 9) }

// requestsFor are requests of all kinds for a group, Heartbeat first.
func requestsFor(group, member string, generation int32) []kmsg.Request {
	beat := kmsg.NewPtrHeartbeatRequest()
	beat.Group, beat.MemberID, beat.Generation = group, member, generation
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation, sync.ProtocolType, sync.Protocol = group, member, generation, ptr("consumer"), ptr("range")
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group, leave.Members = group, []kmsg.LeaveGroupRequestMember{{MemberID: member}}
	fetch := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	fetch.Groups = []kmsg.OffsetFetchRequestGroup{g}
	describe := kmsg.NewPtrDescribeGroupsRequest()
	describe.Groups = []string{group}
	remove := kmsg.NewPtrDeleteGroupsRequest()
	remove.Groups = []string{group}
	offsets := kmsg.NewPtrOffsetDeleteRequest()
	offsets.Group = group
	return []kmsg.Request{
		beat, joining(group, member), sync, leave, committing(group, member, generation, 0, 1), fetch, describe, kmsg.NewPtrListGroupsRequest(),
		remove, offsets,
	}
}

// firstCode is the error of a response, wherever it stands.
func firstCode(t *testing.T, resp kmsg.Response) core.ErrorCode {
	switch resp := resp.(type) {
	case *kmsg.HeartbeatResponse:
		return code(resp.ErrorCode)
	case *kmsg.JoinGroupResponse:
		require.True(t, resp.ErrorCode == 0 || resp.Generation == -1)
		return code(resp.ErrorCode)
	case *kmsg.SyncGroupResponse:
		return code(resp.ErrorCode)
	case *kmsg.LeaveGroupResponse:
		return code(resp.ErrorCode)
	case *kmsg.OffsetCommitResponse:
		return code(resp.Topics[0].Partitions[0].ErrorCode)
	case *kmsg.OffsetFetchResponse:
		return code(resp.Groups[0].ErrorCode)
	case *kmsg.DescribeGroupsResponse:
		return code(resp.Groups[0].ErrorCode)
	case *kmsg.ListGroupsResponse:
		return code(resp.ErrorCode)
	case *kmsg.DeleteGroupsResponse:
		return code(resp.Groups[0].ErrorCode)
	case *kmsg.OffsetDeleteResponse:
		return code(resp.ErrorCode)
	}
	t.Fatalf("unexpected %T", resp)
	return 0
}

// No answer leaves before what it rests on is committed; in the end it is COORDINATOR_NOT_AVAILABLE. Whoever waits when the
// leadership ends is sent away.
func TestAnswersWaitForTheHighWatermark(t *testing.T) {
	r := newLeader(t)
	ids, generation := r.stable("g", 1)
	r.auto = false
	var seqs []uint64
	commit := committing("g", ids[0], generation, 0, 7)
	seqs = append(seqs, r.send(8, commit))
	for _, req := range requestsFor("g", ids[0], generation) {
		switch req.(type) {
		case *kmsg.LeaveGroupRequest, *kmsg.JoinGroupRequest, *kmsg.OffsetCommitRequest, *kmsg.DeleteGroupsRequest:
		default:
			seqs = append(seqs, r.send(versionOf(req), req))
		}
	}
	other := r.send(8, committing("h", "", -1, 0, 7))
	for _, seq := range seqs {
		require.True(t, r.waits(seq), "request %d rests on a commit that may be lost", seq)
	}
	require.NotEqual(t, groups.PartitionFor("g", partitions), groups.PartitionFor("h", partitions))
	r.commit(groups.PartitionFor("h", partitions), 1)
	r.settle()
	require.False(t, r.waits(other), "another partition's answers do not wait")
	r.commit(groups.PartitionFor("g", partitions), 1)
	r.settle()
	for _, seq := range seqs {
		require.Equal(t, core.ErrNone, firstCode(t, r.answer(seq)))
	}

	late := r.send(8, committing("g", ids[0], generation, 0, 8))
	r.pass(6 * core.Second)
	require.Equal(t, core.ErrCoordinatorNotAvailable, firstCode(t, r.answer(late)))
	lost, parked := r.send(8, committing("g", ids[0], generation, 0, 9)), r.send(9, joining("g", ids[0]))
	r.plane.Unlead(r.now, groups.PartitionFor("g", partitions), 1, &r.out)
	r.settle()
	require.Equal(t, core.ErrNotCoordinator, firstCode(t, r.answer(lost)))
	require.Equal(t, core.ErrNotCoordinator, firstCode(t, r.answer(parked)))
}

func TestOffsetDelete(t *testing.T) {
	r := newLeader(t)
	remove := func(group string, topics ...string) (core.ErrorCode, []core.ErrorCode) {
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group = group
		for _, topic := range topics {
			req.Topics = append(req.Topics, kmsg.OffsetDeleteRequestTopic{Topic: topic, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}})
		}
		resp := r.call(0, req).(*kmsg.OffsetDeleteResponse)
		var codes []core.ErrorCode
		for _, topic := range resp.Topics {
			codes = append(codes, code(topic.Partitions[0].ErrorCode))
		}
		return code(resp.ErrorCode), codes
	}
	r.topic("u", 3, 1)
	top, _ := remove("none", "t")
	require.Equal(t, core.ErrGroupIDNotFound, top)
	ids, generation := r.stable("g", 1)
	r.mustCommit("g", ids[0], generation, 0, 5)
	top, codes := remove("g", "t", "u", "missing")
	require.Equal(t, core.ErrNone, top)
	require.Equal(t, []core.ErrorCode{core.ErrGroupSubscribedToTopic, core.ErrNone, core.ErrUnknownTopicOrPartition}, codes)
	require.Equal(t, int64(5), r.fetchOffset("g", 0))
	r.mustCommit("simple", "", -1, 0, 5)
	_, codes = remove("simple", "t")
	require.Equal(t, []core.ErrorCode{core.ErrNone}, codes)
	require.Equal(t, int64(-1), r.fetchOffset("simple", 0))
	r.mustCommit("simple", "", -1, 0, 5)
	named := kmsg.NewPtrDeleteGroupsRequest()
	named.Groups = []string{"simple", "simple"}
	once := r.call(2, named).(*kmsg.DeleteGroupsResponse).Groups
	require.Len(t, once, 1)
	require.Zero(t, once[0].ErrorCode)
	require.Equal(t, "Dead", r.state("simple"), "nothing is left of it")
}

// TestOffsetDeleteOfNothing: that nothing was committed is said by a coordinator that proves to be one, as in seed 9900291 of groups:
// one that had been replaced promised a deletion of what it had not heard of.
func TestOffsetDeleteOfNothing(t *testing.T) {
	r := newLeader(t)
	r.topic("u", 3, 1)
	r.stable("g", 1)
	r.auto = false
	remove := func(topic string) uint64 {
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group = "g"
		req.Topics = []kmsg.OffsetDeleteRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}}}
		return r.send(0, req)
	}
	require.False(t, r.waits(remove("t")), "a refusal promises nothing")
	nothing := remove("u")
	require.True(t, r.waits(nothing))
	r.plane.Unlead(r.now, groups.PartitionFor("g", partitions), 1, &r.out)
	r.settle()
	require.Equal(t, int16(core.ErrNotCoordinator), r.answer(nothing).(*kmsg.OffsetDeleteResponse).ErrorCode)
}

func TestDescribeListDelete(t *testing.T) {
	r := newLeader(t)
	ids, _ := r.stable("g", 2)
	r.mustCommit("simple", "", -1, 0, 5)
	row := r.describe(5, "g")
	require.Equal(t, []string{"Stable", "consumer", "range"}, []string{row.State, row.ProtocolType, row.Protocol})
	require.Len(t, row.Members, 2)
	require.Equal(t, []string{"c", "/127.0.0.1"}, []string{row.Members[0].ClientID, row.Members[0].ClientHost})
	require.Equal(t, "of "+row.Members[0].MemberID, string(row.Members[0].MemberAssignment))
	require.Equal(t, subscription("t"), row.Members[0].ProtocolMetadata)
	require.Equal(t, core.ErrNone, code(r.describe(5, "x").ErrorCode))
	require.Equal(t, core.ErrGroupIDNotFound, code(r.describe(6, "x").ErrorCode))
	twice := kmsg.NewPtrDescribeGroupsRequest()
	twice.Groups = []string{"g", "g"}
	rows := r.call(5, twice).(*kmsg.DescribeGroupsResponse).Groups
	require.Equal(t, []core.ErrorCode{core.ErrNone, core.ErrInvalidRequest}, []core.ErrorCode{code(rows[0].ErrorCode), code(rows[1].ErrorCode)})

	list := func(states, kinds []string) (found []string) {
		req := kmsg.NewPtrListGroupsRequest()
		req.StatesFilter, req.TypesFilter = states, kinds
		for _, g := range r.call(5, req).(*kmsg.ListGroupsResponse).Groups {
			found = append(found, fmt.Sprint(g.Group, " ", g.ProtocolType, " ", g.GroupState, " ", g.GroupType))
		}
		return found
	}
	require.ElementsMatch(t, []string{"g consumer Stable classic", "simple  Empty classic"}, list(nil, nil))
	require.Equal(t, []string{"simple  Empty classic"}, list([]string{"empty", "dead"}, []string{"CLASSIC"}))
	require.Equal(t, []string{"simple  Empty classic"}, list([]string{" Empty ", "x"}, []string{"classic", "share"}))
	require.Empty(t, list(nil, []string{"consumer"}))

	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Groups = []string{"g", "simple", "x", "x\xff"}
	resp := r.call(3, req).(*kmsg.DeleteGroupsResponse)
	require.Equal(t, "Group g has members.", *resp.Groups[0].ErrorMessage)
	require.Nil(t, resp.Groups[1].ErrorMessage)
	require.Equal(t, []core.ErrorCode{core.ErrNonEmptyGroup, core.ErrNone, core.ErrGroupIDNotFound, core.ErrInvalidGroupID},
		[]core.ErrorCode{code(resp.Groups[0].ErrorCode), code(resp.Groups[1].ErrorCode), code(resp.Groups[2].ErrorCode), code(resp.Groups[3].ErrorCode)})
	require.Equal(t, int64(-1), r.fetchOffset("simple", 0))
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group, leave.Members = "g", []kmsg.LeaveGroupRequestMember{{MemberID: ids[0]}, {MemberID: ids[1]}}
	r.call(5, leave)
	r.mustCommit("g", "", -1, 2, 5)
	require.Zero(t, r.call(2, req).(*kmsg.DeleteGroupsResponse).Groups[0].ErrorCode)
	r.leadAll(2)
	require.Empty(t, list(nil, nil), "the next coordinator does not know them either")
	require.Equal(t, int64(-1), r.fetchOffset("g", 2))
}

// KIP-211.
func TestOffsetsExpire(t *testing.T) {
	const hour = 60 * core.Minute
	props := []string{"offsets.retention.minutes", "60", "group.max.session.timeout.ms", "100000000"}
	join := func(r *rig) (string, int32) {
		req := joining("g", "")
		req.SessionTimeoutMillis = 100_000_000
		req.MemberID = r.call(9, req).(*kmsg.JoinGroupResponse).MemberID
		seq := r.send(9, req)
		r.pass(core.Second)
		r.call(5, r.syncing("g", req.MemberID, 1, nil))
		return req.MemberID, r.joined(seq).Generation
	}
	t.Run("simple groups, after the last commit", func(t *testing.T) {
		r := newRigWith(t, props...)
		r.leadAll(1)
		r.mustCommit("g", "", -1, 0, 1)
		r.pass(hour / 2)
		r.mustCommit("g", "", -1, 1, 1)
		r.pass(hour * 3 / 4)
		require.Equal(t, []int64{-1, 1}, []int64{r.fetchOffset("g", 0), r.fetchOffset("g", 1)})
		r.pass(hour)
		require.Equal(t, "Dead", r.state("g"))
	})
	t.Run("groups, after they became empty", func(t *testing.T) {
		r := newRigWith(t, props...)
		r.leadAll(1)
		id, generation := join(r)
		r.mustCommit("g", id, generation, 0, 1)
		r.pass(2 * hour)
		require.Equal(t, int64(1), r.fetchOffset("g", 0), "its topic is subscribed to")
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Group, leave.Members = "g", []kmsg.LeaveGroupRequestMember{{MemberID: id}}
		r.call(5, leave)
		r.pass(hour / 2)
		r.leadAll(2)
		require.Equal(t, int64(1), r.fetchOffset("g", 0))
		r.pass(hour * 3 / 4)
		require.Equal(t, int64(-1), r.fetchOffset("g", 0))
		require.Equal(t, "Dead", r.state("g"))
	})
	t.Run("topics that nobody subscribes to any more", func(t *testing.T) {
		r := newRigWith(t, props...)
		r.leadAll(1)
		r.topic("u", 3, 1)
		id, generation := join(r)
		req := committing("g", id, generation, 0, 1)
		req.Topics = append(req.Topics, req.Topics[0])
		req.Topics[1].Topic = "u"
		r.call(8, req)
		r.pass(2 * hour)
		all := kmsg.NewPtrOffsetFetchRequest()
		all.Group = "g"
		topics := r.call(2, all).(*kmsg.OffsetFetchResponse).Topics
		require.Len(t, topics, 1)
		require.Equal(t, "t", topics[0].Topic)
	})
	t.Run("what an old client asked for", func(t *testing.T) {
		r := newRigWith(t, props...)
		r.leadAll(1)
		req := committing("g", "", -1, 0, 1)
		req.RetentionTimeMillis = 20 * 60_000
		r.call(4, req)
		r.pass(hour / 4)
		require.Equal(t, int64(1), r.fetchOffset("g", 0))
		r.pass(hour / 4)
		require.Equal(t, int64(-1), r.fetchOffset("g", 0))
		req.RetentionTimeMillis = math.MaxInt64
		r.call(4, req)
		r.pass(2 * hour)
		require.Equal(t, int64(1), r.fetchOffset("g", 0), "for ever")
	})
}

// Offsets of a deleted topic are gone, also where nobody led the group when it was deleted, and also for a topic of the same
// name.
func TestOffsetsOfDeletedTopics(t *testing.T) {
	r := newLeader(t)
	r.mustCommit("g", "", -1, 0, 1)
	r.mustCommit("h", "", -1, 0, 1)
	r.plane.Unlead(r.now, groups.PartitionFor("h", partitions), 1, &r.out)
	r.apply(&metadata.RemoveTopicRecord{TopicID: topicT()})
	r.topic("t", 9, 8)
	require.Equal(t, int64(-1), r.fetchOffset("g", 0))
	require.Equal(t, "Dead", r.state("g"))
	r.lead(groups.PartitionFor("h", partitions), 2)
	require.Equal(t, int64(-1), r.fetchOffset("h", 0))
}

func TestFindCoordinator(t *testing.T) {
	r := newLeader(t)
	r.apply(&metadata.RegisterBrokerRecord{
		BrokerID: 1, BrokerEpoch: 5, Endpoints: []metadata.Endpoint{{Name: "PLAINTEXT", Host: "h", Port: 9}},
	})
	for version := int16(0); version <= 6; version++ {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey, req.CoordinatorKeys = "g", []string{"g", "h\xff"}
		resp := r.call(version, req).(*kmsg.FindCoordinatorResponse)
		if version < 4 {
			require.Equal(t, []any{int16(0), int32(1), "h", int32(9)}, []any{resp.ErrorCode, resp.NodeID, resp.Host, resp.Port})
			continue
		}
		require.Equal(t, []any{"g", int16(0), int32(1)}, []any{resp.Coordinators[0].Key, resp.Coordinators[0].ErrorCode, resp.Coordinators[0].NodeID})
		require.Equal(t, core.ErrInvalidGroupID, code(resp.Coordinators[1].ErrorCode))
		for kind, want := range map[int8]core.ErrorCode{1: core.ErrCoordinatorNotAvailable, 2: core.ErrInvalidRequest} {
			req.CoordinatorType = kind
			require.Equal(t, want, code(r.call(version, req).(*kmsg.FindCoordinatorResponse).Coordinators[0].ErrorCode))
		}
	}
	require.Equal(t, 3, r.created, "the topic of transactions, which is not there")
	r.apply(&metadata.RemoveTopicRecord{TopicID: core.TopicIDFromWords(7, 1)})
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKeys = []string{"g"}
	require.Equal(t, core.ErrCoordinatorNotAvailable, code(r.call(4, req).(*kmsg.FindCoordinatorResponse).Coordinators[0].ErrorCode))
	require.Equal(t, 4, r.created)
}

// Requests that are not for coordinators are left to others.
func TestHandleKnowsItsOwn(t *testing.T) {
	r := newLeader(t)
	require.False(t, r.plane.Handle(r.now, &step.Request{Body: kmsg.NewPtrMetadataRequest()}, &r.out))
}
