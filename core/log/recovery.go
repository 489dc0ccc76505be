package log

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/index"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// recovery makes a usable log of whatever a directory holds. It is a chain of phases; each asks for operations, and
// when all of them have completed the next phase runs:
//
//	list -> (create the directory) -> tidy up -> read the small files -> open the segments -> choose a producer
//	snapshot -> load indexes -> scan -> cut -> finish
//
// Nothing it does destroys what a second recovery would need: it may be cut off anywhere and start over.
type recovery struct {
	clean   bool
	point   core.Offset // every offset below it was durable: damage there is never cut
	cutAt   core.Offset // a truncation: no batch may reach it
	restart bool        // a truncation that empties the log
	begin   core.Offset // where an empty log begins

	waiting int
	phase   func(now core.Now, out *step.Effects)

	files     map[string]int64 // name -> size, of the regular files
	swaps     []core.Offset
	limit     core.Offset   // the newest producer snapshot that may be used
	snapAt    core.Offset   // the producer table's offset before the scan
	newest    *pstate.Table // of the newest usable snapshot, if the fold begins with an older one
	newestAt  core.Offset
	from      int  // first segment to be scanned
	created   bool // directory entries were made that are not durable yet
	scan      scan
	cut       *cut
	rewritten []*segment // their index files are stale
}

// cut is where the log is to end: in segment seg at a position, or before it if the position is 0.
type cut struct {
	seg int
	pos core.Pos
}

const noCut = core.Offset(math.MaxInt64)

// Open starts recovery; the log is usable once Ready, or has failed once Offline.
func (l *Log) Open(now core.Now, out *step.Effects) {
	l.recover(now, &recovery{clean: l.past.Clean, point: l.past.RecoveryPoint, cutAt: noCut,
		begin: l.past.LogStartOffset}, out)
}

// recover forgets what the memory holds of the files and starts a recovery.
func (l *Log) recover(now core.Now, r *recovery, out *step.Effects) {
	l.state, l.rec = recovering, r
	l.segments, l.unsynced = nil, 0
	l.start, l.end, l.synced, l.written = r.begin, r.begin, r.begin, r.begin
	l.recent.Clear()
	l.epochs = epochCache{entries: l.epochs.entries[:0]}
	l.producers = &pstate.Table{}
	l.snapshots = l.snapshots[:0]
	l.ask(now, step.DiskOp{Kind: step.List, Path: l.dir}, opOptional, out, l.listed)
}

// ask hands out an operation of the current phase. When the last one has completed, the next phase runs.
func (l *Log) ask(now core.Now, op step.DiskOp, kind opKind, out *step.Effects, then func(*step.DiskDone)) {
	r := l.rec
	r.waiting++
	l.await(now, op, pendingOp{kind: kind, then: func(now core.Now, d *step.DiskDone, out *step.Effects) {
		r.waiting--
		if then != nil {
			then(d)
		}
		if r.waiting == 0 && l.state == recovering {
			r.phase(now, out)
		}
	}}, out)
}

// goOn lets the next phase run: at once if nothing is outstanding.
func (l *Log) goOn(now core.Now, phase func(core.Now, *step.Effects), out *step.Effects) {
	l.rec.phase = phase
	if l.rec.waiting == 0 && l.state == recovering {
		phase(now, out)
	}
}

// listed takes the directory's entries.
func (l *Log) listed(d *step.DiskDone) {
	r := l.rec
	r.files = make(map[string]int64, len(d.Entries))
	r.phase = l.tidy
	if d.Err == step.ErrNotExist {
		r.phase = l.makeDir
	}
	for _, e := range d.Entries {
		if !e.Dir {
			r.files[e.Name] = e.Size
		}
	}
}

func (l *Log) makeDir(now core.Now, out *step.Effects) {
	l.rec.phase = l.tidy
	l.ask(now, step.DiskOp{Kind: step.Mkdir, Path: l.dir}, opCall, out, nil)
}

// names is the recovered directory's file names with a suffix, by offset.
func (r *recovery) names(suffix string) []core.Offset {
	var found []core.Offset
	for name := range r.files { //det:unordered the result is sorted
		if base, ok := parseSegmentName(name, suffix); ok {
			found = append(found, base)
		}
	}
	slices.Sort(found)
	return found
}

