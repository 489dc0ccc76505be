package kclient

import (
	"context"
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/member"
)

// groupPoll is one call of GroupPoll.
type groupPoll struct {
	max  int
	dst  []consumer.Record
	done chan GroupPolled
}

// GroupPolled is what a poll of a group member brought: records, or what happened, never both.
type GroupPolled struct {
	Records  []consumer.Record
	Events   []member.Event
	Problems []consumer.Event
}

// Subscribe joins the group of Options.Group to read topics; with pattern the only name is a regular expression.
func (c *Client) Subscribe(ctx context.Context, topics []string, pattern bool) (err error) {
	done := c.do(ctx, func(now core.Now) {
		if pattern {
			err = c.inner.Group().SubscribePattern(now, topics[0])
		} else {
			c.inner.Group().Subscribe(now, topics)
		}
	})
	if done != nil {
		return done
	}
	return err
}

// GroupPoll waits for records of what the group has assigned, or for something that happened. Who calls it again is done with
// what the last call returned: records count as processed, revoked partitions as given up. The context's end is no error for
// the group, but its member must poll again in time.
func (c *Client) GroupPoll(ctx context.Context, most int, dst []consumer.Record) (GroupPolled, error) {
	p := &groupPoll{max: most, dst: dst, done: make(chan GroupPolled, 1)}
	c.hooks.Do(func(core.Now) { c.groupPoll = p }) // answered after the turn
	select {
	case got := <-p.done:
		return got, nil
	case <-ctx.Done():
	case <-c.done:
		return GroupPolled{}, ErrClosed
	}
	if err := c.do(context.WithoutCancel(ctx), func(core.Now) { c.groupPoll = nil }); err != nil {
		return GroupPolled{}, err
	}
	select {
	case got := <-p.done:
		return got, nil
	default:
		return GroupPolled{}, ctx.Err()
	}
}

// handGroup answers the poll. Events go first and alone, so that the application has heard of a revocation when it polls.
func (c *Client) handGroup(now core.Now) {
	p := c.groupPoll
	if p == nil {
		return
	}
	g := c.inner.Group()
	got := GroupPolled{Events: g.Events(nil)}
	if len(got.Events) == 0 {
		got.Records = g.Poll(now, p.max, p.dst)
		got.Problems = c.inner.Consumer().Events(nil)
	}
	if len(got.Events) == 0 && len(got.Records) == len(p.dst) && len(got.Problems) == 0 {
		return
	}
	c.groupPoll = nil
	p.done <- got
}

// AtEnd reports whether the member is in its group and has nothing left to read in what it was assigned.
func (c *Client) AtEnd(ctx context.Context) (end bool, err error) {
	err = c.do(ctx, func(core.Now) {
		g := c.inner.Group()
		end = g.State() == member.Stable
		for _, tp := range g.Owned(nil) {
			lag, known := c.inner.Consumer().Lag(tp.Topic, tp.Partition)
			end = end && known && lag == 0
		}
	})
	return end, err
}

// Leave commits, unless that is manual, and leaves the group. With done the records handed out count as processed; without, nothing is
// committed any more.
func (c *Client) Leave(ctx context.Context, done bool) error {
	err := c.do(ctx, func(now core.Now) {
		if !done {
			c.inner.Group().Rewind(now) // forgets what was handed out
		}
		c.inner.Group().Leave(now)
	})
	if err != nil {
		return err
	}
	left := make(chan member.State, 1)
	c.hooks.Do(func(core.Now) { c.leaving = left })
	select {
	case <-left:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("leaving the group: %w", ctx.Err())
	case <-c.done:
		return ErrClosed
	}
}

// handLeaving tells who leaves that it is done.
func (c *Client) handLeaving() {
	if s := c.inner.Group().State(); c.leaving != nil && (s == member.Off || s == member.Failed) {
		c.leaving <- s
		c.leaving = nil
	}
}
