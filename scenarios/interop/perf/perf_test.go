package perf

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(role); err != nil {
		log.Fatalf("%s: %v", role, err)
	}
}

// run is one test's measurements.
type run struct {
	dir     string // on the file system of the brokers' data
	full    bool
	rounds  int
	warm    bool
	before  string // an earlier build of Klamm, empty for none
	servers []server
	results results
}

// newRun reads the settings from the environment.
func newRun(t *testing.T) *run {
	t.Helper()
	r := &run{dir: t.TempDir(), full: os.Getenv("PERF_FULL") == "1", rounds: 2, warm: os.Getenv("PERF_WARM") != "0", before: os.Getenv("PERF_BEFORE")}
	if !r.full {
		return r
	}
	r.rounds = 3
	if text := os.Getenv("PERF_ROUNDS"); text != "" {
		var err error
		if r.rounds, err = strconv.Atoi(text); err != nil || r.rounds < 1 {
			t.Fatalf("PERF_ROUNDS is %q, not a number of rounds", text)
		}
	}
	return r
}

// span is how long the machine itself is measured.
func (r *run) span() hostSpan {
	if r.full {
		return hostSpan{Syncs: 500, Write: 1 << 30, Trips: 5000}
	}
	return hostSpan{Syncs: 10, Write: 4 << 20, Trips: 50}
}

// TestOneBroker compares single brokers at replication factor 1.
func TestOneBroker(t *testing.T) {
	r := newRun(t)
	r.servers = []server{startKlamm(t, klamm, "", 1), startDiscard(t)}
	switch {
	case r.before != "":
		r.servers = append(r.servers, startKlamm(t, earlier, r.before, 1))
	case r.full:
		r.servers = append(r.servers, startKafka(t, kafka, 1), startKafka(t, kafkaSynced, 1, "log.flush.interval.messages=1"))
	}
	r.measureAll(t, oneBroker())
}

// TestThreeBrokers compares clusters of three at replication factor 3, of which two have to have a record.
func TestThreeBrokers(t *testing.T) {
	r := newRun(t)
	r.servers = []server{startKlamm(t, klamm, "", 3), startDiscard(t)}
	switch {
	case r.before != "":
		r.servers = append(r.servers, startKlamm(t, earlier, r.before, 3))
	case r.full:
		r.servers = append(r.servers, startKafka(t, kafka, 3, "default.replication.factor=3", "min.insync.replicas=2"))
	}
	r.measureAll(t, threeBrokers())
}

// measureAll measures work by work and prints the report.
func (r *run) measureAll(t *testing.T, works []work) {
	own := measureHost(t, r.dir, r.span())
	for _, w := range works {
		if !r.full {
			w = w.tiny()
		}
		t.Run(w.Name, func(t *testing.T) { r.measureWork(t, w) })
	}
	fmt.Printf("\n%s\n%s\n", own, &r.results)
}

// measureWork measures all servers in each round, every round beginning with another one.
func (r *run) measureWork(t *testing.T, w work) {
	for round := range r.rounds {
		for i := range r.servers {
			s := r.servers[(round+i)%len(r.servers)]
			if w.Mode == consume && !s.stores() {
				continue
			}
			got := r.measure(t, w, s)
			r.results.add(w, s.name, got)
			t.Logf("round %d: %-12s %v", round+1, s.name, got)
		}
		if w.Mode != consume {
			r.results.add(w, machine, r.floor(t, w))
		}
	}
	r.check(t, w)
}

// floor is the machine itself at a work: an append with its sync and a round trip, or one file as long as all values of one replica.
func (r *run) floor(t *testing.T, w work) sample {
	t.Helper()
	if w.Mode == loop {
		return sample{latency: measureLoop(t, r.dir, r.span())}
	}
	var s sample
	if r.warm {
		s.Warm = r.warmFor(t, w)
	}
	written, err := measureWrite(r.dir, w.bytes())
	if err != nil {
		t.Fatal(err)
	}
	s.MBps, s.BrokerCPU = written.MBps, written.CPUPerGB
	return s
}

// warmTimes is how much more than what will be written passes through memory before, and leastWarm the least that tells
// something.
const (
	warmTimes = 3
	leastWarm = 32 << 20
)

// measure does a work once on a topic of its own.
func (r *run) measure(t *testing.T, w work, s server) sample {
	t.Helper()
	var got sample
	if r.warm {
		got.Warm = r.warmFor(t, w)
	}
	topic := fmt.Sprintf("perf-%d-%d", w.Size, w.Partitions)
	harness.CreateReplicated(t, s.addrs[0], topic, w.Partitions, w.Replicas)
	if w.Mode == consume {
		drive(t, w.load(produce, s.addrs, topic))
	}
	if r.full {
		syscall.Sync() // else the disk would be busy with what the kernel has put off, mostly for others
	}
	before := s.processorTime(t)
	out := drive(t, w.load(w.Mode, s.addrs, topic))
	used := s.processorTime(t) - before
	r.count(t, w, s, topic, out)
	harness.DeleteTopic(t, s.addrs[0], topic)

	got.MBps = megabytes(out.Bytes) / out.Seconds
	got.BrokerCPU = used / gigabytes(w.bytes())
	got.ClientCPU = out.CPUSeconds / gigabytes(out.Bytes)
	got.P50, got.P99 = out.P50, out.P99
	return got
}

// warmFor warms as much memory as a work on one server will need.
func (r *run) warmFor(t *testing.T, w work) float64 {
	t.Helper()
	n := warmTimes * w.bytes() * int64(w.Replicas)
	if r.full {
		n = max(n, leastWarm)
	}
	speed, err := warm(r.dir, n)
	if err != nil {
		t.Fatal(err)
	}
	return speed
}

// processorTime is that of all brokers.
func (s server) processorTime(t *testing.T) float64 {
	t.Helper()
	used, err := processorTime(s.pids)
	if err != nil {
		harness.Missing(t, "processor time of a broker: %v", err)
	}
	return used
}

// count compares what the client did with what was asked for, and with what the broker has.
func (r *run) count(t *testing.T, w work, s server, topic string, out outcome) {
	t.Helper()
	if out.Records != w.Records || out.Bytes != w.Records*int64(w.Size) {
		t.Errorf("%s: %d records of %d bytes in all were measured, not %d of %d B", s.name, out.Records, out.Bytes, w.Records, w.Size)
	}
	if !s.stores() {
		return
	}
	total := int64(0)
	for _, end := range harness.Ends(t, s.addrs[0], topic, w.Partitions) {
		total += end
	}
	if total != w.Records+w.Warmup {
		t.Errorf("%s: the topic has %d records, not %d", s.name, total, w.Records+w.Warmup)
	}
}

// check fails if a ratio that can be had was not computed.
func (r *run) check(t *testing.T, w work) {
	t.Helper()
	base := discarding
	if w.Mode == consume {
		base = klamm
	}
	ratio, ok := r.results.ratio(w, w.figures()[0], klamm, base)
	if !ok || !(ratio > 0) {
		t.Errorf("%s: no ratio of %s to %s", w.Name, klamm, base)
	}
}