// tidy removes what crashes leave behind: files already deleted from the log, unfinished output of the cleaner and of
// replacements, index files without a segment. A cleaner's finished output stands for its input from here on, under the
// name that it has: only swapIn gives it its final one, for until then a crash must find out again what it replaces.
func (l *Log) tidy(now core.Now, out *step.Effects) {
	r := l.rec
	r.phase = l.readSmall
	names := make([]string, 0, len(r.files))
	for name := range r.files { //det:unordered the names are sorted
		names = append(names, name)
	}
	slices.Sort(names)
	r.swaps = r.outputs()
	if len(r.names(logSuffix))+len(r.swaps) == 0 {
		// A new log: the directory's own entry must be durable before anything in it counts.
		l.ask(now, step.DiskOp{Kind: step.SyncDir, Path: path.Dir(l.dir)}, opCall, out, nil)
	}
	for _, name := range names {
		if r.leftover(name) {
			l.ask(now, step.DiskOp{Kind: step.Remove, Path: l.path(name)}, opOptional, out, nil)
			delete(r.files, name)
		}
	}
	l.goOn(now, l.readSmall, out)
}

// outputs is the cleaner's finished output, by base offset. Output at or above an unfinished one is that of a Kafka that
// was splitting a segment, and not all there (KAFKA-6264).
func (r *recovery) outputs() []core.Offset {
	found := r.names(logSuffix + swapSuffix)
	for _, suffix := range []string{logSuffix, indexSuffix, timeIndexSuffix, txnIndexSuffix} {
		if cleaned := r.names(suffix + cleanedSuffix); len(cleaned) > 0 {
			found = slices.DeleteFunc(found, func(o core.Offset) bool { return o >= cleaned[0] })
		}
	}
	return found
}

// leftover reports whether a file is nobody's any more.
func (r *recovery) leftover(name string) bool {
	if base, ok := parseSegmentName(name, logSuffix+swapSuffix); ok {
		return !slices.Contains(r.swaps, base)
	}
	for _, suffix := range []string{deletedSuffix, cleanedSuffix, tmpSuffix, swapSuffix} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	for _, suffix := range []string{indexSuffix, timeIndexSuffix, txnIndexSuffix} {
		if base, ok := parseSegmentName(name, suffix); ok {
			// Indexes beside a swap file are those of what it replaces. They must be gone before it has its final name.
			_, found := r.files[segmentName(base, logSuffix)]
			return !found || slices.Contains(r.swaps, base)
		}
	}
	return false
}

// load reads a whole file that was listed.
func (l *Log) load(now core.Now, name string, out *step.Effects, then func(data []byte)) {
	f := l.ids.File()
	out.Disk = append(out.Disk, step.DiskOp{Kind: step.Open, File: f, Path: l.path(name)})
	l.ask(now, step.DiskOp{Kind: step.Read, File: f, Len: l.rec.files[name]}, opCall, out,
		func(d *step.DiskDone) { then(d.Data) })
	out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: f})
}

// readSmall reads the epoch checkpoint and the partition's metadata. A damaged epoch checkpoint takes the log offline:
// replacements are atomic, so no crash of ours explains it, and the epochs below the scan cannot be found otherwise.
func (l *Log) readSmall(now core.Now, out *step.Effects) {
	if _, ok := l.rec.files[epochFile]; ok {
		l.load(now, epochFile, out, func(data []byte) {
			entries, err := ParseEpochs(data)
			if err != nil {
				l.fail(Failure{Code: core.ErrKafkaStorageError, File: l.path(epochFile), Offset: core.NoOffset, What: err.Error()})
			}
			l.epochs.entries = entries
			l.epochs.saved = len(entries)
		})
	}
	if _, ok := l.rec.files[metadataFile]; ok {
		l.load(now, metadataFile, out, func(data []byte) {
			id, err := ParsePartitionMetadata(data)
			if err == nil && !l.past.TopicID.IsZero() && id != l.past.TopicID {
				l.fail(Failure{Code: core.ErrInconsistentTopicID, File: l.path(metadataFile), Offset: core.NoOffset,
					What: "the directory belongs to topic id " + id.String()})
			}
			if err != nil {
				l.fail(Failure{Code: core.ErrKafkaStorageError, File: l.path(metadataFile), Offset: core.NoOffset, What: err.Error()})
			}
			l.topicID = id
		})
	}
	l.goOn(now, l.openSegments, out)
}

