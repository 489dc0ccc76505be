package log

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

const everything = core.Offset(math.MaxInt64)

func small() Config {
	return Config{SegmentBytes: 1000, IndexIntervalBytes: 100, RecoveryChunkBytes: 256, LookupBytes: 256}
}

func TestAppendBecomesDurableWithTheSync(t *testing.T) {
	w := openWorld(t, Config{})
	w.log.AssignEpoch(0)
	w.endTurn()
	w.run()
	a := w.append(3, 10, 100)
	require.Equal(t, core.Offset(0), a.Base)
	require.Equal(t, core.Offset(2), a.Last)
	require.Equal(t, core.Offset(3), w.log.LogEndOffset())
	require.Equal(t, core.Offset(0), w.log.DurableOffset())
	w.endTurn()
	require.Len(t, w.disk.queue, 2, "one append, one sync")
	w.append(1, 10, 100)
	w.endTurn()
	require.Len(t, w.disk.queue, 3, "no second sync while one is outstanding")
	w.step()
	w.step()
	require.Equal(t, core.Offset(3), w.log.DurableOffset(), "what had been appended when the sync was handed out")
	w.run()
	require.Equal(t, core.Offset(4), w.log.DurableOffset())
}

// An append that is handed out behind a running sync, without a completion of its own, counts also if the policy becomes OS meanwhile.
func TestPolicyChangesBehindARunningSync(t *testing.T) {
	w := openWorld(t, Config{})
	w.append(1, 10, 1000)
	w.endTurn()
	w.append(1, 10, 1001)
	w.endTurn() // the sync of the first is outstanding, so the second has none yet
	cfg := w.log.cfg
	cfg.Policy = OS
	w.log.Reconfigure(cfg)
	w.run()
	if got := w.log.DurableOffset(); got != 2 {
		t.Errorf("two records were appended, %d count", got)
	}
}

func TestFetchEveryOffsetInManySegments(t *testing.T) {
	for _, recent := range []int32{1, 3, 1000} {
		cfg := small()
		cfg.RecentBatches = recent
		w := openWorld(t, cfg)
		for i := range 40 {
			w.append(1+i%4, 20+i, core.Wall(1000+i))
			if i%3 == 0 {
				w.endTurn()
				w.run()
			}
		}
		w.endTurn()
		w.run()
		require.Greater(t, w.log.Segments(), 3)
		checkReads(t, w)
		checkReads(t, w.reopen(Past{}))
	}
}

// checkReads reads the whole log in various ways and compares with the files.
func checkReads(t testing.TB, w *world) {
	t.Helper()
	all := w.contents()
	for _, size := range []int64{1, 100, 300, 1 << 20} {
		for o := w.log.LogStartOffset(); o < w.log.LogEndOffset(); o++ {
			data, code := w.fetch(Query{Offset: o, MaxBytes: size, MinOneBatch: true, UpperBound: everything})
			require.Equal(t, core.ErrNone, code, "offset %d, %d bytes", o, size)
			b, _, err := record.ParseBatch(data)
			require.NoError(t, err, "offset %d, %d bytes", o, size)
			require.LessOrEqual(t, b.BaseOffset(), o)
			require.GreaterOrEqual(t, b.LastOffset(), o)
			require.Equal(t, all[b.BaseOffset()], []byte(b))
			bounded, _ := w.fetch(Query{Offset: o, MaxBytes: size, UpperBound: b.NextOffset()})
			require.True(t, len(bounded) == len(b) || len(bounded) == 0 && int64(len(b)) > size,
				"offset %d: %d bytes of %d with at most %d", o, len(bounded), len(b), size)
		}
	}
	_, code := w.fetch(Query{Offset: w.log.LogEndOffset() + 1, MaxBytes: 1, UpperBound: everything})
	require.Equal(t, core.ErrOffsetOutOfRange, code)
	data, code := w.fetch(Query{Offset: w.log.LogEndOffset(), MaxBytes: 1, UpperBound: everything})
	require.Equal(t, core.ErrNone, code)
	require.Empty(t, data)
}

func TestFindByTimestamp(t *testing.T) {
	w := openWorld(t, small())
	for i := range 50 {
		w.append(2, 30, core.Wall(1000+10*i))
	}
	w.endTurn()
	w.run()
	for _, w := range []*world{w, w.reopen(Past{})} {
		for ts := core.Wall(990); ts <= 1491; ts++ {
			want := TimeFound{}
			for i := range 100 { // record i of the log has this timestamp
				if at := core.Wall(1000 + 10*(i/2) + i%2); at >= ts {
					want = TimeFound{Found: true, Offset: core.Offset(i), Timestamp: at}
					break
				}
			}
			require.Equal(t, want, w.byTime(TimeQuery{Timestamp: ts, UpperBound: everything}), "timestamp %d", ts)
		}
		require.Equal(t, TimeFound{Found: true, Offset: 99, Timestamp: 1491}, w.byTime(TimeQuery{Max: true, UpperBound: everything}))
		require.False(t, w.byTime(TimeQuery{Timestamp: 1400, UpperBound: 50}).Found)
	}
}

func TestCloseIsClean(t *testing.T) {
	w := openWorld(t, small())
	for i := range 30 {
		w.append(1, 50, core.Wall(i))
	}
	w.endTurn()
	w.run()
	end := w.log.LogEndOffset()
	w.log.Close(w.now, &w.out)
	w.run()
	require.True(t, w.log.Closed())
	require.Empty(t, w.disk.open)
	before := w.disk.done
	n := w.reopen(Past{Clean: true, RecoveryPoint: end})
	require.Equal(t, end, n.log.LogEndOffset())
	require.Equal(t, end, n.log.RecoveryPoint())
	t.Logf("%d operations to open %d segments", n.disk.done-before, n.log.Segments())
	checkReads(t, n)
	n.append(1, 1, 1)
	n.endTurn()
	n.run()
	checkReads(t, n)
}
