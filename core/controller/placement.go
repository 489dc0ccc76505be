package controller

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
)

// stripes deals out replicas as Kafka's striped placer does: one rack after the other, and within a rack one broker
// after the other, each partition one further than the one before:
//
//	racks A, B, C of three brokers      partition 0:  A0 B0 C0
//	                                    partition 1:  B1 C1 A1
//	                                    partition 2:  C2 A2 B2
//
// What must hold: the replicas of a partition are on different brokers, and the first, the leader, is on one that is
// not fenced. What is wished, in this order: different racks, equal shares, no fenced brokers.
type stripes struct {
	rand     *prng.Rand
	racks    []*rack
	brokers  int // of all racks
	unfenced int // of them
	turn     int // partitions dealt since the last shuffle
	first    int // the rack that the next partition begins at
}

// rack is the brokers of one rack, or those without one.
type rack struct {
	name             string
	named            bool
	unfenced, fenced ring
}

// ring deals the brokers of one kind, each once per turn, one further each turn.
type ring struct {
	nodes  []core.NodeID
	turn   int
	dealt  int // in this turn
	offset int
}

// newStripes takes the brokers that are not about to leave. Where the dealing begins is random, or all topics of one
// partition would lie on the same brokers.
func newStripes(rand *prng.Rand, m *metadata.Image) *stripes {
	s := &stripes{rand: rand}
	for b := range m.Brokers() {
		if b.InControlledShutdown {
			continue
		}
		r := s.rack(b.Rack)
		if b.Fenced {
			r.fenced.nodes = append(r.fenced.nodes, b.ID)
		} else {
			r.unfenced.nodes = append(r.unfenced.nodes, b.ID)
			s.unfenced++
		}
		s.brokers++
	}
	slices.SortFunc(s.racks, func(a, b *rack) int {
		return cmp.Or(boolCompare(b.named, a.named), cmp.Compare(a.name, b.name))
	})
	for _, r := range s.racks {
		r.unfenced.start(rand)
		r.fenced.start(rand)
	}
	s.first = draw(rand, len(s.racks))
	return s
}

// rack is the rack of that name, made if there is none; nil stands for brokers without one.
func (s *stripes) rack(name *string) *rack {
	wanted := rack{named: name != nil}
	if name != nil {
		wanted.name = *name
	}
	for _, r := range s.racks {
		if r.named == wanted.named && r.name == wanted.name {
			return r
		}
	}
	s.racks = append(s.racks, &wanted)
	return &wanted
}

// place deals the replicas of one partition. There are enough brokers, one of them not fenced.
func (s *stripes) place(replication int) []core.NodeID {
	// After as many partitions as there are leaders the stripes would repeat.
	if s.turn == s.unfenced && s.unfenced > 1 {
		s.shuffle()
	}
	s.first %= len(s.racks)
	out := make([]core.NodeID, 0, replication)
	leads := s.first // the rack of the leader, passed over once by the followers
	for {
		if n, ok := s.racks[leads].unfenced.next(s.turn); ok {
			out = append(out, n)
			break
		}
		leads = (leads + 1) % len(s.racks)
	}
	for at := s.first; len(out) < replication; at = (at + 1) % len(s.racks) {
		if at == leads {
			leads = -1
			continue
		}
		r := s.racks[at]
		n, ok := r.unfenced.next(s.turn)
		if !ok {
			n, ok = r.fenced.next(s.turn)
		}
		if ok {
			out = append(out, n)
		}
	}
	s.turn++
	s.first++
	return out
}

// shuffle begins anew in another order.
func (s *stripes) shuffle() {
	s.rand.Shuffle(len(s.racks), func(i, j int) { s.racks[i], s.racks[j] = s.racks[j], s.racks[i] })
	for _, r := range s.racks {
		for _, nodes := range [][]core.NodeID{r.unfenced.nodes, r.fenced.nodes} {
			s.rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		}
	}
	s.turn = 0
}

// start draws where the ring begins. Its nodes come sorted.
func (r *ring) start(rand *prng.Rand) { r.offset = draw(rand, len(r.nodes)) }

// draw is a number below n, or zero if there is no choice.
func draw(rand *prng.Rand, n int) int {
	if n < 2 {
		return 0
	}
	return int(rand.Below(int64(n)))
}

// next deals a broker that has not been dealt in this turn, if there is one.
func (r *ring) next(turn int) (core.NodeID, bool) {
	if len(r.nodes) == 0 {
		return core.NoNode, false
	}
	if r.turn != turn {
		r.turn, r.dealt, r.offset = turn, 0, (r.offset+1)%len(r.nodes)
	}
	if r.dealt == len(r.nodes) {
		return core.NoNode, false
	}
	n := r.nodes[(r.dealt+r.offset)%len(r.nodes)]
	r.dealt++
	return n, true
}

// place assigns n partitions to brokers.
func (c *Controller) place(n int32, replication int16) ([][]core.NodeID, Refusal) {
	s := newStripes(c.rand, c.image)
	switch {
	case s.unfenced == 0:
		return nil, refusef(core.ErrInvalidReplicationFactor, "all brokers are fenced or shutting down")
	case int(replication) > s.brokers:
		return nil, refusef(core.ErrInvalidReplicationFactor,
			"the replication factor is %d, but only %d broker(s) are registered", replication, s.brokers)
	}
	out := make([][]core.NodeID, n)
	for i := range out {
		out[i] = s.place(int(replication))
	}
	return out, Refusal{}
}
