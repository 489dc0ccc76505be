package client_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/record"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestProduceGivesOffsetsInOrder(t *testing.T) {
	for _, codec := range []record.Codec{record.None, record.Gzip, record.Snappy, record.LZ4, record.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			k := newKafka(1)
			ft := k.topic("t", 1)
			w := newWorld(t, k, client.Options{Producer: producer.Options{Compression: codec}})
			w.produce("t", 0, 10, "a", "b", "c")
			w.settled(core.Second)
			require.Len(t, w.results, 3)
			for i, r := range w.results {
				require.Equal(t, producer.Result{Token: uint64(10 + i), Partition: 0, Offset: core.Offset(i),
					Timestamp: 1_700_000_000_000, Attempts: 1, TopicID: ft.id}, r)
			}
			require.Equal(t, []string{"a", "b", "c"}, ft.parts[0].values())
			require.Equal(t, codec, ft.parts[0].batches[0].Attributes().Codec())
			require.True(t, hasProducer(ft.parts[0]), "idempotent by default")
		})
	}
}

// KIP-511: the first ApiVersions may be too new for the broker.
func TestNegotiationFallsBack(t *testing.T) {
	for most, want := range map[int16][]string{
		4: {"0 ApiVersions(4)"},
		3: {"0 ApiVersions(4)", "0 ApiVersions(3)"},
		2: {"0 ApiVersions(4)", "0 ApiVersions(2)"},
		0: {"0 ApiVersions(4)", "0 ApiVersions(0)"},
	} {
		k := newKafka(1)
		k.limits[18] = most
		k.topic("t", 1)
		w := newWorld(t, k, client.Options{})
		w.produce("t", 0, 1, "a")
		w.settled(core.Second)
		require.Equal(t, want, w.log[:len(want)], "%d", most)
		require.Equal(t, core.ErrNone, w.results[0].Err)
	}
}

// Topic ids need Produce 13 and Metadata 10; without one of them names are used.
func TestProduceUsesIDsOnlyIfKnown(t *testing.T) {
	for _, c := range []struct {
		limits map[int16]int16
		want   string
	}{
		{map[int16]int16{}, "Produce(13)"},
		{map[int16]int16{3: 9}, "Produce(12)"},
		{map[int16]int16{0: 3, 3: 4}, "Produce(3)"},
	} {
		k := newKafka(1)
		k.limits = c.limits
		k.topic("t", 1)
		w := newWorld(t, k, client.Options{})
		w.produce("t", 0, 1, "a")
		w.settled(core.Second)
		require.Equal(t, 1, w.requests(c.want), "%v", w.log)
		require.Equal(t, c.want == "Produce(13)", !w.results[0].TopicID.IsZero())
		require.Equal(t, core.ErrNone, w.results[0].Err)
	}
}

func TestBatchesFillWhileRequestsAreInFlight(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{Producer: producer.Options{Linger: 20 * core.Millisecond, BatchSize: 200}})
	for i := range 40 {
		w.produce("t", 0, uint64(i), fmt.Sprintf("value-%02d", i))
	}
	w.settled(core.Second)
	require.Greater(t, len(ft.parts[0].batches), 3)
	for i, r := range w.results {
		require.Equal(t, core.Offset(i), r.Offset)
		require.Equal(t, uint64(i), r.Token)
	}
	for _, b := range ft.parts[0].batches {
		require.LessOrEqual(t, len(b), 200)
	}
}

func TestLingerWaitsAndFlushDoesNot(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{Producer: producer.Options{Linger: core.Second}})
	w.produce("t", 0, 1, "a")
	w.idle(900 * core.Millisecond)
	require.Empty(t, ft.parts[0].batches)
	w.settled(200 * core.Millisecond)
	w.produce("t", 0, 2, "b")
	w.client.Producer().Flush(w.now)
	w.settled(50 * core.Millisecond)
	require.Equal(t, []string{"a", "b"}, ft.parts[0].values())
}

