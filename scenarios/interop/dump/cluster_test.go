package dump_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// settles bounds the time in which a cluster brings all replicas in sync.
const settles = 60 * time.Second

// replicated fills a cluster's directories: topics of several segments with three replicas, while each node is killed once,
// so that there are several leader epochs; metadata of every kind, with snapshots. All nodes are stopped at the end.
func replicated(t *testing.T) []written {
	t.Helper()
	tool := apache.Classpath(t, apache.Tools())
	c := harness.StartCluster(t, harness.ClusterOptions{Set: []string{"metadata.log.max.record.bytes.between.snapshots=3000"}})
	harness.CreateReplicated(t, c.Nodes[0].Addr, topicOf("zstd"), partitions, 3,
		"retention.ms", "-1", "segment.bytes", "1048576", "index.interval.bytes", "1024")
	for i, n := range c.Nodes {
		c.AwaitFull(t, topicOf("zstd"), settles)
		produce(t, c.Nodes[(i+1)%3].Addr, "zstd")
		n.Kill()
		produce(t, c.Nodes[(i+1)%3].Addr, "zstd")
		n.Start()
	}
	c.AwaitFull(t, topicOf("zstd"), settles)
	for i := range 8 {
		name := fmt.Sprintf("doomed-%d", i)
		harness.CreateReplicated(t, c.Nodes[0].Addr, name, 3, -1)
		harness.AlterTopic(t, c.Nodes[0].Addr, name, "retention.bytes", "1000000000")
		if i%2 == 0 {
			harness.DeleteTopic(t, c.Nodes[0].Addr, name)
		}
	}
	for _, n := range c.Nodes {
		n.Stop()
	}
	var out []written
	for _, n := range c.Nodes {
		out = append(out, written{tool: tool, dir: n.Data})
	}
	return out
}

// What three nodes wrote, each one's copy: Kafka's tool reads segments, indexes and producer snapshots of replicas, the
// metadata log and its snapshots.
func TestCluster(t *testing.T) {
	for i, w := range replicated(t) {
		t.Run(fmt.Sprintf("node %d", i+1), func(t *testing.T) {
			t.Run("replicas", w.replicas)
			t.Run("indexes", w.replicaIndexes)
			t.Run("metadata log", w.metadataLog)
			t.Run("metadata snapshots", w.metadataSnapshots)
		})
	}
}

// replicas checks every batch of a replica: dense offsets, leader epochs that never fall, and the leader-epoch-checkpoint
// that tells where each begins.
func (w written) replicas(t *testing.T) {
	for p := range partitions {
		partition := fmt.Sprintf("%s-%d", topicOf("zstd"), p)
		out := w.dump(t, w.files(t, partition, ".log"), "--deep-iteration")
		batch := regexp.MustCompile(`(?m)^baseOffset: (\d+) lastOffset: (\d+) count: (\d+) .*partitionLeaderEpoch: (\d+) .* isvalid: true$`)
		next, starts := 0, [][2]int{}
		for _, m := range batch.FindAllStringSubmatch(out, -1) {
			base, epoch := number(t, m[1]), number(t, m[4])
			if base != next {
				t.Fatalf("%s: after offset %d: %s", partition, next-1, m[0])
			}
			next = number(t, m[2]) + 1
			switch last := len(starts) - 1; {
			case last < 0 || epoch > starts[last][0]:
				starts = append(starts, [2]int{epoch, base})
			case epoch < starts[last][0]:
				t.Errorf("%s: leader epoch %d after %d at offset %d", partition, epoch, starts[last][0], base)
			}
		}
		if want := 3 * count / partitions; next != want {
			t.Errorf("%s ends at %d, not %d", partition, next, want)
		}
		if len(starts) < 2 {
			t.Errorf("%s has the leader epochs %v; the test wants several", partition, starts)
		}
		w.epochs(t, partition, starts)
	}
}

