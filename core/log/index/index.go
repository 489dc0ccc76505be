package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/klamm-log/klamm/core"
)

// Sizes of the files' entries in bytes.
const (
	EntrySize     = 8  // relative offset int32, position int32
	TimeEntrySize = 12 // timestamp int64, relative offset int32
)

// ErrIndex is an index file that cannot be trusted; it is rebuilt from the batches.
var ErrIndex = errors.New("index unusable")

// Entry says that the batch at Pos ends at offset base+Rel.
type Entry struct {
	Rel, Pos int32
}

// Offsets is a sparse index in memory, ascending in both fields.
type Offsets []Entry

// Floor is the position of the last indexed batch that ends at or below the offset base+rel, 0 without one, and whether
// the batch ends exactly there. No batch before that position reaches the offset.
func (x Offsets) Floor(rel int64) (pos core.Pos, exact bool) {
	i := x.after(rel)
	if i == 0 {
		return 0, false
	}
	return core.Pos(x[i-1].Pos), int64(x[i-1].Rel) == rel
}

// Ceiling is the position of the first indexed batch that ends above the offset base+rel, or size without one.
func (x Offsets) Ceiling(rel int64, size core.Pos) core.Pos {
	if i := x.after(rel); i < len(x) {
		return core.Pos(x[i].Pos)
	}
	return size
}

// after is the number of entries at or below rel.
func (x Offsets) after(rel int64) int {
	return sort.Search(len(x), func(i int) bool { return int64(x[i].Rel) > rel })
}

// AppendTo appends the file's bytes.
func (x Offsets) AppendTo(dst []byte) []byte {
	dst = slices.Grow(dst, len(x)*EntrySize)
	for _, e := range x {
		dst = binary.BigEndian.AppendUint32(dst, uint32(e.Rel))
		dst = binary.BigEndian.AppendUint32(dst, uint32(e.Pos))
	}
	return dst
}

// ParseOffsets reads a whole index file of a segment with size bytes whose offsets end below base+length. Entries
// must ascend in both fields and stay inside the segment.
func ParseOffsets(src []byte, size core.Pos, length int64) (Offsets, error) {
	if len(src)%EntrySize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrIndex, len(src))
	}
	x := make(Offsets, 0, len(src)/EntrySize)
	for ; len(src) > 0; src = src[EntrySize:] {
		e := Entry{Rel: int32(binary.BigEndian.Uint32(src)), Pos: int32(binary.BigEndian.Uint32(src[4:]))}
		last := Entry{Rel: -1} // position 0 has no entry of its own
		if n := len(x); n > 0 {
			last = x[n-1]
		}
		if e.Rel <= last.Rel || e.Pos <= last.Pos || core.Pos(e.Pos) >= size || int64(e.Rel) >= length {
			return nil, fmt.Errorf("%w: entry %d is %+v after %+v", ErrIndex, len(x), e, last)
		}
		x = append(x, e)
	}
	return x, nil
}

// TimeEntry says that no batch up to the one ending at base+Rel has a larger timestamp, and that this one has it.
type TimeEntry struct {
	Timestamp core.Wall
	Rel       int32
}

// Times is a sparse index in memory, ascending in both fields.
type Times []TimeEntry

// Floor is the relative offset of the last entry with a timestamp at or below t, 0 without one: all batches that end
// before it are older than t.
func (x Times) Floor(t core.Wall) int32 {
	i := sort.Search(len(x), func(i int) bool { return x[i].Timestamp > t })
	if i == 0 {
		return 0
	}
	return x[i-1].Rel
}

// AppendTo appends the file's bytes.
func (x Times) AppendTo(dst []byte) []byte {
	dst = slices.Grow(dst, len(x)*TimeEntrySize)
	for _, e := range x {
		dst = binary.BigEndian.AppendUint64(dst, uint64(e.Timestamp))
		dst = binary.BigEndian.AppendUint32(dst, uint32(e.Rel))
	}
	return dst
}

// ParseTimes reads a whole time index file of a segment whose offsets end below base+length. Kafka repeats an
// offset when it seals a segment whose last index entry already was its newest record; only timestamps must rise.
func ParseTimes(src []byte, length int64) (Times, error) {
	if len(src)%TimeEntrySize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrIndex, len(src))
	}
	x := make(Times, 0, len(src)/TimeEntrySize)
	last := TimeEntry{Timestamp: math.MinInt64, Rel: 0}
	for ; len(src) > 0; src = src[TimeEntrySize:] {
		e := TimeEntry{Timestamp: core.Wall(binary.BigEndian.Uint64(src)), Rel: int32(binary.BigEndian.Uint32(src[8:]))}
		if e.Timestamp <= last.Timestamp || e.Rel < last.Rel || int64(e.Rel) >= length {
			return nil, fmt.Errorf("%w: entry %d is %+v after %+v", ErrIndex, len(x), e, last)
		}
		x = append(x, e)
		last = e
	}
	return x, nil
}
