package cluster_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// sameLogs stops nothing: it compares the replicas' segments byte by byte up to the shortest, which is allowed because
// the fire is over and every replica is in sync.
func (b *battle) sameLogs() {
	b.t.Helper()
	for p := range partitions {
		var logs [3][]byte
		for i, n := range b.cluster.Nodes {
			segments, err := filepath.Glob(filepath.Join(n.Data, fmt.Sprintf("%s-%d", topic, p), "*.log"))
			if err != nil || len(segments) == 0 {
				b.t.Fatalf("node %d has no segments of partition %d: %v", i+1, p, err)
			}
			slices.Sort(segments)
			for _, s := range segments {
				text, err := os.ReadFile(s)
				if err != nil {
					b.t.Fatal(err)
				}
				logs[i] = append(logs[i], text...)
			}
		}
		for i := 1; i < len(logs); i++ {
			if !bytes.Equal(logs[0], logs[i]) {
				b.t.Errorf("partition %d: nodes 1 and %d hold different bytes (%d and %d)", p, i+1, len(logs[0]), len(logs[i]))
			}
		}
	}
}
