package client_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/record"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var beginning = consumer.Start{Kind: consumer.SeekBeginning}

func TestConsumeEveryCodec(t *testing.T) {
	k := newKafka(1)
	p := k.topic("t", 1).parts[0]
	for _, codec := range []record.Codec{record.None, record.Gzip, record.Snappy, record.LZ4, record.Zstd} {
		p.store(codec, record.Options{}, codec.String()+"1", codec.String()+"2")
	}
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	got := w.consume(core.Second, 10)
	require.Equal(t, p.values(), values(got))
	for i, r := range got {
		require.Equal(t, core.Offset(i), r.Offset)
		require.Equal(t, core.Wall(1000+i), r.Timestamp)
		require.Equal(t, "k", string(r.Key))
		require.Equal(t, []consumer.Header{{Key: []byte("h"), Value: r.Value}}, r.Headers)
	}
	lag, ok := w.client.Consumer().Lag("t", 0)
	require.True(t, ok)
	require.Zero(t, lag)
	p.store(record.Zstd, record.Options{}, "later")
	require.Equal(t, []string{"later"}, values(w.consume(core.Second, 1)))
	require.Equal(t, p.values(), append(values(got), "later"), "earlier views are intact")
}

func TestSeeks(t *testing.T) {
	for name, c := range map[string]struct {
		at   consumer.Start
		want string
	}{
		"beginning":               {beginning, "0"},
		"offset in batch":         {consumer.Start{Kind: consumer.SeekOffset, Offset: 3}, "3"},
		"timestamp":               {consumer.Start{Kind: consumer.SeekTimestamp, Timestamp: 1004}, "4"},
		"young timestamp":         {consumer.Start{Kind: consumer.SeekTimestamp, Timestamp: 9999}, "new"},
		"end":                     {consumer.Start{Kind: consumer.SeekEnd}, "new"},
		"reset policy":            {consumer.Start{}, "new"},
		"offset with known epoch": {consumer.Start{Kind: consumer.SeekOffset, Offset: 2, EpochPlusOne: 1}, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKafka(1)
			p := k.topic("t", 1).parts[0]
			p.store(record.None, record.Options{}, "0", "1", "2")
			p.store(record.Gzip, record.Options{}, "3", "4", "5")
			w := newWorld(t, k, client.Options{})
			w.client.Consumer().Assign(w.now, "t", 0, c.at)
			w.idle(100 * core.Millisecond)
			p.store(record.None, record.Options{}, "new")
			require.Equal(t, []string{c.want}, values(w.consume(core.Second, 1)))
		})
	}
}

func TestSeekDropsWhatWasFetched(t *testing.T) {
	k := newKafka(1)
	p := k.topic("t", 1).parts[0]
	for i := range 10 {
		p.store(record.None, record.Options{}, fmt.Sprint(i))
	}
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	require.Equal(t, []string{"0", "1"}, values(w.consume(core.Second, 2)))
	w.client.Consumer().Assign(w.now, "t", 0, consumer.Start{Kind: consumer.SeekOffset, Offset: 7})
	require.Equal(t, []string{"7", "8", "9"}, values(w.consume(core.Second, 3)))
	o, epoch, ok := w.client.Consumer().Position("t", 0)
	require.True(t, ok)
	require.Equal(t, core.Offset(10), o)
	require.Equal(t, core.LeaderEpoch(1), epoch)
}

// A fetch under way when the partition is moved answers a question that nobody asks any more.
func TestSeekDisownsTheFetchUnderWay(t *testing.T) {
	k := newKafka(1)
	p := k.topic("t", 1).parts[0]
	p.store(record.None, record.Options{}, "0", "1", "2")
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	w.consume(core.Second, 3)
	w.idle(20 * core.Millisecond) // a long poll is parked at offset 3
	w.client.Consumer().Assign(w.now, "t", 0, consumer.Start{Kind: consumer.SeekOffset, Offset: 1})
	p.store(record.None, record.Options{}, "3")
	require.Equal(t, []string{"1", "2", "3"}, values(w.consume(core.Second, 3)))
}

