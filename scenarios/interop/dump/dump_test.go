package dump_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/clients"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

const (
	partitions = 2
	count      = 30_000 // records per topic
)

// written is a data directory that a node filled and left, with the class path of the tool that judges it.
type written struct {
	tool string
	dir  string
}

// topicOf is the topic that was produced with a codec.
func topicOf(codec clients.Codec) string { return "dump-" + string(codec) }

// write fills a data directory: a topic of several segments for each codec, and metadata of every kind. The node is
// killed in the middle, so that some of the files were rebuilt, and stopped at the end, so that all are complete.
func write(t *testing.T) written {
	t.Helper()
	w := written{tool: apache.Classpath(t, apache.Tools()), dir: t.TempDir()}
	node := harness.Start(t, harness.Options{Data: w.dir})
	half := func() {
		for _, codec := range clients.Codecs() {
			produce(t, node.Addr, codec)
		}
	}
	for _, codec := range clients.Codecs() {
		harness.CreateTopic(t, node.Addr, topicOf(codec), partitions,
			"retention.ms", "-1", "segment.bytes", "1048576", "index.interval.bytes", "1024")
	}
	half()
	node.Kill()
	node.Start()
	half()
	harness.CreateTopic(t, node.Addr, "doomed", 3)
	harness.AlterTopic(t, node.Addr, topicOf("none"), "retention.bytes", "1000000000")
	harness.AddPartitions(t, node.Addr, topicOf("gzip"), partitions+1)
	harness.DeleteTopic(t, node.Addr, "doomed")
	node.Stop()
	return w
}

// produce writes half the records of a codec's topic.
func produce(t *testing.T, addr string, codec clients.Codec) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	franz := clients.Franz{}
	err := franz.Produce(ctx, clients.Job{
		Addr: addr, Topic: topicOf(codec), Partitions: partitions, Codec: codec, Shape: franz.Shape(),
		Count: count / 2, Idempotent: true, BatchBytes: 16 << 10,
	})
	if err != nil {
		t.Fatalf("producing with %s: %v", codec, err)
	}
}

// files lists the files of a partition with an extension, in order.
func (w written) files(t *testing.T, partition, extension string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, partition, "*"+extension))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("%s has no file *%s", partition, extension)
	}
	slices.Sort(found)
	return found
}

// dump runs the tool on files, and fails if it complains about anything.
func (w written) dump(t *testing.T, files []string, options ...string) string {
	t.Helper()
	out, err := apache.Dump(t, w.tool, append(options, "--files", strings.Join(files, ","))...)
	if err != nil {
		t.Fatalf("Kafka's tool on %v: %v\n%s", files, err, out)
	}
	if why := complaint(out); why != "" {
		t.Errorf("Kafka's tool on %v: %s", files, why)
	}
	return out
}

