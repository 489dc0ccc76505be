package txn_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/txn"
)

func TestATransactionOfEachVersion(t *testing.T) {
	for _, version := range []txn.Version{0, 2} {
		r := newRig(t, version)
		p := r.mustInit("a")
		require.Equal(t, txn.Producer{ID: 101, Epoch: 0}, p)
		require.Equal(t, core.ErrNone, r.add("a", p, version, 2, 1, 2))
		require.Equal(t, txn.Ongoing, r.state("a"))
		after, code := r.finish("a", p, true, version)
		require.Equal(t, core.ErrNone, code)
		require.Equal(t, txn.PrepareCommit, r.state("a"))
		marker := txn.Producer{ID: 101}
		if version == 2 {
			marker.Epoch = 1 // KIP-890: above everything that the transaction wrote
		}
		require.Equal(t, marker, after)
		require.Equal(t, []txn.Marker{
			{ID: "a", Producer: marker, Commit: true, Version: version, Epoch: 1, Partitions: tps(1, 2)},
		}, r.sent)
		_, code = r.finish("a", p, true, version)
		require.Equal(t, core.ErrConcurrentTransactions, code, "asked again while the markers are under way")
		r.answer(core.ErrNone)
		require.Equal(t, txn.CompleteCommit, r.state("a"))
		again, code := r.finish("a", p, true, version)
		require.Equal(t, core.ErrNone, code, "F7: what has happened is not reported as failed")
		require.Equal(t, after, again)
		_, code = r.finish("a", p, false, version)
		require.Equal(t, core.ErrInvalidTxnState, code)
		require.Equal(t, core.ErrNone, r.add("a", after, version, 5), "the next transaction")
	}
}

// F1: no marker leaves before the decision is committed.
func TestMarkersWaitForTheDecisionToBeCommitted(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd("a", p, 2, 1)
	r.auto = false
	_, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrNone, code)
	require.Empty(t, r.sent)
	r.pass(core.Second)
	require.Empty(t, r.sent)
	r.commit()
	require.Len(t, r.sent, 1)
}

// F3: whoever coordinates next goes on, and completes when all partitions have answered, not when it has asked.
func TestPreparedTransactionsAreResumed(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd("a", p, 2, 1, 2)
	after, _ := r.finish("a", p, false, 2)
	r.lead(2)
	require.Equal(t, []txn.Marker{{ID: "a", Producer: after, Version: 2, Epoch: 2, Partitions: tps(1, 2)}}, r.sent)
	require.Equal(t, txn.PrepareAbort, r.state("a"))
	r.c().MarkerAnswered(r.now, "a", after, tps(2)[0], core.ErrNone)
	r.settle()
	require.Equal(t, txn.PrepareAbort, r.state("a"))
	r.c().MarkerAnswered(r.now, "a", after, tps(1)[0], core.ErrNone)
	r.settle()
	require.Equal(t, txn.CompleteAbort, r.state("a"))
}

func TestMarkersAreAskedForUntilTheyAreWritten(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd("a", p, 2, 1)
	r.mustEnd("a", p, true, 2)
	for _, code := range []core.ErrorCode{
		core.ErrNotLeaderOrFollower, core.ErrUnknownTopicOrPartition, core.ErrNotEnoughReplicas, core.ErrRequestTimedOut,
		core.ErrKafkaStorageError, core.ErrCoordinatorLoadInProgress, core.ErrTransactionCoordinatorFenced, core.ErrUnknownServerError,
	} {
		require.Len(t, r.sent, 1, "before %v", code)
		r.answer(code)
		require.Empty(t, r.sent)
		r.pass(2 * core.Second)
	}
	r.answer(core.ErrInvalidProducerEpoch) // KIP-1228: it is there already
	require.Equal(t, txn.CompleteCommit, r.state("a"))
}

func TestCompletionIsProposedAgain(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd("a", p, 2, 1)
	r.mustEnd("a", p, true, 2)
	r.refuse = core.ErrNotEnoughReplicas
	r.answer(core.ErrNone)
	require.Equal(t, txn.PrepareCommit, r.state("a"))
	r.pass(3 * core.Second)
	require.Equal(t, txn.PrepareCommit, r.state("a"))
	r.refuse = core.ErrNone
	r.pass(2 * core.Second)
	require.Equal(t, txn.CompleteCommit, r.state("a"))
	require.Empty(t, r.sent)
}

