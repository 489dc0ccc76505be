package control

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// leaderHints gathers what a client that asked the wrong broker is told besides the error: who leads, and where that is
// (KIP-951). It spares the client a round of Metadata at the moment when all of them ask for it.
type leaderHints struct {
	m        *metadata.Image
	listener string
	nodes    []core.NodeID // that hints name, once each
}

// wrongLeader reports whether an error of a partition comes with a hint.
func wrongLeader(code core.ErrorCode) bool {
	return code == core.ErrNotLeaderOrFollower || code == core.ErrFencedLeaderEpoch
}

// of is the leader and epoch to hint at for a partition; false if there is nobody to name.
func (h *leaderHints) of(id core.TopicID, topic string, index int32) (core.NodeID, core.LeaderEpoch, bool) {
	t := h.m.TopicByID(id)
	if id.IsZero() {
		t = h.m.Topic(topic)
	}
	if t == nil {
		return core.NoNode, core.NoLeaderEpoch, false
	}
	p := t.Partition(index)
	if p == nil || p.Leader == core.NoNode {
		return core.NoNode, core.NoLeaderEpoch, false
	}
	if !slices.Contains(h.nodes, p.Leader) {
		h.nodes = append(h.nodes, p.Leader)
	}
	return p.Leader, p.LeaderEpoch, true
}

// each calls f for every node that hints have named and that the client can reach.
func (h *leaderHints) each(f func(n *metadata.Broker, e metadata.Endpoint)) {
	for _, id := range h.nodes {
		if n := h.m.Broker(id); n != nil {
			if e, ok := n.Endpoint(h.listener); ok {
				f(n, e)
			}
		}
	}
}

// HintProduce completes a Produce response of version 10 or higher.
func (p *Plane) HintProduce(listener string, r *step.Request, resp *kmsg.ProduceResponse) {
	if r.Version < 10 {
		return
	}
	h := leaderHints{m: p.image, listener: listener}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			rp := &t.Partitions[j]
			if !wrongLeader(core.ErrorCode(rp.ErrorCode)) {
				continue
			}
			if leader, epoch, ok := h.of(t.TopicID, t.Topic, rp.Partition); ok {
				rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch = int32(leader), int32(epoch)
			}
		}
	}
	h.each(func(n *metadata.Broker, e metadata.Endpoint) {
		resp.Brokers = append(resp.Brokers, kmsg.ProduceResponseBroker{NodeID: int32(n.ID), Host: e.Host, Port: int32(e.Port), Rack: n.Rack})
	})
}

// HintFetch completes a Fetch response: leaders from version 12 on, where they are from 16 on.
func (p *Plane) HintFetch(listener string, r *step.Request, resp *kmsg.FetchResponse) {
	if r.Version < 12 {
		return
	}
	h := leaderHints{m: p.image, listener: listener}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			rp := &t.Partitions[j]
			if !wrongLeader(core.ErrorCode(rp.ErrorCode)) {
				continue
			}
			if leader, epoch, ok := h.of(t.TopicID, t.Topic, rp.Partition); ok {
				rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch = int32(leader), int32(epoch)
			}
		}
	}
	if r.Version < 16 {
		return
	}
	h.each(func(n *metadata.Broker, e metadata.Endpoint) {
		resp.Brokers = append(resp.Brokers, kmsg.FetchResponseBroker{NodeID: int32(n.ID), Host: e.Host, Port: int32(e.Port), Rack: n.Rack})
	})
}
