package story

import (
	"fmt"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios/explain"
)

// mostLife is how many steps of an offset's life are told.
const mostLife = 14

// life tells what became of the offset in question: who wrote it, who copied it, when it counted as committed, who was
// told, who cut it.
func (b *teller) life() {
	t, s := b.t, b.s
	if !s.About || s.Offset == core.NoOffset || s.Members { // of a group's offset the member's steps tell
		return
	}
	var steps []int
	for i := range t.Broke {
		if e := &t.Events[i]; t.Of(s, e) && e.Msg == explain.None && s.Covers(e.From, e.To) && (e.Kind != explain.Recovered || e.Bad) {
			steps = append(steps, i)
		}
	}
	b.line("")
	if len(steps) == 0 {
		b.line("Offset %d of %s was never written, and nobody was told of it.", s.Offset, t.Name(s.Key))
		return
	}
	b.line("The life of offset %d of %s:", s.Offset, t.Name(s.Key))
	skip := max(0, len(steps)-mostLife)
	for n, i := range steps {
		if n == 1 && skip > 0 {
			b.line("%13s  ... %s", "", explain.Count(skip, "more step"))
		}
		if n > 0 && n <= skip {
			continue
		}
		e := &t.Events[i]
		b.line("%13s  %s %s", clock(e.At), t.ProcName(e.Proc), short(e.Text, width))
	}
}

// states is what each node held when the promise was broken.
func (b *teller) states() {
	t, s := b.t, b.s
	if !s.About {
		return
	}
	rows := [][]string{{"NODE", "ROLE", "EPOCH", "LOG", "ON DISK", "HW", "ISR", b.around()}}
	for i := range t.Procs {
		if t.Procs[i].Node != core.NoNode && b.everHeld(int32(i)) {
			rows = append(rows, b.row(int32(i)))
		}
	}
	if len(rows) == 1 {
		return
	}
	b.line("")
	b.line("%s at that moment:", t.Name(s.Key))
	if e := b.committed(); e != nil {
		b.line("  %s (seen at %s)", e.Text, clock(e.At))
	}
	b.table(rows)
}

// around is the headline of the batch that holds the offset in question.
func (b *teller) around() string {
	if b.s.Offset == core.NoOffset {
		return "LAST BATCH"
	}
	return fmt.Sprintf("AT OFFSET %d", b.s.Offset)
}

func (b *teller) everHeld(proc int32) bool {
	for i := range b.t.States {
		if x := &b.t.States[i]; x.Proc == proc && x.Key == b.s.Key {
			return true
		}
	}
	return false
}

// committed is the newest committed state of the partition.
func (b *teller) committed() *explain.Event {
	for i := b.t.Broke; i >= 0; i-- {
		if e := &b.t.Events[i]; e.Kind == explain.Committed && e.Key == b.s.Key {
			return e
		}
	}
	return nil
}

func (b *teller) row(proc int32) []string {
	t := b.t
	x := t.StateAt(t.Broke, proc, b.s.Key)
	if x == nil {
		return []string{t.ProcName(proc), "down", "", "", "", "", "", b.batch(proc)}
	}
	role := x.Role
	if role == "" {
		role = "not ready"
	}
	isr := ""
	if x.ISR != nil {
		isr = fmt.Sprint(x.ISR)
		if x.Proposed != nil {
			isr += fmt.Sprintf(", proposed %v", x.Proposed)
		}
	}
	return []string{t.ProcName(proc), role, fmt.Sprint(x.Epoch), fmt.Sprintf("[%d, %d)", x.Start, x.End), known(x.Durable), known(x.HW), isr, b.batch(proc)}
}

func known(o core.Offset) string {
	if o == core.NoOffset {
		return "?"
	}
	return fmt.Sprint(o)
}

// batch is what a node's log has where the offset in question is, or last.
func (b *teller) batch(proc int32) string {
	log := b.t.Stored(proc, b.s.Key)
	if !b.t.Plan.IsCluster() {
		return ""
	}
	show := func(x history.Stored) string {
		return fmt.Sprintf("%s of epoch %d, checksum %08x", span(x.Base, x.Last), x.Epoch, x.CRC)
	}
	if b.s.Offset == core.NoOffset {
		if len(log) == 0 {
			return "none"
		}
		return show(log[len(log)-1])
	}
	for _, x := range log {
		if x.Base <= b.s.Offset && b.s.Offset <= x.Last {
			return show(x)
		}
	}
	return "nothing"
}

func span(from, to core.Offset) string {
	if from == to {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d..%d", from, to)
}

// table writes rows in columns.
func (b *teller) table(rows [][]string) {
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], len(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "  %-*s", wide[i], cell)
		}
		b.line("%s", line.String())
	}
}
