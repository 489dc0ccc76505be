package workload

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/pipeline"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/prng"
)

// piping is the role of a pipeline: consume, transform, produce, exactly once. Each record that is read makes one of the output, or, in a
// word count, each word.
type piping struct {
	grouped
	out    producing
	book   book
	pipe   *pipeline.Pipeline
	since  core.Mono // of this incarnation
	input  []consumer.Record
	output []making
	next   int // the first of output that is not made
	made   int32
	luck   *prng.Rand
	aborts bool // Work wants some transactions to be discarded
	lost   bool // the present one will be
	asked  core.Mono
	as     int32 // the generation then
	ranges []pipeline.Range
	ends   map[core.TopicPartition]core.Offset // where the history's last poll of a partition ended
	told   []pipeline.Outcome
}

// making is an output record that is to be made.
type making struct {
	partition int32 // modulo the number of partitions
	key       []byte
	word      int32 // in a word count
	n         int64
}

// abortOneIn is how often a pipeline discards what it has done, where it does so at all.
const abortOneIn = 4

func newPiping(c *Client) *piping {
	r := &piping{grouped: *newGrouped(c), out: *newProducing(c), pipe: c.machine.Pipeline(), luck: c.rand.Fork("pipeline"),
		ends: make(map[core.TopicPartition]core.Offset)}
	r.book = book{c: c, writer: c.plan.Txn.Writer}
	r.pipe.Use()
	return r
}

func (r *piping) replay(op *Op) {
	r.grouped.replay(op)
	if op.Kind == Work {
		r.aborts = op.Abort
	}
}

func (r *piping) begin(now core.Now, at core.Mono, op *Op) {
	switch op.Kind {
	case Leave: // in the middle of its work, if it has any
		r.m.Leave(now)
	case Work:
		r.most, r.every, r.aborts = int(op.Max), op.Every, op.Abort
	default:
		r.grouped.begin(now, at, op)
	}
}

func (r *piping) enter(now core.Now, at core.Mono, phase Phase) {
	r.grouped.enter(now, at, phase)
	r.aborts = false
	r.busyTil = min(r.busyTil, at)
}

func (r *piping) act(now core.Now, at core.Mono) {
	if r.since == 0 {
		r.since = at
	}
	r.m.Tag(int64(at))
	if r.again != nil {
		r.subscribe(now, r.again)
		r.again = nil
	}
	r.out.drain(at)
	r.settle(at)
	r.hear(at)
	r.track(at)
	r.restart(now, at)
	r.book.watch(at, r.c.machine.Transactions())
	r.loop(now, at)
	r.out.drain(at)
	r.settle(at)
	r.track(at)
}

// loop is the application: poll, transform, finish.
func (r *piping) loop(now core.Now, at core.Mono) {
	for {
		switch r.pipe.State() {
		case pipeline.Ending:
			return
		case pipeline.Working:
			if !r.transform(now, at) || at < r.busyTil {
				return
			}
			r.end(now, at)
			continue
		case pipeline.Idle:
		}
		most := r.most
		if r.c.phase == Final { // nobody writes any more; but who does not poll is taken out of the group
			most = 0
		}
		if r.input = r.pipe.Poll(now, most, r.input[:0]); len(r.input) == 0 {
			return
		}
		r.take(at)
		r.busyTil = at.Add(r.every)
	}
}

// take notes what was polled: a transaction has begun.
func (r *piping) take(at core.Mono) {
	r.next, r.made = 0, r.made+1
	r.output = r.outputs(r.output[:0])
	r.lost = r.aborts && r.luck.Chance(1, abortOneIn)
	id := r.book.begin(at)
	r.out.txn = id
	r.ranges = append(r.ranges[:0], r.pipe.Ranges()...)
	r.book.txn.Group = r.opts.Group
	for _, x := range r.ranges {
		r.book.txn.Consumed = append(r.book.txn.Consumed, history.Range{Place: r.place(x.TopicPartition), From: x.From, To: x.To})
		r.read(at, id, x)
	}
}

func (r *piping) place(tp core.TopicPartition) history.Place {
	return history.Place{Topic: r.c.env.Topics.Ref(tp.Topic, r.c.topicID(tp.Topic)), Partition: tp.Partition}
}

// read records what was polled of one partition. When its request left is not known: not before this incarnation began.
func (r *piping) read(at core.Mono, id history.TxnID, x pipeline.Range) {
	p := history.Poll{Place: r.place(x.TopicPartition), From: x.From, Next: x.To, HighWatermark: core.NoOffset, LastStableOffset: core.NoOffset,
		LogStartOffset: core.NoOffset, Isolation: history.ReadCommitted, Txn: id}
	for i := range r.input {
		rec := &r.input[i]
		if rec.Topic != x.Topic || rec.Partition != x.Partition || rec.Value == nil {
			continue
		}
		p.Records = append(p.Records, history.Record{Offset: rec.Offset, Value: Decode(rec.Value, rec.Key, rec.Headers),
			Timestamp: rec.Timestamp, Epoch: rec.LeaderEpoch})
	}
	if end, ok := r.ends[x.TopicPartition]; !ok || end != x.From { // assigned anew, or rewound
		r.c.env.Log.Seek(r.c.op(at, at, history.OK, core.ErrNone), history.Seek{Place: p.Place, To: x.From})
	}
	r.ends[x.TopicPartition] = x.To
	r.c.env.Log.Poll(r.c.op(r.since, at, history.OK, core.ErrNone), p)
}

