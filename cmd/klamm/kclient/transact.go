package kclient

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/txn"
)

// ErrUncertain says that nobody knows whether a transaction was committed.
var ErrUncertain = errors.New("the transaction may be committed, or may be yet")

// watch is somebody who waits for the transactions to come so far.
type watch struct {
	met  func(now core.Now) bool
	done chan struct{}
}

// handTxns takes what happened to the transaction, and tells who waits for it.
func (c *Client) handTxns(now core.Now) {
	m := c.inner.Transactions()
	if !m.On() {
		return
	}
	c.txnEvents = m.Events(c.txnEvents)
	kept := c.watches[:0]
	for _, w := range c.watches {
		if w.met(now) {
			close(w.done)
		} else {
			kept = append(kept, w)
		}
	}
	clear(c.watches[len(kept):])
	c.watches = kept
}

// until waits for a condition, which is looked at after each turn, on the loop's goroutine; no longer than a request may take, and never
// again after it has returned.
func (c *Client) until(ctx context.Context, met func(now core.Now) bool) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	w := watch{met: met, done: make(chan struct{})}
	c.hooks.Do(func(core.Now) { c.watches = append(c.watches, w) })
	if c.await(ctx, w.done) == nil {
		return nil
	}
	if err := c.do(context.WithoutCancel(ctx), func(core.Now) {
		c.watches = slices.DeleteFunc(c.watches, func(o watch) bool { return o.done == w.done })
	}); err != nil {
		return err
	}
	select {
	case <-w.done: // meanwhile
		return nil
	default:
		return ctx.Err()
	}
}

// Begin opens a transaction, once the client has a producer id; what is produced from now on belongs to it.
func (c *Client) Begin(ctx context.Context) error {
	var failed error
	err := c.until(ctx, func(now core.Now) bool {
		m := c.inner.Transactions()
		if m.State() == txn.Fatal {
			failed = fmt.Errorf("no transaction can begin: %w", m.Why())
			return true
		}
		if !m.Begin(now) {
			return false
		}
		c.txnEvents = c.txnEvents[:0]
		return true
	})
	if err != nil {
		return errors.Join(err, c.Why(context.WithoutCancel(ctx), core.ErrRequestTimedOut))
	}
	return failed
}

// End commits or aborts the transaction, once everything produced has its result. Of a commit nil means that it is done;
// [ErrUncertain] is among the errors if it may be. What cannot be committed is aborted.
func (c *Client) End(ctx context.Context, commit bool) error {
	if err := c.Flush(ctx); err != nil {
		return err
	}
	var outcome error
	var why core.ErrorCode
	begun := false
	err := c.until(ctx, func(now core.Now) bool {
		m := c.inner.Transactions()
		if !begun {
			begun = true
			if !commit || !m.Commit(now) {
				m.Abort(now)
			}
		}
		for _, e := range c.txnEvents {
			switch e.Kind {
			case txn.EventAbortable:
				why = e.Err
				m.Abort(now)
			case txn.EventEnded:
				outcome = ending(commit, e, why)
				c.txnEvents = c.txnEvents[:0]
				return true
			case txn.EventReady, txn.EventFatal:
			}
		}
		c.txnEvents = c.txnEvents[:0]
		switch m.State() {
		case txn.Open, txn.Ending, txn.Abortable:
			return false
		case txn.Off, txn.Starting, txn.Ready, txn.Fatal: // it was ended before
		}
		if commit {
			outcome = errors.New("no transaction is open")
		}
		return true
	})
	if err != nil && commit {
		return errors.Join(err, ErrUncertain)
	}
	return errors.Join(err, outcome)
}

// ending is the end of a transaction in words, nil if it is the one that was wished for.
func ending(commit bool, e txn.Event, why core.ErrorCode) error {
	switch {
	case e.Ambiguous:
		return fmt.Errorf("%w: %w", ErrUncertain, e.Err)
	case commit && !e.Commit && why != core.ErrNone:
		return fmt.Errorf("the transaction was aborted: %w", why)
	case commit && !e.Commit && e.Err != core.ErrNone: // the producer is done for, before the end was asked for
		return fmt.Errorf("the transaction was not committed: %w", e.Err)
	case commit && !e.Commit:
		return errors.New("the transaction was aborted: a record of it could not be written")
	case e.Err != core.ErrNone && commit:
		return fmt.Errorf("the transaction was not committed: %w", e.Err)
	case e.Err != core.ErrNone:
		return fmt.Errorf("the abort was refused: %w", e.Err)
	}
	return nil
}
