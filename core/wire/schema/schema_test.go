package schema

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/core/wire/wiretest"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// codec is what kmsg's requests and responses have in common.
type codec interface {
	Key() int16
	MaxVersion() int16
	SetVersion(int16)
	IsFlexible() bool
	AppendTo([]byte) []byte
	ReadFrom([]byte) error
}

// direction is one of the two tables.
type direction struct {
	name  string
	find  func(int16) *message
	check func(key, version int16, body []byte, limit Cost) (Cost, error)
	make  func(int16) codec
}

func directions() []direction {
	return []direction{
		{"request", request, CheckRequest, func(k int16) codec {
			if r := kmsg.RequestForKey(k); r != nil {
				return r
			}
			return nil
		}},
		{"response", response, CheckResponse, func(k int16) codec {
			if r := kmsg.ResponseForKey(k); r != nil {
				return r
			}
			return nil
		}},
	}
}

const lastKey = 94

func keys() []int16 {
	var out []int16
	for k := range int16(lastKey + 1) {
		if k < 4 || k > 7 {
			out = append(out, k)
		}
	}
	return out
}

func draw(t *rapid.T) wiretest.Draw {
	return func(n int64) int64 { return rapid.Int64Range(0, n-1).Draw(t, "n") }
}

// walk checks body without a limit and returns the bytes that were not consumed, too.
func walk(m *message, version int16, body []byte) (Cost, int, Error) {
	w := walker{src: body, version: version, flexible: version >= m.flexible, limit: math.MaxInt64}
	w.take(m.size)
	w.structure(m.fields)
	return w.cost, len(w.src), w.err
}

// TestTablesAgreeWithKmsg compares every structure of the tables with the type that kmsg decodes it into: the fields
// that are there, in-memory sizes, and from which version messages are flexible.
func TestTablesAgreeWithKmsg(t *testing.T) {
	for _, d := range directions() {
		for key := range int16(200) {
			m, c := d.find(key), d.make(key)
			if key >= 4 && key <= 7 || c == nil {
				require.Nil(t, m, "%s %d", d.name, key)
				continue
			}
			require.NotNil(t, m, "%s %d", d.name, key)
			typ := reflect.TypeOf(c).Elem()
			require.Equal(t, m.name+strings.ToUpper(d.name[:1])+d.name[1:], typ.Name())
			sameSize(t, typ, m.size, typ.Name())
			for version := range c.MaxVersion() + 1 {
				c.SetVersion(version)
				require.Equal(t, c.IsFlexible(), version >= m.flexible, "%s version %d", typ.Name(), version)
			}
			compare(t, typ, m.fields)
		}
	}
}

func compare(t *testing.T, typ reflect.Type, fields []field) {
	seen := map[string]bool{"Version": true, "UnknownTags": true}
	for i := range fields {
		f := &fields[i]
		for _, name := range strings.Fields(f.name) {
			sf, ok := typ.FieldByName(name)
			require.True(t, ok, "%s has no field %q", typ, name)
			require.False(t, seen[name], "%s has field %q twice", typ, name)
			seen[name] = true
			compareField(t, typ, f, sf)
		}
	}
	for i := range typ.NumField() {
		require.True(t, seen[typ.Field(i).Name], "the table lacks %s.%s", typ, typ.Field(i).Name)
	}
}

func compareField(t *testing.T, typ reflect.Type, f *field, sf reflect.StructField) {
	where := fmt.Sprintf("%s.%s", typ, sf.Name)
	switch f.kind {
	case array:
		sameSize(t, sf.Type.Elem(), f.size, where)
		compare(t, sf.Type.Elem(), f.fields)
	case list:
		sameSize(t, sf.Type.Elem(), f.size, where)
		require.Len(t, f.fields, 1, where)
	case optional:
		sameSize(t, sf.Type.Elem(), f.size, where)
		compare(t, sf.Type.Elem(), f.fields)
	case group:
		compare(t, sf.Type, f.fields)
	case text:
		require.Equal(t, sf.Type.Kind() == reflect.Pointer, f.size == 16, where)
		require.Equal(t, sf.Type.Kind() == reflect.Pointer, f.nullable, where)
	case blob:
		require.Equal(t, reflect.Slice, sf.Type.Kind(), where)
	case fixed:
		require.Positive(t, f.size, where)
	}
}

// sameSize compares with the size on 64-bit machines; on others it must not be more.
func sameSize(t *testing.T, typ reflect.Type, want int64, where string) {
	if strconv.IntSize == 64 {
		require.Equal(t, int64(typ.Size()), want, where)
	}
	require.LessOrEqual(t, int64(typ.Size()), want, where)
}

// TestAcceptsWhateverKmsgEncodes is the round trip of every message at every version: it is accepted, consumed to
// its last byte, and each of its proper prefixes is refused.
func TestAcceptsWhateverKmsgEncodes(t *testing.T) {
	for _, d := range directions() {
		for _, key := range keys() {
			rapid.Check(t, func(t *rapid.T) {
				c := d.make(key)
				version := rapid.Int16Range(0, c.MaxVersion()).Draw(t, "version")
				c.SetVersion(version)
				wiretest.Fill(c, draw(t))
				body := c.AppendTo(nil)

				_, left, err := walk(d.find(key), version, body)
				require.Empty(t, err, "%s %d version %d", d.name, key, version)
				require.Zero(t, left, "%s %d version %d", d.name, key, version)
				if len(body) > 0 {
					cut := rapid.IntRange(0, len(body)-1).Draw(t, "cut")
					_, _, err = walk(d.find(key), version, body[:cut])
					require.Equal(t, ErrTruncated, err, "%s %d version %d", d.name, key, version)
				}
			})
		}
	}
}

