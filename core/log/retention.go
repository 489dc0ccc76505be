package log

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// DeleteRecordsBefore raises the log start offset (KIP-107, or a leader's answer to a follower) and removes the segments
// that lie below it. It never goes back, and never past the high watermark: OFFSET_OUT_OF_RANGE.
func (l *Log) DeleteRecordsBefore(now core.Now, offset, hw core.Offset, out *step.Effects) core.ErrorCode {
	switch {
	case l.state != ready:
		return l.refusal()
	case offset > min(hw, l.end) || offset < 0:
		return core.ErrOffsetOutOfRange
	case offset > l.start:
		l.start = offset
		l.journalStart()
		l.dropSegments(now, out)
	}
	return core.ErrNone
}

// ApplyRetention removes whole segments by age (retention.ms, by the largest timestamp in the segment) and by size
// (retention.bytes), oldest first, never past hw. It raises the log start offset accordingly and reports the number of
// segments removed. The active segment is rolled first if it, too, is old.
func (l *Log) ApplyRetention(now core.Now, hw core.Offset, out *step.Effects) (removed int) {
	if l.state != ready {
		return 0
	}
	total := l.Size()
	n := 0
	for n < len(l.segments) && l.expired(now, l.segments[n], total) && l.segments[n].next <= min(hw, l.end) {
		total -= int64(l.segments[n].size)
		n++
	}
	if n == len(l.segments) {
		if l.active().size == 0 {
			n--
		} else {
			l.roll(now, nil)
		}
	}
	if n == 0 {
		return 0
	}
	l.start = max(l.start, l.segments[n].base)
	l.journalStart()
	l.dropSegments(now, out)
	return n
}

// expired reports whether a segment is too old or one too many. Segments without timestamps do not age: Kafka falls
// back to the file's modification time, which is not part of the log.
func (l *Log) expired(now core.Now, s *segment, total int64) bool {
	old := l.cfg.RetentionMs >= 0 && s.maxTimestamp >= 0 && int64(now.Wall)-int64(s.maxTimestamp) > l.cfg.RetentionMs
	return old || l.cfg.RetentionBytes > 0 && total-l.cfg.RetentionBytes >= int64(s.size)
}

// dropSegments takes the sealed segments that lie below the log start out of the log and begins to remove their files.
// A segment that is still being written to the disk stays until that is done; settle calls again.
func (l *Log) dropSegments(now core.Now, out *step.Effects) {
	n := 0
	for n < l.unsynced && l.segments[n].next <= l.start && l.segments[n].indexed && !l.segments[n].swapOut {
		n++
	}
	if n == 0 {
		return
	}
	l.doomed = append(l.doomed, l.segments[:n]...)
	l.segments = append([]*segment(nil), l.segments[n:]...)
	l.unsynced -= n
	l.recent.DropBelow(l.segments[0].base)
	l.removeNext(now, out)
}

// removeNext removes the oldest doomed segment from the disk: its files are renamed to .deleted, that is made durable,
// the files are deleted. One after the other, so that a power loss never leaves an older segment behind a hole.
func (l *Log) removeNext(now core.Now, out *step.Effects) {
	if l.removing || len(l.doomed) == 0 {
		return
	}
	l.removing = true
	s := l.doomed[0]
	left := 0
	step2 := func(now core.Now, _ *step.DiskDone, out *step.Effects) {
		if left--; left == 0 {
			l.await(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, pendingOp{kind: opCall,
				then: func(now core.Now, _ *step.DiskDone, out *step.Effects) { l.bury(now, s, out) }}, out)
		}
	}
	for _, suffix := range l.suffixesOf(s) {
		name := l.path(segmentName(s.base, suffix))
		op := step.DiskOp{Kind: step.Rename, Path: name, To: name + deletedSuffix}
		if suffix == logSuffix {
			op.File = s.file
		}
		left++
		l.await(now, op, pendingOp{kind: opOptional, then: step2}, out)
	}
	out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: s.file})
}

// suffixesOf lists the files of a sealed segment. Its producer snapshot goes with it, as do older ones of the same
// name only: every snapshot at or below the base has its own segment, or was a clean shutdown's, which recovery removes.
func (l *Log) suffixesOf(s *segment) []string {
	suffixes := []string{logSuffix, indexSuffix, timeIndexSuffix, txnIndexSuffix}
	for i, o := range l.snapshots {
		if o == s.base {
			l.snapshots = append(l.snapshots[:i], l.snapshots[i+1:]...)
			return append(suffixes, snapshotSuffix)
		}
	}
	return suffixes
}

// bury deletes the renamed files; after a crash recovery does it.
func (l *Log) bury(now core.Now, s *segment, out *step.Effects) {
	for _, suffix := range []string{logSuffix, indexSuffix, timeIndexSuffix, txnIndexSuffix, snapshotSuffix} {
		name := l.path(segmentName(s.base, suffix)) + deletedSuffix
		l.await(now, step.DiskOp{Kind: step.Remove, Path: name}, pendingOp{kind: opAnyResult}, out)
	}
	l.doomed = l.doomed[1:]
	l.removing = false
	// Not earlier: until now a power loss could have brought the segment back, and its epochs must be known then.
	l.epochs.truncateStart(s.next)
	l.removeNext(now, out)
}
