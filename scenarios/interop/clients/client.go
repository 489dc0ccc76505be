package clients

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
)

// Client is one implementation of Kafka's client.
type Client interface {
	// Name says which implementation this is, with its version.
	Name() string
	// Missing says why the client cannot run here; empty if it can.
	Missing() string
	// Shape is what records made by this client can have.
	Shape() Shape
	// Produce produces the records of a job and returns when all are acknowledged.
	Produce(ctx context.Context, job Job) error
	// Consume reads each partition from its start to the end given.
	Consume(ctx context.Context, from Source, each func(Read) error) error
}

// Codec is a compression type by Kafka's name.
type Codec string

// Codecs returns all of them, in the order of their numbers in a batch's attributes.
func Codecs() []Codec { return []Codec{"none", "gzip", "snappy", "lz4", "zstd"} }

// Job is what to produce: records 0 to Count-1 of a shape, record i to partition i modulo Partitions.
type Job struct {
	Addr, Topic string
	Partitions  int32
	Codec       Codec
	Shape       Shape
	Count       int
	Idempotent  bool
	BatchBytes  int32 // limit of a batch, for franz-go only; 0 is the client's default
	// Acked is called for each acknowledged record; not concurrently. May be nil. Clients that learn no offsets
	// (kcat) never call it.
	Acked func(i int, offset int64)
	// Sent is called now and then with the number of records handed over, for clients that call no Acked.
	Sent func(n int)
}

// Partition returns the partition of record i.
func (j Job) Partition(i int) int32 { return int32(int64(i) % int64(j.Partitions)) }

// Acknowledge calls Acked, if there is one.
func (j Job) Acknowledge(i int, offset int64) {
	if j.Acked != nil {
		j.Acked(i, offset)
	}
}

// Source is what to consume.
type Source struct {
	Addr, Topic string
	Ends        []int64 // end offset by partition
}

// Read is a record with its place.
type Read struct {
	Partition int32
	Offset    int64
	Record
	Codec int8 // number of the batch's compression type; -1 if the client does not tell
}

// Record is what a client put in or got out.
type Record struct {
	Key, Value []byte // nil is null
	Headers    []Header
	Timestamp  int64 // ms since the Unix epoch
}

// Header is one of a record's headers. Keys may repeat.
type Header struct {
	Key   string
	Value []byte // nil is null
}

// Shape says what the records of a producer may have, by what its interface can express.
type Shape struct {
	Timestamps bool // chosen by the producer
	Headers    bool // by record, with nulls; else each record has the header "made" = "kcat"
	Binary     bool // any bytes in keys and values; else letters and digits
	Nulls      bool // null and empty keys, null values
}

// firstTimestamp is the timestamp of record 0; record i has i milliseconds more.
const firstTimestamp = 1_700_000_000_000

// digits is the length of the number that each value begins with.
const digits = 8

// Record makes record i. Without Timestamps its timestamp is 0.
func (s Shape) Record(i int) Record {
	r := Record{Value: s.value(i), Key: s.key(i)}
	if s.Timestamps {
		r.Timestamp = firstTimestamp + int64(i)
	}
	switch {
	case !s.Headers:
		r.Headers = []Header{{Key: "made", Value: []byte("kcat")}}
	case i%4 == 1:
		r.Headers = []Header{{Key: "n", Value: strconv.AppendInt(nil, int64(i), 10)}}
	case i%4 == 2:
		r.Headers = []Header{{Key: "same", Value: []byte("1")}, {Key: "same", Value: []byte("2")}, {Key: "", Value: []byte("no key")}}
	case i%4 == 3:
		r.Headers = []Header{{Key: "empty", Value: []byte{}}, {Key: "größe", Value: []byte("ü")}}
	}
	return r
}

func (s Shape) key(i int) []byte {
	if s.Nulls && i%7 == 3 {
		return nil
	}
	return fmt.Appendf(nil, "key-%d", i%1000)
}

// value is the number, then 20 to 219 bytes that compress to about a half.
func (s Shape) value(i int) []byte {
	v := fmt.Appendf(make([]byte, 0, 256), "%0*d ", digits, i)
	x := uint32(i)*2654435761 + 1
	for n := 20 + i*37%200; n > 0; n-- {
		x = x*1664525 + 1013904223
		switch {
		case x>>31 == 0:
			v = append(v, 'k')
		case s.Binary:
			v = append(v, byte(x>>20))
		default:
			v = append(v, 'a'+byte(x>>20)%26)
		}
	}
	return v
}

// Number tells which record this is.
func (r Record) Number() (int, error) {
	if len(r.Value) < digits {
		return 0, fmt.Errorf("value %q has no number", r.Value)
	}
	return strconv.Atoi(string(r.Value[:digits]))
}

// Differs says in what a record is not record i of the shape; empty if it is. What the reader cannot express
// (see [Shape]) is compared as far as it goes.
func (s Shape) Differs(i int, got Record) string {
	want := s.Record(i)
	switch {
	case !bytes.Equal(want.Key, got.Key) || (want.Key == nil) != (got.Key == nil):
		return fmt.Sprintf("record %d has key %q, not %q", i, got.Key, want.Key)
	case !bytes.Equal(want.Value, got.Value):
		return fmt.Sprintf("record %d has value %q, not %q", i, got.Value, want.Value)
	case s.Timestamps && want.Timestamp != got.Timestamp:
		return fmt.Sprintf("record %d has timestamp %d, not %d", i, got.Timestamp, want.Timestamp)
	case !slices.EqualFunc(want.Headers, got.Headers, func(a, b Header) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
	}):
		return fmt.Sprintf("record %d has headers %q, not %q", i, got.Headers, want.Headers)
	}
	return ""
}
