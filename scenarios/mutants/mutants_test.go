package mutants_test

import (
	"context"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/cmd/klamm/mutate"
	"github.com/klamm-log/klamm/scenarios"
)

// within is the number of seeds within which the simulator has to find the plainest bugs.
const within = 50

func tree(t *testing.T) mutate.Tree {
	tr, err := mutate.OpenTree(t.Context())
	require.NoError(t, err)
	return tr
}

// TestEveryMutantApplies: a diff that no longer fits the core, or no longer compiles, fails here.
func TestEveryMutantApplies(t *testing.T) {
	tr := tree(t)
	ids, err := mutate.List(tr.Root())
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(ids), 10)
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	folders := 0
	for _, e := range entries {
		if e.IsDir() && e.Name() != "testdata" {
			folders++
		}
	}
	require.Len(t, ids, folders, "a folder without a mutant.diff")
	for _, id := range ids {
		m, err := mutate.Load(tr.Root(), id)
		require.NoError(t, err)
		require.NoError(t, profile(m.Profile), id)
		changed, err := tr.Changed(m)
		require.NoError(t, err)
		for path, data := range changed {
			require.True(t, strings.HasPrefix(path, "core/"), "%s: %s is not in the core", id, path)
			was, err := os.ReadFile(filepath.Join(tr.Root(), path))
			require.NoError(t, err)
			require.NotEqual(t, string(was), string(data), "%s changes nothing in %s", id, path)
			formatted, err := format.Source(data)
			require.NoError(t, err, "%s: %s", id, path)
			require.Equal(t, string(formatted), string(data), "%s: %s", id, path)
		}
		require.NoError(t, tr.Compile(t.Context(), changed, t.TempDir()), id)
	}
}

// profile says what is wrong with a mutant's profile.
func profile(name string) error {
	if !strings.HasSuffix(name, ".json") {
		_, err := scenarios.LoadProfile(name)
		return err
	}
	b, err := os.ReadFile(name)
	if err == nil {
		_, err = scenarios.ParseProfile(b)
	}
	return err
}

// TestThePlainestBugsAreFound builds the core with a sync removed, a torn tail kept, or reads past the HighWatermark, and a
// cluster's with a HighWatermark that counts too few replicas, a leader from outside of the ISR, and voters that do not sync.
// The mutant's profile must find each within fifty seeds that hold without it, and the capsule must repeat the finding.
func TestThePlainestBugsAreFound(t *testing.T) {
	tr := tree(t)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	control := build(t, ctx, tr, nil)
	for _, id := range []string{
		"ack-before-fsync", "log-recovery-skip", "consume-past-hw",
		"isr-maximal-ignored-shrink", "elect-outside-isr", "raft-ack-before-fsync",
	} {
		t.Run(id, func(t *testing.T) {
			m, err := mutate.Load(tr.Root(), id)
			require.NoError(t, err)
			changed, err := tr.Changed(m)
			require.NoError(t, err)
			program := build(t, ctx, tr, changed)
			found, err := mutate.Hunt(ctx, program, control, mutate.Sweep{
				Profile: m.Profile, First: 1, Seeds: within, Failures: 1, Capsules: t.TempDir(),
			})
			require.NoError(t, err)
			require.Len(t, found.Starts, 1, "not found in %d seeds; not counted, as they fail without it, too: %v", found.Seeds, found.Anyway)
			v := found.Violations[0]
			t.Logf("seed %d: %s %s: %s", v.Seed, v.Property, v.Place, v.Message)
			require.Contains(t, m.Expected, v.Property, "found, but by another property than expected")
			replay(t, ctx, program, v.Capsule)

			// The same plan without the bug: all hold, and another history.
			again, err := control.Replay(ctx, v.Capsule)
			require.NoError(t, err)
			require.Empty(t, again.Verdict)
			require.NotEmpty(t, again.Divergence)
		})
	}
}

// TestDirectedScenarios: what seeds do not find in their budget is staged in a test of the core, which fails with the bug. That
// it passes without is what go test ./... says of the core.
func TestDirectedScenarios(t *testing.T) {
	tr := tree(t)
	ids, err := mutate.List(tr.Root())
	require.NoError(t, err)
	staged := 0
	for _, id := range ids {
		m, err := mutate.Load(tr.Root(), id)
		require.NoError(t, err)
		if m.Directed == (mutate.Scenario{}) {
			continue
		}
		staged++
		t.Run(id, func(t *testing.T) {
			changed, err := tr.Changed(m)
			require.NoError(t, err)
			s, err := tr.Stage(t.Context(), m.Directed, changed, t.TempDir())
			require.NoError(t, err)
			require.True(t, s.Failed, "%v passes with the bug", m.Directed)
			t.Log(s.Why)
		})
	}
	require.GreaterOrEqual(t, staged, 20)
}

// TestCanary: a world that cannot keep its promises, for it is given no time after its faults, fails and says so all
// the way: exit code, violations, capsule, replay. Were nothing reported, no other test of a sweep would prove anything.
func TestCanary(t *testing.T) {
	ctx := t.Context()
	klamm := build(t, ctx, tree(t), nil)
	swept, err := klamm.Sweep(ctx, mutate.Sweep{
		Profile: filepath.Join("testdata", "canary.json"), First: 1, Seeds: 3, Failures: 0, Capsules: t.TempDir(),
	})
	require.NoError(t, err)
	require.EqualValues(t, 3, swept.Seeds)
	require.Equal(t, []uint64{1, 2, 3}, swept.Red())
	for _, seed := range swept.Red() {
		replay(t, ctx, klamm, swept.First(seed).Capsule)
	}
}

func build(t *testing.T, ctx context.Context, tr mutate.Tree, changed map[string][]byte) mutate.Program {
	dir := t.TempDir()
	program := filepath.Join(dir, "klamm")
	require.NoError(t, tr.Build(ctx, changed, dir, program))
	return mutate.Program(program)
}

func replay(t *testing.T, ctx context.Context, program mutate.Program, capsule string) {
	require.NotEmpty(t, capsule, "no capsule was stored")
	r, err := program.Replay(ctx, capsule)
	require.NoError(t, err)
	require.Empty(t, r.Divergence)
	require.NotEmpty(t, r.Verdict)
	require.Equal(t, r.Recorded, r.Verdict)
}
