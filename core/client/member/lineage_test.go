package member

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLineage(t *testing.T) {
	m := &Member{memberID: "a", lineage: newLineage("a")}
	told := func(id string, generation int32, asked int64) (int32, int64) {
		m.memberID = id
		m.lineage.told(id, generation, asked)
		return m.Lineage()
	}
	requireIs := func(before int32, asked int64) func(int32, int64) {
		return func(b int32, a int64) {
			t.Helper()
			require.Equal(t, before, b)
			require.Equal(t, asked, a)
		}
	}
	requireIs(noGeneration, 10)(told("a", 3, 10))
	requireIs(3, 20)(told("a", 4, 20))
	requireIs(3, 20)(told("a", 4, 30)) // again: it was in it already
	requireIs(4, 40)(told("a", 2, 40)) // by a coordinator that has not heard of the later ones
	requireIs(4, 50)(told("a", 5, 50))
	m.lineage.blurred = true
	requireIs(noGeneration, 0)(told("a", 6, 60))
	requireIs(noGeneration, 70)(told("b", 9, 70)) // another membership
	m.opts.InstanceID = "i"                       // static members stay without asking
	requireIs(noGeneration, 0)(told("b", 10, 80))
}
