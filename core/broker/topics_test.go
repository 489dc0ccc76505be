package broker_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// metadataFor asks for topics by name; nil is null.
func metadataFor(names []string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	if names != nil {
		req.Topics = []kmsg.MetadataRequestTopic{}
	}
	for i := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &names[i]
		req.Topics = append(req.Topics, t)
	}
	return req
}

func topicNames(resp *kmsg.MetadataResponse) (names []string) {
	for _, t := range resp.Topics {
		names = append(names, *t.Topic)
	}
	return names
}

func TestMetadataNullAndEmpty(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("b", 1), newTopic("a", 3))
	for v := int16(0); v <= 13; v++ {
		if v > 0 {
			all := ask[*kmsg.MetadataResponse](r, v, metadataFor(nil))
			require.Equal(t, []string{"a", "b"}, topicNames(all), "version %d: null is all", v)
			require.Len(t, all.Topics[0].Partitions, 3)
		}
		none := ask[*kmsg.MetadataResponse](r, v, metadataFor([]string{}))
		if v == 0 {
			require.Equal(t, []string{"a", "b"}, topicNames(none), "version 0: empty is all")
		} else {
			require.Empty(t, none.Topics, "version %d: empty is none", v)
		}
	}
}

func TestMetadataBrokersByListener(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	for conn, host := range map[step.ConnID]string{connInner: "inner", connOuter: "outer"} {
		resp := r.via(conn, 13, metadataFor(nil)).(*kmsg.MetadataResponse)
		require.Len(t, resp.Brokers, 1)
		require.Equal(t, host, resp.Brokers[0].Host)
		require.Equal(t, "rack-a", *resp.Brokers[0].Rack)
		require.Equal(t, int32(1), resp.ControllerID)
		require.Equal(t, "testcluster", *resp.ClusterID)
		p := resp.Topics[0].Partitions[0]
		require.Equal(t, []int32{1}, p.Replicas)
		require.Equal(t, []int32{1}, p.ISR)
		require.Empty(t, p.OfflineReplicas)
		require.Equal(t, []int32{1, 0}, []int32{p.Leader, p.LeaderEpoch})
		require.Zero(t, p.ErrorCode)
	}
}

func TestMetadataUnknownListener(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	r.node.Deliver(&step.ConnState{Conn: 9, Open: true, Listener: "OTHER"})
	for v, wants := range map[int16]core.ErrorCode{5: core.ErrLeaderNotAvailable, 6: core.ErrListenerNotFound} {
		p := r.via(9, v, metadataFor(nil)).(*kmsg.MetadataResponse).Topics[0].Partitions[0]
		require.Equal(t, wants, code(p.ErrorCode), "version %d", v)
		require.Equal(t, int32(-1), p.Leader)
		require.Equal(t, []int32{1}, p.OfflineReplicas)
	}
}

func TestMetadataByID(t *testing.T) {
	r := newRig(t)
	id := r.create(newTopic("a", 1))[0].TopicID
	byID := func(id [16]byte) *kmsg.MetadataRequest {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{{TopicID: id}}
		return req
	}
	for v := int16(12); v <= 13; v++ {
		row := ask[*kmsg.MetadataResponse](r, v, byID(id)).Topics[0]
		require.Equal(t, []any{"a", id, int16(0)}, []any{*row.Topic, row.TopicID, row.ErrorCode})
		unknown := [16]byte{1}
		row = ask[*kmsg.MetadataResponse](r, v, byID(unknown)).Topics[0]
		require.Nil(t, row.Topic)
		require.Equal(t, []any{unknown, core.ErrUnknownTopicID}, []any{row.TopicID, code(row.ErrorCode)})
		row = ask[*kmsg.MetadataResponse](r, v, byID([16]byte{})).Topics[0]
		require.Equal(t, core.ErrInvalidRequest, code(row.ErrorCode))
	}
	for v := int16(10); v <= 11; v++ {
		row := ask[*kmsg.MetadataResponse](r, v, metadataFor([]string{"a"})).Topics[0]
		require.Equal(t, id, row.TopicID)
		row = ask[*kmsg.MetadataResponse](r, v, byID(id)).Topics[0]
		require.Equal(t, core.ErrInvalidRequest, code(row.ErrorCode), "ids are returned, not looked up")
	}
}

func TestMetadataAutoCreation(t *testing.T) {
	r := newRig(t)
	allow := func(v int16, name string) core.ErrorCode {
		req := metadataFor([]string{name, name})
		req.AllowAutoTopicCreation = true
		rows := ask[*kmsg.MetadataResponse](r, v, req).Topics
		require.Len(t, rows, 1, "asked twice, answered once")
		return code(rows[0].ErrorCode)
	}
	deny := metadataFor([]string{"denied"})
	require.Equal(t, core.ErrUnknownTopicOrPartition, code(ask[*kmsg.MetadataResponse](r, 9, deny).Topics[0].ErrorCode))

	require.Equal(t, core.ErrUnknownTopicOrPartition, allow(9, "fresh"), "the first answer is retriable")
	require.Equal(t, core.ErrUnknownTopicOrPartition, code(ask[*kmsg.MetadataResponse](r, 3, metadataFor([]string{"old"})).Topics[0].ErrorCode))
	r.run(func() bool { return len(r.broker.Replicas()) == 4 })
	require.Equal(t, []string{"fresh", "old"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))), "0-3 imply creation")
	require.Len(t, ask[*kmsg.MetadataResponse](r, 9, metadataFor([]string{"fresh"})).Topics[0].Partitions, 2, "num.partitions")

	for _, bad := range []string{"", ".", "..", "a b", "ä", "a/b", string(make([]byte, 250)), "x\x00"} {
		require.Equal(t, core.ErrInvalidTopic, allow(9, bad), "%q", bad)
	}
	for _, theirs := range []string{"__consumer_offsets", "__transaction_state", "__cluster_metadata"} {
		require.Equal(t, core.ErrUnknownTopicOrPartition, allow(9, theirs))
	}
	r.create(newTopic("last", 1)) // whatever had been proposed before is committed now
	require.Equal(t, []string{"fresh", "last", "old"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))))
}

func TestMetadataAutoCreationOff(t *testing.T) {
	r := newRig(t, "auto.create.topics.enable", "false")
	req := metadataFor([]string{"x", "y y"})
	req.AllowAutoTopicCreation = true
	rows := ask[*kmsg.MetadataResponse](r, 9, req).Topics
	require.Equal(t, core.ErrUnknownTopicOrPartition, code(rows[0].ErrorCode))
	require.Equal(t, core.ErrInvalidTopic, code(rows[1].ErrorCode))
	r.create(newTopic("last", 1))
	require.Equal(t, []string{"last"}, topicNames(ask[*kmsg.MetadataResponse](r, 9, metadataFor(nil))))
}

func TestMetadataAuthorizedOperations(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	req := metadataFor(nil)
	resp := ask[*kmsg.MetadataResponse](r, 9, req)
	require.Equal(t, []int32{math.MinInt32, math.MinInt32}, []int32{resp.AuthorizedOperations, resp.Topics[0].AuthorizedOperations})
	req.IncludeClusterAuthorizedOperations, req.IncludeTopicAuthorizedOperations = true, true
	resp = ask[*kmsg.MetadataResponse](r, 9, req)
	require.Equal(t, []int32{8096, 3576}, []int32{resp.AuthorizedOperations, resp.Topics[0].AuthorizedOperations},
		"what Kafka without an authorizer answers")
}
