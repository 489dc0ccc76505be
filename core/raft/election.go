package raft

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/raft/tally"
	"github.com/klamm-log/klamm/core/step"
)

// campaign is the state of a prospective or candidate: the count of its (pre-)votes.
type campaign struct {
	ballots []ballot // one per voter, in order of id
	refusal int      // how many elections in a row were lost: the backoff grows with it
	backoff bool     // the candidate has lost and waits for its timer
}

// ballot is one voter's vote.
type ballot struct {
	voter   VoterKey
	addr    string
	own     bool // this node's own
	granted bool
	refused bool
	call    CallID    // outstanding, 0 if none
	after   core.Mono // not asked before that
	tries   int
}

// poll starts a count over the present voter set.
func (q *Quorum) poll(refusal int) {
	c := campaign{refusal: refusal}
	for _, v := range q.voters.last().voters {
		c.ballots = append(c.ballots, ballot{
			voter: VoterKey{v.ID, v.DirectoryID}, addr: addrOf(v.Endpoints, q.opts.listener()), own: isVoter(v, q.self),
		})
	}
	q.campaign = c
}

// canvass asks the voters that have not been asked, counts, and draws the consequences.
func (q *Quorum) canvass(now core.Now, out *step.Effects) {
	c := &q.campaign
	pre := q.role == roleProspective
	for i := range c.ballots {
		b := &c.ballots[i]
		switch {
		case b.own:
			// A candidate's own vote is a vote like any other: it counts when it is durable (BUGS B2).
			b.granted = pre || q.store.stateDurable()
		case !b.granted && !b.refused && b.call == 0 && b.after <= now.Mono && !c.backoff:
			b.call = q.call(now, Peer{b.voter.ID, b.addr}, LaneControl, q.voteRequest(b, pre))
		}
	}
	q.count(now, out)
}

func (q *Quorum) voteRequest(b *ballot, pre bool) *VoteRequest {
	end := q.end()
	return &VoteRequest{
		VoterID: b.voter.ID, VoterDirectoryID: b.voter.DirectoryID, ReplicaEpoch: q.hard.epoch,
		ReplicaID: q.self.ID, ReplicaDirectoryID: q.self.DirectoryID,
		LastOffset: end.Offset, LastOffsetEpoch: end.Epoch, PreVote: pre,
	}
}

// count draws the consequences of the votes so far.
func (q *Quorum) count(now core.Now, out *step.Effects) {
	granted, refused := 0, 0
	for i := range q.campaign.ballots {
		if q.campaign.ballots[i].granted {
			granted++
		}
		if q.campaign.ballots[i].refused {
			refused++
		}
	}
	switch tally.Judge(len(q.campaign.ballots), granted, refused) {
	case tally.Won:
		if q.role == roleProspective {
			q.becomeCandidate(now, out)
		} else {
			q.becomeLeader(now, out)
		}
	case tally.Lost:
		if q.role == roleProspective {
			q.prospectiveTimeout(now, out)
		} else {
			q.candidateLost(now, out)
		}
	case tally.Undecided:
	}
}

// voteAnswered takes a voter's answer; nil if there is none.
func (q *Quorum) voteAnswered(now core.Now, c *call, r *VoteResponse, out *step.Effects) {
	for i := range q.campaign.ballots {
		b := &q.campaign.ballots[i]
		if b.call != c.ID {
			continue
		}
		b.call = 0
		switch {
		case r == nil: // asked again, while the campaign lasts
			b.after = now.Mono.Add(q.backoff(b.tries))
			b.tries++
		case r.Code == core.ErrNone && r.VoteGranted:
			b.granted = true
		default:
			b.refused = true
		}
	}
	q.count(now, out)
}

// backoff is how long to wait after so many failures with a peer.
func (q *Quorum) backoff(tries int) core.Mono {
	return min(q.opts.RetryBackoff<<min(tries, 10), q.opts.ElectionBackoffMax)
}

func (c *campaign) nextDeadline() core.Mono {
	next := never
	for i := range c.ballots {
		if b := &c.ballots[i]; !b.own && !b.granted && !b.refused && b.call == 0 && !c.backoff {
			next = min(next, b.after)
		}
	}
	return next
}

// voteAsked answers a request for a vote or a pre-vote.
func (q *Quorum) voteAsked(now core.Now, from Asker, r *VoteRequest, out *step.Effects) {
	switch {
	case q.unavailable():
		q.answer(from, &VoteResponse{Code: core.ErrBrokerNotAvailable})
		return
	case r.ReplicaID < 0 || r.ReplicaID == q.self.ID || r.LastOffset < 0 || r.LastOffsetEpoch < 0 ||
		r.LastOffsetEpoch > r.ReplicaEpoch || !r.PreVote && r.LastOffsetEpoch == r.ReplicaEpoch:
		q.answer(from, &VoteResponse{Code: core.ErrInvalidRequest})
		return
	case r.ReplicaEpoch < q.hard.epoch:
		q.answer(from, &VoteResponse{Code: core.ErrFencedLeaderEpoch})
		return
	case !q.meant(r.VoterID, r.VoterDirectoryID):
		// KIP-853: a voter whose disk was replaced has forgotten its votes, and must not vote in its predecessor's name. Nor
		// does it take over the epoch of a request that is not for it, as Kafka does: that would unseat a leader.
		q.answer(from, &VoteResponse{Code: core.ErrInvalidVoterKey})
		return
	case r.ReplicaEpoch > q.hard.epoch:
		q.becomeUnattached(now, r.ReplicaEpoch, out)
	}
	candidate := VoterKey{r.ReplicaID, r.ReplicaDirectoryID}
	upToDate := OffsetAndEpoch{r.LastOffset, r.LastOffsetEpoch}.Compare(q.end()) >= 0
	granted := q.opts.Voter && q.mayGrant(candidate, r.PreVote, upToDate)
	if granted && !r.PreVote && q.hard.voted == nobody() {
		q.becomeVoted(now, candidate, out)
	}
	q.answer(from, &VoteResponse{VoteGranted: granted})
}

// mayGrant is the rule of each role for votes in its own epoch.
func (q *Quorum) mayGrant(candidate VoterKey, pre, upToDate bool) bool {
	switch q.role {
	case roleUnattached, roleVoted, roleProspective:
		return q.grants(candidate, pre, upToDate)
	case roleObserver:
		// A node that the leader has just added must vote although its own log does not say yet that it is a voter: the
		// candidate's log decides whom it needs (KIP-853). A node that was removed is simply not asked.
		return (!pre || !q.follow.heard) && q.grants(candidate, pre, upToDate)
	case roleFollower:
		return pre && upToDate && !q.follow.heard // KIP-996: whoever hears from the leader unseats nobody
	case roleCandidate, roleResigned:
		return pre && upToDate // its own vote is cast
	case roleLeader, roleNone:
		return false
	}
	return false
}

// grants is the rule of a node that follows nobody.
func (q *Quorum) grants(candidate VoterKey, pre, upToDate bool) bool {
	switch {
	case pre:
		return upToDate
	case q.hard.leader != core.NoNode:
		return false // the epoch has its leader
	case q.hard.voted == nobody():
		return upToDate
	default:
		return q.hard.voted == candidate
	}
}

// meant reports whether a request is for this replica: nobody else has its node id and its directory id.
func (q *Quorum) meant(id core.NodeID, dir metadata.DirectoryID) bool {
	return (id < 0 || id == q.self.ID) && (noDirectory(dir) || dir == q.self.DirectoryID)
}

func nodeName(id core.NodeID) string { return "node " + strconv.Itoa(int(id)) }
