package log

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// ack completes everything that a turn handed out, without a disk.
func (w *world) ack(done *step.DiskDone) {
	for i := range w.out.Disk {
		if op := &w.out.Disk[i]; op.Op != 0 {
			*done = step.DiskDone{Op: op.Op, Kind: op.Kind, File: op.File}
			w.log.DiskDone(w.now, done, &w.out)
		}
	}
	w.out.Reset()
}

// steady is a log in which the first rolls, growths and epoch files are over, and a batch to append.
func steady(t testing.TB) (*world, record.Batch, *record.Summary) {
	w := openWorld(t, Config{RecentBatches: 64})
	sum := &record.Summary{MaxTimestamp: 1000}
	b := batchOf(t, record.Options{}, 10, 100, 1000)
	for range 4000 {
		w.log.AppendAsLeader(w.now, b, sum, 0)
		w.log.EndTurn(w.now, &w.out)
		w.ack(&step.DiskDone{})
	}
	return w, b, sum
}

func TestSteadyPathsDoNotAllocate(t *testing.T) {
	w, b, sum := steady(t)
	done := &step.DiskDone{}
	if n := testing.AllocsPerRun(1000, func() {
		w.log.AppendAsLeader(w.now, b, sum, 0)
		w.log.EndTurn(w.now, &w.out)
		w.ack(done)
	}); n != 0 {
		t.Errorf("append and commit: %v allocations", n)
	}
	q := Query{Offset: w.log.LogEndOffset() - 15, MaxBytes: 1 << 20, MinOneBatch: true, UpperBound: everything}
	if n := testing.AllocsPerRun(1000, func() {
		if at := w.log.Locate(q); at.Span.Len == 0 {
			t.Fatal("nothing at the tail")
		}
	}); n != 0 {
		t.Errorf("locate: %v allocations", n)
	}
}

func BenchmarkAppendAndCommit(b *testing.B) {
	w, batch, sum := steady(b)
	done := &step.DiskDone{}
	b.SetBytes(int64(len(batch)))
	b.ReportAllocs()
	for b.Loop() {
		w.log.AppendAsLeader(w.now, batch, sum, 0)
		w.log.EndTurn(w.now, &w.out)
		w.ack(done)
	}
}

func BenchmarkLocateTail(b *testing.B) {
	w, _, _ := steady(b)
	q := Query{Offset: w.log.LogEndOffset() - 15, MaxBytes: 1 << 20, MinOneBatch: true, UpperBound: core.Offset(1) << 62}
	b.ReportAllocs()
	for b.Loop() {
		w.log.Locate(q)
	}
}

func BenchmarkLocateSparse(b *testing.B) {
	w, _, _ := steady(b)
	q := Query{Offset: 777, MaxBytes: 1 << 20, UpperBound: core.Offset(1) << 62}
	b.ReportAllocs()
	for b.Loop() {
		w.log.Locate(q)
	}
}