// openSegments opens every .log file.
func (l *Log) openSegments(now core.Now, out *step.Effects) {
	r := l.rec
	bases := append(r.names(logSuffix), r.swaps...)
	slices.Sort(bases)
	bases = slices.Compact(bases)
	for i, base := range bases {
		// fsyncgate: a sync that failed before the crash left bytes in the page cache that no later sync writes.
		cold := !r.clean && (i == len(bases)-1 || bases[i+1] >= r.point)
		s := newSegment(base, now.Wall)
		s.file, s.linked, s.sealed = l.ids.File(), true, true
		s.swapped = slices.Contains(r.swaps, base)
		_, s.txnFile = r.files[segmentName(base, txnIndexSuffix)]
		l.segments = append(l.segments, s)
		name := segmentName(base, logSuffix)
		if s.swapped {
			name += swapSuffix
		}
		l.ask(now, step.DiskOp{Kind: step.Open, File: s.file, Path: l.path(name), Cold: cold}, opCall, out,
			func(d *step.DiskDone) { s.size = core.Pos(d.Size) })
	}
	for i := range l.segments {
		if i+1 < len(l.segments) {
			l.segments[i].next = l.segments[i+1].base
		}
	}
	l.snapshots = append(l.snapshots[:0], r.names(snapshotSuffix)...)
	if r.restart {
		l.goOn(now, l.cutAll, out)
		return
	}
	r.limit = noCut
	if i := l.segmentFor(r.point - 1); !r.clean && len(l.segments) > 0 {
		r.limit = l.segments[max(0, i)].base
	}
	l.goOn(now, l.chooseSnapshot, out)
}

// chooseSnapshot loads the newest usable producer snapshot. Damaged ones are removed: the fold then starts from an older one.
//
// It must not be from above the first segment that is scanned as a whole: that segment's transaction index comes out of the same fold,
// which has to see where its transactions began. Nor, if there are transactions, from above the HighWatermark: a snapshot does not tell
// which transactions have a marker that is not committed, and those hold the LastStableOffset back.
func (l *Log) chooseSnapshot(now core.Now, out *step.Effects) {
	r := l.rec
	if len(l.segments) == 0 {
		l.noSegments(now, out)
		return
	}
	l.start = max(r.begin, l.segments[0].base)
	i := len(l.snapshots) - 1
	for i >= 0 && (l.snapshots[i] > r.limit || l.snapshots[i] < l.segments[0].base) {
		i--
	}
	r.snapAt = l.segments[0].base
	if i < 0 {
		l.planScan(now, out)
		return
	}
	name := segmentName(l.snapshots[i], snapshotSuffix)
	r.phase = l.planScan
	l.load(now, name, out, func(data []byte) {
		t, err := pstate.ParseSnapshot(data)
		switch {
		case err == nil && l.snapshots[i] > l.committed && t.Transactional():
			r.limit, r.phase = l.snapshots[i]-1, l.chooseSnapshot
		case err == nil:
			l.producers, r.snapAt = t, l.snapshots[i]
		default:
			r.phase = func(now core.Now, out *step.Effects) {
				l.removeSnapshot(now, i, out)
				l.goOn(now, l.chooseSnapshot, out)
			}
		}
	})
}

func (l *Log) removeSnapshot(now core.Now, i int, out *step.Effects) {
	name := segmentName(l.snapshots[i], snapshotSuffix)
	l.snapshots = slices.Delete(l.snapshots, i, i+1)
	l.ask(now, step.DiskOp{Kind: step.Remove, Path: l.path(name)}, opOptional, out, nil)
}

// noSegments begins an empty log, unless there ought to be records.
func (l *Log) noSegments(now core.Now, out *step.Effects) {
	r := l.rec
	if r.point > r.begin {
		l.fail(Failure{Code: core.ErrKafkaStorageError, File: l.dir, Offset: r.begin,
			What: fmt.Sprintf("no segments, but offsets up to %d were durable", r.point)})
		return
	}
	l.end = r.begin
	l.goOn(now, l.finish, out)
}

// planScan decides which segments are scanned and loads the indexes of the others. After an unclean stop every batch
// from the segment of the recovery point on is checked; producer state may reach further back.
func (l *Log) planScan(now core.Now, out *step.Effects) {
	r := l.rec
	r.from = max(0, l.segmentFor(r.snapAt))
	if !r.clean {
		// The segment that ends at the point is scanned, too: when the point was taken it may have been the active one,
		// whose index files are written when it is sealed, and then the crash came.
		r.from = max(0, min(r.from, l.segmentFor(r.point-1)))
	}
	for i, s := range l.segments {
		s.rescan = s.rescan || !r.clean && i >= r.from
		if !s.rescan && !s.listed {
			l.loadIndexes(now, s, i == len(l.segments)-1, out)
		}
	}
	l.goOn(now, l.beginScan, out)
}

