package workload

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/consumer"
)

// consuming is the role of a consumer.
type consuming struct {
	c        *Client
	k        *consumer.Consumer
	opts     ConsumerOptions
	backlog  []*Op // of earlier incarnations, to be repeated
	readings []*reading
	survey   survey // in Settle and Final: how far to read

	most   int       // records per poll; 0: the loop stands still
	every  core.Mono // between polls
	pollAt core.Mono

	records []consumer.Record // scratch
	answers []consumer.Answer
	events  []consumer.Event
	told    []history.Record
}

// reading is one assigned partition.
type reading struct {
	tp      core.TopicPartition
	stopped bool
	paused  bool
	// answers are those whose records have not all been polled, and empty ones between them, by From.
	answers []consumer.Answer
	goal    core.Offset // to be reached in this phase; core.NoOffset: none yet, or never
	base    core.Offset // position after goal was set; core.NoOffset: none yet

	lastMarks consumer.Watermarks // of the last empty answer recorded
	lastAt    core.Mono
}

// Polling: max.poll.records of Java by default, and how often an idle partition's unchanged counters are recorded.
const (
	defaultMost = 500
	idleEvery   = 100 * core.Millisecond
)

func newConsuming(c *Client) *consuming {
	r := &consuming{c: c, k: c.machine.Consumer(), most: defaultMost}
	r.survey.c = c
	if c.plan.Consumer != nil {
		r.opts = *c.plan.Consumer
	}
	return r
}

func (r *consuming) replay(op *Op) {
	switch op.Kind {
	case Assign, Unassign, Poll:
		r.backlog = append(r.backlog, op)
	default: // what the others did ended with the process
	}
}

func (r *consuming) begin(now core.Now, at core.Mono, op *Op) {
	tp := core.TopicPartition{Topic: op.Topic, Partition: op.Partition}
	d := r.find(tp)
	switch op.Kind {
	case Assign:
		if d == nil {
			d = &reading{tp: tp, goal: core.NoOffset, base: core.NoOffset}
			r.readings = append(r.readings, d)
		}
		r.move(now, at, d, r.start(now, op, consumer.SeekReset))
	case Seek:
		if d != nil {
			r.move(now, at, d, r.start(now, op, consumer.SeekEnd))
		}
	case Unassign:
		r.unassign(now, tp)
	case Pause, Resume:
		if d != nil {
			r.setPaused(now, d, op.Kind == Pause)
		}
	case Poll:
		r.most, r.every, r.pollAt = int(op.Max), op.Every, at
	default: // not a consumer's
	}
}

func (r *consuming) setPaused(now core.Now, d *reading, paused bool) {
	d.paused = paused
	if paused {
		r.k.Pause(now, d.tp.Topic, d.tp.Partition)
	} else {
		r.k.Resume(now, d.tp.Topic, d.tp.Partition)
	}
}

func (r *consuming) unassign(now core.Now, tp core.TopicPartition) {
	for i, d := range r.readings {
		if d.tp == tp {
			r.k.Unassign(now, tp.Topic, tp.Partition)
			r.readings = append(r.readings[:i], r.readings[i+1:]...)
			return
		}
	}
}

// start is the place that an operation names.
func (r *consuming) start(now core.Now, op *Op, unnamed consumer.SeekKind) consumer.Start {
	switch op.Where {
	case Beginning:
		return consumer.Start{Kind: consumer.SeekBeginning}
	case End:
		return consumer.Start{Kind: consumer.SeekEnd}
	case AtTime:
		return consumer.Start{Kind: consumer.SeekTimestamp, Timestamp: max(0, now.Wall-op.Ago)}
	case AtPermille:
		end := core.Offset(1000)
		if w, ok := r.k.Watermarks(op.Topic, op.Partition); ok {
			end = w.HighWatermark
		}
		return consumer.Start{Kind: consumer.SeekOffset, Offset: permille(end, max(op.Permille, 0))}
	default:
		return consumer.Start{Kind: unnamed}
	}
}

// permille is so many thousandths of an offset.
func permille(o core.Offset, n int32) core.Offset {
	return o/1000*core.Offset(n) + o%1000*core.Offset(n)/1000
}

// move assigns a partition or changes its position.
func (r *consuming) move(now core.Now, at core.Mono, d *reading, to consumer.Start) {
	r.k.Assign(now, d.tp.Topic, d.tp.Partition, to)
	offset := core.NoOffset
	if to.Kind == consumer.SeekOffset {
		offset = to.Offset
	}
	r.moved(at, d, offset, false)
}

// moved notes that the next poll of a partition does not follow the last one. lost says that the consumer was told to move.
func (r *consuming) moved(at core.Mono, d *reading, to core.Offset, lost bool) {
	d.answers, d.stopped = d.answers[:0], false
	d.lastAt = 0
	if r.c.topicID(d.tp.Topic).IsZero() {
		return // then there was no last one either
	}
	r.c.env.Log.Seek(r.c.op(at, at, history.OK, core.ErrNone), history.Seek{Place: r.place(d.tp, core.TopicID{}), To: to, Lost: lost})
}

