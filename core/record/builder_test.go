package record

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

// TestBuildRead: what is built is read back, whatever the codec, behind whatever bytes the caller had.
func TestBuildRead(t *testing.T) {
	var b Builder
	var c Codecs
	var it Iterator
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		records := drawRecords(t, 30)
		before := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "before")
		b.Begin(bytes.Clone(before), o)
		size := b.Size()
		require.Equal(t, int64(HeaderSize), size)
		base := records[0].Timestamp
		for i, r := range records {
			require.Equal(t, int32(i), b.Count())
			delta := int64(r.Timestamp - base)
			if o.AppendTime {
				delta = 0
			}
			size += RecordSize(delta, int32(i), r.Key, r.Value, r.Headers)
			require.Equal(t, size, b.SizeWith(r.Timestamp, r.Key, r.Value, r.Headers))
			require.NoError(t, b.Append(r.Timestamp, r.Key, r.Value, r.Headers))
			require.Equal(t, size, b.Size())
		}
		out, err := b.Finish(&c)
		require.NoError(t, err)
		require.Equal(t, before, out[:len(before):len(before)])
		batch := Batch(out[len(before):])
		require.NoError(t, batch.VerifyCRC())
		if o.Codec == None {
			require.Equal(t, size, int64(len(batch)))
		}

		require.NoError(t, it.Reset(batch, &c, 1<<20))
		require.Equal(t, batch.Header(), it.Header())
		var r Record
		maxTimestamp := core.NoTimestamp
		for i, want := range records {
			require.True(t, it.Next(&r), "%d: %v", i, it.Err())
			require.Equal(t, o.BaseOffset+core.Offset(i), r.Offset)
			if o.AppendTime {
				want.Timestamp = o.LogAppendTime
			}
			maxTimestamp = max(maxTimestamp, want.Timestamp)
			require.Equal(t, want.Timestamp, r.Timestamp)
			require.Equal(t, want.Key, r.Key)
			require.Equal(t, want.Value, r.Value)
			require.Equal(t, want.Headers, r.Headers.AppendTo(nil))
		}
		require.False(t, it.Next(&r))
		require.NoError(t, it.Err())
		require.Equal(t, maxTimestamp, batch.MaxTimestamp())
		require.Equal(t, o.BaseOffset+core.Offset(len(records)), batch.NextOffset())
	})
}

func TestBuildNothing(t *testing.T) {
	var b Builder
	var c Codecs
	b.Begin([]byte("mine"), Options{Codec: Zstd})
	out, err := b.Finish(&c)
	require.NoError(t, err)
	require.Equal(t, "mine", string(out))
	b.Begin([]byte("mine"), Options{Codec: 6})
	require.NoError(t, b.Append(0, nil, nil, nil))
	out, err = b.Finish(&c)
	require.ErrorIs(t, err, ErrUnknownCodec)
	require.Equal(t, "mine", string(out))
}

// TestBuildTooLarge: lengths that the format cannot express are refused before anything is written. The value is
// large only on paper: the builder's own size is set.
func TestBuildTooLarge(t *testing.T) {
	var b Builder
	b.Begin(nil, Options{})
	require.NoError(t, b.Append(1, nil, []byte("fits"), nil))
	before := bytes.Clone(b.buf)
	require.ErrorIs(t, b.open(2, 1, 1, math.MaxInt32), ErrTooLarge)
	require.ErrorIs(t, b.open(2, 1, math.MinInt32, 10), ErrTooLarge) // the delta after 2^31-1
	require.ErrorIs(t, b.Copy(&Record{Offset: 1 << 31}), ErrTooLarge)
	require.Equal(t, before, b.buf)
	require.Equal(t, int32(1), b.Count())
	require.Panics(t, func() { _ = b.Copy(&Record{Offset: 0}) }, "offsets rise")
	require.Panics(t, func() { _ = b.AppendControl(1, ControlCommit, nil) }, "a data batch")
}

