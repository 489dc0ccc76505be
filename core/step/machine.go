package step

import "github.com/klamm-log/klamm/core"

// Machine is a protocol participant as a pure state machine: a broker, a controller or a client.
type Machine interface {
	// Step takes one event. Effects are appended to out and performed after the turn has ended.
	Step(now core.Now, ev Event, out *Effects)

	// EndTurn closes a turn of one or more steps: group commit (one sync per dirty file), completion of parked
	// requests, whatever is cheaper once per turn than once per event.
	EndTurn(now core.Now, out *Effects)

	// NextDeadline is the earliest instant at which the machine wants a [Tick], and whether there is one. A machine
	// without work has no deadline and costs nothing.
	NextDeadline() (core.Mono, bool)
}

// Effects collects one turn's output in reusable slices.
type Effects struct {
	Disk    []DiskOp
	Sends   []Send
	Replies []Reply

	// Points are the names of rare and interesting places that the turn passed, see [Effects.Sometimes].
	Points []string
}

// Sometimes marks a place that a thorough test must reach sometimes, for instance "log.torn-tail-cut". The simulator
// counts them and reports those that a sweep never reached; a real node forgets them. The name must be a constant.
func (e *Effects) Sometimes(name string) { e.Points = append(e.Points, name) }

// Reset empties the effects and keeps their memory. References are cleared so that the slices do not pin bytes.
func (e *Effects) Reset() {
	clear(e.Disk)
	clear(e.Sends)
	clear(e.Replies)
	e.Disk, e.Sends, e.Replies, e.Points = e.Disk[:0], e.Sends[:0], e.Replies[:0], e.Points[:0]
}

// Empty reports whether the turn produced nothing.
func (e *Effects) Empty() bool { return len(e.Disk) == 0 && len(e.Sends) == 0 && len(e.Replies) == 0 }
