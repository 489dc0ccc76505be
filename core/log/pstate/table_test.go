package pstate

import (
	"encoding/hex"
	"math"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

// data is a batch of n records of producer 1.
func data(epoch core.ProducerEpoch, seq, n int32, first core.Offset, transactional bool) *Batch {
	return &Batch{ProducerID: 1, Epoch: epoch, FirstSequence: seq, LastSequence: record.IncrementSequence(seq, n-1),
		FirstOffset: first, LastOffset: first + core.Offset(n) - 1, MaxTimestamp: core.Wall(first), Transactional: transactional}
}

func marker(epoch core.ProducerEpoch, at core.Offset, coordinator int32) *Batch {
	return &Batch{ProducerID: 1, Epoch: epoch, FirstSequence: record.NoSequence, LastSequence: record.NoSequence,
		FirstOffset: at, LastOffset: at, Transactional: true, Marker: true, CoordinatorEpoch: coordinator}
}

func TestRulesOfSequences(t *testing.T) {
	for _, c := range []struct {
		name string
		seen []*Batch
		next *Batch
		want core.ErrorCode
	}{
		{"unknown producer, any sequence (KIP-360)", nil, data(0, 77, 1, 0, false), core.ErrNone},
		{"next in sequence", []*Batch{data(0, 0, 3, 0, false)}, data(0, 3, 1, 3, false), core.ErrNone},
		{"a gap", []*Batch{data(0, 0, 3, 0, false)}, data(0, 4, 1, 3, false), core.ErrOutOfOrderSequenceNumber},
		{"an overlap that is no repeat", []*Batch{data(0, 0, 3, 0, false)}, data(0, 2, 2, 3, false), core.ErrOutOfOrderSequenceNumber},
		{"a lower epoch", []*Batch{data(3, 0, 1, 0, false)}, data(2, 1, 1, 1, false), core.ErrInvalidProducerEpoch},
		{"a new epoch at 0", []*Batch{data(3, 0, 1, 0, false)}, data(4, 0, 1, 1, false), core.ErrNone},
		{"a new epoch elsewhere", []*Batch{data(3, 0, 1, 0, false)}, data(4, 1, 1, 1, false), core.ErrOutOfOrderSequenceNumber},
		{"the sequence wraps to 0", []*Batch{data(0, math.MaxInt32, 1, 0, false)}, data(0, 0, 1, 1, false), core.ErrNone},
		{"after a marker of a new epoch at 0", []*Batch{data(0, 0, 1, 0, true), marker(1, 1, 0)}, data(1, 0, 1, 2, false), core.ErrNone},
		{"after it elsewhere", []*Batch{data(0, 0, 1, 0, true), marker(1, 1, 0)}, data(1, 1, 1, 2, false), core.ErrOutOfOrderSequenceNumber},
		{"outside the open transaction", []*Batch{data(0, 0, 1, 0, true)}, data(0, 1, 1, 1, false), core.ErrInvalidTxnState},
		{"a deposed coordinator's marker", []*Batch{data(0, 0, 1, 0, true), marker(0, 1, 5)}, marker(0, 2, 4), core.ErrTransactionCoordinatorFenced},
		{"a marker of an old epoch", []*Batch{data(2, 0, 1, 0, true)}, marker(1, 1, 0), core.ErrInvalidProducerEpoch},
	} {
		var table Table
		for _, b := range c.seen {
			require.Equal(t, core.ErrNone, table.Check(b).Code, c.name)
			table.Apply(b)
		}
		require.Equal(t, c.want, table.Check(c.next).Code, c.name)
		table.Verify()
	}
}

func TestRepeatsOfTheLastFiveBatches(t *testing.T) {
	var table Table
	seq := int32(math.MaxInt32 - 6) // the remembered ranges cross the wrap
	var sent []*Batch
	for i := range core.Offset(8) {
		b := data(0, seq, 2, 2*i, false)
		seq = record.IncrementSequence(seq, 2)
		sent = append(sent, b)
		table.Apply(b)
	}
	for i, b := range sent {
		v := table.Check(b)
		if i < 3 {
			require.Equal(t, core.ErrOutOfOrderSequenceNumber, v.Code, "batch %d is forgotten", i)
			continue
		}
		require.Equal(t, Verdict{Duplicate: true, First: b.FirstOffset, Last: b.LastOffset, Timestamp: b.MaxTimestamp}, v)
	}
}

func TestFirstUnstableOffset(t *testing.T) {
	var table Table
	_, ok := table.FirstUnstable()
	require.False(t, ok)
	table.Apply(data(0, 0, 2, 10, true))
	other := *data(0, 0, 1, 12, true)
	other.ProducerID = 2
	table.Apply(&other)
	table.Apply(data(0, 2, 1, 13, true)) // the same transaction
	table.Apply(marker(0, 14, 0))
	first, _ := table.FirstUnstable()
	require.Equal(t, core.Offset(10), first, "decided, but the marker is above the high watermark")
	table.Replicated(14)
	first, _ = table.FirstUnstable()
	require.Equal(t, core.Offset(10), first)
	table.Replicated(15)
	first, _ = table.FirstUnstable()
	require.Equal(t, core.Offset(12), first)
	require.Empty(t, table.Expire(500, 501))
	require.Equal(t, []core.ProducerID{1}, table.Expire(500, 0), "the producer with an open transaction stays")
	table.Verify()
}

func TestSnapshotGoldenBytes(t *testing.T) {
	var table Table
	table.Apply(data(3, 5, 2, 100, true))
	got := hex.EncodeToString(table.AppendSnapshot(nil))
	const entry = "0000000000000001" + "0003" + "00000006" + "0000000000000065" + "00000001" +
		"0000000000000064" + "ffffffff" + "0000000000000064"
	require.Equal(t, "0001"+got[4:12]+"00000001"+entry, got)
	back, err := ParseSnapshot(table.AppendSnapshot(nil))
	require.NoError(t, err)
	require.Equal(t, table.Producers(), back.Producers())
	var empty Table
	require.Equal(t, "0001"+"48674bc7"+"00000000", hex.EncodeToString(empty.AppendSnapshot(nil)))
}

func TestProducerIsSmall(t *testing.T) {
	require.LessOrEqual(t, reflect.TypeFor[producer]().Size(), uintptr(160), "with its share of the index below 200 bytes")
}

// TestSnapshotIsAFoldOfItsPrefix: a table restored in the middle and fed the rest decides as the table that saw all,
// except for repeats of batches before the last one.
func TestSnapshotIsAFoldOfItsPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var whole Table
		restored := &Table{}
		cut := rapid.IntRange(0, 30).Draw(t, "cut")
		for i := range 30 {
			if i == cut {
				var err error
				restored, err = ParseSnapshot(whole.AppendSnapshot(nil))
				require.NoError(t, err)
			}
			b := data(core.ProducerEpoch(rapid.IntRange(0, 2).Draw(t, "epoch")), int32(rapid.IntRange(0, 5).Draw(t, "seq")), 1,
				core.Offset(i), rapid.Bool().Draw(t, "txn"))
			b.ProducerID = core.ProducerID(rapid.IntRange(-1, 3).Draw(t, "id"))
			if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
				b.Marker, b.FirstSequence, b.LastSequence = true, record.NoSequence, record.NoSequence
			}
			v := whole.Check(b)
			if i >= cut && !v.Duplicate {
				require.Equal(t, v, restored.Check(b))
			}
			if v.Code != core.ErrNone || v.Duplicate {
				continue
			}
			whole.Apply(b)
			whole.Verify()
			if i >= cut {
				restored.Apply(b)
				require.Equal(t, whole.Producers(), restored.Producers())
			}
		}
	})
}

func FuzzParseSnapshot(f *testing.F) {
	var table Table
	f.Add(table.AppendSnapshot(nil))
	table.Apply(data(3, 5, 2, 100, true))
	f.Add(table.AppendSnapshot(nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		parsed, err := ParseSnapshot(src)
		if err != nil {
			return
		}
		parsed.Verify()
		again, err := ParseSnapshot(parsed.AppendSnapshot(nil))
		require.NoError(t, err)
		require.Equal(t, parsed.Producers(), again.Producers())
	})
}
