package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

func TestDescribeLogDirs(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 2), newTopic("b", 1))
	listed := func(v int16, req *kmsg.DescribeLogDirsRequest) (out []string) {
		resp := ask[*kmsg.DescribeLogDirsResponse](r, v, req)
		require.Zero(t, resp.ErrorCode)
		require.Len(t, resp.Dirs, 1)
		dir := resp.Dirs[0]
		require.Equal(t, []any{"/data", int16(0), int64(-1), int64(-1)}, []any{dir.Dir, dir.ErrorCode, dir.TotalBytes, dir.UsableBytes})
		for _, topic := range dir.Topics {
			for _, p := range topic.Partitions {
				require.Equal(t, []any{int64(0), int64(0), false}, []any{p.Size, p.OffsetLag, p.IsFuture})
				out = append(out, core.TopicPartition{Topic: topic.Topic, Partition: p.Partition}.String())
			}
		}
		return out
	}
	some := kmsg.NewPtrDescribeLogDirsRequest()
	some.Topics = []kmsg.DescribeLogDirsRequestTopic{{Topic: "a", Partitions: []int32{1, 9}}, {Topic: "none", Partitions: []int32{0}}}
	none := kmsg.NewPtrDescribeLogDirsRequest()
	none.Topics = []kmsg.DescribeLogDirsRequestTopic{}
	for v := int16(1); v <= 5; v++ {
		require.Equal(t, []string{"a-0", "a-1", "b-0"}, listed(v, kmsg.NewPtrDescribeLogDirsRequest()), "null is all")
		require.Equal(t, []string{"a-1"}, listed(v, some))
		require.Empty(t, listed(v, none))
	}
}

func TestDescribeLogDirsSizes(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	want := int64(0)
	for range 3 {
		c, size := r.produce("a")
		require.Equal(t, core.ErrNone, c)
		want += size
		p := ask[*kmsg.DescribeLogDirsResponse](r, 4, kmsg.NewPtrDescribeLogDirsRequest()).Dirs[0].Topics[0].Partitions[0]
		require.Equal(t, want, p.Size)
	}
}

func TestDescribeLogDirsOffline(t *testing.T) {
	bad := simdisk.Fault{ID: 1, Kind: simdisk.IOError, Op: step.Append, Path: "a-0/*.log"}
	r := newRigOn(t, simdisk.Config{Plan: []simdisk.Fault{bad}})
	r.create(newTopic("a", 2), newTopic("b", 1))
	c, _ := r.produce("a")
	require.Equal(t, core.ErrKafkaStorageError, c)
	dir := ask[*kmsg.DescribeLogDirsResponse](r, 4, kmsg.NewPtrDescribeLogDirsRequest()).Dirs[0]
	require.Equal(t, core.ErrKafkaStorageError, code(dir.ErrorCode))
	require.Len(t, dir.Topics, 2)
	require.Len(t, dir.Topics[0].Partitions, 1, "the log that failed is not listed")
	require.Equal(t, int32(1), dir.Topics[0].Partitions[0].Partition)
}
