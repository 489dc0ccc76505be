package sim

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simnet"
)

// never is later than any instant of a run.
const never core.Mono = 1<<63 - 1

// epochWall is the wall clock at the beginning of every run: 2026-01-01 00:00 UTC.
const epochWall core.Wall = 1_767_225_600_000

// World is one simulated cluster with its clients.
type World struct {
	now    core.Mono
	rand   *prng.Rand
	net    *simnet.Network
	procs  []*process
	agenda []appointment // in order of time
	agendN int           // appointments kept

	// due[i] is when component i wants to be fired: the agenda, the network, then per process its disk and itself.
	due []core.Mono

	hash   Hash
	events int64
	chain  []Link
	panics []Panic
	kind   bool // faults are over

	// Watch, if set, sees every event. It slows the run down and changes nothing.
	Watch  func(TraceEvent)
	detail TraceEvent // what the next note tells besides its words; filled only while somebody watches
}

// appointment is something that the plan does at an instant.
type appointment struct {
	at core.Mono
	do func()
}

// Panic is a broken invariant or any other panic of a machine: a finding.
type Panic struct {
	At    core.Mono
	Proc  string
	What  string
	Stack string
}

// Components in front of the processes'.
const (
	compAgenda = iota
	compNet
	compFirst // disk of process 0; process 0 itself; disk of process 1 ...
)

func newWorld(seed uint64, net simnet.Config) *World {
	root := prng.New(seed).Fork("world")
	return &World{
		rand: root,
		net:  simnet.New(root.Fork("net"), net),
		due:  []core.Mono{never, 0},
	}
}

// add puts a process into the world; it is started by the agenda.
func (w *World) add(p *process) *process {
	p.w, p.id = w, len(w.procs)
	p.host = simnet.Host(p.id)
	w.net.Name(p.host, p.name)
	p.rand = w.rand.Fork("proc/" + p.name)
	w.procs = append(w.procs, p)
	w.due = append(w.due, never, never)
	if p.disk != nil {
		p.observeDisk()
	}
	return p
}

// at makes an appointment. Appointments of one instant are kept in the order of their making.
func (w *World) at(t core.Mono, do func()) {
	i := len(w.agenda)
	w.agenda = append(w.agenda, appointment{})
	for i > w.agendN && w.agenda[i-1].at > t {
		w.agenda[i] = w.agenda[i-1]
		i--
	}
	w.agenda[i] = appointment{t, do}
	w.due[compAgenda] = w.agenda[w.agendN].at
}

// runUntil advances the world to an instant, or until stop says so after an event.
func (w *World) runUntil(end core.Mono, stop func() bool) {
	for {
		comp, at := 0, never
		for i, d := range w.due {
			if d < at {
				comp, at = i, d
			}
		}
		if at > end {
			w.now = max(w.now, end)
			return
		}
		w.now = max(w.now, at)
		w.fire(comp)
		if stop != nil && stop() {
			return
		}
	}
}

// fire lets one component do what is due.
func (w *World) fire(comp int) {
	switch {
	case comp == compAgenda:
		do := w.agenda[w.agendN].do
		w.agenda[w.agendN].do = nil
		w.agendN++
		w.due[compAgenda] = never
		if w.agendN < len(w.agenda) {
			w.due[compAgenda] = w.agenda[w.agendN].at
		}
		do()
	case comp == compNet:
		w.net.Poll(w.now, w.arrived)
		w.refreshNet()
	case (comp-compFirst)%2 == 0:
		p := w.procs[(comp-compFirst)/2]
		p.disk.Poll(w.now, p.diskDone)
		p.refreshDisk()
	default:
		w.procs[(comp-compFirst)/2].turn()
	}
}

// refreshNet takes over the network's next deadline after anything was submitted to it or polled from it.
func (w *World) refreshNet() {
	w.due[compNet] = deadlineOr(w.net.NextDeadline())
}

func deadlineOr(at core.Mono, ok bool) core.Mono {
	if !ok {
		return never
	}
	return at
}

// arrived passes a network event to the process at whose end it arrived.
func (w *World) arrived(ev simnet.Event) {
	p := w.procs[ev.Host]
	if w.Watch != nil {
		w.detail.Net = w.flow(ev.Conn, ev.Side)
		w.detail.Net.Kind, w.detail.Net.Bytes, w.detail.Net.Why = ev.Kind, ev.Bytes, ev.Why
	}
	w.note(TraceNet, p.id, uint64(ev.Conn)<<8|uint64(ev.Side)<<4|uint64(ev.Kind), noteBytes(ev.Bytes))
	p.netEvent(ev)
}

// caught turns a panic of a process' machine into a finding and kills the process.
func (w *World) caught(p *process, r any, stack string) {
	w.panics = append(w.panics, Panic{At: w.now, Proc: p.name, What: fmt.Sprint(r), Stack: stack})
	w.tell(TraceEvent{Kind: TracePanic, Proc: p.id, Text: fmt.Sprint(r), Stack: stack})
	p.crash(false)
}

// Now is the present instant of the world.
func (w *World) Now() core.Mono { return w.now }

// Events is the number of events so far.
func (w *World) Events() int64 { return w.events }

// deliver puts an event into a process' inbox and sees to it that a turn follows.
func (p *process) deliver(ev step.Event) {
	p.node.Deliver(ev)
	p.wake(p.w.now)
}
