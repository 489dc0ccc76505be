package apache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// startTimeout bounds how long Kafka may take to answer its first connection.
const startTimeout = 90 * time.Second

// clusterID is the id of every cluster that is started here.
const clusterID = "MkU3OEVBNTcwNTJENDM2Qg"

// Options say what a cluster is made of. The zero value is one broker with little memory.
type Options struct {
	Nodes int      // default 1; ids begin with 1, and each is broker and controller
	Java  []string // of the virtual machine, default -Xmx512m
	Set   []string // name=value, for every node's server.properties; later values of a name win
}

// Cluster is Apache Kafka, of one node or several. Node i has the id i+1.
type Cluster struct {
	Addrs []string
	Pids  []int
}

// StartBroker runs Apache Kafka, broker and controller in one process, until the end of the test, and returns its
// address. Its node id is 1, its configuration Kafka's default but for what one node needs, and properties.
func StartBroker(t testing.TB, classpath string, properties ...string) string {
	t.Helper()
	return Start(t, classpath, Options{Set: properties}).Addrs[0]
}

// Start runs Apache Kafka until the end of the test. All nodes serve when it returns.
func Start(t testing.TB, classpath string, o Options) *Cluster {
	t.Helper()
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if len(o.Java) == 0 {
		o.Java = []string{"-Xmx512m"}
	}
	c, voters, ports := &Cluster{}, []string{}, harness.FreePorts(t, 2*o.Nodes)
	for i := range o.Nodes {
		c.Addrs = append(c.Addrs, "127.0.0.1:"+ports[2*i])
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%s", i+1, ports[2*i+1]))
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	var nodes []*node
	for i, addr := range c.Addrs {
		n := &node{t: t, dir: t.TempDir(), addr: addr, exited: make(chan error, 1)}
		n.format(ctx, classpath, properties(i+1, addr, voters, filepath.Join(n.dir, "data"), o.Set))
		n.launch(classpath, o.Java)
		nodes, c.Pids = append(nodes, n), append(c.Pids, n.cmd.Process.Pid)
	}
	for _, n := range nodes {
		n.await(ctx, o.Nodes)
	}
	return c
}

// properties is a node's server.properties.
func properties(id int, addr string, voters []string, data string, set []string) string {
	_, controller, _ := strings.Cut(voters[id-1], "@")
	lines := []string{
		"process.roles=broker,controller",
		fmt.Sprintf("node.id=%d", id),
		"controller.quorum.voters=" + strings.Join(voters, ","),
		fmt.Sprintf("listeners=PLAINTEXT://%s,CONTROLLER://%s", addr, controller),
		"advertised.listeners=PLAINTEXT://" + addr,
		"controller.listener.names=CONTROLLER",
		"log.dirs=" + data,
		fmt.Sprintf("offsets.topic.replication.factor=%d", len(voters)),
	}
	return strings.Join(append(lines, set...), "\n") + "\n"
}

// node is one process.
type node struct {
	t      testing.TB
	dir    string // server.properties, log and data
	addr   string
	cmd    *exec.Cmd
	exited chan error
}

// format writes server.properties and makes the data directory that they name.
func (n *node) format(ctx context.Context, classpath, properties string) {
	n.t.Helper()
	if err := os.WriteFile(n.file(), []byte(properties), 0o644); err != nil {
		n.t.Fatal(err)
	}
	format := exec.CommandContext(ctx, "java", "-cp", classpath, "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", n.file())
	if out, err := format.CombinedOutput(); err != nil {
		n.t.Fatalf("formatting Kafka's storage: %v\n%s", err, out)
	}
}

func (n *node) file() string { return filepath.Join(n.dir, "server.properties") }
func (n *node) log() string  { return filepath.Join(n.dir, "log") }

// launch starts the process, which the end of the test stops.
func (n *node) launch(classpath string, java []string) {
	n.t.Helper()
	log, err := os.Create(n.log())
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	n.cmd = exec.Command("java", append(slices.Clone(java), "-cp", classpath, "kafka.Kafka", n.file())...)
	n.cmd.Stdout, n.cmd.Stderr = log, log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	go func() { n.exited <- n.cmd.Wait() }()
	n.t.Cleanup(func() { stop(n.t, n.cmd, n.exited) })
}

// await waits until the node serves and knows of as many brokers.
func (n *node) await(ctx context.Context, brokers int) {
	n.t.Helper()
	if err := answers(ctx, n.addr, n.exited); err != nil {
		said, _ := os.ReadFile(n.log())
		n.t.Fatalf("Kafka does not serve: %v\n%s", err, said)
	}
	if brokers == 1 {
		return
	}
	harness.Eventually(n.t, startTimeout, func() (bool, string) {
		view, err := harness.Look(n.addr, "none") // the error is that there is no such topic
		return len(view.Brokers) == brokers, fmt.Sprintf("%s knows brokers %v: %v", n.addr, view.Brokers, err)
	})
}

// answers waits until the address accepts connections.
func answers(ctx context.Context, addr string, exited chan error) error {
	for {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case end := <-exited:
			exited <- end
			return errors.Join(errors.New("it ended"), end)
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func stop(t testing.TB, cmd *exec.Cmd, exited chan error) {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-exited:
	case <-time.After(15 * time.Second):
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		<-exited
	}
}
