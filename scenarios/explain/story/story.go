package story

import (
	"fmt"
	"io"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios/explain"
)

// Options are what else may be wanted; the zero value tells what matters in about 80 lines.
type Options struct {
	explain.Filter
	Capsule string // where the run came from, "" if it was drawn
}

// defaultMost is how many events are told without a limit of the caller's: with what stands around them, about 80 lines.
const defaultMost = 48

// Write tells the story of a tape.
func Write(w io.Writer, t *explain.Tape, o Options) error {
	_, err := w.Write(Append(nil, t, o))
	return err
}

// Append appends the story of a tape.
func Append(dst []byte, t *explain.Tape, o Options) []byte {
	if o.Most == 0 && !o.All {
		o.Most = defaultMost
	}
	s := t.Subject()
	b := teller{t: t, s: &s, o: o, dst: dst}
	b.head()
	if t.Broke == explain.None {
		b.line("Every promise was kept; there is nothing to explain.")
		return b.dst
	}
	b.promise()
	b.steps()
	b.life()
	b.states()
	return b.dst
}

// teller is a story that is being written.
type teller struct {
	t   *explain.Tape
	s   *explain.Subject
	o   Options
	dst []byte
}

func (b *teller) line(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	b.dst = append(append(b.dst, text...), '\n')
}

// head says which run this was.
func (b *teller) head() {
	t := b.t
	nodes, clients := 0, 0
	for i := range t.Procs {
		if t.Procs[i].Node != core.NoNode {
			nodes++
		} else {
			clients++
		}
	}
	from := ""
	if b.o.Capsule != "" {
		from = ", from " + b.o.Capsule
	}
	b.line("Seed %d of profile %s%s: %s, %s, %s planned; %s in %s of simulated time.", t.Plan.Seed, t.Plan.Profile, from,
		explain.Count(nodes, "node"), explain.Count(clients, "client"), explain.Count(len(t.Plan.Faults), "fault"),
		explain.Count(int(t.Verdict.Result.Events), "event"), explain.Span(t.End))
}

// promise says what was demanded and what was seen.
func (b *teller) promise() {
	t := b.t
	p := explain.PromiseOf(string(t.Found.Property))
	place := ""
	if len(t.Verdict.Violations) > 0 && t.Verdict.Violations[0].Place != "" {
		place = " " + t.Verdict.Violations[0].Place
	}
	b.line("")
	b.line("%s%s is VIOLATED", p.Property, place)
	if p.Demands != "" {
		b.wrapped("  Demanded:  ", p.Demands+" ["+p.Source+"]")
	}
	b.wrapped("  Seen:      ", b.seen())
	if where := b.stack(); where != "" {
		b.wrapped("  Where:     ", where)
	}
	if n := len(t.Present); n > 1 {
		b.line("             (and %s)", explain.Count(n-1, "further violation"))
	}
}

// seen is the finding, with instants as the story writes them.
func (b *teller) seen() string {
	text := b.t.Found.Message
	if i := strings.LastIndex(text, " (at "); i >= 0 && strings.HasSuffix(text, " ns)") {
		text = text[:i]
	}
	return text
}

// mostFrames is how many functions of ours above a panic are named.
const mostFrames = 4

// stack names the functions of the core in which an invariant broke, the innermost first.
func (b *teller) stack() string {
	panics := b.t.Verdict.Result.Panics
	if len(panics) == 0 {
		return ""
	}
	var frames []string
	for line := range strings.Lines(panics[0].Stack) {
		_, name, ok := strings.Cut(line, "/klamm/core/")
		if !ok || strings.HasPrefix(line, "\t") || strings.HasPrefix(name, "invariant.") || len(frames) == mostFrames {
			continue
		}
		if i := strings.LastIndexByte(name, '('); i > 0 {
			name = name[:i]
		}
		frames = append(frames, "core/"+name)
	}
	return strings.Join(frames, " <- ")
}

// width is where long sentences are broken.
const width = 118

// wrapped writes a sentence over as many lines as it takes, under each other.
func (b *teller) wrapped(lead, text string) {
	line := lead
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width && len(line) > len(lead) {
			b.line("%s", line)
			line = strings.Repeat(" ", len(lead))
		}
		if len(line) > len(lead) {
			line += " "
		}
		line += word
	}
	b.line("%s", line)
}

// steps tells what led to the violation.
func (b *teller) steps() {
	t := b.t
	picked := t.Pick(b.s, b.o.Filter)
	past := t.Past(t.Broke, b.s.Procs)
	inPast, wide := 0, 0
	for i, in := range past {
		if in && t.Events[i].Kind != explain.Broke {
			inPast++
		}
	}
	for _, i := range picked {
		wide = max(wide, len(t.ProcName(t.Events[i].Proc)))
	}
	b.line("")
	b.line("What led to it: %s of %s in its causal past; <- is a message that arrives.", explain.Count(max(0, len(picked)-1), "event"), explain.Count(inPast, "event"))
	b.line("")
	next := 0
	for _, i := range picked {
		b.fold(past, next, i)
		b.event(i, wide)
		next = i + 1
	}
}

// event tells one event.
func (b *teller) event(i, wide int) {
	e := &b.t.Events[i]
	if e.Kind == explain.Broke {
		b.line("%13s  %-*s  %s", clock(e.At), wide, b.t.ProcName(e.Proc), "=== here "+string(b.t.Found.Property)+" is violated ===")
		return
	}
	b.line("%13s  %-*s  %s", clock(e.At), wide, b.t.ProcName(e.Proc), short(b.focus(e), width+12))
}

// focus leaves out what a message says of other partitions than the one in question.
func (b *teller) focus(e *explain.Event) string {
	name := b.t.Name(b.s.Key)
	head, items, ok := strings.Cut(e.Text, ", ")
	if e.Msg == explain.None || !b.s.About || !ok || !strings.Contains(items, "; ") || !strings.Contains(items, name) {
		return e.Text
	}
	var kept []string
	for item := range strings.SplitSeq(items, "; ") {
		if strings.Contains(item, name) {
			kept = append(kept, item)
		}
	}
	return head + ", " + strings.Join(kept, "; ") + " ..."
}

// clock is an instant in seconds, to the microsecond: what comes after it in the same turn has the same.
func clock(at core.Mono) string {
	return fmt.Sprintf("%d.%06d s", at/core.Second, at%core.Second/core.Microsecond)
}

// short cuts a text that is longer than anybody reads.
func short(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:most] + " ..."
}

// foldFrom is how many events must be left out for a line to say so.
const foldFrom = 150

// fold says what is left out between two events.
func (b *teller) fold(past []bool, from, to int) {
	if b.o.All {
		return
	}
	var groups []group
	n := 0
	for i := from; i < to; i++ {
		if !past[i] {
			continue
		}
		n++
		name := b.class(i)
		if name == "" {
			continue
		}
		groups = counted(groups, name)
	}
	if n < foldFrom {
		return
	}
	b.line("%13s  ... %s", "", listed(groups))
}
