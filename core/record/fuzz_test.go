package record

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func seeds(f *testing.F) [][]byte {
	var all [][]byte
	for codec := None; codec.Valid(); codec++ {
		all = append(all, batchOf(f, codec, 3, 40), produced(f, codec))
	}
	return append(all, unhex(f, golden, goldenCRC), unhex(f, goldenMarker, goldenMarkerCRC))
}

// FuzzCheck: no input makes Check panic, take memory beyond its limit or admit what the iterator cannot read.
// The checksum is made right, or the fuzzer would never come past it.
func FuzzCheck(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	var c Codecs
	f.Fuzz(func(t *testing.T, src []byte, sealed bool) {
		if sealed && len(src) >= HeaderSize {
			src = seal(bytes.Clone(src))
		}
		before := bytes.Clone(src)
		s, refusal := Check(src, Limits{MaxDecompressed: 1 << 20}, &c)
		require.Equal(t, before, src)
		if !refusal.OK() {
			require.Zero(t, s)
			return
		}
		require.LessOrEqual(t, s.DecompressedSize, int64(1<<20))
		b, rest, err := ParseBatch(src)
		require.NoError(t, err)
		require.Empty(t, rest)
		checkAgainstIterator(t, b, &c)
	})
}

// FuzzIterate: any bytes behind any header are read without a panic, and what was read can be written again and
// reads the same.
func FuzzIterate(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	var c Codecs
	f.Fuzz(func(t *testing.T, src []byte) {
		for rest := src; ; {
			var b Batch
			var err error
			before := len(rest)
			if b, rest, err = ParseBatch(rest); err != nil {
				require.Len(t, rest, before)
				return
			}
			require.Equal(t, b.SizeInBytes(), int64(before-len(rest)))
			_ = b.VerifyCRC()
			copyBatch(t, b, &c)
		}
	})
}

func copyBatch(t *testing.T, b Batch, c *Codecs) {
	var it Iterator
	var r Record
	var out Builder
	if it.Reset(b, c, 1<<20) != nil {
		return
	}
	h := it.Header()
	out.Begin(nil, Options{BaseOffset: h.BaseOffset, AppendTime: h.Attributes.TimestampType() == LogAppendTime, LogAppendTime: h.MaxTimestamp})
	for it.Next(&r) {
		require.NoError(t, out.Copy(&r))
	}
	if it.Err() != nil {
		return
	}
	again, err := out.Finish(c)
	require.NoError(t, err)
	if h.RecordCount == 0 {
		require.Empty(t, again)
		return
	}
	require.Equal(t, readAll(t, b), readAll(t, again))
}

// FuzzDecompress: no input makes a decoder panic or exceed its limit, and what it yields survives a round trip.
func FuzzDecompress(f *testing.F) {
	for name, raw := range foreign(f, bytes.Repeat([]byte("fuzz "), 50)) {
		f.Add(raw, uint8(codecOfForm(name)), uint16(300))
	}
	var c Codecs
	f.Fuzz(func(t *testing.T, src []byte, id uint8, limit uint16) {
		codec := Codec(id % 6)
		out, err := c.Decompress([]byte("dst"), src, codec, int64(limit))
		require.Equal(t, "dst", string(out[:3]))
		if err != nil {
			require.Len(t, out, 3)
			return
		}
		require.LessOrEqual(t, len(out)-3, int(limit))
		again, err := c.Compress(nil, out[3:], codec)
		require.NoError(t, err)
		back, err := c.Decompress(nil, again, codec, int64(limit))
		require.NoError(t, err)
		require.True(t, bytes.Equal(out[3:], back))
	})
}
