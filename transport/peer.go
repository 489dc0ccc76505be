package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
)

// peer is one connection that the machine opened, or is opening.
type peer struct {
	dialer *Dialer
	id     step.PeerID
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc

	codec  sync.Mutex // encoding and decoding share the list of calls
	client *conn.Client

	mu    sync.Mutex
	work  sync.Cond // queue or why has changed
	nc    net.Conn  // nil until opened
	queue []step.Send
	why   error // why it is closed, nil while it is not
}

func newPeer(d *Dialer, id step.PeerID) *peer {
	p := &peer{dialer: d, id: id, client: conn.NewClient(id, d.opts.Limits, d.opts.Memory)}
	p.ctx, p.cancel = context.WithCancel(d.ctx)
	p.work.L = &p.mu
	return p
}

// run opens the connection and reads from it until it closes; another goroutine writes.
func (p *peer) run(addr string) {
	defer p.dialer.peers.Done()
	defer p.cancel()
	nc, err := p.dialer.dial(p.ctx, addr)
	if err != nil {
		p.close(err)
		p.dialer.forget(p, err)
		return
	}
	p.mu.Lock()
	p.nc = nc
	closed := p.why != nil
	p.mu.Unlock()
	if closed { // hung up while dialling
		_ = nc.Close()
		return
	}
	p.dialer.deliver(&step.PeerState{Peer: p.id, Open: true})
	p.dialer.peers.Add(1)
	go p.write(nc)
	p.close(p.read(nc))
	p.dialer.forget(p, p.reason())
}

// close ends the connection; the first reason stands.
func (p *peer) close(why error) {
	p.mu.Lock()
	if p.why == nil {
		p.why = why
		p.cancel()
		if p.nc != nil {
			_ = p.nc.Close()
		}
		p.work.Signal()
	}
	p.mu.Unlock()
}

func (p *peer) reason() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

func (p *peer) enqueue(s step.Send) {
	p.mu.Lock()
	p.queue = append(p.queue, s)
	p.mu.Unlock()
	p.work.Signal()
}

// read is the reading goroutine: bytes to responses to the machine.
func (p *peer) read(nc net.Conn) error {
	watch := watchdog{nc: nc, stall: p.dialer.opts.StallTimeout, idle: time.Hour}
	for {
		n, err := p.receive(nc, &watch)
		if err != nil {
			return err
		}
		p.client.Advance(n)
		watch.received += int64(n)
		for {
			p.codec.Lock()
			response, err := p.client.Next()
			p.codec.Unlock()
			if err != nil {
				return err
			}
			if response == nil {
				break
			}
			watch.frames++
			p.dialer.deliver(response)
		}
	}
}

// receive reads some bytes. How long a response may take is the machine's affair, but one that has begun must move.
func (p *peer) receive(nc net.Conn, watch *watchdog) (int, error) {
	for {
		partial := p.client.Buffered() > 0
		watch.before(partial)
		n, err := nc.Read(p.client.Space())
		switch {
		case n > 0:
			return n, nil
		case isTimeout(err) && watch.fired(partial, true):
		case errors.Is(err, io.EOF) && partial:
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		}
	}
}

// write is the writing goroutine: calls to bytes. It writes all that have come since the last time at once.
func (p *peer) write(nc net.Conn) {
	defer p.dialer.peers.Done()
	out := newSender(nc, nil, 0, p.dialer.opts.StallTimeout)
	var batch []step.Send
	var buf []byte
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && p.why == nil {
			p.work.Wait()
		}
		batch, p.queue = p.queue, batch[:0]
		closed := p.why != nil
		p.mu.Unlock()
		if closed {
			return
		}
		buf = buf[:0]
		p.codec.Lock()
		for i := range batch {
			buf = p.client.Call(buf, &batch[i])
		}
		p.codec.Unlock()
		clear(batch)
		out.pieces = append(out.pieces, buf)
		if err := out.flush(); err != nil {
			p.close(err)
			return
		}
		if cap(buf) > scratchSize {
			buf = nil
		}
	}
}
