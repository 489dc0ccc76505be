package group

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// The properties of consumer groups, see the package comment.
const (
	OneOwner      checkers.Property = "G-ONE-OWNER"
	CommitFenced  checkers.Property = "G-COMMIT-FENCED"
	CommitDurable checkers.Property = "G-COMMIT-DURABLE"
	CommitMono    checkers.Property = "G-COMMIT-MONO"
	NoLaggard     checkers.Property = "G-NO-LAGGARD"
	AtLeastOnce   checkers.Property = "AT-LEAST-ONCE"
	Stable        checkers.Property = "L-GROUP-STABLE"
)

// keep bounds the findings of one property.
const keep = 10

// key is one partition of one group.
type key struct {
	group int32
	place history.Place
}

// part is what is known of a partition of a group.
type part struct {
	key
	holders  []holder // now, in the order of claiming
	doubles  []double
	claims   []claim                  // all, in order
	marks    map[history.Process]mark // of those who hold it
	covered  []extent                 // of what was processed, disjoint and sorted
	prefix   []reached
	writes   []write
	reads    []read
	unstable bool // reported as without one owner
}

// holder is a member that holds the partition.
type holder struct {
	process    history.Process
	instance   int32
	generation int32
	event      int
}

// double is the claim of a member while another one held the partition in another generation. One of them does not know yet that it
// has been fenced, or the coordinator has given the partition to both.
type double struct {
	at           core.Mono
	holder       history.Process
	claimer      history.Process
	held, event  int  // the claims
	holds, takes bool // the holder, the claimer was a member after that
}

// claim is one Claimed event.
type claim struct {
	process    history.Process
	generation int32
	at         core.Mono
	event      int
}

// mark is where a member's position was once: at an offset that it fetched, or committed, at an instant.
type mark struct {
	at    core.Mono
	to    core.Offset
	event int
}

type extent struct{ from, to core.Offset }

// reached says that from an instant on everything below an offset was processed.
type reached struct {
	at core.Mono
	to core.Offset
}

// write is a commit, or a deletion, which is one of [core.NoOffset]; read is a fetched offset.
type write struct {
	start core.Mono
	acked core.Mono // when it was acknowledged, never if it was not
	end   core.Mono // when it had taken effect for the last time, never if that may be at any time
	value core.Offset
	event int

	process    history.Process
	generation int32
}

type read struct {
	start, end core.Mono
	value      core.Offset
	event      int
}

const never core.Mono = 1<<63 - 1

// generation is one generation of one group, firstClaim the first claim in it.
type generation struct{ group, number int32 }

type firstClaim struct {
	at    core.Mono
	event int
}

type checker struct {
	log   *history.Log
	first map[generation]firstClaim
	twins twins
	parts []*part
	byKey map[key]*part
	out   []checkers.Violation
	count map[checkers.Property]int
}

// Check judges the group events of a whole history.
func Check(log *history.Log) []checkers.Violation {
	c := &checker{log: log, first: make(map[generation]firstClaim), twins: newTwins(), byKey: make(map[key]*part), count: make(map[checkers.Property]int)}
	for i := range log.Len() {
		op, body := log.At(i)
		switch b := body.(type) {
		case *history.Group:
			c.step(i, op, b)
		case *history.Mark:
			if b.Name == history.FinalReads {
				c.settled(i)
			}
		default: // the rest is not about groups
		}
	}
	for _, p := range c.parts {
		c.register(p)
	}
	return c.out
}

func (c *checker) report(property checkers.Property, p *part, o core.Offset, events []int, format string, args ...any) {
	if c.count[property]++; c.count[property] > keep {
		return
	}
	c.out = append(c.out, checkers.Violation{
		Property: property, Partition: c.log.Name(p.place), TopicID: c.log.Topic(p.place.Topic).ID, Offset: o, Events: events,
		Message: fmt.Sprintf("group %d: ", p.group) + fmt.Sprintf(format, args...),
	})
}

func (c *checker) part(k key) *part {
	p := c.byKey[k]
	if p == nil {
		p = &part{key: k, marks: make(map[history.Process]mark)}
		c.byKey[k] = p
		c.parts = append(c.parts, p)
	}
	return p
}

