package controller

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
)

// cluster is a controller of several brokers, with the log and the clock. Everything is checked after each step.
type cluster struct {
	t    require.TestingT
	ctl  *Controller
	log  []metadata.Record
	now  core.Now
	life map[core.NodeID]byte // the incarnation that registered last
}

const timeout = 9 * core.Second

func newCluster(t require.TestingT) *cluster {
	k := &cluster{t: t, life: make(map[core.NodeID]byte)}
	k.activate(metadata.NewImage())
	return k
}

// activate makes another controller go on from an image.
func (k *cluster) activate(m *metadata.Image) {
	k.activateUnchecked(m)
	k.ctl.Check()
}

func (k *cluster) activateUnchecked(m *metadata.Image) {
	cfg := config.Broker{NodeID: 1, NumPartitions: 1, DefaultReplication: 1}
	opts := Options{AutoRebalance: true, Static: map[string]string{minISRKey: "2"}}
	k.ctl = Activate(cfg, opts, prng.New(3), m, k.now)
}

// failover makes another controller go on from the log alone.
func (k *cluster) failover() {
	m := metadata.NewImage()
	for i, r := range k.log {
		require.NoError(k.t, m.Replay(r, core.Offset(i), 0, nil))
	}
	require.Empty(k.t, k.ctl.Image().Diff(m), "what is live is what is replayed")
	k.activate(m)
}

// propose appends records, encoded and parsed so that what the log cannot carry fails here. Each must be harmless by
// itself: a controller may die after any of them.
func (k *cluster) propose(recs []metadata.Record) {
	level := k.ctl.MetadataVersion(recs)
	base := core.Offset(len(k.log))
	for _, r := range recs {
		parsed, err := metadata.Parse(metadata.AppendTo(nil, r, level))
		require.NoError(k.t, err)
		k.log = append(k.log, parsed)
	}
	require.NoError(k.t, k.ctl.Replay(recs, base, 0))
	k.ctl.Check()
}

func dirOf(id core.NodeID, n byte) metadata.DirectoryID { return metadata.DirectoryID{9, byte(id), n} }

// registration is what broker id says in its life-th life.
func registration(id core.NodeID, life byte, previous core.BrokerEpoch) BrokerRegistration {
	features := []metadata.SupportedFeature{
		{Name: metadata.MetadataVersionFeature, Min: metadata.MetadataVersionMin, Max: metadata.MetadataVersionMax},
		{Name: metadata.EligibleLeaderReplicasFeature, Min: 0, Max: 1},
		{Name: metadata.GroupVersionFeature, Min: 0, Max: 1},
		{Name: metadata.TransactionVersionFeature, Min: 0, Max: 2},
	}
	return BrokerRegistration{
		ID: id, Incarnation: metadata.IncarnationID{byte(id), life}, Features: features,
		Endpoints: []metadata.Endpoint{{Name: "B", Host: "h", Port: uint16(9000 + id)}},
		LogDirs:   []metadata.DirectoryID{dirOf(id, 1)}, PreviousBrokerEpoch: previous,
	}
}

func (k *cluster) register(r BrokerRegistration) Refusal {
	refusal, epoch, recs := k.ctl.RegisterBroker(k.now, r, core.Offset(len(k.log)))
	if refusal.OK() {
		k.propose(recs)
		require.Equal(k.t, epoch, k.broker(r.ID).Epoch)
		k.life[r.ID] = r.Incarnation[1]
	} else {
		require.Empty(k.t, recs)
	}
	return refusal
}

// reboot registers the next life of a broker.
func (k *cluster) reboot(id core.NodeID, previous core.BrokerEpoch) Refusal {
	return k.register(registration(id, k.life[id]+1, previous))
}

func (k *cluster) broker(id core.NodeID) *metadata.Broker { return k.ctl.Image().Broker(id) }

// beat is a heartbeat of a broker that has applied everything.
func (k *cluster) beat(id core.NodeID, wish func(*Heartbeat)) HeartbeatAnswer {
	answer, _ := k.tryBeat(id, wish)
	return answer
}

