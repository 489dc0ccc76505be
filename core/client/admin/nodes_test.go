package admin

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// rig is an admin on one bootstrap server that answers as the test says.
type rig struct {
	t     *testing.T
	now   core.Now
	cl    *cluster.Cluster
	admin *Admin
	asked []kmsg.Request // but ApiVersions and Metadata
}

func newRig(t *testing.T) *rig {
	o := cluster.Options{Bootstrap: []string{"b:1"}}.WithDefaults()
	cl := cluster.New(o, prng.New(1))
	return &rig{t: t, now: core.Now{Mono: core.Second}, cl: cl, admin: New(Options{Timeout: 7 * core.Second}, cl)}
}

// run takes turns until a reply is there. answer makes the response to the n-th request.
func (r *rig) run(answer func(n int, req kmsg.Request) kmsg.Response) Reply {
	var out step.Effects
	for range 100 {
		r.cl.Expire(r.now, &out)
		r.admin.EndTurn(r.now, &out)
		r.cl.EndTurn(r.now, &out)
		if replies := r.admin.Replies(nil); len(replies) > 0 {
			return replies[0]
		}
		sends := append([]step.Send{}, out.Sends...)
		out.Reset()
		for i := range sends {
			r.serve(&sends[i], answer, &out)
		}
		for _, done := range r.cl.Completions() {
			r.admin.Done(r.now, &done)
		}
		r.now.Mono += 100 * core.Millisecond
	}
	require.FailNow(r.t, "no reply")
	return Reply{}
}

func (r *rig) serve(s *step.Send, answer func(int, kmsg.Request) kmsg.Response, out *step.Effects) {
	switch s.Kind {
	case step.Dial:
		r.cl.Step(r.now, &step.PeerState{Peer: s.Peer, Open: true}, out)
	case step.Call:
		body := s.Body.ResponseKind()
		switch resp := body.(type) {
		case *kmsg.ApiVersionsResponse:
			for key := range int16(95) {
				if req := kmsg.RequestForKey(key); req != nil {
					resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: req.MaxVersion()})
				}
			}
		case *kmsg.MetadataResponse:
			resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{NodeID: 1, Host: "b", Port: 1})
		default:
			r.asked = append(r.asked, s.Body)
			body = answer(len(r.asked), s.Body)
		}
		r.cl.Step(r.now, &step.PeerResponse{Peer: s.Peer, Corr: s.Corr, Body: body}, out)
	case step.Hangup:
	}
}

// agree is the empty response: everything went well.
func agree(_ int, req kmsg.Request) kmsg.Response { return req.ResponseKind() }

func tp(topic string, partition int32) core.TopicPartition {
	return core.TopicPartition{Topic: topic, Partition: partition}
}

func TestElectLeaders(t *testing.T) {
	r := newRig(t)
	r.admin.ElectLeaders(r.now, true, []core.TopicPartition{tp("b", 1), tp("a", 0), tp("b", 0)}, 4)
	require.Equal(t, uint64(4), r.run(agree).Token)
	req := r.asked[0].(*kmsg.ElectLeadersRequest)
	require.Equal(t, int8(1), req.ElectionType)
	require.Equal(t, int32(7000), req.TimeoutMillis)
	require.Equal(t, []kmsg.ElectLeadersRequestTopic{{Topic: "b", Partitions: []int32{1, 0}}, {Topic: "a", Partitions: []int32{0}}}, req.Topics)

	r.admin.ElectLeaders(r.now, false, nil, 5)
	r.run(agree)
	req = r.asked[1].(*kmsg.ElectLeadersRequest)
	require.Zero(t, req.ElectionType)
	require.Nil(t, req.Topics, "null is all partitions")
}

// TestElectionNotNeededIsAnAnswer: the code counts as retriable in Kafka.
func TestElectionNotNeededIsAnAnswer(t *testing.T) {
	r := newRig(t)
	r.admin.ElectLeaders(r.now, false, []core.TopicPartition{tp("a", 0)}, 1)
	reply := r.run(func(_ int, req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.ElectLeadersResponse)
		row := kmsg.ElectLeadersResponseTopicPartition{ErrorCode: int16(core.ErrElectionNotNeeded)}
		resp.Topics = append(resp.Topics, kmsg.ElectLeadersResponseTopic{Topic: "a", Partitions: []kmsg.ElectLeadersResponseTopicPartition{row}})
		return resp
	})
	require.Equal(t, core.ErrNone, reply.Err)
	require.Len(t, r.asked, 1)
}

func TestAlterAndListAssignments(t *testing.T) {
	r := newRig(t)
	r.admin.AlterAssignments(r.now, []Assignment{
		{tp("a", 0), []core.NodeID{3, 1}}, {tp("b", 0), nil}, {tp("a", 1), []core.NodeID{}},
	}, 1)
	r.run(agree)
	req := r.asked[0].(*kmsg.AlterPartitionAssignmentsRequest)
	require.True(t, req.AllowReplicationFactorChange)
	require.Len(t, req.Topics, 2)
	require.Equal(t, []int32{3, 1}, req.Topics[0].Partitions[0].Replicas)
	require.NotNil(t, req.Topics[0].Partitions[1].Replicas, "an empty list is refused; null would cancel")
	require.Nil(t, req.Topics[1].Partitions[0].Replicas)

	r.admin.ListReassignments(r.now, nil, 2)
	r.run(agree)
	require.Nil(t, r.asked[1].(*kmsg.ListPartitionReassignmentsRequest).Topics)
}

