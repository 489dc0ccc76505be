package log

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/record"
)

// life is a log with a history: what was appended, what was promised, what the node's checkpoints say.
type life struct {
	*world
	r        *rand.Rand
	cfg      Config
	model    map[core.Offset][]byte   // every batch of the log, by base offset
	versions map[core.Offset][][]byte // also those that were truncated: a crash may bring them back
	end      core.Offset              // of the model
	promised core.Offset
	start    core.Offset // largest log start offset that was set
	past     Past        // the checkpoint files
	epoch    core.LeaderEpoch
	sequence int32
}

func newLife(t testing.TB, seed uint64, cfg Config) *life {
	l := &life{r: rand.New(rand.NewPCG(seed, 1)), cfg: cfg, model: map[core.Offset][]byte{},
		versions: map[core.Offset][][]byte{}}
	disk := newDisk(t)
	if seed%2 == 1 {
		disk.shuffle = l.r
	}
	l.world = newWorld(t, cfg, disk, Past{})
	l.submit()
	return l
}

// act does one random thing with the log, or performs operations of its disk.
func (l *life) act() {
	if f, failed := l.log.Offline(); failed {
		l.t.Fatalf("offline: %+v", f)
	}
	if l.log.Ready() {
		switch k := l.r.IntN(40); {
		case k < 14:
			l.appendOne()
		case k == 14:
			l.epoch += core.LeaderEpoch(1 + l.r.IntN(2))
		case k == 15 && l.log.LogEndOffset() > l.log.LogStartOffset()+5:
			l.truncate()
		case k == 16:
			hw := min(l.log.DurableOffset(), l.log.RecoveryPoint())
			to := l.log.LogStartOffset() + core.Offset(l.r.IntN(10))
			if l.log.DeleteRecordsBefore(l.now, to, hw, &l.out) == core.ErrNone {
				l.start = max(l.start, to)
			}
		case k == 17:
			l.now.Wall += 50
			l.log.ApplyRetention(l.now, min(l.log.DurableOffset(), l.log.RecoveryPoint()), &l.out)
			l.start = max(l.start, l.log.LogStartOffset())
		case k == 18:
			l.past = Past{RecoveryPoint: l.log.RecoveryPoint(), LogStartOffset: l.log.LogStartOffset()}
			l.log.Checkpointed(l.now, l.past.RecoveryPoint, &l.out)
		}
		l.endTurn()
	}
	if most, ok := l.log.NeedsCheckpoint(); ok && l.r.IntN(3) == 0 {
		l.past.RecoveryPoint = min(most, l.log.RecoveryPoint())
		l.log.Checkpointed(l.now, l.past.RecoveryPoint, &l.out)
		l.endTurn()
	}
	l.submit()
	for n := l.r.IntN(4); n > 0 && len(l.disk.queue) > 0; n-- {
		l.perform()
	}
}

func (l *life) perform() {
	l.step()
	if l.log.Ready() {
		durable := l.log.DurableOffset()
		if l.cfg.Policy == OS { // promises nothing about the power, but what is synced stays
			durable = l.log.RecoveryPoint()
		}
		l.promised = max(l.promised, durable)
	}
}

func (l *life) appendOne() {
	if l.r.IntN(3) == 0 {
		l.appendTransactional()
		return
	}
	n := 1 + l.r.IntN(3)
	o := record.Options{}
	if l.r.IntN(2) == 0 {
		o.Idempotent, o.ProducerID, o.BaseSequence = true, 5, l.sequence
	}
	b := batchOf(l.t, o, n, l.r.IntN(80), core.Wall(1_000_000+int64(l.end)))
	a := l.log.AppendAsLeader(l.now, b, nil, l.epoch)
	if o.Idempotent && a.Code == core.ErrOutOfOrderSequenceNumber {
		l.sequence = lastSequence(l.log, 5) + 1 // a crash or truncation took batches
		return
	}
	require.Equal(l.t, core.ErrNone, a.Code, a.Why)
	if a.Duplicate {
		return
	}
	if o.Idempotent {
		l.sequence += int32(n)
	}
	l.appended(a, b)
}

func (l *life) appended(a Appended, b record.Batch) {
	l.model[a.Base] = bytes.Clone(b)
	l.versions[a.Base] = append(l.versions[a.Base], bytes.Clone(b))
	l.end = a.Last + 1
}

func lastSequence(l *Log, id core.ProducerID) int32 {
	for _, p := range l.Producers().Producers() {
		if p.ID == id {
			return p.LastSequence
		}
	}
	return record.NoSequence
}

