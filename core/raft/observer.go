package raft

import (
	"slices"

	"github.com/klamm-log/klamm/core"
)

// becomeObserver follows without being a voter: a broker, a controller that is not (yet, or any more) in the voter set, or
// a voter that came back with an empty disk and is therefore another replica. Observers never count and never campaign.
// The hard state has been set; if it names no leader, one is sought.
func (q *Quorum) becomeObserver(core.Now) {
	q.enter(roleObserver)
	q.timer = never
}

// fetchTarget is whom to fetch from: the leader, or if it is unknown whoever may know it.
func (q *Quorum) fetchTarget() (Peer, bool) {
	if q.hard.leader != core.NoNode {
		return Peer{q.hard.leader, q.leaderAddr}, q.leaderAddr != ""
	}
	seeds := slices.Clone(q.opts.Seeds)
	for _, v := range q.voters.last().voters {
		if addr := addrOf(v.Endpoints, q.opts.listener()); addr != "" && v.ID != q.self.ID {
			seeds = append(seeds, addr)
		}
	}
	if len(seeds) == 0 {
		return Peer{}, false
	}
	return Peer{core.NoNode, seeds[q.nextSeed%len(seeds)]}, true
}

// seekLeader lets an observer ask elsewhere after its leader did not answer, or answered that it does not lead: nobody
// tells observers of elections.
func (q *Quorum) seekLeader() {
	q.nextSeed++
	if q.hard.leader == core.NoNode {
		return
	}
	h := q.hard
	h.leader = core.NoNode
	q.setHard(h)
	q.leaderAddr = ""
	q.follow.heard, q.follow.down = false, nil
}
