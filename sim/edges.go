package sim

import (
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/simnet"
)

// Submit implements node.Disk.
func (p *process) Submit(op step.DiskOp) {
	p.appended = p.appended || op.Kind == step.Append
	if p.ears != nil {
		p.ears.submits(p, &op)
	}
	p.disk.Submit(p.w.now, op)
	p.refreshDisk()
}

func (p *process) refreshDisk() {
	if p.disk != nil {
		p.w.due[p.comp()] = deadlineOr(p.disk.NextDeadline())
	}
}

func (p *process) observeDisk() {
	p.disk.Observe(func(d simdisk.Performed) {
		if p.w.Watch != nil {
			p.w.detail.Disk = d
		}
		p.w.note(TraceDisk, p.id, uint64(d.Kind)<<8|uint64(d.Err)^uint64(d.File)<<16, uint64(d.Pos)<<20^uint64(d.Len))
	})
}

func (p *process) diskDone(d *step.DiskDone) {
	if p.up && !p.lateDisk(d) {
		p.deliver(d)
	}
}

// Send implements node.Network for connections that this process opens.
func (p *process) Send(s step.Send) {
	now := p.w.now
	switch s.Kind {
	case step.Dial:
		d := &dialed{conn: p.w.net.Dial(now, p.host, s.Addr), peer: s.Peer, client: conn.NewClient(s.Peer, p.limits, p.memory)}
		p.dialed[d.conn], p.dialedByID[d.peer] = d, d
	case step.Call:
		if d := p.dialedByID[s.Peer]; d != nil && d.open {
			if p.ears != nil {
				p.ears.asks(p, s.Body)
			}
			p.w.net.Write(now, d.conn, simnet.Dialer, d.client.Call(nil, &s))
			p.resetBehind(d)
		}
	case step.Hangup:
		if d := p.dialedByID[s.Peer]; d != nil {
			p.w.net.Close(now, d.conn, simnet.Dialer)
			p.forget(d)
		}
	}
	p.w.refreshNet()
}

func (p *process) forget(d *dialed) {
	delete(p.dialed, d.conn)
	delete(p.dialedByID, d.peer)
}

// Reply implements node.Network for connections that this process serves.
func (p *process) Reply(r step.Reply) {
	s := p.servedByID[r.Conn]
	if s == nil {
		return // the connection has closed; the answer goes nowhere, as on a real node
	}
	if p.ears != nil {
		p.ears.says(p, s, &r)
	}
	if !p.lateReply(s, r) {
		p.reply(s, r)
	}
}

// Reclaim implements node.Network.
func (p *process) Reclaim(frame []byte) { p.memory.Give(frame) }

// reply passes an answer on to its connection.
func (p *process) reply(s *served, r step.Reply) {
	s.server.Reply(r)
	p.flush(s)
	p.closeBehind(s)
	p.pump(s) // requests that waited for an answer to leave
}

// flush writes what a served connection has to say.
func (p *process) flush(s *served) {
	out := s.server.Take()
	var bytes []byte
	broken := false
	for i := range out.Chunks {
		c := &out.Chunks[i]
		bytes = append(bytes, c.Data...)
		if c.Span.Len > 0 && !broken {
			var err error
			if bytes, err = p.disk.ReadSpan(c.Span, bytes); err != nil {
				broken = true // a real node cannot take back the length it has written: it closes
			}
		}
	}
	if !broken {
		p.w.net.Write(p.w.now, s.conn, simnet.Acceptor, bytes)
	}
	if broken || out.Close {
		p.w.net.Close(p.w.now, s.conn, simnet.Acceptor)
		p.closed(s)
	}
	p.w.refreshNet()
}

// closed tells the machine that a served connection is over.
func (p *process) closed(s *served) {
	if s.gone {
		return
	}
	s.gone = true
	delete(p.served, s.conn)
	delete(p.servedByID, s.id)
	p.deliver(&step.ConnState{Conn: s.id})
}

// pump turns received bytes into requests for the machine.
func (p *process) pump(s *served) {
	for !s.gone {
		req, err := s.server.Next()
		if err != nil {
			p.flush(s)
			return
		}
		if req == nil {
			break
		}
		if p.ears != nil {
			p.ears.hears(p, s, req)
		}
		p.deliver(req)
	}
	if !s.gone && s.server.Out.Pending() {
		p.flush(s)
	}
	if !s.gone {
		p.w.net.Pause(p.w.now, s.conn, simnet.Acceptor, s.server.Paused())
	}
}

// netEvent takes what arrived at this process' end of a connection.
func (p *process) netEvent(ev simnet.Event) {
	if !p.up {
		return
	}
	if ev.Side == simnet.Acceptor {
		p.serverEvent(ev)
	} else {
		p.clientEvent(ev)
	}
}

func (p *process) serverEvent(ev simnet.Event) {
	switch ev.Kind {
	case simnet.Opened:
		l := p.listener(p.w.net.Addr(ev.Conn))
		p.nextConn++
		config := l.config
		config.Memory = p.memory
		s := &served{conn: ev.Conn, id: p.nextConn, server: conn.NewServer(p.nextConn, config)}
		p.served[ev.Conn], p.servedByID[s.id] = s, s
		p.deliver(&step.ConnState{Conn: s.id, Open: true, Listener: l.name})
	case simnet.Data:
		if s := p.served[ev.Conn]; s != nil {
			if !p.lateRequest(s, ev.Bytes) {
				s.server.Feed(ev.Bytes)
				p.pump(s)
			}
		}
	case simnet.Closed:
		if s := p.served[ev.Conn]; s != nil {
			p.read(s)
			p.closed(s)
		}
	}
}

func (p *process) clientEvent(ev simnet.Event) {
	d := p.dialed[ev.Conn]
	if d == nil {
		return
	}
	switch ev.Kind {
	case simnet.Opened:
		d.open = true
		p.deliver(&step.PeerState{Peer: d.peer, Open: true})
	case simnet.Data:
		d.client.Feed(ev.Bytes)
		p.responses(d)
	case simnet.Closed:
		p.forget(d)
		p.deliver(&step.PeerState{Peer: d.peer, Err: ev.Why})
	}
}

// responses delivers what a dialled connection has received; garbage ends it.
func (p *process) responses(d *dialed) {
	for {
		resp, err := d.client.Next()
		if err != nil {
			p.w.net.Close(p.w.now, d.conn, simnet.Dialer)
			p.w.refreshNet()
			p.forget(d)
			p.deliver(&step.PeerState{Peer: d.peer, Err: err.Error()})
			return
		}
		if resp == nil {
			return
		}
		p.deliver(resp)
	}
}