// beginScan settles which segments need a scan beside those from r.from on. An index of offsets without one of times
// is a rewrite that was cut off (or a segment without any timestamp, which is then scanned in vain).
func (l *Log) beginScan(now core.Now, out *step.Effects) {
	for _, s := range l.segments {
		s.rescan = s.rescan || s.swapped || len(s.times) == 0 && len(s.index) > 0
		if r := l.rec; s.rescan && s.base < r.snapAt {
			r.newest, r.newestAt = cmp.Or(r.newest, l.producers), max(r.newestAt, r.snapAt)
			r.limit, l.producers = s.base, &pstate.Table{}
			l.goOn(now, l.chooseSnapshot, out)
			return
		}
	}
	l.rec.scan = scan{}
	l.scanSegment(now, out)
}

// loadIndexes reads a segment's index files; what is missing or does not make sense is rebuilt by a scan.
func (l *Log) loadIndexes(now core.Now, s *segment, last bool, out *step.Effects) {
	r := l.rec
	offsets, times := segmentName(s.base, indexSuffix), segmentName(s.base, timeIndexSuffix)
	limit := int64(l.cfg.IndexMaxBytes) + index.TimeEntrySize
	for _, name := range []string{offsets, times} {
		if size, ok := r.files[name]; !ok || size > limit {
			s.rescan = true
		}
	}
	// There is at most one entry per batch.
	s.rescan = s.rescan || r.files[segmentName(s.base, txnIndexSuffix)] > int64(s.size)
	if s.rescan {
		return
	}
	length := int64(math.MaxInt32) + 1
	if !last {
		length = min(length, int64(s.next-s.base))
	}
	l.load(now, offsets, out, func(data []byte) {
		x, err := index.ParseOffsets(data, s.size, length)
		s.index, s.rescan = x, s.rescan || err != nil
	})
	l.load(now, times, out, func(data []byte) {
		x, err := index.ParseTimes(data, length)
		s.times, s.rescan = x, s.rescan || err != nil
		if n := len(x); n > 0 {
			s.firstTime = x[0].Timestamp // close to the first batch's, which is not read
			s.maxTimestamp, s.maxOffset = x[n-1].Timestamp, s.base+core.Offset(x[n-1].Rel)
		}
	})
	if s.txnFile {
		l.load(now, segmentName(s.base, txnIndexSuffix), out, func(data []byte) {
			next := core.Offset(math.MaxInt64)
			if !last {
				next = s.next
			}
			x, err := txindex.Parse(data, s.base, next)
			s.aborted, s.rescan = x, s.rescan || err != nil
		})
	}
	s.indexed, s.listed = true, true
}

// reached takes the newest snapshot's word: what an older one has as open may be of transactions that were cleaned since, markers and all.
func (l *Log) reached(o core.Offset) {
	if r := l.rec; r.newest != nil && o >= r.newestAt {
		l.producers, r.newest = r.newest, nil
	}
}

// applyScanned folds a scanned batch into the producer table, unless the snapshot contains it. The transaction index of a segment that is
// not scanned as a whole comes from its file.
func (l *Log) applyScanned(b record.Batch, h *record.Header, s *segment) {
	if h.BaseOffset < l.rec.snapAt {
		return
	}
	view := l.producerView(b, h)
	if s.rescan {
		l.fold(s, &view)
		return
	}
	l.producers.Apply(&view)
}

// dropSnapshots removes, at the end of recovery, snapshots of offsets that the log no longer has,
// and old ones that belong to no segment, except the newest (a clean shutdown's).
func (l *Log) dropSnapshots(now core.Now, out *step.Effects) {
	bases := make([]core.Offset, len(l.segments))
	for i, s := range l.segments {
		bases[i] = s.base
	}
	for i := len(l.snapshots) - 1; i >= 0; i-- {
		_, isBase := slices.BinarySearchFunc(bases, l.snapshots[i], cmp.Compare[core.Offset])
		newest := i == len(l.snapshots)-1
		if l.snapshots[i] > l.end || !isBase && !newest {
			l.removeSnapshot(now, i, out)
		}
	}
}

