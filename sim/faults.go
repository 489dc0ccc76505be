package sim

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim/simnet"
)

// FaultCount is how often a kind of fault fired.
type FaultCount struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

// scheduleFault puts one fault of the plan on the agenda.
func (r *run) scheduleFault(f Fault) {
	if int(f.Node) >= len(r.w.procs) || int(f.Peer) >= len(r.w.procs) {
		return // its target was taken out of the plan
	}
	r.w.at(f.At, func() {
		if r.phase != phaseSafety {
			return
		}
		if f.Leader {
			f.Node = r.leading(f.Node)
		}
		r.noteFault(&f, 1)
		r.begin(f)
	})
	if f.Until > f.At {
		r.w.at(f.Until, func() {
			if r.phase == phaseSafety {
				r.noteFault(&f, 0)
				r.end(f)
			}
		})
	}
}

// noteFault puts the begin (1) or the end (0) of a fault into the trace.
func (r *run) noteFault(f *Fault, begins uint64) {
	if r.w.Watch != nil {
		told := *f
		r.w.detail.Fault = &told
	}
	r.w.note(TraceFault, int(f.Node), uint64(f.ID), begins)
}

// begin makes a fault happen.
//
//nolint:cyclop // one case per kind
func (r *run) begin(f Fault) {
	w, p := r.w, r.w.procs[f.Node]
	from, to := simnet.Host(f.Node), simnet.Host(f.Peer)
	r.fired[f.Kind]++
	switch f.Kind {
	case Crash, PowerLoss:
		p.struck(f.ID, 0)
		r.down(p, f.Kind == PowerLoss)
	case CrashDirty:
		r.armed = append(r.armed, f)
	case CrashLoop:
		r.crashLoop(f, f.Amount)
	case CleanReboot:
		p.struck(f.ID, 0)
		r.shutdown(p)
	case Pause:
		p.paused = max(p.paused, f.Until)
	case ClockJump:
		p.skew += core.Wall(f.Amount)
	case ClockDrift:
		p.driftTo = f.Amount
	case Cut:
		w.net.Cut(from, to)
	case CutAPI:
		w.net.CutAPI(from, to, int16(f.Amount))
	case SlowLink:
		w.net.Slow(from, to, core.Mono(f.Amount))
	case Reset:
		r.reset(f)
	case Groups, Bridge, OneWay:
		r.severed(f, w.net.Cut)
	case NoController:
		r.controllerLinks(f, w.net.CutAddr)
	case NoReplication:
		r.brokerLinks(f, w.net.CutAddr)
	case Wipe:
		r.wipeWhenAllowed(f)
	}
	w.refreshNet()
}

// end lifts a fault that lasts.
func (r *run) end(f Fault) {
	w, p := r.w, r.w.procs[f.Node]
	from, to := simnet.Host(f.Node), simnet.Host(f.Peer)
	switch f.Kind {
	case Crash, PowerLoss, CleanReboot, CrashDirty, Wipe:
		r.up(p)
	case Groups, Bridge, OneWay:
		r.severed(f, func(from, to simnet.Host) { w.net.Heal(w.now, from, to) })
	case NoController:
		r.controllerLinks(f, func(from, to simnet.Host, addr string) { w.net.HealAddr(w.now, from, to, addr) })
	case NoReplication:
		r.brokerLinks(f, func(from, to simnet.Host, addr string) { w.net.HealAddr(w.now, from, to, addr) })
	case Cut:
		w.net.Heal(w.now, from, to)
	case CutAPI:
		w.net.HealAPI(w.now, from, to, int16(f.Amount))
	case SlowLink:
		w.net.Slow(from, to, -core.Mono(f.Amount))
	default: // the others happen at once, or end by themselves
	}
	w.refreshNet()
}

// crashLoop kills a process again and again, soon after each start.
func (r *run) crashLoop(f Fault, left int64) {
	p := r.w.procs[f.Node]
	rand := r.w.rand.ForkN("crash-loop", f.ID).ForkN("round", left)
	p.struck(f.ID, left)
	r.down(p, rand.Chance(1, 2))
	r.w.at(r.w.now+core.Mono(rand.Between(1, int64(100*core.Millisecond))), func() {
		r.up(p)
		if left > 1 && r.phase == phaseSafety {
			// Recovery of a small log takes a few milliseconds: the next crash often falls into it.
			r.w.at(r.w.now+core.Mono(rand.Skewed(int64(50*core.Millisecond))), func() {
				if r.phase == phaseSafety {
					r.crashLoop(f, left-1)
				}
			})
		}
	})
}

// reset ends one open connection of the fault's node.
func (r *run) reset(f Fault) {
	var mine []simnet.Conn
	for _, c := range r.w.net.Open() {
		if d, a := r.w.net.Hosts(c); d == simnet.Host(f.Node) || a == simnet.Host(f.Node) {
			mine = append(mine, c)
		}
	}
	if len(mine) == 0 {
		return
	}
	rand := r.w.rand.ForkN("reset", f.ID)
	victim := mine[rand.Below(int64(len(mine)))]
	r.w.net.Reset(r.w.now, victim, [2]bool{f.Amount&1 != 0, f.Amount&2 != 0})
}

// checkArmed fires power losses that wait for unsynced writes on the process that just had a turn.
func (r *run) checkArmed(p *process) {
	for i, f := range r.armed {
		if int(f.Node) != p.id || !p.up || r.phase != phaseSafety || !p.appended {
			continue
		}
		r.armed = append(r.armed[:i], r.armed[i+1:]...)
		// Not in the turn itself: a moment later, when the page cache has the writes and the sync is under way.
		rand := r.w.rand.ForkN("dirty", f.ID)
		r.w.at(r.w.now+core.Mono(rand.Between(int64(2*core.Microsecond), int64(500*core.Microsecond))), func() {
			if r.phase == phaseSafety {
				p.struck(f.ID, 0)
				r.down(p, true)
				r.w.at(r.w.now+core.Mono(rand.Between(1, int64(200*core.Millisecond))), func() { r.up(p) })
			}
		})
		return
	}
}
