package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

// TestFetchEpochs: which epochs of a consumer count, and what it is told of one that this broker has not come to.
func TestFetchEpochs(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	written, _ := r.produce("a")
	require.Equal(t, core.ErrNone, written)
	for _, c := range []struct {
		current, last int32
		wants         core.ErrorCode
	}{
		{-1, -1, core.ErrNone},
		{-2, -1, core.ErrNone}, // none, like every negative epoch
		{0, -2, core.ErrNone},
		{0, 0, core.ErrNone},
		{5, -1, core.ErrUnknownLeaderEpoch},
		{-1, 5, core.ErrNone}, // it may be true; a broker that has not heard of the epoch cannot say that the offset is out of range
	} {
		req := kmsg.NewPtrFetchRequest()
		req.ReplicaID, req.MaxBytes, req.SessionEpoch = -1, 1<<20, -1
		p := kmsg.NewFetchRequestTopicPartition()
		p.CurrentLeaderEpoch, p.LastFetchedEpoch, p.PartitionMaxBytes = c.current, c.last, 1<<20
		req.Topics = []kmsg.FetchRequestTopic{{Topic: "a", Partitions: []kmsg.FetchRequestTopicPartition{p}}}
		got := ask[*kmsg.FetchResponse](r, 12, req).Topics[0].Partitions[0]
		require.Equal(t, c.wants, code(got.ErrorCode), "%+v", c)
		require.Equal(t, int32(-1), got.DivergingEpoch.Epoch)
	}
}
