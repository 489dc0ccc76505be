package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/step"
)

// role is what a node does in its epoch. Each has a file of its own.
//
//	             patience ends           majority would vote           majority votes
//	unattached ---------------> prospective ----------------> candidate ------------> leader
//	voted      --------------->     ^  |                          |                      |
//	follower   ---------------------'  | refused                  | refused              | majority silent,
//	    ^                              v                          v                      | or asked to resign
//	    |      a leader is known:  follower             prospective, after               v
//	    '----- from any role       none: unattached     a random backoff              resigned
//
// A higher epoch, whoever tells of it, makes any role unattached (or follower, if its leader is known). A node that is
// not in the voter set is an observer: it follows the leader and never campaigns.
type role uint8

const (
	roleNone        role = iota // not open yet
	roleUnattached              // a voter that knows no leader and has not voted in the epoch
	roleVoted                   // a voter that knows no leader and has voted in the epoch
	roleProspective             // asks whether it would be voted for (KIP-996)
	roleCandidate               // asks for votes
	roleLeader
	roleFollower
	roleObserver
	roleResigned // led the epoch and does not any more
)

// String names the role as Kafka's DescribeQuorum metrics do.
func (r role) String() string {
	switch r {
	case roleNone:
		return "none"
	case roleUnattached:
		return "unattached"
	case roleVoted:
		return "voted"
	case roleProspective:
		return "prospective"
	case roleCandidate:
		return "candidate"
	case roleLeader:
		return "leader"
	case roleFollower:
		return "follower"
	case roleObserver:
		return "observer"
	case roleResigned:
		return "resigned"
	}
	return "?"
}

// Role names what this node is in its epoch: unattached, voted, prospective, candidate, leader, follower, observer,
// resigned, or none before it has opened.
func (q *Quorum) Role() string { return q.role.String() }

// isVoter reports whether this node is in the voter set as its own log has it.
func (q *Quorum) isVoter() bool { return q.opts.Voter && q.voters.last().voters.has(q.self) }

// electable reports whether this node takes part in elections: as a voter, or as one whose removal may not be committed. The
// latter does not count its own vote, but it may be the only one whose log the others could elect: then nobody else can
// commit the removal or undo it (Ongaro's thesis, section 4.2.2).
func (q *Quorum) electable() bool {
	last := q.voters.last()
	return q.isVoter() || q.opts.Voter && last.offset >= q.hw && q.voters.before(last.offset).voters.has(q.self)
}

// timeout is what a role does when its timer has run out.
func (q *Quorum) timeout(now core.Now, out *step.Effects) {
	q.timer = never
	switch q.role {
	case roleUnattached, roleVoted, roleFollower, roleResigned:
		q.campaignOrWait(now, out)
	case roleProspective:
		q.prospectiveTimeout(now, out)
	case roleCandidate:
		q.candidateTimeout(now, out)
	case roleLeader: // the leader's duties have instants of their own
	case roleNone, roleObserver: // no patience to lose
	}
}

// work is what a role does at the end of every turn.
func (q *Quorum) work(now core.Now, out *step.Effects) {
	switch q.role {
	case roleProspective, roleCandidate:
		q.canvass(now, out)
	case roleLeader:
		q.leaderWork(now, out)
	case roleFollower, roleObserver:
		q.followerWork(now, out)
	case roleResigned:
		q.resignedWork(now)
	case roleUnattached, roleVoted:
		q.unattachedWork(now, out)
	case roleNone:
	}
}

// leave ends the present role: what it waited for is given up, whoever waited for it is told.
func (q *Quorum) leave(out *step.Effects) {
	if q.role == roleLeader {
		q.stopLeading(out)
	}
	q.box.abandon()
	q.cut.wanted = false // it was the word of a leader that is not followed any more; the next one says it again
	q.campaign, q.follow, q.resigned = campaign{}, following{}, resignation{}
	q.timer = never
}

