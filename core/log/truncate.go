package log

import (
	"path"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// TruncateTo cuts the log so that it ends at or below offset: at the start of the batch that contains it. It is
// asynchronous; until Ready is true again the log takes no appends and answers no reads.
//
// A truncation is a recovery with a target. Whatever is outstanding completes first; then the files are closed and
// scanned again from the segment of the target on, and what reaches beyond it is removed from the back, in the order
// that recovery uses for a torn tail. So a crash at any point leaves a whole log that is merely too long. Indexes,
// epochs and producer state come out of the same scan.
//
// Before that, the node's recovery point checkpoint must not promise more than what will be left, or the next recovery
// would mistake records that were appended after the truncation, and torn, for damaged durable ones: see NeedsCheckpoint.
func (l *Log) TruncateTo(now core.Now, offset core.Offset, out *step.Effects) {
	if l.state != ready || offset >= l.end {
		return
	}
	if offset <= l.start {
		l.TruncateFullyAndStartAt(now, offset, out)
		return
	}
	l.promise = l.boundaryBelow(offset)
	if l.promise < l.start {
		l.promise = 0 // if the batch reaches below the log start, the log will begin anew
	}
	l.cleanPoint = min(l.cleanPoint, offset)
	l.run(now, truncateErrand, offset, out)
}

// boundaryBelow is a batch boundary at or below the offset, the nearest that is known without reading.
func (l *Log) boundaryBelow(o core.Offset) core.Offset {
	if b, ok := l.recent.Find(o); ok && b.Base <= o {
		return b.Base
	}
	return l.segments[l.segmentFor(o)].base
}

// TruncateFullyAndStartAt empties the log and lets it continue at offset. It is asynchronous like TruncateTo.
func (l *Log) TruncateFullyAndStartAt(now core.Now, offset core.Offset, out *step.Effects) {
	if l.state != ready {
		return
	}
	// For a moment the log has no segments at all: then nothing may be promised.
	l.restart, l.promise, l.cleanPoint = true, 0, 0
	l.start = min(l.start, offset) // for the log start checkpoint, see NeedsCheckpoint
	l.run(now, truncateErrand, offset, out)
}

// run stops appends and does the errand once nothing is outstanding.
func (l *Log) run(now core.Now, e errand, target core.Offset, out *step.Effects) {
	l.state, l.errand, l.target = draining, e, target
	l.settle(now, out)
}

// NeedsCheckpoint reports that a truncation waits until the node's recovery point checkpoint says at most the given
// offset for this log. The caller writes the checkpoint file, with RecoveryPoint as the entry, and then calls
// Checkpointed. Likewise the log start checkpoint (LogStartOffset) must not say more than where TruncateFullyAndStartAt begins.
//
// The cleaner's checkpoint must not say more than CleanPoint either. Counter-example: it says 100, the log is cut to 80,
// and a tombstone at 90 is appended. After a crash it would count as clean: no round would look for the older values of
// its key, and when its delete horizon has passed it would go, and they would be back.
func (l *Log) NeedsCheckpoint() (core.Offset, bool) {
	if l.errand == truncateErrand && l.state == draining && l.cleanSaid > l.cleanPoint {
		return l.promise, true
	}
	return l.promise, l.errand == truncateErrand && l.state == draining && l.checkpointed > l.promise
}

// Checkpointed tells that the node's recovery point checkpoint durably says offset for this log.
func (l *Log) Checkpointed(now core.Now, offset core.Offset, out *step.Effects) {
	l.checkpointed = offset
	l.settle(now, out)
}

// CleanPointSaid tells that a cleaner-offset-checkpoint is being written that says offset for this log (durable false), or
// that it is durable. Call it before Checkpointed.
func (l *Log) CleanPointSaid(offset core.Offset, durable bool) {
	if durable {
		l.cleanSaid = offset
	} else {
		l.cleanSaid = max(l.cleanSaid, offset)
	}
}

// Supposed tells that a recovery point checkpoint is being written that says offset for this log: from now on the file may
// say so, whether or not the write completes.
func (l *Log) Supposed(offset core.Offset) { l.checkpointed = max(l.checkpointed, offset) }

// runErrand does what the log was drained for.
func (l *Log) runErrand(now core.Now, out *step.Effects) {
	switch l.errand {
	case truncateErrand:
		if _, wait := l.NeedsCheckpoint(); wait {
			return
		}
		r := &recovery{point: l.RecoveryPoint(), cutAt: l.target, restart: l.restart, begin: l.start}
		if l.restart {
			r.begin, r.cutAt = l.target, noCut
		}
		l.errand, l.restart, l.target = noErrand, false, 0
		l.closeFiles(out)
		l.recover(now, r, out)
	case closeErrand:
		l.closeStep(now, out)
	case deleteErrand:
		l.deleteDir(now, out)
	case noErrand:
	}
}

// closeFiles closes the segments' files. Spans still being sent keep their bytes readable.
func (l *Log) closeFiles(out *step.Effects) {
	l.forgetCleaning(out)
	for _, s := range l.segments {
		if s.file != 0 {
			out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: s.file})
			s.file = 0
		}
	}
}

