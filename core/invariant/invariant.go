// Package invariant states what must hold. A broken invariant is a bug of ours, never of input: it panics with the
// state that shows it, in the simulator and in production alike, because a broker that goes on with a wrong state
// destroys data.
package invariant

import "fmt"

// Broken is the value of the panic.
type Broken struct{ Message string }

// Error makes a recovered Broken printable.
func (b Broken) Error() string { return "invariant broken: " + b.Message }

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
