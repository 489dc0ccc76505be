package raft

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

// voterChange is a change of the voter set that the leader has appended and somebody waits for.
type voterChange struct {
	offset core.Offset // of the VotersRecord; 0: no change is waited for
	from   Asker       // 0: nobody, the leader made it by itself
	remove bool
	until  core.Mono // the asker's patience; the change itself goes on
}

// mayChange says why the leader cannot change its voter set now, or "". Two rules make single changes safe:
//
//   - a record of this epoch is committed (Ongaro, raft-dev 2015). Otherwise an earlier leader's uncommitted change may
//     survive beside this one, and the majorities of the two need not meet: of {1,2,3,4}, leader 1 adds 5 on itself,
//     leader 2 removes 1 and commits with 3, then 1 wins with 4 and 5.
//   - the change before is committed (BUGS B6): two pending changes differ by two voters.
func (q *Quorum) mayChange() string {
	switch {
	case q.lead.hw == core.NoOffset:
		return "the leader has not committed in its epoch yet"
	case q.voters.last().offset >= q.lead.hw:
		return "another change of the voter set is not committed yet"
	}
	return ""
}

// changeVoters appends a voter set. It is in force at once, here and wherever it is appended (KIP-853).
func (q *Quorum) changeVoters(now core.Now, voters voterSet) core.Offset {
	old := q.voters.last()
	invariant.Check(q.mayChange() == "", "a change of the voter set: %s", q.mayChange())
	invariant.Always(differsByOne(old.voters, voters), "voters change one at a time", invariant.Details{"from": old.voters, "to": voters})
	if old.kraft < kraftReconfig {
		return q.proposeControl(now, upgradeRecords(voters)...) + 1
	}
	return q.proposeControl(now, &metadata.VotersRecord{Voters: voters})
}

// upgradeRecords begin the life of a voter set in the log.
func upgradeRecords(voters voterSet) []metadata.ControlRecord {
	return []metadata.ControlRecord{
		&metadata.KRaftVersionRecord{KRaftVersion: kraftReconfig},
		&metadata.VotersRecord{Voters: voters},
	}
}

// registration is this node as a voter.
func (q *Quorum) registration() metadata.VoterRegistration {
	return metadata.VoterRegistration{ID: q.self.ID, DirectoryID: q.self.DirectoryID, Endpoints: q.opts.Endpoints,
		KRaftMin: kraftMin, KRaftMax: kraftMax}
}

// improveVoters lets the leader change the voter set by itself where no operator has to decide anything: the upgrade
// from the configured voter set, and the leader's own endpoints.
func (q *Quorum) improveVoters(now core.Now, out *step.Effects) {
	if q.lead.hw == core.NoOffset || q.mayChange() != "" || q.lead.change.offset > 0 {
		return
	}
	cfg := q.voters.last()
	if cfg.kraft < kraftReconfig {
		if voters, ok := q.upgrade(cfg.voters); ok {
			out.Reachable("raft.kraft-version-upgraded", nil)
			q.changeVoters(now, voters)
		}
		return
	}
	if v, ok := cfg.voters.byID(q.self.ID); ok && isVoter(v, q.self) && q.outdated(v) {
		q.changeVoters(now, cfg.voters.with(q.registration()))
	}
}

// upgrade is the configured voter set with the directory ids that the voters' fetches have told; false while one is
// missing. From then on a voter whose disk is replaced is a new replica and does not vote in the old one's name.
func (q *Quorum) upgrade(voters voterSet) (voterSet, bool) {
	for _, v := range voters {
		if isVoter(v, q.self) {
			voters = voters.with(q.registration())
			continue
		}
		p := q.lead.of(v)
		if p == nil || p.end == core.NoOffset || noDirectory(p.key.DirectoryID) {
			return nil, false
		}
		v.DirectoryID = p.key.DirectoryID
		voters = voters.with(v)
	}
	return voters, !noDirectory(q.self.DirectoryID)
}

// changeCommitted tells whoever waits for a change that it is committed. A leader that has removed itself resigns then, not
// earlier: until then nobody else is sure to have the change.
func (q *Quorum) changeCommitted(now core.Now, out *step.Effects) {
	c := q.lead.change
	if c.offset > 0 && q.lead.hw > c.offset {
		q.lead.change = voterChange{}
		q.changeEnded(c, core.ErrNone, "")
	}
	if cfg := q.voters.last(); cfg.offset < q.lead.hw && !q.isVoter() {
		out.Reachable("raft.removed-leader-resigns", nil)
		q.Resign(now, out)
	}
}

// changeEnded answers whoever waits for a change.
func (q *Quorum) changeEnded(c voterChange, code core.ErrorCode, why string) {
	switch {
	case c.offset == 0 || c.from == 0:
	case c.remove:
		q.answer(c.from, &RemoveRaftVoterResponse{Code: code, Why: why})
	default:
		q.answer(c.from, &AddRaftVoterResponse{Code: code, Why: why})
	}
}

// expireChange gives up waiting for a change, not the change.
func (q *Quorum) expireChange(now core.Now) {
	if c := q.lead.change; c.offset > 0 && c.until <= now.Mono {
		q.lead.change = voterChange{}
		q.changeEnded(c, core.ErrRequestTimedOut, "the change is appended but not committed yet")
	}
}

