package consumer

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// sample is a record set of two batches at offset 5, the second with that codec.
func sample(codec record.Codec) []byte {
	var b record.Builder
	b.Begin(nil, record.Options{BaseOffset: 5, PartitionLeaderEpoch: 3, Transactional: true, Idempotent: true, ProducerID: 9})
	_ = b.Append(1, []byte("k"), []byte("v"), []record.RecordHeader{{Key: []byte("h")}})
	out, _ := b.Finish(new(record.Codecs))
	b.Begin(out, record.Options{BaseOffset: 6, PartitionLeaderEpoch: 3, Codec: codec})
	for range 20 {
		_ = b.Append(2, nil, []byte("some value, some value"), nil)
	}
	out, err := b.Finish(new(record.Codecs))
	if err != nil {
		panic(err)
	}
	return out
}

// fetchingAt is a consumer with one partition that fetches at an offset.
func fetchingAt(o Options, at core.Offset) (*Consumer, *partition) {
	cl := cluster.New(cluster.Options{Bootstrap: []string{"a:1"}}.WithDefaults(), prng.New(1))
	c := New(o, cl)
	c.Assign(core.Now{}, "t", 0, Start{Kind: SeekOffset, Offset: at})
	return c, c.find("t", 0)
}

func response(records []byte, aborted int64) *kmsg.FetchResponseTopicPartition {
	r := kmsg.NewFetchResponseTopicPartition()
	r.RecordBatches, r.HighWatermark = records, 1<<40
	if aborted >= 0 {
		r.AbortedTransactions = append(r.AbortedTransactions,
			kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: aborted, FirstOffset: 5})
	}
	return &r
}

// FuzzFetchedRecords feeds hostile record sets to a partition. Whatever comes: no panic, bounded memory, offsets of the
// records handed out rise from the position, and the position never goes back.
func FuzzFetchedRecords(f *testing.F) {
	for codec := record.None; codec <= record.Zstd; codec++ {
		f.Add(sample(codec), int64(5), int64(-1), true)
		f.Add(sample(codec), int64(10), int64(9), false)
		f.Add(sample(codec)[:100], int64(0), int64(9), true)
	}
	f.Fuzz(func(t *testing.T, records []byte, at, aborted int64, skipCRC bool) {
		if at < 0 {
			return
		}
		c, p := fetchingAt(Options{Isolation: ReadCommitted, SkipCRC: skipCRC, MaxDecompressed: 1 << 20}, core.Offset(at))
		s := &session{}
		e := &entry{p: p}
		c.take(core.Now{Mono: 1}, s, p, e, response(records, aborted))
		next := core.Offset(at)
		for range 10_000 {
			got := c.Poll(core.Now{Mono: 1}, 100, nil)
			for _, r := range got {
				require.GreaterOrEqual(t, r.Offset, next)
				next = r.Offset + 1
			}
			require.GreaterOrEqual(t, p.position.offset, next)
			if len(got) == 0 {
				require.Empty(t, p.buffer)
				return
			}
		}
		require.LessOrEqual(t, int64(len(records)), int64(1<<20), "more records than bytes can hold")
	})
}

func TestSampleIsRead(t *testing.T) {
	for codec := record.None; codec <= record.Zstd; codec++ {
		c, p := fetchingAt(Options{Isolation: ReadCommitted}, 5)
		c.take(core.Now{}, &session{}, p, &entry{p: p}, response(sample(codec), 9))
		got := c.Poll(core.Now{}, 100, nil)
		require.Len(t, got, 20)
		require.Equal(t, core.Offset(6), got[0].Offset)
		require.Equal(t, position{26, 4}, p.position)
	}
}

// A batch that decompresses beyond the limit stops the partition: it will not get smaller.
func TestDecompressionBomb(t *testing.T) {
	c, p := fetchingAt(Options{MaxDecompressed: 100}, 5)
	c.take(core.Now{}, &session{}, p, &entry{p: p}, response(sample(record.Gzip), -1))
	require.Len(t, c.Poll(core.Now{}, 100, nil), 1)
	require.Empty(t, c.Poll(core.Now{}, 100, nil))
	events := c.Events(nil)
	require.Len(t, events, 1)
	require.Equal(t, EventStopped, events[0].Kind)
	require.Equal(t, core.ErrRecordListTooLarge, events[0].Err)
	require.Equal(t, core.Offset(6), events[0].From)
}

// Handing out uncompressed records without headers takes no memory.
func TestPollDoesNotAllocate(t *testing.T) {
	var b record.Builder
	b.Begin(nil, record.Options{})
	for range 2000 {
		_ = b.Append(2, nil, []byte("some value, some value"), nil)
	}
	records, _ := b.Finish(new(record.Codecs))
	c, p := fetchingAt(Options{}, 0)
	c.take(core.Now{}, &session{}, p, &entry{p: p}, response(records, -1))
	dst := make([]Record, 0, 16)
	c.Poll(core.Now{}, 1, dst)
	require.Zero(t, testing.AllocsPerRun(100, func() { dst = c.Poll(core.Now{}, 10, dst[:0]) }))
}

func BenchmarkPoll(b *testing.B) {
	for _, codec := range []record.Codec{record.None, record.LZ4, record.Zstd} {
		b.Run(codec.String(), func(b *testing.B) {
			var builder record.Builder
			builder.Begin(nil, record.Options{Codec: codec})
			value := make([]byte, 1024)
			for i := range 64 {
				value[i] = byte(i)
				_ = builder.Append(2, nil, value, nil)
			}
			records, _ := builder.Finish(new(record.Codecs))
			c, p := fetchingAt(Options{}, 0)
			b.SetBytes(64 << 10)
			b.ReportAllocs()
			dst := make([]Record, 0, 100)
			s, e := &session{}, &entry{p: p}
			for b.Loop() {
				p.moveTo(position{})
				c.take(core.Now{}, s, p, e, response(records, -1))
				dst = c.Poll(core.Now{}, 100, dst[:0])
			}
		})
	}
}
