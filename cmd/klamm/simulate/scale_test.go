package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/scenarios"
)

// sweepOf are the flags of a small sweep of worlds that hold.
func sweepOf(more ...string) []string {
	return append([]string{"sim", "--profile", "calm", "--seed", "7", "--seeds", "7", "--capsules", "", "--set", "safety_ms=[300,400]"}, more...)
}

func readResult(t *testing.T, path string) results.File {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	var f results.File
	require.NoError(t, json.Unmarshal(b, &f))
	return f
}

// TestShardsMerge: what shards write joins into what one process finds, however they are counted, joined and repeated.
func TestShardsMerge(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name+".json") }
	clitest.Must(t, Commands, exit.OK, "", sweepOf("--result", path("whole"), "--ledger", path("ledger"))...)
	for i := 1; i <= 3; i++ { // 3/3 is 0/3
		clitest.Must(t, Commands, exit.OK, "", sweepOf("--shard", fmt.Sprintf("%d/3", i), "--result", path(fmt.Sprint(i)))...)
	}
	whole := readResult(t, path("whole"))
	require.EqualValues(t, 7, whole.SeedsRun)
	require.EqualValues(t, 3, readResult(t, path("3")).SeedsRun)

	out := clitest.Must(t, Commands, exit.Inconclusive, "", "merge", path("1"), path("3"))
	require.Contains(t, out, "klamm sim --shard 2/3 --seed 7 --seeds 7 --profile calm --set 'safety_ms=[300,400]'")
	clitest.Must(t, Commands, exit.OK, "", "merge", path("3"), path("1"), path("2"), path("1"), "--result", path("merged"), "--ledger", path("ledger2"))
	clitest.Must(t, Commands, exit.OK, "", "merge", path("merged"), path("2"), path("whole"))
	merged := readResult(t, path("merged"))
	require.Len(t, merged.Processes, 3)
	merged.Processes, merged.WallNs = whole.Processes, whole.WallNs
	require.Equal(t, whole, merged)

	one, err := os.ReadFile(path("ledger"))
	require.NoError(t, err)
	two, err := os.ReadFile(path("ledger2"))
	require.NoError(t, err)
	require.Equal(t, string(one), string(two), "the ledger of the shards is that of the sweep")

	// An empty shard is a result, too.
	out = clitest.Must(t, Commands, exit.OK, "", sweepOf("--shard", "8/9", "-o", "json")...)
	require.Contains(t, out, `"seeds_run": 0`)

	// Standard input and -o json join as well.
	clitest.Must(t, Commands, exit.OK, clitest.Must(t, Commands, exit.OK, "", sweepOf("--shard", "2/3", "-o", "json")...),
		"merge", path("1"), path("3"), "-")
}

func TestMergeRefuses(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	clitest.Must(t, Commands, exit.OK, "", sweepOf("--shard", "1/7", "--result", a)...)
	clitest.Must(t, Commands, exit.OK, "", sweepOf("--shard", "2/7", "--result", b, "--set", "topics=[1,1]")...)
	code, out, talk := clitest.Run(t.Context(), Commands, "", "merge", a, b)
	require.Equal(t, exit.Data, code)
	require.Empty(t, out)
	require.Contains(t, talk, "results of different sweeps: profile calm was changed by")
	code, _, talk = clitest.Run(t.Context(), Commands, "{}", "merge", a, "-")
	require.Equal(t, exit.Data, code)
	require.Contains(t, talk, `-: schema ""`)

	// A result that contradicts another is nondeterminism, exit code 3.
	whole, err := os.ReadFile(a)
	require.NoError(t, err)
	s, err := results.Parse(whole)
	require.NoError(t, err)
	f := s.File()
	hash := f.Runs[0].Hash
	forged := strings.ReplaceAll(string(whole), hash, strings.Repeat("0", len(hash)))
	forgery, err := results.Parse([]byte(forged))
	require.ErrorContains(t, err, "the file is damaged", "a digest that is not that of the runs")
	require.Nil(t, forgery)
}

