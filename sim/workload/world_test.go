package workload_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
	"github.com/klamm-log/klamm/sim/workload/draws"
)

// world is a run of clients against one broker without faults.
func world(seed uint64, clients []workload.Plan) sim.Plan {
	return sim.Plan{Seed: seed, Profile: "test", Brokers: []sim.BrokerPlan{{PerEvent: core.Microsecond}}, Clients: clients,
		Safety: 3 * core.Second, Settle: 60 * core.Second}
}

func shape() draws.Shape {
	return draws.Shape{Brokers: 1, Start: 10 * core.Millisecond, End: 3 * core.Second, Clients: 6,
		Topics: []draws.TopicShape{{Name: "a", Partitions: 2}, {Name: "b", Partitions: 1, Retention: true}},
		Churn:  []string{"c"}}
}

func drawn(seed uint64) []workload.Plan {
	return draws.Clients(prng.New(seed).Fork("clients"), shape())
}

// run executes a plan and demands that it settles and that its history holds.
func run(t *testing.T, p sim.Plan) sim.Result {
	t.Helper()
	out := sim.Run(p, sim.Options{})
	require.Empty(t, out.Panics, "seed %d", p.Seed)
	require.Empty(t, checkers.Check(out.History, checkers.Options{}), "seed %d", p.Seed)
	require.Less(t, out.Settled, core.Mono(1<<62), "seed %d: not done", p.Seed)
	return out
}

func TestDrawnClientsHoldInACalmWorld(t *testing.T) {
	sent, read := 0, 0
	for seed := range uint64(10) {
		out := run(t, world(seed, drawn(seed)))
		each(out.History, func(op history.Op, s *history.Send) { sent += len(s.Records) })
		each(out.History, func(op history.Op, p *history.Poll) { read += len(p.Records) })
	}
	require.Greater(t, sent, 2000)
	require.Greater(t, read, sent)
}

func TestClientsAreCutOffAndComeBack(t *testing.T) {
	for seed := range uint64(12) {
		p := world(seed, drawn(seed))
		r := prng.New(seed).Fork("faults")
		for i := range r.Between(3, 12) {
			f := sim.Fault{ID: i, At: core.Mono(r.Below(int64(p.Safety))), Node: int32(r.Between(1, int64(len(p.Clients))))}
			f.Until = f.At + core.Mono(r.Between(int64(core.Millisecond), int64(core.Second)))
			f.Kind = []sim.FaultKind{sim.Crash, sim.Pause, sim.Cut, sim.CutAPI, sim.Reset, sim.ClockJump, sim.SlowLink}[r.Below(7)]
			switch f.Kind {
			case sim.Cut:
				if r.Chance(1, 2) {
					f.Node, f.Peer = 0, f.Node
				}
			case sim.CutAPI, sim.Reset:
				f.Amount = r.Below(4)
			case sim.ClockJump:
				f.Amount = r.Between(-1_000_000, 1_000_000)
			case sim.SlowLink:
				f.Amount = r.Below(int64(300 * core.Millisecond))
			default: // the others need nothing more
			}
			p.Faults = append(p.Faults, f)
		}
		run(t, p)
	}
}

// each calls f for every event of one kind.
func each[B any](l *history.Log, f func(history.Op, B)) {
	for i := range l.Len() {
		op, body := l.At(i)
		if b, ok := body.(B); ok {
			f(op, b)
		}
	}
}

// topic is the plan of an admin that makes one topic.
func topic(name string, partitions int32) workload.Plan {
	return workload.Plan{ID: 0, Kind: workload.Admin, Ops: []workload.Op{{Kind: workload.CreateTopic, Topic: name,
		Partition: -1, Partitions: partitions, Replication: 1, Configs: []workload.Config{{Name: "retention.ms", Value: "-1"}}}}}
}

func producer(id int32, o workload.ProducerOptions, ops ...workload.Op) workload.Plan {
	return numbered(workload.Plan{ID: id, Kind: workload.Producer, Producer: &o, Ops: ops})
}

func consumer(id int32, o workload.ConsumerOptions, ops ...workload.Op) workload.Plan {
	return numbered(workload.Plan{ID: id, Kind: workload.Consumer, Consumer: &o, Ops: ops})
}

// reader makes the final reads without which the checker misses what was written.
func reader() workload.Plan { return consumer(9, workload.ConsumerOptions{FinalReads: true}) }

func numbered(p workload.Plan) workload.Plan {
	for i := range p.Ops {
		p.Ops[i].ID = int32(i)
	}
	return p
}

func produce(at core.Mono, count int32) workload.Op {
	return workload.Op{Kind: workload.Produce, At: at, Topic: "t", Count: count, Size: 50, Keys: 3, Headers: 2}
}

var all = workload.ProducerOptions{Acks: -1, Idempotent: true}

