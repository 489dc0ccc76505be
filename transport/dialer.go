package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/klamm-log/klamm/core/step"
)

// Dialer holds the connections that the machine opens: it performs [step.Send].
type Dialer struct {
	opts    DialerOptions
	deliver func(step.Event)

	peers   sync.WaitGroup // goroutines
	ctx     context.Context
	endDial context.CancelFunc

	mu   sync.Mutex
	open map[step.PeerID]*peer
}

// NewDialer is a dialer without connections. Events go to deliver, which must not block.
func NewDialer(opts DialerOptions, deliver func(step.Event)) *Dialer {
	ctx, cancel := context.WithCancel(context.Background())
	return &Dialer{
		opts: opts.withDefaults(), deliver: deliver, ctx: ctx, endDial: cancel,
		open: make(map[step.PeerID]*peer),
	}
}

// Send performs a send. It does not block; calls on a connection that has closed are dropped, as its PeerState says.
func (d *Dialer) Send(s step.Send) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch s.Kind {
	case step.Dial:
		if d.ctx.Err() != nil {
			return
		}
		p := newPeer(d, s.Peer)
		d.open[s.Peer] = p
		d.peers.Add(1)
		go p.run(s.Addr)
	case step.Call:
		if p := d.open[s.Peer]; p != nil {
			p.enqueue(s)
		}
	case step.Hangup:
		if p := d.open[s.Peer]; p != nil {
			delete(d.open, s.Peer)
			p.close(errHangup)
		}
	}
}

// Close closes all connections and waits for their goroutines. The machine hears nothing of it.
func (d *Dialer) Close() {
	d.endDial()
	d.mu.Lock()
	for id, p := range d.open {
		delete(d.open, id)
		p.close(errHangup)
	}
	d.mu.Unlock()
	d.peers.Wait()
}

// forget drops a closed connection and tells the machine, unless the machine closed it.
func (d *Dialer) forget(p *peer, why error) {
	d.mu.Lock()
	known := d.open[p.id] == p
	if known {
		delete(d.open, p.id)
	}
	d.mu.Unlock()
	if known {
		d.deliver(&step.PeerState{Peer: p.id, Err: why.Error()})
	}
}

// dial opens the socket.
func (d *Dialer) dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.DialTimeout)
	defer cancel()
	var dialer net.Dialer
	nc, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil || d.opts.TLS == nil {
		return nc, err
	}
	config := d.opts.TLS
	if config.ServerName == "" && !config.InsecureSkipVerify {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, errors.Join(err, nc.Close())
		}
		config = config.Clone()
		config.ServerName = host
	}
	encrypted := tls.Client(nc, config)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS with %s: %w", addr, err), nc.Close())
	}
	return encrypted, nil
}

var errHangup = errors.New("hung up")
