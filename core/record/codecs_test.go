package record

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// corpus is a fixed set of inputs of many kinds and sizes: what compressors branch on.
func corpus() [][]byte {
	state := uint64(1)
	next := func() uint64 { // splitmix64
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	random := func(n int, mask byte) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(next()>>32) & mask
		}
		return b
	}
	words := []string{"offset", "epoch", "leader", "replica", "ISR", "fetch", "the", "a", "of", "log", "high", "watermark"}
	text := func(n int) []byte {
		var b []byte
		for len(b) < n {
			b = append(append(b, words[next()%uint64(len(words))]...), ' ')
			if next()%17 == 0 {
				b = fmt.Appendf(b, "%d\n", next()%100_000)
			}
		}
		return b[:n]
	}
	all := [][]byte{nil, {0}, []byte("abc"), bytes.Repeat([]byte{0}, 100_000), bytes.Repeat([]byte("abcdefg"), 9_000)}
	for _, n := range []int{5, 15, 16, 17, 60, 61, 255, 256, 257, 1000, 4096, 32768, 32769, 65535, 65536, 65537, 140_000} {
		all = append(all, text(n), random(n, 0xff), random(n, 0x03), random(n, 0x3f))
	}
	// Matches at long distances, and a mixture that is compressible in its parts.
	noise := random(40_000, 0xff)
	all = append(all, append(append(bytes.Clone(noise), text(30_000)...), noise...))
	var mixed []byte
	for i := range 60 {
		mixed = append(append(mixed, random(i*50, 0xff)...), text(i*70)...)
	}
	all = append(all, mixed, text(1_200_000))
	var counters []byte
	for i := range 20_000 {
		counters = binary.BigEndian.AppendUint64(counters, uint64(i*i))
	}
	return append(all, counters)
}

// TestCompressedBytesGolden holds the compressed bytes fast: they are part of every simulation's trace, which must
// be equal on all platforms (run it with GOARCH=386, GOARCH=wasm and GOAMD64=v3 as well) and must not change
// unless a library is replaced on purpose.
func TestCompressedBytesGolden(t *testing.T) {
	want := map[Codec]string{
		Gzip:   "0a699737f6debacbeeeac344",
		Snappy: "005bb2bbc97dfd7f8957d877",
		LZ4:    "2316389765f1307f5ea4b5fc",
		Zstd:   "9ea3dbc4b5ba0971362a3dce",
	}
	inputs := corpus()
	var used Codecs
	for codec := Gzip; codec.Valid(); codec++ {
		sum := sha256.New()
		total := 0
		for i, src := range inputs {
			out, err := used.Compress(nil, src, codec)
			require.NoError(t, err)
			var fresh Codecs
			again, err := fresh.Compress(nil, src, codec)
			require.NoError(t, err)
			require.True(t, bytes.Equal(again, out), "%s: input %d depends on what was compressed before", codec, i)
			sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(out))))
			sum.Write(out)
			total += len(out)

			back, err := used.Decompress([]byte("before"), out, codec, int64(len(src)))
			require.NoError(t, err, "%s: input %d", codec, i)
			require.True(t, bytes.Equal(append([]byte("before"), src...), back), "%s: input %d", codec, i)
		}
		require.Equal(t, want[codec], hex.EncodeToString(sum.Sum(nil)[:12]), "%s, %d bytes in all", codec, total)
	}
}

// TestOthersReadOurs decodes our output with decoders that share no code with our encoders.
func TestOthersReadOurs(t *testing.T) {
	var c Codecs
	decoders := map[Codec]func(src []byte) ([]byte, error){
		Gzip: func(src []byte) ([]byte, error) {
			r, err := gzip.NewReader(bytes.NewReader(src))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		},
		Snappy: xerial.Decode,
		LZ4:    func(src []byte) ([]byte, error) { return io.ReadAll(lz4.NewReader(bytes.NewReader(src))) },
		Zstd: func(src []byte) ([]byte, error) {
			r, err := zstd.NewReader(bytes.NewReader(src))
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return io.ReadAll(r)
		},
	}
	for codec := Gzip; codec.Valid(); codec++ {
		for i, src := range corpus() {
			out, err := c.Compress(nil, src, codec)
			require.NoError(t, err)
			back, err := decoders[codec](out)
			require.NoError(t, err, "%s: input %d", codec, i)
			require.True(t, bytes.Equal(src, back), "%s: input %d", codec, i)
		}
	}
}

