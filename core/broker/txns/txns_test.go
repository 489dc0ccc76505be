package txns_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/metadata"
)

func TestATransactionFromEndToEnd(t *testing.T) {
	for _, level := range []metadata.FeatureLevel{0, 2} {
		version := int16(4)
		if level == 2 {
			version = 5
		}
		r := newRig(t, level)
		p := r.mustInit("a")
		require.Equal(t, core.ErrNone, r.add(p, 0, 1, 3))
		require.Equal(t, "Ongoing", r.state("a"))
		after, code := r.finish(version, p, true)
		require.Equal(t, core.ErrNone, code)
		require.Equal(t, "PrepareCommit", r.state("a"))
		require.Len(t, r.asked, 2, "one request per leader")
		require.Equal(t, []core.NodeID{1, 2}, []core.NodeID{r.asked[0].to, r.asked[1].to})
		m := r.asked[0].req.Markers[0]
		require.Equal(t, []int32{0, 3}, m.Topics[0].Partitions)
		require.Equal(t, []any{p.pid, true, int32(1), "t", int8(level)}, []any{m.ProducerID, m.Committed, m.CoordinatorEpoch, m.Topics[0].Topic, m.TransactionVersion})
		if level == 2 {
			require.Equal(t, p.epoch+1, m.ProducerEpoch)
			require.Equal(t, p.epoch+1, after.epoch)
		} else {
			require.Equal(t, p.epoch, m.ProducerEpoch)
		}
		r.reply(core.ErrNone)
		require.Equal(t, "PrepareCommit", r.state("a"))
		r.reply(core.ErrNone)
		require.Equal(t, "CompleteCommit", r.state("a"))
	}
}

func TestMarkersAreAskedForAgain(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd(p, 0, 1)
	r.mustEnd(5, p, false)
	r.lose()
	r.reply(core.ErrNotLeaderOrFollower)
	require.Empty(t, r.asked)
	r.apply(&metadata.PartitionChangeRecord{TopicID: core.TopicIDFromWords(7, 2), PartitionID: 0, Leader: 3, Replicas: []core.NodeID{3}, ISR: []core.NodeID{3}})
	r.pass(core.Second)
	require.Len(t, r.asked, 2)
	require.Equal(t, core.NodeID(2), r.asked[0].to)
	require.Equal(t, core.NodeID(3), r.asked[1].to, "whoever leads now")
	r.reply(core.ErrNone)
	r.reply(core.ErrNone)
	require.Equal(t, "CompleteAbort", r.state("a"))
}

// One request per broker is under way; what comes meanwhile goes with the next one.
func TestMarkersGoTogether(t *testing.T) {
	r := newRig(t, 2)
	var all []producer
	for _, id := range []string{"a", "b", "c"} {
		p := r.mustInit(id)
		r.mustAdd(p, 0)
		all = append(all, p)
	}
	for _, p := range all {
		r.mustEnd(5, p, true)
	}
	require.Len(t, r.asked, 1)
	r.reply(core.ErrNone)
	require.Len(t, r.asked, 1)
	require.Len(t, r.asked[0].req.Markers, 2)
	r.reply(core.ErrNone)
	for _, p := range all {
		require.Equal(t, "CompleteCommit", r.state(p.id))
	}
}

func TestDeletedTopicsNeedNoMarker(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd(p, 0)
	r.apply(&metadata.RemoveTopicRecord{TopicID: core.TopicIDFromWords(7, 2)})
	_, code := r.finish(5, p, true)
	require.Equal(t, core.ErrNone, code)
	require.Empty(t, r.asked)
	require.Equal(t, "CompleteCommit", r.state("a"))
}