func (k *cluster) tryBeat(id core.NodeID, wish func(*Heartbeat)) (HeartbeatAnswer, core.ErrorCode) {
	hb := Heartbeat{ID: id, MetadataOffset: core.Offset(len(k.log)) - 1}
	if b := k.broker(id); b != nil {
		hb.Epoch = b.Epoch
	}
	if wish != nil {
		wish(&hb)
	}
	r, answer, recs := k.ctl.Heartbeat(k.now, hb)
	k.propose(recs)
	return answer, r.Code
}

// start registers and unfences brokers.
func (k *cluster) start(ids ...core.NodeID) {
	for _, id := range ids {
		require.Equal(k.t, Refusal{}, k.reboot(id, -1))
		answer, code := k.tryBeat(id, nil)
		require.Equal(k.t, core.ErrNone, code)
		require.Equal(k.t, HeartbeatAnswer{CaughtUp: true}, answer)
	}
}

// create makes a topic with these replicas for each partition.
func (k *cluster) create(name string, replicas ...[]core.NodeID) {
	made, recs := k.ctl.CreateTopic(NewTopic{Name: name, Partitions: -1, Replication: -1, Assignment: replicas})
	require.Equal(k.t, Refusal{}, made.Refusal)
	k.propose(recs)
}

// silence lets time pass in which only some brokers are heard, until the others are fenced.
func (k *cluster) silence(heard ...core.NodeID) {
	for range 5 {
		k.now.Mono += timeout / 4
		for _, id := range heard {
			k.beat(id, nil)
		}
		k.tick()
	}
}

func (k *cluster) tick() {
	for range 1000 {
		at, ok := k.ctl.NextDeadline()
		if !ok || at > k.now.Mono {
			return
		}
		k.propose(k.ctl.Tick(k.now))
	}
	require.Fail(k.t, "the controller never comes to rest")
}

// part is partition 0 of a topic, or another.
func (k *cluster) part(topic string, id ...int32) *metadata.Partition {
	return k.ctl.Image().Topic(topic).Partition(append(id, 0)[0])
}

// state is leader, ISR, ELR and last known ELR in words.
func (k *cluster) state(topic string) string {
	p := k.part(topic)
	out := fmt.Sprintf("%d %v", p.Leader, p.ISR)
	if len(p.EligibleLeaderReplicas) > 0 {
		out += fmt.Sprintf(" elr %v", p.EligibleLeaderReplicas)
	}
	if len(p.LastKnownElr) > 0 {
		out += fmt.Sprintf(" last %v", p.LastKnownElr)
	}
	if p.LeaderRecoveryState == metadata.Recovering {
		out += " recovering"
	}
	return out
}

// alter is an AlterPartition of the leader of partition 0 with the present epochs.
func (k *cluster) alter(topic string, isr []core.NodeID, wish func(*AlterPartition)) AlteredPartition {
	t, p := k.ctl.Image().Topic(topic), k.part(topic)
	w := PartitionISR{Index: 0, LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch}
	for _, id := range isr {
		epoch := core.BrokerEpoch(-1)
		if b := k.broker(id); b != nil {
			epoch = b.Epoch
		}
		w.NewISR = append(w.NewISR, ReplicaState{id, epoch})
	}
	a := AlterPartition{BrokerID: p.Leader, Topics: []AlterPartitionTopic{{t.ID, []PartitionISR{w}}}}
	if b := k.broker(p.Leader); b != nil {
		a.BrokerEpoch = b.Epoch
	}
	if wish != nil {
		wish(&a)
	}
	r, answers, recs := k.ctl.AlterPartition(k.now, a)
	if !r.OK() {
		require.Empty(k.t, recs)
		return AlteredPartition{Code: r.Code}
	}
	k.propose(recs)
	require.Len(k.t, answers, 1)
	if answers[0].Code == core.ErrNone {
		p = k.part(topic)
		require.Equal(k.t, AlteredPartition{
			t.ID, 0, core.ErrNone, p.Leader, p.LeaderEpoch, p.ISR, p.PartitionEpoch, p.LeaderRecoveryState,
		}, answers[0], "the answer is the state after the change")
	}
	return answers[0]
}

