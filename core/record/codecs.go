package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codecs compresses and decompresses. It keeps encoders, decoders and a scratch buffer, each made on first use,
// and belongs to one goroutine. The zero value is ready to use.
//
// For the same source bytes, Compress gives the same output on every platform and whatever was compressed
// before: the simulator's trace hash includes it. A golden test holds the libraries to that.
type Codecs struct {
	scratch []byte // what Check, Iterator and Builder (de)compress into; small between calls

	source    bytes.Reader // the input of gzipReader
	gzipped   appender     // the output of gzipWriter
	gzipWrite *gzip.Writer
	gzipRead  *gzip.Reader
	zstdWrite *zstd.Encoder
	zstdRead  *zstd.Decoder
	zstdLimit uint64 // the most that zstdRead yields
	lz4Write  *lz4.Compressor
	snappyTab *snappyTable
}

// keepScratch is the largest scratch buffer that outlives a call: one huge batch must not pin its size forever.
const keepScratch = 4 << 20

// Reasons for [ErrCorrupt] in [Codecs.Decompress]. They replace the libraries' own, which depend on the platform
// and would reach the simulator's trace through error messages.
const (
	errSnappy    Error = "malformed block"
	errXerial    Error = "malformed xerial framing"
	errLZ4Header Error = "unsupported frame header"
	errLZ4Frame  Error = "malformed frame"
	errLZ4Sum    Error = "frame checksum mismatch"
	errLZ4Tail   Error = "bytes after the frame"
	errZstd      Error = "malformed frame"
	errGzip      Error = "malformed member"
)

// appender is the io.Writer that the stream encoders need.
type appender struct{ buf []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.buf = append(a.buf, p...)
	return len(p), nil
}

// Compress appends the compressed form of src to dst, with the levels that Kafka's producer uses by default. The
// two must not overlap. The error is [ErrUnknownCodec].
func (c *Codecs) Compress(dst, src []byte, codec Codec) ([]byte, error) {
	switch codec {
	case None:
		return append(dst, src...), nil
	case Gzip:
		return c.compressGzip(dst, src), nil
	case Snappy:
		if c.snappyTab == nil {
			c.snappyTab = new(snappyTable)
		}
		return appendXerial(dst, src, c.snappyTab), nil
	case LZ4:
		if c.lz4Write == nil {
			c.lz4Write = new(lz4.Compressor)
		}
		return appendLZ4Frame(dst, src, c.lz4Write), nil
	case Zstd:
		return c.compressZstd(dst, src), nil
	}
	return dst, fmt.Errorf("%w: %d", ErrUnknownCodec, codec)
}

// Decompress appends the decompressed form of src to dst, at most maxBytes of it: more is [ErrTooLarge].
// Input that is damaged, cut off or followed by other bytes is [ErrCorrupt]. The two must not overlap. On an
// error dst comes back with its old length.
//
// Memory is taken as output appears or, where a frame states its size, only up to what input of that length
// can expand to.
func (c *Codecs) Decompress(dst, src []byte, codec Codec, maxBytes int64) ([]byte, error) {
	start := len(dst)
	limit := int(min(maxBytes, int64(math.MaxInt32-HeaderSize-start)))
	if limit < 0 {
		return dst, fmt.Errorf("%w: limit %d", ErrTooLarge, maxBytes)
	}
	out, err := dst, error(nil)
	switch codec {
	case None:
		if len(src) > limit {
			err = ErrTooLarge
		} else {
			out = append(dst, src...)
		}
	case Gzip:
		out, err = c.decompressGzip(dst, src, limit)
	case Snappy:
		out, err = appendSnappyDecoded(dst, src, limit)
	case LZ4:
		out, err = appendLZ4Decoded(dst, src, limit)
	case Zstd:
		out, err = c.decompressZstd(dst, src, limit)
	default:
		return dst, fmt.Errorf("%w: %d", ErrUnknownCodec, codec)
	}
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, ErrTooLarge):
		return out[:start], fmt.Errorf("%w: %s yields more than %d bytes", ErrTooLarge, codec, limit)
	}
	return out[:start], fmt.Errorf("%w: %s: %w", ErrCorrupt, codec, err)
}

// decompressScratch decompresses into the scratch buffer; the result is valid until the next use of c.
func (c *Codecs) decompressScratch(src []byte, codec Codec, maxBytes int64) ([]byte, error) {
	out, err := c.Decompress(c.scratch[:0], src, codec, maxBytes)
	c.keep(out)
	return out, err
}

// keep makes buf the scratch buffer unless it is too large to be held on to.
func (c *Codecs) keep(buf []byte) {
	if cap(buf) <= keepScratch {
		c.scratch = buf[:0]
	} else {
		c.scratch = nil
	}
}

func (c *Codecs) compressGzip(dst, src []byte) []byte {
	if c.gzipWrite == nil {
		// The only error is a bad level. Level 6 is what zlib, and so Java, means by "default".
		c.gzipWrite, _ = gzip.NewWriterLevel(nil, 6)
	}
	c.gzipped.buf = dst
	c.gzipWrite.Reset(&c.gzipped)
	_, errWrite := c.gzipWrite.Write(src)
	if err := errors.Join(errWrite, c.gzipWrite.Close()); err != nil {
		panic(err) // an appender never fails
	}
	dst, c.gzipped.buf = c.gzipped.buf, nil
	return dst
}

// decompressGzip reads one or more gzip members, as Java's GZIPInputStream does.
func (c *Codecs) decompressGzip(dst, src []byte, limit int) ([]byte, error) {
	c.source.Reset(src)
	defer c.source.Reset(nil)
	if c.gzipRead == nil {
		c.gzipRead = new(gzip.Reader)
	}
	if err := c.gzipRead.Reset(&c.source); err != nil {
		return dst, errGzip
	}
	end := len(dst) + limit
	for {
		// One byte beyond the limit tells "exactly the limit" from "more".
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, min(max(len(dst), 4096), end+1-len(dst)))
		}
		n, err := c.gzipRead.Read(dst[len(dst):min(cap(dst), end+1)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > end:
			return dst, ErrTooLarge
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst, errGzip
		}
	}
}

// saturatingMul is a*b for small positive numbers, or 2^31-1 if that is less: int has 32 bits on some platforms.
func saturatingMul(a, b int) int {
	return int(min(int64(a)*int64(b), math.MaxInt32))
}