// complaint returns the first line in which the tool finds fault with a file; empty if there is none.
func complaint(out string) string {
	fault := regexp.MustCompile(`(?i)isvalid: false|mismatch|out of order|corrupt|invalid|exception|error at|not found|failed|ignoring|bytes are not|is followed by`)
	// Of a segment that does not begin at offset 0 version 4.3.0 says that its first record follows offset -1.
	first := regexp.MustCompile(`Non-consecutive offsets in \S*/0*(\d+)\.log\n  -1 is followed by (\d+)\n`)
	out = first.ReplaceAllStringFunc(out, func(s string) string {
		if m := first.FindStringSubmatch(s); m[1] == m[2] {
			return ""
		}
		return s
	})
	for line := range strings.Lines(out) {
		// Record lines carry payloads, which may say anything; only the tool's own words count.
		own := line
		if at := strings.Index(own, " payload: "); strings.HasPrefix(own, "| offset") && at > 0 && !strings.Contains(own, `payload: {"type"`) {
			own = own[:at]
		}
		if fault.MatchString(own) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func TestFiles(t *testing.T) {
	w := write(t)
	for _, codec := range clients.Codecs() {
		t.Run("segments/"+string(codec), func(t *testing.T) {
			for p := range partitions {
				w.segments(t, codec, p)
			}
		})
	}
	t.Run("indexes", w.indexes)
	t.Run("snapshots", w.snapshots)
	t.Run("metadata", w.metadata)
	t.Run("damage is seen", w.damage)
}

// segments checks every batch and record of a partition: dense offsets, the codec, Kafka's CRC.
func (w written) segments(t *testing.T, codec clients.Codec, p int) {
	logs := w.files(t, fmt.Sprintf("%s-%d", topicOf(codec), p), ".log")
	if len(logs) < 2 && codec == "none" {
		t.Errorf("%d segments; the test wants several", len(logs))
	}
	out := w.dump(t, logs, "--deep-iteration", "--print-data-log")
	batch := regexp.MustCompile(`^baseOffset: (\d+) lastOffset: (\d+) count: (\d+) .* compresscodec: (\w+) crc: \d+ isvalid: true$`)
	record := regexp.MustCompile(`^\| offset: (\d+) CreateTime: (\d+) keySize: (-?\d+) valueSize: (\d+) sequence: (\d+) headerKeys: `)
	next, end, other := 0, 0, 0
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if m := batch.FindStringSubmatch(line); m != nil {
			if number(t, m[1]) != end || number(t, m[2])-number(t, m[1])+1 != number(t, m[3]) {
				t.Fatalf("after offset %d: %s", end-1, line)
			}
			end = number(t, m[2]) + 1
			if m[4] != string(codec) {
				other += number(t, m[3])
			}
		} else if m := record.FindStringSubmatch(line); m != nil {
			w.record(t, next, p, m)
			next++
		}
	}
	const want = count / partitions
	if next != want || end != want {
		t.Errorf("partition %d: %d records in batches up to offset %d, not %d", p, next, end, want)
	}
	if other > want/10 { // a batch that compression would not make smaller goes out as it is
		t.Errorf("partition %d: %d of %d records are not compressed with %s", p, other, want, codec)
	}
}

// record compares a record as the tool prints it with the one that was sent.
func (w written) record(t *testing.T, n, p int, m []string) {
	t.Helper()
	sent := clients.Franz{}.Shape().Record(n%(count/2/partitions)*partitions + p)
	keySize := len(sent.Key)
	if sent.Key == nil {
		keySize = -1
	}
	if number(t, m[1]) != n || int64(number(t, m[2])) != sent.Timestamp || number(t, m[3]) != keySize || number(t, m[4]) != len(sent.Value) {
		t.Fatalf("record %d of partition %d: %v", n, p, m)
	}
}

// indexes has the tool read every index: its sanity check, and each entry against the segment.
func (w written) indexes(t *testing.T) {
	var files []string
	for _, codec := range clients.Codecs() {
		for p := range partitions {
			partition := fmt.Sprintf("%s-%d", topicOf(codec), p)
			files = append(files, w.files(t, partition, ".index")...)
			files = append(files, w.files(t, partition, ".timeindex")...)
		}
	}
	files = append(files, w.files(t, "__cluster_metadata-0", ".timeindex")...)
	sane := w.dump(t, files, "--index-sanity-check")
	if n := strings.Count(sane, "passed sanity check."); n != len(files) {
		t.Errorf("%d of %d index files passed Kafka's sanity check:\n%s", n, len(files), sane)
	}
	entries := int64(0)
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size := int64(8)
		if strings.HasSuffix(file, ".timeindex") {
			size = 12
		}
		entries += info.Size() / size
	}
	out := w.dump(t, files)
	t.Logf("%d entries in %d files", entries, len(files))
	printed := int64(len(regexp.MustCompile(`(?m)^(offset: \d+ position: \d+|timestamp: \d+ offset: \d+)$`).FindAllString(out, -1)))
	if printed != entries || entries < 100 {
		t.Errorf("the tool printed %d entries of %d", printed, entries)
	}
}

// snapshots has the tool read the newest producer snapshot of each partition.
func (w written) snapshots(t *testing.T) {
	for _, codec := range clients.Codecs() {
		for p := range partitions {
			files := w.files(t, fmt.Sprintf("%s-%d", topicOf(codec), p), ".snapshot")
			out := w.dump(t, files[len(files)-1:])
			last := fmt.Sprintf("lastOffset: %d ", count/partitions-1)
			if n := strings.Count(out, "producerId: "); n != 2 || !strings.Contains(out, last) {
				t.Errorf("two producers wrote up to %s; the snapshot says:\n%s", last, out)
			}
		}
	}
}

// metadata has the tool decode the metadata log with Kafka's own schemas.
func (w written) metadata(t *testing.T) {
	out := w.dump(t, w.files(t, "__cluster_metadata-0", ".log"), "--cluster-metadata-decoder")
	found := make(map[string]int)
	for _, m := range regexp.MustCompile(`payload: \{"type":"(\w+)"`).FindAllStringSubmatch(out, -1) {
		found[m[1]]++
	}
	t.Logf("metadata records by type: %v", found)
	topics := len(clients.Codecs()) + 1
	for kind, want := range map[string]int{
		"FEATURE_LEVEL_RECORD": 1, "REGISTER_BROKER_RECORD": 2, "TOPIC_RECORD": topics,
		"PARTITION_RECORD": (topics-1)*partitions + 3 + 1, "REMOVE_TOPIC_RECORD": 1, "PRODUCER_IDS_RECORD": 1,
		"CONFIG_RECORD": (topics-1)*3 + 1,
	} {
		if found[kind] < want {
			t.Errorf("%d records of type %s, not %d", found[kind], kind, want)
		}
	}
	if !strings.Contains(out, `LeaderChange: {"version":`) {
		t.Error("no LeaderChange control record")
	}
}

// damage proves that the tool, and this test, would notice: one flipped bit in a segment, one in an index.
func (w written) damage(t *testing.T) {
	partition := topicOf("none") + "-0"
	log := w.files(t, partition, ".log")[0]
	index := w.files(t, partition, ".index")[0]
	copied := t.TempDir()
	for _, file := range []string{log, index} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2&^7+7] ^= 1
		if err := os.WriteFile(filepath.Join(copied, filepath.Base(file)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{log, index} {
		out, err := apache.Dump(t, w.tool, "--files", filepath.Join(copied, filepath.Base(file)))
		if err == nil && complaint(out) == "" {
			t.Errorf("nobody minds the damage in %s", filepath.Base(file))
		}
	}
}

func number(t *testing.T, s string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(s, &n); err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return n
}
