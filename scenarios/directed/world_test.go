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

// The processes of the worlds here: three brokers, which are the voters, and then the clients in the order given.
const (
	brokers   = 3
	ready     = 3 * core.Second // from then on topics, coordinators and the version of transactions are there
	creatorID = 0
)

// world is a calm world of three brokers with two topics, a and b, of two partitions each, transactions of the given level, and
// two readers of everything, one of them of what is committed. Other clients follow; process index 6 is the first of them.
func world(t *testing.T, level int32, clients ...workload.Plan) sim.Plan {
	t.Helper()
	profile, err := scenarios.LoadProfile("txn")
	require.NoError(t, err)
	p := scenarios.Draw(1, profile)
	p.Profile, p.Faults, p.Buggify, p.Core = "directed", nil, nil, nil
	for i := range p.Brokers {
		p.Brokers[i].Disk.Plan, p.Brokers[i].StartAt, p.Brokers[i].Absent = nil, 0, false
	}
	p.Safety, p.Settle = 15*core.Second, core.Minute
	creator := workload.Plan{ID: creatorID, Kind: workload.Admin}
	for i, at := range []core.Mono{core.Second, 2 * core.Second} {
		for j, name := range []string{"a", "b"} {
			creator.Ops = append(creator.Ops, workload.Op{ID: int32(4*i + j), Kind: workload.CreateTopic, At: at, Topic: name, Partition: -1,
				Partitions: 2, Replication: 3, Configs: []workload.Config{{Name: "retention.ms", Value: "-1"}}})
		}
		creator.Ops = append(creator.Ops, workload.Op{ID: int32(4*i + 2), Kind: workload.UpdateFeature, At: at, Topic: "transaction.version",
			Partition: -1, Max: level, Downgrade: level < 2})
	}
	p.Clients = []workload.Plan{creator, reader(1, false), reader(2, true)}
	p.Clients = append(p.Clients, clients...)
	for i := range p.Clients {
		p.Clients[i] = workload.Sorted(p.Clients[i])
		require.NoError(t, p.Clients[i].Validate())
	}
	return p
}

// first is the process of the first client that a world is given.
const first = brokers + 3

func reader(id int32, committed bool) workload.Plan {
	p := workload.Plan{ID: id, Kind: workload.Consumer, Consumer: &workload.ConsumerOptions{Committed: committed, Reset: "earliest", FinalReads: true}}
	for i, name := range []string{"a", "b"} {
		for n := range int32(2) {
			p.Ops = append(p.Ops, workload.Op{ID: int32(2*i) + n, Kind: workload.Assign, At: ready, Topic: name, Partition: n, Where: workload.Beginning})
		}
	}
	return p
}

// writer is a transactional producer that gives a request 200 ms.
func writer(id, number int32, ops ...workload.Op) workload.Plan {
	for i := range ops {
		ops[i].ID, ops[i].Kind, ops[i].Partition = int32(i), workload.Transact, -1
		if ops[i].Topics == nil {
			ops[i].Topics = []string{"a", "b"}
		}
		if ops[i].Count == 0 {
			ops[i].Count = 6
		}
	}
	return workload.Plan{ID: id, Kind: workload.Writer, Ops: ops, Txn: &workload.TxnOptions{Writer: number, Timeout: 8 * core.Second},
		Producer: &workload.ProducerOptions{Acks: -1, Idempotent: true, DeliveryTimeout: 2 * core.Second},
		Network:  workload.NetworkOptions{RequestTimeout: 200 * core.Millisecond, RetryBackoff: 20 * core.Millisecond}}
}

// stuck makes what a process sends to the brokers in a time arrive so much later.
func stuck(process int32, from, until, late core.Mono) []sim.Fault {
	var out []sim.Fault
	for b := range int32(brokers) {
		out = append(out, sim.Fault{ID: int64(b), Kind: sim.SlowLink, At: from, Until: until, Node: process, Peer: b, Amount: int64(late)})
	}
	return out
}

// holds runs a plan that must hold, and returns its transactions in the order of their ends.
func holds(t *testing.T, p sim.Plan) []ended {
	t.Helper()
	v := scenarios.Run(p, nil)
	require.Empty(t, v.Lines())
	require.Empty(t, v.Inconclusive)
	return transactions(v.Result.History)
}

// ended is a transaction as its owner saw it.
type ended struct {
	history.Op
	*history.Txn
}

func transactions(log *history.Log) []ended {
	var out []ended
	for i := range log.Len() {
		if op, body := log.At(i); op.Process != history.World {
			if b, ok := body.(*history.Txn); ok {
				out = append(out, ended{op, b})
			}
		}
	}
	return out
}

// levels runs a scenario with both versions of transactions.
func levels(t *testing.T, f func(t *testing.T, level int32)) {
	t.Run("TV1", func(t *testing.T) { f(t, 1) })
	t.Run("TV2", func(t *testing.T) { f(t, 2) })
}

// pause stops a process for a time: what it has been sent waits, and its timers do.
func pause(process int32, from, until core.Mono) sim.Fault {
	return sim.Fault{ID: 100, Kind: sim.Pause, At: from, Until: until, Node: process}
}
