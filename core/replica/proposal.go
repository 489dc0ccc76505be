package replica

import (
	"slices"

	"github.com/klamm-log/klamm/core"
)

// ISRMember is a proposed member with the incarnation that the leader has seen fetching (KIP-903), -1 if it has not
// fetched in this epoch.
type ISRMember struct {
	ID          core.NodeID
	BrokerEpoch core.BrokerEpoch
}

// Proposal is an AlterPartition request for one partition (KIP-497). A later attempt at the same proposal has the same
// ID; the slice is not changed afterwards.
type Proposal struct {
	ID             uint64 // to be echoed in the Outcome
	LeaderEpoch    core.LeaderEpoch
	PartitionEpoch core.PartitionEpoch
	ISR            []ISRMember
}

// Outcome is the controller's answer to a proposal. If no answer came, or the request failed as a whole, the caller
// says so with Code: NETWORK_EXCEPTION, or whatever the response's own code was.
type Outcome struct {
	ID             uint64 // the proposal's
	Code           core.ErrorCode
	LeaderID       core.NodeID
	LeaderEpoch    core.LeaderEpoch
	PartitionEpoch core.PartitionEpoch
	ISR            []core.NodeID
}

// pending is a proposal whose outcome is not known.
type pending struct {
	proposal Proposal
	isr      []core.NodeID // sorted
	inFlight bool          // an answer is awaited; else it is sent again at retryAt
	retryAt  core.Mono
	// lostAt is when an attempt was last given up without an answer, or never. Such an attempt may still be on its way.
	lostAt core.Mono
}

// Proposal is the AlterPartition request to send now, if there is one. At most one is in flight; the same proposal comes
// again until it is resolved by an answer or by metadata. Calling it also looks up who may join: call it for the
// partitions of a broker whose registration has changed.
func (r *Replica) Proposal(now core.Now, reg Registry) (Proposal, bool) {
	if !r.leading || !r.Log.Ready() {
		return Proposal{}, false
	}
	r.Consider(reg)
	if p := r.pending; p != nil {
		if p.inFlight || now.Mono < p.retryAt {
			return Proposal{}, false
		}
		p.inFlight = true
		r.reachable("replica.proposal-repeated", nil)
		return p.proposal, true
	}
	if now.Mono < r.quietUntil {
		return Proposal{}, false
	}
	want, ok := desiredISR(r.isr, r.self, r.followers, r.bounds(now.Mono))
	if !ok {
		return Proposal{}, false
	}
	r.propose(now.Mono, reg, want)
	return r.pending.proposal, true
}

// Consider looks up which followers may join the ISR, and reports whether that has changed for one of them. Then Advance may
// have something to say: the HighWatermark waits for a follower that keeps up and may join, and not for one that is fenced.
// Call it when registrations or the partition have changed.
func (r *Replica) Consider(reg Registry) (changed bool) {
	for i := range r.followers {
		f := &r.followers[i]
		was := f.eligible
		f.eligible = r.mayJoin(reg, f)
		changed = changed || f.eligible != was
	}
	return changed
}

// bounds is what decides about membership now.
func (r *Replica) bounds(now core.Mono) bounds {
	return bounds{highWatermark: r.highWatermark, epochStart: r.epochStart, leaderEnd: r.Log.LogEndOffset(), now: now,
		lag: r.opts.LagTime}
}

// propose makes a proposal pending. From here on the HighWatermark needs the members of both ISRs (KIP-497): of a
// shrink that may be refused the old ones, of an expansion that may be in force before we hear of it the new ones.
func (r *Replica) propose(now core.Mono, reg Registry, want []core.NodeID) {
	r.proposals++
	p := Proposal{ID: r.proposals, LeaderEpoch: r.epoch, PartitionEpoch: r.partitionEpoch}
	for _, id := range want {
		m := ISRMember{ID: id, BrokerEpoch: -1}
		switch f := find(r.followers, id); {
		case f != nil:
			m.BrokerEpoch = f.brokerEpoch
			if !slices.Contains(r.isr, id) {
				// A new member has the lag time to reach the very end. One that was at the HighWatermark only would
				// else be proposed out again at once, and in again, without end.
				f.caughtUp = max(f.caughtUp, now)
			}
		case reg.Broker(id) != nil: // this node
			m.BrokerEpoch = reg.Broker(id).Epoch
		}
		p.ISR = append(p.ISR, m)
	}
	r.pending = &pending{proposal: p, isr: want, inFlight: true, lostAt: never}
	r.maximal = union(r.isr, want)
	r.sometimes(len(r.maximal) > len(r.isr), "replica.isr-expansion-proposed", nil)
	r.sometimes(len(r.maximal) > len(want), "replica.isr-shrink-proposed", nil)
}

