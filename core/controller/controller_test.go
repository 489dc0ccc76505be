package controller

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
)

// newWorld is a cluster with brokers 1..n, the last one fenced if there are several.
func newWorld(t require.TestingT, n int) *cluster {
	w := &cluster{t: t, life: make(map[core.NodeID]byte)}
	cfg := config.Broker{NodeID: 1, NumPartitions: 2, DefaultReplication: 1}
	w.ctl = Activate(cfg, Options{}, prng.New(7), metadata.NewImage(), w.now)
	for id := core.NodeID(1); id <= core.NodeID(n); id++ {
		if n > 1 && int(id) == n {
			require.Equal(t, Refusal{}, w.reboot(id, -1))
		} else {
			w.start(id)
		}
	}
	return w
}

// snapshot is an image in bytes.
func snapshot(m *metadata.Image) (out [][]byte) {
	for r := range m.Records() {
		out = append(out, metadata.AppendTo(nil, r, m.MetadataVersion()))
	}
	return out
}

func ptr(s string) *string { return &s }

// wish makes one random wish, valid or not, and proposes what comes of it.
func (w *cluster) wish(t *rapid.T) {
	topic := rapid.SampledFrom([]string{"a", "b.c", "b_c", "long-name", "", "x y", "__cluster_metadata"}).Draw(t, "topic")
	key := rapid.SampledFrom([]string{"retention.ms", "cleanup.policy", "min.compaction.lag.ms", "max.compaction.lag.ms", "no.such"})
	value := rapid.SampledFrom([]*string{nil, ptr("1"), ptr("7"), ptr("compact"), ptr("delete,compact"), ptr("")})
	res := metadata.ConfigResource{Type: metadata.ResourceTopic, Name: topic}
	if rapid.Bool().Draw(t, "broker") {
		res = metadata.ConfigResource{Type: metadata.ResourceBroker, Name: rapid.SampledFrom([]string{"", "1", "9", "x"}).Draw(t, "id")}
		key = rapid.SampledFrom([]string{"log.retention.ms", "log.cleanup.policy", "num.partitions", "no.such"})
	}
	var recs []metadata.Record
	var refusal Refusal
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		wish := NewTopic{
			Name: topic, Partitions: rapid.Int32Range(-2, 4).Draw(t, "partitions"), Replication: rapid.Int16Range(-2, 4).Draw(t, "replication"),
		}
		if rapid.Bool().Draw(t, "manual") {
			wish.Partitions, wish.Replication = -1, -1
			wish.Assignment = rapid.SliceOfN(rapid.SliceOfN(rapid.Map(rapid.Int32Range(1, 4), func(i int32) core.NodeID { return core.NodeID(i) }), 0, 3), 1, 3).Draw(t, "assignment")
		}
		if rapid.Bool().Draw(t, "configured") {
			wish.Configs = []ConfigEntry{{key.Draw(t, "key"), value.Draw(t, "value")}}
		}
		var made CreatedTopic
		made, recs = w.ctl.CreateTopic(wish)
		refusal = made.Refusal
	case 1:
		if found := w.ctl.Image().Topic(topic); found != nil {
			recs = w.ctl.DeleteTopic(found.ID)
		}
	case 2:
		refusal, recs = w.ctl.CreatePartitions(topic, rapid.Int32Range(-1, 6).Draw(t, "count"), nil, 0)
	case 3:
		var changes []ConfigChange
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			changes = append(changes, ConfigChange{key.Draw(t, "key"), ConfigOp(rapid.IntRange(0, 4).Draw(t, "op")), value.Draw(t, "value")})
		}
		refusal, recs = w.ctl.IncrementalAlterConfigs(res, changes)
	case 4:
		var entries []ConfigEntry
		for range rapid.IntRange(0, 2).Draw(t, "entries") {
			entries = append(entries, ConfigEntry{key.Draw(t, "key"), value.Draw(t, "value")})
		}
		refusal, recs = w.ctl.AlterConfigs(res, entries)
	case 5:
		refusal, _, recs = w.ctl.AllocateProducerIDBlock(1, w.ctl.Image().Broker(1).Epoch, 10)
	}
	if !refusal.OK() {
		require.Empty(t, recs, "a refused wish makes no records")
		require.NotEmpty(t, refusal.Why)
		return
	}
	w.propose(recs)
}

// TestLiveIsReplayed: whatever was wished, an image made from the log alone is the controller's.
func TestLiveIsReplayed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.IntRange(1, 4).Draw(t, "brokers"))
		for range rapid.IntRange(1, 40).Draw(t, "wishes") {
			before := snapshot(w.ctl.Image())
			n := len(w.log)
			w.wish(t)
			if len(w.log) == n {
				require.Equal(t, before, snapshot(w.ctl.Image()), "making records changes nothing")
			}
		}
		replayed := metadata.NewImage()
		for i, r := range w.log {
			require.NoError(t, replayed.Replay(r, core.Offset(i), 0, nil))
		}
		require.Equal(t, snapshot(w.ctl.Image()), snapshot(replayed))
		checkImage(t, w.ctl.Image())
	})
}

