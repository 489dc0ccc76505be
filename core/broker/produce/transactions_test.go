package produce

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

const none = core.ErrNone

// KIP-890: the first batch of a transaction waits for the coordinator; later ones do not ask.
func TestFirstBatchWaitsForTheCoordinator(t *testing.T) {
	for _, version := range []int16{9, 11, 12, 13} {
		r := newRig(t)
		first := r.produce(version, "x", -1, batch{partition: 0, id: 5}, batch{partition: 1, id: 5})
		require.True(t, r.waits(first))
		require.Equal(t, [2]core.Offset{}, r.ends())
		require.Len(t, r.asked, 1, "one request for both partitions")
		q := r.asked[0].body
		require.Len(t, q.Transactions, 1)
		require.Equal(t, version < 12, q.Transactions[0].VerifyOnly)
		require.Equal(t, []int32{0, 1}, q.Transactions[0].Topics[0].Partitions)
		r.answer(none)
		require.Equal(t, []core.ErrorCode{none, none}, r.codes(first))
		second := r.produce(version, "x", -1, batch{partition: 0, id: 5, seq: 1})
		require.Equal(t, []core.ErrorCode{none}, r.codes(second))
		require.Empty(t, r.asked)
		require.Equal(t, core.Offset(0), r.parts[0].LastStableOffset())
		require.Equal(t, []core.ErrorCode{none, none}, r.marker(5, 0, 3, 0, 0, 1))
		require.Equal(t, core.Offset(3), r.parts[0].LastStableOffset())
		third := r.produce(version, "x", -1, batch{partition: 0, id: 5, seq: 2})
		require.True(t, r.waits(third), "the next transaction asks again")
	}
}

func TestTransactionsNeedTheirID(t *testing.T) {
	r := newRig(t)
	require.Equal(t, []core.ErrorCode{core.ErrTransactionalIDAuthorizationFailed}, r.codes(r.produce(9, "", -1, batch{id: 5})))
	two := r.produce(9, "x", -1, batch{id: 5}, batch{partition: 1, id: 6})
	require.Equal(t, []core.ErrorCode{core.ErrInvalidProducerIDMapping, core.ErrInvalidProducerIDMapping}, r.codes(two))
	require.Empty(t, r.asked)
	require.Equal(t, []core.ErrorCode{none}, r.codes(r.produce(9, "x", -1, batch{id: 5, plain: true})), "not every batch need be transactional")
}

func TestCoordinatorsRefusal(t *testing.T) {
	for _, c := range []struct {
		version int16
		said    core.ErrorCode
		want    core.ErrorCode
	}{
		{9, core.ErrInvalidTxnState, core.ErrInvalidTxnState},
		{9, core.ErrTransactionAbortable, core.ErrInvalidTxnState},
		{11, core.ErrTransactionAbortable, core.ErrTransactionAbortable},
		{12, core.ErrTransactionAbortable, core.ErrTransactionAbortable},
		{9, core.ErrProducerFenced, core.ErrInvalidProducerEpoch},
		{9, core.ErrInvalidProducerIDMapping, core.ErrInvalidProducerIDMapping},
		{9, core.ErrConcurrentTransactions, core.ErrNotEnoughReplicas},
		{9, core.ErrNotCoordinator, core.ErrNotEnoughReplicas},
		{9, core.ErrCoordinatorLoadInProgress, core.ErrNotEnoughReplicas},
	} {
		r := newRig(t)
		p := r.produce(c.version, "x", -1, batch{id: 5})
		r.answer(c.said)
		require.Equal(t, []core.ErrorCode{c.want}, r.codes(p), "%+v", c)
		require.Equal(t, [2]core.Offset{}, r.ends())
	}
	r := newRig(t)
	p := r.produce(9, "x", -1, batch{id: 5})
	r.asked[0].then(r.now, nil, &r.out) // no answer
	r.turn()
	require.Equal(t, []core.ErrorCode{core.ErrNotEnoughReplicas}, r.codes(p))
	r.gone = true
	require.Equal(t, []core.ErrorCode{core.ErrNotEnoughReplicas}, r.codes(r.produce(9, "x", -1, batch{id: 5})))
	zero := r.produce(9, "x", 0, batch{id: 5})
	require.True(t, r.reply[zero].Close, "acks=0 has no other way to hear of it")
}