// Proposed takes the outcome of a proposal. Whatever leaves open whether the proposal is, or will be, in force keeps
// the maximal ISR as it is (BUGS A7): metadata or a repetition will tell.
func (r *Replica) Proposed(now core.Now, o Outcome) {
	p := r.pending
	if p == nil || o.ID != p.proposal.ID {
		r.reachable("replica.late-outcome", nil)
		return // metadata was faster
	}
	p.inFlight = false
	switch o.Code {
	case core.ErrNone:
		r.committed(now, &o)
	case core.ErrIneligibleReplica, core.ErrOperationNotAttempted:
		r.refused(now)
	case core.ErrUnknownTopicOrPartition, core.ErrUnknownTopicID, core.ErrFencedLeaderEpoch, core.ErrInvalidUpdateVersion,
		core.ErrInvalidRequest, core.ErrNewLeaderElected:
		// Our view is old, and newer metadata is on its way (Partition.handleAlterPartitionError). Asking again would
		// change nothing; that it is done at all, after long, is for the case of a controller that was wrong.
		r.reachable("replica.proposal-awaits-metadata", nil)
		p.retryAt = now.Mono.Add(r.opts.LagTime)
	default:
		// Lost, or not the controller, or not able to answer: it may have been applied or may yet be.
		r.reachable("replica.proposal-lost", nil)
		p.lostAt = now.Mono
		p.retryAt = now.Mono.Add(r.opts.Backoff)
	}
	r.arm(now.Mono)
}

// committed takes the state that the controller answered.
func (r *Replica) committed(now core.Now, o *Outcome) {
	if o.LeaderEpoch != r.epoch || o.PartitionEpoch < r.partitionEpoch {
		// An answer about another leadership or from before our own state: metadata has to tell.
		r.pending.retryAt = now.Mono.Add(r.opts.Backoff)
		return
	}
	r.elr = union(r.elr, r.isr) // whoever has left the ISR may be eligible; which of them are, metadata says
	r.isr, r.partitionEpoch, r.pending = sorted(o.ISR), o.PartitionEpoch, nil
	r.maximal = r.isr
}

// refused takes an answer that says that the partition epoch was right and the proposal was not applied. The committed
// ISR is then the truth, unless an earlier attempt got no answer: that one may still arrive and, should the
// replica have become eligible meanwhile, be granted, for the partition epoch is still the same. Kafka neglects this.
// ISR {A,B}; +C is lost on the way; +C again: C is fenced just now, refused. A commits r with B; C is unfenced; the first
// +C arrives; A dies and C leads without r. So the proposed member counts on for a lag time after the loss.
func (r *Replica) refused(now core.Now) {
	p := r.pending
	if now.Mono-p.lostAt < r.opts.LagTime {
		r.reachable("replica.refusal-doubted", nil)
		p.retryAt = now.Mono.Add(r.opts.Backoff)
		return
	}
	r.reachable("replica.proposal-refused", nil)
	r.pending, r.maximal = nil, r.isr
	r.quietUntil = now.Mono.Add(r.opts.Backoff)
}

// arm makes sure that Tick comes when a follower that is behind may have lagged too long. One timer stands for all of
// them and is not moved while it runs, so steady traffic costs no timers, and an idle partition in sync has none.
func (r *Replica) arm(now core.Mono) {
	if r.checkAt != 0 || r.leader != r.self {
		return
	}
	end := r.Log.LogEndOffset()
	for i := range r.followers {
		f := &r.followers[i]
		lapses := f.caughtUp.Add(r.opts.LagTime)
		if f.end < end && lapses > now && (r.checkAt == 0 || lapses < r.checkAt) {
			r.checkAt = lapses
		}
	}
}

// NextDeadline is when Tick wants to be called, if at all. An idle partition whose replicas are in sync has no deadline.
func (r *Replica) NextDeadline() (core.Mono, bool) {
	if !r.leading || !r.Log.Ready() {
		return 0, false
	}
	at := r.checkAt
	take := func(t core.Mono) {
		if t != 0 && (at == 0 || t < at) {
			at = t
		}
	}
	if r.pending != nil && !r.pending.inFlight {
		take(r.pending.retryAt)
	}
	if r.pending == nil {
		take(r.quietUntil)
	}
	return at, at != 0
}

// Tick notes that the deadline has passed; then Advance and Proposal may have something to say.
func (r *Replica) Tick(now core.Now) {
	if r.quietUntil <= now.Mono {
		r.quietUntil = 0
	}
	if r.checkAt != 0 && r.checkAt <= now.Mono {
		r.checkAt = 0
		r.arm(now.Mono)
	}
}