// foreign gives the forms of each codec that other clients write.
func foreign(t testing.TB, src []byte) map[string][]byte {
	forms := map[string][]byte{}
	var buf bytes.Buffer
	for level := gzip.HuffmanOnly; level <= gzip.BestCompression; level++ {
		buf.Reset()
		w, err := gzip.NewWriterLevel(&buf, level)
		require.NoError(t, err)
		_, err = w.Write(src)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		forms[fmt.Sprintf("gzip level %d", level)] = bytes.Clone(buf.Bytes())
	}
	forms["gzip of two members"] = bytes.Clone(append(forms["gzip level 6"], forms["gzip level 1"]...))
	forms["snappy raw"] = snappy.Encode(nil, src)
	forms["snappy xerial"] = xerial.Encode(nil, src)
	forms["snappy xerial better"] = xerial.EncodeBetter(nil, src)
	lz4Frame := func(name string, options ...lz4.Option) {
		buf.Reset()
		w := lz4.NewWriter(&buf)
		require.NoError(t, w.Apply(options...))
		_, err := w.Write(src)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		forms["lz4 "+name] = bytes.Clone(buf.Bytes())
	}
	lz4Frame("default: 4 MiB blocks, content checksum")
	lz4Frame("no checksum", lz4.ChecksumOption(false))
	lz4Frame("block checksums", lz4.BlockChecksumOption(true), lz4.BlockSizeOption(lz4.Block64Kb))
	lz4Frame("high compression", lz4.CompressionLevelOption(lz4.Level9), lz4.BlockSizeOption(lz4.Block256Kb))
	if len(src) > 0 {
		lz4Frame("content size", lz4.SizeOption(uint64(len(src))), lz4.BlockSizeOption(lz4.Block1Mb))
	}
	for level := zstd.SpeedFastest; level <= zstd.SpeedBestCompression; level++ {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithZeroFrames(true))
		require.NoError(t, err)
		forms["zstd "+level.String()] = w.EncodeAll(src, nil)
		// A streamed frame does not state its content's size.
		buf.Reset()
		w.Reset(&buf)
		_, err = w.Write(src)
		require.NoError(t, err)
		require.NoError(t, w.Flush())
		require.NoError(t, w.Close())
		forms["zstd stream "+level.String()] = bytes.Clone(buf.Bytes())
	}
	return forms
}

func codecOfForm(name string) Codec {
	for codec := Gzip; codec.Valid(); codec++ {
		if len(name) >= len(codec.String()) && name[:len(codec.String())] == codec.String() {
			return codec
		}
	}
	panic(name)
}

func TestWeReadOthers(t *testing.T) {
	var c Codecs
	for _, src := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("every client has its own idea; "), 5000)} {
		for name, raw := range foreign(t, src) {
			want := src
			if name == "gzip of two members" {
				want = bytes.Repeat(src, 2)
			}
			out, err := c.Decompress(nil, raw, codecOfForm(name), int64(len(want)))
			require.NoError(t, err, name)
			require.True(t, bytes.Equal(want, out), name)
			if len(want) == 0 {
				continue
			}
			_, err = c.Decompress(nil, raw, codecOfForm(name), int64(len(want)-1))
			require.ErrorIs(t, err, ErrTooLarge, name)
		}
	}
}

