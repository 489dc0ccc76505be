package pstate

import (
	"runtime"
	"testing"

	"github.com/klamm-log/klamm/core"
)

const million = 1_000_000

// filled is a table of a million producers, as appends make it.
func filled() *Table {
	var t Table
	for i := range million {
		b := data(0, 0, 1, core.Offset(i), false)
		b.ProducerID = core.ProducerID(i)
		t.Apply(b)
	}
	return &t
}

// heap is the bytes that live after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryPerProducer: a live producer id takes less than 200 bytes, the table's slack included, when a snapshot of a million was loaded.
func TestMemoryPerProducer(t *testing.T) {
	snapshot := filled().AppendSnapshot(nil)
	before := heap()
	table, err := ParseSnapshot(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	per := (heap() - before) / million
	t.Logf("%d bytes per producer", per)
	if per >= 200 {
		t.Errorf("%d bytes per producer", per)
	}
	runtime.KeepAlive(table)
	runtime.KeepAlive(snapshot)
}

// BenchmarkStart is what a start pays for a snapshot of a million producers.
func BenchmarkStart(b *testing.B) {
	snapshot := filled().AppendSnapshot(nil)
	b.SetBytes(int64(len(snapshot)))
	for b.Loop() {
		if _, err := ParseSnapshot(snapshot); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSnapshot is what a roll pays for it.
func BenchmarkSnapshot(b *testing.B) {
	table := filled()
	for b.Loop() {
		table.AppendSnapshot(nil)
	}
}
