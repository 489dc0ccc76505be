package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/klamm-log/klamm/core/step"
)

// read is the reading goroutine: bytes to requests to the machine, until the other side ends, sends what cannot be
// a request, or the connection closes.
func (c *connection) read() {
	defer c.ended()
	if c.receive() {
		c.drain()
	}
	if c.lingering.Load() {
		c.discard()
	}
	c.close()
}

// receive reports whether reading ended in an orderly way: what has arrived is still to be answered.
func (c *connection) receive() bool {
	for {
		if !c.awaitTurn() {
			return false
		}
		request, answer, err := c.in.Next()
		switch {
		case err != nil:
			return true
		case request != nil:
			c.admitted(chargeOf(request))
			c.srv.deliver(request)
			continue
		case answer != nil:
			c.admitted(charge{})
			c.enqueue(outgoing{reply: *answer})
			continue
		case c.watch.stopped.Load():
			return true
		case c.in.Paused():
			continue
		}
		c.account()
		if more, orderly := c.readMore(); !more {
			return orderly
		}
	}
}

// chargeOf is a request's charge. One with a frame holds a room, which may be larger.
func chargeOf(r *step.Request) charge {
	if len(r.Frame) == 0 {
		return charge{size: r.Size}
	}
	return charge{size: max(r.Size, int64(cap(r.Frame))), frame: &r.Frame[0]}
}

// account brings the budget up to date and waits until there is room for more.
func (c *connection) account() {
	b := c.shares.budget
	held := int64(c.in.Held())
	if held != c.charged {
		b.change(held-c.charged, 0)
		if held < c.charged {
			b.yield(c)
		}
		c.charged = held
	}
	b.wait(c, c.in.Buffered() > 0)
}

// readMore receives some bytes. If there will be no more it tells whether the end was orderly.
func (c *connection) readMore() (more, orderly bool) {
	for {
		c.watch.frames = c.in.Seq()
		c.watch.before(c.begun())
		n, err := c.nc.Read(c.in.Space())
		c.in.Advance(n)
		c.watch.received += int64(n)
		switch {
		case n > 0:
			return true, true
		case err == nil:
		case isTimeout(err):
			if c.watch.stopped.Load() {
				return false, true
			}
			busy := c.in.Seq() > c.answered.Load()
			if !c.watch.fired(c.begun(), busy) {
				return false, false
			}
		default:
			return false, errors.Is(err, io.EOF)
		}
	}
}

// begun reports whether something is to be received that must not stand still: the rest of a frame, or of a TLS handshake, which
// cannot be resumed once a read of it has timed out.
func (c *connection) begun() bool {
	if encrypted, ok := c.nc.(*tls.Conn); ok && c.watch.received == 0 {
		return !encrypted.ConnectionState().HandshakeComplete
	}
	return c.in.Buffered() > 0
}

// awaitTurn waits while the connection is muted or has as many requests in process as it may. It is false when the
// connection closes.
func (c *connection) awaitTurn() bool {
	for {
		c.in.Answered(c.answered.Load())
		var muted <-chan time.Time
		if until := c.mutedUntil.Load(); until != 0 {
			left := time.Until(time.Unix(0, until))
			if left <= 0 {
				c.mutedUntil.CompareAndSwap(until, 0)
				continue
			}
			muted = time.After(left)
		}
		switch {
		case c.closing.Load() || c.lingering.Load():
			return false
		case muted == nil && !c.in.Paused():
			return true
		case c.watch.stopped.Load() && muted == nil:
			return true
		}
		c.watch.pause()
		select {
		case <-c.turn:
		case <-muted:
		}
	}
}

// drain lets what has arrived be answered, for a while.
func (c *connection) drain() {
	c.mu.Lock()
	c.finished, c.finish = true, c.in.Seq()
	c.mu.Unlock()
	c.work.Signal()
	timer := time.NewTimer(c.srv.opts.DrainTimeout)
	defer timer.Stop()
	for !c.closing.Load() && !c.lingering.Load() {
		select {
		case <-c.turn:
		case <-timer.C:
			return
		}
	}
}

// discard reads and forgets what the other side still sends, until it has seen our end, within limits.
func (c *connection) discard() {
	const most = 1 << 20
	_ = c.nc.SetReadDeadline(time.Now().Add(lingerTimeout))
	_, _ = io.CopyN(io.Discard, c.nc, most)
}

// lingerTimeout bounds the wait for the other side to close after us.
const lingerTimeout = time.Second

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