// Close makes everything durable, with indexes and a producer snapshot as of the end, and closes the files; Closed
// reports the end. When all logs have closed, the node writes its checkpoints and the clean-shutdown marker.
func (l *Log) Close(now core.Now, out *step.Effects) {
	if l.state != ready {
		return
	}
	l.takeSnapshot()
	l.run(now, closeErrand, 0, out)
	l.EndTurn(now, out)
}

// closeStep goes on with a Close whenever nothing is outstanding.
func (l *Log) closeStep(now core.Now, out *step.Effects) {
	s := l.active()
	switch {
	case !s.settled():
		l.handOut(now, s, out) // policy OS does not sync the active segment by itself
	case !s.listed:
		s.stampTime()
		l.writeIndexes(now, s, out)
	default:
		l.closeFiles(out)
		l.state = closed
	}
}

// Delete removes the log from the disk: the directory is renamed to Kafka's `<topic>-<partition>.<suffix>-delete` and
// then removed. The suffix must be unique; Kafka's is a random UUID as 32 hex digits. It works on an offline log, too.
// Closed reports the end; the node removes what a crash left of such directories when it starts.
func (l *Log) Delete(now core.Now, suffix string, out *step.Effects) {
	l.suffix = suffix
	switch l.state {
	case ready, draining:
		l.run(now, deleteErrand, 0, out)
		l.EndTurn(now, out)
	case offline:
		l.release(out)
		l.ops, l.replaced, l.removing = nil, nil, false
		l.forgetCleaning(out)
		l.state = draining
		l.deleteDir(now, out)
	case created, recovering: // serve comes back here: a topic may go, and its name come again, while its log is read
	case deleting, closed:
	}
}

// deleteDir renames and removes the directory, each step after the one before.
func (l *Log) deleteDir(now core.Now, out *step.Effects) {
	if l.removing {
		return
	}
	l.removing = true
	l.closeFiles(out)
	l.state = deleting
	grave := l.dir + "." + l.suffix + "-delete"
	type completion = func(core.Now, *step.DiskDone, *step.Effects)
	next := func(op step.DiskOp, then completion) completion {
		return func(now core.Now, _ *step.DiskDone, out *step.Effects) {
			l.await(now, op, pendingOp{kind: opOptional, then: then}, out)
		}
	}
	done := func(core.Now, *step.DiskDone, *step.Effects) { l.state = closed }
	remove := next(step.DiskOp{Kind: step.RemoveDir, Path: grave}, done)
	sync := next(step.DiskOp{Kind: step.SyncDir, Path: path.Dir(l.dir)}, remove)
	l.await(now, step.DiskOp{Kind: step.Rename, Path: l.dir, To: grave}, pendingOp{kind: opOptional, then: sync}, out)
}
