package sim

import (
	//nolint:depguard // the reason stands behind the import
	"runtime/debug" //det:diagnostic the stack of a caught panic is for people; no digest sees it

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/simnet"
)

// Driver is what a client's process does besides its machine: it calls the machine's methods between turns. A broker
// has none.
type Driver interface {
	// Act runs before and after each turn: it takes results and starts what is due. now is the process' own clock, at
	// the world's.
	Act(now core.Now, at core.Mono)
	// Due is when the driver next wants to act, on the world's clock.
	Due() (core.Mono, bool)
}

// process is one machine in its shell on its host, with the edges that a real node has: a listener, connections, a
// disk, clocks.
type process struct {
	w    *World
	id   int
	host simnet.Host
	name string
	rand *prng.Rand
	disk *simdisk.Disk // nil for clients

	spawn     func(incarnation int64) (step.Machine, Driver)
	listeners []*listener                     // none for clients
	listening func(step.Machine, string) bool // whether the listener of that name is open
	limits    conn.Limits                     // of dialled connections

	// of the incarnation that runs
	up          bool
	incarnation int64
	doom        int64 // names what ended the last incarnation: 0 nothing yet, above 0 a fault, below 0 something else
	next        int64 // names the fault that is about to end this one; 0: none
	ends        int64 // of incarnations that no fault ended
	machine     step.Machine
	driver      Driver
	node        *node.Node
	startedAt   core.Mono
	served      map[simnet.Conn]*served
	servedByID  map[step.ConnID]*served
	dialed      map[simnet.Conn]*dialed
	dialedByID  map[step.PeerID]*dialed
	nextConn    step.ConnID
	onTurn      func(p *process) // looks in after each turn
	lastWords   string           // why the last incarnation ended itself

	// clocks and pace
	skew      core.Wall                    // added to the wall clock
	driftPpm  int64                        // parts per million that the monotonic clock runs fast
	driftTo   int64                        // driftPpm of the next incarnation: a clock does not change pace while deadlines are pending
	busy      core.Mono                    // no turn before this instant
	paused    core.Mono                    // nor before this one
	perEvent  core.Mono                    // cost of one event
	appended  bool                         // the last turn wrote to the disk
	stepped   bool                         // the last turn had events, so what the machine tells of its last turn is about it
	announced bool                         // that it serves was noted
	outcast   bool                         // it is not part of the core that is healed
	swaps     map[string]bool              // the logs in which a start found a swap of the cleaner to finish
	ears      *ears                        // nil: nobody listens
	bugs      *[bugs]*bug                  // nil: kind everywhere
	memory    *memory                      // of its connections
	late      map[lateKey][]*step.DiskDone // completions that are held back

	// what its disk has of elections, see election
	wipes     int // disks that it has lost
	stateFile string
	state     struct {
		Epoch  core.LeaderEpoch `json:"leaderEpoch"`
		Voted  core.NodeID      `json:"votedId"`
		Leader core.NodeID      `json:"leaderId"`
	}
}

// served is a connection that this process accepted.
type served struct {
	conn   simnet.Conn
	id     step.ConnID
	server *conn.Server
	gone   bool
	unread []byte  // what has arrived and is not read yet
	asked  []asked // requests whose answers will be judged
}

// dialed is a connection that this process opened.
type dialed struct {
	conn   simnet.Conn
	peer   step.PeerID
	client *conn.Client
	open   bool
}

// Now implements node.Clock: the process' own clocks.
func (p *process) Now() core.Now {
	elapsed := p.w.now - p.startedAt
	return core.Now{
		Mono: elapsed + core.Mono(int64(elapsed)/1_000_000*p.driftPpm),
		Wall: epochWall + core.Wall(p.w.now/core.Millisecond) + p.skew,
	}
}

// worldTime is the first instant at which the process' monotonic clock shows at least m.
func (p *process) worldTime(m core.Mono) core.Mono {
	if m > never/2 {
		return never
	}
	at := p.startedAt + m
	if p.driftPpm != 0 {
		at = p.startedAt + core.Mono(int64(m)/(1_000_000+p.driftPpm)*1_000_000)
		for (at-p.startedAt)+core.Mono(int64(at-p.startedAt)/1_000_000*p.driftPpm) < m {
			at += core.Microsecond
		}
	}
	return at
}

