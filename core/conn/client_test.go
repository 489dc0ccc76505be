package conn

import (
	"encoding/binary"
	"testing"

	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/klamm-log/klamm/core/wire/wiretest"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// everything accepts all keys at all versions that the codec knows.
func everything() Config {
	var ranges []VersionRange
	for key := range int16(maxKeys) {
		if wire.Name(key) != "" {
			ranges = append(ranges, VersionRange{key, 0, kmsg.RequestForKey(key).MaxVersion()})
		}
	}
	return Config{Versions: NewVersions(ranges...)}
}

// TestBothHalves sends arbitrary requests from a Client to a Server and arbitrary responses back, in pieces.
func TestBothHalves(t *testing.T) {
	cfg := everything()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n int64) int64 { return rapid.Int64Range(0, n-1).Draw(t, "n") }
		c, s := NewClient(3, Limits{}, nil), NewServer(4, cfg)
		var wireBytes []byte
		var asked []*step.Send
		for i := range rapid.IntRange(1, 5).Draw(t, "calls") {
			key := rapid.Int16Range(8, 94).Draw(t, "key")
			r := kmsg.RequestForKey(key)
			r.SetVersion(rapid.Int16Range(0, r.MaxVersion()).Draw(t, "version"))
			wiretest.Fill(r, draw)
			send := &step.Send{Peer: 3, Kind: step.Call, Corr: int32(1000 + i), ClientID: "both", Body: r}
			asked = append(asked, send)
			wireBytes = c.Call(wireBytes, send)
		}
		require.Equal(t, len(asked), c.Waiting())
		s.Feed(wireBytes)
		var answers []kmsg.Response
		for _, send := range asked {
			req := next(t, s)
			require.Equal(t, send.Corr, req.Corr)
			require.Equal(t, "both", req.ClientID)
			require.Equal(t, send.Body.AppendTo(nil), req.Body.AppendTo(nil))
			body := req.Body.ResponseKind()
			wiretest.Fill(body, draw)
			answers = append(answers, body)
			s.Reply(step.Reply{Conn: 4, Seq: req.Seq, Corr: req.Corr, Version: req.Version, Body: body})
		}
		c.Feed(written(s.Take()))
		for i, body := range answers {
			resp, err := c.Next()
			require.NoError(t, err)
			require.Equal(t, step.PeerID(3), resp.Peer)
			require.Equal(t, asked[i].Corr, resp.Corr)
			require.Equal(t, body.AppendTo(nil), resp.Body.AppendTo(nil))
		}
		require.Zero(t, c.Waiting())
		require.Zero(t, c.Buffered())
	})
}

func ask(corr int32, silent bool) *step.Send {
	r := kmsg.NewPtrMetadataRequest()
	r.SetVersion(9)
	return &step.Send{Kind: step.Call, Corr: corr, Body: r, NoResponse: silent}
}

func TestClientRefusals(t *testing.T) {
	response := kmsg.NewPtrMetadataResponse()
	good := wire.AppendResponse(nil, 1, 9, response)
	cases := []struct {
		name   string
		calls  []*step.Send
		stream []byte
		want   error
	}{
		{"nothing asked", nil, good, ErrCorrelation},
		{"asked for silence", []*step.Send{ask(1, true)}, good, ErrCorrelation},
		{"another's answer", []*step.Send{ask(2, false)}, good, ErrCorrelation},
		{"out of order", []*step.Send{ask(2, false), ask(1, false)}, good, ErrCorrelation},
		{"truncated", []*step.Send{ask(1, false)}, framed(good[4 : len(good)-1]), ErrMalformed},
		{"too short for a header", []*step.Send{ask(1, false)}, framed([]byte{1, 2, 3}), ErrMalformed},
		{"oversized", []*step.Send{ask(1, false)}, binary.BigEndian.AppendUint32(nil, 101<<20), ErrFrameLength},
		{"negative", []*step.Send{ask(1, false)}, []byte{0xff, 0xff, 0xff, 0xff}, ErrFrameLength},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := NewClient(1, Limits{}, nil)
			for _, send := range test.calls {
				c.Call(nil, send)
			}
			c.Feed(test.stream)
			for range 2 {
				_, err := c.Next()
				require.ErrorIs(t, err, test.want)
			}
		})
	}
}

func TestClientSkipsSilentCalls(t *testing.T) {
	c := NewClient(1, Limits{}, nil)
	c.Call(nil, ask(1, true))
	c.Call(nil, ask(2, false))
	c.Feed(wire.AppendResponse(nil, 2, 9, kmsg.NewPtrMetadataResponse()))
	resp, err := c.Next()
	require.NoError(t, err)
	require.Equal(t, int32(2), resp.Corr)
}

func FuzzClient(f *testing.F) {
	f.Add(int16(3), int16(9), wire.AppendResponse(nil, 1, 9, kmsg.NewPtrMetadataResponse()))
	f.Fuzz(func(_ *testing.T, key, version int16, stream []byte) {
		r := kmsg.RequestForKey(key)
		if r == nil || version < 0 || version > r.MaxVersion() {
			return
		}
		r.SetVersion(version)
		c := NewClient(1, Limits{}, nil)
		for corr := range int32(3) {
			c.Call(nil, &step.Send{Corr: corr + 1, Body: r})
		}
		c.Feed(stream)
		for {
			resp, err := c.Next()
			if resp == nil || err != nil {
				return
			}
		}
	})
}
