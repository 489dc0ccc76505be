package client_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// txnWorld is a client with a transactional id and what it was told.
type txnWorld struct {
	*world
	x      *fakeTxns
	m      *txn.Manager
	topic  *fakeTopic
	events []txn.Event
}

func newTxnWorld(t testing.TB, version int16, o client.Options) *txnWorld {
	k := newKafka(3)
	ft := k.topic("t", 3)
	x := k.newTxns(version)
	x.coordinator = 2
	o.Txn.ID = "tx"
	o.Cluster = fastCluster()
	w := newWorld(t, k, o)
	return &txnWorld{world: w, x: x, m: w.client.Transactions(), topic: ft}
}

// until runs the world, with events taken, until the condition holds.
func (w *txnWorld) until(done func() bool) {
	w.t.Helper()
	w.run(30*core.Second, func() bool {
		w.events = w.m.Events(w.events)
		return done()
	})
}

func (w *txnWorld) state(s txn.State) {
	w.t.Helper()
	w.until(func() bool { return w.m.State() == s })
}

// begin waits until a transaction may begin, and begins it.
func (w *txnWorld) begin() {
	w.t.Helper()
	w.state(txn.Ready)
	require.True(w.t, w.m.Begin(w.now))
}

// end waits for the end of a transaction and returns how it was told.
func (w *txnWorld) end() (e txn.Event) {
	w.t.Helper()
	found := false
	w.until(func() bool {
		for i := range w.events {
			if w.events[i].Kind == txn.EventEnded {
				e, found = w.events[i], true
			}
		}
		return found
	})
	w.events = nil
	return e
}

func (w *txnWorld) commit() txn.Event {
	w.t.Helper()
	require.True(w.t, w.m.Commit(w.now))
	return w.end()
}

func (w *txnWorld) visible() (out []string) {
	for _, p := range w.topic.parts {
		out = append(out, p.visible()...)
	}
	slices.Sort(out)
	return out
}

// versions runs a test with both versions of the protocol.
func versions(t *testing.T, f func(t *testing.T, v int16)) {
	for _, v := range []int16{1, 2} {
		t.Run(fmt.Sprintf("TV%d", v), func(t *testing.T) { f(t, v) })
	}
}

// KIP-98 and KIP-890: what a transaction of two partitions asks of whom, in order. Version 2 needs neither AddPartitionsToTxn nor a
// Produce that names what was added.
func TestTransactionRequests(t *testing.T) {
	for v, want := range map[int16][]string{
		1: {"0 FindCoordinator(6)", "2 InitProducerID(5)", "2 AddPartitionsToTxn(3)", "0 Produce(11)", "1 Produce(11)", "2 EndTxn(4)"},
		2: {"0 FindCoordinator(6)", "2 InitProducerID(5)", "1 Produce(13)", "0 Produce(13)", "2 EndTxn(5)"},
	} {
		w := newTxnWorld(t, v, client.Options{})
		w.begin()
		w.produce("t", 0, 1, "a")
		w.produce("t", 1, 2, "b")
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		var got []string
		for _, line := range w.log {
			var node int
			var rest string
			_, err := fmt.Sscanf(line, "%d %s", &node, &rest)
			require.NoError(t, err)
			if !slices.Contains([]string{"ApiVersions(4)", "Metadata(13)"}, rest) {
				got = append(got, line)
			}
		}
		require.Equal(t, want, got, "%d", v)
		require.Equal(t, []string{"a", "b"}, w.visible())
		require.Equal(t, v == 2, w.m.V2())
		_, epoch, ok := w.m.Identity()
		require.True(t, ok)
		require.Equal(t, core.ProducerEpoch(v-1), epoch, "version 2 raises it with each transaction")
	}
}

func TestTransactionsFollowEachOther(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{Producer: producer.Options{Linger: 100 * core.Millisecond}})
		for i := range 5 {
			w.begin()
			w.produce("t", int32(i%2), uint64(10*i), fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i))
			if i == 2 {
				require.True(t, w.m.Abort(w.now))
				require.Equal(t, txn.Event{Kind: txn.EventEnded}, w.end())
				continue
			}
			require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		}
		require.Equal(t, []string{"a0", "a1", "a3", "a4", "b0", "b1", "b3", "b4"}, w.visible())
		require.Len(t, w.x.inits, 1)
		require.Len(t, w.results, 10)
	})
}

