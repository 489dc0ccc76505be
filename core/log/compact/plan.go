package compact

import (
	"math"
	"math/bits"

	"github.com/klamm-log/klamm/core"
)

// Policy is what a topic's configuration says about compaction. Times are in milliseconds.
type Policy struct {
	// MinDirty is min.cleanable.dirty.ratio in millionths.
	MinDirty int64
	// MinLagMs is min.compaction.lag.ms: younger records are not touched.
	MinLagMs int64
	// MaxLagMs is max.compaction.lag.ms: older records are cleaned whatever the dirty ratio (KIP-354). 0 is no limit.
	MaxLagMs int64
	// DeleteRetentionMs is delete.retention.ms: for how long tombstones and markers stay after their first round.
	DeleteRetentionMs int64
}

// Segment is what planning wants to know of a sealed segment.
type Segment struct {
	Base, Next   core.Offset // its offsets; Next is where the following segment begins
	Size         int64       // bytes of batches
	IndexBytes   int64       // of the offset index
	TimeBytes    int64       // of the time index
	FirstTime    core.Wall   // of its first batch, NoTimestamp if unknown
	MaxTimestamp core.Wall   // of all batches, NoTimestamp if none has one
}

// Range is the part of a log that a round would clean.
type Range struct {
	FirstDirty core.Offset // where the clean part ends
	End        core.Offset // where the head begins: always the base of a segment, or FirstDirty
	Clean      int64       // bytes of the clean part
	Dirty      int64       // bytes of the dirty part
	Overdue    bool        // max.compaction.lag.ms has passed for some of it
}

// Bounds is what a log may not be cleaned beyond.
type Bounds struct {
	Start core.Offset // LogStartOffset
	// Checkpoint is the end of the last round, as remembered. One below Start or above LogEnd is not believed: then
	// everything counts as dirty.
	Checkpoint core.Offset
	// Stable is the LastStableOffset, hence at most the HighWatermark, or less.
	Stable core.Offset
	LogEnd core.Offset
}

// Assess finds what could be cleaned now. The segments are the sealed ones, oldest first; the active one follows them.
//
// Never past the HighWatermark: a record above it may be truncated away, and the older value that it replaced would be
// gone. Never past the LastStableOffset: whether an open transaction's records replace anything is not decided.
func Assess(segs []Segment, b Bounds, now core.Wall, p Policy) Range {
	r := Range{FirstDirty: b.Checkpoint}
	if b.Checkpoint < b.Start || b.Checkpoint > b.LogEnd {
		r.FirstDirty = b.Start
	}
	r.End = r.FirstDirty
	for i := range segs {
		s := &segs[i]
		if s.Base < r.FirstDirty { // it may be both: Kafka counts a segment in the middle of which a round ended twice
			r.Clean += s.Size
		}
		if s.Next <= r.FirstDirty {
			continue
		}
		// Kafka leaves a segment without timestamps to the other rules, too.
		young := p.MinLagMs > 0 && int64(s.MaxTimestamp) > int64(now)-p.MinLagMs
		if s.Next > b.Stable || young {
			break
		}
		r.End = s.Next
		r.Dirty += s.Size
	}
	r.Overdue = overdue(segs, r.FirstDirty, now, p)
	return r
}

// overdue reports whether a dirty segment begins with a record that is older than max.compaction.lag.ms (KIP-354).
func overdue(segs []Segment, firstDirty core.Offset, now core.Wall, p Policy) bool {
	if p.MaxLagMs <= 0 {
		return false
	}
	for i := range segs {
		if s := &segs[i]; s.Next > firstDirty && s.FirstTime > 0 && int64(s.FirstTime) < int64(now)-p.MaxLagMs {
			return true
		}
	}
	return false
}

// Due reports whether a round is worth its while: more than the topic's part of the log is dirty, or some of it has
// waited too long.
func (r *Range) Due(p Policy) bool {
	if r.Dirty == 0 {
		return false
	}
	return r.Overdue || compareProducts(r.Dirty, 1_000_000, p.MinDirty, r.Clean+r.Dirty) > 0
}

// Dirtier reports whether a larger part of r is dirty than of q.
func (r *Range) Dirtier(q *Range) bool {
	return compareProducts(r.Dirty, q.Clean+q.Dirty, q.Dirty, r.Clean+r.Dirty) > 0
}

// compareProducts compares a*b with c*d without overflow; none is negative.
func compareProducts(a, b, c, d int64) int {
	high1, low1 := bits.Mul64(uint64(a), uint64(b))
	high2, low2 := bits.Mul64(uint64(c), uint64(d))
	switch {
	case high1 != high2 && high1 > high2, high1 == high2 && low1 > low2:
		return 1
	case high1 == high2 && low1 == low2:
		return 0
	}
	return -1
}

// Limits bound what one output segment may hold; its inputs together stay within them.
type Limits struct {
	SegmentBytes int64 // segment.bytes
	IndexBytes   int64 // segment.index.bytes, of each index
}

// Group splits adjacent segments into groups that become one segment each: as many as fit, first come, first served. It
// returns the number of segments in each group. A segment that is too large by itself is a group of its own.
//
// Both indexes hold offsets relative to the segment's base in 32 bits, so a group spans at most 2^31 of them. An empty
// segment takes none, or holes would leave an empty segment behind for every 2^31 offsets (KAFKA-9133 and others).
func Group(segs []Segment, limits Limits) []int {
	var groups []int
	for len(segs) > 0 {
		n, sum := 1, segs[0]
		for n < len(segs) && sum.takes(&segs[n], limits) {
			n++
		}
		groups = append(groups, n)
		segs = segs[n:]
	}
	return groups
}

// takes adds the next segment to a group, if it fits.
func (s *Segment) takes(next *Segment, limits Limits) bool {
	fits := s.Size+next.Size <= limits.SegmentBytes && s.IndexBytes+next.IndexBytes <= limits.IndexBytes &&
		s.TimeBytes+next.TimeBytes <= limits.IndexBytes && (next.Size == 0 || next.Next-1-s.Base <= math.MaxInt32)
	if fits {
		s.Size, s.IndexBytes, s.TimeBytes = s.Size+next.Size, s.IndexBytes+next.IndexBytes, s.TimeBytes+next.TimeBytes
	}
	return fits
}
