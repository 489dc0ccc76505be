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
	began := v.Leads && (!n.seen || !n.quorum.Leads || n.quorum.Epoch != v.Epoch)
	leader := v // as which the node committed, if it did: one turn may hold both, that and the end of its leadership
	if was := n.quorum; !v.Leads && n.seen && was.Leads {
		leader.Leads, leader.Epoch, leader.EpochStart, leader.Voters = true, was.Epoch, was.EpochStart, was.Voters
	}
	n.quorum, n.seen = v, true
	if !r.open {
		return
	}
	if began && v.Epoch >= o.quorum.by {
		o.leads(at, p, r, &v)
	}
	if leader.Leads && v.HighWatermark > p.hw {
		o.commit(at, p, r, &leader)
	}
	o.committedHere(at, p, r, &v)
}

// epochs checks what a node has made durable of elections.
func (o *Oracle) epochs(at core.Mono, p *partition, v *history.QuorumLook) {
	leader := v.Leader
	if v.Leads {
		leader = v.Node
	}
	if leader != core.NoNode {
		if have, ok := o.quorum.leaders[v.Epoch]; ok && have != leader {
			o.report(at, RaftOneLeader, p, core.NoOffset, "epoch %d is led by %d, and by %d as node %d has it", v.Epoch, have, leader, v.Node)
		} else if !ok {
			o.quorum.leaders[v.Epoch] = leader
		}
	}
	k := directory{v.Node, v.Directory}
	was, ok := o.quorum.votes[k]
	o.quorum.votes[k] = *v
	if v.Epoch > o.quorum.top {
		o.quorum.top, o.quorum.risen = v.Epoch, at
	}
	switch {
	case !ok:
	case v.Epoch < was.Epoch:
		o.report(at, RaftEpochMono, p, core.NoOffset, "node %d goes back from epoch %d to %d", v.Node, was.Epoch, v.Epoch)
	case v.Epoch == was.Epoch && was.Voted != core.NoNode && v.Voted != was.Voted && (v.Voted != core.NoNode || leader == core.NoNode):
		// Where the leader of the epoch is known no vote can be granted any more, so it may be forgotten.
		o.report(at, RaftEpochMono, p, core.NoOffset, "node %d had voted for %d in epoch %d, and now has voted for %d (-1: nobody)",
			v.Node, was.Voted, v.Epoch, v.Voted)
	}
}

// leads checks a node that has just become leader: it must hold all that was committed in lower epochs (raft, 5.4).
func (o *Oracle) leads(at core.Mono, p *partition, r *replica, v *history.QuorumLook) {
	if r.log.end() < p.hw {
		o.report(at, RaftLeaderComplete, p, r.log.end(), "node %d leads epoch %d with a log that ends at %d, and everything below %d is committed",
			v.Node, v.Epoch, r.log.end(), p.hw)
		return
	}
	o.compare(at, RaftLeaderComplete, p, r, p.hw)
}

// commit judges a leader that has committed more than was known: a majority of its voters must have fsynced it.
func (o *Oracle) commit(at core.Mono, p *partition, r *replica, v *history.QuorumLook) {
	if v.HighWatermark <= v.EpochStart {
		o.report(at, RaftLeaderComplete, p, v.HighWatermark,
			"node %d commits up to %d and leads epoch %d, which starts at %d: nothing counts before a record of its own does",
			v.Node, v.HighWatermark, v.Epoch, v.EpochStart)
		return
	}
	o.matches(at, p, r, p.hw)
	if r.log.end() < v.HighWatermark {
		o.report(at, RaftMajority, p, v.HighWatermark, "leader %d commits up to %d, and its log ends at %d", v.Node, v.HighWatermark, r.log.end())
		return
	}
	o.extend(p, r, v.HighWatermark)
	o.quorum.by = max(o.quorum.by, v.Epoch)
	var have []core.NodeID
	for _, id := range v.Voters {
		if m := p.replica(id); m != nil && m.durable >= p.hw && m.log.end() >= p.hw {
			if _, _, differ := m.log.differs(&p.committed, m.checked, p.hw); !differ {
				have = append(have, id)
			}
		}
	}
	if 2*len(have) <= len(v.Voters) {
		o.report(at, RaftMajority, p, p.hw, "leader %d of epoch %d commits up to %d; of voters %v only %v have fsynced it",
			v.Node, v.Epoch, p.hw, v.Voters, have)
	}
}

// committedHere judges what a node knows to be committed.
func (o *Oracle) committedHere(at core.Mono, p *partition, r *replica, v *history.QuorumLook) {
	switch {
	case v.HighWatermark > p.hw:
		o.report(at, RaftHighWatermarkMono, p, v.HighWatermark, "node %d has HighWatermark %d, and no leader has shown more than %d",
			v.Node, v.HighWatermark, p.hw)
	case v.Leads && v.HighWatermark > v.EpochStart && v.HighWatermark < p.hw && v.Epoch >= o.quorum.by:
		o.report(at, RaftHighWatermarkMono, p, v.HighWatermark, "leader %d of epoch %d shows HighWatermark %d, and %d was committed before",
			v.Node, v.Epoch, v.HighWatermark, p.hw)
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
