// Package host runs a node in this process: the machine of core/broker in a loop, over a real disk and real sockets.
//
// A [Node] begins to recover when it is started. Each of its listeners opens when the machine says so: those of the
// controller before there is a cluster to serve, because the quorum is formed over them, those for clients once the broker
// serves. It ends by [Node.Shutdown], by [Node.Kill], or by itself when its machine halts; [Node.Done] tells, and
// [Node.Err] says why.
package host

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/hooked"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/disk"
	"github.com/klamm-log/klamm/transport"
)

// Options is what a node is made of. Zero values are defaults.
type Options struct {
	Config config.Broker     // resolved; needed
	Static map[string]string // the properties that Config was resolved from
	Dir    string            // data directory; empty is Config.LogDir
	Disk   disk.Options
	Server transport.ServerOptions // Listeners, Conn.Versions and Files are the node's own
	Dialer transport.DialerOptions // Limits.MaxFrame is the node's own if it is 0
	// Linger bounds how long a shutdown waits for connections after the broker has ended. Default 500 ms.
	Linger time.Duration
}

// Error is why a node ended or could not begin.
type Error struct {
	Config bool // the configuration, or what it points to, is not what it should be
	Taken  bool // the data directory or an address is in use
	Err    error
}

// Error is the text for the operator.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Node is a running node.
type Node struct {
	opts   Options // with the ports that the system chose
	began  time.Time
	addrs  map[string]net.Addr // of the listeners
	broker *broker.Broker
	hooks  *hooked.Machine
	disk   *disk.Disk
	server *transport.Server
	dialer *transport.Dialer
	memory transport.Rooms // of large frames, for server and dialer
	loop   *transport.Loop
	cancel context.CancelFunc

	serving chan struct{} // closed
	halted  chan struct{} // closed: the broker has ended
	done    chan struct{} // closed: all has ended
	stop    sync.Once     // the beginning of the end
	killed  atomic.Bool

	// Of the loop's goroutine.
	closed  []string // listeners that are not open yet
	refused bool     // clients are not let in any more
	served  bool     // serving is closed
	ended   bool     // halted is closed

	// Written by the loop's goroutine before serving or halted is closed, read after.
	clusterID string
	recovery  time.Duration
	err       error
	waiting   atomic.Pointer[string]
	notices   chan string
}

