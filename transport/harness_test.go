package transport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// patience bounds every wait of the tests; none should come near it.
const patience = 20 * time.Second

// echo is a machine that answers every request at once with an empty response, unless handle does otherwise. Events
// other than requests go to seen.
type echo struct {
	handle func(r *step.Request, out *step.Effects) bool // true: it has seen to the request
	seen   chan step.Event
}

func (e *echo) Step(_ core.Now, ev step.Event, out *step.Effects) {
	r, ok := ev.(*step.Request)
	if !ok {
		select {
		case e.seen <- ev:
		default:
		}
		return
	}
	if e.handle == nil || !e.handle(r, out) {
		out.Replies = append(out.Replies, empty(r))
	}
}

func (*echo) EndTurn(core.Now, *step.Effects)         {}
func (*echo) NextDeadline() (mono core.Mono, ok bool) { return 0, false }

// empty is the reply with an empty response.
func empty(r *step.Request) step.Reply {
	return step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Body: r.Body.ResponseKind()}
}

type noDisk struct{}

func (noDisk) Submit(step.DiskOp) {}

// started is a running node.
type started struct {
	*Server
	dialer *Dialer
	seen   chan step.Event
}

// start runs a machine over a server with one listener, and ends both with the test.
func start(t testing.TB, e *echo, opts ServerOptions) *started {
	if len(opts.Listeners) == 0 {
		opts.Listeners = []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}
	}
	if opts.Conn.Versions == nil {
		opts.Conn.Versions = conn.NewVersions(
			conn.VersionRange{Key: wire.KeyProduce, Min: 3, Max: 13}, conn.VersionRange{Key: wire.KeyFetch, Min: 4, Max: 18},
			conn.VersionRange{Key: 3, Min: 0, Max: 13}, conn.VersionRange{Key: wire.KeyApiVersions, Min: 0, Max: 4},
		)
	}
	e.seen = make(chan step.Event, 100_000)
	clock := NewClock()
	loop := NewLoop(clock)
	server, err := Listen(opts, loop.Deliver)
	require.NoError(t, err)
	dialer := NewDialer(DialerOptions{}, loop.Deliver)
	n := node.New(e, clock, Network{Server: server, Dialer: dialer}, noDisk{})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = loop.Run(ctx, n) })
	server.Serve()
	t.Cleanup(func() {
		now, stop := context.WithCancel(context.Background())
		stop()
		require.NoError(t, server.Close(now))
		dialer.Close()
		cancel()
		running.Wait()
		require.Zero(t, server.Connections())
		require.Zero(t, server.shared.budget.used(), "memory that nobody gave back")
		require.Zero(t, server.reserved.budget.used(), "memory that nobody gave back")
	})
	return &started{Server: server, dialer: dialer, seen: e.seen}
}

// await is the next event of a type.
func await[E step.Event](t testing.TB, seen <-chan step.Event) E {
	timeout := time.After(patience)
	for {
		select {
		case ev := <-seen:
			if e, ok := ev.(E); ok {
				return e
			}
		case <-timeout:
			require.FailNow(t, "the event did not come")
		}
	}
}

// awaitClosed waits until the machine has heard that a served connection closed.
func awaitClosed(t testing.TB, seen <-chan step.Event) {
	for await[*step.ConnState](t, seen).Open {
	}
}

// client is a raw connection to a server.
type client struct {
	net.Conn
	t testing.TB
}

func (s *started) dial(t testing.TB) client {
	nc, err := net.Dial("tcp", s.Addr("PLAINTEXT").String())
	require.NoError(t, err)
	require.NoError(t, nc.SetDeadline(time.Now().Add(patience)))
	t.Cleanup(func() { _ = nc.Close() })
	return client{Conn: nc, t: t}
}

func (c client) send(b []byte) {
	_, err := c.Write(b)
	require.NoError(c.t, err)
}

// frame reads one frame.
func (c client) frame() []byte {
	var size [4]byte
	_, err := io.ReadFull(c, size[:])
	require.NoError(c.t, err)
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err = io.ReadFull(c, frame)
	require.NoError(c.t, err)
	return frame
}

// corr reads one frame and returns its correlation id.
func (c client) corr() int32 { return int32(binary.BigEndian.Uint32(c.frame())) }

// ended requires that the server closes the connection in an orderly way and sends nothing more.
func (c client) ended() {
	rest, err := io.ReadAll(c)
	require.NoError(c.t, err)
	require.Empty(c.t, rest)
}

// metadata is the frame of a Metadata request.
func metadata(corr int32) []byte {
	r := kmsg.NewPtrMetadataRequest()
	r.SetVersion(9)
	return wire.AppendRequest(nil, corr, "test", r)
}

// bulky is the frame of a Metadata request of about n bytes; long names keep its memory in proportion.
func bulky(corr int32, n int) []byte {
	r := kmsg.NewPtrMetadataRequest()
	r.SetVersion(9)
	name := string(make([]byte, 4096))
	for range n / len(name) {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &name
		r.Topics = append(r.Topics, topic)
	}
	return wire.AppendRequest(nil, corr, "test", r)
}

// oneFile is a Files with the single file 1, which counts its leases.
type oneFile struct {
	f      *os.File
	leases atomic.Int64
}

func (o *oneFile) Acquire(id step.FileID) (*os.File, func(), bool) {
	if id != 1 {
		return nil, nil, false
	}
	o.leases.Add(1)
	return o.f, sync.OnceFunc(func() { o.leases.Add(-1) }), true
}

// newFile is a file of n arbitrary bytes.
func newFile(t testing.TB, n int) (*oneFile, []byte) {
	content := make([]byte, n)
	_, _ = rand.Read(content)
	path := filepath.Join(t.TempDir(), "segment")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	o := &oneFile{f: f}
	t.Cleanup(func() {
		require.Zero(t, o.leases.Load(), "files that nobody gave back")
		require.NoError(t, f.Close())
	})
	return o, content
}

// certificate is a self-signed pair of configurations.
func certificate(t testing.TB) (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}

// loopback is a pair of connected sockets.
func loopback(t testing.TB) (near, far net.Conn) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer socket.Close()
	near, err = net.Dial("tcp", socket.Addr().String())
	require.NoError(t, err)
	far, err = socket.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}
