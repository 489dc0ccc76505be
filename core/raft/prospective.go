package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// becomeProspective asks the voters whether they would vote for this node in the next epoch (KIP-996). The epoch stays, so
// a voter that is cut off, or hears nothing, can ask for ever and unseat nobody (BUGS B9). A leader that was known stays
// known, and is returned to if the others still hear from it.
func (q *Quorum) becomeProspective(now core.Now, out *step.Effects) {
	out.Reachable("raft.pre-vote", nil)
	refusal := q.campaign.refusal
	q.leave(out)
	if q.hard.leader == q.self.ID { // it resigned
		h := q.hard
		h.leader = core.NoNode
		q.setHard(h)
	}
	q.enter(roleProspective)
	q.poll(refusal)
	q.timer = now.Mono.Add(q.randomTimeout())
}

// prospectiveTimeout ends a pre-vote that was lost, or that too few answered: this node is behind, or cut off, or the
// others have a leader.
func (q *Quorum) prospectiveTimeout(now core.Now, out *step.Effects) {
	if q.hard.leader != core.NoNode && q.leaderAddr != "" {
		q.becomeFollower(now, q.hard.epoch, q.hard.leader, q.leaderAddr, out)
		return
	}
	refusal := q.campaign.refusal
	q.becomeUnattached(now, q.hard.epoch, out)
	q.campaign.refusal = refusal
}