// appendTransactional appends a batch of one of a few transactions, or ends one.
func (l *life) appendTransactional() {
	id := core.ProducerID(10 + l.r.IntN(4))
	b := batchOf(l.t, record.Options{Idempotent: true, ProducerID: id, Transactional: true, BaseSequence: lastSequence(l.log, id) + 1}, 1+l.r.IntN(2), l.r.IntN(60), core.Wall(1_000_000+int64(l.end)))
	if l.log.Producers().Ongoing(id, 0) && l.r.IntN(2) == 0 {
		b = markerOf(l.t, id, l.r.IntN(3) == 0, core.Wall(1_000_000+int64(l.end)))
	}
	a := l.log.AppendAsLeader(l.now, b, nil, l.epoch)
	require.Equal(l.t, core.ErrNone, a.Code, a.Why)
	l.appended(a, b)
}

// markerOf is the control batch that ends a transaction.
func markerOf(t testing.TB, id core.ProducerID, commit bool, ts core.Wall) record.Batch {
	t.Helper()
	var b record.Builder
	var c record.Codecs
	b.Begin(nil, record.Options{Idempotent: true, ProducerID: id, BaseSequence: record.NoSequence, Transactional: true, Control: true})
	require.NoError(t, b.AppendEndTxn(ts, commit, 0))
	data, err := b.Finish(&c)
	require.NoError(t, err)
	return data
}

func (l *life) truncate() {
	span := int(l.log.LogEndOffset() - l.log.LogStartOffset())
	to := l.log.LogEndOffset() - core.Offset(l.r.IntN(min(span, 12)))
	if l.r.IntN(8) == 0 {
		to = l.log.LogStartOffset() + core.Offset(l.r.IntN(3))
	}
	begin := l.log.LogStartOffset()
	l.log.TruncateTo(l.now, to, &l.out)
	l.promised = min(l.promised, to)
	for base := range l.model {
		b := record.Batch(l.model[base])
		if b.NextOffset() > to {
			l.promised = min(l.promised, base)
			delete(l.model, base)
		}
	}
	if l.promised <= begin { // the log begins anew: until that is done, a crash may leave anything, even less
		l.promised = 0
	}
}

// verify compares a recovered log with the history: everything promised is there, byte for byte, and nothing that was
// never appended.
func (l *life) verify(what string) {
	l.t.Helper()
	if !l.log.Ready() {
		f, _ := l.log.Offline()
		l.t.Fatalf("%s: not ready: %+v\npast %+v, promised %d\n%s", what, f, l.past, l.promised, l.disk.listing())
	}
	require.GreaterOrEqual(l.t, l.log.LogEndOffset(), l.promised, what)
	require.LessOrEqual(l.t, l.log.LogStartOffset(), max(l.start, l.past.LogStartOffset), what)
	found := l.contents()
	for base, b := range found {
		require.Contains(l.t, l.versions[base], b, "%s: batch at offset %d", what, base)
	}
	for base, b := range l.model {
		if record.Batch(b).NextOffset() <= l.promised && base >= l.start {
			require.Equal(l.t, b, found[base], "%s: batch at offset %d, promised up to %d", what, base, l.promised)
		}
	}
	for base, b := range found {
		l.model[base] = b
	}
	for base, b := range l.model {
		if found[base] == nil && record.Batch(b).NextOffset() > l.log.LogStartOffset() {
			delete(l.model, base)
		}
	}
	l.verifyDerived(what)
	l.end, l.start = l.log.LogEndOffset(), max(l.log.LogStartOffset(), 0)
	l.promised = l.end
}

// verifyDerived compares everything that recovery derives with a fold over the batches.
func (l *life) verifyDerived(what string) {
	last := int32(-1)
	var epochs epochCache
	l.verifyTransactions(what)
	for o := core.Offset(0); o < l.log.LogEndOffset(); o++ {
		data, ok := l.model[o]
		if !ok {
			continue
		}
		h := record.Batch(data).Header()
		if h.ProducerID == 5 {
			last = h.LastSequence()
		}
		epochs.assign(h.PartitionLeaderEpoch, h.BaseOffset)
		if o >= l.log.LogStartOffset() {
			require.Equal(l.t, h.PartitionLeaderEpoch, l.log.EpochOf(o), "%s: epoch at %d, %v", what, o, l.log.Epochs())
		}
	}
	if found := lastSequence(l.log, 5); found >= 0 && last >= 0 {
		require.Equal(l.t, last, found, "%s: producer state", what)
	}
	if l.log.LogEndOffset() > l.log.LogStartOffset() {
		checkReads(l.t, l.world)
	}
}