// BUGS.md H1: a retry must not be overtaken, with five in flight or with idempotence off.
func TestRetriesKeepTheOrder(t *testing.T) {
	for _, idem := range []producer.Idempotence{producer.IdempotenceAuto, producer.IdempotenceOff} {
		k := newKafka(1)
		ft := k.topic("t", 1)
		w := newWorld(t, k, client.Options{Producer: producer.Options{BatchSize: 90, Idempotence: idem}})
		inflight := 0
		w.intercept = func(r *inbound) (v verdict) {
			if r.body.Key() == int16(kmsg.Produce) {
				inflight++
				if r.nth == 1 || r.nth == 4 || r.nth == 5 { // refused outright
					return verdict{answer: produceError(r, core.ErrNotEnoughReplicas)}
				}
			}
			return v
		}
		for i := range 12 {
			w.produce("t", 0, uint64(i), fmt.Sprintf("%02d-0123456789012345678", i))
		}
		w.settled(10 * core.Second)
		require.Greater(t, inflight, 14)
		require.Less(t, inflight, 25, "batches behind a refused one are repeated once each, when their turn comes")
		requireAllWritten(t, w, ft.parts[0], 12)
		for _, s := range ft.parts[0].producers {
			require.Zero(t, s.epoch, "a refusal for a gap that the batch before left is no reason for a new epoch")
		}
	}
}

func requireAllWritten(t *testing.T, w *world, p *fakePartition, n int) {
	t.Helper()
	require.Len(t, w.results, n)
	got := p.values()
	require.Len(t, got, n, "%v", got)
	for _, r := range w.results {
		require.Equal(t, core.ErrNone, r.Err)
		require.Equal(t, core.Offset(r.Token), r.Offset)
		require.True(t, strings.HasPrefix(got[r.Offset], fmt.Sprintf("%02d", r.Token)))
	}
}

func produceError(r *inbound, code core.ErrorCode) kmsg.Response {
	resp := kmsg.NewPtrProduceResponse()
	for _, t := range r.body.(*kmsg.ProduceRequest).Topics {
		row := kmsg.NewProduceResponseTopic()
		row.Topic, row.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			pr := kmsg.NewProduceResponseTopicPartition()
			pr.Partition, pr.ErrorCode, pr.BaseOffset = p.Partition, int16(code), -1
			row.Partitions = append(row.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, row)
	}
	return resp
}

// BUGS.md E2: the response of one of five batches is lost; the repeats are recognised and get their first offsets.
func TestLostResponsesDoNotDuplicate(t *testing.T) {
	for lost := 1; lost <= 5; lost++ {
		k := newKafka(1)
		ft := k.topic("t", 1)
		w := newWorld(t, k, client.Options{Cluster: fastCluster(), Producer: producer.Options{BatchSize: 90}})
		w.intercept = func(r *inbound) (v verdict) {
			v.loseResponse = r.body.Key() == int16(kmsg.Produce) && r.nth == lost
			return v
		}
		for i := range 10 {
			w.produce("t", 0, uint64(i), fmt.Sprintf("%02d-0123456789012345678", i))
		}
		w.settled(20 * core.Second)
		requireAllWritten(t, w, ft.parts[0], 10)
		require.Zero(t, ft.parts[0].producers[100].epoch, "nothing failed for good, so no epoch bump")
	}
}

// A request without an answer costs the connection; the old one executes much later, and changes nothing.
func TestTimeoutHangsUpAndTheLateRequestIsRecognised(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{Cluster: fastCluster()})
	w.intercept = func(r *inbound) (v verdict) {
		if r.body.Key() == int16(kmsg.Produce) && r.nth == 1 {
			v.late = 5 * core.Second
		}
		return v
	}
	w.produce("t", 0, 0, "00")
	w.settled(4 * core.Second)
	require.GreaterOrEqual(t, w.now.Mono, 3*core.Second)
	require.Equal(t, int32(2), w.results[0].Attempts)
	w.produce("t", 0, 1, "01")
	w.settled(core.Second)
	w.idle(10 * core.Second)
	requireAllWritten(t, w, ft.parts[0], 2)
}

// The same without idempotence may write twice: that is what the option means.
func TestWithoutIdempotenceALostResponseDuplicates(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{Producer: producer.Options{Idempotence: producer.IdempotenceOff}})
	w.intercept = func(r *inbound) (v verdict) {
		v.loseResponse = r.body.Key() == int16(kmsg.Produce) && r.nth == 1
		return v
	}
	w.produce("t", 0, 0, "a")
	w.settled(5 * core.Second)
	require.Equal(t, []string{"a", "a"}, ft.parts[0].values())
	require.Equal(t, core.Offset(1), w.results[0].Offset)
	require.False(t, hasProducer(ft.parts[0]))
}