// TestCopyKeepsOffsets is compaction: some records of a batch go to another, with their offsets.
func TestCopyKeepsOffsets(t *testing.T) {
	var b Builder
	var c Codecs
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		records := drawRecords(t, 12)
		source := build(t, o, records)
		target := o
		target.Codec = Codec(rapid.IntRange(0, 4).Draw(t, "targetCodec"))
		target.Cleaned = rapid.Bool().Draw(t, "cleaned")
		target.DeleteHorizon = core.Wall(rapid.Int64Range(0, 1<<50).Draw(t, "horizon"))
		var kept []plain
		b.Begin(nil, target)
		var it Iterator
		var r Record
		require.NoError(t, it.Reset(source, &c, 1<<20))
		for it.Next(&r) {
			if rapid.Bool().Draw(t, "keep") {
				require.NoError(t, b.Copy(&r))
				kept = append(kept, plain{r.Offset, r.Timestamp, bytes.Clone(r.Key), bytes.Clone(r.Value), nil})
				for _, h := range r.Headers.AppendTo(nil) {
					h = RecordHeader{bytes.Clone(h.Key), bytes.Clone(h.Value)}
					kept[len(kept)-1].Headers = append(kept[len(kept)-1].Headers, h)
				}
			}
		}
		require.NoError(t, it.Err())
		out, err := b.Finish(&c)
		require.NoError(t, err)
		if len(kept) == 0 {
			require.Empty(t, out)
			return
		}
		require.Equal(t, kept, readAll(t, out))
		h := Batch(out).Header()
		horizon, ok := h.DeleteHorizon()
		require.Equal(t, target.Cleaned, ok)
		if ok {
			require.Equal(t, target.DeleteHorizon, horizon)
		}
	})
}

func TestAppendEmpty(t *testing.T) {
	source := build(t, Options{Codec: LZ4, BaseOffset: 40, Idempotent: true, ProducerID: 9, ProducerEpoch: 1, BaseSequence: 3}, goldenRecords())
	raw := AppendEmpty([]byte("x"), source.Header())[1:]
	b, rest, err := ParseBatch(raw)
	require.NoError(t, err)
	require.Empty(t, rest)
	require.NoError(t, b.VerifyCRC())
	h, old := b.Header(), source.Header()
	require.Equal(t, old.LastOffset(), h.LastOffset())
	require.Equal(t, old.LastSequence(), h.LastSequence())
	require.Equal(t, old.MaxTimestamp, h.MaxTimestamp)
	require.Equal(t, core.NoTimestamp, h.BaseTimestamp)
	require.Empty(t, readAll(t, b))
}

func TestIteratorDamage(t *testing.T) {
	var c Codecs
	var r Record
	tests := []struct {
		name string
		b    Batch
		good int // records before the damage
	}{
		{"bytes after the last", withRecords(1, 14, 0, 0, 0, 2, 'a', 1, 0, 9), 1},
		{"one missing", withRecords(2, 14, 0, 0, 0, 2, 'a', 1, 0), 1},
		{"offset beyond the header's", withRecords(1, 14, 0, 0, 2, 2, 'a', 1, 0), 0},
		{"offset twice", withRecords(2, 14, 0, 0, 0, 2, 'a', 1, 0, 14, 0, 0, 0, 2, 'a', 1, 0), 1},
		{"negative count", edit(produced(t, None), posRecordCount, 0xff), 0},
		{"unknown codec", edit(produced(t, None), posAttributes, 0, 7), 0},
		{"damaged snappy", edit(produced(t, None), posAttributes, 0, byte(Snappy)), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var it Iterator
			err := it.Reset(tt.b, &c, 1<<20)
			n := 0
			for it.Next(&r) {
				n++
			}
			require.Equal(t, tt.good, n)
			require.ErrorIs(t, errors.Join(err, it.Err()), ErrCorrupt)
			require.False(t, it.Next(&r), "stays at the end")
			// The iterator is fit for the next batch.
			require.NoError(t, it.Reset(produced(t, Zstd), &c, 1<<20))
			require.True(t, it.Next(&r))
			require.NoError(t, it.Err())
		})
	}
	var it Iterator
	require.False(t, it.Next(&r))
	require.NoError(t, it.Err())
	require.ErrorIs(t, it.Reset(produced(t, Gzip), &c, 3), ErrTooLarge)
	require.False(t, it.Next(&r))
	require.ErrorIs(t, it.Err(), ErrTooLarge)
}

