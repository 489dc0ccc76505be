package raft

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/raft/tally"
	"github.com/klamm-log/klamm/core/step"
)

// leadership is the state of a leader.
type leadership struct {
	start core.Offset // of this epoch's LeaderChange record
	since core.Mono
	// hw is the HighWatermark as this epoch knows it: NoOffset until a majority has the LeaderChange record. What was known
	// before it is true but may be less than what earlier leaders told, so others are not told it.
	hw       core.Offset
	replicas []*progress // whoever fetches, in order of key
	heralds  []notice    // BeginQuorumEpoch, one per voter but this node
	parked   []*parkedFetch
	change   voterChange

	ends  []core.Offset // scratch of commit
	times []core.Mono   // scratch of quorumUntil
}

// progress is what the leader knows of one replica.
type progress struct {
	key       VoterKey
	end       core.Offset // everything below is durable there and equal to the leader's; NoOffset before its first fetch
	fetched   core.Now    // its last fetch
	caughtUp  core.Now    // when it last had all that the leader then had; zero: never
	leaderEnd core.Offset // the leader's end at its last fetch
	told      core.Offset // the HighWatermark that it was last sent
}

// observerTimeout is how long a silent observer is remembered (Kafka's OBSERVER_SESSION_TIMEOUT_MS).
const observerTimeout = 5 * core.Minute

// becomeLeader opens the epoch with its LeaderChange record (KIP-595): nothing of earlier epochs is committed before a
// majority has it. Epoch and vote are durable, or the own vote had not counted.
func (q *Quorum) becomeLeader(now core.Now, out *step.Effects) {
	cfg := q.voters.last()
	invariant.Check(q.store.stateDurable() && q.hard.voted == q.self && q.log.Ready() && !q.cut.pending(),
		"leading with state %+v, version %d, durable %d", q.hard, q.store.version, q.store.durable)
	granting := q.granting()
	q.leave(out)
	h := q.hard
	h.leader = q.self.ID
	q.setHard(h)
	q.enter(roleLeader)
	q.lead = leadership{start: q.log.LogEndOffset(), since: now.Mono, hw: core.NoOffset}
	recs := []metadata.ControlRecord{
		&metadata.LeaderChangeMessage{LeaderID: q.self.ID, Voters: cfg.voters.ids(), GrantingVoters: granting},
	}
	if cfg.kraft < kraftReconfig && q.onlyVoter() {
		// Nobody else has to be heard first, see upgrade; so a new cluster of one begins with its voter set, as a Kafka
		// controller that was formatted with --standalone does.
		recs = append(recs, upgradeRecords(cfg.voters.with(q.registration()))...)
	}
	start := q.proposeControl(now, recs...)
	invariant.Check(q.failed != "" || start == q.lead.start, "the epoch starts at %d, not %d", start, q.lead.start)
}

// granting lists who voted for this node.
func (q *Quorum) granting() []metadata.Voter {
	var list []metadata.Voter
	for i := range q.campaign.ballots {
		if b := &q.campaign.ballots[i]; b.granted {
			list = append(list, metadata.Voter{ID: b.voter.ID})
		}
	}
	return list
}

// stopLeading tells everybody who waits that this node does not lead any more. Proposals that were not committed may
// still be, by a later leader, or be truncated.
func (q *Quorum) stopLeading(out *step.Effects) {
	out.Reachable("raft.leader-stepped-down", nil)
	l := q.lead
	q.lead = leadership{}
	q.role = roleNone
	for _, p := range l.parked {
		q.answer(p.from, q.fetchResponse(core.ErrNotLeaderOrFollower))
	}
	q.dropWaiting()
	q.changeEnded(l.change, core.ErrNotLeaderOrFollower, "this node does not lead any more")
}