func TestNewClusterBeginsWithFeatures(t *testing.T) {
	k := newCluster(t)
	k.start(1)
	two := "2"
	require.Equal(t, []metadata.Record{
		&metadata.FeatureLevelRecord{Name: metadata.MetadataVersionFeature, FeatureLevel: metadata.MetadataVersionMax},
		&metadata.FeatureLevelRecord{Name: metadata.EligibleLeaderReplicasFeature, FeatureLevel: 1},
		&metadata.FeatureLevelRecord{Name: metadata.GroupVersionFeature, FeatureLevel: 1},
		&metadata.FeatureLevelRecord{Name: metadata.TransactionVersionFeature, FeatureLevel: 2},
		&metadata.ConfigRecord{ResourceType: metadata.ResourceBroker, Name: minISRKey, Value: &two},
	}, k.log[:5])
	require.Equal(t, core.BrokerEpoch(5), k.broker(1).Epoch, "the epoch is the registration's offset")
	require.Equal(t, metadata.KeyRegisterBroker, k.log[5].APIKey())
}

// BUGS I2: one uptime per broker epoch.
func TestIncarnations(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	epoch := k.broker(2).Epoch
	require.Equal(t, core.ErrDuplicateBrokerRegistration, k.reboot(2, -1).Code, "the old one has a session")

	again := registration(2, k.life[2], -1)
	again.Endpoints[0].Port++
	require.True(t, k.register(again).OK())
	require.Equal(t, epoch, k.broker(2).Epoch, "the same incarnation keeps its epoch")
	require.False(t, k.broker(2).Fenced, "and its fence")
	require.Equal(t, again.Endpoints, k.broker(2).Endpoints)

	k.silence(1)
	require.True(t, k.broker(2).Fenced)
	require.True(t, k.reboot(2, -1).OK())
	require.Greater(t, k.broker(2).Epoch, epoch)
	require.True(t, k.broker(2).Fenced)
	_, code := k.tryBeat(2, func(hb *Heartbeat) { hb.Epoch = epoch })
	require.Equal(t, core.ErrStaleBrokerEpoch, code)
	require.True(t, k.broker(2).Fenced, "a late heartbeat of a dead incarnation lifts no fence")
	_, code = k.tryBeat(9, nil)
	require.Equal(t, core.ErrBrokerIDNotRegistered, code)
}

// A session that has run out protects nobody, even if the tick that would fence the broker has not come yet.
func TestRegistrationAfterSessionBeforeTick(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{2, 1, 3})
	k.now.Mono += timeout
	require.Equal(t, core.ErrDuplicateBrokerRegistration, k.reboot(2, -1).Code, "it ends after the timeout, not at it")
	k.now.Mono++
	require.True(t, k.reboot(2, -1).OK())
	require.Equal(t, "1 [1 3]", k.state("a"))
}

