package verify

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// askVersion is that of AddPartitionsToTxn between brokers: 4 is batched and verifies (KIP-890), 5 knows TRANSACTION_ABORTABLE.
const askVersion = 5

// question is a request that is being put together or under way.
type question[T any] struct {
	node    core.NodeID
	body    *kmsg.AddPartitionsToTxnRequest
	entries []*entry[T] // each with the partition of its claim
}

// EndTurn asks coordinators for what waits.
func (g *Gate[T]) EndTurn(now core.Now, out *step.Effects) {
	if len(g.asking) == 0 {
		return
	}
	var questions []*question[T]
	left := g.asking[:0]
	for _, e := range g.asking {
		if e.due > now.Mono {
			left = append(left, e)
			continue
		}
		e.due = 0 // from now on nothing is waited for but another answer
		node := g.host.TxnCoordinator(e.claim.TransactionalID)
		switch {
		case node == core.NoNode:
			g.decide(e, core.ErrCoordinatorNotAvailable)
			continue
		case slices.Contains(g.busy, node):
			left = append(left, e)
			continue
		}
		i := slices.IndexFunc(questions, func(q *question[T]) bool { return q.node == node })
		if i < 0 {
			i = len(questions)
			body := kmsg.NewPtrAddPartitionsToTxnRequest()
			body.SetVersion(askVersion)
			questions = append(questions, &question[T]{node: node, body: body})
		}
		if !questions[i].add(e) {
			left = append(left, e)
		}
	}
	clear(g.asking[len(left):])
	g.asking = left
	for _, q := range questions {
		g.busy = append(g.busy, q.node)
		g.host.AskBroker(now, q.node, route.LaneVerify, q.body, timeout,
			func(now core.Now, body wire.Response, out *step.Effects) { g.answered(now, q, body) }, out)
	}
}

// add puts an entry into the request. A transactional id stands there once, with one epoch and one purpose: what differs waits for the next.
func (q *question[T]) add(e *entry[T]) bool {
	c := &e.claim
	i := slices.IndexFunc(q.body.Transactions, func(t kmsg.AddPartitionsToTxnRequestTransaction) bool {
		return t.TransactionalID == c.TransactionalID
	})
	if i < 0 {
		t := kmsg.NewAddPartitionsToTxnRequestTransaction()
		t.TransactionalID, t.ProducerID, t.ProducerEpoch, t.VerifyOnly = c.TransactionalID, int64(c.ProducerID), int16(c.Epoch), !c.Add
		i = len(q.body.Transactions)
		q.body.Transactions = append(q.body.Transactions, t)
	}
	t := &q.body.Transactions[i]
	if t.ProducerID != int64(c.ProducerID) || t.ProducerEpoch != int16(c.Epoch) || t.VerifyOnly == c.Add {
		return false
	}
	k := slices.IndexFunc(t.Topics, func(x kmsg.AddPartitionsToTxnRequestTransactionTopic) bool { return x.Topic == c.Topic })
	if k < 0 {
		k = len(t.Topics)
		topic := kmsg.NewAddPartitionsToTxnRequestTransactionTopic()
		topic.Topic = c.Topic
		t.Topics = append(t.Topics, topic)
	}
	t.Topics[k].Partitions = append(t.Topics[k].Partitions, c.Partition)
	e.stage, e.due = asked, 0
	q.entries = append(q.entries, e)
	return true
}

// answered takes a coordinator's answer, nil if none has come.
func (g *Gate[T]) answered(now core.Now, q *question[T], body wire.Response) {
	g.busy = remove(g.busy, q.node)
	resp, _ := body.(*kmsg.AddPartitionsToTxnResponse)
	for _, e := range q.entries {
		if e.gone || e.stage != asked {
			continue // voided meanwhile
		}
		code := codeFor(resp, &e.claim)
		again := now.Mono.Add(min(max(leastBackoff, now.Mono-e.since), backoff)) // twice as long since the first, each time
		if code == core.ErrConcurrentTransactions && e.claim.Add && again <= e.since.Add(retryFor) {
			// The producer's last transaction is being completed: with transaction version 2 clients go on at once. A client that is
			// told so waits longer than this takes.
			e.stage, e.due = toAsk, again
			g.asking = append(g.asking, e)
			continue
		}
		g.decide(e, code)
	}
}

// codeFor is what the answer says of one claim. Kafka takes a partition that the answer leaves out for verified; here it was not.
func codeFor(resp *kmsg.AddPartitionsToTxnResponse, c *Claim) core.ErrorCode {
	if resp == nil {
		return core.ErrNetworkException
	}
	if resp.ErrorCode != 0 {
		return core.ErrorCode(resp.ErrorCode)
	}
	for i := range resp.Transactions {
		t := &resp.Transactions[i]
		if t.TransactionalID != c.TransactionalID {
			continue
		}
		for j := range t.Topics {
			for _, p := range t.Topics[j].Partitions {
				if t.Topics[j].Topic == c.Topic && p.Partition == c.Partition {
					return core.ErrorCode(p.ErrorCode)
				}
			}
		}
	}
	return core.ErrNetworkException
}

// decide lets an entry's batches go, with a coordinator's answer.
func (g *Gate[T]) decide(e *entry[T], code core.ErrorCode) {
	e.stage, e.code = decided, code
	g.ready = append(g.ready, e)
}
