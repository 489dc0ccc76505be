package log

import (
	"errors"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/recent"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// Locate finds the bytes that answer a fetch: from the start of the batch that contains the offset (or, if compaction
// removed it, the next one), inside one segment, ending at the upper bound or after MaxBytes, if need be in the
// middle of a batch; readers drop an incomplete last batch. The first batch is whole or, without MinOneBatch, absent
// (KIP-74; from Fetch version 3 on Kafka answers nothing rather than a part).
//
// Nothing is read. If the memory does not know the place, Need says what to read; see [Log.ResolveLocate].
//
// Codes: OFFSET_OUT_OF_RANGE outside [LogStartOffset, LogEndOffset], and those of an unusable log.
func (l *Log) Locate(q Query) Located {
	upper, code := l.readable(q)
	if code != core.ErrNone {
		return Located{Code: code}
	}
	if q.Offset >= upper {
		return Located{}
	}
	if b, ok := l.recent.Find(q.Offset); ok {
		return l.span(q, upper, l.segments[l.segmentFor(b.Base)], b)
	}
	return l.locateIn(q, upper, l.segmentFor(q.Offset))
}

// readable is the end of what the query may see: its own bound, and what is in the files.
func (l *Log) readable(q Query) (core.Offset, core.ErrorCode) {
	switch {
	case l.state != ready:
		return 0, l.refusal()
	case q.Offset < l.start || q.Offset > l.end:
		return 0, core.ErrOffsetOutOfRange
	}
	return min(q.UpperBound, l.written), core.ErrNone
}

// locateIn looks the offset up in one segment's sparse index; the ring does not reach back to it.
func (l *Log) locateIn(q Query, upper core.Offset, i int) Located {
	s := l.segments[i]
	rel := int64(q.Offset - s.base)
	pos, exact := s.index.Floor(rel)
	next := s.index.Ceiling(rel, s.size)
	if pos >= s.size { // an empty segment, or a hole at its end
		return l.locateNext(q, upper, i)
	}
	if exact || rel <= 0 {
		// The batch at pos is the one. Between two index entries is at least one batch: if the distance fits into
		// MaxBytes, so does the first batch, and nothing need be read.
		if limit := l.boundary(s, upper); int64(next-pos) <= q.MaxBytes && limit > pos {
			return Located{Span: step.Span{File: s.file, Pos: pos, Len: min(q.MaxBytes, int64(limit-pos))}}
		}
	}
	// The batch begins at or before the next entry; of that one, too, the header may have to be seen.
	want := min(next+record.HeaderSize, s.size) - pos
	return Located{Need: ReadRequest{File: s.file, Pos: pos, Len: min(l.cfg.LookupBytes, int64(want))}}
}

// locateNext goes on with the first batch of the segment after i.
func (l *Log) locateNext(q Query, upper core.Offset, i int) Located {
	if i+1 >= len(l.segments) || l.segments[i+1].base >= upper {
		return Located{}
	}
	return l.locateIn(q, upper, i+1)
}

// ResolveLocate continues a [Log.Locate] with the bytes that it needed; it may need more. The log may have changed in
// between (truncation, deletion): then the question is asked afresh. CORRUPT_MESSAGE says that the bytes are not the
// batches that were written there.
func (l *Log) ResolveLocate(q Query, need ReadRequest, data []byte) Located {
	upper, code := l.readable(q)
	if code != core.ErrNone {
		return Located{Code: code}
	}
	i := l.segmentOf(need.File)
	if i < 0 || q.Offset >= upper {
		return l.Locate(q)
	}
	s := l.segments[i]
	for pos := need.Pos; ; {
		if pos >= s.size {
			return l.locateNext(q, upper, i)
		}
		var header []byte
		if at := int64(pos - need.Pos); at < int64(len(data)) {
			header = data[at:]
		}
		h, err := record.ParseHeader(header)
		if errors.Is(err, record.ErrIncomplete) {
			if pos == need.Pos {
				return Located{Code: core.ErrCorruptMessage} // the file is shorter than the log knows it to be
			}
			return Located{Need: ReadRequest{File: s.file, Pos: pos, Len: min(l.cfg.LookupBytes, int64(s.size-pos))}}
		}
		if err != nil || int64(pos)+h.SizeInBytes() > int64(s.size) || h.BaseOffset < s.base {
			return Located{Code: core.ErrCorruptMessage}
		}
		if h.LastOffset() >= q.Offset {
			b := recent.Batch{Base: h.BaseOffset, Delta: h.LastOffsetDelta, Pos: int32(pos), Size: int32(h.SizeInBytes())}
			return l.span(q, upper, s, &b)
		}
		pos += core.Pos(h.SizeInBytes())
	}
}

// segmentOf is the index of the segment with the given open file, or -1.
func (l *Log) segmentOf(f step.FileID) int {
	for i, s := range l.segments {
		if s.file == f && f != 0 {
			return i
		}
	}
	return -1
}

// span is the answer when the first batch is known exactly.
func (l *Log) span(q Query, upper core.Offset, s *segment, first *recent.Batch) Located {
	if first.Last() >= upper { // the bound falls into the batch, or before it
		return Located{}
	}
	pos := core.Pos(first.Pos)
	limit := max(l.boundary(s, upper), pos+core.Pos(first.Size))
	length := min(q.MaxBytes, int64(limit-pos))
	if length < int64(first.Size) {
		if !q.MinOneBatch {
			return Located{}
		}
		length = int64(first.Size)
	}
	return Located{Span: step.Span{File: s.file, Pos: pos, Len: length}}
}

// boundary is a position up to which all batches of the segment end at or below the offset: exact where a mark or the
// ring knows it, otherwise the index entry before, which gives less than allowed but never more.
func (l *Log) boundary(s *segment, upper core.Offset) core.Pos {
	switch {
	case upper >= s.next:
		return s.size
	case upper == s.written.end:
		return s.written.pos
	case upper == s.synced.end:
		return s.synced.pos
	}
	if b, ok := l.recent.Find(upper); ok && b.Base >= s.base && b.Base < s.next {
		return core.Pos(b.Pos)
	}
	pos, _ := s.index.Floor(int64(upper - s.base))
	return pos
}
