package workload

import (
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/prng"
)

// producing is the role of a producer.
type producing struct {
	c      *Client
	p      *producer.Producer
	active []*sending       // operations with records left, in the order of their beginning
	calls  map[uint64]*call // unanswered records by token, which is the record's value
	probes []probe          // in Settle
	probed int32            // probes made so far; their operation ids lie above MaxOpID

	txn     history.TxnID     // what is sent now belongs to it
	results []producer.Result // scratch
}

// sending is a Produce operation in progress.
type sending struct {
	op     Op
	rand   *prng.Rand
	sent   int32           // records that the producer has taken
	staged producer.Record // the next one, drawn and not yet taken
	value  history.Value
	nextAt core.Mono
	probe  int // index into probes, or -1
}

// call is one record on its way.
type call struct {
	topic     string
	timestamp core.Wall // as sent; core.NoTimestamp: the producer's clock
	start     core.Mono
	probe     int
	txn       history.TxnID // 0: of no transaction
}

// probe is a partition that must take a record in Settle.
type probe struct {
	tp     core.TopicPartition
	place  history.Place
	ok     bool
	flying bool
	nextAt core.Mono
}

// Probing: how long a producer waits after a failed probe, and how large a probe's value is.
const (
	probeEvery = 200 * core.Millisecond
	probeSize  = 16
)

func newProducing(c *Client) *producing {
	return &producing{c: c, p: c.machine.Producer(), calls: make(map[uint64]*call)}
}

func (r *producing) replay(*Op) {}

func (r *producing) begin(now core.Now, at core.Mono, op *Op) {
	switch op.Kind {
	case Produce:
		r.active = append(r.active, &sending{op: *op, rand: r.c.rand.ForkN("op", int64(op.ID)), nextAt: at, probe: -1})
	case Flush:
		r.p.Flush(now)
	default: // not a producer's
	}
}

// enter: in Settle what is left of the plan goes out at once, and then the probes; in Final nothing new. Records for a
// topic that may be gone for good would fill the buffer until their time is up, so they stay behind.
func (r *producing) enter(_ core.Now, at core.Mono, phase Phase) {
	kept := r.active[:0]
	for _, s := range r.active {
		s.op.Every = 0
		s.nextAt = min(s.nextAt, at)
		if phase != Final && !r.c.env.Topics.Settings(s.op.Topic).Churned {
			kept = append(kept, s)
		}
	}
	clear(r.active[len(kept):])
	r.active = kept
}

func (r *producing) act(now core.Now, at core.Mono) {
	r.drain(at)
	if r.c.phase == Settle {
		r.probe(at)
	}
	kept := r.active[:0]
	for _, s := range r.active {
		if r.send(now, at, s) {
			kept = append(kept, s)
		}
	}
	clear(r.active[len(kept):])
	r.active = kept
	r.drain(at) // records that no request could carry fail at once
}

// send gives the producer what an operation may send now. It is false when nothing is left.
func (r *producing) send(now core.Now, at core.Mono, s *sending) bool {
	for s.sent < s.op.Count && s.nextAt <= at {
		if s.staged.Value == nil {
			r.stage(now, s)
		}
		token := uint64(s.value)
		if !r.p.Produce(now, s.staged, token) {
			return true // the buffer is full: again when results have made room
		}
		r.calls[token] = &call{topic: s.op.Topic, timestamp: s.staged.Timestamp, start: at, probe: s.probe, txn: r.txn}
		s.staged = producer.Record{}
		s.sent++
		if s.op.Every > 0 {
			s.nextAt = at.Add(s.op.Every)
		}
	}
	return s.sent < s.op.Count
}

// stage draws an operation's next record.
func (r *producing) stage(now core.Now, s *sending) {
	d := &s.op
	rec := producer.Record{Topic: d.Topic, Partition: d.Partition, Timestamp: now.Wall}
	if d.Keys > 0 {
		rec.Key = appendKey(nil, s.rand.Skewed(int64(d.Keys)))
	}
	for range s.rand.Skewed(int64(d.Headers) + 1) {
		rec.Headers = append(rec.Headers, drawHeader(s.rand))
	}
	if d.Odd {
		rec.Timestamp = oddTimestamp(s.rand, now.Wall)
	}
	size := int64(d.Size)
	if d.Vary {
		size = s.rand.Skewed(size + 1)
	}
	s.value = valueOf(r.c.plan.ID, r.c.incarn, d.ID, s.sent)
	rec.Value = Encode(nil, s.value, size, rec.Key, rec.Headers)
	if d.Tombstones > 0 && s.rand.Chance(int64(d.Tombstones), 1000) {
		rec.Value = nil
	}
	s.staged = rec
}

