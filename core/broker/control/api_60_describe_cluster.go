package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeCluster (key 60, KIP-700).
//
// Behavior: cluster id, controller and brokers, at the addresses of the listener that the client came through. The
// controller is this broker, as in Metadata.
//
// Version notes: 1 says which kind of endpoint is meant (KIP-919): brokers are answered, controllers are
// MISMATCHED_ENDPOINT_TYPE here, anything else UNSUPPORTED_ENDPOINT_TYPE. 2 lists fenced brokers on demand (KIP-1073).
func (p *Plane) DescribeCluster(listener string, r *step.Request, req *kmsg.DescribeClusterRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
	const brokers, controllers = 1, 2
	if r.Version >= 1 && req.EndpointType != brokers {
		code := core.ErrUnsupportedEndpointType
		if req.EndpointType == controllers {
			code = core.ErrMismatchedEndpointType
		}
		resp.ErrorCode = int16(code)
		resp.ErrorMessage = kmsg.StringPtr("this listener is for brokers: endpoint type 1")
		p.reply(r, resp, out)
		return
	}
	resp.EndpointType = brokers
	resp.ClusterID, resp.ControllerID = p.cfg.ClusterID, int32(p.cfg.NodeID)
	resp.ClusterAuthorizedOperations = Authorized(req.IncludeClusterAuthorizedOperations, ClusterOperations)
	for n := range p.image.Brokers() {
		e, ok := n.Endpoint(listener)
		if !ok || n.Fenced && !req.IncludeFencedBrokers {
			continue
		}
		resp.Brokers = append(resp.Brokers, kmsg.DescribeClusterResponseBroker{
			NodeID: int32(n.ID), Host: e.Host, Port: int32(e.Port), Rack: n.Rack, IsFenced: n.Fenced,
		})
	}
	p.reply(r, resp, out)
}

// DescribeControllers answers on a controller's listener: endpoint type 2 is meant there (KIP-919).
func (p *Plane) DescribeControllers(now core.Now, listener string, r *step.Request, req *kmsg.DescribeClusterRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
	const brokers, controllers = 1, 2
	if r.Version < 1 || req.EndpointType != controllers {
		code := core.ErrUnsupportedEndpointType
		if r.Version < 1 || req.EndpointType == brokers {
			code = core.ErrMismatchedEndpointType
		}
		resp.ErrorCode = int16(code)
		resp.ErrorMessage = kmsg.StringPtr("this listener is for controllers: endpoint type 2")
		p.reply(r, resp, out)
		return
	}
	leader, _ := p.quorum.Leader()
	resp.EndpointType = controllers
	resp.ClusterID, resp.ControllerID = p.cfg.ClusterID, int32(leader)
	resp.ClusterAuthorizedOperations = Authorized(req.IncludeClusterAuthorizedOperations, ClusterOperations)
	for _, v := range p.quorum.View(now).Endpoints {
		for _, e := range v.Endpoints {
			if e.Name == listener {
				resp.Brokers = append(resp.Brokers, kmsg.DescribeClusterResponseBroker{NodeID: int32(v.ID), Host: e.Host, Port: int32(e.Port)})
			}
		}
	}
	p.reply(r, resp, out)
}