// TestResume: a shard that was killed goes on where its last checkpoint was, and runs no seed twice.
func TestResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	clitest.Must(t, Commands, exit.OK, "", sweepOf("--result", path, "--resume", "--shard", "1/7")...) // the first time there is no file
	clitest.Must(t, Commands, exit.OK, "", sweepOf("--result", path, "--resume")...)
	f := readResult(t, path)
	require.EqualValues(t, 7, f.SeedsRun)
	require.Len(t, f.Processes, 2)
	out := clitest.Must(t, Commands, exit.OK, "", sweepOf("--result", path, "--resume")...)
	require.Contains(t, out, "all held in 7 seeds")

	// A shard that was interrupted, and then resumed to its end, is not interrupted any more.
	require.NoError(t, os.Remove(path))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, _ := clitest.Run(ctx, Commands, "", sweepOf("--result", path, "--shard", "2/3")...)
	require.Equal(t, exit.Interrupted, code)
	require.True(t, readResult(t, path).Interrupted)
	clitest.Must(t, Commands, exit.OK, "", sweepOf("--result", path, "--shard", "2/3", "--resume")...)

	require.NoError(t, os.WriteFile(path, []byte("{"), 0o644))
	code, _, _ = clitest.Run(t.Context(), Commands, "", sweepOf("--result", path, "--resume")...)
	require.Equal(t, exit.Data, code, "what cannot be read is not overwritten")
}

// TestCheckpoint: what is written while a sweep runs is a result that joins.
func TestCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	d := drawnFrom{Profile: "calm", Set: []string{"safety_ms=[300,400]"}}
	s, err := d.open()
	require.NoError(t, err)
	r, err := newRecorder(nil, simOptions{Seed: 7, Seeds: 7, Result: path}, s.key, results.Whole())
	require.NoError(t, err)
	w, err := s.draw(9)
	require.NoError(t, err)
	r.done(9, w.Run(), nil)
	require.NoError(t, r.write())
	clitest.Must(t, Commands, exit.Inconclusive, "", "merge", path)
	clitest.Must(t, Commands, exit.OK, "", sweepOf("--result", path, "--resume")...)
	clitest.Must(t, Commands, exit.OK, "", "merge", path)
}

// TestCanary: a world that must fail is found, grouped, stored, repeated and reported, and ends with the code for it.
func TestCanary(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.json")
	out := clitest.Must(t, Commands, exit.Violated, "",
		"sim", "--profile", scenarios.CanaryProfile, "--seeds", "4", "--failures", "0", "--capsules", dir, "--result", path)
	require.Contains(t, out, "VIOLATED by 4 of 4 seeds")
	f := readResult(t, path)
	require.NotEmpty(t, f.Signatures)
	failing := 0
	for _, run := range f.Runs {
		if len(run.Violations) > 0 {
			failing++
		}
	}
	require.Equal(t, 4, failing)
	x := f.Signatures[0].Smallest
	require.Contains(t, out, f.Signatures[0].Signature)
	require.Contains(t, out, "klamm replay "+x.Capsule)
	require.Contains(t, out, x.Replay)
	out = clitest.Must(t, Commands, exit.Violated, "", "replay", x.Capsule)
	require.Contains(t, out, "equals the recording")
	clitest.Must(t, Commands, exit.Violated, "", append(strings.Fields(x.Replay)[1:], "--capsules", "")...)
	clitest.Must(t, Commands, exit.Violated, "", "merge", path)
}

func TestLedgerCommand(t *testing.T) {
	out := clitest.Must(t, Commands, exit.OK, "", "ledger")
	require.Contains(t, out, "raft.pre-vote")
	dir := t.TempDir()
	path := filepath.Join(dir, "l.json")
	clitest.Must(t, Commands, exit.OK, "", "sim", "--profile", "default", "--seed", "0", "--seeds", "2", "--capsules", "", "--ledger", path)
	out = clitest.Must(t, Commands, exit.OK, "", "ledger", path)
	require.Contains(t, out, "not judged: less than 100 seeds")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	out = clitest.Must(t, Commands, exit.Violated, strings.Replace(string(b), "   1\n", "   100\n", 1), "ledger", "-")
	require.Contains(t, out, "  UNREACHED ")
	require.NotContains(t, out, "UNREACHED by all")
	changed := filepath.Join(dir, "changed.json")
	clitest.Must(t, Commands, exit.OK, "", sweepOf("--ledger", changed)...)
	out = clitest.Must(t, Commands, exit.OK, "", "ledger", changed)
	require.Contains(t, out, "not judged: changed by safety_ms=[300,400]")
	code, _, _ := clitest.Run(t.Context(), Commands, "x", "ledger", "-")
	require.Equal(t, exit.Data, code)
}

