package conn

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

func testConfig() Config {
	return Config{Versions: NewVersions(
		VersionRange{wire.KeyProduce, 3, 13},
		VersionRange{wire.KeyFetch, 4, 18},
		VersionRange{3, 0, 13},
		VersionRange{wire.KeyApiVersions, 0, 4},
	)}
}

// metadata is the frame of a Metadata request with the given correlation id.
func metadata(corr int32) []byte {
	r := kmsg.NewPtrMetadataRequest()
	r.SetVersion(9)
	return wire.AppendRequest(nil, corr, "test", r)
}

// answer is a reply to a Metadata request.
func answer(r *step.Request) step.Reply {
	return step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Body: r.Body.ResponseKind()}
}

// written is the taken output as bytes; spans become that many 'S'.
func written(o *Output) []byte {
	var out []byte
	for _, c := range o.Chunks {
		out = append(out, c.Data...)
		out = append(out, bytes.Repeat([]byte{'S'}, int(c.Span.Len))...)
	}
	return out
}

// corrs are the correlation ids of the frames of a stream.
func corrs(t require.TestingT, stream []byte) []int32 {
	f := NewFramer(DefaultMaxFrame, nil)
	f.Feed(stream)
	var out []int32
	for _, frame := range drain(t, &f) {
		out = append(out, int32(binary.BigEndian.Uint32(frame)))
	}
	return out
}

func next(t require.TestingT, s *Server) *step.Request {
	req, err := s.Next()
	require.NoError(t, err)
	return req
}

func TestRequestFields(t *testing.T) {
	s := NewServer(7, testConfig())
	frame := metadata(41)
	s.Feed(frame[:len(frame)-1])
	require.Nil(t, next(t, s))
	s.Feed(frame[len(frame)-1:])
	req := next(t, s)
	require.Equal(t, step.ConnID(7), req.Conn)
	require.Equal(t, uint64(0), req.Seq)
	require.Equal(t, int32(41), req.Corr)
	require.Equal(t, int16(9), req.Version)
	require.Equal(t, "test", req.ClientID)
	require.Equal(t, int64(len(frame)), req.Size)
	require.IsType(t, &kmsg.MetadataRequest{}, req.Body)
	require.Nil(t, req.Batches)
	require.Nil(t, next(t, s))
}

// TestRepliesLeaveInRequestOrder answers pipelined requests in every order: the responses leave in the order of the
// requests, as early as they can.
func TestRepliesLeaveInRequestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewServer(1, testConfig())
		n := rapid.IntRange(1, 8).Draw(t, "n")
		var reqs []*step.Request
		var want []int32
		for i := range n {
			s.Feed(metadata(int32(100 + i)))
			reqs = append(reqs, next(t, s))
			want = append(want, int32(100+i))
		}
		order := rapid.Permutation(reqs).Draw(t, "order")
		replied := make([]bool, n)
		released := 0
		var stream []byte
		for _, req := range order {
			s.Reply(answer(req))
			replied[req.Seq] = true
			for released < n && replied[released] {
				released++
			}
			if rapid.Bool().Draw(t, "take") {
				stream = append(stream, written(s.Take())...)
				require.Equal(t, want[:released], append([]int32{}, corrs(t, stream)...)[:released])
				require.Len(t, corrs(t, stream), released)
			}
		}
		stream = append(stream, written(s.Take())...)
		require.Equal(t, want, corrs(t, stream))
		require.False(t, s.Out.Pending())
	})
}

func TestSilentReply(t *testing.T) {
	s := NewServer(1, testConfig())
	s.Feed(append(metadata(1), metadata(2)...))
	first, second := next(t, s), next(t, s)
	s.Reply(answer(second))
	require.Empty(t, written(s.Take()))
	s.Reply(step.Reply{Conn: 1, Seq: first.Seq}) // acks=0: no body
	require.Equal(t, []int32{2}, corrs(t, written(s.Take())))
}

func TestCloseAndMute(t *testing.T) {
	s := NewServer(1, testConfig())
	s.Feed(append(append(metadata(1), metadata(2)...), metadata(3)...))
	first, second, third := next(t, s), next(t, s), next(t, s)
	closing := answer(second)
	closing.Close, closing.MuteFor = true, 250
	s.Reply(answer(third))
	s.Reply(closing)
	require.False(t, s.Take().Close, "the first request is not answered")
	s.Reply(answer(first))
	out := s.Take()
	require.True(t, out.Close)
	require.Equal(t, int32(250), out.MuteFor)
	require.Equal(t, []int32{1, 2}, corrs(t, written(out)), "nothing follows the reply that closes")
	s.Reply(step.Reply{Seq: 99}) // late ones are dropped
}

