package txns

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AddOffsetsToTxn (key 25, KIP-98).
//
// Behavior: the partition of __consumer_offsets that the group's offsets are in becomes part of the producer's transaction: its
// marker makes the offsets valid. Producers of transaction version 2 do not send it; the group's coordinator adds the partition.
//
// Version notes: 2 knows PRODUCER_FENCED (KIP-588).
func (p *Plane) addOffsets(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.AddOffsetsToTxnRequest)
	w := begin(r, 1)
	switch {
	case !txn.ValidID(req.TransactionalID):
		w.Refuse(0, core.ErrInvalidRequest, out)
		return
	case !shards.ValidKey(req.Group):
		w.Refuse(0, core.ErrInvalidGroupID, out)
		return
	}
	s := p.Serving(w.pending, 0, req.TransactionalID, out)
	if s == nil {
		return
	}
	offsets := p.host.Image().Topic(shards.OffsetsTopic)
	if offsets == nil || len(offsets.Partitions()) == 0 {
		// Kafka reckons with the partitions that the topic would have. Then the marker would be for a topic that is not there.
		p.host.CreateTopic(now, shards.OffsetsTopic, out)
		w.Refuse(0, core.ErrCoordinatorNotAvailable, out)
		return
	}
	tp := core.TopicPartition{
		Topic: shards.OffsetsTopic, Partition: coord.PartitionFor(req.Group, int32(len(offsets.Partitions()))),
	}
	producer := txn.Producer{ID: core.ProducerID(req.ProducerID), Epoch: core.ProducerEpoch(req.ProducerEpoch)}
	if code := s.Machine().AddPartitions(now, req.TransactionalID, producer, []core.TopicPartition{tp}, 0); code != core.ErrNone {
		refuse(w.pending, 0, code)
	}
	p.Wait(now, s, w.pending, 0, out)
}
