package shrink

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
)

// toy judges plans by what they hold: they fail if they hold certain faults and operations, and the nodes whom those
// concern. It knows nothing of the simulator.
type toy struct {
	faults []int64
	op     [2]int32 // client, operation
	asked  int
	lazy   bool // leave out what stands behind the first that fails
	healed bool // the healed phase is needed, however short, and each second of it takes an event
}

func (y *toy) fails(p *sim.Plan) bool {
	if y.healed && p.SafetyOnly {
		return false
	}
	for _, id := range y.faults {
		i := slices.IndexFunc(p.Faults, func(f sim.Fault) bool { return f.ID == id })
		if i < 0 || int(p.Faults[i].Node) < len(p.Brokers) && p.Brokers[p.Faults[i].Node].Absent {
			return false
		}
	}
	return find(p, y.op[0], y.op[1]) != nil
}

func (y *toy) run(batch []Candidate) []Outcome {
	out := make([]Outcome, len(batch))
	for i := range batch {
		y.asked++
		p := &batch[i].Plan
		size := SizeOf(*p)
		out[i] = Outcome{Ran: true, Fails: y.fails(p), End: p.Safety, Healed: true,
			Events: int64(10*size.Faults+10*size.Ops+10*size.Clients+100*size.Nodes+size.Knobs) + int64(p.Safety/core.Millisecond)}
		if y.healed && !p.SafetyOnly {
			out[i].Events += int64(p.Settle / core.Second)
		}
		out[i].Fails = out[i].Fails && (batch[i].MaxEvents == 0 || out[i].Events <= batch[i].MaxEvents)
		if out[i].Fails && y.lazy {
			break
		}
	}
	return out
}

// drawn is a plan of a profile with clusters and of one without.
func drawn(t require.TestingT, seed uint64, profile string) sim.Plan {
	p, err := scenarios.LoadProfile(profile)
	require.NoError(t, err)
	return scenarios.Draw(seed, p)
}

