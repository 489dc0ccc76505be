package client_test

import (
	"container/heap"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/step"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// world drives one client against scripted brokers in virtual time. Requests and responses pass through kmsg's encoding
// at their version, as on a wire. Nothing here knows how the client works.
type world struct {
	t      testing.TB
	now    core.Now
	seq    int
	events eventHeap
	client *client.Client
	node   *node.Node
	conns  map[step.PeerID]*link
	kafka  *fakeKafka

	// intercept may bend what happens to a request; nil leaves all as it is.
	intercept func(r *inbound) verdict
	log       []string // every request that arrived: "node key(version)"

	results []producer.Result
	replies []admin.Reply
	notices []consumer.Event
}

// verdict is what becomes of an intercepted request. The zero value is the ordinary course.
type verdict struct {
	answer       kmsg.Response // instead of executing it
	delay        core.Mono     // before it is executed; the connection waits
	loseRequest  bool          // the connection dies before it is executed
	loseResponse bool          // the connection dies after it was executed
	silent       bool          // executed, but never answered: the client must time out
	late         core.Mono     // never answered, and executed so much later: a request of a dead connection
}

type inbound struct {
	node core.NodeID
	body kmsg.Request
	nth  int // of this API key, from 1
}

type link struct {
	peer    step.PeerID
	broker  *fakeBroker
	open    bool
	queue   []step.Send
	working bool
}

type event struct {
	at  core.Mono
	seq int
	do  func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

const latency = core.Millisecond

func newWorld(t testing.TB, k *fakeKafka, o client.Options) *world {
	t.Helper()
	w := &world{t: t, kafka: k, conns: map[step.PeerID]*link{}, now: core.Now{Mono: core.Second, Wall: 1_700_000_000_000}}
	k.world = w
	if o.Cluster.Bootstrap == nil {
		o.Cluster.Bootstrap = []string{k.brokers[0].addr()}
	}
	c, err := client.New(o)
	require.NoError(t, err)
	w.client = c
	w.node = node.New(c, w, w, w)
	return w
}

func (w *world) Now() core.Now      { return w.now }
func (w *world) Submit(step.DiskOp) { w.t.Fatal("a client has no disk") }
func (w *world) Reply(step.Reply)   { w.t.Fatal("a client serves nobody") }
func (w *world) Reclaim([]byte)     { w.t.Fatal("a client stores nothing") }

func (w *world) after(d core.Mono, do func()) {
	w.seq++
	heap.Push(&w.events, event{w.now.Mono.Add(d), w.seq, do})
}

// run advances the world until the condition holds; it fails after so much virtual time.
func (w *world) run(limit core.Mono, done func() bool) {
	w.t.Helper()
	require.True(w.t, w.advance(limit, done), "not reached in %d ms; requests: %v", limit/core.Millisecond, w.log)
}

// idle lets so much time pass.
func (w *world) idle(d core.Mono) { w.advance(d, func() bool { return false }) }

func (w *world) advance(limit core.Mono, done func() bool) bool {
	w.t.Helper()
	end := w.now.Mono.Add(limit)
	for spins := 0; !done(); {
		require.Less(w.t, spins, 1000, "the client spins at %d", w.now.Mono)
		if w.node.Pending(w.now.Mono) {
			spins++
			w.node.Poll()
			w.collect()
			continue
		}
		at := end
		if d, ok := w.node.NextDeadline(); ok {
			at = min(at, d)
		}
		if len(w.events) > 0 && w.events[0].at <= at {
			at = w.events[0].at
		}
		if at > w.now.Mono {
			w.now.Wall += core.Wall((at - w.now.Mono) / core.Millisecond)
			w.now.Mono, spins = at, 0
		}
		if len(w.events) > 0 && w.events[0].at <= w.now.Mono {
			heap.Pop(&w.events).(event).do()
			continue
		}
		if w.now.Mono >= end {
			return done()
		}
	}
	return true
}

func (w *world) collect() {
	w.results = w.client.Producer().Results(w.results)
	w.replies = w.client.Admin().Replies(w.replies)
	w.notices = w.client.Consumer().Events(w.notices)
}

// Send is the network.
func (w *world) Send(s step.Send) {
	switch s.Kind {
	case step.Dial:
		l := &link{peer: s.Peer}
		w.conns[s.Peer] = l
		w.after(latency, func() { w.connect(l, s.Addr) })
	case step.Hangup:
		w.conns[s.Peer].open = false
	case step.Call:
		l := w.conns[s.Peer]
		require.True(w.t, l.open, "a call on a connection that is not open")
		// The body is read as late as possible: until its completion it is not the client's to change.
		w.after(latency, func() {
			l.queue = append(l.queue, s)
			w.serve(l)
		})
	}
}

func (w *world) connect(l *link, addr string) {
	for _, b := range w.kafka.brokers {
		if b.addr() != addr {
			continue
		}
		switch {
		case b.blackhole:
			return
		case b.up:
			l.broker, l.open = b, true
			w.deliver(&step.PeerState{Peer: l.peer, Open: true})
			return
		}
	}
	w.deliver(&step.PeerState{Peer: l.peer, Err: "connection refused"})
}

func (w *world) deliver(ev step.Event) { w.node.Deliver(ev) }

// reset kills a connection from the broker's side.
func (w *world) reset(l *link) {
	if l.open {
		l.open = false
		w.deliver(&step.PeerState{Peer: l.peer, Err: "reset"})
	}
}

// serve takes the next request of a connection: one at a time, as a broker does.
func (w *world) serve(l *link) {
	if l.working || len(l.queue) == 0 || !l.broker.up {
		return
	}
	s := l.queue[0]
	l.queue = l.queue[1:]
	sum := bodySum(s.Body)
	encoded := func() kmsg.Request {
		require.Equal(w.t, sum, bodySum(s.Body), "a request under way was changed")
		return reencode(w.t, s.Body, kmsg.RequestForKey(s.Body.Key()))
	}
	w.log = append(w.log, fmt.Sprintf("%d %s(%d)", l.broker.id, kmsg.NameForKey(s.Body.Key()), s.Body.GetVersion()))
	l.broker.count[s.Body.Key()]++
	var v verdict
	if w.intercept != nil {
		v = w.intercept(&inbound{l.broker.id, encoded(), l.broker.count[s.Body.Key()]})
	}
	if v.loseRequest {
		w.reset(l)
		return
	}
	if v.late > 0 {
		w.after(v.late, func() { l.broker.handle(encoded(), func(kmsg.Response) {}) })
		return // the connection is stuck behind it
	}
	l.working = true
	w.after(v.delay, func() {
		reply := func(resp kmsg.Response) { w.answer(l, s, resp, v) }
		if v.answer != nil {
			v.answer.SetVersion(s.Body.GetVersion())
			reply(v.answer)
			return
		}
		l.broker.handle(encoded(), reply)
	})
}

func (w *world) answer(l *link, s step.Send, resp kmsg.Response, v verdict) {
	l.working = false
	switch {
	case v.silent:
		l.working = true
		return
	case v.loseResponse:
		w.reset(l)
		return
	case !s.NoResponse:
		body := reencode(w.t, resp, kmsg.ResponseForKey(resp.Key()))
		w.after(latency, func() {
			if l.open {
				w.deliver(&step.PeerResponse{Peer: l.peer, Corr: s.Corr, Body: body})
			}
		})
	}
	w.serve(l)
}

func bodySum(req kmsg.Request) uint32 { return crc32.ChecksumIEEE(req.AppendTo(nil)) }

type codec interface {
	GetVersion() int16
	SetVersion(int16)
	AppendTo([]byte) []byte
	ReadFrom([]byte) error
}

// reencode is a message after a trip over the wire.
func reencode[M codec](t testing.TB, m, fresh M) M {
	fresh.SetVersion(m.GetVersion())
	require.NoError(t, fresh.ReadFrom(m.AppendTo(nil)))
	return fresh
}

// requests counts the arrived requests that look so.
func (w *world) requests(like string) (n int) {
	for _, s := range w.log {
		var node int
		var rest string
		_, err := fmt.Sscanf(s, "%d %s", &node, &rest)
		require.NoError(w.t, err)
		if s == like || len(rest) >= len(like) && rest[:len(like)] == like {
			n++
		}
	}
	return n
}

// produce sends values to a partition with tokens counted from first, and waits for nothing.
func (w *world) produce(topic string, partition int32, first uint64, values ...string) {
	w.t.Helper()
	for i, v := range values {
		ok := w.client.Producer().Produce(w.now, producer.Record{Topic: topic, Partition: partition, Value: []byte(v)},
			first+uint64(i))
		require.True(w.t, ok)
	}
}

// settled waits until every record has its result.
func (w *world) settled(limit core.Mono) {
	w.t.Helper()
	w.run(limit, func() bool { return w.client.Producer().Pending() == 0 })
}

func (w *world) consume(limit core.Mono, n int) []consumer.Record {
	w.t.Helper()
	var got []consumer.Record
	w.run(limit, func() bool {
		got = w.client.Consumer().Poll(w.now, n-len(got), got)
		return len(got) >= n
	})
	return got
}

func values(rs []consumer.Record) (out []string) {
	for _, r := range rs {
		out = append(out, string(r.Value))
	}
	return out
}

func fastCluster() cluster.Options { return cluster.Options{RequestTimeout: 2 * core.Second} }