func TestVoters(t *testing.T) {
	r := newRig(t)
	r.admin.DescribeQuorum(r.now, 1)
	r.run(agree)
	require.Equal(t, "__cluster_metadata", r.asked[0].(*kmsg.DescribeQuorumRequest).Topics[0].Topic)
	v := Voter{ID: 4, Directory: [16]byte{9}, Listeners: []VoterListener{{"C", "h", 5}}}
	r.admin.AddVoter(r.now, v, false, 2)
	r.run(agree)
	add := r.asked[1].(*kmsg.AddRaftVoterRequest)
	require.Equal(t, []any{int32(4), [16]byte{9}, false}, []any{add.VoterID, add.VoterDirectoryID, add.AckWhenCommitted})
	require.Equal(t, []kmsg.AddRaftVoterRequestListener{{Name: "C", Host: "h", Port: 5}}, add.Listeners)
	r.admin.RemoveVoter(r.now, v, 3)
	r.run(agree)
	remove := r.asked[2].(*kmsg.RemoveRaftVoterRequest)
	require.Equal(t, []any{int32(4), [16]byte{9}}, []any{remove.VoterID, remove.VoterDirectoryID})
}

func TestFeaturesAndPartitions(t *testing.T) {
	r := newRig(t)
	r.admin.UpdateFeatures(r.now, []FeatureUpdate{{Feature: "f", Level: 3}, {Feature: "g", Level: 1, Downgrade: 2}}, true, 1)
	r.run(agree)
	req := r.asked[0].(*kmsg.UpdateFeaturesRequest)
	require.True(t, req.ValidateOnly)
	require.Equal(t, []int8{1, 3}, []int8{req.FeatureUpdates[0].UpgradeType, req.FeatureUpdates[1].UpgradeType})
	r.admin.DescribePartitions(r.now, []string{"a"}, &kmsg.DescribeTopicPartitionsRequestCursor{Topic: "a", Partition: 5}, 2)
	r.run(agree)
	require.Equal(t, int32(5), r.asked[1].(*kmsg.DescribeTopicPartitionsRequest).Cursor.Partition)
	r.admin.UnregisterBroker(r.now, 8, 3)
	r.run(agree)
	require.Equal(t, int32(8), r.asked[2].(*kmsg.UnregisterBrokerRequest).BrokerID)
}

// TestNotControllerIsWaitedOut: the whole request was refused, so it is sent again.
func TestNotControllerIsWaitedOut(t *testing.T) {
	refuse := func(n int, req kmsg.Request) kmsg.Response {
		body := req.ResponseKind()
		if n > 2 {
			return body
		}
		code := int16(core.ErrNotController)
		switch resp := body.(type) {
		case *kmsg.ElectLeadersResponse:
			resp.ErrorCode = code
		case *kmsg.AlterPartitionAssignmentsResponse:
			resp.ErrorCode = code
		case *kmsg.ListPartitionReassignmentsResponse:
			resp.ErrorCode = code
		case *kmsg.DescribeQuorumResponse:
			row := kmsg.DescribeQuorumResponseTopicPartition{ErrorCode: int16(core.ErrNotLeaderOrFollower)}
			resp.Topics = []kmsg.DescribeQuorumResponseTopic{{Partitions: []kmsg.DescribeQuorumResponseTopicPartition{row}}}
		case *kmsg.AddRaftVoterResponse:
			resp.ErrorCode = code
		case *kmsg.RemoveRaftVoterResponse:
			resp.ErrorCode = code
		case *kmsg.UpdateFeaturesResponse:
			resp.ErrorCode = code
		case *kmsg.UnregisterBrokerResponse:
			resp.ErrorCode = code
		}
		return body
	}
	for name, ask := range map[string]func(r *rig){
		"elect":      func(r *rig) { r.admin.ElectLeaders(r.now, false, nil, 1) },
		"alter":      func(r *rig) { r.admin.AlterAssignments(r.now, nil, 1) },
		"list":       func(r *rig) { r.admin.ListReassignments(r.now, nil, 1) },
		"quorum":     func(r *rig) { r.admin.DescribeQuorum(r.now, 1) },
		"add":        func(r *rig) { r.admin.AddVoter(r.now, Voter{}, true, 1) },
		"remove":     func(r *rig) { r.admin.RemoveVoter(r.now, Voter{}, 1) },
		"features":   func(r *rig) { r.admin.UpdateFeatures(r.now, nil, false, 1) },
		"unregister": func(r *rig) { r.admin.UnregisterBroker(r.now, 1, 1) },
	} {
		r := newRig(t)
		ask(r)
		require.Equal(t, core.ErrNone, r.run(refuse).Err, name)
		require.Len(t, r.asked, 3, name)
	}
}

// First the coordinator is being elected, then it turns out that nobody may ask for it: the second answer is the last.
func TestFinalAnswerOutlastsAPassingOne(t *testing.T) {
	r := newRig(t)
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{"g"}
	r.admin.Call(r.now, req, Route{Kind: Coordinator, Group: "g"}, 5)
	got := r.run(func(n int, req kmsg.Request) kmsg.Response {
		code := core.ErrCoordinatorNotAvailable
		if n > 1 {
			code = core.ErrGroupAuthorizationFailed
		}
		resp := kmsg.NewPtrFindCoordinatorResponse()
		resp.Coordinators = append(resp.Coordinators, kmsg.FindCoordinatorResponseCoordinator{Key: "g", NodeID: 1, Host: "b", Port: 1, ErrorCode: int16(code)})
		resp.SetVersion(req.GetVersion())
		return resp
	})
	require.Equal(t, core.ErrGroupAuthorizationFailed, got.Err)
	require.Nil(t, got.Body)
	require.Len(t, r.asked, 2)
}
