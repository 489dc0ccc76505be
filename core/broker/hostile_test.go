package broker_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// hostile is a client that sends what no client should: producer ids that are not its own, epochs of the past and of the future, gaps in its
// numbers, transactional ids that are empty, huge or somebody else's, ends of what was never begun.
type hostile struct {
	*txn
	rand    *prng.Rand
	made    int // transactional ids
	learned []owner
	blocked int // how often a LastStableOffset was seen below the HighWatermark
}

// owner is who a transactional id was given to.
type owner struct {
	name  string
	id    int64
	epoch int16
}

// Bounds of the hostile client's world, in milliseconds.
const (
	longestTxn = 5_000
	abortEvery = 200
	forgetAll  = 20_000
)

func newHostile(t *testing.T, seed uint64) *hostile {
	ms := func(n int) string { return fmt.Sprint(n) }
	r := newRig(t, "transaction.state.log.replication.factor", "1", "transaction.state.log.min.isr", "1",
		"transaction.state.log.num.partitions", "1", "offsets.topic.replication.factor", "1", "offsets.topic.num.partitions", "1",
		"transaction.max.timeout.ms", ms(longestTxn), "transaction.abort.timed.out.transaction.cleanup.interval.ms", ms(abortEvery),
		"producer.id.expiration.ms", ms(forgetAll), "transactional.id.expiration.ms", ms(forgetAll),
		"transaction.remove.expired.transaction.cleanup.interval.ms", "1000", "log.retention.check.interval.ms", "1000")
	r.create(newTopic("a", 2))
	h := &hostile{txn: &txn{rig: r, version: 12}, rand: prng.New(seed).Fork("hostile")}
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorType, find.CoordinatorKeys = 1, []string{"x"}
	for range 50 {
		if ask[*kmsg.FindCoordinatorResponse](r, 4, find).Coordinators[0].ErrorCode == 0 {
			return h
		}
		h.pause(100 * core.Millisecond)
	}
	require.Fail(t, "no coordinator")
	return nil
}

// id is a transactional id: one of a few, a new one, none, or a huge one.
func (h *hostile) id() string {
	switch h.rand.Below(8) {
	case 0:
		return ""
	case 1:
		return strings.Repeat("x", 10_000)
	case 2:
		h.made++
		return fmt.Sprintf("new-%d", h.made)
	}
	return fmt.Sprintf("id-%d", h.rand.Below(4))
}

// owner is a producer: one that there was, or something like it.
func (h *hostile) owner() owner {
	o := owner{h.id(), h.rand.Between(-1, 6), int16(h.rand.Between(-1, 3))}
	if n := len(h.learned); n > 0 && h.rand.Chance(3, 4) {
		o = h.learned[n-1-int(h.rand.Skewed(int64(n)))]
	}
	switch h.rand.Below(16) {
	case 0:
		o.epoch = 1<<15 - 1
	case 1:
		o.id = 1<<62 + h.rand.Below(1000)
	case 2:
		o.epoch++
	case 3:
		o.name = h.id()
	}
	return o
}

func (h *hostile) partition() int32 { return int32(h.rand.Between(-1, 2)) }

func (h *hostile) batch(id int64, epoch int16) []byte {
	var b record.Builder
	b.Begin(nil, record.Options{Idempotent: h.rand.Chance(7, 8), ProducerID: core.ProducerID(id), ProducerEpoch: core.ProducerEpoch(epoch),
		BaseSequence: int32(h.rand.Below(2) * h.rand.Skewed(1<<31-1)), Transactional: h.rand.Chance(7, 8)})
	require.NoError(h.t, b.Append(h.Now().Wall, nil, []byte("value"), nil))
	data, err := b.Finish(&record.Codecs{})
	require.NoError(h.t, err)
	return data
}

