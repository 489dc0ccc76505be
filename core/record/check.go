package record

import (
	"errors"
	"fmt"

	"github.com/klamm-log/klamm/core"
)

// DefaultMaxDecompressed bounds the records of one produced batch after decompression when the caller states
// no other limit. Kafka has none and takes whatever a decompression bomb yields.
const DefaultMaxDecompressed int64 = 32 << 20

// Limits says what [Check] lets pass. The zero value is a client's batch of any size on a topic that is not
// compacted.
type Limits struct {
	MaxBatchBytes   int64 // max.message.bytes; 0 means no limit
	MaxDecompressed int64 // bytes of records after decompression; 0 means DefaultMaxDecompressed
	Internal        bool  // the broker itself is the producer: control batches and any base offset may pass
	NoZstd          bool  // a Produce request below version 7 (KIP-110)
	RequireKeys     bool  // the topic is compacted
}

// Summary is what the broker needs to know of an admitted batch in order to append it. It is comparable.
type Summary struct {
	SizeInBytes      int64 // the batch as it came
	DecompressedSize int64 // its records, decompressed
	RecordCount      int32 // also the number of offsets that the batch takes
	Codec            Codec
	Transactional    bool
	Control          bool
	ProducerID       core.ProducerID
	ProducerEpoch    core.ProducerEpoch
	FirstSequence    int32
	LastSequence     int32
	// MinTimestamp and MaxTimestamp are taken from the records, not from the header, which the broker corrects
	// with [Batch.SetMaxTimestamp]. Records without a timestamp count for neither; if all are without, both
	// are [core.NoTimestamp].
	MinTimestamp core.Wall
	MaxTimestamp core.Wall
	// MaxTimestampDelta is the offset delta of the first record that has MaxTimestamp, 0 if none has one.
	MaxTimestampDelta int32
	// FirstKeyless is the index of the first record without a key, -1 if all have keys.
	FirstKeyless int32
}

// Refusal is the broker's answer to a batch that it does not take; the zero value means "admitted".
type Refusal struct {
	Code        core.ErrorCode
	RecordIndex int32  // the record at fault, for KIP-467's record errors; -1 if the batch as a whole is
	Why         string // for the response's error message
}

// OK reports whether the batch was admitted.
func (r Refusal) OK() bool { return r.Code == core.ErrNone }

// String is the code and the reason.
func (r Refusal) String() string {
	if r.OK() {
		return "admitted"
	}
	return fmt.Sprintf("%s: %s", r.Code, r.Why)
}

func refuse(code core.ErrorCode, why string) Refusal {
	return Refusal{Code: code, RecordIndex: -1, Why: why}
}

func refusef(code core.ErrorCode, format string, args ...any) Refusal {
	return refuse(code, fmt.Sprintf(format, args...))
}

// Check decides on the record data of one partition in a Produce request, before anything is appended: it must
// be exactly one whole batch of format 2 with the right checksum whose records are what the header promises.
// Nothing is modified. Compressed records are decompressed into c's buffer, never beyond the limit.
//
// Not decided here, because it needs the topic or the log: bounds on timestamps, the producer's sequence and
// epoch, the transaction's state.
func Check(src []byte, limits Limits, c *Codecs) (Summary, Refusal) {
	h, refusal := checkFrame(src, &limits)
	if !refusal.OK() {
		return Summary{}, refusal
	}
	if refusal = checkHeader(&h, &limits); !refusal.OK() {
		return Summary{}, refusal
	}
	records := Batch(src).Payload()
	codec := h.Attributes.Codec()
	if codec != None {
		var err error
		if records, err = c.decompressScratch(records, codec, limits.maxDecompressed()); err != nil {
			return Summary{}, refuseDecompression(err)
		}
	}
	s := Summary{
		SizeInBytes:      int64(len(src)),
		DecompressedSize: int64(len(records)),
		RecordCount:      h.RecordCount,
		Codec:            codec,
		Transactional:    h.Attributes.Transactional(),
		Control:          h.Attributes.Control(),
		ProducerID:       h.ProducerID,
		ProducerEpoch:    h.ProducerEpoch,
		FirstSequence:    h.BaseSequence,
		LastSequence:     h.LastSequence(),
		MinTimestamp:     core.NoTimestamp,
		MaxTimestamp:     core.NoTimestamp,
		FirstKeyless:     -1,
	}
	if refusal = s.walk(records, &h); !refusal.OK() {
		return Summary{}, refusal
	}
	if limits.RequireKeys && s.FirstKeyless >= 0 {
		return Summary{}, Refusal{core.ErrInvalidRecord, s.FirstKeyless, "a compacted topic takes no record without a key"}
	}
	return s, Refusal{}
}

func (l *Limits) maxDecompressed() int64 {
	if l.MaxDecompressed > 0 {
		return l.MaxDecompressed
	}
	return DefaultMaxDecompressed
}