// F1, F3: an answer and its markers wait for the commit; whoever leads next resumes; late answers to the old one mean nothing.
func TestFailover(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd(p, 0)
	r.auto = false
	seq := r.send(5, ending(p, true))
	require.NotContains(t, r.answered, seq)
	require.Empty(t, r.asked)
	r.auto = true
	r.leadAll(2)
	require.Equal(t, int16(core.ErrNotCoordinator), r.answer(seq).(*kmsg.EndTxnResponse).ErrorCode)
	require.Len(t, r.asked, 1)
	require.Equal(t, int32(2), r.asked[0].req.Markers[0].CoordinatorEpoch)
	r.leadAll(3)
	require.Len(t, r.asked, 1, "the broker still owes an answer")
	r.reply(core.ErrNone)
	require.Equal(t, "PrepareCommit", r.state("a"), "that was the marker of an earlier leadership")
	require.Equal(t, int32(3), r.asked[0].req.Markers[0].CoordinatorEpoch)
	r.reply(core.ErrNone)
	require.Equal(t, "CompleteCommit", r.state("a"))
}

func TestProducerIDsComeInBlocks(t *testing.T) {
	r := newRig(t, 2)
	r.auto = false
	plain := kmsg.NewPtrInitProducerIDRequest()
	plain.ProducerID, plain.ProducerEpoch = 7, 7
	first, second := r.send(4, plain), r.send(4, initializing("a"))
	require.Len(t, r.blocks, 1)
	take := r.blocks[0]
	r.blocks = nil
	take(r.now, 0, 0, &r.out)
	r.settle()
	for _, seq := range []uint64{first, second} {
		require.Equal(t, int16(core.ErrCoordinatorLoadInProgress), r.answer(seq).(*kmsg.InitProducerIDResponse).ErrorCode)
	}
	first, second = r.send(4, plain), r.send(4, initializing("a"))
	take = r.blocks[0]
	r.blocks = nil
	take(r.now, 5, 1, &r.out)
	r.settle()
	require.Equal(t, int64(5), r.answer(first).(*kmsg.InitProducerIDResponse).ProducerID)
	require.NotContains(t, r.answered, second)
	r.auto = true
	r.settle()
	got := r.answer(second).(*kmsg.InitProducerIDResponse)
	require.Zero(t, got.ErrorCode)
	require.NotEqual(t, int64(5), got.ProducerID)
}

func TestAddPartitionsInAllForms(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	batched := func(version int16, verify bool, p producer, partitions ...int32) []core.ErrorCode {
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		x := kmsg.NewAddPartitionsToTxnRequestTransaction()
		x.TransactionalID, x.ProducerID, x.ProducerEpoch, x.VerifyOnly = p.id, p.pid, p.epoch, verify
		x.Topics = []kmsg.AddPartitionsToTxnRequestTransactionTopic{{Topic: "t", Partitions: partitions}}
		req.Transactions = append(req.Transactions, x)
		resp := r.call(version, req).(*kmsg.AddPartitionsToTxnResponse)
		require.Zero(t, resp.ErrorCode)
		require.Equal(t, p.id, resp.Transactions[0].TransactionalID)
		var codes []core.ErrorCode
		for i, row := range resp.Transactions[0].Topics[0].Partitions {
			require.Equal(t, partitions[i], row.Partition)
			codes = append(codes, core.ErrorCode(row.ErrorCode))
		}
		return codes
	}
	require.Equal(t, []core.ErrorCode{core.ErrOperationNotAttempted, core.ErrUnknownTopicOrPartition}, batched(5, false, p, 0, 99))
	require.Equal(t, []core.ErrorCode{core.ErrTransactionAbortable}, batched(4, true, p, 0))
	require.Equal(t, []core.ErrorCode{core.ErrNone}, batched(5, false, p, 0))
	require.Equal(t, []core.ErrorCode{core.ErrNone, core.ErrTransactionAbortable}, batched(4, true, p, 0, 1))
	require.Equal(t, []core.ErrorCode{core.ErrInvalidProducerIDMapping}, batched(5, false, producer{id: "b"}, 0))
	require.Equal(t, []core.ErrorCode{core.ErrInvalidRequest}, batched(5, false, producer{}, 0))
	old := p
	old.epoch--
	require.Equal(t, []core.ErrorCode{core.ErrProducerFenced}, batched(5, false, old, 0))
	resp := r.call(1, adding(old, 0)).(*kmsg.AddPartitionsToTxnResponse)
	require.Equal(t, int16(core.ErrInvalidProducerEpoch), resp.Topics[0].Partitions[0].ErrorCode, "KIP-588")
	require.Equal(t, core.ErrProducerFenced, r.add(old, 0))
	empty := kmsg.NewPtrAddPartitionsToTxnRequest()
	require.Empty(t, r.call(5, empty).(*kmsg.AddPartitionsToTxnResponse).Transactions)
}

