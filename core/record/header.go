package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/klamm-log/klamm/core"
)

// Sizes of the format, in bytes.
const (
	HeaderSize  = 61 // the batch header, up to and including RecordCount
	LogOverhead = 12 // BaseOffset and Length, which the Length field does not count
)

// Magic is the only message format version that is read or written.
const Magic int8 = 2

// NoSequence is the BaseSequence of a batch whose producer is not idempotent, and of control batches.
const NoSequence int32 = -1

// Positions of the header's fields.
const (
	posBaseOffset      = 0
	posLength          = 8
	posLeaderEpoch     = 12
	posMagic           = 16
	posCRC             = 17
	posAttributes      = 21 // the CRC covers from here to the end
	posLastOffsetDelta = 23
	posBaseTimestamp   = 27
	posMaxTimestamp    = 35
	posProducerID      = 43
	posProducerEpoch   = 51
	posBaseSequence    = 53
	posRecordCount     = 57
)

// Error is one of the ways in which bytes fail to be a batch. The values are constants, compare with errors.Is.
type Error string

// Error makes the value an error.
func (e Error) Error() string { return string(e) }

// Outcomes of parsing. ErrIncomplete says "these may be the first bytes of a good batch, bring more"; the
// others cannot be healed by more bytes and all match ErrCorrupt.
const (
	ErrIncomplete Error = "record: incomplete batch"
	ErrCorrupt    Error = "record: corrupt batch"
	// ErrMagic is a batch of another format version: readable by another program, not by this one.
	ErrMagic Error = "record: unsupported magic"
	// ErrCRC is a batch whose content does not have the checksum that its header states.
	ErrCRC Error = "record: checksum mismatch"
	// ErrTooLarge is content beyond the caller's limit or beyond what the format can express (2 GiB).
	ErrTooLarge Error = "record: too large"
	// ErrUnknownCodec is one of the compression ids 5 to 7, which Kafka does not define.
	ErrUnknownCodec Error = "record: unknown compression codec"
)

// Is lets errors.Is(err, ErrCorrupt) hold for every way in which a batch is damaged.
func (e Error) Is(target error) bool {
	return target == e || target == ErrCorrupt && (e == ErrMagic || e == ErrCRC || e == ErrUnknownCodec)
}

// Header is the decoded header of one batch. It is comparable.
type Header struct {
	BaseOffset           core.Offset
	Length               int32 // bytes after the Length field
	PartitionLeaderEpoch core.LeaderEpoch
	Magic                int8
	CRC                  uint32
	Attributes           Attributes
	LastOffsetDelta      int32     // distance of the last offset from BaseOffset; survives compaction
	BaseTimestamp        core.Wall // origin of the records' timestamp deltas
	MaxTimestamp         core.Wall
	ProducerID           core.ProducerID
	ProducerEpoch        core.ProducerEpoch
	BaseSequence         int32
	RecordCount          int32 // records present; less than LastOffsetDelta+1 after compaction, even 0
}

// ParseHeader decodes the header at the start of src, of which it needs the first [HeaderSize] bytes only; the
// caller compares [Header.SizeInBytes] with what it has. The error is [ErrIncomplete] if more bytes are
// needed, or matches [ErrCorrupt] if no continuation could make a batch of them. The checksum is not verified.
func ParseHeader(src []byte) (Header, error) {
	// A bad size or magic is told as soon as its bytes are there: a torn tail is shorter than a header and
	// must not be mistaken for corruption, nor corruption for a torn tail.
	if len(src) >= posMagic+1 {
		if length := int32(binary.BigEndian.Uint32(src[posLength:])); length < HeaderSize-LogOverhead {
			return Header{}, fmt.Errorf("%w: length %d is less than a header's", ErrCorrupt, length)
		}
		if magic := int8(src[posMagic]); magic != Magic {
			return Header{}, fmt.Errorf("%w: %d", ErrMagic, magic)
		}
	}
	if len(src) < HeaderSize {
		return Header{}, ErrIncomplete
	}
	h := Batch(src).Header()
	if h.LastOffsetDelta < 0 || h.RecordCount < 0 || h.BaseOffset > math.MaxInt64-math.MaxInt32-1 {
		return Header{}, fmt.Errorf("%w: base offset %d, last offset delta %d, record count %d",
			ErrCorrupt, h.BaseOffset, h.LastOffsetDelta, h.RecordCount)
	}
	return h, nil
}

