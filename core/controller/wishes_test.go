package controller

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

func tp(topic string, id int32) core.TopicPartition {
	return core.TopicPartition{Topic: topic, Partition: id}
}

func (k *cluster) elect(kind ElectionType, parts ...core.TopicPartition) []ElectedLeader {
	r, out, recs := k.ctl.ElectLeaders(kind, parts)
	require.True(k.t, r.OK(), r.Why)
	k.propose(recs)
	return out
}

func TestElectLeaders(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2, 3})
	k.create("b", []core.NodeID{2, 1, 3})
	codes := func(kind ElectionType, parts ...core.TopicPartition) (out []core.ErrorCode) {
		for _, e := range k.elect(kind, parts...) {
			out = append(out, e.Code)
		}
		return out
	}
	a := tp("a", 0)
	require.Equal(t, []core.ErrorCode{core.ErrElectionNotNeeded, core.ErrUnknownTopicOrPartition, core.ErrUnknownTopicOrPartition, core.ErrInvalidRequest},
		codes(PreferredElection, a, tp("a", 1), tp("x", 0), a))
	require.Empty(t, codes(PreferredElection), "none needs one")
	k.silence(2, 3)
	require.Equal(t, "2 [2 3]", k.state("a"))
	require.Equal(t, []core.ErrorCode{core.ErrPreferredLeaderNotAvailable}, codes(PreferredElection, a))
	k.beat(1, nil)
	require.Equal(t, []core.ErrorCode{core.ErrPreferredLeaderNotAvailable}, codes(PreferredElection), "up, but not in sync")
	k.alter("a", []core.NodeID{2, 3, 1}, nil)
	require.Equal(t, []core.ErrorCode{core.ErrNone}, codes(PreferredElection))
	require.Equal(t, "1 [2 3 1]", k.state("a"))
	require.Equal(t, []core.ErrorCode{core.ErrElectionNotNeeded}, codes(UncleanElection, a))

	k.silence(3)
	require.Equal(t, "3 [3] elr [1]", k.state("a"))
	require.Equal(t, "3 [3] elr [2]", k.state("b"))
	k.silence()
	require.Equal(t, []core.ErrorCode{core.ErrEligibleLeadersNotAvailable, core.ErrEligibleLeadersNotAvailable}, codes(UncleanElection))
	r, _, _ := k.ctl.ElectLeaders(7, nil)
	require.Equal(t, core.ErrInvalidRequest, r.Code)
}

// Where records matter less than answers (KIP-106): asked for, or allowed by configuration.
func TestUncleanElection(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2})
	k.create("b", []core.NodeID{1, 2})
	for _, name := range []string{"a", "b"} {
		require.Equal(t, core.ErrNone, k.alter(name, []core.NodeID{1}, nil).Code)
	}
	k.silence(1, 3)
	require.True(t, k.reboot(2, -1).OK()) // takes 2 off the ELR
	k.beat(2, nil)
	k.silence(2)
	require.Equal(t, "-1 [] elr [1] last [1]", k.state("a"), "BUGS A13: 2 is up, but not eligible")
	require.Equal(t, core.ErrNone, k.elect(UncleanElection, tp("a", 0))[0].Code)
	require.Equal(t, "2 [2] recovering", k.state("a"))

	res := metadata.ConfigResource{Type: metadata.ResourceTopic, Name: "b"}
	r, recs := k.ctl.IncrementalAlterConfigs(res, []ConfigChange{{uncleanKey, ConfigSet, ptr("true")}})
	require.True(t, r.OK())
	k.propose(recs)
	k.tick()
	require.Equal(t, "2 [2] recovering", k.state("b"), "at once, not at the next of Kafka's five minutes")
	require.Equal(t, "2 [2] recovering", k.state("a"))
}

func TestLeaderBalance(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	k.create("a", []core.NodeID{1, 2})
	k.silence(2)
	require.Equal(t, "2 [2] elr [1]", k.state("a"))
	k.beat(1, nil)
	require.Equal(t, core.ErrPreferredLeaderNotAvailable, k.elect(PreferredElection, tp("a", 0))[0].Code,
		"while somebody is in the ISR the ELR leads nothing")
	k.alter("a", []core.NodeID{1, 2}, nil)
	require.Equal(t, "2 [1 2]", k.state("a"))
	for range 50 {
		k.silence(1, 2)
	}
	require.Equal(t, "1 [1 2]", k.state("a"))
}

