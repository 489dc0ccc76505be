// Package linear checks histories of one partition at a time against a sequential log, with porcupine's search for
// a linearization. It knows less than package checkers and takes longer, and it shares none of its reasoning: the
// two are run on the same histories to check each other.
//
// # The model
//
// The object is a log. An append puts a value at the end, at the offset that a read or an acknowledgement told. A
// read of [from, next) returns exactly what stands there, an end query the length of the log. Sends whose records
// were never seen may have left holes, as many as had been sent by then.
//
// # Windows
//
// The search is exponential in the number of operations that overlap, so the history is cut where nothing is under
// way, and the log's content at a cut is carried over. A window with more than Options.MaxOps operations is not
// searched; the [Report] counts it, as it counts partitions to which the model does not apply: where offsets have
// gaps, promises are weaker than durable with acks all, losses are permitted, or operations were recorded without the
// topic's id although the name has other incarnations.
//
// # Determinism
//
// porcupine searches in a goroutine of its own and hands the verdict over a channel. One partition is searched at a
// time, without a timeout, so the verdict depends on the history alone. This is why the package stands apart from
// checkers, which is free of goroutines.
package linear

import (
	"slices"
	"sort"

	"github.com/anishathalye/porcupine"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Linearizable is the property that this package judges.
const Linearizable checkers.Property = "LINEARIZABLE"

// Options bound the search. The zero value is the default.
type Options struct {
	MaxOps int // operations in a window that is searched; 0 means 14
}

// defaultMaxOps keeps a window's search to milliseconds and megabytes even when all its operations overlap: there are
// at most 2^14 sets of operations done, each with the log that it left.
const defaultMaxOps = 14

// Report says what was found, and how much was looked at.
type Report struct {
	Violations   []checkers.Violation // at most one per partition: what follows it cannot be judged
	Windows      int                  // searched
	TooLarge     int                  // windows not searched
	Skipped      int                  // operations in them, and behind a violation
	Inapplicable []history.Place      // partitions to which the model does not apply
}

// Check judges every partition of a history, in order of first appearance.
func Check(log *history.Log, opts Options) Report {
	if opts.MaxOps == 0 {
		opts.MaxOps = defaultMaxOps
	}
	var r Report
	for _, pl := range gather(log) {
		if !pl.applicable {
			r.Inapplicable = append(r.Inapplicable, pl.id)
			continue
		}
		pl.check(&r, opts)
	}
	return r
}

// op is one operation of the model. A send of several records is several appends: between them, others' appends and
// the HighWatermark may fall, since a producer may split them into batches.
type op struct {
	event      int
	call, done core.Mono
	holes      int64 // how many holes the log may have when it takes effect

	kind       kind
	at         core.Offset      // append: the value goes here
	value      history.Value    // append
	read       []history.Record // read: the log holds these
	from, next core.Offset      // read: and, if exact, nothing else in [from, next)
	exact      bool
	end        core.Offset // end query: the log has this length
}

type kind uint8

const (
	appends kind = iota
	reads
	ends
)

// check cuts a partition's operations into windows and searches each.
func (pl *place) check(r *Report, opts Options) {
	ops := pl.ops
	sort.SliceStable(ops, func(i, j int) bool { return ops[i].call < ops[j].call })
	state := content{}
	for len(ops) > 0 {
		n, quiet := 1, ops[0].done
		for n < len(ops) && ops[n].call <= quiet {
			quiet = max(quiet, ops[n].done)
			n++
		}
		window := ops[:n]
		ops = ops[n:]
		switch {
		case impossible(window):
			pl.report(r, window)
			r.Skipped += len(ops)
			return
		case n > opts.MaxOps:
			r.TooLarge++
			r.Skipped += n
		default:
			r.Windows++
			if !search(state, window) {
				pl.report(r, window)
				r.Skipped += len(ops)
				return
			}
		}
		state = state.after(window)
	}
}

// impossible reports whether an operation ended before it began: a value read before it was sent.
func impossible(window []op) bool {
	for i := range window {
		if window[i].done < window[i].call {
			return true
		}
	}
	return false
}

// report adds a violation that names the window's events.
func (pl *place) report(r *Report, window []op) {
	events := make([]int, 0, len(window))
	for _, o := range window {
		if n := len(events); n == 0 || events[n-1] != o.event {
			events = append(events, o.event)
		}
	}
	r.Violations = append(r.Violations, checkers.Violation{
		Property: Linearizable, Partition: pl.name, TopicID: pl.topic.ID, Offset: core.NoOffset, Events: events,
		Message: "no order of these operations that respects real time explains their answers by one log",
	})
}

// slot is one offset of the modelled log: a value, or a hole.
type slot struct {
	value history.Value
	known bool
}

// content is the modelled log from offset 0: what stood at the last cut, and what came since. The search goes back
// and forth between contents of one window, which share base and never change it, nor each other's tail.
type content struct {
	base  []slot
	tail  []slot
	holes int64
}

func (c content) end() core.Offset { return core.Offset(len(c.base) + len(c.tail)) }

// at is the slot of an offset within the log.
func (c content) at(o core.Offset) slot {
	if n := core.Offset(len(c.base)); o >= n {
		return c.tail[o-n]
	}
	return c.base[o]
}

// grown is the log with holes up to the offset o, or false if that takes more holes than allowed or o lies below
// the end. Holes are bounded before memory is taken.
func (c content) grown(o core.Offset, holes int64) (content, bool) {
	more := int64(o) - int64(c.end())
	if more < 0 || more > 0 && c.holes+more > holes {
		return c, false
	}
	if more > 0 {
		c.tail = append(c.tail[:len(c.tail):len(c.tail)], make([]slot, more)...)
		c.holes += more
	}
	return c, true
}

// step applies an operation; ok is false if it cannot have taken effect on this log, which includes that there are
// more holes in it than sends had begun to fill by the operation's end.
func (c content) step(o *op) (next content, ok bool) {
	if c.holes > o.holes {
		return c, false
	}
	switch o.kind {
	case appends:
		if c, ok = c.grown(o.at, o.holes); !ok {
			return c, false
		}
		c.tail = append(c.tail[:len(c.tail):len(c.tail)], slot{o.value, true})
		return c, true
	case ends:
		return c.grown(o.end, o.holes)
	default:
		return c, c.answers(o)
	}
}

// answers reports whether a read returned what stands in the log.
func (c content) answers(o *op) bool {
	for _, r := range o.read {
		if r.Offset < 0 || r.Offset >= c.end() || c.at(r.Offset) != (slot{r.Value, true}) {
			return false
		}
	}
	if !o.exact || o.from >= o.next {
		return true
	}
	return o.next <= c.end() && int64(len(o.read)) == int64(o.next-o.from)
}

// equal compares two contents of one window, as the search does to recognise what it has tried.
func (c content) equal(d content) bool { return slices.Equal(c.tail, d.tail) }

// search looks for a linearization of a window that begins with the log in state.
func search(state content, window []op) bool {
	model := porcupine.Model{
		Init: func() any { return state },
		Step: func(s, input, _ any) (bool, any) {
			next, ok := s.(content).step(input.(*op))
			return ok, next
		},
		Equal: func(a, b any) bool { return a.(content).equal(b.(content)) },
	}
	list := make([]porcupine.Operation, len(window))
	for i := range window {
		list[i] = porcupine.Operation{ClientId: i, Input: &window[i], Call: int64(window[i].call), Return: int64(window[i].done)}
	}
	return porcupine.CheckOperations(model, list)
}

// after is the log behind a window: nothing is under way there, so that every append is in it, and it is as long
// as any answer said. It takes over c's base.
func (c content) after(window []op) content {
	end := core.Offset(len(c.base))
	for i := range window {
		switch o := &window[i]; o.kind {
		case appends:
			end = max(end, o.at+1)
		case ends:
			end = max(end, o.end)
		case reads:
		}
	}
	for core.Offset(len(c.base)) < end {
		c.base = append(c.base, slot{})
		c.holes++
	}
	for i := range window {
		if o := &window[i]; o.kind == appends {
			if s := &c.base[o.at]; !s.known {
				*s = slot{o.value, true}
				c.holes--
			}
		}
	}
	return c
}
