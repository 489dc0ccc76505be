package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// BrokerHeartbeat (key 63, KIP-631).
//
// Behavior: keeps a broker's session and answers what it is: caught up, fenced, free to shut down. What the heartbeat
// changes is committed before it is answered.
//
// Version notes: 1 log directories that have failed (KIP-858).
func (p *Plane) heartbeat(now core.Now, r *step.Request, req *kmsg.BrokerHeartbeatRequest, out *step.Effects) {
	hb := controller.Heartbeat{
		ID: core.NodeID(req.BrokerID), Epoch: core.BrokerEpoch(req.BrokerEpoch),
		MetadataOffset: core.Offset(req.CurrentMetadataOffset), WantFence: req.WantFence, WantShutdown: req.WantShutdown,
	}
	for _, d := range req.OfflineLogDirs {
		hb.OfflineDirs = append(hb.OfflineDirs, d)
	}
	refusal, known, recs := p.ctl.Heartbeat(now, hb)
	if !refusal.OK() {
		p.refuse(r, refusal.Code, refusal.Why, out)
		return
	}
	if r.Conn != LocalConn {
		p.beating[r.Conn] = beating{hb.ID, hb.Epoch}
	}
	resp := req.ResponseKind().(*kmsg.BrokerHeartbeatResponse)
	resp.IsCaughtUp, resp.IsFenced, resp.ShouldShutdown = known.CaughtUp, known.Fenced, known.ShouldShutDown
	p.settle(now, r, recs, resp)
}
