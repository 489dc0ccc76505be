package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

// offset is what ListOffsets says of partition 0 for a timestamp.
func (r *rig) offset(topic string, timestamp int64) int64 {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.CurrentLeaderEpoch, p.Timestamp = -1, timestamp
	req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: topic, Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}}}
	row := ask[*kmsg.ListOffsetsResponse](r, 7, req).Topics[0].Partitions[0]
	require.Equal(r.t, core.ErrNone, code(row.ErrorCode))
	return row.Offset
}

// TestRetentionOfNothing: a limit of 0 is one, and the strictest; it does not stand for the default, or for none.
func TestRetentionOfNothing(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("age", 1, "retention.ms", "0"), newTopic("size", 1, "retention.ms", "-1", "retention.bytes", "0", "segment.ms", "1"),
		newTopic("kept", 1, "retention.ms", "-1"))
	for _, name := range []string{"age", "size", "kept"} {
		for range 3 {
			written, _ := r.produce(name)
			require.Equal(t, core.ErrNone, written)
			from := r.now
			r.run(func() bool { return r.now > from+core.Second })
		}
	}
	from := r.now
	r.run(func() bool { return r.now > from+10*60*core.Second })
	require.Equal(t, int64(3), r.offset("age", -2))
	require.Equal(t, int64(2), r.offset("size", -2), "all but the segment that is written to")
	require.Equal(t, int64(0), r.offset("kept", -2))
}
