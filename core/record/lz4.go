package record

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/pierrec/lz4/v4"
)

// LZ4 frames are written and read here, around the library's block functions: Kafka allows a small part of the
// frame format, and frames in memory need neither the library's goroutines nor its buffer pools.
//
// Written as Kafka's producer does: independent blocks of 64 KiB, no checksums, no content size. Read: what
// Kafka's KafkaLZ4BlockInputStream reads, which excludes dependent blocks, dictionaries and skippable frames;
// unlike Kafka we verify the content checksum and size when they are there.

const (
	lz4Magic         = 0x184D2204
	lz4BlockSize     = 64 << 10
	lz4Uncompressed  = 1 << 31 // in a block's size: the block is stored
	lz4Header        = "\x04\x22\x4d\x18" + "\x60\x40\x82"
	lz4Version       = 0x40
	lz4VersionMask   = 0xc0
	lz4Independent   = 0x20
	lz4BlockSum      = 0x10
	lz4ContentSize   = 0x08
	lz4ContentSum    = 0x04
	lz4ReservedFLG   = 0x02
	lz4Dictionary    = 0x01
	lz4ReservedBD    = 0x8f
	lz4MaxExpansion  = 255 // a length byte of a block stands for up to 255 bytes
	lz4DescriptorMin = 7   // magic, FLG, BD, HC
)

func appendLZ4Frame(dst, src []byte, c *lz4.Compressor) []byte {
	dst = append(dst, lz4Header...)
	for len(src) > 0 {
		n := min(len(src), lz4BlockSize)
		at := len(dst)
		dst = slices.Grow(dst, 4+n)
		// A target no longer than the source makes the library report what does not shrink, as 0 or an error.
		size, err := c.CompressBlock(src[:n], dst[at+4:at+4+n])
		if err != nil || size == 0 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(n)|lz4Uncompressed)
			dst = append(dst, src[:n]...)
		} else {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
			dst = dst[:at+4+size]
		}
		src = src[n:]
	}
	return append(dst, 0, 0, 0, 0)
}

// lz4Frame is a parsed frame descriptor.
type lz4Frame struct {
	flags       byte
	blockSize   int    // largest block, decompressed
	contentSize uint64 // if flags has lz4ContentSize
}

func parseLZ4Header(src []byte) (f lz4Frame, rest []byte, err error) {
	if len(src) < lz4DescriptorMin || binary.LittleEndian.Uint32(src) != lz4Magic {
		return f, src, errLZ4Header
	}
	flg, bd := src[4], src[5]
	if flg&lz4VersionMask != lz4Version || flg&lz4Independent == 0 ||
		flg&(lz4ReservedFLG|lz4Dictionary) != 0 || bd&lz4ReservedBD != 0 || bd>>4 < 4 {
		return f, src, errLZ4Header
	}
	f = lz4Frame{flags: flg, blockSize: 1 << (8 + 2*int(bd>>4))}
	sum := 6
	if flg&lz4ContentSize != 0 {
		if sum += 8; len(src) <= sum {
			return f, src, errLZ4Header
		}
		f.contentSize = binary.LittleEndian.Uint64(src[6:])
	}
	if byte(xxh32(src[4:sum])>>8) != src[sum] {
		return f, src, errLZ4Sum
	}
	return f, src[sum+1:], nil
}

// appendLZ4Decoded reads exactly one frame.
func appendLZ4Decoded(dst, src []byte, limit int) ([]byte, error) {
	f, src, err := parseLZ4Header(src)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	for {
		if len(src) < 4 {
			return dst, errLZ4Frame
		}
		word := binary.LittleEndian.Uint32(src)
		src = src[4:]
		if word == 0 {
			return dst, f.finish(dst[start:], src)
		}
		size := uint64(word &^ lz4Uncompressed)
		if size > uint64(len(src)) || size > uint64(f.blockSize) {
			return dst, errLZ4Frame
		}
		block := src[:size]
		src = src[size:]
		if f.flags&lz4BlockSum != 0 {
			if len(src) < 4 {
				return dst, errLZ4Frame
			}
			if xxh32(block) != binary.LittleEndian.Uint32(src) {
				return dst, errLZ4Sum
			}
			src = src[4:]
		}
		if dst, err = f.appendBlock(dst, block, word&lz4Uncompressed != 0, limit-(len(dst)-start)); err != nil {
			return dst, err
		}
	}
}

// appendBlock decodes one block into at most room bytes.
func (f *lz4Frame) appendBlock(dst, block []byte, stored bool, room int) ([]byte, error) {
	if stored {
		if len(block) > room {
			return dst, ErrTooLarge
		}
		return append(dst, block...), nil
	}
	if len(block) == 0 {
		return dst, errLZ4Frame
	}
	if room == 0 {
		return dst, ErrTooLarge // also, the library reads the first byte of a target that has none
	}
	most := min(f.blockSize, saturatingMul(len(block), lz4MaxExpansion))
	dst = slices.Grow(dst, min(most, room))
	n, err := lz4.UncompressBlock(block, dst[len(dst):len(dst)+min(most, room)])
	switch {
	case err == nil:
		return dst[:len(dst)+n], nil
	case most <= room:
		return dst, errLZ4Frame
	}
	// The library does not tell "no room" from "damaged". Either way the batch is refused.
	return dst, ErrTooLarge
}

// finish checks what follows the end mark.
func (f *lz4Frame) finish(content, src []byte) error {
	if f.flags&lz4ContentSum != 0 {
		if len(src) < 4 {
			return errLZ4Frame
		}
		if xxh32(content) != binary.LittleEndian.Uint32(src) {
			return errLZ4Sum
		}
		src = src[4:]
	}
	if f.flags&lz4ContentSize != 0 && f.contentSize != uint64(len(content)) {
		return errLZ4Frame
	}
	if len(src) > 0 {
		return errLZ4Tail
	}
	return nil
}

// xxh32 is the 32-bit xxHash with seed 0, the checksum of LZ4 frames.
func xxh32(b []byte) uint32 {
	const p1, p2, p3, p4, p5 uint32 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
	size := uint32(len(b))
	h := p5
	if len(b) >= 16 {
		var zero uint32
		v1, v2, v3, v4 := zero+p1+p2, zero+p2, zero, zero-p1
		for ; len(b) >= 16; b = b[16:] {
			v1 = bits.RotateLeft32(v1+binary.LittleEndian.Uint32(b)*p2, 13) * p1
			v2 = bits.RotateLeft32(v2+binary.LittleEndian.Uint32(b[4:])*p2, 13) * p1
			v3 = bits.RotateLeft32(v3+binary.LittleEndian.Uint32(b[8:])*p2, 13) * p1
			v4 = bits.RotateLeft32(v4+binary.LittleEndian.Uint32(b[12:])*p2, 13) * p1
		}
		h = bits.RotateLeft32(v1, 1) + bits.RotateLeft32(v2, 7) + bits.RotateLeft32(v3, 12) + bits.RotateLeft32(v4, 18)
	}
	h += size
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*p3, 17) * p4
	}
	for _, x := range b {
		h = bits.RotateLeft32(h+uint32(x)*p5, 11) * p1
	}
	h = (h ^ h>>15) * p2
	h = (h ^ h>>13) * p3
	return h ^ h>>16
}
