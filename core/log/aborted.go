package log

import (
	"sort"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/step"
)

// Aborted appends to dst the aborted transactions that a reader of committed records must know of for the batches in span, which
// [Log.Locate] has found for the offset from and the given upper bound: all that overlap them, and perhaps some that begin in the few
// batches after them, which the reader will not miss. They come by first offset.
func (l *Log) Aborted(dst []txindex.Txn, from core.Offset, span step.Span, upper core.Offset) []txindex.Txn {
	i := l.segmentOf(span.File)
	if i < 0 {
		return dst
	}
	s, end := l.segments[i], span.Pos+core.Pos(span.Len)
	upper = min(upper, s.next)
	// The batch at or behind the span's end that the sparse index knows first ends above everything in the span.
	if k := sort.Search(len(s.index), func(k int) bool { return core.Pos(s.index[k].Pos) >= end }); k < len(s.index) {
		upper = min(upper, s.base+core.Offset(s.index[k].Rel))
	}
	start := len(dst)
	for complete := false; i < len(l.segments) && !complete; i++ {
		dst, complete = l.segments[i].aborted.Collect(dst, from, upper)
	}
	txindex.Sort(dst[start:])
	return dst
}

// abortedBelow is the aborted transactions that began below the offset, by first offset.
func (l *Log) abortedBelow(end core.Offset) []txindex.Txn {
	var found []txindex.Txn
	for _, s := range l.segments {
		found, _ = s.aborted.Collect(found, 0, end)
	}
	txindex.Sort(found)
	return found
}
