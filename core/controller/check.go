package controller

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/metadata"
)

// assert holds after each replayed change what can be seen from it. A controller that breaks these rules would have the
// brokers lose records, so it rather ends.
func (c *Controller) assert(ch *metadata.Change) {
	switch ch.Kind {
	case metadata.PartitionCreated, metadata.PartitionChanged:
		if b := ch.Before; b != nil && (ch.After.LeaderEpoch < b.LeaderEpoch || ch.After.PartitionEpoch <= b.PartitionEpoch) {
			invariant.Unreachable("a partition's epochs fall", invariant.Details{"topic": ch.Topic, "before": b, "after": ch.After})
		}
		c.assertPartition(ch.Topic, ch.After)
	case metadata.BrokerChanged:
		c.assertBroker(ch)
	default:
	}
}

// assertBroker checks what must follow from a broker's new state.
func (c *Controller) assertBroker(ch *metadata.Change) {
	b, a := ch.BrokerBefore, ch.BrokerAfter
	// One uptime per broker epoch (BUGS I2): requests of two lives must be told apart.
	if b != nil && a != nil && (a.IncarnationID != b.IncarnationID) != (a.Epoch > b.Epoch) {
		invariant.Unreachable("a broker's incarnation and epoch change apart", invariant.Details{"broker": ch.Node, "before": b, "after": a})
	}
	if a != nil && a.Active() {
		return
	}
	// NO-FENCED-ISR. Its leaderships went before, and its ISRs, but for those of which it is the last (without ELR).
	if n := c.index.led[ch.Node]; n > 0 {
		invariant.Unreachable("an inactive broker leads", invariant.Details{"broker": ch.Node, "partitions": n})
	}
	for topic, id := range c.index.isr[ch.Node].all() {
		if p := c.image.Partition(topic, id); len(p.ISR) > 1 {
			invariant.Unreachable("an inactive broker is in an ISR", invariant.Details{"broker": ch.Node, "topic": topic, "partition": id, "state": p})
		}
	}
}

// assertPartition checks one partition's state by itself.
func (c *Controller) assertPartition(topic string, p *metadata.Partition) {
	fail := func(what string) { invariant.Unreachable(what, invariant.Details{"topic": topic, "state": p}) }
	if p.Leader != core.NoNode && !slices.Contains(p.ISR, p.Leader) {
		fail("the leader is not in the ISR")
	}
	if len(p.ISR) == 0 && !c.elrOn() {
		fail("the ISR is empty without ELR")
	}
	for _, n := range p.ISR {
		if b := c.image.Broker(n); len(p.ISR) > 1 && (b == nil || !b.Active()) {
			fail("an inactive broker is in the ISR")
		}
		if slices.Contains(p.EligibleLeaderReplicas, n) {
			fail("ISR and ELR overlap")
		}
	}
	if !containsAll(p.Replicas, p.EligibleLeaderReplicas) {
		fail("the ELR is no subset of the replicas")
	}
	if !containsAll(p.Replicas, p.AddingReplicas) || !containsAll(p.Replicas, p.RemovingReplicas) {
		fail("replicas that come or go are no replicas")
	}
	if p.LeaderRecoveryState == metadata.Recovering && len(p.ISR) > 1 {
		fail("replicas are in sync with a leader that recovers")
	}
}

// Check asserts everything that must hold of the whole state. It walks over all partitions; the simulator calls it.
func (c *Controller) Check() {
	for t := range c.image.Topics() {
		for _, p := range t.Partitions() {
			c.assertPartition(t.Name, p)
			least := effectiveMinISR(c.minISR(t.Name), len(p.Replicas))
			if len(p.EligibleLeaderReplicas) > 0 && len(p.ISR) >= least {
				invariant.Unreachable("an ELR although enough are in sync", invariant.Details{"topic": t.Name, "least": least, "state": p})
			}
			if p.Leader != core.NoNode && !c.image.Broker(p.Leader).Active() {
				invariant.Unreachable("an inactive broker leads", invariant.Details{"topic": t.Name, "state": p})
			}
		}
	}
	if was, is := newIndex(c.image).entries(), c.index.entries(); !slices.Equal(was, is) {
		invariant.Unreachable("the index is not that of the image", invariant.Details{"is": is, "wanted": was})
	}
	for b := range c.image.Brokers() {
		s := c.soft.sessions.At(b.ID)
		if s == nil || s.epoch != b.Epoch || s.waiting == b.Fenced {
			invariant.Unreachable("a session does not fit its registration", invariant.Details{"session": s, "registration": b})
		}
	}
	invariant.Check(c.soft.sessions.Len() == c.image.BrokerCount(), "%d sessions of %d brokers", c.soft.sessions.Len(), c.image.BrokerCount())
}