// scanned ends the scan: the log's end is known.
func (l *Log) scanned(now core.Now, out *step.Effects) {
	r := l.rec
	if r.cut != nil {
		s := l.segments[r.cut.seg]
		l.end = s.next
		if r.cut.pos == 0 {
			l.end = s.base
			if r.cut.seg > 0 {
				l.end = l.segments[r.cut.seg-1].next
			}
		}
	}
	if l.end < r.point {
		l.fail(Failure{Code: core.ErrKafkaStorageError, File: l.path(segmentName(l.active().base, logSuffix)),
			Pos: l.active().size, Offset: l.end,
			What: fmt.Sprintf("the log ends at offset %d, but offsets up to %d were durable", l.end, r.point)})
		return
	}
	if l.end < r.begin {
		// What is left lies below the log start: the log begins anew there, or offsets that are deleted for good would
		// come again.
		l.closeFiles(out)
		l.recover(now, &recovery{point: r.point, cutAt: noCut, restart: true, begin: r.begin}, out)
		return
	}
	if r.snapAt > l.end {
		// A snapshot from beyond the end, in spite of the clean stop: fold again without it.
		for i := len(l.snapshots) - 1; i >= 0 && l.snapshots[i] > l.end; i-- {
			l.removeSnapshot(now, i, out)
		}
		again := &recovery{point: r.point, cutAt: r.cutAt, begin: r.begin}
		l.goOn(now, func(now core.Now, out *step.Effects) {
			l.closeFiles(out)
			l.recover(now, again, out)
		}, out)
		return
	}
	l.reached(l.end)
	l.epochs.truncateEnd(l.end)
	if r.cut == nil {
		l.goOn(now, l.finish, out)
		return
	}
	out.Reachable("log.tail-cut", nil)
	l.cutSegments(now, out)
}

// cutSegments removes the segments after the cut, from the last one on, each removal durable before the next, so that
// a crash leaves a log without holes. Then it shortens the segment with the cut.
func (l *Log) cutSegments(now core.Now, out *step.Effects) {
	r := l.rec
	keep := r.cut.seg
	if r.cut.pos == 0 && keep > 0 {
		keep-- // nothing of the segment is left
	}
	if len(l.segments)-1 > keep {
		l.removeLast(now, l.cutSegments, out)
		return
	}
	s := l.active()
	if keep == r.cut.seg {
		if r.cut.pos == 0 {
			s.clear()
		}
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.Truncate, File: s.file, Pos: r.cut.pos})
		l.ask(now, step.DiskOp{Kind: step.Sync, File: s.file}, opCall, out, nil)
	}
	l.goOn(now, l.finish, out)
}

// cutAll removes all segments and snapshots: the log begins anew.
func (l *Log) cutAll(now core.Now, out *step.Effects) {
	if len(l.segments) > 0 {
		l.removeLast(now, l.cutAll, out)
		return
	}
	for i := len(l.snapshots) - 1; i >= 0; i-- {
		l.removeSnapshot(now, i, out)
	}
	l.epochs = epochCache{dirty: true}
	l.end = l.rec.begin
	l.goOn(now, l.finish, out)
}

// removeLast removes the last segment durably and then goes on with the phase.
func (l *Log) removeLast(now core.Now, phase func(core.Now, *step.Effects), out *step.Effects) {
	s := l.active()
	l.segments = l.segments[:len(l.segments)-1]
	l.removeFiles(now, s, out)
	l.goOn(now, func(now core.Now, out *step.Effects) {
		l.rec.phase = phase
		l.ask(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, opCall, out, nil)
	}, out)
}

// removeFiles removes a segment's files that recovery found.
func (l *Log) removeFiles(now core.Now, s *segment, out *step.Effects) {
	out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: s.file})
	for _, suffix := range []string{indexSuffix, timeIndexSuffix, txnIndexSuffix, logSuffix, logSuffix + swapSuffix} {
		name := segmentName(s.base, suffix)
		if _, ok := l.rec.files[name]; ok {
			l.ask(now, step.DiskOp{Kind: step.Remove, Path: l.path(name)}, opOptional, out, nil)
		}
	}
}

