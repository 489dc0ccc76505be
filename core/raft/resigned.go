package raft

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/raft/tally"
	"github.com/klamm-log/klamm/core/step"
)

// resignation is the state of a leader that has given up its epoch: whom it still has to tell.
type resignation struct {
	notices []notice
	heirs   []VoterKey // preferred candidates, the most caught up first
}

type notice struct {
	to    Peer
	call  CallID
	after core.Mono
	tries int
	done  bool
}

// becomeResigned gives up the epoch that this node led, or had led before it restarted, and tells the voters so that they
// need not wait until they miss it.
func (q *Quorum) becomeResigned(now core.Now) {
	q.enter(roleResigned)
	for _, v := range q.voters.last().voters {
		if !isVoter(v, q.self) {
			q.resigned.notices = append(q.resigned.notices, notice{to: Peer{v.ID, addrOf(v.Endpoints, q.opts.listener())}})
		}
	}
	q.timer = now.Mono.Add(q.randomTimeout())
	if len(q.resigned.notices) == 0 {
		q.timer = now.Mono
	}
}

// Resign gives up leadership: at an orderly shutdown, or because the controller on top has failed. On other roles it does
// nothing.
func (q *Quorum) Resign(now core.Now, out *step.Effects) {
	if q.role != roleLeader || q.phase != phaseRunning {
		return
	}
	heirs := q.heirs()
	q.leave(out)
	q.becomeResigned(now)
	q.resigned.heirs = heirs
}

// heirs are the voters by how much of the log they have.
func (q *Quorum) heirs() []VoterKey {
	type heir struct {
		key VoterKey
		end core.Offset
	}
	var list []heir
	for _, v := range q.voters.last().voters {
		if p := q.lead.of(v); p != nil && !isVoter(v, q.self) {
			list = append(list, heir{p.key, p.end})
		}
	}
	slices.SortStableFunc(list, func(a, b heir) int {
		if a.end != b.end {
			return int(max(-1, min(1, b.end-a.end)))
		}
		return a.key.compare(b.key)
	})
	var keys []VoterKey
	for _, h := range list {
		keys = append(keys, h.key)
	}
	return keys
}

// resignedWork tells the voters.
func (q *Quorum) resignedWork(now core.Now) {
	for i := range q.resigned.notices {
		n := &q.resigned.notices[i]
		if n.done || n.call != 0 || n.after > now.Mono {
			continue
		}
		n.call = q.call(now, n.to, LaneControl, &EndQuorumEpochRequest{
			LeaderID: q.self.ID, LeaderEpoch: q.hard.epoch, PreferredCandidates: q.resigned.heirs,
			LeaderEndpoints: q.opts.Endpoints,
		})
	}
}

func (q *Quorum) endAnswered(now core.Now, c *call, ok bool) {
	for i := range q.resigned.notices {
		if n := &q.resigned.notices[i]; n.call == c.ID {
			n.call, n.done = 0, ok
			n.after = now.Mono.Add(q.backoff(n.tries))
			n.tries++
		}
	}
}

func (r *resignation) nextDeadline() core.Mono {
	next := never
	for i := range r.notices {
		if n := &r.notices[i]; !n.done && n.call == 0 {
			next = min(next, n.after)
		}
	}
	return next
}

// endAsked takes the notice of a leader that resigned. Its epoch is over: this node follows nobody, and the sooner it has
// the leader's log the sooner it campaigns.
func (q *Quorum) endAsked(now core.Now, from Asker, r *EndQuorumEpochRequest, out *step.Effects) {
	switch {
	case q.unavailable():
		q.answer(from, &EndQuorumEpochResponse{Code: core.ErrBrokerNotAvailable})
		return
	case r.LeaderEpoch < q.hard.epoch:
		q.answer(from, &EndQuorumEpochResponse{Code: core.ErrFencedLeaderEpoch})
		return
	case r.LeaderID < 0 || r.LeaderID == q.self.ID:
		q.answer(from, &EndQuorumEpochResponse{Code: core.ErrInvalidRequest})
		return
	case r.LeaderEpoch > q.hard.epoch || q.hard.leader == r.LeaderID:
		q.becomeUnattached(now, r.LeaderEpoch, out)
		if q.role == roleUnattached || q.role == roleVoted {
			q.timer = now.Mono.Add(q.inheritanceDelay(r.PreferredCandidates))
		}
	}
	q.answer(from, &EndQuorumEpochResponse{})
}

// inheritanceDelay is this voter's wait after a resignation. A leader that restarted names no heirs: then chance keeps the
// voters apart.
func (q *Quorum) inheritanceDelay(heirs []VoterKey) core.Mono {
	most := q.opts.ElectionBackoffMax
	at := slices.Index(heirs, q.self)
	if at < 0 {
		return most/2 + core.Mono(q.opts.Rand.Below(int64(most/2)+1))
	}
	return tally.SuccessorDelay(at, len(heirs), most)
}
