package groups_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/clients/librdkafka"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	topic      = "flow"
	partitions = 12
)

func TestMain(m *testing.M) {
	if args := os.Getenv(asMember); args != "" {
		member(args)
		return
	}
	os.Exit(m.Run())
}

func full() bool { return os.Getenv("GROUPS_FULL") == "1" }

// count is how many records flow.
func count() int {
	if full() {
		return 1_000_000
	}
	return 60_000
}

// book is what members say that they have processed.
type book struct {
	mu      sync.Mutex
	times   [partitions]map[int64]int
	by      [partitions]int // who had the last record of a partition
	change  int             // how often that changed
	repeats int
	seen    int
	clients map[string]int
}

func (b *book) add(who int, name string, partition int, offset int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.times[partition] == nil {
		b.times[partition] = make(map[int64]int)
	}
	if b.by[partition] != who {
		b.by[partition], b.change = who, b.change+1
	}
	b.clients[name]++
	if b.times[partition][offset]++; b.times[partition][offset] > 1 {
		b.repeats++
	} else {
		b.seen++
	}
}

func (b *book) progress() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

// crew are the members of one group.
type crew struct {
	t     *testing.T
	group string
	addrs string
	book  *book
	next  int
	done  sync.WaitGroup
}

// hand is one member's process.
type hand struct {
	name string
	cmd  *exec.Cmd
	said *transcript
}

// transcript keeps the end of what a process says.
type transcript struct {
	mu   sync.Mutex
	tail []byte
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tail = append(t.tail, b...); len(t.tail) > 8000 {
		t.tail = t.tail[len(t.tail)-4000:]
	}
	return len(b), nil
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.tail)
}

// hire starts a member.
func (c *crew) hire(client string) *hand {
	c.t.Helper()
	c.next++
	who := c.next
	h := &hand{name: fmt.Sprintf("%s-%d", client, who), said: &transcript{}}
	if client == "python" {
		h.cmd = exec.Command(python(c.t), filepath.Join(harness.Module(c.t), "groups", "member.py"), c.addrs, c.group, topic)
	} else {
		h.cmd = exec.Command(os.Args[0])
		h.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %s", asMember, client, c.addrs, c.group, topic))
	}
	h.cmd.Stderr = h.said
	out, err := h.cmd.StdoutPipe()
	if err == nil {
		err = h.cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.done.Add(1)
	go func() {
		defer c.done.Done()
		c.read(who, client, out)
		_ = h.cmd.Wait() // killed, most often
	}()
	c.t.Cleanup(func() {
		_ = h.cmd.Process.Kill() // has most often ended
		if c.t.Failed() {
			c.t.Logf("%s said: %s", h.name, h.said)
		}
	})
	return h
}

func (c *crew) read(who int, client string, out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var partition int
		var offset int64
		if n, _ := fmt.Sscanf(lines.Text(), "%d %d", &partition, &offset); n == 2 { // the last line of a killed one may be cut
			c.book.add(who, client, partition, offset)
		}
	}
}

// await waits until so many different records have been processed. Where nothing moves for a while, it asks the group why.
func (c *crew) await(n int, bound time.Duration) {
	c.t.Helper()
	last, moved, why := -1, time.Now(), ""
	harness.Eventually(c.t, bound, func() (bool, string) {
		seen := c.book.progress()
		switch {
		case seen != last:
			last, moved = seen, time.Now()
		case time.Since(moved) > 10*time.Second:
			moved, why = time.Now(), harness.DescribeGroup(c.t, c.addrs, c.group)
		}
		return seen >= n, fmt.Sprintf("%d of %d records processed; %s", seen, n, why)
	})
}

// flow writes records to the topic at a steady rate until there are n; the number of each partition's is returned.
func flow(t *testing.T, addrs []string, n int, during time.Duration) *[partitions]int64 {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.ProducerBatchCompression(kgo.GzipCompression())) // kafka-python has no other codec by itself
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var mu sync.Mutex
	var ends [partitions]int64
	begin := time.Now()
	for i := range n {
		if due := begin.Add(during * time.Duration(i) / time.Duration(n)); i%200 == 0 {
			harness.Wait(time.Until(due))
		}
		c.Produce(t.Context(), &kgo.Record{Partition: int32(i % partitions), Value: fmt.Appendf(nil, "value %d", i)}, func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("produce: %v", err)
				return
			}
			ends[r.Partition] = max(ends[r.Partition], r.Offset+1)
		})
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &ends
}