func TestRefusedRegistrations(t *testing.T) {
	k := newCluster(t)
	k.start(1)
	for _, c := range []struct {
		name string
		code core.ErrorCode
		do   func(r *BrokerRegistration)
	}{
		{"negative id", core.ErrInvalidRegistration, func(r *BrokerRegistration) { r.ID = -1 }},
		{"no directory", core.ErrInvalidRegistration, func(r *BrokerRegistration) { r.LogDirs = nil }},
		{"reserved directory", core.ErrInvalidRegistration, func(r *BrokerRegistration) { r.LogDirs[0] = metadata.DirLost }},
		{"directory twice", core.ErrInvalidRegistration, func(r *BrokerRegistration) { r.LogDirs = append(r.LogDirs, r.LogDirs[0]) }},
		{"another's directory", core.ErrInvalidRegistration, func(r *BrokerRegistration) { r.LogDirs[0] = dirOf(1, 1) }},
		{"listener twice", core.ErrInvalidRegistration, func(r *BrokerRegistration) { r.Endpoints = append(r.Endpoints, r.Endpoints[0]) }},
		{"feature twice", core.ErrInvalidRegistration, func(r *BrokerRegistration) { r.Features = append(r.Features, r.Features[0]) }},
		{"too old", core.ErrUnsupportedVersion, func(r *BrokerRegistration) { r.Features[0].Max-- }},
		{"too new", core.ErrUnsupportedVersion, func(r *BrokerRegistration) { r.Features[0].Min = r.Features[0].Max + 1 }},
		{"feature unknown to it", core.ErrUnsupportedVersion, func(r *BrokerRegistration) { r.Features = r.Features[:1] }},
	} {
		r := registration(2, 1, -1)
		c.do(&r)
		require.Equal(t, c.code, k.register(r).Code, c.name)
		require.Nil(t, k.broker(2))
	}
}

// Unfenced only when it has applied its own registration.
func TestUnfencedWhenCaughtUp(t *testing.T) {
	k := newCluster(t)
	require.True(t, k.reboot(1, -1).OK())
	epoch := core.Offset(k.broker(1).Epoch)
	answer := k.beat(1, func(hb *Heartbeat) { hb.MetadataOffset = epoch - 1 })
	require.Equal(t, HeartbeatAnswer{Fenced: true}, answer)
	answer = k.beat(1, func(hb *Heartbeat) { hb.WantFence = true })
	require.Equal(t, HeartbeatAnswer{CaughtUp: true, Fenced: true}, answer, "it does not want to yet")
	answer = k.beat(1, func(hb *Heartbeat) { hb.MetadataOffset = epoch })
	require.Equal(t, HeartbeatAnswer{CaughtUp: true}, answer)
	require.True(t, k.broker(1).Active())
	answer = k.beat(1, func(hb *Heartbeat) { hb.WantFence = true })
	require.True(t, answer.Fenced)
	require.True(t, k.broker(1).Fenced)
}

func TestSessionsEndOneByOne(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2, 3})
	k.now.Mono += timeout - 1
	k.beat(3, nil)
	at, ok := k.ctl.NextDeadline()
	require.True(t, ok)
	require.LessOrEqual(t, at, timeout)
	k.now.Mono = timeout + 1
	k.propose(k.ctl.Tick(k.now))
	require.Equal(t, "2 [2 3]", k.state("a"))
	k.propose(k.ctl.Tick(k.now))
	require.Equal(t, "3 [3] elr [2]", k.state("a"), "the second fencing saw the first")
	k.tick()
	require.False(t, k.broker(3).Fenced)
	require.Equal(t, core.LeaderEpoch(2), k.part("a").LeaderEpoch)
}

// A new controller does not know when a broker was heard last, and gives it a whole session.
func TestActivationGivesSessions(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	k.now.Mono += timeout
	k.failover()
	k.tick()
	require.False(t, k.broker(1).Fenced)
	k.now.Mono += timeout + 1
	k.tick()
	require.True(t, k.broker(1).Fenced)
	require.True(t, k.broker(2).Fenced)
	_, ok := k.ctl.NextDeadline()
	require.False(t, ok, "nothing is to come")
}

// KIP-966: below min.insync.replicas those that leave the ISR stay eligible, and lead when nobody else may.
func TestEligibleLeaderReplicas(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2, 3})
	k.silence(1, 2)
	require.Equal(t, "1 [1 2]", k.state("a"), "the ISR is large enough: no ELR")
	k.silence(1)
	require.Equal(t, "1 [1] elr [2]", k.state("a"))
	k.silence()
	require.Equal(t, "-1 [] elr [1 2] last [1]", k.state("a"))
	k.beat(3, nil)
	require.Equal(t, "-1 [] elr [1 2] last [1]", k.state("a"), "BUGS A13: 3 is not eligible")
	k.beat(2, nil)
	require.Equal(t, "2 [2] elr [1]", k.state("a"))
	k.beat(1, nil)
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{2, 1}, nil).Code)
	require.Equal(t, "2 [2 1]", k.state("a"))
}

