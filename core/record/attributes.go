package record

import "strconv"

// Attributes is the bit set of a batch: bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete
// horizon; the others are zero and ignored.
type Attributes uint16

const (
	maskCodec        Attributes = 0x07
	bitLogAppendTime Attributes = 1 << 3
	bitTransactional Attributes = 1 << 4
	bitControl       Attributes = 1 << 5
	bitDeleteHorizon Attributes = 1 << 6
)

// Codec is the compression of the records.
func (a Attributes) Codec() Codec { return Codec(a & maskCodec) }

// TimestampType says whose clock gave the timestamps.
func (a Attributes) TimestampType() TimestampType {
	if a&bitLogAppendTime != 0 {
		return LogAppendTime
	}
	return CreateTime
}

// Transactional reports whether the batch belongs to a transaction (its markers do, too).
func (a Attributes) Transactional() bool { return a&bitTransactional != 0 }

// Control reports whether the records are the system's own: transaction markers, quorum records.
func (a Attributes) Control() bool { return a&bitControl != 0 }

// HasDeleteHorizon reports whether BaseTimestamp holds a delete horizon (KIP-534).
func (a Attributes) HasDeleteHorizon() bool { return a&bitDeleteHorizon != 0 }

func (a Attributes) withTimestampType(t TimestampType) Attributes {
	if t == LogAppendTime {
		return a | bitLogAppendTime
	}
	return a &^ bitLogAppendTime
}

// TimestampType says whose clock gave a batch's timestamps: message.timestamp.type.
type TimestampType int8

// The timestamp types.
const (
	CreateTime    TimestampType = 0 // the producer's, per record
	LogAppendTime TimestampType = 1 // the broker's, one for the batch, in MaxTimestamp
)

// String is Kafka's configuration value.
func (t TimestampType) String() string {
	if t == LogAppendTime {
		return "LogAppendTime"
	}
	return "CreateTime"
}

// Codec is a compression type as batches number it.
type Codec uint8

// The codecs. Their numbers are Kafka's; 5 to 7 are unassigned.
const (
	None   Codec = 0
	Gzip   Codec = 1
	Snappy Codec = 2
	LZ4    Codec = 3
	Zstd   Codec = 4 // KIP-110: Produce and Fetch version 7, 10 and later only
)

// Valid reports whether Kafka assigned the number.
func (c Codec) Valid() bool { return c <= Zstd }

// String is Kafka's configuration value of compression.type.
func (c Codec) String() string {
	switch c {
	case None:
		return "none"
	case Gzip:
		return "gzip"
	case Snappy:
		return "snappy"
	case LZ4:
		return "lz4"
	case Zstd:
		return "zstd"
	}
	return "codec" + strconv.Itoa(int(c))
}

// ParseCodec reads a configuration value of compression.type; "uncompressed" is the topic configuration's word
// for none. "producer" is not a codec and not accepted.
func ParseCodec(name string) (Codec, bool) {
	switch name {
	case "none", "uncompressed":
		return None, true
	case "gzip":
		return Gzip, true
	case "snappy":
		return Snappy, true
	case "lz4":
		return LZ4, true
	case "zstd":
		return Zstd, true
	}
	return None, false
}
