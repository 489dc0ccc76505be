package raft

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// outbox holds what waits to leave: see [stateStore] for why it waits.
type outbox struct {
	nextCall CallID
	open     []*call // made and not yet answered, oldest first
	calls    []*call // of these, not yet handed out
	answers  []gated
	readyC   []Call
	readyA   []Answer
}

// call is a request of ours under way.
type call struct {
	Call
	gate  uint64           // version of the hard state that must be durable first
	epoch core.LeaderEpoch // in which it was made
	until core.Mono        // it counts as failed from then on
}

// gated is an answer that waits.
type gated struct {
	Answer
	gate uint64
}

// call makes a request. It is handed out when the hard state is durable, and forgotten when its role ends.
func (q *Quorum) call(now core.Now, to Peer, lane Lane, req Request) CallID {
	b := &q.box
	b.nextCall++
	limit := q.opts.RequestTimeout
	if lane == LaneFetch {
		limit = limit.Add(q.opts.FetchMaxWait)
	}
	c := &call{
		Call: Call{ID: b.nextCall, To: to, Lane: lane, Req: req}, gate: q.store.version, epoch: q.hard.epoch,
		// The caller's own timeout comes first. This one is for a caller that forgets.
		until: now.Mono.Add(2 * limit),
	}
	b.open, b.calls = append(b.open, c), append(b.calls, c)
	return c.ID
}

// answer gives a response, which leaves when the hard state is durable.
func (q *Quorum) answer(to Asker, resp Response) { q.answerSpan(to, resp, step.Span{}) }

func (q *Quorum) answerSpan(to Asker, resp Response, span step.Span) {
	if to == 0 {
		return
	}
	gate := q.store.version
	*resp.quorum() = q.current()
	if q.unavailable() { // it says nothing that could be forgotten
		gate, *resp.quorum() = 0, Current{LeaderID: core.NoNode, LeaderEpoch: core.NoLeaderEpoch}
	}
	q.box.answers = append(q.box.answers, gated{Answer{to, resp, span}, gate})
}

// release moves what need not wait any longer to the ready lists.
func (b *outbox) release(durable uint64) {
	for _, c := range b.calls {
		if c.gate > durable {
			break
		}
		b.readyC = append(b.readyC, c.Call)
	}
	b.calls = slices.DeleteFunc(b.calls, func(c *call) bool { return c.gate <= durable })
	n := 0
	for n < len(b.answers) && b.answers[n].gate <= durable {
		b.readyA = append(b.readyA, b.answers[n].Answer)
		n++
	}
	b.answers = slices.Delete(b.answers, 0, n)
}

// take removes a call that is answered; nil if it was given up before.
func (b *outbox) take(id CallID) *call {
	for i, c := range b.open {
		if c.ID == id {
			b.open = slices.Delete(b.open, i, i+1)
			return c
		}
	}
	return nil
}

// abandon gives up all calls: their answers will be ignored, and those that have not left will not.
func (b *outbox) abandon() {
	clear(b.open)
	b.open = b.open[:0]
	clear(b.calls)
	b.calls = b.calls[:0]
}

// Calls returns the requests to send to peers; call it after each EndTurn. The slice is valid until the next one.
func (q *Quorum) Calls() []Call {
	out := q.box.readyC
	q.box.readyC = q.box.readyC[:0]
	return out
}

// Answers returns the responses to requests that came through Receive; call it after each EndTurn. The slice is valid
// until the next one.
func (q *Quorum) Answers() []Answer {
	out := q.box.readyA
	q.box.readyA = q.box.readyA[:0]
	return out
}

// Response takes the answer to one of our calls; nil says that it failed, timed out, or that its connection was lost (the
// peer may have acted on it all the same).
func (q *Quorum) Response(now core.Now, id CallID, resp Response, out *step.Effects) {
	c := q.box.take(id)
	if c == nil || q.phase != phaseRunning || q.failed != "" {
		return // the role in which it was made has ended (BUGS A5)
	}
	q.answered(now, c, resp, out)
}

// expireCalls fails calls that nobody answers.
func (q *Quorum) expireCalls(now core.Now, out *step.Effects) {
	for i := 0; i < len(q.box.open); {
		c := q.box.open[i]
		if c.until > now.Mono {
			i++
			continue
		}
		q.box.calls = slices.DeleteFunc(q.box.calls, func(d *call) bool { return d == c })
		q.box.take(c.ID)
		q.answered(now, c, nil, out)
		i = 0 // the list may have changed
	}
}

// answered dispatches on what was asked.
func (q *Quorum) answered(now core.Now, c *call, resp Response, out *step.Effects) {
	if resp != nil {
		q.learn(now, *resp.quorum(), out)
		if q.hard.epoch != c.epoch || !q.waits(c) {
			return // the news changed our role
		}
	}
	switch c.Req.(type) {
	case *VoteRequest:
		r, _ := resp.(*VoteResponse)
		q.voteAnswered(now, c, r, out)
	case *BeginQuorumEpochRequest:
		q.beginAnswered(now, c, resp != nil)
	case *EndQuorumEpochRequest:
		q.endAnswered(now, c, resp != nil)
	case *FetchRequest:
		r, _ := resp.(*FetchResponse)
		q.fetchAnswered(now, c, r, out)
	case *FetchSnapshotRequest:
		r, _ := resp.(*FetchSnapshotResponse)
		q.pieceAnswered(now, c, r, out)
	case *UpdateRaftVoterRequest:
		q.updateAnswered(now)
	case *AddRaftVoterRequest, *RemoveRaftVoterRequest: // only clients send them
	}
}

// waits reports whether the present role is the one that made the call.
func (q *Quorum) waits(c *call) bool {
	switch c.Req.(type) {
	case *VoteRequest:
		return q.role == roleProspective || q.role == roleCandidate
	case *BeginQuorumEpochRequest:
		return q.role == roleLeader
	case *EndQuorumEpochRequest:
		return q.role == roleResigned
	default:
		return q.role == roleFollower || q.role == roleObserver
	}
}
