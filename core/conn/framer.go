package conn

import (
	"encoding/binary"
	"fmt"
)

// Sizes of a Framer's buffers, in bytes.
const (
	lengthSize   = 4
	stagingMin   = 4 << 10
	stagingMax   = 64 << 10
	firstBuffer  = 64 << 10 // taken for a longer frame before its bytes are there
	trustCeiling = 4 << 20  // most that earlier frames earn a later one
)

// Framer cuts a byte stream into frames. Every frame is memory of its own that the framer does not touch again.
//
// Memory follows what was received: a frame's buffer starts at 64 KiB, or at the size of the last frame that this
// connection did send in full, and doubles as it fills. So a connection holds at most three times what it sent,
// for the moment of growing.
//
// Bytes come in either by [Framer.Feed], which copies, or by [Framer.Space] and [Framer.Advance], which let a
// socket read straight into a large frame's memory.
type Framer struct {
	max     int32
	staging []byte // [r:w] are received and not yet cut
	r, w    int
	frame   []byte // the frame being assembled in memory of its own, nil if none
	want    int    // its final length
	trust   int    // length of the last large frame received in full
	err     error
}

// NewFramer is a framer that refuses frames longer than maxFrame bytes.
func NewFramer(maxFrame int32) Framer { return Framer{max: maxFrame} }

// Space is memory for the next bytes of the stream, never empty. [Framer.Advance] says how many were written to
// it. All frames must have been taken by [Framer.Next] before.
func (f *Framer) Space() []byte {
	if f.frame != nil && f.want-len(f.frame) > stagingMin {
		f.grow()
		return f.frame[len(f.frame):min(cap(f.frame), f.want)]
	}
	if f.w == len(f.staging) {
		f.makeRoom(stagingMin)
	}
	return f.staging[f.w:]
}

// Advance takes the first n bytes of [Framer.Space] as received.
func (f *Framer) Advance(n int) {
	if f.frame != nil && f.want-len(f.frame) > stagingMin {
		f.frame = f.frame[:len(f.frame)+n]
		return
	}
	f.w += n
}

// Feed appends received bytes. It copies them.
func (f *Framer) Feed(b []byte) {
	if f.frame != nil && f.r == f.w { // else staged bytes come first
		for len(b) > 0 && len(f.frame) < f.want {
			f.grow()
			n := min(cap(f.frame), f.want) - len(f.frame)
			n = min(n, len(b))
			f.frame, b = append(f.frame, b[:n]...), b[n:]
		}
	}
	if len(b) > 0 {
		f.makeRoom(len(b))
		f.w += copy(f.staging[f.w:], b)
	}
}

// Next is the next whole frame without its length field, or nil if more bytes are needed. The error is
// [ErrFrameLength] and stays.
func (f *Framer) Next() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	if f.frame != nil {
		return f.assemble(), nil
	}
	have := f.w - f.r
	if have < lengthSize {
		return nil, nil
	}
	size := int32(binary.BigEndian.Uint32(f.staging[f.r:]))
	if size < 0 || size > f.max {
		f.err = fmt.Errorf("%w: %d, limit %d", ErrFrameLength, size, f.max)
		return nil, f.err
	}
	f.r += lengthSize
	f.want = int(size)
	f.frame = make([]byte, 0, min(f.want, max(firstBuffer, f.trust)))
	return f.assemble(), nil
}

// Buffered is the number of bytes received and not yet given out; a stream that ends with some was cut short.
func (f *Framer) Buffered() int { return f.w - f.r + len(f.frame) }

// Held is the number of bytes of memory that unfinished frames hold.
func (f *Framer) Held() int { return cap(f.frame) + len(f.staging) }

// assemble moves staged bytes into the frame and returns it when it is whole.
func (f *Framer) assemble() []byte {
	for f.r < f.w && len(f.frame) < f.want {
		f.grow()
		n := min(f.w-f.r, min(cap(f.frame), f.want)-len(f.frame))
		f.frame = append(f.frame, f.staging[f.r:f.r+n]...)
		f.r += n
	}
	if f.r == f.w {
		f.r, f.w = 0, 0
		if len(f.staging) > stagingMax { // a long Feed made it so
			f.staging = nil
		}
	}
	if len(f.frame) < f.want {
		return nil
	}
	out := f.frame[:f.want:f.want]
	if f.want > firstBuffer {
		f.trust = min(f.want, trustCeiling)
	}
	f.frame, f.want = nil, 0
	return out
}

// grow makes room for at least one more byte of the frame.
func (f *Framer) grow() {
	if len(f.frame) < cap(f.frame) || len(f.frame) == f.want {
		return
	}
	bigger := make([]byte, len(f.frame), min(f.want, 2*cap(f.frame)))
	copy(bigger, f.frame)
	f.frame = bigger
}

// makeRoom makes staging hold n more bytes. A buffer that filled up in one go is doubled, up to a bound: the
// connection is busy with frames that fit into it.
func (f *Framer) makeRoom(n int) {
	have := f.w - f.r
	if f.r > 0 && len(f.staging)-have >= n {
		copy(f.staging, f.staging[f.r:f.w])
		f.r, f.w = 0, have
		return
	}
	if len(f.staging)-f.w >= n {
		return
	}
	size := max(stagingMin, min(2*len(f.staging), stagingMax), have+n)
	bigger := make([]byte, size)
	copy(bigger, f.staging[f.r:f.w])
	f.staging, f.r, f.w = bigger, 0, have
}
