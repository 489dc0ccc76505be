package coding

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/klamm-log/klamm/core"
)

// ErrMalformed is a record of known kind whose bytes do not follow its schema.
var ErrMalformed = errors.New("malformed coordinator record")

// ErrVersion is a value whose version is newer than this package knows.
var ErrVersion = errors.New("unsupported version of a coordinator record")

// Reader reads the fields of a record off Buf. The first fault sticks: everything after it reads as zero, and Bad is set.
type Reader struct {
	Buf []byte // what is left
	Bad bool
}

func (r *Reader) take(n int) []byte {
	if r.Bad || n < 0 || n > len(r.Buf) {
		r.Bad, r.Buf = true, nil
		return nil
	}
	b := r.Buf[:n]
	r.Buf = r.Buf[n:]
	return b
}

// Int8 reads an int8.
func (r *Reader) Int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

// Int16 reads a big-endian int16.
func (r *Reader) Int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

// Int32 reads a big-endian int32.
func (r *Reader) Int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// Int64 reads a big-endian int64.
func (r *Reader) Int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// UUID reads 16 bytes.
func (r *Reader) UUID() (id core.TopicID) {
	copy(id[:], r.take(len(id)))
	return id
}

// Uvarint reads an unsigned varint of at most 32 bits (KIP-482).
func (r *Reader) Uvarint() uint32 {
	v, n := binary.Uvarint(r.Buf)
	if r.Bad || n <= 0 || n > 5 || v > math.MaxUint32 {
		r.Bad, r.Buf = true, nil
		return 0
	}
	r.Buf = r.Buf[n:]
	return uint32(v)
}

// Len reads an array's length, of elements that take at least size bytes each: more than can be left is a fault.
func (r *Reader) Len(size int) int {
	n := int(r.Int32())
	if n < 0 || n > len(r.Buf)/size {
		r.Bad, r.Buf = true, nil
		return 0
	}
	return n
}

// NullLen is Len of an array that may be null, which counts as empty.
func (r *Reader) NullLen(size int) int {
	if len(r.Buf) >= 4 && int32(binary.BigEndian.Uint32(r.Buf)) == -1 {
		r.take(4)
		return 0
	}
	return r.Len(size)
}

// CompactLen is Len of a flexible version; null counts as empty.
func (r *Reader) CompactLen(size int) int {
	n := int64(r.Uvarint()) - 1
	if n > int64(len(r.Buf)/size) {
		r.Bad, r.Buf = true, nil
		return 0
	}
	return int(max(0, n))
}

// Str reads a string that is not null.
func (r *Reader) Str() string { return string(r.take(int(r.Int16()))) }

// NullStr reads a string that may be null.
func (r *Reader) NullStr() *string {
	n := r.Int16()
	if n == -1 || r.Bad {
		return nil
	}
	s := string(r.take(int(n)))
	return &s
}

// CompactStr reads a string of a flexible version; null is a fault.
func (r *Reader) CompactStr() string {
	n := r.Uvarint()
	return string(r.take(int(int64(n) - 1)))
}

// CompactNullStr reads a string of a flexible version that may be null.
func (r *Reader) CompactNullStr() *string {
	n := r.Uvarint()
	if n == 0 {
		return nil
	}
	s := string(r.take(int(int64(n) - 1)))
	return &s
}

// Bytes reads bytes that are not null; they point into the input.
func (r *Reader) Bytes() []byte { return r.take(int(r.Int32())) }

// CompactBytes reads bytes of a flexible version; null is a fault.
func (r *Reader) CompactBytes() []byte {
	n := r.Uvarint()
	return r.take(int(int64(n) - 1))
}

// Tags reads a section of tagged fields. Each known tag is offered to field with a reader of its bytes alone; field may be
// nil. Unknown tags are what newer versions added, and mean nothing here (KIP-915).
func (r *Reader) Tags(field func(tag uint32, body *Reader)) {
	for n := r.Uvarint(); n > 0 && !r.Bad; n-- {
		tag := r.Uvarint()
		body := Reader{Buf: r.take(int(r.Uvarint()))}
		if field != nil && !r.Bad {
			field(tag, &body)
			r.Bad = r.Bad || body.Bad
		}
	}
}

// Err is [ErrMalformed] if anything was wrong. Bytes that are left over are no fault: Kafka's own readers ignore them.
func (r *Reader) Err() error {
	if r.Bad {
		return ErrMalformed
	}
	return nil
}

// AppendStr appends a string. Its length must fit into 15 bits; the callers have refused longer ones.
func AppendStr(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

// AppendNullStr appends a string that may be null.
func AppendNullStr(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, 0xff, 0xff)
	}
	return AppendStr(dst, *s)
}

// AppendCompactStr appends a string of a flexible version.
func AppendCompactStr(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))+1), s...)
}

// AppendBytes appends bytes that are not null.
func AppendBytes(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}