// F4: a late EndTxn of an earlier transaction does not end the next one.
func TestALateEndDoesNotEndTheNextTransaction(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd("a", p, 2, 1)
	second, _ := r.finish("a", p, true, 2)
	r.answer(core.ErrNone)
	r.mustAdd("a", second, 2, 1)
	for _, commit := range []bool{true, false} {
		_, code := r.finish("a", p, commit, 2)
		require.Equal(t, core.ErrProducerFenced, code)
		require.Equal(t, txn.Ongoing, r.state("a"))
	}
	_, code := r.finish("a", txn.Producer{ID: p.ID, Epoch: 7}, true, 2)
	require.Equal(t, core.ErrProducerFenced, code, "an epoch from the future")
	_, code = r.finish("a", txn.Producer{ID: 7}, true, 2)
	require.Equal(t, core.ErrInvalidProducerIDMapping, code)
	_, code = r.finish("b", p, true, 2)
	require.Equal(t, core.ErrInvalidProducerIDMapping, code)
}

func TestWhatIsEmptyCanBeAbortedOnly(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	_, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrInvalidTxnState, code)
	next, code := r.finish("a", p, false, 2)
	require.Equal(t, core.ErrNone, code)
	require.Equal(t, p.Epoch+1, next.Epoch)
	require.Equal(t, txn.CompleteAbort, r.state("a"), "no partition, no marker")
	again, code := r.finish("a", p, false, 2)
	require.Equal(t, core.ErrNone, code)
	require.Equal(t, next, again)
	next, code = r.finish("a", next, false, 2)
	require.Equal(t, core.ErrNone, code)
	require.Equal(t, p.Epoch+2, next.Epoch)
	old := newRig(t, 0)
	p = old.mustInit("a")
	_, code = old.finish("a", p, false, 0)
	require.Equal(t, core.ErrInvalidTxnState, code)
}

// The transaction that has ended last was of version 0, and of the producer that has fenced the one which asks.
func TestAZombieIsNoRetryOfWhatItsSuccessorHasEnded(t *testing.T) {
	for _, level := range []txn.Version{0, 1, 2} {
		for _, commit := range []bool{false, true} {
			r := newRig(t, level)
			zombie := r.mustInit("a")
			p := r.mustInit("a")
			require.Equal(t, zombie.Epoch+1, p.Epoch)
			r.mustAdd("a", p, 0, 1)
			_, code := r.finish("a", p, commit, 0)
			require.Equal(t, core.ErrNone, code)
			for range 2 {
				_, code = r.finish("a", zombie, commit, 2)
				require.Equal(t, core.ErrProducerFenced, code)
				r.answer(core.ErrNone)
			}
			next, code := r.finish("a", p, commit, 0)
			require.Equal(t, core.ErrNone, code)
			require.Equal(t, p.ID, next.ID, "its own retry")
		}
	}
}

// A client may give its next transaction up before the markers of the last one are written. It is the current producer, so it waits.
func TestNextAbortWaitsForTheMarkers(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd("a", p, 2, 1)
	next, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrNone, code)
	require.Equal(t, txn.PrepareCommit, r.state("a"))
	for _, commit := range []bool{false, true} {
		_, code = r.finish("a", next, commit, 2)
		require.Equal(t, core.ErrConcurrentTransactions, code)
	}
	_, code = r.finish("a", txn.Producer{ID: p.ID, Epoch: next.Epoch + 1}, false, 2)
	require.Equal(t, core.ErrProducerFenced, code, "an epoch from the future")
	r.answer(core.ErrNone)
	require.Equal(t, txn.CompleteCommit, r.state("a"))
	after, code := r.finish("a", next, false, 2)
	require.Equal(t, core.ErrNone, code)
	require.Equal(t, next.Epoch+1, after.Epoch)
}