// start begins a new incarnation.
func (p *process) start() {
	if p.up {
		return
	}
	p.up, p.startedAt, p.busy, p.driftPpm = true, p.w.now, p.w.now, p.driftTo
	p.incarnation++
	p.announced = false
	p.machine, p.driver = p.spawn(p.incarnation)
	p.node = node.New(p.machine, p, p, p)
	p.memory = newMemory()
	if p.late = nil; p.bugs != nil {
		p.node.Unkind = p.shell
	}
	p.served, p.servedByID = make(map[simnet.Conn]*served), make(map[step.ConnID]*served)
	p.dialed, p.dialedByID = make(map[simnet.Conn]*dialed), make(map[step.PeerID]*dialed)
	p.w.note(TraceStart, p.id, uint64(p.incarnation), 0)
	p.wake(p.w.now)
}

// struck tells which fault is about to end the incarnation. The draws of the end and of the next incarnation go by it, not by
// how many there were before, so that a fault that is taken out of the plan leaves the luck of the later ones. round tells
// several ends by one fault apart.
func (p *process) struck(fault, round int64) {
	if p.up {
		p.next = fault<<8 | (round+1)&255
	}
}

// crash ends the incarnation: its memory is gone, its connections end, its disk keeps the page cache unless the power
// was lost.
func (p *process) crash(powerLoss bool) {
	if !p.up {
		return
	}
	p.up, p.machine, p.driver, p.node = false, nil, nil, nil
	if p.doom, p.next = p.next, 0; p.doom == 0 {
		p.ends++
		p.doom = -p.ends
	} else if p.disk != nil {
		p.disk.Doom(p.doom)
	}
	p.stopListening()
	p.w.net.HostDown(p.w.now, p.host, powerLoss)
	p.w.refreshNet()
	b := uint64(0)
	if p.disk != nil {
		if powerLoss {
			b = 1
			p.disk.PowerLoss(p.w.now)
		} else {
			p.disk.ProcessCrash(p.w.now)
		}
		p.refreshDisk()
	}
	p.w.note(TraceCrash, p.id, uint64(p.incarnation), b)
	p.w.due[p.comp()+1] = never
}

// comp is the index of the process' disk among the world's components; the process itself is the next.
func (p *process) comp() int { return compFirst + 2*p.id }

// wake schedules a turn at an instant, or as soon after it as the process is free.
func (p *process) wake(at core.Mono) {
	at = max(at, p.busy, p.paused)
	if i := p.comp() + 1; at < p.w.due[i] {
		p.w.due[i] = at
	}
}

// turn runs one turn of the shell. A panic is a finding and ends the process.
func (p *process) turn() {
	p.w.due[p.comp()+1] = never
	if !p.up {
		return
	}
	if free := max(p.busy, p.paused); p.w.now < free {
		p.wake(free)
		return
	}
	defer func() {
		if r := recover(); r != nil {
			p.w.caught(p, r, string(debug.Stack()))
		}
	}()
	if p.driver != nil {
		p.driver.Act(p.Now(), p.w.now)
	}
	p.appended = false
	stepped := p.node.Poll()
	p.stepped = stepped > 0
	p.w.note(TraceTurn, p.id, uint64(stepped), 0)
	if p.driver != nil {
		p.driver.Act(p.Now(), p.w.now)
	}
	p.busy = p.w.now + core.Microsecond + p.perEvent*core.Mono(stepped)
	if r := p.unkind(bugSlowTurn); r != nil {
		p.busy += core.Mono(r.Skewed(int64(20 * core.Millisecond)))
	}
	p.updateListeners()
	if p.onTurn != nil {
		p.onTurn(p)
	}
	p.scheduleNext()
}

// scheduleNext wakes the process for its machine's and its driver's deadlines, and for what is still in the inbox.
func (p *process) scheduleNext() {
	if !p.up {
		return
	}
	if p.node.Waiting() > 0 {
		p.wake(p.w.now)
	}
	if at, ok := p.node.NextDeadline(); ok {
		p.wake(max(p.w.now, p.worldTime(at)))
	}
	if p.driver != nil {
		if at, ok := p.driver.Due(); ok {
			p.wake(max(p.w.now, at))
		}
	}
}
