package groups_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

// Heartbeats of KIP-848 that make no sense are refused as Kafka refuses them, and nothing is written.
func TestRefusedHeartbeats(t *testing.T) {
	r := newLeader(t)
	epoch, _ := r.joinConsumer("a")
	huge := strings.Repeat("x", 40_000)
	first := func(q *kmsg.ConsumerGroupHeartbeatRequest) {
		q.MemberID, q.RebalanceTimeoutMillis, q.SubscribedTopicNames = "b", 10_000, []string{"t"}
		q.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	}
	for name, c := range map[string]struct {
		change func(*kmsg.ConsumerGroupHeartbeatRequest)
		want   core.ErrorCode
	}{
		"no group":           {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.Group = "" }, core.ErrInvalidRequest},
		"huge group":         {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.Group = huge }, core.ErrInvalidRequest},
		"group is not UTF-8": {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.Group = "g\xff" }, core.ErrInvalidRequest},
		"no member":          {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.MemberID = "" }, core.ErrInvalidRequest},
		"huge member":        {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.MemberID = huge }, core.ErrInvalidRequest},
		"huge instance":      {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.InstanceID = &huge }, core.ErrInvalidRequest},
		"huge rack":          {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.RackID = &huge }, core.ErrInvalidRequest},
		"huge topic":         {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.SubscribedTopicNames = []string{"t", huge} }, core.ErrInvalidRequest},
		"unknown member":     {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.MemberEpoch = epoch }, core.ErrUnknownMemberID},
		"foreign epoch":      {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.MemberID, q.MemberEpoch = "a", epoch+7 }, core.ErrFencedMemberEpoch},
		"absurd epoch":       {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.MemberEpoch = -3 }, core.ErrInvalidRequest},
		"unknown leaves":     {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.MemberEpoch = -1 }, core.ErrUnknownMemberID},
		"no subscription":    {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.SubscribedTopicNames = nil }, core.ErrInvalidRequest},
		"bad pattern":        {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.SubscribedTopicRegex = ptr("t(") }, core.ErrInvalidRegularExpression},
		"unknown assignor":   {func(q *kmsg.ConsumerGroupHeartbeatRequest) { q.ServerAssignor = ptr("x") }, core.ErrUnsupportedAssignor},
	} {
		before := r.written()
		resp, _ := r.beat(func(q *kmsg.ConsumerGroupHeartbeatRequest) { first(q); c.change(q) })
		require.Equal(t, c.want, code(resp.ErrorCode), name)
		require.Equal(t, before, r.written(), name)
	}
	resp, _ := r.beatOwning("a", epoch, 0, 1, 2)
	require.Zero(t, resp.ErrorCode, "the member that is there has not noticed")
}

// written is the number of records that the coordinators have appended.
func (r *rig) written() (n core.Offset) {
	for _, l := range r.logs {
		n += l.end
	}
	return n
}

// held is how much more memory is in use after do.
func held(do func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	do()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// manyTopics are 100,000 topics of which none exists.
func manyTopics() (names []string) {
	for i := range 100_000 {
		names = append(names, fmt.Sprintf("none-%d", i))
	}
	return names
}

// A member may want 100,000 topics. It is served, by the next coordinator, too; what is held of it is in proportion to what it sent, and
// other groups are as before.
func TestAHundredThousandTopics(t *testing.T) {
	r := newLeader(t)
	names := append(manyTopics(), "t")
	other, generation := r.stable("other", 1)
	wire := int64(len(subscription(names...)))
	modern := func() {
		resp, partitions := r.beat(func(q *kmsg.ConsumerGroupHeartbeatRequest) {
			q.MemberID, q.RebalanceTimeoutMillis, q.SubscribedTopicNames = "a", 10_000, names
			q.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		})
		require.Zero(t, resp.ErrorCode)
		require.Len(t, partitions, 8)
	}
	classic := func() {
		req := joining("classic", "")
		req.Protocols[0].Metadata = subscription(names...)
		seq := r.send(3, req)
		r.pass(4 * core.Second)
		resp := r.joined(seq)
		require.Zero(t, resp.ErrorCode)
		sync := r.call(5, r.syncing("classic", resp.MemberID, resp.Generation, map[string]string{resp.MemberID: "all"}))
		require.Zero(t, sync.(*kmsg.SyncGroupResponse).ErrorCode)
		require.Equal(t, "Stable", r.state("classic"))
	}
	for kind, join := range map[string]func(){"consumer": modern, "classic": classic} {
		took := held(join)
		require.Less(t, took, 12*wire, "%s: the log of this rig and the group", kind)
		t.Logf("%s: %.1f times its %d bytes", kind, float64(took)/float64(wire), wire)
	}
	require.Equal(t, core.ErrNone, r.heartbeat("other", other[0], generation))
	r.leadAll(2)
	require.Equal(t, "Stable", r.state("classic"))
	require.Equal(t, core.ErrNone, r.heartbeat("other", other[0], generation))
	require.Len(t, r.describeConsumers("g")[0].Members, 1)
}
