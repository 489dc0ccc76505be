package capsules

import (
	"embed"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
)

//go:embed *.json
var files embed.FS

// most is the most events that a stored capsule may have: it is here to be read.
const most = 10_000

// Every stored capsule holds, and alike each time; where its run parts from the recording is said.
func TestStoredCapsulesHold(t *testing.T) {
	names, err := fs.Glob(files, "*.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(names), 5)
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			b, err := files.ReadFile(name)
			require.NoError(t, err)
			c, err := sim.ParseCapsule(b)
			require.NoError(t, err)
			require.NotEmpty(t, c.Verdict, "it recorded a violation")
			require.NotNil(t, c.Shrunk, "it was shrunk")
			require.LessOrEqual(t, c.Events, int64(most))
			require.Less(t, c.Events, c.Shrunk.Events)
			v := scenarios.Run(c.Plan, nil)
			require.Empty(t, v.Lines(), "it was red with %s", c.Verdict[0])
			require.Empty(t, v.Inconclusive)
			require.Nil(t, sim.Compare(v.Result.Chain, scenarios.Run(c.Plan, nil).Result.Chain), "two runs differ")
			d := sim.Compare(c.Chain, v.Result.Chain)
			require.NotNil(t, d, "a run that holds cannot have the chain of one that did not")
			require.LessOrEqual(t, d.Before.Events, c.Events)
			t.Logf("was %s; %v", c.Verdict[0], d)
		})
	}
}
