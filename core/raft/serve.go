package raft

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/step"
)

// parkedFetch is a fetch that waits at the leader: for news, or for a lookup in the log's files.
type parkedFetch struct {
	from  Asker
	req   FetchRequest
	until core.Mono // answered then, with or without news
	op    step.OpID // outstanding read of a lookup, 0 if none
	query log.Query
	need  log.ReadRequest
}

// leaderOnly refuses what only the epoch's leader may answer.
func (q *Quorum) leaderOnly(epoch core.LeaderEpoch) core.ErrorCode {
	switch {
	case q.unavailable():
		return core.ErrBrokerNotAvailable
	case epoch < q.hard.epoch:
		return core.ErrFencedLeaderEpoch
	case epoch > q.hard.epoch:
		return core.ErrUnknownLeaderEpoch
	case q.role != roleLeader:
		return core.ErrNotLeaderOrFollower
	}
	return core.ErrNone
}

// fetchResponse is a response without records.
func (q *Quorum) fetchResponse(code core.ErrorCode) *FetchResponse {
	r := &FetchResponse{Code: code, HighWatermark: core.NoOffset, LogStartOffset: core.NoOffset,
		DivergingEpoch: noOffsetAndEpoch(), SnapshotID: noOffsetAndEpoch()}
	if q.role == roleLeader {
		r.HighWatermark, r.LogStartOffset = q.lead.hw, q.log.LogStartOffset()
	}
	return r
}

// fetchAsked takes a fetch of a follower or observer.
func (q *Quorum) fetchAsked(now core.Now, from Asker, r *FetchRequest, out *step.Effects) {
	if code := q.leaderOnly(r.CurrentLeaderEpoch); code != core.ErrNone {
		q.answer(from, q.fetchResponse(code))
		return
	}
	if r.ReplicaID == q.self.ID || r.FetchOffset < 0 || r.LastFetchedEpoch < 0 || r.MaxWait < 0 {
		q.answer(from, q.fetchResponse(core.ErrInvalidRequest))
		return
	}
	if answered := q.partsWays(now, from, r, out); answered {
		return
	}
	if r.ReplicaID >= 0 {
		p := q.lead.replica(VoterKey{r.ReplicaID, r.ReplicaDirectoryID})
		p.fetchedAt(now, r.FetchOffset, q.log.LogEndOffset())
		q.forgetObservers(now)
	}
	q.lead.parked = append(q.lead.parked, &parkedFetch{from: from, req: *r, until: now.Mono.Add(r.MaxWait)})
}

// partsWays answers a fetch from a log that is not a prefix of this one: with the place up to which it may be (KIP-595), or
// with a snapshot if that place is no longer in this log (KIP-630).
func (q *Quorum) partsWays(now core.Now, from Asker, r *FetchRequest, out *step.Effects) bool {
	start := q.log.LogStartOffset()
	if start == 0 && r.FetchOffset == 0 {
		return false
	}
	resp := q.fetchResponse(core.ErrNone)
	if start > 0 && len(q.snaps.list) > 0 {
		earliest := q.snaps.list[0].id // it stands at the log's start
		if r.FetchOffset < start || r.FetchOffset == start && r.LastFetchedEpoch != earliest.Epoch ||
			r.LastFetchedEpoch < earliest.Epoch {
			out.Reachable("raft.snapshot-offered", nil)
			resp.SnapshotID = q.snaps.list[len(q.snaps.list)-1].id
			q.touched(now, r.ReplicaID, VoterKey{r.ReplicaID, r.ReplicaDirectoryID})
			q.answer(from, resp)
			return true
		}
	}
	epoch, end := q.log.EpochEnd(r.LastFetchedEpoch)
	if epoch == r.LastFetchedEpoch && end >= r.FetchOffset {
		return false
	}
	if epoch < 0 {
		epoch, end = q.log.LatestEpoch(), q.log.LogEndOffset()
	}
	resp.DivergingEpoch = OffsetAndEpoch{end, epoch}
	q.answer(from, resp)
	return true
}

