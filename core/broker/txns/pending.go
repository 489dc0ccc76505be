package txns

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// owed is a pending request of this plane.
type owed struct{ *pending }

// begin is the answer to a request, with a response of its kind and so many parts.
func begin(r *step.Request, parts int) owed { return owed{shards.Begin(r, parts, refuse)} }

// answerInit writes who the caller of InitProducerId is.
func (w owed) answerInit(p txn.Producer) {
	resp := w.Resp.(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = int64(p.ID), int16(p.Epoch)
}

// refuse fills one part of an answer with an error, as Kafka's schema of the response and Kafka's handlers have it.
func refuse(w *pending, index int, code core.ErrorCode) {
	switch resp := w.Resp.(type) {
	case *kmsg.InitProducerIDResponse:
		resp.ProducerID, resp.ProducerEpoch, resp.ErrorCode = -1, -1, int16(fenced(code, w.Req.Version, 4))
	case *kmsg.AddPartitionsToTxnResponse:
		refuseAdd(w, resp, index, code)
	case *kmsg.AddOffsetsToTxnResponse:
		resp.ErrorCode = int16(fenced(code, w.Req.Version, 2))
	case *kmsg.EndTxnResponse:
		resp.ProducerID, resp.ProducerEpoch, resp.ErrorCode = -1, -1, int16(fenced(code, w.Req.Version, 2))
	case *kmsg.DescribeTransactionsResponse:
		row := kmsg.NewDescribeTransactionsResponseTransactionState()
		row.TransactionalID, row.ErrorCode = w.Req.Body.(*kmsg.DescribeTransactionsRequest).TransactionalIDs[index], int16(code)
		resp.TransactionStates[index] = row
	case *kmsg.ListTransactionsResponse:
		if code == core.ErrNotCoordinator {
			code = core.ErrCoordinatorNotAvailable // nobody is asked for: the list is not whole
		}
		resp.ErrorCode, resp.TransactionStates = int16(code), nil
	}
}
