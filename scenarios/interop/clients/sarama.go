package clients

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"
)

// Sarama is github.com/IBM/sarama.
type Sarama struct{}

// Name implements [Client].
func (Sarama) Name() string { return "sarama" }

// Missing implements [Client].
func (Sarama) Missing() string { return "" }

// Shape implements [Client].
func (Sarama) Shape() Shape {
	return Shape{Timestamps: true, Headers: true, Binary: true, Nulls: true}
}

func saramaConfig() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.ClientID = "interop"
	c.Net.DialTimeout = 5 * time.Second
	return c
}

// Produce implements [Client].
func (Sarama) Produce(ctx context.Context, job Job) error {
	c := saramaConfig()
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Compression = saramaCodec(job.Codec)
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.Return.Successes = true
	c.Producer.Retry.Max = 200 // the node may be away for a while
	c.Producer.Idempotent = job.Idempotent
	c.Net.MaxOpenRequests = 1 // required by Idempotent; else retries change the order
	producer, err := sarama.NewAsyncProducer([]string{job.Addr}, c)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- saramaResults(producer, job) }()
	for i := range job.Count {
		select {
		case producer.Input() <- saramaMessage(job, i):
		case err := <-done:
			producer.AsyncClose()
			return errors.Join(errors.New("the producer ended early"), err)
		case <-ctx.Done():
			producer.AsyncClose()
			return errors.Join(ctx.Err(), <-done)
		}
	}
	return <-done
}

// saramaResults reads results until the producer has closed. It is closed when all records have theirs: one that is being tried
// again while the producer shuts down is given up.
func saramaResults(producer sarama.AsyncProducer, job Job) error {
	successes, failures := producer.Successes(), producer.Errors()
	var failed error
	left := job.Count
	decided := func() {
		if left--; left == 0 {
			producer.AsyncClose()
		}
	}
	for successes != nil || failures != nil {
		select {
		case m, open := <-successes:
			if !open {
				successes = nil
				continue
			}
			job.Acknowledge(m.Metadata.(int), m.Offset)
			decided()
		case e, open := <-failures:
			if !open {
				failures = nil
				continue
			}
			failed = e
			decided()
		}
	}
	return failed
}

func saramaMessage(job Job, i int) *sarama.ProducerMessage {
	r := job.Shape.Record(i)
	m := &sarama.ProducerMessage{
		Topic: job.Topic, Partition: job.Partition(i), Value: sarama.ByteEncoder(r.Value), Metadata: i,
	}
	if r.Key != nil {
		m.Key = sarama.ByteEncoder(r.Key)
	}
	if r.Timestamp != 0 {
		m.Timestamp = time.UnixMilli(r.Timestamp)
	}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
	}
	return m
}

func saramaCodec(c Codec) sarama.CompressionCodec {
	switch c {
	case "gzip":
		return sarama.CompressionGZIP
	case "snappy":
		return sarama.CompressionSnappy
	case "lz4":
		return sarama.CompressionLZ4
	case "zstd":
		return sarama.CompressionZSTD
	default:
		return sarama.CompressionNone
	}
}

// Consume implements [Client].
func (Sarama) Consume(ctx context.Context, from Source, each func(Read) error) error {
	c := saramaConfig()
	c.Consumer.Return.Errors = true
	consumer, err := sarama.NewConsumer([]string{from.Addr}, c)
	if err != nil {
		return err
	}
	defer func() { _ = consumer.Close() }() // nothing to lose
	for p, end := range from.Ends {
		if end == 0 {
			continue
		}
		partition, err := consumer.ConsumePartition(from.Topic, int32(p), sarama.OffsetOldest)
		if err != nil {
			return err
		}
		if err := saramaPartition(ctx, partition, end, each); err != nil {
			return err
		}
	}
	return nil
}

func saramaPartition(ctx context.Context, from sarama.PartitionConsumer, end int64, each func(Read) error) error {
	defer from.AsyncClose()
	for {
		select {
		case m := <-from.Messages():
			if err := each(saramaRead(m)); err != nil {
				return err
			}
			if m.Offset == end-1 {
				return nil
			}
		case err := <-from.Errors():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func saramaRead(m *sarama.ConsumerMessage) Read {
	out := Read{
		Partition: m.Partition, Offset: m.Offset, Codec: -1,
		Record: Record{Key: m.Key, Value: m.Value, Timestamp: m.Timestamp.UnixMilli()},
	}
	for _, h := range m.Headers {
		out.Headers = append(out.Headers, Header{Key: string(h.Key), Value: h.Value})
	}
	return out
}
