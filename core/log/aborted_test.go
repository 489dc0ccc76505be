package log

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/compact"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/record"
)

// transactional is a log with transactions of three producers, over several segments, and which of its data batches were committed.
func transactional(t *testing.T, r *rand.Rand, batches int) (*world, map[core.Offset]bool) {
	w := openWorld(t, Config{SegmentBytes: 600, IndexIntervalBytes: 150, RetentionMs: -1, RecentBatches: 4})
	outcome := map[core.Offset]bool{}
	mine := map[core.ProducerID][]core.Offset{}
	seq := map[core.ProducerID]int32{}
	for i := range batches {
		id := core.ProducerID(r.IntN(3))
		ts := core.Wall(1_000_000 + i)
		var b record.Batch
		commit := r.IntN(2) == 0
		if len(mine[id]) > 0 && r.IntN(3) == 0 {
			b = markerOf(t, id, commit, ts)
			for _, o := range mine[id] {
				outcome[o] = commit
			}
			mine[id] = nil
		} else {
			n := 1 + r.IntN(3)
			b = batchOf(t, record.Options{Idempotent: true, ProducerID: id, Transactional: true, BaseSequence: seq[id]}, n, 20, ts)
			seq[id] += int32(n)
			mine[id] = append(mine[id], w.log.LogEndOffset())
		}
		a := w.log.AppendAsLeader(w.now, b, nil, 0)
		require.Equal(t, core.ErrNone, a.Code, a.Why)
		w.endTurn()
	}
	w.run()
	return w, outcome
}

// readCommitted is a consumer of committed records, as clients are: it takes the batches of one answer and the aborted transactions that
// came with them, and returns the base offsets of the batches that it keeps and where it goes on.
func readCommitted(t *testing.T, data []byte, aborted []txindex.Txn) (kept []core.Offset, next core.Offset) {
	skip := map[core.ProducerID]bool{}
	var it record.Iterator
	var c record.Codecs
	var r record.Record
	for len(data) > 0 {
		b, rest, err := record.ParseBatch(data)
		if err != nil {
			break // the answer may end inside a batch
		}
		data = rest
		h := b.Header()
		for len(aborted) > 0 && aborted[0].First <= h.LastOffset() {
			skip[aborted[0].ProducerID] = true
			aborted = aborted[1:]
		}
		next = h.NextOffset()
		if h.Attributes.Control() {
			require.NoError(t, it.Reset(b, &c, 1<<16))
			if !it.Next(&r) {
				continue // compaction has emptied it
			}
			if kind, err := record.ParseControlKey(r.Key); err == nil && kind == record.ControlAbort {
				delete(skip, h.ProducerID)
			}
			continue
		}
		if !skip[h.ProducerID] {
			kept = append(kept, h.BaseOffset)
		}
	}
	return kept, next
}

// checkCommitted reads the log from every offset on, in answers of different sizes, and compares with what was committed.
func checkCommitted(t *testing.T, w *world, outcome map[core.Offset]bool) {
	stable, open := w.log.FirstUnstable()
	if !open {
		stable = w.log.LogEndOffset()
	}
	var want []core.Offset
	for o := range w.contents() {
		if outcome[o] && o < stable {
			want = append(want, o)
		}
	}
	slices.Sort(want)
	for _, size := range []int64{1, 300, 1 << 20} {
		var got []core.Offset
		for from := core.Offset(0); from < stable; {
			q := Query{Offset: from, MaxBytes: size, MinOneBatch: true, UpperBound: stable}
			at := w.log.Locate(q)
			for at.Need.Len > 0 {
				at = w.log.ResolveLocate(q, at.Need, w.read(at.Need))
			}
			require.NotZero(t, at.Span.Len, "%+v", q)
			data := w.disk.open[at.Span.File].data[at.Span.Pos : int64(at.Span.Pos)+at.Span.Len]
			list := w.log.Aborted(nil, from, at.Span, stable)
			require.True(t, slices.IsSortedFunc(list, func(a, b txindex.Txn) int { return int(a.First - b.First) }))
			kept, next := readCommitted(t, data, list)
			got = append(got, kept...)
			require.Greater(t, next, from)
			from = next
		}
		require.Equal(t, want, got, "answers of %d bytes", size)
	}
}

// reopenCommitted runs a new log over the disk; by the node's checkpoints all of it is committed.
func reopenCommitted(w *world, past Past) *world {
	w.t.Helper()
	n := newWorld(w.t, w.log.cfg, w.disk.crash(), past)
	n.log.Replicated(w.log.LogEndOffset())
	n.run()
	n.mustBeReady()
	n.log.Replicated(n.log.LogEndOffset())
	return n
}

