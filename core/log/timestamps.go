package log

import (
	"errors"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

// FindByTimestamp finds the first record whose timestamp is at or after the one asked for (ListOffsets, KIP-33 and 79),
// or the first record with the largest timestamp of all (KIP-734). Found is false if there is none below UpperBound.
// Nothing is read: Need says what to read, see [Log.ResolveTimestamp].
func (l *Log) FindByTimestamp(q TimeQuery) TimeFound {
	if l.state != ready {
		return TimeFound{Code: l.refusal()}
	}
	return l.timeIn(l.wanted(q), 0)
}

// wanted turns the question for the largest timestamp into one for a time.
func (l *Log) wanted(q TimeQuery) TimeQuery {
	q.UpperBound = min(q.UpperBound, l.written)
	if q.Max {
		q.Timestamp = core.NoTimestamp
		for _, s := range l.segments {
			q.Timestamp = max(q.Timestamp, s.maxTimestamp)
		}
	}
	return q
}

// timeIn goes on with the first segment, from the i-th on, that has a late enough batch.
func (l *Log) timeIn(q TimeQuery, i int) TimeFound {
	if q.Max && q.Timestamp == core.NoTimestamp {
		return TimeFound{}
	}
	for ; i < len(l.segments); i++ {
		s := l.segments[i]
		if s.maxTimestamp < q.Timestamp || s.next <= l.start || s.size == 0 {
			continue
		}
		if s.base >= q.UpperBound {
			break
		}
		// Batches before the indexed one are older. The offset index may lie before it; the scan passes over them.
		pos, _ := s.index.Floor(int64(s.times.Floor(q.Timestamp)))
		return TimeFound{Need: l.lookAt(s, pos)}
	}
	return TimeFound{}
}

func (l *Log) lookAt(s *segment, pos core.Pos) ReadRequest {
	return ReadRequest{File: s.file, Pos: pos, Len: min(l.cfg.LookupBytes, int64(s.size-pos))}
}

// ResolveTimestamp continues a [Log.FindByTimestamp] with the bytes that it needed; it may need more. Records of a
// compressed batch are decompressed with c, never beyond Config.MaxDecompressed.
func (l *Log) ResolveTimestamp(q TimeQuery, need ReadRequest, data []byte, c *record.Codecs) TimeFound {
	if l.state != ready {
		return TimeFound{Code: l.refusal()}
	}
	i := l.segmentOf(need.File)
	if i < 0 {
		return l.FindByTimestamp(q)
	}
	q = l.wanted(q)
	s := l.segments[i]
	for pos := need.Pos; ; {
		if pos >= s.size {
			return l.timeIn(q, i+1)
		}
		var rest []byte
		if at := int64(pos - need.Pos); at < int64(len(data)) {
			rest = data[at:]
		}
		h, err := record.ParseHeader(rest)
		size := h.SizeInBytes()
		switch {
		case errors.Is(err, record.ErrIncomplete) && pos != need.Pos:
			return TimeFound{Need: l.lookAt(s, pos)}
		case err != nil || int64(pos)+size > int64(s.size) || h.BaseOffset < s.base:
			return TimeFound{Code: core.ErrCorruptMessage}
		case h.BaseOffset >= q.UpperBound:
			return TimeFound{}
		case h.MaxTimestamp >= q.Timestamp && h.LastOffset() >= l.start:
			if size > int64(len(rest)) {
				if pos == need.Pos && need.Len >= size {
					return TimeFound{Code: core.ErrCorruptMessage} // the file is shorter than the log knows it to be
				}
				return TimeFound{Need: ReadRequest{File: s.file, Pos: pos, Len: size}}
			}
			if f := l.timeInBatch(q, record.Batch(rest[:size]), c); f.Found || f.Code != core.ErrNone {
				return f
			}
		}
		pos += core.Pos(size)
	}
}

// timeInBatch finds the record inside a batch.
func (l *Log) timeInBatch(q TimeQuery, b record.Batch, c *record.Codecs) TimeFound {
	if b.VerifyCRC() != nil || l.iter.Reset(b, c, l.cfg.MaxDecompressed) != nil {
		return TimeFound{Code: core.ErrCorruptMessage}
	}
	var r record.Record
	for l.iter.Next(&r) {
		if r.Timestamp >= q.Timestamp && r.Offset >= l.start && r.Offset < q.UpperBound {
			return TimeFound{Found: true, Offset: r.Offset, Timestamp: r.Timestamp, Epoch: b.PartitionLeaderEpoch()}
		}
	}
	if l.iter.Err() != nil {
		return TimeFound{Code: core.ErrCorruptMessage}
	}
	return TimeFound{}
}
