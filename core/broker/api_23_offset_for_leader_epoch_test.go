package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

// TestOffsetForLeaderEpoch: in a log of two records, all of epoch 0.
func TestOffsetForLeaderEpoch(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	for range 2 {
		c, _ := r.produce("a")
		require.Equal(t, core.ErrNone, c)
	}
	for _, c := range []struct {
		current, asked int32
		wants          []any
	}{
		{-1, 0, []any{core.ErrNone, int32(0), int64(2)}},
		{0, 0, []any{core.ErrNone, int32(0), int64(2)}},
		{-1, 1, []any{core.ErrNone, int32(-1), int64(-1)}},
		{-1, -1, []any{core.ErrNone, int32(-1), int64(-1)}},
		{-1, -2, []any{core.ErrNone, int32(-2), int64(0)}}, // older than everything
		{1, 0, []any{core.ErrUnknownLeaderEpoch, int32(-1), int64(-1)}},
		{-2, 0, []any{core.ErrFencedLeaderEpoch, int32(-1), int64(-1)}}, // only -1 is none
	} {
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		p.CurrentLeaderEpoch, p.LeaderEpoch = c.current, c.asked
		req := kmsg.NewPtrOffsetForLeaderEpochRequest()
		req.ReplicaID = -1
		req.Topics = []kmsg.OffsetForLeaderEpochRequestTopic{{Topic: "a", Partitions: []kmsg.OffsetForLeaderEpochRequestTopicPartition{p}}}
		got := ask[*kmsg.OffsetForLeaderEpochResponse](r, 4, req).Topics[0].Partitions[0]
		require.Equal(t, c.wants, []any{code(got.ErrorCode), got.LeaderEpoch, got.EndOffset}, "%+v", c)
	}
}
