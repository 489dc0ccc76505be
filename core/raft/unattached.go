package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// becomeUnattached enters an epoch, a higher one or the present one, in which no leader is known. A vote that was given in
// the present epoch stays given.
func (q *Quorum) becomeUnattached(now core.Now, epoch core.LeaderEpoch, out *step.Effects) {
	patience := now.Mono.Add(q.randomTimeout())
	switch q.role {
	case roleUnattached, roleVoted, roleProspective, roleCandidate:
		if epoch > q.hard.epoch && q.timer < never {
			// The patience goes on: somebody else's campaign, which may be hopeless, must not keep this voter from its own
			// (nats-server 5fe8be82d reset the timer on votes that it denied).
			patience = q.timer
		}
	case roleNone, roleLeader, roleFollower, roleObserver, roleResigned:
	}
	q.leave(out)
	h := hardState{epoch: epoch, voted: nobody(), leader: core.NoNode}
	if epoch == q.hard.epoch {
		h.voted = q.hard.voted
	}
	q.setHard(h)
	q.leaderAddr = ""
	switch {
	case !q.electable():
		q.becomeObserver(now)
		return
	case h.voted != nobody():
		q.enter(roleVoted)
	default:
		q.enter(roleUnattached)
	}
	q.timer = patience
}

// unattachedWork lets the only voter of a quorum lead without waiting: there is nobody to hear from.
func (q *Quorum) unattachedWork(now core.Now, out *step.Effects) {
	if q.onlyVoter() && q.mayCampaign() {
		q.becomeCandidate(now, out)
	}
}

// onlyVoter reports whether this node is a quorum by itself.
func (q *Quorum) onlyVoter() bool { return q.isVoter() && len(q.voters.last().voters) == 1 }

// mayCampaign reports whether the node's log stands still: while it is being cut, or a snapshot takes its place, its end
// says nothing, and a leader must not find its log emptied.
func (q *Quorum) mayCampaign() bool { return q.log.Ready() && !q.cut.pending() && q.electable() }

// campaignOrWait asks for pre-votes, or waits a little if this is no time for it.
func (q *Quorum) campaignOrWait(now core.Now, out *step.Effects) {
	switch {
	case !q.electable():
		q.becomeUnattached(now, q.hard.epoch, out)
	case !q.mayCampaign():
		q.timer = now.Mono.Add(q.opts.ElectionTimeout / 4)
	case q.onlyVoter():
		q.becomeCandidate(now, out)
	default:
		q.becomeProspective(now, out)
	}
}

// resume takes up the role in which a node restarts.
func (q *Quorum) resume(now core.Now, out *step.Effects) {
	q.timer = never
	h := q.hard
	leader, known := q.voters.last().voters.byID(h.leader)
	switch {
	case q.isVoter() && h.leader == q.self.ID && h.voted == q.self:
		// It led the epoch, and what it wrote then and did not sync is lost: if it went on, other records could get the same
		// epoch and offset. It resigns instead, which also spares the others their patience.
		out.Reachable("raft.restarted-leader-resigns", nil)
		q.becomeResigned(now)
	case known && h.leader != q.self.ID:
		q.becomeFollower(now, h.epoch, h.leader, addrOf(leader.Endpoints, q.opts.listener()), out)
	default:
		q.becomeUnattached(now, h.epoch, out)
		if q.role == roleUnattached {
			q.timer = now.Mono.Add(q.haste()) // whoever leads, if anybody does, answers a pre-vote with its name
		}
	}
}
