//go:build !js

package main

import (
	"context"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core/client/producer"
)

// writing is a production, in transactions if there is a transactional id.
type writing struct {
	c       *kclient.Client
	each    int64 // records of a transaction; 0: no limit
	txns    bool
	open    bool
	written int64 // of the open transaction
}

func newWriting(c *kclient.Client, o produceOptions) *writing {
	return &writing{c: c, each: o.PerTransaction, txns: o.TransactionalID != ""}
}

// produce takes a record to be written. The record that fills a transaction commits it.
func (w *writing) produce(ctx context.Context, r producer.Record, token uint64) error {
	if w.txns && !w.open {
		if err := w.c.Begin(ctx); err != nil {
			return err
		}
		w.open, w.written = true, 0
	}
	if err := w.c.Produce(ctx, r, token); err != nil {
		return err
	}
	w.written++
	if w.txns && w.written == w.each {
		err := w.c.End(ctx, true)
		w.open = err != nil && ctx.Err() != nil // the user broke it off: [writing.end] sees to it
		return err
	}
	return nil
}

// end commits what is open, or aborts it: what broke off is no transaction. It takes its time even if the user does not want any more.
func (w *writing) end(ctx context.Context, commit bool, timeout time.Duration) error {
	if !w.open {
		return nil
	}
	w.open = false
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*timeout)
	defer cancel()
	return w.c.End(ctx, commit)
}