// A transaction in which nothing was written is nobody's business.
func TestEmptyTransactionSendsNothing(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{})
		w.begin()
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		require.Zero(t, w.requests("EndTxn"))
	})
}

// As Java's client a producer may tell the coordinator that it gives up what nobody has heard of, where that is allowed: with version 2.
func TestEmptyAbortIsSentOnRequest(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{Txn: txn.Options{EndEmpty: true}})
		w.begin()
		require.True(t, w.m.Commit(w.now))
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.end())
		require.Zero(t, w.requests("EndTxn"))
		w.begin()
		require.True(t, w.m.Abort(w.now))
		require.Equal(t, txn.Event{Kind: txn.EventEnded}, w.end())
		require.Equal(t, v == 2, w.requests("EndTxn") == 1)
		require.Equal(t, txn.Inits{Asked: 1, Answered: 1}, w.m.Inits())
	})
}

func TestProduceNeedsAnOpenTransaction(t *testing.T) {
	w := newTxnWorld(t, 2, client.Options{})
	w.state(txn.Ready)
	w.produce("t", 0, 1, "a")
	w.until(func() bool { return len(w.results) == 1 })
	require.Equal(t, core.ErrInvalidTxnState, w.results[0].Err)
	require.False(t, w.results[0].Ambiguous)
	require.False(t, w.m.Commit(w.now))
	require.False(t, w.m.Abort(w.now))
	require.False(t, w.m.SendOffsets(w.now, txn.Group{ID: "g"}, nil))
}

// What has not left when the transaction is aborted fails, for certain; what has left is aborted by the coordinator.
func TestAbortDropsWhatHasNotLeft(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{Producer: producer.Options{Linger: core.Minute}})
		w.begin()
		w.produce("t", 0, 1, "sent")
		w.client.Producer().Flush(w.now)
		w.settled(core.Second)
		w.produce("t", 0, 2, "lingers")
		require.True(t, w.m.Abort(w.now))
		require.Equal(t, txn.Event{Kind: txn.EventEnded}, w.end())
		require.Equal(t, core.ErrInvalidTxnState, w.results[1].Err)
		require.False(t, w.results[1].Ambiguous)
		require.Empty(t, w.visible())
		require.Contains(t, w.topic.parts[0].values(), "sent")
	})
}

// A record that fails dooms its transaction: it cannot be committed without it.
func TestFailedRecordDoomsTheTransaction(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{})
		w.begin()
		w.produce("t", 0, 1, "a")
		w.settled(core.Second)
		w.intercept = func(r *inbound) verdict {
			if r.body.Key() == int16(kmsg.Produce) {
				return verdict{answer: produceError(r, core.ErrInvalidRecord)}
			}
			return verdict{}
		}
		w.produce("t", 0, 2, "b")
		w.produce("t", 1, 3, "c")
		require.True(t, w.m.Commit(w.now))
		w.state(txn.Abortable)
		w.intercept = nil
		require.Equal(t, core.ErrInvalidRecord, w.m.Why())
		require.False(t, w.m.Commit(w.now))
		require.True(t, w.m.Abort(w.now))
		require.Equal(t, txn.Event{Kind: txn.EventEnded}, w.end())
		require.Len(t, w.results, 3)
		w.begin()
		w.produce("t", 0, 4, "d")
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		require.Equal(t, []string{"d"}, w.visible())
	})
}

// BUGS.md F4: an EndTxn whose connection died is executed when the next transaction is already open. With version 2 its epoch is of the
// past; with version 1 the client must see to that itself.
func TestLateEndTxnEndsNothing(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{})
		w.begin()
		w.produce("t", 0, 1, "first")
		w.settled(core.Second)
		w.intercept = func(r *inbound) verdict {
			if r.body.Key() == int16(kmsg.EndTxn) && r.nth == 1 {
				return verdict{late: 8 * core.Second}
			}
			return verdict{}
		}
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		w.begin()
		w.produce("t", 0, 2, "second")
		w.settled(5 * core.Second)
		w.idle(10 * core.Second)
		require.Len(t, w.x.ends, 2)
		require.Equal(t, []string{"first"}, w.visible())
		require.True(t, w.m.Abort(w.now))
		require.Equal(t, txn.Event{Kind: txn.EventEnded}, w.end())
		require.Equal(t, []string{"first"}, w.visible())
		require.Equal(t, v == 1, len(w.x.inits) == 2, "KIP-360")
	})
}

