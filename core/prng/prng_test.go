package prng_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core/prng"
)

// The first draws of seed 42 pin the generator: a change here would silently invalidate every recorded seed.
func TestGolden(t *testing.T) {
	r := prng.New(42)
	require.Equal(t, []uint64{1546998764402558742, 6990951692964543102, 12544586762248559009}, []uint64{r.Uint64(), r.Uint64(), r.Uint64()})
}

func TestForksAreIndependentOfUse(t *testing.T) {
	a, b := prng.New(7), prng.New(7)
	for range 100 {
		a.Uint64()
	}
	require.Equal(t, a.Fork("net/1->2").Uint64(), b.Fork("net/1->2").Uint64())
	require.NotEqual(t, b.Fork("net/1->2").Uint64(), b.Fork("net/2->1").Uint64())
	require.NotEqual(t, b.ForkN("node", 1).Uint64(), b.ForkN("node", 2).Uint64())
	require.NotEqual(t, b.Fork("ab").Fork("c").Uint64(), b.Fork("a").Fork("bc").Uint64())
}

func TestBelowIsUniform(t *testing.T) {
	r := prng.New(1)
	var seen [7]int
	for range 70_000 {
		seen[r.Below(7)]++
	}
	for _, n := range seen {
		require.InDelta(t, 10_000, n, 500)
	}
}

func TestBetweenReachesBothEnds(t *testing.T) {
	r := prng.New(3)
	low, high := false, false
	for range 1000 {
		v := r.Between(-2, 2)
		require.True(t, v >= -2 && v <= 2)
		low, high = low || v == -2, high || v == 2
	}
	require.True(t, low && high)
}

func TestSkewedStaysInRange(t *testing.T) {
	r := prng.New(9)
	small := 0
	for range 10_000 {
		v := r.Skewed(1000)
		require.True(t, v >= 0 && v < 1000)
		if v < 10 {
			small++
		}
	}
	require.Greater(t, small, 2000)
}
