//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
)

// patience is how long a test waits for a process to do what it should at once.
const patience = 60 * time.Second

// process is klamm in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *bufio.Reader
	talk   *bytes.Buffer
	killer *time.Timer
}

func spawn(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], args...), talk: new(bytes.Buffer)}
	p.cmd.Env = append(os.Environ(), asMain+"=1")
	p.cmd.Stderr = p.talk
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.killer = time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	t.Cleanup(func() {
		p.killer.Stop()
		_ = p.cmd.Process.Kill()
	})
	return p
}

// end waits for the process and returns its exit code, -1 for a signal.
func (p *process) end() int {
	_, _ = io.Copy(io.Discard, p.out)
	_ = p.cmd.Wait() // the code says it all
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// node is a klamm node in a process of its own, serving.
func node(t *testing.T, dir, listen string) (p *process, addr string) {
	t.Helper()
	p = spawn(t, "node", "--data", dir, "--listen", listen, "-o", "json")
	line, err := p.out.ReadBytes('\n')
	var r nodeResult
	if err != nil || json.Unmarshal(line, &r) != nil || len(r.Listeners) != 1 || r.ClusterID == "" || r.Data != dir {
		t.Fatalf("the node said %q, %v; %s", line, err, p.talk)
	}
	return p, r.Listeners[0].Address
}

func TestEndToEnd(t *testing.T) {
	dir := t.TempDir()
	p, addr := node(t, dir, "127.0.0.1:0")
	do := func(want exit.Code, stdin string, args ...string) string {
		t.Helper()
		return must(t, want, stdin, append(args, "-b", addr)...)
	}
	do(exit.OK, "", "topic", "create", "t", "-p", "2", "-c", "retention.ms=-1")
	do(exit.CantCreate, "", "topic", "create", "t")
	do(exit.OK, "", "topic", "create", "t", "--if-not-exists")
	do(exit.Data, "", "topic", "create", "no/slash")
	do(exit.NoInput, "", "topic", "describe", "u")
	do(exit.NoInput, "", "consume", "u", "-e")

	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, "k%d:line %d\n", i, i)
	}
	for i, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		if got := do(exit.OK, lines.String(), "produce", "t", "-p", "1", "--key-separator", ":", "--codec", codec, "-H", "c="+codec, "-o", "json"); strings.Count(got, "\n") != 1000 {
			t.Fatalf("%s: %s", codec, got)
		}
		want := fmt.Sprintf("t 1 %d k999=line 999 c=%s\n", (i+1)*1000-1, codec)
		if got := do(exit.OK, "", "consume", "t", "--from", "-1", "-p", "1", "-e", "-f", `%t %p %o %k=%v %h\n`); got != want {
			t.Fatalf("%s: the last record is %q, want %q", codec, got, want)
		}
	}
	do(exit.Data, "k:v\nno separator\n", "produce", "t", "--key-separator", ":")

	// The process dies without a word, and nothing that was acknowledged is lost.
	before := do(exit.OK, "", "consume", "t", "--from", "beginning", "-e", "-p", "1", "-o", "json")
	p.signal(syscall.SIGKILL)
	if code := p.end(); code != -1 {
		t.Fatalf("exit code %d after SIGKILL", code)
	}
	p, _ = node(t, dir, addr)
	if after := do(exit.OK, "", "consume", "t", "--from", "beginning", "-e", "-p", "1", "-o", "json"); after != before || strings.Count(after, "\n") < 5000 {
		t.Fatalf("%d lines before, %d after kill -9", strings.Count(before, "\n"), strings.Count(after, "\n"))
	}

	// A directory that is in use, an address that is taken.
	for _, args := range [][]string{{"--data", dir, "--listen", "127.0.0.1:0"}, {"--data", t.TempDir(), "--listen", addr}} {
		if code, _, talk := klamm(t.Context(), "", append([]string{"node"}, args...)...); code != exit.Unavailable || !strings.Contains(talk, "in use") {
			t.Errorf("%v: exit %d, %s", args, int(code), talk)
		}
	}
	p.signal(syscall.SIGTERM)
	if code := p.end(); code != 0 || !strings.Contains(p.talk.String(), "stopped in") {
		t.Fatalf("exit code %d after SIGTERM: %s", code, p.talk)
	}
	// Another node's directory is a matter of configuration.
	if code, _, talk := klamm(t.Context(), "", "node", "--data", dir, "--listen", "127.0.0.1:0", "--set", "node.id=7"); code != exit.Config {
		t.Errorf("exit %d, %s", int(code), talk)
	}
	p, _ = node(t, dir, addr)
	do(exit.OK, "", "topic", "alter", "t", "-p", "3", "--unset", "retention.ms")
	var d topicDescriptions
	if err := json.Unmarshal([]byte(do(exit.OK, "", "topic", "describe", "t", "-o", "json")), &d); err != nil {
		t.Fatal(err)
	}
	if len(d) != 1 || len(d[0].Partitions) != 3 || d[0].Partitions[1].End < 5000 || len(d[0].Configs) != 0 {
		t.Errorf("description %+v", d)
	}
	do(exit.OK, "", "topic", "delete", "t")
	if got := do(exit.OK, "", "topic", "list", "-o", "json"); got != "[]\n" {
		t.Errorf("topics %s", got)
	}
	p.signal(syscall.SIGINT)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d after SIGINT: %s", code, p.talk)
	}
}

