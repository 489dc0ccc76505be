package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/klamm-log/klamm/scenarios/interop/clients"
	"github.com/klamm-log/klamm/scenarios/interop/clients/librdkafka"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// records is how many each client writes with each codec.
func records() int { return pick(100_000, 5_000) }

// Unmodified clients write and read with every codec, at factory settings but for idempotence and acks=all. While they
// write with the last codec the leader of partition 0 is killed, while they read what they wrote it is killed again: they
// find the new leader by themselves.
func TestClients(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{})
	for _, n := range c.Nodes {
		harness.Eventually(t, rejoin, func() (bool, string) {
			v, err := harness.Look(n.Addr, "none")
			return v.ClusterID == harness.ClusterID && slices.Equal(v.Brokers, []int32{1, 2, 3}), fmt.Sprintf("%+v %v", v, err)
		})
	}
	for _, client := range []clients.Client{clients.Franz{}, patientSarama{}, librdkafka.Client{}} {
		if why := client.Missing(); why != "" {
			t.Run(client.Name(), func(t *testing.T) { harness.Missing(t, "%s", why) })
			continue
		}
		for _, codec := range clients.Codecs() {
			t.Run(client.Name()+"/"+string(codec), func(t *testing.T) { writeAndRead(t, c, client, codec, false) })
		}
		t.Run(client.Name()+"/leader dies", func(t *testing.T) { writeAndRead(t, c, client, "zstd", true) })
	}
}

// writeAndRead lets one client write a topic and read it again, with the leader's death in the middle of both if wanted.
func writeAndRead(t *testing.T, c *harness.Cluster, client clients.Client, codec clients.Codec, deadly bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	job := clients.Job{
		Topic: fmt.Sprintf("%s-%s-%v", client.Name(), codec, deadly), Partitions: partitions, Codec: codec,
		Shape: client.Shape(), Count: records(), Idempotent: true,
	}
	if deadly {
		job.Count = 100_000 // enough to have records left to hand over when the leader is dead
	}
	harness.CreateReplicated(t, c.Nodes[0].Addr, job.Topic, partitions, -1, "retention.ms", "-1")
	v, _ := c.AwaitFull(t, job.Topic, rejoin)
	victim := int(v.Partitions[0].Leader - 1)
	job.Addr = c.Addrs(victim)[0]
	acks := slices.Repeat([]int64{-1}, job.Count)
	early := newTrigger(deadly, job.Count/10, c.Nodes[victim].Kill)
	job.Acked = func(i int, offset int64) { acks[i] = offset; early.count() }
	begin := time.Now()
	failed := client.Produce(ctx, job)
	wrote := time.Since(begin)
	early.wait(t)
	victim = revive(t, c, victim, job.Topic, deadly)
	if failed != nil {
		t.Fatalf("%s produces: %v", client.Name(), failed)
	}
	job.Addr = c.Addrs(victim)[0]
	early = newTrigger(deadly, job.Count/10, c.Nodes[victim].Kill)
	check := exactly{job: job, acks: acks, next: make([]int64, partitions)}
	ends := harness.Ends(t, job.Addr, job.Topic, partitions)
	begin = time.Now()
	err := client.Consume(ctx, clients.Source{Addr: job.Addr, Topic: job.Topic, Ends: ends}, func(r clients.Read) error {
		early.count()
		return check.add(r)
	})
	if err == nil {
		err = check.done()
	}
	if err != nil {
		t.Errorf("%s consumes: %v", client.Name(), err)
	}
	early.wait(t)
	t.Logf("%d records written in %v, read in %v", job.Count, round(wrote), round(time.Since(begin)))
	revive(t, c, victim, job.Topic, deadly)
}

// revive starts a killed node again, and returns by index who leads partition 0 then.
func revive(t *testing.T, c *harness.Cluster, victim int, topic string, deadly bool) int {
	t.Helper()
	if deadly {
		c.Nodes[victim].Start()
	}
	v, _ := c.AwaitFull(t, topic, rejoin)
	return int(v.Partitions[0].Leader - 1)
}

