package workload

import (
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/prng"
)

// writing is the role of a transactional producer: transactions one after the other.
type writing struct {
	producing
	book   book
	m      *txn.Manager
	queue  []*Op    // Transact operations whose time has come
	op     *Op      // of the open transaction
	work   *sending // its records
	endAt  core.Mono
	retry  core.Mono // after a fatal error the producer begins anew then
	fallen bool      // in a fatal state, retry is set
	look   core.Mono // for topics that are not known yet
	proved bool      // in Settle: a transaction that began then was committed
	trying int32     // transactions begun in Settle
	luck   *prng.Rand
	events []txn.Event
}

// book is the history's side of one client's transactions.
type book struct {
	c      *Client
	writer int32
	made   int32 // transactions begun by this incarnation
	open   bool
	txn    history.Txn
	start  core.Mono
	inits  txn.Inits // when the last producer id, or epoch, was obtained
	asking bool      // another one has been asked for since
	asked  core.Mono
}

// begin opens a transaction and numbers it.
func (b *book) begin(at core.Mono) history.TxnID {
	b.made++
	b.open, b.start = true, at
	b.txn = history.Txn{ID: history.TxnID(valueOf(b.c.plan.ID, b.c.incarn, 0, b.made)), Writer: b.writer, Asked: at, Group: -1}
	return b.txn.ID
}

// ask notes that its end is asked for.
func (b *book) ask(at core.Mono, commit bool) { b.txn.Asked, b.txn.Commit = at, commit }

// doomed notes why the transaction cannot go on.
func (b *book) doomed(code core.ErrorCode) {
	if b.open && b.txn.Refused == core.ErrNone {
		b.txn.Refused = code
	}
}

// watch records how the client comes by producer ids and epochs.
func (b *book) watch(at core.Mono, m *txn.Manager) {
	n := m.Inits()
	if !b.asking && n.Asked > b.inits.Asked {
		b.asking, b.asked = true, at
	}
	switch m.State() {
	case txn.Starting:
	case txn.Fatal:
		b.obtained(at, history.Fail, m.Why(), n)
	default:
		b.obtained(at, history.OK, core.ErrNone, n)
	}
}

// obtained records the InitProducerId that is under way, if one is. What is not answered may be executed later.
func (b *book) obtained(at core.Mono, outcome history.Outcome, code core.ErrorCode, n txn.Inits) {
	if !b.asking {
		return
	}
	lost := n.Asked - b.inits.Asked - (n.Answered - b.inits.Answered)
	b.asking, b.inits = false, n
	b.c.env.Log.Init(b.c.op(b.asked, at, outcome, code), history.Init{Writer: b.writer, Lost: lost})
}

// end records the transaction. What the client was told decides: see [txn.Event].
func (b *book) end(at core.Mono, err core.ErrorCode, ambiguous bool) {
	if !b.open {
		return
	}
	b.open = false
	if err != core.ErrNone {
		b.txn.Refused = err
	}
	outcome := history.OK
	switch {
	case err == core.ErrNone:
	case ambiguous || !b.txn.Commit:
		outcome = history.Info
	default:
		outcome = history.Fail
	}
	b.c.env.Log.Txn(b.c.op(b.start, at, outcome, err), b.txn)
}

// After a fatal error a writer waits so long before it fences whoever has fenced it.
const (
	fallenLeast = 20 * core.Millisecond
	fallenMost  = 600 * core.Millisecond
)

func newWriting(c *Client) *writing {
	r := &writing{producing: *newProducing(c), m: c.machine.Transactions(), luck: c.rand.Fork("writer")}
	r.book = book{c: c, writer: c.plan.Txn.Writer}
	return r
}

func (r *writing) begin(_ core.Now, _ core.Mono, op *Op) {
	if op.Kind == Transact {
		r.queue = append(r.queue, op)
	}
}

// enter: in Settle what is open ends at once, and one transaction must succeed.
func (r *writing) enter(_ core.Now, at core.Mono, phase Phase) {
	r.queue = nil
	r.endAt = min(r.endAt, at)
	if r.work != nil {
		r.work.op.Every, r.work.nextAt = 0, min(r.work.nextAt, at)
	}
	if phase == Final && r.work != nil {
		r.work.op.Count = r.work.sent
	}
}

func (r *writing) act(now core.Now, at core.Mono) {
	r.drain(at)
	r.hear(at)
	r.book.watch(at, r.m)
	switch s := r.m.State(); {
	case s == txn.Ready:
		r.next(now, at)
	case r.deserted(): // what has become of its transaction is nothing to it
	case s == txn.Abortable:
		r.book.doomed(r.m.Why())
		r.book.ask(at, false)
		r.m.Abort(now)
	case s == txn.Fatal:
		r.rise(now, at)
	}
	if r.m.State() == txn.Open {
		r.proceed(now, at)
	}
	r.drain(at)
	r.hear(at)
}

// deserted reports whether the writer ends nothing any more.
func (r *writing) deserted() bool { return r.c.plan.Txn.Deserts && r.c.phase != Safety }

// next begins the next transaction.
func (r *writing) next(now core.Now, at core.Mono) {
	op := r.upcoming(at)
	if op == nil || !r.m.Begin(now) {
		return
	}
	r.op = op
	r.txn = r.book.begin(at)
	r.work = &sending{op: *op, rand: r.c.rand.ForkN("op", int64(op.ID)), nextAt: at, probe: -1}
	if op.Transfer {
		r.transfer(at)
	}
	r.endAt = cluster.Never
}

// most is the largest amount of a transfer.
const most = 1000

