package metadata

import (
	"encoding/binary"
	"fmt"
)

// Fault is a reason why bytes are not a record. The values are constants, compared with errors.Is.
type Fault string

// Error implements error.
func (f Fault) Error() string { return string(f) }

// What can be wrong inside a record's body. Parse wraps them with the record's name.
const (
	errShort    Fault = "bytes end early"
	errNull     Fault = "null where the schema allows none"
	errVarint   Fault = "varint is too long"
	errTrailing Fault = "bytes left over"
	errTagOrder Fault = "tagged fields are not in ascending order"
	errTooMany  Fault = "more elements than the bytes left could hold"
)

// coder walks a record's fields in schema order, in one of two directions: it appends them to buf, or it reads
// them off buf. One walk per record describes both, so that writer and reader cannot disagree. The first fault
// sticks in err; after it every step is a no-op that leaves fields at their zero value.
//
// All of Kafka's metadata schemas are flexible from version 0 on, so strings and arrays are always compact.
type coder struct {
	version int16
	reading bool
	buf     []byte // writing: the output so far; reading: what is left
	err     error
}

// fail records the first fault. Emptying the input makes every later take fail at once, so that a walk over a
// struct with a bad length ends without reading on or taking memory.
func (c *coder) fail(err error) {
	if c.err == nil {
		c.err = err
		c.buf = c.buf[:0]
	}
}

// take removes the next n bytes of the input, or fails.
func (c *coder) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n > len(c.buf) {
		c.fail(errShort)
		return nil
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

// since reports whether the schema has a field from version v on. A value that the version cannot carry is a
// fault when writing: dropping it silently would make the log say something else than the writer meant.
func (c *coder) since(v int16, present bool, field string) bool {
	if c.version >= v {
		return true
	}
	if !c.reading && present {
		c.fail(fmt.Errorf("version %d cannot carry %s (from version %d)", c.version, field, v))
	}
	return false
}

// num8, num16, num32 and num64 code Kafka's big-endian integers. They are functions because a Go method cannot
// have the type parameter that lets the fields keep their own types.
func num8[T ~int8](c *coder, p *T) {
	if !c.reading {
		c.buf = append(c.buf, byte(*p))
	} else if b := c.take(1); b != nil {
		*p = T(b[0])
	}
}

func num16[T ~int16 | ~uint16](c *coder, p *T) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint16(c.buf, uint16(*p))
	} else if b := c.take(2); b != nil {
		*p = T(binary.BigEndian.Uint16(b))
	}
}

func num32[T ~int32](c *coder, p *T) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(*p))
	} else if b := c.take(4); b != nil {
		*p = T(binary.BigEndian.Uint32(b))
	}
}

func num64[T ~int64 | ~uint64](c *coder, p *T) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(*p))
	} else if b := c.take(8); b != nil {
		*p = T(binary.BigEndian.Uint64(b))
	}
}

// uuid codes a 16-byte id, most significant byte first, as it stands in memory.
func uuid[T ~[16]byte](c *coder, p *T) {
	if !c.reading {
		b := [16]byte(*p)
		c.buf = append(c.buf, b[:]...)
	} else if b := c.take(16); b != nil {
		*p = T([16]byte(b))
	}
}

// boolean codes one byte. Like Kafka's, the reader takes any byte but 0 for true; the writer knows only 0 and 1.
func (c *coder) boolean(p *bool) {
	if !c.reading {
		b := byte(0)
		if *p {
			b = 1
		}
		c.buf = append(c.buf, b)
	} else if b := c.take(1); b != nil {
		*p = b[0] != 0
	}
}

// uvarint reads an unsigned varint of at most 32 bits, the only kind that Kafka's schemas use for lengths,
// tags, api keys and versions.
func (c *coder) uvarint() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := c.take(1)
		if b == nil {
			return 0
		}
		v |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	c.fail(errVarint)
	return 0
}

// putUvarint writes what uvarint reads.
func (c *coder) putUvarint(v uint32) {
	c.buf = binary.AppendUvarint(c.buf, uint64(v))
}

// length codes a compact length: n+1, where 0 stands for null and comes out as -1. When reading, it refuses
// a length whose elements of at least least bytes each cannot be in what is left, before anyone takes memory.
func (c *coder) length(n int, least int) int {
	if !c.reading {
		c.putUvarint(uint32(n + 1)) //nolint:gosec // lengths are far below 2^31
		return n
	}
	got := int64(c.uvarint()) - 1
	if c.err == nil && got*int64(least) > int64(len(c.buf)) {
		c.fail(errTooMany)
	}
	if c.err != nil {
		return 0
	}
	return int(got)
}

