package sim

import (
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/sim/simnet"
)

// What becomes of the nodes that are not healed with the core.
const (
	outcastDown     = iota // they do not run
	outcastIsolated        // they run, and neither hear nor reach anybody
	outcastDeaf            // they run and reach the core, and do not hear it: whom pre-vote keeps quiet (KIP-996)
	outcasts
)

// quietAtLeast is how long no election may be held for a quorum to count as stable: longer than the timeouts that
// profiles draw.
const quietAtLeast = 3 * core.Second

// liveEvery is how often the core is asked whether it still owes something.
const liveEvery = 100 * core.Millisecond

// healCore ends the faults for the plan's core alone, and gives it its time: it must keep every promise while the others
// stay broken.
func (r *run) healCore() {
	if r.seer == nil || len(r.plan.Core) == 0 || r.hopeless() {
		return
	}
	r.phase = phaseSettle
	w := r.w
	w.kind = true
	w.net.HealAll(w.now)
	fate := r.w.rand.Fork("outcasts").Below(outcasts)
	for i, p := range r.brokers {
		if slices.Contains(r.plan.Core, int32(i)) {
			r.repair(p)
			continue
		}
		p.outcast = true
		if fate == outcastDown {
			r.down(p, false)
		}
		for j := range r.brokers {
			if j == i {
				continue
			}
			w.net.Cut(simnet.Host(j), simnet.Host(i))
			if fate == outcastIsolated {
				w.net.Cut(simnet.Host(i), simnet.Host(j))
			}
		}
	}
	w.refreshNet()
	for _, p := range r.clients {
		p.paused, p.skew = 0, 0
		p.wake(w.now)
	}
	r.points["sim.core-healed"]++
	w.at(w.now+lateDamage, r.restartAiling)
	r.await(r.core())
	for _, p := range r.brokers {
		p.outcast = false
	}
}

// repair ends what ails a node: pauses, clocks, disks; and starts it. Clocks that stay an hour apart are no fault that anything could be
// promised under: a broker refuses records of the future.
func (r *run) repair(p *process) {
	w := r.w
	p.paused, p.driftTo, p.skew = 0, 0, 0
	if p.disk != nil {
		p.disk.Heal(w.now)
		p.refreshDisk()
		if p.up && ailing(p.machine.(machine)) {
			r.down(p, false) // an operator restarts a broker whose logs went offline
		}
	}
	r.up(p)
	p.wake(w.now)
}

// core is what is healed now: the plan's core, or everything.
func (r *run) core() history.Core {
	c := history.Core{Quiet: quietAtLeast}
	for i := range r.brokers {
		if r.brokers[i].outcast || r.plan.Brokers[i].Absent {
			continue
		}
		c.Nodes = append(c.Nodes, nodeID(i))
		if r.plan.Brokers[i].IsBroker() {
			c.Brokers = append(c.Brokers, nodeID(i))
		}
	}
	return c
}

// await runs the world until the core owes nothing; what it still owes when its time is up are findings.
func (r *run) await(c history.Core) {
	w := r.w
	for bound := w.now + r.plan.Settle; !r.hopeless(); {
		w.runUntil(min(bound, w.now+liveEvery), r.hopeless)
		owed := r.seer.witness.Waiting(w.now, c)
		if len(owed) == 0 || r.hopeless() {
			return
		}
		if w.now >= bound {
			r.result.Owed = append(r.result.Owed, owed...)
			return
		}
	}
}

// bereft reports whether a disk was lost that was the last one known to have some partition whole: its node was in the ISR yet when the
// others left it, or alone in the ELR, and has registered without it since.
func (r *run) bereft() bool {
	var newest *metadata.Image
	wiped := false
	for _, p := range r.brokers {
		wiped = wiped || p.wipes > 0
		if n := p.insight(); n != nil && (newest == nil || n.Image().Offset() > newest.Offset()) {
			newest = n.Image()
		}
	}
	if !wiped || newest == nil {
		return false
	}
	for t := range newest.Topics() {
		for _, p := range t.Partitions() {
			if p.Leader == core.NoNode && len(p.ISR) == 0 && len(p.EligibleLeaderReplicas) == 0 {
				r.points["sim.bereft"]++
				return true
			}
		}
	}
	return false
}
