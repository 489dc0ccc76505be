package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// InitProducerId (key 22, KIP-98).
//
// Behavior: without a transactional id every call gets a fresh producer id with epoch 0. Ids come from blocks that
// the controller hands out through the metadata log (KIP-730), so none is ever given twice; a call that finds the
// block used up waits until the next one is committed. Transactional ids are not served yet: the answer is the one of
// a cluster without a coordinator, which clients retry until their own timeout.
//
// Version notes: 3 lets the client name the id and epoch that it had (KIP-360). Without a transactional id Kafka
// ignores them and gives a fresh id.

// producerIDBlock is Kafka's size of a block.
const producerIDBlock = 1000

// producerIDs is the block that this incarnation gives ids from. What is left of a block at a restart is never used.
type producerIDs struct {
	next, end core.ProducerID // [next, end)
	committed core.Offset     // metadata offset below which the block's record lies
}

func (b *Broker) initProducerID(now core.Now, r *step.Request, req *kmsg.InitProducerIDRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	if req.TransactionalID != nil {
		code := core.ErrCoordinatorNotAvailable
		if *req.TransactionalID == "" {
			code = core.ErrInvalidRequest
		}
		resp.ErrorCode = int16(code)
		reply(r, resp, out)
		return
	}
	if b.pids.next == b.pids.end {
		first, recs := b.ctl.AllocateProducerIDs(b.cfg.NodeID, b.brokerEpoch(), producerIDBlock)
		b.pids = producerIDs{next: first, end: first + producerIDBlock, committed: b.propose(now, recs)}
	}
	resp.ProducerID, resp.ProducerEpoch = int64(b.pids.next), 0
	b.pids.next++
	b.answerAfter(b.pids.committed, false, 0, answer(r, resp))
}
