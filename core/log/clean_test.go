package log

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/compact"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// keyed is a compacted log with its history: every record that was ever appended and not truncated, as the reference
// that nobody compacts.
type keyed struct {
	*world
	t    *rapid.T
	r    *rand.Rand
	cfg  Config
	opts CleanOptions

	all      []written                       // by offset, without holes
	seq      map[core.ProducerID]int32       // next sequence
	sent     map[core.ProducerID]core.Offset // last batch's last offset
	first    map[core.Offset]core.Wall       // when a tombstone's first round may have begun
	cleanEnd core.Offset                     // nothing at or above it was ever cleaned
	promised core.Offset                     // durable
	past     Past                            // the checkpoint files
	readers  []keyedReader                   // spans that were handed out, with what they held
	unclean  bool                            // a truncation goes below what was cleaned
	hw       core.Offset                     // never falls
	codecs   record.Codecs
	seen     map[string]int // Sometimes points
}

type written struct {
	key     string
	value   []byte // nil is a tombstone
	keyless bool
	lost    bool // an unclean truncation took the record for which it had been dropped
	ts      core.Wall
	headers int
	codec   record.Codec
}

type keyedReader struct {
	span  step.Span
	bytes []byte
	until core.Mono
}

func newKeyed(t *rapid.T) *keyed {
	k := &keyed{t: t, r: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)), seq: map[core.ProducerID]int32{},
		sent: map[core.ProducerID]core.Offset{}, first: map[core.Offset]core.Wall{}, seen: map[string]int{}}
	k.cfg = Config{
		SegmentBytes: int32(rapid.IntRange(600, 2000).Draw(t, "segment")), IndexIntervalBytes: 150, RecoveryChunkBytes: 256,
		LookupBytes: 256, RecentBatches: int32(rapid.IntRange(1, 7).Draw(t, "recent")), RetentionMs: -1, RetentionBytes: -1,
		Compacted: true, FileDeleteDelayMs: 1, Journal: true,
		Cleaning: compact.Policy{DeleteRetentionMs: int64(rapid.IntRange(0, 60).Draw(t, "retention")),
			MinLagMs: int64(rapid.SampledFrom([]int{0, 0, 30}).Draw(t, "lag"))},
	}
	k.opts = CleanOptions{MapBytes: int64(rapid.SampledFrom([]int{1, 24 * 40, 1 << 20}).Draw(t, "map")),
		MapLoad:    int64(rapid.SampledFrom([]int{0, 100_000, 200_000}).Draw(t, "load")),
		ChunkBytes: int64(rapid.SampledFrom([]int{256, 700, 4096}).Draw(t, "chunk"))}
	disk := newDisk(tbOf(t))
	if rapid.Bool().Draw(t, "shuffle") {
		disk.shuffle = k.r
	}
	k.world = newWorld(tbOf(t), k.cfg, disk, Past{})
	k.run()
	return k
}

// tbOf lets the harness, which wants a testing.TB, fail a rapid test.
func tbOf(t *rapid.T) testing.TB { return rapidTB{t: t} }

type rapidTB struct {
	testing.TB // the rest, which the harness does not call
	t          *rapid.T
}

func (r rapidTB) Helper()                      { r.t.Helper() }
func (r rapidTB) Fatalf(f string, args ...any) { r.t.Fatalf(f, args...) }
func (r rapidTB) Errorf(f string, args ...any) { r.t.Errorf(f, args...) }
func (r rapidTB) Fatal(args ...any)            { r.t.Fatal(args...) }
func (r rapidTB) FailNow()                     { r.t.FailNow() }

