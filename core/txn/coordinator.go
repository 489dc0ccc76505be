package txn

import (
	"encoding/binary"
	"iter"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/coord/coding"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/ordmap"
)

// IDs gives producer ids, each once in the life of the cluster (KIP-730).
type IDs interface {
	// Next takes one. Without one the caller has to wait for another block.
	Next() (id core.ProducerID, ok bool)
}

// Options is what a Coordinator is made of.
type Options struct {
	Config config.Transactions
	Epoch  core.LeaderEpoch // of this leadership: the coordinator epoch in every marker
	Log    coord.Proposer
	IDs    IDs
	// Level is the finalized level of transaction.version: what records are written as, and whether epochs are bumped.
	Level func() Version
}

// Coordinator is one partition's transactional ids. It implements [coord.Machine].
type Coordinator struct {
	opts   Options
	txns   *ordmap.Map[string, *Txn]
	timers coord.Timers
	active bool
	// open are the ids whose transaction is Ongoing: those that can time out.
	open *ordmap.Map[string, *Txn]
	// prepared are the transactions whose Prepare record may not be committed yet, in the order of their records.
	prepared []*Txn
	markers  []Marker // to be taken by TakeMarkers
}

// New is a coordinator of which nothing has been replayed.
func New(opts Options) *Coordinator {
	return &Coordinator{opts: opts, txns: ordmap.Ordered[string, *Txn](), open: ordmap.Ordered[string, *Txn]()}
}

// Replay implements [coord.Machine].
func (c *Coordinator) Replay(e *coord.Entry) error {
	id, known, err := ParseKey(e.Key)
	if err != nil || !known {
		return err // KIP-915: the kinds of record that newer versions add are none of this one's business
	}
	if e.Value == nil {
		c.txns.Delete(id)
		c.open.Delete(id)
		return nil
	}
	v, err := ParseValue(e.Value)
	if err != nil {
		return err
	}
	t := c.txns.At(id)
	if t == nil {
		t = &Txn{id: id, retry: nobody()}
		c.txns.Set(id, t)
	}
	t.hard, t.at = v, e.Offset
	if v.State == Ongoing {
		c.open.Set(id, t)
	} else {
		c.open.Delete(id)
	}
	if c.active && v.State.Prepared() {
		c.prepared = append(c.prepared, t) // otherwise Activate does
	}
	return nil
}

// EndTxn implements [coord.Machine]. Nobody writes to __transaction_state in a transaction.
func (c *Coordinator) EndTxn(core.ProducerID, core.ProducerEpoch, bool) {}

// Activate implements [coord.Machine]: transactions that were prepared by an earlier coordinator go on (F3: else their partitions'
// LastStableOffset would never move again), and the time of the open ones runs. How long they have been open is known by wall
// clocks that may differ; it is never less than nothing, and none gets more than its whole time again.
func (c *Coordinator) Activate(now core.Now) {
	c.active = true
	for _, t := range c.txns.All() {
		switch {
		case t.hard.State == Ongoing:
			timeout := core.Wall(t.hard.TimeoutMs)
			left := min(max(t.hard.Started+timeout-now.Wall, 0), timeout)
			t.deadline = now.Mono.Add(core.Millis(int64(left)))
		case t.hard.State.Prepared():
			c.send(now, t)
		}
	}
	c.armAborts(now)
	c.armExpiry(now)
}

// Committed tells how far the log is committed in this leadership: whose decision is, gets its markers. Before, they must not
// leave (F1): a coordinator that dies now may leave a successor that knows the transaction as Ongoing, and aborts it.
func (c *Coordinator) Committed(now core.Now, hw core.Offset) {
	n := 0
	for ; n < len(c.prepared) && c.prepared[n].at < hw; n++ {
		c.send(now, c.prepared[n])
	}
	if c.prepared = c.prepared[n:]; len(c.prepared) == 0 {
		c.prepared = nil // lets go of the slice that they have walked through
	}
}

// NextDeadline is the earliest instant at which the coordinator wants Expire.
func (c *Coordinator) NextDeadline() (core.Mono, bool) { return c.timers.Next() }

// Expire does what is due.
func (c *Coordinator) Expire(now core.Now) {
	for {
		t, due := c.timers.PopDue(now.Mono)
		if !due {
			return
		}
		t.Expire(now)
	}
}

// Txn finds a transactional id; nil if there is none.
func (c *Coordinator) Txn(id string) *Txn { return c.txns.At(id) }

// All are the transactional ids, in order.
func (c *Coordinator) All() iter.Seq2[string, *Txn] { return c.txns.All() }

// Check asserts the invariants.
func (c *Coordinator) Check() {
	waiting := make(map[*Txn]bool, len(c.prepared))
	for _, t := range c.prepared {
		invariant.Check(t.hard.State.Prepared() && t.sending == nil, "transactional id %q waits to send markers: %s", t.id, t.hard.State)
		waiting[t] = true
	}
	for id, t := range c.txns.All() {
		s := t.hard.State
		invariant.Check(c.open.Has(id) == (s == Ongoing), "transactional id %q is %s and open: %v", id, s, c.open.Has(id))
		invariant.Check(s.Prepared() || t.sending == nil, "transactional id %q is %s and sends markers", id, s)
		invariant.Check(s == Ongoing || s.Prepared() || len(t.hard.Partitions) == 0, "transactional id %q is %s with partitions", id, s)
		if !c.active || !s.Prepared() {
			continue
		}
		invariant.Check(waiting[t] || t.sending != nil, "transactional id %q is %s and nobody sends its markers", id, s)
		if w := t.sending; w != nil {
			invariant.Check(len(w.left) > 0 || w.armed, "transactional id %q has all markers and is not completed", id)
			invariant.Check(len(w.failed) == 0 || w.armed, "transactional id %q: nobody asks again for its markers", id)
		}
	}
}

// AppendState appends the hard state in a canonical form: two coordinators that have replayed equal logs have equal bytes.
func (c *Coordinator) AppendState(dst []byte) []byte {
	for id, t := range c.txns.All() {
		dst = coding.AppendBytes(dst, AppendKey(nil, id))
		dst = coding.AppendBytes(dst, t.hard.AppendTo(nil, 1))
		dst = binary.BigEndian.AppendUint64(dst, uint64(t.at))
	}
	return dst
}
