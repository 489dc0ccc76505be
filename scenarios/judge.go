package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/cluster"
	"github.com/klamm-log/klamm/checkers/group"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/checkers/linear"
	"github.com/klamm-log/klamm/checkers/sums"
	"github.com/klamm-log/klamm/checkers/txn"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
)

// Violation is one broken promise.
type Violation struct {
	Property string `json:"property"`
	Place    string `json:"place,omitempty"` // partition and offset, or process
	Message  string `json:"message"`
}

// Verdict is what a run proved.
type Verdict struct {
	Result     sim.Result
	Violations []Violation
	// Details are the violations as their checkers found them, one for each; of those that no checker of histories or of
	// nodes found, only the property, the message and no offset.
	Details []checkers.Violation
	// Inconclusive says why a run without violations proves less than it should; empty if it does not.
	Inconclusive string
}

// Lines are the violations, one per line, as capsules store them.
func (v *Verdict) Lines() []string {
	lines := make([]string, 0, len(v.Violations))
	for _, x := range v.Violations {
		lines = append(lines, fmt.Sprintf("%s %s: %s", x.Property, x.Place, x.Message))
	}
	return lines
}

// Properties that this package judges itself; the others are those of package checkers.
const (
	// PropertyInvariant: a machine panicked, most often because an invariant of the core broke.
	PropertyInvariant = "INVARIANT"
	// PropertySettle: with all faults healed, clients did not finish within the bound.
	PropertySettle = "L-SETTLE"
	// PropertyHealthy: with all faults healed, a broker did not serve, or a log stayed offline.
	PropertyHealthy = "L-HEALTHY"
	// PropertyDamage: a consumer was served a damaged batch, or one beyond the HighWatermark.
	PropertyDamage = "SERVED-DAMAGE"
	// PropertyContract: the core asked the disk for what the disk's contract does not allow.
	PropertyContract = "DISK-CONTRACT"
)

// Run executes a plan and judges it. watch, if not nil, sees every event.
func Run(plan sim.Plan, watch func(sim.TraceEvent)) Verdict {
	oracle := cluster.New()
	return judge(plan, oracle, sim.Options{Watch: watch, Witness: oracle})
}

// RunWithin is Run of a plan that is abandoned when it has not ended after so many events, or when giveUp, which may be nil, says
// so; the verdict is empty then.
func RunWithin(plan sim.Plan, events int64, giveUp func() bool) Verdict {
	oracle := cluster.New()
	return judge(plan, oracle, sim.Options{Witness: oracle, MaxEvents: events, GiveUp: giveUp})
}

// judge executes a plan under the eyes of an oracle.
func judge(plan sim.Plan, oracle *cluster.Oracle, opts sim.Options) Verdict {
	v := Verdict{Result: sim.Run(plan, opts)}
	if v.Result.Abandoned {
		v.Inconclusive = fmt.Sprintf("given up after %d events", v.Result.Events)
		return v
	}
	v.invariants()
	v.inside(oracle, plan.ExpectLoss)
	if len(v.Violations) > 0 {
		return v // the run was cut short, its history says nothing more
	}
	log := v.Result.History
	for _, x := range checkers.Check(log, checkers.Options{}) {
		if !v.invisible(x) {
			v.found(x)
		}
	}
	for _, x := range group.Check(log) {
		v.found(x)
	}
	for _, x := range txn.Check(log).Violations {
		v.found(x)
	}
	for _, x := range txn.CheckRefusals(log, txn.Refusals{Timeouts: timeouts(plan), Deposed: deposed(oracle)}) {
		v.found(x)
	}
	for _, x := range sums.Check(log) {
		v.found(x)
	}
	v.linear(log)
	v.damage(plan)
	v.liveness(plan)
	return v
}

func place(x checkers.Violation) string {
	switch {
	case x.Partition.Topic == "":
		return ""
	case x.Offset == core.NoOffset:
		return x.Partition.String()
	}
	return fmt.Sprintf("%v@%d", x.Partition, x.Offset)
}

func (v *Verdict) add(property, place, message string) {
	v.Violations = append(v.Violations, Violation{Property: property, Place: place, Message: message})
	v.Details = append(v.Details, checkers.Violation{Property: checkers.Property(property), Offset: core.NoOffset, Message: message})
}

// found adds what a checker found.
func (v *Verdict) found(x checkers.Violation) {
	v.Violations = append(v.Violations, Violation{Property: string(x.Property), Place: place(x), Message: x.Message})
	v.Details = append(v.Details, x)
}

// invisible reports what a misdirected write may have made: a whole batch in the place of another of the same length, perhaps of
// another partition, is valid byte for byte. Kafka's format has nothing that would tell where a batch was meant to lie, and
// a gap looks like what compaction leaves.
func (v *Verdict) invisible(x checkers.Violation) bool {
	switch x.Property {
	case checkers.ReadStable, checkers.Phantom, checkers.TopicIDMixed, checkers.IntPollSkip, checkers.PollSkip, checkers.OffsetGap,
		checkers.EpochOrder, checkers.EpochUnique, checkers.AckedDurable, checkers.Duplicate:
	default:
		return false
	}
	return slices.ContainsFunc(v.Result.Faults, func(f sim.FaultCount) bool { return f.Name == "disk/misdirect" && f.N > 0 })
}

// invariants reports what broke inside a machine.
func (v *Verdict) invariants() {
	for _, p := range v.Result.Panics {
		v.add(PropertyInvariant, p.Proc, fmt.Sprintf("%s (at %d ns)", p.What, p.At))
	}
	for _, f := range v.Result.Faults {
		if f.Name == "disk/misuse" {
			v.add(PropertyContract, "", fmt.Sprintf("%d operations broke the disk's contract", f.N))
		}
	}
}

