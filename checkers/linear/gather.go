package linear

import (
	"sort"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// maxEnd bounds the modelled log, which is kept whole in memory.
const maxEnd core.Offset = 1 << 20

// place is one partition's history, told as operations of the model.
type place struct {
	id         history.Place
	name       core.TopicPartition
	topic      history.Topic
	applicable bool
	deletes    bool // a read need not return all from its position on
	ops        []op

	sends []int                        // OK and Info
	stood map[history.Record]core.Mono // where a value was read, and the earliest end of a poll that read it there
	seen  []history.Record             // the keys of stood, in order of appearance
}

// gather turns a history into operations per partition.
func gather(log *history.Log) []*place {
	var list []*place
	byID := make(map[history.Place]*place)
	dark := false
	for i := range log.Len() {
		op, body := log.At(i)
		if b, ok := body.(*history.NodeChange); ok && b.State == history.PowerLost && b.Policy == history.PolicyOS {
			dark = true
		}
		id, ok := history.PlaceOf(body)
		if !ok {
			continue
		}
		pl := byID[id]
		if pl == nil {
			t := log.Topic(id.Topic)
			pl = &place{
				id: id, name: log.Name(id), topic: t, applicable: !t.Gaps && !t.Compacted && !t.Replicated && !ambiguous(log, t),
				deletes: t.Retained, stood: make(map[history.Record]core.Mono),
			}
			byID[id] = pl
			list = append(list, pl)
		}
		pl.take(i, op, body)
	}
	for _, pl := range list {
		pl.applicable = pl.applicable && !dark
		if pl.applicable {
			pl.appends(log)
		}
	}
	return list
}

// take notes one event.
func (pl *place) take(i int, op history.Op, body history.Body) {
	switch b := body.(type) {
	case *history.Send:
		if op.Outcome != history.Fail {
			pl.sends = append(pl.sends, i)
			pl.applicable = pl.applicable && b.Promise == history.Durable && b.Acks == -1
		}
		for _, r := range b.Records {
			pl.bound(r.Offset)
		}
	case *history.Poll:
		pl.poll(i, op, b)
	case *history.ListOffsets:
		if op.Outcome == history.OK && b.Spec == history.SpecLatest && b.Isolation == history.ReadUncommitted {
			pl.end(i, op, b.Offset)
		}
	case *history.Replica:
		if b.Leader {
			pl.end(i, op, b.HighWatermark)
		}
	case *history.DeleteRecords:
		pl.deletes = true
	case *history.Loss:
		pl.applicable = false
	}
}

// bound gives up on a partition whose offsets are too large to model.
func (pl *place) bound(o core.Offset) {
	pl.applicable = pl.applicable && o >= core.NoOffset && o < maxEnd
}

// end adds an end query that was answered with o.
func (pl *place) end(i int, at history.Op, o core.Offset) {
	if pl.bound(o); o != core.NoOffset {
		pl.ops = append(pl.ops, op{kind: ends, event: i, call: at.Start, done: at.End, end: o})
	}
}

// poll adds a read, and the end query that its response answers.
func (pl *place) poll(i int, at history.Op, p *history.Poll) {
	for _, r := range p.Records {
		pl.bound(r.Offset + 1)
		key := history.Record{Offset: r.Offset, Value: r.Value}
		if _, ok := pl.stood[key]; !ok {
			pl.stood[key] = at.End // events come in order of End: this is the earliest
			pl.seen = append(pl.seen, key)
		}
	}
	from, next := p.From, p.End()
	if from == core.NoOffset {
		from = next - core.Offset(len(p.Records))
	}
	pl.bound(next)
	if len(p.Records) > 0 || from < next {
		pl.ops = append(pl.ops, op{
			kind: reads, event: i, call: at.Start, done: at.End, read: p.Records, from: from, next: next,
			exact: at.Outcome == history.OK,
		})
	}
	if at.Outcome == history.OK && !p.Follower {
		pl.end(i, at, p.HighWatermark)
	}
}

// debt is how many records of unknown place had been sent by an instant.
type debt struct {
	at  core.Mono
	sum int64
}

// appends adds the appends that acknowledgements and reads tell of, and gives every operation its allowance of
// holes: records that were sent by the operation's end and seen nowhere.
func (pl *place) appends(log *history.Log) {
	acked := make(map[history.Record]bool)
	starts := make(map[history.Value]int)
	read := make(map[history.Value]bool)
	for _, r := range pl.seen {
		read[r.Value] = true
	}
	var debts []debt
	for _, i := range pl.sends {
		at, body := log.At(i)
		s := body.(*history.Send)
		sum := (s.Copies() - 1) * int64(len(s.Records))
		for _, r := range s.Records {
			starts[r.Value] = i
			switch {
			case at.Outcome == history.OK && r.Offset != core.NoOffset:
				acked[history.Record{Offset: r.Offset, Value: r.Value}] = true
				pl.ops = append(pl.ops, op{kind: appends, event: i, call: at.Start, done: at.End, at: r.Offset, value: r.Value})
			case !read[r.Value]:
				sum++
			}
		}
		if sum > 0 {
			debts = append(debts, debt{at.Start, sum})
		}
	}
	for _, key := range pl.seen {
		if i, sent := starts[key.Value]; sent && !acked[key] {
			at, _ := log.At(i)
			pl.ops = append(pl.ops, op{
				kind: appends, event: i, call: at.Start, done: pl.stood[key], at: key.Offset, value: key.Value,
			})
		}
	}
	pl.allow(debts)
}

// allow gives every operation its allowance of holes, and relaxes reads where records may have been deleted.
func (pl *place) allow(debts []debt) {
	sort.SliceStable(debts, func(i, j int) bool { return debts[i].at < debts[j].at })
	for n := 1; n < len(debts); n++ {
		debts[n].sum = min(debts[n].sum+debts[n-1].sum, history.AnyCopies)
	}
	for i := range pl.ops {
		o := &pl.ops[i]
		if n := sort.Search(len(debts), func(n int) bool { return debts[n].at > o.done }); n > 0 {
			o.holes = debts[n-1].sum
		}
		o.exact = o.exact && !pl.deletes
	}
}

// ambiguous reports whether operations on the topic may belong to several logs, or to the log of another entry: it was
// recorded without its id, and its name has or had others.
func ambiguous(log *history.Log, t history.Topic) bool {
	named, without := 0, false
	for i := range log.Topics() {
		if o := log.Topic(history.TopicRef(i)); o.Name == t.Name {
			named++
			without = without || o.ID.IsZero()
		}
	}
	return without && named > 1
}
