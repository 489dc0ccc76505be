package record

import (
	"errors"

	"github.com/klauspost/compress/zstd"
)

// Bounds of the zstd format (RFC 8878).
const (
	zstdBlockMax = 128 << 10 // the most that a block yields
	// zstdWindowMax is the largest window that Kafka's own decoder accepts (zstd's default, 2^27), so that no batch
	// is admitted that Java consumers cannot read; a Java producer of level 22 states that much for any batch.
	zstdWindowMax = 128 << 20
	// zstdWindowSafe is what the RFC asks of every decoder. The library lets the output grow to the stated window
	// before it checks, so a larger window is accepted only where the blocks cannot yield more than this or than
	// the caller's limit.
	zstdWindowSafe = 8 << 20
	zstdWindowMin  = 1 << 10
)

func (c *Codecs) compressZstd(dst, src []byte) []byte {
	if c.zstdWrite == nil {
		// SpeedDefault is about zstd's level 3, the default of Kafka's producer. One thread, no dictionary, a window
		// that covers usual batches: the output is a function of src. The options are valid, so there is no error.
		c.zstdWrite, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault),
			zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
	}
	return c.zstdWrite.EncodeAll(src, dst)
}

// decompressZstd reads one or more frames. The library appends block by block and stops when a block has gone
// beyond the limit. (Its other limit, the target's capacity, is reported differently on different platforms.)
func (c *Codecs) decompressZstd(dst, src []byte, limit int) ([]byte, error) {
	most, window, err := measureZstd(src, limit)
	if err != nil {
		return dst, err
	}
	if room := max(zstdWindowSafe, uint64(limit)); uint64(most) > room && window > room {
		return dst, errZstd
	}
	if err := c.limitZstd(max(uint64(limit), window)); err != nil {
		return dst, err
	}
	start := len(dst)
	out, err := c.zstdRead.DecodeAll(src, dst[start:start])
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded) || err == nil && len(out) > limit:
		return dst, ErrTooLarge
	case err != nil:
		return dst, errZstd
	case start == 0:
		return out, nil
	}
	return append(dst, out...), nil
}

// limitZstd makes the decoder, or changes its limit, which callers rarely vary.
func (c *Codecs) limitZstd(limit uint64) (err error) {
	switch {
	case c.zstdRead == nil:
		c.zstdRead, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdWindowMax), zstd.WithDecoderMaxMemory(limit))
	case c.zstdLimit != limit:
		err = c.zstdRead.ResetWithOptions(nil, zstd.WithDecoderMaxMemory(limit))
	}
	c.zstdLimit = limit
	return err
}

// measureZstd walks the headers of frames and blocks, without decoding: most is what they can yield at most,
// window the largest that a frame asks for. A frame that states more content than its blocks can yield lies, and
// is found out before memory is taken for it; one that states more than the limit is [ErrTooLarge].
func measureZstd(src []byte, limit int) (most int64, window uint64, err error) {
	window = zstdWindowMin
	for len(src) > 0 {
		var frame zstd.Header
		if frame.Decode(src) != nil {
			return 0, 0, errZstd
		}
		src = src[frame.HeaderSize:]
		if frame.Skippable {
			if uint64(frame.SkippableSize) > uint64(len(src)) {
				return 0, 0, errZstd
			}
			src = src[frame.SkippableSize:]
			continue
		}
		if !frame.SingleSegment {
			window = max(window, frame.WindowSize)
		}
		var yield int64
		if yield, src, err = measureBlocks(src); err != nil {
			return 0, 0, err
		}
		if frame.HasCheckSum {
			if len(src) < 4 {
				return 0, 0, errZstd
			}
			src = src[4:]
		}
		switch {
		case frame.HasFCS && frame.FrameContentSize > uint64(yield):
			return 0, 0, errZstd
		case frame.HasFCS && frame.FrameContentSize > uint64(limit):
			return 0, 0, ErrTooLarge
		}
		most += yield
	}
	return most, window, nil
}

// measureBlocks walks one frame's blocks: three bytes each of last flag, type and size, then the content.
func measureBlocks(src []byte) (most int64, rest []byte, err error) {
	for last := false; !last; {
		if len(src) < 3 {
			return 0, src, errZstd
		}
		word := uint32(src[0]) | uint32(src[1])<<8 | uint32(src[2])<<16
		last = word&1 != 0
		size := int(word >> 3)
		content := size
		switch word >> 1 & 3 {
		case 0: // raw
			most += int64(size)
		case 1: // one byte, repeated
			most += int64(size)
			content = 1
		case 2: // compressed
			most += zstdBlockMax
		default:
			return 0, src, errZstd
		}
		if src = src[3:]; content > len(src) {
			return 0, src, errZstd
		}
		src = src[content:]
	}
	return most, src, nil
}