// append appends one batch of records of few keys.
func (k *keyed) append() {
	n := 1 + k.r.IntN(4)
	o := record.Options{Codec: []record.Codec{record.None, record.None, record.LZ4, record.Gzip}[k.r.IntN(4)]}
	id := core.ProducerID(k.r.IntN(3) - 1)
	if id >= 0 {
		o.Idempotent, o.ProducerID, o.BaseSequence = true, id, k.seq[id]
	}
	var b record.Builder
	b.Begin(nil, o)
	var recs []written
	for range n {
		w := written{key: fmt.Sprintf("k%d", k.r.IntN(12)), ts: k.now.Wall, headers: k.r.IntN(2), codec: o.Codec}
		if k.r.IntN(3) > 0 {
			w.value = bytes.Repeat([]byte{byte('a' + k.r.IntN(26))}, k.r.IntN(60))
		}
		key := []byte(w.key)
		if k.r.IntN(40) == 0 { // from before the topic was compacted
			key, w.keyless = nil, true
		}
		var headers []record.RecordHeader
		for range w.headers {
			headers = append(headers, record.RecordHeader{Key: []byte("h"), Value: []byte("v")})
		}
		require.NoError(k.t, b.Append(w.ts, key, w.value, headers))
		recs = append(recs, w)
	}
	data, err := b.Finish(&k.codecs)
	require.NoError(k.t, err)
	a := k.log.AppendAsLeader(k.now, data, nil, max(0, k.log.LatestEpoch()))
	require.Equal(k.t, core.ErrNone, a.Code, a.Why)
	require.False(k.t, a.Duplicate)
	require.Equal(k.t, core.Offset(len(k.all)), a.Base)
	k.all = append(k.all, recs...)
	if id >= 0 {
		k.seq[id] = record.IncrementSequence(k.seq[id], int32(n))
		k.sent[id] = a.Last
	}
}

// act does one thing with a log that is ready.
func (k *keyed) act() {
	switch a := k.r.IntN(100); {
	case a < 50:
		k.append()
	case a < 60:
		k.now.Wall += core.Wall(k.r.IntN(25))
		k.now.Mono = k.now.Mono.Add(core.Millis(int64(k.r.IntN(2))))
	case a < 62:
		k.log.AssignEpoch(k.log.LatestEpoch() + 1)
	case a < 80:
		k.startCleaning()
	case a < 85:
		k.hw = max(k.hw, min(k.log.DurableOffset(), core.Offset(len(k.all)-k.r.IntN(6))))
		k.log.Replicated(k.hw)
	case a < 87 && core.Offset(len(k.all)) > k.hw:
		k.truncate(k.hw + core.Offset(k.r.IntN(len(k.all)-int(k.hw))))
	case a < 88 && len(k.all) > 3 && k.r.IntN(3) == 0:
		k.truncate(core.Offset(len(k.all) - 1 - k.r.IntN(3))) // an unclean election: perhaps below what is clean
	case a < 92:
		k.saveCheckpoints()
	case a < 97:
		k.read()
	}
}

func (k *keyed) startCleaning() {
	o := k.opts
	o.Stable, o.Everywhere = k.hw, k.hw
	r := k.log.Cleanable(k.now, o.Stable)
	if !k.log.StartCleaning(k.now, o, &k.out) {
		return
	}
	require.LessOrEqual(k.t, r.End, k.hw)
	k.cleanEnd = max(k.cleanEnd, r.End)
	for at := core.Offset(0); at < r.End; at++ {
		if _, known := k.first[at]; !known && k.all[at].value == nil {
			k.first[at] = k.now.Wall
		}
	}
}

func (k *keyed) truncate(to core.Offset) {
	if to <= k.log.LogStartOffset() || to >= k.log.LogEndOffset() {
		return
	}
	k.log.TruncateTo(k.now, to, &k.out)
	k.unclean = k.unclean || to < k.cleanEnd
	k.promised = 0  // until it is done the end is not known
	k.readers = nil // a truncation closes all files
}

func (k *keyed) saveCheckpoints() {
	k.past = Past{RecoveryPoint: k.log.RecoveryPoint(), CleanPoint: k.log.CleanPoint()}
	k.log.CleanPointSaid(k.past.CleanPoint, true)
	k.log.Checkpointed(k.now, k.past.RecoveryPoint, &k.out)
}

// read hands out a span as a fetch does, to be read later.
func (k *keyed) read() {
	q := Query{Offset: core.Offset(k.r.IntN(len(k.all) + 1)), MaxBytes: int64(1 + k.r.IntN(500)), MinOneBatch: true, UpperBound: k.hw}
	at := k.log.Locate(q)
	for range 100 {
		require.Equal(k.t, core.ErrNone, at.Code, "%+v", q)
		if at.Need.Len == 0 {
			break
		}
		at = k.log.ResolveLocate(q, at.Need, k.world.read(at.Need))
	}
	if at.Span.Len == 0 {
		return
	}
	data := k.disk.open[at.Span.File].data[at.Span.Pos : int64(at.Span.Pos)+at.Span.Len]
	b, _, err := record.ParseBatch(data)
	require.NoError(k.t, err)
	require.GreaterOrEqual(k.t, b.NextOffset()-1, q.Offset)
	k.readers = append(k.readers, keyedReader{span: at.Span, bytes: bytes.Clone(data),
		until: k.now.Mono.Add(core.Millis(k.cfg.FileDeleteDelayMs))})
}

