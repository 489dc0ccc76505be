package controller

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
)

// anybody makes wishes without sense. What is refused changes nothing; what is granted leaves every invariant standing
// ([cluster.propose] checks all of them), and the log alone leads to the same state.
type anybody struct {
	*cluster
	rand *prng.Rand
}

func (a *anybody) below(n int) int { return int(a.rand.Below(int64(n))) }

func (a *anybody) node() core.NodeID { return core.NodeID(1 + a.below(5)) }

func (a *anybody) nodes() (out []core.NodeID) {
	for range a.below(4) {
		out = append(out, a.node())
	}
	return out
}

func (a *anybody) topic() string { return []string{"a", "b", "c"}[a.below(3)] }

func (a *anybody) tp() core.TopicPartition { return tp(a.topic(), int32(a.below(3))) }

// epoch is a broker's epoch, mostly.
func (a *anybody) epoch(id core.NodeID) core.BrokerEpoch {
	if b := a.broker(id); b != nil && a.below(10) > 0 {
		return b.Epoch
	}
	return core.BrokerEpoch(a.below(len(a.log) + 1))
}

// dirs is the directories of a broker; it has one or two, and now and then others than before.
func (a *anybody) dirs(id core.NodeID) []metadata.DirectoryID {
	out := []metadata.DirectoryID{dirOf(id, 1)}
	if a.below(4) == 0 {
		out = append(out, dirOf(id, 2))
	}
	if a.below(8) == 0 {
		out[0] = dirOf(id, byte(3+a.below(3)))
	}
	return out
}

func (a *anybody) wish() (Refusal, []metadata.Record) {
	switch a.below(18) {
	case 0, 1:
		id := a.node()
		r := registration(id, a.life[id]+byte(a.below(2)), a.epoch(id))
		r.LogDirs = a.dirs(id)
		refusal, _, recs := a.ctl.RegisterBroker(a.now, r, core.Offset(len(a.log)))
		if refusal.OK() {
			a.life[id] = r.Incarnation[1]
		}
		return refusal, recs
	case 2, 3, 4, 5, 6:
		id := a.node()
		hb := Heartbeat{ID: id, Epoch: a.epoch(id), MetadataOffset: core.Offset(len(a.log) - 1 - a.below(3))}
		hb.WantFence, hb.WantShutdown = a.below(9) == 0, a.below(9) == 0
		if a.below(9) == 0 {
			hb.OfflineDirs = a.dirs(id)
		}
		r, _, recs := a.ctl.Heartbeat(a.now, hb)
		return r, recs
	case 7, 8, 9:
		return a.alter()
	case 10:
		r, _, recs := a.ctl.ElectLeaders(ElectionType(a.below(3)), [][]core.TopicPartition{nil, {a.tp(), a.tp()}}[a.below(2)])
		return r, recs
	case 11, 12:
		wishes := []Reassignment{{a.tp(), a.nodes()}, {a.tp(), a.nodes()}}
		r, _, recs := a.ctl.AlterAssignments(wishes[:1+a.below(2)], a.below(2) == 0)
		return r, recs
	case 13:
		return a.create()
	case 14:
		if t := a.ctl.Image().Topic(a.topic()); t != nil && a.below(3) == 0 {
			return Refusal{}, a.ctl.DeleteTopic(t.ID)
		}
		return Refusal{}, nil
	case 15:
		return a.configure()
	case 16:
		kind, level := UpgradeType(a.below(4)), metadata.FeatureLevel(a.below(2))
		return a.ctl.UpdateFeatures([]FeatureUpdate{{metadata.EligibleLeaderReplicasFeature, level, kind}}, false)
	}
	return a.rare()
}

// rare is what happens seldom.
func (a *anybody) rare() (Refusal, []metadata.Record) {
	id := a.node()
	switch a.below(4) {
	case 0:
		return a.ctl.UnregisterBroker(id)
	case 1:
		r, _, recs := a.ctl.AllocateProducerIDBlock(id, a.epoch(id), 10)
		return r, recs
	case 2:
		return a.ctl.RegisterController(ControllerRegistration{ID: 9, Features: registration(1, 1, 0).Features})
	}
	var wishes []DirAssignment
	for t := range a.ctl.Image().Topics() {
		wishes = append(wishes, DirAssignment{a.dirs(id)[0], t.ID, int32(a.below(2))})
	}
	r, _, recs := a.ctl.AssignReplicasToDirs(id, a.epoch(id), wishes)
	return r, recs
}