func TestProfilesCommand(t *testing.T) {
	out := clitest.Must(t, Commands, exit.OK, "", "profiles")
	for _, name := range append(scenarios.Profiles(), scenarios.CanaryProfile) {
		require.Contains(t, out, name)
	}
	path := filepath.Join(t.TempDir(), "mine.json")
	out = clitest.Must(t, Commands, exit.OK, "", "profiles", "show", "calm", "--set", "safety_ms=[300,400]")
	require.NoError(t, os.WriteFile(path, []byte(out), 0o644))
	require.Contains(t, out, "300")
	require.Equal(t, out, clitest.Must(t, Commands, exit.OK, "", "profiles", "show", path), "what is printed can be read")
	require.Equal(t, out, clitest.Must(t, Commands, exit.OK, "", "profiles", "show", path, "-o", "json"))
	clitest.CheckUsage(t, Commands, []clitest.Usage{
		{Line: "profiles show nonsense", Code: exit.Usage, Says: `there is no profile "nonsense"`},
		{Line: "sim --set x=1", Code: exit.Usage, Says: `unknown field "x"`},
		{Line: "sim --shard 9/8", Code: exit.Usage, Says: `"9/8" is not a shard`},
		{Line: "sim --result /nonsense/r.json", Code: exit.CantCreate, Says: "no such file or directory"},
		{Line: "sim --ledger /nonsense/l.json", Code: exit.CantCreate, Says: "no such file or directory"},
		{Line: "sim --resume", Code: exit.Usage, Says: "--resume needs --result"},
		{Line: "merge /nonsense", Code: exit.NoInput, Says: "no such file"},
	})
}

// TestShardOf: schedulers' variables.
func TestShardOf(t *testing.T) {
	array := map[string]string{
		"SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "1",
		"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "4",
	}
	with := func(m map[string]string, more ...string) map[string]string {
		out := make(map[string]string)
		for k, v := range m {
			out[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	srun := map[string]string{"SLURM_JOB_ID": "7", "SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "5"}
	for _, test := range []struct {
		flag string
		env  map[string]string
		want string // or part of the error
	}{
		{"", nil, ""}, {"", array, ""}, {"2/8", array, "2/8"},
		{"auto", nil, "no scheduler's variable is set"},
		{"auto/x", array, `"x" is not a number of shards`},
		{"auto", array, "0/4"}, {"auto/9", array, "4/9"}, {"auto", with(array, shardsVariable, "9"), "4/9"},
		{"auto", with(array, "SLURM_ARRAY_TASK_COUNT", "2"), "not all of them"},
		{"auto", srun, "2/5"}, {"auto/9", srun, "2/9"},
		{"auto", with(array, "SLURM_PROCID", "1", "SLURM_STEP_NUM_TASKS", "2"), "1/8"},
		{"auto/9", with(array, "SLURM_PROCID", "1", "SLURM_STEP_NUM_TASKS", "2"), "9/18"},
		{"auto", map[string]string{"SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "3"}, "without srun"},
		{"auto/4", map[string]string{"JOB_COMPLETION_INDEX": "3"}, "3/4"},
		{"auto", map[string]string{"JOB_COMPLETION_INDEX": "3", shardsVariable: "4"}, "3/4"},
		{"auto", map[string]string{"JOB_COMPLETION_INDEX": "3"}, "set " + shardsVariable},
		{"auto", map[string]string{"JOB_COMPLETION_INDEX": "x"}, `JOB_COMPLETION_INDEX="x" is not a number`},
		{"auto", map[string]string{"CI_NODE_INDEX": "4", "CI_NODE_TOTAL": "4"}, "0/4"},
		{"auto", map[string]string{"CIRCLE_NODE_INDEX": "3", "CIRCLE_NODE_TOTAL": "4"}, "3/4"},
		{"auto", map[string]string{"BUILDKITE_PARALLEL_JOB": "3", "BUILDKITE_PARALLEL_JOB_COUNT": "4"}, "3/4"},
		{"auto/4", map[string]string{"PARALLEL_SEQ": "6", "PARALLEL_JOBSLOT": "1"}, "2/4"},
		{"auto", map[string]string{"PARALLEL_SEQ": "6"}, "write --shard auto/n"},
	} {
		got, err := shardOf(test.flag, func(name string) string { return test.env[name] })
		if err != nil {
			require.ErrorContains(t, err, test.want, "%s %v", test.flag, test.env)
			require.NotEmpty(t, test.want)
			continue
		}
		require.Equal(t, test.want, got.String(), "%s %v", test.flag, test.env)
	}
}
