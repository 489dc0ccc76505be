package eos_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kgo"
)

// asJob makes the test binary be the job: "bootstrap transactional-id".
const asJob = "KLAMM_EOS_JOB"

const (
	input   = "input"
	output  = "output"
	group   = "pipeline"
	inParts = 6
)

func full() bool { return os.Getenv("EOS_FULL") == "1" }

// job consumes, transforms and produces in transactions until SIGTERM. After an error it begins anew, as another process would:
// what it had open is fenced.
func job(args string) {
	addrs, id, _ := strings.Cut(args, " ")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	for ctx.Err() == nil {
		if err := session(ctx, strings.Split(addrs, ","), id); err != nil && ctx.Err() == nil {
			log.Printf("%s: %v", id, err)
		}
	}
}

func session(ctx context.Context, addrs []string, id string) error {
	s, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(addrs...), kgo.TransactionalID(id), kgo.TransactionTimeout(10*time.Second),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(input), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.DefaultProduceTopic(output),
	)
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		fetched := s.PollRecords(ctx, 1000)
		if ctx.Err() != nil {
			return nil
		}
		if fetched.NumRecords() == 0 {
			continue
		}
		if err := s.Begin(); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		promise := kgo.AbortingFirstErrPromise(s.Client())
		fetched.EachRecord(func(r *kgo.Record) {
			s.Produce(ctx, kgo.StringRecord("seen "+string(r.Value)), promise.Promise())
		})
		if _, err := s.End(ctx, promise.Err() == nil); err != nil {
			return fmt.Errorf("end: %w", err)
		}
	}
}

// A job of two members copies records from one topic to another in transactions with its offsets, while brokers are killed
// in turn and the members, too: each input stands in the output once.
func TestPipelineCountsOnce(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{Set: []string{"group.initial.rebalance.delay.ms=200"}})
	for _, topic := range []string{input, output} {
		harness.CreateReplicated(t, c.Nodes[0].Addr, topic, inParts, 3)
		c.AwaitFull(t, topic, 90*time.Second)
	}
	n, kills, pause := 40_000, 3, 3*time.Second
	if full() {
		n, kills, pause = 1_000_000, 12, 8*time.Second
	}
	fill(t, c.Addrs(), n)
	addrs := strings.Join(c.Addrs(), ",")
	var hands []*exec.Cmd
	for i := range 2 {
		hands = append(hands, start(t, addrs, i))
	}
	for i := range kills {
		harness.Wait(pause)
		node := c.Nodes[i%len(c.Nodes)]
		node.Kill()
		_ = hands[i%2].Process.Kill()
		_ = hands[i%2].Wait() // says that it was killed
		hands[i%2] = start(t, addrs, i%2)
		harness.Wait(pause / 2)
		node.Start()
	}
	limit := 3 * time.Minute
	if full() {
		limit = 20 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	begin := time.Now()
	times := make(map[string]int, n)
	got := readBySarama(ctx, t, c.Addrs(), output, inParts, n)
	for _, v := range got {
		times[v]++
	}
	missing, doubled := 0, 0
	for i := range n {
		switch times[fmt.Sprintf("seen %d", i)] {
		case 1:
		case 0:
			missing++
		default:
			doubled++
		}
	}
	if missing > 0 || doubled > 0 || len(times) != n {
		t.Errorf("of %d records %d are missing in the output, %d stand in it more than once, and %d different ones are there",
			n, missing, doubled, len(times))
	}
	t.Logf("%d records, %d kills of a broker and of a member; the last ones took %v", len(got), kills, time.Since(begin).Round(time.Second))
}

// start runs one member of the job.
func start(t *testing.T, addrs string, i int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s job-%d", asJob, addrs, i))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // most have ended
	return cmd
}

// fill writes the input.
func fill(t *testing.T, addrs []string, n int) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.DefaultProduceTopic(input), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range n {
		c.Produce(t.Context(), kgo.StringRecord(fmt.Sprint(i)), func(_ *kgo.Record, err error) {
			if err != nil {
				t.Errorf("produce: %v", err)
			}
		})
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}