// BUGS A11: the last replica standing loses its eligibility with what it had not synced.
func TestUncleanRestart(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2, 3})
	k.silence(1, 3)
	k.silence(1)
	require.Equal(t, "1 [1] elr [3]", k.state("a"))
	k.silence()
	require.Equal(t, "-1 [] elr [1 3] last [1]", k.state("a"))
	require.True(t, k.reboot(1, -1).OK())
	require.Equal(t, "-1 [] elr [3] last [1]", k.state("a"))
	k.beat(1, nil)
	require.Equal(t, "-1 [] elr [3] last [1]", k.state("a"), "1 may not lead")
	k.beat(3, nil)
	require.Equal(t, "3 [3]", k.state("a"))
}

// A broker that proves its clean shutdown stays eligible.
func TestCleanRestart(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2})
	k.silence(1)
	epoch := k.broker(2).Epoch
	require.Equal(t, "1 [1] elr [2]", k.state("a"))
	require.True(t, k.reboot(2, epoch).OK())
	require.Equal(t, "1 [1] elr [2]", k.state("a"))
	k.silence(1)
	require.True(t, k.reboot(2, epoch).OK(), "the proof of an earlier life proves nothing")
	require.Equal(t, "1 [1]", k.state("a"))
}

// A partition of one replica has no other hope than its last leader (KIP-966, balanced recovery).
func TestLastKnownLeader(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	k.create("a", []core.NodeID{2})
	k.silence(1)
	require.Equal(t, "-1 [] elr [2] last [2]", k.state("a"))
	require.True(t, k.reboot(2, -1).OK())
	require.Equal(t, "-1 [] last [2]", k.state("a"))
	k.failover()
	k.beat(2, nil)
	require.Equal(t, "2 [2] recovering", k.state("a"))
	require.Equal(t, core.ErrInvalidRequest, k.alter("a", []core.NodeID{1, 2}, nil).Code)
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{2}, nil).Code, "it reports that it has recovered")
	require.Equal(t, "2 [2]", k.state("a"))
}

// A last known leader that is down is not elected (Kafka logs it and elects it).
func TestLastKnownLeaderDown(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	k.create("a", []core.NodeID{2, 1})
	k.silence(2)
	k.silence()
	require.True(t, k.reboot(2, -1).OK())
	require.True(t, k.reboot(1, -1).OK())
	require.Equal(t, "-1 [] last [2]", k.state("a"))
	k.beat(1, nil)
	require.Equal(t, "-1 [] last [2]", k.state("a"))
	k.beat(2, nil)
	require.Equal(t, "2 [2] recovering", k.state("a"))
}

// A broker whose disk was replaced has nothing: it is not eligible even with proof, and not as last known leader.
func TestLostDirectory(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	k.create("a", []core.NodeID{2})
	k.create("b", []core.NodeID{2, 1})
	k.silence(1)
	require.Equal(t, "1 [1] elr [2]", k.state("b"))
	r := registration(2, 7, k.broker(2).Epoch)
	r.LogDirs[0] = dirOf(2, 2)
	require.True(t, k.register(r).OK())
	require.Equal(t, "-1 []", k.state("a"))
	require.Equal(t, "1 [1]", k.state("b"))
	k.beat(2, nil)
	require.Equal(t, "-1 []", k.state("a"), "an empty log is not elected unasked")
	require.Equal(t, core.ErrNone, k.alter("b", []core.NodeID{1, 2}, nil).Code)
	require.Equal(t, []metadata.DirectoryID{dirOf(2, 2), dirOf(1, 1)}, k.part("b").Directories)
	_, out, recs := k.ctl.ElectLeaders(UncleanElection, nil)
	k.propose(recs)
	require.Len(t, out, 1)
	require.True(t, out[0].OK())
	require.Equal(t, "2 [2] recovering", k.state("a"))
}