func TestPauseHoldsBack(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 2)
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	w.client.Consumer().Assign(w.now, "t", 1, beginning)
	w.idle(50 * core.Millisecond)
	w.client.Consumer().Pause(w.now, "t", 0)
	ft.parts[0].store(record.None, record.Options{}, "p0")
	ft.parts[1].store(record.None, record.Options{}, "p1")
	require.Equal(t, []string{"p1"}, values(w.consume(2*core.Second, 1)))
	require.Empty(t, w.client.Consumer().Poll(w.now, 10, nil))
	w.client.Consumer().Resume(w.now, "t", 0)
	require.Equal(t, []string{"p0"}, values(w.consume(2*core.Second, 1)))
	w.client.Consumer().Unassign(w.now, "t", 1)
	ft.parts[1].store(record.None, record.Options{}, "p1 again")
	w.idle(2 * core.Second)
	require.Empty(t, w.client.Consumer().Poll(w.now, 10, nil))
}

func TestOutOfRangeFollowsThePolicy(t *testing.T) {
	for policy, want := range map[consumer.ResetPolicy]consumer.Event{
		consumer.ResetEarliest: {Kind: consumer.EventReset, Topic: "t", From: 1, To: 3, Err: core.ErrOffsetOutOfRange},
		consumer.ResetLatest:   {Kind: consumer.EventReset, Topic: "t", From: 1, To: 4, Err: core.ErrOffsetOutOfRange},
		consumer.ResetNone:     {Kind: consumer.EventStopped, Topic: "t", From: 1, To: 1, Err: core.ErrOffsetOutOfRange},
	} {
		k := newKafka(1)
		p := k.topic("t", 1).parts[0]
		for i := range 4 {
			p.store(record.None, record.Options{}, fmt.Sprint(i))
		}
		p.start = 3
		w := newWorld(t, k, client.Options{Consumer: consumer.Options{Reset: policy}})
		w.client.Consumer().Assign(w.now, "t", 0, consumer.Start{Kind: consumer.SeekOffset, Offset: 1})
		w.run(core.Second, func() bool { return len(w.notices) > 0 })
		want.Detail = w.notices[0].Detail
		require.Equal(t, []consumer.Event{want}, w.notices)
	}
}

// BUGS.md H3, KIP-320: the new leader's log ends below the position and has grown past it again.
func TestTruncationIsDetected(t *testing.T) {
	for _, policy := range []consumer.ResetPolicy{consumer.ResetLatest, consumer.ResetNone} {
		k := newKafka(2)
		p := k.topic("t", 1).parts[0]
		for i := range 10 {
			p.store(record.None, record.Options{}, fmt.Sprint(i))
		}
		w := newWorld(t, k, client.Options{Consumer: consumer.Options{Reset: policy}})
		w.client.Consumer().Assign(w.now, "t", 0, beginning)
		require.Len(t, w.consume(core.Second, 10), 10)
		p.truncate(6)
		p.leader, p.epoch = 1, 1
		for i := 6; i < 13; i++ {
			p.store(record.None, record.Options{}, fmt.Sprintf("%d'", i))
		}
		w.run(3*core.Second, func() bool { return len(w.notices) > 0 })
		e := w.notices[0]
		require.Equal(t, core.Offset(10), e.From)
		require.Equal(t, core.Offset(6), e.To)
		if policy == consumer.ResetNone {
			require.Equal(t, consumer.EventStopped, e.Kind)
			w.idle(core.Second)
			require.Empty(t, w.client.Consumer().Poll(w.now, 10, nil))
			continue
		}
		require.Equal(t, consumer.EventTruncated, e.Kind)
		require.Equal(t, []string{"6'", "7'", "8'"}, values(w.consume(core.Second, 3)))
	}
}

