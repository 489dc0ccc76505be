package controller

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
)

// A process that dies takes its connections along: its broker is fenced long before its session would have run out. One
// that is heard again lost only the connection.
func TestBrokenConnectionEndsASessionSoon(t *testing.T) {
	k := newCluster(t)
	k.now.Mono = core.Second
	k.start(1, 2, 3)
	k.create("a", []core.NodeID{1, 2, 3})
	k.ctl.Disconnected(k.now, 1, k.broker(1).Epoch)
	k.ctl.Disconnected(k.now, 2, k.broker(2).Epoch)
	k.ctl.Disconnected(k.now, 3, k.broker(3).Epoch-1) // an older life's connection
	k.now.Mono += timeout / grace
	k.beat(2, nil)
	k.tick()
	require.False(t, k.broker(1).Fenced, "not yet")
	k.now.Mono++
	k.tick()
	require.True(t, k.broker(1).Fenced)
	require.False(t, k.broker(2).Fenced)
	require.False(t, k.broker(3).Fenced)
	require.Equal(t, "2 [2 3]", k.state("a"))
	require.Equal(t, Refusal{}, k.reboot(1, -1), "its successor need not wait")
	k.now.Mono = k.now.Mono.Add(timeout)
	k.tick()
	require.True(t, k.broker(2).Fenced, "silence counts as ever")
}

// A broker in the controller's own process holds the node's data directory: an earlier life of it cannot be alive.
func TestEndedLifeMakesRoomAtOnce(t *testing.T) {
	k := newCluster(t)
	k.now.Mono = core.Second
	k.start(1, 2)
	k.create("a", []core.NodeID{1, 2})
	r := registration(1, 9, -1)
	require.Equal(t, core.ErrDuplicateBrokerRegistration, k.register(r).Code)
	k.ctl.Ended(1)
	require.Equal(t, Refusal{}, k.register(r))
	require.True(t, k.broker(1).Fenced)
	require.False(t, k.broker(2).Fenced)
}
