package draws

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/sim/workload"
)

func TestBound(t *testing.T) {
	send := func(count, size int32) workload.Op {
		return workload.Op{Kind: workload.Produce, Count: count, Size: size}
	}
	fetch := workload.Op{Kind: workload.Poll, Count: 7, Size: 1 << 20}
	clients := func() []workload.Plan {
		return []workload.Plan{
			{Ops: []workload.Op{send(10, 100), fetch, send(1000, 100)}},
			{Ops: []workload.Op{send(1, 1<<20), send(3, 5)}},
		}
	}
	free := clients()
	Bound(free, 0)
	require.Equal(t, clients(), free, "0 is no bound")
	Bound(free, 2<<20)
	require.Equal(t, clients(), free, "all that is sent is less")

	bound := clients()
	Bound(bound, 41_015)
	require.Equal(t, []workload.Op{send(10, 100), fetch, send(200, 100)}, bound[0].Ops)
	require.Equal(t, []workload.Op{send(1, 20_000), send(3, 5)}, bound[1].Ops, "what is small stays as it is")

	least := clients()
	Bound(least, 1)
	require.Equal(t, []workload.Op{send(1, workload.MinValueSize), fetch, send(1, workload.MinValueSize)}, least[0].Ops)
}
