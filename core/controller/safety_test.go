package controller

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
)

// The tests of this file let the controller lead a model of brokers that keep the rules of replication (KIP-101, 497,
// 966) but nothing else: metadata arrives late, requests and answers are lost, doubled and overtaken, brokers stop, are cut
// off from the controller and lose what they have not synced. Whatever the controller decides, each member of an ISR or
// ELR that runs has every committed record, and once all is well every partition is whole again.

// model is the cluster and its brokers.
type model struct {
	*cluster
	rt        *testing.T
	rand      *prng.Rand
	brokers   map[core.NodeID]*modelBroker
	ids       []core.NodeID
	flights   []flight
	committed []core.LeaderEpoch // of the partition: the epoch of each record that was ever below a HighWatermark
	lossy     bool               // brokers may lose unsynced records, one at a time
	damaged   core.NodeID        // who has, and is not in the ISR again; or NoNode
}

// modelBroker is one process.
type modelBroker struct {
	id      core.NodeID
	up      bool
	clean   core.BrokerEpoch // proof of the last shutdown, or -1
	epoch   core.BrokerEpoch // of its registration, -1 before
	leaving bool
	image   *metadata.Image // of what it has applied
	applied int
	log     []core.LeaderEpoch // one entry for each record: the epoch that wrote it
	lead    *modelLeader       // its leadership, if it has one
}

// modelLeader is what a leader knows.
type modelLeader struct {
	epoch   core.LeaderEpoch
	version core.PartitionEpoch
	isr     []core.NodeID
	state   metadata.LeaderRecoveryState
	start   int // length of its log when it began
	hw      int
	pending *PartitionISR
	seen    map[core.NodeID]seen
}

// seen is a follower's last fetch.
type seen struct {
	epoch core.BrokerEpoch
	len   int
}

// flight is a request on its way.
type flight struct {
	wish AlterPartition
	to   *modelLeader
}

const modelTopic = "t"

func (m *model) the() *metadata.Partition { return m.part(modelTopic) }

func newModel(rt *testing.T, seed uint64, brokers, replicas int) *model {
	m := &model{cluster: newCluster(rt), rt: rt, rand: prng.New(seed), brokers: make(map[core.NodeID]*modelBroker), damaged: core.NoNode}
	var assigned []core.NodeID
	for id := core.NodeID(1); id <= core.NodeID(brokers); id++ {
		b := &modelBroker{id: id, up: true, clean: -1, image: metadata.NewImage()}
		m.brokers[id] = b
		m.ids = append(m.ids, id)
		m.start(id)
		b.epoch = m.broker(id).Epoch
		if len(assigned) < replicas {
			assigned = append(assigned, id)
		}
	}
	m.create(modelTopic, assigned)
	return m
}

// apply lets a broker read up to n more records of the metadata log.
func (m *model) apply(b *modelBroker, n int) {
	for ; n > 0 && b.applied < len(m.log); n-- {
		require.NoError(m.rt, b.image.Replay(m.log[b.applied], core.Offset(b.applied), 0, nil))
		b.applied++
		m.observe(b)
	}
}

// observe brings a broker's leadership in line with its image.
func (m *model) observe(b *modelBroker) {
	t := b.image.Topic(modelTopic)
	if t == nil || t.Partition(0) == nil {
		return
	}
	p := t.Partition(0)
	switch l := b.lead; {
	case p.Leader != b.id || b.image.Broker(b.id).Epoch != b.epoch: // not it, or not in this life
		b.lead = nil
	case l == nil || l.epoch < p.LeaderEpoch:
		b.lead = &modelLeader{
			epoch: p.LeaderEpoch, version: p.PartitionEpoch, isr: p.ISR, state: p.LeaderRecoveryState,
			start: len(b.log), seen: make(map[core.NodeID]seen),
		}
	case l.version < p.PartitionEpoch:
		l.version, l.isr, l.state, l.pending = p.PartitionEpoch, p.ISR, p.LeaderRecoveryState, nil
	}
}

