package txindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/klamm-log/klamm/core"
)

// EntrySize is the bytes of one entry in the file.
const EntrySize = 34

const version = 0

// ErrIndex is a file that cannot be trusted; it is rebuilt from the batches.
var ErrIndex = errors.New("transaction index unusable")

// Txn is one aborted transaction on one partition.
type Txn struct {
	ProducerID core.ProducerID
	First      core.Offset // of its first record
	Last       core.Offset // of its marker
	// LastStable is the first offset of the earliest transaction that was still open when the marker stood in the log, or the offset after
	// the marker.
	LastStable core.Offset
}

// Index is the aborted transactions of one segment, by Last.
type Index []Txn

// Add notes a transaction whose marker has been appended.
func (x *Index) Add(t Txn) { *x = append(*x, t) }

// Collect appends to dst the transactions that began below upper and ended at or above from. complete says that no later segment can have
// one more.
func (x Index) Collect(dst []Txn, from, upper core.Offset) (_ []Txn, complete bool) {
	i := sort.Search(len(x), func(i int) bool { return x[i].Last >= from })
	for ; i < len(x); i++ {
		if x[i].First < upper {
			dst = append(dst, x[i])
		}
		if x[i].LastStable >= upper {
			return dst, true
		}
	}
	return dst, false
}

// Ending is the transaction whose marker stands at the offset, and whether there is one.
func (x Index) Ending(last core.Offset) (Txn, bool) {
	i := sort.Search(len(x), func(i int) bool { return x[i].Last >= last })
	if i < len(x) && x[i].Last == last {
		return x[i], true
	}
	return Txn{}, false
}

// AppendTo appends the file's bytes.
func (x Index) AppendTo(dst []byte) []byte {
	dst = slices.Grow(dst, len(x)*EntrySize)
	for i := range x {
		dst = binary.BigEndian.AppendUint16(dst, version)
		dst = binary.BigEndian.AppendUint64(dst, uint64(x[i].ProducerID))
		dst = binary.BigEndian.AppendUint64(dst, uint64(x[i].First))
		dst = binary.BigEndian.AppendUint64(dst, uint64(x[i].Last))
		dst = binary.BigEndian.AppendUint64(dst, uint64(x[i].LastStable))
	}
	return dst
}

// Parse reads a whole file of a segment with the offsets [base, next). The error wraps [ErrIndex].
func Parse(src []byte, base, next core.Offset) (Index, error) {
	if len(src)%EntrySize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrIndex, len(src))
	}
	x := make(Index, 0, len(src)/EntrySize)
	last := base - 1
	for ; len(src) > 0; src = src[EntrySize:] {
		t := Txn{
			ProducerID: core.ProducerID(binary.BigEndian.Uint64(src[2:])),
			First:      core.Offset(binary.BigEndian.Uint64(src[10:])),
			Last:       core.Offset(binary.BigEndian.Uint64(src[18:])),
			LastStable: core.Offset(binary.BigEndian.Uint64(src[26:])),
		}
		// Kafka reads a higher version by the fields that it knows; only a negative one makes no sense.
		if v := int16(binary.BigEndian.Uint16(src)); v < version || !t.sane() || t.Last <= last || t.Last >= next {
			return nil, fmt.Errorf("%w: entry %d is %+v, version %d, after %d", ErrIndex, len(x), t, v, last)
		}
		x = append(x, t)
		last = t.Last
	}
	return x, nil
}

// sane reports whether the fields can belong to one transaction.
func (t *Txn) sane() bool {
	return t.ProducerID >= 0 && t.First >= 0 && t.First <= t.Last && t.LastStable >= 0 && t.LastStable <= t.Last+1
}

// Sort brings transactions into the order of their beginnings, in which a response lists them.
func Sort(list []Txn) {
	slices.SortFunc(list, func(a, b Txn) int {
		if a.First != b.First {
			if a.First < b.First {
				return -1
			}
			return 1
		}
		return int(min(1, max(-1, a.Last-b.Last)))
	})
}
