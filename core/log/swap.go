package log

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// The swap of a cleaned segment, each step durable before the next:
//
//	sync the .cleaned file
//	rename it to .swap            from here on recovery completes the swap
//	rename the old files to .deleted
//	write the new indexes         the old ones are gone for sure, so no stale index can meet the new segment
//	rename .swap to .log
//	delete the old files
//
// A crash before the first rename leaves the old segments and a .cleaned file, which recovery removes. After it, recovery
// takes the .swap file for the segment, drops what it covers, and ends with the same renames (see recovery.swapIn).

// finishOutput makes a group's output whole and durable.
func (l *Log) finishOutput(now core.Now, out *step.Effects) {
	c := l.clean
	c.out.stampTime()
	c.out.sealed = true
	old := c.input[c.first : c.first+c.groups[c.group]]
	c.out.next = old[len(old)-1].next
	c.stage = swapping
	l.cleanOp(now, step.DiskOp{Kind: step.Sync, File: c.out.file}, opSpacious, out, func(*step.DiskDone) {
		if c.failed || l.state != ready || l.indexOf(old) < 0 {
			// Retention has been faster, or the log is on its way out.
			l.abandon(now, out)
			return
		}
		for _, s := range old {
			s.swapOut = true
		}
		from, to := logSuffix+cleanedSuffix, logSuffix+swapSuffix
		l.rename(now, c.out, from, to, out, func(now core.Now, out *step.Effects) { l.swapIn(now, old, out) })
	})
}

// indexOf is where the segments stand in the log, or -1 if they do not stand there all.
func (l *Log) indexOf(segs []*segment) int {
	i := slices.Index(l.segments, segs[0])
	if i < 0 || i+len(segs) >= len(l.segments) || !slices.Equal(l.segments[i:i+len(segs)], segs) {
		return -1
	}
	return i
}

// rename gives the output's file another name, durably.
func (l *Log) rename(
	now core.Now, s *segment, from, to string, out *step.Effects, then func(core.Now, *step.Effects),
) {
	op := step.DiskOp{Kind: step.Rename, File: s.file, Path: l.path(segmentName(s.base, from)), To: l.path(segmentName(s.base, to))}
	l.then(now, op, out, func(now core.Now, out *step.Effects) {
		l.then(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, out, then)
	})
}

// then performs an operation of the swap and goes on when it is done.
func (l *Log) then(now core.Now, op step.DiskOp, out *step.Effects, next func(core.Now, *step.Effects)) {
	c := l.clean
	c.waiting++
	l.await(now, op, pendingOp{kind: opCall, then: func(now core.Now, _ *step.DiskDone, out *step.Effects) {
		c.waiting--
		next(now, out)
	}}, out)
}

// swapIn puts the new segment into the log; the old ones' files are on their way out. Reads that were located before go on
// in the old files, which stay open for a while.
func (l *Log) swapIn(now core.Now, old []*segment, out *step.Effects) {
	s := l.clean.out
	i := l.indexOf(old)
	s.linked, s.listed, s.swapped = true, true, true
	s.written, s.synced = s.edge(), s.edge()
	l.segments = slices.Replace(l.segments, i, i+len(old), s)
	l.unsynced -= len(old) - 1
	l.recent.DropBelow(s.next)
	l.journalCleaned(s)
	left := 0
	next := func(core.Now, *step.DiskDone, *step.Effects) {}
	for k, o := range old {
		l.replacedBy = append(l.replacedBy, retired{file: o.file, at: now.Mono.Add(core.Millis(l.cfg.FileDeleteDelayMs))})
		suffixes := []string{logSuffix, indexSuffix, timeIndexSuffix, txnIndexSuffix}
		if k > 0 { // the first one's producer snapshot is that of the new segment, too
			suffixes = l.suffixesOf(o)
		}
		for _, suffix := range suffixes {
			name := l.path(segmentName(o.base, suffix))
			left++
			l.clean.waiting++
			l.await(now, step.DiskOp{Kind: step.Rename, Path: name, To: name + deletedSuffix}, pendingOp{kind: opOptional,
				then: func(now core.Now, d *step.DiskDone, out *step.Effects) { next(now, d, out) }}, out)
		}
	}
	c := l.clean
	next = func(now core.Now, _ *step.DiskDone, out *step.Effects) {
		c.waiting--
		if left--; left > 0 {
			return
		}
		l.then(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, out, func(now core.Now, out *step.Effects) {
			l.writeCleanIndexes(now, old, out)
		})
	}
}

// writeCleanIndexes writes the new segment's indexes and gives it its final name.
func (l *Log) writeCleanIndexes(now core.Now, old []*segment, out *step.Effects) {
	c := l.clean
	s := c.out
	files := l.indexFiles(s)
	left := len(files)
	c.waiting++
	done := func(now core.Now, _ *step.DiskDone, out *step.Effects) {
		if left--; left > 0 {
			return
		}
		c.waiting--
		name := func(now core.Now, out *step.Effects) {
			l.rename(now, s, logSuffix+swapSuffix, logSuffix, out, func(now core.Now, out *step.Effects) {
				s.swapped, s.indexed = false, true
				l.buryReplaced(now, old, out)
			})
		}
		if !s.txnFile {
			name(now, out)
			return
		}
		// Were its name lost in a crash and the segment's not, nothing would be known to be aborted.
		l.then(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, out, name)
	}
	for _, f := range files {
		l.writeWhole(now, f.path, f.data, done, out)
	}
}

// buryReplaced deletes the old files, which have no part in the log any more, and goes on with the next group.
func (l *Log) buryReplaced(now core.Now, old []*segment, out *step.Effects) {
	c := l.clean
	for _, s := range old {
		for _, suffix := range []string{logSuffix, indexSuffix, timeIndexSuffix, txnIndexSuffix, snapshotSuffix} {
			c.waiting++
			l.await(now, step.DiskOp{Kind: step.Remove, Path: l.path(segmentName(s.base, suffix)) + deletedSuffix},
				pendingOp{kind: opOptional, then: func(now core.Now, _ *step.DiskDone, out *step.Effects) {
					if c.waiting--; c.waiting == 0 {
						l.nextGroup(now, out)
					}
				}}, out)
		}
	}
}

// nextGroup goes on with the next group, or ends the round.
func (l *Log) nextGroup(now core.Now, out *step.Effects) {
	c := l.clean
	c.out = nil
	c.first += c.groups[c.group]
	c.group++
	c.at, c.pos, c.want = c.first, 0, 0
	switch {
	case c.group == len(c.groups):
		// Unless the log was cut meanwhile: what is appended there now is not clean.
		if l.state == ready || l.errand != truncateErrand {
			l.cleanPoint = c.round.End()
		}
		l.clean = nil
		out.Reachable("log.cleaned", nil)
	default:
		c.stage = filtering
		if l.state != ready {
			l.clean = nil
			return
		}
		l.createOutput(now, out)
	}
}
