// Package perfetto writes a recorded run as JSON trace events, which ui.perfetto.dev and chrome://tracing open.
//
// Each process of the run is a process of the trace, with one track for its messages, one for its state and one for its
// disk. A message is a flow from the slice of its sending to that of its arrival. What overlaps with its like is an asynchronous
// slice, since those of a track have to nest: a request until its answer, an operation of a client, a fault. Log ends and
// HighWatermarks are counters. Instants are microseconds of simulated time.
//
// The format is the Trace Event Format document's; flows are those bound to slices by bind_id.
package perfetto

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios/explain"
)

// Tracks of a process.
const (
	trackMessages = iota + 1
	trackState
	trackDisk
)

// event is one trace event. Its instants are numbers with three decimals, written as text so that no float rounds them.
type event struct {
	Phase   string         `json:"ph"`
	Pid     int            `json:"pid"`
	Tid     int            `json:"tid"`
	Name    string         `json:"name"`
	Cat     string         `json:"cat,omitempty"`
	TS      json.Number    `json:"ts,omitempty"`
	Dur     json.Number    `json:"dur,omitempty"`
	ID      string         `json:"id,omitempty"`
	BindID  string         `json:"bind_id,omitempty"`
	FlowIn  bool           `json:"flow_in,omitempty"`
	FlowOut bool           `json:"flow_out,omitempty"`
	Scope   string         `json:"s,omitempty"`
	Args    map[string]any `json:"args,omitempty"`
}

// Write writes a tape.
func Write(w io.Writer, t *explain.Tape) error {
	p := writer{w: w, t: t}
	p.raw(`{"displayTimeUnit":"ns","otherData":{"seed":"` + fmt.Sprint(t.Plan.Seed) + `"},"traceEvents":[` + "\n")
	p.names()
	for i := range t.Events {
		p.event(&t.Events[i], i)
	}
	p.calls()
	p.raw("\n]}\n")
	return p.err
}

type writer struct {
	w    io.Writer
	t    *explain.Tape
	some bool // an event was written
	err  error
}

