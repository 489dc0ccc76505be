package simdisk

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "ab", false}, {"*", "", true}, {"*", "x/y", true},
		{"*.log", "t-0/0.log", true}, {"*.log", "t-0/0.log.deleted", false}, {"t-*/*.index", "t-0/00.index", true},
		{"t-*/*.index", "u-0/00.index", false}, {"a*b*c", "aXbYbc", true}, {"a*b*c", "acb", false}, {"a**", "a", true},
		{"[", "[", true}, {"?", "x", false}, {"", "x", false},
	} {
		require.Equal(t, c.want, match(c.pattern, c.path), "%q %q", c.pattern, c.path)
	}
}

func TestSaturate(t *testing.T) {
	require.EqualValues(t, 30, saturate(10, 3))
	require.EqualValues(t, never, saturate(never/2, 3))
	require.Zero(t, saturate(0, 1<<62))
}

// The unsynced changes of names are bounded too.
func TestNamesAreWrittenBack(t *testing.T) {
	names := names{root: newDir()}
	for range writebackAt {
		n := &node{}
		names.link(names.root, "a", n)
		names.unlink(names.root, "a", n)
	}
	require.LessOrEqual(t, len(names.pending), writebackAt)
	names.link(names.root, "b", &node{})
	names.syncDir(names.root)
	require.Empty(t, names.pending)
	require.True(t, names.root.durable.Has("b"))
	require.False(t, names.root.durable.Has("a"))
}