func TestTwoRepliesAreABug(t *testing.T) {
	s := NewServer(1, testConfig())
	s.Feed(append(metadata(1), metadata(2)...))
	first, second := next(t, s), next(t, s)
	s.Reply(answer(second))
	require.Panics(t, func() { s.Reply(answer(second)) })
	s.Reply(answer(first))
	require.Panics(t, func() { s.Reply(answer(first)) })
}

func TestPausedAtTheLimit(t *testing.T) {
	cfg := testConfig()
	cfg.Limits.InFlight = 2
	s := NewServer(1, cfg)
	for i := range 4 {
		s.Feed(metadata(int32(i)))
	}
	first, second := next(t, s), next(t, s)
	require.True(t, s.Paused())
	require.Nil(t, next(t, s))
	s.Reply(answer(second))
	s.Take()
	require.True(t, s.Paused(), "the first is still unanswered")
	s.Reply(answer(first))
	s.Take()
	require.False(t, s.Paused())
	require.Equal(t, int32(2), next(t, s).Corr)
	require.Equal(t, int32(3), next(t, s).Corr)
}

// TestTooNewApiVersions is KIP-511: an ApiVersions of a version above ours is answered in version 0 with error 35 and
// our range, in its turn, and the connection goes on.
func TestTooNewApiVersions(t *testing.T) {
	s := NewServer(1, testConfig())
	tooNew := []byte("\x00\x12\x00\x63\x00\x00\x00\x05whatever version 99 looks like")
	s.Feed(append(append(metadata(4), framed(tooNew)...), metadata(6)...))
	first, third := next(t, s), next(t, s)
	require.Equal(t, uint64(2), third.Seq)
	require.Empty(t, written(s.Take()))
	s.Reply(answer(first))
	s.Reply(answer(third))
	out := written(s.Take())
	require.Equal(t, []int32{4, 5, 6}, corrs(t, out))
	f := NewFramer(DefaultMaxFrame, nil)
	f.Feed(out)
	body := kmsg.NewPtrApiVersionsResponse()
	require.NoError(t, body.ReadFrom(drain(t, &f)[1][4:]))
	require.Equal(t, int16(core.ErrUnsupportedVersion), body.ErrorCode)
	require.Equal(t, []kmsg.ApiVersionsResponseApiKey{{ApiKey: 18, MinVersion: 0, MaxVersion: 4}}, body.ApiKeys)
}

// TestRefusedFrames: whatever cannot be a request of ours ends the connection, after what came before was answered
// and without touching what comes after.
func TestRefusedFrames(t *testing.T) {
	cases := []struct {
		name, stream string
		want         error
	}{
		{"unknown key", string(framed([]byte("\x03\xe8\x00\x00\x00\x00\x00\x01\xff\xff"))), ErrUnknownRequest},
		{"negative key", string(framed([]byte("\xff\xff\x00\x00\x00\x00\x00\x01\xff\xff"))), ErrUnknownRequest},
		{"version below ours", string(framed([]byte("\x00\x00\x00\x02\x00\x00\x00\x01\xff\xff"))), ErrUnknownRequest},
		{"version above ours", string(framed([]byte("\x00\x03\x00\x63\x00\x00\x00\x01\xff\xff"))), ErrUnknownRequest},
		{"key not served", string(framed([]byte("\x00\x13\x00\x05\x00\x00\x00\x01\xff\xff"))), ErrUnknownRequest},
		{"empty frame", "\x00\x00\x00\x00", ErrMalformed},
		{"short header", "\x00\x00\x00\x07\x00\x03\x00\x01\x00\x00\x00", ErrMalformed},
		{"truncated body", string(framed([]byte("\x00\x03\x00\x01\x00\x00\x00\x01\xff\xff\x00\x00"))), ErrMalformed},
		{"negative length", "\xff\xff\xff\xff", ErrFrameLength},
		{"oversized", "\x06\x40\x00\x01", ErrFrameLength},
		{"HTTP", "GET / HTTP/1.1\r\nHost: broker\r\n\r\n", ErrFrameLength},
		{"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ErrFrameLength},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := NewServer(1, testConfig())
			s.Feed(metadata(1))
			s.Feed([]byte(c.stream))
			first := next(t, s)
			_, err := s.Next()
			require.ErrorIs(t, err, c.want)
			require.False(t, s.Take().Close, "the first request is unanswered")
			s.Feed(metadata(2))
			_, err = s.Next()
			require.ErrorIs(t, err, c.want, "nothing is read after it")
			s.Reply(answer(first))
			out := s.Take()
			require.Equal(t, []int32{1}, corrs(t, written(out)))
			require.True(t, out.Close)
		})
	}
}

