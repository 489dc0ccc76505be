package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/klamm-log/klamm/core"
)

// Options describes a batch that is built. The zero value is an uncompressed batch of a plain producer at
// offset 0 with the records' own timestamps.
type Options struct {
	Codec                Codec
	BaseOffset           core.Offset // 0 in what a producer sends
	PartitionLeaderEpoch core.LeaderEpoch
	Transactional        bool
	Control              bool // records come from AppendControl only

	// LogAppendTime, if AppendTime is set, is the timestamp of all records.
	AppendTime    bool
	LogAppendTime core.Wall

	// DeleteHorizon, if Cleaned is set, is the time from which the log cleaner may drop the batch's tombstones or
	// marker; it takes the place of BaseTimestamp (KIP-534).
	Cleaned       bool
	DeleteHorizon core.Wall

	// Idempotent says that the three fields below are set; else the batch carries -1 for each. A transaction
	// marker has producer and epoch but [NoSequence].
	Idempotent    bool
	ProducerID    core.ProducerID
	ProducerEpoch core.ProducerEpoch
	BaseSequence  int32
}

// Builder writes batches, one after another, each appended to bytes of the caller's. It belongs to one
// goroutine; the zero value awaits Begin.
//
//	b.Begin(dst, options)
//	b.Append(timestamp, key, value, headers) // once per record
//	dst, err = b.Finish(codecs)
type Builder struct {
	options   Options
	buf       []byte // the caller's bytes, from start on the batch: room for the header, then plain records
	start     int
	count     int32
	lastDelta int32
	base, max core.Wall // BaseTimestamp, MaxTimestamp
}

// Begin starts a batch behind the bytes of dst, which belong to the builder until Finish.
func (b *Builder) Begin(dst []byte, o Options) {
	*b = Builder{options: o, start: len(dst), lastDelta: -1, base: core.NoTimestamp, max: core.NoTimestamp}
	b.buf = append(dst, make([]byte, HeaderSize)...)
	if o.Cleaned {
		b.base = o.DeleteHorizon
	}
}

// Count is the number of records so far.
func (b *Builder) Count() int32 { return b.count }

// Size is the size in bytes of the batch so far, header included, before compression.
func (b *Builder) Size() int64 { return int64(len(b.buf) - b.start) }

// SizeWith is what Size would be after Append with the same arguments.
func (b *Builder) SizeWith(ts core.Wall, key, value []byte, headers []RecordHeader) int64 {
	body := sizeBody(b.timestampDelta(ts), b.lastDelta+1, key, value) + sizeHeaders(headers)
	return b.Size() + sizeRecord(body)
}

// Append adds a record at the next offset. A nil key or value is null. The bytes are copied. The error is
// [ErrTooLarge] if the batch would reach 2 GiB or 2^31 offsets; the batch is then as it was before.
func (b *Builder) Append(ts core.Wall, key, value []byte, headers []RecordHeader) error {
	delta := b.timestampDelta(ts)
	body := sizeBody(delta, b.lastDelta+1, key, value) + sizeHeaders(headers)
	if err := b.open(ts, delta, b.lastDelta+1, body); err != nil {
		return err
	}
	b.buf = appendField(b.buf, key)
	b.buf = appendField(b.buf, value)
	b.buf = appendVarint32(b.buf, int32(len(headers)))
	for i := range headers {
		b.buf = appendVarint32(b.buf, int32(len(headers[i].Key))) // a header's key is never null
		b.buf = append(b.buf, headers[i].Key...)
		b.buf = appendField(b.buf, headers[i].Value)
	}
	return nil
}