// minimum is min.insync.replicas as the broker knows it.
func (m *model) minimum(b *modelBroker) int {
	c := &Controller{image: b.image, static: m.ctl.static}
	return effectiveMinISR(c.minISR(modelTopic), len(b.image.Topic(modelTopic).Partition(0).Replicas))
}

// advance moves a leader's HighWatermark over its maximal ISR (KIP-497).
func (m *model) advance(b *modelBroker) {
	l := b.lead
	if len(l.isr) < m.minimum(b) {
		return
	}
	maximal := slices.Clone(l.isr)
	if l.pending != nil {
		for _, r := range l.pending.NewISR {
			maximal = append(maximal, r.ID)
		}
	}
	hw := len(b.log)
	for _, n := range maximal {
		if n != b.id {
			hw = min(hw, l.seen[n].len)
		}
	}
	l.hw = max(l.hw, hw)
	if n := min(l.hw, len(m.committed)); !slices.Equal(m.committed[:n], b.log[:n]) {
		m.rt.Fatalf("leader %d: committed %v, log %v, HighWatermark %d", b.id, m.committed, b.log, l.hw)
	}
	if l.hw > len(m.committed) {
		m.committed = slices.Clone(b.log[:l.hw])
	}
}

// fetch lets a follower truncate to and copy from its leader (KIP-101, KIP-320), at most n records.
func (m *model) fetch(f *modelBroker, n int) {
	t := f.image.Topic(modelTopic)
	if t == nil || t.Partition(0) == nil {
		return
	}
	p := t.Partition(0)
	b := m.brokers[p.Leader]
	if b == nil || b == f || !b.up || b.lead == nil || b.lead.epoch != p.LeaderEpoch || !slices.Contains(p.Replicas, f.id) {
		return
	}
	same := 0
	for same < len(f.log) && same < len(b.log) && f.log[same] == b.log[same] {
		same++
	}
	f.log = append(f.log[:same:same], b.log[same:min(same+n, len(b.log))]...)
	b.lead.seen[f.id] = seen{f.epoch, len(f.log)}
	m.advance(b)
}

// alterISR lets a leader propose: what is caught up comes in, one that is not may go out.
func (m *model) alterISR(b *modelBroker, out core.NodeID) {
	l := b.lead
	if l.pending != nil {
		m.send(b) // again: the answer may be lost
		return
	}
	w := &PartitionISR{LeaderEpoch: l.epoch, PartitionEpoch: l.version}
	for _, n := range b.image.Topic(modelTopic).Partition(0).Replicas {
		s, known := l.seen[n]
		caughtUp := known && s.len >= max(l.hw, l.start)
		switch {
		case n == b.id:
			w.NewISR = append(w.NewISR, ReplicaState{n, b.epoch})
		case slices.Contains(l.isr, n) && n != out && !known:
			w.NewISR = append(w.NewISR, ReplicaState{n, -1})
		case slices.Contains(l.isr, n) && n != out, caughtUp && n != out:
			w.NewISR = append(w.NewISR, ReplicaState{n, s.epoch})
		}
	}
	if l.state == metadata.Recovering {
		w.NewISR = []ReplicaState{{b.id, b.epoch}} // first it is recovered
	}
	l.pending = w
	m.send(b)
}

func (m *model) send(b *modelBroker) {
	id := b.image.Topic(modelTopic).ID
	m.flights = append(m.flights, flight{AlterPartition{b.id, b.epoch, []AlterPartitionTopic{{id, []PartitionISR{*b.lead.pending}}}}, b.lead})
}

// deliver lets a request arrive; its answer may be lost, and the request may arrive once more.
func (m *model) deliver(i int, answered, again bool) {
	f := m.flights[i]
	if !again {
		m.flights = slices.Delete(m.flights, i, i+1)
	}
	r, answers, recs := m.ctl.AlterPartition(m.now, f.wish)
	m.propose(recs)
	b := m.brokers[f.wish.BrokerID]
	l := f.to
	if !r.OK() || !answered || b.lead != l || l.pending == nil {
		return
	}
	a := answers[0]
	wish := f.wish.Topics[0].Partitions[0]
	switch {
	case a.Code == core.ErrNone && a.LeaderEpoch == l.epoch && a.PartitionEpoch >= l.version:
		l.version, l.isr, l.state, l.pending = a.PartitionEpoch, a.ISR, a.RecoveryState, nil
		m.advance(b)
	case a.Code == core.ErrIneligibleReplica && wish.PartitionEpoch == l.pending.PartitionEpoch && !again:
		l.pending = nil // it was refused, and no copy of it is under way
		m.flights = slices.DeleteFunc(m.flights, func(o flight) bool { return o.to == l })
	}
}

