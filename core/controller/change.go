package controller

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// election says how far a change may go to give its partition a leader.
type election int8

const (
	electOnline    election = iota // keep the leader; else any eligible replica
	electPreferred                 // the first replica, if it is eligible; else as electOnline
	electUnclean                   // as electOnline; else any live replica, at the price of its missing records
)

// change is one partition on its way from its state to a wished one. Whoever makes it sets what is wished;
// [change.record] adds what follows: the leader, the eligible leader replicas, the end of a reassignment.
//
// Every change of a partition after its creation is made here, so the rules for leaders stand here and nowhere else.
type change struct {
	image *metadata.Image
	topic core.TopicID
	was   *metadata.Partition

	elrOn    bool // the feature eligible.leader.replicas.version is on (KIP-966)
	minISR   int  // min.insync.replicas as configured
	election election

	gone    core.NodeID // may not lead, although the image has it active still; NoNode: nobody
	back    core.NodeID // may lead, although the image has it fenced still; NoNode: nobody
	unclean core.NodeID // has lost what it had not synced: not eligible; NoNode: nobody
	// unproven: the leader may follow an older min.insync.replicas than minISR, so what its ISR leaves is not eligible.
	unproven bool
	forget   bool // the last known leader has lost its log: never elect it unasked

	// The wished state; [Controller.change] starts with the present one. The ELR follows from the rest.
	isr, elr, replicas, removing, adding []core.NodeID

	recovery metadata.LeaderRecoveryState
	moved    core.NodeID          // the replica whose directory becomes movedTo; NoNode: none
	movedTo  metadata.DirectoryID // of moved
}

// change is a change of a partition that wishes nothing yet, with the rules of its topic.
func (c *Controller) change(t *metadata.Topic, p *metadata.Partition) *change {
	g := &change{
		image: c.image, topic: t.ID, was: p, elrOn: c.elrOn(), minISR: c.minISR(t.Name),
		gone: core.NoNode, back: core.NoNode, unclean: core.NoNode, moved: core.NoNode,
		isr: p.ISR, replicas: p.Replicas, removing: p.RemovingReplicas, adding: p.AddingReplicas,
		recovery: p.LeaderRecoveryState,
	}
	if c.uncleanAllowed(t.Name) {
		g.election = electUnclean
	}
	return g
}

// record is the change as a record, nil when nothing changes.
func (g *change) record() *metadata.PartitionChangeRecord {
	g.completeReassignment()
	g.elr = g.eligible()
	leader, unclean := g.elect()
	switch {
	case leader == core.NoNode:
	case unclean:
		// Nobody knows what the others have that the new leader has not, so nobody is in sync with it (KIP-704).
		g.isr, g.elr, g.recovery = []core.NodeID{leader}, nil, metadata.Recovering
	case !slices.Contains(g.isr, leader):
		// KIP-966: the ISR is empty and the leader comes from the ELR, so it is the ISR from now on.
		g.isr, g.elr = []core.NodeID{leader}, without(g.elr, leader)
		// A reassignment may have waited for just that: {1,2} -> {1} with ISR {2}, ELR {1}; 2 is fenced, 1 leads, and nobody is left
		// whose change of the ISR would end it. (Kafka leaves it until the partition changes again.)
		g.completeReassignment()
		if len(g.isr) >= effectiveMinISR(g.minISR, len(g.replicas)) {
			// The minimum has been lowered while nobody led: now the leader moves on without the others.
			g.elr = nil
		}
	}
	if len(g.isr) == 0 && !g.elrOn {
		// Without ELR nothing else remembers who may lead again: the last member stays, fenced as it is (KIP-841).
		g.isr = g.was.ISR
	}
	rec := metadata.NewPartitionChange(g.topic, g.was.ID)
	if leader != g.was.Leader {
		rec.Leader = leader
	}
	differ(&rec.ISR, g.isr, g.was.ISR)
	differ(&rec.Replicas, g.replicas, g.was.Replicas)
	differ(&rec.RemovingReplicas, g.removing, g.was.RemovingReplicas)
	differ(&rec.AddingReplicas, g.adding, g.was.AddingReplicas)
	differ(&rec.EligibleLeaderReplicas, g.elr, g.was.EligibleLeaderReplicas)
	differ(&rec.LastKnownElr, g.lastKnown(leader), g.was.LastKnownElr)
	if g.recovery != g.was.LeaderRecoveryState {
		rec.LeaderRecoveryState = g.recovery
	}
	g.directories(rec)
	g.raiseLeaderEpoch(rec)
	if keepsAll(rec) {
		return nil
	}
	return rec
}