// trigger does something once when a count is reached, beside whoever counts.
type trigger struct {
	left int
	act  func()
	done chan struct{}
}

// newTrigger makes a trigger; one that is not armed does nothing.
func newTrigger(armed bool, at int, act func()) *trigger {
	tr := &trigger{left: at, act: act, done: make(chan struct{})}
	if !armed {
		tr.left = 0
		close(tr.done)
	}
	return tr
}

func (tr *trigger) count() {
	if tr.left--; tr.left == 0 {
		go func() {
			defer close(tr.done)
			tr.act()
		}()
	}
}

func (tr *trigger) wait(t *testing.T) {
	t.Helper()
	select {
	case <-tr.done:
	case <-time.After(time.Minute):
		t.Fatal("the node was not killed")
	}
}

// exactly checks that a topic holds each record of an idempotent job once, in order, at the offset acknowledged.
type exactly struct {
	job  clients.Job
	acks []int64
	next []int64 // by partition: the offset expected
}

func (e *exactly) add(r clients.Read) error {
	if want := e.next[r.Partition]; r.Offset != want {
		return fmt.Errorf("partition %d has offset %d after %d", r.Partition, r.Offset, want-1)
	}
	e.next[r.Partition]++
	i := int(r.Offset)*partitions + int(r.Partition)
	if i >= e.job.Count {
		return fmt.Errorf("partition %d has more records than were sent", r.Partition)
	}
	if e.acks[i] != r.Offset {
		return fmt.Errorf("record %d was acknowledged at offset %d and is at %d", i, e.acks[i], r.Offset)
	}
	if why := e.job.Shape.Differs(i, r.Record); why != "" {
		return fmt.Errorf("partition %d offset %d: %s", r.Partition, r.Offset, why)
	}
	return nil
}

func (e *exactly) done() error {
	total := int64(0)
	for _, n := range e.next {
		total += n
	}
	if total != int64(e.job.Count) {
		return fmt.Errorf("%d records came, not %d", total, e.job.Count)
	}
	return nil
}

// patientSarama reads on when sarama reports an error, as sarama itself does: it has closed its connection and looks for
// the new leader when it tells of the old one's end.
type patientSarama struct{ clients.Sarama }

// Consume implements [clients.Client].
func (patientSarama) Consume(ctx context.Context, from clients.Source, each func(clients.Read) error) error {
	config := sarama.NewConfig()
	config.Version, config.Consumer.Return.Errors = sarama.MaxVersion, true
	consumer, err := sarama.NewConsumer([]string{from.Addr}, config)
	if err != nil {
		return err
	}
	defer func() { _ = consumer.Close() }()                        // nothing to lose
	partitions := make([]sarama.PartitionConsumer, len(from.Ends)) // all opened while all leaders live: this part it does not repeat
	for p := range partitions {
		if partitions[p], err = consumer.ConsumePartition(from.Topic, int32(p), sarama.OffsetOldest); err != nil {
			return err
		}
		defer partitions[p].AsyncClose()
	}
	for p, end := range from.Ends {
		if err := saramaTo(ctx, partitions[p], end, each); err != nil {
			return err
		}
	}
	return nil
}

func saramaTo(ctx context.Context, from sarama.PartitionConsumer, end int64, each func(clients.Read) error) error {
	var last error
	for next := int64(0); next < end; {
		select {
		case m := <-from.Messages():
			next = m.Offset + 1
			if err := each(saramaRead(m)); err != nil {
				return err
			}
		case last = <-from.Errors():
		case <-ctx.Done():
			return fmt.Errorf("offset %d of %d: %w", next, end, errors.Join(ctx.Err(), last))
		}
	}
	return nil
}

func saramaRead(m *sarama.ConsumerMessage) clients.Read {
	r := clients.Read{
		Partition: m.Partition, Offset: m.Offset, Codec: -1,
		Record: clients.Record{Key: m.Key, Value: m.Value, Timestamp: m.Timestamp.UnixMilli()},
	}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, clients.Header{Key: string(h.Key), Value: h.Value})
	}
	return r
}
