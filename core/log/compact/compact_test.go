package compact

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/record"
)

func TestMapIsAMapUntilItIsFull(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewMap(rapid.Int64Range(1, 24*60).Draw(t, "memory"), rapid.Int64Range(1, 1_000_000).Draw(t, "load"),
			rapid.Int64Range(0, 100).Draw(t, "keys"))
		model := map[string]core.Offset{}
		for o := range core.Offset(rapid.IntRange(0, 200).Draw(t, "puts")) {
			key := fmt.Sprint(rapid.IntRange(0, 70).Draw(t, "key"))
			_, known := model[key]
			taken := m.Put([]byte(key), o)
			require.True(t, taken || !known && len(model) > 0, "a known key, or the first one, always fits")
			if taken {
				model[key] = o
			}
		}
		require.Equal(t, int64(len(model)), m.Keys())
		for i := range 71 {
			want, ok := model[fmt.Sprint(i)]
			if !ok {
				want = core.NoOffset
			}
			require.Equal(t, want, m.Last([]byte(fmt.Sprint(i))))
		}
		require.LessOrEqual(t, len(m.slots)*slotBytes, max(24*60, leastKeys*slotBytes))
	})
}

func TestGroup(t *testing.T) {
	seg := func(base, next core.Offset, size int64) Segment {
		return Segment{Base: base, Next: next, Size: size, IndexBytes: 8, TimeBytes: 12}
	}
	limits := Limits{SegmentBytes: 100, IndexBytes: 40}
	for _, c := range []struct {
		name string
		segs []Segment
		want []int
	}{
		{"none", nil, nil},
		{"as many as fit", []Segment{seg(0, 10, 60), seg(10, 20, 40), seg(20, 30, 1)}, []int{2, 1}},
		{"one that is too large", []Segment{seg(0, 10, 500), seg(10, 20, 1), seg(20, 30, 1)}, []int{1, 2}},
		{"a full time index", []Segment{seg(0, 1, 1), seg(1, 2, 1), seg(2, 3, 1), seg(3, 4, 1)}, []int{3, 1}},
		{"2^31 offsets", []Segment{seg(0, 10, 1), seg(10, 1<<31, 1), seg(1<<31, 1<<31+1, 1)}, []int{2, 1}},
		{"an empty segment takes no offsets", []Segment{seg(0, 10, 1), seg(10, 1<<40, 0), seg(1<<40, 1<<40+1, 1)}, []int{2, 1}},
	} {
		require.Equal(t, c.want, Group(c.segs, limits), c.name)
	}
}

func TestWhatMayBeCleaned(t *testing.T) {
	segs := []Segment{
		{Base: 0, Next: 10, Size: 100, FirstTime: 1000, MaxTimestamp: 1100},
		{Base: 10, Next: 20, Size: 100, FirstTime: 2000, MaxTimestamp: 2100},
		{Base: 20, Next: 30, Size: 100, FirstTime: 3000, MaxTimestamp: 3100},
	}
	all := Bounds{Stable: 35, LogEnd: 35}
	for _, c := range []struct {
		name   string
		bounds Bounds
		policy Policy
		want   Range
		due    bool
	}{
		{"all sealed segments", all, Policy{MinDirty: 500_000}, Range{0, 30, 0, 300, false}, true},
		{"never past the LastStableOffset", Bounds{Stable: 29, LogEnd: 35}, Policy{}, Range{0, 20, 0, 200, false}, true},
		{"half dirty is not more than half", Bounds{Checkpoint: 20, Stable: 35, LogEnd: 35}, Policy{MinDirty: 400_000},
			Range{20, 30, 200, 100, false}, false},
		{"a round that ended in the middle", Bounds{Checkpoint: 15, Stable: 35, LogEnd: 35}, Policy{MinDirty: 500_000},
			Range{15, 30, 200, 200, false}, false},
		{"a checkpoint below the log start", Bounds{Start: 10, Checkpoint: 5, Stable: 35, LogEnd: 35}, Policy{},
			Range{10, 30, 100, 200, false}, true},
		{"a checkpoint above the end", Bounds{Checkpoint: 36, Stable: 35, LogEnd: 35}, Policy{}, Range{0, 30, 0, 300, false}, true},
		{"min.compaction.lag.ms", all, Policy{MinLagMs: 1500}, Range{0, 20, 0, 200, false}, true},
		{"max.compaction.lag.ms", Bounds{Checkpoint: 20, Stable: 35, LogEnd: 35}, Policy{MinDirty: 900_000, MaxLagMs: 900},
			Range{20, 30, 200, 100, true}, true},
		{"not yet", Bounds{Checkpoint: 20, Stable: 35, LogEnd: 35}, Policy{MinDirty: 900_000, MaxLagMs: 1000},
			Range{20, 30, 200, 100, false}, false},
		{"nothing dirty", Bounds{Checkpoint: 30, Stable: 35, LogEnd: 35}, Policy{MaxLagMs: 1}, Range{30, 30, 300, 0, false}, false},
	} {
		got := Assess(segs, c.bounds, 4000, c.policy)
		require.Equal(t, c.want, got, c.name)
		require.Equal(t, c.due, got.Due(c.policy), c.name)
	}
	a, b := Range{Clean: math.MaxInt64 - 9, Dirty: 9}, Range{Clean: 1, Dirty: 1}
	require.True(t, b.Dirtier(&a))
	require.False(t, a.Dirtier(&b))
	require.False(t, a.Dirtier(&a))
}