// BUGS I4: complete when all that are to be are in sync, not before.
func TestReassignment(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3, 4, 5, 6)
	k.create("a", []core.NodeID{1, 2, 3})
	k.reassign("a", []core.NodeID{4, 5, 6}, core.ErrNone)
	p := k.part("a")
	require.Equal(t, []core.NodeID{4, 5, 6, 1, 2, 3}, p.Replicas)
	require.Equal(t, []core.NodeID{4, 5, 6}, p.AddingReplicas)
	require.Equal(t, []core.NodeID{1, 2, 3}, p.RemovingReplicas)
	require.Equal(t, "1 [1 2 3]", k.state("a"), "nobody joins by assignment")
	require.Equal(t, []OngoingReassignment{{tp("a", 0), p.Replicas, p.AddingReplicas, p.RemovingReplicas}}, k.ctl.ListAssignments(nil))
	require.Empty(t, k.ctl.ListAssignments([]core.TopicPartition{tp("b", 0)}))
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1, 2, 3, 4, 5}, nil).Code)
	require.Len(t, k.part("a").Replicas, 6)
	epoch := k.part("a").LeaderEpoch
	require.Equal(t, core.ErrNewLeaderElected, k.alter("a", []core.NodeID{1, 2, 3, 4, 5, 6}, nil).Code)
	require.Equal(t, "4 [4 5 6]", k.state("a"))
	require.Equal(t, []core.NodeID{4, 5, 6}, k.part("a").Replicas)
	require.Equal(t, []metadata.DirectoryID{dirOf(4, 1), dirOf(5, 1), dirOf(6, 1)}, k.part("a").Directories)
	require.Equal(t, epoch+1, k.part("a").LeaderEpoch)
	require.Empty(t, k.ctl.ListAssignments(nil))

	k.reassign("a", []core.NodeID{6, 5, 4}, core.ErrNone)
	require.Equal(t, []core.NodeID{6, 5, 4}, k.part("a").Replicas, "another order is another preference, at once")
	require.Equal(t, epoch+1, k.part("a").LeaderEpoch)
	k.reassign("a", []core.NodeID{6, 5}, core.ErrInvalidReplicationFactor)
	_, out, recs := k.ctl.AlterAssignments([]Reassignment{{tp("a", 0), []core.NodeID{6, 5}}}, true)
	require.True(t, out[0].OK())
	k.propose(recs)
	require.Equal(t, "6 [5 6]", k.state("a"))
}

// A reassignment that waits for a member of the ELR ends when that one is elected: nobody's change of the ISR would end it later.
func TestReassignmentEndsByElection(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	k.create("a", []core.NodeID{2, 1})
	k.silence(2)
	require.Equal(t, "2 [2] elr [1]", k.state("a"))
	k.beat(1, nil)
	_, out, recs := k.ctl.AlterAssignments([]Reassignment{{tp("a", 0), []core.NodeID{1}}}, true)
	require.True(t, out[0].OK())
	k.propose(recs)
	require.Equal(t, []core.NodeID{2}, k.part("a").RemovingReplicas)
	k.silence(1)
	require.Equal(t, "1 [1]", k.state("a"))
	require.Equal(t, []core.NodeID{1}, k.part("a").Replicas)
	require.Empty(t, k.part("a").RemovingReplicas)
	require.Empty(t, k.ctl.ListAssignments(nil))
}

func (k *cluster) reassign(topic string, target []core.NodeID, code core.ErrorCode) {
	r, out, recs := k.ctl.AlterAssignments([]Reassignment{{tp(topic, 0), target}}, false)
	require.True(k.t, r.OK())
	require.Equal(k.t, code, out[0].Code, out[0].Why)
	if code != core.ErrNone {
		require.Empty(k.t, recs)
	}
	k.propose(recs)
}

