package replica

import (
	"fmt"
	"maps"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// labCtl is a controller without a quorum: every change is committed at once and learned by the nodes some time later.
type labCtl struct {
	labImage
	epochs core.BrokerEpoch
	log    func(format string, args ...any)
	quiet  bool // changes are published by hand
}

// labImage is a version of the metadata.
type labImage struct {
	version int
	parts   []*metadata.Partition
	brokers map[core.NodeID]*metadata.Broker
}

func (c *labCtl) init(partitions int) {
	c.brokers = map[core.NodeID]*metadata.Broker{}
	for i := range partitions {
		c.parts = append(c.parts, &metadata.Partition{ID: int32(i), Replicas: []core.NodeID{0, 1, 2},
			ISR: []core.NodeID{0, 1, 2}, Leader: 0})
	}
}

// set replaces a partition's state.
func (c *labCtl) set(i int, change func(p *metadata.Partition)) {
	p := *c.parts[i]
	leader := p.Leader
	p.ISR = slices.Clone(p.ISR)
	change(&p)
	p.PartitionEpoch++
	if p.Leader != leader {
		p.LeaderEpoch++
	}
	c.parts = slices.Clone(c.parts)
	c.parts[i] = &p
	if c.log != nil {
		c.log("partition %d: leader %d epoch %d/%d ISR %v", i, p.Leader, p.LeaderEpoch, p.PartitionEpoch, p.ISR)
	}
}

func (c *labCtl) setBroker(id core.NodeID, change func(b *metadata.Broker)) {
	b := metadata.Broker{ID: id}
	if old := c.brokers[id]; old != nil {
		b = *old
	}
	change(&b)
	c.brokers = maps.Clone(c.brokers)
	c.brokers[id] = &b
}

func (c *labCtl) publish(l *lab) {
	c.version++
	if c.quiet {
		return
	}
	img := c.labImage
	for _, n := range l.nodes {
		l.send(fmt.Sprintf("meta->%d", n.id), func() { n.learn(img) })
	}
}

// register is a new life of a broker. The old one is fenced with the same breath.
func (c *labCtl) register(l *lab, n *labNode) {
	c.fence(l, n.id)
	c.epochs++
	n.brokerEpoch = c.epochs
	c.setBroker(n.id, func(b *metadata.Broker) { b.Epoch, b.Fenced = n.brokerEpoch, true })
	c.publish(l)
}

func (c *labCtl) fence(l *lab, id core.NodeID) {
	b := c.brokers[id]
	if b == nil || b.Fenced {
		return
	}
	c.setBroker(id, func(b *metadata.Broker) { b.Fenced = true })
	for i, p := range c.parts {
		if p.Leader != id && (!slices.Contains(p.ISR, id) || len(p.ISR) == 1) {
			continue
		}
		c.set(i, func(p *metadata.Partition) {
			if len(p.ISR) > 1 {
				p.ISR = slices.DeleteFunc(p.ISR, func(m core.NodeID) bool { return m == id })
			}
			if p.Leader == id {
				c.elect(l, p)
			}
		})
	}
	c.publish(l)
}

// elect chooses an unfenced member of the ISR, or nobody.
func (c *labCtl) elect(l *lab, p *metadata.Partition) {
	old := p.Leader
	p.Leader = core.NoNode
	var can []core.NodeID
	for _, id := range p.ISR {
		if b := c.brokers[id]; id != old && b != nil && b.Active() {
			can = append(can, id)
		}
	}
	if len(can) > 0 {
		p.Leader = can[l.rand.Below(int64(len(can)))]
	}
}

func (c *labCtl) unfence(l *lab, id core.NodeID) {
	if b := c.brokers[id]; b == nil || !b.Fenced || !l.nodes[id].up || b.Epoch != l.nodes[id].brokerEpoch {
		return
	}
	c.setBroker(id, func(b *metadata.Broker) { b.Fenced = false })
	for i, p := range c.parts {
		if p.Leader == core.NoNode && slices.Contains(p.ISR, id) {
			c.set(i, func(p *metadata.Partition) { p.Leader = id })
		}
	}
	c.publish(l)
}

// transfer moves a leadership inside the ISR without any failure.
func (c *labCtl) transfer(l *lab, i int) {
	c.set(i, func(p *metadata.Partition) {
		old := p.Leader
		if c.elect(l, p); p.Leader == core.NoNode {
			p.Leader = old
		}
	})
	c.publish(l)
}

// alter judges an AlterPartition request (ReplicationControlManager.validateAlterPartitionData).
func (c *labCtl) alter(l *lab, from core.NodeID, epoch core.BrokerEpoch, i int, prop Proposal) Outcome {
	p := c.parts[i]
	o := Outcome{ID: prop.ID}
	var isr []core.NodeID
	for _, m := range prop.ISR {
		isr = append(isr, m.ID)
	}
	switch b := c.brokers[from]; {
	case b == nil || b.Epoch != epoch:
		o.Code = core.ErrStaleBrokerEpoch
		return o
	case p.Leader != from || p.LeaderEpoch != prop.LeaderEpoch:
		o.Code = core.ErrFencedLeaderEpoch
		return o
	case p.PartitionEpoch != prop.PartitionEpoch:
		o.Code = core.ErrInvalidUpdateVersion
		return o
	case !slices.Contains(isr, from):
		o.Code = core.ErrInvalidRequest
		return o
	}
	for _, m := range prop.ISR {
		if b := c.brokers[m.ID]; b == nil || !b.Active() || m.BrokerEpoch >= 0 && m.BrokerEpoch != b.Epoch {
			o.Code = core.ErrIneligibleReplica
			return o
		}
	}
	if !slices.Equal(sorted(p.ISR), isr) {
		c.set(i, func(p *metadata.Partition) { p.ISR = isr })
		c.publish(l)
		p = c.parts[i]
	}
	o.LeaderID, o.LeaderEpoch, o.PartitionEpoch, o.ISR = p.Leader, p.LeaderEpoch, p.PartitionEpoch, p.ISR
	return o
}