// step takes one event.
func (c *checker) step(i int, op history.Op, b *history.Group) {
	p := c.part(key{b.Group, b.Place})
	switch b.Step {
	case history.Claimed:
		c.claim(p, i, op, b)
	case history.Released:
		p.release(op.Process)
		delete(p.marks, op.Process)
	case history.Processed:
		p.process(op.End, b.From, b.To)
	case history.Confirmed:
		c.confirm(p, i, op)
	case history.Committed:
		c.commit(p, i, op, b)
	case history.Deleted: // as if it had never been committed
		if op.Outcome != history.Fail {
			p.writes = append(p.writes, newWrite(i, op, b, core.NoOffset))
		}
	case history.Fetched:
		if op.Outcome == history.OK {
			p.reads = append(p.reads, read{op.Start, op.End, b.To, i})
			p.marks[op.Process] = mark{op.End, max(b.To, 0), i} // of none it begins at 0
		}
	}
}

// release ends a claim; false if there is none.
func (p *part) release(who history.Process) bool {
	at := slices.IndexFunc(p.holders, func(h holder) bool { return h.process == who })
	if at >= 0 {
		p.holders = slices.Delete(p.holders, at, at+1)
	}
	return at >= 0
}

func (c *checker) claim(p *part, i int, op history.Op, b *history.Group) {
	if !p.release(op.Process) { // not told anew: what follows says nothing of earlier claims
		p.doubles = slices.DeleteFunc(p.doubles, func(d double) bool {
			return d.holder == op.Process && !d.holds || d.claimer == op.Process && !d.takes
		})
	}
	c.twins.claim(i, op, b)
	c.laggard(p, i, op, b)
	for _, h := range p.holders {
		// A static member goes on in the generation of the process that it replaces, which need not know of it yet.
		if h.generation == b.Generation && (h.instance == 0 || h.instance != b.Instance) {
			c.report(OneOwner, p, core.NoOffset, []int{h.event, i}, "p%d and p%d both hold the partition in generation %d", h.process, op.Process, b.Generation)
		} else {
			p.doubles = append(p.doubles, double{at: op.End, holder: h.process, claimer: op.Process, held: h.event, event: i})
		}
	}
	p.holders = append(p.holders, holder{op.Process, b.Instance, b.Generation, i})
	p.claims = append(p.claims, claim{op.Process, b.Generation, op.End, i})
}

// laggard judges how a dynamic member of a classic group came into the generation of its claim.
func (c *checker) laggard(p *part, i int, op history.Op, b *history.Group) {
	k := generation{b.Group, b.Generation}
	first, known := c.first[k]
	if !known {
		c.first[k] = firstClaim{op.End, i}
	}
	switch {
	case b.Before < 0 || b.Generation <= b.Before:
	case b.Generation > b.Before+1:
		c.report(NoLaggard, p, core.NoOffset, []int{i}, "p%d is told generation %d after generation %d, and was a member in between without asking for it",
			op.Process, b.Generation, b.Before)
	case known && b.Asked > first.at:
		c.report(NoLaggard, p, core.NoOffset, []int{first.event, i}, "p%d, a member of generation %d, asked for the next one when that had been assigned, and was in it",
			op.Process, b.Before)
	}
}

// confirm takes the coordinator's word for a member: what the member held before it began to ask, it held by right.
func (c *checker) confirm(p *part, i int, op history.Op) {
	for j := range p.doubles {
		d := &p.doubles[j]
		if op.Start < d.at || d.holds && d.takes {
			continue
		}
		d.holds = d.holds || op.Process == d.holder
		d.takes = d.takes || op.Process == d.claimer
		if d.holds && d.takes {
			c.report(OneOwner, p, core.NoOffset, []int{d.held, d.event, i},
				"p%d was given the partition while p%d held it, and both were members afterwards", d.claimer, d.holder)
		}
	}
}

// process adds what was processed.
func (p *part) process(at core.Mono, from, to core.Offset) {
	if from >= to {
		return
	}
	var kept []extent
	merged := extent{from, to}
	for _, e := range p.covered {
		if e.to < merged.from || e.from > merged.to {
			kept = append(kept, e)
			continue
		}
		merged = extent{min(e.from, merged.from), max(e.to, merged.to)}
	}
	at0 := 0
	for at0 < len(kept) && kept[at0].from < merged.from {
		at0++
	}
	kept = append(kept[:at0:at0], append([]extent{merged}, kept[at0:]...)...)
	p.covered = kept
	if first := p.covered[0]; first.from == 0 && (len(p.prefix) == 0 || first.to > p.prefix[len(p.prefix)-1].to) {
		p.prefix = append(p.prefix, reached{at, first.to})
	}
}

// done is how far everything had been processed by an instant.
func (p *part) done(by core.Mono) core.Offset {
	to := core.Offset(0)
	for _, r := range p.prefix {
		if r.at <= by {
			to = r.to
		}
	}
	return to
}

