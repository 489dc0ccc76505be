package perf

import (
	"testing"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// server is one of those that are compared, running.
type server struct {
	name  string
	addrs []string
	pids  []int // of all its brokers
}

// stores tells whether what is written can be read.
func (s server) stores() bool { return s.name != discarding }

// startKlamm runs one node, durable as by default, or a cluster. The binary is that of this tree if none is named.
func startKlamm(t *testing.T, name, binary string, nodes int) server {
	t.Helper()
	if nodes == 1 {
		n := harness.Start(t, harness.Options{Binary: binary})
		return server{name, []string{n.Addr}, []int{n.Pid}}
	}
	s := server{name: name}
	for _, n := range harness.StartCluster(t, harness.ClusterOptions{Binary: binary, Nodes: nodes}).Nodes {
		s.addrs, s.pids = append(s.addrs, n.Addr), append(s.pids, n.Pid)
	}
	return s
}

// startKafka runs Apache Kafka with its defaults, those of the virtual machine in kafka-run-class.sh and
// kafka-server-start.sh included. Only deleted topics leave the disk sooner than after a minute, in which others would
// be measured.
func startKafka(t *testing.T, name string, nodes int, set ...string) server {
	t.Helper()
	c := apache.Start(t, apache.Classpath(t, apache.Broker()), apache.Options{
		Nodes: nodes,
		Java: []string{
			"-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
			"-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
		},
		Set: append(set, "log.segment.delete.delay.ms=1000"),
	})
	return server{name, c.Addrs, c.Pids}
}

// startDiscard runs the server that stores nothing.
func startDiscard(t *testing.T) server {
	t.Helper()
	p := spawn(t, roleDiscard, nil)
	return server{discarding, []string{p.line()}, []int{p.cmd.Process.Pid}}
}
