package txn

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
)

// abortTimer looks for transactions whose time is up, every transaction.abort.timed.out.transaction.cleanup.interval.ms.
type abortTimer struct{ c *Coordinator }

func (c *Coordinator) armAborts(now core.Now) {
	c.timers.Add(now.Mono.Add(core.Millis(c.opts.Config.AbortIntervalMs)), abortTimer{c})
}

// Expire implements [coord.Timer]. What the log does not take is found again the next time, and holds up nobody else: a transaction of
// very many partitions may not fit into a batch.
func (a abortTimer) Expire(now core.Now) {
	var due []*Txn
	for _, t := range a.c.open.All() {
		if t.deadline <= now.Mono {
			due = append(due, t)
		}
	}
	for _, t := range due {
		_ = a.c.fence(now, t)
	}
	a.c.armAborts(now)
}

// expiryTimer looks for transactional ids that nobody has used for transactional.id.expiration.ms, every
// transaction.remove.expired.transaction.cleanup.interval.ms.
type expiryTimer struct{ c *Coordinator }

func (c *Coordinator) armExpiry(now core.Now) {
	c.timers.Add(now.Mono.Add(core.Millis(c.opts.Config.RemoveIntervalMs)), expiryTimer{c})
}

// Expire implements [coord.Timer].
func (e expiryTimer) Expire(now core.Now) {
	e.c.removeExpired(now)
	e.c.armExpiry(now)
}

// removeExpired writes tombstones for ids without an open transaction that have been silent for too long (KIP-98). What the log
// does not take is found again the next time.
func (c *Coordinator) removeExpired(now core.Now) {
	const most = 64 << 10 // bytes of keys in a batch
	var recs []coord.Record
	size := 0
	flush := func() bool {
		code := c.opts.Log.Propose(now, recs)
		recs, size = nil, 0
		return code == core.ErrNone
	}
	for id, t := range c.txns.All() {
		if !t.hard.State.Idle() || now.Wall-t.hard.Updated < core.Wall(c.opts.Config.ExpirationMs) {
			continue
		}
		key := AppendKey(nil, id)
		recs = append(recs, coord.Record{Key: key})
		if size += len(key); size >= most && !flush() {
			return
		}
	}
	flush()
}