func TestPollsFollowEachOtherAndCarryTheirCounters(t *testing.T) {
	out := run(t, world(1, []workload.Plan{topic("t", 1), producer(2, all, produce(100*core.Millisecond, 40)),
		consumer(3, workload.ConsumerOptions{Reset: "earliest"},
			workload.Op{Kind: workload.Assign, Topic: "t", Where: workload.Beginning},
			workload.Op{Kind: workload.Poll, Partition: -1, Max: 3, Every: 20 * core.Millisecond})}))
	next, polls := core.Offset(0), 0
	each(out.History, func(op history.Op, p *history.Poll) {
		require.Equal(t, workload.ProcessOf(3, 1), op.Process)
		require.Equal(t, next, p.From)
		require.GreaterOrEqual(t, p.HighWatermark, p.Next)
		require.LessOrEqual(t, op.Start, op.End)
		if op.End < 3*core.Second {
			require.LessOrEqual(t, len(p.Records), 3)
		}
		next, polls = p.Next, polls+1
	})
	require.Equal(t, core.Offset(41), next, "40 records and a probe")
	require.Greater(t, polls, 13)
}

func TestACrashBeginsANewProcessThatRepeatsItsAssignments(t *testing.T) {
	out := run(t, world(1, []workload.Plan{topic("t", 1),
		producer(2, all, produce(100*core.Millisecond, 10), workload.Op{Kind: workload.Crash, At: core.Second, Partition: -1},
			produce(core.Second, 10), produce(2*core.Second, 10)),
		consumer(3, workload.ConsumerOptions{Reset: "earliest"},
			workload.Op{Kind: workload.Assign, Topic: "t", Where: workload.Beginning},
			workload.Op{Kind: workload.Crash, At: core.Second, Partition: -1})}))
	read := make(map[history.Process]int)
	each(out.History, func(op history.Op, p *history.Poll) { read[op.Process] += len(p.Records) })
	require.Equal(t, map[history.Process]int{workload.ProcessOf(3, 1): 10, workload.ProcessOf(3, 2): 21}, read)
	sent := make(map[history.Process]int)
	each(out.History, func(op history.Op, s *history.Send) { sent[op.Process] += len(s.Records) })
	require.Equal(t, map[history.Process]int{workload.ProcessOf(2, 1): 10, workload.ProcessOf(2, 2): 11}, sent,
		"what was due when the client died is not done by its successor")
}

func TestProbesReachEveryPartition(t *testing.T) {
	out := run(t, world(1, []workload.Plan{topic("t", 4), producer(2, workload.ProducerOptions{Acks: 1}, produce(0, 1)), reader()}))
	probed := make(map[int32]bool)
	each(out.History, func(op history.Op, s *history.Send) {
		require.False(t, s.Idempotent)
		require.EqualValues(t, 1, s.Acks)
		if op.Start >= out.Stopped {
			require.Equal(t, history.OK, op.Outcome)
			probed[s.Partition] = true
		}
	})
	require.Len(t, probed, 4)
}

func TestFinalReadsSeeEverything(t *testing.T) {
	out := run(t, world(1, []workload.Plan{topic("t", 3),
		producer(2, all, workload.Op{Kind: workload.Produce, Topic: "t", Partition: -1, Count: 100, Size: 20, At: core.Second}),
		consumer(3, workload.ConsumerOptions{FinalReads: true}), consumer(4, workload.ConsumerOptions{})}))
	read := make(map[history.Place]core.Offset)
	each(out.History, func(op history.Op, p *history.Poll) {
		require.Equal(t, workload.ProcessOf(3, 1), op.Process, "only a client with final reads reads without assignments")
		require.Equal(t, read[p.Place], p.From)
		read[p.Place] = p.Next
	})
	total := core.Offset(0)
	for _, end := range read {
		total += end
	}
	require.Equal(t, core.Offset(103), total)
}

func TestRefusedAndUnsentRecordsFail(t *testing.T) {
	early := produce(0, 1)
	early.At = 0
	late := produce(core.Second, 1)
	late.Size = 5000
	p := topic("t", 1)
	p.Ops[0].At = 500 * core.Millisecond
	p.Ops[0].Configs = append(p.Ops[0].Configs, workload.Config{Name: "max.message.bytes", Value: "1000"})
	o := all
	o.DeliveryTimeout = 200 * core.Millisecond
	out := run(t, world(1, []workload.Plan{p, producer(2, o, early, late), reader()}))
	codes := make(map[core.ErrorCode]history.Outcome)
	each(out.History, func(op history.Op, s *history.Send) { codes[op.Code] = op.Outcome })
	require.Equal(t, history.Fail, codes[core.ErrMessageTooLarge])
	require.Equal(t, history.Fail, codes[core.ErrUnknownTopicOrPartition])
	require.Equal(t, history.OK, codes[core.ErrNone], "the probe")
}

