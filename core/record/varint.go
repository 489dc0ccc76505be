package record

import "math/bits"

// Records use zigzag varints of 32 and 64 bits. The readers take a position and return the next one, or -1 if
// the varint is cut off or does not fit its type; a position of -1 stays -1, so a caller checks once after a
// row of fields. Padded forms (0x80 0x00 for 0) are read, as Kafka reads them.

// short reads a varint of one or two bytes at b[pos] without undoing the zigzag; next is -1 if it is longer or
// less than two bytes are left. It is small enough to be inlined, and most varints of a record are short.
func short(b []byte, pos int) (u uint32, next int) {
	if pos+2 > len(b) {
		return 0, -1
	}
	x := uint32(b[pos])
	if x < 0x80 {
		return x, pos + 1
	}
	return x&0x7f | uint32(b[pos+1])<<7, pos + 2 | -int(b[pos+1]>>7)
}

// unzigzag is the signed number that u stands for.
func unzigzag(u uint32) int32 { return int32(u>>1) ^ -int32(u&1) }

// varint32 reads a zigzag varint of at most 32 bits at b[pos]. One-byte values are the common case.
func varint32(b []byte, pos int) (v int32, next int) {
	if uint(pos) < uint(len(b)) && b[pos] < 0x80 {
		return int32(b[pos]>>1) ^ -int32(b[pos]&1), pos + 1
	}
	return varint32Long(b, pos)
}

func varint32Long(b []byte, pos int) (v int32, next int) {
	u, next := uvarint(b, pos, 5, 0x0f)
	return int32(uint32(u)>>1) ^ -int32(u&1), next
}

// varint64 reads a zigzag varint of at most 64 bits at b[pos].
func varint64(b []byte, pos int) (v int64, next int) {
	if uint(pos) < uint(len(b)) && b[pos] < 0x80 {
		return int64(b[pos]>>1) ^ -int64(b[pos]&1), pos + 1
	}
	return varint64Long(b, pos)
}

func varint64Long(b []byte, pos int) (v int64, next int) {
	u, next := uvarint(b, pos, 10, 0x01)
	return int64(u>>1) ^ -int64(u&1), next
}

// uvarint reads at most most bytes; the last of these may have only the bits of lastMask, because others would
// be shifted out of the type. Kafka drops such bits, so that two encodings would stand for one length.
func uvarint(b []byte, pos, most int, lastMask byte) (u uint64, next int) {
	if pos < 0 {
		return 0, -1
	}
	for i := 0; i < most && pos+i < len(b); i++ {
		x := b[pos+i]
		if i == most-1 && x > lastMask {
			return 0, -1
		}
		u |= uint64(x&0x7f) << (7 * i)
		if x < 0x80 {
			return u, pos + i + 1
		}
	}
	return 0, -1
}

func appendVarint32(dst []byte, v int32) []byte {
	return appendUvarint(dst, uint64(uint32(v<<1)^uint32(v>>31)))
}

func appendVarint64(dst []byte, v int64) []byte {
	return appendUvarint(dst, uint64(v<<1)^uint64(v>>63))
}

func appendUvarint(dst []byte, u uint64) []byte {
	for u >= 0x80 {
		dst = append(dst, byte(u)|0x80)
		u >>= 7
	}
	return append(dst, byte(u))
}

func sizeVarint32(v int32) int { return sizeUvarint(uint64(uint32(v<<1) ^ uint32(v>>31))) }

func sizeVarint64(v int64) int { return sizeUvarint(uint64(v<<1) ^ uint64(v>>63)) }

func sizeUvarint(u uint64) int { return (bits.Len64(u|1) + 6) / 7 }
