package kclient_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/host"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/config"
)

// startNode starts a broker on a free port and waits until it serves.
func startNode(t *testing.T, dir, listen string) *host.Node {
	t.Helper()
	props := map[string]string{"listeners": "PLAINTEXT://" + listen, "log.dirs": dir}
	cfg, err := config.ResolveBroker(props)
	if err != nil {
		t.Fatal(err)
	}
	n, err := host.Start(host.Options{Config: cfg, Static: props})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Kill)
	select {
	case <-n.Serving():
	case <-n.Done():
		t.Fatalf("the node ended: %v", n.Err())
	}
	return n
}

func open(t *testing.T, o kclient.Options) *kclient.Client {
	t.Helper()
	o.Timeout = 20 * time.Second
	c, err := kclient.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// results collects what became of records.
type results struct {
	all  []producer.Result
	want int
	done chan struct{}
}

func expect(n int) *results { return &results{want: n, done: make(chan struct{})} }

func (r *results) take(list []producer.Result) {
	r.all = append(r.all, list...)
	if len(r.all) == r.want {
		close(r.done)
	}
}

func TestRoundTrip(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	n := startNode(t, dir, "127.0.0.1:0")
	addr := n.Addr("PLAINTEXT").String()
	const count = 10_000
	r := expect(count)
	c := open(t, kclient.Options{Bootstrap: []string{addr}, Results: r.take})

	id, err := c.CreateTopic(ctx, kclient.NewTopic{Name: "t", Partitions: 3, Replication: 1})
	if err != nil || id.IsZero() {
		t.Fatalf("create: id %v, %v", id, err)
	}
	if _, err := c.CreateTopic(ctx, kclient.NewTopic{Name: "t", Partitions: 3, Replication: 1}); !errors.Is(err, core.ErrTopicAlreadyExists) {
		t.Fatalf("created twice: %v", err)
	}
	for i := range count {
		rec := producer.Record{Topic: "t", Partition: int32(i % 3), Value: fmt.Appendf(nil, "value %d", i)}
		if err := c.Produce(ctx, rec, uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	<-r.done
	for _, res := range r.all {
		if res.Err != core.ErrNone || res.Offset != core.Offset(res.Token/3) {
			t.Fatalf("result %+v", res)
		}
	}
	offsets, err := c.Offsets(ctx, "t", []int32{0, 1, 2}, admin.LatestOffset)
	if err != nil || offsets[0].Offset != 3334 || offsets[1].Offset != 3333 {
		t.Fatalf("offsets %+v, %v", offsets, err)
	}

	// What was acknowledged is there after the node was killed, and at the same offsets.
	n.Kill()
	if err := n.Err(); err != nil {
		t.Fatalf("kill: %v", err)
	}
	startNode(t, dir, addr)
	got := consumeAll(ctx, t, open(t, kclient.Options{Bootstrap: []string{addr}}), count)
	for i := range count {
		if want := fmt.Sprint("value ", i); got[i%3][i/3] != want {
			t.Fatalf("record %d is %q", i, got[i%3][i/3])
		}
	}
}

func consumeAll(ctx context.Context, t *testing.T, c *kclient.Client, count int) [3][]string {
	t.Helper()
	for p := range int32(3) {
		if err := c.Assign(ctx, "t", p, consumer.Start{Kind: consumer.SeekBeginning}); err != nil {
			t.Fatal(err)
		}
	}
	var got [3][]string
	var recs []consumer.Record
	for n := 0; n < count; n += len(recs) {
		var events []consumer.Event
		var err error
		if recs, events, err = c.Poll(ctx, 1000, recs[:0]); err != nil || len(events) > 0 {
			t.Fatalf("events %v, %v", events, err)
		}
		for _, rec := range recs {
			if rec.Offset != core.Offset(len(got[rec.Partition])) {
				t.Fatalf("partition %d: offset %d after %d records", rec.Partition, rec.Offset, len(got[rec.Partition]))
			}
			got[rec.Partition] = append(got[rec.Partition], string(rec.Value))
		}
	}
	return got
}

func TestTopics(t *testing.T) {
	ctx := t.Context()
	c := open(t, kclient.Options{Bootstrap: []string{startNode(t, t.TempDir(), "127.0.0.1:0").Addr("PLAINTEXT").String()}})
	_, err := c.CreateTopic(ctx, kclient.NewTopic{
		Name: "t", Partitions: 2, Replication: -1, Configs: []kclient.Config{{Name: "retention.ms", Value: "60000", HasValue: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddPartitions(ctx, "t", 4); err != nil {
		t.Fatal(err)
	}
	topic, err := c.Topic(ctx, "t")
	if err != nil || len(topic.Partitions) != 4 || topic.Partitions[3].Leader != 1 {
		t.Fatalf("topic %+v, %v", topic, err)
	}
	alter := []kclient.Config{{Name: "max.message.bytes", Value: "1000", HasValue: true}, {Name: "retention.ms"}}
	if err := c.AlterConfigs(ctx, "t", alter); err != nil {
		t.Fatal(err)
	}
	configs, err := c.Configs(ctx, "t")
	overrides := slices.DeleteFunc(configs, func(e kclient.Config) bool { return !e.Override })
	if err != nil || len(overrides) != 1 || overrides[0].Name != "max.message.bytes" || overrides[0].Value != "1000" {
		t.Fatalf("overrides %+v, %v", overrides, err)
	}
	if err := c.DeleteTopic(ctx, "t"); err != nil {
		t.Fatal(err)
	}
	if cl, err := c.Metadata(ctx); err != nil || len(cl.Topics) != 0 || len(cl.Brokers) != 1 || cl.ID == "" {
		t.Fatalf("metadata %+v, %v", cl, err)
	}
	var no *kclient.Refused
	if _, err := c.Topic(ctx, "t"); !errors.As(err, &no) || no.Error() != "topic t: UNKNOWN_TOPIC_OR_PARTITION" {
		t.Fatalf("deleted topic: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	c, err := kclient.Open(kclient.Options{Bootstrap: []string{"127.0.0.1:1"}, Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var no *kclient.Unreachable
	if _, err := c.Metadata(t.Context()); !errors.As(err, &no) || no.Cause == "" {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := kclient.Open(kclient.Options{}); err == nil {
		t.Error("a client without bootstrap servers")
	}
}

func TestClosed(t *testing.T) {
	c := open(t, kclient.Options{Bootstrap: []string{"127.0.0.1:1"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Poll(ctx, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("poll: %v", err)
	}
	if err := c.Flush(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("flush: %v", err)
	}
	c.Close()
	c.Close()
	if err := c.Produce(t.Context(), producer.Record{Topic: "t"}, 1); !errors.Is(err, kclient.ErrClosed) {
		t.Errorf("produce: %v", err)
	}
	if _, err := c.Metadata(t.Context()); !errors.Is(err, kclient.ErrClosed) {
		t.Errorf("metadata: %v", err)
	}
	if _, _, err := c.Poll(t.Context(), 1, nil); !errors.Is(err, kclient.ErrClosed) {
		t.Errorf("poll: %v", err)
	}
}