// Copy adds a record that was read from another batch and keeps its offset, which must be behind those added so
// far, and at most 2^31-1 behind BaseOffset: what compaction does. Errors are those of Append.
func (b *Builder) Copy(r *Record) error {
	distance := int64(r.Offset - b.options.BaseOffset)
	if distance <= int64(b.lastDelta) {
		panic(fmt.Sprintf("record: offset %d copied behind delta %d of base %d", r.Offset, b.lastDelta, b.options.BaseOffset))
	}
	if distance > math.MaxInt32 {
		return fmt.Errorf("%w: offset %d in a batch at %d", ErrTooLarge, r.Offset, b.options.BaseOffset)
	}
	delta := b.timestampDelta(r.Timestamp)
	body := sizeBody(delta, int32(distance), r.Key, r.Value) + int64(sizeVarint32(r.Headers.count)+len(r.Headers.raw))
	if err := b.open(r.Timestamp, delta, int32(distance), body); err != nil {
		return err
	}
	b.buf = appendField(b.buf, r.Key)
	b.buf = appendField(b.buf, r.Value)
	b.buf = appendVarint32(b.buf, r.Headers.count)
	b.buf = append(b.buf, r.Headers.raw...)
	return nil
}

// KeepLast makes the batch reach to the given offset, though its last record stands before it: compaction keeps the last
// offset of a batch, by which its last sequence number is told. It must not be below the last record's.
func (b *Builder) KeepLast(o core.Offset) {
	distance := int64(o - b.options.BaseOffset)
	if distance < int64(b.lastDelta) || distance > math.MaxInt32 {
		panic(fmt.Sprintf("record: last offset %d kept behind delta %d of base %d", o, b.lastDelta, b.options.BaseOffset))
	}
	b.lastDelta = int32(distance)
}

// timestampDelta is the delta that a record of that timestamp gets. Deltas may wrap around: readers add modulo
// 2^64.
func (b *Builder) timestampDelta(ts core.Wall) int64 {
	if b.options.AppendTime || b.count == 0 && !b.options.Cleaned {
		return 0
	}
	return int64(ts - b.base)
}

// open writes the part of a record before its key, after making sure that the whole will fit.
func (b *Builder) open(ts core.Wall, delta int64, offsetDelta int32, body int64) error {
	if b.Size()+sizeRecord(body) > math.MaxInt32 || offsetDelta < 0 {
		return fmt.Errorf("%w: %d bytes after %d records", ErrTooLarge, body, b.count)
	}
	if b.options.AppendTime {
		ts = b.options.LogAppendTime
	}
	if b.count == 0 && !b.options.Cleaned {
		b.base = ts
	}
	b.max = max(b.max, ts)
	b.count++
	b.lastDelta = offsetDelta
	b.buf = appendVarint32(b.buf, int32(body))
	b.buf = append(b.buf, 0) // attributes
	b.buf = appendVarint64(b.buf, delta)
	b.buf = appendVarint32(b.buf, offsetDelta)
	return nil
}

// Finish compresses the records, writes the header and returns the caller's bytes followed by the batch. A
// batch without records is not written. The error is [ErrUnknownCodec]; the bytes are then the caller's alone.
func (b *Builder) Finish(c *Codecs) ([]byte, error) {
	out := b.buf
	b.buf = nil
	if b.count == 0 {
		return out[:b.start], nil
	}
	if b.options.Codec != None {
		compressed, err := c.Compress(c.scratch[:0], out[b.start+HeaderSize:], b.options.Codec)
		if err != nil {
			return out[:b.start], err
		}
		out = append(out[:b.start+HeaderSize], compressed...)
		c.keep(compressed)
	}
	h := b.header(len(out) - b.start)
	h.AppendTo(out[b.start:b.start])
	batch := Batch(out[b.start:])
	binary.BigEndian.PutUint32(batch[posCRC:], batch.ComputeCRC())
	return out, nil
}