func TestControlRecords(t *testing.T) {
	for kind := ControlAbort; kind <= ControlKRaftVoters; kind++ {
		var b Builder
		b.Begin(nil, Options{Control: true})
		require.NoError(t, b.AppendControl(5, kind, []byte("message")))
		raw, err := b.Finish(nil)
		require.NoError(t, err)
		require.True(t, Batch(raw).Attributes().Control())
		r := readAll(t, raw)[0]
		got, err := ParseControlKey(r.Key)
		require.NoError(t, err)
		require.Equal(t, kind, got)
		require.Equal(t, "message", string(r.Value))
		require.NotContains(t, kind.String(), "UNKNOWN")
	}
	require.Equal(t, "UNKNOWN_9", ControlType(9).String())
	kind, err := ParseControlKey([]byte{0, 1, 0, 1, 77})
	require.NoError(t, err, "a later version may append fields")
	require.Equal(t, ControlCommit, kind)
	for _, key := range [][]byte{nil, {0, 0, 0}, {0xff, 0xff, 0, 0}} {
		_, err := ParseControlKey(key)
		require.ErrorIs(t, err, ErrCorrupt)
	}
	for _, value := range [][]byte{nil, {0, 0, 0, 0, 1}, {0xff, 0xff, 0, 0, 0, 1}} {
		_, err := ParseEndTxnMarker(value)
		require.ErrorIs(t, err, ErrCorrupt)
	}
}

func TestVarint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v32, v64 := rapid.Int32().Draw(t, "v32"), rapid.Int64().Draw(t, "v64")
		raw := appendVarint64(appendVarint32([]byte{9}, v32), v64)
		require.Equal(t, 1+sizeVarint32(v32)+sizeVarint64(v64), len(raw))
		got32, next := varint32(raw, 1)
		require.Equal(t, v32, got32)
		got64, end := varint64(raw, next)
		require.Equal(t, v64, got64)
		require.Equal(t, len(raw), end)
		for cut := 1; cut < next; cut++ {
			_, at := varint32(raw[:cut], 1)
			require.Equal(t, -1, at)
		}
		if u, at := short(raw, 1); at > 0 {
			require.Equal(t, v32, unzigzag(u))
			require.Equal(t, next, at)
		}
	})
	_, next := varint32([]byte{0}, -1)
	require.Equal(t, -1, next, "failure is sticky")
	_, next = varint64([]byte{0}, -1)
	require.Equal(t, -1, next)
	_, next = varint64([]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}, 0)
	require.Equal(t, -1, next, "65 bits")
}

// Records of a batch that was opened for good stay as they were when the next one is opened, and hold no more memory than they take.
func TestResetOwned(t *testing.T) {
	for codec := None; codec.Valid(); codec++ {
		t.Run(codec.String(), func(t *testing.T) {
			var it Iterator
			var c Codecs
			var first Record
			require.NoError(t, it.ResetOwned(batchOf(t, codec, 3, 1000), &c, 1<<20))
			require.True(t, it.Next(&first))
			want := bytes.Clone(first.Value)
			require.LessOrEqual(t, cap(it.records), 4096)
			require.NoError(t, it.ResetOwned(batchOf(t, codec, 50, 777), &c, 1<<20))
			require.NoError(t, it.Reset(batchOf(t, codec, 50, 333), &c, 1<<20))
			require.Equal(t, want, first.Value)
		})
	}
}