func TestReassignmentRefusals(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2})
	k.reassign("a", nil, core.ErrNoReassignmentInProgress)
	k.reassign("a", []core.NodeID{}, core.ErrInvalidReplicaAssignment)
	k.reassign("a", []core.NodeID{1, 1}, core.ErrInvalidReplicaAssignment)
	k.reassign("a", []core.NodeID{1, 9}, core.ErrInvalidReplicaAssignment)
	k.reassign("a", []core.NodeID{1, 2, 3}, core.ErrInvalidReplicationFactor)
	_, out, _ := k.ctl.AlterAssignments([]Reassignment{{tp("b", 0), nil}, {tp("a", 0), []core.NodeID{2, 1}}, {tp("a", 0), nil}}, false)
	require.Equal(t, core.ErrUnknownTopicOrPartition, out[0].Code)
	require.Equal(t, core.ErrNone, out[1].Code)
	require.Equal(t, core.ErrInvalidRequest, out[2].Code)
}

func TestCancelReassignment(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3, 4, 5)
	k.create("a", []core.NodeID{1, 2, 3})
	k.reassign("a", []core.NodeID{1, 2, 4}, core.ErrNone)
	k.alter("a", []core.NodeID{1, 2, 3}, nil)
	k.reassign("a", []core.NodeID{1, 2, 5}, core.ErrNone)
	p := k.part("a")
	require.Equal(t, []core.NodeID{1, 2, 5, 4, 3}, p.Replicas)
	require.Equal(t, []core.NodeID{5, 4}, p.AddingReplicas, "neither was there before")
	require.Equal(t, []core.NodeID{4, 3}, p.RemovingReplicas)
	epoch := p.LeaderEpoch
	k.reassign("a", nil, core.ErrNone)
	p = k.part("a")
	require.Equal(t, []core.NodeID{1, 2, 3}, p.Replicas)
	require.Empty(t, p.AddingReplicas)
	require.Empty(t, p.RemovingReplicas)
	require.Equal(t, epoch+1, p.LeaderEpoch, "those that go must hear of it")
	require.Equal(t, "1 [1 2 3]", k.state("a"))
}

// Going back is refused when only the new replicas have the records.
func TestCancelWouldLose(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1})
	k.reassign("a", []core.NodeID{2}, core.ErrNone)
	// 3 becomes a target too, so that the reassignment does not end when 2 is in sync.
	_, out, recs := k.ctl.AlterAssignments([]Reassignment{{tp("a", 0), []core.NodeID{2, 3}}}, true)
	require.True(t, out[0].OK())
	k.propose(recs)
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1, 2}, nil).Code)
	k.silence(2, 3)
	require.Equal(t, "2 [2] elr [1]", k.state("a"))
	k.reassign("a", nil, core.ErrInvalidReplicaAssignment)
	require.Equal(t, "2 [2] elr [1]", k.state("a"))
}

// One replica is enough where there was one: no more can be asked of it, whatever the minimum.
func TestCancelToOneReplica(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1})
	_, out, recs := k.ctl.AlterAssignments([]Reassignment{{tp("a", 0), []core.NodeID{1, 2, 3}}}, true)
	require.True(t, out[0].OK())
	k.propose(recs)
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{1, 2}, nil).Code)
	k.reassign("a", nil, core.ErrNone)
	require.Equal(t, "1 [1]", k.state("a"))
}

func TestDeletedTopicLeavesTheIndex(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	k.create("a", []core.NodeID{1, 2}, []core.NodeID{2, 1})
	k.propose(k.ctl.DeleteTopic(k.ctl.Image().Topic("a").ID))
	require.Empty(t, k.ctl.index.entries())
	k.silence(2) // nothing of it is left to be moved
}

