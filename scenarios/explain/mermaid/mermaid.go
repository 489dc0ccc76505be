// Package mermaid writes the part of a recorded run that matters as a Mermaid sequence diagram: processes as
// participants, messages as arrows, what changed as notes. It is meant for runs that have been shrunk; a diagram of more than
// [Most] messages is refused, because nobody could read it and most renderers give up.
//
// It has no state.
package mermaid

import (
	"fmt"
	"io"
	"strings"

	"github.com/klamm-log/klamm/scenarios/explain"
)

// Most is how many messages a diagram may have.
const Most = 300

// TooManyError says that a run is too large for a diagram.
type TooManyError struct{ Messages int }

// Error makes the value an error.
func (e TooManyError) Error() string {
	return fmt.Sprintf("a sequence diagram of %d messages is more than anybody reads (at most %d): shrink the capsule, or narrow it with --events, --around, --node or --topic",
		e.Messages, Most)
}

// Write writes the diagram of the events that a filter picks. The error is a [TooManyError], or the writer's.
func Write(w io.Writer, t *explain.Tape, f explain.Filter) error {
	s := t.Subject()
	events := t.Pick(&s, f)
	d := diagram{t: t}
	messages := 0
	for _, i := range events {
		if e := &t.Events[i]; d.isArrow(e) {
			messages++
		}
	}
	if messages > Most {
		return TooManyError{messages}
	}
	d.line("sequenceDiagram")
	d.line("  autonumber")
	d.participants(events)
	for _, i := range events {
		d.event(&t.Events[i])
	}
	_, err := io.WriteString(w, d.out.String())
	return err
}

// diagram is one that is being written.
type diagram struct {
	t     *explain.Tape
	out   strings.Builder
	first string // some participant, for notes about the world
}

func (d *diagram) line(format string, args ...any) { fmt.Fprintf(&d.out, format+"\n", args...) }

// participants declares who takes part, in the order of the lanes.
func (d *diagram) participants(events []int) {
	here := make([]bool, len(d.t.Procs))
	for _, i := range events {
		e := &d.t.Events[i]
		if e.Proc != explain.None {
			here[e.Proc] = true
		}
		if e.Msg != explain.None {
			here[d.t.Messages[e.Msg].From], here[d.t.Messages[e.Msg].To] = true, true
		}
	}
	for i, yes := range here {
		if yes {
			d.line("  participant %s", d.t.Procs[i].Name)
			if d.first == "" {
				d.first = d.t.Procs[i].Name
			}
		}
	}
}

// isArrow tells messages that arrive, and those that never will.
func (d *diagram) isArrow(e *explain.Event) bool {
	return e.Kind == explain.Arrived || e.Kind == explain.Sent && d.t.Messages[e.Msg].Arrived == explain.None
}

func (d *diagram) event(e *explain.Event) {
	switch {
	case d.isArrow(e):
		m := &d.t.Messages[e.Msg]
		arrow, what := "->>", m.Name()
		if m.IsResponse {
			arrow, what = "-->>", what+" answer"
		}
		if e.Kind == explain.Sent {
			arrow = "-x"
		}
		d.line("  %s%s%s: %s %s", d.t.ProcName(m.From), arrow, d.t.ProcName(m.To), what, plain(m.Text))
	case e.Kind == explain.Sent:
	case d.first == "":
	case e.Proc == explain.None:
		d.line("  Note over %s: %s", d.first, plain(e.Text))
	default:
		d.line("  Note over %s: %s %s", d.t.ProcName(e.Proc), stamp(e), plain(e.Text))
	}
}

// stamp is an instant in milliseconds.
func stamp(e *explain.Event) string {
	return fmt.Sprintf("%d.%03d ms", e.At/1_000_000, e.At%1_000_000/1000)
}

// mostText is how long a label may be.
const mostText = 160

// plain takes out what Mermaid would take for its own: statements end at ';', and '#' begins an entity.
func plain(text string) string {
	text = strings.NewReplacer(";", ",", "#", "", "<-", "from", "->", "to", "\n", " ", "{", "(", "}", ")").Replace(text)
	if len(text) > mostText {
		text = text[:mostText] + " ..."
	}
	return text
}
