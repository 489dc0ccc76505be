package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ClusterID is the id of every cluster that is started here.
const ClusterID = "MkU3OEVBNTcwNTJENDM2Qg"

// ClusterOptions say what a cluster is made of. The zero value is three nodes, brokers and voters at once, on this host.
type ClusterOptions struct {
	Binary string
	Nodes  int      // default 3; their ids begin with 1
	Set    []string // name=value, for every node's server.properties
	Net    *Network // where the nodes live; nil is the loopback interface
}

// Cluster is several nodes of one cluster. Node i of Nodes has the id i+1.
type Cluster struct {
	Nodes       []*Node
	Controllers []string // addresses of the quorum's listeners, by node

	t testing.TB
}

// StartCluster starts a cluster that lives until the end of the test. Then its nodes are killed; a test that wants them
// to stop in good order stops them itself.
func StartCluster(t testing.TB, o ClusterOptions) *Cluster {
	t.Helper()
	if o.Binary == "" {
		o.Binary = Build(t)
	}
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	c, ports := &Cluster{t: t}, FreePorts(t, 2*o.Nodes)
	for i := range o.Nodes {
		host := "127.0.0.1"
		if o.Net != nil {
			host = o.Net.Host(i)
		}
		n := &Node{Addr: net.JoinHostPort(host, ports[2*i]), Data: filepath.Join(t.TempDir(), "data"), t: t, said: &transcript{}}
		n.options = Options{Binary: o.Binary, File: filepath.Join(filepath.Dir(n.Data), "server.properties")}
		if o.Net != nil {
			n.options.Prefix = o.Net.Prefix(i)
		}
		c.Nodes, c.Controllers = append(c.Nodes, n), append(c.Controllers, net.JoinHostPort(host, ports[2*i+1]))
	}
	for i, n := range c.Nodes {
		n.write(Properties(i+1, n.Addr, c.Controllers[i], n.Data, c.Voters(), o.Set...))
		n.Launch()
	}
	t.Cleanup(c.end)
	for _, n := range c.Nodes {
		n.AwaitServing()
	}
	return c
}

// Properties is a server.properties of a node of a cluster. Later values of a name win over earlier ones.
func Properties(id int, addr, controller, data string, voters []string, set ...string) string {
	lines := []string{
		fmt.Sprintf("node.id=%d", id),
		"cluster.id=" + ClusterID,
		"process.roles=broker,controller",
		fmt.Sprintf("listeners=PLAINTEXT://%s,CONTROLLER://%s", addr, controller),
		"controller.listener.names=CONTROLLER",
		"controller.quorum.voters=" + strings.Join(voters, ","),
		"log.dirs=" + data,
		"default.replication.factor=3",
		"min.insync.replicas=2",
	}
	return strings.Join(append(lines, set...), "\n") + "\n"
}

// write writes the node's server.properties.
func (n *Node) write(properties string) {
	n.t.Helper()
	if err := os.WriteFile(n.options.File, []byte(properties), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

// StartStray starts one more process with a server.properties of its own, which need not be a good one. It does not
// wait for it to serve.
func (c *Cluster) StartStray(properties string) *Node {
	c.t.Helper()
	n := &Node{t: c.t, said: &transcript{}, options: Options{
		Binary: c.Nodes[0].options.Binary, File: filepath.Join(c.t.TempDir(), "server.properties"),
	}}
	n.write(properties)
	n.Launch()
	c.t.Cleanup(n.Kill)
	return n
}

// Klamm runs a command of the binary as a client of the cluster, and returns what it printed, errors included.
func (c *Cluster) Klamm(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, c.Nodes[0].options.Binary, append(args, "-b", strings.Join(c.Addrs(), ","))...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s(%v)", out, err)
	}
	return string(out)
}

// end kills what still runs, and shows what the nodes said if the test has failed.
func (c *Cluster) end() {
	for _, n := range c.Nodes {
		n.Kill()
	}
	if !c.t.Failed() {
		return
	}
	for i, n := range c.Nodes {
		c.t.Logf("node %d said:\n%s", i+1, n.said)
	}
}

// Voters is controller.quorum.voters.
func (c *Cluster) Voters() []string {
	var out []string
	for i, addr := range c.Controllers {
		out = append(out, fmt.Sprintf("%d@%s", i+1, addr))
	}
	return out
}

// Addrs are the addresses of all nodes but the ones given by index.
func (c *Cluster) Addrs(but ...int) []string {
	var out []string
	for i, n := range c.Nodes {
		left := true
		for _, b := range but {
			left = left && b != i
		}
		if left {
			out = append(out, n.Addr)
		}
	}
	return out
}

// ports are what FreePorts draws from: above what services use, below what systems give to outgoing connections.
const firstPort, lastPort = 21000, 32000

// FreePorts are n ports that were free a moment ago on this host, no two of them the same. A node that is killed keeps its own, so it is
// not one of those that the system gives to outgoing connections.
func FreePorts(t testing.TB, n int) []string {
	t.Helper()
	var out []string
	for range 100 * n {
		if len(out) == n {
			return out
		}
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer func() { _ = l.Close() }() // held until all are drawn; nothing is accepted
		out = append(out, fmt.Sprint(port))
	}
	t.Fatal("no free port")
	return nil
}

// Eventually waits until a condition holds, and fails the test with what it said last if that takes longer than limit.
func Eventually(t testing.TB, limit time.Duration, holds func() (bool, string)) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		ok, why := holds()
		took := time.Since(begin)
		switch {
		case ok:
			return took
		case took > limit:
			t.Fatalf("not within %v: %s", limit, why)
		}
		Wait(10 * time.Millisecond)
	}
}

// Wait lets real time pass, between two questions to processes or while one is stopped. The processes have real clocks,
// so there is no other.
func Wait(d time.Duration) { time.Sleep(d) }