// SizeInBytes is the size of the whole batch.
func (h *Header) SizeInBytes() int64 { return LogOverhead + int64(h.Length) }

// LastOffset is the offset of the batch's last record as it was produced.
func (h *Header) LastOffset() core.Offset { return h.BaseOffset + core.Offset(h.LastOffsetDelta) }

// NextOffset is the offset after the batch.
func (h *Header) NextOffset() core.Offset { return h.LastOffset() + 1 }

// LastSequence is the sequence number of the last record, or [NoSequence].
func (h *Header) LastSequence() int32 {
	if h.BaseSequence == NoSequence {
		return NoSequence
	}
	return IncrementSequence(h.BaseSequence, h.LastOffsetDelta)
}

// HasProducerID reports whether an idempotent or transactional producer wrote the batch.
func (h *Header) HasProducerID() bool { return h.ProducerID > core.NoProducerID }

// DeleteHorizon is the time from which the tombstones or the marker in this batch may be removed, which the
// first cleaning pass stores in place of BaseTimestamp (KIP-534).
func (h *Header) DeleteHorizon() (core.Wall, bool) {
	if !h.Attributes.HasDeleteHorizon() {
		return core.NoTimestamp, false
	}
	return h.BaseTimestamp, true
}

// IncrementSequence is the sequence number n records after sequence. Sequences run from 0 to 2^31-1 and then
// start again at 0 (KIP-98). n must not be negative.
func IncrementSequence(sequence, n int32) int32 {
	if n > math.MaxInt32-sequence {
		return n - (math.MaxInt32 - sequence) - 1
	}
	return sequence + n
}

// Batch is a view of one batch: its bytes and nothing else. The field methods need the [HeaderSize] header
// bytes only and panic on less; [ParseBatch] yields views that are whole.
type Batch []byte

// ParseBatch splits the first batch from src and returns the bytes after it; repeated, it walks a segment or
// a fetched record set. The errors are those of [ParseHeader]; a batch whose end is missing is [ErrIncomplete],
// as is an empty src. The checksum is not verified.
func ParseBatch(src []byte) (b Batch, rest []byte, err error) {
	h, err := ParseHeader(src)
	if err != nil {
		return nil, src, err
	}
	size := h.SizeInBytes()
	if size > int64(len(src)) {
		return nil, src, ErrIncomplete
	}
	return Batch(src[:size:size]), src[size:], nil
}

// Header decodes the header without judging it.
func (b Batch) Header() Header {
	_ = b[HeaderSize-1]
	return Header{
		BaseOffset:           core.Offset(binary.BigEndian.Uint64(b[posBaseOffset:])),
		Length:               int32(binary.BigEndian.Uint32(b[posLength:])),
		PartitionLeaderEpoch: core.LeaderEpoch(binary.BigEndian.Uint32(b[posLeaderEpoch:])),
		Magic:                int8(b[posMagic]),
		CRC:                  binary.BigEndian.Uint32(b[posCRC:]),
		Attributes:           Attributes(binary.BigEndian.Uint16(b[posAttributes:])),
		LastOffsetDelta:      int32(binary.BigEndian.Uint32(b[posLastOffsetDelta:])),
		BaseTimestamp:        core.Wall(binary.BigEndian.Uint64(b[posBaseTimestamp:])),
		MaxTimestamp:         core.Wall(binary.BigEndian.Uint64(b[posMaxTimestamp:])),
		ProducerID:           core.ProducerID(binary.BigEndian.Uint64(b[posProducerID:])),
		ProducerEpoch:        core.ProducerEpoch(binary.BigEndian.Uint16(b[posProducerEpoch:])),
		BaseSequence:         int32(binary.BigEndian.Uint32(b[posBaseSequence:])),
		RecordCount:          int32(binary.BigEndian.Uint32(b[posRecordCount:])),
	}
}

