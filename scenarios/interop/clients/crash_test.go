package clients_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/klamm-log/klamm/scenarios/interop/clients"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// kills is how often the node dies while one job runs.
const kills = 2

// kill -9 of the node and a restart in the middle of 100,000 records: no acknowledged record is lost or moved; an
// idempotent producer's records are there once each, in order.
func TestKill(t *testing.T) {
	harness.Install(t, "kcat", "kcat")
	binary := harness.Build(t)
	codec := clients.Codecs()
	for n, client := range present(t) {
		for _, idempotent := range []bool{false, true} {
			name := client.Name() + "/at-least-once"
			if idempotent {
				name = client.Name() + "/idempotent"
			}
			t.Run(name, func(t *testing.T) {
				node := harness.Start(t, harness.Options{Binary: binary})
				crash(t, node, client, clients.Job{
					Topic: "crash", Codec: codec[n%len(codec)], Count: count, Idempotent: idempotent,
				})
			})
		}
	}
}

// crash produces, kills the node on the way, and judges what is in the topic afterwards.
func crash(t *testing.T, node *harness.Node, client clients.Client, job clients.Job) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	harness.CreateTopic(t, node.Addr, job.Topic, partitions, "retention.ms", "-1", "segment.bytes", "2000000")
	job.Addr, job.Partitions, job.Shape = node.Addr, partitions, client.Shape()
	progress := newMilestones(job.Count)
	acks := acknowledged(&job)
	noted, acked := job.Acked, 0
	job.Acked = func(i int, offset int64) {
		noted(i, offset)
		acked++
		progress.reached(acked)
	}
	if client.Name() == (clients.Kcat{}).Name() {
		job.Sent = progress.reached // it tells no acknowledgements
	}
	produced := make(chan error, 1)
	go func() { produced <- client.Produce(ctx, job) }()
	for range kills {
		select {
		case at := <-progress.next:
			node.Kill()
			t.Logf("killed the node at record %d", at)
			node.Start()
		case err := <-produced:
			t.Fatalf("%s ended before the node was killed: %v", client.Name(), err)
		}
	}
	if err := <-produced; err != nil {
		t.Fatalf("%s: %v", client.Name(), err)
	}
	node.Kill() // what is acknowledged must also be there when the node starts once more
	node.Start()
	survived(t, ctx, job, acks, !compresses(t, node.Addr, client, job.Codec))
}

// survived reads the topic with franz-go and compares it with what was acknowledged.
func survived(t *testing.T, ctx context.Context, job clients.Job, acks []int64, plain bool) {
	t.Helper()
	from := clients.Source{
		Addr: job.Addr, Topic: job.Topic, Ends: harness.Ends(t, job.Addr, job.Topic, partitions),
	}
	if job.Idempotent {
		check := exactly{job: job, acks: acks, next: make([]int64, partitions), codecs: map[int8]int{}, plain: plain}
		err := clients.Franz{}.Consume(ctx, from, check.add)
		if err == nil {
			err = check.done()
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	check := atLeast{job: job, at: make([][]int64, job.Count), next: make([]int64, partitions)}
	if err := (clients.Franz{}).Consume(ctx, from, check.add); err != nil {
		t.Error(err)
	}
	check.done(t, acks)
}

// atLeast collects where each record of a job is.
type atLeast struct {
	job  clients.Job
	at   [][]int64 // offsets by record
	next []int64   // by partition: the offset expected
}

func (a *atLeast) add(r clients.Read) error {
	i, err := r.Number()
	if err != nil {
		return err
	}
	if want := a.next[r.Partition]; r.Offset != want {
		return fmt.Errorf("partition %d has offset %d after %d", r.Partition, r.Offset, want-1)
	}
	a.next[r.Partition]++
	if i < 0 || i >= a.job.Count || int32(i%partitions) != r.Partition {
		return fmt.Errorf("partition %d offset %d holds record %d, which nobody sent there", r.Partition, r.Offset, i)
	}
	if why := a.job.Shape.Differs(i, r.Record); why != "" {
		return fmt.Errorf("partition %d offset %d: %s", r.Partition, r.Offset, why)
	}
	a.at[i] = append(a.at[i], r.Offset)
	return nil
}

// done reports records that were acknowledged and are not there, or not at their offset. Produce returned without an
// error, so every record was acknowledged, also by a client that tells no offsets.
func (a *atLeast) done(t *testing.T, acks []int64) {
	t.Helper()
	lost, moved, twice := 0, 0, 0
	for i, at := range a.at {
		switch {
		case len(at) == 0:
			lost++
		case acks[i] >= 0 && !slices.Contains(at, acks[i]):
			moved++
		case len(at) > 1:
			twice++
		}
	}
	if lost+moved > 0 {
		t.Errorf("of %d acknowledged records %d are lost, %d are not where they were acknowledged", a.job.Count, lost, moved)
	}
	t.Logf("%d records are there more than once, as at-least-once permits", twice)
}

// milestones tells once for each kill that a job has come far enough.
type milestones struct {
	mu   sync.Mutex
	at   []int
	next chan int
}

// newMilestones spreads the kills over the job.
func newMilestones(total int) *milestones {
	m := &milestones{next: make(chan int, kills)}
	for k := 1; k <= kills; k++ {
		m.at = append(m.at, total*k/(kills+1))
	}
	return m
}

func (m *milestones) reached(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.at) > 0 && n >= m.at[0] {
		m.next <- n
		m.at = m.at[1:]
	}
}
