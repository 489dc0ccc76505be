package simnet

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/core"
)

// Cut stops a directed link from carrying anything. Cuts nest: a link carries again when each has been healed.
func (n *Network) Cut(from, to Host) { n.link(from, to).cut++ }

// Heal undoes one Cut. What waited on the link arrives now.
func (n *Network) Heal(now core.Mono, from, to Host) {
	l := n.link(from, to)
	if l.cut == 0 {
		return
	}
	if l.cut--; l.cut == 0 {
		n.wakeLink(now, from, to)
	}
}

// CutAddr stops what goes over a directed link on connections that were dialled to addr, whichever of the two hosts it
// belongs to: a node can lose another's controller and keep its broker. Such cuts nest, too.
func (n *Network) CutAddr(from, to Host, addr string) {
	l := n.link(from, to)
	l.addrs = append(l.addrs, addr)
}

// HealAddr undoes one CutAddr.
func (n *Network) HealAddr(now core.Mono, from, to Host, addr string) {
	l := n.link(from, to)
	i := slices.Index(l.addrs, addr)
	if i < 0 {
		return
	}
	l.addrs = slices.Delete(l.addrs, i, i+1)
	if !slices.Contains(l.addrs, addr) {
		n.wakeLink(now, from, to)
	}
}

// Slow adds latency to a directed link; a negative amount takes it back.
func (n *Network) Slow(from, to Host, extra core.Mono) {
	l := n.link(from, to)
	l.extra = max(0, l.extra+extra)
}

// CutAPI stalls every connection over a directed link on which a request of the key is sent from now on.
func (n *Network) CutAPI(from, to Host, key int16) {
	l := n.link(from, to)
	l.apis = append(l.apis, key)
}

// HealAPI undoes one CutAPI and releases the connections that it stalled.
func (n *Network) HealAPI(now core.Mono, from, to Host, key int16) {
	l := n.link(from, to)
	if i := slices.Index(l.apis, key); i >= 0 {
		l.apis = slices.Delete(l.apis, i, i+1)
	}
	if slices.Contains(l.apis, key) {
		return // another cut of the same key lasts
	}
	for _, c := range n.conns {
		if c.hosts != [2]Host{Dialer: from, Acceptor: to} {
			continue
		}
		p := &c.pipes[Acceptor]
		if i := slices.Index(p.stuckOn, key); i >= 0 {
			p.stuckOn = slices.Delete(p.stuckOn, i, i+1)
			n.wake(now, c, Acceptor)
		}
	}
}

// Stall stops one pipe of one connection, or lets it flow again.
func (n *Network) Stall(now core.Mono, id Conn, to Side, stalled bool) {
	c := n.conns[id]
	c.pipes[to].stalled = stalled
	if !stalled {
		n.wake(now, c, to)
	}
}

// Reset ends a connection at both ends. For each receiving side the caller chooses whether what is in flight to it
// is lost or arrives before the end.
func (n *Network) Reset(now core.Mono, id Conn, lose [2]bool) {
	c := n.conns[id]
	n.fired.Resets++
	for _, side := range [2]Side{Dialer, Acceptor} {
		if c.state[side] == closed {
			continue
		}
		if lose[side] {
			n.drop(c, side)
		}
		n.send(now, c, side, parcel{kind: Closed, why: "connection reset by peer"})
	}
}

// HostDown ends every connection of a host without telling the host. After a process crash the host's kernel tells
// the peers; after a power loss nobody does, and they find out when they write.
func (n *Network) HostDown(now core.Mono, h Host, powerLoss bool) {
	for _, c := range n.conns {
		for _, side := range [2]Side{Dialer, Acceptor} {
			if c.hosts[side] != h || c.state[side] == closed {
				continue
			}
			if !powerLoss {
				n.end(now, c, side)
				continue
			}
			n.leave(c, side)
			if c.state[side.Other()] != closed {
				c.half = true
				n.fired.Halved++
			}
		}
	}
}

// HealAll lifts every fault of the network, for the liveness phase.
func (n *Network) HealAll(now core.Mono) {
	for _, l := range n.sortedLinks() {
		n.links[l].extra, n.links[l].cut, n.links[l].apis, n.links[l].addrs = 0, 0, nil, nil
	}
	for _, c := range n.conns {
		for _, side := range [2]Side{Dialer, Acceptor} {
			c.pipes[side].stalled, c.pipes[side].stuckOn = false, nil
			n.wake(now, c, side)
		}
		if c.half { // keep-alive probes would have found it by now
			c.half = false
			for _, side := range [2]Side{Dialer, Acceptor} {
				if c.state[side] != closed {
					n.send(now, c, side, parcel{kind: Closed, why: "connection timed out"})
				}
			}
		}
	}
}

// Open lists the connections that both ends believe in, oldest first; fault plans pick their victims from it.
func (n *Network) Open() []Conn {
	var ids []Conn
	for _, c := range n.conns {
		if c.state == [2]sideState{open, open} {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// Addr is the address that a connection was dialled to.
func (n *Network) Addr(id Conn) string { return n.conns[id].addr }

// Hosts are the two ends of a connection.
func (n *Network) Hosts(id Conn) (dialer, acceptor Host) {
	return n.conns[id].hosts[Dialer], n.conns[id].hosts[Acceptor]
}

func (n *Network) sortedLinks() []linkKey {
	keys := make([]linkKey, 0, len(n.links))
	for k := range n.links { //det:unordered sorted below
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b linkKey) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	return keys
}

// wakeLink looks again at every pipe over a directed link.
func (n *Network) wakeLink(now core.Mono, from, to Host) {
	for _, c := range n.conns {
		for _, side := range [2]Side{Dialer, Acceptor} {
			if c.hosts[side] == to && c.hosts[side.Other()] == from {
				n.wake(now, c, side)
			}
		}
	}
}
