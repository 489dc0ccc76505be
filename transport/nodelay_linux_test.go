package transport

import (
	"net"
	"syscall"
	"testing"

	"github.com/klamm-log/klamm/core/step"
	"github.com/stretchr/testify/require"
)

// TestNoDelay: a vote does not wait for more bytes to fill a segment. Go sets TCP_NODELAY on both ends unless told
// otherwise, and neither Server nor Dialer tells it.
func TestNoDelay(t *testing.T) {
	s := start(t, &echo{}, ServerOptions{})
	d, events := heard(t, DialerOptions{})
	d.Send(step.Send{Peer: 1, Kind: step.Dial, Addr: s.Addr("PLAINTEXT").String()})
	require.True(t, await[*step.PeerState](t, events).Open)
	d.mu.Lock()
	dialled := d.open[1].nc
	d.mu.Unlock()
	require.True(t, noDelay(t, dialled))
	require.NotNil(t, await[*step.ConnState](t, s.seen))
	s.mu.RLock()
	defer s.mu.RUnlock()
	require.Len(t, s.conns, 1)
	for _, c := range s.conns {
		require.True(t, noDelay(t, c.nc))
	}
}

// noDelay reads TCP_NODELAY.
func noDelay(t testing.TB, c net.Conn) bool {
	raw, err := c.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	on := 0
	require.NoError(t, raw.Control(func(fd uintptr) {
		on, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
	}))
	require.NoError(t, err)
	return on != 0
}
