package replica

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// FetchedPartition is a leader's answer for one partition.
type FetchedPartition struct {
	TopicID        core.TopicID
	Index          int32
	Code           core.ErrorCode
	HighWatermark  core.Offset
	LogStartOffset core.Offset // also with OFFSET_OUT_OF_RANGE: where the follower may have to begin anew
	Everywhere     core.Offset // as the leader's Replica.Everywhere
	// Diverging says that DivergingEpoch and DivergingEnd are the leader's answer to the last fetched epoch (KIP-595).
	Diverging      bool
	DivergingEpoch core.LeaderEpoch
	DivergingEnd   core.Offset
	Records        []byte // belong to the log from now on
}

// verdict is what becomes of a partition after an answer.
type verdict uint8

const (
	fetchOn    verdict = iota // as soon as the log allows
	fetchLater                // after a pause
	straddling                // the log begins anew at the first batch; then the records are appended
)

// lastFetched is the epoch of the log's last record, NoLeaderEpoch for an empty log.
//
// It is not the newest entry of the epoch history: a leader that was deposed before it appended anything has left an
// epoch there that begins at the log's end. No record carries it.
func (r *Replica) lastFetched() core.LeaderEpoch {
	if end := r.Log.LogEndOffset(); end > r.Log.LogStartOffset() {
		return r.Log.EpochOf(end - 1)
	}
	return core.NoLeaderEpoch
}

// take applies a leader's answer. The caller has made sure that the answer is to what this replica is now: same leader,
// same epoch, same log end.
func (r *Replica) take(now core.Now, a *FetchedPartition, out *step.Effects) verdict {
	switch {
	case a.Code == core.ErrOffsetOutOfRange:
		return r.outOfRange(now, a, out)
	case a.Code != core.ErrNone:
		// FENCED and UNKNOWN_LEADER_EPOCH: one of the two has older metadata. Others: the leader cannot serve now.
		return fetchLater
	case a.Diverging:
		return r.diverged(now, a, out)
	case !r.verified && a.LogStartOffset >= r.Log.LogEndOffset() && r.Log.LogStartOffset() < r.Log.LogEndOffset():
		// The leader holds nothing of what we hold, so its silence about our last epoch proves nothing: our end is just
		// where it begins. What we have may be the tail of a lost leadership. It would lie below the log start, but a log
		// start that a crash takes back would bring it up again.
		out.Reachable("replica.restarted-unverified", nil)
		r.beginAnew(now, a.LogStartOffset, out)
		return fetchOn
	}
	r.verified = true
	if len(a.Records) > 0 {
		appended := r.Log.AppendFromLeader(now, a.Records, r.epoch)
		switch {
		case appended.Code == core.ErrOffsetOutOfRange && r.straddles(a.Records):
			out.Reachable("replica.log-start-inside-batch", nil)
			r.ready = false
			r.Log.TruncateFullyAndStartAt(now, record.Batch(a.Records).BaseOffset(), out)
			return straddling
		case appended.Code == core.ErrCorruptMessage:
			out.Reachable("replica.corrupt-answer-refused", nil) // KAFKA-14104: damage must not spread
			return fetchLater
		case appended.Code != core.ErrNone:
			return fetchLater
		}
	}
	r.forgiving = false // the logs agree: whatever an unclean election has lost is gone here, too
	r.learn(now, a, out)
	return fetchOn
}

// learn takes over the leader's HighWatermark and log start offset. What the leader calls committed is committed here as
// far as this log reaches, and this log is known to be the leader's up to its end: no divergence was found there.
func (r *Replica) learn(now core.Now, a *FetchedPartition, out *step.Effects) {
	r.leaderHW = max(r.leaderHW, a.HighWatermark)
	r.leaderStart = max(r.leaderStart, a.LogStartOffset)
	r.everywhere = a.Everywhere
	r.Advance(now)
	if start, ok := r.WantedStart(); ok && !r.opts.HoldStart {
		// KIP-107: the leader's log start is everybody's. It is below the HighWatermark, so nothing refuses it.
		_ = r.Log.DeleteRecordsBefore(now, start, r.highWatermark, out)
	}
}

