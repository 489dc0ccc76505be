//go:build cgo

package groups_test

import (
	"context"
	"errors"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func librdkafkaMember(ctx context.Context, addrs []string, group, topic string, p *processed) error {
	c, err := kafka.NewConsumer(&kafka.ConfigMap{
		"bootstrap.servers": strings.Join(addrs, ","), "group.id": group, "enable.auto.commit": false, "auto.offset.reset": "earliest",
		"session.timeout.ms": int(sessionTimeout.Milliseconds()), "heartbeat.interval.ms": int(heartbeats.Milliseconds()),
		"partition.assignment.strategy": "range",
	})
	if err != nil {
		return err
	}
	commit := func() error {
		err := p.out.Flush()
		if err == nil {
			_, _ = c.Commit() // nothing to commit is an error to it; one that fails is repeated with the next
		}
		return err
	}
	// Nobody else gets the partitions before what was processed of them is committed.
	rebalanced := func(_ *kafka.Consumer, e kafka.Event) error {
		if _, ok := e.(kafka.RevokedPartitions); ok {
			return commit()
		}
		return nil
	}
	if err := c.Subscribe(topic, rebalanced); err != nil {
		return err
	}
	for n := 0; ctx.Err() == nil; {
		switch e := c.Poll(100).(type) {
		case *kafka.Message:
			p.record(e.TopicPartition.Partition, int64(e.TopicPartition.Offset))
			if n++; n%batchRecords == 0 {
				err = commit()
			}
		case kafka.Error:
			if e.IsFatal() {
				return e
			}
		case nil:
			err = commit()
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(commit(), c.Close())
}
