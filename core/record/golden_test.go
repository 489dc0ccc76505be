package record

import (
	"encoding/hex"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

// golden is a batch written by hand from the description of the format, line by line: offset, length, epoch,
// magic, CRC (computed by another program); attributes (transactional), last offset delta, timestamps; producer
// 1000 epoch 7 sequence 42, two records; the records.
const golden = `
	0000000000000000 00000051 00000005 02 CRC32C__
	0010 00000001 0000018bcfe56800 0000018bcfe56803
	00000000000003e8 0007 0000002a 00000002
	2c 00 00 00 06 6b6579 0a 76616c7565 02 04 6831 08 00ff10aa
	10 00 06 02 01 00 02 00 01`

const goldenCRC = "d42830f3"

// goldenMarker is a commit marker of coordinator epoch 9, the bytes that Kafka's EndTransactionMarker gives.
const goldenMarker = `
	0000000000000000 00000042 00000000 02 CRC32C__
	0030 00000000 00000000000003e8 00000000000003e8
	00000000000003e8 0007 ffffffff 00000001
	20 00 00 00 08 00000001 0c 000000000009 00`

const goldenMarkerCRC = "fd759de4"

func unhex(t testing.TB, s, crc string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.Join(strings.Fields(strings.ReplaceAll(s, "CRC32C__", crc)), ""))
	require.NoError(t, err)
	return raw
}

// plain is a record without views into anything.
type plain struct {
	Offset     core.Offset
	Timestamp  core.Wall
	Key, Value []byte
	Headers    []RecordHeader
}

func readAll(t require.TestingT, b Batch) []plain {
	var c Codecs
	var it Iterator
	var r Record
	var all []plain
	require.NoError(t, it.Reset(b, &c, 1<<30))
	for it.Next(&r) {
		require.Equal(t, r.Headers.Len(), len(r.Headers.AppendTo(nil)))
		all = append(all, plain{r.Offset, r.Timestamp, r.Key, r.Value, r.Headers.AppendTo(nil)})
	}
	require.NoError(t, it.Err())
	return all
}

func goldenRecords() []plain {
	return []plain{
		{0, 0x18bcfe56800, []byte("key"), []byte("value"), []RecordHeader{{[]byte("h1"), []byte{0, 0xff, 0x10, 0xaa}}}},
		{1, 0x18bcfe56803, nil, []byte{}, []RecordHeader{{[]byte{}, nil}}},
	}
}

func goldenOptions() Options {
	return Options{
		PartitionLeaderEpoch: 5, Transactional: true,
		Idempotent: true, ProducerID: 1000, ProducerEpoch: 7, BaseSequence: 42,
	}
}

func build(t require.TestingT, o Options, records []plain) Batch {
	var b Builder
	var c Codecs
	b.Begin(nil, o)
	for _, r := range records {
		want := b.SizeWith(r.Timestamp, r.Key, r.Value, r.Headers)
		require.NoError(t, b.Append(r.Timestamp, r.Key, r.Value, r.Headers))
		require.Equal(t, want, b.Size(), "SizeWith is exact")
	}
	out, err := b.Finish(&c)
	require.NoError(t, err)
	return out
}

func TestGolden(t *testing.T) {
	raw := unhex(t, golden, goldenCRC)
	require.Equal(t, raw, []byte(build(t, goldenOptions(), goldenRecords())))
	require.Equal(t, goldenRecords(), readAll(t, raw))
	s, refusal := Check(raw, Limits{}, nil)
	require.True(t, refusal.OK(), refusal)
	require.Equal(t, Summary{
		SizeInBytes: 93, DecompressedSize: 32, RecordCount: 2, Transactional: true,
		ProducerID: 1000, ProducerEpoch: 7, FirstSequence: 42, LastSequence: 43,
		MinTimestamp: 0x18bcfe56800, MaxTimestamp: 0x18bcfe56803, MaxTimestampDelta: 1, FirstKeyless: 1,
	}, s)
}

func TestGoldenMarker(t *testing.T) {
	raw := unhex(t, goldenMarker, goldenMarkerCRC)
	o := Options{
		Transactional: true, Control: true,
		Idempotent: true, ProducerID: 1000, ProducerEpoch: 7, BaseSequence: NoSequence,
	}
	var b Builder
	b.Begin(nil, o)
	require.NoError(t, b.AppendEndTxn(1000, true, 9))
	out, err := b.Finish(nil)
	require.NoError(t, err)
	require.Equal(t, raw, out)

	var value kmsg.EndTxnMarker
	value.CoordinatorEpoch = 9
	r := readAll(t, raw)[0]
	require.Equal(t, value.AppendTo(nil), r.Value)
	kind, err := ParseControlKey(r.Key)
	require.NoError(t, err)
	require.Equal(t, ControlCommit, kind)
	epoch, err := ParseEndTxnMarker(r.Value)
	require.NoError(t, err)
	require.Equal(t, int32(9), epoch)
	require.Equal(t, NoSequence, Batch(raw).Header().BaseSequence)
}

