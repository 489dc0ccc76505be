package simulate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/shrink"
	"github.com/klamm-log/klamm/sim"
)

// TestShrink: a world that must fail becomes a smaller one that fails by the same property, the same one whatever the number of
// jobs, and its capsule repeats it.
func TestShrink(t *testing.T) {
	dir := t.TempDir()
	var results []shrinkResult
	for _, jobs := range []string{"1", "3"} {
		path := filepath.Join(dir, jobs+".min.json")
		out := clitest.Must(t, Commands, exit.OK, "", "shrink", "--seed", "1", "--profile", scenarios.CanaryProfile,
			"--jobs", jobs, "--runs", "200", "--time", "0", "--out", path, "-o", "json")
		var r shrinkResult
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		if r.After.Events >= r.Before.Events || r.After.Ops >= r.Before.Ops || r.Broken > 0 || r.Runs > 200 {
			t.Errorf("%+v", r)
		}
		if len(r.Verdict) == 0 || !strings.HasPrefix(r.Verdict[0], r.Property+" ") {
			t.Errorf("the violation of %s became %q", r.Property, r.Verdict)
		}
		if out := clitest.Must(t, Commands, exit.Violated, "", "replay", path); !strings.Contains(out, "equals the recording") {
			t.Errorf("replay: %s", out)
		}
		results = append(results, r)
	}
	a, b := results[0], results[1]
	if a.Before != b.Before || a.After != b.After || a.Runs != b.Runs {
		t.Errorf("one job:    %+v\nthree jobs: %+v", a, b)
	}
	one, err := os.ReadFile(a.Capsule)
	if err != nil {
		t.Fatal(err)
	}
	if three, err := os.ReadFile(b.Capsule); err != nil || string(one) != string(three) {
		t.Errorf("the capsules differ (%v)", err)
	}
	c, err := sim.ParseCapsule(one)
	if err != nil || c.Shrunk == nil || c.Shrunk.Seed != 1 || c.Shrunk.Events != a.Before.Events {
		t.Errorf("%v, %+v", err, c.Shrunk)
	}
}

// A run that holds is not shrunk.
func TestShrinkWhatHolds(t *testing.T) {
	code, out, talk := clitest.Run(t.Context(), Commands, "", "shrink", "--seed", "1", "--profile", "calm", "--out", filepath.Join(t.TempDir(), "x"))
	if code != exit.Inconclusive || out != "" || !strings.Contains(talk, "there is nothing to shrink") {
		t.Errorf("exit %d, %q, %q", int(code), out, talk)
	}
}

func TestShrinkResult(t *testing.T) {
	r := shrinkResult{
		Schema: shrinkSchema, Source: "cluster-23.json", Capsule: "cluster-23.min.json", Property: "HW-MONO",
		Verdict: []string{"HW-MONO t0-0@1: a", "HW-MONO t0-0@2: b", "c", "d", "e"}, Runs: 1234, Rounds: 3, Complete: true, Jobs: 2,
		WallNs: int64(12300 * time.Millisecond),
		Before: extent{Events: 12_345, SimNs: int64(12 * time.Second), Size: shrink.Size{Nodes: 3, Faults: 20, Clients: 6, Ops: 80, Knobs: 200, Safety: 9 * core.Second}},
		After:  extent{Events: 345, SimNs: int64(120 * time.Millisecond), Size: shrink.Size{Nodes: 2, Faults: 1, Clients: 2, Ops: 3, Knobs: 2, Safety: core.Second}},
	}
	if r.code() != exit.OK {
		t.Errorf("exit %d", int(r.code()))
	}
	clitest.Golden(t, "shrink_smaller.txt", clitest.Printed(t, r))
	r.Complete, r.Broken, r.After, r.Verdict = false, 2, r.Before, r.Verdict[:1]
	if r.code() != exit.Violated {
		t.Errorf("exit %d", int(r.code()))
	}
	clitest.Golden(t, "shrink_nothing.txt", clitest.Printed(t, r))
}
