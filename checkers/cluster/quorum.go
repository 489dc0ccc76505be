package cluster

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// quorum is what is known of the metadata quorum beyond its log.
type quorum struct {
	leaders map[core.LeaderEpoch]core.NodeID
	votes   map[directory]history.QuorumLook // the last look at each voter's durable state, over restarts
	by      core.LeaderEpoch                 // the epoch whose leader raised the HighWatermark last
	top     core.LeaderEpoch                 // the highest epoch that any node has had
	risen   core.Mono                        // when that was
}

// directory is one disk of one node: a wiped node begins anew.
type directory struct {
	id  core.NodeID
	dir [16]byte
}

// metadata is the key of the metadata log.
func metadata() history.Key { return history.Key{TopicID: core.MetadataTopicID} }

// Quorum implements [history.Witness].
func (o *Oracle) Quorum(at core.Mono, v history.QuorumLook) {
	n, p := o.node(v.Node), o.part(metadata())
	r := o.replicaOf(p, v.Node)
	o.epochs(at, p, &v)
	if n.seen && v.HighWatermark < n.quorum.HighWatermark {
		o.report(at, RaftHighWatermarkMono, p, v.HighWatermark, "node %d's HighWatermark falls from %d to %d",
			v.Node, n.quorum.HighWatermark, v.HighWatermark)
	}
	was := n.quorum
	if !n.seen {
		was = history.QuorumLook{}
	}
	n.quorum, n.seen = v, true
	if !r.open {
		return
	}
	if v.Leads && (!was.Leads || was.Current != v.Current) && v.Current >= o.quorum.by {
		o.leads(at, p, r, &v)
	}
	switch { // one turn may hold both, a rise and the end of the leadership
	case v.HighWatermark <= p.hw:
	case v.Leads:
		o.commit(at, p, r, v.HighWatermark, v.Current, v.Voters, was.Voters)
	case was.Leads: // it may have changed the voters in that turn, too: what is appended is in force
		now := was.Voters
		if k := len(n.voters); k > 0 {
			now = n.voters[k-1].Voters
		}
		o.commit(at, p, r, v.HighWatermark, was.Current, now, was.Voters)
	}
	o.committedHere(at, p, r, &v)
	o.reconfigures(at, p, r, &v)
}

// epochs checks what a node has made durable of elections.
func (o *Oracle) epochs(at core.Mono, p *partition, v *history.QuorumLook) {
	leader := v.Leader
	if v.Leads {
		leader = v.Node
	}
	if leader != core.NoNode {
		if have, ok := o.quorum.leaders[v.Current]; ok && have != leader {
			o.report(at, RaftOneLeader, p, core.NoOffset, "epoch %d is led by %d, and by %d as node %d has it", v.Current, have, leader, v.Node)
		} else if !ok {
			o.quorum.leaders[v.Current] = leader
		}
	}
	k := directory{v.Node, v.Directory}
	was, ok := o.quorum.votes[k]
	o.quorum.votes[k] = *v
	if v.Current > o.quorum.top {
		o.quorum.top, o.quorum.risen = v.Current, at
	}
	known := leader != core.NoNode && v.Current == v.Epoch
	switch {
	case !ok:
	case v.Epoch < was.Epoch:
		o.report(at, RaftEpochMono, p, core.NoOffset, "node %d goes back from epoch %d to %d", v.Node, was.Epoch, v.Epoch)
	case v.Epoch == was.Epoch && was.Voted != core.NoNode && v.Voted != was.Voted && (v.Voted != core.NoNode || !known):
		// Where the leader of the epoch is known no vote can be granted any more, so it may be forgotten.
		o.report(at, RaftEpochMono, p, core.NoOffset, "node %d had voted for %d in epoch %d, and now has voted for %d (-1: nobody)",
			v.Node, was.Voted, v.Epoch, v.Voted)
	}
}

// leads checks a node that has just become leader: it must hold all that was committed in lower epochs (raft, 5.4).
func (o *Oracle) leads(at core.Mono, p *partition, r *replica, v *history.QuorumLook) {
	if r.log.end() < p.hw {
		o.report(at, RaftLeaderComplete, p, r.log.end(), "node %d leads epoch %d with a log that ends at %d, and everything below %d is committed",
			v.Node, v.Current, r.log.end(), p.hw)
		return
	}
	o.compare(at, RaftLeaderComplete, p, r, p.hw)
}