// WantedStart is where the log should begin because the leader's does, and whether it does not yet (KIP-107). With
// Options.HoldStart the owner raises it, when that is durable.
func (r *Replica) WantedStart() (core.Offset, bool) {
	if _, following := r.Following(); !following || !r.Log.Ready() {
		return 0, false
	}
	start := min(r.leaderStart, r.highWatermark)
	return start, start > r.Log.LogStartOffset()
}

// diverged cuts the log back to where it may agree with the leader's: the leader's epoch E is the largest that it knows
// at or below our last one, and ended there at DivergingEnd. Our own end of E matters as much (KIP-279): leader A wrote
// x@5 in epoch 1, we wrote y@5 in epoch 2; A says (1, 6), but our epoch 1 ended at 5. What is left is asked about again.
func (r *Replica) diverged(now core.Now, a *FetchedPartition, out *step.Effects) verdict {
	if a.DivergingEpoch < 0 || a.DivergingEnd < 0 {
		return fetchLater // the leader knows no epoch as old as ours; no leader of ours says so
	}
	end := r.Log.LogEndOffset()
	target := min(cutFor(r.Log, a.DivergingEpoch, a.DivergingEnd), end)
	switch {
	case target >= end:
		return fetchLater // it contradicts itself
	case target < r.highWatermark && !r.mayLose():
		r.refuseLoss(fmt.Sprintf("leader %d of epoch %d ended epoch %d at offset %d", r.leader, r.epoch,
			a.DivergingEpoch, a.DivergingEnd), target)
		out.Reachable("replica.cut-below-hw-refused", nil)
		return fetchLater
	case target < r.highWatermark:
		out.Reachable("replica.cut-below-hw", nil)
	}
	out.Reachable("replica.truncated-on-diverging-epoch", invariant.Details{"to": target, "end": end})
	r.ready = false
	r.Log.TruncateTo(now, target, out)
	return fetchOn
}

// cutFor is where a log may agree with a leader that knows epoch as ending at end.
func cutFor(l *log.Log, epoch core.LeaderEpoch, end core.Offset) core.Offset {
	if _, own := l.EpochEnd(epoch); own >= 0 {
		return min(own, end)
	}
	return end
}

// outOfRange answers OFFSET_OUT_OF_RANGE. Below the leader's log start nothing that we hold exists any more: begin anew
// there. Above its end something committed is missing there, for else the leader would have found a divergence.
func (r *Replica) outOfRange(now core.Now, a *FetchedPartition, out *step.Effects) verdict {
	end := r.Log.LogEndOffset()
	switch {
	case a.LogStartOffset < 0:
		return fetchLater
	case a.LogStartOffset <= end && !r.mayLose():
		r.refuseLoss(fmt.Sprintf("leader %d of epoch %d does not reach offset %d", r.leader, r.epoch, end), end)
		out.Reachable("replica.cut-below-hw-refused", nil)
		return fetchLater
	}
	out.Reachable("replica.restarted-at-leader-log-start", nil)
	r.beginAnew(now, a.LogStartOffset, out)
	return fetchOn
}

// beginAnew empties the log; it will begin at the given offset.
func (r *Replica) beginAnew(now core.Now, at core.Offset, out *step.Effects) {
	r.ready = false
	r.highWatermark = min(r.highWatermark, at)
	r.Log.TruncateFullyAndStartAt(now, at, out)
}

// mayLose reports whether committed records may be gone for reasons that the operator has accepted.
func (r *Replica) mayLose() bool { return r.opts.Lossy || r.forgiving }

// refuseLoss takes the replica offline instead of making a loss final: it may be the last one that has the records.
func (r *Replica) refuseLoss(why string, at core.Offset) {
	r.Log.TakeOffline(log.Failure{
		Code: core.ErrKafkaStorageError, File: r.Log.Dir(), Offset: at,
		What: fmt.Sprintf("the leader lacks committed records: %s, but offsets below %d are committed here", why, r.highWatermark),
	})
}

// straddles reports whether the first of the batches contains the offset at which this log, which is empty, begins: the
// leader's log start lies inside a batch (DeleteRecords), and batches come whole.
func (r *Replica) straddles(records []byte) bool {
	h, err := record.ParseHeader(records)
	end := r.Log.LogEndOffset()
	return err == nil && r.Log.LogStartOffset() == end && h.BaseOffset < end && h.LastOffset() >= end
}