// BaseOffset is the offset of the first record as it was produced.
func (b Batch) BaseOffset() core.Offset {
	return core.Offset(binary.BigEndian.Uint64(b[posBaseOffset:]))
}

// SizeInBytes is the size that the header states for the whole batch.
func (b Batch) SizeInBytes() int64 {
	return LogOverhead + int64(int32(binary.BigEndian.Uint32(b[posLength:])))
}

// PartitionLeaderEpoch is the epoch of the leader that appended the batch.
func (b Batch) PartitionLeaderEpoch() core.LeaderEpoch {
	return core.LeaderEpoch(binary.BigEndian.Uint32(b[posLeaderEpoch:]))
}

// Attributes are the batch's flags.
func (b Batch) Attributes() Attributes { return Attributes(binary.BigEndian.Uint16(b[posAttributes:])) }

// LastOffset is the offset of the batch's last record as it was produced.
func (b Batch) LastOffset() core.Offset {
	return b.BaseOffset() + core.Offset(int32(binary.BigEndian.Uint32(b[posLastOffsetDelta:])))
}

// NextOffset is the offset after the batch.
func (b Batch) NextOffset() core.Offset { return b.LastOffset() + 1 }

// MaxTimestamp is the largest timestamp of the records, or the log append time.
func (b Batch) MaxTimestamp() core.Wall {
	return core.Wall(binary.BigEndian.Uint64(b[posMaxTimestamp:]))
}

// Payload is what follows the header: the records, compressed or not.
func (b Batch) Payload() []byte { return b[HeaderSize:] }

// ComputeCRC is the CRC-32C of the whole batch's content.
func (b Batch) ComputeCRC() uint32 {
	return crc32.Checksum(b[posAttributes:], crc32.MakeTable(crc32.Castagnoli))
}

// VerifyCRC returns [ErrCRC] if the content of a whole batch does not have the checksum in its header.
func (b Batch) VerifyCRC() error {
	stored := binary.BigEndian.Uint32(b[posCRC:])
	if computed := b.ComputeCRC(); computed != stored {
		return fmt.Errorf("%w: stored %08x, computed %08x", ErrCRC, stored, computed)
	}
	return nil
}

// SetBaseOffset assigns the batch's offsets in place. The field is outside the checksum.
func (b Batch) SetBaseOffset(o core.Offset) { binary.BigEndian.PutUint64(b[posBaseOffset:], uint64(o)) }

// SetPartitionLeaderEpoch stamps the appending leader's epoch in place. The field is outside the checksum.
func (b Batch) SetPartitionLeaderEpoch(e core.LeaderEpoch) {
	binary.BigEndian.PutUint32(b[posLeaderEpoch:], uint32(e))
}

// SetMaxTimestamp sets timestamp type and max timestamp of a whole batch in place and recomputes the checksum
// if that changed anything. A topic with LogAppendTime takes (LogAppendTime, now); one with CreateTime takes
// (CreateTime, the largest timestamp that was found in the records), because Kafka does not trust the header's.
func (b Batch) SetMaxTimestamp(t TimestampType, ts core.Wall) {
	old := b.Attributes()
	if old.TimestampType() == t && b.MaxTimestamp() == ts {
		return
	}
	binary.BigEndian.PutUint16(b[posAttributes:], uint16(old.withTimestampType(t)))
	binary.BigEndian.PutUint64(b[posMaxTimestamp:], uint64(ts))
	binary.BigEndian.PutUint32(b[posCRC:], b.ComputeCRC())
}
