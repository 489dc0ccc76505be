package disk

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// loop is the part of a node's loop that matters here: it submits a turn and sleeps until all syncs are done.
type loop struct {
	d    *Disk
	inbx chan step.Event
	size []core.Pos
}

func newLoop(b *testing.B, files int, opts Options) *loop {
	l := &loop{inbx: make(chan step.Event, 4096), size: make([]core.Pos, files)}
	d, err := Open(b.TempDir(), func(ev step.Event) { l.inbx <- ev }, opts)
	require.NoError(b, err)
	l.d = d
	b.Cleanup(func() { require.NoError(b, d.Close()) })
	for i := range files {
		d.Submit(step.DiskOp{Op: 1, Kind: step.Open, File: step.FileID(i + 1), Path: "f" + strconv.Itoa(i), Create: true})
		<-l.inbx
	}
	return l
}

// turn appends to every file and syncs it.
func (l *loop) turn(b *testing.B, data []byte, appends int) {
	for i := range l.size {
		f := step.FileID(i + 1)
		for range appends {
			l.d.Submit(step.DiskOp{Kind: step.Append, File: f, Pos: l.size[i], Data: data})
			l.size[i] += core.Pos(len(data))
		}
		l.d.Submit(step.DiskOp{Op: 2, Kind: step.Sync, File: f})
	}
	for range l.size {
		if done := (<-l.inbx).(*step.DiskDone); done.Err != step.DiskOK {
			b.Fatal(done.Detail)
		}
	}
}

// The floor: pwrite and fdatasync with nothing around them.
func BenchmarkAppendSyncRaw(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "f"))
	require.NoError(b, err)
	defer f.Close()
	data := [][]byte{make([]byte, 4096)}
	at := int64(0)
	for b.Loop() {
		data[0] = data[0][:4096]
		n, err := writeAll(f, [][]byte{data[0]}, at)
		if err == nil {
			err = syncData(f)
		}
		require.NoError(b, err)
		at += n
	}
}

func BenchmarkAppendSync(b *testing.B) {
	l := newLoop(b, 1, Options{})
	data := make([]byte, 4096)
	for b.Loop() {
		l.turn(b, data, 1)
	}
}

func BenchmarkTurn12Files(b *testing.B) {
	l := newLoop(b, 12, Options{})
	data := make([]byte, 4096)
	for b.Loop() {
		l.turn(b, data, 4)
	}
}

// Handing over alone: no system call, so that what remains is queueing and waking.
func BenchmarkHandover(b *testing.B) {
	l := newLoop(b, 1, Options{})
	l.d.sys.write = func(_ *os.File, data [][]byte, _ int64) (int64, error) { return int64(len(data[0])), nil }
	l.d.sys.sync = func(*os.File) error { return nil }
	data := make([]byte, 4096)
	for b.Loop() {
		l.turn(b, data, 1)
	}
}

func BenchmarkSlowSync(b *testing.B) {
	l := newLoop(b, 1, Options{SyncDelay: 2 * time.Millisecond})
	data := make([]byte, 4096)
	for b.Loop() {
		l.turn(b, data, 1)
	}
}

// Raw and through the disk in turns, so that a busy machine disturbs both alike. The medians are what to compare.
func BenchmarkOverhead(b *testing.B) {
	l := newLoop(b, 1, Options{})
	f, err := os.Create(filepath.Join(b.TempDir(), "f"))
	require.NoError(b, err)
	defer f.Close()
	data := make([]byte, 4096)
	var raw, through []time.Duration
	at := int64(0)
	for b.Loop() {
		start := time.Now()
		n, err := writeAll(f, [][]byte{data}, at)
		if err == nil {
			err = syncData(f)
		}
		between := time.Now()
		l.turn(b, data, 1)
		end := time.Now()
		require.NoError(b, err)
		at += n
		raw, through = append(raw, between.Sub(start)), append(through, end.Sub(between))
	}
	slices.Sort(raw)
	slices.Sort(through)
	mid := len(raw) / 2
	b.ReportMetric(float64(raw[mid].Microseconds()), "raw-p50-us")
	b.ReportMetric(float64(through[mid].Microseconds()), "disk-p50-us")
	b.ReportMetric(float64(raw[len(raw)/10].Microseconds()), "raw-p10-us")
	b.ReportMetric(float64(through[len(raw)/10].Microseconds()), "disk-p10-us")
}
