//go:build !cgo

package librdkafka

import (
	"context"
	"errors"

	"github.com/klamm-log/klamm/scenarios/interop/clients"
)

// Missing implements [clients.Client].
func (Client) Missing() string { return "librdkafka needs cgo, that is a C compiler" }

// Shape implements [clients.Client].
func (Client) Shape() clients.Shape { return clients.Shape{} }

// Produce implements [clients.Client].
func (c Client) Produce(context.Context, clients.Job) error { return errors.New(c.Missing()) }

// Consume implements [clients.Client].
func (c Client) Consume(context.Context, clients.Source, func(clients.Read) error) error {
	return errors.New(c.Missing())
}