// BUGS.md F5: a Produce whose connection died arrives when its transaction is aborted, and another is open with the same partition.
func TestLateProduceJoinsNothing(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{Producer: producer.Options{DeliveryTimeout: 3 * core.Second}})
		w.begin()
		w.produce("t", 0, 1, "before")
		w.settled(core.Second)
		w.intercept = func(r *inbound) verdict {
			if r.body.Key() == int16(kmsg.Produce) {
				return verdict{late: 9 * core.Second}
			}
			return verdict{}
		}
		w.produce("t", 0, 2, "late")
		w.state(txn.Abortable)
		w.intercept = nil
		require.True(t, w.m.Abort(w.now))
		require.Equal(t, txn.Event{Kind: txn.EventEnded}, w.end())
		w.begin()
		w.produce("t", 0, 3, "next")
		w.settled(2 * core.Second)
		w.idle(10 * core.Second)
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		require.Equal(t, []string{"next"}, w.visible())
		require.True(t, w.results[1].Ambiguous)
	})
}

// A commit that was lost, and whose repetition is fenced, may have been executed: nobody may call it failed (BUGS.md F7).
func TestUncertainCommitIsToldAsUncertain(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		for name, c := range map[string]struct {
			first     verdict
			ambiguous bool
		}{
			"executed, and the answer lost": {verdict{loseResponse: true}, true},
			"lost before":                   {verdict{loseRequest: true}, true},
			"undecided":                     {verdict{answer: endTxnError(core.ErrNotCoordinator)}, true},
			"refused before anything":       {verdict{answer: endTxnError(core.ErrConcurrentTransactions)}, false},
		} {
			w := newTxnWorld(t, v, client.Options{})
			w.begin()
			w.produce("t", 0, 1, "a")
			w.settled(core.Second)
			w.intercept = func(r *inbound) verdict {
				switch {
				case r.body.Key() != int16(kmsg.EndTxn):
					return verdict{}
				case r.nth == 1:
					return c.first
				}
				return verdict{answer: endTxnError(core.ErrProducerFenced)}
			}
			require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true, Err: core.ErrProducerFenced, Ambiguous: c.ambiguous}, w.commit(), name)
			require.Equal(t, txn.Fatal, w.m.State())
		}
	})
}

func endTxnError(code core.ErrorCode) kmsg.Response {
	resp := kmsg.NewPtrEndTxnResponse()
	resp.ErrorCode = int16(code)
	return resp
}

// KIP-1050: what the answers of a coordinator do.
func TestCoordinatorErrors(t *testing.T) {
	again := func(codes ...core.ErrorCode) []core.ErrorCode { return codes }
	for want, codes := range map[txn.State][]core.ErrorCode{
		txn.Ready: again(core.ErrNotCoordinator, core.ErrCoordinatorNotAvailable, core.ErrCoordinatorLoadInProgress,
			core.ErrConcurrentTransactions, core.ErrRequestTimedOut),
		txn.Abortable: again(core.ErrTransactionAbortable, core.ErrGroupAuthorizationFailed),
		txn.Fatal: again(core.ErrProducerFenced, core.ErrInvalidProducerEpoch, core.ErrInvalidProducerIDMapping, core.ErrInvalidTxnState,
			core.ErrTransactionalIDAuthorizationFailed),
	} {
		for _, code := range codes {
			w := newTxnWorld(t, 1, client.Options{})
			w.begin()
			w.produce("t", 0, 1, "a")
			w.settled(core.Second)
			w.intercept = func(r *inbound) verdict {
				if r.body.Key() == int16(kmsg.EndTxn) && r.nth == 1 {
					return verdict{answer: endTxnError(code)}
				}
				return verdict{}
			}
			require.True(t, w.m.Commit(w.now))
			w.state(want)
			require.Equal(t, want == txn.Ready, len(w.visible()) == 1, code)
			require.Equal(t, code == core.ErrCoordinatorNotAvailable || code == core.ErrNotCoordinator || code == core.ErrRequestTimedOut,
				want == txn.Ready && len(w.x.inits) == 2, "after a doubt version 1 takes another epoch: %v", code)
		}
	}
}

// The coordinator moves: it is looked for again.
func TestTransactionCoordinatorMoves(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{})
		w.begin()
		w.produce("t", 0, 1, "a")
		w.settled(core.Second)
		w.x.coordinator = 1
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		w.kafka.brokers[1].fail()
		w.x.coordinator = 0
		w.topic.parts[1].leader = 0
		w.begin()
		w.produce("t", 0, 2, "b")
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		require.Equal(t, []string{"a", "b"}, w.visible())
	})
}

