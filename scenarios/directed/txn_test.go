package directed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim/workload"
)

// Nothing happens: a transaction is committed, another aborted, and the next one is committed.
func TestTransactions(t *testing.T) {
	levels(t, func(t *testing.T, level int32) {
		got := holds(t, world(t, level, writer(3, 0, workload.Op{At: ready}, workload.Op{At: ready, Abort: true}, workload.Op{At: ready})))
		require.GreaterOrEqual(t, len(got), 3)
		for i, commit := range []bool{true, false, true} {
			require.Equal(t, commit, got[i].Commit)
			require.Equal(t, history.OK, got[i].Outcome)
		}
	})
}

// KIP-890, BUGS.md F4, Jepsen on Bufstream 0.1.0: the first transaction's EndTxn is stuck in the network for three seconds. Its
// owner gives up on it, asks again on a new connection, is told that it is committed, and begins the next transaction, which it will
// abort. Then the stuck EndTxn arrives: it must end nothing.
func TestLateEndTxn(t *testing.T) {
	levels(t, func(t *testing.T, level int32) {
		p := world(t, level, writer(3, 0, workload.Op{At: ready, Hold: 600 * core.Millisecond}, workload.Op{At: ready, Hold: 5 * core.Second, Abort: true}))
		p.Faults = stuck(first, ready+500*core.Millisecond, ready+750*core.Millisecond, 3*core.Second)
		got := holds(t, p)
		require.Equal(t, history.OK, got[0].Outcome)
		require.True(t, got[0].Commit)
		require.Greater(t, got[0].End-got[0].Asked, 200*core.Millisecond, "the first EndTxn was not stuck")
		require.Less(t, got[1].Start, ready+3*core.Second, "the next transaction began after the late EndTxn had come")
		require.Greater(t, got[1].Asked, ready+4*core.Second, "it ended before the late EndTxn could come")
		require.False(t, got[1].Commit)
	})
}

// KIP-890, BUGS.md F5: a Produce is stuck for six seconds. Its record fails, the transaction is aborted, the next one is committed and
// writes to the same partitions. Then the stuck Produce arrives: it must neither open a transaction that nobody will end, nor be part of
// one that it was not sent in.
func TestLateProduce(t *testing.T) {
	for name, next := range map[string]workload.Op{
		"nothing is open":                 {At: ready + 4*core.Second, Count: 4},
		"the next transaction is open":    {At: ready + 4*core.Second, Count: 4, Hold: 5 * core.Second},
		"the next transaction is aborted": {At: ready + 4*core.Second, Count: 4, Hold: 5 * core.Second, Abort: true},
	} {
		t.Run(name, func(t *testing.T) {
			levels(t, func(t *testing.T, level int32) {
				slow := writer(3, 0, workload.Op{At: ready, Count: 12, Every: 100 * core.Millisecond, Hold: 2 * core.Second}, next)
				slow.Producer.DeliveryTimeout = 300 * core.Millisecond
				p := world(t, level, slow)
				p.Faults = stuck(first, ready+450*core.Millisecond, ready+1200*core.Millisecond, 6*core.Second)
				got := holds(t, p)
				require.False(t, got[0].Commit && got[0].Outcome == history.OK, "the Produce was not stuck")
				require.Greater(t, len(got), 1)
			})
		})
	}
}

// KIP-360, KIP-98: a producer is paused in the middle of its transaction; another one with its transactional.id takes over, which aborts
// the transaction, and commits. The zombie wakes up, and must neither add to what it had begun nor commit it.
func TestZombie(t *testing.T) {
	levels(t, func(t *testing.T, level int32) {
		zombie := writer(3, 0, workload.Op{At: ready, Count: 8, Every: 100 * core.Millisecond, Hold: 100 * core.Millisecond})
		heir := writer(4, 0, workload.Op{At: ready + 6*core.Second})
		heir.Ops[0].At = ready + 3*core.Second
		p := world(t, level, zombie, heir)
		p.Faults = append(p.Faults, pause(first, ready+400*core.Millisecond, ready+5*core.Second))
		v := scenarios.Run(p, nil)
		require.Empty(t, v.Lines())
		fenced, won := false, false
		for _, x := range transactions(v.Result.History) {
			client := workload.ClientOf(x.Process)
			fenced = fenced || client == 3 && x.Outcome != history.OK && (x.Code == core.ErrProducerFenced || x.Code == core.ErrInvalidProducerEpoch)
			won = won || client == 4 && x.Outcome == history.OK && x.Commit
		}
		require.True(t, fenced, "the zombie was not fenced: %v", transactions(v.Result.History))
		require.True(t, won)
	})
}