func TestEndOfStream(t *testing.T) {
	s := NewServer(1, testConfig())
	s.Feed(metadata(1))
	req := next(t, s)
	s.EndOfStream()
	require.False(t, s.Take().Close)
	s.Reply(answer(req))
	out := s.Take()
	require.True(t, out.Close)
	require.Equal(t, []int32{1}, corrs(t, written(out)))

	idle := NewServer(2, testConfig())
	idle.EndOfStream()
	require.True(t, idle.Take().Close)
}

// TestFetchSpans: the output names the record bytes and holds the rest.
func TestFetchSpans(t *testing.T) {
	s := NewServer(1, testConfig())
	r := kmsg.NewPtrFetchRequest()
	r.SetVersion(12)
	s.Feed(append(wire.AppendRequest(nil, 5, "", r), metadata(6)...))
	fetch, meta := next(t, s), next(t, s)
	body := kmsg.NewPtrFetchResponse()
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic = "orders"
	for range 3 {
		topic.Partitions = append(topic.Partitions, kmsg.NewFetchResponseTopicPartition())
	}
	body.Topics = append(body.Topics, topic)
	spans := []step.Span{{File: 1, Pos: 10, Len: 100}, {}, {File: 2, Pos: 0, Len: 5_000}}
	s.Reply(answer(meta))
	s.Reply(step.Reply{Conn: 1, Seq: fetch.Seq, Corr: 5, Version: 12, Body: body, Spans: spans})
	out := s.Take()
	require.Len(t, out.Chunks, 5, "literal, span, literal, span, literal")
	require.Equal(t, spans[0], out.Chunks[1].Span)
	require.Equal(t, spans[2], out.Chunks[3].Span)
	require.Equal(t, int64(len(written(out))), out.Bytes())

	f := NewFramer(DefaultMaxFrame, nil)
	f.Feed(written(out))
	frames := drain(t, &f)
	require.Len(t, frames, 2)
	_, raw, err := wire.ParseResponseHeader(frames[0], wire.KeyFetch, 12)
	require.NoError(t, err)
	decoded, err := wire.DecodeResponse(wire.KeyFetch, 12, raw)
	require.NoError(t, err)
	got := decoded.(*kmsg.FetchResponse).Topics[0].Partitions
	require.Equal(t, strings.Repeat("S", 100), string(got[0].RecordBatches))
	require.Empty(t, got[1].RecordBatches)
	require.NotNil(t, got[1].RecordBatches)
	require.Len(t, got[2].RecordBatches, 5_000)
}

// produce is the frame of a Produce request with the given records per partition.
func produce(version int16, records ...[]byte) []byte {
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(version)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	for i, b := range records {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = int32(i), b
		topic.Partitions = append(topic.Partitions, p)
	}
	r.Topics = append(r.Topics, topic)
	return wire.AppendRequest(nil, 1, "", r)
}

// TestProduceBatchesAreChecked: one outcome per partition, in order, by record.Check.
func TestProduceBatchesAreChecked(t *testing.T) {
	garbage := bytes.Repeat([]byte("x"), 80)
	for _, version := range []int16{3, 8, 9, 12} {
		s := NewServer(1, testConfig())
		s.Feed(produce(version, garbage, nil, []byte{}))
		req := next(t, s)
		require.Len(t, req.Batches, 3)
		var codecs record.Codecs
		for i, records := range [][]byte{garbage, nil, {}} {
			summary, refusal := record.Check(records, record.Limits{NoZstd: version < 7}, &codecs)
			require.Equal(t, step.Batch{Summary: summary, Refusal: refusal}, req.Batches[i])
			require.False(t, refusal.OK())
		}
	}
}

