package transport

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
)

// connection is one served connection. Its reading goroutine owns in, its writing goroutine owns out; between them
// and the loop stand the fields under mu.
type connection struct {
	srv    *Server
	shares *pool // what it shares with the connections of its listener, and of others
	id     step.ConnID
	nc     net.Conn

	in      conn.Inbound
	watch   watchdog
	charged int64 // of the budget, for frames in reception

	out  conn.Outbound
	send sender

	closing    atomic.Bool   // the socket is closed, or being closed
	lingering  atomic.Bool   // all is sent; the socket will be closed when the other side has noticed
	goroutines atomic.Int32  // still running
	answered   atomic.Uint64 // requests whose responses were written
	mutedUntil atomic.Int64  // unix ns, 0 if not muted
	turn       chan struct{} // capacity 1: something the reader waits for may have happened

	mu       sync.Mutex
	work     sync.Cond // queue, finished or closing has changed
	queue    []outgoing
	idle     bool     // the writer waits
	finished bool     // the reader has ended and the writer does not know
	finish   uint64   // then: the number of requests that it brought
	charges  []charge // of the requests in process, in order
}

// charge is what a request in process takes of the budget.
type charge struct {
	size  int64
	frame *byte // the first byte of the memory that it lies in, nil if that cannot be given back, or has been
}

// outgoing is a reply with the files that its spans are read from.
type outgoing struct {
	reply step.Reply
	files []lease // one for each span that is not empty
}

// lease is a borrowed file.
type lease struct {
	file    *os.File
	release func()
}

func newConnection(s *Server, shares *pool, id step.ConnID, nc net.Conn, tcp *net.TCPConn, config conn.Config) *connection {
	c := &connection{
		srv: s, shares: shares, id: id, nc: nc, turn: make(chan struct{}, 1),
		in: conn.NewInbound(id, config), out: conn.NewOutbound(),
		watch: watchdog{nc: nc, stall: s.opts.StallTimeout, idle: s.opts.IdleTimeout},
		send:  newSender(nc, tcp, s.opts.CopyBelow, s.opts.StallTimeout),
	}
	c.work.L = &c.mu
	return c
}

func (c *connection) start() {
	c.goroutines.Store(2)
	go c.read()
	go c.write()
}

// ended is called by each goroutine as its last act.
func (c *connection) ended() {
	if c.goroutines.Add(-1) > 0 {
		return
	}
	c.mu.Lock()
	left := c.srv.frames.forget(c, c.charges)
	c.charges = nil
	for i := range c.queue {
		c.queue[i].releaseFiles()
	}
	c.queue = nil
	c.mu.Unlock()
	c.shares.budget.change(-c.charged, -left)
	c.shares.budget.yield(c)
	c.srv.forget(c)
}

// close ends the connection at once.
func (c *connection) close() {
	if c.closing.Swap(true) {
		return
	}
	_ = c.nc.Close()
	c.mu.Lock()
	c.work.Signal()
	c.mu.Unlock()
	c.poke()
	c.shares.budget.wake()
}

// stopReading makes the reader end as if the other side had.
func (c *connection) stopReading() {
	c.watch.stop()
	c.poke()
}

// poke lets the reader look again at what it waits for.
func (c *connection) poke() {
	select {
	case c.turn <- struct{}{}:
	default:
	}
}

// reply queues an answer for the writer. The loop calls it.
func (c *connection) reply(r step.Reply) {
	o := outgoing{reply: r}
	for _, span := range r.Spans {
		if span.Len == 0 {
			continue
		}
		f, release, ok := c.srv.opts.Files.Acquire(span.File)
		if !ok { // the file was closed or has failed since the machine looked; the response cannot be sent
			o.releaseFiles()
			o = outgoing{reply: step.Reply{Conn: r.Conn, Seq: r.Seq, Close: true}}
			break
		}
		o.files = append(o.files, lease{file: f, release: release})
	}
	c.enqueue(o)
}

func (c *connection) enqueue(o outgoing) {
	c.mu.Lock()
	if c.closing.Load() && c.goroutines.Load() == 0 {
		c.mu.Unlock()
		o.releaseFiles()
		return
	}
	c.queue = append(c.queue, o)
	wake := c.idle
	c.idle = false
	c.mu.Unlock()
	if wake {
		c.work.Signal()
	}
}

func (o *outgoing) releaseFiles() {
	for _, l := range o.files {
		l.release()
	}
}

// admitted accounts for a request that goes to the machine.
func (c *connection) admitted(x charge) {
	c.mu.Lock()
	c.charges = append(c.charges, x)
	c.mu.Unlock()
	c.srv.frames.lend(c, x.frame)
	c.shares.budget.change(0, x.size)
}

// gaveBack accounts for a request whose memory has come back before its answer: whatever it waits for now, others may be read meanwhile.
func (c *connection) gaveBack(frame *byte) {
	freed := int64(0)
	c.mu.Lock()
	for i := range c.charges {
		if x := &c.charges[i]; x.frame == frame {
			freed, *x = x.size, charge{}
		}
	}
	c.mu.Unlock()
	c.shares.budget.change(0, -freed)
}

// wroteUpTo accounts for the responses to the first n requests.
func (c *connection) wroteUpTo(n uint64) {
	before := c.answered.Load()
	if n == before {
		return
	}
	c.mu.Lock()
	done := min(int(n-before), len(c.charges))
	freed := c.srv.frames.forget(c, c.charges[:done])
	rest := copy(c.charges, c.charges[done:])
	clear(c.charges[rest:])
	c.charges = c.charges[:rest]
	c.mu.Unlock()
	c.shares.budget.change(0, -freed)
	c.answered.Store(n)
	c.poke()
}

// watchdog closes connections that stand still, by read deadlines that are set seldom: a deadline costs a timer, and
// most fire for nothing.
type watchdog struct {
	nc          net.Conn
	stall, idle time.Duration

	stopped  atomic.Bool
	armed    bool
	near     bool   // the deadline is one of stall, not of idle
	received int64  // bytes in all
	frames   uint64 // whole frames in all
	mark     int64  // received when the deadline was set
	whole    uint64 // frames then
}

// stallProgress is how far a frame must get in the stall timeout, in bytes.
const stallProgress = 16 << 10

// before is called before each read; partial tells whether a frame has begun.
func (w *watchdog) before(partial bool) {
	if !w.armed || partial && !w.near {
		w.arm(partial)
	}
}

func (w *watchdog) arm(near bool) {
	w.armed, w.near, w.mark, w.whole = true, near, w.received, w.frames
	period := w.idle
	if near {
		period = w.stall
	}
	_ = w.nc.SetReadDeadline(time.Now().Add(period))
	if w.stopped.Load() { // stop came before the deadline was set and must not be lost
		_ = w.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// pause is called when reading is put off: what the deadline finds then is not the other side's fault.
func (w *watchdog) pause() { w.armed = false }

// fired is called when a read timed out. It tells whether the connection may go on; busy tells whether requests are
// in process.
func (w *watchdog) fired(partial, busy bool) bool {
	moved := w.received - w.mark
	switch {
	case w.stopped.Load():
		return false
	case w.near && partial && moved < stallProgress && w.frames == w.whole: // else this frame has begun later
		return false
	case !w.near && moved == 0 && !busy:
		return false
	}
	w.arm(partial)
	return true
}

// stop makes the present or next read end. Any goroutine may call it.
func (w *watchdog) stop() {
	w.stopped.Store(true)
	_ = w.nc.SetReadDeadline(time.Unix(1, 0))
}