// TestAgainstKmsg builds random batches with franz-go's codec and with ours: the bytes are equal, and each
// reads the other's.
func TestAgainstKmsg(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t, 5)
		o := drawOptions(t)
		o.Codec = None
		ours := build(t, o, records)
		require.Equal(t, kmsgBatch(t, o, records), []byte(ours))

		var back kmsg.RecordBatch
		require.NoError(t, back.ReadFrom(ours))
		require.Equal(t, int32(len(records)), back.NumRecords)
		require.Equal(t, []byte(ours[HeaderSize:]), back.Records)
	})
}

func kmsgBatch(t require.TestingT, o Options, records []plain) []byte {
	h := build(t, o, records).Header() // the header's arithmetic has its own tests
	var body []byte
	for i, r := range records {
		kr := kmsg.Record{TimestampDelta64: int64(r.Timestamp - h.BaseTimestamp), OffsetDelta: int32(i), Key: r.Key, Value: r.Value}
		if o.AppendTime {
			kr.TimestampDelta64 = 0
		}
		for _, rh := range r.Headers {
			kr.Headers = append(kr.Headers, kmsg.Header{Key: string(rh.Key), Value: rh.Value})
		}
		// The length is itself a varint: encode with any, see how long the rest is.
		kr.Length = int32(len(kr.AppendTo(nil)) - 1)
		body = kr.AppendTo(body)
	}
	kb := kmsg.RecordBatch{
		FirstOffset: int64(h.BaseOffset), PartitionLeaderEpoch: int32(h.PartitionLeaderEpoch), Magic: 2,
		Attributes: int16(h.Attributes), LastOffsetDelta: h.LastOffsetDelta, FirstTimestamp: int64(h.BaseTimestamp),
		MaxTimestamp: int64(h.MaxTimestamp), ProducerID: int64(h.ProducerID), ProducerEpoch: int16(h.ProducerEpoch),
		FirstSequence: h.BaseSequence, NumRecords: h.RecordCount, Records: body,
	}
	raw := kb.AppendTo(nil)
	kb.Length = int32(len(raw) - LogOverhead)
	kb.CRC = int32(crc32.Checksum(raw[posAttributes:], crc32.MakeTable(crc32.Castagnoli)))
	return kb.AppendTo(nil)
}

func drawRecords(t *rapid.T, most int) []plain {
	bytesOrNil := func(label string) []byte {
		if rapid.IntRange(0, 4).Draw(t, label+"?") == 0 {
			return nil
		}
		return rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, label)
	}
	records := make([]plain, rapid.IntRange(1, most).Draw(t, "records"))
	for i := range records {
		r := plain{Offset: core.Offset(i), Timestamp: core.Wall(rapid.Int64Range(-1, 1<<50).Draw(t, "timestamp"))}
		r.Key, r.Value = bytesOrNil("key"), bytesOrNil("value")
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			r.Headers = append(r.Headers, RecordHeader{rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "hkey"), bytesOrNil("hvalue")})
		}
		records[i] = r
	}
	return records
}

func drawOptions(t *rapid.T) Options {
	o := Options{
		Codec:                Codec(rapid.IntRange(0, 4).Draw(t, "codec")),
		BaseOffset:           core.Offset(rapid.Int64Range(0, 1<<60).Draw(t, "baseOffset")),
		PartitionLeaderEpoch: core.LeaderEpoch(rapid.Int32().Draw(t, "epoch")),
		AppendTime:           rapid.Bool().Draw(t, "appendTime"),
		LogAppendTime:        core.Wall(rapid.Int64Range(0, 1<<50).Draw(t, "logAppendTime")),
		Idempotent:           rapid.Bool().Draw(t, "idempotent"),
		ProducerID:           core.ProducerID(rapid.Int64Range(0, 1<<60).Draw(t, "producerID")),
		ProducerEpoch:        core.ProducerEpoch(rapid.Int16Range(0, 1<<14).Draw(t, "producerEpoch")),
		BaseSequence:         rapid.Int32Range(0, 1<<31-1).Draw(t, "baseSequence"),
	}
	o.Transactional = o.Idempotent && rapid.Bool().Draw(t, "transactional")
	return o
}