func TestUpdateFeatures(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	elr := metadata.EligibleLeaderReplicasFeature
	update := func(u ...FeatureUpdate) core.ErrorCode {
		r, recs := k.ctl.UpdateFeatures(u, false)
		checked, none := k.ctl.UpdateFeatures(u, true)
		require.Equal(t, r, checked)
		require.Empty(t, none)
		k.propose(recs)
		return r.Code
	}
	bad := core.ErrInvalidUpdateVersion
	require.Equal(t, bad, update(FeatureUpdate{elr, 0, Upgrade}), "a downgrade must be asked for")
	require.Equal(t, bad, update(FeatureUpdate{elr, 2, Upgrade}))
	require.Equal(t, bad, update(FeatureUpdate{elr, -1, SafeDowngrade}))
	require.Equal(t, bad, update(FeatureUpdate{elr, 1, 9}))
	require.Equal(t, bad, update(FeatureUpdate{elr, 1, SafeDowngrade}, FeatureUpdate{elr, 1, SafeDowngrade}))
	require.Equal(t, bad, update(FeatureUpdate{metadata.KRaftVersionFeature, 1, Upgrade}), "that is the quorum's")
	require.Equal(t, bad, update(FeatureUpdate{"no.such", 1, Upgrade}))
	require.Equal(t, bad, update(FeatureUpdate{metadata.TransactionVersionFeature, 1, Upgrade}), "no broker supports it")
	require.Equal(t, bad, update(FeatureUpdate{metadata.MetadataVersionFeature, metadata.MetadataVersionMin, UnsafeDowngrade}))
	require.Equal(t, core.ErrNone, update(FeatureUpdate{elr, 1, Upgrade}), "it is so already")

	k.create("a", []core.NodeID{1, 2})
	k.silence(2)
	require.Equal(t, "2 [2] elr [1]", k.state("a"))
	require.Equal(t, core.ErrNone, update(FeatureUpdate{elr, 0, SafeDowngrade}))
	require.Equal(t, "2 [2]", k.state("a"))
	k.silence()
	require.Equal(t, "-1 [2]", k.state("a"), "without ELR the last member stays, fenced as it is")
	one := metadata.ConfigResource{Type: metadata.ResourceBroker, Name: "1"}
	r, recs := k.ctl.IncrementalAlterConfigs(one, []ConfigChange{{minISRKey, ConfigSet, ptr("1")}})
	require.True(t, r.OK(), r.Why)
	k.propose(recs)
	r, recs = k.ctl.IncrementalAlterConfigs(clusterDefault(), []ConfigChange{{minISRKey, ConfigDelete, nil}})
	require.True(t, r.OK(), r.Why)
	k.propose(recs)
	require.Equal(t, core.ErrNone, update(FeatureUpdate{elr, 1, Upgrade}))
	value, ok := k.ctl.Image().Config(clusterDefault(), minISRKey)
	require.True(t, ok)
	require.Equal(t, "2", value)
	_, ok = k.ctl.Image().Config(one, minISRKey)
	require.False(t, ok, "one minimum for all")
	require.True(t, k.reboot(2, -1).OK())
	require.Equal(t, "-1 [] last [2]", k.state("a"))
	k.beat(1, nil)
	k.beat(2, nil)
	require.Equal(t, "2 [2] recovering", k.state("a"))
	k.silence()
	require.Equal(t, bad, update(FeatureUpdate{elr, 0, SafeDowngrade}), "nothing would say who may lead")
}

// KIP-966: the minimum by which the ELR is kept is the one by which leaders move.
func TestOneMinimumForAll(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	one := metadata.ConfigResource{Type: metadata.ResourceBroker, Name: "1"}
	r, _ := k.ctl.IncrementalAlterConfigs(one, []ConfigChange{{minISRKey, ConfigSet, ptr("1")}})
	require.Equal(t, core.ErrInvalidConfig, r.Code)
	r, _ = k.ctl.IncrementalAlterConfigs(clusterDefault(), []ConfigChange{{minISRKey, ConfigDelete, nil}})
	require.Equal(t, core.ErrInvalidConfig, r.Code)
	r, _ = k.ctl.AlterConfigs(clusterDefault(), nil)
	require.Equal(t, core.ErrInvalidConfig, r.Code)

	k.create("a", []core.NodeID{1, 2, 3})
	k.create("b", []core.NodeID{1, 2, 3})
	k.create("c", []core.NodeID{3})
	res := metadata.ConfigResource{Type: metadata.ResourceTopic, Name: "b"}
	set := func(res metadata.ConfigResource, op ConfigOp, v *string) {
		r, recs := k.ctl.IncrementalAlterConfigs(res, []ConfigChange{{minISRKey, op, v}})
		require.True(t, r.OK(), r.Why)
		k.propose(recs)
	}
	set(res, ConfigSet, ptr("3"))
	k.silence(1, 2)
	k.silence(1)
	require.Equal(t, "1 [1] elr [2]", k.state("a"))
	require.Equal(t, "1 [1] elr [2 3]", k.state("b"))
	require.Equal(t, "-1 [] elr [3] last [3]", k.state("c"))
	set(clusterDefault(), ConfigSet, ptr("1"))
	require.Equal(t, "1 [1]", k.state("a"))
	require.Equal(t, "1 [1] elr [2 3]", k.state("b"), "its own is 3 still")
	require.Equal(t, "-1 [] elr [3] last [3]", k.state("c"), "where nobody leads nothing moves")
	set(res, ConfigDelete, nil)
	require.Equal(t, "1 [1]", k.state("b"))
}

