package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
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

// producerIDs is the block that this incarnation gives ids from, and who waits for the next one. What is left of a block
// at a restart is never used.
type producerIDs struct {
	next, end core.ProducerID // [next, end)
	asking    bool
	waiting   []*step.Request
}

func (b *Broker) initProducerID(now core.Now, r *step.Request, req *kmsg.InitProducerIDRequest, out *step.Effects) {
	if req.TransactionalID != nil {
		code := core.ErrCoordinatorNotAvailable
		if *req.TransactionalID == "" {
			code = core.ErrInvalidRequest
		}
		b.refuseProducerID(r, code, out)
		return
	}
	b.pids.waiting = append(b.pids.waiting, r)
	b.giveProducerIDs(now, out)
}

// giveProducerIDs answers those who wait, in order, as far as the block goes, and asks for another when it is used up.
func (b *Broker) giveProducerIDs(now core.Now, out *step.Effects) {
	for len(b.pids.waiting) > 0 && b.pids.next < b.pids.end {
		r := b.pids.waiting[0]
		b.pids.waiting = b.pids.waiting[1:]
		resp := r.Body.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ProducerID, resp.ProducerEpoch = int64(b.pids.next), 0
		b.pids.next++
		reply(r, resp, out)
	}
	if len(b.pids.waiting) == 0 || b.pids.asking {
		return
	}
	b.pids.asking = true
	req := kmsg.NewPtrAllocateProducerIDsRequest()
	req.BrokerID, req.BrokerEpoch = int32(b.cfg.NodeID), int64(b.life.epoch)
	b.route.AskController(now, req, core.Millis(b.cfg.BrokerSessionTimeoutMs), b.producerIDBlock, out)
}

// producerIDBlock takes a block, or tells those who wait to ask again.
func (b *Broker) producerIDBlock(now core.Now, body wire.Response, out *step.Effects) {
	b.pids.asking = false
	resp, ok := body.(*kmsg.AllocateProducerIDsResponse)
	if !ok || resp.ErrorCode != 0 {
		for _, r := range b.pids.waiting {
			b.refuseProducerID(r, core.ErrCoordinatorLoadInProgress, out)
		}
		b.pids.waiting = nil
		return
	}
	b.pids.next = core.ProducerID(resp.ProducerIDStart)
	b.pids.end = b.pids.next + core.ProducerID(resp.ProducerIDLen)
	b.giveProducerIDs(now, out)
}

func (b *Broker) refuseProducerID(r *step.Request, code core.ErrorCode, out *step.Effects) {
	resp := r.Body.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch, resp.ErrorCode = -1, -1, int16(code)
	reply(r, resp, out)
}
