package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// suspicion is after how many broken connections in a row a follower takes its leader's process for dead.
const suspicion = 3

// Unreachable takes word that the connection which carried one of our calls broke, or could not be made. The call failed
// as any other, but this says more than silence: a process that dies closes its connections, and refuses new ones.
//
// A follower that finds its leader gone so does not sit out the fetch timeout. That is safe because it only asks for
// pre-votes (KIP-996): if the others still hear from the leader they refuse, and nobody is unseated.
func (q *Quorum) Unreachable(now core.Now, id CallID, out *step.Effects) {
	if q.follow.call == id && id != 0 {
		q.follow.broken++
	}
	q.Response(now, id, nil, out)
	if q.role != roleFollower || q.follow.broken < suspicion {
		return
	}
	out.Reachable("raft.leader-suspected", nil)
	q.follow.heard = false
	q.timer = min(q.timer, now.Mono.Add(q.haste()))
}

// haste is a short patience, where there is reason to believe that nobody leads: after a start, or with the leader gone.
// It is random for the same reason as election timeouts are.
func (q *Quorum) haste() core.Mono {
	return q.opts.ElectionTimeout/20 + core.Mono(q.opts.Rand.Below(int64(q.opts.ElectionTimeout/5)))
}
