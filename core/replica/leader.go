package replica

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/record"
)

// Append appends one checked batch as the leader.
func (r *Replica) Append(now core.Now, b record.Batch, sum *record.Summary) log.Appended {
	if !r.leading {
		return log.Appended{Code: core.ErrNotLeaderOrFollower, Why: "this replica does not lead",
			Base: core.NoOffset, Last: core.NoOffset, AppendTime: core.NoTimestamp}
	}
	end := r.Log.LogEndOffset()
	a := r.Log.AppendAsLeader(now, b, sum, r.epoch)
	if r.Log.LogEndOffset() != end {
		// Followers of an idle partition do not ask again and again; those that were at its end were so until now.
		for i := range r.followers {
			if r.followers[i].end == end {
				r.followers[i].caughtUp = now.Mono
			}
		}
		r.arm(now.Mono)
	}
	return a
}

// EnoughReplicas says whether a produce with acks=all may be appended: the committed ISR, not the proposed one, has
// min.insync.replicas members. NOT_ENOUGH_REPLICAS if not.
func (r *Replica) EnoughReplicas(least int) core.ErrorCode {
	if len(r.isr) < effectiveMin(least, len(r.replicas)) {
		return core.ErrNotEnoughReplicas
	}
	return core.ErrNone
}

// Acked says whether a produce with acks=all whose records end at end can be answered now, and with which code:
// NOT_ENOUGH_REPLICAS_AFTER_APPEND if the records are committed but the ISR has shrunk below min.insync.replicas. The
// caller has made sure that the epoch is still the one of the append.
//
// Kafka counts the maximal ISR here; a proposed member that the controller may refuse protects nothing.
func (r *Replica) Acked(end core.Offset, least int) (done bool, code core.ErrorCode) {
	if code := r.Serving(); code != core.ErrNone {
		return true, code
	}
	switch {
	case r.highWatermark < end:
		return false, core.ErrNone
	case len(r.isr) < effectiveMin(least, len(r.replicas)):
		return true, core.ErrNotEnoughReplicasAfterAppend
	}
	return true, core.ErrNone
}

// AdmitFollower says whether a replica's fetch is to be served. A follower has to name the leader epoch: progress
// counts only in the epoch in which the follower has reconciled its log (KIP-320).
//
// Codes: NOT_LEADER_OR_FOLLOWER (also for a broker epoch older than one seen, KIP-903), KAFKA_STORAGE_ERROR,
// FENCED_LEADER_EPOCH, and UNKNOWN_LEADER_EPOCH for an epoch, or a replica of this epoch, that is not known here yet.
func (r *Replica) AdmitFollower(id core.NodeID, be core.BrokerEpoch, believed core.LeaderEpoch) core.ErrorCode {
	if code := r.Serving(); code != core.ErrNone {
		return code
	}
	switch {
	case believed < r.epoch:
		return core.ErrFencedLeaderEpoch
	case believed > r.epoch:
		return core.ErrUnknownLeaderEpoch
	}
	f := find(r.followers, id)
	if f == nil {
		return core.ErrUnknownLeaderEpoch
	}
	if be >= 0 && be < f.brokerEpoch {
		return core.ErrNotLeaderOrFollower
	}
	return core.ErrNone
}

// Divergence says whether a follower's log, which ends at fetchOffset with a record of lastFetchedEpoch, contradicts
// this leader's (KIP-595): then the answer carries the largest epoch at or below lastFetchedEpoch that the leader knows
// and its end offset, and no records.
//
// Both parts count. KIP-101, scenario 2: x@5 of epoch 1 here, y@5 of epoch 2 there; the offsets alone agree.
func (r *Replica) Divergence(lastFetched core.LeaderEpoch, offset core.Offset) (core.LeaderEpoch, core.Offset, bool) {
	if lastFetched < 0 || offset < r.Log.LogStartOffset() { // the latter is answered OFFSET_OUT_OF_RANGE
		return core.NoLeaderEpoch, core.NoOffset, false
	}
	epoch, end := r.Log.EpochBoundary(lastFetched)
	if lastFetched == r.epoch && r.leading {
		epoch, end = r.epoch, r.Log.LogEndOffset()
	}
	return epoch, end, epoch < lastFetched || end < offset
}

