package controller

import (
	"iter"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// update makes the records for some partitions after wish has told each of them what is wished. The partitions of one
// call must differ: each change rests on the image, not on the records before it.
func (c *Controller) update(recs []metadata.Record, parts iter.Seq2[core.TopicID, int32], wish func(*change)) []metadata.Record {
	var t *metadata.Topic
	for topic, id := range parts {
		if t == nil || t.ID != topic {
			t = c.image.TopicByID(topic)
		}
		g := c.change(t, t.Partition(id))
		wish(g)
		if rec := g.record(); rec != nil {
			recs = append(recs, rec)
		}
	}
	return recs
}

// retreat makes the records that take a broker out of every ISR and leadership (KIP-841): it is about to be fenced, or
// to shut down. They go before the record that says so, so that at no offset of the log an inactive broker is in an
// ISR, and a controller that dies in between leaves nothing worse than a broker without leaderships.
func (c *Controller) retreat(node core.NodeID) []metadata.Record {
	return c.update(nil, c.index.isr[node].all(), func(g *change) {
		g.gone, g.isr = node, without(g.isr, node)
	})
}

// forsake makes the records that take a broker out of every ISR and ELR: what it had and had not synced is gone
// (KIP-966). Without ELR the last member of an ISR stays, which is how Kafka before KIP-966 could lose records that
// min.insync.replicas brokers had acknowledged.
func (c *Controller) forsake(node core.NodeID) []metadata.Record {
	wish := func(g *change) {
		g.gone, g.unclean, g.isr = node, node, without(g.isr, node)
	}
	recs := c.update(nil, c.index.isr[node].all(), wish)
	return c.update(recs, c.index.elr[node].all(), wish) // ISR and ELR have no member in common
}

// fence makes the records that fence a broker.
func (c *Controller) fence(b *metadata.Broker) []metadata.Record {
	return append(c.retreat(b.ID), &metadata.BrokerRegistrationChangeRecord{
		BrokerID: b.ID, BrokerEpoch: b.Epoch, Fenced: metadata.Fence,
	})
}

// unfence makes the records that lift a broker's fence, and give it the partitions that only waited for it. The fence
// goes first, so that at no offset a fenced broker leads.
func (c *Controller) unfence(b *metadata.Broker) []metadata.Record {
	recs := []metadata.Record{&metadata.BrokerRegistrationChangeRecord{
		BrokerID: b.ID, BrokerEpoch: b.Epoch, Fenced: metadata.Unfence,
	}}
	if b.InControlledShutdown {
		return recs // it is on its way out: it may lead nothing
	}
	return c.update(recs, c.index.leaderless.all(), func(g *change) { g.back = b.ID })
}

// beginShutdown makes the records that let a broker leave: its leaderships and ISRs first, then its state.
func (c *Controller) beginShutdown(b *metadata.Broker) []metadata.Record {
	return append(c.retreat(b.ID), &metadata.BrokerRegistrationChangeRecord{
		BrokerID: b.ID, BrokerEpoch: b.Epoch, InControlledShutdown: metadata.ShutdownEnter,
	})
}