func TestAlterPartitionRefusals(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3, 4)
	k.create("a", []core.NodeID{1, 2, 3})
	one := func(f func(*PartitionISR)) func(*AlterPartition) {
		return func(a *AlterPartition) { f(&a.Topics[0].Partitions[0]) }
	}
	all := []core.NodeID{1, 2, 3}
	before := *k.part("a")
	for _, c := range []struct {
		name string
		code core.ErrorCode
		isr  []core.NodeID
		do   func(*AlterPartition)
	}{
		{"another life", core.ErrStaleBrokerEpoch, all, func(a *AlterPartition) { a.BrokerEpoch++ }},
		{"unknown broker", core.ErrStaleBrokerEpoch, all, func(a *AlterPartition) { a.BrokerID = 9 }},
		{"unknown topic", core.ErrUnknownTopicID, all, func(a *AlterPartition) { a.Topics[0].TopicID[0]++ }},
		{"unknown partition", core.ErrUnknownTopicOrPartition, all, one(func(p *PartitionISR) { p.Index = 5 })},
		{"later leader epoch", core.ErrNotController, all, one(func(p *PartitionISR) { p.LeaderEpoch++ })},
		{"later partition epoch", core.ErrNotController, all, one(func(p *PartitionISR) { p.PartitionEpoch++ })},
		{"older leader epoch", core.ErrFencedLeaderEpoch, all, one(func(p *PartitionISR) { p.LeaderEpoch-- })},
		{"older partition epoch", core.ErrInvalidUpdateVersion, all, one(func(p *PartitionISR) { p.PartitionEpoch-- })},
		{"a follower", core.ErrInvalidRequest, all, func(a *AlterPartition) { a.BrokerID, a.BrokerEpoch = 2, k.broker(2).Epoch }},
		{"no replica", core.ErrInvalidRequest, []core.NodeID{1, 4}, nil},
		{"twice", core.ErrInvalidRequest, []core.NodeID{1, 2, 2}, nil},
		{"without itself", core.ErrInvalidRequest, []core.NodeID{2, 3}, nil},
		{"nobody", core.ErrInvalidRequest, nil, nil},
		{"recovering again", core.ErrInvalidRequest, []core.NodeID{1}, one(func(p *PartitionISR) { p.LeaderRecoveryState = metadata.Recovering })},
		{"recovery unknown", core.ErrInvalidRequest, []core.NodeID{1}, one(func(p *PartitionISR) { p.LeaderRecoveryState = 7 })},
		{"another life of a follower", core.ErrIneligibleReplica, all, one(func(p *PartitionISR) { p.NewISR[1].BrokerEpoch-- })},
	} {
		require.Equal(t, c.code, k.alter("a", c.isr, c.do).Code, c.name)
		require.Equal(t, before, *k.part("a"), c.name)
	}
	k.silence(1, 2)
	require.Equal(t, core.ErrIneligibleReplica, k.alter("a", all, nil).Code, "KIP-841: 3 is fenced")
	k.beat(2, func(hb *Heartbeat) { hb.WantShutdown = true })
	require.Equal(t, core.ErrIneligibleReplica, k.alter("a", []core.NodeID{1, 2}, nil).Code)
}

// BUGS A8: a request that the network has doubled counts once.
func TestAlterPartitionTwice(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2, 3})
	var copied AlterPartition
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1, 2}, func(a *AlterPartition) { copied = *a }).Code)
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1, 2, 3}, nil).Code)
	_, answers, recs := k.ctl.AlterPartition(k.now, copied)
	require.Equal(t, core.ErrInvalidUpdateVersion, answers[0].Code)
	require.Empty(t, recs)
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1, 2, 3}, nil).Code, "no change is no error")

	p := k.part("a")
	copied.Topics[0].Partitions[0].PartitionEpoch = p.PartitionEpoch
	copied.Topics = append(copied.Topics, copied.Topics[0])
	_, answers, recs = k.ctl.AlterPartition(k.now, copied)
	require.Equal(t, core.ErrNone, answers[0].Code)
	require.Equal(t, core.ErrInvalidRequest, answers[1].Code, "a partition changes once per request")
	k.propose(recs)
}

