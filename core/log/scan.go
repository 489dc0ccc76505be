package log

import (
	"errors"
	"hash/crc32"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/recent"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// scan walks the batches of one segment after another in reads of bounded size. A batch that is longer than a read is
// checked piece by piece, so that a damaged length cannot make the scan take memory.
type scan struct {
	seg   int
	limit core.Pos    // the file's length
	next  core.Offset // no batch may begin below it
	known bool        // the offset after the segments before is known: they were scanned, too
	exact bool        // the segment's next batch must begin at its end: it was scanned from the start on

	big  record.Header // the batch that is checked piece by piece
	left int64         // bytes of it that are still to come, 0 if there is none
	crc  uint32
}

// batchContentAt is where the content begins that a batch's checksum covers.
const batchContentAt = 21

// scanSegment begins with the next segment that has to be scanned, or ends the scan.
func (l *Log) scanSegment(now core.Now, out *step.Effects) {
	r, sc := l.rec, &l.rec.scan
	for ; sc.seg < len(l.segments); sc.seg++ {
		s := l.segments[sc.seg]
		if sc.known && !l.follows(now, sc.seg, out) {
			return
		}
		if !s.rescan && sc.seg < r.from {
			sc.known = false
			l.end = s.next
			l.recent.Clear() // the ring holds batches without holes
			continue
		}
		sc.limit, sc.next, sc.exact = s.size, s.base, s.rescan
		if s.rescan {
			s.clear()
		} else { // after a clean stop: from the last indexed batch that the producer snapshot contains
			s.size, _ = s.index.Floor(int64(r.snapAt - s.base))
			s.next = s.base
		}
		if s.size < sc.limit {
			l.readChunk(now, s.size, out)
			return
		}
		l.segmentScanned()
	}
	l.scanned(now, out)
}

// segmentScanned notes where a scanned segment ends.
func (l *Log) segmentScanned() {
	l.end = l.segments[l.rec.scan.seg].next
	l.rec.scan.known = true
}

// follows decides whether a segment continues the scanned one before it. A hole between two segments above the
// recovery point means that the end of the former was lost; compacted logs may have holes anywhere. It reports false
// when the scan cannot simply go on.
func (l *Log) follows(now core.Now, i int, out *step.Effects) bool {
	s, before := l.segments[i], l.segments[i-1]
	switch {
	case l.end == s.base:
	case l.end > s.base && before.swapped:
		l.dropCovered(now, i, out)
		return false
	case l.end > s.base:
		l.damaged(now, 0, s.base, "the segment begins below the end of the one before", out)
		return false
	case l.cfg.Compacted || before.swapped || l.rec.clean:
		before.next = s.base
	default:
		l.damaged(now, 0, l.end, "the segment begins above the end of the one before", out)
		return false
	}
	return true
}

// dropCovered removes a segment that a cleaner's output replaces: the cleaner was stopped between putting its output
// into place and removing its input.
func (l *Log) dropCovered(now core.Now, i int, out *step.Effects) {
	s := l.segments[i]
	l.segments = append(l.segments[:i], l.segments[i+1:]...)
	if i == len(l.segments) {
		l.segments[i-1].sealed = false
	}
	if i < l.rec.from {
		l.rec.from--
	}
	l.removeFiles(now, s, out)
	l.goOn(now, l.scanSegment, out)
}

// readChunk reads on at a batch boundary, or inside a big batch.
func (l *Log) readChunk(now core.Now, pos core.Pos, out *step.Effects) {
	sc := &l.rec.scan
	l.rec.phase = nil
	l.ask(now, step.DiskOp{Kind: step.Read, File: l.segments[sc.seg].file, Pos: pos,
		Len: min(l.cfg.RecoveryChunkBytes, int64(sc.limit-pos))}, opCall, out,
		func(d *step.DiskDone) {
			l.rec.phase = func(now core.Now, out *step.Effects) { l.scanChunk(now, pos, d.Data, out) }
		})
}

// scanChunk takes the bytes at pos and asks for the next ones, or ends the segment.
func (l *Log) scanChunk(now core.Now, pos core.Pos, data []byte, out *step.Effects) {
	sc := &l.rec.scan
	s := l.segments[sc.seg]
	if len(data) == 0 {
		l.damaged(now, s.size, s.next, "the file is shorter than it was when it was opened", out)
		return
	}
	end := pos + core.Pos(len(data))
	if sc.left > 0 {
		taken := min(sc.left, int64(len(data)))
		if !l.scanPiece(now, data[:taken], out) {
			return
		}
		data = data[taken:]
	}
	for len(data) > 0 {
		size, what := l.scanBatch(data, s)
		if what != "" {
			l.damaged(now, s.size, max(s.next, sc.next), what, out)
			return
		}
		if l.rec.cut != nil {
			l.scanned(now, out)
			return
		}
		if size == 0 { // the batch goes on beyond the bytes at hand
			break
		}
		data = data[size:]
	}
	if sc.left > 0 {
		l.readChunk(now, end, out)
		return
	}
	if s.size < sc.limit {
		l.readChunk(now, s.size, out)
		return
	}
	l.segmentScanned()
	sc.seg++
	l.scanSegment(now, out)
}

// scanBatch judges the batch at the start of data, which stands at the end of what was accepted of s. It returns the
// batch's size once it is accepted, 0 if more bytes are needed, or what is wrong.
func (l *Log) scanBatch(data []byte, s *segment) (size int64, what string) {
	sc := &l.rec.scan
	inFile := int64(sc.limit - s.size)
	h, err := record.ParseHeader(data)
	if errors.Is(err, record.ErrIncomplete) {
		if inFile < record.HeaderSize {
			return 0, "the file ends inside a batch header"
		}
		return 0, ""
	}
	if err != nil {
		return 0, err.Error()
	}
	if what := l.misplaced(&h, s, inFile); what != "" {
		return 0, what
	}
	if h.NextOffset() > l.rec.cutAt {
		l.rec.cut = &cut{seg: sc.seg, pos: s.size}
		return 0, ""
	}
	size = h.SizeInBytes()
	if size <= int64(len(data)) {
		b := record.Batch(data[:size])
		if err := b.VerifyCRC(); err != nil {
			return 0, err.Error()
		}
		l.acceptScanned(b, &h, s)
		return size, ""
	}
	if size > l.cfg.RecoveryChunkBytes {
		sc.big, sc.left = h, size-int64(len(data))
		sc.crc = crc32.Checksum(data[batchContentAt:], crc32.MakeTable(crc32.Castagnoli))
	}
	return 0, ""
}

// misplaced says why a batch with a readable header cannot stand where it does, or "".
func (l *Log) misplaced(h *record.Header, s *segment, inFile int64) string {
	switch {
	case h.SizeInBytes() > inFile:
		return "the file ends inside a batch"
	case h.BaseOffset < l.rec.scan.next || h.BaseOffset < s.next:
		return "the batch's offsets are below the end of the one before"
	case l.rec.scan.exact && h.BaseOffset > s.next && !l.cfg.Compacted && !s.swapped:
		return "offsets are missing before the batch" // base offsets are outside the checksum
	case !s.fits(h.LastOffset()):
		return "the batch's offsets are too far from the segment's base"
	}
	return ""
}

// scanPiece takes the next bytes of a big batch; it reports false if they end the scan.
func (l *Log) scanPiece(now core.Now, piece []byte, out *step.Effects) bool {
	sc := &l.rec.scan
	sc.crc = crc32.Update(sc.crc, crc32.MakeTable(crc32.Castagnoli), piece)
	sc.left -= int64(len(piece))
	if sc.left > 0 {
		return true
	}
	s := l.segments[sc.seg]
	if sc.crc != sc.big.CRC {
		l.damaged(now, s.size, max(s.next, sc.next), record.ErrCRC.Error(), out)
		return false
	}
	l.acceptScanned(nil, &sc.big, s)
	return true
}

// acceptScanned makes a good batch part of the log. b is nil for a big one, of which only the header is at hand; no
// marker is that big.
func (l *Log) acceptScanned(b record.Batch, h *record.Header, s *segment) {
	l.recent.Push(recent.Batch{Base: h.BaseOffset, Delta: h.LastOffsetDelta, Pos: int32(s.size),
		Size: int32(h.SizeInBytes())}, l.cfg.RecentBatches)
	l.epochs.reconcile(h.PartitionLeaderEpoch, h.BaseOffset)
	l.reached(h.BaseOffset)
	if b != nil || !h.Attributes.Control() {
		l.applyScanned(b, h, s)
	}
	s.account(h, l.cfg.IndexIntervalBytes)
	l.rec.scan.exact = true
}

// damaged ends the scan at bytes that are no batch, where the batch with the given offset should stand. At or above the
// recovery point that is the torn tail of an unclean stop, and the log will end there. Below it, or after a clean stop,
// durable records are damaged: the log goes offline and not a byte is changed, for a cut would make the loss final and
// invisible.
func (l *Log) damaged(now core.Now, pos core.Pos, o core.Offset, what string, out *step.Effects) {
	r := l.rec
	if r.clean || o < r.point {
		l.fail(Failure{Code: core.ErrKafkaStorageError, Pos: pos, Offset: o, What: "durable records are damaged: " + what,
			File: l.path(segmentName(l.segments[r.scan.seg].base, logSuffix))})
		return
	}
	r.cut = &cut{seg: r.scan.seg, pos: pos}
	l.scanned(now, out)
}

// reconcile makes the cache agree with a batch that recovery met. The file may be older than the batch (its epoch is
// missing) or speak of a leadership whose records were cut off again (a higher epoch at or below the batch).
func (c *epochCache) reconcile(e core.LeaderEpoch, base core.Offset) {
	if e < 0 {
		return
	}
	n := len(c.entries)
	for n > 0 && (c.entries[n-1].Start > base || c.entries[n-1].Epoch > e) {
		if c.entries[n-1].Start > base && c.of(base) == e {
			return // what follows is judged by the batches that follow
		}
		n--
		c.entries = c.entries[:n]
		c.dirty = true
	}
	c.saved = min(c.saved, n)
	c.assign(e, base)
}