// rig is a log of batches that rounds are applied to.
type rig struct {
	t       *testing.T
	batches [][]byte
	end     core.Offset
	codecs  record.Codecs
	opts    Options
	now     core.Wall
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, now: 1000, opts: Options{Policy: Policy{DeleteRetentionMs: 100}, MaxDecompressed: 1 << 20}}
}

// add appends a batch with records "key=value", or "key" for a tombstone.
func (g *rig) add(o record.Options, records ...string) {
	o.BaseOffset = g.end
	var b record.Builder
	b.Begin(nil, o)
	for _, r := range records {
		key, value, ok := cut(r)
		if !ok {
			value = nil
		}
		require.NoError(g.t, b.Append(core.Wall(500+g.end), key, value, nil))
		g.end++
	}
	data, err := b.Finish(&g.codecs)
	require.NoError(g.t, err)
	g.batches = append(g.batches, data)
}

func cut(r string) (key, value []byte, ok bool) {
	for i := range r {
		if r[i] == '=' {
			return []byte(r[:i]), []byte(r[i+1:]), true
		}
	}
	return []byte(r), nil, false
}

func txn(id core.ProducerID, seq int32) record.Options {
	return record.Options{Idempotent: true, ProducerID: id, BaseSequence: seq, Transactional: true}
}

func (g *rig) marker(id core.ProducerID, t record.ControlType) {
	var b record.Builder
	b.Begin(nil, record.Options{BaseOffset: g.end, Idempotent: true, ProducerID: id, BaseSequence: record.NoSequence,
		Transactional: true, Control: true})
	require.NoError(g.t, b.AppendControl(500, t, []byte{0, 0, 0, 0, 0, 0}))
	data, err := b.Finish(&g.codecs)
	require.NoError(g.t, err)
	g.batches = append(g.batches, data)
	g.end++
}

// clean runs a round from the given offset on, in groups of n batches, and returns the records as text.
func (g *rig) clean(firstDirty core.Offset, keys *Map, groups int) string {
	g.t.Helper()
	o := g.opts
	o.Range, o.Keys = Range{FirstDirty: firstDirty, End: g.end}, keys
	r := NewRound(o, &g.codecs)
	for _, b := range g.batches {
		if record.Batch(b).NextOffset() <= firstDirty {
			continue
		}
		full, err := r.Index(b)
		require.NoError(g.t, err)
		if full {
			break
		}
	}
	r.Indexed()
	var left [][]byte
	for i, b := range g.batches {
		out, err := r.Filter(nil, b, g.now, (i+1)%groups == 0 || i+1 == len(g.batches))
		require.NoError(g.t, err)
		if len(out) > 0 {
			left = append(left, out)
			require.NoError(g.t, record.Batch(out).VerifyCRC())
			require.Equal(g.t, record.Batch(b).BaseOffset(), record.Batch(out).BaseOffset())
			require.Equal(g.t, record.Batch(b).NextOffset(), record.Batch(out).NextOffset())
		}
	}
	g.batches = left
	return g.text()
}

// text is the batches: each in brackets, its delete horizon behind an @.
func (g *rig) text() string {
	out := ""
	for _, b := range g.batches {
		var it record.Iterator
		require.NoError(g.t, it.Reset(b, &g.codecs, 1<<20))
		var r record.Record
		out += "["
		for it.Next(&r) {
			if record.Batch(b).Header().Attributes.Control() {
				out += "marker"
				continue
			}
			out += fmt.Sprintf(" %d:%s", r.Offset, r.Key)
			if r.Value != nil {
				out += "=" + string(r.Value)
			}
			require.Equal(g.t, core.Wall(500+record.Batch(b).BaseOffset())+core.Wall(r.Offset-record.Batch(b).BaseOffset()), r.Timestamp)
		}
		require.NoError(g.t, it.Err())
		h := record.Batch(b).Header()
		if at, ok := h.DeleteHorizon(); ok {
			out += fmt.Sprintf("@%d", at)
		}
		out += "]"
	}
	return out
}