// heartbeat is one of a broker that runs.
func (m *model) heartbeat(b *modelBroker) {
	if b.epoch < 0 {
		m.join(b)
		return
	}
	r, answer, recs := m.ctl.Heartbeat(m.now, Heartbeat{
		ID: b.id, Epoch: b.epoch, MetadataOffset: core.Offset(b.applied) - 1, WantShutdown: b.leaving,
	})
	m.propose(recs)
	if r.OK() && answer.ShouldShutDown {
		b.up, b.clean, b.lead = false, b.epoch, nil
	}
}

// join registers a broker that has been started, if its old session lets it.
func (m *model) join(b *modelBroker) {
	if m.reboot(b.id, b.clean).OK() {
		b.epoch, b.clean = m.broker(b.id).Epoch, -1
	}
}

// crash stops a broker. One that syncs before it acknowledges can prove afterwards that it has all it acknowledged,
// unless it has not: then its log may be cut anywhere. The promise of min.insync.replicas = 2 bears one such at a time.
func (m *model) crash(b *modelBroker, keep int) {
	if b.epoch >= 0 {
		b.clean = b.epoch
	}
	b.up, b.lead = false, nil
	if m.lossy && (m.damaged == core.NoNode || m.damaged == b.id) && keep < len(b.log) {
		b.log, b.clean = b.log[:keep], -1
		m.damaged = b.id
	}
}

// boot starts a broker; it reads the metadata log anew.
func (m *model) boot(b *modelBroker) {
	b.up, b.epoch, b.leaving, b.image, b.applied = true, -1, false, metadata.NewImage(), 0
}

// judge is ISR-COMPLETE: what may lead has all that is committed.
func (m *model) judge() {
	p := m.the()
	for _, n := range slices.Concat(p.ISR, p.EligibleLeaderReplicas) {
		b := m.brokers[n]
		if reg := m.broker(n); !b.up || reg == nil || b.epoch != reg.Epoch {
			continue // its last life is registered; its next will be judged by what it brings
		}
		if k := len(m.committed); len(b.log) < k || !slices.Equal(b.log[:k], m.committed) {
			m.rt.Fatalf("broker %d is in ISR %v or ELR %v with log %v; committed are %v",
				n, p.ISR, p.EligibleLeaderReplicas, b.log, m.committed)
		}
	}
	if m.damaged != core.NoNode && slices.Contains(p.ISR, m.damaged) {
		if b := m.brokers[m.damaged]; b.up && m.broker(b.id) != nil && b.epoch == m.broker(b.id).Epoch {
			m.damaged = core.NoNode
		}
	}
}

// below is a random number.
func (m *model) below(n int) int { return int(m.rand.Below(int64(n))) }

// act is one random event.
func (m *model) act() {
	b := m.brokers[m.ids[m.below(len(m.ids))]]
	switch kind := m.below(40); {
	case kind == 0:
		m.now.Mono += core.Mono(m.rand.Below(int64(timeout)))
		m.tick()
	case kind == 1:
		m.failover()
	case kind == 2 && b.up:
		m.crash(b, m.below(len(b.log)+1))
	case kind == 3 && b.up:
		b.leaving = true
	case kind == 4:
		m.wish()
	case kind <= 8 && !b.up:
		m.boot(b)
	case kind <= 10 && b.up:
		m.apply(b, 1+m.below(8))
	case kind <= 14 && b.up:
		m.apply(b, len(m.log))
	case kind <= 21 && b.up:
		m.now.Mono += timeout / 40
		m.heartbeat(b)
	case kind <= 28 && b.up:
		m.fetch(b, 1+m.below(3))
	case kind <= 33 && b.lead != nil:
		b.log = append(b.log, b.lead.epoch)
		m.advance(b)
	case kind <= 36 && b.lead != nil:
		m.alterISR(b, m.ids[m.below(len(m.ids))])
	case len(m.flights) > 0:
		m.deliver(m.below(len(m.flights)), m.below(2) > 0, m.below(3) == 0)
	}
	m.trace(b)
	m.judge()
}

