package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// following is the state of a follower or observer.
type following struct {
	call  CallID    // the one outstanding Fetch or FetchSnapshot, 0 if none
	after core.Mono // no fetch before that
	tries int       // failures in a row
	// broken counts connections to the leader that broke or could not be made, since it was heard last.
	broken int
	// heard says that the leader has answered a fetch in this epoch: then pre-votes are refused.
	heard bool
	// leaderHW is the largest HighWatermark that came with an answer which proved this log to be a prefix of the leader's.
	leaderHW core.Offset
	down     *download // the snapshot that is being fetched
	update   CallID    // outstanding UpdateRaftVoter
	updateAt core.Mono // no UpdateRaftVoter before that
}

// becomeFollower follows a leader, in a higher epoch or the present one. Nothing is truncated here: where the logs part is
// found by fetching (KIP-595).
func (q *Quorum) becomeFollower(now core.Now, epoch core.LeaderEpoch, leader core.NodeID, addr string, out *step.Effects) {
	invariant.Check(leader != q.self.ID && addr != "", "following node %d at %q", leader, addr)
	q.leave(out)
	h := hardState{epoch: epoch, voted: nobody(), leader: leader}
	if epoch == q.hard.epoch {
		h.voted = q.hard.voted
	}
	q.setHard(h)
	q.leaderAddr = addr
	if !q.electable() {
		q.becomeObserver(now)
		return
	}
	q.enter(roleFollower)
	q.timer = now.Mono.Add(q.opts.FetchTimeout)
}

// retitle turns a follower into an observer or back after the voter set has changed.
func (q *Quorum) retitle(now core.Now, out *step.Effects) {
	switch voter := q.electable(); {
	case voter && q.role == roleObserver && q.hard.leader == core.NoNode:
		q.becomeUnattached(now, q.hard.epoch, out)
	case voter && q.role == roleObserver:
		q.enter(roleFollower)
		q.timer = now.Mono.Add(q.opts.FetchTimeout)
	case !voter && q.role == roleFollower:
		q.enter(roleObserver)
		q.timer = never
	}
}

// followerWork advances the HighWatermark and fetches on.
func (q *Quorum) followerWork(now core.Now, out *step.Effects) {
	f := &q.follow
	if f.after <= now.Mono { // an instant that has passed is no deadline any more
		f.after = 0
	}
	if f.updateAt <= now.Mono {
		f.updateAt = 0
	}
	if q.cut.pending() || !q.log.Ready() {
		return
	}
	// The end that counts is the durable one: what is not may be gone after a power loss, and what was handed out may not.
	if hw := min(q.follow.leaderHW, q.log.DurableOffset()); hw > q.hw {
		q.hw = hw
		q.retitle(now, out) // a removal may be committed now
	}
	q.fetch(now)
	q.updateVoter(now)
}

// fetch asks for what follows this log. The fetch offset acknowledges all below it, so nothing is asked before everything
// is durable (KAFKA-10533, BUGS B4); observers keep to it, too, because they may be voters before they know
// (KAFKA-17332).
func (q *Quorum) fetch(now core.Now) {
	f := &q.follow
	if f.call != 0 || f.after > now.Mono || q.log.DurableOffset() != q.log.LogEndOffset() {
		return
	}
	to, ok := q.fetchTarget()
	if !ok {
		return
	}
	if f.down != nil {
		f.call = q.call(now, to, LaneFetch, &FetchSnapshotRequest{
			ReplicaID: q.self.ID, ReplicaDirectoryID: q.self.DirectoryID, MaxBytes: q.opts.FetchBytes,
			CurrentLeaderEpoch: q.hard.epoch, SnapshotID: f.down.id, Position: int64(len(f.down.data)),
		})
		return
	}
	end := q.end()
	f.call = q.call(now, to, LaneFetch, &FetchRequest{
		ReplicaID: q.self.ID, ReplicaDirectoryID: q.self.DirectoryID,
		MaxWait: q.opts.FetchMaxWait, MaxBytes: q.opts.FetchBytes, CurrentLeaderEpoch: q.hard.epoch,
		FetchOffset: end.Offset, LastFetchedEpoch: end.Epoch, HighWatermark: q.hw,
	})
}

// fetchFailed waits before the next fetch.
func (q *Quorum) fetchFailed(now core.Now) {
	q.follow.after = now.Mono.Add(q.backoff(q.follow.tries))
	q.follow.tries++
	if q.role == roleObserver {
		q.seekLeader()
	}
}

// fetchHeard notes a sign of life from the leader.
func (q *Quorum) fetchHeard(now core.Now) {
	q.follow.heard, q.follow.tries, q.follow.broken = true, 0, 0
	if q.role == roleFollower {
		q.timer = now.Mono.Add(q.opts.FetchTimeout)
	}
}

