//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/nodes"
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
	if code := p.end(); code != int(exit.Interrupted) || p.talk.String() != "klamm: interrupted\n" {
		t.Errorf("exit code %d: %s", code, p.talk)
	}
}

func TestBench(t *testing.T) {
	_, addr := node(t, t.TempDir(), "127.0.0.1:0")
	for _, args := range [][]string{
		{"produce", "--records", "1000", "--warmup", "100", "--size", "10"},
		{"produce", "--records", "100", "--warmup", "10", "--outstanding", "1"},
		{"consume", "--records", "1000", "--warmup", "10"},
		{"e2e", "--records", "50", "--warmup", "5", "--rate", "500"},
		{"e2e", "--records", "50", "--warmup", "5", "--rate", "500", "--outstanding", "1"},
	} {
		var r benchResult
		out := must(t, exit.OK, "", append([]string{"bench", "-b", addr, "--partitions", "2", "-o", "json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &r); err != nil || r.Schema != benchSchema || r.Kind != args[0] || r.Records < 50 || r.RecordsPerSecond <= 0 {
			t.Errorf("%v: %v, %+v", args, err, r)
		}
	}
	must(t, exit.NoInput, "", "bench", "consume", "--records", "1000000", "-b", addr)
	must(t, exit.Data, "", "bench", "e2e", "--records", "5", "--size", "3000000", "-b", addr)
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

// startCluster starts klamm cluster in a process of its own and returns it with what it said.
func startCluster(t *testing.T, args ...string) (*process, clusterResult) {
	t.Helper()
	p := spawn(t, append([]string{"cluster", "-o", "json"}, args...)...)
	line, err := p.out.ReadBytes('\n')
	var r clusterResult
	if err != nil || json.Unmarshal(line, &r) != nil {
		p.end()
		t.Fatalf("the cluster said %q, %v; %s", line, err, p.talk)
	}
	return p, r
}

// Three real processes: leaders are elected and moved, replicas are moved, and when a node is killed the others go on with
// what was acknowledged.
func TestClusterOfThree(t *testing.T) {
	p, r := startCluster(t, "--brokers", "3")
	do := func(want exit.Code, stdin string, args ...string) string {
		t.Helper()
		return must(t, want, stdin, append(args, "-b", strings.Join(r.Bootstrap, ","))...)
	}
	quorum := func() (q nodes.Quorum) {
		t.Helper()
		if err := json.Unmarshal([]byte(do(exit.OK, "", "quorum", "describe", "-o", "json")), &q); err != nil {
			t.Fatal(err)
		}
		return q
	}
	if q := quorum(); q.Leader < 1 || len(q.Replicas) != 3 || q.Replicas[0].Directory == "" || len(q.Replicas[0].Listeners) != 1 {
		t.Errorf("quorum %+v", q)
	}
	// Of two replicas one may be left: it must be allowed to say alone what is committed, for it may not have heard that before its
	// leader died. (A follower hears with its next fetch, half a second later at most.) With two in sync it could not (KIP-966).
	do(exit.OK, "", "topic", "create", "t", "-p", "6", "-c", "min.insync.replicas=1")
	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, "line %d\n", i)
	}
	do(exit.OK, lines.String(), "produce", "t")
	if out := do(exit.OK, "", "topic", "describe", "--under-replicated"); out != "all replicas are in sync\n" {
		t.Errorf("printed %q", out)
	}
	if out := do(exit.OK, "", "reassign", "alter", "-t", "t:0,1", "--to", "1,2", "-r", "2"); strings.Count(out, "begun") != 2 {
		t.Errorf("printed %q", out)
	}
	eventually(t, "the moves end", func() bool {
		return do(exit.OK, "", "reassign", "list") == "no moves in progress\n"
	})
	do(exit.OK, "", "elect", "preferred", "t")

	// The leader of the quorum is killed, and with it a broker.
	victim := quorum().Leader
	if err := syscall.Kill(r.Nodes[victim-1].Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another leads", func() bool {
		code, out, _ := klamm(t.Context(), "", "quorum", "describe", "-o", "json", "--timeout", "1s", "-b", strings.Join(r.Bootstrap, ","))
		var q nodes.Quorum
		return code == exit.OK && json.Unmarshal([]byte(out), &q) == nil && q.Leader != victim && q.Leader > 0
	})
	eventually(t, "the broker's replicas are missed, and nobody is led by it", func() bool {
		var rows nodes.UnderReplicated
		if err := json.Unmarshal([]byte(do(exit.OK, "", "topic", "describe", "--under-replicated", "-o", "json")), &rows); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if row.Leader == victim || row.Leader < 0 || len(row.Missing) != 1 || row.Missing[0] != victim {
				return false
			}
		}
		return len(rows) >= 4
	})
	if got := do(exit.OK, "", "consume", "t", "--from", "beginning", "-e"); strings.Count(got, "\n") != 1000 {
		t.Errorf("%d records of 1000 are left", strings.Count(got, "\n"))
	}
	do(exit.OK, "one more\n", "produce", "t")
	p.signal(syscall.SIGINT)
	if code := p.end(); code != 0 || !strings.Contains(p.talk.String(), "signal: killed") {
		t.Errorf("exit code %d: %s", code, p.talk)
	}
}

// Nodes of one role each, and a voter that joins and one that leaves.
func TestClusterOfSeparateRoles(t *testing.T) {
	dir := t.TempDir()
	p, r := startCluster(t, "--brokers", "1", "--controllers", "3", "--data", dir)
	if len(r.Nodes) != 4 || r.Nodes[0].Roles != "broker" || r.Nodes[3].Roles != "controller" || len(r.Bootstrap) != 1 {
		t.Fatalf("nodes %+v", r.Nodes)
	}
	joining := spawn(t, "node", "-o", "json", "--set", "process.roles=controller", "--set", "node.id=9", "--set", "cluster.id="+r.ClusterID,
		"--set", "listeners=CONTROLLER://127.0.0.1:0", "--set", "controller.listener.names=CONTROLLER",
		"--set", "controller.quorum.bootstrap.servers="+r.Nodes[1].Controller, "--set", "log.dirs="+filepath.Join(dir, "joining"))
	line, err := joining.out.ReadBytes('\n')
	var joined nodeResult
	if err != nil || json.Unmarshal(line, &joined) != nil || len(joined.Controllers) != 1 || len(joined.Listeners) != 0 {
		joining.end()
		t.Fatalf("the node said %q, %v; %s", line, err, joining.talk)
	}
	eventually(t, "it observes", func() bool {
		return strings.Contains(must(t, exit.OK, "", "quorum", "describe", "-b", r.Bootstrap[0]), "\n9     observer")
	})
	must(t, exit.OK, "", "quorum", "add", "9", "--listener", "CONTROLLER://"+joined.Controllers[0].Address, "-b", r.Bootstrap[0])
	must(t, exit.OK, "", "quorum", "remove", "2", "-b", r.Bootstrap[0])
	eventually(t, "one votes and the other does not", func() bool {
		out := must(t, exit.OK, "", "quorum", "describe", "-b", r.Bootstrap[0])
		return !strings.Contains(out, "\n9     observer") && strings.Contains(out, "\n2     observer") && strings.Contains(out, "leader")
	})
	must(t, exit.OK, "", "topic", "create", "t", "-b", r.Bootstrap[0])
	joining.signal(syscall.SIGTERM)
	p.signal(syscall.SIGTERM)
	for _, p := range []*process{p, joining} {
		if code := p.end(); code != 0 {
			t.Errorf("exit code %d: %s", code, p.talk)
		}
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("it did not come true that %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
