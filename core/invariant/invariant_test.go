package invariant_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core/invariant"
)

// The calls have the parameters of Antithesis' SDK, so that theirs could be put in their place.
var (
	_ func(condition bool, message string, details map[string]any) = invariant.Always
	_ func(message string, details map[string]any)                 = invariant.Unreachable
)

func TestAlways(t *testing.T) {
	require.NotPanics(t, func() { invariant.Always(true, "holds", nil) })
	broken := invariant.Broken{Message: "the log ends before it starts", Details: invariant.Details{"start": 9, "end": 7}}
	const text = "invariant broken: the log ends before it starts (end 7, start 9)"
	require.PanicsWithError(t, text, func() { invariant.Always(false, broken.Message, broken.Details) })
	require.PanicsWithError(t, text, func() { invariant.Unreachable(broken.Message, broken.Details) })
}

func TestCheck(t *testing.T) {
	require.NotPanics(t, func() { invariant.Check(true, "%d", 1) })
	require.PanicsWithError(t, "invariant broken: 1 of 2", func() { invariant.Check(false, "%d of %d", 1, 2) })
}

// An assertion that holds costs no memory.
func TestAllocations(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() { invariant.Always(true, "holds", nil) }))
}