// Who comes with an offset of an epoch that its metadata do not know asks nobody before it knows more.
func TestADeposedLeaderIsNotAskedForALaterEpoch(t *testing.T) {
	k := newKafka(2)
	p := k.topic("t", 1).parts[0]
	for i := range 10 {
		p.store(record.None, record.Options{}, fmt.Sprint(i))
	}
	w := newWorld(t, k, client.Options{Consumer: consumer.Options{Reset: consumer.ResetEarliest}})
	w.client.Consumer().Assign(w.now, "t", 0, consumer.Start{Kind: consumer.SeekOffset, Offset: 9, EpochPlusOne: 4})
	w.idle(core.Second)
	require.Empty(t, w.notices)
	require.Empty(t, w.client.Consumer().Poll(w.now, 10, nil))
	p.leader, p.epoch = 1, 3
	require.Equal(t, []string{"9"}, values(w.consume(10*core.Second, 1)))
	require.Empty(t, w.notices)
}

// A leader change without truncation costs a validation and nothing else.
func TestLeaderChangeWithoutTruncation(t *testing.T) {
	k := newKafka(2)
	p := k.topic("t", 1).parts[0]
	p.store(record.None, record.Options{}, "0", "1")
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	w.consume(core.Second, 2)
	p.leader, p.epoch = 1, 1
	p.store(record.None, record.Options{}, "2")
	got := w.consume(3*core.Second, 1)
	require.Equal(t, []string{"2"}, values(got))
	require.Equal(t, core.LeaderEpoch(1), got[0].LeaderEpoch)
	require.Equal(t, 1, w.requests("1 OffsetForLeaderEpoch(4)"))
	require.Empty(t, w.notices)
}

// KIP-320 needs OffsetForLeaderEpoch 3; with an older broker the position is trusted, as in Java.
func TestOldBrokersAreNotAskedToValidate(t *testing.T) {
	k := newKafka(2)
	k.limits[23] = 2
	p := k.topic("t", 1).parts[0]
	p.store(record.None, record.Options{}, "0")
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	w.consume(core.Second, 1)
	p.leader, p.epoch = 1, 1
	p.store(record.None, record.Options{}, "1")
	require.Equal(t, []string{"1"}, values(w.consume(3*core.Second, 1)))
}

func TestRecreatedTopicResets(t *testing.T) {
	k := newKafka(1)
	p := k.topic("t", 1).parts[0]
	p.store(record.None, record.Options{}, "0", "1", "2")
	w := newWorld(t, k, client.Options{Consumer: consumer.Options{Reset: consumer.ResetEarliest}})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	w.consume(core.Second, 3)
	k.topics = nil
	k.topic("t", 1).parts[0].store(record.None, record.Options{}, "a", "b", "c", "d")
	require.Equal(t, []string{"a", "b", "c", "d"}, values(w.consume(5*core.Second, 4)))
}

// KIP-227: only what changed is named, and lost sessions are made anew.
func TestFetchSessions(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 3)
	w := newWorld(t, k, client.Options{Consumer: consumer.Options{MaxWait: 100 * core.Millisecond}})
	var named []int
	var epochs []int32
	w.intercept = func(r *inbound) (v verdict) {
		if f, ok := r.body.(*kmsg.FetchRequest); ok {
			n := 0
			for _, topic := range f.Topics {
				n += len(topic.Partitions)
			}
			named, epochs = append(named, n), append(epochs, f.SessionEpoch)
		}
		return v
	}
	for i := range int32(3) {
		w.client.Consumer().Assign(w.now, "t", i, beginning)
	}
	next := 0
	step := func() {
		ft.parts[1].store(record.None, record.Options{}, fmt.Sprint(next))
		next++
		require.Len(t, w.consume(2*core.Second, 1), 1)
		w.idle(50 * core.Millisecond)
	}
	w.idle(500 * core.Millisecond)
	require.Equal(t, 3, named[0])
	require.Equal(t, []int32{0, 1, 2}, epochs[:3])
	require.Zero(t, named[1])
	step()
	require.Equal(t, 1, named[len(named)-1])

	b := k.brokers[0]
	clear(b.sessions) // FETCH_SESSION_ID_NOT_FOUND
	from := len(epochs)
	step()
	require.Contains(t, epochs[from:], int32(0))
	require.Contains(t, named[from:], 3)
	for _, s := range b.sessions {
		s.epoch += 5 // INVALID_FETCH_SESSION_EPOCH
	}
	from = len(epochs)
	step()
	require.Contains(t, epochs[from:], int32(0))
	require.Len(t, b.sessions, 1, "the old session was closed by its id")

	b.noCache = true
	clear(b.sessions)
	step()
	step()
	require.Equal(t, int32(0), epochs[len(epochs)-1])
	require.Equal(t, 3, named[len(named)-1])
}