// F5b: the coordinator has confirmed, then the transaction ended and its marker came before the confirmation. Neither the batch that waited
// nor one that joined it may open a transaction.
func TestMarkerVoidsTheConfirmation(t *testing.T) {
	r := newRig(t)
	first := r.produce(9, "x", -1, batch{id: 5})
	require.Equal(t, []core.ErrorCode{none}, r.marker(5, 0, 0, 0, 0))
	require.Equal(t, []core.ErrorCode{core.ErrInvalidTxnState}, r.codes(first))
	again := r.produce(9, "x", -1, batch{id: 5})
	r.answer(none) // what the first one asked
	require.True(t, r.waits(again), "the confirmation is of the transaction before")
	r.answer(core.ErrInvalidTxnState)
	require.Equal(t, []core.ErrorCode{core.ErrInvalidTxnState}, r.codes(again))
	_, open := r.parts[0].Log.FirstUnstable()
	require.False(t, open)
	require.Equal(t, core.Offset(1), r.parts[0].LastStableOffset())
}

// The same with a change of leaders: the marker may have been written by the other one.
func TestNewEpochVoidsTheConfirmation(t *testing.T) {
	r := newRig(t)
	first := r.produce(9, "x", -1, batch{id: 5})
	r.lead(2)
	r.turn()
	second := r.produce(9, "x", -1, batch{id: 5})
	require.Equal(t, []core.ErrorCode{core.ErrNotLeaderOrFollower}, r.codes(first))
	r.answer(none)
	require.True(t, r.waits(second))
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.codes(second))
	require.Equal(t, [2]core.Offset{1, 0}, r.ends())
}

// Batches of a pipeline keep their order while the first of them waits, and what follows a failed one is not taken before it.
func TestPipelineKeepsItsOrder(t *testing.T) {
	r := newRig(t)
	var sent []uint64
	for seq := range int32(3) {
		sent = append(sent, r.produce(9, "x", -1, batch{id: 5, seq: seq}))
	}
	require.Len(t, r.asked, 1)
	r.answer(none)
	for i, s := range sent {
		require.Equal(t, []core.ErrorCode{none}, r.codes(s))
		require.Equal(t, int64(i), r.reply[s].Body.(*kmsg.ProduceResponse).Topics[0].Partitions[0].BaseOffset)
	}

	r = newRig(t)
	first := r.produce(9, "x", -1, batch{id: 5})
	r.answer(core.ErrCoordinatorNotAvailable)
	require.Equal(t, []core.ErrorCode{core.ErrNotEnoughReplicas}, r.codes(first))
	late := r.produce(9, "x", -1, batch{id: 5, seq: 1}) // was on its way
	r.answer(none)
	require.Equal(t, []core.ErrorCode{core.ErrOutOfOrderSequenceNumber}, r.codes(late), "an unknown producer may begin anywhere, this one not")
	first = r.produce(9, "x", -1, batch{id: 5})
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.codes(first))
	require.Equal(t, []core.ErrorCode{none}, r.codes(r.produce(9, "x", -1, batch{id: 5, seq: 1})))
}

// With transaction version 2 the next transaction may begin while the last one is completed: the broker asks again before the client hears of it.
func TestConcurrentTransactionIsAskedAgain(t *testing.T) {
	r := newRig(t)
	p := r.produce(12, "x", -1, batch{id: 5})
	r.answer(core.ErrConcurrentTransactions)
	require.True(t, r.waits(p))
	require.Empty(t, r.asked, "not at once")
	at, ok := r.plane.NextDeadline()
	require.True(t, ok)
	r.now.Mono = max(r.now.Mono, at)
	r.turn()
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.codes(p))

	p = r.produce(12, "x", -1, batch{partition: 1, id: 5})
	for n := 0; r.waits(p); n++ {
		require.Less(t, n, 10)
		r.answer(core.ErrConcurrentTransactions)
		r.now.Mono = r.now.Mono.Add(20 * core.Millisecond)
		r.turn()
	}
	require.Equal(t, []core.ErrorCode{core.ErrNotEnoughReplicas}, r.codes(p))
}

