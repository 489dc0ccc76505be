package raft

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// boot is what start-up has learnt so far. Its stages follow each other:
//
//	recover the log, read quorum-state -> list the directory -> read the newest snapshot -> empty a log that the
//	snapshot is ahead of -> scan the log for voter sets -> take up a role
type boot struct {
	stage bootStage
	state *hardState
	list  step.OpID
	snap  *snapshot // the newest, once it is read
}

type bootStage uint8

const (
	bootLog bootStage = iota
	bootList
	bootSnapshot
	bootCut
	bootScan
)

// Open starts recovery.
func (q *Quorum) Open(now core.Now, out *step.Effects) {
	q.phase = phaseOpening
	q.log.Open(now, out)
	q.files.ReadDurably(StateFile, tagState, out)
}

// stateRead takes the contents of quorum-state.
func (b *boot) stateRead(q *Quorum, r smallfile.Result) {
	s, err := parseElectionState(r.Data)
	if err != nil {
		q.fail(err.Error())
		return
	}
	b.state = &s
}

// snapshotRead takes the contents of the newest snapshot.
func (b *boot) snapshotRead(q *Quorum, r smallfile.Result) {
	newest := q.snaps.list[len(q.snaps.list)-1].id
	s, err := q.parseSnapshot(newest, r.Data)
	if err != nil {
		q.fail(r.Path + ": " + err.Error()) // it was durable once: damage, which nobody here may cut away
		return
	}
	b.snap = s
}

// open goes on with start-up as far as it can.
func (q *Quorum) open(now core.Now, out *step.Effects) {
	b := &q.boot
	if b.stage == bootLog && q.log.Ready() && b.state != nil {
		b.stage, b.list = bootList, q.ids.Op()
		out.Disk = append(out.Disk, step.DiskOp{Op: b.list, Kind: step.List, Path: Dir})
	}
	if b.stage == bootSnapshot && (b.snap != nil || len(q.snaps.list) == 0) {
		q.openLog(now, out)
	}
	if b.stage == bootCut && q.log.Ready() {
		q.beginScan()
	}
	if b.stage == bootScan && q.reader.op == 0 && q.log.Ready() {
		if q.reader.next < q.log.LogEndOffset() {
			q.readOn(q.log.LogEndOffset(), out)
			return
		}
		q.begin(now, out)
	}
}

// listed takes the directory: which snapshots there are.
func (q *Quorum) listed(d *step.DiskDone, out *step.Effects) {
	if d.Err != step.DiskOK {
		q.fail("listing " + Dir + ": " + d.Err.String() + " " + d.Detail)
		return
	}
	q.boot.stage = bootSnapshot
	for _, e := range d.Entries {
		if id, ok := parseSnapshotName(e.Name); ok && !e.Dir {
			q.snaps.insert(id)
		}
	}
	if n := len(q.snaps.list); n > 0 {
		q.files.Read(snapshotPath(q.snaps.list[n-1].id), tagSnapshotRead, out)
	}
}

// openLog makes snapshot and log fit. A snapshot that is ahead of the log was fetched from a leader, and the node went down
// before the log was emptied for it; the log is emptied now.
func (q *Quorum) openLog(now core.Now, out *step.Effects) {
	s := q.boot.snap
	if s == nil {
		if q.log.LogStartOffset() > 0 {
			q.fail(fmt.Sprintf("the metadata log begins at offset %d and there is no snapshot", q.log.LogStartOffset()))
			return
		}
		q.beginScan()
		return
	}
	if s.id.Offset < q.log.LogStartOffset() {
		q.fail(fmt.Sprintf("the metadata log begins at offset %d, the newest snapshot ends at %d",
			q.log.LogStartOffset(), s.id.Offset))
		return
	}
	own := OffsetAndEpoch{q.log.LogEndOffset(), q.log.LatestEpoch()}
	if empty := own.Offset == s.id.Offset && q.log.LogStartOffset() == own.Offset; s.id.Compare(own) > 0 && !empty {
		out.Reachable("raft.snapshot-ahead-of-log", nil)
		q.boot.stage = bootCut
		q.log.TruncateFullyAndStartAt(now, s.id.Offset, out)
		return
	}
	q.beginScan()
}

// beginScan hands out the snapshot and looks for voter sets in the log behind it.
func (q *Quorum) beginScan() {
	if s := q.boot.snap; s != nil {
		q.restore(s)
		q.boot.snap = nil
	}
	q.boot.stage = bootScan
	q.reader.next = max(q.log.LogStartOffset(), q.applied.Offset)
	q.applied.Offset = q.reader.next
}

// begin takes up the role in which the node restarts.
func (q *Quorum) begin(now core.Now, out *step.Effects) {
	q.phase = phaseRunning
	q.hard = *q.boot.state
	if latest := q.log.LatestEpoch(); latest > q.hard.epoch {
		// quorum-state is older than the log although it is written first: it was lost. Nothing is known of votes in the
		// log's epoch, so none is given in it.
		q.setHard(hardState{epoch: latest, voted: q.self, leader: core.NoNode})
	}
	q.hw = max(q.hw, q.log.LogStartOffset())
	q.snaps.untidy = true
	q.resume(now, out)
}
