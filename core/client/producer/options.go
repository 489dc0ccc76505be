package producer

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

// Acks says when a produce is answered.
type Acks uint8

// The values of acks. The zero value is Kafka's default.
const (
	AcksAll    Acks = iota // every in-sync replica has it
	AcksLeader             // the leader has it
	AcksNone               // nobody answers; results carry no offset
)

// Wire is the number that Produce requests carry.
func (a Acks) Wire() int16 {
	switch a {
	case AcksNone:
		return 0
	case AcksLeader:
		return 1
	default: // AcksAll
		return -1
	}
}

// Idempotence says whether batches carry producer ids and sequences (KIP-98).
type Idempotence uint8

// The values of enable.idempotence.
const (
	IdempotenceAuto Idempotence = iota // on if acks is all and the brokers know InitProducerId
	IdempotenceOff                     // off: one batch per partition in flight, duplicates possible after a lost response
	IdempotenceOn                      // records fail with UNSUPPORTED_VERSION where the brokers cannot do it
)

// Partitioning chooses partitions for records that name none.
type Partitioning uint8

// The built-in partitioners; see core/partitioner.
const (
	UniformSticky  Partitioning = iota // KIP-794: by murmur2 of the key, without a key one partition per batch.size bytes
	AdaptiveSticky                     // KIP-794 with partitioner.adaptive.partitioning.enable: loaded partitions get less
	Sticky                             // KIP-480: by key, without a key one partition per batch
	RoundRobin                         // one after the other, keys ignored
)

// Options configures a [Producer]. The zero value of every field means its default.
type Options struct {
	Acks            Acks
	BatchSize       int64        // batch.size: bytes of records before compression; default 16 KiB
	Linger          core.Mono    // linger.ms: how long an unfilled batch waits for more; default 0
	MaxInFlight     int          // max.in.flight.requests.per.connection; default 5
	Retries         int          // attempts after the first; default no limit; negative: none
	DeliveryTimeout core.Mono    // delivery.timeout.ms: from Produce to the result at the latest; default 2 min
	RequestTimeout  core.Mono    // what Produce requests grant the broker; default the cluster's request timeout
	BufferMemory    int64        // buffer.memory: bytes of unanswered records; default 32 MiB
	MaxRequestSize  int64        // max.request.size: bytes; default 1 MiB
	Compression     record.Codec // compression.type
	Idempotence     Idempotence
	Partitioning    Partitioning
}

// WithDefaults is o with every zero field replaced by its default.
func (o Options) WithDefaults() Options {
	if o.BatchSize == 0 {
		o.BatchSize = 16 << 10
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 5
	}
	if o.Retries == 0 {
		o.Retries = 1<<31 - 1
	}
	o.Retries = max(o.Retries, 0)
	if o.DeliveryTimeout == 0 {
		o.DeliveryTimeout = 2 * core.Minute
	}
	if o.BufferMemory == 0 {
		o.BufferMemory = 32 << 20
	}
	if o.MaxRequestSize == 0 {
		o.MaxRequestSize = 1 << 20
	}
	return o
}

// Validate reports the first option that cannot work.
func (o Options) Validate() error {
	switch {
	case o.Acks > AcksNone:
		return fmt.Errorf("producer: unknown acks %d", o.Acks)
	case !o.Compression.Valid():
		return fmt.Errorf("producer: unknown codec %d", o.Compression)
	case o.Idempotence > IdempotenceOn, o.Partitioning > RoundRobin:
		return fmt.Errorf("producer: unknown idempotence %d or partitioning %d", o.Idempotence, o.Partitioning)
	case o.Idempotence == IdempotenceOn && o.Acks != AcksAll:
		return fmt.Errorf("producer: idempotence needs acks=all (KIP-98)")
	case o.Idempotence != IdempotenceOff && o.MaxInFlight > 5:
		// The broker remembers five batches per producer (KAFKA-5494): a sixth could not be recognised as a repeat.
		return fmt.Errorf("producer: idempotence allows 5 requests in flight, not %d", o.MaxInFlight)
	case o.BatchSize < 0, o.Linger < 0, o.MaxInFlight < 0, o.DeliveryTimeout < 0, o.BufferMemory < 0, o.MaxRequestSize < 0:
		return fmt.Errorf("producer: a negative option: %+v", o)
	}
	return nil
}
