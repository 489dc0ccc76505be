package log

import (
	"errors"
	"math"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/compact"
	"github.com/klamm-log/klamm/core/log/index"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// CleanOptions are the parameters of a round of compaction. Names in comments are Kafka's.
type CleanOptions struct {
	// Stable is the LastStableOffset, hence at most the HighWatermark: nothing at or above it is touched.
	Stable core.Offset
	// Everywhere is how far the log is on the disks of all replicas: nothing at or above it loses a tombstone or a marker.
	Everywhere core.Offset
	// MapBytes is the memory for the keys' last offsets (log.cleaner.dedupe.buffer.size), default 128 MiB; MapLoad is
	// the part of it that is used, in millionths (log.cleaner.io.buffer.load.factor), default 900,000.
	MapBytes, MapLoad int64
	// ChunkBytes is the most that is read and worked on in one turn, one batch excepted; default 64 KiB. Kafka reads
	// log.cleaner.io.buffer.size at a time, in a thread of its own.
	ChunkBytes int64
	// BytesPerSecond bounds what is read and written together (log.cleaner.io.max.bytes.per.second), default no bound.
	BytesPerSecond int64
}

const (
	defaultMapBytes   = 128 << 20
	defaultMapLoad    = 900_000
	defaultCleanChunk = 64 << 10
	// leastRecord is about the least that a record takes on disk, compression left aside: it tells how many keys there
	// can be. Where it is wrong the map is full early, and the round ends there.
	leastRecord = 16
)

// cleanStage is what a round of compaction is doing.
type cleanStage uint8

const (
	indexing  cleanStage = iota // the dirty part is read, its keys are remembered
	filtering                   // segments are read, what is left is written to a new one
	swapping                    // the new segment takes the place of the old ones
	giveUp                      // the unfinished output is removed
)

// cleaning is a round of compaction that is under way. Its operations are the log's: a truncation, a Close or a Delete
// waits for them, and the round ends with the next completion. Only a swap that has begun is completed first.
type cleaning struct {
	opts  CleanOptions
	round *compact.Round
	stage cleanStage
	input []*segment // of the stage, oldest first
	at    int        // the segment being read
	pos   core.Pos   // where the next read begins
	want  int64      // its least length: a batch that is longer than a chunk

	groups  []int    // how many of the input become one segment each
	group   int      // the group being written
	first   int      // the group's first segment in input
	out     *segment // the group's output
	waiting int      // operations outstanding
	data    []byte   // what the last read has brought

	resumeAt core.Mono // not before: BytesPerSecond
	failed   bool      // there was no space
}

// retired is a file that was replaced. It stays open for a while.
type retired struct {
	file step.FileID
	at   core.Mono
}

// CleanPoint is the value for cleaner-offset-checkpoint: where the last round of compaction ended.
func (l *Log) CleanPoint() core.Offset { return l.cleanPoint }

// Cleaning reports whether a round of compaction is under way.
func (l *Log) Cleaning() bool { return l.clean != nil }

// Uncleanable is why the log is not compacted any more, and whether that is so: damage was found, or what the cleaner
// cannot judge. The log serves on as it is.
func (l *Log) Uncleanable() (Failure, bool) { return l.unclean, l.unclean.What != "" }

// Cleanable is the part of the log that a round of compaction would clean now; nothing is dirty in a log that is not ready.
func (l *Log) Cleanable(now core.Now, stable core.Offset) compact.Range {
	if _, unclean := l.Uncleanable(); l.state != ready || unclean {
		return compact.Range{}
	}
	// Not past the recovery point: indexes there may still be on their way to the disk, and a leader epoch that is not yet
	// in its checkpoint must be found in the batches, of which the cleaner may take the last one of that epoch.
	bounds := compact.Bounds{Start: l.start, Checkpoint: l.cleanPoint, Stable: min(stable, l.RecoveryPoint()), LogEnd: l.end}
	return compact.Assess(l.plan(l.segments[:len(l.segments)-1]), bounds, now.Wall, l.cfg.Cleaning)
}

// CleanDue is Cleanable, and whether it is worth a round by the topic's configuration.
func (l *Log) CleanDue(now core.Now, stable core.Offset) (compact.Range, bool) {
	r := l.Cleanable(now, stable)
	return r, r.Due(l.cfg.Cleaning)
}

// Compacted reports whether the log may have holes: it is, or was, compacted.
func (l *Log) Compacted() bool { return l.cfg.Compacted }

// plan is what planning wants to know of the segments.
func (l *Log) plan(segs []*segment) []compact.Segment {
	views := make([]compact.Segment, 0, len(segs))
	for _, s := range segs {
		views = append(views, compact.Segment{Base: s.base, Next: s.next, Size: int64(s.size), FirstTime: s.firstTime,
			MaxTimestamp: s.maxTimestamp, IndexBytes: int64(len(s.index)) * index.EntrySize,
			TimeBytes: int64(len(s.times)) * index.TimeEntrySize})
	}
	return views
}

// StartCleaning begins a round of compaction of what is Cleanable; it reports false if there is nothing to do now. The
// round goes on with completions and at the end of turns, and Cleaning tells when it is over. A round does as much per
// turn as ChunkBytes says, reads, decompression and compression included.
func (l *Log) StartCleaning(now core.Now, o CleanOptions, out *step.Effects) bool {
	r := l.Cleanable(now, o.Stable)
	if r.Dirty == 0 || l.clean != nil || len(l.doomed) > 0 {
		return false
	}
	orDefault(&o.MapBytes, defaultMapBytes)
	orDefault(&o.MapLoad, defaultMapLoad)
	orDefault(&o.ChunkBytes, defaultCleanChunk)
	o.ChunkBytes = max(o.ChunkBytes, minRead)
	c := &cleaning{opts: o, round: compact.NewRound(compact.Options{
		Range: r, Policy: l.cfg.Cleaning, Keys: compact.NewMap(o.MapBytes, o.MapLoad, r.Dirty/leastRecord),
		Producers: l.producers.Producers(), MaxDecompressed: l.cfg.MaxDecompressed, Aborted: l.abortedBelow(r.End), Everywhere: o.Everywhere,
	}, &l.codecs)}
	from, to := l.segmentFor(r.FirstDirty), l.segmentFor(r.End-1)
	c.input = append(c.input, l.segments[from:to+1]...)
	c.pos, _ = c.input[0].index.Floor(int64(r.FirstDirty - c.input[0].base))
	l.clean = c
	l.cleanOn(now, out)
	return true
}

// cleanerDue is when a round that was told to go slow goes on.
func (l *Log) cleanerDue() (core.Mono, bool) {
	switch {
	case l.state != ready:
	case l.clean != nil && l.clean.waiting == 0 && l.clean.stage <= filtering:
		return l.clean.resumeAt, true
	case len(l.replacedBy) > 0:
		return l.replacedBy[0].at, true
	}
	return 0, false
}

// cleanOn asks for the next bytes, unless something is outstanding or it is too early.
func (l *Log) cleanOn(now core.Now, out *step.Effects) {
	c := l.clean
	if c == nil || l.state != ready || c.waiting > 0 || c.stage > filtering || now.Mono < c.resumeAt {
		return
	}
	switch {
	case c.at < len(c.input) && c.input[c.at].base < l.segments[0].base:
		l.abandon(now, out) // retention has been faster: the file is gone, or about to be
	case c.data != nil:
		l.cleanChunk(now, out)
	}
	for c.stage <= filtering && c.waiting == 0 && l.clean == c {
		if c.stage == filtering && c.out == nil {
			l.createOutput(now, out)
			return
		}
		if c.at < len(c.input) && c.pos < c.input[c.at].size {
			s := c.input[c.at]
			size := min(max(c.opts.ChunkBytes, c.want), int64(s.size-c.pos))
			l.cleanOp(now, step.DiskOp{Kind: step.Read, File: s.file, Pos: c.pos, Len: size}, opCall, out,
				func(d *step.DiskDone) { c.data = d.Data })
			return
		}
		l.nextInput(now, out)
	}
}

// cleanOp hands out an operation of the round. When the last one has completed the round goes on.
func (l *Log) cleanOp(now core.Now, op step.DiskOp, kind opKind, out *step.Effects, then func(*step.DiskDone)) {
	c := l.clean
	c.waiting++
	l.await(now, op, pendingOp{kind: kind, then: func(now core.Now, d *step.DiskDone, out *step.Effects) {
		if l.clean != c {
			return
		}
		c.waiting--
		c.failed = c.failed || d.Err == step.ErrNoSpace
		if then != nil {
			then(d)
		}
		if c.failed && c.waiting == 0 && c.stage == filtering {
			// A full disk is no reason to end the log's service: what was there is as it was.
			out.Reachable("log.clean-no-space", nil)
			l.abandon(now, out)
			return
		}
		l.cleanOn(now, out)
	}}, out)
}

// cleanChunk works on the bytes that a read has brought.
func (l *Log) cleanChunk(now core.Now, out *step.Effects) {
	c := l.clean
	data, read := c.data, len(c.data)
	c.data = nil
	before, stage := c.pos, c.stage
	var kept []byte
	for len(data) > 0 && c.stage == stage {
		b, rest, err := record.ParseBatch(data)
		if errors.Is(err, record.ErrIncomplete) {
			break
		}
		if err == nil {
			kept, err = l.cleanBatch(now, kept, b, out)
		}
		if err != nil {
			l.refuse(now, c.input[c.at], err, out)
			return
		}
		data = rest
	}
	c.want = 0
	if c.pos == before && c.stage == stage {
		// Not one whole batch: the next read is longer. Bytes that announce more than there is are damage.
		c.want = 2 * int64(read)
		if len(data) >= record.HeaderSize {
			c.want = record.Batch(data).SizeInBytes()
		}
		if int64(read) >= c.want || int64(read) == int64(c.input[c.at].size-c.pos) {
			l.refuse(now, c.input[c.at], compact.ErrDamaged, out)
			return
		}
	}
	c.throttle(now, int64(read+len(kept))) // the round may be over, see startFiltering
	if len(kept) > 0 {
		s := c.out
		op := step.DiskOp{Kind: step.Append, File: s.file, Pos: s.stagedB, Data: kept}
		s.stagedB += core.Pos(len(kept))
		l.cleanOp(now, op, opSpacious, out, nil)
	}
}

// cleanBatch takes one batch of the input, and appends what is left of it.
func (l *Log) cleanBatch(now core.Now, kept []byte, b record.Batch, out *step.Effects) ([]byte, error) {
	c := l.clean
	s := c.input[c.at]
	if c.stage == indexing {
		full, err := c.round.Index(b)
		c.pos += core.Pos(len(b))
		if err == nil && full {
			out.Reachable("log.clean-map-full", nil)
			l.startFiltering()
		}
		return kept, err
	}
	c.pos += core.Pos(len(b))
	closing := c.pos >= s.size && l.lastOfGroup()
	from := len(kept)
	kept, err := c.round.Filter(kept, b, now.Wall, closing)
	if err != nil || len(kept) == from {
		return kept, err
	}
	h := record.Batch(kept[from:]).Header()
	if t, ok := s.aborted.Ending(h.LastOffset()); ok && h.Attributes.Control() && h.RecordCount > 0 {
		// With the marker goes the entry: a reader who was told of an abort and meets no marker would skip the producer's next transaction.
		c.out.aborted.Add(t)
	}
	if int64(c.out.size)+h.SizeInBytes() > math.MaxInt32 {
		return kept, record.ErrTooLarge // a batch has grown by being compressed anew, and positions are 32 bits
	}
	c.out.account(&h, l.cfg.IndexIntervalBytes)
	return kept, nil
}

// lastOfGroup reports whether nothing but empty segments follows the one being read in its group.
func (l *Log) lastOfGroup() bool {
	c := l.clean
	return !slices.ContainsFunc(c.input[c.at+1:c.first+c.groups[c.group]], func(s *segment) bool { return s.size > 0 })
}

// throttle delays the next read, so that the rate is kept on average.
func (c *cleaning) throttle(now core.Now, moved int64) {
	if rate := c.opts.BytesPerSecond; rate > 0 {
		seconds, rest := moved/rate, moved%rate
		pause := seconds*int64(core.Second) + min(rest, math.MaxInt64/int64(core.Second))*int64(core.Second)/rate
		c.resumeAt = max(c.resumeAt, now.Mono).Add(core.Mono(pause))
	}
}

// nextInput goes on with the next segment, or the next stage.
func (l *Log) nextInput(now core.Now, out *step.Effects) {
	c := l.clean
	c.at, c.pos, c.want = c.at+1, 0, 0
	switch {
	case c.stage == indexing && c.at < len(c.input):
	case c.stage == indexing:
		l.startFiltering()
	case c.at < c.first+c.groups[c.group]:
	default:
		l.finishOutput(now, out)
	}
}

// startFiltering ends the first part of the round: the segments below its end are grouped and rewritten.
func (l *Log) startFiltering() {
	c := l.clean
	c.round.Indexed()
	c.stage = filtering
	c.input = append([]*segment(nil), l.segments[:l.segmentFor(c.round.End()-1)+1]...)
	c.groups = compact.Group(l.plan(c.input), compact.Limits{SegmentBytes: int64(l.cfg.SegmentBytes), IndexBytes: int64(l.cfg.IndexMaxBytes)})
	c.at, c.pos, c.want, c.group, c.first = 0, 0, 0, 0, 0
	if len(c.input) == 0 {
		l.clean = nil // retention has been faster, and what is left is not clean
	}
}

// createOutput opens the file of a group's output: `.cleaned` until it is whole.
func (l *Log) createOutput(now core.Now, out *step.Effects) {
	c := l.clean
	s := newSegment(c.input[c.first].base, c.input[c.first].created)
	s.file = l.ids.File()
	c.out = s
	name := l.path(segmentName(s.base, logSuffix+cleanedSuffix))
	l.cleanOp(now, step.DiskOp{Kind: step.Open, File: s.file, Path: name, Create: true}, opSpacious, out, nil)
	l.cleanOp(now, step.DiskOp{Kind: step.Truncate, File: s.file}, opSpacious, out, nil) // what a crash has left there
}

// refuse ends compaction of this log for good: it has met bytes that it cannot judge. What it would write gets a checksum
// of its own, so damage would be passed off as data.
func (l *Log) refuse(now core.Now, s *segment, err error, out *step.Effects) {
	l.unclean = Failure{Code: core.ErrCorruptMessage, File: l.path(segmentName(s.base, logSuffix)), Pos: l.clean.pos,
		Offset: core.NoOffset, What: err.Error()}
	l.abandon(now, out)
}

// stopCleaning ends a round because the log has something else to do. A swap that has begun goes on.
func (l *Log) stopCleaning(now core.Now, out *step.Effects) {
	if c := l.clean; c != nil && l.state == draining && c.waiting == 0 && c.stage <= filtering {
		l.abandon(now, out)
	}
}

// abandon removes the unfinished output and ends the round. What other groups have become stays: they are cleaned by the
// same keys, only the checkpoint does not know.
func (l *Log) abandon(now core.Now, out *step.Effects) {
	c := l.clean
	if c.out == nil {
		l.clean = nil
		return
	}
	c.stage, c.data = giveUp, nil
	name := l.path(segmentName(c.out.base, logSuffix+cleanedSuffix))
	out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: c.out.file})
	l.cleanOp(now, step.DiskOp{Kind: step.Remove, Path: name}, opOptional, out, func(*step.DiskDone) { l.clean = nil })
}

// forgetCleaning closes what a round has open, when the log is closed or offline. Recovery removes the files.
func (l *Log) forgetCleaning(out *step.Effects) {
	if c := l.clean; c != nil && c.out != nil && c.stage != giveUp {
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: c.out.file})
	}
	l.clean = nil
	for _, f := range l.replacedBy {
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: f.file})
	}
	l.replacedBy = nil
}

// closeRetired closes replaced files that nobody can be reading any more.
func (l *Log) closeRetired(now core.Now, out *step.Effects) {
	for len(l.replacedBy) > 0 && l.replacedBy[0].at <= now.Mono {
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: l.replacedBy[0].file})
		l.replacedBy = l.replacedBy[1:]
	}
}