// A consumer that waits at the end is interrupted with 130; what it printed stays.
func TestConsumeInterrupted(t *testing.T) {
	_, addr := node(t, t.TempDir(), "127.0.0.1:0")
	must(t, exit.OK, "", "topic", "create", "t", "-p", "1", "-b", addr)
	must(t, exit.OK, "", "produce", "t", "-v", "hello", "-b", addr)
	p := spawn(t, "consume", "t", "--from", "beginning", "-b", addr)
	if line, err := p.out.ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatalf("read %q, %v", line, err)
	}
	p.signal(os.Interrupt)
	if code := p.end(); code != int(exit.Interrupted) {
		t.Errorf("exit code %d: %s", code, p.talk)
	}
}

// A sweep that is interrupted prints what it has.
func TestSimInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, out, _ := klamm(ctx, "", "sim", "--profile", "calm", "-o", "json")
	var r simResult
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exit.Interrupted || !r.Interrupted {
		t.Errorf("exit %d, %v, %+v", int(code), err, r)
	}
}

func TestBench(t *testing.T) {
	_, addr := node(t, t.TempDir(), "127.0.0.1:0")
	for _, args := range [][]string{
		{"produce", "--records", "1000", "--warmup", "100", "--size", "10"},
		{"produce", "--records", "100", "--warmup", "10", "--outstanding", "1"},
		{"consume", "--records", "1000", "--warmup", "10"},
		{"e2e", "--records", "50", "--warmup", "5", "--rate", "500"},
	} {
		var r benchResult
		out := must(t, exit.OK, "", append([]string{"bench", "-b", addr, "--partitions", "2", "-o", "json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &r); err != nil || r.Schema != benchSchema || r.Kind != args[0] || r.Records < 50 || r.RecordsPerSecond <= 0 {
			t.Errorf("%v: %v, %+v", args, err, r)
		}
	}
	must(t, exit.NoInput, "", "bench", "consume", "--records", "1000000", "-b", addr)
}

// A cluster of one broker serves, keeps its data where it is told to, and goes with its nodes when it is told to end.
func TestCluster(t *testing.T) {
	dir := t.TempDir()
	start := func(args ...string) (*process, clusterResult) {
		p := spawn(t, append([]string{"cluster", "--data", dir, "-o", "json"}, args...)...)
		line, err := p.out.ReadBytes('\n')
		var r clusterResult
		if err != nil || json.Unmarshal(line, &r) != nil || len(r.Bootstrap) != 1 || len(r.Nodes) != 1 {
			p.end()
			t.Fatalf("the cluster said %q, %v; %s", line, err, p.talk)
		}
		return p, r
	}
	p, r := start("--brokers", "1", "--set", "num.partitions=7")
	must(t, exit.OK, "", "topic", "create", "t", "-b", r.Bootstrap[0])
	must(t, exit.OK, "", "produce", "t", "-v", "hello", "-b", r.Bootstrap[0])
	p.signal(syscall.SIGINT)
	if code := p.end(); code != 0 || !strings.Contains(p.talk.String(), "node 1: klamm: stopped in") {
		t.Fatalf("exit code %d: %s", code, p.talk)
	}
	if err := syscall.Kill(r.Nodes[0].Pid, 0); err == nil {
		t.Error("the node has outlived its cluster")
	}

	// The same cluster goes on, at the same address; another shape is refused.
	if code, _, talk := klamm(t.Context(), "", "cluster", "--brokers", "2", "--data", dir); code != exit.Config || !strings.Contains(talk, "holds another cluster") {
		t.Errorf("exit %d, %s", int(code), talk)
	}
	p, again := start()
	if again.Bootstrap[0] != r.Bootstrap[0] || again.ClusterID != r.ClusterID {
		t.Errorf("%+v became %+v", r, again)
	}
	if out := must(t, exit.OK, "", "consume", "t", "--from", "beginning", "-e", "-b", r.Bootstrap[0]); out != "hello\n" {
		t.Errorf("consumed %q", out)
	}
	// When its last node is killed, there is no cluster.
	if err := syscall.Kill(again.Nodes[0].Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := p.end(); code != int(exit.Unhealthy) || !strings.Contains(p.talk.String(), "no node is left") {
		t.Errorf("exit code %d: %s", code, p.talk)
	}
}

// A node that cannot start ends the cluster with its own code and words, and nothing is left behind.
func TestClusterFails(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	p := spawn(t, "cluster", "--brokers", "1", "--set", "num.partitions=x")
	if code := p.end(); code != int(exit.Config) || !strings.Contains(p.talk.String(), "node 1: klamm: num.partitions") {
		t.Errorf("exit code %d: %s", code, p.talk)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