// checkReaders reads what was handed out before: it is still there, whatever has been swapped meanwhile.
func (k *keyed) checkReaders() {
	k.readers = slices.DeleteFunc(k.readers, func(r keyedReader) bool {
		if k.now.Mono >= r.until {
			return true
		}
		f := k.disk.open[r.span.File]
		require.NotNil(k.t, f, "the file of a span was closed under its reader")
		require.Equal(k.t, r.bytes, f.data[r.span.Pos:int64(r.span.Pos)+r.span.Len])
		return false
	})
}

// turn lets something happen.
func (k *keyed) turn() {
	if f, failed := k.log.Offline(); failed {
		k.t.Fatalf("offline: %+v", f)
	}
	if f, refused := k.log.Uncleanable(); refused {
		k.t.Fatalf("uncleanable: %+v", f)
	}
	was := k.log.Ready()
	if was {
		k.act()
	}
	if most, needs := k.log.NeedsCheckpoint(); needs && k.r.IntN(3) == 0 {
		k.past.RecoveryPoint, k.past.CleanPoint = min(most, k.log.RecoveryPoint()), k.log.CleanPoint()
		k.log.CleanPointSaid(k.past.CleanPoint, true)
		k.log.Checkpointed(k.now, k.past.RecoveryPoint, &k.out)
	}
	k.note()
	k.endTurn()
	k.checkReaders()
	for n := k.r.IntN(5); n > 0 && len(k.disk.queue) > 0; n-- {
		k.stepOnce()
	}
}

func (k *keyed) note() {
	for _, p := range k.out.Points {
		k.seen[p.Message]++
	}
}

// stepOnce performs one operation of the disk. A truncation that has ended shows in the end of the log.
func (k *keyed) stepOnce() {
	before := k.log.Ready()
	k.now.Mono++
	if d := k.disk.next(); d != nil {
		k.log.DiskDone(k.now, d, &k.out)
		k.note()
		k.endTurn()
	}
	if !before && k.log.Ready() {
		k.adopt()
	}
	if k.log.Ready() {
		k.promised = max(k.promised, k.log.DurableOffset())
		k.checkReaders()
	}
}

// adopt takes the end of the log, after a recovery or a truncation, for that of the reference.
func (k *keyed) adopt() {
	end := k.log.LogEndOffset()
	require.LessOrEqual(k.t, end, core.Offset(len(k.all)))
	require.GreaterOrEqual(k.t, end, k.promised)
	k.all = k.all[:end]
	k.hw, k.cleanEnd = min(k.hw, end), min(k.cleanEnd, end)
	for at := range k.first {
		if at >= end {
			delete(k.first, at)
		}
	}
	for _, p := range k.log.Producers().Producers() {
		k.seq[p.ID] = record.IncrementSequence(p.LastSequence, 1)
	}
	k.readers = nil
	if k.unclean {
		found := k.kept()
		for i := range k.all {
			_, kept := found[core.Offset(i)]
			k.all[i].lost = !kept
		}
		k.unclean = false
	}
	k.verify()
}

func (k *keyed) settle() {
	for n := 0; len(k.disk.queue) > 0 || k.log.Cleaning() || !k.log.Ready(); n++ {
		if n > 50_000 {
			k.t.Fatalf("no end: %+v", k.disk.queue)
		}
		if len(k.disk.queue) == 0 {
			k.endTurn()
		} else {
			k.stepOnce()
		}
		if most, needs := k.log.NeedsCheckpoint(); needs {
			k.past.RecoveryPoint, k.past.CleanPoint = min(most, k.log.RecoveryPoint()), k.log.CleanPoint()
			k.log.CleanPointSaid(k.past.CleanPoint, true)
			k.log.Checkpointed(k.now, k.past.RecoveryPoint, &k.out)
			k.endTurn()
		}
	}
}

// boot starts a process over the disk.
func (k *keyed) boot(disk *memDisk) {
	disk.shuffle = k.disk.shuffle
	now := k.now
	k.world = newWorld(tbOf(k.t), k.cfg, disk, k.past)
	k.world.now.Wall, k.world.now.Mono = now.Wall, now.Mono
	k.readers = nil
	k.submit()
}