func (b *Builder) header(size int) Header {
	o := &b.options
	h := Header{
		BaseOffset:           o.BaseOffset,
		Length:               int32(size - LogOverhead),
		PartitionLeaderEpoch: o.PartitionLeaderEpoch,
		Magic:                Magic,
		Attributes:           Attributes(o.Codec),
		LastOffsetDelta:      b.lastDelta,
		BaseTimestamp:        b.base,
		MaxTimestamp:         b.max,
		ProducerID:           core.NoProducerID,
		ProducerEpoch:        core.NoProducerEpoch,
		BaseSequence:         NoSequence,
		RecordCount:          b.count,
	}
	if o.Idempotent {
		h.ProducerID, h.ProducerEpoch, h.BaseSequence = o.ProducerID, o.ProducerEpoch, o.BaseSequence
	}
	if o.AppendTime {
		h.Attributes |= bitLogAppendTime
		h.MaxTimestamp = o.LogAppendTime
	}
	if o.Transactional {
		h.Attributes |= bitTransactional
	}
	if o.Control {
		h.Attributes |= bitControl
	}
	if o.Cleaned {
		h.Attributes |= bitDeleteHorizon
	}
	return h
}

// AppendTo appends the encoded header, with Length and CRC as they stand in h.
func (h *Header) AppendTo(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.BaseOffset))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.Length))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.PartitionLeaderEpoch))
	dst = append(dst, byte(h.Magic))
	dst = binary.BigEndian.AppendUint32(dst, h.CRC)
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Attributes))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.LastOffsetDelta))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.BaseTimestamp))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.MaxTimestamp))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.ProducerID))
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.ProducerEpoch))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.BaseSequence))
	return binary.BigEndian.AppendUint32(dst, uint32(h.RecordCount))
}

// AppendEmpty appends a batch without records that keeps h's offsets, producer and sequences: what compaction
// leaves so that the producer's state can still be rebuilt from the log. Length, CRC, codec, record count and
// BaseTimestamp are set here; Kafka keeps the old MaxTimestamp.
func AppendEmpty(dst []byte, h Header) []byte {
	start := len(dst)
	h.Length = HeaderSize - LogOverhead
	h.Magic = Magic
	h.Attributes &^= maskCodec
	h.RecordCount = 0
	if !h.Attributes.HasDeleteHorizon() {
		h.BaseTimestamp = core.NoTimestamp
	}
	dst = h.AppendTo(dst)
	crc := crc32.Checksum(dst[start+posAttributes:], crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(dst[start+posCRC:], crc)
	return dst
}

// sizeBody is the size of a record after its length, without its headers.
func sizeBody(timestampDelta int64, offsetDelta int32, key, value []byte) int64 {
	return 1 + int64(sizeVarint64(timestampDelta)) + int64(sizeVarint32(offsetDelta)) + sizeField(key) + sizeField(value)
}

// sizeHeaders is the size of a record's header count and headers.
func sizeHeaders(headers []RecordHeader) int64 {
	n := int64(sizeUvarint(uint64(len(headers)) << 1))
	for i := range headers {
		n += sizeLengthPrefixed(len(headers[i].Key)) + sizeField(headers[i].Value)
	}
	return n
}

// sizeRecord is the size of a record whose body, after the length, has that size.
func sizeRecord(body int64) int64 { return int64(sizeUvarint(uint64(body)<<1)) + body }

// sizeField is the size of a length and its bytes, 1 for null.
func sizeField(b []byte) int64 { return sizeLengthPrefixed(len(b)) }

func sizeLengthPrefixed(n int) int64 { return int64(sizeUvarint(uint64(n)<<1)) + int64(n) }

func appendField(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 1) // -1 in zigzag
	}
	dst = appendVarint32(dst, int32(len(b)))
	return append(dst, b...)
}

// RecordSize is the exact size of one record in an uncompressed batch: what a producer sums up to decide when
// a batch is full. offsetDelta is the record's index, timestampDelta its distance from the first record's.
func RecordSize(timestampDelta int64, offsetDelta int32, key, value []byte, headers []RecordHeader) int64 {
	return sizeRecord(sizeBody(timestampDelta, offsetDelta, key, value) + sizeHeaders(headers))
}
