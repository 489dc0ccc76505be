package cluster

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// show is a batch in words.
func show(b history.Stored) string {
	if b == (history.Stored{}) {
		return "nothing"
	}
	return fmt.Sprintf("%d..%d of epoch %d with checksum %08x", b.Base, b.Last, b.Epoch, b.CRC)
}

// Broker implements [history.Witness].
func (o *Oracle) Broker(at core.Mono, s history.BrokerState) {
	o.restated = true
	if s.Gone {
		delete(o.brokers, s.ID)
		return
	}
	k := life{s.ID, s.Epoch}
	if have, ok := o.lives[k]; !ok {
		o.lives[k] = s.Incarnation
	} else if have != s.Incarnation {
		o.report(at, ControllerState, nil, core.NoOffset, "broker epoch %d of node %d belongs to two incarnations, %x and %x",
			s.Epoch, s.ID, have, s.Incarnation)
	}
	o.brokers[s.ID] = &s
}

// Partition implements [history.Witness]. The state is judged at ImageSeen, when all that was committed with it is known.
func (o *Oracle) Partition(at core.Mono, s history.PartitionState) {
	p := o.part(s.Key)
	if s.Gone {
		p.gone = true
		return
	}
	if p.known {
		o.follows(at, p, &s)
	}
	p.name, p.state, p.known = s.Name, s, true
	p.reign(at)
	o.lead(at, p, s.LeaderEpoch, s.Leader, "the controller's leader is")
	o.changed = append(o.changed, p)
}

// follows checks that a state does not go back behind the one before it.
func (o *Oracle) follows(at core.Mono, p *partition, s *history.PartitionState) {
	was := &p.state
	if s.PartitionEpoch < was.PartitionEpoch || s.LeaderEpoch < was.LeaderEpoch {
		o.report(at, ControllerState, p, core.NoOffset, "leader epoch %d and partition epoch %d follow %d and %d",
			s.LeaderEpoch, s.PartitionEpoch, was.LeaderEpoch, was.PartitionEpoch)
	}
	if s.PartitionEpoch != was.PartitionEpoch+1 || len(was.Adding)+len(was.Removing) == 0 || len(s.Adding)+len(s.Removing) > 0 {
		return // another change may have come between, or no reassignment ends
	}
	before, target := without(was.Replicas, was.Adding), without(was.Replicas, was.Removing)
	if sameSet(s.Replicas, before) || !sameSet(s.Replicas, target) {
		return // it was cancelled
	}
	for _, id := range target {
		if !slices.Contains(s.ISR, id) {
			o.report(at, ControllerState, p, core.NoOffset, "the reassignment to %v ends with ISR %v (KAFKA-14829)", target, s.ISR)
			return
		}
	}
}

func without(list, gone []core.NodeID) []core.NodeID {
	return slices.DeleteFunc(slices.Clone(list), func(id core.NodeID) bool { return slices.Contains(gone, id) })
}

// ImageSeen implements [history.Witness].
func (o *Oracle) ImageSeen(at core.Mono, offset core.Offset) {
	if offset < o.image {
		panic(fmt.Sprintf("cluster: the world went back from image %d to %d", o.image, offset))
	}
	o.image = offset
	judged := o.changed
	if o.restated { // a registration concerns every ISR that the node is in
		judged = o.order
	}
	for _, p := range judged {
		if p.known && !p.gone {
			o.judgeState(at, p)
		}
	}
	clear(o.changed)
	o.changed, o.restated = o.changed[:0], false
}

// judgeState judges one partition's committed state.
func (o *Oracle) judgeState(at core.Mono, p *partition) {
	s := &p.state
	if s.Leader != core.NoNode && !slices.Contains(s.ISR, s.Leader) {
		o.report(at, LeaderInIsr, p, core.NoOffset, "leader %d is not in ISR %v", s.Leader, s.ISR)
	}
	for _, id := range s.ISR {
		if !slices.Contains(s.Replicas, id) {
			o.report(at, ControllerState, p, core.NoOffset, "ISR %v is not within replicas %v", s.ISR, s.Replicas)
		}
		if b := o.brokers[id]; len(s.ISR) > 1 && (b == nil || b.Fenced || b.InControlledShutdown) {
			o.report(at, NoFencedIsr, p, core.NoOffset, "node %d is fenced or on its way out, and in ISR %v", id, s.ISR)
		}
	}
	for _, id := range s.ELR {
		if slices.Contains(s.ISR, id) || !slices.Contains(s.Replicas, id) {
			o.report(at, ControllerState, p, core.NoOffset, "ELR %v beside ISR %v and replicas %v", s.ELR, s.ISR, s.Replicas)
		}
	}
	o.superset(at, p)
	for _, r := range p.replicas {
		o.complete(at, p, r)
	}
}
