package consumer

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

// Isolation is isolation.level.
type Isolation uint8

// The isolation levels.
const (
	ReadUncommitted Isolation = iota // up to the high watermark, aborted records included
	ReadCommitted                    // up to the last stable offset, without aborted records (KIP-98)
)

// ResetPolicy is auto.offset.reset: what happens to a position that the broker does not have.
type ResetPolicy uint8

// The reset policies.
const (
	ResetLatest   ResetPolicy = iota // go to the end; Kafka's default
	ResetEarliest                    // go to the log start
	ResetNone                        // stop the partition and report
)

// Options configures a [Consumer]. The zero value of every field means its default.
type Options struct {
	Isolation         Isolation
	Reset             ResetPolicy
	MaxWait           core.Mono // fetch.max.wait.ms; default 500 ms
	MinBytes          int32     // fetch.min.bytes; default 1
	MaxBytes          int32     // fetch.max.bytes of one response; default 50 MiB
	PartitionMaxBytes int32     // max.partition.fetch.bytes; default 1 MiB
	// BufferBytes is how many fetched, not yet polled bytes of one broker's partitions stop further fetches from that
	// broker; default MaxBytes. One response more than this may be held.
	BufferBytes int64
	// MaxDecompressed bounds one batch after decompression; default record.DefaultMaxDecompressed.
	MaxDecompressed int64
	Rack            string // client.rack (KIP-392)
	SkipCRC         bool   // check.crcs=false
	NoSessions      bool   // full fetches only, instead of incremental ones (KIP-227)
	KeepAnswers     bool   // keep every answer until [Consumer.Answers] takes it
}

// WithDefaults is o with every zero field replaced by its default.
func (o Options) WithDefaults() Options {
	if o.MaxWait == 0 {
		o.MaxWait = 500 * core.Millisecond
	}
	if o.MinBytes == 0 {
		o.MinBytes = 1
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 50 << 20
	}
	if o.PartitionMaxBytes == 0 {
		o.PartitionMaxBytes = 1 << 20
	}
	if o.BufferBytes == 0 {
		o.BufferBytes = int64(o.MaxBytes)
	}
	if o.MaxDecompressed == 0 {
		o.MaxDecompressed = record.DefaultMaxDecompressed
	}
	return o
}

// Validate reports the first option that cannot work.
func (o Options) Validate() error {
	switch {
	case o.Isolation > ReadCommitted:
		return fmt.Errorf("consumer: unknown isolation level %d", o.Isolation)
	case o.Reset > ResetNone:
		return fmt.Errorf("consumer: unknown reset policy %d", o.Reset)
	case o.MaxWait < 0, o.MinBytes < 0, o.MaxBytes < 0, o.PartitionMaxBytes < 0, o.BufferBytes < 0, o.MaxDecompressed < 0:
		return fmt.Errorf("consumer: a negative option: %+v", o)
	}
	return nil
}
