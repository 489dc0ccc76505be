package record

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

func drawHeader(t *rapid.T) Header {
	return Header{
		BaseOffset:           core.Offset(rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "baseOffset")),
		Length:               rapid.Int32Range(HeaderSize-LogOverhead, math.MaxInt32).Draw(t, "length"),
		PartitionLeaderEpoch: core.LeaderEpoch(rapid.Int32().Draw(t, "epoch")),
		Magic:                Magic,
		CRC:                  rapid.Uint32().Draw(t, "crc"),
		Attributes:           Attributes(rapid.Uint16().Draw(t, "attributes")),
		LastOffsetDelta:      rapid.Int32Range(0, math.MaxInt32).Draw(t, "lastOffsetDelta"),
		BaseTimestamp:        core.Wall(rapid.Int64().Draw(t, "baseTimestamp")),
		MaxTimestamp:         core.Wall(rapid.Int64().Draw(t, "maxTimestamp")),
		ProducerID:           core.ProducerID(rapid.Int64().Draw(t, "producerID")),
		ProducerEpoch:        core.ProducerEpoch(rapid.Int16().Draw(t, "producerEpoch")),
		BaseSequence:         rapid.Int32().Draw(t, "baseSequence"),
		RecordCount:          rapid.Int32Range(0, math.MaxInt32).Draw(t, "recordCount"),
	}
}

func TestHeaderRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHeader(t)
		raw := h.AppendTo(nil)
		require.Len(t, raw, HeaderSize)
		got, err := ParseHeader(raw)
		require.NoError(t, err)
		require.Equal(t, h, got)
		require.Equal(t, raw, got.AppendTo(nil))
		b := Batch(raw)
		require.Equal(t, h.BaseOffset, b.BaseOffset())
		require.Equal(t, h.SizeInBytes(), b.SizeInBytes())
		require.Equal(t, h.PartitionLeaderEpoch, b.PartitionLeaderEpoch())
		require.Equal(t, h.Attributes, b.Attributes())
		require.Equal(t, h.LastOffset(), b.LastOffset())
		require.Equal(t, h.NextOffset(), b.NextOffset())
		require.Equal(t, h.MaxTimestamp, b.MaxTimestamp())
	})
}

func TestParseHeaderIncomplete(t *testing.T) {
	batch := batchOf(t, None, 3, 10)
	for n := range HeaderSize {
		_, err := ParseHeader(batch[:n])
		require.ErrorIs(t, err, ErrIncomplete, "%d bytes", n)
		require.NotErrorIs(t, err, ErrCorrupt, "%d bytes", n)
	}
	h, err := ParseHeader(batch[:HeaderSize])
	require.NoError(t, err)
	require.Equal(t, int64(len(batch)), h.SizeInBytes())
}

func TestParseHeaderCorrupt(t *testing.T) {
	mutate := func(at int, bytes ...byte) []byte {
		b := batchOf(t, None, 3, 10)
		copy(b[at:], bytes)
		return b
	}
	tests := []struct {
		name string
		src  []byte
		want error
	}{
		{"length 48", mutate(posLength, 0, 0, 0, 48), ErrCorrupt},
		{"length 0", mutate(posLength, 0, 0, 0, 0), ErrCorrupt},
		{"length negative", mutate(posLength, 0x80, 0, 0, 0), ErrCorrupt},
		{"magic 0", mutate(posMagic, 0), ErrMagic},
		{"magic 1", mutate(posMagic, 1), ErrMagic},
		{"magic 3", mutate(posMagic, 3), ErrMagic},
		{"magic -1", mutate(posMagic, 0xff), ErrMagic},
		{"magic is told by 17 bytes", mutate(posMagic, 9)[:17], ErrMagic},
		{"length is told by 17 bytes", mutate(posLength, 0, 0, 0, 1)[:17], ErrCorrupt},
		{"last offset delta negative", mutate(posLastOffsetDelta, 0xff), ErrCorrupt},
		{"record count negative", mutate(posRecordCount, 0xff), ErrCorrupt},
		{"base offset leaves no room", mutate(posBaseOffset, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), ErrCorrupt},
		{"zeros, as a file's preallocated tail", make([]byte, 100), ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseHeader(tt.src)
			require.ErrorIs(t, err, tt.want)
			require.ErrorIs(t, err, ErrCorrupt)
			require.NotErrorIs(t, err, ErrIncomplete)
		})
	}
}

func TestParseBatchWalksConcatenated(t *testing.T) {
	var src []byte
	var want []Batch
	for i, codec := range []Codec{None, LZ4, Zstd} {
		b := batchOf(t, codec, i+1, 50)
		b.SetBaseOffset(core.Offset(10 * i))
		want = append(want, b)
		src = append(src, b...)
	}
	var got []Batch
	rest := src
	for len(rest) > 0 {
		var b Batch
		var err error
		b, rest, err = ParseBatch(rest)
		require.NoError(t, err)
		require.NoError(t, b.VerifyCRC())
		got = append(got, b)
	}
	require.Equal(t, want, got)
	// Wherever the last batch is cut, the whole ones come first and then "incomplete" with the remainder.
	whole := len(src) - len(want[2])
	for cut := whole; cut < len(src); cut++ {
		_, rest, err := ParseBatch(src[:cut])
		require.NoError(t, err)
		_, rest, err = ParseBatch(rest)
		require.NoError(t, err)
		_, rest2, err := ParseBatch(rest)
		require.ErrorIs(t, err, ErrIncomplete)
		require.Equal(t, rest, rest2)
	}
}

