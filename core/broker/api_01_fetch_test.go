package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// fetching asks for a partition 0 from an offset on, without a session.
func fetching(topic string, offset int64, least, wait int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxBytes, req.MinBytes, req.MaxWaitMillis, req.SessionEpoch = -1, 1<<20, least, wait, -1
	p := kmsg.NewFetchRequestTopicPartition()
	p.CurrentLeaderEpoch, p.LastFetchedEpoch, p.FetchOffset, p.PartitionMaxBytes = -1, -1, offset, 1<<20
	req.Topics = []kmsg.FetchRequestTopic{{Topic: topic, Partitions: []kmsg.FetchRequestTopicPartition{p}}}
	return req
}

// TestFetchOldVersionsOfStorageErrors: consumers up to version 5 do not know KAFKA_STORAGE_ERROR, and would not look for another leader.
func TestFetchOldVersionsOfStorageErrors(t *testing.T) {
	bad := simdisk.Fault{ID: 1, Kind: simdisk.IOError, Op: step.Append, Path: "a-0/*.log"}
	r := newRigOn(t, simdisk.Config{Plan: []simdisk.Fault{bad}})
	r.create(newTopic("a", 1))
	written, _ := r.produce("a")
	require.Equal(t, core.ErrKafkaStorageError, written)
	for version, want := range map[int16]core.ErrorCode{
		4: core.ErrNotLeaderOrFollower, 5: core.ErrNotLeaderOrFollower, 6: core.ErrKafkaStorageError, 12: core.ErrKafkaStorageError,
	} {
		row := ask[*kmsg.FetchResponse](r, version, fetching("a", 0, 1, 0)).Topics[0].Partitions[0]
		require.Equal(t, want, code(row.ErrorCode), "version %d", version)
	}
}

// TestFetchOfAClosedConnection: a fetch that reads the disk while its connection closes does not wait afterwards for records that
// nobody will be sent.
func TestFetchOfAClosedConnection(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	for range 1100 { // more than the log knows the positions of
		written, _ := r.produce("a")
		require.Equal(t, core.ErrNone, written)
	}
	const days = 1<<31 - 1
	r.send(connOuter, 12, fetching("a", 1, days, days))
	r.node.Poll()
	require.Zero(t, r.broker.ParkedFetches(), "it reads")
	r.node.Deliver(&step.ConnState{Conn: connOuter})
	from := r.now
	r.run(func() bool { return r.now > from+core.Second })
	require.Zero(t, r.broker.ParkedFetches())
	require.NotZero(t, r.offset("a", -1))
}

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

// TestNoFetchSessions: max.incremental.fetch.session.cache.slots=0 is a broker without sessions.
func TestNoFetchSessions(t *testing.T) {
	r := newRig(t, "max.incremental.fetch.session.cache.slots", "0")
	r.create(newTopic("a", 1))
	req := fetching("a", 0, 1, 0)
	req.SessionEpoch = 0
	require.Zero(t, ask[*kmsg.FetchResponse](r, 12, req).SessionID)
}

// TestFetchOfNoBytes: who has room for nothing gets the first batch, not as much as the broker gives anybody (KIP-74).
func TestFetchOfNoBytes(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	var size int64
	for range 3 {
		_, size = r.produce("a")
	}
	for _, most := range []int32{0, 1} {
		req := fetching("a", 0, 1, 0)
		req.MaxBytes = most
		n := len(r.replies)
		r.send(connInner, 12, req)
		r.run(func() bool { return len(r.replies) > n })
		require.Equal(t, size, r.replies[n].Spans[0].Len, "max_bytes %d", most)
	}
}
