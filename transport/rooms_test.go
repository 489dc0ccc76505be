package transport

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is taken has the size that was asked for and not much more, new or used.
func TestRooms(t *testing.T) {
	var r Rooms
	for size := 1; size <= 2*mostRoom; size += 1 + size/7 {
		room := r.Take(size)
		require.Empty(t, room)
		require.GreaterOrEqual(t, cap(room), size)
		require.LessOrEqual(t, cap(room), max(leastRoom, size+size/roomSteps+1), "new room for %d", size)
		r.Give(room[:size])
		again := r.Take(max(1, size-size/3))
		require.GreaterOrEqual(t, cap(again), size-size/3)
		require.LessOrEqual(t, cap(again), max(2*leastRoom, 2*size), "used room for %d", size)
	}
	require.Equal(t, len(r.free)-1, classOf(mostRoom))
	for class := range r.free {
		require.Equal(t, class, classOf(sizeOf(class)))
		require.Equal(t, class, classOf(sizeOf(class+1)-1))
	}
	r.Give(make([]byte, 10)) // too small to be kept
	r.Give(nil)
}
