package groups_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
)

// staticGroup is a Stable classic group of one static member, "i", in a world where groups have at most one.
func staticGroup(t *testing.T) (r *rig, id string, generation int32) {
	r = newRigWith(t, "group.max.size", "1", "group.consumer.max.size", "1")
	r.leadAll(1)
	joined := static(r, 9, "", "i")
	require.Zero(t, joined.ErrorCode)
	sync := r.syncing("g", joined.MemberID, joined.Generation, map[string]string{joined.MemberID: string((&protocol.Assignment{}).AppendTo(nil, 1))})
	sync.InstanceID = ptr("i")
	require.Zero(t, r.call(5, sync).(*kmsg.SyncGroupResponse).ErrorCode)
	return r, joined.MemberID, joined.Generation
}

// beatAs is a first heartbeat of a static member, or any other.
func (r *rig) beatAs(id, instance string, epoch int32) core.ErrorCode {
	resp, _ := r.beat(func(req *kmsg.ConsumerGroupHeartbeatRequest) {
		req.MemberID, req.InstanceID, req.MemberEpoch = id, &instance, epoch
		if epoch == 0 {
			req.RebalanceTimeoutMillis, req.SubscribedTopicNames = 10_000, []string{"t"}
			req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		}
	})
	return code(resp.ErrorCode)
}

// A static member that restarts has a place in its group, even if the group is full (KIP-345); another has none (KIP-389).
func TestStaticMemberComesBackToAFullGroup(t *testing.T) {
	t.Run("classic", func(t *testing.T) {
		r, old, generation := staticGroup(t)
		again := static(r, 9, "", "i")
		require.Zero(t, again.ErrorCode)
		require.Equal(t, generation, again.Generation)
		require.Equal(t, core.ErrFencedInstanceID, staticBeat(r, old, "i", generation))
		require.Equal(t, core.ErrGroupMaxSizeReached, code(static(r, 9, "", "j").ErrorCode))
	})
	t.Run("classic, in a rebalance", func(t *testing.T) {
		r, old, _ := staticGroup(t)
		req := joining("g", old)
		req.InstanceID = ptr("i")
		req.Protocols[0].Metadata = subscription("u")
		require.Zero(t, r.call(9, req).(*kmsg.JoinGroupResponse).ErrorCode)
		require.Equal(t, "CompletingRebalance", r.state("g"))
		require.Zero(t, static(r, 9, "", "i").ErrorCode)
		require.Equal(t, core.ErrGroupMaxSizeReached, code(static(r, 9, "", "j").ErrorCode))
	})
	t.Run("consumer", func(t *testing.T) {
		r := newRigWith(t, "group.consumer.max.size", "1")
		r.leadAll(1)
		require.Equal(t, core.ErrNone, r.beatAs("a", "i", 0))
		require.Equal(t, core.ErrUnreleasedInstanceID, r.beatAs("b", "i", 0))
		require.Equal(t, core.ErrNone, r.beatAs("a", "i", -2))
		require.Equal(t, core.ErrGroupMaxSizeReached, r.beatAs("b", "j", 0))
		require.Equal(t, core.ErrNone, r.beatAs("b", "i", 0))
		require.Equal(t, core.ErrGroupMaxSizeReached, code(static(r, 9, "", "j").ErrorCode))
		require.Len(t, r.describeConsumers("g")[0].Members, 1)
	})
	t.Run("with another protocol", func(t *testing.T) {
		r, old, generation := staticGroup(t)
		require.Equal(t, core.ErrGroupMaxSizeReached, r.beatAs("a", "j", 0))
		require.Equal(t, core.ErrNone, staticBeat(r, old, "i", generation), "it is a classic group still")
		require.Equal(t, core.ErrNone, r.beatAs("a", "i", 0))
		require.Equal(t, core.ErrNone, r.beatAs("a", "i", -2))
		require.Zero(t, static(r, 9, "", "i").ErrorCode, "and back")
	})
}

// Somebody is told its member id while there is room, and there is none when it comes back. The others, who would wait for it to
// join (KIP-394), go on without it.
func TestNobodyWaitsForWhoFindsNoRoom(t *testing.T) {
	r := newRigWith(t, "group.max.size", "2")
	r.leadAll(1)
	ids, _ := r.stable("g", 2)
	first := r.send(9, joining("g", ids[0]))
	require.True(t, r.waits(first))
	late := r.call(9, joining("g", "")).(*kmsg.JoinGroupResponse)
	require.Equal(t, core.ErrMemberIDRequired, code(late.ErrorCode))
	second := r.send(9, joining("g", ids[1]))
	require.True(t, r.waits(second), "for the third")
	refused := r.call(9, joining("g", late.MemberID)).(*kmsg.JoinGroupResponse)
	require.Equal(t, core.ErrGroupMaxSizeReached, code(refused.ErrorCode))
	require.Len(t, r.joined(first).Members, 2)
	require.Zero(t, r.joined(second).ErrorCode)
}
