package txn

import (
	"math"

	"github.com/klamm-log/klamm/core"
)

// EndRequest ends a transaction. Its version decides how, not the level that is finalized (Kafka's TransactionVersion.transactionVersionForEndTxn):
// a client that has seen level 2 goes by it until it looks again. It begins its next transaction with sequence number 0: under the epoch
// of before a leader would take the first batch for a repeat, and acknowledge it without storing it.
type EndRequest struct {
	ID       string
	Producer Producer
	Commit   bool
	// Version is [Version2] for clients that expect another epoch for their next transaction (EndTxn 5), else 0.
	Version Version
}

// EndResult is the answer. Producer is who the client is from now on.
type EndResult struct {
	Code     core.ErrorCode
	Producer Producer
	// Again says that there was no producer id to go on with: the request is to come again when there are some.
	Again bool
}

// End decides how the producer's transaction ends. The answer may leave when the decision is committed: from then on it stands,
// whoever coordinates, and the markers follow.
func (c *Coordinator) End(now core.Now, r *EndRequest) EndResult {
	t := c.txns.At(r.ID)
	if t == nil {
		return failed(core.ErrInvalidProducerIDMapping)
	}
	if r.Version.BumpsEpoch() {
		return c.endBumping(now, t, r)
	}
	switch {
	case t.hard.ProducerID != r.Producer.ID:
		return failed(core.ErrInvalidProducerIDMapping)
	case t.hard.Epoch != r.Producer.Epoch:
		return failed(core.ErrProducerFenced)
	case t.hard.State == Ongoing:
		return c.prepare(now, t, r)
	case t.hard.State == Empty:
		return failed(core.ErrInvalidTxnState)
	}
	// The epoch does not tell a retry from an end of nothing; both get what has become of the last transaction.
	return t.ended(r.Commit)
}

func failed(code core.ErrorCode) EndResult { return EndResult{Code: code, Producer: nobody()} }

// ended is the answer to who asks for an end that has been decided (F7: it must not be told that what it wants has failed).
func (t *Txn) ended(commit bool) EndResult {
	decided := t.hard.State == PrepareCommit || t.hard.State == CompleteCommit
	switch {
	case decided != commit:
		return failed(core.ErrInvalidTxnState)
	case t.hard.State.Prepared():
		return failed(core.ErrConcurrentTransactions)
	}
	return EndResult{Producer: t.producer()}
}

// endBumping is EndTxn of transaction version 2 (KIP-890, part 2): the epoch says which transaction is meant. The current one means
// the transaction that is open, or an empty one; the one before means the last, whose outcome is repeated; all others are over (F4).
func (c *Coordinator) endBumping(now core.Now, t *Txn, r *EndRequest) EndResult {
	if t.repeated(r.Producer) {
		return t.ended(r.Commit)
	}
	switch {
	case t.follows(r.Producer):
		return failed(core.ErrConcurrentTransactions)
	case t.hard.ProducerID != r.Producer.ID:
		return failed(core.ErrInvalidProducerIDMapping)
	case t.hard.Epoch != r.Producer.Epoch:
		return failed(core.ErrProducerFenced)
	case t.hard.State.Prepared():
		// The client was given this epoch when the end of the transaction before was decided, and has begun another one, and given it up,
		// before all markers were written. Kafka fences it here, who is the only producer there is: franz-go's TestTxnEtl.
		return failed(core.ErrConcurrentTransactions)
	case t.hard.State != Ongoing && r.Commit:
		return failed(core.ErrInvalidTxnState)
	}
	// An abort is taken without any partition, too: the client does not know whether its first batch has added one.
	return c.prepare(now, t, r)
}

// follows reports whether a producer is the one that comes after a transaction whose end has used up the epochs. Its client knows it, and may
// begin with it, as soon as the end is decided; here it is nobody before all markers are written (KAFKA-18575).
func (t *Txn) follows(p Producer) bool {
	return t.hard.State.Prepared() && p.ID != core.NoProducerID && p == Producer{ID: t.hard.NextProducerID}
}

// repeated reports whether a producer is the one whose transaction has ended last: its epoch is the one before, or it has been
// exhausted and another producer id came after it. After an end of version 0 or 1, which bumps nothing, the epoch before is that of a
// producer that has been fenced, and must not be told the one of its successor.
func (t *Txn) repeated(p Producer) bool {
	if t.hard.State == Empty || t.hard.State == Ongoing || !max(t.hard.Client, t.ending).BumpsEpoch() {
		return false
	}
	if t.hard.ProducerID != p.ID {
		return t.hard.PreviousProducerID == p.ID && p.Epoch == lastEpoch && t.hard.Epoch == 0 && !t.hard.State.Prepared()
	}
	if t.hard.Epoch == math.MaxInt16 && t.hard.NextProducerID == core.NoProducerID {
		return false // the coordinator has fenced the last epoch; a client's own end would go on with another id
	}
	return t.hard.Epoch == p.Epoch+1
}

// prepare decides the end that the producer of a transaction has asked for.
func (c *Coordinator) prepare(now core.Now, t *Txn, r *EndRequest) EndResult {
	v := t.decide(now, r.Commit, r.Version)
	after := Producer{ID: v.ProducerID, Epoch: v.Epoch}
	if v.Client.BumpsEpoch() {
		if v.Epoch >= lastEpoch {
			if c.opts.Level().valueVersion() < 1 {
				return failed(core.ErrProducerFenced) // no place for the next producer id: the client begins anew, and gets another
			}
			id, ok := c.opts.IDs.Next()
			if !ok {
				return EndResult{Again: true}
			}
			v.NextProducerID = id
			after = Producer{ID: id}
		} else {
			after.Epoch++
		}
		v.Epoch++
	}
	if code := c.move(now, t, &v); code != core.ErrNone {
		return failed(code)
	}
	if t.ending = r.Version; r.Version.BumpsEpoch() {
		t.retry = r.Producer
	}
	return EndResult{Producer: after}
}

// decide is the Prepare value, before any epoch is bumped.
func (t *Txn) decide(now core.Now, commit bool, version Version) Value {
	s := PrepareAbort
	if commit {
		s = PrepareCommit
	}
	v := t.next(now, s)
	v.Client, v.NextProducerID = version, core.NoProducerID
	if t.hard.State != Ongoing {
		v.Started = now.Wall
	}
	return v
}

// fence aborts the open transaction against its producer: it has been too slow, or another one wants to go on. The epoch of the
// markers is above the producer's, so that nothing of it is appended after them. It is bumped twice, so that the EndTxn of a producer of
// version 2 is not taken for the retry of one that has succeeded: such a producer may be here at every level of the cluster.
func (c *Coordinator) fence(now core.Now, t *Txn) core.ErrorCode {
	v := t.decide(now, false, Version2)
	v.Epoch = min(v.Epoch, math.MaxInt16-2) + 2
	code := c.move(now, t, &v)
	if code == core.ErrNone {
		t.retry, t.ending = nobody(), Version2
	}
	return code
}
