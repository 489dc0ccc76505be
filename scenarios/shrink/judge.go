package shrink

import (
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
)

// Target is the violation that a smaller plan must show, too, as the first one of its verdict.
type Target struct {
	Property string
	// What tells broken invariants apart: the message without its numbers. Empty for properties, whose names say enough.
	// The place may move: partitions, nodes and offsets go by what is left of the plan.
	What string
}

// TargetOf is what a violation is shrunk to.
func TargetOf(v scenarios.Violation) Target {
	t := Target{Property: v.Property}
	if v.Property == scenarios.PropertyInvariant {
		t.What = shape(v.Message)
	}
	return t
}

// shape is a message up to its instant, without digits and what is in brackets: offsets, ids and members differ from run to run.
func shape(message string) string {
	message, _, _ = strings.Cut(message, " (at ")
	var b strings.Builder
	depth := 0
	for _, c := range message {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth = max(0, depth-1)
		case depth == 0 && (c < '0' || c > '9'):
			b.WriteRune(c)
		}
	}
	return b.String()
}

// Candidate is a plan to be run, and the number of events after which the run can be given up.
type Candidate struct {
	Plan      sim.Plan
	MaxEvents int64
	// Must says that the candidate is to be run even when the time is over.
	Must bool
	// GiveUp, which a runner may set, is asked during the run whether it is still wanted. A run that is not counts as none.
	GiveUp func() bool
}

// Outcome is what a candidate's run showed. The zero value is that of a candidate that was not run.
type Outcome struct {
	Ran    bool
	Fails  bool // as the target demands, within the candidate's events
	Events int64
	// End is where the run ended; Healed says that it got as far as the end of the faults.
	End    core.Mono
	Healed bool
}

// Judge runs a candidate. It is pure: candidates may be judged in parallel.
func Judge(c Candidate, t Target) Outcome {
	if c.Plan.Validate() != nil {
		return Outcome{Ran: true}
	}
	v := scenarios.RunWithin(c.Plan, c.MaxEvents, c.GiveUp)
	if v.Result.Abandoned && c.GiveUp != nil && c.GiveUp() {
		return Outcome{}
	}
	o := Outcome{Ran: true, Events: v.Result.Events, End: v.Result.SimTime, Healed: v.Result.Stopped > 0}
	o.Fails = len(v.Violations) > 0 && TargetOf(v.Violations[0]) == t && (c.MaxEvents == 0 || o.Events <= c.MaxEvents)
	return o
}
