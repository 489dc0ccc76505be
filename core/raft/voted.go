package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// becomeVoted gives the epoch's vote to a candidate. The answer that says so leaves when the vote is durable.
func (q *Quorum) becomeVoted(now core.Now, candidate VoterKey, out *step.Effects) {
	observer := q.role == roleObserver
	if !observer {
		q.leave(out)
		q.enter(roleVoted)
		// The candidate has at least as good a log as this node, so it gets its time (KIP-595).
		q.timer = now.Mono.Add(q.randomTimeout())
	}
	h := q.hard
	h.voted, h.leader = candidate, core.NoNode
	q.setHard(h)
	q.leaderAddr = ""
}