// KIP-98: a second producer of the same id fences the first, which says so, and whose transaction is aborted. It may begin anew, and
// fences in turn.
func TestFencedProducer(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{})
		w.begin()
		w.produce("t", 0, 1, "zombie")
		w.settled(core.Second)
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID, req.ProducerID = kmsg.StringPtr("tx"), -1
		w.x.init(w.kafka.brokers[2], req, kmsg.NewPtrInitProducerIDResponse())
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true, Err: core.ErrProducerFenced}, w.commit())
		require.False(t, w.m.Begin(w.now))
		require.True(t, w.m.Restart(w.now))
		w.begin()
		w.produce("t", 0, 2, "again")
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		require.Equal(t, []string{"again"}, w.visible())
	})
}

// A batch that is under way when a producer is fenced is no concern of the one that begins anew: it is not repeated, and what becomes
// of it dooms no transaction.
func TestRestartLeavesWhatIsUnderWay(t *testing.T) {
	w := newTxnWorld(t, 1, client.Options{})
	stuck := 0
	w.intercept = func(r *inbound) verdict {
		if r.body.Key() == int16(kmsg.Produce) && r.node == core.NodeID(w.topic.parts[1].leader) && stuck == 0 {
			stuck++
			return verdict{late: 1000 * core.Second}
		}
		return verdict{}
	}
	w.begin()
	w.produce("t", 1, 1, "stuck")
	w.until(func() bool { return stuck == 1 })
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.ProducerID = kmsg.StringPtr("tx"), -1
	w.x.init(w.kafka.brokers[2], req, kmsg.NewPtrInitProducerIDResponse())
	w.produce("t", 0, 2, "fenced")
	require.Equal(t, core.ErrProducerFenced, w.end().Err)
	require.True(t, w.m.Restart(w.now))
	w.begin()
	w.produce("t", 0, 3, "again")
	timedOut := w.now.Mono.Add(5 * core.Second)
	w.until(func() bool { return w.now.Mono > timedOut })
	w.produce("t", 1, 4, "there, too")
	require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
	require.Equal(t, []string{"again", "there, too"}, w.visible())
	for _, r := range w.results {
		require.Equal(t, r.Token == 1, r.Ambiguous, "%+v", r)
	}
}

// Offsets of a group become the transaction's, and are there when it is committed (KIP-447).
func TestSendOffsets(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		w := newTxnWorld(t, v, client.Options{})
		g := w.kafka.newGroup()
		g.coordinator, g.member, g.generation = 1, "m1", 7
		tp := core.TopicPartition{Topic: "t", Partition: 2}
		as := txn.Group{ID: "g", MemberID: "m1", Generation: 7}
		w.begin()
		w.produce("t", 0, 1, "a")
		require.True(t, w.m.SendOffsets(w.now, as, []txn.Offset{{TopicPartition: tp, Offset: 42, EpochPlusOne: 4}}))
		require.Equal(t, txn.Event{Kind: txn.EventEnded, Commit: true}, w.commit())
		require.Equal(t, map[core.TopicPartition]int64{tp: 42}, g.committed)
		require.Equal(t, v == 1, w.requests("2 AddOffsetsToTxn(4)") == 1)
		require.Equal(t, int32(3), w.x.commits[0].Topics[0].Partitions[0].LeaderEpoch)

		w.begin()
		require.True(t, w.m.SendOffsets(w.now, as, []txn.Offset{{TopicPartition: tp, Offset: 43}}))
		w.until(func() bool { return len(w.x.offsets) == 1 })
		require.True(t, w.m.Abort(w.now))
		w.end()
		require.Equal(t, int64(42), g.committed[tp])

		as.Generation = 6 // a zombie of an older generation
		w.begin()
		require.True(t, w.m.SendOffsets(w.now, as, []txn.Offset{{TopicPartition: tp, Offset: 41}}))
		require.True(t, w.m.Commit(w.now))
		w.state(txn.Abortable)
		require.Equal(t, core.ErrIllegalGeneration, w.m.Why())
		require.True(t, w.m.Abort(w.now))
		w.end()
		require.Equal(t, int64(42), g.committed[tp])
	})
}

