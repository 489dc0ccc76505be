package log

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// EndTurn hands out what the turn has gathered: appends, silently, and one sync per file that has unsynced bytes and
// no sync outstanding (group commit). Call it once per turn after appends, completions or a Tick.
//
// Under the policy Commit the file of a new segment is created only when everything before it has been synced, so
// that no power loss can leave a whole segment behind a torn one: with holes allowed (compaction) recovery could not
// tell that anything is missing. The price is one sync's wait per roll.
func (l *Log) EndTurn(now core.Now, out *step.Effects) {
	switch l.state {
	case offline:
		l.release(out)
		return
	case ready, draining:
	default:
		return
	}
	for i := l.unsynced; i < len(l.segments); i++ {
		s := l.segments[i]
		l.handOut(now, s, out)
		if l.cfg.Policy == Commit && s.sealed && !s.settled() {
			break
		}
	}
	l.saveFiles(now, out)
	l.cleanOn(now, out)
	l.closeRetired(now, out)
	l.settle(now, out)
}

// handOut gives a segment's file, appends and sync to the disk.
func (l *Log) handOut(now core.Now, s *segment, out *step.Effects) {
	if s.file == 0 {
		l.createFile(now, s, out)
	}
	track := l.cfg.TrackWrites || l.cfg.Policy == OS
	for i := range s.staged {
		op := s.staged[i]
		op.File = s.file
		if track && i == len(s.staged)-1 {
			l.await(now, op, pendingOp{kind: opWritten, seg: s, mark: s.edge()}, out)
		} else {
			out.Disk = append(out.Disk, op)
			s.silent = op.Pos + core.Pos(len(op.Data))
		}
	}
	clear(s.staged)
	s.staged = s.staged[:0]
	wanted := l.cfg.Policy == Commit || s.sealed || l.errand == closeErrand || s.silent > s.written.pos
	if wanted && !s.syncing && s.synced.pos < s.size {
		s.syncing = true
		l.await(now, step.DiskOp{Kind: step.Sync, File: s.file},
			pendingOp{kind: opSynced, seg: s, mark: s.edge()}, out)
	}
	if s.sealed && !s.listed {
		l.writeIndexes(now, s, out)
	}
}

// edge is the segment's end as a mark.
func (s *segment) edge() mark { return mark{pos: s.size, end: s.next} }

func (l *Log) createFile(now core.Now, s *segment, out *step.Effects) {
	s.file = l.ids.File()
	l.await(now, step.DiskOp{Kind: step.Open, File: s.file, Path: l.path(segmentName(s.base, logSuffix)), Create: true},
		pendingOp{kind: opOpened, seg: s}, out)
}

// opened continues the creation of a segment: its directory entry must become durable before its records count.
func (l *Log) opened(now core.Now, s *segment, d *step.DiskDone, out *step.Effects) {
	if d.Size != 0 {
		// Removals are completed before a base offset can come again, so this is somebody else's file.
		l.fail(Failure{Code: core.ErrKafkaStorageError, File: l.path(segmentName(s.base, logSuffix)), Offset: s.base,
			What: "the file of a new segment is not empty"})
		return
	}
	l.await(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, pendingOp{kind: opLinked, seg: s}, out)
}

// advance moves the written and synced ends after a completion. A later segment counts only when all before it do.
func (l *Log) advance() {
	for l.unsynced < len(l.segments)-1 && l.segments[l.unsynced].settled() {
		l.unsynced++
	}
	if s := l.segments[l.unsynced]; s.linked {
		l.synced = max(l.synced, s.synced.end)
	}
	for i := l.unsynced; i < len(l.segments); i++ {
		s := l.segments[i]
		l.written = max(l.written, s.written.end)
		if s.written.pos < s.size {
			break
		}
	}
}

// writeIndexes writes a segment's index files whole. The active segment's live in memory only: recovery rebuilds them from the batches, which
// it scans anyway. The transaction index goes first, durably: its absence means that nothing was aborted, while a segment without one of the
// others is scanned. It must not be missing where they are there.
func (l *Log) writeIndexes(now core.Now, s *segment, out *step.Effects) {
	s.listed = true
	if len(s.aborted) == 0 && !s.txnFile {
		l.writeSparse(now, s, out)
		return
	}
	s.txnFile = true
	l.files = append(l.files, smallFile{path: l.path(segmentName(s.base, txnIndexSuffix)), data: s.aborted.AppendTo(nil),
		then: func(now core.Now, out *step.Effects) { l.writeSparse(now, s, out) }})
	l.saveFiles(now, out)
}

