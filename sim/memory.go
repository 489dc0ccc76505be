package sim

import (
	"slices"

	"github.com/klamm-log/klamm/core/invariant"
)

// memory is where the connections of one incarnation have their frames from. What is given back is spoiled at once and lent again as
// soon as it is large enough for a frame: whoever still uses it reads garbage, or somebody else's request. A real node does so with
// large frames only (transport.Rooms).
type memory struct {
	free [][]byte           // the one that was given back last is lent first
	kept map[*byte]struct{} // the first bytes of those
}

func newMemory() *memory { return &memory{kept: make(map[*byte]struct{})} }

// spoil is what memory holds that was given back.
const spoil = 0xa5

// Take implements conn.Memory.
func (m *memory) Take(size int) []byte {
	for i := len(m.free) - 1; i >= 0 && size > 0; i-- {
		if b := m.free[i]; cap(b) >= size {
			m.free = slices.Delete(m.free, i, i+1)
			delete(m.kept, &b[:1][0])
			return b[:0]
		}
	}
	return make([]byte, 0, size)
}

// mostKept bounds the list; what is beyond it is left to the garbage collector.
const mostKept = 64

// Give implements conn.Memory. To give something back twice is a broken invariant: two frames would share it.
func (m *memory) Give(b []byte) {
	if cap(b) == 0 {
		return
	}
	b = b[:cap(b)]
	if _, twice := m.kept[&b[0]]; twice {
		invariant.Fail("a frame of %d bytes was given back twice", len(b))
	}
	for i := range b {
		b[i] = spoil
	}
	if len(m.free) < mostKept {
		m.kept[&b[0]] = struct{}{}
		m.free = append(m.free, b)
	}
}
