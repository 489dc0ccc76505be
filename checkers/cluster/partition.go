package cluster

import (
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Replica implements [history.Witness].
func (o *Oracle) Replica(at core.Mono, v history.ReplicaLook) {
	p := o.part(v.Key)
	r := o.replicaOf(p, v.Node)
	if !r.open {
		return
	}
	if v.Leader {
		o.lead(at, p, v.Epoch, v.Node, "it is claimed by")
		o.exposes(at, p, &v)
		if v.Epoch > p.deleted.epoch && v.LogStartOffset < p.deleted.before {
			o.report(at, DeleteRespected, p, v.LogStartOffset, "leader %d of epoch %d has log start %d; in epoch %d at the latest everything below %d was acknowledged to be deleted",
				v.Node, v.Epoch, v.LogStartOffset, p.deleted.epoch, p.deleted.before)
		}
	}
	// One turn may hold both, the rise and the end of a leadership.
	if ledTillNow := v.Leader || r.viewed && r.view.Leader; ledTillNow && v.HighWatermark > p.hw {
		o.raise(at, p, r, &v)
	} else if v.HighWatermark > p.hw {
		o.report(at, HighWatermarkMono, p, v.HighWatermark,
			"follower %d has HighWatermark %d, and no leader has shown more than %d", v.Node, v.HighWatermark, p.hw)
	}
	r.view, r.viewed = v, true
	p.reign(at)
	o.superset(at, p)
	o.matches(at, p, r, min(v.HighWatermark, p.hw))
}

// extend moves the true HighWatermark, and takes over what stands below it from the log of the replica that says so. The
// committed ledger begins where the first such log begins.
func (o *Oracle) extend(p *partition, r *replica, hw core.Offset) {
	if len(p.committed.batches) == 0 {
		p.committed.start = max(p.committed.start, r.log.start)
	}
	from := max(p.committed.end(), r.log.start)
	for i := r.log.at(from); i < len(r.log.batches) && r.log.batches[i].Last < hw; i++ {
		if b := r.log.batches[i]; b.Base >= from || len(p.committed.batches) == 0 {
			p.committed.batches = append(p.committed.batches, b)
		}
	}
	p.hw = hw
}

// raise judges a leader that shows more than any before it.
func (o *Oracle) raise(at core.Mono, p *partition, r *replica, v *history.ReplicaLook) {
	if r.log.end() < v.HighWatermark {
		o.report(at, IsrComplete, p, v.HighWatermark, "leader %d shows HighWatermark %d, and its own log ends at %d",
			v.Node, v.HighWatermark, r.log.end())
		return
	}
	// And one turn may hold both, the rise and a shrinking after it: the ISR must have been too small before.
	if was := &r.view; v.Leader && len(v.ISR) < v.MinISR && r.viewed && was.Leader && was.Epoch == v.Epoch && len(was.ISR) < v.MinISR {
		o.report(at, MinIsr, p, v.HighWatermark, "leader %d raised the HighWatermark to %d with ISR %v, and min.insync.replicas is %d",
			v.Node, v.HighWatermark, v.ISR, v.MinISR)
	}
	o.matches(at, p, r, p.hw)
	o.extend(p, r, v.HighWatermark)
	if !p.known {
		return
	}
	for _, m := range p.replicas {
		if o.counts(p, m) && m.durable < p.hw {
			o.report(at, IsrComplete, p, p.hw, "leader %d shows HighWatermark %d, and node %d of ISR %v and ELR %v has fsynced up to %d",
				v.Node, p.hw, m.node.id, p.state.ISR, p.state.ELR, m.durable)
		}
		o.complete(at, p, m)
	}
}

// exposes checks what a leader shows to clients against what leaders of lower epochs, and it itself, have shown. Those of
// higher epochs do not bind it: it may not know that it is deposed.
func (o *Oracle) exposes(at core.Mono, p *partition, v *history.ReplicaLook) {
	if !v.HWKnown {
		return
	}
	i := 0
	for i < len(p.shown) && p.shown[i].epoch < v.Epoch {
		if p.shown[i].hw > v.HighWatermark {
			o.report(at, HighWatermarkMono, p, v.HighWatermark, "leader %d of epoch %d shows HighWatermark %d, and the leader of epoch %d has shown %d",
				v.Node, v.Epoch, v.HighWatermark, p.shown[i].epoch, p.shown[i].hw)
			return
		}
		i++
	}
	if i == len(p.shown) || p.shown[i].epoch != v.Epoch {
		p.shown = slices.Insert(p.shown, i, shown{v.Epoch, v.HighWatermark})
		return
	}
	if p.shown[i].hw > v.HighWatermark {
		o.report(at, HighWatermarkMono, p, v.HighWatermark, "leader %d shows HighWatermark %d in epoch %d, where it has shown %d",
			v.Node, v.HighWatermark, v.Epoch, p.shown[i].hw)
	}
	p.shown[i].hw = max(p.shown[i].hw, v.HighWatermark)
}

// superset checks the leader that the controller has chosen, if it knows that it leads.
func (o *Oracle) superset(at core.Mono, p *partition) {
	if !p.known || p.gone {
		return
	}
	r := p.replica(p.state.Leader)
	if r == nil || !r.viewed || !r.view.Leader || r.view.Epoch != p.state.LeaderEpoch {
		return
	}
	want := p.state.ISR
	// Below min.insync.replicas nothing is committed, so members of the ELR need not be waited for (KIP-966).
	if len(p.state.ISR) >= p.state.MinISR {
		want = append(slices.Clone(want), p.state.ELR...)
	}
	for _, id := range want {
		if !slices.Contains(r.view.MaximalISR, id) {
			o.report(at, QuorumSuperset, p, core.NoOffset, "leader %d of epoch %d counts on %v; the controller has ISR %v and ELR %v in partition epoch %d",
				r.node.id, r.view.Epoch, r.view.MaximalISR, p.state.ISR, p.state.ELR, p.state.PartitionEpoch)
			return
		}
	}
}

// counts reports whether a replica is a running member of the controller's ISR or ELR.
func (o *Oracle) counts(p *partition, r *replica) bool {
	return p.known && !p.gone && r.open && o.running(r.node) &&
		(slices.Contains(p.state.ISR, r.node.id) || slices.Contains(p.state.ELR, r.node.id))
}

// running reports whether the registration of a node's present incarnation is committed.
func (o *Oracle) running(n *node) bool {
	b := o.brokers[n.id]
	return n.up && b != nil && n.epoch >= 0 && b.Epoch == n.epoch
}

// complete checks that a running member of the ISR or ELR has everything that is committed.
func (o *Oracle) complete(at core.Mono, p *partition, r *replica) {
	if !o.counts(p, r) {
		return
	}
	prop := IsrComplete
	if r.node.id == p.state.Leader && p.acked > min(r.log.end(), p.hw) {
		prop = AckedDurable
	}
	if r.log.end() < p.hw && r.log.start < p.hw {
		o.report(at, prop, p, r.log.end(), "node %d is in ISR %v or ELR %v, its log ends at %d, and everything below %d is committed",
			r.node.id, p.state.ISR, p.state.ELR, r.log.end(), p.hw)
		return
	}
	o.compare(at, prop, p, r, p.hw)
}

// matches is LOG-MATCH: below its own HighWatermark a replica agrees with what is committed.
func (o *Oracle) matches(at core.Mono, p *partition, r *replica, to core.Offset) {
	prop := LogMatch
	if p.raft() {
		prop = RaftLogMatch
	}
	o.compare(at, prop, p, r, to)
}

// compare compares a log with the committed ledger from where it was compared last up to an offset.
func (o *Oracle) compare(at core.Mono, prop checkers.Property, p *partition, r *replica, to core.Offset) {
	if to <= r.checked || p.compacted {
		return
	}
	w, have, differ := r.log.differs(&p.committed, r.checked, to)
	if differ {
		o.report(at, prop, p, w.Base, "node %d holds %s where %s is committed", r.node.id, show(have), show(w))
		return
	}
	r.checked = to
	if n := r.log.at(to); n < len(r.log.batches) && r.log.batches[n].Base < to {
		r.checked = r.log.batches[n].Base // to lies within a batch, which is compared when all of it is committed
	}
}

// judgeReplica judges a log that has lost something or has just been recovered.
func (o *Oracle) judgeReplica(at core.Mono, p *partition, r *replica) {
	if p.raft() {
		return
	}
	o.complete(at, p, r)
	if r.viewed {
		o.matches(at, p, r, min(r.view.HighWatermark, p.hw))
	}
}

// Deleted implements [history.Witness].
func (o *Oracle) Deleted(_ core.Mono, k history.Key, before core.Offset) {
	p := o.part(k)
	if before <= p.deleted.before {
		return
	}
	p.deleted = deletion{before: before, epoch: core.NoLeaderEpoch}
	for e := range p.leaders { //det:unordered a maximum
		p.deleted.epoch = max(p.deleted.epoch, e)
	}
}

// Told implements [history.Witness]. An answer may be old, but not ahead of the replica that gave it (KAFKA-727).
func (o *Oracle) Told(at core.Mono, k history.Key, end, stable core.Offset) {
	p := o.part(k)
	if end > p.hw {
		o.report(at, HighWatermarkMono, p, end, "a client was told that everything below %d is committed, and no leader has shown a HighWatermark above %d", end, p.hw)
	}
	if stable > p.stable {
		o.report(at, LsoExact, p, stable, "a client was told that everything below %d is decided, and no replica has had a LastStableOffset above %d", stable, p.stable)
	}
}

// Acked implements [history.Witness].
func (o *Oracle) Acked(at core.Mono, k history.Key, last core.Offset) {
	p := o.part(k)
	p.acked = max(p.acked, last+1)
	if last >= p.hw {
		o.report(at, AckedDurable, p, last, "offset %d was acknowledged with acks=all, and no leader has shown a HighWatermark above %d", last, p.hw)
	}
}
