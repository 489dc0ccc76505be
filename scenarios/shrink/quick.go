package shrink

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// Luck of latencies keeps operations apart that were begun together: each wakes its node, and each wait is another chance for something
// periodic to come in between. Where the violation does not need that, disks, links and nodes take the same time for everything.

// instant is the time that everything takes then. Nodes take longer, so that what happens at about the same time meets in one turn.
const (
	instant = core.Microsecond
	slowly  = core.Millisecond
)

// quick lets disks, links and nodes take the same time for everything, all of them or some.
func (s *session) quick() {
	edits := []func(p *sim.Plan){quickDisks, quickNet, slowNodes}
	var plans []sim.Plan
	for _, which := range []int{7, 3, 5, 6, 1, 2, 4} { // bits: which of the edits
		if which&4 != 0 && s.live() {
			continue // slow nodes are late
		}
		p := clone(s.best)
		for i, edit := range edits {
			if which>>i&1 == 1 {
				edit(&p)
			}
		}
		plans = append(plans, p)
	}
	s.try(worthIt, plans...)
}

func quickDisks(p *sim.Plan) {
	same := simdisk.Latency{Base: instant}
	for i := range p.Brokers {
		if b := &p.Brokers[i]; !b.Absent {
			b.Disk.Meta, b.Disk.Read, b.Disk.Append, b.Disk.Sync = same, same, same, same
		}
	}
}

func quickNet(p *sim.Plan) { p.Net.BaseLatency, p.Net.Jitter = instant, 1 }

func slowNodes(p *sim.Plan) {
	for i := range p.Brokers {
		if b := &p.Brokers[i]; !b.Absent {
			b.PerEvent = slowly
		}
	}
}
