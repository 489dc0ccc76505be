// Package hooked lets other goroutines act on a machine between its turns, and look at it after each.
//
// A step.Machine belongs to the goroutine of its loop. A [Machine] wraps one: what others want done is queued by
// [Machine.Do] and done on the loop's goroutine before the next turn; whoever must see what a turn has changed sets
// [Hooks]. Events, effects and deadlines pass through unchanged.
package hooked

import (
	"sync"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// Hooks are called on the loop's goroutine; they must not block. Any may be nil.
type Hooks struct {
	Event func(ev step.Event) // sees each event before the machine does
	After func(now core.Now)  // after each turn, before its effects are performed
	Wake  func(ev *step.Tick) // makes a turn happen soon: Loop.Deliver
}

// Machine is a machine with hooks.
type Machine struct {
	inner  step.Machine
	hooks  Hooks
	inTurn bool

	mu    sync.Mutex
	calls []func(now core.Now)
	spare []func(now core.Now)
}

var _ step.Machine = (*Machine)(nil)

// Wrap puts hooks on a machine. Wake is needed.
func Wrap(m step.Machine, h Hooks) *Machine { return &Machine{inner: m, hooks: h} }

// Do queues a function that will be called on the loop's goroutine between two turns. It does not wait, and may be
// called from any goroutine, the loop's too. If the loop has ended the function is never called.
func (m *Machine) Do(fn func(now core.Now)) {
	m.mu.Lock()
	m.calls = append(m.calls, fn)
	first := len(m.calls) == 1
	m.mu.Unlock()
	if first { // others are on their way already
		m.hooks.Wake(&step.Tick{})
	}
}

// Step implements [step.Machine]. The first event of a turn is preceded by the queued calls.
func (m *Machine) Step(now core.Now, ev step.Event, out *step.Effects) {
	if !m.inTurn {
		m.inTurn = true
		m.runCalls(now)
	}
	if m.hooks.Event != nil {
		m.hooks.Event(ev)
	}
	m.inner.Step(now, ev, out)
}

// EndTurn implements [step.Machine].
func (m *Machine) EndTurn(now core.Now, out *step.Effects) {
	m.inner.EndTurn(now, out)
	m.inTurn = false
	if m.hooks.After != nil {
		m.hooks.After(now)
	}
}

// NextDeadline implements [step.Machine].
func (m *Machine) NextDeadline() (core.Mono, bool) { return m.inner.NextDeadline() }

func (m *Machine) runCalls(now core.Now) {
	m.mu.Lock()
	calls := m.calls
	m.calls = m.spare[:0]
	m.mu.Unlock()
	for i, fn := range calls {
		fn(now)
		calls[i] = nil
	}
	m.mu.Lock()
	m.spare = calls
	m.mu.Unlock()
}
