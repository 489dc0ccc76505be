//go:build cgo

package librdkafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/klamm-log/klamm/scenarios/interop/clients"
)

// Missing implements [clients.Client].
func (Client) Missing() string { return "" }

// Shape implements [clients.Client].
func (Client) Shape() clients.Shape {
	return clients.Shape{Timestamps: true, Headers: true, Binary: true, Nulls: true}
}

// Produce implements [clients.Client].
func (Client) Produce(ctx context.Context, job clients.Job) error {
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
	go func() { done <- results(ctx, producer, job) }()
	for i := range job.Count {
		if err := send(ctx, producer, message(job, i)); err != nil {
			return err
		}
	}
	return <-done
}

// send hands over one message, and waits while the queue is full.
func send(ctx context.Context, producer *kafka.Producer, m *kafka.Message) error {
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

func results(ctx context.Context, producer *kafka.Producer, job clients.Job) error {
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
			job.Acknowledge(e.Opaque.(int), int64(e.TopicPartition.Offset))
		case kafka.Error:
			if e.IsFatal() {
				return e
			}
		}
	}
	return nil
}

func message(job clients.Job, i int) *kafka.Message {
	r := job.Shape.Record(i)
	m := &kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &job.Topic, Partition: job.Partition(i)},
		Key:            r.Key, Value: r.Value, Opaque: i,
	}
	if r.Timestamp != 0 {
		m.Timestamp = time.UnixMilli(r.Timestamp)
	}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return m
}

// Consume implements [clients.Client]. librdkafka wants a group id also from those that join no group.
func (Client) Consume(ctx context.Context, from clients.Source, each func(clients.Read) error) error {
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
			if err := each(read(e)); err != nil {
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

func read(m *kafka.Message) clients.Read {
	out := clients.Read{
		Partition: m.TopicPartition.Partition, Offset: int64(m.TopicPartition.Offset), Codec: -1,
		Record: clients.Record{Key: m.Key, Value: m.Value, Timestamp: m.Timestamp.UnixMilli()},
	}
	for _, h := range m.Headers {
		out.Headers = append(out.Headers, clients.Header{Key: h.Key, Value: h.Value})
	}
	return out
}