// place is the partition in the incarnation that a response named, or in the one known if it named none.
func (r *consuming) place(tp core.TopicPartition, id core.TopicID) history.Place {
	if id.IsZero() {
		id = r.c.topicID(tp.Topic)
	}
	return history.Place{Topic: r.c.env.Topics.Ref(tp.Topic, id), Partition: tp.Partition}
}

func (r *consuming) find(tp core.TopicPartition) *reading {
	for _, d := range r.readings {
		if d.tp == tp {
			return d
		}
	}
	return nil
}

// enter: in Settle everything assigned is read to the end; in Final everything there is, from its beginning.
func (r *consuming) enter(now core.Now, at core.Mono, phase Phase) {
	r.most, r.every, r.pollAt = defaultMost, 0, at
	for _, d := range r.readings {
		d.goal, d.base = core.NoOffset, core.NoOffset
		r.setPaused(now, d, false)
	}
	if phase == Settle {
		r.survey.begin(now, at, r.c.env.Topics.expected())
		return
	}
	for len(r.readings) > 0 {
		r.unassign(now, r.readings[0].tp)
	}
	if r.opts.FinalReads {
		r.survey.begin(now, at, r.c.env.Topics.seen())
	} else {
		r.survey.begin(now, at, nil)
	}
}

func (r *consuming) act(now core.Now, at core.Mono) {
	r.k.Tag(int64(at))
	for _, op := range r.backlog {
		r.begin(now, at, op)
	}
	r.backlog = nil
	r.hear(at)
	r.revive(now, at)
	r.poll(now, at)
	for _, d := range r.readings {
		r.idle(at, d)
		if d.goal != core.NoOffset && d.base == core.NoOffset {
			if position, _, ok := r.k.Position(d.tp.Topic, d.tp.Partition); ok {
				d.base = position
			}
		}
	}
	r.survey.act(now, at, r)
}

// hear takes the consumer's events and answers.
func (r *consuming) hear(at core.Mono) {
	r.events = r.k.Events(r.events[:0])
	for i := range r.events {
		ev := &r.events[i]
		d := r.find(core.TopicPartition{Topic: ev.Topic, Partition: ev.Partition})
		if d == nil {
			continue
		}
		switch ev.Kind {
		case consumer.EventReset, consumer.EventTruncated:
			r.moved(at, d, ev.To, !r.c.env.Topics.Settings(ev.Topic).Churned)
		case consumer.EventStopped:
			d.stopped = true
		default: // an error that the consumer itself goes on from
			if ev.Err == core.ErrCorruptMessage && r.c.env.Damage != nil {
				r.c.env.Damage(d.tp, ev.From, ev.Detail)
			}
		}
	}
	r.answers = r.k.Answers(r.answers[:0])
	for i := range r.answers {
		a := &r.answers[i]
		if d := r.find(core.TopicPartition{Topic: a.Topic, Partition: a.Partition}); d != nil {
			d.hear(*a)
		}
	}
}

// hear adds an answer. One that begins before the end of earlier ones says that what those brought was dropped from
// there on (a new leader epoch, damage), and is fetched again.
func (d *reading) hear(a consumer.Answer) {
	kept := d.answers[:0]
	for _, b := range d.answers {
		if b.From < a.From {
			b.Next = min(b.Next, a.From)
			kept = append(kept, b)
		}
	}
	d.answers = append(kept, a)
}

// revive starts partitions again that the reset policy "none" or an error stopped, once faults have.
func (r *consuming) revive(now core.Now, at core.Mono) {
	if r.c.phase == Safety {
		return
	}
	for _, d := range r.readings {
		if d.stopped {
			r.move(now, at, d, consumer.Start{Kind: consumer.SeekBeginning})
		}
	}
}

// poll runs the poll loop as far as it is due.
func (r *consuming) poll(now core.Now, at core.Mono) {
	for r.most > 0 && r.pollAt <= at {
		from := make([]core.Offset, len(r.readings))
		for i, d := range r.readings {
			from[i], _, _ = r.k.Position(d.tp.Topic, d.tp.Partition)
		}
		r.records = r.k.Poll(now, r.most, r.records[:0])
		for i, d := range r.readings {
			r.progress(at, d, from[i])
		}
		if r.every > 0 {
			r.pollAt = at.Add(r.every)
		} else if len(r.records) == 0 {
			return
		}
	}
}