// completeReassignment drops the replicas that are to go as soon as those that are to stay can do without them.
//
// KAFKA-14829: only when every target replica is in the ISR. Completed when one of them is, {1,2,3} -> {4,5,6} could
// end with a leader 4 that has half of the log. The new ISR is the whole new replica list, so it is never smaller
// than the effective min.insync.replicas.
func (g *change) completeReassignment() {
	if len(g.removing) == 0 && len(g.adding) == 0 {
		return
	}
	isr, replicas := without(g.isr, g.removing...), without(g.replicas, g.removing...)
	if len(isr) == 0 || len(replicas) == 0 {
		return
	}
	for _, n := range replicas {
		if !slices.Contains(isr, n) {
			return
		}
	}
	// The leader may be among those that go. Kafka then lets the partition go offline if no other may lead.
	if !slices.ContainsFunc(isr, g.acceptable) {
		return
	}
	g.isr, g.replicas, g.removing, g.adding = isr, replicas, nil, nil
}

// eligible is the ELR that goes with the wished ISR (KIP-966): replicas that have every committed record although they
// are not in the ISR. They left it, or the ELR, while it was below min.insync.replicas, and below that the
// HighWatermark does not move.
func (g *change) eligible() []core.NodeID {
	if !g.elrOn || g.unproven || len(g.isr) >= effectiveMinISR(g.minISR, len(g.replicas)) {
		return nil
	}
	var out []core.NodeID
	for _, n := range g.replicas { // a replica that a reassignment dropped is none to elect
		had := slices.Contains(g.was.EligibleLeaderReplicas, n) || slices.Contains(g.was.ISR, n)
		if had && n != g.unclean && !slices.Contains(g.isr, n) {
			out = append(out, n)
		}
	}
	return out
}

// effectiveMinISR is min.insync.replicas, bounded by how many replicas there are, as the leader bounds it: a topic
// with one replica and a minimum of two must be writable.
func effectiveMinISR(configured, replicas int) int { return min(configured, replicas) }

// elect is the leader of the wished state, core.NoNode if there can be none, and whether records may be lost by it.
func (g *change) elect() (leader core.NodeID, unclean bool) {
	if g.election == electPreferred && g.mayLead(g.replicas[0]) {
		return g.replicas[0], false
	}
	if g.mayLead(g.was.Leader) {
		return g.was.Leader, false
	}
	if i := slices.IndexFunc(g.replicas, g.mayLead); i >= 0 {
		return g.replicas[i], false
	}
	if n, ok := g.lastLeader(); ok && g.acceptable(n) {
		return n, true
	}
	if g.election == electUnclean {
		if i := slices.IndexFunc(g.replicas, g.acceptable); i >= 0 {
			return g.replicas[i], true
		}
	}
	return core.NoNode, false
}

// mayLead reports whether a replica can become leader and no committed record is lost by it: it is in the ISR, or in
// the ELR while nobody is in the ISR, and it is up. As in Kafka the ISR goes first even if none of it is up: the ELR has
// what is committed, the ISR also what producers with acks=1 were told.
func (g *change) mayLead(n core.NodeID) bool {
	eligible := slices.Contains(g.isr, n) || len(g.isr) == 0 && slices.Contains(g.elr, n)
	return eligible && g.acceptable(n)
}

// acceptable reports whether a broker is up and has the partition's directory (KIP-858).
func (g *change) acceptable(n core.NodeID) bool {
	if n == core.NoNode || n == g.gone || n == g.unclean {
		return false
	}
	b := g.image.Broker(n)
	return b != nil && (n == g.back || b.Active()) && b.HasOnlineDir(g.directory(n))
}