// appendKey is the n-th key of an operation; key 0 is the empty one, which is not the same as none.
func appendKey(dst []byte, n int64) []byte {
	if n == 0 {
		return []byte{}
	}
	return append(dst, 'k', byte(n>>16), byte(n>>8), byte(n))
}

func drawHeader(r *prng.Rand) Header {
	h := Header{Key: make([]byte, r.Skewed(8))}
	r.Fill(h.Key)
	if r.Chance(3, 4) {
		h.Value = make([]byte, r.Skewed(64))
		r.Fill(h.Value)
	}
	return h
}

// oddTimestamp is a create time that is not simply the present: late, out of order, ancient, a little ahead, far
// ahead (which brokers refuse, KIP-937), or left to the producer.
func oddTimestamp(r *prng.Rand, wall core.Wall) core.Wall {
	const day = 24 * 3600 * 1000
	switch r.Below(16) {
	case 0:
		return core.Wall(r.Between(1, 1000)) // 1970
	case 1:
		return wall - core.Wall(r.Below(400*day))
	case 2:
		return wall + core.Wall(r.Below(30*60*1000))
	case 3:
		if r.Chance(1, 8) {
			return wall + core.Wall(r.Between(2*day, 400*day))
		}
		return wall
	case 4, 5, 6:
		return core.NoTimestamp
	}
	return wall - core.Wall(r.Skewed(60*1000))
}

// drain records what has finished.
func (r *producing) drain(at core.Mono) {
	r.results = r.p.Results(r.results[:0])
	for i := 0; i < len(r.results); {
		n := r.run(r.results[i:])
		r.record(at, r.results[i:i+n])
		i += n
	}
}

// run is how many of the results that begin with the first make up one send: same call, same fate, offsets in line.
func (r *producing) run(rs []producer.Result) int {
	first := r.calls[rs[0].Token]
	n := 1
	for ; n < len(rs); n++ {
		a, b, next := &rs[n-1], &rs[n], r.calls[rs[n].Token]
		inLine := b.Offset == core.NoOffset && a.Offset == core.NoOffset || a.Offset != core.NoOffset && b.Offset == a.Offset+1
		if !inLine || a.Partition != b.Partition || a.Err != b.Err || a.Ambiguous != b.Ambiguous || a.Attempts != b.Attempts ||
			a.TopicID != b.TopicID || next.topic != first.topic || next.start != first.start || next.probe != first.probe || next.txn != first.txn ||
			appended(rs[n-1:], r) != appended(rs[n:], r) {
			break
		}
	}
	return n
}

// appended is the broker's timestamp in the first result, core.NoTimestamp if the record has kept its own.
func appended(rs []producer.Result, r *producing) core.Wall {
	sent := r.calls[rs[0].Token].timestamp
	if rs[0].Err == core.ErrNone && rs[0].Attempts == 1 && sent != core.NoTimestamp && rs[0].Timestamp != sent {
		return rs[0].Timestamp
	}
	return core.NoTimestamp
}

