package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// remake deletes a topic of one partition and creates it in one breath, and waits for the new one to be led.
func (r *rig) remake(name string) {
	first := r.broker.Replicas()[0].TopicID
	r.send(connInner, 6, deleteByName(name))
	r.send(connInner, 7, &kmsg.CreateTopicsRequest{TimeoutMillis: 10_000, Topics: []kmsg.CreateTopicsRequestTopic{newTopic(name, 1)}})
	r.run(func() bool {
		all := r.broker.Replicas()
		return len(all) == 1 && all[0].TopicID != first && all[0].Leader
	})
}

// A topic whose log has failed is deleted and made again: the new log's directory is not the one that is put away.
func TestFailedLogIsBuriedBeforeTheTopicIsMadeAgain(t *testing.T) {
	bad := simdisk.Fault{ID: 1, Kind: simdisk.IOError, Op: step.Append, Path: "a-0/*.log"}
	r := newRigOn(t, simdisk.Config{Plan: []simdisk.Fault{bad}})
	r.create(newTopic("a", 1))
	c, _ := r.produce("a")
	require.Equal(t, core.ErrKafkaStorageError, c)
	r.remake("a")
	for range 3 {
		c, _ = r.produce("a")
		require.Equal(t, core.ErrNone, c)
	}
	later := r.now + core.Second // whatever is still to be put away has been by then
	r.run(func() bool { return r.now >= later })
	data, _ := r.disk.Content("a-0/00000000000000000000.log")
	require.NotEmpty(t, data, "what is acknowledged lies where the next start looks for it")
	r.disk.PowerLoss(r.now)
	r.start(2)
	require.EqualValues(t, 3, r.broker.Replicas()[0].LogEndOffset)
}

// What checkpoints say of a topic's earlier incarnation, or of one that is gone, is never demanded of a later one.
func TestStrayCheckpointEntriesAreForgotten(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1), newTopic("kept", 1))
	c, _ := r.produce("kept")
	require.Equal(t, core.ErrNone, c)
	r.disk.PowerLoss(r.now)
	of := func(topic string, o core.Offset) log.PartitionOffset {
		return log.PartitionOffset{TopicPartition: core.TopicPartition{Topic: topic}, Offset: o}
	}
	for _, name := range []string{log.RecoveryPointFile, log.HighWatermarkFile} {
		r.disk.Preload(name, log.AppendOffsets(nil, []log.PartitionOffset{of("__cluster_metadata", 1), of("gone", 9), of("kept", 1)}))
	}
	r.disk.Preload(log.LogStartFile, log.AppendOffsets(nil, []log.PartitionOffset{of("gone", 5)}))
	r.start(2)
	for _, name := range []string{log.RecoveryPointFile, log.HighWatermarkFile, log.LogStartFile} {
		data, ok := r.disk.DurableContent(name)
		require.True(t, ok)
		require.NotContains(t, string(data), "gone", name)
	}
	data, _ := r.disk.DurableContent(log.HighWatermarkFile)
	require.Contains(t, string(data), "kept 0 1")
	r.create(newTopic("gone", 1))
	c, _ = r.produce("gone")
	require.Equal(t, core.ErrNone, c)
	r.disk.PowerLoss(r.now)
	r.start(3)
	for _, v := range r.broker.Replicas() {
		require.Empty(t, v.Offline, v.TP)
	}
	c, _ = r.produce("gone")
	require.Equal(t, core.ErrNone, c)
}

// The HighWatermark that was noted of a topic is gone from the disk before the name is free for the next one.
func TestDeletedTopicsMarkGoesFirst(t *testing.T) {
	r := newRig(t, "replica.high.watermark.checkpoint.interval.ms", "100")
	mark := func() string {
		data, _ := r.disk.Content(log.HighWatermarkFile)
		return string(data)
	}
	r.create(newTopic("a", 1))
	c, _ := r.produce("a")
	require.Equal(t, core.ErrNone, c)
	noted := r.now + core.Second
	r.run(func() bool { return r.now >= noted })
	require.Contains(t, mark(), "a 0 1")
	r.remake("a")
	require.NotContains(t, mark(), "a 0 1")
}

// The HighWatermarks that an orderly end leaves behind are those of all logs, which are closed by then.
func TestMarksOfAnOrderlyEnd(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1), newTopic("b", 1))
	for _, topic := range []string{"a", "b", "b"} {
		c, _ := r.produce(topic)
		require.Equal(t, core.ErrNone, c)
	}
	r.broker.Shutdown()
	r.run(func() bool { _, _, halted := r.broker.Halted(); return halted })
	data, _ := r.disk.DurableContent(log.HighWatermarkFile)
	require.Contains(t, string(data), "a 0 1\n")
	require.Contains(t, string(data), "b 0 2\n")
}

// A replica that is reassigned away is forgotten with its log, as often as it comes and goes while its topic lives.
func TestReplicasThatGoAreForgotten(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 2))
	for range 5 {
		r.broker.AssignAway(r.Now(), core.TopicPartition{Topic: "a", Partition: 1})
		ask[*kmsg.MetadataResponse](r, 9, kmsg.NewPtrMetadataRequest()) // a turn
		r.run(func() bool {
			all := r.broker.Replicas()
			return len(all) == 2 && all[1].Leader
		})
		require.Equal(t, 2, r.broker.Kept("a"))
	}
	r.via(connInner, 6, deleteByName("a"))
	require.Empty(t, r.broker.Replicas())
}