// A leader that may still follow an older, smaller min.insync.replicas gets no ELR: its HighWatermark may have moved
// without those that it puts out.
func TestNoElrUnderAnOlderMinimum(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	k.create("a", []core.NodeID{1, 2})
	res := metadata.ConfigResource{Type: metadata.ResourceTopic, Name: "a"}
	set := func(v string) {
		r, recs := k.ctl.IncrementalAlterConfigs(res, []ConfigChange{{minISRKey, ConfigSet, &v}})
		require.True(t, r.OK(), r.Why)
		k.propose(recs)
	}
	set("1")
	k.beat(1, nil)
	set("2")
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1}, nil).Code)
	require.Equal(t, "1 [1]", k.state("a"))
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1, 2}, nil).Code)
	k.beat(1, nil)
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1}, nil).Code)
	require.Equal(t, "1 [1] elr [2]", k.state("a"), "now it has applied the minimum of 2")
	set("1")
	require.Equal(t, "1 [1]", k.state("a"), "with a minimum of 1 the leader moves on alone")
}

// BUGS 7.2, no fenced member: leaving is no different.
func TestControlledShutdown(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2, 3})
	k.beat(2, nil)
	k.beat(3, nil)
	leave := func(hb *Heartbeat) { hb.WantShutdown = true }
	answer := k.beat(1, leave)
	require.Equal(t, HeartbeatAnswer{CaughtUp: true}, answer)
	require.Equal(t, "2 [2 3]", k.state("a"))
	require.True(t, k.broker(1).InControlledShutdown)
	answer = k.beat(1, leave)
	require.False(t, answer.ShouldShutDown, "2 and 3 do not know their leader yet")
	k.beat(2, nil)
	k.failover()
	answer = k.beat(1, leave)
	require.False(t, answer.ShouldShutDown, "a new controller has heard nobody yet")
	k.beat(2, nil)
	k.beat(3, nil)
	answer = k.beat(1, leave)
	require.Equal(t, HeartbeatAnswer{CaughtUp: true, Fenced: true, ShouldShutDown: true}, answer)
	require.True(t, k.broker(1).Fenced)
	answer = k.beat(1, leave)
	require.True(t, answer.ShouldShutDown, "asked again")

	require.True(t, k.reboot(1, k.broker(1).Epoch).OK())
	k.beat(1, nil)
	require.True(t, k.broker(1).Active(), "a new life is not leaving any more")
	answer = k.beat(1, leave)
	require.True(t, answer.ShouldShutDown, "without leaderships there is nothing to wait for")
	require.True(t, k.broker(1).Fenced)
}

func TestUnregister(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2})
	k.silence(1, 3)
	require.Equal(t, "1 [1] elr [2]", k.state("a"))
	r, recs := k.ctl.UnregisterBroker(2)
	require.True(t, r.OK())
	k.propose(recs)
	require.Equal(t, "1 [1]", k.state("a"), "who comes next under its id proves nothing")
	r, _ = k.ctl.UnregisterBroker(2)
	require.Equal(t, core.ErrBrokerIDNotRegistered, r.Code)
	r, recs = k.ctl.UnregisterBroker(1)
	require.True(t, r.OK())
	k.propose(recs)
	require.Equal(t, "-1 [] last [1]", k.state("a"))
	require.Equal(t, core.ErrStaleBrokerEpoch, k.alter("a", []core.NodeID{1}, func(a *AlterPartition) { a.BrokerID = 1 }).Code)
	require.True(t, k.reboot(2, -1).OK())
	k.beat(2, nil)
	require.Equal(t, "-1 [] last [1]", k.state("a"))
}
