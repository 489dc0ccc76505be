package transport

import (
	"math/bits"
	"sync"
)

// What is kept for reuse has between leastRoom and mostRoom bytes. Each power of two is divided into steps.
const (
	leastRoom = 64 << 10
	mostRoom  = 16 << 20
	roomSteps = 4
)

// Rooms keeps the memory of large frames for the next ones: a broker that receives a GB/s would otherwise clear as much, fault it in, and
// collect it. What is not taken again goes with the garbage, at the second collection (sync.Pool). It is a conn.Memory;
// the zero value is ready for use, from any goroutine.
type Rooms struct {
	free [roomSteps*8 + 1]sync.Pool // of *[]byte, by class
}

// classOf is the largest class whose size is not above n, which is within the bounds.
func classOf(n int) int {
	octave := bits.Len(uint(n / leastRoom))
	base := leastRoom << (octave - 1)
	return (octave-1)*roomSteps + (n-base)/(base/roomSteps)
}

// sizeOf is the size of a class in bytes.
func sizeOf(class int) int {
	base := leastRoom << (class / roomSteps)
	return base + class%roomSteps*(base/roomSteps)
}

// Take is room for at least size bytes, with whatever was in it last: at most twice as large where it is used again, a quarter larger
// where it is new.
func (r *Rooms) Take(size int) []byte {
	if size < leastRoom || size > mostRoom {
		return make([]byte, 0, size)
	}
	class := classOf(size)
	if sizeOf(class) < size {
		class++
	}
	for c := class; c < min(class+roomSteps, len(r.free)); c++ {
		if b, ok := r.free[c].Get().(*[]byte); ok {
			return (*b)[:0]
		}
	}
	return make([]byte, 0, sizeOf(class))
}

// Give keeps room, unless it is too small or too large to be of use.
func (r *Rooms) Give(room []byte) {
	if n := cap(room); n >= leastRoom && n <= mostRoom {
		r.free[classOf(n)].Put(&room)
	}
}
