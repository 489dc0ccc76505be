package record

import (
	"fmt"
)

// Codecs compresses and decompresses. It keeps encoders, decoders and a scratch buffer, each made on first use,
// and belongs to one goroutine. The zero value is ready to use.
//
// For the same source bytes, Compress gives the same output on every platform and whatever was compressed
// before: the simulator's trace hash includes it.
type Codecs struct {
	scratch []byte
}

// Compress appends the compressed form of src to dst. The error is [ErrUnknownCodec] or [ErrTooLarge].
func (c *Codecs) Compress(dst, src []byte, codec Codec) ([]byte, error) {
	switch codec {
	case None:
		return append(dst, src...), nil
	}
	return dst, fmt.Errorf("%w: %d", ErrUnknownCodec, codec)
}

// Decompress appends the decompressed form of src to dst, at most maxBytes of it: more is [ErrTooLarge].
// Input that is damaged, incomplete or followed by other bytes is [ErrCorrupt]. On an error dst is returned
// as it was.
func (c *Codecs) Decompress(dst, src []byte, codec Codec, maxBytes int64) ([]byte, error) {
	switch codec {
	case None:
		if int64(len(src)) > maxBytes {
			return dst, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, len(src), maxBytes)
		}
		return append(dst, src...), nil
	}
	return dst, fmt.Errorf("%w: %d", ErrUnknownCodec, codec)
}

// decompressScratch decompresses into the scratch buffer; the result is valid until the next use of c.
func (c *Codecs) decompressScratch(src []byte, codec Codec, maxBytes int64) ([]byte, error) {
	out, err := c.Decompress(c.scratch[:0], src, codec, maxBytes)
	c.scratch = out[:0]
	return out, err
}
