package txn

import (
	"slices"

	"github.com/klamm-log/klamm/core"
)

// AddPartitions makes partitions part of the producer's transaction, and begins one if none is open. version is 0 for a client
// that asks itself, [Version2] for a partition's leader that asks when the first batch comes (KIP-890).
func (c *Coordinator) AddPartitions(now core.Now, id string, p Producer, tps []core.TopicPartition, version Version) core.ErrorCode {
	t, code := c.writable(id, p)
	switch {
	case code != core.ErrNone:
		return code
	case len(tps) == 0 || t.hard.State == Ongoing && t.has(tps):
		return core.ErrNone
	}
	v := t.next(now, Ongoing)
	v.Partitions = ordered(slices.Concat(t.hard.Partitions, tps))
	v.Client = version
	began := t.hard.State != Ongoing
	if began {
		v.Started = now.Wall
	}
	if code := c.move(now, t, &v); code != core.ErrNone {
		return code
	}
	if began {
		t.deadline = now.Mono.Add(core.Millis(int64(v.TimeoutMs)))
		t.retry = nobody() // who writes has heard the answer
	}
	return core.ErrNone
}

// Verify tells which of the partitions are part of the producer's transaction (KIP-890, part 1): one code per partition. A batch
// for another one must not be appended; it would belong to a transaction that never ends.
func (c *Coordinator) Verify(id string, p Producer, tps []core.TopicPartition) []core.ErrorCode {
	codes := make([]core.ErrorCode, len(tps))
	t, code := c.writable(id, p)
	for i := range tps {
		if codes[i] = code; code == core.ErrNone && !t.has(tps[i:i+1]) {
			codes[i] = core.ErrTransactionAbortable
		}
	}
	return codes
}

// writable finds the producer's transactional id if it may write: it is the current one, and no transaction is being ended.
func (c *Coordinator) writable(id string, p Producer) (*Txn, core.ErrorCode) {
	t := c.txns.At(id)
	switch {
	case t == nil:
		return nil, core.ErrInvalidProducerIDMapping
	case t.follows(p):
		return nil, core.ErrConcurrentTransactions
	case t.hard.ProducerID != p.ID:
		return nil, core.ErrInvalidProducerIDMapping
	case t.hard.Epoch != p.Epoch:
		return nil, core.ErrProducerFenced
	case t.hard.State.Prepared():
		return nil, core.ErrConcurrentTransactions
	}
	return t, core.ErrNone
}