// KAFKA-18575: with transaction version 2 a producer goes on before the markers of its last transaction are written. What waits for
// the coordinator then belongs to the next one.
func TestNextTransactionOutlivesTheMarker(t *testing.T) {
	r := newRig(t)
	r.produce(12, "x", -1, batch{id: 5, epoch: 3})
	r.answer(none)
	next := r.produce(12, "x", -1, batch{id: 5, epoch: 4})
	r.answer(core.ErrConcurrentTransactions)
	require.Equal(t, []core.ErrorCode{none}, r.marker(5, 4, 9, 2, 0))
	require.True(t, r.waits(next))
	at, ok := r.plane.NextDeadline()
	require.True(t, ok)
	r.now.Mono = max(r.now.Mono, at)
	r.turn()
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.codes(next))
	require.True(t, r.parts[0].Log.Producers().Ongoing(5, 4))
}

// Sequence numbers wrap; the first batch after it is not before the last one.
func TestPipelineKeepsItsOrderWhereNumbersWrap(t *testing.T) {
	r := newRig(t)
	last := r.produce(9, "x", -1, batch{id: 5, seq: math.MaxInt32})
	first := r.produce(9, "x", -1, batch{id: 5})
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.codes(last))
	require.Equal(t, []core.ErrorCode{none}, r.codes(first))

	r = newRig(t)
	last = r.produce(9, "x", -1, batch{id: 5, seq: math.MaxInt32})
	r.answer(core.ErrCoordinatorNotAvailable)
	require.Equal(t, []core.ErrorCode{core.ErrNotEnoughReplicas}, r.codes(last))
	first = r.produce(9, "x", -1, batch{id: 5})
	r.answer(none)
	require.Equal(t, []core.ErrorCode{core.ErrOutOfOrderSequenceNumber}, r.codes(first), "it is not the first")
}

// Who is to be asked again, and has not answered somebody else's question yet, is waited for: no deadline passes in the meantime.
func TestABusyCoordinatorIsWaitedFor(t *testing.T) {
	r := newRig(t)
	p := r.produce(12, "x", -1, batch{id: 5})
	r.answer(core.ErrConcurrentTransactions)
	other := r.produce(12, "y", -1, batch{id: 6, partition: 1})
	require.Len(t, r.asked, 1)
	r.now.Mono = r.now.Mono.Add(core.Second)
	r.turn()
	if at, ok := r.plane.NextDeadline(); ok {
		require.Greater(t, at, r.now.Mono, "the broker would turn on the spot")
	}
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.codes(other))
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.codes(p))
}

// With transaction version 2 every transaction has an epoch of its own: what an unknown producer sends first has number 0.
func TestUnknownProducerBeginsAtZero(t *testing.T) {
	r := newRig(t)
	p := r.produce(12, "x", -1, batch{id: 5, seq: 3})
	r.answer(none)
	require.Equal(t, []core.ErrorCode{core.ErrOutOfOrderSequenceNumber}, r.codes(p))
	p = r.produce(11, "y", -1, batch{id: 6, seq: 3}) // KIP-360
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.codes(p))
}

// A repeat of a batch that stands in the log is answered as it was, even if the transaction is over.
func TestRepeatNeedsNoWord(t *testing.T) {
	r := newRig(t)
	r.produce(9, "x", -1, batch{id: 5})
	r.answer(none)
	r.marker(5, 0, 0, 0, 0)
	again := r.produce(9, "x", -1, batch{id: 5})
	require.Equal(t, []core.ErrorCode{none}, r.codes(again))
	require.Equal(t, [2]core.Offset{2, 0}, r.ends())
}