// kept is the records in the log's files.
func (k *keyed) kept() map[core.Offset]record.Record {
	found := map[core.Offset]record.Record{}
	for i, s := range k.log.segments {
		data := k.disk.open[s.file].data
		require.Equal(k.t, int(s.size), len(data), "segment %d of %d, base %d\n%s", i, len(k.log.segments), s.base, k.disk.listing())
		for rest := data; len(rest) > 0; {
			b, after, err := record.ParseBatch(rest)
			require.NoError(k.t, err)
			require.NoError(k.t, b.VerifyCRC())
			var it record.Iterator
			require.NoError(k.t, it.Reset(b, &k.codecs, 1<<20))
			var r record.Record
			for it.Next(&r) {
				require.NotContains(k.t, found, r.Offset)
				r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
				found[r.Offset] = r
				require.Equal(k.t, k.all[r.Offset].codec, b.Header().Attributes.Codec())
			}
			require.NoError(k.t, it.Err())
			rest = after
		}
	}
	return found
}

// verify compares the log with the reference.
func (k *keyed) verify() {
	found := k.kept()
	want, got := map[string]core.Offset{}, map[string]core.Offset{}
	for i := range k.all {
		o, w := core.Offset(i), &k.all[i]
		r, kept := found[o]
		if kept {
			require.Equal(k.t, w.ts, r.Timestamp, "offset %d", o)
			require.Equal(k.t, w.headers, r.Headers.Len(), "offset %d", o)
			require.Equal(k.t, w.value, r.Value, "offset %d", o)
			require.Equal(k.t, w.keyless, r.Key == nil, "offset %d", o)
			require.True(k.t, w.keyless || w.key == string(r.Key), "offset %d", o)
		} else if !w.lost {
			require.Less(k.t, o, k.cleanEnd, "offset %d is gone, though it was never to be cleaned", o)
		}
		if w.keyless || w.lost {
			continue
		}
		fold(want, w.key, o, w.value)
		if kept {
			fold(got, w.key, o, w.value)
		}
	}
	require.Equal(k.t, want, got, "COMPACT-EQ: the latest values by key, as offsets; clean up to %d, log %v", k.cleanEnd, sortedKeys(got))
	k.verifyTombstones(found)
	for _, p := range k.log.Producers().Producers() {
		require.Equal(k.t, k.seq[p.ID], record.IncrementSequence(p.LastSequence, 1), "producer %d", p.ID)
	}
}

func fold(m map[string]core.Offset, key string, o core.Offset, value []byte) {
	if value == nil {
		delete(m, key)
	} else {
		m[key] = o
	}
}

// verifyTombstones: the latest record of a key, if it is a tombstone, stays for delete.retention.ms after the first round
// over it.
func (k *keyed) verifyTombstones(found map[core.Offset]record.Record) {
	latest := map[string]core.Offset{}
	for i := range k.all {
		if !k.all[i].keyless && !k.all[i].lost {
			latest[k.all[i].key] = core.Offset(i)
		}
	}
	for _, key := range sortedKeys(latest) {
		o := latest[key]
		if _, kept := found[o]; kept || k.all[o].value != nil {
			continue
		}
		first, cleaned := k.first[o]
		require.True(k.t, cleaned, "the tombstone at %d is gone, and no round was over it", o)
		require.GreaterOrEqual(k.t, int64(k.now.Wall), int64(first)+k.cfg.Cleaning.DeleteRetentionMs, "the tombstone at %d", o)
	}
}

// TestCompactedLogEqualsItsReference: after any schedule of appends, rounds, truncations, crashes and power losses the
// log's latest values by key are those of the reference, what is left stands where it stood, and readers that began before
// a swap read what they were promised.
func TestCompactedLogEqualsItsReference(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		k := newKeyed(t)
		for range rapid.IntRange(1, 4).Draw(t, "lives") {
			for range 20 + k.r.IntN(400) {
				k.turn()
			}
			switch rapid.IntRange(0, 3).Draw(t, "end") {
			case 0:
				k.settle()
				k.verify()
			case 1:
				k.boot(k.disk.crash())
			default:
				k.boot(k.disk.powerLoss(k.r))
				for n := k.r.IntN(60); n > 0 && len(k.disk.queue) > 0; n-- { // and again, while it recovers
					k.stepOnce()
				}
				k.boot(k.disk.powerLoss(k.r))
			}
			k.settle()
			k.mustBeReady()
			k.verify()
		}
		for p, n := range k.seen {
			seen[p] += n
		}
	})
	t.Logf("points: %v", seen)
	for _, p := range []string{"log.cleaned", "log.swap-completed", "log.clean-map-full"} {
		require.NotZero(t, seen[p], "%s was never reached: %v", p, seen)
	}
}

