package log

import (
	"math"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/index"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// Suffixes of the files in a log's directory.
const (
	logSuffix       = ".log"
	indexSuffix     = ".index"
	timeIndexSuffix = ".timeindex"
	txnIndexSuffix  = ".txnindex"
	snapshotSuffix  = ".snapshot"
	deletedSuffix   = ".deleted" // removed from the log, not yet from the disk
	cleanedSuffix   = ".cleaned" // the cleaner's unfinished output
	swapSuffix      = ".swap"    // the cleaner's finished output, about to take the place of its input
	tmpSuffix       = ".tmp"     // a replacement that was not finished

	epochFile    = "leader-epoch-checkpoint"
	metadataFile = PartitionMetadataFile

	offsetDigits = 20
)

// segmentName is a file name as Kafka forms it: the offset in 20 digits and the suffix.
func segmentName(base core.Offset, suffix string) string {
	digits := strconv.FormatInt(int64(base), 10)
	return strings.Repeat("0", offsetDigits-len(digits)) + digits + suffix
}

// parseSegmentName is the offset in a file name with the given suffix.
func parseSegmentName(name, suffix string) (core.Offset, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != offsetDigits {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return core.Offset(n), err == nil
}

// segment is one stretch of the log, [base, next), in files of its own.
type segment struct {
	base core.Offset
	next core.Offset // offset after the last batch; base while empty
	file step.FileID // of the .log file, 0 before its Open was handed out
	size core.Pos    // bytes of batches, also those not yet handed to the disk

	index index.Offsets
	times index.Times
	// aborted is the transactions whose ABORT marker stands in the segment; txnFile says that there may be a file of it, of now or of before.
	aborted txindex.Index
	txnFile bool
	// sinceIndex is the bytes accounted since the last index entry.
	sinceIndex int64

	maxTimestamp core.Wall   // of all batches, NoTimestamp if none has one
	maxOffset    core.Offset // last offset of the first batch with maxTimestamp
	firstTime    core.Wall   // timestamp of the first batch, by which the segment's age is told; NoTimestamp if none
	created      core.Wall   // fallback for firstTime

	staged  []step.DiskOp // appends not yet handed out
	stagedB core.Pos      // end of staged and handed-out bytes; size once a batch is complete

	// Marks of what the disk has reported, as positions with the offsets that belong to them.
	written mark
	synced  mark
	syncing bool     // a sync is outstanding
	silent  core.Pos // end of what was handed out without a completion of its own: a sync must tell of it, also if the policy is OS by now

	linked  bool // the directory entry is durable
	sealed  bool // another segment follows, nothing is appended any more
	indexed bool // the index files of a sealed segment are durable
	listed  bool // the index files have been handed to the disk
	swapped bool // its file is a cleaner's output that does not have its final name yet: it replaces the segments it covers
	swapOut bool // the cleaner's output is about to take its place: it must not be removed now
	rescan  bool // recovery has to rebuild its indexes
}

// mark is a batch boundary.
type mark struct {
	pos core.Pos
	end core.Offset
}

func newSegment(base core.Offset, created core.Wall) *segment {
	return &segment{
		base: base, next: base, created: created,
		maxTimestamp: core.NoTimestamp, maxOffset: core.NoOffset, firstTime: core.NoTimestamp,
		written: mark{end: base}, synced: mark{end: base},
	}
}

// clear forgets the contents, before a scan finds them again.
func (s *segment) clear() {
	s.next, s.size, s.stagedB, s.sinceIndex = s.base, 0, 0, 0
	s.index, s.times, s.aborted = s.index[:0], s.times[:0], nil
	s.maxTimestamp, s.maxOffset, s.firstTime = core.NoTimestamp, core.NoOffset, core.NoTimestamp
}

// settled reports whether all that the segment holds would survive a power loss.
func (s *segment) settled() bool { return s.linked && s.synced.pos == s.size }

// fits reports whether an offset can be stored relative to the base (int32 in both indexes).
func (s *segment) fits(last core.Offset) bool { return last-s.base <= math.MaxInt32 }

// account adds a batch that stands, or will stand, at the end of the segment. The first batch gets no index entry,
// nor does one within interval bytes of the last entry (index.interval.bytes).
func (s *segment) account(h *record.Header, interval int32) {
	pos, last, size := s.size, h.LastOffset(), h.SizeInBytes()
	if h.MaxTimestamp > s.maxTimestamp {
		s.maxTimestamp, s.maxOffset = h.MaxTimestamp, last
	}
	if s.size == 0 {
		s.firstTime = h.MaxTimestamp
	}
	if s.sinceIndex > int64(interval) {
		if n := len(s.index); n == 0 || core.Pos(s.index[n-1].Pos) < pos {
			s.index = append(s.index, index.Entry{Rel: int32(last - s.base), Pos: int32(pos)})
			s.stampTime()
		}
		s.sinceIndex = 0
	}
	s.sinceIndex += size
	s.size += core.Pos(size)
	s.next = last + 1
}

// stampTime adds the largest timestamp so far to the time index, if it is larger than the last entry's.
func (s *segment) stampTime() {
	if s.maxTimestamp == core.NoTimestamp {
		return
	}
	if n := len(s.times); n > 0 && s.times[n-1].Timestamp >= s.maxTimestamp {
		return
	}
	s.times = append(s.times, index.TimeEntry{Timestamp: s.maxTimestamp, Rel: int32(s.maxOffset - s.base)})
}

// stage queues the bytes of accounted batches for the disk.
func (s *segment) stage(data []byte) {
	if len(data) == 0 {
		return
	}
	s.staged = append(s.staged, step.DiskOp{Kind: step.Append, Pos: s.stagedB, Data: data})
	s.stagedB += core.Pos(len(data))
}

// ageFor is how long the segment has been in use when a batch with the given timestamp arrives: by the batches'
// clock if they have one, else by ours (KIP-33).
func (s *segment) ageFor(now core.Now, timestamp core.Wall) int64 {
	if s.firstTime >= 0 {
		return int64(timestamp) - int64(s.firstTime)
	}
	return int64(now.Wall) - int64(s.created)
}

// full reports whether a batch has to go to a new segment: segment.bytes, segment.ms, an index without room (the
// time index keeps one entry for the sealing), or an offset too far from the base.
func (s *segment) full(cfg *Config, now core.Now, h *record.Header) bool {
	if !s.fits(h.LastOffset()) {
		return true
	}
	if s.size == 0 {
		return false
	}
	return int64(s.size)+h.SizeInBytes() > int64(cfg.SegmentBytes) ||
		s.ageFor(now, h.MaxTimestamp) > cfg.SegmentMs ||
		int64(len(s.index)) >= int64(cfg.IndexMaxBytes)/index.EntrySize ||
		int64(len(s.times)) >= int64(cfg.IndexMaxBytes)/index.TimeEntrySize-1
}
