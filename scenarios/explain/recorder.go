package explain

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire/facts"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simnet"
)

// Record repeats a plan's run and makes a tape of it.
func Record(plan sim.Plan) *Tape {
	r := &recorder{
		t:     &Tape{Plan: plan, Broke: None, logs: make(map[replicaKey]*[]history.Stored)},
		names: make(map[core.TopicID]string), streams: make(map[simnet.Conn]*[2]stream),
		cur: make(map[replicaKey]*State), turn: None, calls: make(map[simnet.Conn][]int32),
	}
	for i, name := range plan.Processes() {
		p := Proc{Name: name, Node: core.NoNode}
		if i < len(plan.Brokers) {
			p.Node = core.NodeID(i + 1)
		} else {
			p.Client = plan.Clients[i-len(plan.Brokers)].ID
		}
		r.t.Procs = append(r.t.Procs, p)
	}
	r.name(core.MetadataTopicID, "__cluster_metadata")
	r.t.Verdict = scenarios.RunWatched(plan, r)
	r.finish()
	return r.t
}

// recorder is a [scenarios.Watcher] that writes a tape. Its state is what it needs to tell changes alone.
type recorder struct {
	t       *Tape
	names   map[core.TopicID]string
	streams map[simnet.Conn]*[2]stream // by the side that sends
	calls   map[simnet.Conn][]int32    // requests that wait for their response
	cur     map[replicaKey]*State
	turn    int32 // whose turn it is
	marks   []int // where in the raw events a turn ended
	done    bool  // the violation was seen, what follows is noise
}

// stream is one direction of a connection: frames are cut out of what is sent, and arrive when their last byte does.
type stream struct {
	rest         []byte // sent, and not yet a frame
	sent, got    int64  // bytes
	flying       []flight
	beyondRepair bool // the bytes are no frames
}

// flight is a message that is under way: it has arrived when so many bytes of the stream have.
type flight struct {
	msg int32
	end int64
}

// add appends a raw event and returns its index.
func (r *recorder) add(e Event) int32 {
	r.t.Events = append(r.t.Events, e)
	return int32(len(r.t.Events) - 1)
}

// plain is an event about nothing in particular.
func plain(at core.Mono, kind Kind, proc int32, text string) Event {
	return Event{At: at, Begin: at, Kind: kind, Proc: proc, Msg: None, State: None, Fault: None, From: core.NoOffset, To: core.NoOffset, Text: text}
}

// about makes an event one about a partition.
func (e Event) about(k history.Key, from, to core.Offset) Event {
	e.About, e.Key, e.From, e.To = true, k, from, to
	return e
}

// Event implements [scenarios.Watcher].
func (r *recorder) Event(ev sim.TraceEvent) {
	if r.done {
		return
	}
	proc := int32(ev.Proc)
	switch ev.Kind {
	case sim.TraceTurn:
		r.turn = proc
		r.marks = append(r.marks, len(r.t.Events))
	case sim.TraceSent:
		r.sent(&ev)
	case sim.TraceNet:
		r.arrived(&ev)
	case sim.TraceDisk:
		text := wordOf(diskWords, int(ev.Disk.Kind)) + " " + ev.Disk.Path
		if ev.Disk.Len > 0 {
			text += fmt.Sprintf(", %d bytes at %d", ev.Disk.Len, ev.Disk.Pos)
		}
		e := plain(ev.At, Disk, proc, text)
		if ev.Disk.Err > step.ErrNotExist { // what is not there is how a new disk looks
			e.Bad = true
			e.Text += fmt.Sprintf(": %v", ev.Disk.Err)
		}
		r.add(e)
	case sim.TraceFault:
		e := plain(ev.At, FaultBegan, proc, faultText(ev.Fault, r.t.Procs))
		if ev.B == 0 {
			e.Kind, e.Text = FaultEnded, "over: "+e.Text
		}
		e.Fault = int32(slices.IndexFunc(r.t.Plan.Faults, func(f sim.Fault) bool { return f.ID == ev.Fault.ID }))
		r.add(e)
	case sim.TraceStart:
		text := "starts"
		if ev.A > 1 {
			text = fmt.Sprintf("starts again (incarnation %d)", ev.A)
		}
		r.add(plain(ev.At, Started, proc, text))
	case sim.TraceCrash:
		r.crashed(&ev)
	case sim.TracePoint:
		r.add(plain(ev.At, Point, proc, ev.Text))
	case sim.TraceHalt:
		r.add(plain(ev.At, Halted, proc, "ends itself: "+ev.Text))
	case sim.TracePanic:
		what, _, _ := strings.Cut(ev.Text, "\n")
		e := plain(ev.At, Panicked, proc, what)
		e.Bad = true
		r.add(e)
		r.broke(ev.At, proc)
	case sim.TraceHealed:
		r.add(plain(ev.At, Phase, None, "every fault is over; what is down is started"))
	default: // clients' operations come from the history
	}
}

// diskWords are the operations of a disk in the order of step.DiskOpKind.
const diskWords = "? open close append sync read truncate rename remove mkdir remove-dir sync-dir list"

func (r *recorder) crashed(ev *sim.TraceEvent) {
	proc := int32(ev.Proc)
	text := "its process dies; what the page cache holds stays"
	if ev.B == 1 {
		text = "loses its power; what was not synced may be gone"
	}
	if r.t.Procs[proc].Node == core.NoNode {
		text = "its process dies"
	}
	for k := range r.cur { //det:unordered each is deleted or kept by itself
		if k.proc == proc {
			delete(r.cur, k)
		}
	}
	r.add(plain(ev.At, Crashed, proc, text))
}

