package checkers

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// maxOffset is above every offset a history may hold.
const maxOffset core.Offset = 1 << 62

// Checker judges one history while it grows. It keeps O(records) of memory; Observe costs O(log n) per event and
// Finish O(n log n). It is not safe for concurrent use.
type Checker struct {
	findings
	next    int      // first event not yet observed
	places  []*place // in order of first appearance
	byPlace map[history.Place]*place
	byName  map[core.TopicPartition]*values
	outages []outage                  // losses that concern every partition
	power   core.Mono                 // the last power loss
	dark    bool                      // there was one
	gone    map[history.TopicRef]bool // topics whose deletion may have happened
	final   bool                      // final reads were announced
	passes  int32                     // counting passes made
	done    bool
}

// outage is a permitted loss of everything above from, wherever.
type outage struct {
	at   core.Mono
	from core.Offset
}

// place is what is known about one partition of one incarnation of a topic.
type place struct {
	id     history.Place
	topic  history.Topic
	values *values
	eras   []era // at least one

	end     series // lower bounds of the HighWatermark
	stable  series // of the LastStableOffset
	start   series // of the log start
	sent    series // offsets of acknowledged sends
	lookups map[core.Wall]*series

	durableEnd core.Offset      // behind the last record acknowledged as durable with acks all
	told       map[teller]floor // what each process was shown; of replicated topics only
	readers    map[history.Process]reader
	sends      []int // OK sends
	maybes     []int // Info sends
	times      []int // OK lookups by timestamp
	rises      []int // events that showed a higher log start than any before
	jumps      []jump
	lost       []jump      // positions that readers were told to have lost
	deletedTo  core.Offset // what acknowledged DeleteRecords promised to stay deleted
	deletions  ceilings    // how far DeleteRecords may have moved the log start
	shown      ceilings    // how far the log start was shown to be
}

// reader is where a process' last poll of a place ended.
type reader struct {
	next  core.Offset
	event int
}

// jump is a poll that began behind the end of its process' last one.
type jump struct {
	from, to     core.Offset
	event, after int
}

// values is what was sent to one partition under one topic name, in all incarnations.
type values struct {
	index  map[history.Value]int32
	list   []sent
	places int // incarnations
}

// sent is one value: where it comes from and where it was seen.
type sent struct {
	event  int32
	readBy int32 // the first event plus one that read it, in any incarnation
	readAt core.Offset
	pass   int32 // the counting pass that count and first belong to
	count  int64
	first  core.Offset
}

// of is what is known about a value, nil if nobody sent it.
func (vs *values) of(v history.Value) *sent {
	if i, ok := vs.index[v]; ok {
		return &vs.list[i]
	}
	return nil
}

// New makes a checker of log, which may grow between calls of Observe.
func New(log *history.Log, opts Options) *Checker {
	return &Checker{
		findings: findings{log: log, opts: opts},
		byPlace:  make(map[history.Place]*place),
		byName:   make(map[core.TopicPartition]*values),
		gone:     make(map[history.TopicRef]bool),
	}
}

// Check judges a whole history. Violations come in the order in which they are found: what each event showed, in
// order of events, then what only the whole shows, by partition.
func Check(log *history.Log, opts Options) []Violation {
	c := New(log, opts)
	c.Observe()
	return c.Finish()
}

// Observe takes in the events added since the last call and returns the violations they show. Its verdicts are
// final; some violations show only in Finish.
func (c *Checker) Observe() []Violation {
	had := len(c.kept)
	for ; c.next < c.log.Len(); c.next++ {
		op, body := c.log.At(c.next)
		if c.plausible(c.next, body) {
			c.observe(c.next, op, body)
		}
	}
	return c.kept[had:len(c.kept):len(c.kept)]
}

// Finish judges what only the whole history shows and returns all violations, those of Observe included. The
// checker cannot be used afterwards except for calling Finish again.
func (c *Checker) Finish() []Violation {
	if c.done {
		return c.kept
	}
	c.Observe()
	c.done = true
	for _, pl := range c.places {
		c.finish(pl)
	}
	return c.kept
}