var pythonOnce = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	venv := filepath.Join(cache, "klamm-interop", "kafka-python-2.2.15")
	bin := filepath.Join(venv, "bin", "python")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if exec.CommandContext(ctx, bin, "-c", "import kafka").Run() == nil {
		return bin, nil
	}
	for _, args := range [][]string{{"python3", "-m", "venv", venv}, {bin, "-m", "pip", "install", "-q", "kafka-python==2.2.15"}} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w: %s", args, err, out)
		}
	}
	return bin, nil
})

// python is an interpreter that has kafka-python.
func python(t *testing.T) string {
	t.Helper()
	bin, err := pythonOnce()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// One group of four makes of clients, whose protocols have "range" in common. Members are killed, leave and come, a broker is
// killed and comes back, all while records flow.
func TestMixedGroup(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{Set: []string{"group.initial.rebalance.delay.ms=500"}})
	harness.CreateReplicated(t, c.Nodes[0].Addr, topic, partitions, 3)
	c.AwaitFull(t, topic, 90*time.Second)
	crew := newCrew(t, c, "mixed")
	makes := []string{"franz", "sarama", "franz"}
	if why := (librdkafka.Client{}).Missing(); why != "" {
		harness.Note(t, "%s", why)
	} else {
		makes = append(makes, "librdkafka")
	}
	if _, err := pythonOnce(); err != nil {
		harness.Note(t, "kafka-python: %v", err)
	} else {
		makes = append(makes, "python")
	}
	var hands []*hand
	for _, m := range makes {
		hands = append(hands, crew.hire(m))
	}
	n, during := count(), 20*time.Second
	if full() {
		during = 150 * time.Second
	}
	ends := make(chan *[partitions]int64, 1)
	go func() { ends <- flow(t, c.Addrs(), n, during) }()

	crew.await(n/10, 60*time.Second)
	_ = hands[0].cmd.Process.Kill()
	crew.await(n/4, 120*time.Second)
	hands = append(hands, crew.hire("franz"))
	crew.await(n/3, 120*time.Second)
	_ = hands[1].cmd.Process.Signal(syscall.SIGTERM) // leaves in good order
	hands = append(hands, crew.hire("sarama"))
	crew.await(n/2, 120*time.Second)
	c.Nodes[1].Kill()
	crew.await(2*n/3, 120*time.Second)
	c.Nodes[1].Start()
	crew.finish(<-ends, n)
}

// Members with cooperative-sticky (KIP-429): only partitions that move stop.
func TestCooperativeGroup(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{Set: []string{"group.initial.rebalance.delay.ms=500"}})
	harness.CreateReplicated(t, c.Nodes[0].Addr, topic, partitions, 3)
	c.AwaitFull(t, topic, 90*time.Second)
	crew := newCrew(t, c, "cooperative")
	first := crew.hire("franz-sticky")
	n := count()
	ends := make(chan *[partitions]int64, 1)
	go func() { ends <- flow(t, c.Addrs(), n, 10*time.Second) }()
	crew.await(n/10, 60*time.Second)
	crew.hire("franz-sticky")
	crew.hire("franz-sticky")
	crew.await(n/2, 60*time.Second)
	_ = first.cmd.Process.Kill()
	crew.finish(<-ends, n)
}

func newCrew(t *testing.T, c *harness.Cluster, group string) *crew {
	t.Helper()
	addrs := ""
	for i, a := range c.Addrs() {
		if i > 0 {
			addrs += ","
		}
		addrs += a
	}
	return &crew{t: t, group: group, addrs: addrs, book: &book{clients: make(map[string]int)}}
}

// finish waits for the last records and judges: each was processed, and no more of them twice than members had processed
// and not committed when a partition changed hands.
func (c *crew) finish(ends *[partitions]int64, n int) {
	c.t.Helper()
	c.await(n, 120*time.Second)
	b := c.book
	b.mu.Lock()
	defer b.mu.Unlock()
	for p := range partitions {
		for o := range ends[p] {
			if b.times[p][o] == 0 {
				c.t.Errorf("%s-%d@%d was never processed", topic, p, o)
			}
		}
	}
	// A franz-go or Python member commits all its partitions after a batch, sarama each by itself: what one member had not
	// committed is at most a batch per partition that it lost.
	if most := b.change * batchRecords; b.repeats > most {
		c.t.Errorf("%d records were processed again; %d changes of hands explain at most %d", b.repeats, b.change, most)
	}
	c.t.Logf("%d records, %d processed again, %d changes of hands, by client %v", n, b.repeats, b.change, b.clients)
}