// TestCleaningEndsClean: with no appends any more, rounds leave at most one record per key below their end, and after
// delete.retention.ms no tombstone (L-CLEAN).
func TestCleaningEndsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newKeyed(t)
		for range 150 {
			k.turn()
		}
		k.settle()
		for range 40 {
			k.append()
			k.endTurn()
			k.settle()
		}
		k.saveCheckpoints()
		k.hw = k.log.LogEndOffset()
		k.now.Wall += 1000 // beyond min.compaction.lag.ms
		for range 400 {
			if k.startCleaning(); !k.log.Cleaning() {
				break
			}
			k.settle()
		}
		end := k.log.CleanPoint()
		require.Equal(t, k.log.active().base, end, "everything but the active segment")
		keys := map[string]bool{}
		found := k.kept()
		for o := core.Offset(0); o < end; o++ {
			if r, ok := found[o]; ok {
				require.False(t, keys[string(r.Key)], "key %s stands twice below %d", r.Key, end)
				require.NotNil(t, r.Key)
				keys[string(r.Key)] = true
			}
		}
		k.verify()
		k.now.Wall += 1 + core.Wall(k.cfg.Cleaning.DeleteRetentionMs)
		for k.log.CleanPoint() == end {
			k.append()
			k.hw = k.log.LogEndOffset()
			k.endTurn()
			k.settle()
			k.hw = k.log.DurableOffset()
			k.now.Wall += 1000
			k.startCleaning()
			k.settle()
		}
		for o, r := range k.kept() {
			require.False(t, o < end && r.Value == nil, "the tombstone at %d is still there", o)
		}
		k.verify()
	})
}

// TestRetentionDuringARound: the log start rises past what a round is about to read, or has just read. The round is over then, and
// the log serves on.
func TestRetentionDuringARound(t *testing.T) {
	faster := 0
	rapid.Check(t, func(t *rapid.T) {
		k := newKeyed(t)
		for range 80 {
			k.append()
			k.endTurn()
			k.settle()
		}
		k.saveCheckpoints()
		k.hw = k.log.LogEndOffset()
		k.now.Wall += 1000 // beyond min.compaction.lag.ms
		k.startCleaning()
		require.True(t, k.log.Cleaning())
		for n := k.r.IntN(120); n > 0 && len(k.disk.queue) > 0; n-- {
			k.stepOnce()
		}
		end := k.log.CleanPoint()
		require.Equal(t, core.ErrNone, k.log.DeleteRecordsBefore(k.now, core.Offset(k.r.Int64N(int64(k.hw)+1)), k.hw, &k.out))
		k.endTurn()
		k.settle()
		k.mustBeReady()
		require.False(t, k.log.Cleaning())
		if k.log.CleanPoint() == end {
			faster++
		}
		k.startCleaning()
		k.settle()
		k.mustBeReady()
	})
	require.NotZero(t, faster, "no round was overtaken")
}

// TestRetentionTakesAllThatIsIndexed: the map is full at the first record of a segment, and the segments before it have gone meanwhile.
// Nothing is left to be rewritten.
func TestRetentionTakesAllThatIsIndexed(t *testing.T) {
	const keys = 14 // as many as the smallest map holds
	batch := func(i int) record.Batch {
		var b record.Builder
		var c record.Codecs
		b.Begin(nil, record.Options{})
		require.NoError(t, b.Append(1, fmt.Appendf(nil, "k%02d", i), []byte("value"), nil))
		data, err := b.Finish(&c)
		require.NoError(t, err)
		return data
	}
	w := openWorld(t, Config{SegmentBytes: int32(keys * len(batch(0))), Compacted: true, RetentionMs: -1, RetentionBytes: -1})
	for i := range 3 * keys {
		require.Equal(t, core.ErrNone, w.log.AppendAsLeader(w.now, batch(i), nil, 0).Code)
	}
	w.endTurn()
	w.run()
	hw := w.log.LogEndOffset()
	require.True(t, w.log.StartCleaning(w.now, CleanOptions{Stable: hw, Everywhere: hw, MapBytes: 1}, &w.out))
	w.submit()
	for w.log.clean.at == 0 {
		w.step()
	}
	require.Equal(t, core.ErrNone, w.log.DeleteRecordsBefore(w.now, keys, hw, &w.out))
	w.endTurn()
	w.run()
	w.mustBeReady()
	require.False(t, w.log.Cleaning())
	require.Equal(t, core.Offset(keys), w.log.LogStartOffset())
}
