package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ControllerRegistration (key 70, KIP-919).
//
// Behavior: a controller makes its endpoints and supported features known. The answer is sent when that is committed.
func (p *Plane) registerController(now core.Now, r *step.Request, req *kmsg.ControllerRegistrationRequest, out *step.Effects) {
	wish := controller.ControllerRegistration{ID: core.NodeID(req.ControllerID), Incarnation: req.IncarnationID}
	for _, l := range req.Listeners {
		wish.Endpoints = append(wish.Endpoints, metadata.Endpoint{Name: l.Name, Host: l.Host, Port: l.Port, SecurityProtocol: l.SecurityProtocol})
	}
	for _, f := range req.Features {
		wish.Features = append(wish.Features, metadata.SupportedFeature{
			Name: f.Name, Min: metadata.FeatureLevel(f.MinSupportedVersion), Max: metadata.FeatureLevel(f.MaxSupportedVersion),
		})
	}
	refusal, recs := p.ctl.RegisterController(wish)
	resp := req.ResponseKind().(*kmsg.ControllerRegistrationResponse)
	resp.ErrorCode, resp.ErrorMessage = int16(refusal.Code), Words(refusal)
	p.settle(now, r, recs, resp)
}