// decodeBytes is how much memory decoding takes, by the runtime's count.
func decodeBytes(c codec, body []byte) (int64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := c.ReadFrom(body)
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc), err
}

// TestCostBoundsDecoding damages good messages: whatever is still accepted decodes, within the cost.
func TestCostBoundsDecoding(t *testing.T) {
	accepted := 0
	for _, d := range directions() {
		for _, key := range keys() {
			rapid.Check(t, func(t *rapid.T) {
				c := d.make(key)
				version := rapid.Int16Range(0, c.MaxVersion()).Draw(t, "version")
				c.SetVersion(version)
				wiretest.Fill(c, draw(t))
				body := c.AppendTo(nil)
				if len(body) > 0 {
					for range rapid.IntRange(0, 3).Draw(t, "damages") {
						at := rapid.IntRange(0, len(body)-1).Draw(t, "at")
						body[at] = rapid.Byte().Draw(t, "byte")
					}
				}
				cost, _, refused := walk(d.find(key), version, body)
				if refused != "" {
					return
				}
				accepted++
				// The runtime counts what its own goroutines take, too: the cost is exceeded if it always is.
				took := int64(math.MaxInt64)
				for try := 0; try < 10 && took > int64(cost); try++ {
					fresh := d.make(key)
					fresh.SetVersion(version)
					n, err := decodeBytes(fresh, body)
					require.NoError(t, err, "%s %d version %d", d.name, key, version)
					took = min(took, n)
				}
				require.LessOrEqual(t, took, int64(cost), "%s %d version %d: %x", d.name, key, version, body)
			})
		}
	}
	require.Positive(t, accepted)
}

func TestRefusals(t *testing.T) {
	unlimited := Cost(math.MaxInt64)
	cases := []struct {
		name         string
		key, version int16
		body         string
		want         Error
	}{
		{"unknown key", 500, 0, "", ErrUnknown},
		{"negative key", -1, 0, "", ErrUnknown},
		{"key removed by KIP-896", 6, 0, "", ErrUnknown},
		{"negative version", 3, -1, "", ErrUnknown},
		{"array beyond the end", 3, 1, "\x7f\xff\xff\xff", ErrTruncated},
		{"array of length -2", 3, 1, "\xff\xff\xff\xfe", ErrLength},
		{"null array before it was allowed", 3, 0, "\xff\xff\xff\xff", ErrLength},
		{"null string in an array", 3, 1, "\x00\x00\x00\x01\xff\xff", ErrLength},
		{"string of length -2", 3, 1, "\x00\x00\x00\x01\xff\xfe", ErrLength},
		{"compact array beyond the end", 3, 9, "\xff\xff\xff\xff\x0f\x00\x00\x00\x00", ErrTruncated},
		{"varint of six bytes", 3, 9, "\x80\x80\x80\x80\x80\x00", ErrTruncated},
		{"varint of 33 bits", 3, 9, "\xff\xff\xff\xff\x1f", ErrTruncated},
		{"tags beyond the end", 3, 9, "\x00\x00\x00\x00\xff\xff\xff\xff\x0f", ErrTruncated},
		{"tag beyond the end", 3, 9, "\x00\x00\x00\x00\x01\x05\x7f\x00", ErrTruncated},
		{"known tag longer than its field", 1, 12, strings.Repeat("\x00", 25) + "\x01\x01\x01" + "\x01\x00\x03\x01\x00\x00", ErrLength},
		{"optional neither there nor null", 75, 0, "\x01\x00\x00\x00\x01\xfe\x00", ErrLength},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := CheckRequest(c.key, c.version, []byte(c.body), unlimited)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestLimitEndsTheWalk(t *testing.T) {
	// A million topics of three bytes each.
	body := append([]byte{0, 0x0f, 0x42, 0x40}, make([]byte, 3_000_000)...)
	_, err := CheckRequest(3, 1, body, 1<<20)
	require.ErrorIs(t, err, ErrCost)
	require.ErrorContains(t, err, `"Topics"`)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		w := walker{src: body, version: 1, limit: math.MaxInt64}
		w.structure(request(3).fields)
	}))
}

func FuzzCheck(f *testing.F) {
	f.Add(true, int16(3), int16(9), []byte("\x02\x02a\x00\x01\x00\x00\x00"))
	f.Add(false, int16(1), int16(12), []byte("\x00"))
	f.Fuzz(func(t *testing.T, isRequest bool, key, version int16, body []byte) {
		d := directions()[1]
		if isRequest {
			d = directions()[0]
		}
		c := d.make(key)
		if c == nil || version < 0 || version > c.MaxVersion() {
			return
		}
		if _, err := d.check(key, version, body, 64<<20); err != nil {
			return
		}
		c.SetVersion(version)
		require.NoError(t, c.ReadFrom(body))
	})
}

func BenchmarkCheckProduce(b *testing.B) {
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(9)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	for range 3 {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Records = make([]byte, 16<<10)
		topic.Partitions = append(topic.Partitions, p)
	}
	r.Topics = append(r.Topics, topic)
	body := r.AppendTo(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := CheckRequest(0, 9, body, math.MaxInt64); err != nil {
			b.Fatal(err)
		}
	}
}