func (p *writer) raw(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

func (p *writer) put(e event) {
	if p.err != nil {
		return
	}
	b, err := json.Marshal(e)
	if err != nil {
		p.err = err
		return
	}
	if p.some {
		p.raw(",\n")
	}
	p.some = true
	p.raw(string(b))
}

// pid is a process' number in the trace; 0 is not allowed, and the world is the last.
func (p *writer) pid(proc int32) int {
	if proc == explain.None {
		return len(p.t.Procs) + 1
	}
	return int(proc) + 1
}

// micros is an instant or a length in microseconds.
func micros(at core.Mono) json.Number { return json.Number(fmt.Sprintf("%d.%03d", at/1000, at%1000)) }

// names gives processes and tracks their names, and their order.
func (p *writer) names() {
	for i := int32(0); i <= int32(len(p.t.Procs)); i++ {
		proc := i
		name := "world"
		if int(i) == len(p.t.Procs) {
			proc = explain.None
		} else {
			name = p.t.Procs[i].Name
		}
		p.put(event{Phase: "M", Pid: p.pid(proc), Name: "process_name", Args: map[string]any{"name": name}})
		p.put(event{Phase: "M", Pid: p.pid(proc), Name: "process_sort_index", Args: map[string]any{"sort_index": i}})
		for track := trackMessages; track <= trackDisk; track++ {
			p.put(event{Phase: "M", Pid: p.pid(proc), Tid: track, Name: "thread_name", Args: map[string]any{"name": trackName(track)}})
		}
	}
}

func trackName(track int) string {
	return []string{"", "messages", "state", "disk"}[track]
}

// event writes one event of the tape.
func (p *writer) event(e *explain.Event, at int) {
	switch e.Kind {
	case explain.Sent, explain.Arrived:
		p.message(e, at)
	case explain.FaultBegan, explain.FaultEnded:
		p.fault(e)
	case explain.Op:
		x := event{Pid: p.pid(e.Proc), Tid: trackMessages, Name: e.Text, Cat: e.Kind.String(), ID: fmt.Sprintf("o%d", at)}
		p.span(&x, e.Begin, max(e.Begin+1, e.At))
	case explain.Disk:
		p.instant(e, trackDisk)
	default:
		p.instant(e, trackState)
		p.counters(e)
	}
}

func (p *writer) instant(e *explain.Event, track int) {
	scope := "t"
	if e.Kind == explain.Broke || e.Kind == explain.Phase {
		scope = "g"
	}
	p.put(event{Phase: "i", Pid: p.pid(e.Proc), Tid: track, Name: e.Text, TS: micros(e.At), Scope: scope, Cat: e.Kind.String()})
}

// message writes one end of a message: a slice that the flow is bound to.
func (p *writer) message(e *explain.Event, at int) {
	m := &p.t.Messages[e.Msg]
	x := event{
		Phase: "X", Pid: p.pid(e.Proc), Tid: trackMessages, Name: e.Text, TS: micros(e.At), Dur: micros(p.room(e, at)), Cat: "message",
		Args: map[string]any{"api": m.Name(), "version": m.Version, "correlation": m.Corr, "bytes": m.Size, "connection": m.Conn},
	}
	if m.Arrived != explain.None {
		x.BindID = fmt.Sprintf("0x%x", e.Msg+1)
		x.FlowOut, x.FlowIn = e.Kind == explain.Sent, e.Kind == explain.Arrived
	}
	p.put(x)
}

// slice is how long the slice of a message is if nothing follows it.
const slice = core.Microsecond

// room is how long an event's slice can be without running into the next one of its track.
func (p *writer) room(e *explain.Event, at int) core.Mono {
	for i := at + 1; i < len(p.t.Events); i++ {
		next := &p.t.Events[i]
		if next.At-e.At >= slice {
			break
		}
		if next.Proc == e.Proc && next.Msg != explain.None && next.At > e.At {
			return next.At - e.At
		}
	}
	return slice
}

// fault writes the begin or the end of a fault; what ends by itself has the end that the plan says.
func (p *writer) fault(e *explain.Event) {
	phase := "b"
	if e.Kind == explain.FaultEnded {
		phase = "e"
	}
	x := event{Phase: phase, Pid: p.pid(e.Proc), Tid: trackState, Name: e.Text, Cat: "fault", ID: fmt.Sprintf("f%d", e.Fault), TS: micros(e.At)}
	p.put(x)
	if phase == "b" && e.Fault != explain.None && p.t.Plan.Faults[e.Fault].Until <= e.At {
		x.Phase = "e"
		p.put(x)
	}
}

// counters writes where a log ends and what is committed of it.
func (p *writer) counters(e *explain.Event) {
	if e.State == explain.None {
		return
	}
	s := &p.t.States[e.State]
	p.put(event{Phase: "C", Pid: p.pid(e.Proc), Name: p.t.Name(s.Key), TS: micros(e.At),
		Args: map[string]any{"LogEndOffset": s.End, "HighWatermark": max(0, s.HW)}})
}

// calls writes the time from each request to its answer.
func (p *writer) calls() {
	t := p.t
	for i := range t.Messages {
		m := &t.Messages[i]
		if m.Answers == explain.None || m.Arrived == explain.None {
			continue
		}
		q := &t.Messages[m.Answers]
		x := event{Pid: p.pid(q.From), Tid: trackMessages, Name: q.Name() + " at " + t.ProcName(q.To), Cat: "call", ID: fmt.Sprintf("c%d", i)}
		p.span(&x, t.Events[q.Sent].At, t.Events[m.Arrived].At)
	}
}

// span writes an asynchronous slice.
func (p *writer) span(x *event, from, to core.Mono) {
	x.Phase, x.TS = "b", micros(from)
	p.put(*x)
	x.Phase, x.TS = "e", micros(to)
	p.put(*x)
}
