package rawframes_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// victim is the topic that bad batches are sent to, quiet the one that a bystander uses.
const (
	victim = "victim"
	quiet  = "quiet"
)

// scene is a node with a bystander, who produces and reads back all the time on a connection of its own.
type scene struct {
	*harness.Node
	stop  chan struct{}
	done  chan error
	once  sync.Once
	turns int
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{Node: harness.Start(t, harness.Options{}), stop: make(chan struct{}), done: make(chan error, 1)}
	harness.CreateTopic(t, s.Addr, victim, 1)
	harness.CreateTopic(t, s.Addr, quiet, 1)
	conn := harness.Dial(t, s.Addr)
	go func() { s.done <- s.live(conn) }()
	t.Cleanup(func() { s.finish(t) })
	return s
}

// finish stops the bystander and fails the test if it was harmed.
func (s *scene) finish(t *testing.T) {
	s.once.Do(func() {
		close(s.stop)
		if err := <-s.done; err != nil {
			t.Errorf("the bystander was harmed after %d turns: %v", s.turns, err)
		}
		t.Logf("the bystander made %d turns", s.turns)
	})
}

// slowest is more than a turn of the bystander may take, even on a busy machine.
const slowest = 5 * time.Second

func (s *scene) live(conn *harness.Conn) error {
	for stopped := false; !stopped; s.turns++ {
		select {
		case <-s.stop:
			stopped = true // one more turn, so that there is one after the last attack
		case <-time.After(time.Millisecond):
		}
		begin := time.Now()
		answer, err := conn.Ask(produce(quiet, harness.Plain("still here").Encode()))
		if err != nil {
			return err
		}
		got := answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
		if got.ErrorCode != 0 || got.BaseOffset != int64(s.turns) {
			return fmt.Errorf("produce answered code %d, offset %d", got.ErrorCode, got.BaseOffset)
		}
		if err := readBack(conn, got.BaseOffset); err != nil {
			return err
		}
		if took := time.Since(begin); took > slowest {
			return fmt.Errorf("a turn took %v", took)
		}
	}
	return nil
}

func readBack(conn *harness.Conn, offset int64) error {
	answer, err := conn.Ask(fetch(quiet, offset))
	if err != nil {
		return err
	}
	got := answer.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if got.ErrorCode != 0 || len(got.RecordBatches) == 0 {
		return fmt.Errorf("fetch of offset %d answered code %d, %d bytes", offset, got.ErrorCode, len(got.RecordBatches))
	}
	return nil
}

// produce is a Produce request, acks=all, with one partition's bytes as they are.
func produce(topic string, records []byte) *kmsg.ProduceRequest {
	r := kmsg.NewPtrProduceRequest()
	r.Version, r.Acks, r.TimeoutMillis = 9, -1, 5000
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = records
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	r.Topics = append(r.Topics, t)
	return r
}

// fetch is a Fetch request for one partition, without a session.
func fetch(topic string, offset int64) *kmsg.FetchRequest {
	r := kmsg.NewPtrFetchRequest()
	r.Version, r.MaxWaitMillis, r.MinBytes, r.SessionEpoch = 12, 1000, 1, -1
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = offset, 1<<20, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	r.Topics = append(r.Topics, t)
	return r
}
