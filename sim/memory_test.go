package sim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is given back is spoiled and lent again, and nothing is given back twice unless it was lent again.
func TestMemory(t *testing.T) {
	m := newMemory()
	small, large := m.Take(10), append(m.Take(100), 1, 2, 3)
	m.Give(large)
	require.Equal(t, []byte{spoil, spoil, spoil}, large)
	require.Panics(t, func() { m.Give(large) }, "twice")
	m.Give(small)
	require.Same(t, &large[0], &m.Take(50)[:1][0], "the small one is too small")
	require.Same(t, &small[:1][0], &m.Take(1)[:1][0])
	m.Give(large)
	require.Empty(t, m.Take(0))
	for range 2 * mostKept {
		m.Give(make([]byte, 1))
	}
	require.Len(t, m.free, mostKept)
	m.Give(nil)
}