// outputs appends what is to be written: a record for each that was read, to the partition of the same number as far as there is one,
// or one for each word, to a partition of its own.
func (r *piping) outputs(dst []making) []making {
	var words [history.Words]int64
	for i := range r.input {
		in := &r.input[i]
		if !r.c.plan.Txn.Words {
			dst = append(dst, making{partition: in.Partition, key: in.Key})
			continue
		}
		if in.Value != nil {
			words[Decode(in.Value, in.Key, in.Headers).Word()]++
		}
	}
	for word, n := range words {
		if n > 0 {
			dst = append(dst, making{partition: int32(word), key: []byte{'w', byte(word)}, word: int32(word), n: n})
		}
	}
	return dst
}

// transform writes the output. It is false while the buffer is full, or the partitions are not known yet.
func (r *piping) transform(now core.Now, at core.Mono) bool {
	n := int32(len(r.c.machine.Cluster().Want(r.c.plan.Txn.Out).Partitions))
	if n == 0 {
		return false
	}
	for ; r.next < len(r.output); r.next++ {
		in := &r.output[r.next]
		v := valueOf(r.c.plan.ID, r.c.incarn, r.made, int32(r.next))
		rec := producer.Record{Topic: r.c.plan.Txn.Out, Partition: in.partition % n, Timestamp: now.Wall, Key: in.key}
		rec.Value = Encode(nil, v, probeSize, rec.Key, nil)
		if !r.out.p.Produce(now, rec, uint64(v)) {
			return false
		}
		r.out.calls[uint64(v)] = &call{topic: rec.Topic, timestamp: rec.Timestamp, start: at, probe: -1, txn: r.out.txn}
		if in.n > 0 {
			r.c.env.Log.Tally(r.c.op(at, at, history.OK, core.ErrNone), history.Tally{Txn: r.out.txn, Group: r.opts.Group, Value: v, Word: in.word, N: in.n})
		}
	}
	return true
}

// end asks for the end of the transaction.
func (r *piping) end(now core.Now, at core.Mono) {
	r.asked = at
	r.as = r.m.Metadata().Generation
	if r.lost {
		r.book.ask(at, false)
		r.pipe.Discard(now)
		return
	}
	r.book.ask(at, true)
	for _, x := range r.ranges {
		r.note(at, at, history.OK, x.TopicPartition, history.Group{Step: history.Processed, Generation: -1, From: x.From, To: x.To})
	}
	r.pipe.Finish(now)
}

// settle records the transactions whose outcome is known.
func (r *piping) settle(at core.Mono) {
	r.told = r.pipe.Outcomes(r.told[:0])
	for i := range r.told {
		r.over(at, r.told[i].Err, r.told[i].Ambiguous)
	}
}

// over records the open transaction and, as commits of the group, how far it has come.
func (r *piping) over(at core.Mono, err core.ErrorCode, ambiguous bool) {
	if !r.book.open {
		return
	}
	outcome := history.OK
	switch {
	case ambiguous:
		outcome = history.Info
	case err != core.ErrNone:
		outcome = history.Fail
	}
	for _, x := range r.ranges {
		if r.book.txn.Commit {
			r.note(r.asked, at, outcome, x.TopicPartition, history.Group{Step: history.Committed, Generation: r.as, To: x.To, Ambiguous: ambiguous})
		}
	}
	r.book.end(at, err, ambiguous)
	r.out.txn = 0
}

func (r *piping) due() core.Mono {
	due := cluster.Never
	if r.retryAt != 0 {
		due = r.retryAt
	}
	if r.pipe.State() == pipeline.Working && r.next == len(r.output) {
		due = min(due, r.busyTil)
	}
	return due
}

func (r *piping) wants() string {
	if r.book.open || len(r.out.calls) > 0 {
		return "the end of a transaction"
	}
	return r.grouped.wants()
}

// finish: what was asked for may happen yet, what was not never.
func (r *piping) finish(at core.Mono) {
	r.out.p.Close()
	r.c.machine.Transactions().Close()
	r.out.drain(at)
	r.settle(at)
	for _, e := range r.c.machine.Transactions().Events(nil) {
		if e.Kind == txn.EventEnded {
			r.over(at, e.Err, e.Ambiguous)
		}
	}
	r.over(at, core.ErrNetworkException, false)
	r.book.obtained(at, history.Info, core.ErrNone, r.c.machine.Transactions().Inits())
	r.grouped.finish(at)
}
