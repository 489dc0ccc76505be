package host_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/host"
	"github.com/klamm-log/klamm/core/config"
)

func options(t *testing.T, dir string, more ...string) host.Options {
	t.Helper()
	props := map[string]string{"listeners": "PLAINTEXT://127.0.0.1:0", "log.dirs": dir}
	for i := 0; i < len(more); i += 2 {
		props[more[i]] = more[i+1]
	}
	cfg, err := config.ResolveBroker(props)
	if err != nil {
		t.Fatal(err)
	}
	return host.Options{Config: cfg, Static: props}
}

// start starts a node and waits until it serves.
func start(t *testing.T, o host.Options) *host.Node {
	t.Helper()
	n, err := host.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Kill)
	select {
	case <-n.Serving():
	case <-n.Done():
		t.Fatalf("the node ended: %v", n.Err())
	}
	return n
}

// refused starts a node that cannot be and returns why.
func refused(t *testing.T, o host.Options) *host.Error {
	t.Helper()
	n, err := host.Start(o)
	if err == nil {
		t.Cleanup(n.Kill)
		select {
		case <-n.Serving():
			t.Fatal("the node serves")
		case <-n.Done():
			err = n.Err()
		}
	}
	var why *host.Error
	if !errors.As(err, &why) || why.Error() == "" {
		t.Fatalf("error %v", err)
	}
	return why
}

func TestLife(t *testing.T) {
	dir := t.TempDir()
	n := start(t, options(t, dir))
	id, addr := n.ClusterID(), n.Addr("PLAINTEXT").String()
	if id == "" || n.NodeID() != 1 || n.Dir() != dir || n.Recovery() <= 0 || n.Addr("OTHER") != nil {
		t.Errorf("cluster %q, node %d, dir %s, recovery %v", id, n.NodeID(), n.Dir(), n.Recovery())
	}
	if l := n.Listeners(); len(l) != 1 || l[0].AdvertisedPort == 0 || l[0].Bind != addr {
		t.Errorf("listeners %+v, bound %s", l, addr)
	}
	c, err := net.Dial("tcp", addr) // an idle connection does not hold up the end
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n.Shutdown()
	n.Shutdown()
	<-n.Done()
	if n.Err() != nil {
		t.Fatalf("shutdown: %v", n.Err())
	}
	if _, err := os.Stat(filepath.Join(dir, ".kafka_cleanshutdown")); err != nil {
		t.Errorf("no mark of a clean shutdown: %v", err)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("somebody still listens")
	}

	n = start(t, options(t, dir))
	if n.ClusterID() != id {
		t.Errorf("cluster %s became %s", id, n.ClusterID())
	}
	n.Kill()
	if n.Err() != nil {
		t.Errorf("kill: %v", n.Err())
	}
	if n = start(t, options(t, dir)); n.ClusterID() != id {
		t.Errorf("cluster %s became %s", id, n.ClusterID())
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	n := start(t, options(t, dir))
	if why := refused(t, options(t, dir)); !why.Taken || why.Config {
		t.Errorf("a directory in use: %+v", why)
	}
	if why := refused(t, options(t, t.TempDir(), "listeners", "PLAINTEXT://"+n.Addr("PLAINTEXT").String())); !why.Taken {
		t.Errorf("an address in use: %+v", why)
	}
	n.Kill()
	if why := refused(t, options(t, dir, "node.id", "2")); !why.Config || why.Taken {
		t.Errorf("another node's directory: %+v", why)
	}
	// Not the configuration's fault, and nobody's in use.
	if err := os.WriteFile(filepath.Join(dir, "meta.properties"), []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	if why := refused(t, options(t, dir)); why.Config || why.Taken {
		t.Errorf("a damaged directory: %+v", why)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if why := refused(t, options(t, file)); why.Taken {
		t.Errorf("a directory that is a file: %+v", why)
	}
}

// TestControllerListener: it is opened beside the clients', on a port of its own, and its address is claimed as theirs is.
func TestControllerListener(t *testing.T) {
	both := []string{"listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0", "controller.listener.names", "CONTROLLER"}
	n := start(t, options(t, t.TempDir(), both...))
	l := n.ControllerListeners()
	if len(l) != 1 || l[0].AdvertisedPort == 0 || l[0].Bind != n.Addr("CONTROLLER").String() || len(n.Listeners()) != 1 {
		t.Fatalf("listeners %+v and %+v", n.Listeners(), l)
	}
	for _, name := range []string{"PLAINTEXT", "CONTROLLER"} {
		c, err := net.Dial("tcp", n.Addr(name).String())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer c.Close()
	}
	// What voters say to each other is answered here, and ends a client's connection there.
	const vote = "\x00\x00\x00\x0e" + "\x00\x34\x00\x00" + "\x00\x00\x00\x07" + "\xff\xff" + "\x00" + "\x00\x01\x00"
	for name, answered := range map[string]bool{"CONTROLLER": true, "PLAINTEXT": false} {
		c, err := net.Dial("tcp", n.Addr(name).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(vote)); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 8)
		_, err = io.ReadFull(c, head)
		if got := err == nil && head[7] == 7; got != answered || !answered && !errors.Is(err, io.EOF) {
			t.Errorf("a vote on %s: % x, %v", name, head, err)
		}
	}
	taken := "PLAINTEXT://127.0.0.1:0,CONTROLLER://" + l[0].Bind
	if why := refused(t, options(t, t.TempDir(), "listeners", taken, "controller.listener.names", "CONTROLLER")); !why.Taken {
		t.Errorf("an address in use: %+v", why)
	}
	n.Shutdown()
	<-n.Done()
	if c, err := net.Dial("tcp", l[0].Bind); err == nil {
		_ = c.Close()
		t.Error("somebody still listens")
	}
}
