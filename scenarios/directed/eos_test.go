package directed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
)

// shown are the values that the final reads of a client returned, by topic and partition.
func shown(log *history.Log, client int32) map[core.TopicPartition][]history.Value {
	out := make(map[core.TopicPartition][]history.Value)
	final := false
	for i := range log.Len() {
		op, body := log.At(i)
		if m, ok := body.(*history.Mark); ok && m.Name == history.FinalReads {
			final = true
		}
		p, ok := body.(*history.Poll)
		if !ok || !final || op.Process == history.World || workload.ClientOf(op.Process) != client || op.Outcome != history.OK {
			continue
		}
		for _, r := range p.Records {
			tp := log.Name(p.Place)
			out[tp] = append(out[tp], r.Value)
		}
	}
	return out
}

// crashes ends every broker twice, one after the other, in the time in which clients are at work.
func crashes() []sim.Fault {
	var out []sim.Fault
	for i := range int32(6) {
		at := ready + core.Mono(i)*1300*core.Millisecond
		out = append(out, sim.Fault{ID: int64(200 + i), Kind: sim.Crash, At: at, Until: at + 900*core.Millisecond, Node: i % brokers})
	}
	return out
}

// A bank. A transaction is a transfer: its first record takes an amount from one account, its second gives it to another, in
// whichever partitions those are. Two tellers work, one of them with a zombie beside it, while brokers come and go; some transfers are
// called off. Whoever reads what is committed finds the total unchanged; whoever reads what is not finds more or less.
func TestBank(t *testing.T) {
	levels(t, func(t *testing.T, level int32) {
		transfers := func() []workload.Op {
			var ops []workload.Op
			for i := range core.Mono(40) {
				ops = append(ops, workload.Op{At: ready + i*200*core.Millisecond, Count: 2, Every: 20 * core.Millisecond, Abort: i%4 == 3})
			}
			return ops
		}
		p := world(t, level, writer(3, 0, transfers()...), writer(4, 1, transfers()...), writer(5, 1, transfers()...))
		p.Faults = crashes()
		v := scenarios.Run(p, nil)
		require.Empty(t, v.Lines())
		balance := func(client int32) (total, transfers int) {
			for _, values := range shown(v.Result.History, client) {
				for _, value := range values {
					amount := 1 + int(value>>24)%97 // what a transfer is about follows from its number
					if value&1 == 0 {
						amount = -amount
					}
					total += amount
					transfers++
				}
			}
			return total, transfers / 2
		}
		total, n := balance(2)
		require.Zero(t, total, "money was made or lost in %d transfers", n)
		require.Greater(t, n, 30)
		_, all := balance(1)
		require.Greater(t, all, n, "nothing was called off")
	})
}

// pipe is a pipeline from a to b.
func pipe(id, number int32, network core.Mono, ops ...workload.Op) workload.Plan {
	for i := range ops {
		ops[i].ID, ops[i].Partition = int32(i), -1
	}
	return workload.Plan{ID: id, Kind: workload.Pipeline, Ops: ops, Txn: &workload.TxnOptions{Writer: number, Timeout: 8 * core.Second, Out: "b"},
		Producer: &workload.ProducerOptions{Acks: -1, Idempotent: true, DeliveryTimeout: 2 * core.Second},
		Group: &workload.GroupOptions{Topics: []string{"a"}, Session: core.Second, Heartbeat: 200 * core.Millisecond, Rebalance: 4 * core.Second,
			MaxWait: 50 * core.Millisecond, Assignors: []string{"cooperative-sticky"}},
		Network: workload.NetworkOptions{RequestTimeout: network, RetryBackoff: 20 * core.Millisecond}}
}

// source writes plain records to a, words to be counted: a word is the partition that it is in.
func source(id int32) workload.Plan {
	p := workload.Plan{ID: id, Kind: workload.Producer, Producer: &workload.ProducerOptions{Acks: -1, Idempotent: true, DeliveryTimeout: 8 * core.Second}}
	for i := range int32(2) {
		p.Ops = append(p.Ops, workload.Op{ID: i, Kind: workload.Produce, At: ready, Topic: "a", Partition: i, Count: 60 + 20*i, Every: 40 * core.Millisecond})
	}
	return p
}

// counted demands that every word that was read from a is in b once. The last one of each partition is the source's proof that it can
// write after the faults: it may come when the pipelines have stopped.
func counted(t *testing.T, log *history.Log) {
	t.Helper()
	got := shown(log, 2)
	for n := range int32(2) {
		in, out := core.TopicPartition{Topic: "a", Partition: n}, core.TopicPartition{Topic: "b", Partition: n}
		require.GreaterOrEqual(t, len(got[in]), 60)
		require.Contains(t, []int{len(got[in]), len(got[in]) - 1}, len(got[out]), "partition %d", n)
	}
}

// A word count, exactly once: two pipelines count while brokers come and go, and while one of them dies and comes back.
func TestWordCount(t *testing.T) {
	levels(t, func(t *testing.T, level int32) {
		at := func(n core.Mono) core.Mono { return ready + n*core.Second }
		work := workload.Op{Kind: workload.Work, At: ready, Max: 4, Every: 60 * core.Millisecond, Abort: true}
		join := workload.Op{Kind: workload.Join, At: ready, Topics: []string{"a"}}
		p := world(t, level, source(3), pipe(4, 0, core.Second, join, work, workload.Op{Kind: workload.Crash, At: at(3)}, workload.Op{Kind: workload.Crash, At: at(5)}),
			pipe(5, 1, core.Second, workload.Op{Kind: workload.Join, At: at(1), Topics: []string{"a"}}, work))
		p.Faults = crashes()
		v := scenarios.Run(p, nil)
		require.Empty(t, v.Lines())
		counted(t, v.Result.History)
	})
}

// KIP-447: a pipeline stands still in the middle of a transaction for longer than its session. Its partitions go to another one, which
// works on the same records and commits. When the first comes back it must not commit what it has done.
func TestPipelineThatStoodStill(t *testing.T) {
	levels(t, func(t *testing.T, level int32) {
		join := workload.Op{Kind: workload.Join, At: ready, Topics: []string{"a"}}
		work := workload.Op{Kind: workload.Work, At: ready, Max: 5, Every: 300 * core.Millisecond}
		p := world(t, level, source(3), pipe(4, 0, core.Second, join, work), pipe(5, 1, core.Second, join, work))
		p.Faults = []sim.Fault{pause(first+1, ready+2100*core.Millisecond, ready+6*core.Second)}
		v := scenarios.Run(p, nil)
		require.Empty(t, v.Lines())
		counted(t, v.Result.History)
		refused := false
		for _, x := range transactions(v.Result.History) {
			refused = refused || workload.ClientOf(x.Process) == 4 && x.Outcome != history.OK
		}
		require.True(t, refused, "the pipeline was not caught in the middle of a transaction")
	})
}
