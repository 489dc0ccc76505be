package txns

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AddPartitionsToTxn (key 24, KIP-98).
//
// Behavior: partitions become part of the producer's transaction, which begins with the first of them. All of a transaction's
// partitions are added, or none: if one does not exist, or is of __transaction_state, the others are OPERATION_NOT_ATTEMPTED. With
// verify_only nothing is added, and each partition is told whether it is part of the transaction (KIP-890): TRANSACTION_ABORTABLE if not.
//
// Version notes: 0 to 3 come from producers and name one transaction; before 2 a fenced producer is told INVALID_PRODUCER_EPOCH
// (KIP-588). 4 and 5 come from brokers, for several transactions; what they add is added for a producer of transaction version 2.
func (p *Plane) addPartitions(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.AddPartitionsToTxnRequest)
	if r.Version < 4 {
		raise(req)
	}
	w := begin(r, len(req.Transactions))
	resp := w.Resp.(*kmsg.AddPartitionsToTxnResponse)
	resp.Transactions = make([]kmsg.AddPartitionsToTxnResponseTransaction, len(req.Transactions))
	if len(req.Transactions) == 0 {
		w.Left = 1
		w.Done(out)
		return
	}
	for i := range req.Transactions {
		t := &req.Transactions[i]
		if !txn.ValidID(t.TransactionalID) {
			w.Refuse(i, core.ErrInvalidRequest, out)
			continue
		}
		s := p.Serving(w.pending, i, t.TransactionalID, out)
		if s == nil {
			continue
		}
		p.addOne(now, s, w, i)
		p.Wait(now, s, w.pending, i, out)
	}
}

// raise makes a request of the versions before 4 one of the later form.
func raise(req *kmsg.AddPartitionsToTxnRequest) {
	t := kmsg.NewAddPartitionsToTxnRequestTransaction()
	t.TransactionalID, t.ProducerID, t.ProducerEpoch = req.TransactionalID, req.ProducerID, req.ProducerEpoch
	for i := range req.Topics {
		row := kmsg.NewAddPartitionsToTxnRequestTransactionTopic()
		row.Topic, row.Partitions = req.Topics[i].Topic, req.Topics[i].Partitions
		t.Topics = append(t.Topics, row)
	}
	req.Transactions = []kmsg.AddPartitionsToTxnRequestTransaction{t}
}

// addOne serves one transaction of a request.
func (p *Plane) addOne(now core.Now, s *shard, w owed, index int) {
	t := &w.Req.Body.(*kmsg.AddPartitionsToTxnRequest).Transactions[index]
	resp := w.Resp.(*kmsg.AddPartitionsToTxnResponse)
	producer := txn.Producer{ID: core.ProducerID(t.ProducerID), Epoch: core.ProducerEpoch(t.ProducerEpoch)}
	tps, unfit := p.named(t)
	var code func(i int) core.ErrorCode
	switch {
	case t.VerifyOnly && w.Req.Version >= 4:
		codes := s.Machine().Verify(t.TransactionalID, producer, tps)
		code = func(i int) core.ErrorCode { return codes[i] }
	case len(unfit) > 0:
		code = func(i int) core.ErrorCode {
			if why, is := unfit[tps[i]]; is {
				return why
			}
			return core.ErrOperationNotAttempted
		}
	default:
		version := txn.Version(0)
		if w.Req.Version >= 4 {
			version = txn.Version2
		}
		got := s.Machine().AddPartitions(now, t.TransactionalID, producer, tps, version)
		code = func(int) core.ErrorCode { return got }
	}
	fillAdd(w.pending, resp, index, code)
}

// named are the partitions that a transaction of a request names, in its order, and why those of them that are not fit are not: they do not
// exist, or are of the topic to which nobody writes transactions, nor their markers.
func (p *Plane) named(t *kmsg.AddPartitionsToTxnRequestTransaction) (tps []core.TopicPartition, unfit map[core.TopicPartition]core.ErrorCode) {
	image := p.host.Image()
	unfit = make(map[core.TopicPartition]core.ErrorCode)
	for i := range t.Topics {
		topic := image.Topic(t.Topics[i].Topic)
		for _, id := range t.Topics[i].Partitions {
			tp := core.TopicPartition{Topic: t.Topics[i].Topic, Partition: id}
			tps = append(tps, tp)
			switch {
			case topic == nil || topic.Partition(id) == nil:
				unfit[tp] = core.ErrUnknownTopicOrPartition
			case tp.Topic == Topic:
				unfit[tp] = core.ErrInvalidTopic
			}
		}
	}
	return tps, unfit
}

// fillAdd writes one transaction's rows, a code for each partition in the order of the request; versions before 4 have them where
// the whole answer is.
func fillAdd(w *pending, resp *kmsg.AddPartitionsToTxnResponse, index int, code func(i int) core.ErrorCode) {
	t := &w.Req.Body.(*kmsg.AddPartitionsToTxnRequest).Transactions[index]
	row := kmsg.NewAddPartitionsToTxnResponseTransaction()
	row.TransactionalID = t.TransactionalID
	n := 0
	for i := range t.Topics {
		topic := kmsg.NewAddPartitionsToTxnResponseTransactionTopic()
		topic.Topic = t.Topics[i].Topic
		for _, id := range t.Topics[i].Partitions {
			p := kmsg.NewAddPartitionsToTxnResponseTransactionTopicPartition()
			p.Partition, p.ErrorCode = id, int16(fenced(code(n), w.Req.Version, 2))
			topic.Partitions = append(topic.Partitions, p)
			n++
		}
		row.Topics = append(row.Topics, topic)
	}
	resp.Transactions[index] = row
	if w.Req.Version < 4 {
		resp.Topics = nil
		for _, t := range row.Topics {
			old := kmsg.NewAddPartitionsToTxnResponseTopic()
			old.Topic = t.Topic
			for _, p := range t.Partitions {
				old.Partitions = append(old.Partitions, kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p.Partition, ErrorCode: p.ErrorCode})
			}
			resp.Topics = append(resp.Topics, old)
		}
	}
}

// refuseAdd answers all partitions of one transaction with one code.
func refuseAdd(w *pending, resp *kmsg.AddPartitionsToTxnResponse, index int, code core.ErrorCode) {
	fillAdd(w, resp, index, func(int) core.ErrorCode { return code })
}