// TestReadCommitted: a consumer gets the records of committed transactions, all of them and nothing else, from a log that was written, one
// that was stopped, one that has crashed, and from a follower.
func TestReadCommitted(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 3))
		w, outcome := transactional(t, r, 150)
		w.log.Replicated(w.log.LogEndOffset())
		checkCommitted(t, w, outcome)

		f := openWorld(t, w.log.cfg)
		for from := core.Offset(0); from < w.log.LogEndOffset(); from = f.log.LogEndOffset() {
			data, code := w.fetch(Query{Offset: from, MaxBytes: 2000, MinOneBatch: true, UpperBound: w.log.LogEndOffset()})
			require.Equal(t, core.ErrNone, code)
			require.Equal(t, core.ErrNone, f.log.AppendAsFollower(f.now, slices.Clone(data)).Code)
			f.endTurn()
			f.run()
		}
		f.log.Replicated(f.log.LogEndOffset())
		checkCommitted(t, f, outcome)

		crashed := reopenCommitted(w, Past{RecoveryPoint: w.log.LogEndOffset() / 2})
		checkCommitted(t, crashed, outcome)

		w.log.Close(w.now, &w.out)
		w.endTurn()
		w.run()
		require.True(t, w.log.Closed())
		stopped := reopenCommitted(w, Past{Clean: true, RecoveryPoint: w.log.LogEndOffset()})
		checkCommitted(t, stopped, outcome)
	}
}

// TestCompactedTransactions: rounds of compaction take aborted records and, after delete.retention.ms, markers; a reader of committed records
// finds the latest committed value of every key as before, through any number of rounds, restarts and crashes, and nothing stays open.
func TestCompactedTransactions(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 5))
		w := openWorld(t, Config{SegmentBytes: 500, IndexIntervalBytes: 150, RetentionMs: -1, RecentBatches: 4, Compacted: true,
			Cleaning: compact.Policy{DeleteRetentionMs: 50}, FileDeleteDelayMs: 1})
		seq, open, pending := map[core.ProducerID]int32{}, map[core.ProducerID]bool{}, map[core.ProducerID][]keyedValue{}
		want := map[string]string{}
		for step := range 400 {
			id := core.ProducerID(r.IntN(3))
			var b record.Batch
			switch commit := r.IntN(2) == 0; {
			case open[id] && r.IntN(3) == 0:
				b = markerOf(t, id, commit, w.now.Wall)
				for _, kv := range pending[id] {
					if commit {
						want[kv.key] = kv.value
					}
				}
				open[id], pending[id] = false, nil
			default:
				// Each producer has keys of its own: whose value is the latest would else depend on who ends first.
				kv := keyedValue{fmt.Sprintf("%d-%d", id, r.IntN(4)), fmt.Sprintf("v%d", step)}
				b = keyedBatch(t, record.Options{Idempotent: true, ProducerID: id, Transactional: true, BaseSequence: seq[id]}, kv, w.now.Wall)
				seq[id]++
				open[id], pending[id] = true, append(pending[id], kv)
			}
			require.Equal(t, core.ErrNone, w.log.AppendAsLeader(w.now, b, nil, 0).Code)
			w.endTurn()
			w.run()
			w.log.Replicated(w.log.DurableOffset())
			w.now.Wall += core.Wall(r.IntN(10))
			if r.IntN(12) == 0 {
				compactOnce(w)
				checkLatest(t, w, want)
			}
			if r.IntN(40) == 0 {
				w = reopenAt(w, Past{RecoveryPoint: w.log.RecoveryPoint(), CleanPoint: w.log.CleanPoint(), Compacted: true})
				checkLatest(t, w, want)
			}
		}
		for id, is := range open {
			if is {
				require.Equal(t, core.ErrNone, w.log.AppendAsLeader(w.now, markerOf(t, id, false, w.now.Wall), nil, 0).Code)
			}
		}
		for range 6 { // with time to let go of markers
			for range 8 {
				w.append(1, 50, w.now.Wall)
			}
			w.endTurn()
			w.run()
			w.log.Replicated(w.log.DurableOffset())
			w.now.Wall += 100
			compactOnce(w)
		}
		checkLatest(t, w, want)
		_, undecided := w.log.FirstUnstable()
		require.False(t, undecided)
		left := 0
		for _, s := range w.log.segments[:len(w.log.segments)-1] {
			left += len(s.aborted)
		}
		require.LessOrEqual(t, left, 3+len(w.log.segments), "L-CLEAN: of each producer the last, and what ends a segment")
		w = reopenAt(w, Past{RecoveryPoint: 0, Compacted: true})
		checkLatest(t, w, want)
		_, undecided = w.log.FirstUnstable()
		require.False(t, undecided, "what compaction has left opens no transaction")
	}
}

