package wire

import (
	"bytes"
	"math"
	"testing"

	"github.com/klamm-log/klamm/core/wire/wiretest"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// TestFetchSnapshotResponseEqualsKmsg encodes arbitrary responses twice: with kmsg, the bytes in the struct, and with
// ours, the bytes put in at the cuts.
func TestFetchSnapshotResponseEqualsKmsg(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.Int16Range(0, 1).Draw(t, "version")
		r := kmsg.NewPtrFetchSnapshotResponse()
		wiretest.Fill(r, draw(t))
		r.UnknownTags = kmsg.Tags{}
		for i := range r.NodeEndpoints {
			r.NodeEndpoints[i].UnknownTags = kmsg.Tags{}
		}
		var lens []int64
		var parts [][]byte
		for i := range r.Topics {
			r.Topics[i].UnknownTags = kmsg.Tags{}
			for j := range r.Topics[i].Partitions {
				p := &r.Topics[i].Partitions[j]
				p.UnknownTags, p.SnapshotID.UnknownTags, p.CurrentLeader.UnknownTags = kmsg.Tags{}, kmsg.Tags{}, kmsg.Tags{}
				if rapid.Bool().Draw(t, "no leader") {
					p.CurrentLeader = kmsg.NewFetchSnapshotResponseTopicPartitionCurrentLeader()
				}
				p.Bytes = bytes.Repeat([]byte{'R'}, rapid.SampledFrom([]int{0, 1, 126, 127, 128, 20_000}).Draw(t, "size"))
				lens, parts = append(lens, int64(len(p.Bytes))), append(parts, p.Bytes)
			}
		}
		want := AppendResponse([]byte("before"), 9, version, r)

		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				r.Topics[i].Partitions[j].Bytes = nil
			}
		}
		literal, cuts := AppendFetchSnapshotResponse([]byte("before"), nil, 9, version, r, lens)
		require.Len(t, cuts, len(parts))
		var got []byte
		from := 0
		for i, cut := range cuts {
			got = append(append(got, literal[from:cut]...), parts[i]...)
			from = cut
		}
		require.Equal(t, want, append(got, literal[from:]...))
	})
}

// TestFetchResponseHoldsBytes: a leader that has the records in memory need not name a file.
func TestFetchResponseHoldsBytes(t *testing.T) {
	r, _ := fetchResponse()
	for i := range r.Topics[0].Partitions {
		r.Topics[0].Partitions[i].RecordBatches = bytes.Repeat([]byte{'R'}, i)
	}
	for _, version := range []int16{11, 12, 18} {
		got, cuts := AppendFetchResponse(nil, nil, 3, version, r, nil)
		require.Empty(t, cuts)
		require.Equal(t, AppendResponse(nil, 3, version, r), got, "version %d", version)
	}
}

// TestLaterTagsAreNotSent: what a version does not have must not go out under it. Kafka's generated readers throw at such
// a tag.
func TestLaterTagsAreNotSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fetch := kmsg.NewPtrFetchRequest()
		wiretest.Fill(fetch, draw(t))
		fetch.SetVersion(rapid.Int16Range(12, 18).Draw(t, "version"))
		decoded, err := DecodeRequest(KeyFetch, fetch.Version, bodyOf(t, AppendRequest(nil, 1, "", fetch)))
		require.NoError(t, err)
		got := decoded.(*kmsg.FetchRequest)
		if fetch.Version < 15 {
			require.Equal(t, kmsg.NewFetchRequestReplicaState(), got.ReplicaState)
		}
		for i := range got.Topics {
			for _, p := range got.Topics[i].Partitions {
				require.True(t, fetch.Version >= 17 || p.ReplicaDirectoryID == [16]byte{})
				require.True(t, fetch.Version >= 18 || p.HighWatermark == math.MaxInt64)
			}
		}
	})
	vote := kmsg.NewPtrVoteResponse()
	vote.NodeEndpoints = make([]kmsg.VoteResponseNodeEndpoint, 1)
	require.Greater(t, len(AppendResponse(nil, 1, 1, vote)), 20)
	require.Len(t, AppendResponse(nil, 1, 0, vote), 4+4+1+2+1+1, "length, correlation, tags, error, topics, tags")
}

func bodyOf(t require.TestingT, frame []byte) []byte {
	_, body, err := ParseRequestHeader(frame[4:])
	require.NoError(t, err)
	return body
}

// TestWholeFetchSessionPasses keeps the limits from refusing what replication does: the first fetch of a follower names
// each partition, and the answer repeats them.
func TestWholeFetchSessionPasses(t *testing.T) {
	for _, perTopic := range []int{1, 100} {
		const partitions = 50_000
		req, resp := kmsg.NewPtrFetchRequest(), kmsg.NewPtrFetchResponse()
		req.SetVersion(18)
		for range partitions / perTopic {
			rt, st := kmsg.NewFetchRequestTopic(), kmsg.NewFetchResponseTopic()
			for i := range perTopic {
				p, q := kmsg.NewFetchRequestTopicPartition(), kmsg.NewFetchResponseTopicPartition()
				p.Partition, q.Partition = int32(i), int32(i)
				p.HighWatermark = 5 // a follower says what it knows (KIP-1166)
				q.AbortedTransactions = []kmsg.FetchResponseTopicPartitionAbortedTransaction{}
				rt.Partitions, st.Partitions = append(rt.Partitions, p), append(st.Partitions, q)
			}
			req.Topics, resp.Topics = append(req.Topics, rt), append(resp.Topics, st)
		}
		_, err := DecodeRequest(KeyFetch, 18, bodyOf(t, AppendRequest(nil, 1, "follower", req)))
		require.NoError(t, err, "%d per topic", perTopic)
		frame, _ := AppendFetchResponse(nil, nil, 1, 18, resp, nil)
		_, body, err := ParseResponseHeader(frame[4:], KeyFetch, 18)
		require.NoError(t, err)
		_, err = DecodeResponse(KeyFetch, 18, body)
		require.NoError(t, err, "%d per topic", perTopic)
	}
}

// TestWholeMetadataPasses: a client learns of many partitions at once.
func TestWholeMetadataPasses(t *testing.T) {
	resp := kmsg.NewPtrMetadataResponse()
	resp.SetVersion(12)
	for range 500 {
		topic := kmsg.NewMetadataResponseTopic()
		for range 100 {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Replicas, p.ISR = []int32{1}, []int32{1}
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	_, err := DecodeResponse(3, 12, resp.AppendTo(nil))
	require.NoError(t, err)
}
