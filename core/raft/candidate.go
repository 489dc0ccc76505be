package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/step"
)

// becomeCandidate opens the next epoch and votes for this node in it. Requests leave, and the own vote counts, once both
// are durable.
func (q *Quorum) becomeCandidate(now core.Now, out *step.Effects) {
	invariant.Always(q.mayCampaign(), "only who may campaign becomes a candidate", invariant.Details{"role": q.role})
	refusal := q.campaign.refusal
	q.leave(out)
	q.setHard(hardState{epoch: q.hard.epoch + 1, voted: q.self, leader: core.NoNode})
	q.leaderAddr = ""
	q.enter(roleCandidate)
	q.poll(refusal)
	q.timer = now.Mono.Add(q.randomTimeout())
}

// candidateLost waits a random while after a refusal, longer each time, instead of until the election timeout: after a
// split vote that finds a leader sooner (KIP-595).
func (q *Quorum) candidateLost(now core.Now, out *step.Effects) {
	if q.campaign.backoff {
		return
	}
	out.Reachable("raft.election-lost", nil)
	q.campaign.backoff = true
	q.campaign.refusal++
	most := min(q.opts.RetryBackoff<<min(q.campaign.refusal, 20), q.opts.ElectionBackoffMax)
	q.timer = now.Mono.Add(core.Mono(q.opts.Rand.Below(int64(most) + 1)))
}

// candidateTimeout gives the candidacy up and asks again whether another makes sense (KIP-996).
func (q *Quorum) candidateTimeout(now core.Now, out *step.Effects) {
	if q.onlyVoter() {
		q.timer = never // only the own disk is waited for
		return
	}
	if !q.campaign.backoff {
		q.campaign.refusal++
	}
	q.becomeProspective(now, out)
}
