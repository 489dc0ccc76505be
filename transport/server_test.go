package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestRoundTrip(t *testing.T) {
	s := start(t, &echo{}, ServerOptions{})
	c := s.dial(t)
	for corr := range int32(100) {
		c.send(metadata(corr))
		require.Equal(t, corr, c.corr())
	}
	opened := await[*step.ConnState](t, s.seen)
	require.True(t, opened.Open)
	require.Equal(t, "PLAINTEXT", opened.Listener)
	require.Equal(t, c.LocalAddr().String(), opened.Remote)
	require.NoError(t, c.Close())
	closed := await[*step.ConnState](t, s.seen)
	require.Equal(t, step.ConnState{Conn: opened.Conn}, *closed)
}

// TestPipelinedOrder sends many requests without waiting; the machine answers each turn's backwards.
func TestPipelinedOrder(t *testing.T) {
	var held []step.Reply
	s := start(t, &echo{handle: func(r *step.Request, out *step.Effects) bool {
		held = append(held, empty(r))
		if r.Corr%8 == 7 {
			for i := len(held) - 1; i >= 0; i-- {
				out.Replies = append(out.Replies, held[i])
			}
			held = held[:0]
		}
		return true
	}}, ServerOptions{})
	c := s.dial(t)
	const n = 8 * 500
	go func() {
		for corr := range int32(n) {
			if _, err := c.Write(metadata(corr)); err != nil {
				return
			}
		}
	}()
	for corr := range int32(n) {
		require.Equal(t, corr, c.corr())
	}
}

// TestLimitInFlight: a client that sends without end is not read beyond the limit.
func TestLimitInFlight(t *testing.T) {
	var mu sync.Mutex
	var held []step.Reply
	arrived := make(chan int, 100)
	opts := ServerOptions{Conn: conn.Config{Limits: conn.Limits{InFlight: 4}}}
	opts.Conn.Versions = conn.NewVersions(conn.VersionRange{Key: 3, Min: 0, Max: 13})
	s := start(t, &echo{handle: func(r *step.Request, _ *step.Effects) bool {
		mu.Lock()
		defer mu.Unlock()
		held = append(held, empty(r))
		arrived <- len(held)
		return true
	}}, opts)
	c := s.dial(t)
	for corr := range int32(10) {
		c.send(metadata(corr))
	}
	for want := 1; want <= 4; want++ {
		require.Equal(t, want, <-arrived)
	}
	for i := range 6 { // each answer lets one more in
		select {
		case <-arrived:
			require.Fail(t, "a request beyond the limit")
		default:
		}
		mu.Lock()
		first := held[i]
		mu.Unlock()
		s.Reply(first)
		require.Equal(t, int32(i), c.corr())
		require.Equal(t, 5+i, <-arrived)
	}
	for i := 6; i < 10; i++ {
		s.Reply(held[i])
		require.Equal(t, int32(i), c.corr())
	}
}

// TestBadFrames: each connection that misbehaves is closed, after the good request before was answered, and a
// neighbour notices nothing.
func TestBadFrames(t *testing.T) {
	s := start(t, &echo{}, ServerOptions{})
	neighbour := s.dial(t)
	cases := map[string][]byte{
		"negative":   {0xff, 0xff, 0xff, 0xff},
		"oversized":  {0x7f, 0xff, 0xff, 0xff},
		"unknown":    {0, 0, 0, 10, 3, 232, 0, 0, 0, 0, 0, 1, 255, 255},
		"truncated":  {0, 0, 0, 12, 0, 3, 0, 1, 0, 0, 0, 1, 255, 255, 0, 0},
		"http":       []byte("GET / HTTP/1.1\r\nHost: klamm\r\n\r\n"),
		"a megabyte": append([]byte{0xff, 0xff, 0xff, 0xff}, make([]byte, 1<<20)...),
	}
	for name, bad := range cases {
		t.Run(name, func(t *testing.T) {
			c := s.dial(t)
			c.send(metadata(1))
			go func() { _, _ = c.Write(bad) }()
			require.Equal(t, int32(1), c.corr())
			c.ended()
			neighbour.send(metadata(2))
			require.Equal(t, int32(2), neighbour.corr())
		})
	}
	t.Run("noise", func(t *testing.T) {
		for seed := range 50 {
			c := s.dial(t)
			noise := bytes.Repeat([]byte(fmt.Sprint("noise", seed, "\x00\x00")), 100)
			c.send(noise[seed:])
			require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
			_, _ = io.Copy(io.Discard, c)
		}
		neighbour.send(metadata(3))
		require.Equal(t, int32(3), neighbour.corr())
	})
}

