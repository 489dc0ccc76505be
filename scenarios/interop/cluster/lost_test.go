package cluster_test

import (
	"os"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// A voter's disk is lost, and the node starts with an empty one. It does not vote (KIP-853), and says so, as does the quorum;
// its partitions come back from the others meanwhile. The operator takes the old voter out and the new one in.
func TestLostDirectory(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{})
	harness.CreateReplicated(t, c.Nodes[0].Addr, topic, partitions, 3)
	c.AwaitFull(t, topic, rejoin)
	const id = 3
	node := c.Nodes[id-1]
	was := voters(t, c.Nodes[0].Addr)
	node.Kill()
	if err := os.RemoveAll(node.Data); err != nil {
		t.Fatal(err)
	}
	node.Start()
	said := func(words string) {
		t.Helper()
		harness.Eventually(t, rejoin, func() (bool, string) { return strings.Contains(node.Said(), words), "the node says " + node.Said() })
	}
	shown := func(words string, wanted bool) {
		t.Helper()
		harness.Eventually(t, rejoin, func() (bool, string) {
			table := c.Klamm(t, "quorum", "describe")
			return strings.Contains(table, words) == wanted, table
		})
	}
	said("this node does not vote: voter 3 of the quorum has the data directory ")
	shown("node 3 runs with another data directory than voter 3 has, and does not vote", true)
	c.AwaitFull(t, topic, rejoin)
	t.Logf("it says %s", node.Said())
	t.Log(c.Klamm(t, "quorum", "describe"))
	_, identity, _ := strings.Cut(node.Said(), "klamm quorum add ")
	add := strings.Fields(identity)[:5] // 3, --directory and --listener with their values
	for _, args := range [][]string{{"remove", "3"}, append([]string{"add"}, add...)} {
		out := c.Klamm(t, append([]string{"quorum"}, args...)...)
		t.Log(out)
		if !strings.HasPrefix(out, "voter 3, ") {
			t.Fatalf("quorum %v: %s", args, out)
		}
	}
	said("this node votes")
	shown("does not vote", false)
	is := voters(t, c.Nodes[0].Addr)
	if len(is) != len(was) || is[0] != was[0] || is[1] != was[1] || is[2] == was[2] {
		t.Errorf("the voters were %v, are %v", was, is)
	}
	for _, n := range c.Nodes {
		n.Alive()
	}
}
