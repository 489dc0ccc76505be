//go:build !cgo

package clients

import (
	"context"
	"errors"
)

// Librdkafka is librdkafka through confluent-kafka-go. It needs a C compiler.
func Librdkafka() Client { return librdkafka{} }

type librdkafka struct{}

func (librdkafka) Name() string { return "librdkafka" }

func (librdkafka) Missing() string { return "librdkafka needs cgo, that is a C compiler" }

func (librdkafka) Shape() Shape { return Shape{} }

func (l librdkafka) Produce(context.Context, Job) error { return errors.New(l.Missing()) }

func (l librdkafka) Consume(context.Context, Source, func(Read) error) error {
	return errors.New(l.Missing())
}