// request is the next thing that it sends.
func (h *hostile) request() (version int16, req kmsg.Request) {
	o := h.owner()
	name, id, epoch := o.name, o.id, o.epoch
	switch h.rand.Below(8) {
	case 0, 1:
		name = h.id()
		r := kmsg.NewPtrInitProducerIDRequest()
		r.TransactionalID, r.TransactionTimeoutMillis, r.ProducerID, r.ProducerEpoch = &name, int32(h.rand.Between(-1, 2*longestTxn)), -1, -1
		if h.rand.Chance(1, 3) {
			r.ProducerID, r.ProducerEpoch = id, epoch
		}
		return 4, r
	case 2:
		r := kmsg.NewPtrAddPartitionsToTxnRequest()
		r.TransactionalID, r.ProducerID, r.ProducerEpoch = name, id, epoch
		r.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "a", Partitions: []int32{h.partition(), h.partition()}}}
		return 3, r
	case 3:
		r := kmsg.NewPtrEndTxnRequest()
		r.TransactionalID, r.ProducerID, r.ProducerEpoch, r.Commit = name, id, epoch, h.rand.Chance(1, 2)
		return int16(h.rand.Between(3, 5)), r
	case 4:
		r := kmsg.NewPtrTxnOffsetCommitRequest()
		r.TransactionalID, r.Group, r.ProducerID, r.ProducerEpoch, r.Generation = name, fmt.Sprint("g", h.rand.Below(3)), id, epoch, int32(h.rand.Between(-1, 1))
		row := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		row.Partition, row.Offset = h.partition(), h.rand.Below(10)
		r.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: "a", Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{row}}}
		return int16(h.rand.Between(3, 5)), r
	}
	r := kmsg.NewPtrProduceRequest()
	r.Acks, r.TimeoutMillis = int16(1-2*h.rand.Below(2)), 1000
	if h.rand.Chance(7, 8) {
		r.TransactionID = &name
	}
	r.Topics = []kmsg.ProduceRequestTopic{{Topic: "a", Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: h.partition(), Records: h.batch(id, epoch)}}}}
	return int16(h.rand.Between(9, 12)), r
}

// storm sends so many requests, a few at a time, and waits until each is answered.
func (h *hostile) storm(requests int) {
	h.replies = h.replies[:0]
	for range requests {
		version, req := h.request()
		h.send(connInner, version, req)
		if r, ok := req.(*kmsg.InitProducerIDRequest); ok {
			h.learn(*r.TransactionalID, h.seq-1)
		}
		if h.rand.Chance(1, 3) {
			h.pause(core.Mono(h.rand.Between(1, 50)) * core.Millisecond)
			if v := h.partition0(); v.LastStableOffset < v.HighWatermark {
				h.blocked++
			}
		}
	}
	late := h.now.Add(60 * core.Second)
	h.run(func() bool { return len(h.replies) == requests || h.now > late })
	require.Len(h.t, h.replies, requests, "not all requests were answered")
}

func (h *hostile) partition0() broker.ReplicaView {
	v, _ := h.broker.View(core.TopicPartition{Topic: "a"})
	return v
}

// learn waits for a producer id, and remembers whose it is.
func (h *hostile) learn(name string, seq uint64) {
	at := -1
	h.run(func() bool {
		at = slices.IndexFunc(h.replies, func(r step.Reply) bool { return r.Seq == seq })
		return at >= 0
	})
	if resp := h.replies[at].Body.(*kmsg.InitProducerIDResponse); resp.ErrorCode == 0 {
		h.learned = append(h.learned, owner{name, resp.ProducerID, resp.ProducerEpoch})
		h.learned = h.learned[max(0, len(h.learned)-16):]
	}
}

// records is how many records the broker has stored.
func (h *hostile) records() (n int64) {
	for _, v := range h.broker.Replicas() {
		n += int64(v.LogEndOffset)
	}
	return n
}

// held is how much the broker remembers of producers and transactions.
func (h *hostile) held() (producers, transactions int) {
	for _, v := range h.broker.Replicas() {
		producers += v.Producers.Len()
	}
	for _, v := range h.broker.TransactionCoordinators() {
		for range v.Machine.All() {
			transactions++
		}
	}
	return producers, transactions
}

func (h *hostile) heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A client that obeys no rule can neither block a partition's LastStableOffset for ever nor make the broker remember without bound: what it
// leaves open is aborted when its timeout, of which there is a longest, is over; and what nobody uses is forgotten.
func TestHostileProducer(t *testing.T) {
	const requests = 400
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := newHostile(t, seed)
			remembered := 0
			var first, stored int64
			for round := range 4 {
				h.storm(requests)
				producers, transactions := h.held()
				remembered = max(remembered, min(producers, transactions))
				require.LessOrEqual(t, transactions, requests)
				require.LessOrEqual(t, producers, requests)
				h.pause((longestTxn + 2*abortEvery + 1000) * core.Millisecond)
				for p := range int32(2) {
					v, _ := h.broker.View(core.TopicPartition{Topic: "a", Partition: p})
					require.Equal(t, v.LogEndOffset, v.LastStableOffset, "%v", v.TP)
				}
				h.pause((3*forgetAll + 2000) * core.Millisecond)
				producers, transactions = h.held()
				require.Zero(t, producers)
				require.Zero(t, transactions)
				if round == 0 {
					first, stored = h.heap(), h.records()
				}
			}
			require.Positive(t, h.blocked, "no transaction was ever open")
			require.Positive(t, remembered)
			grown, more := h.heap()-first, h.records()-stored
			require.Less(t, grown, 256<<10+2<<10*more, "the broker has grown by %d bytes while %d records were stored", grown, more)
		})
	}
}
