package txns

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeTransactions (key 65, KIP-664).
//
// Behavior: the state of each transactional id, TRANSACTIONAL_ID_NOT_FOUND for one that is not known. Like every answer of a
// coordinator it waits until what it tells is committed. An id that comes twice is INVALID_REQUEST: a small request would else be
// answered by a large transaction many times.
func (p *Plane) describe(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.DescribeTransactionsRequest)
	w := begin(r, len(req.TransactionalIDs))
	resp := w.Resp.(*kmsg.DescribeTransactionsResponse)
	resp.TransactionStates = make([]kmsg.DescribeTransactionsResponseTransactionState, len(req.TransactionalIDs))
	if len(req.TransactionalIDs) == 0 {
		w.Left = 1
		w.Done(out)
		return
	}
	seen := make(map[string]bool, len(req.TransactionalIDs))
	for i, id := range req.TransactionalIDs {
		if !txn.ValidID(id) || seen[id] {
			w.Refuse(i, core.ErrInvalidRequest, out)
			continue
		}
		seen[id] = true
		s := p.Serving(w.pending, i, id, out)
		if s == nil {
			continue
		}
		if t := s.Machine().Txn(id); t != nil {
			resp.TransactionStates[i] = described(t)
		} else {
			refuse(w.pending, i, core.ErrTransactionalIDNotFound)
		}
		p.Wait(now, s, w.pending, i, out)
	}
}

// described is a transactional id as DescribeTransactions tells it.
func described(t *txn.Txn) kmsg.DescribeTransactionsResponseTransactionState {
	v, row := t.Value(), kmsg.NewDescribeTransactionsResponseTransactionState()
	row.TransactionalID, row.State, row.TimeoutMillis, row.StartTimestamp = t.ID(), v.State.String(), v.TimeoutMs, int64(v.Started)
	row.ProducerID, row.ProducerEpoch = int64(v.ProducerID), int16(v.Epoch)
	for _, tp := range v.Partitions {
		if n := len(row.Topics); n == 0 || row.Topics[n-1].Topic != tp.Topic {
			topic := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
			topic.Topic = tp.Topic
			row.Topics = append(row.Topics, topic)
		}
		last := &row.Topics[len(row.Topics)-1]
		last.Partitions = append(last.Partitions, tp.Partition)
	}
	return row
}