// TestDamagedInput cuts and extends each form of each codec: nothing passes as the whole, nothing panics, and
// what was in dst stays.
func TestDamagedInput(t *testing.T) {
	var c Codecs
	src := bytes.Repeat([]byte("0123456789"), 300)
	for name, raw := range foreign(t, src) {
		codec := codecOfForm(name)
		for cut := range raw {
			out, err := c.Decompress([]byte("dst"), raw[:cut], codec, 1<<20)
			require.Equal(t, "dst", string(out[:3]))
			// Between gzip members and after an empty input there is a proper end.
			if err == nil {
				ends := map[int]bool{0: true}
				if name == "gzip of two members" {
					ends[len(src)] = true
				}
				require.True(t, ends[len(out)-3], "%s cut at %d yields %d bytes", name, cut, len(out)-3)
			} else {
				require.Len(t, out, 3)
			}
		}
		if _, err := c.Decompress(nil, append(bytes.Clone(raw), 0x7f, 1, 2), codec, 1<<20); err == nil {
			t.Errorf("%s: trailing bytes pass", name)
		}
	}
	for codec := Codec(5); codec < 9; codec++ {
		_, err := c.Decompress(nil, src, codec, 1<<20)
		require.ErrorIs(t, err, ErrUnknownCodec)
		_, err = c.Compress(nil, src, codec)
		require.ErrorIs(t, err, ErrUnknownCodec)
	}
	_, err := c.Decompress(nil, src, None, int64(len(src)-1))
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = c.Decompress(nil, src, None, -1)
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestFormsThatKafkaRefuses(t *testing.T) {
	lz4Header := func(flg, bd byte, more ...byte) []byte {
		raw := append([]byte{0x04, 0x22, 0x4d, 0x18, flg, bd}, more...)
		raw = append(raw, byte(xxh32(raw[4:])>>8))
		return append(raw, 0, 0, 0, 0)
	}
	var c Codecs
	out, err := c.Decompress(nil, lz4Header(0x60, 0x40), LZ4, 10)
	require.NoError(t, err)
	require.Empty(t, out)
	tests := []struct {
		name  string
		codec Codec
		raw   []byte
	}{
		{"lz4 dependent blocks", LZ4, lz4Header(0x40, 0x40)},
		{"lz4 version 0", LZ4, lz4Header(0x20, 0x40)},
		{"lz4 reserved flag", LZ4, lz4Header(0x62, 0x40)},
		{"lz4 dictionary", LZ4, lz4Header(0x61, 0x40, 1, 2, 3, 4)},
		{"lz4 block size 3", LZ4, lz4Header(0x60, 0x30)},
		{"lz4 reserved descriptor bit", LZ4, lz4Header(0x60, 0xc0)},
		{"lz4 wrong content size", LZ4, lz4Header(0x68, 0x40, 1, 0, 0, 0, 0, 0, 0, 0)},
		{"lz4 content size cut off", LZ4, lz4Header(0x68, 0x40)},
		{"lz4 bad header checksum", LZ4, []byte("\x04\x22\x4d\x18\x60\x40\x83\x00\x00\x00\x00")},
		{"lz4 empty block", LZ4, []byte("\x04\x22\x4d\x18\x60\x40\x82\x00\x00\x00\x80")},
		{"lz4 block beyond the input", LZ4, []byte("\x04\x22\x4d\x18\x60\x40\x82\xff\xff\xff\x7f\x00")},
		{"lz4 legacy frame", LZ4, []byte("\x02\x21\x4c\x18\x00\x00\x00\x00")},
		{"snappy with an S2 repeat", Snappy, []byte{8, 0x0c, 'a', 'b', 'c', 'd', 0x01, 0x00}},
		{"snappy length beyond reason", Snappy, []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0, 'a'}},
		{"snappy empty", Snappy, nil},
		{"xerial version 0", Snappy, append([]byte(xerialMagic), 0, 0, 0, 0, 0, 0, 0, 1)},
		{"xerial block beyond the input", Snappy, append([]byte(xerialHeader), 0xff, 0xff, 0xff, 0xff, 0)},
		{"xerial half a size", Snappy, append([]byte(xerialHeader), 0, 0)},
		{"gzip not", Gzip, []byte("not gzip at all")},
		{"zstd not", Zstd, []byte("not zstd at all")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Decompress(nil, tt.raw, tt.codec, 1<<30)
			require.ErrorIs(t, err, ErrCorrupt)
		})
	}
}

