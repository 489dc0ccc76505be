package wire

import (
	"bytes"
	"testing"

	"github.com/klamm-log/klamm/core/wire/wiretest"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// knownTagsOnly removes what our encoder does not write: unknown tags, and brokers below the version that has them.
func knownTagsOnly(r *kmsg.FetchResponse, version int16) {
	r.UnknownTags = kmsg.Tags{}
	if version < fetchNodeEndpoints {
		r.Brokers = nil
	}
	for i := range r.Brokers {
		r.Brokers[i].UnknownTags = kmsg.Tags{}
	}
	for i := range r.Topics {
		r.Topics[i].UnknownTags = kmsg.Tags{}
		for j := range r.Topics[i].Partitions {
			p := &r.Topics[i].Partitions[j]
			p.UnknownTags, p.DivergingEpoch.UnknownTags = kmsg.Tags{}, kmsg.Tags{}
			p.CurrentLeader.UnknownTags, p.SnapshotID.UnknownTags = kmsg.Tags{}, kmsg.Tags{}
			for k := range p.AbortedTransactions {
				p.AbortedTransactions[k].UnknownTags = kmsg.Tags{}
			}
		}
	}
}

// TestFetchResponseEqualsKmsg encodes arbitrary responses twice: with kmsg, the record bytes in the struct, and with
// ours, the record bytes put in at the cuts.
func TestFetchResponseEqualsKmsg(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.Int16Range(4, 18).Draw(t, "version")
		r := kmsg.NewPtrFetchResponse()
		wiretest.Fill(r, draw(t))
		knownTagsOnly(r, version)
		var lens []int64
		var records [][]byte
		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				p := &r.Topics[i].Partitions[j]
				defaults := kmsg.NewFetchResponseTopicPartition()
				if rapid.Bool().Draw(t, "diverging") {
					p.DivergingEpoch = defaults.DivergingEpoch
				}
				if rapid.Bool().Draw(t, "leader") {
					p.CurrentLeader = defaults.CurrentLeader
				}
				if rapid.Bool().Draw(t, "snapshot") {
					p.SnapshotID = defaults.SnapshotID
				}
				if told := rapid.Int64Min(0).Draw(t, "everywhere"); rapid.Bool().Draw(t, "told") {
					require.Zero(t, Everywhere(p))
					SetEverywhere(p, told)
					require.Equal(t, told, Everywhere(p))
				}
				p.RecordBatches = bytes.Repeat([]byte{'R'}, rapid.SampledFrom([]int{0, 1, 126, 127, 128, 20_000}).Draw(t, "size"))
				lens = append(lens, int64(len(p.RecordBatches)))
				records = append(records, p.RecordBatches)
			}
		}
		want := AppendResponse([]byte("before"), 9, version, r)

		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				r.Topics[i].Partitions[j].RecordBatches = nil
			}
		}
		literal, cuts := AppendFetchResponse([]byte("before"), nil, 9, version, r, lens)
		require.Len(t, cuts, len(records))
		var got []byte
		from := 0
		for i, cut := range cuts {
			got = append(append(got, literal[from:cut]...), records[i]...)
			from = cut
		}
		got = append(got, literal[from:]...)
		require.Equal(t, want, got)
	})
}

func TestFetchResponseWithoutSpans(t *testing.T) {
	r := kmsg.NewPtrFetchResponse()
	topic := kmsg.NewFetchResponseTopic()
	topic.Partitions = append(topic.Partitions, kmsg.NewFetchResponseTopicPartition())
	r.Topics = append(r.Topics, topic)
	got, cuts := AppendFetchResponse(nil, nil, 1, 12, r, nil)
	require.Empty(t, cuts)
	r.Topics[0].Partitions[0].RecordBatches = []byte{} // an empty set, not null
	require.Equal(t, AppendResponse(nil, 1, 12, r), got)
}

// fetchResponse is what a consumer of twelve partitions gets.
func fetchResponse() (*kmsg.FetchResponse, []int64) {
	r := kmsg.NewPtrFetchResponse()
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic = "orders"
	var lens []int64
	for range 12 {
		topic.Partitions = append(topic.Partitions, kmsg.NewFetchResponseTopicPartition())
		lens = append(lens, 1<<20)
	}
	r.Topics = append(r.Topics, topic)
	return r, lens
}

func TestFetchResponseDoesNotAllocate(t *testing.T) {
	r, lens := fetchResponse()
	buf, cuts := AppendFetchResponse(nil, nil, 1, 12, r, lens)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		buf, cuts = AppendFetchResponse(buf[:0], cuts[:0], 1, 12, r, lens)
	}))
}

func BenchmarkAppendFetchResponse(b *testing.B) {
	r, lens := fetchResponse()
	var buf []byte
	var cuts []int
	b.ReportAllocs()
	for b.Loop() {
		buf, cuts = AppendFetchResponse(buf[:0], cuts[:0], 1, 12, r, lens)
	}
}
