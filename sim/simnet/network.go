package simnet

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/prng"
)

// Host names a machine of the simulated network, by the index that the world gave it.
type Host int32

// Conn names a connection; ids are never reused.
type Conn uint32

// Side is an end of a connection.
type Side uint8

// The two ends.
const (
	Dialer   Side = 0
	Acceptor Side = 1
)

// Other is the opposite end.
func (s Side) Other() Side { return 1 - s }

// Config holds what does not change during a run; zero fields get the defaults named.
type Config struct {
	BaseLatency   core.Mono // least latency of a link, default 100 us
	Jitter        core.Mono // added at most, small values likelier, default 400 us
	DialTimeout   core.Mono // default 2 s
	WindowBytes   int64     // in flight per pipe before the connection is given up, default 64 MiB
	FragmentBytes int64     // if set, writes arrive in pieces of random size up to this
}

func (c Config) withDefaults() Config {
	if c.BaseLatency == 0 {
		c.BaseLatency = 100 * core.Microsecond
	}
	if c.Jitter == 0 {
		c.Jitter = 400 * core.Microsecond
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = 2 * core.Second
	}
	if c.WindowBytes == 0 {
		c.WindowBytes = 64 << 20
	}
	return c
}

// EventKind says what a network event tells an end of a connection.
type EventKind uint8

// The kinds of Event.
const (
	Opened EventKind = iota + 1 // to the acceptor first, then to the dialer
	Data                        // bytes arrived
	Closed                      // the connection is over; the last event of this side
)

// Event is what arrives at one end of a connection.
type Event struct {
	Kind  EventKind
	Conn  Conn
	Side  Side
	Host  Host   // where it arrives
	Bytes []byte // Data; the receiver's to keep
	Why   string // Closed
}

// Network is the simulated network.
type Network struct {
	cfg    Config
	rand   *prng.Rand
	names  map[Host]string
	links  map[linkKey]*link
	listen map[string]Host
	conns  []*conn
	timers deadline.Heap[timer]
	fired  Faults
	sent   func(Conn, Side, []byte) // nil: nobody watches
}

// Observe makes f see the bytes that a side puts into a connection, before they travel. Bytes written to a connection
// that is over, or too many for its window, are not among them.
func (n *Network) Observe(f func(c Conn, from Side, b []byte)) { n.sent = f }

// Faults counts what faults did, by kind, for reports.
type Faults struct {
	Delayed int64 // deliveries held by a cut or stall
	Resets  int64
	Halved  int64 // half-open connections
	Lost    int64 // bytes that were written and never arrived
	Refused int64 // dials that failed
}

type linkKey struct{ from, to Host }

// link is a directed link's state.
type link struct {
	rand  *prng.Rand
	cut   int // number of faults that cut it now
	extra core.Mono
	apis  []int16  // request keys that stall
	addrs []string // connections dialled to them stall
}

// timer is an entry of the event heap: something becomes due on a pipe or a connection.
type timer struct {
	conn Conn
	side Side // of the receiver
	kind timerKind
}

type timerKind uint8

const (
	timerArrive timerKind = iota
	timerDialTimeout
)

// New is a network without hosts.
func New(rand *prng.Rand, cfg Config) *Network {
	return &Network{
		cfg: cfg.withDefaults(), rand: rand,
		names: make(map[Host]string), links: make(map[linkKey]*link), listen: make(map[string]Host),
	}
}

// Fired is the count of fault effects so far.
func (n *Network) Fired() Faults { return n.fired }

// Name gives a host the name by which its links draw their latencies. A host without one goes by its number, and with the
// number of another host its luck would change.
func (n *Network) Name(h Host, name string) { n.names[h] = name }

func (n *Network) name(h Host) string {
	if name, ok := n.names[h]; ok {
		return name
	}
	return strconv.Itoa(int(h))
}

// Listen makes dials to addr reach a host. Dials to an address nobody listens on are refused.
func (n *Network) Listen(addr string, h Host) { n.listen[addr] = h }

// Unlisten refuses further dials to addr; open connections stay.
func (n *Network) Unlisten(addr string) { delete(n.listen, addr) }

func (n *Network) link(from, to Host) *link {
	k := linkKey{from, to}
	l := n.links[k]
	if l == nil {
		l = &link{rand: n.rand.Fork("link/" + n.name(from) + "->" + n.name(to))}
		n.links[k] = l
	}
	return l
}

// latency draws the delay of one delivery.
func (n *Network) latency(l *link) core.Mono {
	return n.cfg.BaseLatency + core.Mono(l.rand.Skewed(int64(n.cfg.Jitter)+1)) + l.extra
}

// NextDeadline is when Poll next has something to deliver.
func (n *Network) NextDeadline() (core.Mono, bool) { return n.timers.Next() }

// Poll delivers all that is due, in (time, order of sending).
func (n *Network) Poll(now core.Mono, deliver func(Event)) {
	for {
		t, ok := n.timers.PopDue(now)
		if !ok {
			return
		}
		c := n.conns[t.conn]
		switch t.kind {
		case timerArrive:
			n.arrive(now, c, t.side, deliver)
		case timerDialTimeout:
			n.dialTimedOut(now, c, deliver)
		}
	}
}