// transfer makes the transaction one of the bank: its first record takes an amount from an account, its second gives it to another.
// What the amount is stands in the history alone.
func (r *writing) transfer(at core.Mono) {
	w := &r.work.op
	w.Count, w.Tombstones = 2, 0
	r.c.env.Log.Transfer(r.c.op(at, at, history.OK, core.ErrNone), history.Transfer{Txn: r.txn, Amount: r.work.rand.Fork("amount").Between(1, most),
		Debit: valueOf(r.c.plan.ID, r.c.incarn, w.ID, 0), Credit: valueOf(r.c.plan.ID, r.c.incarn, w.ID, 1)})
}

// upcoming is what the next transaction is to be, nil for none.
func (r *writing) upcoming(at core.Mono) *Op {
	switch {
	case len(r.queue) > 0:
		op := r.queue[0]
		r.queue = r.queue[1:]
		return op
	case r.c.phase == Settle && !r.proved:
		topics := r.topics()
		if len(topics) == 0 {
			r.look = at.Add(surveyEvery)
			return nil
		}
		r.trying++
		r.proved = r.deserted() // one is enough
		return &Op{ID: MaxOpID + r.trying, Kind: Transact, Topics: topics, Count: 2, Size: probeSize}
	}
	return nil
}

// topics are those of the plan that exist.
func (r *writing) topics() []string {
	var names []string
	expected := r.c.env.Topics.expected()
	for i := range r.c.plan.Ops {
		for _, name := range r.c.plan.Ops[i].Topics {
			if slices.Contains(expected, name) {
				names = appendNew(names, name)
			}
		}
	}
	return names
}

// proceed writes what is due of the open transaction, and ends it when its time has come.
func (r *writing) proceed(now core.Now, at core.Mono) {
	for s := r.work; s.sent < s.op.Count && s.nextAt <= at; {
		if s.staged.Value == nil {
			r.aim(s)
		}
		before := s.sent
		r.one(now, at, s)
		if s.sent == before {
			return // the buffer is full
		}
		if r.m.State() != txn.Open {
			return
		}
	}
	if s := r.work; s.sent < s.op.Count || r.deserted() {
		return
	}
	if r.endAt == cluster.Never {
		r.endAt = at.Add(r.op.Hold)
		if r.c.phase != Safety {
			r.endAt = at
		}
	}
	if at < r.endAt {
		return
	}
	r.book.ask(at, !r.op.Abort)
	if r.op.Abort {
		r.m.Abort(now)
	} else {
		r.m.Commit(now)
	}
}

// one sends a single record.
func (r *writing) one(now core.Now, at core.Mono, s *sending) {
	count := s.op.Count
	s.op.Count = s.sent + 1
	r.send(now, at, s)
	s.op.Count = count
}

// aim draws where the next record goes.
func (r *writing) aim(s *sending) {
	s.op.Topic = r.op.Topics[s.rand.Below(int64(len(r.op.Topics)))]
	s.op.Partition = -1
	if n := len(r.c.machine.Cluster().Want(s.op.Topic).Partitions); n > 0 {
		s.op.Partition = int32(s.rand.Below(int64(n)))
	}
}

// hear takes what the client was told of its transactions.
func (r *writing) hear(at core.Mono) {
	r.events = r.m.Events(r.events[:0])
	for _, e := range r.events {
		switch e.Kind {
		case txn.EventEnded:
			if e.Commit && e.Err == core.ErrNone && r.c.phase == Settle && r.op != nil && r.op.ID > MaxOpID {
				r.proved = true
			}
			r.drain(at) // its records come first
			r.book.end(at, e.Err, e.Ambiguous)
			r.op, r.work, r.txn = nil, nil, 0
		case txn.EventFatal:
			r.fallen = false
		case txn.EventAbortable:
			r.book.doomed(e.Err)
		case txn.EventReady:
		}
	}
}

// rise begins anew after a fatal error. In Settle whoever has shown that it can commit leaves the others alone.
func (r *writing) rise(now core.Now, at core.Mono) {
	switch {
	case !r.fallen:
		r.fallen, r.retry = true, at.Add(core.Mono(r.luck.Between(int64(fallenLeast), int64(fallenMost))))
	case at >= r.retry && !(r.c.phase == Settle && r.proved) && r.c.phase != Final:
		r.m.Restart(now)
		r.fallen = false
	}
}

func (r *writing) due() core.Mono {
	at := cluster.Never
	switch r.m.State() {
	case txn.Open:
		if !r.deserted() {
			at = r.endAt
		}
		if s := r.work; s != nil && s.sent < s.op.Count && s.staged.Value == nil {
			at = min(at, s.nextAt)
		}
	case txn.Fatal:
		if r.fallen && !r.deserted() && !(r.c.phase == Settle && r.proved) && r.c.phase != Final {
			at = r.retry
		}
	case txn.Ready:
		if r.c.phase == Settle && !r.proved && r.look > 0 {
			at = r.look
		}
	default: // the client says when
	}
	return at
}

func (r *writing) wants() string {
	if r.deserted() {
		return ""
	}
	if r.book.open || len(r.calls) > 0 {
		return "the end of a transaction"
	}
	if r.c.phase != Settle || r.proved || !slices.ContainsFunc(r.c.plan.Ops, func(op Op) bool { return op.Kind == Transact }) {
		return ""
	}
	return "to have committed a transaction after the faults"
}

// finish records what is open: without an end that was asked for it is never committed.
func (r *writing) finish(at core.Mono) {
	r.p.Close()
	r.m.Close()
	r.drain(at)
	r.hear(at)
	r.book.end(at, core.ErrNetworkException, false)
	r.book.obtained(at, history.Info, core.ErrNone, r.m.Inits())
}