// FollowerFetch is what a follower's fetch proves.
type FollowerFetch struct {
	ID          core.NodeID
	LeaderEpoch core.LeaderEpoch // that the fetch named; must still be the current one
	BrokerEpoch core.BrokerEpoch // -1 if the request does not say (before Fetch 15)
	FetchOffset core.Offset
	// LastFetchedEpoch is that of the follower's last record, -1 if it has none. Divergence has been ruled out.
	LastFetchedEpoch core.LeaderEpoch
	LogStartOffset   core.Offset // the follower's
	HighWatermark    core.Offset // the follower's own (Fetch 18, KIP-1166), NoOffset if the request does not say
}

// FollowerFetched notes the progress that an admitted fetch proves, after divergence was ruled out. The caller then
// asks Advance (the HighWatermark may rise) and Proposal (the follower may join the ISR).
//
// Codes: NOT_LEADER_OR_FOLLOWER for an incarnation of the broker that is known to be dead (KIP-903),
// FENCED_LEADER_EPOCH if the epoch has changed since the fetch was admitted, OFFSET_OUT_OF_RANGE outside the log.
func (r *Replica) FollowerFetched(now core.Now, reg Registry, ff FollowerFetch) core.ErrorCode {
	f := find(r.followers, ff.ID)
	end := r.Log.LogEndOffset()
	switch b := reg.Broker(ff.ID); {
	case !r.leading || f == nil:
		return core.ErrNotLeaderOrFollower
	case ff.LeaderEpoch != r.epoch:
		return core.ErrFencedLeaderEpoch
	case ff.BrokerEpoch >= 0 && (ff.BrokerEpoch < f.brokerEpoch || b != nil && ff.BrokerEpoch < b.Epoch):
		r.reachable("replica.fetch-of-dead-incarnation", nil)
		return core.ErrNotLeaderOrFollower
	case ff.FetchOffset < r.Log.LogStartOffset() || ff.FetchOffset > end:
		return core.ErrOffsetOutOfRange
	}
	if ff.LastFetchedEpoch >= 0 && ff.FetchOffset == r.Log.LogStartOffset() {
		// We hold none of its records and cannot vouch for them: that no divergence was found proves nothing. It begins
		// anew, or deletes them, when it learns of our log start, and then says that it has none.
		r.reachable("replica.fetch-not-vouched-for", nil)
		return core.ErrNone
	}
	reached := ff.FetchOffset
	if ff.BrokerEpoch >= 0 && ff.BrokerEpoch == f.brokerEpoch {
		// One life of a broker never loses what it held durably of this epoch: a smaller offset is an older fetch that
		// arrives late.
		reached = max(reached, f.end)
	}
	switch {
	case reached >= end:
		f.caughtUp = now.Mono
	case reached >= f.leaderEnd && f.leaderEnd >= 0:
		// It has what the leader had when it asked before. Under a steady load nobody is ever at the very end.
		f.caughtUp = max(f.caughtUp, f.fetchedAt)
	}
	f.end, f.start, f.brokerEpoch = reached, ff.LogStartOffset, ff.BrokerEpoch
	f.fetchedAt, f.leaderEnd = now.Mono, max(end, f.leaderEnd)
	f.eligible = r.mayJoin(reg, f)
	if ff.HighWatermark >= 0 {
		f.told = ff.HighWatermark
	}
	r.arm(now.Mono)
	return core.ErrNone
}

// eligible reports whether the broker that fetched may join an ISR: registered in the very incarnation that fetched
// (KIP-903: another one may have lost what this one had), neither fenced nor shutting down (KIP-841).
func eligible(reg Registry, f *follower) bool {
	b := reg.Broker(f.id)
	return b != nil && b.Active() && f.brokerEpoch >= 0 && b.Epoch == f.brokerEpoch
}

// mayJoin reports whether a follower's broker may join the ISR, and its log begins no earlier than the leader's: it may lead
// next, and must not bring back what DeleteRecords has removed (KIP-107).
func (r *Replica) mayJoin(reg Registry, f *follower) bool {
	return eligible(reg, f) && f.start >= r.Log.LogStartOffset()
}