func TestAnotherInitFencesAndAborts(t *testing.T) {
	for _, version := range []txn.Version{0, 2} {
		r := newRig(t, version)
		zombie := r.mustInit("a")
		r.mustAdd("a", zombie, version, 1)
		_, code := r.init("a")
		require.Equal(t, core.ErrConcurrentTransactions, code)
		require.Equal(t, txn.PrepareAbort, r.state("a"))
		require.Greater(t, r.sent[0].Producer.Epoch, zombie.Epoch, "the marker fences the zombie at its partitions")
		require.False(t, r.sent[0].Commit)
		_, code = r.init("a")
		require.Equal(t, core.ErrConcurrentTransactions, code)
		for range 2 {
			for _, commit := range []bool{true, false} {
				_, code = r.finish("a", zombie, commit, version)
				require.Equal(t, core.ErrProducerFenced, code, "it is not told that its transaction ended as it wanted")
			}
			r.answer(core.ErrNone)
		}
		p := r.mustInit("a")
		require.Greater(t, p.Epoch, zombie.Epoch)
		require.Equal(t, core.ErrProducerFenced, r.add("a", zombie, version, 1))
		require.Equal(t, core.ErrNone, r.add("a", p, version, 1))
	}
}

// KIP-360: a producer goes on where it was, and may ask twice; nobody else may.
func TestInitWithAnExpectedProducer(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	next := r.mustInit("a", p)
	require.Equal(t, txn.Producer{ID: p.ID, Epoch: p.Epoch + 1}, next)
	require.Equal(t, next, r.mustInit("a", p), "its answer was lost")
	third := r.mustInit("a", next)
	_, code := r.init("a", p)
	require.Equal(t, core.ErrProducerFenced, code)
	fourth := r.mustInit("a")
	_, code = r.init("a", third)
	require.Equal(t, core.ErrProducerFenced, code, "another one has come")
	_, code = r.init("a", txn.Producer{ID: 7, Epoch: fourth.Epoch})
	require.Equal(t, core.ErrProducerFenced, code)
	r.mustAdd("a", fourth, 2, 1)
	_, code = r.init("a", third)
	require.Equal(t, core.ErrProducerFenced, code)
	require.Equal(t, txn.Ongoing, r.state("a"), "a zombie does not end the transaction of who has replaced it")
	require.Equal(t, txn.Producer{ID: 102}, r.mustInit("unknown", third), "of an id that has expired")
}

// exhaust brings a transactional id to the last epoch that clients get.
func exhaust(r *rig, id string) txn.Producer {
	p := r.mustInit(id)
	for p.Epoch < math.MaxInt16-1 {
		p = r.mustInit(id, p)
	}
	return p
}

func TestExhaustedEpochs(t *testing.T) {
	r := newRig(t, 2)
	p := exhaust(r, "a")
	r.batches = r.batches[len(r.batches)-1:]
	r.mustAdd("a", p, 2, 1)
	r.ids = 0
	require.True(t, r.c().End(r.now, &txn.EndRequest{ID: "a", Producer: p, Commit: true, Version: 2}).Again)
	require.Equal(t, txn.Ongoing, r.state("a"))
	r.ids = 5
	after, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrNone, code)
	require.Equal(t, txn.Producer{ID: 102}, after)
	require.Equal(t, txn.Producer{ID: 101, Epoch: math.MaxInt16}, r.sent[0].Producer)
	r.answer(core.ErrNone)
	again, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrNone, code)
	require.Equal(t, after, again)
	_, code = r.finish("a", txn.Producer{ID: 102, Epoch: math.MaxInt16 - 1}, true, 2)
	require.Equal(t, core.ErrProducerFenced, code)
	require.Equal(t, core.ErrNone, r.add("a", after, 2, 1))
	_, code = r.finish("a", p, true, 2)
	require.Equal(t, core.ErrInvalidProducerIDMapping, code)

	p = exhaust(r, "b")
	next := r.mustInit("b", p)
	require.Equal(t, core.ProducerEpoch(0), next.Epoch)
	require.NotEqual(t, p.ID, next.ID)
	require.Equal(t, next, r.mustInit("b", p), "asked again")
}

// KAFKA-18575: the client is told its next producer id when the end is decided, and begins with it before all markers are written.
func TestNextProducerIDWaitsForTheMarkers(t *testing.T) {
	r := newRig(t, 2)
	p := exhaust(r, "a")
	r.mustAdd("a", p, 2, 1)
	next, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrNone, code)
	require.NotEqual(t, p.ID, next.ID)
	again := func(q txn.Producer) []core.ErrorCode {
		_, end := r.finish("a", q, false, 2)
		_, init := r.init("a", q)
		return []core.ErrorCode{r.add("a", q, 2, 1), r.c().Verify("a", q, tps(1))[0], end, init}
	}
	for _, code := range again(next) {
		require.Equal(t, core.ErrConcurrentTransactions, code)
	}
	mapping := core.ErrInvalidProducerIDMapping
	require.Equal(t, []core.ErrorCode{mapping, mapping, mapping, core.ErrProducerFenced}, again(txn.Producer{ID: next.ID, Epoch: 1}))
	r.lead(2)
	require.Equal(t, core.ErrConcurrentTransactions, r.add("a", next, 2, 1), "another coordinator knows it, too")
	r.answer(core.ErrNone)
	require.Equal(t, core.ErrNone, r.add("a", next, 2, 1))
}