func TestTransactionOptions(t *testing.T) {
	o := client.Options{Cluster: fastCluster(), Txn: txn.Options{ID: "x"}}
	o.Cluster.Bootstrap = []string{"a:1"}
	require.NoError(t, o.Validate())
	o.Producer.Acks = producer.AcksLeader
	require.Error(t, o.Validate())
	o.Producer = producer.Options{Idempotence: producer.IdempotenceOff}
	require.Error(t, o.Validate())
	o.Producer, o.Txn.Timeout = producer.Options{}, -1
	require.Error(t, o.Validate())
}

// Whatever is lost, delayed or repeated late: readers of committed records see exactly the transactions that were told as committed,
// and of those of which nobody knows all or nothing.
func TestTransactionsUnderChaos(t *testing.T) {
	versions(t, func(t *testing.T, v int16) {
		ambiguous, doomed := 0, 0
		for seed := range uint64(60) {
			a, d := chaoticTransactions(t, v, seed)
			ambiguous, doomed = ambiguous+a, doomed+d
		}
		require.Positive(t, doomed, "the chaos dooms nothing")
		t.Logf("%d ambiguous, %d doomed", ambiguous, doomed)
	})
}

func chaoticTransactions(t *testing.T, v int16, seed uint64) (ambiguous, doomed int) {
	w := newTxnWorld(t, v, client.Options{Seed: seed, Producer: producer.Options{BatchSize: 40, DeliveryTimeout: 5 * core.Second}})
	r := prng.New(seed)
	calm := false
	w.intercept = func(in *inbound) verdict {
		if calm || in.body.Key() == int16(kmsg.ApiVersions) || !r.Chance(1, 6) {
			return verdict{}
		}
		return mischief(r)
	}
	fate := map[string]string{} // by the prefix of the values
	for i := range 12 {
		for w.m.State() != txn.Ready {
			w.until(func() bool { return w.m.State() == txn.Ready || w.m.State() == txn.Fatal })
			w.m.Restart(w.now)
		}
		require.True(t, w.m.Begin(w.now))
		name := fmt.Sprintf("%d-%02d", seed, i)
		for j := range r.Between(1, 6) {
			w.produce("t", int32(r.Below(3)), uint64(100*i+int(j)), fmt.Sprintf("%s/%d", name, j))
			fate[name] += "."
		}
		if r.Chance(1, 3) {
			w.idle(core.Mono(r.Between(1, 3000)) * core.Millisecond)
		}
		if r.Chance(2, 3) {
			w.m.Commit(w.now)
		} else {
			w.m.Abort(w.now)
		}
		e := w.over(&doomed)
		switch {
		case e.Ambiguous:
			ambiguous++
			fate[name] = "?" + fate[name]
		case e.Commit && e.Err == core.ErrNone:
		default:
			fate[name] = "!" + fate[name]
		}
	}
	calm = true
	w.idle(15 * core.Second) // all that is late has arrived
	w.judge(fate)
	return ambiguous, doomed
}

// mischief is something that happens to a request.
func mischief(r *prng.Rand) verdict {
	switch r.Below(4) {
	case 0:
		return verdict{loseRequest: true}
	case 1:
		return verdict{loseResponse: true}
	case 2:
		return verdict{late: core.Mono(r.Between(1, 10_000)) * core.Millisecond}
	}
	return verdict{delay: core.Mono(r.Between(1, 1900)) * core.Millisecond}
}

// over waits for the end of a transaction, which it aborts where that is all that is left.
func (w *txnWorld) over(doomed *int) (e txn.Event) {
	w.t.Helper()
	w.events = w.m.Events(w.events)
	for e.Kind != txn.EventEnded {
		w.until(func() bool { return len(w.events) > 0 || w.m.State() == txn.Abortable })
		if w.m.State() == txn.Abortable {
			*doomed++
			require.True(w.t, w.m.Abort(w.now))
		}
		for _, e = range w.events {
			if e.Kind == txn.EventEnded {
				break
			}
		}
		w.events = nil
	}
	return e
}

// judge compares what was told of transactions with what readers see: one dot for each record.
func (w *txnWorld) judge(fate map[string]string) {
	w.t.Helper()
	seen := map[string]string{}
	for _, s := range w.visible() {
		seen[s[:len(s)-2]] += "."
	}
	for name, f := range fate {
		switch f[0] {
		case '.':
			require.Equal(w.t, f, seen[name], "%s was committed", name)
		case '!':
			require.Empty(w.t, seen[name], "%s was not committed", name)
		case '?':
			require.Contains(w.t, []string{"", f[1:]}, seen[name], "%s is torn", name)
		}
	}
}
