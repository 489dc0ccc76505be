package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/core/wire/schema"
	"github.com/klamm-log/klamm/core/wire/wiretest"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

func draw(t *rapid.T) wiretest.Draw {
	return func(n int64) int64 { return rapid.Int64Range(0, n-1).Draw(t, "n") }
}

// someRequest is a request of any key and version with arbitrary content.
func someRequest(t *rapid.T) kmsg.Request {
	key := rapid.SampledFrom(served()).Draw(t, "key")
	r := kmsg.RequestForKey(key)
	r.SetVersion(rapid.Int16Range(0, r.MaxVersion()).Draw(t, "version"))
	wiretest.Fill(r, draw(t))
	return r
}

func served() []int16 {
	var keys []int16
	for k := range int16(200) {
		if schema.Name(k) != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

// TestRequestFrames compares our frames with those that kmsg's own formatter writes, and reads them back.
func TestRequestFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := someRequest(t)
		dropLaterTags(r, r.GetVersion()) // kmsg would write them
		corr := rapid.Int32().Draw(t, "corr")
		client := rapid.StringN(0, 20, 200).Draw(t, "client")
		var opts []kmsg.RequestFormatterOpt
		if client != "" {
			opts = append(opts, kmsg.FormatterClientID(client))
		}
		want := kmsg.NewRequestFormatter(opts...).AppendRequest(nil, r, corr)
		got := AppendRequest([]byte("before"), corr, client, r)
		require.Equal(t, "before", string(got[:6]))
		require.Equal(t, want, got[6:])

		head, body, err := ParseRequestHeader(want[4:])
		require.NoError(t, err)
		require.Equal(t, RequestHeader{Key: r.Key(), Version: r.GetVersion(), Corr: corr, ClientID: client}, head)
		decoded, err := DecodeRequest(head.Key, head.Version, body)
		require.NoError(t, err)
		require.Equal(t, r.AppendTo(nil), decoded.AppendTo(nil))
	})
}

// TestResponseFrames reads back what we write, for every key but Fetch, whose encoder has a test of its own.
func TestResponseFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kmsg.ResponseForKey(rapid.SampledFrom(served()).Draw(t, "key"))
		version := rapid.Int16Range(0, r.MaxVersion()).Draw(t, "version")
		wiretest.Fill(r, draw(t))
		frame := AppendResponse(nil, 7, version, r)
		require.Equal(t, len(frame)-4, int(binary.BigEndian.Uint32(frame)))
		corr, body, err := ParseResponseHeader(frame[4:], r.Key(), version)
		require.NoError(t, err)
		require.Equal(t, int32(7), corr)
		require.Equal(t, r.AppendTo(nil), body)
		decoded, err := DecodeResponse(r.Key(), version, body)
		require.NoError(t, err)
		require.Equal(t, body, decoded.AppendTo(nil))
	})
}

// TestResponseHeaderVersions cites KIP-482 and KIP-511 on who has a tagged section in its response header.
func TestResponseHeaderVersions(t *testing.T) {
	cases := []struct {
		key, version int16
		tags         bool
	}{
		{KeyApiVersions, 0, false}, {KeyApiVersions, 2, false}, {KeyApiVersions, 3, false}, {KeyApiVersions, 5, false},
		{3, 8, false}, {3, 9, true}, {KeyProduce, 8, false}, {KeyProduce, 9, true}, {17, 1, false}, {75, 0, true},
	}
	for _, c := range cases {
		r := kmsg.ResponseForKey(c.key)
		frame := AppendResponse(nil, 1, c.version, r)
		extra := len(frame) - 8 - len(r.AppendTo(nil))
		require.Equal(t, c.tags, extra == 1, "%s version %d", Name(c.key), c.version)
	}
}

// TestGoldenFrames holds bytes as clients send them: the first frame of a librdkafka and of a Java client, a plain
// Metadata, and the answer to the first.
func TestGoldenFrames(t *testing.T) {
	apiVersions := kmsg.NewPtrApiVersionsRequest()
	apiVersions.SetVersion(3)
	apiVersions.ClientSoftwareName, apiVersions.ClientSoftwareVersion = "librdkafka", "2.0.2"
	require.Equal(t, "00000024"+"0012"+"0003"+"00000001"+"0007"+hex.EncodeToString([]byte("rdkafka"))+"00"+
		"0b"+hex.EncodeToString([]byte("librdkafka"))+"06"+hex.EncodeToString([]byte("2.0.2"))+"00",
		hex.EncodeToString(AppendRequest(nil, 1, "rdkafka", apiVersions)))

	metadata := kmsg.NewPtrMetadataRequest()
	metadata.SetVersion(1)
	metadata.Topics = nil
	require.Equal(t, "0000000e"+"0003"+"0001"+"00000002"+"ffff"+"ffffffff",
		hex.EncodeToString(AppendRequest(nil, 2, "", metadata)))

	answer := kmsg.NewPtrApiVersionsResponse()
	answer.ErrorCode = 35
	answer.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 18, MaxVersion: 4}}
	require.Equal(t, "00000010"+"00000001"+"0023"+"00000001"+"0012"+"0000"+"0004",
		hex.EncodeToString(AppendResponse(nil, 1, 0, answer)))
}

