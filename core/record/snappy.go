package record

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/snappy"
)

// Snappy comes in two framings. Java writes the one of its snappy-java library ("xerial"): a 16-byte header and
// then blocks of up to 32 KiB, each after its compressed size. librdkafka, franz-go and others write one raw
// block. Both are read; the xerial one is written, as Kafka's producer does.
//
// The block encoder is our own: the libraries' encoders use assembly on some platforms whose output differs
// from the portable one, and the portable ones are not exported or clear megabytes per block.

// xerialHeader is the magic, the version and the oldest version that can read it.
const (
	xerialMagic   = "\x82SNAPPY\x00"
	xerialHeader  = xerialMagic + "\x00\x00\x00\x01\x00\x00\x00\x01"
	xerialBlock   = 32 << 10 // source bytes per block
	snappyHashLog = 13
	snappyTail    = 15 // a match does not start within this many bytes of the end, so that words can be loaded
)

// snappyTable maps the hash of four bytes to the last position in the block where they may stand. Positions
// are below 2^15; zero means position 0, which the encoder verifies like any other.
type snappyTable [1 << snappyHashLog]uint16

func appendXerial(dst, src []byte, table *snappyTable) []byte {
	dst = append(dst, xerialHeader...)
	for len(src) > 0 {
		n := min(len(src), xerialBlock)
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		dst = appendSnappyBlock(dst, src[:n], table)
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		src = src[n:]
	}
	return dst
}

// appendSnappyBlock encodes at most 32 KiB as one block: the varint of its length, then literals and copies of
// earlier bytes. Greedy, with a step that grows while nothing matches.
func appendSnappyBlock(dst, src []byte, table *snappyTable) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(src)))
	literal := 0 // start of the bytes that no copy covers yet
	if len(src) > snappyTail {
		*table = snappyTable{}
		last := len(src) - snappyTail
		for s, miss := 1, 32; s < last; {
			word := binary.LittleEndian.Uint32(src[s:])
			slot := &table[snappyHash(word)]
			candidate := int(*slot)
			*slot = uint16(s)
			if candidate >= s || binary.LittleEndian.Uint32(src[candidate:]) != word {
				s += miss >> 5
				miss++
				continue
			}
			n := 4 + matchLength(src[s+4:], src[candidate+4:])
			dst = appendSnappyLiteral(dst, src[literal:s])
			dst = appendSnappyCopy(dst, s-candidate, n)
			s += n
			literal, miss = s, 32
			if s < last {
				// The byte before the next search would otherwise never be found again.
				table[snappyHash(binary.LittleEndian.Uint32(src[s-1:]))] = uint16(s - 1)
			}
		}
	}
	return appendSnappyLiteral(dst, src[literal:])
}

func snappyHash(word uint32) uint32 { return word * 0x9e3779b1 >> (32 - snappyHashLog) }

// matchLength is the number of equal bytes at the start of a and b; a is the shorter one.
func matchLength(a, b []byte) int {
	n := 0
	for ; n+8 <= len(a); n += 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
	}
	for ; n < len(a) && a[n] == b[n]; n++ {
	}
	return n
}

// appendSnappyLiteral writes bytes that stand for themselves: tag 00 with the length less one in the tag's upper
// six bits, or in one or two bytes after it (60 and 61).
func appendSnappyLiteral(dst, literal []byte) []byte {
	n := len(literal) - 1
	switch {
	case n < 0:
		return dst
	case n < 60:
		dst = append(dst, byte(n)<<2)
	case n < 1<<8:
		dst = append(dst, 60<<2, byte(n))
	default:
		dst = append(dst, 61<<2, byte(n), byte(n>>8))
	}
	return append(dst, literal...)
}

// appendSnappyCopy writes copies of n bytes in all from offset bytes back: two-byte copies (tag 01) reach 2 KiB
// and carry 4 to 11 bytes, three-byte ones (tag 10) reach 64 KiB and carry 1 to 64.
func appendSnappyCopy(dst []byte, offset, n int) []byte {
	for n > 0 {
		if n >= 4 && n <= 11 && offset < 1<<11 {
			return append(dst, byte(offset>>8)<<5|byte(n-4)<<2|1, byte(offset))
		}
		step := min(n, 64)
		if n > 64 && n < 68 {
			step = 60 // leave at least four, so that the rest may be a short copy
		}
		dst = append(dst, byte(step-1)<<2|2, byte(offset), byte(offset>>8))
		n -= step
	}
	return dst
}

// appendSnappyDecoded reads either framing.
func appendSnappyDecoded(dst, src []byte, limit int) ([]byte, error) {
	if !bytes.HasPrefix(src, []byte(xerialMagic)) {
		return appendSnappyBlockDecoded(dst, src, limit)
	}
	if len(src) < len(xerialHeader) || binary.BigEndian.Uint32(src[len(xerialMagic):]) < 1 {
		return dst, errXerial
	}
	var err error
	end := len(dst) + limit
	for src = src[len(xerialHeader):]; len(src) > 0; {
		if len(src) < 4 || uint64(binary.BigEndian.Uint32(src)) > uint64(len(src)-4) {
			return dst, errXerial
		}
		n := 4 + int(binary.BigEndian.Uint32(src))
		if dst, err = appendSnappyBlockDecoded(dst, src[4:n], end-len(dst)); err != nil {
			return dst, err
		}
		src = src[n:]
	}
	return dst, nil
}

// appendSnappyBlockDecoded reads one block. The decoder is the strict one: the usual one also reads S2's
// extensions, which no Kafka client could.
func appendSnappyBlockDecoded(dst, src []byte, limit int) ([]byte, error) {
	size, n := binary.Uvarint(src)
	// Three bytes copy 64 at most, two bytes 11: a length beyond that is a lie, told before memory is taken.
	if n <= 0 || size > 32*uint64(len(src)) {
		return dst, errSnappy
	}
	if size > uint64(limit) {
		return dst, ErrTooLarge
	}
	start, end := len(dst), len(dst)+int(size)
	dst = slices.Grow(dst, int(size))[:end]
	if _, err := snappy.DecodeStrict(dst[start:end:end], src); err != nil {
		return dst[:start], errSnappy
	}
	return dst, nil
}
