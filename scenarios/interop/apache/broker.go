package apache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds how long Kafka may take to answer its first connection.
const startTimeout = 90 * time.Second

// StartBroker runs Apache Kafka, broker and controller in one process, until the end of the test, and returns its
// address. Its node id is 1, its configuration Kafka's default but for what one node needs, and properties.
func StartBroker(t testing.TB, classpath string, properties ...string) string {
	t.Helper()
	dir := t.TempDir()
	addr, controller := freeAddr(t), freeAddr(t)
	file := filepath.Join(dir, "server.properties")
	text := fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[1]s
listeners=PLAINTEXT://%[2]s,CONTROLLER://%[1]s
advertised.listeners=PLAINTEXT://%[2]s
controller.listener.names=CONTROLLER
log.dirs=%[3]s
offsets.topic.replication.factor=1
%[4]s
`, controller, addr, filepath.Join(dir, "data"), strings.Join(properties, "\n"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	format := exec.CommandContext(ctx, "java", "-cp", classpath, "kafka.tools.StorageTool",
		"format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", file)
	if out, err := format.CombinedOutput(); err != nil {
		t.Fatalf("formatting Kafka's storage: %v\n%s", err, out)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("java", "-Xmx512m", "-cp", classpath, "kafka.Kafka", file)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() { stop(t, cmd, exited) })
	if err := answers(ctx, addr, exited); err != nil {
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("Kafka does not serve: %v\n%s", err, said)
	}
	return addr
}

// freeAddr is an address that was free a moment ago.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // nothing was accepted
	return l.Addr().String()
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
