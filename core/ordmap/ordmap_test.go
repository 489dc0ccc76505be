package ordmap_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core/ordmap"
)

func TestAgainstGoMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, model := ordmap.Ordered[int, int](), map[int]int{}
		for i := range rapid.IntRange(0, 300).Draw(t, "steps") {
			k := rapid.IntRange(0, 20).Draw(t, "key")
			switch rapid.IntRange(0, 4).Draw(t, "op") {
			case 0, 1, 2:
				m.Set(k, i)
				model[k] = i
			case 3:
				m.Delete(k)
				delete(model, k)
			case 4:
				keys := m.Keys()
				require.True(t, slices.IsSorted(keys))
				require.Len(t, keys, len(model))
				for k, v := range m.All() {
					require.Equal(t, model[k], v)
				}
			}
			require.Equal(t, len(model), m.Len())
			got, ok := m.Get(k)
			want, has := model[k]
			require.Equal(t, has, ok)
			require.Equal(t, want, got)
		}
	})
}

func TestDeletingWhileIterating(t *testing.T) {
	m := ordmap.Ordered[string, int]()
	for i, k := range []string{"c", "a", "b"} {
		m.Set(k, i)
	}
	var seen []string
	for k := range m.All() {
		seen = append(seen, k)
		m.Delete("b")
	}
	require.Equal(t, []string{"a", "c"}, seen)
}
