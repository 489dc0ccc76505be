package transport

import (
	"net"
	"testing"

	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// heard is a dialer whose events come over a channel.
func heard(t testing.TB, opts DialerOptions) (*Dialer, chan step.Event) {
	events := make(chan step.Event, 10_000)
	d := NewDialer(opts, func(ev step.Event) { events <- ev })
	t.Cleanup(d.Close)
	return d, events
}

func call(peer step.PeerID, corr int32) step.Send {
	r := kmsg.NewPtrMetadataRequest()
	r.SetVersion(9)
	return step.Send{Peer: peer, Kind: step.Call, Corr: corr, ClientID: "dialer", Body: r}
}

// TestDialAndCall queues calls before the connection is open; the responses come in order.
func TestDialAndCall(t *testing.T) {
	serverTLS, clientTLS := certificate(t)
	for name, listener := range map[string]Listener{"plain": {}, "tls": {TLS: serverTLS}} {
		t.Run(name, func(t *testing.T) {
			listener.Name, listener.Addr = "L", "127.0.0.1:0"
			s := start(t, &echo{}, ServerOptions{Listeners: []Listener{listener}})
			opts := DialerOptions{}
			if listener.TLS != nil {
				opts.TLS = clientTLS
			}
			d, events := heard(t, opts)
			d.Send(step.Send{Peer: 9, Kind: step.Dial, Addr: s.Addr("L").String()})
			for corr := range int32(1_000) {
				d.Send(call(9, corr))
			}
			require.Equal(t, &step.PeerState{Peer: 9, Open: true}, await[*step.PeerState](t, events))
			for corr := range int32(1_000) {
				response := await[*step.PeerResponse](t, events)
				require.Equal(t, step.PeerID(9), response.Peer)
				require.Equal(t, corr, response.Corr)
				require.IsType(t, &kmsg.MetadataResponse{}, response.Body)
			}
		})
	}
}

func TestDialFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := taken.Addr().String()
	require.NoError(t, taken.Close())
	d, events := heard(t, DialerOptions{})
	d.Send(step.Send{Peer: 1, Kind: step.Dial, Addr: addr})
	d.Send(call(1, 1))
	state := await[*step.PeerState](t, events)
	require.False(t, state.Open)
	require.NotEmpty(t, state.Err)
}

// TestServerGoes: the machine hears that the connection closed, once, with a reason.
func TestServerGoes(t *testing.T) {
	s := start(t, &echo{handle: func(r *step.Request, out *step.Effects) bool {
		out.Replies = append(out.Replies, step.Reply{Conn: r.Conn, Seq: r.Seq, Close: true})
		return true
	}}, ServerOptions{})
	d, events := heard(t, DialerOptions{})
	d.Send(step.Send{Peer: 1, Kind: step.Dial, Addr: s.Addr("PLAINTEXT").String()})
	require.True(t, await[*step.PeerState](t, events).Open)
	d.Send(call(1, 1))
	state := await[*step.PeerState](t, events)
	require.False(t, state.Open)
	require.NotEmpty(t, state.Err)
	d.Send(call(1, 2)) // dropped
	d.Send(step.Send{Peer: 1, Kind: step.Hangup})
	d.Close()
	require.Empty(t, events)
}

// TestHangup: nothing is heard of the connection afterwards, and the server sees it close.
func TestHangup(t *testing.T) {
	s := start(t, &echo{}, ServerOptions{})
	d, events := heard(t, DialerOptions{})
	d.Send(step.Send{Peer: 1, Kind: step.Dial, Addr: s.Addr("PLAINTEXT").String()})
	require.True(t, await[*step.PeerState](t, events).Open)
	d.Send(step.Send{Peer: 1, Kind: step.Hangup})
	awaitClosed(t, s.seen)
	d.Send(step.Send{Peer: 2, Kind: step.Dial, Addr: s.Addr("PLAINTEXT").String()})
	d.Send(step.Send{Peer: 2, Kind: step.Hangup}) // perhaps still dialling
	d.Close()
	require.Empty(t, events)
}

// TestWrongResponse: a server that answers what was not asked is left.
func TestWrongResponse(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer socket.Close()
	go func() {
		nc, err := socket.Accept()
		if err != nil {
			return
		}
		_, _ = nc.Write(wire.AppendResponse(nil, 77, 9, kmsg.NewPtrMetadataResponse()))
	}()
	d, events := heard(t, DialerOptions{})
	d.Send(step.Send{Peer: 1, Kind: step.Dial, Addr: socket.Addr().String()})
	d.Send(call(1, 1))
	require.True(t, await[*step.PeerState](t, events).Open)
	require.Contains(t, await[*step.PeerState](t, events).Err, "response without its request")
}