type keyedValue struct{ key, value string }

func keyedBatch(t *testing.T, o record.Options, kv keyedValue, ts core.Wall) record.Batch {
	var b record.Builder
	var c record.Codecs
	b.Begin(nil, o)
	require.NoError(t, b.Append(ts, []byte(kv.key), []byte(kv.value), nil))
	data, err := b.Finish(&c)
	require.NoError(t, err)
	return data
}

// compactOnce runs a round over what is stable, if there is something to do.
func compactOnce(w *world) {
	stable := w.log.DurableOffset()
	if first, open := w.log.FirstUnstable(); open {
		stable = min(stable, first)
	}
	if !w.log.StartCleaning(w.now, CleanOptions{Stable: stable, Everywhere: stable}, &w.out) {
		return
	}
	for n := 0; w.log.Cleaning(); n++ {
		if n > 10_000 {
			w.t.Fatal("the round does not end")
		}
		w.now.Mono++
		w.endTurn()
		w.run()
	}
	w.now.Mono = w.now.Mono.Add(core.Second)
	w.endTurn()
	w.run()
}

// reopenAt is reopenCommitted with the clock going on.
func reopenAt(w *world, past Past) *world {
	now := w.now
	n := reopenCommitted(w, past)
	n.now = now
	return n
}

// checkLatest compares what a reader of committed records ends with, from the log's start to its last stable offset.
func checkLatest(t *testing.T, w *world, want map[string]string) {
	t.Helper()
	stable, open := w.log.FirstUnstable()
	if !open {
		stable = w.log.LogEndOffset()
	}
	got := map[string]string{}
	var it record.Iterator
	var c record.Codecs
	var rec record.Record
	contents := w.contents()
	for from := w.log.LogStartOffset(); from < stable; {
		q := Query{Offset: from, MaxBytes: 400, MinOneBatch: true, UpperBound: stable}
		at := w.log.Locate(q)
		for at.Need.Len > 0 {
			at = w.log.ResolveLocate(q, at.Need, w.read(at.Need))
		}
		if at.Span.Len == 0 {
			break // a hole up to the bound
		}
		data := w.disk.open[at.Span.File].data[at.Span.Pos : int64(at.Span.Pos)+at.Span.Len]
		kept, next := readCommitted(t, data, w.log.Aborted(nil, from, at.Span, stable))
		for _, o := range kept {
			require.NoError(t, it.Reset(contents[o], &c, 1<<16))
			for it.Next(&rec) {
				if rec.Key != nil {
					got[string(rec.Key)] = string(rec.Value)
				}
			}
		}
		from = next
	}
	for key, value := range got {
		require.Contains(t, want, key)
		if stable == w.log.LogEndOffset() {
			require.Equal(t, want[key], value, "key %s", key)
		}
	}
	if stable == w.log.LogEndOffset() {
		require.Len(t, got, len(want))
	}
}

// TestDamagedTransactionIndex: a transaction index that does not make sense, and one without its sparse indexes, are made anew from the batches,
// by a fold that begins early enough.
func TestDamagedTransactionIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	w, outcome := transactional(t, r, 200)
	w.log.Close(w.now, &w.out)
	w.endTurn()
	w.run()
	damaged := 0
	for _, p := range sortedKeys(w.disk.entries) {
		if base, ok := parseSegmentName(p[len("t-0/"):], txnIndexSuffix); ok {
			if damaged++; damaged%2 == 0 {
				w.disk.entries[p].data = w.disk.entries[p].data[:20]
			} else {
				delete(w.disk.entries, p)
				delete(w.disk.entries, w.log.path(segmentName(base, timeIndexSuffix)))
			}
		}
	}
	require.Greater(t, damaged, 4)
	w = reopenCommitted(w, Past{Clean: true, RecoveryPoint: w.log.LogEndOffset()})
	checkCommitted(t, w, outcome)
	w.endTurn()
	w.run()
	w = reopenCommitted(w, Past{RecoveryPoint: w.log.LogEndOffset()})
	checkCommitted(t, w, outcome)
}