func (a *anybody) create() (Refusal, []metadata.Record) {
	t := NewTopic{Name: a.topic(), Partitions: int32(1 + a.below(3)), Replication: int16(1 + a.below(4))}
	if a.below(3) == 0 {
		t = NewTopic{Name: a.topic(), Partitions: -1, Replication: -1, Assignment: [][]core.NodeID{a.nodes()}}
	}
	if a.below(3) == 0 {
		return a.ctl.CreatePartitions(a.topic(), int32(a.below(4)), nil, 0)
	}
	made, recs := a.ctl.CreateTopic(t)
	return made.Refusal, recs
}

func (a *anybody) configure() (Refusal, []metadata.Record) {
	res := []metadata.ConfigResource{clusterDefault(), {Type: metadata.ResourceBroker, Name: "1"}, {Type: metadata.ResourceTopic, Name: a.topic()}}[a.below(3)]
	ch := ConfigChange{minISRKey, ConfigOp(a.below(2)), ptr(strconv.Itoa(1 + a.below(3)))}
	if a.below(4) == 0 {
		ch = ConfigChange{uncleanKey, ConfigOp(a.below(2)), ptr("true")}
	}
	return a.ctl.IncrementalAlterConfigs(res, []ConfigChange{ch})
}

// alter is an AlterPartition of one or two partitions with almost the right epochs.
func (a *anybody) alter() (Refusal, []metadata.Record) {
	req := AlterPartition{BrokerID: a.node()}
	for range 1 + a.below(2) {
		t, p := a.ctl.find(a.tp())
		if p == nil {
			continue
		}
		if a.below(10) > 0 {
			req.BrokerID = p.Leader
		}
		w := PartitionISR{Index: p.ID, LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch}
		w.LeaderEpoch += core.LeaderEpoch(a.below(9) / 8)
		w.PartitionEpoch -= core.PartitionEpoch(a.below(9) / 8)
		w.LeaderRecoveryState = metadata.LeaderRecoveryState(a.below(9) / 8)
		for _, n := range p.Replicas {
			if n == req.BrokerID || a.below(2) == 0 {
				w.NewISR = append(w.NewISR, ReplicaState{n, []core.BrokerEpoch{-1, a.epoch(n)}[a.below(2)]})
			}
		}
		req.Topics = append(req.Topics, AlterPartitionTopic{t.ID, []PartitionISR{w}})
	}
	req.BrokerEpoch = a.epoch(req.BrokerID)
	r, _, recs := a.ctl.AlterPartition(a.now, req)
	return r, recs
}

func TestAnyWishes(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			a := &anybody{newCluster(t), prng.New(seed)}
			a.start(1, 2, 3)
			for range 300 {
				before := a.ctl.Image().Clone()
				r, recs := a.wish()
				require.Empty(t, before.Diff(a.ctl.Image()), "making records changes nothing")
				if !r.OK() {
					require.Empty(t, recs)
					require.NotEmpty(t, r.Why)
				}
				a.propose(recs)
				switch a.below(12) {
				case 0:
					a.now.Mono += core.Mono(a.rand.Below(int64(timeout)))
					a.tick()
				case 1:
					a.failover()
				case 2:
					id := a.node()
					a.ctl.Disconnected(a.now, id, a.epoch(id))
				}
			}
			a.failover()
		})
	}
}

// BenchmarkFailover is what a controller with 100,000 partitions of three replicas on ten brokers pays to take over, and
// then to fence a broker that leads a tenth of them.
func BenchmarkFailover(b *testing.B) {
	k := newCluster(b)
	for id := core.NodeID(1); id <= 10; id++ {
		k.start(id)
	}
	quiet := func(recs []metadata.Record) { // cluster.propose checks everything
		require.NoError(b, k.ctl.Replay(recs, core.Offset(len(k.log)), 0))
		k.log = append(k.log, recs...)
	}
	for i := range 100 {
		made, recs := k.ctl.CreateTopic(NewTopic{Name: "t" + strconv.Itoa(i), Partitions: 1000, Replication: 3})
		require.True(b, made.OK())
		quiet(recs)
	}
	base := k.ctl.Image()
	b.Run("activate", func(b *testing.B) {
		for range b.N {
			k.activateUnchecked(base)
		}
	})
	b.Run("fence", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			k.activateUnchecked(base.Clone())
			b.StartTimer()
			recs := k.ctl.fence(k.broker(1))
			require.NoError(b, k.ctl.Replay(recs, core.Offset(len(k.log)), 0))
			b.ReportMetric(float64(len(recs)), "records")
		}
	})
	b.Run("heartbeat", func(b *testing.B) {
		k.activateUnchecked(base.Clone())
		hb := Heartbeat{ID: 2, Epoch: k.broker(2).Epoch, MetadataOffset: core.Offset(len(k.log)) - 1}
		b.ReportAllocs()
		for range b.N {
			_, _, recs := k.ctl.Heartbeat(k.now, hb)
			if len(recs) > 0 {
				b.Fatal(recs)
			}
			k.ctl.NextDeadline()
		}
	})
}
