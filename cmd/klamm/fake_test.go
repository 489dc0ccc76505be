//go:build !js

package main

import (
	"net"
	"sync"
	"testing"

	"github.com/klamm-log/klamm/core/client/admin/admintest"
)

// fake is a broker that answers what the test says, for what a cluster does not do at a test's wish.
type fake struct {
	mu     sync.Mutex
	broker admintest.Broker
	addr   string
}

func newFake(t *testing.T, b admintest.Broker) *fake {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	b.Host, b.Port = "127.0.0.1", int32(socket.Addr().(*net.TCPAddr).Port)
	f := &fake{broker: b, addr: socket.Addr().String()}
	go func() {
		for {
			nc, err := socket.Accept()
			if err != nil {
				return
			}
			go f.serve(t, nc)
		}
	}()
	return f
}

func (f *fake) serve(t *testing.T, nc net.Conn) {
	defer nc.Close()
	f.mu.Lock()
	c := f.broker.Connect()
	f.mu.Unlock()
	buf := make([]byte, 4096)
	for {
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		f.mu.Lock()
		out, err := c.Exchange(buf[:n])
		f.mu.Unlock()
		if err != nil {
			t.Errorf("the fake broker got %v", err)
			return
		}
		if _, err := nc.Write(out); err != nil {
			return
		}
	}
}

// asked is what the broker was asked for since the last call.
func (f *fake) asked() []any {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.broker.Asked
	f.broker.Asked = nil
	return out
}

// set changes what the broker says.
func (f *fake) set(change func(b *admintest.Broker)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.broker)
}