// FollowerBound is the end of what followers may be served: what is in the files, synced or not. The leader counts
// itself only up to its durable offset, so nothing is committed by it alone.
func (r *Replica) FollowerBound() core.Offset {
	bound := r.Log.WrittenOffset()
	r.sometimes(bound > r.Log.DurableOffset(), "replica.follower-bound-above-durable", nil)
	return bound
}

// NeedsHW reports that the follower has been told less than the present HighWatermark: its fetch is answered soon, or
// followers would learn of a commit only with the next records.
func (r *Replica) NeedsHW(id core.NodeID) bool {
	f := find(r.followers, id)
	return r.leading && f != nil && f.told < r.highWatermark
}

// Sent notes that an answer to the follower carries the HighWatermark hw.
func (r *Replica) Sent(id core.NodeID, hw core.Offset) {
	if f := find(r.followers, id); f != nil {
		f.told = max(f.told, hw)
	}
}

// LowWatermark is the smallest log start of this log and of every member of the maximal ISR and the ELR: no leader that may
// come serves what lies below it (KIP-107). -1: one of them has not fetched in this epoch yet. The own log start may be
// above it: a deletion that others have not followed yet, which an answer must not promise.
func (r *Replica) LowWatermark() core.Offset {
	low := r.Log.LogStartOffset()
	for _, members := range [2][]core.NodeID{r.maximal, r.elr} {
		for _, id := range members {
			if f := find(r.followers, id); f != nil {
				low = min(low, f.start)
			}
		}
	}
	return low
}

// Everywhere is how far the log is on the disks of all replicas, in sync or not. The leader counts those that have fetched in this
// epoch, and tells the others. Below it a tombstone may go: nobody has an older value and not the tombstone. Kafka goes by time alone
// (delete.retention.ms), and a replica that was away for longer brings the value back when it leads.
func (r *Replica) Everywhere() core.Offset {
	if !r.leading {
		return r.everywhere
	}
	least := r.Log.DurableOffset()
	for i := range r.followers {
		least = min(least, r.followers[i].end)
	}
	return max(0, least)
}

// Advance raises the HighWatermark as far as the rules allow and reports whether it moved.
func (r *Replica) Advance(now core.Now) bool {
	if !r.ready || !r.Log.Ready() {
		return false
	}
	hw := core.NoOffset
	switch {
	case r.leading:
		hw = r.leaderCommits(now.Mono)
	case r.leader != core.NoNode && r.leader != r.self:
		// What the leader calls committed, as far as it is durable here.
		hw = min(r.leaderHW, r.Log.DurableOffset())
	}
	if hw <= r.highWatermark {
		return false
	}
	r.highWatermark = hw
	r.Log.Replicated(hw)
	return true
}

// leaderCommits is how far the leader's HighWatermark may be.
func (r *Replica) leaderCommits(now core.Mono) core.Offset {
	if r.opts.ELR && len(r.isr) < effectiveMin(r.opts.MinInsyncReplicas, len(r.replicas)) {
		// KIP-966: members that left the ISR below the minimum stay eligible as leaders, so nothing may be committed that
		// they lack. ISR {A,C}, r on A only, C fenced: ELR {C}; if r became visible now and A died, C would lead without it.
		r.reachable("replica.hw-held-below-min-isr", nil)
		return core.NoOffset
	}
	own := max(r.Log.DurableOffset(), r.Log.LogStartOffset())
	if r.pending != nil && r.heldByProposed(own) {
		r.reachable("replica.hw-held-by-proposed", nil)
	}
	return committedEnd(own, r.self, r.maximal, r.followers, now, r.opts.LagTime)
}

// heldByProposed reports that a member that is only proposed keeps the HighWatermark down.
func (r *Replica) heldByProposed(own core.Offset) bool {
	for _, id := range r.pending.isr {
		if f := find(r.followers, id); f != nil && f.end < own && !slices.Contains(r.isr, id) {
			return true
		}
	}
	return false
}