// verifyTransactions compares the transaction index and the open transactions with a fold over all batches. A transaction that began in
// segments which are gone may be known from its first batch in those that are left.
func (l *life) verifyTransactions(what string) {
	var table pstate.Table
	var it record.Iterator
	var c record.Codecs
	base := l.log.segments[0].base
	visible := map[core.ProducerID]core.Offset{} // of the open transactions, the first batch that is left
	want := map[core.Offset]txindex.Txn{}        // by marker
	for o := core.Offset(0); o < l.log.LogEndOffset(); o++ {
		data, ok := l.model[o]
		if !ok {
			continue
		}
		h := record.Batch(data).Header()
		view := pstate.Of(&h)
		if m, ok := pstate.Marker(data, &it, &c); ok && h.Attributes.Control() {
			view = m
		} else if _, seen := visible[h.ProducerID]; h.Attributes.Transactional() && !seen && o >= base {
			visible[h.ProducerID] = o
		}
		if e, done := table.Apply(&view); done {
			if first, left := visible[e.ProducerID]; left && !e.Commit {
				want[e.Last] = txindex.Txn{ProducerID: e.ProducerID, First: first, Last: e.Last}
			}
			delete(visible, e.ProducerID)
		}
	}
	for _, s := range l.log.segments {
		for i, x := range s.aborted {
			require.True(l.t, x.Last >= s.base && x.Last < s.next, "%s: entry %d of segment %d: %+v", what, i, s.base, x)
			if w, ok := want[x.Last]; ok {
				require.Equal(l.t, w.ProducerID, x.ProducerID, what)
				require.True(l.t, x.First == w.First || x.First < base, "%s: %+v, want %+v", what, x, w)
				delete(want, x.Last)
			} else {
				require.Less(l.t, x.First, base, "%s: entry %+v belongs to no transaction", what, x)
			}
		}
	}
	require.Empty(l.t, want, "%s: aborted transactions without an entry\n%s", what, l.disk.listing())
	open := map[core.ProducerID]core.Offset{}
	for _, p := range l.log.Producers().Producers() {
		open[p.ID] = p.TxnFirst
	}
	for _, p := range table.Producers() {
		first, left := visible[p.ID]
		require.True(l.t, !left || open[p.ID] == first || 0 <= open[p.ID] && open[p.ID] < base, "%s: open transaction of %d: %d, want %d",
			what, p.ID, open[p.ID], first)
		require.True(l.t, left || open[p.ID] < base, "%s: %d has an open transaction from %d on", what, p.ID, open[p.ID])
	}
}

// boot starts a new process over a disk.
func (l *life) boot(disk *memDisk) {
	disk.shuffle = l.disk.shuffle
	l.world = newWorld(l.t, l.cfg, disk, l.past)
	l.submit()
}

func crashConfig(seed uint64) Config {
	cfg := Config{SegmentBytes: 500, IndexIntervalBytes: 150, RecoveryChunkBytes: 256, LookupBytes: 256, RetentionBytes: 4000,
		RecentBatches: 1 + int32(seed%7), TrackWrites: seed%3 == 0}
	cfg.Compacted = seed%4 == 0 // no help from the rule that logs have no holes
	if seed%11 == 0 && !cfg.Compacted {
		cfg.Policy = OS
	}
	if seed%5 == 0 {
		cfg.SegmentBytes = 350
	}
	return cfg
}

// TestEveryCrashPoint runs one workload again and again, each time with a power loss after one more disk operation,
// then lets recovery itself be hit by power losses, and finally compares with the history.
func TestEveryCrashPoint(t *testing.T) {
	const acts, losses = 700, 2
	for point := 0; ; point++ {
		l := newLife(t, 42, crashConfig(42))
		for a := 0; a < acts && l.disk.done < point; a++ {
			l.act()
		}
		if l.disk.done < point {
			t.Logf("%d crash points", point)
			return
		}
		what := fmt.Sprintf("crash after operation %d", l.disk.done)
		r := rand.New(rand.NewPCG(uint64(point), 2))
		for range losses {
			l.boot(l.disk.powerLoss(r))
			for n := r.IntN(40); n > 0 && len(l.disk.queue) > 0; n-- {
				l.step()
			}
		}
		l.boot(l.disk.powerLoss(r))
		l.run()
		l.verify(what)
	}
}

// TestManyLives runs many workloads through crashes of the process and of the power, at random points, with disk
// operations in any order that the contract allows.
func TestManyLives(t *testing.T) {
	lives := 300
	if testing.Short() {
		lives = 60
	}
	seed := uint64(0)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	for ; seed < uint64(lives); seed++ {
		l := newLife(t, seed, crashConfig(seed))
		for crash := range 8 {
			for range l.r.IntN(150) {
				l.act()
			}
			if l.r.IntN(3) == 0 {
				l.boot(l.disk.crash())
			} else {
				l.boot(l.disk.powerLoss(l.r))
			}
			if l.r.IntN(3) == 0 {
				for n := l.r.IntN(30); n > 0 && len(l.disk.queue) > 0; n-- {
					l.step()
				}
				l.boot(l.disk.powerLoss(l.r))
			}
			l.run()
			l.verify(fmt.Sprintf("seed %d, crash %d", seed, crash))
		}
	}
}