// KIP-360: a batch given up on after a lost attempt leaves a gap. What follows goes out under the next epoch, and the
// lost batch, arriving late, is fenced.
func TestAmbiguousLossBumpsTheEpoch(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{Cluster: fastCluster(),
		Producer: producer.Options{DeliveryTimeout: 3 * core.Second}})
	w.intercept = func(r *inbound) (v verdict) {
		if r.body.Key() == int16(kmsg.Produce) && w.now.Mono < 6*core.Second {
			v.late = 20 * core.Second
		}
		return v
	}
	w.produce("t", 0, 0, "lost")
	w.settled(4 * core.Second)
	require.Equal(t, core.ErrRequestTimedOut, w.results[0].Err)
	require.True(t, w.results[0].Ambiguous)
	w.idle(3 * core.Second)
	w.produce("t", 0, 1, "next")
	w.settled(5 * core.Second)
	require.Equal(t, core.ErrNone, w.results[1].Err)
	require.Equal(t, int16(1), ft.parts[0].producers[100].epoch)
	w.idle(30 * core.Second)
	require.Equal(t, []string{"next"}, ft.parts[0].values(), "the late batch of epoch 0 is fenced")
}

// KAFKA.md 35: a broker that does not know the producer takes any first sequence. If the very first batch is refused,
// the second must not be there already.
func TestFirstBatchIsAloneUntilAcknowledged(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{Producer: producer.Options{BatchSize: 90}})
	w.intercept = func(r *inbound) (v verdict) {
		if r.body.Key() == int16(kmsg.Produce) && r.nth == 1 {
			v.answer = produceError(r, core.ErrNotEnoughReplicas)
		}
		return v
	}
	for i := range 4 {
		w.produce("t", 0, uint64(i), fmt.Sprintf("%02d-0123456789012345678", i))
	}
	w.settled(10 * core.Second)
	requireAllWritten(t, w, ft.parts[0], 4)
}

// A definite refusal of the first of several batches: the others were refused for the gap, and get new numbers.
func TestDefiniteFailureRenumbersTheRest(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{Producer: producer.Options{BatchSize: 90}})
	w.intercept = func(r *inbound) (v verdict) {
		if r.body.Key() == int16(kmsg.Produce) && r.nth == 2 {
			v.answer = produceError(r, core.ErrInvalidTimestamp)
		}
		return v
	}
	for i := range 5 {
		w.produce("t", 0, uint64(i), fmt.Sprintf("%02d-0123456789012345678", i))
		if i == 0 {
			w.settled(core.Second)
		}
	}
	w.settled(10 * core.Second)
	require.Len(t, w.results, 5)
	require.Equal(t, core.ErrInvalidTimestamp, w.results[1].Err)
	require.False(t, w.results[1].Ambiguous)
	for i, token := range []int{0, 2, 3, 4} {
		r := w.results[token]
		require.Equal(t, core.ErrNone, r.Err)
		require.Equal(t, core.Offset(i), r.Offset)
	}
	require.Equal(t, int16(1), ft.parts[0].producers[100].epoch)
}

// The leader lost what it acknowledged: the next batch is out of order though nothing is missing on our side.
func TestOutOfOrderAfterBrokerLossBumpsTheEpoch(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{})
	w.produce("t", 0, 0, "a", "b")
	w.settled(core.Second)
	ft.parts[0].producers[100] = &fakeProducer{next: 1}
	w.produce("t", 0, 2, "c")
	w.settled(5 * core.Second)
	require.Equal(t, core.ErrNone, w.results[2].Err)
	require.Equal(t, int16(1), ft.parts[0].producers[100].epoch)
}

func TestTooLargeBatchesAreSplit(t *testing.T) {
	for _, codec := range []record.Codec{record.None, record.LZ4} {
		k := newKafka(1)
		k.maxSize = 250
		ft := k.topic("t", 1)
		w := newWorld(t, k, client.Options{Producer: producer.Options{Linger: core.Millisecond, Compression: codec}})
		for i := range 20 {
			w.produce("t", 0, uint64(i), fmt.Sprintf("%02d-%d-0123456789012345678", i, i*7919))
		}
		w.settled(10 * core.Second)
		requireAllWritten(t, w, ft.parts[0], 20)
		require.Zero(t, ft.parts[0].producers[100].epoch, "halves keep the numbers of the whole")
	}
}