// Start claims the data directory and begins recovery. It does not wait for the broker to serve.
func Start(o Options) (*Node, error) {
	if o.Dir == "" {
		o.Dir = o.Config.LogDir
	}
	if o.Linger <= 0 {
		o.Linger = 500 * time.Millisecond
	}
	clock := transport.NewClock()
	n := &Node{
		opts: o, began: time.Now(), loop: transport.NewLoop(clock), addrs: make(map[string]net.Addr),
		serving: make(chan struct{}), halted: make(chan struct{}), done: make(chan struct{}),
		notices: make(chan string, unread),
	}
	if err := n.bind(); err != nil {
		return nil, &Error{Taken: true, Err: err}
	}
	n.dialer = transport.NewDialer(n.dialerOptions(), n.loop.Deliver)
	var err error
	if n.disk, err = disk.Open(o.Dir, n.loop.Deliver, o.Disk); err != nil {
		n.closeServer(0)
		n.dialer.Close()
		return nil, &Error{Taken: errors.Is(err, disk.ErrLocked), Err: err}
	}
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	n.broker = broker.New(broker.Options{
		Config: n.opts.Config, Static: o.Static, Seed: binary.LittleEndian.Uint64(seed[:]),
	})
	n.hooks = hooked.Wrap(n.broker, hooked.Hooks{
		After: func(core.Now) { n.look() },
		Wake:  func(ev *step.Tick) { n.loop.Deliver(ev) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	ended := make(chan struct{})
	network := transport.Network{Server: n.server, Dialer: n.dialer, Memory: &n.memory}
	go func() {
		defer close(ended)
		_ = n.loop.Run(ctx, node.New(n.hooks, clock, network, n.disk)) // ends with ctx only
	}()
	go n.supervise(ended)
	return n, nil
}

// dialerOptions bounds responses by what other nodes may honestly send: as many records as a follower asks for, or one
// batch that is larger, which a producer's frame has brought, and what stands around them.
func (n *Node) dialerOptions() transport.DialerOptions {
	o := n.opts.Dialer
	o.Memory = &n.memory
	if o.Limits.MaxFrame == 0 {
		const around = 32 << 20
		records := max(int64(n.opts.Config.ReplicaFetchResponseMaxBytes), int64(n.opts.Server.Conn.Limits.MaxFrame), int64(conn.DefaultMaxFrame))
		o.Limits.MaxFrame = int32(min(records+around, math.MaxInt32))
	}
	return o
}

// bind tries the addresses, so that one that is taken is known before a long recovery. They are let go again: nobody
// is to connect before the listener opens. Ports that the system chooses are kept, because they are advertised.
func (n *Node) bind() error {
	cfg := &n.opts.Config
	cfg.Listeners, cfg.ControllerListeners = slices.Clone(cfg.Listeners), slices.Clone(cfg.ControllerListeners)
	n.server = transport.NewServer(n.serverOptions(), n.loop.Deliver)
	for _, l := range n.everyListener() {
		if err := n.server.Bind(l.Name); err != nil {
			return errors.Join(err, closeNow(n.server))
		}
		n.closed = append(n.closed, l.Name)
	}
	for _, l := range n.everyListener() {
		tcp, ok := n.server.Addr(l.Name).(*net.TCPAddr)
		n.addrs[l.Name] = n.server.Addr(l.Name)
		if !ok || !strings.HasSuffix(l.Bind, ":0") {
			if err := n.server.Release(l.Name); err != nil {
				return errors.Join(err, closeNow(n.server))
			}
			continue
		}
		l.Bind = strings.TrimSuffix(l.Bind, "0") + fmt.Sprint(tcp.Port)
		if l.AdvertisedPort == 0 {
			l.AdvertisedPort = int32(tcp.Port)
		}
	}
	cfg.Voters = slices.Clone(cfg.Voters)
	for i := range cfg.Voters {
		if v := &cfg.Voters[i]; v.ID == cfg.NodeID && v.Port == 0 && len(cfg.ControllerListeners) > 0 {
			v.Port = cfg.ControllerListeners[0].AdvertisedPort
		}
	}
	return nil
}

// everyListener is the listeners of both kinds, the controller's first.
func (n *Node) everyListener() []*config.Listener {
	var out []*config.Listener
	for i := range n.opts.Config.ControllerListeners {
		out = append(out, &n.opts.Config.ControllerListeners[i])
	}
	for i := range n.opts.Config.Listeners {
		out = append(out, &n.opts.Config.Listeners[i])
	}
	return out
}

// serverOptions gives each listener what it accepts. The controller's do not share their bounds with clients.
func (n *Node) serverOptions() transport.ServerOptions {
	o := n.opts.Server
	o.Listeners = nil
	controller := conn.NewVersions(conn.ControllerAPIs()...)
	for _, l := range n.opts.Config.ControllerListeners {
		o.Listeners = append(o.Listeners, transport.Listener{Name: l.Name, Addr: l.Bind, Versions: controller, Reserved: true})
	}
	for _, l := range n.opts.Config.Listeners {
		o.Listeners = append(o.Listeners, transport.Listener{Name: l.Name, Addr: l.Bind})
	}
	o.Conn.Memory = &n.memory
	o.Conn.Versions = conn.NewVersions(broker.APIs()...)
	o.Files = files{n}
	return o
}

// files lends the files of the node's disk, which does not exist yet when the server is made.
type files struct{ n *Node }

// Acquire implements transport.Files. It is called for replies only, and so after the disk was opened.
func (f files) Acquire(id step.FileID) (file *os.File, release func(), ok bool) {
	return f.n.disk.Acquire(id)
}

// closeNow closes a server without waiting for anybody.
func closeNow(s *transport.Server) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return s.Close(ctx)
}

// look is called after each turn, on the loop's goroutine.
func (n *Node) look() {
	for _, words := range n.broker.Notices() {
		select {
		case n.notices <- words:
		default: // nobody reads; a loop that waited for a terminal would serve nobody
		}
	}
	if why, clean, halted := n.broker.Halted(); halted {
		n.end(why, clean)
		return
	}
	if n.served {
		n.refuse()
		return
	}
	n.closed = slices.DeleteFunc(n.closed, func(listener string) bool {
		if n.err != nil || !n.broker.Listening(listener) {
			return false
		}
		if err := n.server.Open(listener); err != nil {
			n.err = &Error{Taken: true, Err: err}
			n.broker.Shutdown()
		}
		return n.err == nil
	})
	why := n.broker.Waiting()
	n.waiting.Store(&why)
	if n.served = len(n.closed) == 0 && n.broker.Serving(); n.served {
		n.clusterID, n.recovery = n.broker.ClusterID(), time.Since(n.began)
		close(n.serving)
	}
}

// Waiting says what a node that does not serve yet waits for, in words; empty if only for its disk.
func (n *Node) Waiting() string {
	if why := n.waiting.Load(); why != nil {
		return *why
	}
	return ""
}

// unread is how many notices may wait for somebody to read them; later ones are dropped.
const unread = 1000

// Notices brings what an operator should know while the node runs, in words. It is never closed.
func (n *Node) Notices() <-chan string { return n.notices }

// refuse closes the doors of a node that is about to end: who connects then would be cut off in the middle of a greeting.
func (n *Node) refuse() {
	if n.refused {
		return
	}
	for _, l := range n.opts.Config.Listeners {
		if !n.broker.Listening(l.Name) {
			n.refused = true
			n.server.Refuse(l.Name)
		}
	}
}

// end notes that the broker has ended.
func (n *Node) end(why string, clean bool) {
	if n.ended {
		return
	}
	n.ended = true
	if !clean && n.err == nil {
		// The broker refuses a data directory that is not its own in words that begin so.
		n.err = &Error{Config: strings.HasPrefix(why, "the data directory"), Err: errors.New(why)}
	}
	close(n.halted)
}

// supervise takes the node apart once its broker has ended. ended is closed when the loop has.
func (n *Node) supervise(ended <-chan struct{}) {
	select {
	case <-n.halted:
	case <-ended: // killed
	}
	if n.killed.Load() {
		n.closeServer(0)
	} else {
		n.closeServer(n.opts.Linger)
	}
	n.cancel()
	<-ended
	n.dialer.Close()
	if err := n.disk.Close(); err != nil && n.err == nil {
		n.err = &Error{Err: fmt.Errorf("closing the data directory: %w", err)}
	}
	close(n.done)
}

// closeServer lets answers that are on their way out leave for a while.
func (n *Node) closeServer(linger time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	_ = n.server.Close(ctx) // sockets that do not close are nobody's loss now
}

// Shutdown begins an orderly end and returns at once; Done tells when it is complete.
func (n *Node) Shutdown() {
	n.stop.Do(func() { n.hooks.Do(func(core.Now) { n.broker.Shutdown() }) })
}

// Kill ends the node as kill -9 would: what the broker has handed to the system stays, nothing else does. It waits.
func (n *Node) Kill() {
	n.killed.Store(true)
	n.cancel()
	<-n.done
}

// Serving is closed when clients are answered. A node may end before.
func (n *Node) Serving() <-chan struct{} { return n.serving }

// Done is closed when the node has ended and the data directory is free.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err is why the node has ended, nil for an orderly end. To be called after Done. It is an [*Error].
func (n *Node) Err() error { return n.err }

// Addr is the bound address of a listener, nil if there is none.
func (n *Node) Addr(listener string) net.Addr { return n.addrs[listener] }

// Listeners are the node's listeners for clients, with the ports that the system chose.
func (n *Node) Listeners() []config.Listener { return n.opts.Config.Listeners }

// ControllerListeners are the node's listeners for the quorum, with the ports that the system chose.
func (n *Node) ControllerListeners() []config.Listener { return n.opts.Config.ControllerListeners }

// ClusterID is the cluster's identity. To be called after Serving.
func (n *Node) ClusterID() string { return n.clusterID }

// Recovery is the time from Start to Serving. To be called after Serving.
func (n *Node) Recovery() time.Duration { return n.recovery }

// NodeID is the node's number in the cluster.
func (n *Node) NodeID() core.NodeID { return n.opts.Config.NodeID }

// Dir is the data directory.
func (n *Node) Dir() string { return n.opts.Dir }