// inside reports what the oracle and the world saw inside the nodes.
func (v *Verdict) inside(o *cluster.Oracle, lossy bool) {
	for _, x := range o.Violations() {
		v.found(x)
	}
	for _, w := range v.Result.Owed {
		if lossy {
			break // who has lost what it needs owes nothing
		}
		v.add(w.Property, w.Place, w.Message)
	}
	for _, f := range v.Result.Findings {
		v.add(f.Property, "", f.Message)
	}
}

// linear cross-checks small windows of the history with porcupine.
func (v *Verdict) linear(log *history.Log) {
	rep := linear.Check(log, linear.Options{})
	for _, x := range rep.Violations {
		v.found(x)
	}
}

// damage reports what consumers refused to take: no fault of these profiles damages what is stored, so the broker served
// what it must not.
func (v *Verdict) damage(plan sim.Plan) {
	if plan.ExpectLoss {
		return
	}
	for _, d := range v.Result.Damage {
		v.add(PropertyDamage, "", d)
	}
}

// liveness judges what must have happened after the faults.
func (v *Verdict) liveness(plan sim.Plan) {
	if plan.ExpectLoss || plan.SafetyOnly {
		return // a broker that reports damage and refuses to serve it is doing what it should
	}
	for _, u := range v.Result.Unhealthy {
		v.add(PropertyHealthy, "", u)
	}
	if v.Result.Bereft {
		return
	}
	if v.Result.Settled > v.Result.SimTime {
		v.add(PropertySettle, "", fmt.Sprintf("clients were not done %d ns after the faults had stopped: %s",
			v.Result.SimTime-v.Result.Stopped, strings.Join(v.Result.Unsettled, "; ")))
	}
	var serving []core.NodeID
	for i := range plan.Brokers {
		if !plan.Brokers[i].Absent {
			serving = append(serving, core.NodeID(i+1))
		}
	}
	out := checkers.CheckLiveness(v.Result.History, checkers.Liveness{
		Stop: v.Result.Stopped, Start: v.Result.Bounds, Produce: v.Result.Bounds, Consume: v.Result.Bounds, Serving: serving,
	}, checkers.Options{})
	for _, x := range out.Violations {
		v.found(x)
	}
	for _, x := range txn.CheckLiveness(v.Result.History, txn.Liveness{Stop: v.Result.Stopped, Begin: plan.Safety, Commit: v.Result.Bounds,
		Stable: v.Result.Bounds / 2, Writers: provers(plan, v.Result.History)}) {
		v.found(x)
	}
}

// timeouts are the shortest transaction timeouts of each transactional id. None are known where a broker's wall clock jumps: by it a new
// coordinator reckons how long a transaction has been open.
func timeouts(plan sim.Plan) []txn.Timeout {
	if slices.ContainsFunc(plan.Faults, func(f sim.Fault) bool { return f.Kind == sim.ClockJump && int(f.Node) < len(plan.Brokers) }) {
		return nil
	}
	var out []txn.Timeout
	for i := range plan.Clients {
		x := plan.Clients[i].Txn
		if x == nil {
			continue
		}
		after := x.Timeout
		if after == 0 {
			after = core.Minute // the client's default
		}
		k := slices.IndexFunc(out, func(t txn.Timeout) bool { return t.Writer == x.Writer })
		if k < 0 {
			out = append(out, txn.Timeout{Writer: x.Writer, After: after})
			continue
		}
		out[k].After = min(out[k].After, after)
	}
	return out
}

// deposed are the times in which a coordinator of transactions or groups may have answered that was one no more.
func deposed(oracle *cluster.Oracle) []txn.Span {
	var out []txn.Span
	for _, s := range oracle.Deposed("__transaction_state", "__consumer_offsets") {
		out = append(out, txn.Span{From: s.From, To: s.To})
	}
	return out
}

// provers are the transactional ids of which one transaction at least must be committed after the faults: those of writers that have a
// topic to write to, and that wait for as long as the network takes.
func provers(plan sim.Plan, log *history.Log) []int32 {
	var out []int32
	var there []string
	for i := range log.Topics() {
		if t := log.Topic(history.TopicRef(i)); !t.ID.IsZero() {
			there = append(there, t.Name)
		}
	}
	writes := func(op workload.Op) bool {
		return op.Kind == workload.Transact && slices.ContainsFunc(op.Topics, func(name string) bool { return slices.Contains(there, name) })
	}
	var hasty []int32
	for i := range plan.Clients {
		c := &plan.Clients[i]
		switch {
		case c.Kind != workload.Writer || c.Txn.Deserts:
		case c.Producer.DeliveryTimeout < firstAck(&plan):
			hasty = append(hasty, c.Txn.Writer) // perhaps another process has the id, and ends this one's transactions
		case slices.ContainsFunc(c.Ops, writes) && !slices.Contains(out, c.Txn.Writer):
			out = append(out, c.Txn.Writer)
		}
	}
	return slices.DeleteFunc(out, func(w int32) bool { return slices.Contains(hasty, w) })
}

// firstAck is how long the first record of a transaction may take to be acknowledged. It goes to the leader, which asks the coordinator,
// which has its own record replicated before the leader can have this one.
func firstAck(plan *sim.Plan) core.Mono { return 2 * replication(plan) }

// replication is how long a request may take whose answer waits for one record to be replicated: two fetches, of which each may find one
// under way that brings nothing. The rest is disks.
func replication(plan *sim.Plan) core.Mono {
	const hops, disks = 10, 50 * core.Millisecond
	return hops*(plan.Net.BaseLatency+plan.Net.Jitter) + disks
}
