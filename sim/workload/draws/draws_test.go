package draws_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/workload"
	"github.com/klamm-log/klamm/sim/workload/draws"
)

func testShape() draws.Shape {
	return draws.Shape{Brokers: 1, Start: core.Second, End: 8 * core.Second, Clients: 8, Churn: []string{"x", "y"},
		Topics: []draws.TopicShape{{Name: "a", Partitions: 3}, {Name: "b", Partitions: 1, Retention: true, MaxMessageBytes: 2000}}}
}

func encode(t require.TestingT, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestDrawIsAFunctionOfItsSeed(t *testing.T) {
	seen := make(map[string]bool)
	for seed := range uint64(50) {
		a := encode(t, draws.Clients(prng.New(seed), testShape()))
		require.Equal(t, a, encode(t, draws.Clients(prng.New(seed), testShape())))
		seen[a] = true
	}
	require.Len(t, seen, 50)
}

// Every drawn plan is valid, within the shape's time, and survives its JSON form.
func TestDrawnPlansAreValid(t *testing.T) {
	kinds := make(map[workload.OpKind]int)
	for seed := range uint64(200) {
		s := testShape()
		s.Intensity = int32(1 + seed*37%3000)
		ids := make(map[int32]bool)
		for _, p := range draws.Clients(prng.New(seed), s) {
			require.NoError(t, p.Validate())
			require.False(t, ids[p.ID])
			ids[p.ID] = true
			back, err := workload.ParsePlan([]byte(encode(t, p)))
			require.NoError(t, err)
			require.Equal(t, encode(t, p), encode(t, back))
			for _, op := range p.Ops {
				require.True(t, op.At >= s.Start && op.At <= s.End, "%v", op)
				kinds[op.Kind]++
			}
		}
	}
	for _, k := range []workload.OpKind{workload.Produce, workload.Flush, workload.Assign, workload.Unassign, workload.Seek, workload.Pause, workload.Resume, workload.Poll, workload.Crash, workload.CreateTopic, workload.DeleteTopic,
		workload.CreatePartitions, workload.AlterConfig, workload.DeleteRecords, workload.ListOffsets, workload.Describe} {
		require.NotZero(t, kinds[k], k)
	}
}

func TestDrawWithoutTopics(t *testing.T) {
	require.Len(t, draws.Clients(prng.New(1), draws.Shape{}), 2)
}

// A client's plan depends neither on how many others there are nor on what they draw.
func TestClientsAreDrawnIndependently(t *testing.T) {
	for seed := range uint64(50) {
		few, many := testShape(), testShape()
		few.Clients, many.Clients = 2, 40
		a, b := draws.Clients(prng.New(seed), few), draws.Clients(prng.New(seed), many)
		if len(a) > len(b) {
			a, b = b, a
		}
		require.Equal(t, encode(t, a), encode(t, b[:len(a)]))
	}
}

// Draws of the swarm reach every setting: no seed has them all, many seeds do.
func TestDrawReachesEverySetting(t *testing.T) {
	found := make(map[string]bool)
	for seed := range uint64(300) {
		for _, p := range draws.Clients(prng.New(seed), testShape()) {
			if o := p.Producer; o != nil {
				found["codec "+o.Codec], found["partitioner "+o.Partitioner] = true, true
				found["acks "+string('1'+rune(o.Acks))] = true
				found["one record per batch"] = found["one record per batch"] || o.BatchSize == 1
				found["impatient"] = found["impatient"] || p.Network.RequestTimeout < 300*core.Millisecond
				for i := range p.Ops {
					found["beyond the limit"] = found["beyond the limit"] || p.Ops[i].Topic == "b" && p.Ops[i].Size > 2000
				}
			}
			if o := p.Consumer; o != nil {
				found["reset "+o.Reset], found["sessions "+encode(t, o.NoSessions)] = true, true
				found["tiny"] = found["tiny"] || o.Tiny()
			}
		}
	}
	for _, want := range []string{"codec none", "codec gzip", "codec snappy", "codec lz4", "codec zstd", "acks 0", "acks 1", "acks 2",
		"partitioner uniform-sticky", "partitioner adaptive", "partitioner sticky", "partitioner round-robin", "impatient",
		"one record per batch", "beyond the limit", "reset earliest", "reset latest", "reset none", "sessions true", "tiny"} {
		require.True(t, found[want], want)
	}
}

// FuzzParsePlan: whatever is accepted makes a client, and its JSON form is accepted again and equal.
func FuzzParsePlan(f *testing.F) {
	for seed := range uint64(5) {
		for _, p := range draws.Clients(prng.New(seed), testShape()) {
			p.Ops = p.Ops[:min(len(p.Ops), 8)]
			f.Add(encode(f, p))
		}
	}
	f.Add(`{"id":3,"kind":"consumer","ops":[{"id":0,"at_ns":0,"op":"poll","partition":-1}]}`)
	f.Fuzz(func(t *testing.T, src string) {
		p, err := workload.ParsePlan([]byte(src))
		if err != nil {
			return
		}
		out := encode(t, p)
		again, err := workload.ParsePlan([]byte(out))
		require.NoError(t, err)
		require.Equal(t, out, encode(t, again))
		log := &history.Log{}
		workload.New(p, workload.Env{Log: log, Bootstrap: []string{"b:1"}, Topics: workload.NewTopics(log), Phase: func() workload.Phase { return workload.Safety }}, 1)
	})
}

func TestWhatTheShapeForbidsIsNotDrawn(t *testing.T) {
	for seed := range uint64(100) {
		drawn := draws.Clients(prng.New(seed), testShape())
		require.True(t, workload.HasFinalReads(drawn))
		require.False(t, workload.IsChurned(drawn, "a"))
		require.False(t, workload.RetentionIsPlanned(drawn, "a"))
	}
}

func count(found map[string]int, what string, yes bool) {
	if yes {
		found[what]++
	}
}

// Plans of transactions are valid, and reach what they should.
func TestDrawnTransactions(t *testing.T) {
	found := make(map[string]int)
	for seed := range uint64(100) {
		plans := draws.Txns(prng.New(seed), testShape(), draws.TxnShape{Writers: [2]int64{1, 3}, Pipelines: [2]int64{0, 2},
			Timeout: [2]int64{500, 5000}, Session: [2]int64{300, 2000}, Levels: []int64{1, 2}})
		owners := make(map[int32]int)
		for _, p := range plans {
			require.NoError(t, p.Validate(), "seed %d", seed)
			found[string(p.Kind)]++
			if p.Txn != nil {
				owners[p.Txn.Writer]++
				count(found, "words", p.Txn.Words)
				count(found, "ends what is empty", p.Txn.EndEmpty)
				count(found, "deserts", p.Txn.Deserts)
			}
			count(found, "twins", p.Group != nil && p.Group.Twin)
			for i := range p.Ops {
				found[string(p.Ops[i].Kind)]++
				count(found, "abort", p.Ops[i].Abort)
				count(found, "transfer", p.Ops[i].Transfer)
				count(found, "empty", p.Ops[i].Kind == workload.Transact && p.Ops[i].Count == 0)
				count(found, "at once", i > 0 && p.Ops[i].Kind == workload.Transact && p.Ops[i].At == p.Ops[i-1].At)
				if p.Txn != nil && p.Ops[i].Hold > p.Txn.Timeout {
					found["timed out"]++
				}
			}
		}
		for _, n := range owners {
			if n > 1 {
				found["zombies"]++
			}
		}
		require.True(t, workload.IsTransactional(plans, "a") || workload.IsTransactional(plans, "b"))
	}
	for _, want := range []string{"writer", "pipeline", "transact", "crash", "abort", "timed out", "zombies", "update-feature", "work",
		"words", "transfer", "ends what is empty", "deserts", "empty", "at once", "twins"} {
		require.Positive(t, found[want], want)
	}
}

// Offsets are deleted where a group has ceased to read a topic, and where all its members have left.
func TestDrawnDeletionsOfOffsets(t *testing.T) {
	found := make(map[string]int)
	for seed := range uint64(50) {
		members, topic := make(map[int32]int), make(map[int32]string) // members in each group now, what the last of them reads
		type event struct {
			workload.Op
			member bool
			group  int32
		}
		var events []event
		for _, p := range draws.Groups(prng.New(seed), testShape(), draws.GroupShape{Groups: [2]int64{1, 2}, Members: [2]int64{1, 1},
			Producers: [2]int64{1, 1}, Session: [2]int64{300, 2000}}) {
			require.NoError(t, p.Validate(), "seed %d", seed)
			for _, op := range p.Ops {
				if p.Kind == workload.Member && !p.Group.Twin {
					events = append(events, event{op, true, p.Group.Group})
				} else if op.Kind == workload.DeleteOffsets {
					events = append(events, event{op, false, op.Group})
				}
			}
		}
		slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.At, b.At) })
		for _, e := range events {
			switch {
			case e.Kind == workload.Join:
				members[e.group], topic[e.group] = 1, e.Topics[len(e.Topics)-1]
				if len(e.Topics) > 1 {
					topic[e.group] = ""
				}
			case e.Kind == workload.Leave:
				members[e.group] = 0
			case e.Kind == workload.DeleteOffsets && members[e.group] == 0:
				found["nobody there"]++
			case e.Kind == workload.DeleteOffsets && topic[e.group] != "" && topic[e.group] != e.Topic:
				found["not read"]++
			case e.Kind == workload.DeleteOffsets:
				found["read"]++
			}
		}
	}
	for _, want := range []string{"nobody there", "not read", "read"} {
		require.Greater(t, found[want], 50, want)
	}
}

