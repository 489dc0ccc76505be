package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/broker/produce"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/broker/txns"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
)

// produceHost is the broker as its way into the logs sees it.
type produceHost struct {
	*route.Router
	b *Broker
}

// TxnCoordinator implements [produce.Host]: who leads the partition of __transaction_state that an id's hash says (KIP-98).
func (h produceHost) TxnCoordinator(id string) core.NodeID {
	t := h.b.image().Topic(txns.Topic)
	if t == nil {
		return core.NoNode
	}
	p := t.Partition(coord.PartitionFor(id, int32(len(t.Partitions()))))
	if p == nil {
		return core.NoNode
	}
	return p.Leader
}

// Lookup implements [produce.Host].
func (h produceHost) Lookup(id core.TopicID, topic string, partition int32) (produce.Target, core.ErrorCode) {
	p, code := h.b.lookup(id, topic, partition)
	if p == nil {
		return produce.Target{}, code
	}
	return produce.Target{Replica: p.Replica, Config: &p.cfg, Slot: p.slot, Internal: p.internal != nil}, code
}

// Touch implements [produce.Host].
func (h produceHost) Touch(r *replica.Replica) { h.b.touch(h.b.partitionOf(r)) }

// Hint implements [produce.Host].
func (h produceHost) Hint(r *step.Request, resp *kmsg.ProduceResponse) {
	h.b.plane.HintProduce(h.b.listenerOf(r), r, resp)
}

// MarkerCode implements [produce.Host].
func (h produceHost) MarkerCode(t *produce.Target) core.ErrorCode {
	switch {
	case !t.Internal:
		return core.ErrNone
	case t.TP.Topic != groups.Topic:
		return core.ErrInvalidTopic // nobody writes transactions to the other coordinators' topics
	}
	return h.b.coord.groups.MarkerCode(t.TP.Partition, t.LeaderEpoch())
}

// Marked implements [produce.Host].
func (h produceHost) Marked(now core.Now, t *produce.Target, next core.Offset, m *coord.Marker, out *step.Effects) {
	if t.Internal {
		h.b.coord.groups.Marked(now, t.TP.Partition, t.LeaderEpoch(), next, m, out)
	}
}

// sweep goes on with parked requests whose partitions changed or whose time is up, and with batches that have waited for a coordinator.
func (b *Broker) sweep(now core.Now, out *step.Effects) {
	b.produces.Sweep(now, out)
	b.fetches.Sweep(now.Mono, func(f *fetchWait, expired bool) bool { return b.offerFetch(now, *f, expired, out) })
}