func TestTheLastEpochCanBeFenced(t *testing.T) {
	for _, version := range []txn.Version{0, 2} {
		r := newRig(t, version)
		p := exhaust(r, "a")
		r.mustAdd("a", p, version, 1)
		_, code := r.init("a")
		require.Equal(t, core.ErrConcurrentTransactions, code)
		require.Equal(t, txn.Producer{ID: p.ID, Epoch: math.MaxInt16}, r.sent[0].Producer)
		for range 2 {
			_, code = r.finish("a", p, false, version)
			require.Equal(t, core.ErrProducerFenced, code, "not the retry of an end of its own")
			r.answer(core.ErrNone)
		}
		require.Equal(t, txn.Producer{ID: p.ID + 1}, r.mustInit("a"))
	}
}

func TestTimeouts(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd("a", p, 2, 1)
	r.pass(9 * core.Second)
	require.Equal(t, txn.Ongoing, r.state("a"))
	r.lead(2)
	r.pass(900 * core.Millisecond)
	require.Equal(t, txn.Ongoing, r.state("a"), "another coordinator does not begin again, nor end early")
	r.pass(300 * core.Millisecond)
	require.Equal(t, txn.PrepareAbort, r.state("a"))
	require.Equal(t, p.Epoch+2, r.sent[0].Producer.Epoch)
	r.answer(core.ErrNone)
	_, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrProducerFenced, code)
	for _, ms := range []int32{0, -1, 60_001} {
		got := r.c().InitProducerID(r.now, &txn.InitRequest{ID: "b", TimeoutMs: ms})
		require.Equal(t, core.ErrInvalidTransactionTimeout, got.Code)
	}
}

func TestIdsExpire(t *testing.T) {
	r := newRig(t, 2)
	r.mustInit("idle")
	p := r.mustInit("open")
	r.now.Wall += 2_000_000
	r.mustAdd("open", p, 2, 1)
	r.pass(2 * core.Second)
	require.Nil(t, r.c().Txn("idle"))
	require.Equal(t, txn.Ongoing, r.state("open"))
	r.lead(2)
	require.Nil(t, r.c().Txn("idle"))
}

func TestVerification(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	all := tps(1, 2)
	each := func(p txn.Producer) []core.ErrorCode { return r.c().Verify("a", p, all) }
	require.Equal(t, []core.ErrorCode{core.ErrTransactionAbortable, core.ErrTransactionAbortable}, each(p))
	r.mustAdd("a", p, 0, 2)
	require.Equal(t, []core.ErrorCode{core.ErrTransactionAbortable, core.ErrNone}, each(p))
	fenced, unknown := core.ErrProducerFenced, core.ErrInvalidProducerIDMapping
	require.Equal(t, []core.ErrorCode{fenced, fenced}, each(txn.Producer{ID: p.ID, Epoch: 9}))
	require.Equal(t, []core.ErrorCode{unknown, unknown}, each(txn.Producer{ID: 9}))
	require.Equal(t, unknown, r.c().Verify("b", p, all)[0])
	r.mustEnd("a", p, false, 0)
	require.Equal(t, core.ErrConcurrentTransactions, each(p)[1])
	require.Equal(t, core.ErrConcurrentTransactions, r.add("a", p, 0, 2))
	r.answer(core.ErrNone)
	require.Equal(t, core.ErrTransactionAbortable, each(p)[1], "a late batch of the transaction that has ended")
}