// Applications of eager groups hang from just when another member has left until the rebalance timeout is over.
func TestDrawnStalls(t *testing.T) {
	stalls := 0
	for seed := range uint64(50) {
		plans := draws.Groups(prng.New(seed), testShape(), draws.GroupShape{Groups: [2]int64{1, 1}, Members: [2]int64{2, 5},
			Producers: [2]int64{1, 1}, Session: [2]int64{300, 2000}})
		var left []core.Mono
		for _, p := range plans {
			for _, op := range p.Ops {
				if op.Kind == workload.Leave {
					left = append(left, op.At)
				}
			}
		}
		for _, p := range plans {
			for i, op := range p.Ops {
				if op.Kind != workload.Work || op.Max != 0 || p.Group.Instance != "" {
					continue
				}
				behind := slices.IndexFunc(left, func(at core.Mono) bool { return at <= op.At && op.At <= at.Add(p.Group.Heartbeat) })
				next := slices.IndexFunc(p.Ops[i+1:], func(o workload.Op) bool { return o.Kind == workload.Work })
				if behind >= 0 && next >= 0 && p.Ops[i+1+next].At >= left[behind].Add(p.Group.Rebalance) {
					stalls++
				}
			}
		}
	}
	require.Greater(t, stalls, 20)
}

// Each twin has the group.instance.id of one other member of its group.
func TestDrawnTwins(t *testing.T) {
	twins := 0
	for seed := range uint64(100) {
		of := make(map[string]*workload.Plan)
		plans := draws.Groups(prng.New(seed), testShape(), draws.GroupShape{Groups: [2]int64{1, 2}, Members: [2]int64{1, 9},
			Producers: [2]int64{1, 1}, Session: [2]int64{300, 2000}})
		for i := range plans {
			p := &plans[i]
			require.NoError(t, p.Validate(), "seed %d", seed)
			switch {
			case p.Group == nil || p.Group.Instance == "":
			case p.Group.Twin:
				twins++
				other := of[p.Group.Instance]
				require.NotNil(t, other, "seed %d", seed)
				require.Equal(t, other.Group.Group, p.Group.Group)
			default:
				require.Nil(t, of[p.Group.Instance], "seed %d", seed)
				of[p.Group.Instance] = p
			}
		}
	}
	require.Positive(t, twins)
}
