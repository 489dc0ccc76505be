package draws

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/workload"
)

// TxnShape is what [Txns] must know besides; ranges are inclusive.
type TxnShape struct {
	Writers   [2]int64 // transactional ids of writers
	Pipelines [2]int64 // groups of pipelines; each has one to three of them
	Timeout   [2]int64 // transaction.timeout.ms
	Session   [2]int64 // of the pipelines' groups
	Levels    []int64  // of transaction.version, of which one is drawn
}

// Clients whose number says what they are for.
const (
	CommittedReaderID int32 = 2 // as the reader, with read_committed
	firstTxnID        int32 = 3
)

// Txns makes the clients of a seed whose subject is transactions: a creator of the topics, which also sets the version of
// transactions; one reader of everything and one of what is committed; writers, some of which share their transactional id with a
// zombie; pipelines from the first topics to the last; and other readers and plain producers.
func Txns(r *prng.Rand, shape Shape, x TxnShape) []workload.Plan {
	s := shape.withDefaults()
	d := &drawer{shape: &s}
	d.drawTopics(r.Fork("topics"))
	creator := d.patient(d.creator(r.Fork("creator")))
	plans := []workload.Plan{d.leveled(r.Fork("level"), creator, x), d.reader(r.Fork("reader")), d.committedReader(r.Fork("committed"))}
	id := firstTxnID
	add := func(p workload.Plan) {
		plans = append(plans, finished(p))
		id++
	}
	writer := int32(0)
	for i := range r.Fork("writers").Between(x.Writers[0], x.Writers[1]) {
		own := r.ForkN("writer", i)
		add(d.writer(own, id, writer, x))
		if zombie := own.Fork("zombie"); zombie.Chance(1, 3) {
			add(d.writer(zombie, id, writer, x))
		}
		writer++
	}
	if len(d.topics) > 1 {
		for i := range r.Fork("pipelines").Between(x.Pipelines[0], x.Pipelines[1]) {
			own := r.ForkN("pipeline", i)
			base, words := d.pipelines(own.Fork("options"), int32(i), x), own.Fork("words").Chance(1, 2)
			for j := range own.Fork("members").Between(1, 3) {
				one := own.ForkN("member", j)
				p := d.pipelined(one.Fork("member"), id, base)
				add(d.pipeline(one, p, writer, words, x))
				writer++
				if twin, ok := d.twin(one.Fork("twin"), id, &p, base); ok {
					add(d.pipeline(one.Fork("twin"), twin, writer, words, x))
					writer++
				}
			}
		}
	}
	for i := range r.Fork("others").Between(0, 2) {
		own := r.ForkN("other", i)
		p := workload.Plan{ID: id, Network: d.network(own.Fork("network"), true)}
		if own.Chance(1, 2) {
			p.Kind, p.Producer = workload.Producer, d.producer(own.Fork("options"), &p.Network)
			p.Ops = d.produces(own)
		} else {
			p.Kind, p.Consumer = workload.Consumer, d.consumer(own.Fork("options"))
			p.Consumer.Committed = own.Fork("isolation").Chance(3, 4)
			p.Ops = d.consumes(own)
		}
		add(p)
	}
	if own := r.Fork("deserter"); own.Chance(1, 4) { // a transactional id of its own: nobody else ends what it has begun
		p := d.writer(own, id, writer, x)
		p.Txn.Deserts = true
		add(p)
	}
	return plans
}

// newestLevel is the version of transactions that clusters begin with.
const newestLevel = 2

// leveled lets the creator set the version of transactions first, and perhaps raise or lower it on the way.
func (d *drawer) leveled(r *prng.Rand, p workload.Plan, x TxnShape) workload.Plan {
	if len(x.Levels) == 0 {
		return p
	}
	level := one(r, x.Levels...)
	set := func(level int64, at core.Mono) {
		p.Ops = append(p.Ops, workload.Op{Kind: workload.UpdateFeature, Topic: "transaction.version", Partition: -1, Max: int32(level),
			Downgrade: level < newestLevel, At: at})
	}
	for _, at := range []core.Mono{300 * core.Millisecond, 900 * core.Millisecond, 2 * core.Second} { // there must be a controller
		set(level, min(d.shape.Start.Add(at), d.shape.End-1))
	}
	if own := r.Fork("raised"); level < newestLevel && own.Chance(1, 4) {
		set(newestLevel, max(d.instant(own), d.shape.Start.Add(2*core.Second)))
	}
	// Clients that have seen the newest version go by it until they look again. Not to 0: its records do not tell the version of an end, so that the
	// next coordinator must fence who asks again (docs/DIVERGENCE.md).
	if own := r.Fork("lowered"); level == newestLevel && own.Chance(1, 4) {
		set(own.Between(1, newestLevel-1), max(d.instant(own), d.shape.Start.Add(3*core.Second)))
	}
	return finished(p)
}

// committedReader is the reader, but for what is not committed.
func (d *drawer) committedReader(r *prng.Rand) workload.Plan {
	p := d.reader(r)
	p.ID, p.Consumer.Committed = CommittedReaderID, true
	return p
}

