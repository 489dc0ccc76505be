package txn

import "github.com/klamm-log/klamm/core"

// InitRequest asks for the right to be the producer of a transactional id.
type InitRequest struct {
	ID        string
	TimeoutMs int32
	// Expected is who the caller has been, if it is to go on where it was (KIP-360); nil for one that has just started.
	Expected *Producer
}

// InitResult is the answer.
type InitResult struct {
	Code     core.ErrorCode
	Producer Producer
	// Again says that there was no producer id to give: the request is to come again when there are some. Nothing has happened.
	Again bool
}

// InitProducerID makes the caller the producer of a transactional id: whoever was before is fenced, and what it has left open is
// aborted. While that lasts the answer is CONCURRENT_TRANSACTIONS, and the caller asks again.
func (c *Coordinator) InitProducerID(now core.Now, r *InitRequest) InitResult {
	if r.TimeoutMs <= 0 || r.TimeoutMs > c.opts.Config.MaxTimeoutMs {
		return refused(core.ErrInvalidTransactionTimeout)
	}
	t := c.txns.At(r.ID)
	if t == nil {
		return c.first(now, r)
	}
	fresh := r.Expected == nil
	switch {
	case !fresh && t.follows(*r.Expected):
		return refused(core.ErrConcurrentTransactions)
	case !fresh && *r.Expected != t.producer() && *r.Expected != t.retry:
		// KIP-360. While the transaction is open Kafka looks at the producer id only and aborts it first, so that a zombie ends
		// the transaction of the one that has replaced it before it is told that it is fenced.
		return refused(core.ErrProducerFenced)
	case t.hard.State.Prepared():
		return refused(core.ErrConcurrentTransactions)
	case t.hard.State == Ongoing:
		// The bumped epoch is nobody's: the caller comes again when the transaction is aborted, and gets the next one.
		code := c.fence(now, t)
		if code == core.ErrNone {
			code = core.ErrConcurrentTransactions
		}
		return refused(code)
	}
	return c.succeed(now, t, r)
}

func refused(code core.ErrorCode) InitResult { return InitResult{Code: code, Producer: nobody()} }

// first makes a transactional id that is not known. An expected producer is ignored then: its state has expired, and with it
// everything that it could be confused with (KIP-360).
func (c *Coordinator) first(now core.Now, r *InitRequest) InitResult {
	id, ok := c.opts.IDs.Next()
	if !ok {
		return InitResult{Again: true}
	}
	t := &Txn{id: r.ID, at: core.NoOffset, hard: Value{
		ProducerID: id, Epoch: core.NoProducerEpoch, PreviousProducerID: core.NoProducerID, NextProducerID: core.NoProducerID,
	}}
	return c.become(now, t, r, Producer{ID: id})
}

// succeed gives a known transactional id without an open transaction to the caller.
func (c *Coordinator) succeed(now core.Now, t *Txn, r *InitRequest) InitResult {
	switch next := t.producer(); {
	case r.Expected != nil && *r.Expected == t.retry && t.retry != t.producer():
		// The answer to its last call was lost. Nobody else has come since, else retry were somebody else's.
		return c.become(now, t, r, next)
	case next.Epoch >= lastEpoch:
		id, ok := c.opts.IDs.Next()
		if !ok {
			return InitResult{Again: true}
		}
		return c.become(now, t, r, Producer{ID: id})
	default:
		next.Epoch++
		return c.become(now, t, r, next)
	}
}

// become makes a producer the one of the transactional id.
func (c *Coordinator) become(now core.Now, t *Txn, r *InitRequest, p Producer) InitResult {
	v := t.next(now, Empty)
	v.ProducerID, v.Epoch, v.NextProducerID = p.ID, p.Epoch, core.NoProducerID
	v.TimeoutMs, v.Partitions, v.Started, v.Client = r.TimeoutMs, nil, core.NoTimestamp, 0
	if code := c.move(now, t, &v); code != core.ErrNone {
		return refused(code)
	}
	retry := nobody()
	if r.Expected != nil {
		retry = *r.Expected
	}
	c.txns.At(t.id).retry = retry
	return InitResult{Producer: p}
}
