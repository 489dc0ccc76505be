package record

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

// produced is a good batch of two records, as a client sends it.
func produced(t require.TestingT, codec Codec) Batch {
	return build(t, Options{Codec: codec, PartitionLeaderEpoch: -1}, goldenRecords())
}

// withRecords is an uncompressed batch of n records whose bytes are given.
func withRecords(n int32, records ...byte) Batch {
	h := Header{Magic: Magic, LastOffsetDelta: n - 1, RecordCount: n, ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}
	return seal(append(h.AppendTo(nil), records...))
}

// edit changes bytes of a good batch and makes its checksum right again.
func edit(b Batch, at int, bytes ...byte) Batch {
	copy(b[at:], bytes)
	return seal(b)
}

type refusalCase struct {
	name   string
	src    []byte
	limits Limits
	code   core.ErrorCode
	record int32
}

func runRefusals(t *testing.T, tests []refusalCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := bytes.Clone(tt.src)
			var c Codecs
			s, refusal := Check(tt.src, tt.limits, &c)
			require.Equal(t, tt.code, refusal.Code, refusal.Why)
			require.Equal(t, tt.record, refusal.RecordIndex, refusal.Why)
			require.NotEmpty(t, refusal.Why)
			require.Contains(t, refusal.String(), tt.code.String())
			require.Zero(t, s)
			require.Equal(t, before, tt.src, "Check modifies nothing")
		})
	}
}

// TestCheckRefusesFrames is KAFKA.md 25, 26 and 32: what is decided before the batch is looked into.
func TestCheckRefusesFrames(t *testing.T) {
	good := produced(t, None)
	raw := func(at int, bytes ...byte) []byte { // the checksum is left as it was
		b := produced(t, None)
		copy(b[at:], bytes)
		return b
	}
	runRefusals(t, []refusalCase{
		{"nothing", nil, Limits{}, core.ErrInvalidRecord, -1},
		{"sixteen bytes", good[:16], Limits{}, core.ErrInvalidRecord, -1},
		{"half a header", good[:40], Limits{}, core.ErrInvalidRecord, -1},
		{"the last byte missing", good[:len(good)-1], Limits{}, core.ErrInvalidRecord, -1},
		{"two batches", append(bytes.Clone(good), good...), Limits{}, core.ErrInvalidRecord, -1},
		{"a byte more", append(bytes.Clone(good), 0), Limits{}, core.ErrInvalidRecord, -1},
		{"magic 0", raw(posMagic, 0), Limits{}, core.ErrInvalidRecord, -1},
		{"magic 1", raw(posMagic, 1), Limits{}, core.ErrInvalidRecord, -1},
		{"a format 1 message, shorter than our header", unhex(t, "0000000000000000 00000016 aaaaaaaa 01 00 0000000000000000 ffffffff ffffffff", ""), Limits{}, core.ErrInvalidRecord, -1},
		{"magic 3", raw(posMagic, 3), Limits{}, core.ErrCorruptMessage, -1},
		{"length 48", raw(posLength, 0, 0, 0, 48), Limits{}, core.ErrCorruptMessage, -1},
		{"length 4", raw(posLength, 0, 0, 0, 4), Limits{}, core.ErrCorruptMessage, -1},
		{"length -1", raw(posLength, 0xff, 0xff, 0xff, 0xff), Limits{}, core.ErrCorruptMessage, -1},
		{"length 2^31-1", raw(posLength, 0x7f, 0xff, 0xff, 0xff), Limits{}, core.ErrInvalidRecord, -1},
		{"crc", raw(posCRC, 1, 2, 3, 4), Limits{}, core.ErrCorruptMessage, -1},
		{"a bit of a value", raw(len(good)-12, 0x55), Limits{}, core.ErrCorruptMessage, -1},
		{"base offset 1", raw(posBaseOffset, 0, 0, 0, 0, 0, 0, 0, 1), Limits{}, core.ErrInvalidRecord, -1},
		{"larger than max.message.bytes", good, Limits{MaxBatchBytes: int64(len(good)) - 1}, core.ErrMessageTooLarge, -1},
		{"zstd before version 7", produced(t, Zstd), Limits{NoZstd: true}, core.ErrUnsupportedCompressionType, -1},
	})
}

