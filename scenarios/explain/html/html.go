// Package html writes a recorded run as one page that needs nothing else: a space-time diagram with a lane per process,
// messages as arrows, faults as bands, what each node held at the instant under the pointer, the story, and a search.
//
// The page draws only what is in view, and at most one thing per pixel and lane, so that 100,000 events move without
// stutter. Its script and style stand in page.html, written by hand; [Write] puts the tape's data into it as JSON.
//
// It has no state.
package html

import (
	_ "embed" // the page
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios/explain"
)

//go:embed page.html
var page string

// data is the tape as the page wants it: columns, and texts by their number, because most of them repeat.
type data struct {
	Title    string   `json:"title"`
	Property string   `json:"property"`
	Place    string   `json:"place"`
	Demands  string   `json:"demands"`
	Source   string   `json:"source"`
	Seen     string   `json:"seen"`
	End      int64    `json:"end"`
	Broke    int      `json:"broke"`
	Subject  int      `json:"subject"` // number of the partition's name; -1 for none
	Procs    []proc   `json:"procs"`
	Kinds    []string `json:"kinds"`
	Texts    []string `json:"texts"`

	// events
	At    []int64 `json:"at"`
	Kind  []int   `json:"kind"`
	Proc  []int   `json:"proc"`
	Text  []int   `json:"text"`
	Msg   []int   `json:"msg"`
	State []int   `json:"state"`
	Bad   []int   `json:"bad"`    // numbers of events
	Past  string  `json:"past"`   // '1' per event of the causal past
	Story []int   `json:"story"`  // numbers of events
	Fault []band  `json:"faults"` // bands
	Sent  []int   `json:"sent"`   // messages: events, -1 for what never arrived
	Got   []int   `json:"got"`
	From  []int   `json:"from"`
	To    []int   `json:"to"`
	Class []int   `json:"class"` // bits: 1 answer, 2 error, 4 idle, 8 about the subject
	Holds []holds `json:"states"`
}

type proc struct {
	Name string `json:"name"`
	Node bool   `json:"node"`
}

// band is a stretch of time on a lane.
type band struct {
	Proc int    `json:"p"`
	From int64  `json:"a"`
	To   int64  `json:"b"`
	Text string `json:"t"`
}

// holds is what a node has of a partition; its fields are in the order in which the page shows them.
type holds struct {
	Name    int    `json:"n"`
	Role    string `json:"r"`
	Epoch   int32  `json:"e"`
	Start   int64  `json:"s"`
	End     int64  `json:"l"`
	Durable int64  `json:"d"`
	HW      int64  `json:"h"`
	ISR     string `json:"i"`
}

// mostStory is how many steps the story beside the picture has.
const mostStory = 150

// Write writes a tape as one page.
func Write(w io.Writer, t *explain.Tape) error {
	b, err := json.Marshal(collect(t)) // it escapes <, > and &, so that no text can end the script
	if err != nil {
		return err
	}
	head, tail, ok := strings.Cut(page, "/*DATA*/null")
	if !ok {
		return fmt.Errorf("html: the page has no place for its data")
	}
	for _, part := range []string{head, string(b), tail} {
		if _, err := io.WriteString(w, part); err != nil {
			return err
		}
	}
	return nil
}

// collector numbers texts.
type collector struct {
	d     data
	texts map[string]int
}

func (c *collector) text(s string) int {
	if n, ok := c.texts[s]; ok {
		return n
	}
	n := len(c.d.Texts)
	c.d.Texts = append(c.d.Texts, s)
	c.texts[s] = n
	return n
}

func collect(t *explain.Tape) *data {
	c := collector{texts: make(map[string]int)}
	d := &c.d
	s := t.Subject()
	promise := explain.PromiseOf(string(t.Found.Property))
	d.Title = fmt.Sprintf("seed %d, profile %s", t.Plan.Seed, t.Plan.Profile)
	d.Property, d.Demands, d.Source, d.Seen = promise.Property, promise.Demands, promise.Source, t.Found.Message
	if len(t.Verdict.Violations) > 0 {
		d.Place = t.Verdict.Violations[0].Place
	}
	d.End, d.Broke, d.Subject = int64(t.End), t.Broke, -1
	if s.About {
		d.Subject = c.text(t.Name(s.Key))
	}
	for i := range t.Procs {
		d.Procs = append(d.Procs, proc{t.Procs[i].Name, t.Procs[i].Node != core.NoNode})
	}
	for k := range explain.Broke + 1 {
		d.Kinds = append(d.Kinds, k.String())
	}
	c.events(t, &s)
	c.messages(t, &s)
	c.states(t)
	d.Fault = bands(t)
	return d
}