// writeSparse writes the two sparse indexes.
func (l *Log) writeSparse(now core.Now, s *segment, out *step.Effects) {
	left := 2
	done := func(core.Now, *step.DiskDone, *step.Effects) {
		if left--; left == 0 {
			s.indexed = true
		}
	}
	l.writeWhole(now, segmentName(s.base, indexSuffix), s.index.AppendTo(nil), done, out)
	l.writeWhole(now, segmentName(s.base, timeIndexSuffix), s.times.AppendTo(nil), done, out)
}

// writeWhole writes and syncs a file in place. A crash may leave a part of it: only for files that can be rebuilt.
func (l *Log) writeWhole(
	now core.Now, name string, data []byte, then func(core.Now, *step.DiskDone, *step.Effects), out *step.Effects,
) {
	f := l.ids.File()
	out.Disk = append(out.Disk, step.DiskOp{Kind: step.Open, File: f, Path: l.path(name), Create: true},
		step.DiskOp{Kind: step.Truncate, File: f})
	if len(data) > 0 {
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.Append, File: f, Data: data})
	}
	l.await(now, step.DiskOp{Kind: step.Sync, File: f}, pendingOp{kind: opCall, then: then}, out)
	out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: f})
}

// saveFiles begins the replacements of the turn: producer snapshots, and the epoch checkpoint if it is behind and not
// under way already.
func (l *Log) saveFiles(now core.Now, out *step.Effects) {
	if l.epochs.dirty && !l.saving(l.path(epochFile)) {
		l.epochs.dirty = false
		entries := append([]EpochStart(nil), l.epochs.entries...)
		l.files = append(l.files, smallFile{path: l.path(epochFile), data: AppendEpochs(nil, entries),
			then: func(core.Now, *step.Effects) { l.epochs.savedUpTo(entries) }})
	}
	for _, f := range l.files {
		r := StartReplacement(now, &l.ids, f.path, f.data, out)
		l.replaced = append(l.replaced, &saving{Replacement: r, then: f.then})
	}
	clear(l.files)
	l.files = l.files[:0]
}

func (l *Log) saving(path string) bool {
	for _, r := range l.replaced {
		if r.Path() == path {
			return true
		}
	}
	return false
}

// savedUpTo notes that the file durably holds the given entries; those that still stand are safe.
func (c *epochCache) savedUpTo(file []EpochStart) {
	c.saved = 0
	for c.saved < min(len(file), len(c.entries)) && file[c.saved] == c.entries[c.saved] {
		c.saved++
	}
}

// idle reports whether nothing is outstanding or waits to be handed out.
func (l *Log) idle() bool {
	if len(l.ops) > 0 || len(l.replaced) > 0 || len(l.files) > 0 || len(l.doomed) > 0 || l.epochs.dirty || l.clean != nil {
		return false
	}
	for _, s := range l.segments[l.unsynced:] {
		// Appends complete silently unless writes are tracked; only the sync behind them tells that they are done. What is
		// next may open the file anew, and a late append would come behind what it then finds there.
		silent := s.sealed || l.cfg.Policy == Commit
		if len(s.staged) > 0 || silent && !s.settled() {
			return false
		}
	}
	return true
}

// settle goes on with whatever waits for completions: removals, and a draining log's errand.
func (l *Log) settle(now core.Now, out *step.Effects) {
	if l.state == ready || l.state == draining {
		l.stopCleaning(now, out)
		l.dropSegments(now, out)
		l.removeNext(now, out)
	}
	if l.state == draining && l.idle() {
		l.runErrand(now, out)
	}
}

// release closes the files of a log that went offline. Spans still being sent keep their bytes readable.
func (l *Log) release(out *step.Effects) {
	if l.released {
		return
	}
	l.released = true
	for _, s := range l.segments {
		if s.file != 0 {
			out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: s.file})
		}
		s.staged = nil
	}
	l.forgetCleaning(out)
}
