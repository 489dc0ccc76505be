package simnet

import (
	"encoding/binary"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
)

// conn is one connection. Each side has its own view of its state; the views differ while news travels, and for as
// long as a connection is half-open.
type conn struct {
	id    Conn
	hosts [2]Host
	addr  string
	state [2]sideState
	pipes [2]pipe // indexed by the receiving side
	dial  deadline.Handle
	half  bool // a side is gone and the other will not be told unless it writes
}

type sideState uint8

const (
	opening sideState = iota
	open
	closed
)

// pipe is one direction of a connection.
type pipe struct {
	link     *link // that it uses
	queue    []parcel
	head     int
	inFlight int64
	lastAt   core.Mono // arrival of the newest parcel: order is kept
	paused   bool      // the receiver does not read
	stalled  bool
	stuckOn  []int16 // keys of cut APIs whose requests are in it
	waiting  bool    // a parcel was due while the pipe could not carry it
}

// parcel is one thing on its way: an opening, bytes or a closing.
type parcel struct {
	kind  EventKind
	at    core.Mono
	bytes []byte
	why   string
}

func (n *Network) newConn(from, to Host, addr string) *conn {
	c := &conn{id: Conn(len(n.conns)), hosts: [2]Host{Dialer: from, Acceptor: to}, addr: addr}
	c.pipes[Acceptor].link, c.pipes[Dialer].link = n.link(from, to), n.link(to, from)
	n.conns = append(n.conns, c)
	return c
}

// Dial opens a connection from a host to whoever listens on addr. The acceptor gets Opened first, then the dialer;
// or the dialer gets Closed.
func (n *Network) Dial(now core.Mono, from Host, addr string) Conn {
	to, listening := n.listen[addr]
	if !listening {
		to = from
	}
	c := n.newConn(from, to, addr)
	c.dial = n.timers.Add(now+n.cfg.DialTimeout, timer{conn: c.id, side: Dialer, kind: timerDialTimeout})
	if listening {
		n.send(now, c, Acceptor, parcel{kind: Opened})
	} else {
		c.state[Acceptor] = closed
		n.refuse(now, c)
	}
	return c.id
}

func (n *Network) refuse(now core.Mono, c *conn) {
	n.fired.Refused++
	n.send(now, c, Dialer, parcel{kind: Closed, why: "connection refused"})
}

// dialTimedOut gives up a dial whose answer has not come.
func (n *Network) dialTimedOut(now core.Mono, c *conn, deliver func(Event)) {
	if c.state[Dialer] != opening {
		return
	}
	n.fired.Refused++
	n.end(now, c, Dialer)
	deliver(Event{Kind: Closed, Conn: c.id, Side: Dialer, Host: c.hosts[Dialer], Why: "dial timed out"})
}

// Write sends bytes from one side. Writing to a connection that this side has been told is closed does nothing.
// The bytes are the network's from now on.
func (n *Network) Write(now core.Mono, id Conn, from Side, b []byte) {
	c, to := n.conns[id], from.Other()
	if c.state[from] != open || len(b) == 0 {
		return
	}
	if c.state[to] == closed { // the news is on its way here, or nobody is left to send it
		n.fired.Lost += int64(len(b))
		if c.half {
			c.half = false
			n.send(now, c, from, parcel{kind: Closed, why: "connection reset by peer"})
		}
		return
	}
	if c.pipes[to].inFlight+int64(len(b)) > n.cfg.WindowBytes {
		n.Reset(now, id, [2]bool{true, true})
		return
	}
	if n.sent != nil {
		n.sent(id, from, b)
	}
	if key, ok := n.cutKey(c, from, b); ok && !slices.Contains(c.pipes[to].stuckOn, key) {
		c.pipes[to].stuckOn = append(c.pipes[to].stuckOn, key)
	}
	for piece, rest := n.fragment(c, to, b); piece != nil; piece, rest = n.fragment(c, to, rest) {
		n.send(now, c, to, parcel{kind: Data, bytes: piece})
	}
}

// fragment cuts from a write the next piece that arrives at a side by itself; nil if there is none.
func (n *Network) fragment(c *conn, to Side, b []byte) (piece, rest []byte) {
	if n.cfg.FragmentBytes > 0 && len(b) > 1 {
		if size := c.pipes[to].link.rand.Between(1, n.cfg.FragmentBytes); size < int64(len(b)) {
			return b[:size:size], b[size:]
		}
	}
	return b, nil
}