// checkFrame is what Kafka decides before it looks into the batch (ProduceRequest.validateRecords and
// UnifiedLog.analyzeAndValidateRecords): one batch, of this format, not too large, undamaged.
func checkFrame(src []byte, limits *Limits) (Header, Refusal) {
	if len(src) <= posMagic {
		return Header{}, refuse(core.ErrInvalidRecord, "there is no record batch")
	}
	size, magic := Batch(src).SizeInBytes(), int8(src[posMagic])
	switch {
	case size < HeaderSize && (magic == Magic || size < posMagic+1):
		return Header{}, refusef(core.ErrCorruptMessage, "batch length %d is less than a header's", size-LogOverhead)
	case magic == 0 || magic == 1:
		// KIP-724: formats 0 and 1 are neither stored nor converted.
		return Header{}, refusef(core.ErrInvalidRecord, "message format %d is not supported, only 2 is", magic)
	case magic != Magic:
		return Header{}, refusef(core.ErrCorruptMessage, "magic %d is no message format", magic)
	case size > int64(len(src)):
		return Header{}, refusef(core.ErrInvalidRecord, "the batch states %d bytes, there are %d", size, len(src))
	case size < int64(len(src)):
		return Header{}, refusef(core.ErrInvalidRecord, "%d bytes follow the one batch that is allowed", int64(len(src))-size)
	}
	h := Batch(src).Header()
	switch {
	case limits.NoZstd && h.Attributes.Codec() == Zstd:
		return h, refuse(core.ErrUnsupportedCompressionType, "zstd needs Produce version 7")
	case !limits.Internal && h.BaseOffset != 0:
		return h, refusef(core.ErrInvalidRecord, "base offset %d, a producer sends 0", h.BaseOffset)
	case limits.MaxBatchBytes > 0 && size > limits.MaxBatchBytes:
		return h, refusef(core.ErrMessageTooLarge, "batch of %d bytes, limit %d", size, limits.MaxBatchBytes)
	}
	if computed := Batch(src).ComputeCRC(); computed != h.CRC {
		return h, refusef(core.ErrCorruptMessage, "stored crc %08x, computed %08x", h.CRC, computed)
	}
	return h, Refusal{}
}

// checkHeader is what Kafka decides on the header's content (LogValidator.validateBatch). From here on the
// checksum holds, so the producer meant these values: Kafka answers with a fatal code.
func checkHeader(h *Header, limits *Limits) Refusal {
	switch {
	case !h.Attributes.Codec().Valid():
		// Kafka answers UNKNOWN_SERVER_ERROR, which tells the producer nothing.
		return refusef(core.ErrUnsupportedCompressionType, "compression codec %d", h.Attributes.Codec())
	case h.LastOffsetDelta < 0 || h.RecordCount <= 0 || int64(h.LastOffsetDelta)+1 != int64(h.RecordCount):
		return refusef(core.ErrInvalidRecord, "%d records, last offset delta %d", h.RecordCount, h.LastOffsetDelta)
	case limits.Internal:
		return Refusal{}
	case h.Attributes.Control():
		return refuse(core.ErrInvalidRecord, "clients may not write control records")
	case h.HasProducerID() && h.BaseSequence < 0:
		return refusef(core.ErrInvalidRecord, "sequence %d with producer id %d", h.BaseSequence, h.ProducerID)
	case h.Attributes.Transactional() && !h.HasProducerID():
		// Nobody could ever end that transaction.
		return refuse(core.ErrInvalidRecord, "a transactional batch without a producer id")
	case h.Attributes.TimestampType() == LogAppendTime:
		return refuse(core.ErrInvalidTimestamp, "a producer may not set the timestamp type to LogAppendTime")
	case h.Attributes.HasDeleteHorizon():
		// KIP-534: only the log cleaner sets it; it turns BaseTimestamp into something else.
		return refuse(core.ErrInvalidRecord, "a producer may not set a delete horizon")
	}
	return Refusal{}
}

// refuseDecompression names the answer to records that cannot be decompressed. A batch beyond the limit is
// MESSAGE_TOO_LARGE, on which Kafka's producer splits the batch and tries again. Damaged data under a right
// checksum was damaged by its producer: INVALID_RECORD is fatal, CORRUPT_MESSAGE would be retried in vain.
func refuseDecompression(err error) Refusal {
	if errors.Is(err, ErrTooLarge) {
		return refuse(core.ErrMessageTooLarge, err.Error())
	}
	return refuse(core.ErrInvalidRecord, err.Error())
}

// walk reads all records and fills what only they can tell.
func (s *Summary) walk(records []byte, h *Header) Refusal {
	var f fields
	pos := 0
	for i := int32(0); i < h.RecordCount; i++ {
		if why := f.parse(records, pos); why != "" {
			return Refusal{core.ErrInvalidRecord, i, why}
		}
		pos = f.end
		if f.offsetDelta != i {
			// Kafka renumbers such batches when they are compressed, for the sake of clients that wrote format 1,
			// and stores them as they are when they are not.
			return Refusal{core.ErrInvalidRecord, i, "offset deltas are not consecutive from 0"}
		}
		base, delta := int64(h.BaseTimestamp), f.timestampDelta
		ts := base + delta
		if (base^ts)&(delta^ts) < 0 {
			return Refusal{core.ErrInvalidTimestamp, i, "a timestamp is beyond 64 bits"}
		}
		s.note(core.Wall(ts), i, f.keyEnd < 0)
	}
	if pos != len(records) {
		return refusef(core.ErrInvalidRecord, "%d bytes follow the last record", len(records)-pos)
	}
	if h.Attributes.TimestampType() == LogAppendTime {
		s.MinTimestamp, s.MaxTimestamp, s.MaxTimestampDelta = h.MaxTimestamp, h.MaxTimestamp, 0
	}
	return Refusal{}
}

// note takes one record into the summary.
func (s *Summary) note(ts core.Wall, index int32, keyless bool) {
	if ts > s.MaxTimestamp {
		s.MaxTimestamp, s.MaxTimestampDelta = ts, index
	}
	if ts != core.NoTimestamp && (ts < s.MinTimestamp || s.MinTimestamp == core.NoTimestamp) {
		s.MinTimestamp = ts
	}
	if keyless && s.FirstKeyless < 0 {
		s.FirstKeyless = index
	}
}
