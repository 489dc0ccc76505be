package sim

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simnet"
)

// Buggify is a place in the shell or at the edges that is unkind in a run: FoundationDB's two levels. The plan says which
// places are and how often; whether one is at a hit, its own stream of draws does. Taking one out leaves the others' luck.
type Buggify struct {
	Point    string `json:"point"`
	PerMille int64  `json:"per_mille"` // of its hits
}

// The places. What they do is within the contracts of core/step and of the network: a real machine may do it on a bad day.
const (
	bugSplitTurn    = iota // a turn takes a part of the inbox
	bugEarlyTick           // a Tick without need
	bugLateTick            // a Tick that is due comes a turn later
	bugSlowTurn            // a turn takes up to 20 ms
	bugLateDisk            // a completion comes up to 20 ms late, after those of other files
	bugLateReply           // an answer leaves up to 50 ms late, after those of other connections
	bugLateRequest         // what has arrived is read up to 50 ms late
	bugCloseAnswer         // a connection ends right behind an answer
	bugResetRequest        // a connection is reset when a request has been written: it arrives, and its answer does not
	bugSmallWindow         // a server takes one request at a time of each connection
	bugs
)

// BuggifyPoints are the names of the places.
func BuggifyPoints() []string {
	return []string{
		"node.split-turn", "node.early-tick", "node.late-tick", "node.slow-turn", "disk.late-completion",
		"net.late-reply", "net.late-request", "net.close-after-answer", "net.reset-after-request", "net.small-window",
	}
}

// bug is one enabled place of one process.
type bug struct {
	rand     *prng.Rand
	perMille int64
	fired    *int64
}

// validBuggify checks a plan's places.
func (p *Plan) validBuggify() error {
	names := BuggifyPoints()
	for _, b := range p.Buggify {
		if bugNumber(names, b.Point) < 0 || b.PerMille < 0 || b.PerMille > 1000 {
			return fmt.Errorf("plan: buggify %q at %d per mille", b.Point, b.PerMille)
		}
	}
	return nil
}

func bugNumber(names []string, point string) int {
	for i, name := range names {
		if name == point {
			return i
		}
	}
	return -1
}

// buggify gives a process its unkind places; none, and it costs a comparison with nil.
func (r *run) buggify(p *process) {
	names := BuggifyPoints()
	for _, b := range r.plan.Buggify {
		i := bugNumber(names, b.Point)
		if i < 0 {
			continue
		}
		if p.bugs == nil {
			p.bugs = new([bugs]*bug)
		}
		if r.unkind[i] == nil {
			r.unkind[i] = new(int64)
		}
		p.bugs[i] = &bug{rand: r.w.rand.Fork("buggify/"+b.Point).ForkN("proc", int64(p.id)), perMille: b.PerMille, fired: r.unkind[i]}
	}
	if p.bugs != nil && p.bugs[bugSmallWindow] != nil {
		for _, l := range p.listeners {
			l.config.Limits.InFlight = 1
		}
	}
}

// unkind asks whether a place is unkind at this hit; nil for no. The faults' end ends it, too.
func (p *process) unkind(at int) *prng.Rand {
	if p.bugs == nil || p.bugs[at] == nil || p.w.kind {
		return nil
	}
	b := p.bugs[at]
	if !b.rand.Chance(b.perMille, 1000) {
		return nil
	}
	*b.fired++
	return b.rand
}

// shell is what the process' node asks.
func (p *process) shell(at node.Unkindness, most int) int {
	place := bugSplitTurn
	switch at {
	case node.EarlyTick:
		place = bugEarlyTick
	case node.LateTick:
		place = bugLateTick
	case node.SplitTurn:
	}
	rand := p.unkind(place)
	switch {
	case place == bugSplitTurn && rand == nil:
		return most
	case place == bugSplitTurn:
		return int(rand.Between(1, int64(most)))
	case rand == nil:
		return 0
	}
	return 1
}

// later does something a while later, if the process still lives the same life.
func (p *process) later(r *prng.Rand, most core.Mono, do func()) {
	life := p.incarnation
	p.w.at(p.w.now+core.Mono(1+r.Skewed(int64(most))), func() {
		if p.up && p.incarnation == life {
			do()
		}
	})
}

// lateDisk holds a completion back. Completions of one file stay in order.
func (p *process) lateDisk(d *step.DiskDone) bool {
	const most = 20 * core.Millisecond
	if p.bugs == nil || p.bugs[bugLateDisk] == nil {
		return false
	}
	k := lateKey{d.File, d.Path}
	if d.File != 0 {
		k.path = ""
	}
	if q, ok := p.late[k]; ok {
		p.late[k] = append(q, d)
		return true
	}
	r := p.unkind(bugLateDisk)
	if r == nil {
		return false
	}
	if p.late == nil {
		p.late = make(map[lateKey][]*step.DiskDone)
	}
	p.late[k] = []*step.DiskDone{d}
	p.later(r, most, func() {
		q := p.late[k]
		delete(p.late, k)
		for _, d := range q {
			p.deliver(d)
		}
	})
	return true
}

// lateKey names what orders completions: a file, or a path without one.
type lateKey struct {
	file step.FileID
	path string
}

// lateReply holds an answer back. Those of its connection wait behind it, because answers leave in the order of requests.
func (p *process) lateReply(s *served, reply step.Reply) bool {
	const most = 50 * core.Millisecond
	r := p.unkind(bugLateReply)
	if r == nil {
		return false
	}
	var held []step.FileID
	for _, span := range reply.Spans {
		if span.Len > 0 && p.disk.Hold(span.File) {
			held = append(held, span.File)
		}
	}
	reply.Spans = append([]step.Span(nil), reply.Spans...)
	p.later(r, most, func() {
		if !s.gone {
			p.reply(s, reply)
		}
		for _, f := range held {
			p.disk.Release(f)
		}
	})
	return true
}

// lateRequest keeps what has arrived on a connection from being read. What arrives after it waits behind it.
func (p *process) lateRequest(s *served, data []byte) bool {
	const most = 50 * core.Millisecond
	if len(s.unread) > 0 {
		s.unread = append(s.unread, data...)
		return true
	}
	r := p.unkind(bugLateRequest)
	if r == nil {
		return false
	}
	s.unread = append(s.unread, data...)
	p.later(r, most, func() { p.read(s) })
	return true
}

// read feeds what a connection has kept unread.
func (p *process) read(s *served) {
	if data := s.unread; len(data) > 0 && !s.gone {
		s.unread = nil
		s.server.Feed(data)
		p.pump(s)
	}
}

// closeBehind ends a served connection right behind what was just written to it.
func (p *process) closeBehind(s *served) {
	if !s.gone && p.unkind(bugCloseAnswer) != nil {
		p.w.net.Close(p.w.now, s.conn, simnet.Acceptor)
		p.closed(s)
	}
}

// resetBehind resets a dialled connection behind a request: the request arrives, the answer does not.
func (p *process) resetBehind(d *dialed) {
	if p.unkind(bugResetRequest) != nil {
		p.w.net.Reset(p.w.now, d.conn, [2]bool{simnet.Dialer: true, simnet.Acceptor: false})
	}
}