func TestAdminOperationsAreRecorded(t *testing.T) {
	at := func(n int, op workload.Op) workload.Op {
		op.At, op.Topic = core.Second+core.Mono(n)*100*core.Millisecond, "t"
		return op
	}
	ops := []workload.Op{
		at(0, workload.Op{Kind: workload.ListOffsets, Where: workload.End}),
		at(1, workload.Op{Kind: workload.DeleteRecords, Permille: 500}),
		at(2, workload.Op{Kind: workload.ListOffsets, Where: workload.Beginning}),
		at(3, workload.Op{Kind: workload.ListOffsets, Where: workload.AtTime, Ago: 1 << 40}),
		at(4, workload.Op{Kind: workload.DeleteRecords, Permille: -1}),
		at(5, workload.Op{Kind: workload.ListOffsets, Where: workload.MaxTimestamp}),
		at(6, workload.Op{Kind: workload.CreatePartitions, Partition: -1, Partitions: 3}),
		at(7, workload.Op{Kind: workload.Describe, Partition: -1}),
		at(8, workload.Op{Kind: workload.Describe, Partition: -1}),
		at(9, workload.Op{Kind: workload.Describe, Partition: -1}),
		at(10, workload.Op{Kind: workload.Describe, Partition: -1}),
	}
	writer := producer(2, all, produce(100*core.Millisecond, 10))
	writer.Network.MetadataMaxAge = 100 * core.Millisecond
	out := run(t, world(1, []workload.Plan{topic("t", 1), writer,
		numbered(workload.Plan{ID: 3, Kind: workload.Admin, Ops: ops}), reader()}))
	var low, answers []core.Offset
	each(out.History, func(op history.Op, d *history.DeleteRecords) {
		require.Equal(t, history.OK, op.Outcome)
		low = append(low, d.LowWatermark)
	})
	each(out.History, func(op history.Op, l *history.ListOffsets) {
		require.Equal(t, history.OK, op.Outcome)
		if op.Process == workload.ProcessOf(3, 1) {
			answers = append(answers, l.Offset)
		}
	})
	require.Equal(t, []core.Offset{5, 10}, low)
	require.Equal(t, []core.Offset{10, 10, 5, 5, core.NoOffset}, answers, "the second is what DeleteRecords looks up first")
	probes := 0
	each(out.History, func(op history.Op, s *history.Send) {
		if op.Start >= out.Stopped {
			probes++
		}
	})
	require.Equal(t, 3, probes, "the new partitions are probed, too")
}

func TestATopicThatIsMadeAgainIsAnotherOne(t *testing.T) {
	again := func(id int32, kind workload.OpKind, at core.Mono) workload.Op {
		return workload.Op{ID: id, Kind: kind, At: at, Topic: "t", Partition: -1, Partitions: 1, Replication: 1}
	}
	p := topic("t", 1)
	p.Ops = append(p.Ops, again(1, workload.DeleteTopic, core.Second), again(2, workload.CreateTopic, 1200*core.Millisecond))
	plans := []workload.Plan{p, producer(2, all, produce(100*core.Millisecond, 10), produce(2*core.Second, 10)),
		consumer(3, workload.ConsumerOptions{Reset: "earliest", FinalReads: true}, workload.Op{Kind: workload.Assign, Topic: "t"})}
	plans[1].Network.MetadataMaxAge = 100 * core.Millisecond
	plans[2].Network.MetadataMaxAge = 100 * core.Millisecond
	require.True(t, workload.IsChurned(plans, "t"))
	out := run(t, world(1, plans))
	sent := make(map[history.TopicRef]int)
	each(out.History, func(op history.Op, s *history.Send) {
		require.Equal(t, history.OK, op.Outcome)
		require.False(t, out.History.Topic(s.Topic).ID.IsZero())
		sent[s.Topic] += len(s.Records)
	})
	require.Len(t, sent, 2)
	each(out.History, func(op history.Op, d *history.DeleteTopic) {
		require.Equal(t, history.OK, op.Outcome)
		require.Equal(t, 10, sent[d.Topic])
	})
}

func TestEqualPlansGiveEqualRuns(t *testing.T) {
	a, b := sim.Run(world(3, drawn(3)), sim.Options{}), sim.Run(world(3, drawn(3)), sim.Options{})
	require.Equal(t, a.Chain, b.Chain)
	require.Equal(t, a.History.String(), b.History.String())
}

// Taking a client away leaves what the others draw while running: their records, not only their plans.
func TestTakingAClientAwayLeavesTheOthersRecords(t *testing.T) {
	mixed := produce(0, 50)
	mixed.Vary, mixed.Odd, mixed.Keys = true, true, 100
	plans := []workload.Plan{topic("t", 1), producer(2, all, mixed), producer(3, all, mixed), reader()}
	values := func(plans []workload.Plan) (list []history.Record) {
		each(run(t, world(1, plans)).History, func(op history.Op, s *history.Send) {
			if op.Process == workload.ProcessOf(3, 1) && op.Start < core.Second {
				for _, r := range s.Records {
					r.Offset, r.Timestamp = 0, 0 // others' records lie between; the wall clock goes into timestamps
					list = append(list, r)
				}
			}
		})
		return list
	}
	require.NotEmpty(t, values(plans))
	require.Equal(t, values(plans), values(append(plans[:1:1], plans[2:]...)))
}
