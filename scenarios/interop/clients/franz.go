package clients

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Franz is github.com/twmb/franz-go.
type Franz struct{}

// Name implements [Client].
func (Franz) Name() string { return "franz-go" }

// Missing implements [Client].
func (Franz) Missing() string { return "" }

// Shape implements [Client].
func (Franz) Shape() Shape { return Shape{Timestamps: true, Headers: true, Binary: true, Nulls: true} }

// Produce implements [Client].
func (Franz) Produce(ctx context.Context, job Job) error {
	options := []kgo.Opt{
		kgo.SeedBrokers(job.Addr),
		kgo.DefaultProduceTopic(job.Topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(franzCodec(job.Codec)),
		kgo.RequiredAcks(kgo.AllISRAcks()),
	}
	if job.BatchBytes > 0 {
		options = append(options, kgo.ProducerBatchMaxBytes(job.BatchBytes))
	}
	if !job.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	var mu sync.Mutex // promises of different partitions run at the same time
	var failed error
	for i := range job.Count {
		made := job.Shape.Record(i)
		client.Produce(ctx, franzRecord(made, job.Partition(i)), func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = errors.Join(failed, err)
				return
			}
			job.Acknowledge(i, r.Offset)
		})
	}
	err = client.Flush(ctx)
	mu.Lock()
	defer mu.Unlock()
	return errors.Join(failed, err)
}

func franzRecord(r Record, partition int32) *kgo.Record {
	out := &kgo.Record{Key: r.Key, Value: r.Value, Partition: partition}
	if r.Timestamp != 0 {
		out.Timestamp = time.UnixMilli(r.Timestamp)
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return out
}

func franzCodec(c Codec) kgo.CompressionCodec {
	switch c {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	default:
		return kgo.NoCompression()
	}
}

// Consume implements [Client].
func (Franz) Consume(ctx context.Context, from Source, each func(Read) error) error {
	partitions := make(map[int32]kgo.Offset)
	missing := int64(0)
	for p, end := range from.Ends {
		if end > 0 {
			partitions[int32(p)] = kgo.NewOffset().At(0)
			missing += end
		}
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(from.Addr),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{from.Topic: partitions}),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for missing > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			if r.Offset >= from.Ends[r.Partition] {
				continue
			}
			missing--
			if err := each(franzRead(r)); err != nil {
				return err
			}
		}
	}
	return nil
}

func franzRead(r *kgo.Record) Read {
	out := Read{
		Partition: r.Partition, Offset: r.Offset, Codec: int8(r.Attrs.CompressionType()),
		Record: Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp.UnixMilli()},
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, Header{Key: h.Key, Value: h.Value})
	}
	return out
}
