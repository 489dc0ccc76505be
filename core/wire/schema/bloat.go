package schema

// Bloated makes bodies of about n bytes that are valid and take as much memory for it as the message allows: for each
// array of the request, at any depth, one body in which that array has as many elements as fit, each as small as it
// can be. A last one is full of unknown tags. Only tests use it; it stands here because it needs the
// tables.
func Bloated(key, version int16, n int) [][]byte {
	m := request(key)
	if m == nil {
		return nil
	}
	arrays := 0
	countArrays(m.fields, version, &arrays)
	var out [][]byte
	for target := range arrays {
		b := bloater{version: version, flexible: version >= m.flexible, target: target, size: n}
		b.structure(m.fields)
		out = append(out, b.dst)
	}
	if version >= m.flexible {
		b := bloater{version: version, flexible: true, target: -1, size: n}
		b.structure(m.fields)
		out = append(out, b.tags())
	}
	return out
}

// countArrays numbers the untagged arrays of a structure in the order of the walk.
func countArrays(fields []field, version int16, n *int) {
	for i := range fields {
		if f := &fields[i]; f.in(version) && (f.kind == array || f.kind == list) {
			*n++
		}
		if fields[i].in(version) && fields[i].kind != list {
			countArrays(fields[i].fields, version, n)
		}
	}
}

// bloater writes one body. The way to the target array has one element each, all other arrays are empty.
type bloater struct {
	version  int16
	flexible bool
	dst      []byte
	seen     int // arrays met
	target   int
	size     int
}

func (b *bloater) structure(fields []field) {
	for i := range fields {
		if fields[i].in(b.version) {
			b.value(&fields[i])
		}
	}
	if b.flexible {
		b.dst = append(b.dst, 0)
	}
}

func (b *bloater) value(f *field) {
	switch f.kind {
	case fixed:
		b.dst = append(b.dst, make([]byte, f.size)...)
	case text:
		b.length(0, 2)
	case blob:
		b.length(0, 4)
	case list, array:
		b.array(f)
	case group:
		b.structure(f.fields)
	case optional: // there, and small
		b.dst = append(b.dst, 1)
		b.structure(f.fields)
	}
}

func (b *bloater) array(f *field) {
	at := b.seen
	b.seen++
	inner := 0
	if f.kind == array {
		countArrays(f.fields, b.version, &inner)
	}
	switch {
	case at == b.target:
		one := bloater{version: b.version, flexible: b.flexible, target: -1}
		one.element(f)
		n := max(1, b.size/max(1, len(one.dst)))
		b.length(n, 4)
		for range n {
			b.dst = append(b.dst, one.dst...)
		}
		b.seen += inner
	case b.target > at && b.target <= at+inner:
		b.length(1, 4)
		b.element(f)
	default:
		b.length(0, 4)
		b.seen += inner
	}
}

// element writes one element of an array.
func (b *bloater) element(f *field) {
	if f.kind == list {
		b.value(&f.fields[0])
		return
	}
	b.structure(f.fields)
}

// length writes the length of something that is not null.
func (b *bloater) length(n, width int) {
	switch {
	case b.flexible:
		v := uint32(n) + 1
		for ; v >= 0x80; v >>= 7 {
			b.dst = append(b.dst, byte(v)|0x80)
		}
		b.dst = append(b.dst, byte(v))
	case width == 2:
		b.dst = append(b.dst, byte(n>>8), byte(n))
	default:
		b.dst = append(b.dst, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

// tags puts unknown tags of no content in place of the body's empty last section.
func (b *bloater) tags() []byte {
	dst := b.dst[:len(b.dst)-1]
	n := b.size / 5
	v := uint32(n)
	for ; v >= 0x80; v >>= 7 {
		dst = append(dst, byte(v)|0x80)
	}
	dst = append(dst, byte(v))
	for i := range n { // a tag number of four bytes and a size of one
		tag := uint32(1<<21 + i)
		dst = append(dst, byte(tag)|0x80, byte(tag>>7)|0x80, byte(tag>>14)|0x80, byte(tag>>21), 0)
	}
	return dst
}
