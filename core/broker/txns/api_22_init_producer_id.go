package txns

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// InitProducerId (key 22, KIP-98).
//
// Behavior: without a transactional id every call gets a fresh producer id with epoch 0. With one the caller becomes its producer:
// the epoch is bumped, and an open transaction is aborted first, CONCURRENT_TRANSACTIONS meanwhile. Ids come from blocks that the
// controller hands out through the metadata log (KIP-730), so none is ever given twice; a call that finds the block used up waits
// until the next one is committed.
//
// Version notes: 3 lets the client name the id and epoch that it had (KIP-360). Without a transactional id Kafka ignores them and
// gives a fresh id. 4 knows PRODUCER_FENCED (KIP-588).
func (p *Plane) initProducerID(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.InitProducerIDRequest)
	w := begin(r, 1)
	if req.TransactionalID == nil {
		id, ok := p.ids.Next()
		if !ok {
			p.await(now, r, out)
			return
		}
		w.answerInit(txn.Producer{ID: id})
		w.Done(out)
		return
	}
	init := txn.InitRequest{ID: *req.TransactionalID, TimeoutMs: req.TransactionTimeoutMillis}
	switch none := req.ProducerID == int64(core.NoProducerID); {
	case !txn.ValidID(init.ID), none != (req.ProducerEpoch == int16(core.NoProducerEpoch)):
		w.Refuse(0, core.ErrInvalidRequest, out)
		return
	case !none:
		init.Expected = &txn.Producer{ID: core.ProducerID(req.ProducerID), Epoch: core.ProducerEpoch(req.ProducerEpoch)}
	}
	s := p.Serving(w.pending, 0, init.ID, out)
	if s == nil {
		return
	}
	got := s.Machine().InitProducerID(now, &init)
	if got.Again {
		p.await(now, r, out)
		return
	}
	if got.Code != core.ErrNone {
		refuse(w.pending, 0, got.Code)
	} else {
		w.answerInit(got.Producer)
	}
	p.Wait(now, s, w.pending, 0, out)
}

// idBlock is the block that this incarnation gives ids from, and who waits for the next one. What is left of a block at a restart
// is never used. It implements [txn.IDs].
type idBlock struct {
	next, end core.ProducerID // [next, end)
	asking    bool
	waiting   []*step.Request
}

// Next takes an id.
func (b *idBlock) Next() (core.ProducerID, bool) {
	if b.next >= b.end {
		return core.NoProducerID, false
	}
	b.next++
	return b.next - 1, true
}

// await lets a request come again when there is another block.
func (p *Plane) await(now core.Now, r *step.Request, out *step.Effects) {
	p.ids.waiting = append(p.ids.waiting, r)
	if p.ids.asking {
		return
	}
	p.ids.asking = true
	p.host.AllocateIDs(now, p.block, out)
}

// block takes a block, or tells those who wait to ask again, as Kafka does while it waits for one.
func (p *Plane) block(now core.Now, first core.ProducerID, count int32, out *step.Effects) {
	waiting := p.ids.waiting
	p.ids.asking, p.ids.waiting = false, nil
	if count > 0 {
		p.ids.next, p.ids.end = first, first+core.ProducerID(count)
	}
	for _, r := range waiting {
		if count > 0 {
			p.Handle(now, r, out) // nothing has happened to it yet
		} else {
			begin(r, 1).Refuse(0, core.ErrCoordinatorLoadInProgress, out)
		}
	}
}
