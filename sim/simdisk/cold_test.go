package simdisk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// After a failed sync the page cache holds bytes that no later sync writes. Opened cold, the file shows what the medium
// holds; opened otherwise, it shows the cache.
func TestColdOpenShowsTheMedium(t *testing.T) {
	for _, cold := range []bool{false, true} {
		d := simdisk.New(prng.New(1), simdisk.Config{
			Plan:     []simdisk.Fault{{ID: 1, Kind: simdisk.IOError, Op: step.Sync}},
			Outcomes: []simdisk.Outcome{simdisk.WriteOld},
		})
		var last step.DiskDone
		var now core.Mono
		perform := func(op step.DiskOp) {
			op.Op = 1
			d.Submit(now, op)
			for at, ok := d.NextDeadline(); ok; at, ok = d.NextDeadline() {
				now = at
				d.Poll(now, func(done *step.DiskDone) { last = *done })
			}
		}
		perform(step.DiskOp{Kind: step.Open, File: 1, Path: "f", Create: true})
		perform(step.DiskOp{Kind: step.Append, File: 1, Data: []byte("lost")})
		perform(step.DiskOp{Kind: step.Sync, File: 1})
		require.Equal(t, step.ErrIO, last.Err)
		d.ProcessCrash(now)
		perform(step.DiskOp{Kind: step.Open, File: 2, Path: "f", Cold: cold})
		require.Equal(t, step.DiskOK, last.Err)
		perform(step.DiskOp{Kind: step.Read, File: 2, Len: 10})
		if cold {
			require.Empty(t, last.Data)
		} else {
			require.Equal(t, "lost", string(last.Data))
		}
	}
}
