package raft

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/step"
)

// download is a snapshot that is being fetched, held in memory until it is whole.
type download struct {
	id   OffsetAndEpoch
	data []byte
}

// cutting is a cut of the log that is wanted or under way: a truncation to where it agrees with the leader's, or its
// replacement by a snapshot. Small files are not written meanwhile, and a cut waits for those under way: the log's
// recovery, which does the cutting, removes what it takes for unfinished files of a crash.
type cutting struct {
	wanted bool        // cut to `to`
	to     core.Offset //

	snap    *snapshot // its file is being written, or is there and the log is emptied for it
	fetched bool      // its file is durable

	running bool           // the log is being cut
	before  OffsetAndEpoch // its end before that
}

// pending reports whether the log is not what it will be.
func (c *cutting) pending() bool { return c.wanted || c.running || c.snap != nil }

// proceedCut begins or ends a cut when its time has come.
func (q *Quorum) proceedCut(now core.Now, out *step.Effects) {
	c := &q.cut
	if c.running && q.log.Ready() {
		q.cutDone(now, out)
	}
	if c.running || !q.log.Ready() || q.files.Busy() {
		return
	}
	switch {
	case c.fetched:
		q.beginCut(c.snap.id.Offset)
		q.log.TruncateFullyAndStartAt(now, c.snap.id.Offset, out)
	case c.wanted && c.to < q.log.LogEndOffset():
		q.beginCut(c.to)
		q.log.TruncateTo(now, c.to, out)
	default:
		c.wanted = false
	}
}

// beginCut forgets what the log will not have any more.
func (q *Quorum) beginCut(to core.Offset) {
	invariant.Check(q.role != roleLeader && q.role != roleCandidate, "a cut of the log as %v", q.role)
	invariant.Always(to >= q.hw, "the quorum's log is never cut below its high watermark", invariant.Details{"to": to, "hw": q.hw})
	q.cut.before = q.end()
	q.cut.running = true
	q.reader.laps++
	q.reader.op = 0
	for n := len(q.tail); n > 0 && (q.tail[n-1].LastOffset() >= to || q.cut.snap != nil); n-- {
		q.tail[n-1] = nil
		q.tail = q.tail[:n-1]
	}
}

// cutDone goes on after a cut: the voter set is that of what is left.
func (q *Quorum) cutDone(now core.Now, out *step.Effects) {
	c := &q.cut
	s := c.snap
	*c = cutting{}
	invariant.Check(q.log.LogEndOffset() >= q.hw, "the log was cut to %d, high watermark %d", q.log.LogEndOffset(), q.hw)
	before := q.voters.last().offset
	if s != nil {
		out.Reachable("raft.snapshot-installed", nil)
		q.restore(s)
	} else {
		q.voters.truncate(q.log.LogEndOffset())
	}
	out.Sometimes(q.voters.last().offset != before, "raft.voters-changed-by-cut", nil)
	q.reconsider(now, out)
}

// beginDownload starts to fetch a snapshot: this log lacks what the leader's does not have any more.
func (q *Quorum) beginDownload(now core.Now, id OffsetAndEpoch, out *step.Effects) {
	if id.Compare(q.end()) <= 0 || id.Offset < q.hw {
		q.fetchFailed(now) // it would take this log back
		return
	}
	out.Reachable("raft.snapshot-download", nil)
	q.follow.down = &download{id: id}
}

// pieceAnswered takes a piece of a snapshot.
func (q *Quorum) pieceAnswered(now core.Now, c *call, r *FetchSnapshotResponse, out *step.Effects) {
	f := &q.follow
	if f.call != c.ID {
		return
	}
	f.call = 0
	if r == nil || f.down == nil || c.To.ID != q.hard.leader {
		q.fetchFailed(now)
		return
	}
	d := f.down
	if r.Code != core.ErrNone || r.SnapshotID != d.id || r.Position != int64(len(d.data)) || len(r.Bytes) == 0 {
		f.down = nil // SNAPSHOT_NOT_FOUND: it was superseded; the next fetch says by which
		q.fetchFailed(now)
		return
	}
	q.fetchHeard(now)
	d.data = append(d.data, r.Bytes...)
	if int64(len(d.data)) < r.Size {
		return
	}
	f.down = nil
	s, err := q.parseSnapshot(d.id, d.data)
	if err != nil {
		out.Reachable("raft.fetched-damage", nil)
		q.fetchFailed(now)
		return
	}
	// Snapshots are committed, so from here on it does not matter who leads: it will be installed.
	q.cut = cutting{snap: s}
	q.files.Replace(snapshotPath(d.id), d.data, tagSnapshotFetch, out)
}

