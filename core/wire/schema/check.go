package schema

import (
	"encoding/binary"
	"fmt"
)

// Error is a way in which bytes fail to be a message. The values are constants; compare with errors.Is.
type Error string

// Error makes the value an error.
func (e Error) Error() string { return string(e) }

// The errors.
const (
	// ErrUnknown is a key that has no schema.
	ErrUnknown Error = "schema: unknown key"
	// ErrTruncated is a message that ends before its last field, or a length beyond the end.
	ErrTruncated Error = "schema: message ends early"
	// ErrLength is a negative length, or null where null cannot stand.
	ErrLength Error = "schema: impossible length"
	// ErrCost is a message whose decoding would take more memory than the caller allows.
	ErrCost Error = "schema: message takes too much memory"
)

// Cost is an upper bound of the memory that decoding a message takes, in bytes, beyond the message itself.
type Cost int64

// Costs of what the Go runtime adds, in bytes.
const (
	costFirstTag = 400 // a map with room for eight
	costNextTag  = 200 // its growth
)

// CheckRequest walks a request body. Whatever would make decoding take more than limit is refused. The error names the field and matches one of this package's; the cost is
// valid without an error only.
func CheckRequest(key, version int16, body []byte, limit Cost) (Cost, error) {
	return check(request(key), key, version, body, limit)
}

// CheckResponse walks the body of the response to a request of this key and version.
func CheckResponse(key, version int16, body []byte, limit Cost) (Cost, error) {
	return check(response(key), key, version, body, limit)
}

func check(m *message, key, version int16, body []byte, limit Cost) (Cost, error) {
	if m == nil || version < 0 {
		return 0, fmt.Errorf("%w: %d version %d", ErrUnknown, key, version)
	}
	w := walker{src: body, version: version, flexible: version >= m.flexible, limit: limit}
	w.take(m.size)
	w.structure(m.fields)
	if w.err != "" {
		return 0, fmt.Errorf("%w: %s version %d, field %q", w.err, m.name, version, w.field)
	}
	return w.cost, nil
}

// walker is one walk in progress. After an error everything else is skipped.
type walker struct {
	src      []byte // what is left
	version  int16
	flexible bool
	cost     Cost
	limit    Cost
	err      Error
	field    string // where the error is
}

func (w *walker) fail(err Error) {
	if w.err == "" {
		w.err = err
	}
}

// take accounts for one allocation of n bytes. The runtime rounds up: to 16 bytes and by an eighth in small
// objects, to a page in large ones.
func (w *walker) take(n int64) {
	if n <= 0 {
		return
	}
	w.cost += Cost((n + 15) &^ 15)
	w.cost += Cost(n / 8)
	if n > 32<<10 {
		w.cost += 8 << 10
	}
	if w.cost > w.limit {
		w.fail(ErrCost)
	}
}

// skip steps over n bytes.
func (w *walker) skip(n int64) {
	if n > int64(len(w.src)) {
		w.fail(ErrTruncated)
		return
	}
	w.src = w.src[n:]
}

// structure walks the fields of one structure and its tagged section.
func (w *walker) structure(fields []field) {
	for i := range fields {
		f := &fields[i]
		if !f.in(w.version) {
			continue
		}
		if w.value(f); w.err != "" {
			w.name(f)
			return
		}
	}
	if w.flexible {
		w.tags(fields)
	}
}

// name records the innermost field of an error.
func (w *walker) name(f *field) {
	if w.field == "" {
		w.field = f.name
	}
}

// value walks one field.
func (w *walker) value(f *field) {
	switch f.kind {
	case fixed:
		w.skip(f.size)
	case text:
		w.text(f)
	case blob:
		if n := w.length(f, 4); n > 0 {
			w.skip(n)
		}
	case list:
		w.list(f)
	case array:
		n := w.elements(f)
		for ; n > 0 && w.err == ""; n-- {
			w.structure(f.fields)
		}
	case group:
		w.structure(f.fields)
	case optional:
		w.optional(f)
	}
}

// maxText is the longest string in bytes, in compact form too, as in Kafka: what one version of an API carries must fit into
// the others, and into the records of the metadata log.
const maxText = 1<<15 - 1