// TestCheckRefusesHeaders is KAFKA.md 27 and LogValidator.validateBatch.
func TestCheckRefusesHeaders(t *testing.T) {
	attributes := func(a Attributes) Batch {
		return edit(produced(t, None), posAttributes, byte(a>>8), byte(a))
	}
	producer := build(t, Options{Idempotent: true, ProducerID: 5, BaseSequence: -1}, goldenRecords())
	runRefusals(t, []refusalCase{
		{"codec 5", attributes(5), Limits{}, core.ErrUnsupportedCompressionType, -1},
		{"codec 6", attributes(6), Limits{}, core.ErrUnsupportedCompressionType, -1},
		{"codec 7", attributes(7), Limits{}, core.ErrUnsupportedCompressionType, -1},
		{"no records", edit(produced(t, None), posRecordCount, 0, 0, 0, 0), Limits{}, core.ErrInvalidRecord, -1},
		{"records -1", edit(produced(t, None), posRecordCount, 0xff, 0xff, 0xff, 0xff), Limits{}, core.ErrInvalidRecord, -1},
		{"one record more", edit(produced(t, None), posRecordCount, 0, 0, 0, 3), Limits{}, core.ErrInvalidRecord, -1},
		{"last offset delta too large", edit(produced(t, None), posLastOffsetDelta, 0, 0, 0, 9), Limits{}, core.ErrInvalidRecord, -1},
		{"last offset delta -1 and no records", edit(edit(produced(t, None), posLastOffsetDelta, 0xff, 0xff, 0xff, 0xff), posRecordCount, 0, 0, 0, 0), Limits{}, core.ErrInvalidRecord, -1},
		{"2^31 records", edit(edit(produced(t, None), posLastOffsetDelta, 0x7f, 0xff, 0xff, 0xff), posRecordCount, 0x80, 0, 0, 0), Limits{}, core.ErrInvalidRecord, -1},
		{"control", attributes(bitControl), Limits{}, core.ErrInvalidRecord, -1},
		{"producer without sequence", producer, Limits{}, core.ErrInvalidRecord, -1},
		{"transaction without producer", attributes(bitTransactional), Limits{}, core.ErrInvalidRecord, -1},
		{"log append time", attributes(bitLogAppendTime), Limits{}, core.ErrInvalidTimestamp, -1},
		{"delete horizon", attributes(bitDeleteHorizon), Limits{}, core.ErrInvalidRecord, -1},
	})
}

