package formats

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// limit is how long one foreign program may take.
const limit = 2 * time.Minute

// run runs a program and returns what it wrote to its standard output.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", program, args, err, out, talk.String())
	}
	return string(out)
}

// capsule is a stored run that violates something.
func capsule(t *testing.T) string {
	return filepath.Join(harness.Module(t), "..", "explain", "story", "testdata", "impatient.json")
}

// TestMermaid: Mermaid's own parser takes the diagram, and finds in it who and what stands there.
func TestMermaid(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		harness.Missing(t, "there is no npm to install Mermaid's parser with")
	}
	dir := mermaidParser(t)
	file := filepath.Join(t.TempDir(), "run.mmd")
	run(t, "", harness.Build(t), "explain", capsule(t), "--all", "--events", "250", "--mermaid", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Type             string
		Actors, Messages int
	}
	if err := json.Unmarshal([]byte(run(t, dir, "node", "parse.mjs", file)), &got); err != nil {
		t.Fatal(err)
	}
	actors := strings.Count(string(text), "\n  participant ")
	steps := strings.Count(string(text), "\n  Note over ") + len(regexp.MustCompile(`(?m)^  \w+(->>|-->>|-x)\w+: `).FindAll(text, -1))
	if got.Type != "sequence" || got.Actors != actors || actors < 3 {
		t.Errorf("the parser finds %d actors in a %s diagram, we wrote %d", got.Actors, got.Type, actors)
	}
	if got.Messages != steps+1 || steps < 100 { // autonumber is one, too
		t.Errorf("the parser finds %d steps, we wrote %d and autonumber", got.Messages, steps)
	}
}

// parser reads a diagram and says what Mermaid makes of it.
const parser = `import { JSDOM } from "jsdom";
import { readFileSync } from "node:fs";
const dom = new JSDOM("<!doctype html><body></body>");
globalThis.window = dom.window; globalThis.document = dom.window.document;
const mermaid = (await import("mermaid")).default;
const text = readFileSync(process.argv[2], "utf8");
const { diagramType } = await mermaid.parse(text);
const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
console.log(JSON.stringify({type: diagramType, actors: [...db.getActors().keys()].length, messages: db.getMessages().length}));
`

// mermaidParser installs Mermaid once per machine.
func mermaidParser(t *testing.T) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		harness.Missing(t, "nowhere to keep Mermaid's parser: %v", err)
	}
	dir := filepath.Join(cache, "klamm-interop", "mermaid-11")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "parse.mjs"), []byte(parser), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "mermaid", "package.json")); err == nil {
		return dir
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "mermaid@11.12.0", "jsdom@24.1.3")
	if out, err := cmd.CombinedOutput(); err != nil {
		harness.Missing(t, "Mermaid's parser cannot be installed: %v: %.200s", err, out)
	}
	return dir
}

// What a frame may take in the median, so that moving about does not stutter: that of a screen with 60 Hz. It is drawn
// without a graphics card, and on a machine that does other things besides.
const frameBudget = 16.7

// What the page of a large run may take from the beginning until it is drawn.
const openBudget = 5 * time.Second

// TestThePageDrawsQuickly: Chromium opens the page of a run of 100,000 events, and draws it from every distance and while its map is
// dragged from end to end.
func TestThePageDrawsQuickly(t *testing.T) {
	harness.Install(t, "chromium", "chromium")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		harness.Missing(t, "there is no chromium")
	}
	klamm, file := harness.Build(t), filepath.Join(t.TempDir(), "run.html")
	var got struct {
		Events   int
		Messages int
		Opened   float64 `json:"opened_ms"`
		Frames   int
		Median   float64 `json:"median_ms"`
		P90      float64 `json:"p90_ms"`
		P99      float64 `json:"p99_ms"`
		Max      float64 `json:"max_ms"`
	}
	const large = 100_000
	for seed := 1; seed < 60 && got.Events < large; seed++ { // what a seed draws changes with the generators
		run(t, "", klamm, "explain", "--seed", strconv.Itoa(seed), "--profile", "swarm", "--html", file)
		if info, err := os.Stat(file); err != nil || info.Size() < 5<<20 {
			continue
		}
		page := run(t, "", chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1600,900",
			"--user-data-dir="+browserDir(t), "--dump-dom", "file://"+file+"#bench")
		found := regexp.MustCompile(`<pre id="bench">([^<]*)`).FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("the page did not come to its end: %.300s", page)
		}
		if err := json.Unmarshal([]byte(found[1]), &got); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%+v", got)
	if got.Events < large {
		t.Fatalf("no seed of the profile makes a page of %d events", large)
	}
	if opened := time.Duration(got.Opened * float64(time.Millisecond)); opened > openBudget {
		t.Errorf("the page is drawn after %v, more than %v", opened, openBudget)
	}
	if got.Median > frameBudget {
		t.Errorf("a frame takes %.1f ms in the median, more than %.1f", got.Median, frameBudget)
	}
}