// TestNoTransactionOnTransactions: nobody writes the marker of a transaction to __transaction_state. Were one of its partitions taken into
// a transaction, that would never be complete, nor its id ever usable again.
func TestNoTransactionOnTransactions(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	req := adding(p, 0)
	req.Topics = append(req.Topics, kmsg.AddPartitionsToTxnRequestTopic{Topic: shards.TxnTopic, Partitions: []int32{1}})
	resp := r.call(3, req).(*kmsg.AddPartitionsToTxnResponse)
	require.Equal(t, core.ErrOperationNotAttempted, core.ErrorCode(resp.Topics[0].Partitions[0].ErrorCode))
	require.Equal(t, core.ErrInvalidTopic, core.ErrorCode(resp.Topics[1].Partitions[0].ErrorCode))
	require.Equal(t, "Empty", r.state("a"))
}

func TestAddOffsets(t *testing.T) {
	r := newRig(t, 0)
	p := r.mustInit("a")
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = p.id, p.pid, p.epoch, "g"
	require.Equal(t, int16(core.ErrCoordinatorNotAvailable), r.call(3, req).(*kmsg.AddOffsetsToTxnResponse).ErrorCode)
	require.Equal(t, []string{shards.OffsetsTopic}, r.created)
	r.topic(shards.OffsetsTopic, 3, 1)
	require.Zero(t, r.call(3, req).(*kmsg.AddOffsetsToTxnResponse).ErrorCode)
	r.mustEnd(4, p, true)
	require.Equal(t, shards.OffsetsTopic, r.asked[0].req.Markers[0].Topics[0].Topic)
	req.ProducerEpoch = 9
	require.Equal(t, int16(core.ErrProducerFenced), r.call(3, req).(*kmsg.AddOffsetsToTxnResponse).ErrorCode)
	require.Equal(t, int16(core.ErrInvalidProducerEpoch), r.call(1, req).(*kmsg.AddOffsetsToTxnResponse).ErrorCode)
}

// Whatever ids clients send, the answer is Kafka's error and nothing has changed.
func TestBadInput(t *testing.T) {
	r := newRig(t, 2)
	huge := strings.Repeat("x", 40_000)
	for _, id := range []string{"", huge, "\xff"} {
		p := producer{id: id, pid: 1}
		require.Equal(t, int16(core.ErrInvalidRequest), r.call(5, initializing(id)).(*kmsg.InitProducerIDResponse).ErrorCode)
		require.Equal(t, core.ErrInvalidRequest, r.add(p, 0))
		_, code := r.finish(5, p, true)
		require.Equal(t, core.ErrInvalidRequest, code)
		require.Equal(t, core.ErrInvalidRequest.String(), r.state(id))
		req := kmsg.NewPtrAddOffsetsToTxnRequest()
		req.TransactionalID = id
		require.Equal(t, int16(core.ErrInvalidRequest), r.call(3, req).(*kmsg.AddOffsetsToTxnResponse).ErrorCode)
	}
	half := initializing("a")
	half.ProducerID = 5
	require.Equal(t, int16(core.ErrInvalidRequest), r.call(5, half).(*kmsg.InitProducerIDResponse).ErrorCode)
	long := initializing("a")
	long.TransactionTimeoutMillis = 900_001
	require.Equal(t, int16(core.ErrInvalidTransactionTimeout), r.call(5, long).(*kmsg.InitProducerIDResponse).ErrorCode)
	p := r.mustInit("a")
	end := r.logs[0].end + r.logs[1].end + r.logs[2].end + r.logs[3].end
	for _, bad := range []producer{{"a", p.pid, p.epoch + 7}, {"a", p.pid, -1}, {"a", p.pid + 7, 0}, {"a", -1, -1}, {"other", p.pid, p.epoch}} {
		require.NotEqual(t, core.ErrNone, r.add(bad, 0))
		for _, commit := range []bool{true, false} {
			_, code := r.finish(5, bad, commit)
			require.NotEqual(t, core.ErrNone, code)
			_, code = r.finish(4, bad, commit)
			require.NotEqual(t, core.ErrNone, code)
		}
		_, code := r.finish(1, bad, true)
		require.NotEqual(t, core.ErrProducerFenced, code, "KIP-588")
	}
	require.Equal(t, end, r.logs[0].end+r.logs[1].end+r.logs[2].end+r.logs[3].end)
	require.Equal(t, "Empty", r.state("a"))
	require.Equal(t, core.ErrTransactionalIDNotFound.String(), r.state("other"))
}

