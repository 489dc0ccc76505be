package simulate

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
	"github.com/klamm-log/klamm/sim"
	"github.com/spf13/cobra"
)

// summary is that of a sweep with a bit of everything.
func summary() sweep.Summary {
	return sweep.Summary{
		Seeds: 1234, Events: 5_678_901, SimTime: 90 * time.Minute, Wall: 30100 * time.Millisecond, Digest: sweep.Digest{A: 1, B: 255},
		Faults: map[string]int64{"crash": 17, "disk/slow": 4711}, Sometimes: map[string]int64{"log.torn-tail-cut": 3},
	}
}

func TestUsage(t *testing.T) {
	clitest.CheckUsage(t, Commands, []clitest.Usage{
		{Line: "sim --seeds x", Code: exit.Usage, Says: "invalid argument"},
		{Line: "sim --seeds -1", Code: exit.Usage, Says: "cannot be negative"},
		{Line: "sim --jobs 0", Code: exit.Usage, Says: "--jobs is 1 or more"},
		{Line: "sim --seed 18446744073709551615 --seeds 2", Code: exit.Usage, Says: "there are no 2 seeds"},
		{Line: "sim --profile nonsense", Code: exit.Usage, Says: `there is no profile "nonsense"`},
		{Line: "sim --profile /nonsense.json", Code: exit.NoInput, Says: "no such file"},
		{Line: "shrink", Code: exit.Usage, Says: "either a capsule or --seed"},
		{Line: "shrink x.json --seed 1", Code: exit.Usage, Says: "either a capsule or --seed"},
		{Line: "shrink /nonsense --jobs 0", Code: exit.Usage, Says: "--jobs is 1 or more"},
		{Line: "shrink /nonsense", Code: exit.NoInput, Says: "no such file"},
		{Line: "shrink --seed 1 --profile nonsense", Code: exit.Usage, Says: `there is no profile "nonsense"`},
		{Line: "replay", Code: exit.Usage, Says: "accepts 1 arg(s), received 0"},
		{Line: "replay /nonsense", Code: exit.NoInput, Says: "no such file"},
	})
	bench := func(a *cli.App) []*cobra.Command { return []*cobra.Command{NewBench(a)} }
	clitest.CheckUsage(t, bench, []clitest.Usage{{Line: "bench sim --time -1s", Code: exit.Usage, Says: "--time is positive"}})
}

func TestBenchResult(t *testing.T) {
	clitest.Golden(t, "bench_sim.txt", clitest.Printed(t, newBenchSimResult(benchSimOptions{Profile: "default", Jobs: 2}, summary())))
}

func TestProgressLine(t *testing.T) {
	p := sweep.Progress{Seeds: 1234, Events: 5_678_901, SimTime: time.Hour, Wall: 10 * time.Second, Failures: 2, Slow: 77, For: 6 * time.Second}
	const want = "10.0s: 1,234 seeds, 5.68 M events (568 k/s), 1h00m simulated (x 360), 2 failing, seed 77 since 6.00s"
	if got := progressLine(p); got != want {
		t.Errorf("got %q", got)
	}
}

