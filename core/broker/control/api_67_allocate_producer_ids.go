package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// producerIDBlock is Kafka's size of a block.
const producerIDBlock = 1000

// AllocateProducerIds (key 67, KIP-730).
//
// Behavior: hands a broker the next block of producer ids. The answer is sent when the block is committed, so no two
// controllers hand out the same.
func (p *Plane) allocateProducerIDs(now core.Now, r *step.Request, req *kmsg.AllocateProducerIDsRequest, out *step.Effects) {
	refusal, first, recs := p.ctl.AllocateProducerIDBlock(core.NodeID(req.BrokerID), core.BrokerEpoch(req.BrokerEpoch), producerIDBlock)
	if !refusal.OK() {
		p.refuse(r, refusal.Code, refusal.Why, out)
		return
	}
	resp := req.ResponseKind().(*kmsg.AllocateProducerIDsResponse)
	resp.ProducerIDStart, resp.ProducerIDLen = int64(first), producerIDBlock
	p.settle(now, r, recs, resp)
}
