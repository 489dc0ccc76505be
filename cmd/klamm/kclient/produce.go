package kclient

import (
	"context"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/producer"
)

// queueLimit is the number of records between the callers and the loop.
const queueLimit = 4096

// Produce takes a record to be written, waiting for room if there is none. The record's bytes are the client's until its
// result, which carries the token, came through Options.Results.
func (c *Client) Produce(ctx context.Context, r producer.Record, token uint64) error {
	c.mu.Lock()
	for len(c.queue) >= queueLimit && !c.closed && ctx.Err() == nil {
		stop := context.AfterFunc(ctx, func() {
			c.mu.Lock() // or it would be lost on who has looked and does not wait yet
			defer c.mu.Unlock()
			c.room.Broadcast()
		})
		c.room.Wait()
		stop()
	}
	if c.closed || ctx.Err() != nil {
		c.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		return ErrClosed
	}
	c.queue = append(c.queue, send{record: r, token: token})
	wake := !c.drained
	c.drained = true
	c.mu.Unlock()
	if wake {
		c.hooks.Do(c.takeQueue)
	}
	return nil
}

// takeQueue moves the callers' records to the producer.
func (c *Client) takeQueue(now core.Now) {
	c.offer(now)
	if len(c.backlog) > 0 {
		return // the producer's memory is full; results make room and call again
	}
	c.mu.Lock()
	taken := c.queue
	c.queue, c.spare = c.spare[:0], nil
	c.drained = false
	c.mu.Unlock()
	c.room.Broadcast()
	c.backlog = taken
	c.offer(now)
}

// offer gives the producer what it takes of the backlog.
func (c *Client) offer(now core.Now) {
	n := 0
	for n < len(c.backlog) && c.inner.Producer().Produce(now, c.backlog[n].record, c.backlog[n].token) {
		n++
	}
	if n == 0 {
		return
	}
	if len(c.waiters) > 0 { // what is only now accepted must leave too
		c.inner.Producer().Flush(now)
	}
	if n < len(c.backlog) {
		c.backlog = c.backlog[n:]
		return
	}
	clear(c.backlog)
	c.mu.Lock()
	c.spare = c.backlog[:0]
	c.mu.Unlock()
	c.backlog = nil
}

// handResults passes results on, which makes room for more records, and tells who waits for all of them.
func (c *Client) handResults(now core.Now) {
	c.results = c.inner.Producer().Results(c.results[:0])
	if len(c.results) == 0 && len(c.waiters) == 0 {
		return
	}
	if len(c.results) > 0 && c.opts.Results != nil {
		c.opts.Results(c.results)
	}
	if len(c.backlog) > 0 {
		c.takeQueue(now)
	}
	if len(c.waiters) == 0 || c.inner.Producer().Pending() > 0 || len(c.backlog) > 0 {
		return
	}
	c.mu.Lock()
	queued := len(c.queue)
	c.mu.Unlock()
	if queued > 0 {
		c.takeQueue(now)
		return
	}
	for _, w := range c.waiters {
		close(w.done)
	}
	c.waiters = nil
}

// Flush sends what is held back and waits until every record has its result.
func (c *Client) Flush(ctx context.Context) error {
	w := waiter{done: make(chan struct{})}
	c.hooks.Do(func(now core.Now) {
		c.waiters = append(c.waiters, w)
		c.inner.Producer().Flush(now)
		c.takeQueue(now)
	})
	return c.await(ctx, w.done)
}

// Why is the error of a result in words: that of an unreachable broker is not just a timeout.
func (c *Client) Why(ctx context.Context, code core.ErrorCode) error {
	var err error
	if e := c.do(ctx, func(core.Now) { err = c.reason(code) }); e != nil {
		return code
	}
	return err
}
