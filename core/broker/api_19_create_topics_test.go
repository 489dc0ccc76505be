package broker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

func createRequest(topics ...kmsg.CreateTopicsRequestTopic) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.TimeoutMillis = topics, 10_000
	return req
}

// assigned is a topic with a manual assignment: partition, replicas...
func assigned(name string, partitions int32, rows ...[]int32) kmsg.CreateTopicsRequestTopic {
	t := newTopic(name, partitions)
	for _, row := range rows {
		t.ReplicaAssignment = append(t.ReplicaAssignment, kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: row[0], Replicas: row[1:]})
	}
	return t
}

func TestCreateTopicsAnswersPerVersion(t *testing.T) {
	r := newRig(t)
	for v := int16(2); v <= 7; v++ {
		name := string(rune('a' + v))
		row := ask[*kmsg.CreateTopicsResponse](r, v, createRequest(newTopic(name, -1, "retention.ms", "5"))).Topics[0]
		require.Equal(t, core.ErrNone, code(row.ErrorCode))
		require.Nil(t, row.ErrorMessage)
		require.Equal(t, v >= 7, row.TopicID != [16]byte{})
		if v < 5 {
			continue
		}
		require.Equal(t, []int32{2, 1}, []int32{row.NumPartitions, int32(row.ReplicationFactor)}, "the broker's defaults")
		configs := make(map[string]kmsg.CreateTopicsResponseTopicConfig)
		for _, c := range row.Configs {
			configs[c.Name] = c
		}
		require.Equal(t, []any{"5", int8(1)}, []any{*configs["retention.ms"].Value, configs["retention.ms"].Source})
		require.Equal(t, []any{"1073741824", int8(5)}, []any{*configs["segment.bytes"].Value, configs["segment.bytes"].Source})
	}
}

// TestCreatedTopicsCanBeWritten: when the answer is there, so are the partitions.
func TestCreatedTopicsCanBeWritten(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 5))
	require.Len(t, r.broker.Replicas(), 5)
	for _, p := range r.broker.Replicas() {
		require.True(t, p.Leader && !p.Opening, "%+v", p)
	}
}

// TestCreateTopicsTimeout: with no time to wait for the partitions, the answer still waits for the commit.
func TestCreateTopicsTimeout(t *testing.T) {
	r := newRig(t)
	req := createRequest(newTopic("a", 1))
	req.TimeoutMillis = -5
	row := ask[*kmsg.CreateTopicsResponse](r, 7, req).Topics[0]
	require.Equal(t, core.ErrNone, code(row.ErrorCode))
	require.Equal(t, []string{"a"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))))
}

func TestCreateTopicsRefusals(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("there.is", 1))
	replicas := newTopic("x", 1)
	for _, c := range []struct {
		what  string
		topic kmsg.CreateTopicsRequestTopic
		wants core.ErrorCode
	}{
		{"exists", newTopic("there.is", 1), core.ErrTopicAlreadyExists},
		{"collides", newTopic("there_is", 1), core.ErrInvalidTopic},
		{"bad name", newTopic("a b", 1), core.ErrInvalidTopic},
		{"long name", newTopic(strings.Repeat("x", 250), 1), core.ErrInvalidTopic},
		{"metadata log", newTopic("__cluster_metadata", 1), core.ErrInvalidRequest},
		{"no partitions", newTopic("x", 0), core.ErrInvalidPartitions},
		{"negative partitions", newTopic("x", -2), core.ErrInvalidPartitions},
		{"too many", newTopic("x", 10_001), core.ErrPolicyViolation},
		{"replication 0", withReplication(replicas, 0), core.ErrInvalidReplicationFactor},
		{"replication 2", withReplication(replicas, 2), core.ErrInvalidReplicationFactor},
		{"unknown key", newTopic("x", 1, "no.such", "1"), core.ErrInvalidConfig},
		{"bad value", newTopic("x", 1, "retention.ms", "soon"), core.ErrInvalidConfig},
		{"missing feature", newTopic("x", 1, "remote.storage.enable", "true"), core.ErrInvalidConfig},
		{"lags crossed", newTopic("x", 1, "min.compaction.lag.ms", "9", "max.compaction.lag.ms", "8"), core.ErrInvalidConfig},
		{"assignment and partitions", assigned("x", 1, []int32{0, 1}), core.ErrInvalidRequest},
		{"assignment not from 0", assigned("x", -1, []int32{1, 1}), core.ErrInvalidReplicaAssignment},
		{"assignment with a gap", assigned("x", -1, []int32{0, 1}, []int32{2, 1}), core.ErrInvalidReplicaAssignment},
		{"assignment twice", assigned("x", -1, []int32{0, 1}, []int32{0, 1}), core.ErrInvalidReplicaAssignment},
		{"negative partition", assigned("x", -1, []int32{-1, 1}), core.ErrInvalidReplicaAssignment},
		{"no replica", assigned("x", -1, []int32{0}), core.ErrInvalidReplicaAssignment},
		{"unknown broker", assigned("x", -1, []int32{0, 7}), core.ErrInvalidReplicaAssignment},
		{"broker twice", assigned("x", -1, []int32{0, 1, 1}), core.ErrInvalidReplicaAssignment},
	} {
		row := ask[*kmsg.CreateTopicsResponse](r, 7, createRequest(c.topic)).Topics[0]
		require.Equal(t, c.wants, code(row.ErrorCode), c.what)
		require.NotEmpty(t, *row.ErrorMessage, c.what)
		require.Equal(t, int32(-1), row.NumPartitions, c.what)
	}
	null := newTopic("x", 1)
	null.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms"}}
	row := ask[*kmsg.CreateTopicsResponse](r, 7, createRequest(null)).Topics[0]
	require.Equal(t, core.ErrInvalidConfig, code(row.ErrorCode))
	require.Equal(t, []string{"there.is"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))))
}

