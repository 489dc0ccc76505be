package draws

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/sim/workload"
)

// Bound takes records from the operations that send most until the values of all together have about so many bytes; a volume of 0
// is no bound. Who has a single record left sends a shorter one. Instants and paces stay.
func Bound(clients []workload.Plan, volume int64) {
	if volume == 0 {
		return
	}
	var sends []*workload.Op
	for i := range clients {
		for j := range clients[i].Ops {
			if op := &clients[i].Ops[j]; op.Kind == workload.Produce {
				sends = append(sends, op)
			}
		}
	}
	bytes := func(op *workload.Op) int64 { return int64(op.Count) * int64(op.Size) }
	slices.SortStableFunc(sends, func(a, b *workload.Op) int { return cmp.Compare(bytes(a), bytes(b)) })
	for i, op := range sends {
		share := max(0, volume) / int64(len(sends)-i) // what the smaller ones do not need is for the larger
		if bytes(op) > share {
			op.Count = int32(max(1, share/int64(op.Size)))
			op.Size = int32(max(workload.MinValueSize, min(int64(op.Size), share)))
		}
		volume -= bytes(op)
	}
}
