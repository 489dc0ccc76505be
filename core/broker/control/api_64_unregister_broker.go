package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// UnregisterBroker (key 64, KIP-631).
//
// Behavior: forgets a broker's registration; BROKER_ID_NOT_REGISTERED if there is none. Its replicas stay assigned to it
// until they are reassigned.
func (p *Plane) unregisterBroker(now core.Now, r *step.Request, req *kmsg.UnregisterBrokerRequest, out *step.Effects) {
	refusal, recs := p.ctl.UnregisterBroker(core.NodeID(req.BrokerID))
	resp := req.ResponseKind().(*kmsg.UnregisterBrokerResponse)
	resp.ErrorCode, resp.ErrorMessage = int16(refusal.Code), Words(refusal)
	p.settle(now, r, recs, resp)
}
