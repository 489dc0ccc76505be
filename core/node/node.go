// Package node is the shell around a [step.Machine]: an inbox, one turn at a time, and the three interfaces through
// which effects leave. The same shell runs in the simulator and on real machines, so the driver itself is under
// test.
//
// A Node is single-threaded: whoever owns it (the simulator's world, or one loop goroutine in transport) calls
// Deliver and Poll, never two at once. It performs no I/O itself and never waits.
package node

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// Clock reads the present. It is read once per turn.
type Clock interface{ Now() core.Now }

// Network performs sends and replies. Neither method blocks or fails; closings come back as events.
type Network interface {
	Send(s step.Send)
	Reply(r step.Reply)
	// Reclaim takes back the frame of a request or response, see [step.Effects.Spent].
	Reclaim(frame []byte)
}

// Disk performs file operations. Submit neither blocks nor fails; outcomes come back as [step.DiskDone].
type Disk interface{ Submit(op step.DiskOp) }

// Node drives one machine.
type Node struct {
	machine step.Machine
	clock   Clock
	net     Network
	disk    Disk

	// Reached, if set, hears of the points that each turn passed.
	Reached func(p step.Point)

	// Unkind, if set, is asked at the places that are worth a test; see [Unkindness]. On a real node it is nil.
	Unkind Unkind

	inbox   []step.Event
	out     step.Effects
	started bool
}

// New wraps a machine that has not been started; its first turn begins with [step.Start].
func New(m step.Machine, c Clock, n Network, d Disk) *Node {
	return &Node{machine: m, clock: c, net: n, disk: d}
}

// Deliver puts an event into the inbox; the next Poll takes it.
func (n *Node) Deliver(ev step.Event) { n.inbox = append(n.inbox, ev) }

// Pending reports whether Poll has something to do at the given instant.
func (n *Node) Pending(now core.Mono) bool {
	if !n.started || len(n.inbox) > 0 {
		return true
	}
	at, ok := n.machine.NextDeadline()
	return ok && at <= now
}

// Poll runs one turn: all events of the inbox, a Tick if a deadline has passed, the end of the turn, and then the
// effects. It returns the number of events stepped.
func (n *Node) Poll() int {
	now := n.clock.Now()
	stepped := 0
	if !n.started {
		n.started = true
		n.machine.Step(now, &step.Start{}, &n.out)
		stepped++
	}
	take := n.taken()
	for i, ev := range n.inbox[:take] {
		n.machine.Step(now, ev, &n.out)
		n.inbox[i] = nil
		stepped++
	}
	left := copy(n.inbox, n.inbox[take:])
	clear(n.inbox[left:])
	n.inbox = n.inbox[:left]
	if at, ok := n.machine.NextDeadline(); n.ticks(ok && at <= now.Mono) {
		n.machine.Step(now, &step.Tick{}, &n.out)
		stepped++
	}
	if stepped > 0 {
		n.machine.EndTurn(now, &n.out)
		n.flush()
	}
	return stepped
}

// Waiting is the number of events in the inbox.
func (n *Node) Waiting() int { return len(n.inbox) }

// NextDeadline is when the machine wants to be polled at the latest without any event.
func (n *Node) NextDeadline() (core.Mono, bool) {
	if !n.started {
		return 0, true
	}
	return n.machine.NextDeadline()
}

// flush performs the turn's effects. Replies go before disk operations: the edge takes hold of a reply's spans when it
// gets the reply, and the same turn may close the file (a segment that retention removed).
//
// Memory that is given back goes first: a real edge encodes replies and sends later, so none of this turn may need it, and where the
// simulator spoils it they show if one does.
func (n *Node) flush() {
	for _, frame := range n.out.Spent {
		n.net.Reclaim(frame)
	}
	for i := range n.out.Replies {
		n.net.Reply(n.out.Replies[i])
	}
	for i := range n.out.Disk {
		n.disk.Submit(n.out.Disk[i])
	}
	for i := range n.out.Sends {
		n.net.Send(n.out.Sends[i])
	}
	if n.Reached != nil {
		for _, p := range n.out.Points {
			n.Reached(p)
		}
	}
	n.out.Reset()
}