// commit judges a leader that has committed more than was known: a majority of its voters must have fsynced it. The voters
// may have changed in the turn, after the rise, so those before it will do as well.
func (o *Oracle) commit(at core.Mono, p *partition, r *replica, hw core.Offset, epoch core.LeaderEpoch, voters, before []core.NodeID) {
	id := r.node.id
	if start := r.log.begin(epoch); hw <= start {
		o.report(at, RaftLeaderComplete, p, hw, "node %d commits up to %d and leads epoch %d, which starts at %d: nothing counts before a record of its own does",
			id, hw, epoch, start)
		return
	}
	o.matches(at, p, r, p.hw)
	if r.log.end() < hw {
		o.report(at, RaftMajority, p, hw, "leader %d commits up to %d, and its log ends at %d", id, hw, r.log.end())
		return
	}
	o.extend(p, r, hw)
	o.quorum.by = max(o.quorum.by, epoch)
	if have := p.holders(voters); 2*len(have) <= len(voters) && 2*len(p.holders(before)) <= len(before) {
		o.report(at, RaftMajority, p, p.hw, "leader %d of epoch %d commits up to %d; of voters %v only %v have fsynced it",
			id, epoch, p.hw, voters, have)
	}
}

// holders are those of some voters that have fsynced everything that is committed, or had when they lost their disks: a fetch that
// says so may arrive after the loss, and its leader cannot know (the KRaft simulation of Kafka does without this rule where a
// disk is lost).
func (p *partition) holders(voters []core.NodeID) (have []core.NodeID) {
	for _, id := range voters {
		if m := p.replica(id); m != nil && (p.holds(m) || m.lost != nil && p.holds(m.lost)) {
			have = append(have, id)
		}
	}
	return have
}

// holds reports whether a replica has fsynced everything that is committed.
func (p *partition) holds(m *replica) bool {
	if m.durable < p.hw || m.log.end() < p.hw {
		return false
	}
	_, _, differ := m.log.differs(&p.committed, m.checked, p.hw)
	return !differ
}

// committedHere judges what a node knows to be committed.
func (o *Oracle) committedHere(at core.Mono, p *partition, r *replica, v *history.QuorumLook) {
	switch {
	case v.HighWatermark > p.hw:
		o.report(at, RaftHighWatermarkMono, p, v.HighWatermark, "node %d has HighWatermark %d, and no leader has shown more than %d",
			v.Node, v.HighWatermark, p.hw)
	case v.Leads && v.HighWatermark > r.log.begin(v.Current) && v.HighWatermark < p.hw && v.Current >= o.quorum.by:
		o.report(at, RaftHighWatermarkMono, p, v.HighWatermark, "leader %d of epoch %d shows HighWatermark %d, and %d was committed before",
			v.Node, v.Current, v.HighWatermark, p.hw)
	case v.LogStartOffset > 0 && v.SnapshotEnd < v.LogStartOffset:
		o.report(at, RaftSnapshot, p, v.LogStartOffset, "node %d's log starts at %d, and its newest snapshot ends at %d",
			v.Node, v.LogStartOffset, v.SnapshotEnd)
	case v.SnapshotEnd > p.hw:
		o.report(at, RaftSnapshot, p, v.SnapshotEnd, "node %d has a snapshot up to %d, and %d is committed", v.Node, v.SnapshotEnd, p.hw)
	}
	o.matches(at, p, r, v.HighWatermark)
}

// cutsCommitted checks a truncation of the metadata log: what is committed and was there may never go (raft, 5.3). Replicas
// of partitions may lack what is committed while they are outside of the ISR; complete judges them.
func (o *Oracle) cutsCommitted(at core.Mono, p *partition, r *replica, to core.Offset) {
	if !p.raft() || to >= p.hw {
		return
	}
	for i := r.log.at(to); i < len(r.log.batches) && r.log.batches[i].Last < p.hw; i++ {
		b := r.log.batches[i]
		if j := p.committed.at(b.Base); j < len(p.committed.batches) && p.committed.batches[j] == b {
			o.report(at, RaftLogMatch, p, to, "node %d cuts its log at %d, and %s is committed", r.node.id, to, show(b))
			return
		}
	}
}