func TestHeaderRefusals(t *testing.T) {
	cases := []struct {
		name, frame string
		want        error
	}{
		{"empty", "", ErrTruncated},
		{"seven bytes", "\x00\x03\x00\x01\x00\x00\x00", ErrTruncated},
		{"no client id", "\x00\x03\x00\x01\x00\x00\x00\x01", ErrTruncated},
		{"client id beyond the end", "\x00\x03\x00\x01\x00\x00\x00\x01\x00\x05abc", ErrTruncated},
		{"client id of length -2", "\x00\x03\x00\x01\x00\x00\x00\x01\xff\xfe", ErrLength},
		{"no tags", "\x00\x03\x00\x09\x00\x00\x00\x01\xff\xff", ErrTruncated},
		{"too many tags", "\x00\x03\x00\x09\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\x0f", ErrTruncated},
		{"tag beyond the end", "\x00\x03\x00\x09\x00\x00\x00\x01\xff\xff\x01\x00\x09", ErrTruncated},
	}
	for _, c := range cases {
		_, _, err := ParseRequestHeader([]byte(c.frame))
		require.ErrorIs(t, err, c.want, c.name)
	}
	_, _, err := ParseResponseHeader([]byte{0, 0, 0}, 3, 1)
	require.ErrorIs(t, err, ErrTruncated)
}

// TestKafkaDefaults is the list of fields whose default differs between Kafka's schema and kmsg's structs.
func TestKafkaDefaults(t *testing.T) {
	for version := range int16(14) {
		r := kmsg.NewPtrMetadataRequest()
		r.SetVersion(version)
		decoded, err := DecodeRequest(3, version, r.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, version < 4, decoded.(*kmsg.MetadataRequest).AllowAutoTopicCreation, "version %d", version)
	}
	r := kmsg.NewPtrUpdateFeaturesRequest()
	r.FeatureUpdates = make([]kmsg.UpdateFeaturesRequestFeatureUpdate, 1)
	decoded, err := DecodeRequest(57, 0, r.AppendTo(nil))
	require.NoError(t, err)
	require.Equal(t, int8(1), decoded.(*kmsg.UpdateFeaturesRequest).FeatureUpdates[0].UpgradeType)
}

// TestProduceAliasesItsFrame proves that a Produce request is decoded without copying records.
func TestProduceAliasesItsFrame(t *testing.T) {
	for _, version := range []int16{3, 8, 9, 13} {
		body := produceBody(version, 3, 100_000)
		decoded, err := DecodeRequest(KeyProduce, version, body)
		require.NoError(t, err)
		records := decoded.(*kmsg.ProduceRequest).Topics[0].Partitions[2].Records
		require.Len(t, records, 100_000)
		at := bytes.LastIndexByte(body, 'R') + 1 - len(records)
		require.Same(t, &body[at], &records[0], "version %d", version)
		require.Equal(t, len(records), cap(records), "an append must not run into the frame")
	}
}

func produceBody(version int16, partitions, size int) []byte {
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(version)
	r.Acks = -1
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	for i := range partitions {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = int32(i), bytes.Repeat([]byte{'R'}, size)
		topic.Partitions = append(topic.Partitions, p)
	}
	r.Topics = append(r.Topics, topic)
	return r.AppendTo(nil)
}

