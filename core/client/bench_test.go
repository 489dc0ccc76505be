package client_test

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/step"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// loop is a client that a broker answers at once, without encoding: what is left is the client's own work.
type loop struct {
	t       testing.TB
	c       *client.Client
	now     core.Now
	out     step.Effects
	answers []step.Event
	produce kmsg.ProduceResponse
	resp    step.PeerResponse
	offset  int64
	results []producer.Result
}

func newLoop(t testing.TB, o client.Options) *loop {
	o.Cluster.Bootstrap = []string{"a:1"}
	c, err := client.New(o)
	require.NoError(t, err)
	l := &loop{t: t, c: c, now: core.Now{Mono: core.Second, Wall: 1_700_000_000_000}}
	l.produce = kmsg.NewProduceResponse()
	l.produce.Topics = []kmsg.ProduceResponseTopic{kmsg.NewProduceResponseTopic()}
	l.produce.Topics[0].Partitions = []kmsg.ProduceResponseTopicPartition{kmsg.NewProduceResponseTopicPartition()}
	return l
}

// turn lets the client act on what came, and prepares the answers to what it sends.
func (l *loop) turn() {
	l.now.Mono += core.Microsecond
	for _, ev := range l.answers {
		l.c.Step(l.now, ev, &l.out)
	}
	l.answers = l.answers[:0]
	l.c.EndTurn(l.now, &l.out)
	for i := range l.out.Sends {
		s := &l.out.Sends[i]
		switch {
		case s.Kind == step.Dial:
			l.answers = append(l.answers, &step.PeerState{Peer: s.Peer, Open: true})
		case s.Kind == step.Call:
			l.answers = append(l.answers, l.answer(s))
		}
	}
	l.out.Reset()
	l.results = l.c.Producer().Results(l.results[:0])
}

func (l *loop) answer(s *step.Send) step.Event {
	var body kmsg.Response
	switch r := s.Body.(type) {
	case *kmsg.ProduceRequest:
		t := &l.produce.Topics[0]
		t.TopicID, t.Partitions[0].Partition = r.Topics[0].TopicID, r.Topics[0].Partitions[0].Partition
		t.Partitions[0].BaseOffset = l.offset
		l.offset++
		l.produce.Version = r.Version
		l.resp = step.PeerResponse{Peer: s.Peer, Corr: s.Corr, Body: &l.produce}
		return &l.resp
	case *kmsg.ApiVersionsRequest:
		resp := kmsg.NewPtrApiVersionsResponse()
		for _, key := range []int16{0, 1, 3, 22} {
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: kmsg.RequestForKey(key).MaxVersion()})
		}
		body = resp
	case *kmsg.MetadataRequest:
		resp := kmsg.NewPtrMetadataResponse()
		resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{NodeID: 1, Host: "a", Port: 1})
		t := kmsg.MetadataResponseTopic{Topic: kmsg.StringPtr("t"), TopicID: [16]byte{1}}
		t.Partitions = append(t.Partitions, kmsg.MetadataResponseTopicPartition{Leader: 1})
		resp.Topics = append(resp.Topics, t)
		body = resp
	case *kmsg.InitProducerIDRequest:
		body = kmsg.NewPtrInitProducerIDResponse()
	}
	return &step.PeerResponse{Peer: s.Peer, Corr: s.Corr, Body: body}
}

// warm brings the loop to where batches flow.
func (l *loop) warm(rec producer.Record) {
	for range 100 {
		l.one(rec)
	}
	require.Equal(l.t, core.ErrNone, l.results[0].Err)
}

// one writes a record and waits for its result.
func (l *loop) one(rec producer.Record) {
	if !l.c.Producer().Produce(l.now, rec, 1) {
		l.t.Fatal("refused")
	}
	for i := 0; ; i++ {
		l.turn()
		if len(l.results) > 0 {
			return
		}
		if i > 100 {
			l.t.Fatal("no result")
		}
	}
}

// One record, one batch, one request, one answer: no memory is taken once everything has its size.
func TestProduceDoesNotAllocate(t *testing.T) {
	l := newLoop(t, client.Options{})
	rec := producer.Record{Topic: "t", Partition: producer.AnyPartition, Value: make([]byte, 100)}
	l.warm(rec)
	require.Zero(t, testing.AllocsPerRun(200, func() { l.one(rec) }))
}

func BenchmarkProduceClosedLoop(b *testing.B) {
	l := newLoop(b, client.Options{})
	rec := producer.Record{Topic: "t", Partition: producer.AnyPartition, Value: make([]byte, 100)}
	l.warm(rec)
	b.ReportAllocs()
	for b.Loop() {
		l.one(rec)
	}
}

func BenchmarkProduceBatched(b *testing.B) {
	l := newLoop(b, client.Options{Cluster: cluster.Options{}, Producer: producer.Options{BatchSize: 64 << 10}})
	rec := producer.Record{Topic: "t", Partition: producer.AnyPartition, Value: make([]byte, 1024)}
	l.warm(rec)
	b.SetBytes(1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if !l.c.Producer().Produce(l.now, rec, 1) {
			b.Fatal("refused")
		}
		if i%60 == 0 {
			l.turn()
			l.turn()
		}
	}
}