// trace tells what an event has led to; it is shown when the test fails.
func (m *model) trace(b *modelBroker) {
	m.rt.Logf("b%d up=%v clean=%d epoch=%d log=%v applied %d/%d lead=%+v | %s damaged=%d committed=%v", b.id, b.up, b.clean, b.epoch, b.log, b.applied, len(m.log), b.lead, m.state(modelTopic), m.damaged, m.committed)
}

// wish is something that an administrator asks for.
func (m *model) wish() {
	var recs []metadata.Record
	switch m.below(4) {
	case 0:
		_, _, recs = m.ctl.ElectLeaders(PreferredElection, nil)
	case 1:
		_, _, recs = m.ctl.AlterAssignments([]Reassignment{{tp(modelTopic, 0), nil}}, true)
	case 2:
		target := slices.Clone(m.ids)
		m.rand.Shuffle(len(target), func(i, j int) { target[i], target[j] = target[j], target[i] })
		_, _, recs = m.ctl.AlterAssignments([]Reassignment{{tp(modelTopic, 0), target[:2+m.below(2)]}}, true)
	case 3:
		if m.lossy {
			return // with a minimum of one a single loss may take what was committed
		}
		res := clusterDefault()
		if m.below(2) == 0 {
			res = metadata.ConfigResource{Type: metadata.ResourceTopic, Name: modelTopic}
		}
		v := []string{"1", "2", "3"}[m.below(3)]
		_, recs = m.ctl.IncrementalAlterConfigs(res, []ConfigChange{{minISRKey, ConfigSet, &v}})
	}
	m.propose(recs)
}

// heal lets everything work until nothing changes any more.
func (m *model) heal() {
	for range 60 {
		m.now.Mono += timeout / 4
		for _, id := range m.ids {
			b := m.brokers[id]
			if b.up && b.leaving {
				m.crash(b, len(b.log))
			}
			if !b.up {
				m.boot(b)
			}
			m.apply(b, len(m.log))
			m.heartbeat(b)
		}
		m.tick()
		for _, id := range m.ids {
			b := m.brokers[id]
			m.apply(b, len(m.log))
			m.fetch(b, len(m.log)+1000)
			if b.lead != nil {
				m.alterISR(b, core.NoNode)
			}
		}
		for len(m.flights) > 0 {
			m.deliver(0, true, false)
		}
		m.judge()
	}
	p := m.the()
	require.NotEqual(m.rt, core.NoNode, p.Leader, "%+v", p)
	require.ElementsMatch(m.rt, p.Replicas, p.ISR, "%+v", p)
	require.False(m.rt, reassigning(p), "%+v", p)
	require.Empty(m.rt, p.EligibleLeaderReplicas)
	b := m.brokers[p.Leader]
	require.GreaterOrEqual(m.rt, len(b.log), len(m.committed))
	require.True(m.rt, slices.Equal(m.committed, b.log[:len(m.committed)]), "%v in %v", m.committed, b.log)
}

// modelSeeds is how many histories each test of the model runs, and modelEvents how long they are at most.
const (
	modelSeeds  = 200
	modelEvents = 500
)

func runModel(t *testing.T, lossy bool) {
	for seed := range uint64(modelSeeds) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			m := newModel(t, seed, 4, 3)
			m.lossy = lossy
			for range m.below(modelEvents) {
				m.act()
			}
			m.heal()
		})
	}
}

// TestNothingCommittedIsLost runs the model with one broker at a time that loses what it had not synced.
func TestNothingCommittedIsLost(t *testing.T) { runModel(t, true) }

// TestMinimumMayChange runs the model with a min.insync.replicas that changes, and no losses.
func TestMinimumMayChange(t *testing.T) { runModel(t, false) }
