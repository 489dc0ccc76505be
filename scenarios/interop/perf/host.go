package perf

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostSpan says how much of the machine is measured. Its figures are limits that no broker gets past.
type hostSpan struct {
	Syncs int   // of each size
	Write int64 // bytes
	Trips int   // round trips
}

// host is what the machine can do itself, in the directory's file system.
type host struct {
	Syncs []syncTime
	Write writeSpeed
	Trip  latency // of 100 B to another process and back, over TCP on the loopback interface
}

// latency is a median and a 99th percentile, microseconds.
type latency struct{ P50, P99 float64 }

// syncTime is how long one write with fdatasync takes.
type syncTime struct {
	Bytes   int
	Written bool // over what was written before; else the file grows, and its new length has to be durable as well
	latency
}

// writeSpeed is that of one long file with an fdatasync for each MiB.
type writeSpeed struct {
	MBps     float64
	CPUPerGB float64 // seconds of the writing process
}

// closedLoopBytes is the size of an append that stands for that of a lone record.
const closedLoopBytes = 4 << 10

// measureHost takes all figures.
func measureHost(t testing.TB, dir string, span hostSpan) host {
	t.Helper()
	var h host
	for _, size := range []int{170, closedLoopBytes, 64 << 10, 1 << 20} {
		grown, written, err := measureSyncs(dir, size, span.Syncs)
		if err != nil {
			t.Fatal(err)
		}
		h.Syncs = append(h.Syncs, grown, written)
	}
	var err error
	if h.Write, err = measureWrite(dir, span.Write); err != nil {
		t.Fatal(err)
	}
	h.Trip = measureTrip(t, span.Trips)
	return h
}

// measureLoop is what a closed loop takes at least: an append that is synced, and a round trip. The two medians are added
// up, and so are the 99th percentiles.
func measureLoop(t testing.TB, dir string, span hostSpan) latency {
	t.Helper()
	grown, _, err := measureSyncs(dir, closedLoopBytes, span.Syncs)
	if err != nil {
		t.Fatal(err)
	}
	trip := measureTrip(t, span.Trips)
	return latency{P50: grown.P50 + trip.P50, P99: grown.P99 + trip.P99}
}

// measureSyncs appends n times to a new file, and then writes as often over it.
func measureSyncs(dir string, size, n int) (grown, written syncTime, err error) {
	err = withFile(dir, func(f *os.File) error {
		for _, m := range []*syncTime{&grown, &written} {
			times, err := syncs(f, size, n)
			if err != nil {
				return err
			}
			m.Bytes = size
			m.P50, m.P99 = quantiles(times)
		}
		written.Written = true
		return nil
	})
	return grown, written, err
}

// syncs writes n blocks from the file's beginning on, each with an fdatasync, and returns how long each took.
func syncs(f *os.File, size, n int) ([]time.Duration, error) {
	block := make([]byte, size)
	times := make([]time.Duration, 0, n)
	for i := range n {
		begin := time.Now()
		if _, err := f.WriteAt(block, int64(i)*int64(size)); err != nil {
			return nil, err
		}
		if err := datasync(f); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begin))
	}
	return times, nil
}

// measureWrite writes n bytes to a new file.
func measureWrite(dir string, n int64) (speed writeSpeed, err error) {
	err = withFile(dir, func(f *os.File) error {
		w := startWatch()
		blocks := int(max(1, n>>20))
		if _, err := syncs(f, 1<<20, blocks); err != nil {
			return err
		}
		did := w.outcome(int64(blocks), int64(blocks)<<20)
		speed = writeSpeed{MBps: megabytes(did.Bytes) / did.Seconds, CPUPerGB: did.CPUSeconds / gigabytes(did.Bytes)}
		return nil
	})
	return speed, err
}

// withFile lends a new file.
func withFile(dir string, use func(*os.File) error) error {
	f, err := os.Create(filepath.Join(dir, "host"))
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // dir goes at the end of the test
	defer func() { _ = f.Close() }()           // what counts is synced
	return use(f)
}

// tripBytes is the size of a message, there and back.
const tripBytes = 100

// measureTrip has n messages echoed by another process, one after the other.
func measureTrip(t testing.TB, n int) latency {
	t.Helper()
	conn, err := net.Dial("tcp", spawn(t, roleEcho, nil).line())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // all is echoed
	message := make([]byte, tripBytes)
	times := make([]time.Duration, 0, n)
	for range n {
		begin := time.Now()
		if _, err := conn.Write(message); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, message); err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(begin))
	}
	var l latency
	l.P50, l.P99 = quantiles(times)
	return l
}

// playEcho sends back what one connection sends, on a port that the system chooses, which it prints.
func playEcho(out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return err
	}
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	message := make([]byte, tripBytes)
	for {
		if _, err := io.ReadFull(conn, message); err != nil {
			return conn.Close()
		}
		if _, err := conn.Write(message); err != nil {
			return err
		}
	}
}

// String is a Markdown table.
func (h host) String() string {
	var b strings.Builder
	b.WriteString("| this machine | p50 | p99 |\n|---|---|---|\n")
	for _, s := range h.Syncs {
		where := "a file that grows"
		if s.Written {
			where = "a file that is written already"
		}
		fmt.Fprintf(&b, "| fdatasync after %d B into %s | %.0f us | %.0f us |\n", s.Bytes, where, s.P50, s.P99)
	}
	fmt.Fprintf(&b, "| TCP loopback, %d B to another process and back | %.0f us | %.0f us |\n", tripBytes, h.Trip.P50, h.Trip.P99)
	fmt.Fprintf(&b, "| one file, fdatasync per MiB | %.0f MB/s | %.2f CPU-s/GB |\n", h.Write.MBps, h.Write.CPUPerGB)
	return b.String()
}