// epochs compares leader-epoch-checkpoint with the epochs in the batches. Epochs without records may be in the file.
func (w written) epochs(t *testing.T, partition string, starts [][2]int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, partition, "leader-epoch-checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) < 2 || lines[0] != "0" || lines[1] != strconv.Itoa(len(lines)-2) {
		t.Fatalf("%s: the checkpoint is not one of Kafka's: %q", partition, text)
	}
	var told [][2]int
	for _, line := range lines[2:] {
		epoch, start, _ := strings.Cut(line, " ")
		told = append(told, [2]int{number(t, epoch), number(t, start)})
	}
	if !slices.IsSortedFunc(told, func(a, b [2]int) int { return a[0] - b[0] }) {
		t.Errorf("%s: the checkpoint is not in order: %v", partition, told)
	}
	for _, s := range starts {
		if !slices.Contains(told, s) {
			t.Errorf("%s: epoch %d begins at %d; the checkpoint says %v", partition, s[0], s[1], told)
		}
	}
}

// replicaIndexes has the tool check every index of the replicas against their segments.
func (w written) replicaIndexes(t *testing.T) {
	var files []string
	for p := range partitions {
		partition := fmt.Sprintf("%s-%d", topicOf("zstd"), p)
		files = append(files, w.files(t, partition, ".index")...)
		files = append(files, w.files(t, partition, ".timeindex")...)
	}
	if n := strings.Count(w.dump(t, files, "--index-sanity-check"), "passed sanity check."); n != len(files) {
		t.Errorf("%d of %d index files passed Kafka's sanity check", n, len(files))
	}
	w.dump(t, files)
	for p := range partitions {
		snapshots := w.files(t, fmt.Sprintf("%s-%d", topicOf("zstd"), p), ".snapshot")
		out := w.dump(t, snapshots[len(snapshots)-1:])
		if n := strings.Count(out, "producerId: "); n != 6 {
			t.Errorf("six producers wrote to partition %d; the snapshot says:\n%s", p, out)
		}
	}
}

// metadataLog has the tool decode the metadata log with Kafka's schemas.
func (w written) metadataLog(t *testing.T) {
	out := w.dump(t, w.files(t, "__cluster_metadata-0", ".log"), "--cluster-metadata-decoder")
	found := types(out)
	t.Logf("records by type: %v", found)
	for _, kind := range []string{"PARTITION_CHANGE_RECORD", "TOPIC_RECORD", "PARTITION_RECORD", "BROKER_REGISTRATION_CHANGE_RECORD", "REGISTER_BROKER_RECORD"} {
		if found[kind] == 0 {
			t.Errorf("no %s", kind)
		}
	}
	for _, kind := range []string{"LeaderChange", "KRaftVoters", "KRaftVersion"} {
		if !strings.Contains(out, kind) {
			t.Errorf("no control record %s", kind)
		}
	}
}

// metadataSnapshots has the tool decode every snapshot: a header, the features first, a footer.
func (w written) metadataSnapshots(t *testing.T) {
	for _, file := range w.files(t, "__cluster_metadata-0", ".checkpoint") {
		out := w.dump(t, []string{file}, "--cluster-metadata-decoder")
		found := types(out)
		t.Logf("%s: %v", filepath.Base(file), found)
		if !strings.Contains(out, "SnapshotHeader") || !strings.Contains(out, "SnapshotFooter") {
			t.Errorf("%s lacks a header or a footer:\n%s", file, out)
		}
		if found["FEATURE_LEVEL_RECORD"] == 0 || found["REGISTER_BROKER_RECORD"] != 3 {
			t.Errorf("%s: %v", file, found)
		}
	}
}

// types counts the metadata records by type.
func types(out string) map[string]int {
	found := make(map[string]int)
	for _, m := range regexp.MustCompile(`payload: \{"type":"(\w+)"`).FindAllStringSubmatch(out, -1) {
		found[m[1]]++
	}
	return found
}