// leaderWork is a leader's turn.
func (q *Quorum) leaderWork(now core.Now, out *step.Effects) {
	if q.missesQuorum(now) {
		// Check-quorum (KIP-996): whoever cannot hear a majority cannot commit, and should not keep clients and observers.
		out.Reachable("raft.check-quorum", nil)
		q.Resign(now, out)
		return
	}
	q.commit(now, out)
	if q.role != roleLeader {
		return
	}
	q.herald(now)
	q.expireChange(now)
	q.improveVoters(now, out)
	q.serveParked(now, out)
}

// commit advances the HighWatermark. This node counts by what it has synced, the others by what they have.
func (q *Quorum) commit(now core.Now, out *step.Effects) {
	l := &q.lead
	ends := l.ends[:0]
	for _, v := range q.voters.last().voters {
		end := core.NoOffset
		if p := l.of(v); isVoter(v, q.self) {
			end = q.log.DurableOffset()
		} else if p != nil {
			end = p.end
		}
		ends = append(ends, end)
	}
	l.ends = ends
	hw := tally.Committed(ends, l.start, l.hw)
	if hw == l.hw {
		return
	}
	invariant.Check(hw <= q.log.LogEndOffset(), "high watermark %d, log end %d", hw, q.log.LogEndOffset())
	l.hw, q.hw = hw, max(q.hw, hw)
	q.changeCommitted(now, out)
}

// of is the replica that a voter is: of a voter that is known by id alone, the replica with that id that was heard last.
func (l *leadership) of(v metadata.VoterRegistration) *progress {
	var found *progress
	for _, p := range l.replicas {
		if isVoter(v, p.key) && (found == nil || p.fetched.Mono > found.fetched.Mono) {
			found = p
		}
	}
	return found
}

// replica is the state of whoever fetches, made at its first fetch.
func (l *leadership) replica(k VoterKey) *progress {
	i, ok := slices.BinarySearchFunc(l.replicas, k, func(p *progress, k VoterKey) int { return p.key.compare(k) })
	if !ok {
		l.replicas = slices.Insert(l.replicas, i, &progress{key: k, end: core.NoOffset, leaderEnd: core.NoOffset, told: core.NoOffset})
	}
	return l.replicas[i]
}

// fetchedAt notes a fetch at an offset that was found to be in this log.
func (p *progress) fetchedAt(now core.Now, offset, leaderEnd core.Offset) {
	switch {
	case offset >= leaderEnd:
		p.caughtUp = now
	case p.leaderEnd >= 0 && offset >= p.leaderEnd: // it had everything when it fetched the last time
		p.caughtUp = p.fetched
	}
	// The latest fetch counts, not the highest: after a voter known by id alone has lost its disk, what it had does not count
	// any more. An old request that arrives late lowers the count for a moment only.
	p.end, p.leaderEnd, p.fetched = offset, leaderEnd, now
}

// forgetObservers drops observers that were silent for long.
func (q *Quorum) forgetObservers(now core.Now) {
	q.lead.replicas = slices.DeleteFunc(q.lead.replicas, func(p *progress) bool {
		return now.Mono-p.fetched.Mono >= observerTimeout && !q.voters.last().voters.has(p.key)
	})
}

// missesQuorum reports whether no majority has fetched for 1.5 times the fetch timeout, Kafka's factor: followers give a
// leader up after one.
func (q *Quorum) missesQuorum(now core.Now) bool { return q.quorumUntil() <= now.Mono }

// quorumUntil is when the majority's patience ends; never if this node is the majority.
func (q *Quorum) quorumUntil() core.Mono {
	voters := q.voters.last().voters
	if q.onlyVoter() || len(voters) == 0 {
		return never
	}
	times := q.lead.times[:0]
	for _, v := range voters {
		at := q.lead.since
		if p := q.lead.of(v); p != nil {
			at = max(at, p.fetched.Mono)
		}
		if isVoter(v, q.self) {
			at = never // it hears itself
		}
		times = append(times, at)
	}
	q.lead.times = times
	return tally.HeardSince(times).Add(q.opts.FetchTimeout + q.opts.FetchTimeout/2)
}

