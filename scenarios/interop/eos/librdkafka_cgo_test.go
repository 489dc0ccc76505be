//go:build cgo

package eos_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// librdkafkaMissing says why there is no librdkafka in this binary.
const librdkafkaMissing = ""

func librdkafka(ctx context.Context, addrs []string, topic string) error {
	p, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": strings.Join(addrs, ","), "transactional.id": "librdkafka"})
	if err != nil {
		return err
	}
	defer p.Close()
	go func() {
		for range p.Events() { // what fails to be delivered fails the commit
		}
	}()
	if err := p.InitTransactions(ctx); err != nil {
		return err
	}
	for txn := range transactions {
		if err := p.BeginTransaction(); err != nil {
			return err
		}
		for i := range perTxn {
			m := kafka.Message{
				TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: int32(i % partitions)}, Value: []byte(value(txn, i)),
			}
			if err := p.Produce(&m, nil); err != nil {
				return fmt.Errorf("transaction %d: %w", txn, err)
			}
		}
		if !aborted(txn) {
			err = p.CommitTransaction(ctx)
		} else if p.Flush(20_000); true { // what is aborted must have been written, or nothing is shown
			err = p.AbortTransaction(ctx)
		}
		if err != nil {
			return fmt.Errorf("end of transaction %d: %w", txn, err)
		}
	}
	return nil
}
