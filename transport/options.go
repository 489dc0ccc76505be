package transport

import (
	"crypto/tls"
	"os"
	"time"

	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
)

// Files lends the files that spans name; disk.Disk is one. The bytes stay readable until release is called.
type Files interface {
	Acquire(id step.FileID) (f *os.File, release func(), ok bool)
}

// Listener is an address to accept connections at.
type Listener struct {
	Name string // as in Kafka's "listeners", for instance "PLAINTEXT"
	Addr string // "host:port"; port 0 lets the system choose
	// TLS makes it an encrypted listener. Records are then copied through the process: sendfile cannot encrypt.
	TLS *tls.Config
	// Versions are the requests that it accepts; nil stands for ServerOptions.Conn.Versions.
	Versions *conn.Versions
	// Reserved keeps it out of what all other listeners share: MaxConnections and MaxRequestBytes apply to the reserved
	// ones by themselves. Kafka gives controllers listeners of their own so that a crowd of clients cannot hold up the
	// quorum; a shared bound would bring the crowd back in.
	Reserved bool
}

// ServerOptions says how connections are served. Zero values are defaults.
type ServerOptions struct {
	Listeners []Listener
	Conn      conn.Config
	Files     Files // may be nil if no reply has spans

	// MaxConnections bounds the connections of all listeners together (max.connections), see Listener.Reserved. A connection beyond it is
	// closed as soon as it is accepted. Default 20,000.
	MaxConnections int
	// MaxRequestBytes bounds the memory of all requests that are being received or processed
	// (queued.max.request.bytes). Beyond it connections are not read from. It may be passed by one buffer per
	// connection. Default 512 MiB.
	MaxRequestBytes int64
	// StallTimeout closes a connection that does not move: a frame that got less than 16 KiB further in that time, a
	// response of which nothing could be sent. Default 30 s.
	StallTimeout time.Duration
	// IdleTimeout closes a connection without requests (connections.max.idle.ms). Default 10 min.
	IdleTimeout time.Duration
	// DrainTimeout bounds the wait for the last responses of a connection that will send no more. Default 30 s.
	DrainTimeout time.Duration
	// CopyBelow is the size in bytes below which a span is copied instead of sent by sendfile; negative copies all.
	// Default 64 KiB, where both cost the same on loopback.
	CopyBelow int64
}

func (o ServerOptions) withDefaults() ServerOptions {
	setDefault(&o.MaxConnections, 20_000)
	setDefault(&o.MaxRequestBytes, 512<<20)
	setDefault(&o.StallTimeout, 30*time.Second)
	setDefault(&o.IdleTimeout, 10*time.Minute)
	setDefault(&o.DrainTimeout, 30*time.Second)
	setDefault(&o.CopyBelow, 64<<10)
	return o
}

// DialerOptions says how connections are opened. Zero values are defaults.
type DialerOptions struct {
	Limits conn.Limits
	Memory conn.Memory // of large responses; nil is the heap
	TLS    *tls.Config // encrypts; nil does not
	// DialTimeout bounds the opening of a connection. Default 10 s.
	DialTimeout time.Duration
	// StallTimeout closes a connection of which nothing could be sent, or that stopped within a response. Default 30 s.
	StallTimeout time.Duration
}

func (o DialerOptions) withDefaults() DialerOptions {
	setDefault(&o.DialTimeout, 10*time.Second)
	setDefault(&o.StallTimeout, 30*time.Second)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