// str codes a compact string, which may not be null. The string is a copy: records outlive their batch.
func (c *coder) str(p *string) {
	n := c.length(len(*p), 1)
	switch {
	case !c.reading:
		c.buf = append(c.buf, *p...)
	case n < 0:
		c.fail(errNull)
	default:
		*p = string(c.take(n))
	}
}

// nullableStr codes a compact string or null, which is nil in Go. Null and empty are different values: a broker with
// an empty rack has one, a configuration key with an empty value is set.
func (c *coder) nullableStr(p **string) {
	switch {
	case c.reading:
		if n := c.length(0, 1); n >= 0 && c.err == nil {
			s := string(c.take(n))
			*p = &s
		}
	case *p == nil:
		c.length(-1, 1)
	default:
		c.str(*p)
	}
}

// bytes codes compact bytes, which may not be null.
func (c *coder) bytes(p *[]byte) {
	n := c.length(len(*p), 1)
	switch {
	case !c.reading:
		c.buf = append(c.buf, *p...)
	case n < 0:
		c.fail(errNull)
	case c.err == nil:
		*p = append([]byte{}, c.take(n)...)
	}
}

// array codes a compact array whose elements take at least least bytes each. A null array is a fault.
func array[T any](c *coder, p *[]T, least int, element func(*coder, *T)) {
	n := c.length(len(*p), least)
	if n < 0 {
		c.fail(errNull)
		return
	}
	elements(c, p, n, element)
}

// nullableArray is array with null, which is nil in Go; an empty array is empty but not nil.
func nullableArray[T any](c *coder, p *[]T, least int, element func(*coder, *T)) {
	n := len(*p)
	if *p == nil {
		n = -1
	}
	if n = c.length(n, least); n >= 0 {
		elements(c, p, n, element)
	}
}

// elements codes n elements; length has seen to it that n of the smallest kind fit into the input.
func elements[T any](c *coder, p *[]T, n int, element func(*coder, *T)) {
	if c.err != nil {
		return
	}
	if c.reading {
		*p = make([]T, n)
	}
	for i := range *p {
		element(c, &(*p)[i])
	}
}

// tags codes the tagged fields that close every struct of a flexible version. Writing: fields are put in
// ascending order of tag between newTags and end. Reading: newTags collects them all, field hands each to its
// walk, and those that nobody asks for are skipped, as Kafka skips them (KIP-482).
type tags struct {
	c     *coder
	count uint32
	body  []byte   // writing: the fields so far
	found []rawTag // reading
}

// rawTag is one tagged field as read, not yet understood.
type rawTag struct {
	tag  uint32
	data []byte
}

// newTags starts the tagged section. KIP-482 wants ascending tags; since a field then occurs once at most, a
// repeated tag cannot be used to smuggle a second value past a reader that looks at the first.
func newTags(c *coder) tags {
	t := tags{c: c}
	if !c.reading {
		return t
	}
	n := c.uvarint()
	if int64(n)*2 > int64(len(c.buf)) { // a tag and a size take a byte each
		c.fail(errTooMany)
	}
	for i := uint32(0); i < n && c.err == nil; i++ {
		tag := c.uvarint()
		size := c.uvarint()
		if int64(size) > int64(len(c.buf)) {
			c.fail(errShort)
		}
		if len(t.found) > 0 && tag <= t.found[len(t.found)-1].tag {
			c.fail(errTagOrder)
		}
		if c.err == nil {
			t.found = append(t.found, rawTag{tag, c.take(int(size))})
		}
	}
	return t
}

// field codes one tagged field. present says whether it differs from the schema's default, since Kafka's writer
// omits defaults: bytes that carry one would be valid but not Kafka's. When reading, the field's walk must use up
// exactly the size that the field states.
func (t *tags) field(tag uint32, present bool, walk func(*coder)) {
	sub := coder{version: t.c.version, reading: t.c.reading}
	if t.c.reading {
		for _, f := range t.found {
			if f.tag == tag && t.c.err == nil {
				sub.buf = f.data
				walk(&sub)
				if sub.err == nil && len(sub.buf) > 0 {
					sub.err = errTrailing
				}
				if sub.err != nil {
					t.c.fail(fmt.Errorf("tag %d: %w", tag, sub.err))
				}
			}
		}
		return
	}
	if !present {
		return
	}
	walk(&sub)
	t.count++
	t.body = binary.AppendUvarint(t.body, uint64(tag))
	t.body = binary.AppendUvarint(t.body, uint64(len(sub.buf)))
	t.body = append(t.body, sub.buf...)
}

// end closes the tagged section.
func (t *tags) end() {
	if !t.c.reading {
		t.c.putUvarint(t.count)
		t.c.buf = append(t.c.buf, t.body...)
	}
}

// noTags closes a struct that has no tagged fields of its own.
func (c *coder) noTags() {
	t := newTags(c)
	t.end()
}