// broke notes the moment of the violation. What follows it is noise.
func (r *recorder) broke(at core.Mono, proc int32) {
	if r.done {
		return
	}
	r.done = true
	r.t.Broke = int(r.add(plain(at, Broke, proc, "")))
}

// Violated implements [scenarios.Watcher].
func (r *recorder) Violated(at core.Mono, _ checkers.Violation) { r.broke(at, r.turn) }

// sent cuts frames out of what a side sends.
func (r *recorder) sent(ev *sim.TraceEvent) {
	s := r.stream(ev.Net.Conn, ev.Net.Side)
	s.rest = append(s.rest, ev.Net.Bytes...)
	s.sent += int64(len(ev.Net.Bytes))
	for len(s.rest) >= 4 && !s.beyondRepair {
		size := int64(int32(binary.BigEndian.Uint32(s.rest)))
		if size < 4 {
			s.beyondRepair = true
			return
		}
		if int64(len(s.rest)) < 4+size {
			return
		}
		frame := slices.Clone(s.rest[4 : 4+size]) // what is decoded points into it
		s.rest = s.rest[4+size:]
		r.message(ev, s, frame)
	}
}

func (r *recorder) stream(c simnet.Conn, from simnet.Side) *stream {
	both := r.streams[c]
	if both == nil {
		both = &[2]stream{}
		r.streams[c] = both
	}
	return &both[from]
}

// message notes one frame that was sent.
func (r *recorder) message(ev *sim.TraceEvent, s *stream, frame []byte) {
	m := Message{Conn: ev.Net.Conn, From: int32(ev.Net.Hosts[ev.Net.Side]), To: int32(ev.Net.Hosts[ev.Net.Side.Other()]),
		Arrived: None, Answers: None, Size: int64(len(frame) + 4)}
	id := int32(len(r.t.Messages))
	var err error
	if ev.Net.Side == simnet.Dialer {
		m.Message, err = facts.Request(frame)
		r.calls[m.Conn] = append(r.calls[m.Conn], id)
	} else {
		m.Answers = r.answered(m.Conn, int32(binary.BigEndian.Uint32(frame)))
		if m.Answers == None {
			return
		}
		q := &r.t.Messages[m.Answers]
		m.Message, err = facts.Response(q.Key, q.Version, frame)
	}
	if err != nil {
		m.Text = err.Error()
	}
	e := plain(ev.At, Sent, m.From, "")
	e.Msg, e.Bad = id, m.Error != core.ErrNone
	m.Sent = r.add(e)
	r.t.Messages = append(r.t.Messages, m)
	s.flying = append(s.flying, flight{id, s.sent - int64(len(s.rest))})
}

// answered takes the request with a correlation id off those that wait.
func (r *recorder) answered(c simnet.Conn, corr int32) int32 {
	list := r.calls[c]
	i := slices.IndexFunc(list, func(m int32) bool { return r.t.Messages[m].Corr == corr })
	if i < 0 {
		return None
	}
	m := list[i]
	r.calls[c] = slices.Delete(list, i, i+1)
	return m
}

// arrived notes what reached one end of a connection.
func (r *recorder) arrived(ev *sim.TraceEvent) {
	p := Packet{At: ev.At, Net: ev.Net, Proc: int32(ev.Proc), Event: None}
	p.Net.Bytes = slices.Clone(ev.Net.Bytes)
	peer := r.t.ProcName(int32(ev.Net.Hosts[ev.Net.Side.Other()]))
	switch ev.Net.Kind {
	case simnet.Opened:
		text := "is connected to " + peer + " at " + ev.Net.Addr
		if ev.Net.Side == simnet.Acceptor {
			text = "accepts a connection of " + peer + " at " + ev.Net.Addr
		}
		p.Event = r.add(plain(ev.At, Opened, p.Proc, text))
	case simnet.Closed:
		e := plain(ev.At, Closed, p.Proc, fmt.Sprintf("its connection with %s is over: %s", r.peerName(&ev.Net), ev.Net.Why))
		p.Event = r.add(e)
	case simnet.Data:
		r.landed(ev)
	}
	r.t.Packets = append(r.t.Packets, p)
}

// peerName is who is at the other end; of a dial that nobody took, whom it was for.
func (r *recorder) peerName(n *sim.TraceNetwork) string {
	if n.Hosts[0] == n.Hosts[1] {
		return n.Addr
	}
	return r.t.ProcName(int32(n.Hosts[n.Side.Other()]))
}

// landed notes the messages whose last byte has come.
func (r *recorder) landed(ev *sim.TraceEvent) {
	s := r.stream(ev.Net.Conn, ev.Net.Side.Other())
	s.got += int64(len(ev.Net.Bytes))
	for len(s.flying) > 0 && s.flying[0].end <= s.got {
		m := &r.t.Messages[s.flying[0].msg]
		e := plain(ev.At, Arrived, m.To, r.own(m))
		e.Msg, e.Bad = s.flying[0].msg, m.Error != core.ErrNone
		m.Arrived = r.add(e)
		s.flying = s.flying[1:]
	}
}

// keyVote is the key of Vote (KIP-595).
const keyVote = 52

// own is what its receiver will hold against a vote that it is asked for: the end of its own log.
func (r *recorder) own(m *Message) string {
	k := history.Key{TopicID: core.MetadataTopicID}
	if m.Key != keyVote || m.IsResponse {
		return ""
	}
	s := r.cur[replicaKey{m.To, k}]
	if s == nil {
		return ""
	}
	epoch := core.LeaderEpoch(0)
	if log := r.t.Stored(m.To, k); len(log) > 0 {
		epoch = log[len(log)-1].Epoch
	}
	return fmt.Sprintf(" (its own ends at %d with epoch %d)", s.End, epoch)
}
