package produce

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// DescribeProducers (key 61).
//
// Behavior: what the leader's log knows of the producers that wrote to a partition: the state that decides about their next batches, and
// where an open transaction begins (KIP-664). By it and DescribeTransactions an operator finds transactions that no coordinator will end.
// A partition that comes twice is INVALID_REQUEST there: a small request would else be answered by all of its producers many times.
//
// Version notes: there is version 0 only.

// DescribeProducers serves a request.
func (p *Plane) DescribeProducers(r *step.Request, req *kmsg.DescribeProducersRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DescribeProducersResponse)
	seen := make(map[core.TopicPartition]bool)
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.NewDescribeProducersResponseTopic()
		rt.Topic = t.Topic
		for _, partition := range t.Partitions {
			rp := kmsg.NewDescribeProducersResponseTopicPartition()
			rp.Partition = partition
			to, code := p.host.Lookup(core.TopicID{}, t.Topic, partition)
			if tp := (core.TopicPartition{Topic: t.Topic, Partition: partition}); seen[tp] {
				code = core.ErrInvalidRequest
			} else {
				seen[tp] = true
			}
			if rp.ErrorCode = int16(code); code == core.ErrNone {
				rp.ActiveProducers = activeProducers(&to)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	w := wait{req: r, resp: resp}
	p.reply(&w, out)
}

func activeProducers(to *Target) []kmsg.DescribeProducersResponseTopicPartitionActiveProducer {
	var list []kmsg.DescribeProducersResponseTopicPartitionActiveProducer
	for _, x := range to.Log.Producers().Producers() {
		a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		a.ProducerID, a.ProducerEpoch, a.LastSequence = int64(x.ID), int32(x.Epoch), x.LastSequence
		a.LastTimestamp, a.CoordinatorEpoch, a.CurrentTxnStartOffset = int64(x.LastTimestamp), x.CoordinatorEpoch, int64(x.TxnFirst)
		list = append(list, a)
	}
	return list
}