func TestRegisterController(t *testing.T) {
	k := newCluster(t)
	r, recs := k.ctl.RegisterController(ControllerRegistration{ID: 7, Features: []metadata.SupportedFeature{{Name: metadata.MetadataVersionFeature, Min: 7, Max: 33}}})
	require.True(t, r.OK())
	k.propose(recs)
	require.Equal(t, metadata.MetadataVersionMax, k.ctl.Image().MetadataVersion(), "whoever comes first begins the log")
	require.NotNil(t, k.ctl.Image().Controller(7))
	k.start(1)
	r, _ = k.ctl.UpdateFeatures([]FeatureUpdate{{metadata.EligibleLeaderReplicasFeature, 0, SafeDowngrade}}, false)
	require.True(t, r.OK())
	r, _ = k.ctl.RegisterController(ControllerRegistration{ID: 8, Endpoints: make([]metadata.Endpoint, 2)})
	require.Equal(t, core.ErrInvalidRegistration, r.Code)
}

func TestProducerIDBlocks(t *testing.T) {
	k := newCluster(t)
	k.start(1)
	r, first, recs := k.ctl.AllocateProducerIDBlock(1, k.broker(1).Epoch, 1000)
	require.True(t, r.OK())
	require.Zero(t, first)
	k.propose(recs)
	r, first, _ = k.ctl.AllocateProducerIDBlock(1, k.broker(1).Epoch, 1000)
	require.True(t, r.OK())
	require.Equal(t, core.ProducerID(1000), first)
	r, _, recs = k.ctl.AllocateProducerIDBlock(1, k.broker(1).Epoch-1, 1000)
	require.Equal(t, core.ErrStaleBrokerEpoch, r.Code)
	require.Empty(t, recs)
	r, _, _ = k.ctl.AllocateProducerIDBlock(1, k.broker(1).Epoch, 1<<63-1)
	require.Equal(t, core.ErrUnknownServerError, r.Code)
}

// Racks first, then brokers, each alike.
func TestPlacementByRack(t *testing.T) {
	k := newCluster(t)
	for id := core.NodeID(0); id < 6; id++ {
		r := registration(id, 1, -1)
		r.Rack = ptr([]string{"x", "y", "z"}[id%3])
		require.True(t, k.register(r).OK())
		k.beat(id, nil)
	}
	_, recs := k.ctl.CreateTopic(NewTopic{Name: "a", Partitions: 60, Replication: 3})
	k.propose(recs)
	replicas, leaders := make(map[core.NodeID]int), make(map[core.NodeID]int)
	for _, p := range k.ctl.Image().Topic("a").Partitions() {
		racks := make(map[string]bool)
		for _, n := range p.Replicas {
			racks[*k.broker(n).Rack] = true
			replicas[n]++
		}
		require.Len(t, racks, 3, "%v", p.Replicas)
		leaders[p.Leader]++
	}
	for id := core.NodeID(0); id < 6; id++ {
		require.Equal(t, 30, replicas[id])
		require.InDelta(t, 10, leaders[id], 3)
	}
	k.silence(0, 1, 3, 4)
	_, recs = k.ctl.CreateTopic(NewTopic{Name: "b", Partitions: 20, Replication: 3})
	k.propose(recs)
	for _, p := range k.ctl.Image().Topic("b").Partitions() {
		require.NotEqual(t, core.NodeID(2), p.Leader%3, "z is fenced as a whole and leads nothing")
		require.Len(t, p.ISR, 2)
	}
	k.silence()
	made, _ := k.ctl.CreateTopic(NewTopic{Name: "c", Partitions: 1, Replication: 1})
	require.Equal(t, core.ErrInvalidReplicationFactor, made.Code)
}

