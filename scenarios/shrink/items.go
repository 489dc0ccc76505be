package shrink

import (
	"slices"

	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/workload"
)

// SizeOf counts what a plan holds.
func SizeOf(p sim.Plan) Size {
	s := Size{Faults: len(p.Faults) + len(p.Buggify), Clients: len(p.Clients), Safety: p.Safety}
	for i := range p.Brokers {
		if b := &p.Brokers[i]; !b.Absent {
			s.Nodes++
			s.Faults += len(b.Disk.Plan)
		}
	}
	for i := range p.Clients {
		s.Ops += len(p.Clients[i].Ops)
	}
	s.Knobs = len(settings(&p)) + len(leaves(&p))
	return s
}

// reduce takes away as many of n items as it can. with makes the plan in which only the kept ones are left of base.
func (s *session) reduce(n int, slack int64, with func(base sim.Plan, kept []int) sim.Plan) {
	if n == 0 || s.over {
		return
	}
	base := s.best
	finest := 1
	if s.coarse {
		finest = max(1, n/4)
	}
	minimize(n, wide, finest, func(alternatives [][]int) int {
		plans := make([]sim.Plan, len(alternatives))
		for i, kept := range alternatives {
			plans[i] = s.tidied(with(clone(base), kept))
		}
		return s.try(slack, plans...)
	})
}

// only is the elements of a list with the given positions, which count from first.
func only[T any](list []T, first int, kept []int) []T {
	return slices.Collect(func(yield func(T) bool) {
		for _, i := range kept {
			if i >= first && i < first+len(list) && !yield(list[i-first]) {
				return
			}
		}
	})
}

// faults takes faults away, those of disks like the others, and the places that are unkind.
func (s *session) faults() {
	n := len(s.best.Faults) + len(s.best.Buggify)
	for i := range s.best.Brokers {
		n += len(s.best.Brokers[i].Disk.Plan)
	}
	s.reduce(n, someSlack, func(p sim.Plan, kept []int) sim.Plan {
		first := len(p.Faults)
		p.Faults = only(p.Faults, 0, kept)
		for i := range p.Brokers {
			d := &p.Brokers[i].Disk
			n := len(d.Plan)
			d.Plan = only(d.Plan, first, kept)
			first += n
		}
		p.Buggify = only(p.Buggify, first, kept)
		return p
	})
}

// clients takes whole clients away.
func (s *session) clients() {
	s.reduce(len(s.best.Clients), someSlack, func(p sim.Plan, kept []int) sim.Plan {
		gone := make([]bool, len(p.Clients))
		for i := range gone {
			gone[i] = !slices.Contains(kept, i)
		}
		dropClients(&p, gone)
		return p
	})
}

// dropClients takes clients out. A fault finds its client by position behind the nodes.
func dropClients(p *sim.Plan, gone []bool) {
	nodes := int32(len(p.Brokers))
	to := make([]int32, len(gone)) // new positions, -1 for none
	var left []workload.Plan
	for i := range gone {
		to[i] = -1
		if !gone[i] {
			to[i] = nodes + int32(len(left))
			left = append(left, p.Clients[i])
		}
	}
	p.Clients = left
	p.Faults = slices.DeleteFunc(p.Faults, func(f sim.Fault) bool {
		return isGone(f.Node, nodes, to) || isGone(f.Peer, nodes, to)
	})
	for i := range p.Faults {
		f := &p.Faults[i]
		f.Node, f.Peer = moved(f.Node, nodes, to), moved(f.Peer, nodes, to)
	}
}

func isGone(at, nodes int32, to []int32) bool {
	return at >= nodes && (int(at-nodes) >= len(to) || to[at-nodes] < 0)
}

func moved(at, nodes int32, to []int32) int32 {
	if at < nodes {
		return at
	}
	return to[at-nodes]
}

// ops takes single operations away.
func (s *session) ops() {
	n := 0
	for i := range s.best.Clients {
		n += len(s.best.Clients[i].Ops)
	}
	s.reduce(n, someSlack, func(p sim.Plan, kept []int) sim.Plan {
		first := 0
		for i := range p.Clients {
			c := &p.Clients[i]
			n := len(c.Ops)
			c.Ops = only(c.Ops, first, kept)
			first += n
		}
		return p
	})
}

// nodes takes nodes out, with all that is about them.
func (s *session) nodes() {
	var there []int
	for i := range s.best.Brokers {
		if !s.best.Brokers[i].Absent {
			there = append(there, i)
		}
	}
	s.reduce(len(there), someSlack, func(p sim.Plan, kept []int) sim.Plan {
		for i, node := range there {
			if !slices.Contains(kept, i) {
				dropNode(&p, int32(node))
			}
		}
		return p
	})
}

// dropNode takes a node out. Its place stays, so that the others keep their ids, their links and their luck.
func dropNode(p *sim.Plan, node int32) {
	b := &p.Brokers[node]
	*b = sim.BrokerPlan{Roles: b.Roles, Absent: true}
	p.Core = slices.DeleteFunc(p.Core, func(i int32) bool { return i == node })
	p.Faults = slices.DeleteFunc(p.Faults, func(f sim.Fault) bool {
		return f.Node == node || f.Peer == node && isLink(f.Kind)
	})
	id := node + 1
	for i := range p.Clients {
		c := &p.Clients[i]
		c.Ops = slices.DeleteFunc(c.Ops, func(o workload.Op) bool {
			return o.Node == id // to be added, removed or forgotten
		})
		for j := range c.Ops {
			o := &c.Ops[j]
			had := len(o.Replicas) > 0
			o.Replicas = slices.DeleteFunc(o.Replicas, func(r int32) bool { return r == id })
			if had && len(o.Replicas) == 0 { // to nobody would mean to cancel
				o.Replicas = []int32{firstBroker(p)}
			}
		}
	}
}

func firstBroker(p *sim.Plan) int32 {
	for i := range p.Brokers {
		if b := &p.Brokers[i]; b.IsBroker() && !b.Absent {
			return int32(i) + 1
		}
	}
	return 1
}

// isLink reports whether a fault's Peer is a node or client; elsewhere it is zero and means nothing.
func isLink(k sim.FaultKind) bool {
	return k == sim.Cut || k == sim.CutAPI || k == sim.SlowLink
}

// diskDestroys and destroys report whether a fault takes a copy of what was promised to stay: what the plan must keep so that
// this is permitted is not this package's to know. Kinds that it does not know might.
func diskDestroys(k simdisk.FaultKind) bool {
	switch k {
	case simdisk.IOError, simdisk.NoSpace, simdisk.Slow, simdisk.Stuck:
		return false
	default:
		return true
	}
}

func destroys(k sim.FaultKind) bool {
	switch k {
	case sim.Crash, sim.PowerLoss, sim.Pause, sim.ClockJump, sim.ClockDrift, sim.Cut, sim.CutAPI, sim.SlowLink, sim.Reset,
		sim.CrashLoop, sim.CrashDirty, sim.CleanReboot, sim.Groups, sim.Bridge, sim.OneWay,
		sim.NoController, sim.NoReplication:
		return false
	default:
		return true
	}
}