// TestHalfClose: a client that sends, ends its direction and then reads gets all answers.
func TestHalfClose(t *testing.T) {
	s := start(t, &echo{}, ServerOptions{})
	c := s.dial(t)
	for corr := range int32(20) {
		c.send(metadata(corr))
	}
	require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
	for corr := range int32(20) {
		require.Equal(t, corr, c.corr())
	}
	c.ended()
	awaitClosed(t, s.seen)
}

// TestSilenceAndClose: acks=0 has no response; its failure closes the connection (KAFKA.md 29).
func TestSilenceAndClose(t *testing.T) {
	s := start(t, &echo{handle: func(r *step.Request, out *step.Effects) bool {
		reply := empty(r)
		switch r.Corr {
		case 1:
			reply.Body = nil
		case 3:
			reply.Body, reply.Close = nil, true
		}
		out.Replies = append(out.Replies, reply)
		return true
	}}, ServerOptions{})
	c := s.dial(t)
	c.send(bytes.Join([][]byte{metadata(1), metadata(2), metadata(3), metadata(4)}, nil))
	require.Equal(t, int32(2), c.corr())
	c.ended()
}

// TestMute: the response goes out first, then the connection is not served for a while (KIP-219).
func TestMute(t *testing.T) {
	const muted = 80 * time.Millisecond
	s := start(t, &echo{handle: func(r *step.Request, out *step.Effects) bool {
		reply := empty(r)
		if r.Corr == 1 {
			reply.MuteFor = int32(muted / time.Millisecond)
		}
		out.Replies = append(out.Replies, reply)
		return true
	}}, ServerOptions{})
	c := s.dial(t)
	begun := time.Now() // before the first request, so that a slow machine only makes it more
	c.send(metadata(1))
	require.Equal(t, int32(1), c.corr())
	c.send(metadata(2))
	require.Equal(t, int32(2), c.corr())
	require.GreaterOrEqual(t, time.Since(begun), muted)
}

func TestMaxConnections(t *testing.T) {
	s := start(t, &echo{}, ServerOptions{MaxConnections: 2})
	first, second := s.dial(t), s.dial(t)
	for _, c := range []client{first, second} {
		c.send(metadata(1))
		c.corr()
	}
	third := s.dial(t)
	third.ended()
	require.NoError(t, first.Close())
	awaitClosed(t, s.seen)
	fourth := s.dial(t)
	fourth.send(metadata(1))
	require.Equal(t, int32(1), fourth.corr())
}

// TestBudget: many connections send far more than the server may hold; all are answered, one after the other, and
// the limit is passed by no more than a buffer per connection, which is up to a quarter larger than the frame.
func TestBudget(t *testing.T) {
	const limit, size, conns = 1 << 20, 1 << 20, 6
	var s *started
	most := int64(0)
	s = start(t, &echo{handle: func(*step.Request, *step.Effects) bool {
		most = max(most, s.shared.budget.used())
		return false
	}}, ServerOptions{MaxRequestBytes: limit})
	var group sync.WaitGroup
	for range conns {
		c := s.dial(t)
		group.Go(func() {
			for corr := range int32(5) {
				if _, err := c.Write(bulky(corr, size)); err != nil || c.corr() != corr {
					t.Error("not answered", corr, err)
					return
				}
			}
		})
	}
	group.Wait()
	require.Positive(t, most)
	require.LessOrEqual(t, most, int64(limit+conns*(size+size/4+128<<10)))
}