// TestCheckRefusesRecords gives every field of a record a value that its neighbours do not allow.
func TestCheckRefusesRecords(t *testing.T) {
	// length 14 (7 bytes), attributes, timestamp, offset, key "a", null value, no headers
	runRefusals(t, []refusalCase{
		{"none of two", withRecords(2), Limits{}, core.ErrInvalidRecord, 0},
		{"one of two", withRecords(2, 14, 0, 0, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 1},
		{"two of one", withRecords(1, 14, 0, 0, 0, 2, 'a', 1, 0, 14, 0, 0, 2, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, -1},
		{"length negative", withRecords(1, 13, 0, 0, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"length 0", withRecords(1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"length beyond the batch", withRecords(1, 16, 0, 0, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"length 2^31-1", withRecords(1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"length of 33 bits", withRecords(1, 0x8e, 0x80, 0x80, 0x80, 0x10, 0, 0, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"length of 6 bytes", withRecords(1, 0x8e, 0x80, 0x80, 0x80, 0x80, 0, 0, 0, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"length shorter than the fields", withRecords(1, 12, 0, 0, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"length longer than the fields", withRecords(1, 16, 0, 0, 0, 2, 'a', 1, 0, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"a key into the next record", withRecords(2, 14, 0, 0, 0, 20, 'a', 1, 0, 14, 0, 0, 2, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"a value into the next record", withRecords(2, 14, 0, 0, 0, 2, 'a', 20, 0, 14, 0, 0, 2, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"key length -2", withRecords(1, 14, 0, 0, 0, 3, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"value length -2", withRecords(1, 14, 0, 0, 0, 2, 'a', 3, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"timestamp delta of 65 bits", withRecords(1, 32, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"offset delta 1 first", withRecords(1, 14, 0, 0, 2, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"offset delta -1", withRecords(1, 14, 0, 0, 1, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"offset delta twice", withRecords(2, 14, 0, 0, 0, 2, 'a', 1, 0, 14, 0, 0, 0, 2, 'a', 1, 0), Limits{}, core.ErrInvalidRecord, 1},
		{"header count -1", withRecords(1, 14, 0, 0, 0, 2, 'a', 1, 1), Limits{}, core.ErrInvalidRecord, 0},
		{"header count 2^31-1", withRecords(1, 22, 0, 0, 0, 2, 'a', 1, 0xfe, 0xff, 0xff, 0xff, 0x0f), Limits{}, core.ErrInvalidRecord, 0},
		{"one header more", withRecords(1, 18, 0, 0, 0, 2, 'a', 1, 4, 0, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"null header key", withRecords(1, 18, 0, 0, 0, 2, 'a', 1, 2, 1, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"header value beyond the record", withRecords(1, 18, 0, 0, 0, 2, 'a', 1, 2, 0, 8), Limits{}, core.ErrInvalidRecord, 0},
		{"header key beyond the record", withRecords(1, 18, 0, 0, 0, 2, 'a', 1, 2, 8, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"bytes after the headers", withRecords(1, 20, 0, 0, 0, 2, 'a', 1, 2, 0, 0, 0), Limits{}, core.ErrInvalidRecord, 0},
		{"null key on a compacted topic", produced(t, None), Limits{RequireKeys: true}, core.ErrInvalidRecord, 1},
		{"timestamp beyond 64 bits", edit(produced(t, None), posBaseTimestamp, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), Limits{}, core.ErrInvalidTimestamp, 1},
	})
}

func TestCheckRefusesCompressed(t *testing.T) {
	for codec := Gzip; codec.Valid(); codec++ {
		t.Run(codec.String(), func(t *testing.T) {
			var c Codecs
			compress := func(n int32, records []byte) Batch {
				h := Header{Magic: Magic, Attributes: Attributes(codec), LastOffsetDelta: n - 1, RecordCount: n, ProducerID: -1}
				out, err := c.Compress(h.AppendTo(nil), records, codec)
				require.NoError(t, err)
				return seal(out)
			}
			good := produced(t, codec)
			cut := seal(bytes.Clone(good[:len(good)-1]))
			garbage := seal(append(bytes.Clone(good[:HeaderSize]), "these are not compressed records"...))
			size := int64(len(produced(t, None)) - HeaderSize)
			runRefusals(t, []refusalCase{
				{"cut", cut, Limits{}, core.ErrInvalidRecord, -1},
				{"nothing", seal(bytes.Clone(good[:HeaderSize])), Limits{}, core.ErrInvalidRecord, -1 + b2i(codec == Zstd)},
				{"garbage", garbage, Limits{}, core.ErrInvalidRecord, -1},
				{"trailing bytes", seal(append(bytes.Clone(good), 1, 2, 3)), Limits{}, core.ErrInvalidRecord, -1},
				{"bytes after the last record", compress(1, []byte{14, 0, 0, 0, 2, 'a', 1, 0, 0}), Limits{}, core.ErrInvalidRecord, -1},
				{"a bad record", compress(1, []byte{14, 0, 0, 0, 9, 'a', 1, 0}), Limits{}, core.ErrInvalidRecord, 0},
				{"offsets", compress(1, []byte{14, 0, 0, 2, 2, 'a', 1, 0}), Limits{}, core.ErrInvalidRecord, 0},
				{"bomb", compress(1, make([]byte, 2<<20)), Limits{MaxDecompressed: 1 << 20}, core.ErrMessageTooLarge, -1},
				{"a byte beyond the limit", good, Limits{MaxDecompressed: size - 1}, core.ErrMessageTooLarge, -1},
			})
			_, refusal := Check(good, Limits{MaxDecompressed: size}, &c)
			require.True(t, refusal.OK(), refusal)
		})
	}
}

func b2i(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

func TestCheckAdmitsInternal(t *testing.T) {
	var b Builder
	b.Begin(nil, Options{BaseOffset: 500, Control: true, Transactional: true, Idempotent: true, ProducerID: 3, BaseSequence: NoSequence})
	require.NoError(t, b.AppendEndTxn(7, false, 1))
	raw, err := b.Finish(nil)
	require.NoError(t, err)
	_, refusal := Check(raw, Limits{}, nil)
	require.Equal(t, core.ErrInvalidRecord, refusal.Code)
	s, refusal := Check(raw, Limits{Internal: true}, nil)
	require.True(t, refusal.OK(), refusal)
	require.True(t, s.Control)
	require.Equal(t, NoSequence, s.LastSequence)
}

// TestCheckAdmitsPadded: varints that are longer than need be are legal for every reader; some clients reserve room
// for a record's length and fill it in later.
func TestCheckAdmitsPadded(t *testing.T) {
	b := withRecords(1, 0x98, 0x80, 0x80, 0x80, 0x00, 0, 0x80, 0, 0x80, 0x00, 0x82, 0, 'a', 0x81, 0, 0x80, 0)
	_, refusal := Check(b, Limits{}, nil)
	require.True(t, refusal.OK(), refusal)
	require.Equal(t, []plain{{0, 0, []byte("a"), nil, nil}}, readAll(t, b))
}

func TestCheckTimestamps(t *testing.T) {
	at := func(ts ...core.Wall) Batch {
		var records []plain
		for _, x := range ts {
			records = append(records, plain{Timestamp: x})
		}
		return build(t, Options{}, records)
	}
	tests := []struct {
		batch    Batch
		min, max core.Wall
		delta    int32
	}{
		{at(5), 5, 5, 0},
		{at(5, 9, 9, 2), 2, 9, 1},
		{at(-1, -1), -1, -1, 0},
		{at(-1, 7), 7, 7, 1},
		{at(7, -1), 7, 7, 0},
		{at(0, 0), 0, 0, 0},
		{at(math.MaxInt64, 0), 0, math.MaxInt64, 0},
		// The header says something else: the records count.
		{edit(at(5, 9), posMaxTimestamp, 0, 0, 0, 0, 0, 0, 0, 0xff), 5, 9, 1},
	}
	for i, tt := range tests {
		s, refusal := Check(tt.batch, Limits{}, nil)
		require.True(t, refusal.OK(), "%d: %s", i, refusal)
		require.Equal(t, []any{tt.min, tt.max, tt.delta}, []any{s.MinTimestamp, s.MaxTimestamp, s.MaxTimestampDelta}, "%d", i)
	}
	b := build(t, Options{AppendTime: true, LogAppendTime: 77}, goldenRecords())
	s, refusal := Check(b, Limits{Internal: true}, nil)
	require.True(t, refusal.OK(), refusal)
	require.Equal(t, []core.Wall{77, 77}, []core.Wall{s.MinTimestamp, s.MaxTimestamp})
}

// TestCheckAgreesWithRecords: whatever is built is admitted, and the summary is what a reader of the records
// would compute.
func TestCheckAgreesWithRecords(t *testing.T) {
	var c Codecs
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		records := drawRecords(t, 20)
		raw := build(t, o, records)
		s, refusal := Check(raw, Limits{Internal: true}, &c)
		require.True(t, refusal.OK(), refusal)
		plainSize := int64(len(build(t, Options{AppendTime: o.AppendTime}, records)) - HeaderSize)
		want := Summary{
			SizeInBytes: int64(len(raw)), DecompressedSize: plainSize, RecordCount: int32(len(records)), Codec: o.Codec,
			Transactional: o.Transactional, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, LastSequence: -1,
			MinTimestamp: -1, MaxTimestamp: -1, FirstKeyless: -1,
		}
		if o.Idempotent {
			want.ProducerID, want.ProducerEpoch, want.FirstSequence = o.ProducerID, o.ProducerEpoch, o.BaseSequence
			want.LastSequence = int32((int64(o.BaseSequence) + int64(len(records)-1)) % (1 << 31))
		}
		for i, r := range readAll(t, raw) {
			want.note(r.Timestamp, int32(i), r.Key == nil)
		}
		require.Equal(t, want, s)
	})
}

// TestCheckNeverAdmitsDamage flips and cuts a good batch; with the checksum made right again, Check and the
// iterator still agree with each other.
func TestCheckNeverAdmitsDamage(t *testing.T) {
	var c Codecs
	for codec := None; codec.Valid(); codec++ {
		good := produced(t, codec)
		for at := posAttributes; at < len(good); at++ {
			for _, flip := range []byte{0x01, 0x80, 0xff} {
				bad := bytes.Clone(good)
				bad[at] ^= flip
				_, refusal := Check(bad, Limits{}, &c)
				require.Equal(t, core.ErrCorruptMessage, refusal.Code)
				checkAgainstIterator(t, seal(bad), &c)
			}
		}
		for cut := HeaderSize; cut < len(good); cut++ {
			checkAgainstIterator(t, seal(bytes.Clone(good[:cut])), &c)
		}
	}
}

// checkAgainstIterator: what Check admits, the iterator reads to the end, with as many records.
func checkAgainstIterator(t require.TestingT, b Batch, c *Codecs) {
	const limit = 1 << 20
	s, refusal := Check(b, Limits{MaxDecompressed: limit}, c)
	if !refusal.OK() {
		return
	}
	var it Iterator
	var r Record
	n := int32(0)
	require.NoError(t, it.Reset(b, c, limit))
	for it.Next(&r) {
		require.Equal(t, b.BaseOffset()+core.Offset(n), r.Offset)
		require.Len(t, r.Headers.AppendTo(nil), r.Headers.Len())
		n++
	}
	require.NoError(t, it.Err())
	require.Equal(t, s.RecordCount, n)
	require.Equal(t, int64(binary.BigEndian.Uint32(b[posLength:]))+LogOverhead, s.SizeInBytes)
}