// refuseChange is what stands against any change now.
func (q *Quorum) refuseChange() (core.ErrorCode, string) {
	switch {
	case q.unavailable():
		return core.ErrBrokerNotAvailable, "the node is starting or stopping"
	case q.role != roleLeader:
		return core.ErrNotLeaderOrFollower, "this node does not lead"
	case q.voters.last().kraft < kraftReconfig:
		return core.ErrUnsupportedVersion, "kraft.version is 0: the leader has not heard from all voters of controller.quorum.voters yet"
	case q.mayChange() != "":
		return core.ErrRequestTimedOut, q.mayChange()
	case q.lead.change.offset > 0:
		return core.ErrRequestTimedOut, "another change is waited for"
	}
	return core.ErrNone, ""
}

// addAsked makes an observer a voter. That it lives and runs this protocol it has shown by its fetches, so it is not asked
// for its versions as Kafka does.
func (q *Quorum) addAsked(now core.Now, from Asker, r *AddRaftVoterRequest, _ *step.Effects) {
	code, why := q.refuseChange()
	k := VoterKey{r.VoterID, r.VoterDirectoryID}
	voters := q.voters.last().voters
	if code == core.ErrNone {
		_, known := voters.byID(r.VoterID)
		switch {
		case r.VoterID < 0 || noDirectory(r.VoterDirectoryID) || len(r.Listeners) == 0:
			code, why = core.ErrInvalidRequest, "a voter needs an id, a directory id and a listener"
		case known:
			code, why = core.ErrDuplicateVoter, nodeName(r.VoterID)+" is a voter already"
		case !q.keepsUp(now, k):
			code, why = core.ErrRequestTimedOut, nodeName(r.VoterID)+" has not caught up with the leader"
		}
	}
	if code != core.ErrNone {
		q.answer(from, &AddRaftVoterResponse{Code: code, Why: why})
		return
	}
	o := q.changeVoters(now, voters.with(metadata.VoterRegistration{ID: r.VoterID, DirectoryID: r.VoterDirectoryID,
		Endpoints: r.Listeners, KRaftMin: kraftMin, KRaftMax: kraftMax}))
	if r.AckNow {
		q.answer(from, &AddRaftVoterResponse{})
		return
	}
	q.await(now, voterChange{offset: o, from: from}, r.Timeout)
}

// keepsUp reports whether an observer has caught up and fetches still: one that has died meanwhile would raise the
// majority, and may be what it lacks. Of {1} and a dead 2 nothing could be committed any more, no removal either. In Kafka it may
// have fetched an hour ago, but must answer an ApiVersions first.
func (q *Quorum) keepsUp(now core.Now, k VoterKey) bool {
	i := slices.IndexFunc(q.lead.replicas, func(p *progress) bool { return p.key == k })
	if i < 0 {
		return false
	}
	p := q.lead.replicas[i]
	return p.caughtUp != core.Now{} && p.fetched.Mono.Add(q.opts.FetchTimeout) > now.Mono
}

func (q *Quorum) await(now core.Now, c voterChange, patience core.Mono) {
	if patience <= 0 {
		patience = q.opts.RequestTimeout
	}
	c.until = now.Mono.Add(patience)
	q.lead.change = c
}

// stands reports whether a majority of a voter set is alive: this node, and those that have fetched lately. Of {1, 2, 3} with 1
// dead, a removal of 3 would leave {1, 2}, which can never commit it: the quorum would be lost although two of three
// live. Kafka leaves that to the operator; etcd refuses, too.
func (q *Quorum) stands(now core.Now, voters voterSet) bool {
	alive := 0
	for _, v := range voters {
		p := q.lead.of(v)
		if isVoter(v, q.self) || p != nil && p.fetched.Mono.Add(q.opts.FetchTimeout) > now.Mono {
			alive++
		}
	}
	return alive >= voters.majority()
}

// removeAsked takes a voter out of the voter set: this node itself, too.
func (q *Quorum) removeAsked(now core.Now, from Asker, r *RemoveRaftVoterRequest, _ *step.Effects) {
	code, why := q.refuseChange()
	voters := q.voters.last().voters
	if v, ok := voters.byID(r.VoterID); code == core.ErrNone && (!ok || v.DirectoryID != r.VoterDirectoryID || len(voters) == 1) {
		code, why = core.ErrVoterNotFound, nodeName(r.VoterID)+" with that directory id is no voter, or the last one"
	}
	voters = voters.without(r.VoterID)
	if code == core.ErrNone && !q.stands(now, voters) {
		code, why = core.ErrRequestTimedOut, "no majority of the voters that would be left has fetched lately"
	}
	if code != core.ErrNone {
		q.answer(from, &RemoveRaftVoterResponse{Code: code, Why: why})
		return
	}
	o := q.changeVoters(now, voters)
	q.await(now, voterChange{offset: o, from: from, remove: true}, 0)
}

// updateAsked takes a voter's new endpoints. It is answered when they are appended, as in Kafka.
func (q *Quorum) updateAsked(now core.Now, from Asker, r *UpdateRaftVoterRequest, _ *step.Effects) {
	code := q.leaderOnly(r.CurrentLeaderEpoch)
	if code == core.ErrNone {
		code, _ = q.refuseChange()
	}
	voters := q.voters.last().voters
	if v, ok := voters.byID(r.VoterID); code == core.ErrNone {
		switch {
		case !ok || v.DirectoryID != r.VoterDirectoryID:
			code = core.ErrVoterNotFound
		case len(r.Listeners) == 0 || r.KRaftMin > kraftReconfig || r.KRaftMax < kraftReconfig:
			code = core.ErrInvalidRequest
		default:
			q.changeVoters(now, voters.with(metadata.VoterRegistration{ID: r.VoterID, DirectoryID: r.VoterDirectoryID,
				Endpoints: r.Listeners, KRaftMin: r.KRaftMin, KRaftMax: r.KRaftMax}))
		}
	}
	q.answer(from, &UpdateRaftVoterResponse{Code: code})
}