// TestMemoryThatIsBack: requests that wait and have given their memory back hold up nobody. Among those whom they would hold up are the followers
// that they wait for.
func TestMemoryThatIsBack(t *testing.T) {
	const limit, size, requests = 1 << 20, 400_000, 10
	waiting := make(chan step.Reply, requests)
	s := start(t, &echo{handle: func(r *step.Request, out *step.Effects) bool {
		if r.Frame == nil {
			return false
		}
		out.Spent = append(out.Spent, r.Frame)
		waiting <- empty(r)
		return true
	}}, ServerOptions{MaxRequestBytes: limit})
	producer, follower := s.dial(t), s.dial(t)
	records := kmsg.NewProduceRequestTopicPartition()
	records.Records = make([]byte, size)
	request := kmsg.NewPtrProduceRequest()
	request.SetVersion(9)
	request.Topics = []kmsg.ProduceRequestTopic{{Topic: "t", Partitions: []kmsg.ProduceRequestTopicPartition{records}}}
	for corr := range int32(requests) {
		producer.send(wire.AppendRequest(nil, corr, "test", request))
	}
	require.Eventually(t, func() bool { return len(waiting) >= limit/size }, patience, time.Millisecond)
	for corr := range int32(3) { // of a connection that is being read already one would get through in any case
		follower.send(metadata(corr))
		require.Equal(t, corr, follower.corr())
	}
	for corr := range int32(requests) {
		s.Reply(<-waiting)
		require.Equal(t, corr, producer.corr())
	}
	require.Eventually(t, func() bool { return s.shared.budget.used() < size }, patience, time.Millisecond)
	require.Empty(t, s.frames.of)
}

// TestStalledFrame: a frame that does not grow closes its connection, and the machine never hears of the request.
func TestStalledFrame(t *testing.T) {
	for _, n := range []int{1, 4, 9} { // within its length, before and within its content
		s := start(t, &echo{}, ServerOptions{StallTimeout: 50 * time.Millisecond})
		c := s.dial(t)
		c.send(metadata(1)[:n])
		c.ended()
	}
}

func TestIdleConnection(t *testing.T) {
	s := start(t, &echo{}, ServerOptions{IdleTimeout: 50 * time.Millisecond})
	c := s.dial(t)
	c.send(metadata(1))
	require.Equal(t, int32(1), c.corr())
	c.ended()
}

// TestSlowConsumer: who does not read its responses is closed; others are served meanwhile.
func TestSlowConsumer(t *testing.T) {
	files, _ := newFile(t, 64<<20)
	for _, copyBelow := range []int64{0, -1} {
		s := start(t, &echo{handle: fetchAll(64 << 20)}, ServerOptions{
			Files: files, StallTimeout: 100 * time.Millisecond, CopyBelow: copyBelow,
		})
		slow, good := s.dial(t), s.dial(t)
		slow.send(fetch(1))
		good.send(metadata(2))
		require.Equal(t, int32(2), good.corr())
		awaitClosed(t, s.seen)
	}
}

// fetch is the frame of a Fetch request.
func fetch(corr int32) []byte {
	r := kmsg.NewPtrFetchRequest()
	r.SetVersion(12)
	return wire.AppendRequest(nil, corr, "", r)
}

// fetchAll answers Fetch with the first n bytes of file 1.
func fetchAll(n int64) func(*step.Request, *step.Effects) bool {
	return fetchSpans(step.Span{File: 1, Len: n})
}