// fetchAnswered applies the answer to the outstanding fetch. That it is the outstanding one, made in this epoch and role,
// has been checked: an answer from another epoch speaks of another log (BUGS A5).
func (q *Quorum) fetchAnswered(now core.Now, c *call, r *FetchResponse, out *step.Effects) {
	if q.follow.call != c.ID {
		return
	}
	q.follow.call = 0
	if r == nil || r.Code != core.ErrNone || c.To.ID != q.hard.leader || !q.log.Ready() || q.cut.pending() {
		q.fetchFailed(now)
		return
	}
	q.fetchHeard(now)
	switch {
	case r.SnapshotID.Present():
		q.beginDownload(now, r.SnapshotID, out)
	case r.DivergingEpoch.Present():
		q.diverged(r.DivergingEpoch, out)
	default:
		q.appendFetched(now, c.epoch, r.Records, out)
		if q.role == roleFollower || q.role == roleObserver {
			q.follow.leaderHW = max(q.follow.leaderHW, r.HighWatermark)
		}
	}
}

// diverged wants the log cut to where it may agree with the leader's: the leader's largest epoch at or below ours, and the
// smaller of its two ends (KIP-279, KIP-595). The next fetch shows whether that was enough.
func (q *Quorum) diverged(leader OffsetAndEpoch, out *step.Effects) {
	epoch, end := q.log.EpochEnd(leader.Epoch)
	to := min(end, q.log.LogEndOffset())
	switch {
	case epoch < 0: // this log knows nothing so old
		to = min(leader.Offset, q.log.LogEndOffset())
	case epoch == leader.Epoch:
		to = min(to, leader.Offset)
	}
	if to < q.hw {
		// Committed records are on a majority, hence in every leader's log. Somebody has lost them.
		q.fail("the leader's log parts from this one below the high watermark")
		return
	}
	out.Reachable("raft.truncated-on-diverging-epoch", invariant.Details{"to": to, "end": q.log.LogEndOffset()})
	q.cut.wanted, q.cut.to = true, to
}

// appendFetched appends what the leader sent: a part of a batch at the end is left for the next fetch.
func (q *Quorum) appendFetched(now core.Now, epoch core.LeaderEpoch, data []byte, out *step.Effects) {
	data = ofEpoch(data, epoch, q.log.LatestEpoch())
	if len(data) == 0 {
		return
	}
	a := q.log.AppendAsFollower(now, data)
	switch a.Code {
	case core.ErrNone:
	case core.ErrCorruptMessage, core.ErrOffsetOutOfRange: // damaged on its way, or at the leader, who may be replaced
		out.Reachable("raft.fetched-damage", nil)
		q.fetchFailed(now)
		return
	default:
		q.fail("appending to the metadata log: " + a.Code.String() + " " + a.Why)
		return
	}
	before := q.voters.last().offset
	for rest := data[:a.Consumed]; len(rest) > 0; {
		b, after, err := record.ParseBatch(rest)
		if err == nil {
			err = q.observe(b)
		}
		if err != nil {
			q.fail("a batch of the leader's: " + err.Error())
			return
		}
		q.tail, rest = append(q.tail, b), after
	}
	if q.voters.last().offset != before {
		q.reconsider(now, out)
	}
}

// ofEpoch cuts fetched bytes at the first batch that the leader of the epoch cannot have meant to send: one of a later
// epoch, or of an earlier one than the batch before. The leader sends from its files; if it loses its leadership and
// rewrites its log while the bytes are on their way, other records come under its name (KAFKA-18723).
func ofEpoch(data []byte, epoch, latest core.LeaderEpoch) []byte {
	for rest := data; len(rest) > 0; {
		b, after, err := record.ParseBatch(rest)
		if err != nil {
			return data // the log judges damage and the incomplete batch at the end
		}
		if e := b.PartitionLeaderEpoch(); e > epoch || e < latest {
			return data[:len(data)-len(rest)]
		}
		latest, rest = b.PartitionLeaderEpoch(), after
	}
	return data
}

// updateVoter tells the leader when this voter is not reached where the voter set says (KIP-853).
func (q *Quorum) updateVoter(now core.Now) {
	f := &q.follow
	cfg := q.voters.last()
	if q.role != roleFollower || cfg.kraft < kraftReconfig || f.update != 0 || f.updateAt > now.Mono || !f.heard {
		return
	}
	v, ok := cfg.voters.byID(q.self.ID)
	if !ok || !q.outdated(v) {
		return
	}
	f.update = q.call(now, Peer{q.hard.leader, q.leaderAddr}, LaneControl, &UpdateRaftVoterRequest{
		CurrentLeaderEpoch: q.hard.epoch, VoterID: q.self.ID, VoterDirectoryID: q.self.DirectoryID,
		Listeners: q.opts.Endpoints, KRaftMin: kraftMin, KRaftMax: kraftMax,
	})
}

// outdated reports whether a registration of this node is not what it would register now.
func (q *Quorum) outdated(v metadata.VoterRegistration) bool {
	return len(q.opts.Endpoints) > 0 && !sameEndpoints(v.Endpoints, q.opts.Endpoints) ||
		v.KRaftMin != kraftMin || v.KRaftMax != kraftMax
}

func (q *Quorum) updateAnswered(now core.Now) {
	q.follow.update, q.follow.updateAt = 0, now.Mono.Add(q.opts.FetchTimeout)
}

// nextDeadline is the next fetch that waits for its time; a fetch that waits for the disk waits for no time.
func (f *following) nextDeadline() core.Mono {
	next := never
	if f.call == 0 && f.after > 0 {
		next = f.after
	}
	if f.updateAt > 0 {
		next = min(next, f.updateAt)
	}
	return next
}
