package transport

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHeavyCheck: memory is given back when much was taken, not when a batch that was refused at a glance might have taken it.
func TestHeavyCheck(t *testing.T) {
	collections := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumForcedGC
	}
	heavy := oneAtATime()
	before := collections()
	for range 1000 {
		heavy(func() int64 { return 4 * largeCheck })
	}
	require.Equal(t, before, collections())
	var bomb []byte
	heavy(func() int64 {
		bomb = make([]byte, 2*largeCheck)
		return 4 * largeCheck
	})
	require.Equal(t, before+1, collections())
	require.Len(t, bomb, 2*largeCheck)
}

func BenchmarkHeavyCheck(b *testing.B) {
	heavy := oneAtATime()
	for b.Loop() {
		heavy(func() int64 { return 0 })
	}
}
