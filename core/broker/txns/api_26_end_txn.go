package txns

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// EndTxn (key 26, KIP-98).
//
// Behavior: the decision is answered when it is committed; the markers follow. Whoever asks again while they are under way is told
// CONCURRENT_TRANSACTIONS, and afterwards what has become of the transaction.
//
// Version notes: 2 knows PRODUCER_FENCED (KIP-588); 5 is of clients of transaction version 2: the answer has the producer id and epoch
// for the next transaction (KIP-890).
func (p *Plane) endTxn(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.EndTxnRequest)
	w := begin(r, 1)
	if !txn.ValidID(req.TransactionalID) {
		w.Refuse(0, core.ErrInvalidRequest, out)
		return
	}
	s := p.Serving(w.pending, 0, req.TransactionalID, out)
	if s == nil {
		return
	}
	end := txn.EndRequest{
		ID: req.TransactionalID, Commit: req.Commit,
		Producer: txn.Producer{ID: core.ProducerID(req.ProducerID), Epoch: core.ProducerEpoch(req.ProducerEpoch)},
	}
	if r.Version >= 5 {
		end.Version = txn.Version2
	}
	got := s.Machine().End(now, &end)
	if got.Again {
		p.await(now, r, out)
		return
	}
	resp := w.Resp.(*kmsg.EndTxnResponse)
	if got.Code != core.ErrNone {
		refuse(w.pending, 0, got.Code)
	} else {
		resp.ProducerID, resp.ProducerEpoch = int64(got.Producer.ID), int16(got.Producer.Epoch)
	}
	p.Wait(now, s, w.pending, 0, out)
}