// lastLeader is who led before ISR and ELR became empty. KIP-966, balanced recovery: when all that were eligible have
// restarted uncleanly, the last leader has the longest log, and a partition of one replica has no other hope. It is an
// unclean election all the same.
func (g *change) lastLeader() (core.NodeID, bool) {
	l := g.was.LastKnownElr
	if !g.elrOn || g.forget || len(g.isr) > 0 || len(g.elr) > 0 || len(l) != 1 || !slices.Contains(g.replicas, l[0]) {
		return core.NoNode, false
	}
	return l[0], true
}

// lastKnown is the LastKnownElr that goes with the wished state, whose leader is given: the last leader, as long as
// there is no other.
func (g *change) lastKnown(leader core.NodeID) []core.NodeID {
	switch {
	case !g.elrOn || g.forget || leader != core.NoNode:
		return nil
	case len(g.isr) > 0 || len(g.was.LastKnownElr) > 0:
		return g.was.LastKnownElr
	case g.was.Leader != core.NoNode:
		return []core.NodeID{g.was.Leader}
	case len(g.was.ISR) == 1:
		// From before ELR was turned on: offline with one member left. Kafka writes node -1 here.
		return g.was.ISR
	}
	return nil
}

// directory is where a replica lies, or will lie.
func (g *change) directory(n core.NodeID) metadata.DirectoryID {
	if n == g.moved {
		return g.movedTo
	}
	if d, ok := g.was.Directory(n); ok {
		return d
	}
	return defaultDirectory(g.image.Broker(n))
}

// defaultDirectory is where a broker puts a new replica, as far as the controller knows: with several directories the
// broker chooses, and says so with AssignReplicasToDirs (KIP-858).
func defaultDirectory(b *metadata.Broker) metadata.DirectoryID {
	switch {
	case b == nil || len(b.LogDirs) > 1:
		return metadata.DirUnassigned
	case len(b.LogDirs) == 0: // registered before KIP-858
		return metadata.DirMigrating
	}
	return b.LogDirs[0]
}

// directories puts the directories of the wished replicas into the record if they differ.
func (g *change) directories(rec *metadata.PartitionChangeRecord) {
	if !g.image.MetadataVersion().HasDirectoryAssignment() {
		return
	}
	dirs := make([]metadata.DirectoryID, len(g.replicas))
	for i, n := range g.replicas {
		dirs[i] = g.directory(n)
	}
	if !slices.Equal(dirs, g.was.Directories) {
		rec.Directories = dirs
	}
}

// raiseLeaderEpoch names the leader once more where followers must be told by a new epoch that they are none any more.
func (g *change) raiseLeaderEpoch(rec *metadata.PartitionChangeRecord) {
	if rec.Leader != metadata.LeaderKeep {
		return
	}
	// A replica that was dropped and comes back must not find its fetches of before in order (KIP-455).
	dropped := !containsAll(g.replicas, g.was.Replicas)
	// KAFKA-15021: brokers before 3.6 forget a shrunk ISR without a new leader epoch.
	shrunk := !containsAll(g.isr, g.was.ISR) && g.image.MetadataVersion().NeedsLeaderEpochBumpOnIsrShrink()
	if dropped || shrunk {
		rec.Leader = g.was.Leader
	}
}

// differ sets a field of a change record if the list has changed. An empty list is not nil there: nil means "keep".
func differ(field *[]core.NodeID, now, was []core.NodeID) {
	if !slices.Equal(now, was) {
		*field = append([]core.NodeID{}, now...)
	}
}

// keepsAll reports whether the record would only raise the partition epoch.
func keepsAll(r *metadata.PartitionChangeRecord) bool {
	return r.ISR == nil && r.Leader == metadata.LeaderKeep && r.Replicas == nil && r.RemovingReplicas == nil &&
		r.AddingReplicas == nil && r.LeaderRecoveryState == metadata.RecoveryKeep && r.EligibleLeaderReplicas == nil &&
		r.LastKnownElr == nil && r.Directories == nil
}

// without is a copy of list without some nodes.
func without(list []core.NodeID, nodes ...core.NodeID) []core.NodeID {
	out := make([]core.NodeID, 0, len(list))
	for _, n := range list {
		if !slices.Contains(nodes, n) {
			out = append(out, n)
		}
	}
	return out
}

// containsAll reports whether every node of part is in whole.
func containsAll(whole, part []core.NodeID) bool {
	for _, n := range part {
		if !slices.Contains(whole, n) {
			return false
		}
	}
	return true
}