// TestBombs gives each codec its smallest form of 64 MiB of zeros: it is refused at the limit, and memory stays
// near the limit however much the input claims.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 64<<20)
	var c Codecs
	for codec := Gzip; codec.Valid(); codec++ {
		bomb, err := c.Compress(nil, zeros, codec)
		require.NoError(t, err)
		for _, limit := range []int64{0, 1, 1000, 1 << 20} {
			out, err := c.Decompress(nil, bomb, codec, limit)
			require.ErrorIs(t, err, ErrTooLarge, "%s, limit %d", codec, limit)
			require.LessOrEqual(t, int64(cap(out)), 2*limit+64<<10, "%s, limit %d", codec, limit)
		}
	}
	// Frames that state a huge size and hold nothing of it take no memory for it.
	for name, raw := range map[string][]byte{
		"zstd":   {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x40, 1, 0, 0},
		"snappy": {0x80, 0x80, 0x80, 0x80, 4, 0},
	} {
		out, err := c.Decompress(nil, raw, codecOfForm(name), 1<<30)
		require.Error(t, err)
		require.LessOrEqual(t, cap(out), 1<<20, name)
	}
}

// TestZstdWindows: a large window is harmless while the blocks cannot yield more than the limit, and refused when
// they can, for the library would let the output grow to the window.
func TestZstdWindows(t *testing.T) {
	frame := func(window, size int) []byte {
		var buf bytes.Buffer
		w, err := zstd.NewWriter(&buf, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
		require.NoError(t, err)
		_, err = w.Write(make([]byte, size/2))
		require.NoError(t, err)
		require.NoError(t, w.Flush())
		_, err = w.Write(make([]byte, size-size/2))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return buf.Bytes()
	}
	skippable := []byte{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7}
	var c Codecs
	tests := []struct {
		name  string
		raw   []byte
		limit int64
		want  error
	}{
		{"largest window, little content", frame(128<<20, 300_000), 1 << 20, nil},
		{"a larger one", frame(256<<20, 300_000), 1 << 20, ErrCorrupt},
		{"largest window, a bomb", frame(128<<20, 20<<20), 1 << 20, ErrCorrupt},
		{"usual window, a bomb", frame(8<<20, 20<<20), 1 << 20, ErrTooLarge},
		{"usual window, within the limit", frame(8<<20, 20<<20), 20 << 20, nil},
		{"usual window, a byte too much", frame(8<<20, 300_001), 300_000, ErrTooLarge},
		{"skippable frame", append(bytes.Clone(skippable), frame(1<<20, 10)...), 10, nil},
		{"skippable frame cut", skippable[:9], 10, ErrCorrupt},
		{"reserved block type", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x07, 0, 0}, 10, ErrCorrupt},
		{"a checksum that is wrong", func() []byte { b := frame(1<<20, 10); b[len(b)-1] ^= 1; return b }(), 10, ErrCorrupt},
		{"a checksum that is cut", func() []byte { b := frame(1<<20, 10); return b[:len(b)-1] }(), 10, ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := c.Decompress(nil, tt.raw, Zstd, tt.limit)
			require.ErrorIs(t, err, tt.want)
			require.LessOrEqual(t, cap(out), 2*zstdWindowSafe+2*int(tt.limit))
		})
	}
}

func TestCodecsRoundTrip(t *testing.T) {
	var c Codecs // one for all, as in use
	rapid.Check(t, func(t *rapid.T) {
		codec := Codec(rapid.IntRange(0, 4).Draw(t, "codec"))
		unit := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "unit")
		src := bytes.Repeat(unit, rapid.IntRange(1, 3000).Draw(t, "times"))
		src = append(src, rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "tail")...)
		out, err := c.Compress([]byte("x"), src, codec)
		require.NoError(t, err)
		require.Equal(t, byte('x'), out[0])
		var fresh Codecs
		again, err := fresh.Compress(nil, src, codec)
		require.NoError(t, err)
		require.True(t, bytes.Equal(again, out[1:]), "the output depends on earlier input")
		back, err := c.Decompress(nil, out[1:], codec, int64(len(src)))
		require.NoError(t, err)
		require.True(t, bytes.Equal(src, back))
	})
}

// TestXXH32 uses the vectors of the algorithm's description.
func TestXXH32(t *testing.T) {
	for in, want := range map[string]uint32{
		"": 0x02cc5d05, "a": 0x550d7456, "abc": 0x32d153ff, "abcd": 0xa3643705,
		"Nobody inspects the spammish repetition": 0xe2293b2f,
	} {
		require.Equal(t, want, xxh32([]byte(in)), in)
	}
}
