package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Options say how a node is run. The zero value builds the binary and uses a temporary data directory.
type Options struct {
	Binary string   // built by Build if empty
	Data   string   // data directory
	Set    []string // name=value, as for klamm node --set
}

// Node is one klamm node with its process, if that is running.
type Node struct {
	Addr string // host:port, the same after a restart
	Data string
	Pid  int // of the newest process

	t       testing.TB
	options Options
	cmd     *exec.Cmd
	exited  chan struct{} // closed when the process is gone
	asked   bool          // someone wanted this process to end
	said    *transcript
}

// startTimeout bounds how long a node may take to serve, recovery included.
const startTimeout = 30 * time.Second

// Start runs a node until the end of the test.
func Start(t testing.TB, o Options) *Node {
	t.Helper()
	if o.Binary == "" {
		o.Binary = Build(t)
	}
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	n := &Node{Addr: "127.0.0.1:0", Data: o.Data, t: t, options: o, said: &transcript{}}
	n.Start()
	t.Cleanup(func() {
		n.Stop()
		if t.Failed() {
			t.Logf("the node said:\n%s", n.said)
		}
	})
	return n
}

// Start starts the process again after Kill or Stop, on the same port and data.
func (n *Node) Start() {
	n.t.Helper()
	args := []string{"node", "-o", "json", "--data", n.Data, "--listen", n.Addr}
	for _, s := range n.options.Set {
		args = append(args, "--set", s)
	}
	cmd := exec.Command(n.options.Binary, args...)
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, n.said
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.cmd, n.Pid, n.asked, n.exited = cmd, cmd.Process.Pid, false, make(chan struct{})
	go func(exited chan struct{}) {
		err := cmd.Wait()
		fmt.Fprintf(n.said, "(process %d ended: %v)\n", cmd.Process.Pid, err)
		_ = in.Close()
		close(exited)
	}(n.exited)
	serving := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n')
		serving <- line
		_, _ = io.Copy(n.said, lines)
	}()
	select {
	case line := <-serving:
		n.Addr = n.listening(line)
	case <-time.After(startTimeout):
		n.t.Fatalf("the node did not serve within %v; it said:\n%s", startTimeout, n.said)
	}
}

// listening finds the address in the line that a node prints when it serves.
func (n *Node) listening(line string) string {
	n.t.Helper()
	var result struct {
		Listeners []struct{ Address string }
	}
	if err := json.Unmarshal([]byte(line), &result); err != nil || len(result.Listeners) == 0 {
		n.t.Fatalf("the node did not serve: printed %q, said:\n%s", line, n.said)
	}
	return result.Listeners[0].Address
}

// Kill is kill -9.
func (n *Node) Kill() { n.end(syscall.SIGKILL) }

// Stop asks the process to stop, and kills it if it does not within ten seconds.
func (n *Node) Stop() { n.end(syscall.SIGTERM) }

func (n *Node) end(signal syscall.Signal) {
	n.t.Helper()
	if n.cmd == nil || n.asked {
		return
	}
	select {
	case <-n.exited:
		n.t.Errorf("the node ended by itself: %s", n.said)
		n.asked = true
		return
	default:
	}
	n.asked = true
	_ = n.cmd.Process.Signal(signal) // it may end at this moment
	select {
	case <-n.exited:
	case <-time.After(10 * time.Second):
		n.t.Errorf("the node did not end within 10 s of %v", signal)
		_ = n.cmd.Process.Kill()
		<-n.exited
	}
}

// Alive fails the test if the process has ended by itself.
func (n *Node) Alive() {
	n.t.Helper()
	select {
	case <-n.exited:
		if !n.asked {
			n.t.Fatalf("the node ended by itself: %s", n.said)
		}
	default:
	}
}

// PeakMemory is the largest resident size of the process since it started or since ResetPeakMemory, in bytes.
func (n *Node) PeakMemory() int64 {
	n.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.Pid))
	if err != nil {
		Missing(n.t, "resident memory needs Linux's /proc: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		rest, found := strings.CutPrefix(line, "VmHWM:")
		if !found {
			continue
		}
		kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			n.t.Fatal(err)
		}
		return kib << 10
	}
	n.t.Fatal("no VmHWM in /proc")
	return 0
}

// ResetPeakMemory makes PeakMemory start from the present size.
func (n *Node) ResetPeakMemory() {
	n.t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", n.Pid), []byte("5"), 0); err != nil {
		n.t.Logf("the peak of memory counts from the start of the process: %v", err)
	}
}

// transcript is what a process said; safe to read while it still talks.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