func withReplication(t kmsg.CreateTopicsRequestTopic, n int16) kmsg.CreateTopicsRequestTopic {
	t.ReplicationFactor = n
	return t
}

func TestCreateTopicsEachByItself(t *testing.T) {
	r := newRig(t)
	rows := ask[*kmsg.CreateTopicsResponse](r, 7, createRequest(
		newTopic("twice", 1), newTopic("ok", 1), newTopic("bad name", 1), newTopic("twice", 1), newTopic("a.b", 1), newTopic("a_b", 1),
		assigned("manual", -1, []int32{1, 1}, []int32{0, 1}),
	)).Topics
	got := make(map[string]core.ErrorCode)
	for _, row := range rows {
		got[row.Topic] = code(row.ErrorCode)
	}
	require.Len(t, rows, 6, "the double one answers once")
	require.Equal(t, map[string]core.ErrorCode{
		"twice": core.ErrInvalidRequest, "ok": 0, "bad name": core.ErrInvalidTopic, "a.b": 0, "a_b": core.ErrInvalidTopic, "manual": 0,
	}, got, "later wishes see earlier ones")
	require.Equal(t, []string{"a.b", "manual", "ok"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))))
}

// TestCreateTopicsBudget: what one request may create is bounded, whether it means it or only asks.
func TestCreateTopicsBudget(t *testing.T) {
	r := newRig(t)
	req := createRequest(newTopic("a", 9_000), newTopic("b", 2_000), newTopic("c", 900))
	req.ValidateOnly = true
	var codes []core.ErrorCode
	for _, row := range ask[*kmsg.CreateTopicsResponse](r, 7, req).Topics {
		codes = append(codes, code(row.ErrorCode))
	}
	require.Equal(t, []core.ErrorCode{0, core.ErrPolicyViolation, 0}, codes)

	// Nobody waits for partitions here: what is only asked for shows what has been proposed.
	n := len(r.replies)
	many := metadataFor(make([]string, 4_000)) // 1,000 can be under way at once
	for i := range many.Topics {
		many.Topics[i].Topic = kmsg.StringPtr(fmt.Sprintf("auto%d", i))
	}
	many.AllowAutoTopicCreation = true
	r.send(connInner, 9, many)
	req = createRequest(newTopic("auto0", 1), newTopic("auto999", 1), newTopic("auto1000", 1), newTopic("auto3999", 1))
	req.ValidateOnly = true
	r.send(connInner, 7, req)
	r.run(func() bool { return len(r.replies) == n+2 })
	require.Len(t, r.replies[n].Body.(*kmsg.MetadataResponse).Topics, 4_000)
	codes = nil
	for _, row := range r.replies[n+1].Body.(*kmsg.CreateTopicsResponse).Topics {
		codes = append(codes, code(row.ErrorCode))
	}
	require.Equal(t, []core.ErrorCode{core.ErrTopicAlreadyExists, core.ErrTopicAlreadyExists, 0, 0}, codes)
}

func TestCreateTopicsValidateOnly(t *testing.T) {
	r := newRig(t)
	req := createRequest(newTopic("a", 3), newTopic("b c", 1))
	req.ValidateOnly = true
	for range 2 { // nothing has come to be, so it can be asked again
		rows := ask[*kmsg.CreateTopicsResponse](r, 7, req).Topics
		require.Equal(t, []core.ErrorCode{0, core.ErrInvalidTopic}, []core.ErrorCode{code(rows[0].ErrorCode), code(rows[1].ErrorCode)})
		require.Equal(t, int32(3), rows[0].NumPartitions)
		require.Zero(t, rows[0].TopicID)
	}
	require.Empty(t, ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil)).Topics)
}

