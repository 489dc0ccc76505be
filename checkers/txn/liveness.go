package txn

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Liveness says what must happen once faults have stopped, and how soon.
type Liveness struct {
	Stop core.Mono // from then on no fault is active
	// Commit is how long after Stop a writer may take until a transaction of its transactional.id that began at Begin or later is
	// committed: Begin may be before Stop, where only some of what is needed was healed at first. Writers names them.
	Begin   core.Mono
	Commit  core.Mono
	Writers []int32
	// Stable is how long after Stop, and after the last of what was sent in transactions, the LastStableOffset may be below the
	// HighWatermark: the longest transaction.timeout.ms, and the time to abort.
	Stable core.Mono
}

// CheckLiveness judges what transactions owe after the faults.
//
//   - L-TXN-COMPLETES: each writer commits a transaction: neither InitProducerId nor a prepared transaction stands in its way for
//     ever (KAFKA-16352).
//   - L-LSO: where nobody writes in transactions any more, the LastStableOffset reaches the HighWatermark: no transaction hangs
//     (KIP-890).
func CheckLiveness(log *history.Log, l Liveness) []checkers.Violation {
	c := &checker{log: log, count: make(map[checkers.Property]int)}
	for _, w := range l.Writers {
		c.completes(l, w)
	}
	c.stable(l)
	return c.out.Violations
}

// completes demands a commit of one writer. Nothing is owed if the history ends before its time is up.
func (c *checker) completes(l Liveness, writer int32) {
	by, end := l.Stop.Add(l.Commit), core.Mono(0)
	last := -1
	for i := range c.log.Len() {
		op, body := c.log.At(i)
		end = op.End
		b, ok := body.(*history.Txn)
		if !ok || b.Writer != writer {
			continue
		}
		last = i
		if b.Commit && op.Outcome == history.OK && op.Start >= l.Begin && op.End <= by {
			return
		}
	}
	if end < by {
		return
	}
	var why []int
	if last >= 0 {
		why = []int{last}
	}
	c.report(Completes, history.Place{Topic: -1}, core.NoOffset, why, "writer %d has not committed any transaction within %d ns after the faults", writer, l.Commit)
}

// stable demands of each partition's last look that nothing is open there any more.
func (c *checker) stable(l Liveness) {
	active := make(map[history.Place]core.Mono)
	looks := make(map[history.Place]int)
	for i := range c.log.Len() {
		op, body := c.log.At(i)
		switch b := body.(type) {
		case *history.Send:
			if b.Txn != 0 {
				active[b.Place] = op.End
			}
		case *history.Poll:
			if b.LastStableOffset != core.NoOffset && b.HighWatermark != core.NoOffset && op.Outcome == history.OK {
				looks[b.Place] = i
			}
		default: // nothing else shows the counter
		}
	}
	at := make([]int, 0, len(looks))
	for _, i := range looks { //det:unordered sorted below
		at = append(at, i)
	}
	slices.SortFunc(at, cmp.Compare[int])
	for _, i := range at {
		op, body := c.log.At(i)
		p := body.(*history.Poll)
		since := max(l.Stop, active[p.Place])
		if op.Start > since.Add(l.Stable) && p.LastStableOffset < p.HighWatermark {
			c.report(LastStable, p.Place, p.LastStableOffset, []int{i},
				"the LastStableOffset is %d and the HighWatermark %d, %d ns after anything was written in a transaction", p.LastStableOffset, p.HighWatermark, op.Start-since)
		}
	}
}
