package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

// txn is a transactional producer against a rig, by either protocol.
type txn struct {
	*rig
	version  int16 // of Produce
	id       int64
	epoch    int16
	sequence int32
}

func (x *txn) init() {
	name, found := "tx", false
	for range 50 { // the first look makes the topic
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorType, req.CoordinatorKeys = 1, []string{name}
		if resp := ask[*kmsg.FindCoordinatorResponse](x.rig, 4, req); resp.Coordinators[0].ErrorCode == 0 {
			found = true
			break
		}
		x.pause(100 * core.Millisecond)
	}
	require.True(x.t, found)
	for range 100 {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID, req.TransactionTimeoutMillis = &name, 60_000
		resp := ask[*kmsg.InitProducerIDResponse](x.rig, 4, req)
		if x.id, x.epoch = resp.ProducerID, resp.ProducerEpoch; resp.ErrorCode == 0 {
			return
		}
		x.pause(100 * core.Millisecond)
	}
	require.Fail(x.t, "no producer id")
}

// pause lets time go by.
func (x *txn) pause(d core.Mono) {
	at := x.now.Add(d)
	x.run(func() bool { return x.now >= at })
}

// write appends one record in the transaction.
func (x *txn) write(partition int32) core.ErrorCode {
	if x.version < 12 {
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch = "tx", x.id, x.epoch
		req.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "a", Partitions: []int32{partition}}}
		resp := ask[*kmsg.AddPartitionsToTxnResponse](x.rig, 3, req)
		require.Zero(x.t, resp.Topics[0].Partitions[0].ErrorCode)
	}
	return x.writeUnasked(partition)
}

func (x *txn) writeUnasked(partition int32) core.ErrorCode {
	var b record.Builder
	b.Begin(nil, record.Options{Idempotent: true, ProducerID: core.ProducerID(x.id), ProducerEpoch: core.ProducerEpoch(x.epoch),
		BaseSequence: x.sequence, Transactional: true})
	require.NoError(x.t, b.Append(x.Now().Wall, nil, []byte("value"), nil))
	batch, err := b.Finish(&record.Codecs{})
	require.NoError(x.t, err)
	req := kmsg.NewPtrProduceRequest()
	name := "tx"
	req.Acks, req.TimeoutMillis, req.TransactionID = -1, 1000, &name
	req.Topics = []kmsg.ProduceRequestTopic{{Topic: "a", Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: partition, Records: batch}}}}
	resp := ask[*kmsg.ProduceResponse](x.rig, x.version, req)
	if resp.Topics[0].Partitions[0].ErrorCode == 0 {
		x.sequence++
	}
	return code(resp.Topics[0].Partitions[0].ErrorCode)
}

// end ends the transaction; with the second protocol that raises the epoch.
func (x *txn) end(commit bool) {
	version := int16(3)
	if x.version >= 12 {
		version = 5
	}
	for range 50 {
		req := kmsg.NewPtrEndTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = "tx", x.id, x.epoch, commit
		resp := ask[*kmsg.EndTxnResponse](x.rig, version, req)
		if resp.ErrorCode == int16(core.ErrConcurrentTransactions) {
			x.pause(20 * core.Millisecond)
			continue
		}
		require.Zero(x.t, resp.ErrorCode)
		if version == 5 && resp.ProducerEpoch != x.epoch {
			x.id, x.epoch, x.sequence = resp.ProducerID, resp.ProducerEpoch, 0
		}
		return
	}
	require.Fail(x.t, "the transaction does not end")
}

// stable is what ListOffsets says of the end, for a reader of committed records.
func (x *txn) stable(partition int32) int64 {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.IsolationLevel = -1, 1
	req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: "a", Partitions: []kmsg.ListOffsetsRequestTopicPartition{
		{Partition: partition, CurrentLeaderEpoch: -1, Timestamp: -1}}}}
	resp := ask[*kmsg.ListOffsetsResponse](x.rig, 7, req)
	require.Zero(x.t, resp.Topics[0].Partitions[0].ErrorCode)
	return resp.Topics[0].Partitions[0].Offset
}

// settle waits until the marker of the last transaction is everywhere.
func (x *txn) settle(partition int32, want int64) {
	x.t.Helper()
	for range 100 {
		if x.stable(partition) == want {
			return
		}
		x.pause(20 * core.Millisecond)
	}
	require.Equal(x.t, want, x.stable(partition))
}

func (x *txn) fetchCommitted(wait int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel, req.SessionEpoch = -1, wait, 1, 1<<20, 1, -1
	p := kmsg.NewFetchRequestTopicPartition()
	p.CurrentLeaderEpoch, p.PartitionMaxBytes = -1, 1<<20
	req.Topics = []kmsg.FetchRequestTopic{{Topic: "a", Partitions: []kmsg.FetchRequestTopicPartition{p}}}
	return req
}

// TestTransactionsOnOneBroker: a transaction through both halves of a broker, by the protocols of old and new clients: what is
// open is not stable, a waiting reader gets it when the marker is committed, and is told what was aborted.
func TestTransactionsOnOneBroker(t *testing.T) {
	for _, version := range []int16{9, 12} {
		r := newRig(t, "transaction.state.log.replication.factor", "1", "transaction.state.log.min.isr", "1",
			"transaction.state.log.num.partitions", "1")
		r.create(newTopic("a", 1))
		x := &txn{rig: r, version: version}
		x.init()
		require.Equal(t, core.ErrNone, x.write(0))
		require.Zero(t, x.stable(0))
		n := len(r.replies)
		r.send(connOuter, 11, x.fetchCommitted(60_000))
		r.run(func() bool { return true })
		require.Len(t, r.replies, n, "a reader of committed records waits")
		x.end(false)
		r.run(func() bool { return len(r.replies) > n+1 })
		x.settle(0, 2)
		require.Equal(t, core.ErrNone, x.write(0))
		x.end(true)
		x.settle(0, 4)
		got := ask[*kmsg.FetchResponse](r, 11, x.fetchCommitted(0)).Topics[0].Partitions[0]
		require.Equal(t, int64(4), got.LastStableOffset)
		require.Equal(t, []kmsg.FetchResponseTopicPartitionAbortedTransaction{{ProducerID: x.id, FirstOffset: 0}}, got.AbortedTransactions)
		plain := x.fetchCommitted(0)
		plain.IsolationLevel = 0
		require.Nil(t, ask[*kmsg.FetchResponse](r, 11, plain).Topics[0].Partitions[0].AbortedTransactions)

		if version == 9 { // KIP-890: a produce that nobody has announced
			require.Equal(t, core.ErrInvalidTxnState, x.writeUnasked(0))
			require.Equal(t, int64(4), x.stable(0))
		}
	}
}
