package ledger_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/ledger"
)

// The catalogue is sorted, says what each point is, and names profiles that exist.
func TestCatalogueIsSane(t *testing.T) {
	entries := ledger.Catalogue()
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name)
		require.NotEmpty(t, e.What, e.Name)
		require.True(t, !e.Any || len(e.Profiles) > 1, "%s: any of one profile", e.Name)
		require.True(t, e.Rare || len(e.Profiles) > 0, "%s is demanded of no profile, so it is rare", e.Name)
		for _, p := range e.Profiles {
			require.Contains(t, scenarios.Profiles(), p, e.Name)
		}
	}
	require.True(t, slices.IsSorted(names), "sort catalogue.txt by name")
	for _, p := range scenarios.Profiles() {
		t.Logf("profile %s must reach %d points", p, len(ledger.Demanded(p)))
	}
	require.NotEmpty(t, ledger.Demanded("default"))
	require.NotEmpty(t, ledger.Together())
}