// touched notes a sign of life of a replica that says nothing about its end.
func (q *Quorum) touched(now core.Now, id core.NodeID, k VoterKey) {
	if id >= 0 && id != q.self.ID {
		q.lead.replica(k).fetched = now
	}
}

// serveParked answers the fetches for which there is something.
func (q *Quorum) serveParked(now core.Now, out *step.Effects) {
	q.lead.parked = slices.DeleteFunc(q.lead.parked, func(p *parkedFetch) bool {
		return p.op == 0 && q.serveFetch(now, p, out)
	})
}

// serveFetch answers a fetch if there are records, a HighWatermark that the asker does not know, or no time left.
func (q *Quorum) serveFetch(now core.Now, p *parkedFetch, out *step.Effects) bool {
	// Records leave as soon as they are in the file, before they are synced here: this leader and its followers sync at the
	// same time. None counts for anybody before it has.
	p.query = log.Query{Offset: p.req.FetchOffset, MaxBytes: int64(min(p.req.MaxBytes, q.opts.FetchBytes)),
		MinOneBatch: true, UpperBound: q.log.WrittenOffset()}
	if q.log.WrittenOffset() > p.req.FetchOffset {
		return q.serveLocated(now, p, q.log.Locate(p.query), out)
	}
	if p.until > now.Mono && !q.hasNews(p) {
		return false
	}
	q.sendFetched(p, step.Span{})
	return true
}

// hasNews reports whether the HighWatermark is more than the asker knows (KIP-1166).
func (q *Quorum) hasNews(p *parkedFetch) bool {
	known := p.req.HighWatermark
	if known == KnowsAnyHighWatermark {
		known = q.lead.hw
		if p.req.ReplicaID >= 0 {
			known = q.lead.replica(VoterKey{p.req.ReplicaID, p.req.ReplicaDirectoryID}).told
		}
	}
	return q.lead.hw > known
}

// serveLocated goes on with a fetch whose place in the files has been looked up; false if more has to be read.
func (q *Quorum) serveLocated(now core.Now, p *parkedFetch, at log.Located, out *step.Effects) bool {
	switch {
	case at.Code == core.ErrOffsetOutOfRange: // the log's start has passed it
		if !q.partsWays(now, p.from, &p.req, out) {
			q.answer(p.from, q.fetchResponse(core.ErrOffsetOutOfRange))
		}
		return true
	case at.Code != core.ErrNone:
		q.fail("locating an offset in the metadata log: " + at.Code.String())
		return true
	case at.Need.Len > 0:
		op := readOf(at)
		op.Op = q.ids.Op()
		p.op, p.need = op.Op, at.Need
		out.Disk = append(out.Disk, op)
		return false
	case at.Span.Len == 0 && p.until > now.Mono:
		return false
	}
	q.sendFetched(p, at.Span)
	return true
}

func (q *Quorum) sendFetched(p *parkedFetch, span step.Span) {
	if p.req.ReplicaID >= 0 {
		q.lead.replica(VoterKey{p.req.ReplicaID, p.req.ReplicaDirectoryID}).told = q.lead.hw
	}
	q.answerSpan(p.from, q.fetchResponse(core.ErrNone), span)
}

// lookupDone takes the bytes that a fetch's lookup needed. They are looked for again if the file has gone meanwhile.
func (q *Quorum) lookupDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	i := slices.IndexFunc(q.lead.parked, func(p *parkedFetch) bool { return p.op == d.Op })
	if i < 0 {
		return
	}
	p := q.lead.parked[i]
	p.op = 0
	switch {
	case d.Err == step.ErrNotExist:
	case d.Err != step.DiskOK:
		q.fail("reading the metadata log: " + d.Err.String() + " " + d.Detail)
	case q.serveLocated(now, p, q.log.ResolveLocate(p.query, p.need, d.Data), out):
		q.lead.parked = slices.Delete(q.lead.parked, i, i+1)
	}
}
