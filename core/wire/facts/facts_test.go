package facts_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/klamm-log/klamm/core/wire/facts"
	"github.com/klamm-log/klamm/core/wire/wiretest"
)

// request is what the facts of a request are, by way of its frame.
func request(t *testing.T, r kmsg.Request) facts.Message {
	m, err := facts.Request(wire.AppendRequest(nil, 7, "me", r)[4:])
	require.NoError(t, err)
	require.Equal(t, int32(7), m.Corr)
	return m
}

func response(t *testing.T, r kmsg.Response) facts.Message {
	m, err := facts.Response(r.Key(), r.GetVersion(), wire.AppendResponse(nil, 7, r.GetVersion(), r)[4:])
	require.NoError(t, err)
	return m
}

// batch is the header of a batch of records base..last, written by a producer, with some bytes for its records.
func batch(base int64, last, epoch int32) []byte {
	b := make([]byte, 71)
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	binary.BigEndian.PutUint32(b[12:], uint32(epoch))
	b[16] = 2
	binary.BigEndian.PutUint32(b[23:], uint32(last)-uint32(base))
	binary.BigEndian.PutUint64(b[43:], 4000)
	binary.BigEndian.PutUint16(b[51:], 2)
	binary.BigEndian.PutUint32(b[53:], 9)
	binary.BigEndian.PutUint32(b[57:], uint32(last)-uint32(base)+1)
	return b
}

func TestFetchTellsItsOffsets(t *testing.T) {
	r := kmsg.NewPtrFetchRequest()
	r.Version = 17
	r.ReplicaState.ID = 2
	topic := kmsg.NewFetchRequestTopic()
	topic.TopicID = [16]byte(core.MetadataTopicID)
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.LastFetchedEpoch, p.CurrentLeaderEpoch = 17, 3, 4
	topic.Partitions = append(topic.Partitions, p)
	r.Topics = append(r.Topics, topic)
	m := request(t, r)
	require.Equal(t, "Fetch", m.Name())
	require.Equal(t, "replica 2: __cluster_metadata-0 from 17 (its last record is of epoch 3), leader epoch 4", m.Text)
	require.Equal(t, []facts.Part{{TopicID: core.MetadataTopicID, From: 17, To: core.NoOffset}}, m.Parts)

	resp := kmsg.NewPtrFetchResponse()
	resp.Version = 17
	rt := kmsg.NewFetchResponseTopic()
	rt.TopicID = [16]byte(core.MetadataTopicID)
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.HighWatermark = 18
	rp.RecordBatches = append(batch(17, 18, 4), batch(19, 19, 4)...)
	rt.Partitions = append(rt.Partitions, rp)
	resp.Topics = append(resp.Topics, rt)
	m = response(t, resp)
	require.False(t, m.Idle)
	require.Equal(t, "__cluster_metadata-0: records 17..19 (epoch 4), HighWatermark 18", m.Text)
	require.Equal(t, []facts.Part{{TopicID: core.MetadataTopicID, From: 17, To: 20}}, m.Parts)

	resp.Topics[0].Partitions[0].RecordBatches = nil
	require.True(t, response(t, resp).Idle, "a fetch that brings nothing is idle")
	resp.Topics[0].Partitions[0].DivergingEpoch = kmsg.FetchResponseTopicPartitionDivergingEpoch{Epoch: 2, EndOffset: 12}
	m = response(t, resp)
	require.False(t, m.Idle)
	require.Equal(t, "__cluster_metadata-0: the logs part, epoch 2 ends at 12", m.Text)
}

func TestProduceTellsWhoseRecords(t *testing.T) {
	r := kmsg.NewPtrProduceRequest()
	r.Version, r.Acks = 9, -1
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = 1, batch(0, 2, -1)
	topic.Partitions = append(topic.Partitions, p)
	r.Topics = append(r.Topics, topic)
	m := request(t, r)
	require.Equal(t, "orders-1: 3 records, acks=all, producer 4000 epoch 2 sequence 9", m.Text)
	require.Equal(t, "orders", m.Parts[0].Topic)
}

func TestVotesTellWhoseAndWhy(t *testing.T) {
	r := kmsg.NewPtrVoteRequest()
	r.Version = 2
	topic := kmsg.NewVoteRequestTopic()
	p := kmsg.NewVoteRequestTopicPartition()
	p.CandidateID, p.CandidateEpoch, p.LastOffset, p.LastOffsetEpoch, p.PreVote = 3, 5, 120, 4, true
	topic.Partitions = append(topic.Partitions, p)
	r.Topics = append(r.Topics, topic)
	require.Equal(t, "would you vote for 3 in epoch 5? its log ends at 120 with epoch 4", request(t, r).Text)
	r.Topics[0].Partitions[0].PreVote = false
	require.Equal(t, "vote for 3 in epoch 5? its log ends at 120 with epoch 4", request(t, r).Text)
}

func TestErrorsAreNamed(t *testing.T) {
	r := kmsg.NewPtrAlterPartitionResponse()
	r.Version = 3
	topic := kmsg.NewAlterPartitionResponseTopic()
	p := kmsg.NewAlterPartitionResponseTopicPartition()
	p.ErrorCode = int16(core.ErrFencedLeaderEpoch)
	topic.Partitions = append(topic.Partitions, p)
	r.Topics = append(r.Topics, topic)
	m := response(t, r)
	require.Equal(t, core.ErrFencedLeaderEpoch, m.Error)
	require.Contains(t, m.Text, "FENCED_LEADER_EPOCH")
}

// What has no words of its own gives its scalars; a message of any shape gives something and no panic.
func TestEveryAPIHasFacts(t *testing.T) {
	hb := kmsg.NewPtrHeartbeatRequest()
	hb.Version, hb.Group, hb.Generation = 4, "g", 3
	require.Equal(t, "Group=g; Generation=3", request(t, hb).Text)
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(known()).Draw(t, "key")
		r := kmsg.RequestForKey(key)
		r.SetVersion(rapid.Int16Range(0, r.MaxVersion()).Draw(t, "version"))
		draw := func(n int64) int64 { return rapid.Int64Range(0, n-1).Draw(t, "n") }
		wiretest.Fill(r, draw)
		m, err := facts.Request(wire.AppendRequest(nil, 1, "", r)[4:])
		if err == nil && m.Text == "" && len(m.Parts) > 0 || m.Key != key {
			t.Fatalf("key %d became %+v", key, m)
		}
		resp := r.ResponseKind()
		wiretest.Fill(resp, draw)
		_, _ = facts.Response(key, r.GetVersion(), wire.AppendResponse(nil, 1, r.GetVersion(), resp)[4:])
	})
}

func known() []int16 {
	var keys []int16
	for key := range int16(100) {
		if wire.Name(key) != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func FuzzFacts(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x0c\x00\x00\x00\x01\x00\x00\x00"), int16(1), int16(12))
	f.Fuzz(func(_ *testing.T, frame []byte, key, version int16) {
		_, _ = facts.Request(frame)
		_, _ = facts.Response(key, version, frame)
	})
}
