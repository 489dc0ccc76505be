package client_test

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/record"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func createTopic(name string) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, 2, 1
	req.Topics = append(req.Topics, t)
	return req
}

func (w *world) reply(limit core.Mono) admin.Reply {
	w.t.Helper()
	w.run(limit, func() bool { return len(w.replies) > 0 })
	r := w.replies[0]
	w.replies = w.replies[1:]
	return r
}

func TestCallRetriesAndTellsAmbiguity(t *testing.T) {
	for name, c := range map[string]struct {
		first     verdict
		ambiguous bool
		created   int
	}{
		"plain":          {verdict{}, false, 1},
		"lost request":   {verdict{loseRequest: true}, true, 1},
		"lost response":  {verdict{loseResponse: true}, true, 2},
		"not controller": {verdict{answer: notController()}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKafka(2)
			w := newWorld(t, k, client.Options{})
			calls := 0
			w.intercept = func(r *inbound) (v verdict) {
				if r.body.Key() == int16(kmsg.CreateTopics) {
					if calls++; calls == 1 {
						return c.first
					}
				}
				return v
			}
			w.client.Admin().Call(w.now, createTopic("t"), admin.Route{Kind: admin.Controller}, 5)
			r := w.reply(5 * core.Second)
			require.Equal(t, uint64(5), r.Token)
			require.Equal(t, core.ErrNone, r.Err)
			require.Equal(t, c.ambiguous, r.Ambiguous)
			require.Len(t, k.topics, c.created)
		})
	}
}

func notController() kmsg.Response {
	resp := kmsg.NewPtrCreateTopicsResponse()
	row := kmsg.NewCreateTopicsResponseTopic()
	row.Topic, row.ErrorCode = "t", int16(core.ErrNotController)
	resp.Topics = append(resp.Topics, row)
	return resp
}

func TestCallGivesUp(t *testing.T) {
	k := newKafka(1)
	k.brokers[0].up = false
	w := newWorld(t, k, client.Options{Admin: admin.Options{Timeout: 2 * core.Second}})
	w.client.Admin().Call(w.now, createTopic("t"), admin.Route{}, 1)
	r := w.reply(3 * core.Second)
	require.Equal(t, core.ErrRequestTimedOut, r.Err)
	require.Nil(t, r.Body)
	_, ok := w.node.NextDeadline()
	require.False(t, ok, "an idle client wants nothing")
}

func TestUnsupportedRequest(t *testing.T) {
	k := newKafka(1)
	k.limits[19] = -1
	w := newWorld(t, k, client.Options{})
	w.client.Admin().Call(w.now, createTopic("t"), admin.Route{}, 1)
	require.Equal(t, core.ErrUnsupportedVersion, w.reply(core.Second).Err)
}

func TestListOffsetsAsksEveryLeader(t *testing.T) {
	k := newKafka(3)
	ft := k.topic("t", 3)
	for i, p := range ft.parts {
		for range i + 1 {
			p.store(record.None, record.Options{}, "x")
		}
	}
	w := newWorld(t, k, client.Options{})
	asks := []admin.OffsetAsk{}
	for i := range int32(3) {
		asks = append(asks, admin.OffsetAsk{TopicPartition: core.TopicPartition{Topic: "t", Partition: i}, Timestamp: admin.LatestOffset})
	}
	w.client.Admin().ListOffsets(w.now, asks, false, 9)
	r := w.reply(2 * core.Second)
	require.Equal(t, uint64(9), r.Token)
	for i, row := range r.Offsets {
		require.Equal(t, core.Offset(i+1), row.Offset)
		require.Equal(t, core.ErrNone, row.Err)
		require.Equal(t, int32(i), row.Partition)
	}
}

// KIP-320: what a leader of a newer epoch than the client knows says is not taken before the client knows that epoch.
func TestListOffsetsNamesTheEpochItKnows(t *testing.T) {
	k := newKafka(1)
	p := k.topic("t", 1).parts[0]
	w := newWorld(t, k, client.Options{})
	asks := []admin.OffsetAsk{{TopicPartition: core.TopicPartition{Topic: "t"}, Timestamp: admin.LatestOffset}}
	w.client.Admin().ListOffsets(w.now, asks, false, 1)
	require.Equal(t, core.ErrNone, w.reply(2 * core.Second).Offsets[0].Err)
	p.epoch++
	p.store(record.None, record.Options{}, "x")
	begun := w.now.Mono
	w.client.Admin().ListOffsets(w.now, asks, false, 2)
	row := w.reply(2 * core.Second).Offsets[0]
	require.Equal(t, []any{core.ErrNone, core.Offset(1), core.LeaderEpoch(p.epoch)}, []any{row.Err, row.Offset, row.LeaderEpoch})
	require.Greater(t, w.now.Mono-begun, 20*core.Millisecond, "it was refused once, and has looked at the metadata again")
}

func TestDescribeLogDirsAsksEveryBroker(t *testing.T) {
	k := newKafka(3)
	w := newWorld(t, k, client.Options{Admin: admin.Options{Timeout: 5 * core.Second}})
	k.brokers[2].blackhole = true
	w.client.Admin().DescribeLogDirs(w.now, nil, 1)
	r := w.reply(6 * core.Second)
	require.Len(t, r.LogDirs, 3)
	require.Equal(t, "/data/1", r.LogDirs[1].Body.Dirs[0].Dir)
	require.Equal(t, core.ErrRequestTimedOut, r.LogDirs[2].Err)
}
