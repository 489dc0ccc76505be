package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
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
	data, _ := r.disk.Content("a-0/00000000000000000000.log")
	require.NotEmpty(t, data, "what is acknowledged lies where the next start looks for it")
	r.disk.PowerLoss(r.now)
	r.start(2)
	require.EqualValues(t, 3, r.broker.Replicas()[0].LogEndOffset)
}