func fetchSpans(spans ...step.Span) func(*step.Request, *step.Effects) bool {
	return func(r *step.Request, out *step.Effects) bool {
		if r.Body.Key() != wire.KeyFetch {
			return false
		}
		body := kmsg.NewPtrFetchResponse()
		topic := kmsg.NewFetchResponseTopic()
		for range spans {
			topic.Partitions = append(topic.Partitions, kmsg.NewFetchResponseTopicPartition())
		}
		body.Topics = append(body.Topics, topic)
		reply := empty(r)
		reply.Body, reply.Spans = body, spans
		out.Replies = append(out.Replies, reply)
		return true
	}
}

// TestSpans: several connections fetch the same parts of one file at the same time; by sendfile, by copy and over
// TLS every one gets the file's bytes.
func TestSpans(t *testing.T) {
	files, content := newFile(t, 9<<20)
	spans := []step.Span{
		{File: 1, Pos: 0, Len: 5 << 20}, {File: 1, Pos: 77, Len: 0}, {File: 1, Pos: 1_234_567, Len: 100},
		{File: 1, Pos: 4_000_001, Len: 300_000}, {File: 1, Pos: 9<<20 - 70_000, Len: 70_000}, {File: 1, Pos: 3, Len: 40_000},
	}
	serverTLS, clientTLS := certificate(t)
	for name, opts := range map[string]ServerOptions{
		"sendfile": {CopyBelow: 1},
		"mixed":    {},
		"copy":     {CopyBelow: -1},
		"tls":      {Listeners: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0", TLS: serverTLS}}},
	} {
		t.Run(name, func(t *testing.T) {
			opts.Files = files
			s := start(t, &echo{handle: fetchSpans(spans...)}, opts)
			var group sync.WaitGroup
			for range 4 {
				c := s.dial(t)
				if name == "tls" {
					config := clientTLS.Clone()
					config.ServerName = "127.0.0.1"
					c.Conn = tls.Client(c.Conn, config)
				}
				group.Go(func() {
					for corr := range int32(3) {
						if err := fetchAndCompare(c, corr, spans, content); err != nil {
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
		})
	}
}

func fetchAndCompare(c client, corr int32, spans []step.Span, content []byte) error {
	if _, err := c.Write(fetch(corr)); err != nil {
		return err
	}
	got, body, err := wire.ParseResponseHeader(c.frame(), wire.KeyFetch, 12)
	if err != nil || got != corr {
		return fmt.Errorf("response %d to %d: %w", got, corr, err)
	}
	decoded, err := wire.DecodeResponse(wire.KeyFetch, 12, body)
	if err != nil {
		return err
	}
	for i, p := range decoded.(*kmsg.FetchResponse).Topics[0].Partitions {
		want := content[spans[i].Pos : int64(spans[i].Pos)+spans[i].Len]
		if !bytes.Equal(want, p.RecordBatches) {
			return fmt.Errorf("span %d of response %d differs", i, corr)
		}
	}
	return nil
}

// TestLostSpans: a file that cannot be had, or is shorter than promised, closes the connection instead of sending
// other bytes.
func TestLostSpans(t *testing.T) {
	files, _ := newFile(t, 1<<20)
	for name, span := range map[string]step.Span{
		"closed file": {File: 2, Len: 10},
		"sendfile":    {File: 1, Pos: 1<<20 - 10, Len: 100_000},
		"copy":        {File: 1, Pos: 1<<20 - 10, Len: 20},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, &echo{handle: fetchSpans(span)}, ServerOptions{Files: files})
			c := s.dial(t)
			c.send(fetch(1))
			got, _ := io.ReadAll(c)
			require.Less(t, len(got), 200)
			awaitClosed(t, s.seen)
		})
	}
}

// TestGracefulClose: what has arrived is answered, then the connection ends; nobody new is let in.
func TestGracefulClose(t *testing.T) {
	parked := make(chan step.Reply, 1)
	s := start(t, &echo{handle: func(r *step.Request, _ *step.Effects) bool {
		parked <- empty(r)
		return true
	}}, ServerOptions{})
	c := s.dial(t)
	c.send(metadata(1))
	reply := <-parked
	done := make(chan error)
	go func() { done <- s.Close(context.Background()) }()
	s.Reply(reply)
	require.Equal(t, int32(1), c.corr())
	c.ended()
	require.NoError(t, <-done)
	_, err := net.Dial("tcp", s.Addr("PLAINTEXT").String())
	require.Error(t, err)
}

func TestListenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = Listen(ServerOptions{Listeners: []Listener{
		{Name: "A", Addr: "127.0.0.1:0"}, {Name: "B", Addr: taken.Addr().String()},
	}}, func(step.Event) {})
	require.ErrorContains(t, err, "listener B")
}

// TestTooNewApiVersions answers on the connection itself, without the machine.
func TestTooNewApiVersions(t *testing.T) {
	s := start(t, &echo{}, ServerOptions{})
	c := s.dial(t)
	c.send([]byte("\x00\x00\x00\x0a\x00\x12\x00\x63\x00\x00\x00\x05\xff\xff"))
	answer := c.frame()
	require.Equal(t, []byte{0, 0, 0, 5, 0, byte(core.ErrUnsupportedVersion)}, answer[:6])
	c.send(metadata(6))
	require.Equal(t, int32(6), c.corr())
}

// TestSilentHandshake: who connects to an encrypted listener and says nothing, or stops within its greeting, is closed.
func TestSilentHandshake(t *testing.T) {
	config, _ := certificate(t)
	for name, greeting := range map[string][]byte{"nothing": nil, "part": {22, 3, 1, 2, 0}} {
		t.Run(name, func(t *testing.T) {
			s := start(t, &echo{}, ServerOptions{
				Listeners: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0", TLS: config}}, StallTimeout: 50 * time.Millisecond,
			})
			c := s.dial(t)
			c.send(greeting)
			_, _ = io.Copy(io.Discard, c) // the server may say why
			awaitClosed(t, s.seen)
		})
	}
}

// TestPausedFrame: a connection that was not read from for longer than the stall timeout, because it had as many requests in
// process as it may, is not blamed for the frame that stood still meanwhile.
func TestPausedFrame(t *testing.T) {
	const stall = 200 * time.Millisecond
	held := make(chan step.Reply, 2)
	s := start(t, &echo{handle: func(r *step.Request, _ *step.Effects) bool {
		wait := r.Corr == 1 || r.Corr == 2
		if wait {
			held <- empty(r)
		}
		return wait
	}}, ServerOptions{StallTimeout: stall, Conn: conn.Config{Limits: conn.Limits{InFlight: 2}}})
	c := s.dial(t)
	first, last := metadata(1), metadata(3)
	c.send(append(metadata(0), first[:9]...))
	require.Equal(t, int32(0), c.corr()) // by now the deadline is that of the first frame's rest
	c.send(slices.Concat(first[9:], metadata(2), last[:9]))
	replies := []step.Reply{<-held, <-held}
	<-time.After(2 * stall)
	for corr, reply := range replies {
		s.Reply(reply)
		require.Equal(t, int32(corr+1), c.corr())
	}
	c.send(last[9:])
	require.Equal(t, int32(3), c.corr())
}

// TestLateFrame: a frame is judged by its own progress, not by that of an earlier one for which the deadline was set.
func TestLateFrame(t *testing.T) {
	const stall = 400 * time.Millisecond
	s := start(t, &echo{}, ServerOptions{StallTimeout: stall})
	c := s.dial(t)
	first, second := metadata(1), metadata(2)
	c.send(append(metadata(0), first[:9]...))
	require.Equal(t, int32(0), c.corr())
	c.send(first[9:])
	require.Equal(t, int32(1), c.corr())
	<-time.After(stall * 3 / 4)
	c.send(second[:9])
	<-time.After(stall / 2)
	c.send(second[9:])
	require.Equal(t, int32(2), c.corr())
}
