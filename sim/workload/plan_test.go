package workload

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

func TestChurnAndRetentionAreSeenInPlans(t *testing.T) {
	plans := []Plan{{Ops: []Op{{Kind: DeleteTopic, Topic: "x"}, {Kind: CreateTopic, Topic: "y",
		Configs: []Config{{"retention.ms", "-1"}}}, {Kind: AlterConfig, Topic: "z", Configs: []Config{{"retention.bytes", "5"}}}}}}
	require.True(t, IsChurned(plans, "x"))
	require.False(t, IsChurned(plans, "y"))
	require.False(t, RetentionIsPlanned(plans, "y"))
	require.True(t, RetentionIsPlanned(plans, "z"))
}

func valid() Plan {
	return Plan{ID: 5, Kind: Producer, Producer: &ProducerOptions{Acks: -1}, Ops: []Op{{Kind: Produce, Topic: "t", Count: 1}}}
}

func TestValidateRefuses(t *testing.T) {
	ok := valid()
	require.NoError(t, ok.Validate())
	for name, spoil := range map[string]func(*Plan){
		"id":               func(p *Plan) { p.ID = MaxClientID + 1 },
		"kind":             func(p *Plan) { p.Kind = "group" },
		"no acks":          func(p *Plan) { p.Producer = nil },
		"acks":             func(p *Plan) { p.Producer.Acks = 2 },
		"codec":            func(p *Plan) { p.Producer.Codec = "brotli" },
		"idempotence":      func(p *Plan) { p.Producer.Acks, p.Producer.Idempotent = 1, true },
		"partitioner":      func(p *Plan) { p.Producer.Partitioner = "x" },
		"other's options":  func(p *Plan) { p.Consumer = &ConsumerOptions{} },
		"other's op":       func(p *Plan) { p.Ops[0].Kind = Seek },
		"op kind":          func(p *Plan) { p.Ops[0].Kind = "dance" },
		"op id":            func(p *Plan) { p.Ops[0].ID = MaxOpID + 1 },
		"same id":          func(p *Plan) { p.Ops = append(p.Ops, p.Ops[0]) },
		"order":            func(p *Plan) { p.Ops = append([]Op{{ID: 1, At: 5, Kind: Flush}}, p.Ops...) },
		"negative instant": func(p *Plan) { p.Ops[0].At = -1 },
		"count":            func(p *Plan) { p.Ops[0].Count = MaxCount + 1 },
		"size":             func(p *Plan) { p.Ops[0].Size = math.MaxInt32 },
		"no topic":         func(p *Plan) { p.Ops[0].Topic = "" },
		"partition":        func(p *Plan) { p.Ops[0].Partition = -2 },
		"place":            func(p *Plan) { p.Ops[0].Where = "nowhere" },
		"max timestamp":    func(p *Plan) { p.Ops[0].Where = MaxTimestamp },
		"negative timeout": func(p *Plan) { p.Network.RequestTimeout = -1 },
	} {
		p := valid()
		spoil(&p)
		require.Error(t, p.Validate(), name)
	}
	_, err := ParsePlan([]byte(`{"id":1,"kind":"admin","ops":[],"shiny":1}`))
	require.ErrorContains(t, err, "shiny")
	_, err = ParsePlan([]byte(`{"id":1,"kind":"admin","ops":[]}{}`))
	require.Error(t, err)
}

func TestValueNumbersAreUnique(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type who struct {
			client    int32
			incarn    int64
			op, index int32
		}
		draw := func() who {
			return who{rapid.Int32Range(0, MaxClientID).Draw(t, "client"), rapid.Int64Range(0, MaxIncarnation).Draw(t, "incarnation"),
				rapid.Int32Range(0, 2*MaxOpID).Draw(t, "op"), rapid.Int32Range(0, MaxCount).Draw(t, "index")}
		}
		a, b := draw(), draw()
		va, vb := valueOf(a.client, a.incarn, a.op, a.index), valueOf(b.client, b.incarn, b.op, b.index)
		require.Equal(t, a == b, va == vb)
		require.Zero(t, va>>63)
	})
}

func drawRecord(t *rapid.T) (v history.Value, value, key []byte, headers []Header) {
	if rapid.Bool().Draw(t, "keyed") {
		key = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "key")
	}
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		h := Header{Key: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "header key")}
		if rapid.Bool().Draw(t, "header has a value") {
			h.Value = rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "header value")
		}
		headers = append(headers, h)
	}
	v = history.Value(rapid.Uint64Range(0, 1<<63-1).Draw(t, "number"))
	size := rapid.Int64Range(0, 300).Draw(t, "size")
	value = Encode(nil, v, size, key, headers)
	require.Len(t, value, int(max(size, MinValueSize)))
	return v, value, key, headers
}

func TestValuesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, value, key, headers := drawRecord(t)
		require.Equal(t, v, Decode(value, key, headers))
	})
}

// Any damage to value, key or headers gives a number that nobody sends.
func TestDamageShowsAsAPhantom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, value, key, headers := drawRecord(t)
		switch rapid.IntRange(0, 5).Draw(t, "damage") {
		case 0:
			at := rapid.IntRange(0, len(value)-1).Draw(t, "at")
			value[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case 1:
			value = value[:rapid.IntRange(0, len(value)-1).Draw(t, "length")]
		case 2:
			value = append(value, 0)
		case 3:
			key = append(slices.Clone(key), 1)
		case 4:
			headers = append(slices.Clone(headers), Header{Key: []byte("x")})
		case 5:
			if key == nil { // an empty key is not the same as none
				key = []byte{}
			} else {
				key = nil
			}
		}
		got := Decode(value, key, headers)
		require.NotEqual(t, v, got)
		require.Equal(t, uint64(1), uint64(got)>>63)
	})
}

func TestGoldenValue(t *testing.T) {
	v := valueOf(1, 2, 3, 4)
	require.Equal(t, history.Value(1<<52|2<<42|3<<24|4), v)
	require.Equal(t, Encode(nil, v, 30, []byte("k"), []Header{{Key: []byte("h")}}),
		Encode([]byte{}, v, 30, []byte("k"), []Header{{Key: []byte("h"), Value: nil}}))
}

func TestPermille(t *testing.T) {
	require.Equal(t, core.Offset(500), permille(1000, 500))
	require.Equal(t, core.Offset(1), permille(3, 500))
	require.Equal(t, core.Offset(1<<60/1000*900+900*(1<<60%1000)/1000), permille(1<<60, 900))
	require.Equal(t, core.Offset(1200), permille(1000, 1200))
}