func TestOfflineDirectory(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	r := registration(3, 1, -1)
	r.LogDirs = append(r.LogDirs, dirOf(3, 2))
	require.True(t, k.register(r).OK())
	k.beat(3, nil)
	k.create("a", []core.NodeID{3, 1, 2})
	k.create("b", []core.NodeID{3, 1, 2})
	require.Equal(t, metadata.DirUnassigned, k.part("a").Directories[0])
	var wishes []DirAssignment
	for i, name := range []string{"a", "b"} {
		wishes = append(wishes, DirAssignment{dirOf(3, byte(1+i)), k.ctl.Image().Topic(name).ID, 0})
	}
	wishes = append(wishes, wishes[0], DirAssignment{Dir: dirOf(3, 1)}, DirAssignment{dirOf(3, 1), wishes[0].TopicID, 4})
	refusal, codes, recs := k.ctl.AssignReplicasToDirs(3, k.broker(3).Epoch, wishes)
	require.True(t, refusal.OK())
	require.Equal(t, []core.ErrorCode{0, 0, core.ErrInvalidRequest, core.ErrUnknownTopicID, core.ErrUnknownTopicOrPartition}, codes)
	k.propose(recs)
	fail := func(dirs ...metadata.DirectoryID) func(*Heartbeat) {
		return func(hb *Heartbeat) { hb.OfflineDirs = dirs }
	}
	k.beat(3, fail(dirOf(3, 2)))
	require.Equal(t, "3 [3 1 2]", k.state("a"))
	require.Equal(t, "1 [1 2]", k.state("b"))
	require.Equal(t, []metadata.DirectoryID{dirOf(3, 1)}, k.broker(3).LogDirs)
	n := len(k.log)
	k.beat(3, fail(dirOf(3, 2)))
	require.Len(t, k.log, n, "it is known")
	answer := k.beat(3, fail(dirOf(3, 2), dirOf(3, 1)))
	require.True(t, answer.Fenced, "no directory is left")
	require.Equal(t, "1 [1 2]", k.state("a"))
	answer = k.beat(3, fail(dirOf(3, 2), dirOf(3, 1)))
	require.True(t, answer.Fenced)
}

// A broker is unregistered for good, and one with another disk is registered under its id: its replicas lie nowhere until they are
// made anew in the directory that it has now. Nobody else would say so, and they could never lead.
func TestABrokerThatWasUnregisteredComesBackWithAnotherDirectory(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2})
	k.create("b", []core.NodeID{3, 2})
	k.create("alone", []core.NodeID{1})
	r, recs := k.ctl.UnregisterBroker(1)
	require.True(t, r.OK())
	k.propose(recs)
	require.Equal(t, "2 [2]", k.state("a"))
	require.Equal(t, "-1 [] last [1]", k.state("alone"))

	anew := registration(1, k.life[1]+1, -1)
	anew.LogDirs = []metadata.DirectoryID{dirOf(1, 2)}
	require.Equal(t, Refusal{}, k.register(anew))
	require.Equal(t, []metadata.DirectoryID{dirOf(1, 2), dirOf(2, 1)}, k.part("a").Directories)
	require.Equal(t, []metadata.DirectoryID{dirOf(3, 1), dirOf(2, 1)}, k.part("b").Directories)
	k.beat(1, nil)
	require.Equal(t, "-1 []", k.state("alone"), "whoever comes with an empty disk is not who led last")
	require.Equal(t, core.ErrNone, k.alter("a", []core.NodeID{2, 1}, nil).Code)
	k.silence(1, 3)
	require.Equal(t, "1 [1] elr [2]", k.state("a"), "it leads what it has fetched")

	// With the directory that it had it is the last known leader still.
	r, recs = k.ctl.UnregisterBroker(3)
	require.True(t, r.OK())
	k.propose(recs)
	before := len(k.log)
	require.Equal(t, Refusal{}, k.register(registration(3, k.life[3]+1, -1)))
	require.Len(t, k.log, before+1, "nothing but its registration")
}
