package peer

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Lane separates calls to one address that must not wait for each other.
type Lane uint8

// callID names a call; ids are never reused by a pool.
type callID uint64

// Call is one request to another node.
type Call struct {
	Addr    string // "host:port"
	Lane    Lane
	Body    wire.Request
	Timeout core.Mono // from now to the answer, the dialling included

	// Then goes on with the answer, in [Pool.Deliver]. It may make further calls.
	Then func(now core.Now, r *Result, out *step.Effects)
}

// Result ends a call.
type Result struct {
	Body   wire.Response // nil: the call failed, and whether it was executed is not known unless Sent is false
	Sent   bool          // the request was handed to an open connection
	Broken bool          // the other end closed the connection, or it could not be made: its process may be gone
	Why    string        // why it failed, in words
	Size   int64         // of the answer on the wire, in bytes
	Frame  []byte        // of a Fetch: where the answer lies, see step.Effects.Spent
}

// Lost is a connection that the other end closed while it was idle.
type Lost struct {
	Addr string
	Lane Lane
}

// ended is a call whose continuation has not run yet.
type ended struct {
	call   *call
	result Result
}

// Pool is the connections of one node to others.
type Pool struct {
	clientID string
	lanes    map[laneKey]*link
	peers    map[step.PeerID]*link
	calls    map[callID]*call
	timers   deadline.Heap[callID]
	nextPeer step.PeerID
	nextCall callID
	ended    []ended
	lost     []Lost
}

// laneKey finds a connection.
type laneKey struct {
	addr string
	lane Lane
}

// link is one connection, dialling or open.
type link struct {
	key     laneKey
	peer    step.PeerID
	open    bool
	waiting []callID // in order; all sent if open, none if not
}

// call is one outstanding call.
type call struct {
	Call
	link  *link
	corr  int32
	timer deadline.Handle
}

// New is a pool without connections. The client id stands in the header of every request.
func New(clientID string) *Pool {
	return &Pool{
		clientID: clientID,
		lanes:    make(map[laneKey]*link), peers: make(map[step.PeerID]*link), calls: make(map[callID]*call),
	}
}

// Call sends a request, over a connection that is dialled if there is none.
func (p *Pool) Call(now core.Now, c Call, out *step.Effects) {
	p.nextCall++
	id := p.nextCall
	l := p.link(laneKey{c.Addr, c.Lane}, out)
	made := &call{Call: c, link: l, corr: int32(id & 0x7fffffff)}
	made.timer = p.timers.Add(now.Mono.Add(c.Timeout), id)
	p.calls[id] = made
	l.waiting = append(l.waiting, id)
	if l.open {
		p.send(l, made, out)
	}
}

// link is the connection of a lane.
func (p *Pool) link(key laneKey, out *step.Effects) *link {
	if l := p.lanes[key]; l != nil {
		return l
	}
	p.nextPeer++
	l := &link{key: key, peer: p.nextPeer}
	p.lanes[key], p.peers[l.peer] = l, l
	out.Sends = append(out.Sends, step.Send{Peer: l.peer, Kind: step.Dial, Addr: key.addr})
	return l
}

func (p *Pool) send(l *link, c *call, out *step.Effects) {
	out.Sends = append(out.Sends, step.Send{Peer: l.peer, Kind: step.Call, Corr: c.corr, ClientID: p.clientID, Body: c.Body})
}

// State takes what became of a connection.
func (p *Pool) State(ev *step.PeerState, out *step.Effects) {
	l := p.peers[ev.Peer]
	if l == nil {
		return // hung up on before
	}
	if !ev.Open {
		if len(l.waiting) == 0 {
			p.lost = append(p.lost, Lost{l.key.addr, l.key.lane})
		}
		p.drop(l, ev.Err, true)
		return
	}
	l.open = true
	for _, id := range l.waiting {
		p.send(l, p.calls[id], out)
	}
}

// Response takes an answer. One that answers nothing ends the connection: request and answer have lost each other.
func (p *Pool) Response(ev *step.PeerResponse, out *step.Effects) {
	l := p.peers[ev.Peer]
	if l == nil {
		return
	}
	if len(l.waiting) == 0 || p.calls[l.waiting[0]].corr != ev.Corr {
		p.hangup(l, "an answer that was not asked for", out)
		return
	}
	id := l.waiting[0]
	l.waiting = l.waiting[1:]
	p.finish(id, Result{Body: ev.Body, Sent: true, Size: ev.Size, Frame: ev.Frame})
}

// Tick fails the calls whose time is up. Their connections end with them: the answer may still come, and what is behind
// it would wait for it (as in Kafka's NetworkClient).
func (p *Pool) Tick(now core.Now, out *step.Effects) {
	for {
		id, ok := p.timers.PopDue(now.Mono)
		if !ok {
			return
		}
		c := p.calls[id]
		c.timer = deadline.Handle{}
		p.hangup(c.link, "no answer in time", out)
	}
}

// NextDeadline is when the first outstanding call fails.
func (p *Pool) NextDeadline() (core.Mono, bool) { return p.timers.Next() }

// Deliver runs the continuations of the calls that have ended, in the order of their ends.
func (p *Pool) Deliver(now core.Now, out *step.Effects) {
	for i := 0; i < len(p.ended); i++ {
		e := p.ended[i]
		e.call.Then(now, &e.result, out)
	}
	clear(p.ended)
	p.ended = p.ended[:0]
}

// Lost are the connections that broke while nothing was outstanding on them, since the last time; the slice is valid
// until the next event.
func (p *Pool) Lost() []Lost {
	l := p.lost
	p.lost = p.lost[:0]
	return l
}

// Outstanding is the number of calls without a result.
func (p *Pool) Outstanding() int { return len(p.calls) }

// Hangup ends the connection of a lane, if there is one; its calls fail.
func (p *Pool) Hangup(addr string, lane Lane, why string, out *step.Effects) {
	if l := p.lanes[laneKey{addr, lane}]; l != nil {
		p.hangup(l, why, out)
	}
}

// Close ends all connections; their calls fail.
func (p *Pool) Close(out *step.Effects) {
	for id := step.PeerID(1); id <= p.nextPeer; id++ { // in order: maps have none
		if l := p.peers[id]; l != nil {
			p.hangup(l, "the node is stopping", out)
		}
	}
}

func (p *Pool) hangup(l *link, why string, out *step.Effects) {
	out.Sends = append(out.Sends, step.Send{Peer: l.peer, Kind: step.Hangup})
	p.drop(l, why, false)
}

// drop forgets a connection and fails its calls.
func (p *Pool) drop(l *link, why string, broken bool) {
	delete(p.lanes, l.key)
	delete(p.peers, l.peer)
	for _, id := range l.waiting {
		p.finish(id, Result{Sent: l.open, Broken: broken, Why: why})
	}
	l.waiting = nil
}

func (p *Pool) finish(id callID, r Result) {
	c := p.calls[id]
	p.timers.Cancel(c.timer)
	delete(p.calls, id)
	p.ended = append(p.ended, ended{c, r})
}