func (w *walker) text(f *field) {
	n := w.length(f, 2)
	if n > maxText {
		w.fail(ErrLength)
	}
	if n < 0 || w.err != "" {
		return
	}
	w.skip(n)
	w.take(n)
	w.take(f.size)
}

func (w *walker) list(f *field) {
	n := w.elements(f)
	element := &f.fields[0]
	if element.kind == fixed {
		w.skip(n * element.size) // both are below 2^31
		return
	}
	for ; n > 0 && w.err == ""; n-- {
		w.value(element)
	}
}

// elements reads an array's length and accounts for its elements. Each takes a byte at least, so a count beyond
// what is left is refused before it is walked.
func (w *walker) elements(f *field) int64 {
	n := w.length(f, 4)
	if n <= 0 || w.err != "" {
		return 0
	}
	if n > int64(len(w.src)) {
		w.fail(ErrTruncated)
		return 0
	}
	w.take(n * f.size)
	return n
}

func (w *walker) optional(f *field) {
	if len(w.src) == 0 {
		w.fail(ErrTruncated)
		return
	}
	present := int8(w.src[0])
	w.src = w.src[1:]
	switch {
	case present < -1:
		w.fail(ErrLength)
	case present >= 0:
		w.take(f.size)
		w.structure(f.fields)
	}
}

// length reads a length, compact or of the given number of bytes; -1 is null where null may stand.
func (w *walker) length(f *field, width int) int64 {
	n := int64(0)
	switch {
	case w.flexible:
		n = int64(w.uvarint()) - 1
	case len(w.src) < width:
		w.fail(ErrTruncated)
	case width == 2:
		n = int64(int16(binary.BigEndian.Uint16(w.src)))
		w.src = w.src[2:]
	default:
		n = int64(int32(binary.BigEndian.Uint32(w.src)))
		w.src = w.src[4:]
	}
	if n < -1 || n == -1 && (!f.nullable || w.version < f.nullSince) {
		w.fail(ErrLength)
	}
	return n
}

// uvarint reads an unsigned varint of at most 32 bits.
func (w *walker) uvarint() uint32 {
	v, n := Uvarint(w.src)
	if n == 0 {
		w.fail(ErrTruncated)
		return 1 // as a length: empty
	}
	w.src = w.src[n:]
	return v
}

// tags walks a section of tagged fields. Each takes two bytes at least.
func (w *walker) tags(fields []field) {
	n := int64(w.uvarint())
	if w.err == "" && n == 0 {
		return
	}
	if n*2 > int64(len(w.src)) {
		w.fail(ErrTruncated)
	}
	unknown := 0
	for ; n > 0 && w.err == ""; n-- {
		tag, size := w.uvarint(), int64(w.uvarint())
		if size > int64(len(w.src)) {
			w.fail(ErrTruncated)
		}
		if w.err != "" {
			break
		}
		if f := tagged(fields, tag); f != nil {
			w.tag(f, size)
			continue
		}
		w.src = w.src[size:]
		if unknown++; unknown == 1 {
			w.take(costFirstTag)
		} else {
			w.take(costNextTag)
		}
	}
	if w.err != "" && w.field == "" {
		w.field = "tagged fields"
	}
}

// tag walks a tagged field, which must fill its size.
func (w *walker) tag(f *field, size int64) {
	rest := w.src[size:]
	w.src = w.src[:size]
	w.value(f)
	if w.err == "" && len(w.src) > 0 {
		w.fail(ErrLength)
	}
	if w.err != "" {
		w.name(f)
	}
	w.src = rest
}

// tagged finds a structure's tagged field by its number.
func tagged(fields []field, tag uint32) *field {
	for i := range fields {
		if fields[i].tagged && fields[i].tag == tag {
			return &fields[i]
		}
	}
	return nil
}

// Uvarint reads an unsigned varint (KIP-482) and the number of bytes it has; that is 0 if src ends within it or if
// it has more than 32 bits.
func Uvarint(src []byte) (v uint32, n int) {
	for i := range min(len(src), 5) {
		b := src[i]
		if i == 4 && b > 0x0f {
			return 0, 0
		}
		v |= uint32(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