// harmless is the ids of a plan's faults that no limit on copies protects.
func harmless(p *sim.Plan) []int64 {
	var ids []int64
	for _, f := range p.Faults {
		if !destroys(f.Kind) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func someToy(r *prng.Rand, p *sim.Plan) *toy {
	y := &toy{}
	if ids := harmless(p); len(ids) > 0 {
		for range r.Below(4) {
			y.faults = append(y.faults, ids[r.Below(int64(len(ids)))])
		}
	}
	c := &p.Clients[r.Below(int64(len(p.Clients)))]
	if len(c.Ops) == 0 {
		c = &p.Clients[0]
	}
	y.op = [2]int32{c.ID, c.Ops[r.Below(int64(len(c.Ops)))].ID}
	return y
}

// What matters stays, what does not goes, and the plan that comes out fails; whether a runner is lazy makes no difference.
func TestShrinkKeepsWhatMatters(t *testing.T) {
	for seed := range uint64(9) {
		plan := drawn(t, seed, []string{"default", "cluster", "quorum"}[seed%3])
		y := someToy(prng.New(seed), &plan)
		got, err := Shrink(plan, Target{Property: "TOY"}, y.run, Options{})
		require.NoError(t, err)
		require.True(t, got.Complete)
		require.True(t, y.fails(&got.Plan))
		require.NoError(t, got.Plan.Validate())
		distinct := slices.Compact(slices.Sorted(slices.Values(y.faults)))
		var left []int64
		for _, f := range got.Plan.Faults {
			left = append(left, f.ID)
		}
		slices.Sort(left)
		require.Equal(t, distinct, left, "seed %d", seed)
		require.LessOrEqual(t, SizeOf(got.Plan).Ops, 2, "the operation, and the one that makes its topic")
		require.LessOrEqual(t, got.After.Events, got.Before.Events)
		y.lazy = true
		again, err := Shrink(plan, Target{Property: "TOY"}, y.run, Options{})
		require.NoError(t, err)
		require.Equal(t, got, again, "seed %d", seed)
	}
}

// The healed phase is short while the plan is being shrunk, and as long as it was in the end: a plan without time to end what it began
// would be red without the bug, too.
func TestShrinkGivesTimeBack(t *testing.T) {
	plan := drawn(t, 3, "cluster")
	y := someToy(prng.New(3), &plan)
	y.healed = true
	shortest := plan.Settle
	got, err := Shrink(plan, Target{Property: "TOY"}, func(b []Candidate) []Outcome {
		out := y.run(b)
		for i := range b {
			if out[i].Fails {
				shortest = min(shortest, b[i].Plan.Settle)
			}
		}
		return out
	}, Options{})
	require.NoError(t, err)
	require.Less(t, shortest, core.Second)
	require.Equal(t, plan.Settle, got.Plan.Settle)
	require.True(t, y.fails(&got.Plan))
}

// A bound on runs is kept, and what is returned fails all the same; so it does when the runner's time is over.
func TestShrinkStopsAtItsBounds(t *testing.T) {
	for seed := range uint64(9) {
		plan := drawn(t, seed, "cluster")
		r := prng.New(seed)
		y := someToy(r, &plan)
		bound := r.Between(1, 60)
		got, err := Shrink(plan, Target{Property: "TOY"}, y.run, Options{Runs: bound})
		require.NoError(t, err)
		require.LessOrEqual(t, got.Runs, bound)
		require.False(t, got.Complete)
		require.True(t, y.fails(&got.Plan))

		y.asked = 0
		late, err := Shrink(plan, Target{Property: "TOY"}, func(b []Candidate) []Outcome {
			if int64(y.asked) > bound {
				return make([]Outcome, len(b))
			}
			return y.run(b)
		}, Options{})
		require.NoError(t, err)
		require.False(t, late.Complete)
		require.True(t, y.fails(&late.Plan))
	}
}

// The plan that came is not touched, and one that holds is refused.
func TestShrinkLeavesItsInputAlone(t *testing.T) {
	plan, same := drawn(t, 3, "cluster"), drawn(t, 3, "cluster")
	y := &toy{op: [2]int32{plan.Clients[0].ID, plan.Clients[0].Ops[0].ID}}
	_, err := Shrink(plan, Target{Property: "TOY"}, y.run, Options{})
	require.NoError(t, err)
	require.Equal(t, same, plan)
	y.op = [2]int32{2000, 1}
	_, err = Shrink(plan, Target{Property: "TOY"}, y.run, Options{})
	require.ErrorIs(t, err, ErrHolds)
}

// shared finds memory that two values share.
func shared(t *testing.T, path string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			shared(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Slice:
		if a.Len() > 0 {
			require.NotEqual(t, a.Pointer(), b.Pointer(), path)
		}
		for i := range a.Len() {
			shared(t, path+"[]", a.Index(i), b.Index(i))
		}
	case reflect.Pointer:
		if !a.IsNil() {
			require.NotEqual(t, a.Pointer(), b.Pointer(), path)
			shared(t, path, a.Elem(), b.Elem())
		}
	default: // values
	}
}

func TestClonesShareNothing(t *testing.T) {
	for seed := range uint64(5) {
		p := drawn(t, seed, "cluster")
		q := clone(p)
		require.Equal(t, p, q)
		shared(t, "plan", reflect.ValueOf(p), reflect.ValueOf(q))
	}
}

// A client that goes takes its faults along, and those of the clients behind it find them at their new places.
func TestFaultsFollowTheirClients(t *testing.T) {
	p := sim.Plan{Brokers: make([]sim.BrokerPlan, 2), Clients: []workload.Plan{{ID: 5}, {ID: 6}, {ID: 7}}, Faults: []sim.Fault{
		{ID: 1, Kind: sim.Crash, Node: 1}, {ID: 2, Kind: sim.Pause, Node: 3}, {ID: 3, Kind: sim.Cut, Node: 4, Peer: 0},
		{ID: 4, Kind: sim.Cut, Node: 0, Peer: 3}, {ID: 5, Kind: sim.Reset, Node: 2},
	}}
	dropClients(&p, []bool{false, true, false})
	require.Equal(t, []sim.Fault{
		{ID: 1, Kind: sim.Crash, Node: 1}, {ID: 3, Kind: sim.Cut, Node: 3, Peer: 0}, {ID: 5, Kind: sim.Reset, Node: 2},
	}, p.Faults)
	require.Equal(t, []workload.Plan{{ID: 5}, {ID: 7}}, p.Clients)
}

// A node that goes takes along what is about it; a fault whose Peer means nothing stays.
func TestNodesGoWithWhatIsAboutThem(t *testing.T) {
	p := sim.Plan{Brokers: make([]sim.BrokerPlan, 3), Core: []int32{0, 1}, Clients: []workload.Plan{{Kind: workload.Admin, Ops: []workload.Op{
		{ID: 1, Kind: workload.CreateTopic, Topic: "t", Partitions: 1, Replication: 3, Configs: []workload.Config{{Name: "min.insync.replicas", Value: "3"}}},
		{ID: 2, Kind: workload.Reassign, Topic: "t", Replicas: []int32{1, 3}}, {ID: 3, Kind: workload.Reassign, Topic: "t", Replicas: []int32{1}},
		{ID: 4, Kind: workload.AddVoter, Node: 1}, {ID: 5, Kind: workload.AddVoter, Node: 2},
	}}}, Faults: []sim.Fault{{ID: 1, Kind: sim.Crash, Node: 1}, {ID: 2, Kind: sim.Cut, Node: 1}, {ID: 3, Kind: sim.Crash}}}
	first := clone(p)
	dropNode(&p, 0)
	p = (&session{first: first}).tidied(p)
	require.Equal(t, []int32{1}, p.Core)
	require.Equal(t, []sim.Fault{{ID: 1, Kind: sim.Crash, Node: 1}}, p.Faults)
	ops := p.Clients[0].Ops
	require.Len(t, ops, 4)
	require.EqualValues(t, 2, ops[0].Replication)
	require.Equal(t, "1", ops[0].Configs[0].Value, "as few as it may have after the reassignments")
	require.Equal(t, []int32{3}, ops[1].Replicas)
	require.Equal(t, []int32{2}, ops[2].Replicas, "to nobody would be to cancel")
	require.EqualValues(t, 5, ops[3].ID)
}

func TestATwinThatIsLeftAloneStays(t *testing.T) {
	member := func(id int32, twin bool) workload.Plan {
		return workload.Plan{ID: id, Kind: workload.Member, Group: &workload.GroupOptions{Topics: []string{"t"}, Instance: "i", Twin: twin}}
	}
	both := sim.Plan{Clients: []workload.Plan{member(1, false), member(2, true)}}
	s := &session{first: both}
	require.True(t, s.tidied(clone(both)).Clients[1].Group.Twin)
	alone := clone(both)
	alone.Clients = alone.Clients[1:]
	require.False(t, s.tidied(alone).Clients[0].Group.Twin)
}

// While a fault takes a copy, the plan must keep the copies that were drawn for it.
func TestCopiesAreSparedWhileOneIsTaken(t *testing.T) {
	for seed := range uint64(200) {
		p := drawn(t, seed, "cluster")
		if !takesCopies(&p) {
			continue
		}
		s := &session{first: p, target: Target{Property: "TOY"}}
		require.True(t, s.sound(&p))
		q := clone(p)
		for i := range q.Brokers {
			if p.Faults[len(p.Faults)-1].Node != int32(i) {
				dropNode(&q, int32(i))
				break
			}
		}
		q = s.tidied(q)
		require.False(t, s.spares(&q), "a node less")
		q = clone(p)
		q.Clients[0].Ops[0].Replication = 1
		require.False(t, s.spares(&q), "fewer replicas")
		q.Faults = slices.DeleteFunc(q.Faults, func(f sim.Fault) bool { return destroys(f.Kind) })
		require.True(t, s.spares(&q), "nothing takes a copy any more")
		return
	}
	t.Fatal("no plan loses a disk")
}

func TestInvariantsAreToldApart(t *testing.T) {
	v := func(message string) scenarios.Violation {
		return scenarios.Violation{Property: scenarios.PropertyInvariant, Message: message}
	}
	a := TargetOf(v("invariant broken: broker 3 leads 2 partitions of [1 2] (at 17 ns)"))
	require.Equal(t, a, TargetOf(v("invariant broken: broker 1 leads 14 partitions of [3] (at 1 ns)")))
	require.NotEqual(t, a, TargetOf(v("invariant broken: broker 3 follows 2 partitions of [1 2] (at 17 ns)")))
	require.Equal(t, TargetOf(scenarios.Violation{Property: "HW-MONO", Message: "a"}), TargetOf(scenarios.Violation{Property: "HW-MONO", Message: "b"}))
}
