package step

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
)

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

	// Spent are frames of requests and responses that nothing uses any more, not even an outstanding disk operation or a reply or send
	// of this turn: the edge may overwrite them. To give a frame back is no duty.
	Spent [][]byte

	// Points are the rare and interesting places that the turn passed, see [Effects.Sometimes].
	Points []Point
}

// Point is a place, or a condition, that a thorough test must reach sometimes.
type Point struct {
	Message string // its name, a constant: "log.torn-tail-cut"
	Details invariant.Details
}

// Sometimes says that a thorough test must see the condition hold sometimes. The simulator counts when it did and reports
// points that a sweep never reached; a real node forgets them. The message is the point's name: a constant, and listed in
// scenarios/ledger. The parameters are those of Antithesis' SDK, see package invariant.
func (e *Effects) Sometimes(condition bool, message string, details invariant.Details) {
	if condition {
		e.Points = append(e.Points, Point{Message: message, Details: details})
	}
}

// Reachable says that a thorough test must come by here sometimes. It is Sometimes without a condition.
func (e *Effects) Reachable(message string, details invariant.Details) {
	e.Sometimes(true, message, details)
}

// Reset empties the effects and keeps their memory. References are cleared so that the slices do not pin bytes.
func (e *Effects) Reset() {
	clear(e.Disk)
	clear(e.Sends)
	clear(e.Replies)
	clear(e.Spent)
	clear(e.Points)
	e.Disk, e.Sends, e.Replies, e.Spent, e.Points = e.Disk[:0], e.Sends[:0], e.Replies[:0], e.Spent[:0], e.Points[:0]
}

// Empty reports whether the turn produced nothing.
func (e *Effects) Empty() bool { return len(e.Disk) == 0 && len(e.Sends) == 0 && len(e.Replies) == 0 }