// pieceAsked serves a piece of a snapshot (KIP-630).
func (q *Quorum) pieceAsked(now core.Now, from Asker, r *FetchSnapshotRequest, out *step.Effects) {
	if code := q.leaderOnly(r.CurrentLeaderEpoch); code != core.ErrNone {
		q.answer(from, &FetchSnapshotResponse{Code: code, SnapshotID: r.SnapshotID})
		return
	}
	q.touched(now, r.ReplicaID, VoterKey{r.ReplicaID, r.ReplicaDirectoryID})
	q.servePiece(from, r, out)
}

func (q *Quorum) servePiece(from Asker, r *FetchSnapshotRequest, out *step.Effects) {
	s := q.snaps.find(r.SnapshotID)
	if s == nil {
		q.answer(from, &FetchSnapshotResponse{Code: core.ErrSnapshotNotFound, SnapshotID: r.SnapshotID})
		return
	}
	if s.file == 0 || s.open != 0 {
		q.snaps.waiting = append(q.snaps.waiting, waitingPiece{from, *r})
		if s.open == 0 {
			s.file, s.open = q.ids.File(), q.ids.Op()
			out.Disk = append(out.Disk, step.DiskOp{Op: s.open, Kind: step.Open, File: s.file, Path: snapshotPath(s.id)})
		}
		return
	}
	if r.Position < 0 || r.Position >= s.size {
		q.answer(from, &FetchSnapshotResponse{Code: core.ErrPositionOutOfRange, SnapshotID: r.SnapshotID})
		return
	}
	n := min(s.size-r.Position, max(1, int64(min(r.MaxBytes, q.opts.FetchBytes))))
	q.answerSpan(from, &FetchSnapshotResponse{SnapshotID: s.id, Size: s.size, Position: r.Position},
		step.Span{File: s.file, Pos: core.Pos(r.Position), Len: n})
}

// opened takes the completion of a snapshot's opening; it reports whether it was one.
func (s *snapshotStore) opened(d *step.DiskDone) bool {
	for _, e := range s.list {
		if e.open == d.Op && d.Op != 0 {
			e.open, e.size = 0, d.Size
			if d.Err != step.DiskOK {
				e.file = 0
			}
			return true
		}
	}
	return false
}

// serveWaiting goes on with the requests that waited for a file. A file that cannot be opened is not asked for again and
// again: the requests are refused.
func (q *Quorum) serveWaiting(_ core.Now, out *step.Effects) {
	waiting := q.snaps.waiting
	q.snaps.waiting = nil
	for i := range waiting {
		w := &waiting[i]
		s := q.snaps.find(w.req.SnapshotID)
		switch {
		case q.leaderOnly(w.req.CurrentLeaderEpoch) != core.ErrNone:
			q.answer(w.from, &FetchSnapshotResponse{Code: core.ErrNotLeaderOrFollower, SnapshotID: w.req.SnapshotID})
		case s != nil && s.file == 0:
			q.answer(w.from, &FetchSnapshotResponse{Code: core.ErrUnknownServerError, SnapshotID: w.req.SnapshotID})
		default:
			q.servePiece(w.from, &w.req, out)
		}
	}
}

// dropWaiting refuses them all: this node does not lead any more.
func (q *Quorum) dropWaiting() {
	for i := range q.snaps.waiting {
		w := &q.snaps.waiting[i]
		q.answer(w.from, &FetchSnapshotResponse{Code: core.ErrNotLeaderOrFollower, SnapshotID: w.req.SnapshotID})
	}
	q.snaps.waiting = nil
}

func (s *snapshotStore) forget(a Asker) {
	s.waiting = slices.DeleteFunc(s.waiting, func(w waitingPiece) bool { return w.from == a })
}