func TestFetchByNameWithOldBrokers(t *testing.T) {
	k := newKafka(1)
	k.limits[1], k.limits[3], k.limits[2] = 4, 1, 1
	p := k.topic("t", 1).parts[0]
	p.store(record.LZ4, record.Options{}, "0", "1")
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	require.Equal(t, []string{"0", "1"}, values(w.consume(core.Second, 2)))
	require.Positive(t, w.requests("Fetch(4)"))
}

// A fetch whose answer is lost, or never comes, is asked again from the same place.
func TestLostFetches(t *testing.T) {
	for name, v := range map[string]verdict{
		"response": {loseResponse: true}, "request": {loseRequest: true}, "silence": {silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKafka(1)
			p := k.topic("t", 1).parts[0]
			w := newWorld(t, k, client.Options{Cluster: fastCluster(), Consumer: consumer.Options{PartitionMaxBytes: 100}})
			w.intercept = func(r *inbound) verdict {
				if r.body.Key() == int16(kmsg.Fetch) && r.nth%3 == 0 {
					return v
				}
				return verdict{}
			}
			for i := range 20 {
				p.store(record.None, record.Options{}, fmt.Sprint(i))
			}
			w.client.Consumer().Assign(w.now, "t", 0, beginning)
			require.Equal(t, p.values(), values(w.consume(60*core.Second, 20)))
		})
	}
}

// sentToNearest is a consumer that has read "0" from broker 1, where the leader, broker 0, has sent it.
func sentToNearest(t *testing.T) (*world, *fakePartition) {
	k := newKafka(2)
	p := k.topic("t", 1).parts[0]
	p.readFrom = 1
	p.store(record.None, record.Options{}, "0")
	w := newWorld(t, k, client.Options{Cluster: fastCluster(), Consumer: consumer.Options{Rack: "r1"}})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	require.Equal(t, []string{"0"}, values(w.consume(core.Second, 1)))
	return w, p
}

// KIP-392: the leader sends us to a replica in our rack; when that one is gone we come back.
func TestPreferredReadReplica(t *testing.T) {
	w, p := sentToNearest(t)
	require.Positive(t, w.requests("1 Fetch(18)"))
	w.kafka.brokers[1].fail()
	p.readFrom = -1
	p.store(record.None, record.Options{}, "1")
	require.Equal(t, []string{"1"}, values(w.consume(5*core.Second, 1)))
}

// A leader goes on sending us to a replica that is gone, until it knows: then we do not say where we are, and it answers itself. Asking
// again and again would keep it busy, and bring nothing.
func TestPreferredReadReplicaIsGone(t *testing.T) {
	w, p := sentToNearest(t)
	w.kafka.brokers[1].fail()
	p.store(record.None, record.Options{}, "1")
	require.Equal(t, []string{"1"}, values(w.consume(5*core.Second, 1)))
	before := w.requests("0 Fetch(18)")
	w.idle(5 * core.Second)
	require.Less(t, w.requests("0 Fetch(18)")-before, 100)
}

// txn is a batch, or with marker a control batch, of a transactional producer.
func (p *fakePartition) txn(pid core.ProducerID, v string) {
	p.store(record.None, record.Options{Transactional: true, Idempotent: true, ProducerID: pid}, v)
}

func (p *fakePartition) marker(pid core.ProducerID, commit bool) {
	var b record.Builder
	b.Begin(nil, record.Options{Transactional: true, Control: true, Idempotent: true, ProducerID: pid,
		BaseSequence: record.NoSequence})
	if err := b.AppendEndTxn(0, commit, 0); err != nil {
		panic(err)
	}
	bytes, _ := b.Finish(new(record.Codecs))
	p.append(bytes)
}

