package metadata

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
)

// bigCluster is 100,000 partitions: topics of ten, three replicas each.
func bigCluster() []Record {
	recs := []Record{&FeatureLevelRecord{MetadataVersionFeature, MetadataVersionMax}}
	for i := range 10_000 {
		id := core.TopicIDFromWords(1, uint64(i)) //nolint:gosec // small
		recs = append(recs, &TopicRecord{fmt.Sprintf("topic-%d", 9_999-i), id})
		for p := range int32(10) {
			n := core.NodeID(p % 6)
			replicas := []core.NodeID{n, n + 1, n + 2}
			recs = append(recs, &PartitionRecord{
				PartitionID: p, TopicID: id, Replicas: replicas, ISR: replicas, Leader: n,
				Directories: []DirectoryID{seq(1), seq(2), seq(3)},
			})
		}
	}
	return recs
}

func TestLookupsDoNotAllocate(t *testing.T) {
	m := replayAll(t, bigCluster()...)
	require.Equal(t, int64(100_000), m.PartitionCount())
	id := m.Topic("topic-77").ID
	res := ConfigResource{ResourceTopic, "topic-77"}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if m.Topic("topic-77") == nil || m.Partition(id, 9) == nil || m.TopicByID(id) == nil || m.Broker(1) != nil {
			t.Error("lookup failed")
		}
		if _, ok := m.Config(res, "retention.ms"); ok || m.MetadataVersion() != MetadataVersionMax {
			t.Error("lookup failed")
		}
	}))
}

func BenchmarkReplay100kPartitions(b *testing.B) {
	recs := bigCluster()
	b.ReportAllocs()
	for b.Loop() {
		replayAll(b, recs...)
	}
}

func BenchmarkParse100kPartitions(b *testing.B) {
	var values [][]byte
	for _, rec := range bigCluster() {
		values = append(values, AppendTo(nil, rec, MetadataVersionMax))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, v := range values {
			if _, err := Parse(v); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkPartitionChange(b *testing.B) {
	m := replayAll(b, bigCluster()...)
	rec := NewPartitionChange(m.Topic("topic-77").ID, 5)
	rec.ISR = []core.NodeID{5, 6}
	var out []Change
	b.ReportAllocs()
	for b.Loop() {
		out = out[:0]
		if err := m.Replay(rec, m.Offset(), 0, &out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSnapshot100kPartitions(b *testing.B) {
	m := replayAll(b, bigCluster()...)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = buf[:0]
		for rec := range m.Records() {
			buf = AppendTo(buf, rec, MetadataVersionMax)
		}
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkClone100kPartitions(b *testing.B) {
	m := replayAll(b, bigCluster()...)
	for b.Loop() {
		m.Clone()
	}
}

func BenchmarkPartitionLookup(b *testing.B) {
	m := replayAll(b, bigCluster()...)
	topics := slices.Collect(m.Topics())
	i := 0
	for b.Loop() {
		i++
		if m.Partition(topics[i%len(topics)].ID, 3) == nil {
			b.Fatal("lost")
		}
	}
}
