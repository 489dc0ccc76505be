package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
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
	File   string   // server.properties that says everything; Data and the address then only repeat what it says
	Prefix []string // command line that the node's own is put behind, such as ip netns exec
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
	serving chan string   // the line that a node prints when it serves
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

// Start starts the process again after Kill or Stop, on the same port and data, and waits until it serves.
func (n *Node) Start() {
	n.t.Helper()
	n.Launch()
	n.AwaitServing()
}

// command is the node's command line.
func (n *Node) command() []string {
	args := append(slices.Clone(n.options.Prefix), n.options.Binary, "node", "-o", "json")
	if n.options.File != "" {
		args = append(args, n.options.File)
	} else {
		args = append(args, "--data", n.Data, "--listen", n.Addr)
	}
	for _, s := range n.options.Set {
		args = append(args, "--set", s)
	}
	return args
}

// Launch starts the process without waiting: a node of a cluster serves when enough others are there.
func (n *Node) Launch() {
	n.t.Helper()
	args := n.command()
	cmd := exec.Command(args[0], args[1:]...)
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
	n.serving = make(chan string, 1)
	go func(serving chan<- string) {
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n')
		serving <- line
		_, _ = io.Copy(n.said, lines)
	}(n.serving)
}

// AwaitServing waits until a process that Launch started serves.
func (n *Node) AwaitServing() {
	n.t.Helper()
	select {
	case line := <-n.serving:
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

// Signal sends a signal that does not end the process, such as SIGSTOP.
func (n *Node) Signal(signal syscall.Signal) {
	n.t.Helper()
	if err := n.cmd.Process.Signal(signal); err != nil {
		n.t.Fatalf("%v: %v", signal, err)
	}
}

// Exited waits until the process is gone, and tells with what exit code; false if it still runs after the time given.
func (n *Node) Exited(within time.Duration) (code int, ended bool) {
	select {
	case <-n.exited:
		n.asked = true
		return n.cmd.ProcessState.ExitCode(), true
	case <-time.After(within):
		return 0, false
	}
}

// Said is all that the node's processes have printed but the lines of AwaitServing.
func (n *Node) Said() string { return n.said.String() }

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
