package producer

import (
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

type idState uint8

const (
	idsNeeded idState = iota
	idsAsked
	idsKnown
	idsOff // no idempotence
)

// identity is the producer id that InitProducerId gave.
type identity struct {
	state    idState
	id       core.ProducerID
	epoch    core.ProducerEpoch
	retryAt  core.Mono
	failures int
	ever     bool // an id was given at least once: there is no going back to none
	call     cluster.Call
}

// numbering is a partition's place in its producer's numbers. The zero value takes the producer's id on first use.
type numbering struct {
	taken bool // id and epoch are set
	id    core.ProducerID
	epoch core.ProducerEpoch
	next  int32 // sequence of the next record
	gap   bool  // a number was given out that the broker may never see: a new epoch is needed
	// proven is set once the present leader has acknowledged a batch under id and epoch. Until then one batch is in
	// flight: a broker without state for the producer takes any first sequence, so that it would take the second batch
	// although the first was refused (KAFKA.md 35).
	proven bool
}

// identify asks for a producer id if one is needed.
func (p *Producer) identify(now core.Now, out *step.Effects) {
	ids := &p.ids
	if ids.state != idsNeeded || now.Mono < ids.retryAt {
		return
	}
	l := p.cl.AnyLink(now, out)
	if l == nil {
		return
	}
	req := kmsg.NewPtrInitProducerIDRequest()
	req.ProducerID, req.ProducerEpoch = -1, -1
	req.TransactionTimeoutMillis = math.MaxInt32 // as Java: it means nothing without a transactional id
	ids.call = cluster.Call{Owner: cluster.Producer, Ref: ids, Body: req}
	if !p.cl.Call(now, l, &ids.call, out) {
		p.withoutIdentity(core.ErrUnsupportedVersion)
		return
	}
	ids.state = idsAsked
}

// withoutIdentity goes on without idempotence if that is allowed; else everything fails.
func (p *Producer) withoutIdentity(err core.ErrorCode) {
	if p.opts.Idempotence == IdempotenceAuto && !p.ids.ever {
		p.ids.state = idsOff
		return
	}
	p.ids.state = idsNeeded
	for _, part := range p.active {
		for len(part.queue) > 0 && part.inflight == 0 {
			b := part.queue[0]
			if b.state == filling {
				p.seal(b)
			}
			p.fail(b, err, b.unknown)
		}
	}
}

// identified takes the answer to InitProducerId.
func (p *Producer) identified(now core.Now, done *cluster.Completion) {
	ids := &p.ids
	resp, _ := done.Resp.(*kmsg.InitProducerIDResponse)
	err := core.ErrNetworkException
	if resp != nil {
		err = core.ErrorCode(resp.ErrorCode)
	}
	switch {
	case err == core.ErrNone:
		ids.state, ids.failures, ids.ever = idsKnown, 0, true
		ids.id, ids.epoch = core.ProducerID(resp.ProducerID), core.ProducerEpoch(resp.ProducerEpoch)
	case err.Retriable(), err == core.ErrUnknownServerError:
		ids.state = idsNeeded
		ids.failures++
		ids.retryAt = p.cl.RetryAfter(now.Mono, ids.failures)
	default:
		ids.retryAt = p.cl.RetryAfter(now.Mono, 1)
		p.withoutIdentity(err)
	}
}

// number gives a batch its place in the partition's sequence, once.
func (p *Producer) number(b *batch) {
	if p.ids.state == idsOff || b.numbered {
		return
	}
	n := &b.part.numbers
	if !n.taken || p.txn.On() && (n.id != p.ids.id || n.epoch != p.ids.epoch) {
		*n = numbering{taken: true, id: p.ids.id, epoch: p.ids.epoch}
	}
	b.numbered, b.sequence = true, n.next
	n.next = record.IncrementSequence(n.next, int32(len(b.records)))
	stamp(b)
}

// stamp writes a batch's numbers into its header. No request refers to the bytes: a batch whose attempt was lost keeps
// its number.
func stamp(b *batch) {
	h := record.Batch(b.bytes).Header()
	n := &b.part.numbers
	h.ProducerID, h.ProducerEpoch, h.BaseSequence = n.id, n.epoch, b.sequence
	h.AppendTo(b.bytes[:0])
	h.CRC = record.Batch(b.bytes).ComputeCRC()
	h.AppendTo(b.bytes[:0])
}

// borrow takes the producer id of the transactions, whose epoch goes for all partitions alike.
func (p *Producer) borrow() {
	id, epoch, ok := p.txn.Identity()
	p.ids.state = idsAsked
	switch {
	case ok:
		p.ids.state, p.ids.id, p.ids.epoch = idsKnown, id, epoch
	case id == core.NoProducerID:
		p.orphan(core.ErrInvalidTxnState)
	}
}

// orphan gives up what is in flight: whoever begins anew, as another producer, takes nothing along. Repeated after that a batch would
// be refused for its epoch, and the refusal doom a transaction that it is no part of.
func (p *Producer) orphan(code core.ErrorCode) {
	for _, part := range p.active {
		kept := part.queue[:0]
		for _, b := range part.queue {
			if b.state != inFlight {
				kept = append(kept, b)
				continue
			}
			if !b.expired {
				p.failRecords(b, code, true)
			}
			b.orphan = true
			part.inflight--
		}
		clear(part.queue[len(kept):])
		part.queue = kept
	}
	p.deactivate()
}

// stuck reports whether a partition waits for the end of a transaction that a failed batch has doomed. In another epoch what was
// missing before does not matter any more.
func (p *Producer) stuck(part *partition) bool {
	n := &part.numbers
	return n.gap && n.id == p.ids.id && n.epoch == p.ids.epoch
}

// abandon fails what has not left when nothing more of the transaction is to be written.
func (p *Producer) abandon(code core.ErrorCode) {
	for _, t := range p.order {
		for i := range t.parked {
			p.failParked(&t.parked[i], code)
		}
		clear(t.parked)
		t.parked = t.parked[:0]
	}
	for _, part := range p.active {
		for i := 0; i < len(part.queue); {
			b := part.queue[i]
			if b.state == inFlight {
				i++
				continue
			}
			if b.state == filling {
				p.seal(b)
			}
			p.fail(b, code, b.unknown)
		}
	}
	p.deactivate()
}

// renumber begins a new epoch in a partition where nothing is in flight (KIP-360).
func (p *Producer) renumber(part *partition) {
	n := &part.numbers
	n.gap, n.next, n.proven = false, 0, false
	for i := 0; i < len(part.queue); {
		b := part.queue[i]
		switch {
		case b.numbered && b.unknown:
			// The lost request may still be executed, and could not be told from a repeat under another number.
			p.drop(b, core.ErrOutOfOrderSequenceNumber, true)
		default:
			b.numbered = false
			i++
		}
	}
	if n.epoch < math.MaxInt16 {
		n.epoch++
		return
	}
	n.taken = false // epochs are used up: the partition takes a new producer id
	if p.ids.id == n.id && p.ids.state == idsKnown {
		p.ids.state = idsNeeded
	}
}

// vacate gives a failed batch's number back if it is the last one given and was certainly never used, or else notes the
// gap that it leaves.
func vacate(b *batch) {
	n := &b.part.numbers
	if !b.numbered || n.gap {
		return
	}
	if !b.unknown && record.IncrementSequence(b.sequence, int32(len(b.records))) == n.next {
		n.next = b.sequence
		return
	}
	n.gap = true
}