func (c *collector) events(t *explain.Tape, s *explain.Subject) {
	d := &c.d
	d.Bad, d.Story = []int{}, []int{}
	for i := range t.Events {
		e := &t.Events[i]
		d.At = append(d.At, int64(e.At))
		d.Kind = append(d.Kind, int(e.Kind))
		d.Proc = append(d.Proc, int(e.Proc))
		d.Text = append(d.Text, c.text(e.Text))
		d.Msg = append(d.Msg, int(e.Msg))
		d.State = append(d.State, int(e.State))
		if e.Bad {
			d.Bad = append(d.Bad, i)
		}
	}
	if t.Broke == explain.None {
		return
	}
	past := make([]byte, len(t.Events))
	for i, in := range t.Past(t.Broke, s.Procs) {
		past[i] = '0'
		if in {
			past[i] = '1'
		}
	}
	d.Past = string(past)
	d.Story = append(d.Story, t.Pick(s, explain.Filter{Most: mostStory})...)
}

func (c *collector) messages(t *explain.Tape, s *explain.Subject) {
	d := &c.d
	for i := range t.Messages {
		m := &t.Messages[i]
		class := 0
		for bit, yes := range []bool{m.IsResponse, m.Error != core.ErrNone, m.Idle, s.About && aboutKey(t, m, s.Key)} {
			if yes {
				class |= 1 << bit
			}
		}
		d.Sent, d.Got = append(d.Sent, int(m.Sent)), append(d.Got, int(m.Arrived))
		d.From, d.To, d.Class = append(d.From, int(m.From)), append(d.To, int(m.To)), append(d.Class, class)
	}
}

func aboutKey(t *explain.Tape, m *explain.Message, k history.Key) bool {
	_, ok := t.PartOf(m, k)
	return ok
}

func (c *collector) states(t *explain.Tape) {
	for i := range t.States {
		x := &t.States[i]
		h := holds{Name: c.text(t.Name(x.Key)), Role: x.Role, Epoch: int32(x.Epoch), Start: int64(x.Start), End: int64(x.End),
			Durable: int64(x.Durable), HW: int64(x.HW)}
		if x.ISR != nil {
			h.ISR = fmt.Sprint(x.ISR)
		}
		if x.Proposed != nil {
			h.ISR += fmt.Sprintf(" (proposed %v)", x.Proposed)
		}
		c.d.Holds = append(c.d.Holds, h)
	}
}

// bands are the faults that last, and the times in which a process was down.
func bands(t *explain.Tape) []band {
	out := []band{}
	down := make([]int64, len(t.Procs))
	up := make([]bool, len(t.Procs))
	ends := make(map[int32]int64)
	for i := range t.Events {
		if e := &t.Events[i]; e.Kind == explain.FaultEnded {
			ends[e.Fault] = int64(e.At)
		}
	}
	for i := range t.Events {
		e := &t.Events[i]
		switch e.Kind {
		case explain.Started:
			if !up[e.Proc] && int64(e.At) > down[e.Proc] {
				out = append(out, band{int(e.Proc), down[e.Proc], int64(e.At), "down"})
			}
			up[e.Proc] = true
		case explain.Crashed:
			up[e.Proc], down[e.Proc] = false, int64(e.At)
		case explain.FaultBegan:
			end, lasts := ends[e.Fault]
			if !lasts && e.Fault != explain.None {
				end = min(int64(t.Plan.Faults[e.Fault].Until), int64(t.End))
			}
			if end > int64(e.At) && !t.EndsByCrash(e) {
				out = append(out, band{int(e.Proc), int64(e.At), end, e.Text})
			}
		default:
		}
	}
	for i := range t.Procs {
		if !up[i] {
			out = append(out, band{i, down[i], int64(t.End), "down"})
		}
	}
	return out
}