// A stranger's claims do not touch a producer's: other epochs and other ids wait by themselves.
// One batch of a request is appended, another waits for its coordinator; meanwhile this broker leads in another epoch. When the
// coordinator has answered nothing is left to wait for. Found by the simulator: the request waited until its time was up.
func TestLeaderChangesWhileABatchWaitsForTheCoordinator(t *testing.T) {
	r := newRig(t)
	first := r.produce(12, "x", -1, batch{id: 1})
	r.answer(core.ErrNone)
	require.Equal(t, []core.ErrorCode{core.ErrNone}, r.codes(first))
	r.leadWith(2, 1, 2) // the follower never comes
	r.turn()
	seq := r.produce(12, "x", -1, batch{id: 1, seq: 1}, batch{id: 1, partition: 1})
	require.Equal(t, core.Offset(2), r.ends()[0])
	r.leadWith(3, 1, 2)
	r.turn()
	require.True(t, r.waits(seq))
	r.answer(core.ErrNone)
	require.Equal(t, []core.ErrorCode{core.ErrNotLeaderOrFollower, core.ErrNotLeaderOrFollower}, r.codes(seq))
}

func TestForeignClaimsDoNotMeet(t *testing.T) {
	r := newRig(t)
	mine := r.produce(12, "x", -1, batch{id: 5})
	future := r.produce(12, "x", -1, batch{id: 5, epoch: 32767})
	foreign := r.produce(12, "y", -1, batch{id: 5})
	r.answer(none) // mine; one coordinator has one question at a time
	require.Equal(t, []core.ErrorCode{none}, r.codes(mine))
	for len(r.asked) > 0 {
		r.answer(core.ErrInvalidProducerEpoch)
	}
	require.Equal(t, []core.ErrorCode{core.ErrInvalidProducerEpoch}, r.codes(future))
	require.Equal(t, []core.ErrorCode{core.ErrInvalidProducerEpoch}, r.codes(foreign))
	require.Equal(t, []core.ErrorCode{none}, r.codes(r.produce(12, "x", -1, batch{id: 5, seq: 1})))
	require.Equal(t, [2]core.Offset{2, 0}, r.ends())
}

// What waits is bounded: of one producer, and of all.
func TestWaitingBatchesAreBounded(t *testing.T) {
	r := newRig(t)
	refused := 0
	for i := range 6000 {
		p := r.produce(12, "x", -1, batch{id: core.ProducerID(i % 3000), seq: int32(i / 3000)})
		if !r.waits(p) {
			require.Equal(t, []core.ErrorCode{core.ErrNotEnoughReplicas}, r.codes(p))
			refused++
		}
	}
	require.Equal(t, 6000-4096, refused)
	for len(r.asked) > 0 {
		r.answer(core.ErrInvalidTxnState)
	}
	require.Equal(t, [2]core.Offset{}, r.ends())
	require.Empty(t, r.parts[0].Log.Producers().Producers(), "the state is unchanged")
	require.Zero(t, r.plane.gate.Len())
}

func TestMarkers(t *testing.T) {
	r := newRig(t)
	r.produce(9, "x", -1, batch{id: 5, epoch: 3})
	r.answer(none)
	require.Equal(t, []core.ErrorCode{core.ErrInvalidProducerEpoch}, r.marker(5, 2, 9, 0, 0))
	require.Equal(t, []core.ErrorCode{none, core.ErrUnknownTopicOrPartition}, r.marker(5, 3, 9, 0, 0, 9))
	require.Equal(t, []core.ErrorCode{core.ErrTransactionCoordinatorFenced}, r.marker(5, 3, 8, 0, 0))
	require.Equal(t, []core.ErrorCode{none}, r.marker(5, 3, 9, 0, 0), "a repeat")
	require.Equal(t, []core.ErrorCode{core.ErrInvalidRequest}, r.marker(-1, 0, 9, 0, 0))
	require.Equal(t, [2]core.Offset{3, 0}, r.ends())
}

// KIP-1228: with version 2 a marker has a higher epoch than the records of its transaction.
func TestMarkersOfVersionTwo(t *testing.T) {
	r := newRig(t)
	r.produce(12, "x", -1, batch{id: 5, epoch: 3})
	r.answer(none)
	require.Equal(t, []core.ErrorCode{none}, r.marker(5, 4, 9, 2, 0))
	require.Equal(t, []core.ErrorCode{none}, r.marker(5, 4, 9, 2, 0), "the answer was lost")
	require.Equal(t, [2]core.Offset{2, 0}, r.ends(), "it is not written twice")
	r.produce(12, "x", -1, batch{id: 5, epoch: 4})
	r.answer(none)
	require.Equal(t, []core.ErrorCode{core.ErrInvalidProducerEpoch}, r.marker(5, 4, 9, 2, 0), "it would end the next transaction")
	require.True(t, r.parts[0].Log.Producers().Ongoing(5, 4))
	require.Equal(t, []core.ErrorCode{none}, r.marker(5, 5, 9, 2, 0))
	require.Equal(t, core.Offset(4), r.parts[0].LastStableOffset())
}

