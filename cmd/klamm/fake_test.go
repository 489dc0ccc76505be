//go:build !js

package main

import (
	"net"
	"sync"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fake is a broker that answers what the test says, for what a single node cannot show.
type fake struct {
	t       *testing.T
	socket  net.Listener
	topics  []kmsg.MetadataResponseTopic
	answers map[int16]func(kmsg.Request) kmsg.Response

	mu    sync.Mutex
	asked []kmsg.Request // but ApiVersions and Metadata
}

func newFake(t *testing.T) *fake {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, socket: socket, answers: map[int16]func(kmsg.Request) kmsg.Response{}}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		for {
			nc, err := socket.Accept()
			if err != nil {
				return
			}
			go f.serve(nc)
		}
	}()
	return f
}

// on answers requests of one kind.
func on[Q kmsg.Request, R kmsg.Response](f *fake, answer func(req Q, resp R)) {
	var q Q
	f.answers[q.Key()] = func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(R)
		answer(req.(Q), resp)
		return resp
	}
}

// topic adds a topic, with a list of replicas for each partition. The first leads, all are in sync.
func (f *fake) topic(name string, replicas ...[]int32) {
	t := kmsg.NewMetadataResponseTopic()
	t.Topic = kmsg.StringPtr(name)
	for i, list := range replicas {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Leader, p.Replicas, p.ISR = int32(i), list[0], list, list
		t.Partitions = append(t.Partitions, p)
	}
	f.topics = append(f.topics, t)
}

func (f *fake) serve(nc net.Conn) {
	defer nc.Close()
	apis := []conn.VersionRange{{Key: 18, Max: 4}, {Key: 3, Max: 12}}
	for key := range int16(128) {
		if f.answers[key] != nil {
			apis = append(apis, conn.VersionRange{Key: key, Max: kmsg.RequestForKey(key).MaxVersion()})
		}
	}
	s := conn.NewServer(1, conn.Config{Versions: conn.NewVersions(apis...)})
	buf := make([]byte, 4096)
	for {
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		s.Feed(buf[:n])
		for {
			req, err := s.Next()
			if err != nil {
				f.t.Errorf("the fake broker got %v", err)
				return
			}
			if req == nil {
				break
			}
			s.Reply(step.Reply{Seq: req.Seq, Corr: req.Corr, Version: req.Version, Body: f.answer(apis, req.Body)})
		}
		out := s.Take()
		for _, c := range out.Chunks {
			if _, err := nc.Write(c.Data); err != nil {
				return
			}
		}
	}
}

func (f *fake) answer(apis []conn.VersionRange, req kmsg.Request) kmsg.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch resp := req.ResponseKind().(type) {
	case *kmsg.ApiVersionsResponse:
		for _, a := range apis {
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: a.Key, MinVersion: a.Min, MaxVersion: a.Max})
		}
		return resp
	case *kmsg.MetadataResponse:
		addr := f.socket.Addr().(*net.TCPAddr)
		resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{NodeID: 1, Host: "127.0.0.1", Port: int32(addr.Port)})
		resp.ControllerID, resp.Topics = 1, f.wanted(req.(*kmsg.MetadataRequest))
		return resp
	}
	f.asked = append(f.asked, req)
	return f.answers[req.Key()](req)
}

func (f *fake) wanted(req *kmsg.MetadataRequest) []kmsg.MetadataResponseTopic {
	if req.Topics == nil {
		return f.topics
	}
	var out []kmsg.MetadataResponseTopic
	for _, want := range req.Topics {
		row := kmsg.NewMetadataResponseTopic()
		row.Topic, row.ErrorCode = want.Topic, int16(core.ErrUnknownTopicOrPartition)
		for _, t := range f.topics {
			if *t.Topic == *want.Topic {
				row = t
			}
		}
		out = append(out, row)
	}
	return out
}

// requests are those asked so far of one kind.
func requests[Q kmsg.Request](f *fake) (out []Q) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.asked {
		if q, ok := r.(Q); ok {
			out = append(out, q)
		}
	}
	return out
}

func (f *fake) addr() string { return f.socket.Addr().String() }