// TestUndecidedAfterRestart: a transaction whose marker is not below the HighWatermark holds the LastStableOffset back after a restart, too,
// although the newest snapshot does not tell of it.
func TestUndecidedAfterRestart(t *testing.T) {
	for _, clean := range []bool{true, false} {
		w := openWorld(t, Config{SegmentBytes: 1000})
		w.append(1, 10, 1)
		txn := record.Options{Idempotent: true, ProducerID: 3, Transactional: true}
		require.Equal(t, core.ErrNone, w.log.AppendAsLeader(w.now, batchOf(t, txn, 5, 10, 1), nil, 0).Code)
		require.Equal(t, core.ErrNone, w.log.AppendAsLeader(w.now, markerOf(t, 3, true, 1), nil, 0).Code)
		for range 30 { // rolls
			w.append(1, 100, 1)
			w.endTurn()
			w.run()
		}
		point := w.log.RecoveryPoint()
		if clean {
			w.log.Close(w.now, &w.out)
			w.endTurn()
			w.run()
		}
		n := newWorld(t, w.log.cfg, w.disk.crash(), Past{Clean: clean, RecoveryPoint: point})
		n.log.Replicated(4)
		n.run()
		n.mustBeReady()
		first, open := n.log.FirstUnstable()
		require.True(t, open, "clean %v", clean)
		require.Equal(t, core.Offset(1), first)
		n.log.Replicated(7)
		_, open = n.log.FirstUnstable()
		require.False(t, open)
	}
}

// TestACleanedTransactionDoesNotComeBack: a snapshot from before a segment says that a transaction is open there, and the segment's marker
// has been cleaned since, with all of the transaction's records. A recovery that has to fold from that snapshot, for it finds the cleaner's
// output on its way, ends with what the newest snapshot says.
func TestACleanedTransactionDoesNotComeBack(t *testing.T) {
	w := openWorld(t, Config{SegmentBytes: 1000, Compacted: true, RetentionMs: -1, RetentionBytes: -1, ProducerIDExpirationMs: 10})
	var c record.Codecs
	keyed := func(key string, o record.Options) {
		var b record.Builder
		b.Begin(nil, o)
		require.NoError(t, b.Append(w.now.Wall, []byte(key), []byte("some value"), nil))
		data, err := b.Finish(&c)
		require.NoError(t, err)
		require.Equal(t, core.ErrNone, w.log.AppendAsLeader(w.now, data, nil, 0).Code)
		w.endTurn()
		w.run()
	}
	fresh := 0
	fill := func() { // to the next segment, with records that stay
		for n := w.log.Segments(); w.log.Segments() == n; fresh++ {
			keyed(fmt.Sprintf("key %d", fresh), record.Options{})
		}
	}
	txn := record.Options{Transactional: true, Idempotent: true, ProducerID: 7}
	fill()
	keyed("gone", txn)
	fill()
	boundary := w.log.active().base
	var b record.Builder
	txn.Control, txn.BaseSequence = true, record.NoSequence
	b.Begin(nil, txn)
	require.NoError(t, b.AppendEndTxn(w.now.Wall, true, 0))
	marker, err := b.Finish(&c)
	require.NoError(t, err)
	require.Equal(t, core.ErrNone, w.log.AppendAsLeader(w.now, marker, nil, 0).Code)
	keyed("gone", record.Options{})
	swap := w.log.path(segmentName(boundary, logSuffix+swapSuffix))
	for round := range 3 { // the records go, the marker gets its horizon, the marker goes
		fill()
		fill()
		w.now.Wall++
		w.now.Mono += core.Second
		w.log.ExpireProducers(w.now)
		hw := w.log.LogEndOffset()
		w.log.Replicated(hw)
		require.True(t, w.log.StartCleaning(w.now, CleanOptions{Stable: hw, Everywhere: hw}, &w.out))
		w.submit()
		for w.log.Cleaning() && w.disk.entries[swap] == nil {
			w.step()
		}
		past := Past{RecoveryPoint: w.log.RecoveryPoint(), Compacted: true}
		n := newWorld(t, w.log.cfg, w.disk.crash(), past)
		n.log.Replicated(hw)
		n.run()
		n.mustBeReady()
		n.log.Replicated(hw)
		_, open := n.log.FirstUnstable()
		require.False(t, open, "round %d", round)
		n.now = w.now
		w = n
	}
}