// cutKey is the key of a request frame if it is cut on the way to the acceptor. Clients write whole frames.
func (n *Network) cutKey(c *conn, from Side, b []byte) (key int16, cut bool) {
	if from != Dialer || len(b) < 6 {
		return 0, false
	}
	key = int16(binary.BigEndian.Uint16(b[4:]))
	return key, slices.Contains(c.pipes[Acceptor].link.apis, key)
}

// Close ends a connection from one side, which gets no further event: what it wrote before still arrives, then the
// closing.
func (n *Network) Close(now core.Mono, id Conn, from Side) {
	if c := n.conns[id]; c.state[from] != closed {
		n.end(now, c, from)
	}
}

// end closes a side without telling it and lets the other side know.
func (n *Network) end(now core.Mono, c *conn, side Side) {
	n.leave(c, side)
	if c.state[side.Other()] != closed {
		n.send(now, c, side.Other(), parcel{kind: Closed, why: "closed by peer"})
	}
}

// leave closes a side without telling anybody.
func (n *Network) leave(c *conn, side Side) {
	c.state[side] = closed
	n.drop(c, side)
	if side == Dialer {
		n.timers.Cancel(c.dial)
	}
}

// Pause stops or resumes the delivery of bytes to a side that does not read.
func (n *Network) Pause(now core.Mono, id Conn, side Side, paused bool) {
	p := &n.conns[id].pipes[side]
	p.paused = paused
	if !paused {
		n.wake(now, n.conns[id], side)
	}
}

// send puts a parcel on its way to a side.
func (n *Network) send(now core.Mono, c *conn, to Side, p parcel) {
	pipe := &c.pipes[to]
	p.at = max(pipe.lastAt, now+n.latency(pipe.link))
	pipe.lastAt = p.at
	pipe.queue = append(pipe.queue, p)
	pipe.inFlight += int64(len(p.bytes))
	n.timers.Add(p.at, timer{conn: c.id, side: to, kind: timerArrive})
}

// arrive delivers the parcels of a pipe that are due, as far as it carries anything now.
func (n *Network) arrive(now core.Mono, c *conn, to Side, deliver func(Event)) {
	pipe := &c.pipes[to]
	for pipe.head < len(pipe.queue) && pipe.queue[pipe.head].at <= now {
		if pipe.stalled || len(pipe.stuckOn) > 0 || pipe.link.blocks(c.addr) || pipe.paused && pipe.queue[pipe.head].kind == Data {
			if !pipe.waiting && !pipe.paused {
				n.fired.Delayed++
			}
			pipe.waiting = true
			return
		}
		p := pipe.queue[pipe.head]
		pipe.queue[pipe.head] = parcel{}
		pipe.head++
		pipe.inFlight -= int64(len(p.bytes))
		n.hand(now, c, to, p, deliver)
	}
	if pipe.head == len(pipe.queue) {
		pipe.queue, pipe.head = pipe.queue[:0], 0
	}
}

// blocks reports whether a link carries nothing on connections dialled to addr.
func (l *link) blocks(addr string) bool { return l.cut > 0 || slices.Contains(l.addrs, addr) }

// hand gives one parcel to its side.
func (n *Network) hand(now core.Mono, c *conn, to Side, p parcel, deliver func(Event)) {
	if c.state[to] == closed {
		n.fired.Lost += int64(len(p.bytes))
		return
	}
	switch p.kind {
	case Opened:
		if to == Acceptor {
			if h, ok := n.listen[c.addr]; !ok || h != c.hosts[Acceptor] {
				n.leave(c, Acceptor)
				n.refuse(now, c)
				return
			}
			n.send(now, c, Dialer, parcel{kind: Opened})
		} else {
			n.timers.Cancel(c.dial)
		}
		c.state[to] = open
	case Data:
	case Closed:
		told := c.state[to] == open || to == Dialer
		n.leave(c, to)
		if !told {
			return // the acceptor never knew of this connection
		}
	}
	deliver(Event{Kind: p.kind, Conn: c.id, Side: to, Host: c.hosts[to], Bytes: p.bytes, Why: p.why})
}

// drop loses what is on its way to a side.
func (n *Network) drop(c *conn, to Side) {
	pipe := &c.pipes[to]
	for i := pipe.head; i < len(pipe.queue); i++ {
		n.fired.Lost += int64(len(pipe.queue[i].bytes))
		pipe.queue[i] = parcel{}
	}
	pipe.queue, pipe.head, pipe.inFlight, pipe.waiting = pipe.queue[:0], 0, 0, false
}

// wake looks again at a pipe that may carry what is due.
func (n *Network) wake(now core.Mono, c *conn, to Side) {
	if p := &c.pipes[to]; p.waiting {
		p.waiting = false
		n.timers.Add(now, timer{conn: c.id, side: to, kind: timerArrive})
	}
}