func plenty() *Map { return NewMap(1<<16, 900_000, 1000) }

// TestTombstones: KIP-534. The horizon counts from the first round over the batch, whatever the records' timestamps say.
func TestTombstones(t *testing.T) {
	g := newRig(t)
	g.add(record.Options{Codec: record.LZ4}, "a=1", "b=1", "a")
	g.add(record.Options{}, "c=1")
	require.Equal(t, "[ 1:b=1 2:a@1100][ 3:c=1]", g.clean(0, plenty(), 9))
	g.now = 1099
	require.Equal(t, "[ 1:b=1 2:a@1100][ 3:c=1]", g.clean(4, plenty(), 9))
	g.now = 1100
	require.Equal(t, "[ 1:b=1@1100][ 3:c=1]", g.clean(4, plenty(), 9))
}

// TestNoHorizonAboveTheEnd: a round that ends early, because the map is full, leaves tombstones above its end as they are.
func TestNoHorizonAboveTheEnd(t *testing.T) {
	g := newRig(t)
	g.add(record.Options{}, "a=1", "b=1", "c=1")
	g.add(record.Options{}, "d=1", "a")
	g.add(record.Options{}, "e=1")
	small := NewMap(1, 190_000, 3) // three keys
	require.Equal(t, int64(3), small.limit)
	require.Equal(t, "[ 0:a=1 1:b=1 2:c=1][ 3:d=1 4:a][ 5:e=1]", g.clean(0, small, 9), "the round ends at 3")
	g.now = 5000
	require.Equal(t, "[ 1:b=1 2:c=1][ 3:d=1 4:a@5100][ 5:e=1]", g.clean(3, plenty(), 9))
}

// TestTransactions: aborted data go, and replace nothing; a marker stays until its data are gone, and then for
// delete.retention.ms.
func TestTransactions(t *testing.T) {
	g := newRig(t)
	g.add(record.Options{}, "a=0", "b=0")
	g.add(txn(1, 0), "a=1", "c=1") // 2, 3: aborted
	g.add(txn(2, 0), "b=2")        // 4: committed
	g.marker(1, record.ControlAbort)
	g.marker(2, record.ControlCommit)
	g.add(record.Options{}, "b=3", "z=1") // 7, 8
	g.opts.Aborted = []txindex.Txn{{ProducerID: 1, First: 2, Last: 5}}
	require.Equal(t, "[ 0:a=0][marker][marker][ 7:b=3 8:z=1]", g.clean(0, plenty(), 9), "the data go first")
	require.Equal(t, "[ 0:a=0][marker@1100][marker@1100][ 7:b=3 8:z=1]", g.clean(9, plenty(), 9))
	g.now = 1099
	require.Equal(t, "[ 0:a=0][marker@1100][marker@1100][ 7:b=3 8:z=1]", g.clean(9, plenty(), 9))
	g.now = 1100
	require.Equal(t, "[ 0:a=0][ 7:b=3 8:z=1]", g.clean(9, plenty(), 9))
}

// TestMarkerOfAnEarlierSegmentsData: KAFKA-8351. The transaction's data stand in one output segment and its marker in the
// next: the pass over the second must know what it met in the first.
func TestMarkerOfAnEarlierSegmentsData(t *testing.T) {
	g := newRig(t)
	g.add(txn(1, 0), "a=1")
	g.add(record.Options{}, "z=1")
	g.marker(1, record.ControlCommit)
	g.add(record.Options{}, "y=1")
	for range 3 {
		require.Equal(t, "[ 0:a=1][ 1:z=1][marker][ 3:y=1]", g.clean(0, plenty(), 2))
		g.now += 1000
	}
}

// TestLastBatchOfAProducer: the sequence of an active producer must be found in the log, also if its newest batch is
// above the round's end.
func TestLastBatchOfAProducer(t *testing.T) {
	idem := func(id core.ProducerID, seq int32) record.Options {
		return record.Options{Idempotent: true, ProducerID: id, BaseSequence: seq}
	}
	build := func(last core.Offset) *rig {
		g := newRig(t)
		g.add(idem(1, 0), "a=1")
		g.add(idem(1, 1), "a=2")
		g.add(idem(2, 0), "a=3") // forgotten: not in the table
		g.add(record.Options{}, "a=4")
		g.opts.Producers = []pstate.Producer{{ID: 1, LastOffset: last}}
		return g
	}
	require.Equal(t, "[][ 3:a=4]", build(1).clean(0, plenty(), 9))
	g := build(77)
	require.Equal(t, "[][ 3:a=4]", g.clean(0, plenty(), 9), "as far as the dirty part goes")
	require.Equal(t, int32(1), func() int32 { h := record.Batch(g.batches[0]).Header(); return h.LastSequence() }())
	require.Equal(t, "[][ 3:a=4]", g.clean(4, plenty(), 9), "what an earlier round has kept stays kept")
}