func TestSettersOutsideCRC(t *testing.T) {
	b := batchOf(t, None, 3, 10)
	b.SetBaseOffset(1 << 40)
	b.SetPartitionLeaderEpoch(77)
	require.NoError(t, b.VerifyCRC())
	h := b.Header()
	require.Equal(t, core.Offset(1<<40), h.BaseOffset)
	require.Equal(t, core.Offset(1<<40+2), h.LastOffset())
	require.Equal(t, core.Offset(1<<40+3), b.NextOffset())
	require.Equal(t, core.LeaderEpoch(77), h.PartitionLeaderEpoch)
}

func TestSetMaxTimestamp(t *testing.T) {
	b := batchOf(t, None, 3, 10)
	before := string(b)
	b.SetMaxTimestamp(CreateTime, b.MaxTimestamp())
	require.Equal(t, before, string(b), "nothing changed, nothing written")

	b.SetMaxTimestamp(LogAppendTime, 42)
	require.NoError(t, b.VerifyCRC())
	require.Equal(t, LogAppendTime, b.Attributes().TimestampType())
	require.Equal(t, core.Wall(42), b.MaxTimestamp())
	var it Iterator
	var r Record
	require.NoError(t, it.Reset(b, nil, 0))
	for it.Next(&r) {
		require.Equal(t, core.Wall(42), r.Timestamp)
	}
	require.NoError(t, it.Err())

	b.SetMaxTimestamp(CreateTime, 1_700_000_000_002)
	require.Equal(t, before, string(b), "back to where it was, checksum included")
}

func TestVerifyCRCFindsEveryBitFlip(t *testing.T) {
	b := batchOf(t, None, 1, 10)
	for bit := posCRC * 8; bit < len(b)*8; bit++ {
		b[bit/8] ^= 1 << (bit % 8)
		require.ErrorIs(t, b.VerifyCRC(), ErrCRC, "bit %d", bit)
		b[bit/8] ^= 1 << (bit % 8)
	}
	require.NoError(t, b.VerifyCRC())
}

func TestIncrementSequence(t *testing.T) {
	tests := []struct{ sequence, n, want int32 }{
		{0, 0, 0}, {0, 5, 5}, {math.MaxInt32 - 1, 1, math.MaxInt32}, {math.MaxInt32, 1, 0}, {math.MaxInt32, 0, math.MaxInt32},
		{math.MaxInt32 - 2, 5, 2}, {math.MaxInt32, math.MaxInt32, math.MaxInt32 - 1}, {10, math.MaxInt32, 9},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, IncrementSequence(tt.sequence, tt.n), "%d + %d", tt.sequence, tt.n)
	}
	h := Header{BaseSequence: math.MaxInt32, LastOffsetDelta: 3}
	require.Equal(t, int32(2), h.LastSequence())
	h.BaseSequence = NoSequence
	require.Equal(t, NoSequence, h.LastSequence())
}

func TestAttributes(t *testing.T) {
	var a Attributes = 0x04 | 1<<3 | 1<<5 | 1<<6
	require.Equal(t, Zstd, a.Codec())
	require.Equal(t, LogAppendTime, a.TimestampType())
	require.True(t, a.Control())
	require.True(t, a.HasDeleteHorizon())
	require.False(t, a.Transactional())
	require.True(t, Attributes(0x10).Transactional())
	h := Header{Attributes: a, BaseTimestamp: 9}
	horizon, ok := h.DeleteHorizon()
	require.True(t, ok)
	require.Equal(t, core.Wall(9), horizon)
	h.Attributes = 0
	_, ok = h.DeleteHorizon()
	require.False(t, ok)
	for codec := None; codec <= 7; codec++ {
		parsed, ok := ParseCodec(codec.String())
		require.Equal(t, codec.Valid(), ok)
		if ok {
			require.Equal(t, codec, parsed)
		}
	}
	require.Equal(t, "LogAppendTime", LogAppendTime.String())
	require.Equal(t, "CreateTime", CreateTime.String())
}

func TestErrorsMatch(t *testing.T) {
	for _, e := range []Error{ErrMagic, ErrCRC, ErrUnknownCodec, ErrCorrupt} {
		require.ErrorIs(t, e, ErrCorrupt)
	}
	require.NotErrorIs(t, ErrIncomplete, ErrCorrupt)
	require.NotErrorIs(t, ErrTooLarge, ErrCorrupt)
	require.False(t, errors.Is(ErrCorrupt, ErrCRC))
}

// seal recomputes length and checksum after a test has edited a batch.
func seal(b []byte) Batch {
	binary.BigEndian.PutUint32(b[posLength:], uint32(len(b)-LogOverhead))
	binary.BigEndian.PutUint32(b[posCRC:], Batch(b).ComputeCRC())
	return b
}