// TestAmplification decodes, for every key, bodies that are made to take as much memory for their bytes
// as they can: arrays of the smallest elements at each depth. They are refused at next to no cost, or stay within
// MemoryLimit, and small ones of honest proportions pass.
func TestAmplification(t *testing.T) {
	refused, worst := 0, 0.0
	for _, key := range served() {
		r := kmsg.RequestForKey(key)
		for _, version := range []int16{0, r.MaxVersion() / 2, r.MaxVersion()} {
			for _, body := range schema.Bloated(key, version, 1<<20) {
				took, err := allocated(key, version, body)
				require.LessOrEqual(t, took, MemoryLimit(len(body)), "%s version %d", Name(key), version)
				if err != nil {
					require.ErrorIs(t, err, schema.ErrCost, "%s version %d", Name(key), version)
					require.Less(t, took, int64(4096), "%s version %d: refused, but only after taking", Name(key), version)
					refused++
				}
				worst = max(worst, float64(took)/float64(len(body)))
			}
		}
	}
	require.Positive(t, refused)
	t.Logf("%d bodies of 1 MiB refused; the worst admitted takes %.2f times its bytes", refused, worst)
}

// allocated is the memory that DecodeRequest takes, by the runtime's count.
func allocated(key, version int16, body []byte) (int64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := DecodeRequest(key, version, body)
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(r)
	return int64(after.TotalAlloc - before.TotalAlloc), err
}

// TestHonestMetadataPasses keeps the limit from refusing what clients do: many short names.
func TestHonestMetadataPasses(t *testing.T) {
	for _, version := range []int16{1, 8, 9, 12} {
		r := kmsg.NewPtrMetadataRequest()
		r.SetVersion(version)
		for i := range 10_000 {
			topic := kmsg.NewMetadataRequestTopic()
			topic.Topic = kmsg.StringPtr(fmt.Sprintf("t%d", i))
			r.Topics = append(r.Topics, topic)
		}
		_, err := DecodeRequest(3, version, r.AppendTo(nil))
		require.NoError(t, err, "version %d", version)
	}
}

// TestTagCountIsNotCountedDown is the frame of some ten bytes that keeps kmsg busy for a minute.
func TestTagCountIsNotCountedDown(t *testing.T) {
	start := time.Now()
	_, err := DecodeRequest(3, 9, []byte("\x00\x00\x00\x00\xff\xff\xff\xff\x0f"))
	require.ErrorIs(t, err, schema.ErrTruncated)
	_, err = DecodeResponse(3, 9, []byte("\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\xff\xff\xff\xff\x0f"))
	require.Error(t, err)
	require.Less(t, time.Since(start), time.Second)
}

func TestUnsupported(t *testing.T) {
	for _, c := range [][2]int16{{500, 0}, {-1, 0}, {3, -1}, {3, 99}, {4, 0}, {math.MaxInt16, math.MinInt16}} {
		_, err := DecodeRequest(c[0], c[1], nil)
		require.Error(t, err)
		_, err = DecodeResponse(c[0], c[1], nil)
		require.Error(t, err)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, key := range served() {
		r := kmsg.RequestForKey(key)
		for _, version := range []int16{0, r.MaxVersion()} {
			r.SetVersion(version)
			f.Add(AppendRequest(nil, 1, "fuzz", r)[4:])
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		head, body, err := ParseRequestHeader(frame)
		if err != nil {
			return
		}
		r, err := DecodeRequest(head.Key, head.Version, body)
		if err != nil {
			return
		}
		again, err := DecodeRequest(head.Key, head.Version, r.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, r.AppendTo(nil), again.AppendTo(nil))
	})
}

func FuzzDecodeResponse(f *testing.F) {
	for _, key := range served() {
		r := kmsg.ResponseForKey(key)
		r.SetVersion(r.MaxVersion())
		f.Add(key, r.MaxVersion(), AppendResponse(nil, 1, r.MaxVersion(), r)[4:])
	}
	f.Fuzz(func(_ *testing.T, key, version int16, frame []byte) {
		if _, body, err := ParseResponseHeader(frame, key, version); err == nil {
			_, _ = DecodeResponse(key, version, body)
		}
	})
}

func BenchmarkDecodeProduce(b *testing.B) {
	body := produceBody(9, 1, 16<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeRequest(KeyProduce, 9, body); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLongestString: Kafka's generated codecs refuse strings of more than 32,767 bytes in compact form too, where the length
// would allow for more. A configuration value of 50 MB would otherwise become a record of the metadata log that no version of an
// API, and no Kafka, can read back.
func TestLongestString(t *testing.T) {
	for _, c := range []struct {
		length int
		want   error
	}{{1<<15 - 1, nil}, {1 << 15, schema.ErrLength}} {
		value := strings.Repeat("7", c.length)
		r := kmsg.NewPtrIncrementalAlterConfigsRequest()
		r.SetVersion(1)
		r.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "retention.ms", Value: &value}},
		}}
		_, err := DecodeRequest(r.Key(), 1, r.AppendTo(nil))
		require.ErrorIs(t, err, c.want)
	}
}
