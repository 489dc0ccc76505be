package txindex

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

func TestGoldenBytes(t *testing.T) {
	x := Index{{ProducerID: 7, First: 100, Last: 0x1234, LastStable: 0x1235}}
	raw := x.AppendTo(nil)
	require.Equal(t, "0000"+"0000000000000007"+"0000000000000064"+"0000000000001234"+"0000000000001235", hex.EncodeToString(raw))
	back, err := Parse(raw, 50, 0x1235)
	require.NoError(t, err)
	require.Equal(t, x, back)
}

func TestParseRefuses(t *testing.T) {
	good := Txn{ProducerID: 1, First: 5, Last: 10, LastStable: 11}
	for name, bad := range map[string]Index{
		"a marker below the segment": {{1, 5, 9, 10}},
		"a marker above it":          {{1, 5, 20, 21}},
		"markers out of order":       {good, {2, 6, 10, 11}},
		"an end before the start":    {{1, 12, 11, 12}},
		"no producer":                {{-1, 5, 10, 11}},
		"a stable end past marker":   {{1, 5, 10, 12}},
	} {
		_, err := Parse(bad.AppendTo(nil), 10, 20)
		require.ErrorIs(t, err, ErrIndex, name)
	}
	raw := Index{good}.AppendTo(nil)
	_, err := Parse(raw[:EntrySize-1], 10, 20)
	require.ErrorIs(t, err, ErrIndex)
	raw[0] = 0xff
	_, err = Parse(raw, 10, 20)
	require.ErrorIs(t, err, ErrIndex)
}

// TestCollectFindsExactlyTheOverlap compares the search, which stops early, with a look at every transaction of a random log that is cut
// into two segments.
func TestCollectFindsExactlyTheOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		open := map[core.ProducerID]core.Offset{}
		var all Index
		for o := core.Offset(0); o < 60; o++ {
			id := core.ProducerID(rapid.IntRange(0, 4).Draw(t, "id"))
			first, ongoing := open[id]
			switch {
			case !ongoing:
				open[id] = o
			case rapid.Bool().Draw(t, "end"):
				delete(open, id)
				stable := o + 1
				for _, f := range open {
					stable = min(stable, f)
				}
				if rapid.Bool().Draw(t, "abort") {
					all.Add(Txn{id, first, o, stable})
				}
			}
		}
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		from := core.Offset(rapid.IntRange(0, 60).Draw(t, "from"))
		upper := from + core.Offset(rapid.IntRange(1, 20).Draw(t, "length"))
		got, complete := all[:cut].Collect(nil, from, upper)
		if !complete {
			got, _ = all[cut:].Collect(got, from, upper)
		}
		var want []Txn
		for _, x := range all {
			if x.First < upper && x.Last >= from {
				want = append(want, x)
			}
		}
		require.Equal(t, want, got)
	})
}

func FuzzParse(f *testing.F) {
	f.Add(Index{{1, 5, 10, 11}}.AppendTo(nil), int64(0), int64(20))
	f.Fuzz(func(t *testing.T, src []byte, base, next int64) {
		x, err := Parse(src, core.Offset(base), core.Offset(next))
		if err != nil {
			return
		}
		again, err := Parse(x.AppendTo(nil), core.Offset(base), core.Offset(next))
		require.NoError(t, err)
		require.Equal(t, x, again)
	})
}
