package sim

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim/simnet"
)

// severed calls do for each directed link among nodes that a fault of several links concerns.
func (r *run) severed(f Fault, do func(from, to simnet.Host)) {
	n := int32(len(r.brokers))
	side := func(i int32) bool { return f.Amount>>i&1 == 1 }
	for a := range n {
		for b := range n {
			hit := false
			switch f.Kind {
			case Groups:
				hit = side(a) != side(b)
			case Bridge:
				hit = side(a) != side(b) && a != f.Node && b != f.Node
			case OneWay:
				hit = a == f.Node && f.Amount == 0 || b == f.Node && f.Amount == 1
			default: // the other kinds concern one link
			}
			if hit && a != b {
				do(simnet.Host(a), simnet.Host(b))
			}
		}
	}
}

// controllerLinks calls do for both directions of the links on which a node talks to controllers. What the node's own
// controller says to others goes over connections that they or it dialled to a controller's address, so of a combined
// node that is also the leader the quorum loses its leader, and the brokers do not lose a broker.
func (r *run) controllerLinks(f Fault, do func(from, to simnet.Host, addr string)) {
	r.linksByAddr(f, controllerPort, do)
}

// brokerLinks is the same for the links on which a node and other brokers fetch from each other.
func (r *run) brokerLinks(f Fault, do func(from, to simnet.Host, addr string)) {
	r.linksByAddr(f, clientPort, do)
}

func (r *run) linksByAddr(f Fault, port string, do func(from, to simnet.Host, addr string)) {
	node := simnet.Host(f.Node)
	for i := range r.brokers {
		peer := simnet.Host(i)
		if peer == node {
			continue
		}
		for _, addr := range []string{host(i) + port, host(int(f.Node)) + port} {
			do(node, peer, addr)
			do(peer, node, addr)
		}
	}
}

// wipeWhenAllowed takes a node's disk as soon as the quorum can bear it: a controller's not before every running node's log
// says by which directory each voter is known. Under kraft.version 0 a voter is its id alone, and one that has forgotten its
// votes and its log votes on (core/raft says so; Kafka is the same): no protocol without directory ids survives that.
func (r *run) wipeWhenAllowed(f Fault) {
	const again = 50 * core.Millisecond
	p := r.w.procs[f.Node]
	switch {
	case r.phase != phaseSafety:
		return
	case !r.plan.Brokers[f.Node].IsController() || r.votersHaveDirectories():
		p.struck(f.ID, 0)
		r.wipe(p)
		r.w.at(r.w.now+f.Until-f.At, func() { r.up(p) })
	default:
		r.w.at(r.w.now+again, func() { r.wipeWhenAllowed(f) })
	}
}

// votersHaveDirectories reports whether all nodes run and have the voter set in their logs (KIP-853).
func (r *run) votersHaveDirectories() bool {
	for _, p := range r.brokers {
		if r.absent(p) {
			continue
		}
		q := p.quorum()
		if q == nil || q.View(p.Now()).KRaftVersion == 0 {
			return false
		}
	}
	return true
}

// wipe takes a node's power and its disk.
func (r *run) wipe(p *process) {
	r.down(p, true)
	p.disk.Wipe(r.w.now)
	p.wipes++
	p.refreshDisk()
	r.wiped(p)
}

// leading is the index of the node that leads the quorum with the highest epoch, or the one given.
func (r *run) leading(otherwise int32) int32 {
	best, epoch := otherwise, int32(-1)
	for i, p := range r.brokers {
		if q := p.quorum(); q != nil && q.Role() == "leader" && int32(q.Epoch()) > epoch {
			best, epoch = int32(i), int32(q.Epoch())
		}
	}
	return best
}
