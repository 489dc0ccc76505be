// Package invariant states what must hold, and what must happen sometimes.
//
// A broken invariant is a bug of ours, never of input: it panics with the state that shows it, in the simulator and in
// production alike, because a broker that goes on with a wrong state destroys data.
//
// # The shape of the calls
//
// [Always] and [Unreachable] here, Sometimes and Reachable of step.Effects, have the parameters of Antithesis' assertion
// SDKs (github.com/antithesishq/antithesis-sdk-go/assert): a condition, a message, details. As there, the message is the
// property's name: a constant, the same wherever the property is asserted, another for another property; numbers belong
// into the details. Failures are grouped by it, and the catalogue of expected points (package scenarios/ledger) lists it.
// What differs, because the core has no global state to register in:
//
//   - Sometimes and Reachable are methods of a turn's effects: the shell counts what it finds there.
//   - Always does not count how often it held, so it is the SDK's AlwaysOrUnreachable: it cannot say that it was never
//     asked. Where that matters, a Reachable stands beside it.
//
// [Check] and [Fail] are the older form, with the state formatted into the message.
package invariant

import (
	"fmt"
	"slices"
	"strings"
)

// Details is the state that belongs to an assertion, by name. Nil is none. Building one takes memory: on hot paths only
// once the assertion is known to fail, or the point to be rare.
type Details = map[string]any

// Broken is the value of the panic.
type Broken struct {
	Message string
	Details Details // of Always and Unreachable; Check and Fail have theirs in the message
}

// Error makes a recovered Broken printable: the message, then the details by name.
func (b Broken) Error() string { return "invariant broken: " + b.Message + text(b.Details) }

// text is the details as text, sorted by name: " (end 7, start 9)"; empty without any.
func text(d Details) string {
	if len(d) == 0 {
		return ""
	}
	parts := make([]string, 0, len(d))
	for name, value := range d { //det:unordered sorted below
		parts = append(parts, fmt.Sprintf("%s %+v", name, value))
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}

// Always panics with the message and the details unless the condition holds.
func Always(condition bool, message string, details Details) {
	if !condition {
		panic(Broken{Message: message, Details: details})
	}
}

// Unreachable panics: the place that calls it is one where control never comes.
func Unreachable(message string, details Details) { panic(Broken{Message: message, Details: details}) }

// Check panics with the formatted message unless ok. The arguments should be the state that the condition reads.
// On hot paths write `if !cond { invariant.Fail(...) }`, which builds no argument list while all is well.
func Check(ok bool, format string, args ...any) {
	if !ok {
		Fail(format, args...)
	}
}

// Fail panics with the formatted message.
func Fail(format string, args ...any) {
	panic(Broken{Message: fmt.Sprintf(format, args...)})
}
