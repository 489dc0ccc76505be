package conn

import "github.com/klamm-log/klamm/core/record"

// Default limits.
const (
	DefaultMaxFrame int32 = 100 << 20 // Kafka's socket.request.max.bytes
	DefaultInFlight int32 = 32
)

// Limits bounds what one connection may make the process do. The zero value is the default.
type Limits struct {
	// MaxFrame is the largest frame accepted, in bytes without its length field: socket.request.max.bytes.
	MaxFrame int32
	// InFlight is the number of requests that may be unanswered before reading stops.
	InFlight int32
	// MaxDecompressed bounds the records of one produced batch after decompression; 0 is the default of
	// [record.Limits].
	MaxDecompressed int64
}

func (l Limits) withDefaults() Limits {
	if l.MaxFrame <= 0 {
		l.MaxFrame = DefaultMaxFrame
	}
	if l.InFlight <= 0 {
		l.InFlight = DefaultInFlight
	}
	if l.MaxDecompressed <= 0 {
		l.MaxDecompressed = record.DefaultMaxDecompressed
	}
	return l
}
