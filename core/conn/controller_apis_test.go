package conn

import (
	"testing"

	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/klamm-log/klamm/core/wire/wiretest"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// TestControllerRequestsPass sends every key and version of a controller listener there and back.
func TestControllerRequestsPass(t *testing.T) {
	cfg := Config{Versions: NewVersions(ControllerAPIs()...)}
	for _, api := range ControllerAPIs() {
		require.NotNil(t, kmsg.RequestForKey(api.Key))
		require.LessOrEqual(t, api.Max, kmsg.RequestForKey(api.Key).MaxVersion())
		for version := api.Min; version <= api.Max; version++ {
			rapid.Check(t, func(t *rapid.T) {
				draw := func(n int64) int64 { return rapid.Int64Range(0, n-1).Draw(t, "n") }
				c, s := NewClient(1, Limits{}, nil), NewServer(2, cfg)
				r := kmsg.RequestForKey(api.Key)
				r.SetVersion(version)
				wiretest.Fill(r, draw)
				s.Feed(c.Call(nil, &step.Send{Kind: step.Call, Corr: 7, ClientID: "node", Body: r}))
				req := next(t, s)
				require.Equal(t, r.AppendTo(nil), req.Body.AppendTo(nil), "%s version %d", wire.Name(api.Key), version)
				body := r.ResponseKind()
				if api.Key != wire.KeyFetch { // its encoder has a test of its own
					wiretest.Fill(body, draw)
				}
				s.Reply(step.Reply{Conn: 2, Seq: req.Seq, Corr: req.Corr, Version: version, Body: body})
				c.Feed(written(s.Take()))
				resp, err := c.Next()
				require.NoError(t, err)
				require.Equal(t, body.AppendTo(nil), resp.Body.AppendTo(nil), "%s version %d", wire.Name(api.Key), version)
			})
		}
	}
}

// TestControllerRequestsOnClientListener: what only controllers and brokers say to controllers ends a client's
// connection.
func TestControllerRequestsOnClientListener(t *testing.T) {
	for _, key := range []int16{52, 53, 54, 56, 59, 62, 63, 67, 70, 73, 82} {
		s := NewServer(1, testConfig())
		r := kmsg.RequestForKey(key)
		r.SetVersion(r.MaxVersion())
		s.Feed(wire.AppendRequest(nil, 1, "", r))
		_, err := s.Next()
		require.ErrorIs(t, err, ErrUnknownRequest, wire.Name(key))
		require.True(t, s.Take().Close)
	}
}

// TestFetchSnapshotSpans: the bytes of a snapshot are named, not held.
func TestFetchSnapshotSpans(t *testing.T) {
	s := NewServer(1, Config{Versions: NewVersions(ControllerAPIs()...)})
	r := kmsg.NewPtrFetchSnapshotRequest()
	r.SetVersion(1)
	s.Feed(wire.AppendRequest(nil, 5, "", r))
	req := next(t, s)
	body := kmsg.NewPtrFetchSnapshotResponse()
	topic := kmsg.NewFetchSnapshotResponseTopic()
	topic.Topic = "__cluster_metadata"
	p := kmsg.NewFetchSnapshotResponseTopicPartition()
	p.Size, p.Position, p.CurrentLeader.LeaderID = 1000, 200, 3
	topic.Partitions = append(topic.Partitions, p)
	body.Topics = append(body.Topics, topic)
	span := step.Span{File: 9, Pos: 200, Len: 300}
	s.Reply(step.Reply{Conn: 1, Seq: req.Seq, Corr: 5, Version: 1, Body: body, Spans: []step.Span{span}})
	out := s.Take()
	require.Len(t, out.Chunks, 3, "literal, span, literal")
	require.Equal(t, span, out.Chunks[1].Span)

	f := NewFramer(DefaultMaxFrame, nil)
	f.Feed(written(out))
	_, raw, err := wire.ParseResponseHeader(drain(t, &f)[0], wire.KeyFetchSnapshot, 1)
	require.NoError(t, err)
	decoded, err := wire.DecodeResponse(wire.KeyFetchSnapshot, 1, raw)
	require.NoError(t, err)
	got := decoded.(*kmsg.FetchSnapshotResponse).Topics[0].Partitions[0]
	require.Len(t, got.Bytes, 300)
	require.Equal(t, []int64{1000, 200, 3}, []int64{got.Size, got.Position, int64(got.CurrentLeader.LeaderID)})
}