// Failing seeds are told at once, with a line to paste.
func TestFailureLine(t *testing.T) {
	f := &sweep.Failure{Seed: 7, Violations: []sweep.Violation{{Property: "ACKED"}, {Property: "OTHER"}}}
	changed := results.Key{Profile: "calm", Overrides: []string{"disk=[]"}}
	for _, test := range []struct{ got, want string }{
		{failureLine(f, results.Key{Profile: "default"}, "c/default-7.json"), "seed 7 violated ACKED: klamm replay c/default-7.json"},
		{failureLine(f, results.Key{Profile: "default"}, ""), "seed 7 violated ACKED: klamm sim --seed 7 --seeds 1 --profile default"},
		{
			failureLine(&sweep.Failure{Seed: 8, Divergence: "x"}, changed, "c"),
			"seed 8 is not deterministic: klamm sim --seed 8 --seeds 1 --twice --profile calm --set 'disk=[]'",
		},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestSimBudget(t *testing.T) {
	for _, test := range []struct {
		o      simOptions
		budget time.Duration
	}{
		{simOptions{Jobs: 1}, simTime},
		{simOptions{Jobs: 1, Seeds: 5}, 0},
		{simOptions{Jobs: 1, Seeds: 5, Time: time.Second}, time.Second},
		{simOptions{Jobs: 1, Time: time.Minute}, time.Minute},
	} {
		if got, err := test.o.options(); err != nil || got.Budget != test.budget {
			t.Errorf("%+v: budget %v, %v", test.o, got.Budget, err)
		}
	}
	if simTime+simGrace > time.Minute {
		t.Error("the main job may take more than a minute")
	}
}

// simOnce runs some seeds of the calm profile.
func simOnce(t *testing.T, args ...string) (r results.File) {
	t.Helper()
	args = append([]string{"sim", "--profile", "calm", "--seed", "3", "--seeds", "3", "--capsules", "", "-o", "json"}, args...)
	code, out, talk := clitest.Run(t.Context(), Commands, "", args...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: exit %d, %q, %q", err, int(code), out, talk)
	}
	if code != exit.OK || r.Schema != results.Schema || r.SeedsRun != 3 || r.Events == 0 || r.SimNs == 0 || r.WallNs == 0 {
		t.Fatalf("exit %d, result %+v", int(code), r)
	}
	return r
}

// The digest depends on the seeds only: not on the number of workers, nor on what ran before.
func TestSimDigest(t *testing.T) {
	one, two := simOnce(t, "--jobs", "1"), simOnce(t, "--jobs", "3", "--twice")
	if one.TraceDigest != two.TraceDigest || one.Events != two.Events || len(two.Diverged) > 0 {
		t.Errorf("digests %s and %s, events %d and %d, diverged %v", one.TraceDigest, two.TraceDigest, one.Events, two.Events, two.Diverged)
	}
}

// A sweep that is interrupted prints what it has.
func TestSimInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, out, _ := clitest.Run(ctx, Commands, "", "sim", "--profile", "calm", "-o", "json")
	var r results.File
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exit.Interrupted || !r.Interrupted {
		t.Errorf("exit %d, %v, %+v", int(code), err, r)
	}
}

// capsule makes the capsule of a run that was declared failing.
func capsule(t *testing.T) (path string, c sim.Capsule) {
	t.Helper()
	draw, err := drawWorlds("calm")
	if err != nil {
		t.Fatal(err)
	}
	w, err := draw(5)
	if err != nil {
		t.Fatal(err)
	}
	o := w.Run()
	path, err = storeCapsule(filepath.Join(t.TempDir(), "new"), "some/where/calm.json", &sweep.Failure{Seed: 5, World: w, Outcome: o})
	if err != nil || filepath.Base(path) != "calm-5.json" {
		t.Fatalf("path %q, %v", path, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = sim.ParseCapsule(b); err != nil {
		t.Fatal(err)
	}
	return path, c
}

func TestReplay(t *testing.T) {
	path, c := capsule(t)
	v := cli.Version{Revision: "abc", Go: c.Toolchain}
	c.Commit = "abc"
	r := replay(path, c, v)
	if r.Divergence != "" || !r.SameCode || r.code() == exit.Nondeterminism || r.Hash != c.Chain[len(c.Chain)-1].Hash {
		t.Fatalf("%+v", r)
	}
	if code, out, _ := clitest.Run(t.Context(), Commands, "", "replay", path); code != r.code() || !strings.Contains(out, "equals the recording") {
		t.Errorf("exit %d, %s", int(code), out)
	}

	// Another hash: nondeterminism if the same code recorded it, else the recording is out of date.
	c.Chain[0].Hash = strings.Repeat("0", 32)
	if r = replay(path, c, v); r.code() != exit.Nondeterminism || !strings.Contains(r.Divergence, "agree up to event 0 ") {
		t.Errorf("exit %d, divergence %q", r.code(), r.Divergence)
	}
	for _, other := range []cli.Version{{Revision: "abd", Go: v.Go}, {Go: v.Go}, {Revision: "abc", Modified: true, Go: v.Go}} {
		if r = replay(path, c, other); r.SameCode || r.code() == exit.Nondeterminism || r.Since == "" {
			t.Errorf("%+v: exit %d, since %q", other, r.code(), r.Since)
		}
	}
}

func TestReplayResult(t *testing.T) {
	r := replayResult{
		Schema: replaySchema, Capsule: "c.json", Seed: 7, Recorded: []string{"ACKED t-0@17: gone"}, Verdict: []string{"ACKED t-0@17: gone"},
		SameCode: true, Events: 12345, SimNs: 5e9, WallNs: 2e8, Hash: "00ff",
	}
	clitest.Golden(t, "replay_equal.txt", clitest.Printed(t, r))
	r.Divergence, r.Since, r.Verdict, r.SameCode = "the runs differ", "recorded by a, repeated by b", nil, false
	clitest.Golden(t, "replay_differs.txt", clitest.Printed(t, r))
}

func TestReplayGarbage(t *testing.T) {
	path, _ := capsule(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{
		"empty": "", "not JSON": "hello", "cut": string(whole[:len(whole)/2]), "other schema": `{"schema":"x"}`,
		"unknown field": strings.Replace(string(whole), `"schema"`, `"surprise": 1, "schema"`, 1),
	} {
		if code, out, talk := clitest.Run(t.Context(), Commands, in, "replay", "-"); code != exit.Data || out != "" || !strings.HasPrefix(talk, "klamm: -: capsule: ") {
			t.Errorf("%s: exit %d, %q, %q", name, int(code), out, talk)
		}
	}
	if code, _, talk := clitest.Run(t.Context(), Commands, string(whole), "replay", "-"); code == exit.Data {
		t.Errorf("a good capsule from standard input: %s", talk)
	}
}