// record adds one send to the history. A record that failed before a partition was chosen was never sent anywhere and
// has no place in it: read nonetheless, it would be a value that nobody sent.
func (r *producing) record(at core.Mono, rs []producer.Result) {
	first, o := r.calls[rs[0].Token], r.c.plan.Producer
	outcome := outcomeOf(rs[0].Err, rs[0].Ambiguous)
	s := history.Send{
		Place: history.Place{Partition: rs[0].Partition}, Acks: o.Acks, Idempotent: o.Idempotent, Ordered: o.Acks == -1,
		Promise: r.c.env.Topics.promise(first.topic, o.Acks), Attempts: rs[0].Attempts,
		LogAppendTime: appended(rs, r), Txn: first.txn, Records: make([]history.Record, 0, len(rs)),
	}
	for i := range rs {
		rec := history.Record{Offset: core.NoOffset, Value: history.Value(rs[i].Token), Timestamp: core.NoTimestamp,
			Epoch: core.NoLeaderEpoch}
		if outcome == history.OK {
			rec.Offset = rs[i].Offset
			if rs[i].Attempts == 1 { // else an earlier attempt, under other settings, may have stored another
				rec.Timestamp = rs[i].Timestamp
			}
		}
		s.Records = append(s.Records, rec)
		delete(r.calls, rs[i].Token)
	}
	if first.probe >= 0 {
		r.answered(at, &r.probes[first.probe], outcome)
	}
	if rs[0].Partition < 0 {
		return
	}
	var exact bool
	if s.Topic, exact = r.c.incarnation(first.topic, rs[0].TopicID); !exact && outcome == history.OK {
		// Some incarnation has it: offsets mean nothing without knowing which.
		outcome = history.Info
		for i := range s.Records {
			s.Records[i].Offset = core.NoOffset
		}
	}
	r.c.env.Log.Send(r.c.op(first.start, at, outcome, rs[0].Err), s)
}

// outcomeOf maps a client's result.
func outcomeOf(err core.ErrorCode, ambiguous bool) history.Outcome {
	switch {
	case err == core.ErrNone:
		return history.OK
	case ambiguous:
		return history.Info
	}
	return history.Fail
}

// probe sends to every partition that has not taken a record in this phase yet.
func (r *producing) probe(at core.Mono) {
	if r.probes == nil {
		r.probes = r.targets()
	}
	for i := range r.probes {
		b := &r.probes[i]
		if b.ok || b.flying || b.nextAt > at {
			continue
		}
		b.flying = true
		r.probed++
		op := Op{ID: MaxOpID + r.probed, Kind: Produce, Topic: b.tp.Topic, Partition: b.tp.Partition, Count: 1, Size: probeSize, Keys: 2}
		r.active = append(r.active, &sending{op: op, rand: r.c.rand.ForkN("probe", int64(r.probed)), nextAt: at, probe: i})
	}
}

// targets are the partitions that this producer's plan writes to and that must exist: those of topics that nobody
// deletes. It is nil, to be asked for again, while the machine does not know a topic.
func (r *producing) targets() []probe {
	list := []probe{}
	for _, name := range r.topics() {
		t := r.c.machine.Cluster().Want(name)
		if len(t.Partitions) == 0 {
			return nil
		}
		for i := range t.Partitions {
			list = append(list, probe{
				tp:    core.TopicPartition{Topic: name, Partition: int32(i)},
				place: history.Place{Topic: r.c.env.Topics.Ref(name, t.ID), Partition: int32(i)},
			})
		}
	}
	return list
}

// topics are the topics of the plan that nobody deletes, in order of first use.
func (r *producing) topics() []string {
	var names []string
	expected := r.c.env.Topics.expected()
	for i := range r.c.plan.Ops {
		if op := &r.c.plan.Ops[i]; op.Kind == Produce && slices.Contains(expected, op.Topic) {
			names = appendNew(names, op.Topic)
		}
	}
	return names
}

func (r *producing) answered(at core.Mono, b *probe, outcome history.Outcome) {
	b.flying = false
	b.ok = b.ok || outcome == history.OK
	b.nextAt = at.Add(probeEvery)
}

func (r *producing) due() core.Mono {
	at := cluster.Never
	for _, s := range r.active {
		if s.staged.Value == nil { // else it waits for room, which only results make
			at = min(at, s.nextAt)
		}
	}
	if r.c.phase == Settle {
		for i := range r.probes {
			if b := &r.probes[i]; !b.ok && !b.flying {
				at = min(at, b.nextAt)
			}
		}
	}
	return at
}

func (r *producing) wants() string {
	if len(r.active) > 0 || len(r.calls) > 0 {
		return "answers to what it has sent"
	}
	if r.c.phase != Settle {
		return ""
	}
	failed := slices.ContainsFunc(r.probes, func(p probe) bool { return !p.ok })
	if r.probes == nil || failed {
		return "a record to be accepted by each partition"
	}
	return ""
}

// finish makes the producer say of each record whether it is on its way or never left.
func (r *producing) finish(at core.Mono) {
	r.p.Close()
	r.drain(at)
}