// checkImage asserts what every sequence of accepted wishes must leave behind.
func checkImage(t *rapid.T, m *metadata.Image) {
	for topic := range m.Topics() {
		require.True(t, CheckTopicName(topic.Name).OK())
		replication := len(topic.Partitions()[0].Replicas)
		for i, p := range topic.Partitions() {
			require.Equal(t, int32(i), p.ID, "partitions are dense")
			require.Len(t, p.Replicas, replication)
			require.NotEmpty(t, p.ISR)
			require.True(t, m.Broker(p.Leader).Active())
			require.Equal(t, p.ISR[0], p.Leader, "the first active replica leads")
		}
	}
	for _, res := range m.ConfigResources() {
		for name, value := range m.Configs(res) {
			if res.Type == metadata.ResourceTopic {
				require.NotNil(t, m.Topic(res.Name), "configuration goes with its topic")
				require.NoError(t, config.CheckTopic(name, value))
			} else {
				require.NoError(t, config.CheckBroker(name, value))
			}
		}
	}
}

func TestPlacementIsStriped(t *testing.T) {
	w := newWorld(t, 4) // broker 4 is fenced
	_, recs := w.ctl.CreateTopic(NewTopic{Name: "a", Partitions: 6, Replication: 2})
	w.propose(recs)
	leaders := make(map[core.NodeID]int)
	for _, p := range w.ctl.Image().Topic("a").Partitions() {
		require.False(t, slices.Contains(p.Replicas, 4), "a fenced broker gets nothing while others can have it")
		require.Len(t, p.Replicas, 2)
		leaders[p.Leader]++
	}
	require.Equal(t, map[core.NodeID]int{1: 2, 2: 2, 3: 2}, leaders)
	made, recs := w.ctl.CreateTopic(NewTopic{Name: "b", Partitions: 1, Replication: 4})
	require.Equal(t, core.ErrNone, made.Code)
	w.propose(recs)
	p := w.ctl.Image().Topic("b").Partition(0)
	require.Equal(t, core.NodeID(4), p.Replicas[3], "a fenced broker comes last")
	require.NotContains(t, p.ISR, core.NodeID(4))
	made, _ = w.ctl.CreateTopic(NewTopic{Name: "c", Partitions: 1, Replication: 5})
	require.Equal(t, core.ErrInvalidReplicationFactor, made.Code)
}

func TestManualAssignment(t *testing.T) {
	w := newWorld(t, 3) // broker 3 is fenced
	create := func(assignment ...[]core.NodeID) core.ErrorCode {
		made, recs := w.ctl.CreateTopic(NewTopic{Name: fmt.Sprint("t", len(w.log)), Partitions: -1, Replication: -1, Assignment: assignment})
		w.propose(recs)
		return made.Code
	}
	require.Equal(t, core.ErrNone, create([]core.NodeID{3, 2}), "one of the replicas is active")
	require.Equal(t, core.ErrInvalidReplicaAssignment, create([]core.NodeID{3}), "none is")
	require.Equal(t, core.ErrInvalidReplicaAssignment, create([]core.NodeID{1, 2}, []core.NodeID{1}))
	require.Equal(t, core.ErrPolicyViolation, create(make([][]core.NodeID, maxPartitions+1)...))
	topic := slices.Collect(w.ctl.Image().Topics())[0]
	require.Equal(t, []core.NodeID{2}, topic.Partitions()[0].ISR)
	require.Equal(t, core.NodeID(2), topic.Partitions()[0].Leader)
	require.Equal(t, []metadata.DirectoryID{dirOf(3, 1), dirOf(2, 1)}, topic.Partitions()[0].Directories)

	refusal, _ := w.ctl.CreatePartitions(topic.Name, 2, [][]core.NodeID{{1}}, 0)
	require.Equal(t, core.ErrInvalidReplicaAssignment, refusal.Code, "new partitions have the topic's replication factor")
	refusal, _ = w.ctl.CreatePartitions(topic.Name, 2, [][]core.NodeID{{1, 2}}, 0)
	require.True(t, refusal.OK())
}

func TestAlterConfigsMakesOnlyChanges(t *testing.T) {
	w := newWorld(t, 1)
	_, recs := w.ctl.CreateTopic(NewTopic{Name: "a", Partitions: 1, Replication: 1, Configs: []ConfigEntry{{"retention.ms", ptr("5")}}})
	w.propose(recs)
	res := metadata.ConfigResource{Type: metadata.ResourceTopic, Name: "a"}
	_, recs = w.ctl.IncrementalAlterConfigs(res, []ConfigChange{{"retention.ms", ConfigSet, ptr("5")}})
	require.Empty(t, recs, "it is so already")
	_, recs = w.ctl.AlterConfigs(res, []ConfigEntry{{"retention.bytes", ptr("9")}})
	require.Len(t, recs, 2, "one key removed, one set")
	_, recs = w.ctl.AlterConfigs(res, nil)
	require.Len(t, recs, 1)
}
