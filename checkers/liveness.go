package checkers

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Liveness says what must happen, and how soon, once faults have stopped. Progress is owed only where the recorder
// says so: to partitions with a living majority, to consumers that poll, to brokers that were restarted.
type Liveness struct {
	// Stop is the instant from which no fault is active.
	Stop core.Mono
	// How long after Stop, or after its own start if that is later, each kind may take.
	Produce, Consume, Start core.Mono
	Producing               []history.Place // partitions to which a send must succeed
	Consuming               []Consuming
	Serving                 []core.NodeID // brokers that must answer requests
}

// Consuming is a consumer that must reach the HighWatermark of a partition as it was at Stop.
type Consuming struct {
	Process history.Process
	Place   history.Place
}

// Outcome of the obligations.
type Outcome struct {
	Violations []Violation
	// Open is how many obligations were not met, though the history ends before their time was up: neither met nor
	// violated. A run that leaves some open proves nothing about them.
	Open int
	// Met is how many were met.
	Met int
}

// CheckLiveness judges a whole history against l. The order of violations is that of l's lists.
func CheckLiveness(log *history.Log, l Liveness, opts Options) Outcome {
	j := &judge{findings: findings{log: log, opts: opts}, Liveness: l}
	if n := log.Len(); n > 0 {
		op, _ := log.At(n - 1)
		j.end = op.End
	}
	for _, at := range l.Producing {
		j.produce(at)
	}
	for _, want := range l.Consuming {
		j.consume(want)
	}
	for _, node := range l.Serving {
		j.serve(node)
	}
	j.out.Violations = j.kept
	return j.out
}

// judge goes through a history once per obligation.
type judge struct {
	findings
	Liveness
	end core.Mono // of the history
	out Outcome
}

// produce demands that a send called after Stop succeeds by the deadline, and that every send is answered within
// the bound after its call or Stop.
func (j *judge) produce(at history.Place) {
	by := j.Stop.Add(j.Produce)
	met, late := false, -1
	for i := range j.log.Len() {
		op, body := j.log.At(i)
		s, ok := body.(*history.Send)
		if !ok || s.Place != at || op.End <= j.Stop {
			continue
		}
		met = met || op.Outcome == history.OK && op.Start >= j.Stop && op.End <= by
		if late < 0 && op.End > max(op.Start, j.Stop).Add(j.Produce) {
			late = i
		}
	}
	switch {
	case late >= 0:
		op, _ := j.log.At(late)
		j.report(LiveProduce, at, core.NoOffset, []int{late},
			"p%d's send was called at %d and ended at %d, more than %d after the faults", op.Process, op.Start, op.End, j.Produce)
	case met:
		j.out.Met++
	case j.end < by:
		j.out.Open++
	default:
		j.report(LiveProduce, at, core.NoOffset, nil, "no send called after %d succeeded by %d", j.Stop, by)
	}
}

// consume demands that a process' position reaches what was committed at Stop.
func (j *judge) consume(want Consuming) {
	by := j.Stop.Add(j.Consume)
	target, why := j.committed(want.Place)
	reached := core.Offset(0)
	for i := range j.log.Len() {
		op, body := j.log.At(i)
		if p, ok := body.(*history.Poll); ok && p.Place == want.Place && op.Process == want.Process &&
			op.Outcome == history.OK && op.End <= by {
			reached = max(reached, p.End())
		}
	}
	switch {
	case reached >= target:
		j.out.Met++
	case j.end < by:
		j.out.Open++
	default:
		j.report(LiveConsume, want.Place, reached, why, "p%d had read up to %d by %d, and %d was committed at %d",
			want.Process, reached, by, target, j.Stop)
	}
}

// committed is the highest HighWatermark known at Stop and the event that showed it: shown, acknowledged as
// durable by all, or read.
func (j *judge) committed(at history.Place) (hw core.Offset, why []int) {
	for i := range j.log.Len() {
		op, body := j.log.At(i)
		if op.End > j.Stop {
			break
		}
		if o := committedBy(op, body, at); o > hw {
			hw, why = o, []int{i}
		}
	}
	return hw, why
}

// committedBy is the least HighWatermark of the partition that an event proves.
func committedBy(op history.Op, body history.Body, at history.Place) core.Offset {
	if p, ok := history.PlaceOf(body); !ok || p != at || op.Outcome != history.OK {
		return core.NoOffset
	}
	switch b := body.(type) {
	case *history.Poll:
		if n := len(b.Records); n > 0 {
			return max(b.HighWatermark, b.Records[n-1].Offset+1)
		}
		return b.HighWatermark
	case *history.ListOffsets:
		if b.Spec == history.SpecLatest {
			return b.Offset
		}
	case *history.Send:
		if n := len(b.Records); n > 0 && b.Promise == history.Durable && b.Acks == acksAll && b.Records[n-1].Offset != core.NoOffset {
			return b.Records[n-1].Offset + 1
		}
	case *history.Replica:
		if b.Leader {
			return b.HighWatermark
		}
	}
	return core.NoOffset
}

// serve demands that a broker serves at some instant from Stop to the deadline, and that it serves at the
// deadline: a broker that dies again with no fault active has not recovered.
func (j *judge) serve(node core.NodeID) {
	by := j.Stop.Add(j.Start)
	last, state := -1, history.Stopped
	for i := range j.log.Len() {
		op, body := j.log.At(i)
		if b, ok := body.(*history.NodeChange); ok && b.Node == node && op.End <= by {
			last, state = i, b.State
		}
	}
	switch {
	case state == history.Serving:
		j.out.Met++
	case j.end < by:
		j.out.Open++
	default:
		var why []int
		if last >= 0 {
			why = []int{last}
		}
		j.add(Violation{Property: LiveStart, Offset: core.NoOffset, Events: why},
			"node %d was not serving at %d: the last that was seen of it is %q", node, by, state)
	}
}
