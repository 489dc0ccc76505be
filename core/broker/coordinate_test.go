package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// A coordinator whose log cannot be read does not give up before the log does: somebody else can lead that then.
func TestCoordinatorThatCannotReadTakesItsLogOffline(t *testing.T) {
	const segment = "__consumer_offsets-0/00000000000000000000.log"
	bad := simdisk.Fault{ID: 1, Kind: simdisk.IOError, Op: step.Read, Path: segment, After: 1} // the start reads it once
	r := newRigOn(t, simdisk.Config{Plan: []simdisk.Fault{bad}}, "offsets.topic.num.partitions", "1", "offsets.topic.replication.factor", "1")
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorKeys = []string{"g"}
	r.create(newTopic("a", 1))
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Group, commit.Generation = "g", -1
	commit.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: "a", Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Offset: 1, LeaderEpoch: -1}}}}
	committed := func() core.ErrorCode {
		return code(ask[*kmsg.OffsetCommitResponse](r, 8, commit).Topics[0].Partitions[0].ErrorCode)
	}
	for committed() != core.ErrNone {
		ask[*kmsg.FindCoordinatorResponse](r, 4, find)
		later := r.now + 100*core.Millisecond
		r.run(func() bool { return r.now >= later })
	}
	r.broker.Shutdown()
	r.run(func() bool { _, _, halted := r.broker.Halted(); return halted })
	r.disk.ProcessCrash(r.now)
	r.start(2)
	require.Equal(t, core.ErrCoordinatorLoadInProgress, committed(), "it tries again")
	offline := func() (n int) {
		for _, v := range r.broker.Replicas() {
			if v.Offline != "" {
				require.Equal(t, "__consumer_offsets", v.TP.Topic)
				n++
			}
		}
		return n
	}
	require.Zero(t, offline())
	begun := r.now
	r.run(func() bool { return offline() > 0 })
	require.InDelta(t, 1.5, float64(r.now-begun)/float64(core.Second), 0.2)
	require.Equal(t, core.ErrNotCoordinator, committed())
}
