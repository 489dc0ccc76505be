//go:build cgo

package clients

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// Librdkafka is librdkafka through confluent-kafka-go. It needs a C compiler.
func Librdkafka() Client { return librdkafka{} }

type librdkafka struct{}

// Name implements [Client].
func (librdkafka) Name() string { return "librdkafka" }

// Missing implements [Client].
func (librdkafka) Missing() string { return "" }

// Shape implements [Client].
func (librdkafka) Shape() Shape {
	return Shape{Timestamps: true, Headers: true, Binary: true, Nulls: true}
}

// Produce implements [Client].
func (librdkafka) Produce(ctx context.Context, job Job) error {
	config := kafka.ConfigMap{
		"bootstrap.servers":  job.Addr,
		"compression.codec":  string(job.Codec),
		"acks":               "all",
		"enable.idempotence": job.Idempotent,
	}
	if !job.Idempotent {
		config["max.in.flight"] = 1 // else retries change the order
	}
	producer, err := kafka.NewProducer(&config)
	if err != nil {
		return err
	}
	defer producer.Close()
	done := make(chan error, 1)
	go func() { done <- librdkafkaResults(ctx, producer, job) }()
	for i := range job.Count {
		if err := librdkafkaSend(ctx, producer, librdkafkaMessage(job, i)); err != nil {
			return err
		}
	}
	return <-done
}

// librdkafkaSend hands over one message, and waits while the queue is full.
func librdkafkaSend(ctx context.Context, producer *kafka.Producer, m *kafka.Message) error {
	for {
		err := producer.Produce(m, nil)
		var why kafka.Error
		if err == nil || !errors.As(err, &why) || why.Code() != kafka.ErrQueueFull {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func librdkafkaResults(ctx context.Context, producer *kafka.Producer, job Job) error {
	for left := job.Count; left > 0; {
		var event kafka.Event
		select {
		case event = <-producer.Events():
		case <-ctx.Done():
			return fmt.Errorf("%d records without an answer: %w", left, ctx.Err())
		}
		switch e := event.(type) {
		case *kafka.Message:
			if e.TopicPartition.Error != nil {
				return e.TopicPartition.Error
			}
			left--
			job.acked(e.Opaque.(int), int64(e.TopicPartition.Offset))
		case kafka.Error:
			if e.IsFatal() {
				return e
			}
		}
	}
	return nil
}

func librdkafkaMessage(job Job, i int) *kafka.Message {
	r := job.Shape.Record(i)
	m := &kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &job.Topic, Partition: job.partition(i)},
		Key:            r.Key, Value: r.Value, Opaque: i,
	}
	if r.Timestamp != 0 {
		m.Timestamp = millis(r.Timestamp)
	}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return m
}

// Consume implements [Client]. librdkafka wants a group id also from those that join no group.
func (librdkafka) Consume(ctx context.Context, from Source, each func(Read) error) error {
	consumer, err := kafka.NewConsumer(&kafka.ConfigMap{
		"bootstrap.servers":  from.Addr,
		"group.id":           "nobody",
		"enable.auto.commit": false,
	})
	if err != nil {
		return err
	}
	defer func() { _ = consumer.Close() }() // nothing to lose
	var wanted []kafka.TopicPartition
	missing := int64(0)
	for p, end := range from.Ends {
		if end > 0 {
			wanted = append(wanted, kafka.TopicPartition{Topic: &from.Topic, Partition: int32(p), Offset: 0})
			missing += end
		}
	}
	if err := consumer.Assign(wanted); err != nil {
		return err
	}
	for missing > 0 {
		if ctx.Err() != nil {
			return fmt.Errorf("%d records did not come: %w", missing, ctx.Err())
		}
		switch e := consumer.Poll(100).(type) {
		case *kafka.Message:
			if e.TopicPartition.Error != nil {
				return e.TopicPartition.Error
			}
			if int64(e.TopicPartition.Offset) >= from.Ends[e.TopicPartition.Partition] {
				continue
			}
			missing--
			if err := each(librdkafkaRead(e)); err != nil {
				return err
			}
		case kafka.Error:
			if e.IsFatal() || e.Code() != kafka.ErrTransport && e.Code() != kafka.ErrAllBrokersDown {
				return e
			}
		}
	}
	return nil
}

func librdkafkaRead(m *kafka.Message) Read {
	out := Read{
		Partition: m.TopicPartition.Partition, Offset: int64(m.TopicPartition.Offset), Codec: -1,
		Record: Record{Key: m.Key, Value: m.Value, Timestamp: m.Timestamp.UnixMilli()},
	}
	for _, h := range m.Headers {
		out.Headers = append(out.Headers, Header{Key: h.Key, Value: h.Value})
	}
	return out
}