// TestPipelinedCreateAndDelete: wishes of one turn see each other before anything is committed.
func TestPipelinedCreateAndDelete(t *testing.T) {
	r := newRig(t)
	n := len(r.replies)
	r.send(connInner, 7, createRequest(newTopic("a", 1)))
	r.send(connInner, 7, createRequest(newTopic("a", 1)))
	r.send(connInner, 6, deleteByName("a"))
	r.send(connInner, 6, deleteByName("a"))
	r.send(connInner, 7, createRequest(newTopic("a", 1)))
	r.run(func() bool { return len(r.replies) == n+5 })
	var codes [5]core.ErrorCode
	for _, rep := range r.replies[n:] {
		switch body := rep.Body.(type) {
		case *kmsg.CreateTopicsResponse:
			codes[rep.Seq] = code(body.Topics[0].ErrorCode)
		case *kmsg.DeleteTopicsResponse:
			codes[rep.Seq] = code(body.Topics[0].ErrorCode)
		}
	}
	require.Equal(t, [5]core.ErrorCode{0, core.ErrTopicAlreadyExists, 0, core.ErrUnknownTopicOrPartition, 0}, codes)
	require.Equal(t, []string{"a"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))))
}

func partitionsRequest(name string, count int32, assignment ...[]int32) *kmsg.CreatePartitionsRequest {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 10_000
	t := kmsg.CreatePartitionsRequestTopic{Topic: name, Count: count}
	for _, a := range assignment {
		t.Assignment = append(t.Assignment, kmsg.CreatePartitionsRequestTopicAssignment{Replicas: a})
	}
	req.Topics = append(req.Topics, t)
	return req
}

func TestCreatePartitions(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 2))
	ask1 := func(v int16, req *kmsg.CreatePartitionsRequest) core.ErrorCode {
		rows := ask[*kmsg.CreatePartitionsResponse](r, v, req).Topics
		require.Len(t, rows, 1)
		require.Equal(t, rows[0].ErrorCode == 0, rows[0].ErrorMessage == nil)
		return code(rows[0].ErrorCode)
	}
	count := func() int {
		return len(ask[*kmsg.MetadataResponse](r, 9, metadataFor([]string{"a"})).Topics[0].Partitions)
	}
	for v := int16(0); v <= 3; v++ {
		require.Equal(t, core.ErrNone, ask1(v, partitionsRequest("a", 3+int32(v))))
		require.Equal(t, 3+int(v), count())
		require.Len(t, r.broker.Replicas(), 3+int(v))
	}
	for _, c := range []struct {
		req   *kmsg.CreatePartitionsRequest
		wants core.ErrorCode
	}{
		{partitionsRequest("a", 6), core.ErrInvalidPartitions},
		{partitionsRequest("a", 5), core.ErrInvalidPartitions},
		{partitionsRequest("a", -1<<31), core.ErrInvalidPartitions},
		{partitionsRequest("a", 1<<31-1), core.ErrPolicyViolation},
		{partitionsRequest("none", 6), core.ErrUnknownTopicOrPartition},
		{partitionsRequest("a", 8, []int32{1}), core.ErrInvalidReplicaAssignment},
		{partitionsRequest("a", 7, []int32{}), core.ErrInvalidReplicaAssignment},
		{partitionsRequest("a", 7, []int32{2}), core.ErrInvalidReplicaAssignment},
		{partitionsRequest("a", 8, []int32{1}, []int32{1, 1}), core.ErrInvalidReplicaAssignment},
	} {
		require.Equal(t, c.wants, ask1(3, c.req), "%+v", c.req.Topics)
	}
	empty := partitionsRequest("a", 7)
	empty.Topics[0].Assignment = []kmsg.CreatePartitionsRequestTopicAssignment{}
	require.Equal(t, core.ErrInvalidReplicaAssignment, ask1(3, empty), "empty is not null")

	dry := partitionsRequest("a", 7)
	dry.ValidateOnly = true
	require.Equal(t, core.ErrNone, ask1(3, dry))
	require.Equal(t, 6, count())

	twice := partitionsRequest("a", 7)
	twice.Topics = append(twice.Topics, twice.Topics[0])
	require.Equal(t, core.ErrInvalidRequest, ask1(3, twice))
	require.Equal(t, core.ErrNone, ask1(3, partitionsRequest("a", 8, []int32{1}, []int32{1})))
	require.Equal(t, 8, count())
}
