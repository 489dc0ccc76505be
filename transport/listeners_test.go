package transport

import (
	"context"
	"net"
	"runtime"
	"testing"

	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// two is a server for clients and for the quorum.
func two() ServerOptions {
	return ServerOptions{
		MaxConnections: 2,
		Listeners: []Listener{
			{Name: "PLAINTEXT", Addr: "127.0.0.1:0"},
			{Name: "CONTROLLER", Addr: "127.0.0.1:0", Reserved: true, Versions: conn.NewVersions(conn.ControllerAPIs()...)},
		},
	}
}

func vote(corr int32) []byte {
	r := kmsg.NewPtrVoteRequest()
	r.SetVersion(2)
	return wire.AppendRequest(nil, corr, "voter", r)
}

func (s *started) dialListener(t testing.TB, name string) client {
	nc, err := net.Dial("tcp", s.Addr(name).String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	return client{Conn: nc, t: t}
}

// TestVersionsOfListeners: each listener has its own table, and the machine hears by which one a connection came.
func TestVersionsOfListeners(t *testing.T) {
	s := start(t, &echo{}, two())
	c := s.dialListener(t, "CONTROLLER")
	require.Equal(t, "CONTROLLER", await[*step.ConnState](t, s.seen).Listener)
	c.send(vote(4))
	require.Equal(t, int32(4), c.corr())
	c.send(metadata(5))
	c.ended()

	c = s.dial(t)
	c.send(metadata(6))
	require.Equal(t, int32(6), c.corr())
	c.send(vote(7))
	c.ended()
}

// TestReserved: clients that take every connection leave those of the quorum alone, and its own bound holds.
func TestReserved(t *testing.T) {
	s := start(t, &echo{}, two())
	for range s.opts.MaxConnections {
		c := s.dial(t)
		c.send(metadata(1))
		c.corr()
	}
	s.dial(t).ended()
	for range s.opts.MaxConnections {
		c := s.dialListener(t, "CONTROLLER")
		c.send(vote(1))
		require.Equal(t, int32(1), c.corr())
	}
	s.dialListener(t, "CONTROLLER").ended()
}

// TestOpenOneByOne: a listener that is released can be taken by others; one that is opened serves, whatever the other
// does.
func TestOpenOneByOne(t *testing.T) {
	s, err := Listen(two(), func(step.Event) {})
	require.NoError(t, err)
	client, controller := s.Addr("PLAINTEXT").String(), s.Addr("CONTROLLER").String()
	require.NoError(t, s.Release("PLAINTEXT"))
	require.Nil(t, s.Addr("PLAINTEXT"))
	_, err = net.Dial("tcp", client)
	require.Error(t, err)
	require.NoError(t, s.Open("CONTROLLER"))
	require.NoError(t, s.Open("CONTROLLER"))
	require.NoError(t, s.Release("CONTROLLER"), "it is open and stays so")
	require.Equal(t, controller, s.Addr("CONTROLLER").String())
	nc, err := net.Dial("tcp", controller)
	require.NoError(t, err)
	require.NoError(t, nc.Close())

	s.opts.Listeners[0].Addr = controller
	require.ErrorContains(t, s.Open("PLAINTEXT"), "listener PLAINTEXT: ")
	require.ErrorContains(t, s.Open("OTHER"), "none of that name")
	s.opts.Listeners[0].Addr = client
	require.NoError(t, s.Bind("PLAINTEXT"))
	require.Equal(t, client, s.Addr("PLAINTEXT").String())
	require.NoError(t, closeAtOnce(s))
	require.ErrorIs(t, s.Bind("PLAINTEXT"), net.ErrClosed)
	require.ErrorIs(t, s.Open("PLAINTEXT"), net.ErrClosed)
	_, err = net.Dial("tcp", client)
	require.Error(t, err, "a closed server opens nothing")
}

// TestManyLinks is a node as it stands in a cluster: it dials eight others twice each, and each link brings large
// responses. Afterwards no link holds on to their memory.
func TestManyLinks(t *testing.T) {
	const peers, links, calls, size = 8, 2, 4, 10 << 20
	file, content := newFile(t, size)
	events := make(chan step.Event, 1000)
	d := NewDialer(DialerOptions{Limits: conn.Limits{MaxFrame: size + 1024}}, func(ev step.Event) { events <- ev })
	defer d.Close()
	for i := range peers {
		s := start(t, &echo{handle: records(size)}, ServerOptions{Files: file})
		for j := range links {
			d.Send(step.Send{Peer: step.PeerID(i*links + j), Kind: step.Dial, Addr: s.Addr("PLAINTEXT").String()})
		}
	}
	outstanding := make(map[step.PeerID]int)
	for peer := range step.PeerID(peers * links) {
		outstanding[peer] = calls
		d.Send(fetchCall(peer, 0))
	}
	for len(outstanding) > 0 {
		r := await[*step.PeerResponse](t, events)
		require.Equal(t, content, r.Body.(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches)
		if outstanding[r.Peer]--; outstanding[r.Peer] > 0 {
			d.Send(fetchCall(r.Peer, r.Corr+1))
			continue
		}
		delete(outstanding, r.Peer)
	}
	// What is left is content, and what the test's other parts hold; a response of each link would be much more.
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	require.Less(t, m.HeapAlloc, uint64(4*size), "%d links received %d bytes each", peers*links, calls*size)
	for peer := range step.PeerID(peers * links) {
		d.Send(step.Send{Peer: peer, Kind: step.Hangup})
	}
	d.Close()
	require.Empty(t, events, "of a link that was hung up nothing is heard")
}

// records answers fetches with one partition that holds size bytes of the file.
func records(size int64) func(r *step.Request, out *step.Effects) bool {
	return func(r *step.Request, out *step.Effects) bool {
		body := r.Body.ResponseKind().(*kmsg.FetchResponse)
		topic := kmsg.NewFetchResponseTopic()
		topic.Partitions = append(topic.Partitions, kmsg.NewFetchResponseTopicPartition())
		body.Topics = append(body.Topics, topic)
		reply := empty(r)
		reply.Body, reply.Spans = body, []step.Span{{File: 1, Len: size}}
		out.Replies = append(out.Replies, reply)
		return true
	}
}

func fetchCall(peer step.PeerID, corr int32) step.Send {
	r := kmsg.NewPtrFetchRequest()
	r.SetVersion(17)
	return step.Send{Peer: peer, Kind: step.Call, Corr: corr, ClientID: "follower", Body: r}
}

// TestOversizedResponse: a response beyond the limit ends the link before memory is taken for it.
func TestOversizedResponse(t *testing.T) {
	const size = 1 << 20
	file, _ := newFile(t, size)
	s := start(t, &echo{handle: records(size)}, ServerOptions{Files: file})
	d, events := heard(t, DialerOptions{Limits: conn.Limits{MaxFrame: size}})
	d.Send(step.Send{Peer: 1, Kind: step.Dial, Addr: s.Addr("PLAINTEXT").String()})
	d.Send(fetchCall(1, 1))
	require.True(t, await[*step.PeerState](t, events).Open)
	require.Contains(t, await[*step.PeerState](t, events).Err, "refused frame length")
}

// closeAtOnce closes a server without waiting for anybody.
func closeAtOnce(s *Server) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return s.Close(ctx)
}