func TestList(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("open-1")
	r.mustAdd(p, 0)
	r.mustInit("idle")
	list := func(version int16, change func(*kmsg.ListTransactionsRequest)) *kmsg.ListTransactionsResponse {
		req := kmsg.NewPtrListTransactionsRequest()
		if change != nil {
			change(req)
		}
		return r.call(version, req).(*kmsg.ListTransactionsResponse)
	}
	require.Len(t, list(0, nil).TransactionStates, 2)
	open := list(1, func(q *kmsg.ListTransactionsRequest) { q.StateFilters = []string{"Ongoing", "Bogus"} })
	require.Equal(t, []string{"Bogus"}, open.UnknownStateFilters)
	require.Len(t, open.TransactionStates, 1)
	require.Equal(t, []any{"open-1", p.pid, "Ongoing"}, []any{open.TransactionStates[0].TransactionalID, open.TransactionStates[0].ProducerID, open.TransactionStates[0].TransactionState})
	require.Empty(t, list(1, func(q *kmsg.ListTransactionsRequest) { q.StateFilters = []string{"Bogus"} }).TransactionStates)
	require.Len(t, list(2, func(q *kmsg.ListTransactionsRequest) { q.TransactionalIDPattern = kmsg.StringPtr("open-.*") }).TransactionStates, 1)
	require.Empty(t, list(2, func(q *kmsg.ListTransactionsRequest) { q.TransactionalIDPattern = kmsg.StringPtr("pen-.") }).TransactionStates)
	many := list(1, func(q *kmsg.ListTransactionsRequest) {
		q.StateFilters, q.ProducerIDFilters = []string{"Ongoing", "Empty", "Ongoing"}, []int64{p.pid + 9, p.pid, -1, p.pid}
	})
	require.Len(t, many.TransactionStates, 1, "in any order, and repeated")
	for _, pattern := range []string{"(", "open-1)|(idle"} {
		bad := list(2, func(q *kmsg.ListTransactionsRequest) { q.TransactionalIDPattern = kmsg.StringPtr(pattern) })
		require.Equal(t, int16(core.ErrInvalidRegularExpression), bad.ErrorCode, pattern)
	}
	r.auto = false
	r.plane.Unlead(r.now, 0, 1, &r.out)
	r.logs[0].end++
	r.plane.Lead(r.now, 0, 2, 0, r.logs[0].end, &r.out)
	require.Equal(t, int16(core.ErrCoordinatorLoadInProgress), list(0, nil).ErrorCode)
	r.plane.LoadFailed(0, 2, "the disk is gone")
	require.Equal(t, int16(core.ErrCoordinatorNotAvailable), list(0, nil).ErrorCode)
}

func TestNoCoordinator(t *testing.T) {
	r := newRig(t, 2)
	for p := range int32(partitions) {
		r.plane.Unlead(r.now, p, 1, &r.out)
	}
	require.Equal(t, int16(core.ErrNotCoordinator), r.call(5, initializing("a")).(*kmsg.InitProducerIDResponse).ErrorCode)
	require.Equal(t, core.ErrNotCoordinator, r.add(producer{id: "a"}, 0))
	_, code := r.finish(5, producer{id: "a"}, true)
	require.Equal(t, core.ErrNotCoordinator, code)
	require.Equal(t, core.ErrNotCoordinator.String(), r.state("a"))
}