func TestVersions(t *testing.T) {
	v := NewVersions(VersionRange{3, 1, 5}, VersionRange{-1, 0, 9}, VersionRange{500, 0, 9}, VersionRange{7, 3, 2})
	require.True(t, v.Accepts(3, 1))
	require.True(t, v.Accepts(3, 5))
	require.False(t, v.Accepts(3, 0))
	require.False(t, v.Accepts(3, 6))
	for _, key := range []int16{-1, 0, 7, 127, 128, 500} {
		require.False(t, v.Accepts(key, 0), "key %d", key)
	}
	var none *Versions
	require.False(t, none.Accepts(3, 1))
}

func FuzzServer(f *testing.F) {
	f.Add(append(metadata(1), metadata(2)...))
	f.Add(produce(9, bytes.Repeat([]byte("x"), 80)))
	f.Fuzz(func(t *testing.T, stream []byte) {
		s := NewServer(1, testConfig())
		s.Feed(stream)
		for {
			req, err := s.Next()
			if err != nil {
				s.Take()
				require.True(t, s.Take().Close || s.Out.closed)
				return
			}
			if req == nil {
				return
			}
			if p, ok := req.Body.(*kmsg.ProduceRequest); ok {
				n := 0
				for i := range p.Topics {
					n += len(p.Topics[i].Partitions)
				}
				require.Len(t, req.Batches, n)
			}
			s.Reply(answer(req))
			s.Take()
		}
	})
}

// recordBatch is a good batch with one value of n bytes.
func recordBatch(t testing.TB, n int) []byte {
	var builder record.Builder
	builder.Begin(nil, record.Options{ProducerID: core.NoProducerID, ProducerEpoch: core.NoProducerEpoch, BaseSequence: record.NoSequence})
	require.NoError(t, builder.Append(1_700_000_000_000, nil, make([]byte, n), nil))
	batch, err := builder.Finish(&record.Codecs{})
	require.NoError(t, err)
	return batch
}

func TestGoodBatchIsAdmitted(t *testing.T) {
	batch := recordBatch(t, 100)
	s := NewServer(1, testConfig())
	s.Feed(produce(9, batch))
	req := next(t, s)
	require.True(t, req.Batches[0].Refusal.OK(), "%s", req.Batches[0].Refusal)
	require.Equal(t, int64(len(batch)), req.Batches[0].Summary.SizeInBytes)
}

// TestReplyDoesNotAllocate guards the steady path of the sending half.
func TestReplyDoesNotAllocate(t *testing.T) {
	o := NewOutbound()
	body := kmsg.NewPtrProduceResponse()
	topic := kmsg.NewProduceResponseTopic()
	topic.Partitions = append(topic.Partitions, kmsg.NewProduceResponseTopicPartition())
	body.Topics = append(body.Topics, topic)
	seq := uint64(0)
	reply := func() {
		for _, at := range []uint64{seq + 1, seq} { // out of order, too
			o.Reply(step.Reply{Seq: at, Version: 8, Body: body})
		}
		seq += 2
		o.Take()
	}
	reply()
	reply()
	require.Zero(t, testing.AllocsPerRun(100, reply))
}

func BenchmarkProduceRequest(b *testing.B) {
	frame := produce(9, recordBatch(b, 16<<10))
	s := NewServer(1, testConfig())
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		s.Feed(frame)
		req, err := s.Next()
		if err != nil {
			b.Fatal(err)
		}
		s.Reply(step.Reply{Seq: req.Seq})
		s.Take()
	}
}

// TestLargeResponseIsLetGo: a connection that has sent a large response, and is silent then, holds none of it.
func TestLargeResponseIsLetGo(t *testing.T) {
	o := NewOutbound()
	for seq := range uint64(3) {
		body := kmsg.NewPtrMetadataResponse()
		for range keepBuffer / 100 {
			topic := kmsg.NewMetadataResponseTopic()
			topic.Topic = kmsg.StringPtr(strings.Repeat("x", 200))
			body.Topics = append(body.Topics, topic)
		}
		o.Reply(step.Reply{Seq: seq, Version: 9, Body: body})
		require.Greater(t, o.Take().Bytes(), int64(keepBuffer))
		o.Sent()
		require.False(t, o.Pending())
		for i := range o.batches {
			require.LessOrEqual(t, cap(o.batches[i].buf), keepBuffer)
			for _, chunk := range o.batches[i].out.Chunks[:cap(o.batches[i].out.Chunks)] {
				require.Nil(t, chunk.Data)
			}
		}
	}
}
