package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/klamm-log/klamm/core/step"
)

// Server accepts connections and serves them: requests go to the node as events, Reply sends what comes back. Its
// listeners are bound and opened one by one or together.
type Server struct {
	opts     ServerOptions
	deliver  func(step.Event)
	shared   *pool // of all listeners but the reserved ones
	reserved *pool
	frames   frames // of requests in process

	accepts sync.WaitGroup // accepting goroutines
	served  sync.WaitGroup // connections

	mu      sync.RWMutex
	sockets []socket // parallel to opts.Listeners
	conns   map[step.ConnID]*connection
	lastID  step.ConnID
	closed  bool
}

// socket is what has become of a listener.
type socket struct {
	bound  net.Listener // nil if it is not
	opened bool         // connections are accepted
}

// pool is what some listeners share: a number of connections and memory for requests.
type pool struct {
	budget *budget
	conns  int // open; under Server.mu
}

// NewServer is a server whose listeners are not bound yet. Events go to deliver, which must not block.
func NewServer(opts ServerOptions, deliver func(step.Event)) *Server {
	opts = opts.withDefaults()
	if opts.Conn.Heavy == nil {
		opts.Conn.Heavy = oneAtATime()
	}
	return &Server{
		opts: opts, deliver: deliver, sockets: make([]socket, len(opts.Listeners)),
		shared:   &pool{budget: newBudget(opts.MaxRequestBytes)},
		reserved: &pool{budget: newBudget(opts.MaxRequestBytes)},
		conns:    make(map[step.ConnID]*connection),
		frames:   frames{of: make(map[*byte]*connection)},
	}
}

// Listen is a server with all listeners bound. Nothing is accepted before Serve.
func Listen(opts ServerOptions, deliver func(step.Event)) (*Server, error) {
	s := NewServer(opts, deliver)
	for i := range s.opts.Listeners {
		if err := s.Bind(s.opts.Listeners[i].Name); err != nil {
			return nil, errors.Join(err, s.closeSockets())
		}
	}
	return s, nil
}

// Bind takes the named listener's address, so that nobody else can; connections wait until Open. It does nothing if the
// listener is bound.
func (s *Server) Bind(listener string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(listener)
	switch {
	case i < 0:
		return fmt.Errorf("listener %s: there is none of that name", listener)
	case s.closed:
		return fmt.Errorf("listener %s: %w", listener, net.ErrClosed)
	case s.sockets[i].bound != nil:
		return nil
	}
	bound, err := net.Listen("tcp", s.opts.Listeners[i].Addr)
	if err != nil {
		return fmt.Errorf("listener %s: %w", listener, err)
	}
	s.sockets[i].bound = bound
	return nil
}

// Release lets the address of a listener go that was bound and not opened.
func (s *Server) Release(listener string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(listener)
	if i < 0 || s.sockets[i].bound == nil || s.sockets[i].opened {
		return nil
	}
	err := s.sockets[i].bound.Close()
	s.sockets[i].bound = nil
	return err
}

// Refuse accepts no more connections at the named listener; those that it has accepted are served on.
func (s *Server) Refuse(listener string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(listener); i >= 0 && s.sockets[i].opened {
		_ = s.sockets[i].bound.Close() // the acceptor ends by that
	}
}

// Open accepts connections at the named listener from now on, and binds it before if that has not been done.
func (s *Server) Open(listener string) error {
	if err := s.Bind(listener); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(listener)
	if at := &s.sockets[i]; !at.opened && !s.closed {
		at.opened = true
		s.accepts.Add(1)
		go s.accept(at.bound, &s.opts.Listeners[i])
	}
	return nil
}

// Serve opens all listeners that are bound.
func (s *Server) Serve() {
	for i := range s.opts.Listeners {
		if s.Addr(s.opts.Listeners[i].Name) != nil {
			_ = s.Open(s.opts.Listeners[i].Name) // it is bound: only a closed server refuses
		}
	}
}

// find is the index of a listener, or -1.
func (s *Server) find(listener string) int {
	return slices.IndexFunc(s.opts.Listeners, func(l Listener) bool { return l.Name == listener })
}

// Addr is the address of the named listener, or nil if it is not bound.
func (s *Server) Addr(listener string) net.Addr {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := s.find(listener); i >= 0 && s.sockets[i].bound != nil {
		return s.sockets[i].bound.Addr()
	}
	return nil
}

// Reply sends the answer to a request. It does not block; the answer to a closed connection is dropped. The files of
// its spans are acquired before it returns, so that the machine may close them afterwards.
func (s *Server) Reply(r step.Reply) {
	s.mu.RLock()
	c := s.conns[r.Conn]
	s.mu.RUnlock()
	if c != nil {
		c.reply(r)
	}
}

// Reclaim tells that the machine has given back the frame of a request, which may have no answer yet.
func (s *Server) Reclaim(frame []byte) {
	if len(frame) == 0 {
		return
	}
	if c := s.frames.back(&frame[0]); c != nil {
		c.gaveBack(&frame[0])
	}
}

// Connections is the number of open connections.
func (s *Server) Connections() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.conns)
}

// Close stops accepting and reading, lets the requests that have arrived be answered until the context ends, and
// then closes what is left. The node must go on running meanwhile.
func (s *Server) Close(ctx context.Context) error {
	err := s.closeSockets()
	s.accepts.Wait()
	s.mu.Lock()
	open := make([]*connection, 0, len(s.conns))
	for _, c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		c.stopReading()
	}
	stop := context.AfterFunc(ctx, func() {
		for _, c := range open {
			c.close()
		}
	})
	defer stop()
	s.served.Wait()
	return err
}

func (s *Server) closeSockets() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for i := range s.sockets {
		if bound := s.sockets[i].bound; bound != nil {
			if err := bound.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// accept takes connections until the socket is closed.
func (s *Server) accept(socket net.Listener, l *Listener) {
	defer s.accepts.Done()
	for {
		nc, err := socket.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of file descriptors, mostly: the next attempt would fail as fast
			<-time.After(10 * time.Millisecond)
		default:
			s.open(nc, l)
		}
	}
}

// open starts serving an accepted connection, unless there are too many.
func (s *Server) open(nc net.Conn, l *Listener) {
	tcp, _ := nc.(*net.TCPConn)
	if l.TLS != nil {
		nc, tcp = tls.Server(nc, l.TLS), nil
	}
	config, shares := s.opts.Conn, s.shared
	if l.Versions != nil {
		config.Versions = l.Versions
	}
	if l.Reserved {
		shares = s.reserved
	}
	s.mu.Lock()
	if s.closed || shares.conns >= s.opts.MaxConnections {
		s.mu.Unlock()
		_ = nc.Close()
		return
	}
	s.lastID++
	c := newConnection(s, shares, s.lastID, nc, tcp, config)
	s.conns[c.id] = c
	shares.conns++
	s.served.Add(1)
	s.mu.Unlock()
	s.deliver(&step.ConnState{Conn: c.id, Open: true, Listener: l.Name, Remote: nc.RemoteAddr().String()})
	c.start()
}

// forget drops a connection whose goroutines have ended.
func (s *Server) forget(c *connection) {
	s.mu.Lock()
	delete(s.conns, c.id)
	c.shares.conns--
	s.mu.Unlock()
	s.deliver(&step.ConnState{Conn: c.id})
	s.served.Done()
}