// transacting are the options of a producer of transactions.
func (d *drawer) transacting(r *prng.Rand, n *workload.NetworkOptions) *workload.ProducerOptions {
	o := d.producer(r, n)
	o.Acks, o.Idempotent, o.Retries, o.RequestTimeout = -1, true, 0, 0
	o.BufferMemory = 0 // a transaction that waits for room may wait for its own end
	return o
}

func (d *drawer) timeout(r *prng.Rand, x TxnShape) core.Mono {
	return core.Mono(r.Between(x.Timeout[0], x.Timeout[1])) * core.Millisecond
}

// writer draws a transactional producer: transactions over some topics, some of them aborted, some left open for longer than their
// timeout, and deaths in between.
func (d *drawer) writer(r *prng.Rand, id, number int32, x TxnShape) workload.Plan {
	p := workload.Plan{ID: id, Kind: workload.Writer, Network: d.network(r.Fork("network"), true), Txn: &workload.TxnOptions{Writer: number, Timeout: d.timeout(r.Fork("timeout"), x)}}
	p.Producer = d.transacting(r.Fork("options"), &p.Network)
	for i := range d.shape.scaled(r.Fork("count").Between(10, 40)) {
		own := r.ForkN("op", i)
		op := workload.Op{Kind: workload.Transact, At: d.instant(own.Fork("at")), Partition: -1, Size: int32(own.Fork("size").Between(12, 120)),
			Keys: one[int32](own.Fork("keys"), 0, 3, 50), Abort: own.Fork("abort").Chance(1, 4)}
		op.Count = int32(own.Fork("records").Between(1, 12))
		op.Topics = d.someTopics(own.Fork("topics"))
		if slow := own.Fork("every"); slow.Chance(1, 3) {
			op.Every = between(slow, core.Millisecond, 60*core.Millisecond)
		}
		if hold := own.Fork("hold"); hold.Chance(1, 4) {
			op.Hold = between(hold, core.Millisecond, one(hold, 200*core.Millisecond, 200*core.Millisecond, 2*p.Txn.Timeout))
		}
		op.Transfer = own.Fork("transfer").Chance(1, 3)
		p.Ops = append(p.Ops, op)
		if next := own.Fork("next"); next.Chance(1, 3) {
			p.Ops = append(p.Ops, d.hasty(next, op))
		}
	}
	p.Txn.EndEmpty = r.Fork("empty").Chance(1, 2)
	if own := r.Fork("crash"); own.Chance(1, 2) {
		for range own.Between(1, 3) {
			p.Ops = append(p.Ops, workload.Op{Kind: workload.Crash, At: d.instant(own), Partition: -1})
		}
	}
	return p
}

// hasty is a transaction that begins as soon as the one before has ended, to the same topics, and does not last: most are given up, some
// before anything has left.
func (d *drawer) hasty(r *prng.Rand, before workload.Op) workload.Op {
	op := before
	op.Count, op.Every, op.Transfer = int32(r.Fork("records").Between(0, 2)), 0, false
	op.Abort = op.Count == 0 || r.Fork("abort").Chance(2, 3)
	op.Hold = one(r.Fork("hold"), 0, 0, core.Millisecond, 5*core.Millisecond)
	return op
}

// someTopics is one or more of the topics, in their order.
func (d *drawer) someTopics(r *prng.Rand) []string {
	var out []string
	always := r.Below(int64(len(d.topics)))
	for i := range d.topics {
		if int64(i) == always || r.Chance(1, 3) {
			out = append(out, d.topics[i].Name)
		}
	}
	return out
}

// pipelines draws what the pipelines of one group have in common: they read all topics but the last, to which they write.
func (d *drawer) pipelines(r *prng.Rand, number int32, x TxnShape) workload.GroupOptions {
	all := d.topics
	d.topics = all[:len(all)-1]
	o := d.group(r, number, GroupShape{Session: x.Session})
	d.topics = all
	return o
}

// pipelined draws one member of such a group: when it comes and goes, how it works.
func (d *drawer) pipelined(r *prng.Rand, id int32, base workload.GroupOptions) workload.Plan {
	all := d.topics
	d.topics = all[:len(all)-1]
	p := d.member(r, id, base)
	d.topics = all
	return p
}

// pipeline makes a pipeline of a group's member.
func (d *drawer) pipeline(r *prng.Rand, p workload.Plan, number int32, words bool, x TxnShape) workload.Plan {
	all := d.topics
	p.Kind = workload.Pipeline
	p.Group.AutoEvery, p.Group.Async = 0, false
	p.Producer = d.transacting(r.Fork("options"), &p.Network)
	p.Txn = &workload.TxnOptions{Writer: number, Timeout: d.timeout(r.Fork("timeout"), x), Out: all[len(all)-1].Name, Words: words}
	for i := range p.Ops {
		if p.Ops[i].Kind == workload.Work {
			p.Ops[i].Abort = r.Fork("aborts").Chance(1, 2)
		}
	}
	if hasty := r.Fork("hasty"); hasty.Chance(1, 3) { // a few records each time: one transaction follows at the other's heels
		p.Ops = append(p.Ops, workload.Op{Kind: workload.Work, At: p.Ops[0].At, Partition: -1, Max: int32(hasty.Between(1, 4))})
	}
	return finished(p)
}
