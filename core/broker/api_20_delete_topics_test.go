package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

func deleteByName(names ...string) *kmsg.DeleteTopicsRequest {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis, req.TopicNames = 10_000, names
	for i := range names {
		req.Topics = append(req.Topics, kmsg.DeleteTopicsRequestTopic{Topic: &names[i]})
	}
	return req
}

func TestDeleteTopicsByName(t *testing.T) {
	r := newRig(t)
	for v := int16(1); v <= 6; v++ {
		id := r.create(newTopic("a", 2))[0].TopicID
		rows := ask[*kmsg.DeleteTopicsResponse](r, v, deleteByName("none", "a")).Topics
		require.Equal(t, []any{"none", core.ErrUnknownTopicOrPartition}, []any{*rows[0].Topic, code(rows[0].ErrorCode)})
		require.Equal(t, []any{"a", core.ErrNone}, []any{*rows[1].Topic, code(rows[1].ErrorCode)})
		if v >= 6 {
			require.Equal(t, id, rows[1].TopicID)
		}
		require.Equal(t, v >= 5, rows[0].ErrorMessage != nil)
		require.Empty(t, ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil)).Topics, "gone when the answer is there")
		require.Empty(t, r.broker.Replicas())
	}
}

func TestDeleteTopicsByID(t *testing.T) {
	r := newRig(t)
	made := r.create(newTopic("a", 1), newTopic("b", 1), newTopic("c", 1))
	a, c := made[0].TopicID, made[2].TopicID
	name := func(s string) *string { return &s }
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Topics = []kmsg.DeleteTopicsRequestTopic{
		{TopicID: a},
		{TopicID: [16]byte{9}},
		{},
		{Topic: name("b"), TopicID: made[1].TopicID},
		{Topic: name("c")}, {TopicID: c}, // the same topic, answered once
	}
	rows := ask[*kmsg.DeleteTopicsResponse](r, 6, req).Topics
	var codes []core.ErrorCode
	for _, row := range rows {
		codes = append(codes, code(row.ErrorCode))
	}
	require.Equal(t, []core.ErrorCode{
		core.ErrNone, core.ErrUnknownTopicID, core.ErrInvalidRequest, core.ErrInvalidRequest, core.ErrInvalidRequest,
	}, codes)
	require.Equal(t, "a", *rows[0].Topic, "the name is told")
	require.Nil(t, rows[1].Topic)
	require.Equal(t, []string{"b", "c"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))))

	again := r.create(newTopic("a", 1))[0].TopicID
	require.NotEqual(t, a, again, "a topic made again has a new id")
}

// TestDeleteTopicsTwice: a topic that comes twice is answered once and stays, whether there is one or not.
func TestDeleteTopicsTwice(t *testing.T) {
	r := newRig(t)
	id := r.create(newTopic("a", 1))[0].TopicID
	for v := int16(1); v <= 6; v++ {
		for _, name := range []string{"a", "none"} {
			rows := ask[*kmsg.DeleteTopicsResponse](r, v, deleteByName(name, name, name)).Topics
			require.Len(t, rows, 1)
			require.Equal(t, []any{name, [16]byte{}, core.ErrInvalidRequest}, []any{*rows[0].Topic, rows[0].TopicID, code(rows[0].ErrorCode)})
		}
	}
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Topics = []kmsg.DeleteTopicsRequestTopic{{TopicID: id}, {TopicID: id}}
	rows := ask[*kmsg.DeleteTopicsResponse](r, 6, req).Topics
	require.Len(t, rows, 1)
	require.Nil(t, rows[0].Topic)
	require.Equal(t, []any{id, core.ErrInvalidRequest}, []any{rows[0].TopicID, code(rows[0].ErrorCode)})
	require.Equal(t, []string{"a"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))))
}

func TestDeleteTopicsDisabled(t *testing.T) {
	r := newRig(t, "delete.topic.enable", "false")
	r.create(newTopic("a", 1))
	for v, wants := range map[int16]core.ErrorCode{1: core.ErrInvalidRequest, 2: core.ErrInvalidRequest, 3: core.ErrTopicDeletionDisabled, 6: core.ErrTopicDeletionDisabled} {
		require.Equal(t, wants, code(ask[*kmsg.DeleteTopicsResponse](r, v, deleteByName("a")).Topics[0].ErrorCode), "version %d", v)
	}
	require.Len(t, ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil)).Topics, 1)
}

// TestDeletedConfigsDoNotComeBack: a topic made again under the name begins with nothing set.
func TestDeletedConfigsDoNotComeBack(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1, "retention.ms", "5"))
	ask[*kmsg.DeleteTopicsResponse](r, 6, deleteByName("a"))
	r.create(newTopic("a", 1))
	require.Equal(t, []any{"604800000", kmsg.ConfigSourceDefaultConfig}, valueOf(r.describe(kmsg.ConfigResourceTypeTopic, "a"), "retention.ms"))
}
