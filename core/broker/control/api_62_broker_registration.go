package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// BrokerRegistration (key 62, KIP-631).
//
// Behavior: registers one incarnation of a broker under a broker epoch, the offset of its record. A broker of another
// cluster is INCONSISTENT_CLUSTER_ID. The answer is sent when the registration is committed.
//
// Version notes: 2 log directories, 3 the epoch of the last clean shutdown (KIP-966).
func (p *Plane) registerBroker(now core.Now, r *step.Request, req *kmsg.BrokerRegistrationRequest, out *step.Effects) {
	if req.ClusterID != p.cfg.ClusterID {
		p.refuse(r, core.ErrInconsistentClusterID, "", out)
		return
	}
	wish := controller.BrokerRegistration{
		ID: core.NodeID(req.BrokerID), Incarnation: req.IncarnationID, Rack: req.Rack,
		PreviousBrokerEpoch: core.BrokerEpoch(req.PreviousBrokerEpoch),
	}
	for _, l := range req.Listeners {
		wish.Endpoints = append(wish.Endpoints, metadata.Endpoint{
			Name: l.Name, Host: l.Host, Port: l.Port, SecurityProtocol: l.SecurityProtocol,
		})
	}
	for _, f := range req.Features {
		wish.Features = append(wish.Features, metadata.SupportedFeature{
			Name: f.Name, Min: metadata.FeatureLevel(f.MinSupportedVersion), Max: metadata.FeatureLevel(f.MaxSupportedVersion),
		})
	}
	for _, d := range req.LogDirs {
		wish.LogDirs = append(wish.LogDirs, d)
	}
	if known := p.image.Broker(wish.ID); r.Conn == LocalConn && known != nil && known.IncarnationID != wish.Incarnation {
		p.ctl.Ended(wish.ID)
	}
	refusal, epoch, recs := p.ctl.RegisterBroker(now, wish, p.quorum.Log().LogEndOffset())
	if !refusal.OK() {
		p.refuse(r, refusal.Code, refusal.Why, out)
		return
	}
	resp := req.ResponseKind().(*kmsg.BrokerRegistrationResponse)
	resp.BrokerEpoch = int64(epoch)
	p.settle(now, r, recs, resp)
}
