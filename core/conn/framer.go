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
	forget       = 8        // this part of what earlier frames have earned is lost with each later one
	trustCeiling = 16 << 20 // most that earlier frames earn a later one
)

// Memory lends room for frames. What it lends may hold anything.
type Memory interface {
	// Take is an empty slice with a capacity of at least size bytes.
	Take(size int) []byte
	// Give takes back what nobody uses any more.
	Give(room []byte)
}

// Framer cuts a byte stream into frames. Every frame is memory of its own that the framer does not touch again.
//
// Memory follows what was received: a frame's buffer starts at 64 KiB. When that is full it grows to the size of the frames that this
// connection did send in full of late, and doubles from then on. So what a connection holds is at most three times what it sent, for the
// moment of growing, or as much as is left of its earlier frames' size; where memory lends larger rooms than it is asked for, by so much more.
//
// Bytes come in either by [Framer.Feed], which copies, or by [Framer.Space] and [Framer.Advance], which let a
// socket read straight into a large frame's memory.
type Framer struct {
	max     int32
	memory  Memory // nil: the heap
	staging []byte // [r:w] are received and not yet cut
	r, w    int
	frame   []byte // the frame being assembled in memory of its own, nil if none
	want    int    // its final length
	trust   int    // length of frames received in full; the longest is forgotten bit by bit
	err     error
}

// NewFramer is a framer that refuses frames longer than maxFrame bytes. Memory may be nil.
func NewFramer(maxFrame int32, memory Memory) Framer { return Framer{max: maxFrame, memory: memory} }

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
	f.frame = f.take(min(f.want, firstBuffer))
	return f.assemble(), nil
}

// Buffered is the number of bytes received and not yet given out; a stream that ends with some was cut short.
func (f *Framer) Buffered() int {
	if f.frame != nil { // its length has come at least
		return lengthSize + len(f.frame) + f.w - f.r
	}
	return f.w - f.r
}

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
	out := f.frame[:f.want] // with all of its capacity: it may be given back
	f.trust = min(max(f.want, f.trust-f.trust/forget), trustCeiling)
	f.frame, f.want = nil, 0
	return out
}

// grow makes room for at least one more byte of the frame.
func (f *Framer) grow() {
	if len(f.frame) < cap(f.frame) || len(f.frame) == f.want {
		return
	}
	bigger := append(f.take(min(f.want, max(2*cap(f.frame), f.trust))), f.frame...)
	if f.memory != nil {
		f.memory.Give(f.frame)
	}
	f.frame = bigger
}

// take is room for a frame, or for its beginning.
func (f *Framer) take(size int) []byte {
	if f.memory == nil {
		return make([]byte, 0, size)
	}
	return f.memory.Take(size)
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
