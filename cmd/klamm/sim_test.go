package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
	"github.com/klamm-log/klamm/sim"
)

// summary is that of a sweep with a bit of everything.
func summary() sweep.Summary {
	return sweep.Summary{
		Seeds: 1234, Events: 5_678_901, SimTime: 90 * time.Minute, Wall: 30100 * time.Millisecond, Digest: sweep.Digest{A: 1, B: 255},
		Faults: map[string]int64{"crash": 17, "disk/slow": 4711}, Sometimes: map[string]int64{"log.torn-tail-cut": 3},
	}
}

func TestSimResult(t *testing.T) {
	violations := []sweep.Failure{
		{Seed: 7, Violations: []sweep.Violation{
			{Property: "ACKED", Place: "t-0@17", Message: "the record is gone"},
			{Property: sweep.PropertyPanic, Message: "index out of range\nmain.f()"},
		}},
		{Seed: 9, Violations: []sweep.Violation{{Property: "L-SETTLE", Message: "too late"}}},
	}
	for name, test := range map[string]struct {
		change func(*sweep.Summary)
		code   exit.Code
	}{
		"held":         {func(*sweep.Summary) {}, exit.OK},
		"violated":     {func(s *sweep.Summary) { s.Failures = violations; s.Interrupted = true }, exit.Violated},
		"interrupted":  {func(s *sweep.Summary) { s.Interrupted = true; s.Unfinished = []uint64{3} }, exit.Interrupted},
		"inconclusive": {func(s *sweep.Summary) { s.Inconclusive = []sweep.Doubt{{Seed: 4, Why: "nothing was written"}} }, exit.Inconclusive},
		"unfinished":   {func(s *sweep.Summary) { s.Unfinished = []uint64{11, 12} }, exit.Inconclusive},
		"diverged": {func(s *sweep.Summary) {
			s.Failures = append([]sweep.Failure{{Seed: 5, Divergence: "the runs part after event 3"}}, violations...)
		}, exit.Nondeterminism},
	} {
		sum := summary()
		test.change(&sum)
		r := newSimResult("default", 1, sum, map[uint64]string{7: "capsules/default-7.json"})
		if r.code() != test.code {
			t.Errorf("%s: exit %d, want %d", name, r.code(), test.code)
		}
		golden(t, "sim_"+name+".txt", printed(t, r))
	}
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
	f := sweep.Failure{Seed: 7, Violations: []sweep.Violation{{Property: "ACKED"}, {Property: "OTHER"}}}
	for _, test := range []struct{ got, want string }{
		{failureLine(f, "default", "c/default-7.json"), "seed 7 violated ACKED: klamm replay c/default-7.json"},
		{failureLine(f, "default", ""), "seed 7 violated ACKED: klamm sim --seed 7 --seeds 1 --profile default"},
		{
			failureLine(sweep.Failure{Seed: 8, Divergence: "x"}, "calm", "c"),
			"seed 8 is not deterministic: klamm sim --seed 8 --seeds 1 --twice --profile calm",
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
func simOnce(t *testing.T, args ...string) (r simResult) {
	t.Helper()
	args = append([]string{"sim", "--profile", "calm", "--seed", "3", "--seeds", "3", "--capsules", "", "-o", "json"}, args...)
	code, out, talk := klamm(t.Context(), "", args...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: exit %d, %q, %q", err, int(code), out, talk)
	}
	if r.code() != code || r.Schema != simSchema || r.SeedsRun != 3 || r.Events == 0 || r.SimNs == 0 || r.WallNs == 0 {
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
	path, err = storeCapsule(filepath.Join(t.TempDir(), "new"), "some/where/calm.json", sweep.Failure{Seed: 5, World: w, Outcome: o})
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
	v := versionResult{Revision: "abc", Go: c.Toolchain}
	c.Commit = "abc"
	r := replay(path, c, v)
	if r.Divergence != "" || !r.SameCode || r.code() == exit.Nondeterminism || r.Hash != c.Chain[len(c.Chain)-1].Hash {
		t.Fatalf("%+v", r)
	}
	if code, out, _ := klamm(t.Context(), "", "replay", path); code != r.code() || !strings.Contains(out, "equals the recording") {
		t.Errorf("exit %d, %s", int(code), out)
	}

	// Another hash: nondeterminism if the same code recorded it, else the recording is out of date.
	c.Chain[0].Hash = strings.Repeat("0", 32)
	if r = replay(path, c, v); r.code() != exit.Nondeterminism || !strings.Contains(r.Divergence, "agree up to event 0 ") {
		t.Errorf("exit %d, divergence %q", r.code(), r.Divergence)
	}
	for _, other := range []versionResult{{Revision: "abd", Go: v.Go}, {Go: v.Go}, {Revision: "abc", Modified: true, Go: v.Go}} {
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
	golden(t, "replay_equal.txt", printed(t, r))
	r.Divergence, r.Since, r.Verdict, r.SameCode = "the runs differ", "recorded by a, repeated by b", nil, false
	golden(t, "replay_differs.txt", printed(t, r))
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
		if code, out, talk := klamm(t.Context(), in, "replay", "-"); code != exit.Data || out != "" || !strings.HasPrefix(talk, "klamm: -: capsule: ") {
			t.Errorf("%s: exit %d, %q, %q", name, int(code), out, talk)
		}
	}
	if code, _, talk := klamm(t.Context(), string(whole), "replay", "-"); code == exit.Data {
		t.Errorf("a good capsule from standard input: %s", talk)
	}
}

func TestVersion(t *testing.T) {
	v := versionResult{Version: "v1.2.3", Revision: "abc", Modified: true, Time: "2026-01-01T00:00:00Z", Go: "go1.26", Platform: "linux/amd64", Kmsg: "v1"}
	golden(t, "version.txt", printed(t, v))
	var got versionResult
	if err := json.Unmarshal([]byte(must(t, exit.OK, "", "version", "-o", "json")), &got); err != nil || got.Go == "" || got.Kmsg == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if !bytes.Contains(versionOf(nil).AppendText(nil), []byte("revision  unknown\n")) {
		t.Error("a build without information is not called unknown")
	}
}