func (c *checker) commit(p *part, i int, op history.Op, b *history.Group) {
	if op.Outcome == history.Fail {
		return
	}
	if done := p.done(op.Start); b.To > done {
		c.report(AtLeastOnce, p, b.To, []int{i}, "p%d commits %d when the group has processed everything below %d only", op.Process, b.To, done)
	}
	p.writes = append(p.writes, newWrite(i, op, b, b.To))
	if op.Outcome == history.OK {
		c.fenced(p, i, op, b)
		c.forward(p, i, op, b)
	}
}

// forward judges a commit by what its member has fetched or committed since it was given the partition: a position does not go back.
func (c *checker) forward(p *part, i int, op history.Op, b *history.Group) {
	m, known := p.marks[op.Process]
	switch {
	case !known || op.Start <= m.at: // it was given the partition since, or the two have no order
	case b.To < m.to:
		c.report(CommitMono, p, b.To, []int{m.event, i}, "p%d commits %d, and was at %d before, in the same claim", op.Process, b.To, m.to)
	default:
		p.marks[op.Process] = mark{op.Start, b.To, i}
	}
}

func newWrite(i int, op history.Op, b *history.Group, value core.Offset) write {
	w := write{start: op.Start, acked: op.End, end: op.End, value: value, event: i, process: op.Process, generation: b.Generation}
	if op.Outcome != history.OK {
		w.acked, w.end = never, never
	}
	if b.Ambiguous {
		w.end = never
	}
	return w
}

// fenced looks for another member's claim between the member's own last one and the beginning of its commit.
func (c *checker) fenced(p *part, i int, op history.Op, b *history.Group) {
	var other *claim
	for j := range p.claims {
		switch cl := &p.claims[j]; {
		case cl.at >= op.Start:
		case cl.process == op.Process:
			other = nil
		case cl.generation > b.Generation:
			other = cl
		}
	}
	if other != nil {
		c.report(CommitFenced, p, b.To, []int{other.event, i},
			"p%d committed in generation %d after p%d had claimed the partition in generation %d", op.Process, b.Generation, other.process, other.generation)
		return
	}
	if old, next := c.twins.replaced(op); next != nil {
		c.report(CommitFenced, p, b.To, []int{old.event, next.event, i},
			"p%d committed in generation %d when p%d, which had joined after it with the same group.instance.id, held partitions", op.Process, b.Generation, next.process)
	}
}

// settled looks at who owns what, once faults have stopped and everything had its time.
func (c *checker) settled(i int) {
	for _, p := range c.parts {
		if len(p.holders) == 1 || len(p.claims) == 0 || p.unstable {
			continue
		}
		p.unstable = true
		c.report(Stable, p, core.NoOffset, []int{i}, "%d members hold the partition long after the faults", len(p.holders))
	}
}

// expire ends what commits of unknown outcome may yet do where another member has claimed the partition in a later generation: the group has
// got there, and takes no commit of an earlier one.
func (p *part) expire() {
	for i := range p.writes {
		w := &p.writes[i]
		for j := range p.claims {
			if cl := &p.claims[j]; cl.process != w.process && cl.generation > w.generation && w.generation >= 0 && cl.at > w.start {
				w.end = min(w.end, cl.at)
			}
		}
	}
}

// register judges the fetched offsets of a partition.
func (c *checker) register(p *part) {
	p.expire()
	atFirst := write{start: -never, acked: -never, end: -never, value: core.NoOffset, generation: -1}
	p.writes = append([]write{atFirst}, p.writes...)
	for _, r := range p.reads {
		var stale *write
		found := false
		for j := range p.writes {
			w := &p.writes[j]
			if w.value != r.value || w.start > r.end {
				continue
			}
			newer := p.overwritten(w.end, r.start)
			if newer == nil {
				found = true
				break
			}
			stale = newer
		}
		switch {
		case found:
		case stale == nil:
			c.report(CommitDurable, p, r.value, []int{r.event}, "%d was fetched, which nobody has committed", r.value)
		case r.value == core.NoOffset:
			c.report(CommitDurable, p, stale.value, []int{stale.event, r.event}, "nothing was fetched after %d had been committed", stale.value)
		case stale.value == core.NoOffset:
			c.report(CommitDurable, p, r.value, []int{stale.event, r.event}, "%d was fetched after it had been deleted", r.value)
		default:
			c.report(CommitDurable, p, r.value, []int{stale.event, r.event}, "%d was fetched after %d had been committed over it", r.value, stale.value)
		}
	}
}

// overwritten is an acknowledged write that began after one instant and ended before another.
func (p *part) overwritten(after, before core.Mono) *write {
	for j := range p.writes {
		if w := &p.writes[j]; w.acked < before && w.start > after {
			return w
		}
	}
	return nil
}
