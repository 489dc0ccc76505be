package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// laneRegistration carries controllers' registrations; brokers' dealings with the controller have lanes of their own.
const laneRegistration peer.Lane = 5

// retryRegistration is the pause before a controller registers again.
const retryRegistration = 200 * core.Millisecond

// registration is a controller's own standing in the metadata (KIP-919): the cluster learns from it where each controller
// listens and which levels of features it supports.
type registration struct {
	incarnation metadata.IncarnationID
	asking      bool
	at          core.Mono // no attempt before
}

// enlisted reports whether the image has this incarnation of the controller, or needs none.
func (p *Plane) enlisted() bool {
	if !p.cfg.Roles.Controller {
		return true
	}
	known := p.image.Controller(p.cfg.NodeID)
	return known != nil && known.IncarnationID == p.registration.incarnation
}

// registrationDue is when the controller registers, if it is not registered.
func (p *Plane) registrationDue() (core.Mono, bool) {
	return p.registration.at, !p.registration.asking && !p.enlisted() && (p.Active() || p.LeaderAddr() != "")
}

// enlist registers this controller with the active one, which may be itself.
func (p *Plane) enlist(now core.Now, out *step.Effects) {
	if at, due := p.registrationDue(); !due || at > now.Mono {
		return
	}
	req := kmsg.NewPtrControllerRegistrationRequest()
	req.ControllerID, req.IncarnationID = int32(p.cfg.NodeID), p.registration.incarnation
	for _, l := range p.cfg.ControllerListeners {
		e := kmsg.NewControllerRegistrationRequestListener()
		e.Name, e.Host, e.Port = l.Name, l.AdvertisedHost, uint16(l.AdvertisedPort)
		req.Listeners = append(req.Listeners, e)
	}
	for _, f := range p.opts.Features {
		rf := kmsg.NewControllerRegistrationRequestFeature()
		rf.Name, rf.MinSupportedVersion, rf.MaxSupportedVersion = f.Name, int16(f.Min), int16(f.Max)
		req.Features = append(req.Features, rf)
	}
	p.registration.asking = true
	answered := func(now core.Now, _ wire.Response, _ *step.Effects) {
		// Whatever the answer is, the image tells whether it is done.
		p.registration.asking, p.registration.at = false, now.Mono.Add(retryRegistration)
	}
	if p.Active() {
		p.Ask(now, req, answered, out)
		return
	}
	p.opts.Peers.Call(now, peer.Call{
		Addr: p.LeaderAddr(), Lane: laneRegistration, Body: req, Timeout: core.Millis(p.cfg.BrokerSessionTimeoutMs),
		Then: func(now core.Now, r *peer.Result, out *step.Effects) { answered(now, r.Body, out) },
	}, out)
}
