package transport

import (
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
)

// Network is a node's network: what it serves and what it dials. Either may be nil if the machine does not use it.
type Network struct {
	Server *Server
	Dialer *Dialer
	Memory conn.Memory // where server and dialer have their frames from; nil if the heap is
}

// Send implements node.Network.
func (n Network) Send(s step.Send) { n.Dialer.Send(s) }

// Reply implements node.Network.
func (n Network) Reply(r step.Reply) { n.Server.Reply(r) }

// Reclaim implements node.Network.
func (n Network) Reclaim(frame []byte) {
	if n.Server != nil { // before anybody else can have the memory
		n.Server.Reclaim(frame)
	}
	if n.Memory != nil {
		n.Memory.Give(frame)
	}
}