// finish makes everything that was found, rebuilt or cut durable, and an active segment if there is none. What was
// scanned may be in the page cache only: a process that crashed before has not synced it.
func (l *Log) finish(now core.Now, out *step.Effects) {
	r := l.rec
	if len(l.segments) == 0 {
		s := newSegment(l.end, now.Wall)
		s.file = l.ids.File()
		l.segments = append(l.segments, s)
		r.created = true
		l.ask(now, step.DiskOp{Kind: step.Open, File: s.file, Path: l.path(segmentName(s.base, logSuffix)), Create: true},
			opCall, out, nil)
	}
	last := l.active()
	last.sealed, last.indexed, last.listed = false, false, false
	for i, s := range l.segments {
		s.stagedB = s.size
		if i+1 < len(l.segments) {
			s.next = l.segments[i+1].base
		}
		if s.rescan {
			l.ask(now, step.DiskOp{Kind: step.Sync, File: s.file}, opCall, out, nil)
		}
		if s.rescan && s.sealed {
			s.stampTime()
		}
		if s.rescan && s.sealed && !s.swapped {
			s.indexed = false // the recovery point stays below until the new files are durable
			r.rewritten = append(r.rewritten, s)
		}
	}
	if _, ok := r.files[metadataFile]; !ok && !l.topicID.IsZero() {
		l.unnamed = true
		l.files = append(l.files, smallFile{path: l.path(metadataFile), data: AppendPartitionMetadata(nil, l.topicID),
			then: func(core.Now, *step.Effects) { l.unnamed = false }})
	}
	l.dropSnapshots(now, out)
	if len(r.swaps) == 0 {
		l.goOn(now, l.link, out)
		return
	}
	out.Reachable("log.swap-completed", nil)
	l.goOn(now, func(now core.Now, out *step.Effects) { // what the output replaces is gone, and its indexes are, for good
		l.rec.phase = l.indexSwapped
		l.ask(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, opCall, out, nil)
	}, out)
}

// indexSwapped writes the indexes of segments that have come from a cleaner.
func (l *Log) indexSwapped(now core.Now, out *step.Effects) {
	for _, s := range l.segments {
		if !s.swapped || !s.sealed {
			continue
		}
		s.listed, s.indexed = true, true // before anybody can ask
		for _, x := range l.indexFiles(s) {
			r := l.rec
			r.waiting++
			l.writeWhole(now, x.path, x.data, func(now core.Now, _ *step.DiskDone, out *step.Effects) {
				if r.waiting--; r.waiting == 0 {
					r.phase(now, out)
				}
			}, out)
		}
	}
	l.goOn(now, func(now core.Now, out *step.Effects) { // the transaction indexes must not be lost when the names are not
		l.rec.phase = l.nameSwapped
		l.ask(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, opCall, out, nil)
	}, out)
}

// indexFiles is a cleaned segment's indexes; there is no transaction index of before.
func (l *Log) indexFiles(s *segment) []smallFile {
	files := []smallFile{
		{path: segmentName(s.base, indexSuffix), data: s.index.AppendTo(nil)},
		{path: segmentName(s.base, timeIndexSuffix), data: s.times.AppendTo(nil)},
	}
	if s.txnFile = len(s.aborted) > 0; s.txnFile {
		files = append(files, smallFile{path: segmentName(s.base, txnIndexSuffix), data: s.aborted.AppendTo(nil)})
	}
	return files
}

// nameSwapped gives them their final names.
func (l *Log) nameSwapped(now core.Now, out *step.Effects) {
	for _, s := range l.segments {
		if s.swapped {
			name := l.path(segmentName(s.base, logSuffix))
			l.ask(now, step.DiskOp{Kind: step.Rename, File: s.file, Path: name + swapSuffix, To: name}, opCall, out, nil)
		}
	}
	l.rec.created = true
	l.goOn(now, l.link, out)
}

// link makes the directory's entries durable.
func (l *Log) link(now core.Now, out *step.Effects) {
	if l.rec.clean && !l.rec.created {
		l.serve(now, out)
		return
	}
	l.ask(now, step.DiskOp{Kind: step.SyncDir, Path: l.dir}, opCall, out, nil)
	l.goOn(now, l.serve, out)
}

// serve ends the recovery.
func (l *Log) serve(now core.Now, out *step.Effects) {
	r := l.rec
	for _, s := range l.segments {
		s.linked, s.written, s.synced = true, s.edge(), s.edge()
		s.rescan, s.swapped = false, false
	}
	l.unsynced = len(l.segments) - 1
	l.start = max(r.begin, l.segments[0].base)
	l.synced, l.written = l.end, l.end
	if l.cleanPoint > l.end {
		l.cleanPoint = 0 // Kafka, too: the end of the log was lost, and what comes there now was never cleaned
	}
	l.state, l.rec, l.recovered = ready, nil, now.Mono
	l.journalRecovery(r)
	for _, s := range r.rewritten {
		l.writeIndexes(now, s, out)
	}
	l.saveFiles(now, out)
	l.Check()
	if l.suffix != "" {
		l.Delete(now, l.suffix, out)
	}
}
