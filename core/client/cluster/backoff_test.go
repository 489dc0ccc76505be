package cluster

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/stretchr/testify/require"
)

// KIP-580: doubled by each failure up to the bound, with a fifth of jitter either way, repeatable by seed.
func TestRetryAfter(t *testing.T) {
	make2 := func() (a, b *Cluster) {
		o := Options{Bootstrap: []string{"a:1"}}.WithDefaults()
		return New(o, prng.New(1)), New(o, prng.New(1))
	}
	a, b := make2()
	for failures, base := range map[int]core.Mono{0: 100, 1: 100, 2: 200, 3: 400, 4: 800, 5: 1000, 50: 1000} {
		seen := map[core.Mono]bool{}
		for range 100 {
			d := a.RetryAfter(0, failures)
			require.GreaterOrEqual(t, d, base*core.Millisecond*8/10)
			require.LessOrEqual(t, d, base*core.Millisecond*12/10)
			require.Equal(t, d, b.RetryAfter(0, failures))
			seen[d] = true
		}
		require.Greater(t, len(seen), 20)
	}
	require.Equal(t, Never, a.RetryAfter(Never, 1))
}

func TestJoinHostPort(t *testing.T) {
	require.Equal(t, "host:9092", joinHostPort("host", 9092))
	require.Equal(t, "[::1]:9092", joinHostPort("::1", 9092))
}