func TestReadCommittedFiltersAbortedTransactions(t *testing.T) {
	for _, isolation := range []consumer.Isolation{consumer.ReadCommitted, consumer.ReadUncommitted} {
		k := newKafka(1)
		p := k.topic("t", 1).parts[0]
		p.txn(1, "1 aborted")
		p.txn(2, "2 committed")
		p.store(record.None, record.Options{}, "plain")
		p.marker(1, false)
		p.txn(1, "1 committed")
		p.marker(2, true)
		p.txn(2, "2 aborted")
		p.marker(1, true)
		p.marker(2, false)
		p.store(record.None, record.Options{}, "end")
		p.aborted = []kmsg.FetchResponseTopicPartitionAbortedTransaction{ // not in order, as the protocol allows
			{ProducerID: 2, FirstOffset: 6}, {ProducerID: 1, FirstOffset: 0},
		}
		w := newWorld(t, k, client.Options{Consumer: consumer.Options{Isolation: isolation}})
		w.client.Consumer().Assign(w.now, "t", 0, beginning)
		want := []string{"2 committed", "plain", "1 committed", "end"}
		if isolation == consumer.ReadUncommitted {
			want = []string{"1 aborted", "2 committed", "plain", "1 committed", "2 aborted", "end"}
		}
		require.Equal(t, want, values(w.consume(core.Second, len(want))))
		o, _, _ := w.client.Consumer().Position("t", 0)
		w.idle(core.Second)
		w.client.Consumer().Poll(w.now, 1, nil)
		require.Equal(t, core.Offset(10), o)
	}
}

// Damage is reported once and fetched again; the records before it are handed out.
func TestCorruptionIsReportedAndRetried(t *testing.T) {
	k := newKafka(1)
	p := k.topic("t", 1).parts[0]
	p.store(record.None, record.Options{}, "good")
	p.store(record.None, record.Options{}, "bad")
	p.store(record.None, record.Options{}, "behind")
	sound := slices.Clone(p.batches[1])
	p.batches[1][70] ^= 1
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	require.Equal(t, []string{"good"}, values(w.consume(core.Second, 1)))
	w.idle(5 * core.Second)
	require.Empty(t, w.client.Consumer().Poll(w.now, 10, nil))
	require.Len(t, w.notices, 1)
	require.Equal(t, core.ErrCorruptMessage, w.notices[0].Err)
	require.Less(t, w.requests("Fetch"), 20, "backed off")
	copy(p.batches[1], sound)
	require.Equal(t, []string{"bad", "behind"}, values(w.consume(5*core.Second, 2)))
}

func TestBufferBoundsPrefetching(t *testing.T) {
	k := newKafka(1)
	p := k.topic("t", 1).parts[0]
	for i := range 100 {
		p.store(record.None, record.Options{}, fmt.Sprintf("%0100d", i))
	}
	w := newWorld(t, k, client.Options{Consumer: consumer.Options{PartitionMaxBytes: 400, BufferBytes: 1000}})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	w.idle(2 * core.Second)
	require.Less(t, w.requests("Fetch"), 6)
	require.Equal(t, p.values(), values(w.consume(10*core.Second, 100)))
}

func TestPollTakesTurns(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 3)
	w := newWorld(t, k, client.Options{})
	for i := range int32(3) {
		ft.parts[i].store(record.None, record.Options{}, "a", "b", "c", "d")
		w.client.Consumer().Assign(w.now, "t", i, beginning)
	}
	w.idle(core.Second)
	seen := map[int32]int{}
	for range 6 {
		for _, r := range w.client.Consumer().Poll(w.now, 2, nil) {
			seen[r.Partition]++
		}
	}
	require.Equal(t, map[int32]int{0: 4, 1: 4, 2: 4}, seen)
}

func TestUnknownTopicIsToldOnce(t *testing.T) {
	k := newKafka(1)
	w := newWorld(t, k, client.Options{})
	w.client.Consumer().Assign(w.now, "t", 0, beginning)
	w.idle(5 * core.Second)
	require.Len(t, w.notices, 1)
	require.Equal(t, core.ErrUnknownTopicOrPartition, w.notices[0].Err)
	k.topic("t", 1).parts[0].store(record.None, record.Options{}, "x")
	require.Equal(t, []string{"x"}, values(w.consume(5*core.Second, 1)))
}
