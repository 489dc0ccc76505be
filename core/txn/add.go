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
	v.Client = c.served(version)
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
	case t == nil || t.hard.ProducerID != p.ID:
		return nil, core.ErrInvalidProducerIDMapping
	case t.hard.Epoch != p.Epoch:
		return nil, core.ErrProducerFenced
	case t.hard.State.Prepared():
		return nil, core.ErrConcurrentTransactions
	}
	return t, core.ErrNone
}

// served is the version as which a request is served: the client's, as long as its records can be written. It does not wait for the
// cluster's level to be as high: a client that has seen level 2 goes by it until it looks again, and would take an epoch that was not
// bumped, because the level has fallen since, for one that fences what is late (Kafka's TransactionVersion.transactionVersionForEndTxn
// goes by the request alone, too).
func (c *Coordinator) served(client Version) Version {
	if c.opts.Level() < 1 {
		return 0
	}
	return client
}

// effective is the version that a client's request is served as: what the cluster has not finalized does not count, for its
// records could not be written.
func (c *Coordinator) effective(client Version) Version {
	if c.opts.Level() < client {
		return 0
	}
	return client
}