// A client of version 2 in a cluster whose level has fallen since it looked is served as what it is: it begins its next transaction with sequence
// number 0, which under the same epoch were a repeat of its last one's first batch, and it could not tell a late EndTxn from a present one.
func TestVersion2OutlivesTheFeature(t *testing.T) {
	for _, level := range []txn.Version{0, 1} {
		r := newRig(t, level)
		p := r.mustInit("a")
		r.mustAdd("a", p, 2, 1)
		after, code := r.finish("a", p, true, 2)
		require.Equal(t, core.ErrNone, code)
		require.Equal(t, txn.Producer{ID: p.ID, Epoch: p.Epoch + 1}, after)
		require.Equal(t, txn.Version(2), r.sent[0].Version)
		r.answer(core.ErrNone)
		again, code := r.finish("a", p, true, 2)
		require.Equal(t, core.ErrNone, code)
		require.Equal(t, after, again)
		r.lead(2)
		again, code = r.finish("a", p, true, 2)
		if level == 0 { // the record does not tell the version: this might as well be a zombie of before an end of version 0
			require.Equal(t, core.ErrProducerFenced, code)
			continue
		}
		require.Equal(t, core.ErrNone, code)
		require.Equal(t, after, again)
	}
}

// Nor is it told, when it was fenced, that its transaction has ended as it wanted.
func TestVersion2IsFencedBelowTheFeature(t *testing.T) {
	for _, level := range []txn.Version{0, 1} {
		r := newRig(t, level)
		zombie := r.mustInit("a")
		r.mustAdd("a", zombie, 2, 1)
		_, code := r.init("a")
		require.Equal(t, core.ErrConcurrentTransactions, code)
		for range 2 {
			for _, commit := range []bool{true, false} {
				_, code = r.finish("a", zombie, commit, 2)
				require.Equal(t, core.ErrProducerFenced, code, "level %d", level)
			}
			r.answer(core.ErrNone)
		}
	}
}

// A record of level 0 has no place for the next producer id: who has used up its epochs must begin anew.
func TestVersion2AtLevel0EndsWithItsEpochs(t *testing.T) {
	r := newRig(t, 0)
	p := exhaust(r, "a")
	r.mustAdd("a", p, 2, 1)
	_, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrProducerFenced, code)
	require.Equal(t, txn.Ongoing, r.state("a"))
	_, code = r.init("a")
	require.Equal(t, core.ErrConcurrentTransactions, code)
	r.answer(core.ErrNone)
	require.NotEqual(t, p.ID, r.mustInit("a").ID)
}

func TestARefusedAppendChangesNothing(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("a")
	r.mustAdd("a", p, 2, 1)
	before := image(r.c())
	r.refuse = core.ErrNotEnoughReplicas
	_, code := r.finish("a", p, true, 2)
	require.Equal(t, core.ErrCoordinatorNotAvailable, code)
	_, code = r.init("a")
	require.Equal(t, core.ErrCoordinatorNotAvailable, code)
	require.Equal(t, core.ErrCoordinatorNotAvailable, r.add("a", p, 2, 2))
	_, code = r.init("b")
	require.Equal(t, core.ErrCoordinatorNotAvailable, code)
	r.pass(20 * core.Second)
	require.Equal(t, before, image(r.c()))
	r.refuse = core.ErrNone
	r.pass(core.Second)
	require.Equal(t, txn.PrepareAbort, r.state("a"), "its time is up")
}

func TestList(t *testing.T) {
	r := newRig(t, 2)
	p := r.mustInit("b")
	r.mustInit("a")
	r.mustAdd("b", p, 2, 1)
	ids := func(f txn.Filter) (list []string) {
		for _, x := range r.c().List(r.now, &f) {
			list = append(list, x.ID())
		}
		return list
	}
	require.Equal(t, []string{"a", "b"}, ids(txn.Filter{LongerMs: -1}))
	require.Equal(t, []string{"b"}, ids(txn.Filter{LongerMs: -1, States: []txn.State{txn.Ongoing}}))
	require.Equal(t, []string{"b"}, ids(txn.Filter{LongerMs: -1, Producers: []core.ProducerID{p.ID}}))
	r.pass(core.Second)
	require.Empty(t, ids(txn.Filter{LongerMs: 1000, States: []txn.State{txn.Ongoing}}))
	require.Equal(t, []string{"b"}, ids(txn.Filter{LongerMs: 999, States: []txn.State{txn.Ongoing}}))
	for s := txn.Empty; s <= txn.PrepareEpochFence; s++ {
		parsed, ok := txn.ParseState(s.String())
		require.True(t, ok)
		require.Equal(t, s, parsed)
	}
	_, ok := txn.ParseState("Unknown")
	require.False(t, ok)
}
