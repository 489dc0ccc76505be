package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/klamm-log/klamm/core/step"
)

// Server accepts connections and serves them: requests go to the node as events, Reply sends what comes back.
type Server struct {
	opts    ServerOptions
	deliver func(step.Event)
	budget  *budget

	sockets []net.Listener // parallel to opts.Listeners
	accepts sync.WaitGroup // accepting goroutines
	served  sync.WaitGroup // connections

	mu     sync.RWMutex
	conns  map[step.ConnID]*connection
	lastID step.ConnID
	closed bool
}

// Listen binds all listeners. Nothing is accepted before Serve. Events go to deliver, which must not block.
func Listen(opts ServerOptions, deliver func(step.Event)) (*Server, error) {
	opts = opts.withDefaults()
	if opts.Conn.Heavy == nil {
		opts.Conn.Heavy = oneAtATime()
	}
	s := &Server{
		opts: opts, deliver: deliver, budget: newBudget(opts.MaxRequestBytes),
		conns: make(map[step.ConnID]*connection),
	}
	for _, l := range opts.Listeners {
		socket, err := net.Listen("tcp", l.Addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listener %s: %w", l.Name, err), s.closeSockets())
		}
		s.sockets = append(s.sockets, socket)
	}
	return s, nil
}

// Addr is the bound address of the named listener, or nil if there is none.
func (s *Server) Addr(listener string) net.Addr {
	for i := range s.sockets {
		if s.opts.Listeners[i].Name == listener {
			return s.sockets[i].Addr()
		}
	}
	return nil
}

// Serve starts accepting.
func (s *Server) Serve() {
	for i := range s.sockets {
		s.accepts.Add(1)
		go s.accept(s.sockets[i], &s.opts.Listeners[i])
	}
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
	s.closed = true
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
	var errs []error
	for _, socket := range s.sockets {
		if err := socket.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
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
	s.mu.Lock()
	if s.closed || len(s.conns) >= s.opts.MaxConnections {
		s.mu.Unlock()
		_ = nc.Close()
		return
	}
	s.lastID++
	c := newConnection(s, s.lastID, nc, tcp)
	s.conns[c.id] = c
	s.served.Add(1)
	s.mu.Unlock()
	s.deliver(&step.ConnState{Conn: c.id, Open: true, Listener: l.Name, Remote: nc.RemoteAddr().String()})
	c.start()
}

// forget drops a connection whose goroutines have ended.
func (s *Server) forget(c *connection) {
	s.mu.Lock()
	delete(s.conns, c.id)
	s.mu.Unlock()
	s.deliver(&step.ConnState{Conn: c.id})
	s.served.Done()
}