// TestLastMarkerOfAProducer: where a producer's newest epoch has only a marker, that is what whoever reads the log again learns of
// it. Found by the simulator: the marker was left empty once its delete horizon had passed, and the fence with it was gone.
func TestLastMarkerOfAProducer(t *testing.T) {
	g := newRig(t)
	g.add(txn(1, 0), "a=1")
	g.add(record.Options{}, "a=2")
	g.opts.Producers = []pstate.Producer{{ID: 1, LastOffset: core.NoOffset}}
	require.Equal(t, "[][ 1:a=2]", g.clean(0, plenty(), 9), "the marker may lie above the end, and be truncated away")
	g.marker(1, record.ControlAbort)
	g.add(record.Options{}, "z=1")
	require.Equal(t, "[ 1:a=2][marker][ 3:z=1]", g.clean(2, plenty(), 9))
	require.Equal(t, "[ 1:a=2][marker@1100][ 3:z=1]", g.clean(4, plenty(), 9))
	g.now = 9000
	require.Equal(t, "[ 1:a=2][marker@1100][ 3:z=1]", g.clean(4, plenty(), 9))
	g.opts.Producers = nil
	require.Equal(t, "[ 1:a=2][ 3:z=1]", g.clean(4, plenty(), 9), "nobody remembers the producer")
}

// TestDamageIsNotPassedOn: a rewritten batch gets a right checksum, so the old one must be looked at first.
func TestDamageIsNotPassedOn(t *testing.T) {
	g := newRig(t)
	g.add(record.Options{}, "a=1", "a=2")
	g.batches[0][len(g.batches[0])-2] ^= 1
	r := NewRound(Options{Range: Range{End: 2}, Keys: plenty(), MaxDecompressed: 1 << 20}, &g.codecs)
	_, err := r.Index(g.batches[0])
	require.ErrorIs(t, err, ErrDamaged)
	_, err = r.Filter(nil, g.batches[0], 0, false)
	require.ErrorIs(t, err, ErrDamaged)
}

func TestLogAppendTimeStays(t *testing.T) {
	g := newRig(t)
	g.add(record.Options{AppendTime: true, LogAppendTime: 77}, "a=1", "a=2", "b")
	o := g.opts
	o.Range, o.Keys = Range{End: 3}, plenty()
	r := NewRound(o, &g.codecs)
	_, err := r.Index(g.batches[0])
	require.NoError(t, err)
	r.Indexed()
	out, err := r.Filter(nil, g.batches[0], 1000, true)
	require.NoError(t, err)
	h := record.Batch(out).Header()
	require.Equal(t, record.LogAppendTime, h.Attributes.TimestampType())
	require.Equal(t, core.Wall(77), h.MaxTimestamp)
	at, ok := h.DeleteHorizon()
	require.True(t, ok)
	require.Equal(t, core.Wall(1100), at)
	require.Equal(t, core.Wall(math.MaxInt64), after(5, math.MaxInt64))
}

func BenchmarkRound(b *testing.B) {
	for _, codec := range []record.Codec{record.None, record.LZ4} {
		b.Run(codec.String(), func(b *testing.B) {
			var codecs record.Codecs
			var batches [][]byte
			var size int64
			var o core.Offset
			value := make([]byte, 100)
			for range 200 {
				var w record.Builder
				w.Begin(nil, record.Options{BaseOffset: o, Codec: codec})
				for range 100 {
					_ = w.Append(core.Wall(o), fmt.Appendf(nil, "key-%d", (int64(o)*7919)%5000), value, nil)
					o++
				}
				data, err := w.Finish(&codecs)
				if err != nil {
					b.Fatal(err)
				}
				batches, size = append(batches, data), size+int64(len(data))
			}
			b.SetBytes(2 * size) // every byte is read twice
			for b.Loop() {
				r := NewRound(Options{Range: Range{End: o}, Keys: NewMap(128<<20, 900_000, int64(o)), MaxDecompressed: 32 << 20}, &codecs)
				for _, x := range batches {
					if _, err := r.Index(x); err != nil {
						b.Fatal(err)
					}
				}
				r.Indexed()
				var dst []byte
				for _, x := range batches {
					var err error
					if dst, err = r.Filter(dst[:0], x, 0, false); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