// enter begins a role.
func (q *Quorum) enter(r role) {
	invariant.Always(r != roleLeader || q.role == roleCandidate, "only a candidate becomes leader", invariant.Details{"from": q.role, "to": r})
	q.role = r
}

// learn takes what another node says about the quorum.
func (q *Quorum) learn(now core.Now, c Current, out *step.Effects) {
	switch {
	case c.LeaderEpoch < q.hard.epoch || q.failed != "":
	case c.LeaderID == core.NoNode || c.LeaderID == q.self.ID:
		// Of one's own leadership one learns from nobody: a leader of the epoch that restarted does not resume it.
		if c.LeaderEpoch > q.hard.epoch {
			q.becomeUnattached(now, c.LeaderEpoch, out)
		}
	case c.LeaderEpoch > q.hard.epoch || q.hard.leader == core.NoNode:
		q.follows(now, c, out)
	case q.hard.leader != c.LeaderID:
		// No vote is given twice, so somebody's disk has forgotten one. Going on could destroy committed records.
		q.fail("two leaders, " + nodeName(q.hard.leader) + " and " + nodeName(c.LeaderID) + ", in one epoch")
	}
}

// follows makes the node a follower of a leader that it has learnt of, if it is known how to reach it.
func (q *Quorum) follows(now core.Now, c Current, out *step.Effects) {
	addr := c.LeaderAddr
	if v, ok := q.voters.last().voters.byID(c.LeaderID); addr == "" && ok {
		addr = addrOf(v.Endpoints, q.opts.listener())
	}
	switch {
	case addr != "":
		q.becomeFollower(now, c.LeaderEpoch, c.LeaderID, addr, out)
	case c.LeaderEpoch > q.hard.epoch:
		q.becomeUnattached(now, c.LeaderEpoch, out)
	}
}

// reconsider takes a voter into its role, or out of it, after the voter set has changed under it.
func (q *Quorum) reconsider(now core.Now, out *step.Effects) {
	switch q.role {
	case roleFollower, roleObserver:
		q.retitle(now, out)
	case roleUnattached, roleVoted, roleProspective, roleCandidate, roleResigned:
		if !q.electable() {
			q.becomeUnattached(now, q.hard.epoch, out)
		}
	case roleLeader, roleNone: // a leader that is removed leads until that is committed (KIP-853)
	}
}

// randomTimeout is an election timeout: random, so that voters do not campaign in step.
func (q *Quorum) randomTimeout() core.Mono {
	return q.opts.ElectionTimeout + core.Mono(q.opts.Rand.Below(int64(q.opts.ElectionTimeout)))
}

// Receive takes a request from a peer. Its answer comes out of Answers, at once or later.
func (q *Quorum) Receive(now core.Now, from Asker, req Request, out *step.Effects) {
	if q.failed != "" {
		return // the process ends; its connections tell the peers
	}
	switch r := req.(type) {
	case *VoteRequest:
		q.voteAsked(now, from, r, out)
	case *BeginQuorumEpochRequest:
		q.beginAsked(now, from, r, out)
	case *EndQuorumEpochRequest:
		q.endAsked(now, from, r, out)
	case *FetchRequest:
		q.fetchAsked(now, from, r, out)
	case *FetchSnapshotRequest:
		q.pieceAsked(now, from, r, out)
	case *AddRaftVoterRequest:
		q.addAsked(now, from, r, out)
	case *RemoveRaftVoterRequest:
		q.removeAsked(now, from, r, out)
	case *UpdateRaftVoterRequest:
		q.updateAsked(now, from, r, out)
	}
}

// unavailable reports whether requests are refused: the node is starting or stopping.
func (q *Quorum) unavailable() bool { return q.phase != phaseRunning }

// Forget drops what an asker waits for: its connection is gone.
func (q *Quorum) Forget(a Asker) {
	q.lead.forget(a)
	q.snaps.forget(a)
}
