package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

// applyChanges acts on what the committed image has seen in this turn.
func (b *Broker) applyChanges(now core.Now, out *step.Effects) {
	changes := b.plane.Changes()
	if b.phase < phaseLogs || !b.cfg.Roles.Broker {
		return // everything will be read from the image at once, or does not matter here
	}
	for i := range changes {
		b.applyChange(now, &changes[i], out)
	}
	b.coord.groups.Applied(now, changes, out)
}

// applyChange brings replicas in line with one change of the image.
func (b *Broker) applyChange(now core.Now, c *metadata.Change, out *step.Effects) {
	switch c.Kind {
	case metadata.TopicDeleted:
		for _, p := range b.byTopic[c.TopicID] {
			if !p.deleting {
				b.deletePartition(p)
			}
		}
		delete(b.byTopic, c.TopicID)
	case metadata.PartitionCreated, metadata.PartitionChanged:
		b.applyPartition(now, c.Topic, c.TopicID, c.After, out)
	case metadata.ConfigChanged:
		b.applyConfig(now, c.Resource)
	case metadata.BrokerChanged:
		b.applyBroker()
		if after := c.BrokerAfter; after != nil && after.InControlledShutdown && c.Node != b.cfg.NodeID {
			// It may end when all brokers know its successors: the controller hears of this one now, not at the next interval.
			b.life.at = min(b.life.at, now.Mono)
		}
	case metadata.FeatureChanged:
		for _, p := range b.partitions { // what the HighWatermark needs depends on one (KIP-966)
			if p != nil && !p.deleting {
				p.Configure(b.replicaOptions(&p.cfg))
				b.touch(p)
			}
		}
	default: // no replica depends on the other changes
	}
}

// applyBroker looks at what depends on other brokers' registrations: leaders here may propose one for an ISR, or not any
// more.
func (b *Broker) applyBroker() {
	for _, p := range b.partitions {
		if p == nil || p.deleting || !p.Leading() {
			continue
		}
		b.wantISR(p)
		if p.Consider(b.image()) {
			b.touch(p)
		}
	}
}

// applyConfig resolves the configuration of the topics that a changed resource touches: the topic itself, or all of
// them for a broker's.
func (b *Broker) applyConfig(now core.Now, res metadata.ConfigResource) {
	touched := b.partitions
	if res.Type == metadata.ResourceTopic {
		touched = nil
		if t := b.image().Topic(res.Name); t != nil {
			touched = b.byTopic[t.ID]
		}
	}
	for _, p := range touched {
		if p == nil || p.deleting {
			continue
		}
		p.cfg = b.topicConfig(p.TP.Topic)
		p.Log.Reconfigure(b.logConfig(p.cfg, p.copies))
		p.Configure(b.replicaOptions(&p.cfg))
		b.touch(p)
	}
	b.retentionAt = min(b.retentionAt, now.Mono) // a shorter retention takes effect without waiting for the interval
}
