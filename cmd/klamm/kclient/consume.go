package kclient

import (
	"context"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/consumer"
)

// Assign begins to consume a partition at a place.
func (c *Client) Assign(ctx context.Context, topic string, partition int32, at consumer.Start) error {
	return c.do(ctx, func(now core.Now) { c.inner.Consumer().Assign(now, topic, partition, at) })
}

// Unassign stops consuming a partition.
func (c *Client) Unassign(ctx context.Context, topic string, partition int32) error {
	return c.do(ctx, func(now core.Now) { c.inner.Consumer().Unassign(now, topic, partition) })
}

// Position is the offset of the next record of an assigned partition; false while it is being looked for.
func (c *Client) Position(ctx context.Context, topic string, partition int32) (o core.Offset, ok bool, err error) {
	err = c.do(ctx, func(core.Now) { o, _, ok = c.inner.Consumer().Position(topic, partition) })
	return o, ok, err
}

// Poll waits for records or events of the assigned partitions and appends up to so many records to dst.
func (c *Client) Poll(ctx context.Context, most int, dst []consumer.Record) ([]consumer.Record, []consumer.Event, error) {
	p := &poll{max: most, dst: dst, done: make(chan polled, 1)}
	c.hooks.Do(func(core.Now) { c.polls = append(c.polls, p) }) // answered after the turn
	select {
	case got := <-p.done:
		return got.records, got.events, nil
	case <-ctx.Done():
	case <-c.done:
		return dst, nil, ErrClosed
	}
	// Take it back; it may have been answered meanwhile.
	err := c.do(context.WithoutCancel(ctx), func(core.Now) {
		for i := range c.polls {
			if c.polls[i] == p {
				c.polls = append(c.polls[:i], c.polls[i+1:]...)
				return
			}
		}
	})
	if err != nil {
		return dst, nil, err
	}
	select {
	case got := <-p.done:
		return got.records, got.events, nil
	default:
		return dst, nil, ctx.Err()
	}
}

// handRecords answers polls.
func (c *Client) handRecords(now core.Now) {
	for len(c.polls) > 0 {
		p := c.polls[0]
		had := len(p.dst)
		p.dst = c.inner.Consumer().Poll(now, p.max, p.dst)
		events := c.inner.Consumer().Events(nil)
		if len(p.dst) == had && len(events) == 0 {
			return
		}
		c.polls = append(c.polls[:0], c.polls[1:]...)
		p.done <- polled{records: p.dst, events: events}
	}
}
