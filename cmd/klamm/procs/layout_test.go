package procs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/stretchr/testify/require"
)

func TestShape(t *testing.T) {
	for _, c := range []struct {
		brokers, controllers int
		combined, nodes      int
	}{
		{1, 0, 1, 1}, {2, 0, 1, 2}, {3, 0, 3, 3}, {4, 0, 3, 4}, {7, 0, 3, 7}, {1, 1, 0, 2}, {3, 3, 0, 6},
	} {
		nodes, err := Shape(c.brokers, c.controllers)
		require.NoError(t, err)
		require.Len(t, nodes, c.nodes)
		combined := 0
		for i, n := range nodes {
			require.Equal(t, i+1, n.ID)
			if n.Broker && n.Controller {
				combined++
			}
		}
		require.Equal(t, c.combined, combined, "%d brokers, %d controllers", c.brokers, c.controllers)
	}
	for _, c := range [][2]int{{0, 0}, {-1, 0}, {101, 0}, {1, -1}, {1, 10}} {
		_, err := Shape(c[0], c[1])
		require.Error(t, err, "%v", c)
	}
}

// TestProperties: what is written for a node is a configuration, and says what the layout says.
func TestProperties(t *testing.T) {
	for _, controllers := range []int{0, 3} {
		nodes, err := Shape(4, controllers)
		require.NoError(t, err)
		l, err := NewLayout(nodes)
		require.NoError(t, err)
		require.Len(t, l.Bootstrap(), 4)
		ports := map[int]bool{}
		for _, n := range l.Nodes {
			props, err := config.ParseProperties([]byte(l.Properties(n, "/d", []string{"num.partitions=5", "default.replication.factor=1"})))
			require.NoError(t, err)
			b, err := config.ResolveBroker(props)
			require.NoError(t, err)
			require.Equal(t, config.Roles{Broker: n.Broker, Controller: n.Controller}, b.Roles)
			require.Equal(t, core.NodeID(n.ID), b.NodeID)
			require.Equal(t, l.ClusterID, b.ClusterID)
			require.Len(t, b.Voters, 3)
			require.Equal(t, []any{int32(5), int16(1)}, []any{b.NumPartitions, b.DefaultReplication}, "--set comes last")
			for _, listener := range append(b.Listeners, b.ControllerListeners...) {
				require.False(t, ports[int(listener.AdvertisedPort)], "a port comes twice")
				ports[int(listener.AdvertisedPort)] = true
			}
			for _, v := range b.Voters {
				if v.ID == b.NodeID {
					require.Equal(t, b.ControllerListeners[0].AdvertisedPort, v.Port)
				}
			}
		}
	}
}

func TestLayoutIsRemembered(t *testing.T) {
	dir := t.TempDir()
	_, there, err := LoadLayout(dir)
	require.NoError(t, err)
	require.False(t, there)
	nodes, err := Shape(2, 1)
	require.NoError(t, err)
	l, err := NewLayout(nodes)
	require.NoError(t, err)
	require.NoError(t, l.write(dir, nil))
	again, there, err := LoadLayout(dir)
	require.NoError(t, err)
	require.True(t, there)
	require.Equal(t, l, again)
	require.True(t, again.HasShape(nodes))
	other, _ := Shape(3, 0)
	require.False(t, again.HasShape(other))
	for text, wants := range map[string]string{"x": "invalid character", "{}": "describes no cluster"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, layoutName), []byte(text), 0o600))
		_, _, err = LoadLayout(dir)
		require.ErrorContains(t, err, wants)
	}
}
