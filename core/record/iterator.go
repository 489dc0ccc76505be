package record

import (
	"bytes"
	"fmt"

	"github.com/klamm-log/klamm/core"
)

// Record is one record as it is read. Its slices are views: of the batch if that is not compressed, else of the
// iterator's buffer.
type Record struct {
	Offset    core.Offset
	Timestamp core.Wall // the producer's, or the batch's if that has LogAppendTime
	Key       []byte    // nil is null
	Value     []byte    // nil is null, the tombstone of a compacted topic
	Headers   Headers
}

// RecordHeader is one header of a record (KIP-82). Keys may repeat; a nil Value is null, a nil Key is empty.
type RecordHeader struct{ Key, Value []byte }

// Headers is a view of a record's headers, already checked. The zero value has none.
type Headers struct {
	raw   []byte
	count int32
}

// Len is the number of headers.
func (h Headers) Len() int { return int(h.count) }

// Next splits off the first header; ok is false if there is none left.
func (h Headers) Next() (first RecordHeader, rest Headers, ok bool) {
	if h.count == 0 {
		return RecordHeader{}, Headers{}, false
	}
	keyStart, keyEnd, pos := field(h.raw, 0)
	valueStart, valueEnd, pos := field(h.raw, pos)
	first = RecordHeader{Key: view(h.raw, keyStart, keyEnd), Value: view(h.raw, valueStart, valueEnd)}
	return first, Headers{raw: h.raw[pos:], count: h.count - 1}, true
}

// AppendTo appends all headers to dst.
func (h Headers) AppendTo(dst []RecordHeader) []RecordHeader {
	for first, rest, ok := h.Next(); ok; first, rest, ok = rest.Next() {
		dst = append(dst, first)
	}
	return dst
}

// view is b[start:end], not nil even if empty; nil if end is -1.
func view(b []byte, start, end int) []byte {
	if end < 0 {
		return nil
	}
	return b[start:end:end]
}

// Iterator reads the records of one batch after another. It keeps a buffer for decompressed records, belongs to
// one goroutine, and is empty until Reset. Batches may have holes in their offsets (compaction) and may be
// empty; offsets rise strictly and stay within the header's range.
type Iterator struct {
	header  Header
	records []byte // what is left of them
	left    int32  // records left
	last    int32  // the last offset delta that was read
	err     error
	buffer  []byte // decompressed records of the current batch, reused for the next
	fields  fields
}

// Reset starts with the first record of a whole batch whose checksum the caller has verified or trusts. At most
// maxBytes of decompressed records are held. The error matches [ErrCorrupt] or [ErrTooLarge]; Next then
// returns false. The records of the batch before become invalid if that was compressed.
func (it *Iterator) Reset(b Batch, c *Codecs, maxBytes int64) error {
	if cap(it.buffer) > keepScratch {
		it.buffer = nil
	}
	return it.reset(b, func(src []byte, codec Codec) (out []byte, err error) {
		it.buffer, err = c.Decompress(it.buffer[:0], src, codec, maxBytes)
		return it.buffer, err
	})
}

// ResetOwned is Reset for records that are handed on: those of the batch before stay valid, and those of this one have memory of
// their own if they were compressed, just as much as they take.
func (it *Iterator) ResetOwned(b Batch, c *Codecs, maxBytes int64) error {
	return it.reset(b, func(src []byte, codec Codec) ([]byte, error) {
		out, err := c.decompressScratch(src, codec, maxBytes)
		return bytes.Clone(out), err
	})
}

// reset begins with a batch, whose records decompress unpacks if they are compressed.
func (it *Iterator) reset(b Batch, decompress func(src []byte, codec Codec) ([]byte, error)) error {
	*it = Iterator{header: b.Header(), last: -1, buffer: it.buffer[:0]}
	it.records = b.Payload()
	if codec := it.header.Attributes.Codec(); codec != None && it.header.RecordCount != 0 {
		it.records, it.err = decompress(it.records, codec)
	}
	if it.err == nil && it.header.RecordCount < 0 {
		it.err = fmt.Errorf("%w: record count %d", ErrCorrupt, it.header.RecordCount)
	}
	if it.err == nil {
		it.left = it.header.RecordCount
	}
	return it.err
}

// Next reads one record into r and returns true, or returns false at the end and on damage, see Err.
func (it *Iterator) Next(r *Record) bool {
	if it.left == 0 {
		if it.err == nil && len(it.records) > 0 && it.header.RecordCount > 0 {
			it.err = fmt.Errorf("%w: %d bytes follow the last record", ErrCorrupt, len(it.records))
		}
		return false
	}
	f := &it.fields
	why := f.parse(it.records, 0)
	if why == "" && (f.offsetDelta <= it.last || f.offsetDelta > it.header.LastOffsetDelta) {
		why = "offset deltas do not rise within the batch's range"
	}
	if why != "" {
		it.err = fmt.Errorf("%w: record %d: %s", ErrCorrupt, it.header.RecordCount-it.left, why)
		it.left = 0
		return false
	}
	it.last = f.offsetDelta
	it.left--
	r.Offset = it.header.BaseOffset + core.Offset(f.offsetDelta)
	if it.header.Attributes.TimestampType() == LogAppendTime {
		r.Timestamp = it.header.MaxTimestamp
	} else {
		r.Timestamp = it.header.BaseTimestamp + core.Wall(f.timestampDelta)
	}
	r.Key = view(it.records, f.keyStart, f.keyEnd)
	r.Value = view(it.records, f.valueStart, f.valueEnd)
	r.Headers = Headers{raw: it.records[f.headersStart:f.end:f.end], count: f.headerCount}
	it.records = it.records[f.end:]
	return true
}

// Err is what ended the iteration early, nil at a proper end. It matches [ErrCorrupt] or [ErrTooLarge].
func (it *Iterator) Err() error { return it.err }

// Header is the header of the current batch.
func (it *Iterator) Header() Header { return it.header }