// progress records what a poll gave of one partition: one event per answer that it came from.
func (r *consuming) progress(at core.Mono, d *reading, from core.Offset) {
	to, _, ok := r.k.Position(d.tp.Topic, d.tp.Partition)
	if !ok || from == core.NoOffset || to == from {
		return
	}
	records := r.recordsOf(d.tp)
	for from < to && len(d.answers) > 0 {
		a := d.answers[0]
		if a.Next <= from { // empty, or known to the end
			d.answers = d.answers[1:]
			continue
		}
		end := min(to, a.Next)
		n := 0
		for n < len(records) && (records[n].Offset < end || end == to) {
			n++
		}
		r.record(at, d, &a, from, end, records[:n])
		records, from = records[n:], end
	}
	if from < to || len(records) > 0 {
		panic("workload: the consumer handed out what no answer brought")
	}
}

// recordsOf are the polled records of a partition, which follow each other.
func (r *consuming) recordsOf(tp core.TopicPartition) []consumer.Record {
	first := 0
	for first < len(r.records) && (r.records[first].Topic != tp.Topic || r.records[first].Partition != tp.Partition) {
		first++
	}
	last := first
	for last < len(r.records) && r.records[last].Topic == tp.Topic && r.records[last].Partition == tp.Partition {
		last++
	}
	return r.records[first:last]
}

// idle records answers without records at the position: they show the partition's counters. Unchanged ones are
// recorded now and then.
func (r *consuming) idle(at core.Mono, d *reading) {
	position, _, ok := r.k.Position(d.tp.Topic, d.tp.Partition)
	for ok && len(d.answers) > 0 && d.answers[0].Next <= position {
		a := d.answers[0]
		d.answers = d.answers[1:]
		if a.From != position || a.Watermarks == d.lastMarks && d.lastAt > 0 && at < d.lastAt.Add(idleEvery) {
			continue
		}
		d.lastMarks, d.lastAt = a.Watermarks, at
		r.record(at, d, &a, position, position, nil)
	}
}

// record adds one poll to the history. It began when its request left, not when the records were polled: they, and
// the counters, are of that time.
func (r *consuming) record(at core.Mono, d *reading, a *consumer.Answer, from, to core.Offset, records []consumer.Record) {
	p := history.Poll{
		Place: r.place(d.tp, a.TopicID), From: from, Next: to, HighWatermark: a.HighWatermark,
		LastStableOffset: a.LastStableOffset, LogStartOffset: a.LogStartOffset, Follower: a.Follower,
	}
	if r.opts.Committed {
		p.Isolation = history.ReadCommitted
	}
	r.told = r.told[:0]
	for i := range records {
		rec := &records[i]
		if rec.Value == nil { // a tombstone, see Op.Tombstones; nothing else is sent without a value
			continue
		}
		r.told = append(r.told, history.Record{Offset: rec.Offset, Value: Decode(rec.Value, rec.Key, rec.Headers),
			Timestamp: rec.Timestamp, Epoch: rec.LeaderEpoch})
	}
	p.Records = r.told
	r.c.env.Log.Poll(r.c.op(core.Mono(a.Tag), at, history.OK, core.ErrNone), p)
}

func (r *consuming) due() core.Mono {
	at := r.survey.due()
	if r.most == 0 || r.every == 0 { // an eager loop polls whenever a turn has brought something
		return at
	}
	for _, d := range r.readings {
		if !d.paused && len(d.answers) > 0 {
			at = min(at, r.pollAt)
		}
	}
	return at
}

// wants that all that was to be read has been read. A consumer that gets a batch at a time owes progress in Settle, not
// the end.
func (r *consuming) wants() string {
	if r.c.phase == Safety {
		return ""
	}
	if !r.survey.complete {
		return "to know which partitions there are"
	}
	for _, d := range r.readings {
		if d.goal == core.NoOffset {
			continue
		}
		position, _, ok := r.k.Position(d.tp.Topic, d.tp.Partition)
		moved := r.c.phase == Settle && r.opts.Tiny() && d.base != core.NoOffset && position > d.base
		if !ok || position < d.goal && !moved {
			return "to have read all there is"
		}
	}
	return ""
}

func (r *consuming) finish(core.Mono) { r.k.Close() }

// surveyed takes what the survey found: the partitions that exist.
func (r *consuming) surveyed(now core.Now, at core.Mono, found []core.TopicPartition) (wanted []core.TopicPartition) {
	for _, tp := range found {
		d := r.find(tp)
		if d == nil && r.c.phase == Final {
			d = &reading{tp: tp, goal: core.NoOffset, base: core.NoOffset}
			r.readings = append(r.readings, d)
			r.move(now, at, d, consumer.Start{Kind: consumer.SeekBeginning})
		}
		if d != nil {
			wanted = append(wanted, tp)
		}
	}
	return wanted
}

// located takes the end of a partition's log.
func (r *consuming) located(tp core.TopicPartition, end core.Offset) {
	if d := r.find(tp); d != nil {
		d.goal = end
	}
}
