package index

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
)

func TestIndexGoldenBytes(t *testing.T) {
	x := Offsets{{Rel: 3, Pos: 100}, {Rel: 9, Pos: 0x1234}}
	raw := x.AppendTo(nil)
	require.Equal(t, []byte{0, 0, 0, 3, 0, 0, 0, 100, 0, 0, 0, 9, 0, 0, 0x12, 0x34}, raw)
	back, err := ParseOffsets(raw, 0x1235, 10)
	require.NoError(t, err)
	require.Equal(t, x, back)
	times := Times{{Timestamp: 0x0102030405, Rel: 3}}
	raw = times.AppendTo(nil)
	require.Equal(t, []byte{0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 3}, raw)
	for _, bad := range []Offsets{{{3, 0}}, {{3, 10}, {3, 20}}, {{3, 10}, {4, 10}}, {{3, 0x1235}}, {{10, 5}}, {{-1, 5}}} {
		_, err := ParseOffsets(bad.AppendTo(nil), 0x1235, 10)
		require.ErrorIs(t, err, ErrIndex, "%v", bad)
	}
}

func FuzzIndexes(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 0, 0, 0, 100, 0, 0, 0, 9, 0, 0, 0x12, 0x34}, int64(1<<20), int64(100))
	f.Fuzz(func(t *testing.T, src []byte, size, length int64) {
		if x, err := ParseOffsets(src, core.Pos(size), length); err == nil {
			require.Equal(t, src, append([]byte{}, x.AppendTo(nil)...)[:len(src)])
			for rel := int64(-1); rel < 20; rel++ {
				pos, _ := x.Floor(rel)
				require.LessOrEqual(t, pos, x.Ceiling(rel, core.Pos(size)))
			}
		}
		if x, err := ParseTimes(src, length); err == nil {
			require.True(t, bytes.Equal(src, x.AppendTo(nil)))
		}
	})
}