func TestMarkersReachTheCoordinators(t *testing.T) {
	r := newRig(t)
	r.inner = true
	require.Equal(t, []core.ErrorCode{none}, r.marker(5, 1, 0, 0, 0))
	require.Len(t, r.told, 1)
	r.busy = core.ErrCoordinatorLoadInProgress
	require.Equal(t, []core.ErrorCode{core.ErrNotLeaderOrFollower}, r.marker(5, 2, 0, 0, 0))
	require.Len(t, r.told, 1)
	require.Equal(t, [2]core.Offset{1, 0}, r.ends())
}

func TestDescribeProducers(t *testing.T) {
	r := newRig(t)
	r.produce(9, "x", -1, batch{id: 5, epoch: 3})
	r.answer(none)
	r.marker(6, 2, 8, 0, 0)
	req := kmsg.NewPtrDescribeProducersRequest()
	req.Topics = append(req.Topics, kmsg.DescribeProducersRequestTopic{Topic: "t", Partitions: []int32{0, 4}})
	r.seq++
	r.plane.DescribeProducers(&step.Request{Conn: 1, Seq: r.seq, Body: req}, req, &r.out)
	r.turn()
	got := r.reply[r.seq].Body.(*kmsg.DescribeProducersResponse).Topics[0].Partitions
	require.Equal(t, int16(core.ErrUnknownTopicOrPartition), got[1].ErrorCode)
	type producer = kmsg.DescribeProducersResponseTopicPartitionActiveProducer
	require.Equal(t, []producer{
		{ProducerID: 5, ProducerEpoch: 3, LastSequence: 0, LastTimestamp: 1_000_000, CoordinatorEpoch: -1, CurrentTxnStartOffset: 0},
		{ProducerID: 6, ProducerEpoch: 2, LastSequence: -1, LastTimestamp: 1_000_000, CoordinatorEpoch: 8, CurrentTxnStartOffset: -1},
	}, got[0].ActiveProducers)
}

// TestDescribeProducersTwice: a request that names one partition many times is not answered by all of its producers as many times.
func TestDescribeProducersTwice(t *testing.T) {
	r := newRig(t)
	r.produce(9, "", -1, batch{id: 5, plain: true})
	req := kmsg.NewPtrDescribeProducersRequest()
	req.Topics = []kmsg.DescribeProducersRequestTopic{{Topic: "t", Partitions: []int32{0, 1, 0}}, {Topic: "t", Partitions: []int32{1}}}
	r.seq++
	r.plane.DescribeProducers(&step.Request{Conn: 1, Seq: r.seq, Body: req}, req, &r.out)
	r.turn()
	rows := r.reply[r.seq].Body.(*kmsg.DescribeProducersResponse).Topics
	require.Len(t, rows[0].Partitions[0].ActiveProducers, 1)
	require.Zero(t, rows[0].Partitions[1].ErrorCode)
	for _, again := range []kmsg.DescribeProducersResponseTopicPartition{rows[0].Partitions[2], rows[1].Partitions[0]} {
		require.Equal(t, core.ErrInvalidRequest, core.ErrorCode(again.ErrorCode))
		require.Empty(t, again.ActiveProducers)
	}
}

// TestMarkedTwice: each partition gets a marker once, however often it is named: four bytes of a request would else be a batch each.
func TestMarkedTwice(t *testing.T) {
	r := newRig(t)
	codes := r.marker(5, 0, 1, 1, 0, 1, 0, 0)
	require.Equal(t, []core.ErrorCode{none, none, core.ErrInvalidRequest, core.ErrInvalidRequest}, codes)
	require.Equal(t, [2]core.Offset{1, 1}, r.ends())
	require.Equal(t, []core.ErrorCode{none}, r.marker(5, 0, 1, 1, 0), "another request may repeat it")
}