// observe is the only switch over events.
func (c *Checker) observe(i int, op history.Op, body history.Body) {
	switch b := body.(type) {
	case *history.Send:
		c.send(c.place(b.Place), i, op, b)
	case *history.Poll:
		c.poll(c.place(b.Place), i, op, b)
	case *history.ListOffsets:
		c.lookup(c.place(b.Place), i, op, b)
	case *history.DeleteRecords:
		c.deleteRecords(c.place(b.Place), i, op, b)
	case *history.DeleteTopic:
		if op.Outcome != history.Fail {
			c.gone[b.Topic] = true
		}
	case *history.Seek:
		c.seek(c.place(b.Place), i, op, b)
	case *history.Group: // package group judges these
	case *history.Txn, *history.Init: // package txn judges these
	case *history.Transfer, *history.Tally: // package sums judges these
	case *history.Replica:
		c.replica(c.place(b.Place), i, op, b)
	case *history.Scan:
		c.scan(c.place(b.Place), i, b)
	case *history.NodeChange:
		c.nodeChange(op, b)
	case *history.Loss:
		c.place(b.Place).lose(op.End, b.From, c.isDurable)
	case *history.Mark:
		c.final = c.final || b.Name == history.FinalReads
	case *history.CreateTopic:
		// Nothing follows from it: an incarnation is known by its id, and may be used before the answer arrives.
	}
}

// place is the state of a partition, made when first seen.
func (c *Checker) place(id history.Place) *place {
	if pl := c.byPlace[id]; pl != nil {
		return pl
	}
	name := c.log.Name(id)
	vs := c.byName[name]
	if vs == nil {
		vs = &values{index: make(map[history.Value]int32)}
		c.byName[name] = vs
	}
	vs.places++
	pl := &place{
		id: id, topic: c.log.Topic(id.Topic), values: vs, eras: make([]era, 1),
		readers: make(map[history.Process]reader), told: make(map[teller]floor), lookups: make(map[core.Wall]*series),
	}
	for _, o := range c.outages {
		pl.lose(o.at, o.from, c.isDurable)
	}
	c.byPlace[id] = pl
	c.places = append(c.places, pl)
	return pl
}

// nodeChange notes crashes and power losses. Under PolicyOS nothing that was only in memory survives a power loss.
func (c *Checker) nodeChange(op history.Op, b *history.NodeChange) {
	if b.State != history.PowerLost && b.State != history.Crashed {
		return
	}
	for _, pl := range c.places {
		// Segments that retention removed, or was about to remove, may be back, as in Kafka, which writes its log starts down once
		// a minute; what DeleteRecords promised may not.
		if pl.topic.Retained {
			pl.start.reset(op.End, pl.deletedTo)
		}
	}
	if b.State != history.PowerLost {
		return
	}
	c.power, c.dark = op.End, true
	if b.Policy != history.PolicyOS {
		for _, pl := range c.places {
			pl.sent.reset(op.End, pl.durableEnd-1) // promises until power loss end here
		}
		return
	}
	c.outages = append(c.outages, outage{at: op.End})
	for _, pl := range c.places {
		pl.lose(op.End, 0, c.isDurable)
	}
}

// excused reports whether the settings of a send permit its record to be gone: the expected-loss rule.
func (c *Checker) excused(event int) bool {
	op, body := c.log.At(event)
	switch body.(*history.Send).Promise {
	case history.Durable:
		return false
	case history.UntilPowerLoss:
		return c.dark && c.power >= op.Start
	default:
		return true
	}
}

// isDurable reports whether nothing at all permits the send's record to be gone.
func (c *Checker) isDurable(event int) bool {
	_, body := c.log.At(event)
	return body.(*history.Send).Promise == history.Durable
}

// plausible reports whether an event's offsets can be offsets. Others are reported and left out.
func (c *Checker) plausible(i int, body history.Body) bool {
	var at history.Place
	ok := true
	see := func(list ...core.Offset) {
		for _, o := range list {
			ok = ok && o >= core.NoOffset && o < maxOffset
		}
	}
	switch b := body.(type) {
	case *history.Send:
		at = b.Place
		for _, r := range b.Records {
			see(r.Offset)
		}
	case *history.Poll:
		at = b.Place
		see(b.From, b.Next, b.HighWatermark, b.LastStableOffset, b.LogStartOffset)
		for _, r := range b.Records {
			see(r.Offset)
			ok = ok && r.Offset != core.NoOffset
		}
	case *history.ListOffsets:
		at = b.Place
		see(b.Offset)
	case *history.DeleteRecords:
		at = b.Place
		see(b.Before, b.LowWatermark)
	case *history.Seek:
		at = b.Place
		see(b.To)
	case *history.Replica:
		at = b.Place
		see(b.LogStartOffset, b.HighWatermark, b.LogEndOffset, b.Durable)
	case *history.Scan:
		at = b.Place
		see(b.LogStartOffset, b.LogEndOffset)
		for _, batch := range b.Batches {
			see(batch.Base, batch.Last)
		}
	case *history.Loss:
		at = b.Place
		see(b.From)
	}
	if !ok {
		c.report(Malformed, at, core.NoOffset, []int{i}, "the event holds an impossible offset")
	}
	return ok
}
