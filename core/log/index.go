package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/klamm-log/klamm/core"
)

const (
	indexEntrySize = 8  // relative offset int32, position int32
	timeEntrySize  = 12 // timestamp int64, relative offset int32
)

// errIndex is an index file that cannot be trusted; it is rebuilt from the batches.
var errIndex = errors.New("index unusable")

// indexEntry says that the batch at pos ends at offset base+rel.
type indexEntry struct {
	rel, pos int32
}

// offsetIndex is a sparse index in memory, ascending in both fields.
type offsetIndex []indexEntry

// floor is the position of the last indexed batch that ends at or below the offset base+rel, 0 without one, and whether
// the batch ends exactly there. No batch before that position reaches the offset.
func (x offsetIndex) floor(rel int64) (pos core.Pos, exact bool) {
	i := x.after(rel)
	if i == 0 {
		return 0, false
	}
	return core.Pos(x[i-1].pos), int64(x[i-1].rel) == rel
}

// ceiling is the position of the first indexed batch that ends above the offset base+rel, or size without one.
func (x offsetIndex) ceiling(rel int64, size core.Pos) core.Pos {
	if i := x.after(rel); i < len(x) {
		return core.Pos(x[i].pos)
	}
	return size
}

// after is the number of entries at or below rel.
func (x offsetIndex) after(rel int64) int {
	return sort.Search(len(x), func(i int) bool { return int64(x[i].rel) > rel })
}

// appendTo appends the file's bytes.
func (x offsetIndex) appendTo(dst []byte) []byte {
	dst = slices.Grow(dst, len(x)*indexEntrySize)
	for _, e := range x {
		dst = binary.BigEndian.AppendUint32(dst, uint32(e.rel))
		dst = binary.BigEndian.AppendUint32(dst, uint32(e.pos))
	}
	return dst
}

// parseOffsetIndex reads a whole index file of a segment with size bytes whose offsets end below base+length. Entries
// must ascend in both fields and stay inside the segment.
func parseOffsetIndex(src []byte, size core.Pos, length int64) (offsetIndex, error) {
	if len(src)%indexEntrySize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", errIndex, len(src))
	}
	x := make(offsetIndex, 0, len(src)/indexEntrySize)
	for ; len(src) > 0; src = src[indexEntrySize:] {
		e := indexEntry{rel: int32(binary.BigEndian.Uint32(src)), pos: int32(binary.BigEndian.Uint32(src[4:]))}
		last := indexEntry{rel: -1} // position 0 has no entry of its own
		if n := len(x); n > 0 {
			last = x[n-1]
		}
		if e.rel <= last.rel || e.pos <= last.pos || core.Pos(e.pos) >= size || int64(e.rel) >= length {
			return nil, fmt.Errorf("%w: entry %d is %+v after %+v", errIndex, len(x), e, last)
		}
		x = append(x, e)
	}
	return x, nil
}

// timeEntry says that no batch up to the one ending at base+rel has a larger timestamp, and that this one has it.
type timeEntry struct {
	timestamp core.Wall
	rel       int32
}

// timeIndex is a sparse index in memory, ascending in both fields.
type timeIndex []timeEntry

// floor is the relative offset of the last entry with a timestamp at or below t, 0 without one: all batches that end
// before it are older than t.
func (x timeIndex) floor(t core.Wall) int32 {
	i := sort.Search(len(x), func(i int) bool { return x[i].timestamp > t })
	if i == 0 {
		return 0
	}
	return x[i-1].rel
}

// appendTo appends the file's bytes.
func (x timeIndex) appendTo(dst []byte) []byte {
	dst = slices.Grow(dst, len(x)*timeEntrySize)
	for _, e := range x {
		dst = binary.BigEndian.AppendUint64(dst, uint64(e.timestamp))
		dst = binary.BigEndian.AppendUint32(dst, uint32(e.rel))
	}
	return dst
}

// parseTimeIndex reads a whole time index file of a segment whose offsets end below base+length. Kafka repeats an
// offset when it seals a segment whose last index entry already was its newest record; only timestamps must rise.
func parseTimeIndex(src []byte, length int64) (timeIndex, error) {
	if len(src)%timeEntrySize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", errIndex, len(src))
	}
	x := make(timeIndex, 0, len(src)/timeEntrySize)
	last := timeEntry{timestamp: math.MinInt64, rel: 0}
	for ; len(src) > 0; src = src[timeEntrySize:] {
		e := timeEntry{timestamp: core.Wall(binary.BigEndian.Uint64(src)), rel: int32(binary.BigEndian.Uint32(src[8:]))}
		if e.timestamp <= last.timestamp || e.rel < last.rel || int64(e.rel) >= length {
			return nil, fmt.Errorf("%w: entry %d is %+v after %+v", errIndex, len(x), e, last)
		}
		x = append(x, e)
		last = e
	}
	return x, nil
}
