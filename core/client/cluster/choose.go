package cluster

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// bootstrapID is the pseudo id of the i-th bootstrap server; core.NoNode is not among them.
func bootstrapID(i int) core.NodeID { return core.NodeID(-2 - i) }

// Link is a connection to the broker on the lane that can take a call now, or nil: then it is being established, and
// the caller asks again in a later turn. A broker that nobody knows makes the metadata be refreshed.
func (c *Cluster) Link(now core.Now, id core.NodeID, lane Lane, out *step.Effects) *Link {
	n, ok := c.nodes.Get(id)
	if !ok {
		c.Refresh()
		return nil
	}
	l := c.linkTo(n.ID, lane, n.Addr)
	if l.state != closed && l.addr != n.Addr { // the broker has moved
		c.hangup(now, l, out)
	}
	return c.connect(now, l, out)
}

// linkTo finds or makes the link of a broker.
func (c *Cluster) linkTo(id core.NodeID, lane Lane, addr string) *Link {
	for _, l := range c.links {
		if l.node == id && l.lane == lane {
			if l.state == closed {
				l.addr = addr
			}
			return l
		}
	}
	l := &Link{node: id, lane: lane, addr: addr}
	c.links = append(c.links, l)
	return l
}

// connect dials a link if it may be dialled, and returns it if it can take a call.
func (c *Cluster) connect(now core.Now, l *Link, out *step.Effects) *Link {
	switch {
	case c.closed:
		return nil
	case l.state == ready && now.Mono >= l.mutedTill:
		l.mutedTill = 0
		return l
	case l.state == closed && now.Mono >= l.retryAt:
		c.dial(now, l, out)
	default:
		l.wanted = true
	}
	return nil
}

// AnyLink is the least loaded ready connection, or nil while one is being established. Known brokers are preferred to
// bootstrap servers, which come into play again when no broker can be reached (KIP-899).
func (c *Cluster) AnyLink(now core.Now, out *step.Effects) *Link {
	var best *Link
	opening := false
	for _, l := range c.links {
		opening = opening || l.state == dialling || l.state == negotiating
		if l.lane == Main && l.state == ready && now.Mono >= l.mutedTill && (best == nil || better(l, best)) {
			best = l
		}
	}
	if best != nil || opening {
		return best
	}
	candidates := c.candidates()
	start := int(c.choice.Below(int64(len(candidates))))
	for i := range candidates {
		l := candidates[(start+i)%len(candidates)]
		if l.state == closed && now.Mono >= l.retryAt {
			return c.connect(now, l, out)
		}
		l.wanted = true
	}
	return nil
}

// better prefers brokers to bootstrap servers, then fewer calls in flight.
func better(a, b *Link) bool {
	if (a.node < 0) != (b.node < 0) {
		return b.node < 0
	}
	return len(a.inflight) < len(b.inflight)
}

// candidates are the links that may serve any request: of the known brokers, and of the bootstrap servers if no broker
// is known or each one's last attempt failed.
func (c *Cluster) candidates() []*Link {
	var links []*Link
	hope := false
	for id, n := range c.nodes.All() {
		l := c.linkTo(id, Main, n.Addr)
		hope = hope || l.failures == 0
		links = append(links, l)
	}
	if !hope {
		for i, addr := range c.opts.Bootstrap {
			links = append(links, c.linkTo(bootstrapID(i), Main, addr))
		}
	}
	return links
}

// ControllerLink is a connection to the controller, to any broker if none is known: brokers of KRaft clusters forward.
func (c *Cluster) ControllerLink(now core.Now, out *step.Effects) *Link {
	if c.nodes.Has(c.controller) {
		return c.Link(now, c.controller, Main, out)
	}
	return c.AnyLink(now, out)
}

// Nodes are the known brokers in the order of their ids.
func (c *Cluster) Nodes() []core.NodeID { return c.nodes.Keys() }

// Known reports whether a broker is in the metadata.
func (c *Cluster) Known(id core.NodeID) bool { return c.nodes.Has(id) }

// Failing reports whether the last attempt to connect to a broker failed.
func (c *Cluster) Failing(id core.NodeID, lane Lane) bool {
	for _, l := range c.links {
		if l.node == id && l.lane == lane {
			return l.failures > 0 && l.state != ready
		}
	}
	return false
}