func TestTooLargeRecordsFail(t *testing.T) {
	k := newKafka(1)
	k.maxSize = 150
	k.topic("t", 1)
	w := newWorld(t, k, client.Options{Producer: producer.Options{MaxRequestSize: 1000}})
	w.produce("t", 0, 0, strings.Repeat("x", 600)) // beyond what a request can carry
	w.produce("t", 0, 1, strings.Repeat("x", 200)) // beyond what the topic takes
	w.produce("t", 0, 2, "fits")
	w.settled(10 * core.Second)
	for _, r := range w.results {
		want := core.ErrMessageTooLarge
		if r.Token == 2 {
			want = core.ErrNone
		}
		require.Equal(t, want, r.Err, "%+v", r)
		require.False(t, r.Ambiguous)
	}
}

func TestLeaderChange(t *testing.T) {
	k := newKafka(2)
	ft := k.topic("t", 1)
	p := ft.parts[0]
	w := newWorld(t, k, client.Options{Cluster: fastCluster(), Producer: producer.Options{BatchSize: 90}})
	w.produce("t", 0, 0, "00")
	w.settled(core.Second)
	p.leader, p.epoch = 1, 1
	for i := range 6 {
		w.produce("t", 0, uint64(i+1), fmt.Sprintf("%02d-0123456789012345678", i+1))
	}
	w.settled(5 * core.Second)
	requireAllWritten(t, w, p, 7)
	require.Positive(t, w.requests("1 Produce(13)"))

	k.brokers[1].fail()
	p.leader, p.epoch = 0, 2
	w.produce("t", 0, 7, "07")
	w.settled(5 * core.Second)
	requireAllWritten(t, w, p, 8)
}

// KIP-320, KAFKA.md 15: Metadata from a broker that lags behind does not bring an old leader back.
func TestLeaderEpochNeverGoesBack(t *testing.T) {
	k := newKafka(2)
	ft := k.topic("t", 1)
	ft.parts[0].leader, ft.parts[0].epoch = 1, 5
	w := newWorld(t, k, client.Options{})
	w.produce("t", 0, 0, "00")
	w.settled(core.Second)
	ft.parts[0].stale = 5 // says epoch 4, broker 0
	w.client.Cluster().Refresh()
	w.produce("t", 0, 1, "01")
	w.idle(core.Second)
	require.Zero(t, w.requests("0 Produce(13)"))
	leader, epoch := w.client.Cluster().Want("t").Leader(0)
	require.Equal(t, core.NodeID(1), leader)
	require.Equal(t, core.LeaderEpoch(5), epoch)
	requireAllWritten(t, w, ft.parts[0], 2)
}

func TestUnknownTopicWaitsAndThenFails(t *testing.T) {
	k := newKafka(1)
	w := newWorld(t, k, client.Options{Producer: producer.Options{DeliveryTimeout: 3 * core.Second}})
	w.produce("late", 0, 0, "00")
	w.produce("never", producer.AnyPartition, 1, "x")
	w.idle(core.Second)
	ft := k.topic("late", 1)
	w.settled(4 * core.Second)
	require.Equal(t, []string{"00"}, ft.parts[0].values())
	require.Equal(t, core.ErrUnknownTopicOrPartition, w.results[1].Err)
	require.False(t, w.results[1].Ambiguous)
	require.Less(t, w.requests("Metadata"), 12, "backed off")
}

