package simnet

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
)

// A host that gets another number, because one before it was taken out of a plan, keeps its luck: links draw by name.
func TestLinksDrawByName(t *testing.T) {
	draws := func(named bool, client Host) []core.Mono {
		n := New(prng.New(1), Config{})
		if named {
			n.Name(0, "broker1")
			n.Name(client, "client7")
		}
		var out []core.Mono
		for range 10 {
			out = append(out, n.latency(n.link(client, 0)), n.latency(n.link(0, client)))
		}
		return out
	}
	require.Equal(t, draws(true, 1), draws(true, 4))
	require.NotEqual(t, draws(false, 1), draws(false, 4))
}