// herald tells voters that do not fetch who leads: after the election, and again while they are silent.
func (q *Quorum) herald(now core.Now) {
	l := &q.lead
	voters := q.voters.last().voters
	l.heralds = slices.DeleteFunc(l.heralds, func(n notice) bool { _, ok := voters.byID(n.to.ID); return !ok })
	for _, v := range voters {
		if isVoter(v, q.self) {
			continue
		}
		i := slices.IndexFunc(l.heralds, func(n notice) bool { return n.to.ID == v.ID })
		if i < 0 {
			l.heralds = append(l.heralds, notice{to: Peer{ID: v.ID}})
			i = len(l.heralds) - 1
		}
		n := &l.heralds[i]
		if p := l.of(v); p != nil && p.fetched.Mono.Add(q.opts.FetchTimeout/2) > now.Mono {
			n.after = max(n.after, p.fetched.Mono.Add(q.opts.FetchTimeout/2))
		}
		if n.call == 0 && n.after <= now.Mono {
			n.to.Addr = addrOf(v.Endpoints, q.opts.listener())
			n.call = q.call(now, n.to, LaneControl, &BeginQuorumEpochRequest{
				VoterID: v.ID, VoterDirectoryID: v.DirectoryID, LeaderID: q.self.ID, LeaderEpoch: q.hard.epoch,
				LeaderEndpoints: q.opts.Endpoints,
			})
		}
	}
}

func (q *Quorum) beginAnswered(now core.Now, c *call, ok bool) {
	for i := range q.lead.heralds {
		n := &q.lead.heralds[i]
		if n.call != c.ID {
			continue
		}
		n.call = 0
		if ok {
			n.tries, n.after = 0, now.Mono.Add(q.opts.FetchTimeout/2)
		} else {
			n.after = now.Mono.Add(q.backoff(n.tries))
			n.tries++
		}
	}
}

// beginAsked takes a leader's announcement.
func (q *Quorum) beginAsked(now core.Now, from Asker, r *BeginQuorumEpochRequest, out *step.Effects) {
	switch {
	case q.unavailable():
		q.answer(from, &BeginQuorumEpochResponse{Code: core.ErrBrokerNotAvailable})
		return
	case r.LeaderID < 0 || r.LeaderID == q.self.ID:
		q.answer(from, &BeginQuorumEpochResponse{Code: core.ErrInvalidRequest})
		return
	case r.LeaderEpoch < q.hard.epoch:
		q.answer(from, &BeginQuorumEpochResponse{Code: core.ErrFencedLeaderEpoch})
		return
	}
	addr := addrOf(r.LeaderEndpoints, q.opts.listener())
	q.learn(now, Current{LeaderID: r.LeaderID, LeaderEpoch: r.LeaderEpoch, LeaderAddr: addr}, out)
	if !q.meant(r.VoterID, r.VoterDirectoryID) {
		q.answer(from, &BeginQuorumEpochResponse{Code: core.ErrInvalidVoterKey})
		return
	}
	q.answer(from, &BeginQuorumEpochResponse{})
}

// nextDeadline is the leader's next duty.
func (l *leadership) nextDeadline(q *Quorum) core.Mono {
	next := q.quorumUntil()
	for i := range l.heralds {
		if n := &l.heralds[i]; n.call == 0 {
			next = min(next, n.after)
		}
	}
	for _, p := range l.parked {
		if p.op == 0 {
			next = min(next, p.until)
		}
	}
	if l.change.offset > 0 {
		next = min(next, l.change.until)
	}
	return next
}

// forget drops what an asker waits for.
func (l *leadership) forget(a Asker) {
	l.parked = slices.DeleteFunc(l.parked, func(p *parkedFetch) bool { return p.from == a })
	if l.change.from == a {
		l.change.from = 0
	}
}