func TestAmbiguityOfErrors(t *testing.T) {
	for code, ambiguous := range map[core.ErrorCode]bool{
		core.ErrInvalidRecord:                false,
		core.ErrTopicAuthorizationFailed:     false,
		core.ErrUnknownServerError:           true,
		core.ErrNotEnoughReplicas:            false,
		core.ErrNotEnoughReplicasAfterAppend: true,
		core.ErrRequestTimedOut:              true,
		core.ErrNotLeaderOrFollower:          true,
	} {
		k := newKafka(1)
		k.topic("t", 1)
		w := newWorld(t, k, client.Options{Producer: producer.Options{Retries: 2}})
		w.intercept = func(r *inbound) (v verdict) {
			if r.body.Key() == int16(kmsg.Produce) {
				v.answer = produceError(r, code)
			}
			return v
		}
		w.produce("t", 0, 0, "a")
		w.settled(20 * core.Second)
		require.Equal(t, code, w.results[0].Err)
		require.Equal(t, ambiguous, w.results[0].Ambiguous, "%v", code)
		if code.Retriable() {
			require.Equal(t, 3, w.requests("Produce"), "%v", code)
		}
	}
}

func TestAcksNoneAndLeader(t *testing.T) {
	for _, acks := range []producer.Acks{producer.AcksNone, producer.AcksLeader} {
		k := newKafka(1)
		ft := k.topic("t", 1)
		w := newWorld(t, k, client.Options{Producer: producer.Options{Acks: acks}})
		w.produce("t", 0, 0, "a", "b")
		w.settled(core.Second)
		w.idle(core.Second)
		require.Equal(t, []string{"a", "b"}, ft.parts[0].values())
		require.Equal(t, acks == producer.AcksNone, w.results[0].Offset == core.NoOffset)
		require.False(t, hasProducer(ft.parts[0]))
	}
}

func TestOldBrokersHaveNoIdempotence(t *testing.T) {
	for _, idem := range []producer.Idempotence{producer.IdempotenceAuto, producer.IdempotenceOn} {
		k := newKafka(1)
		k.limits[22] = -1
		ft := k.topic("t", 1)
		w := newWorld(t, k, client.Options{Producer: producer.Options{Idempotence: idem}})
		w.produce("t", 0, 0, "a")
		w.settled(core.Second)
		if idem == producer.IdempotenceOn {
			require.Equal(t, core.ErrUnsupportedVersion, w.results[0].Err)
			require.Empty(t, ft.parts[0].batches)
		} else {
			require.Equal(t, core.ErrNone, w.results[0].Err)
		}
	}
}

func TestBufferMemoryBoundsWhatIsHeld(t *testing.T) {
	k := newKafka(1)
	k.topic("t", 1)
	w := newWorld(t, k, client.Options{Producer: producer.Options{BufferMemory: 1000}})
	rec := producer.Record{Topic: "t", Value: make([]byte, 300)}
	require.True(t, w.client.Producer().Produce(w.now, rec, 1))
	require.True(t, w.client.Producer().Produce(w.now, rec, 2))
	require.False(t, w.client.Producer().Produce(w.now, rec, 3))
	w.settled(core.Second)
	require.True(t, w.client.Producer().Produce(w.now, rec, 3))
	w.settled(core.Second)
	require.Len(t, w.results, 3)
}

func TestKeysGoWhereJavaPutsThem(t *testing.T) {
	k := newKafka(3)
	ft := k.topic("t", 10)
	w := newWorld(t, k, client.Options{})
	w.client.Producer().Produce(w.now, producer.Record{Topic: "t", Partition: producer.AnyPartition, Key: []byte("foobar"),
		Value: []byte("v")}, 1)
	w.settled(core.Second)
	require.Equal(t, int32(6), w.results[0].Partition)
	require.Equal(t, []string{"v"}, ft.parts[6].values())
}

func TestCloseFailsTheRest(t *testing.T) {
	k := newKafka(1)
	k.topic("t", 1)
	w := newWorld(t, k, client.Options{})
	w.intercept = func(r *inbound) (v verdict) {
		v.silent = r.body.Key() == int16(kmsg.Produce)
		return v
	}
	w.produce("t", 0, 0, "sent")
	w.idle(100 * core.Millisecond)
	w.produce("unknown", 0, 1, "parked")
	w.client.Close(w.now)
	w.settled(core.Second)
	for _, r := range w.results {
		require.Equal(t, core.ErrNetworkException, r.Err)
		require.Equal(t, r.Token == 0, r.Ambiguous)
	}
	_, ok := w.node.NextDeadline()
	require.False(t, ok)
	require.False(t, w.client.Producer().Produce(w.now, producer.Record{Topic: "t"}, 3))
}

func hasProducer(p *fakePartition) bool {
	h := p.batches[0].Header()
	return h.HasProducerID()
}
