// Package mutate makes programs with deliberate bugs, to measure whether the simulator finds them.
//
// A mutant is a folder of scenarios/mutants: a unified diff of the core (mutant.diff) and a text (README.md) that says
// what the bug is, where it comes from, and which property should break within how many seeds. [Apply] applies the diff
// in memory, and [Tree.Build] hands the changed files to the Go compiler as an overlay. So the source tree never
// contains a mutant, not even for a moment, and nothing in the core knows that mutants exist.
package mutate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// Dir is where the mutants are, relative to the module's root.
const Dir = "scenarios/mutants"

// Mutant is one deliberate bug.
type Mutant struct {
	ID       string
	Diff     []byte
	Source   string   // who shipped it, or which catalogue entry it is
	Expected []string // properties, any of which should catch it
	Budget   int64    // seeds within which it should be caught
	// Profile is what its seeds draw from, as klamm sim takes it: a name, "default" unless it says, or a file of the tree.
	Profile string
	// Missed says why the simulator does not find the mutant yet; empty if it has to.
	Missed string
	// Directed is the scenario written for the bug, if there is one.
	Directed Scenario
}

// Scenario is a test of the core that stages one bug's circumstances: it passes, and fails with the mutant.
type Scenario struct {
	Package string // its path in the tree: "core/replica"
	Test    string // as go test names it: "TestTraces/kip279_leader_bounces"
}

// String is the scenario as README.md writes it.
func (s Scenario) String() string { return s.Package + " " + s.Test }

// List is the ids of all mutants, sorted.
func List(root string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(Dir), "*", "mutant.diff"))
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(found))
	for _, path := range found {
		ids = append(ids, filepath.Base(filepath.Dir(path)))
	}
	slices.Sort(ids)
	return ids, nil
}

// Load reads a mutant's folder.
func Load(root, id string) (Mutant, error) {
	dir := filepath.Join(root, filepath.FromSlash(Dir), id)
	if filepath.Base(dir) != id {
		return Mutant{}, fmt.Errorf("%q is not the name of a mutant", id)
	}
	diff, err := os.ReadFile(filepath.Join(dir, "mutant.diff"))
	if err != nil {
		return Mutant{}, fmt.Errorf("mutant %s: %w", id, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return Mutant{}, fmt.Errorf("mutant %s: %w", id, err)
	}
	m, err := parseText(string(text))
	if err != nil {
		return Mutant{}, fmt.Errorf("mutant %s: README.md: %w", id, err)
	}
	if m.ID != id {
		return Mutant{}, fmt.Errorf("mutant %s: README.md speaks of %q", id, m.ID)
	}
	m.Diff = diff
	if strings.HasSuffix(m.Profile, ".json") {
		m.Profile = filepath.Join(root, filepath.FromSlash(m.Profile))
	}
	return m, nil
}

// defaultProfile is the profile of a mutant that names none: one broker.
const defaultProfile = "default"

// field is a line of README.md that programs read: "* Budget: 50 seeds".
var field = regexp.MustCompile(`^\* (Source|Expected|Budget|Profile|Missed|Directed): (.+)$`)

// parseText reads README.md: the title is the id, and some lines are fields.
func parseText(text string) (Mutant, error) {
	m := Mutant{Profile: defaultProfile}
	for line := range strings.SplitSeq(text, "\n") {
		if title, ok := strings.CutPrefix(line, "# "); ok && m.ID == "" {
			m.ID = strings.TrimSpace(title)
		}
		f := field.FindStringSubmatch(line)
		if f == nil {
			continue
		}
		value := strings.TrimSpace(f[2])
		switch f[1] {
		case "Source":
			m.Source = value
		case "Expected":
			for p := range strings.SplitSeq(value, ",") {
				m.Expected = append(m.Expected, strings.TrimSpace(p))
			}
		case "Budget":
			n, err := strconv.ParseInt(strings.TrimSuffix(value, " seeds"), 10, 64)
			if err != nil || n <= 0 {
				return m, fmt.Errorf("the budget %q is not a number of seeds", value)
			}
			m.Budget = n
		case "Profile":
			m.Profile = value
		case "Missed":
			m.Missed = value
		case "Directed":
			pkg, test, ok := strings.Cut(value, " ")
			if !ok || !filepath.IsLocal(pkg) {
				return m, fmt.Errorf("the scenario %q is not a package and a test", value)
			}
			m.Directed = Scenario{Package: pkg, Test: test}
		}
	}
	if m.ID == "" || m.Source == "" || len(m.Expected) == 0 || m.Budget == 0 {
		return m, fmt.Errorf("a title, Source, Expected and Budget are needed")
	}
	return m, nil
}

// Apply applies a unified diff to files that read returns, and returns the new contents by path. Every line of context
// must be as the diff has it. Line numbers need not: code above may have grown since, so each hunk goes where its lines
// stand, which must be one place only.
func Apply(diff []byte, read func(path string) ([]byte, error)) (map[string][]byte, error) {
	files, _, err := gitdiff.Parse(bytes.NewReader(diff))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("the diff changes no file")
	}
	changed := make(map[string][]byte, len(files))
	for _, f := range files {
		path := f.OldName
		if f.IsNew || f.IsDelete || f.IsRename || f.IsCopy || f.IsBinary || path != f.NewName {
			return nil, fmt.Errorf("%s: only the text of existing files can be changed", names(f))
		}
		if !filepath.IsLocal(filepath.FromSlash(path)) {
			return nil, fmt.Errorf("%q is outside of the tree", path)
		}
		if changed[path] != nil {
			return nil, fmt.Errorf("%s stands twice in the diff", path)
		}
		src, err := read(path)
		if err != nil {
			return nil, err
		}
		if err := settle(f, src); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var dst bytes.Buffer
		if err := gitdiff.Apply(&dst, bytes.NewReader(src), f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		changed[path] = dst.Bytes()
	}
	return changed, nil
}

func names(f *gitdiff.File) string { return f.OldName + " -> " + f.NewName }

// settle moves each hunk to the only place, after the hunk before it, where its old lines stand.
func settle(f *gitdiff.File, src []byte) error {
	lines := strings.SplitAfter(string(src), "\n")
	from := 0
	for i, hunk := range f.TextFragments {
		var old []string
		for _, l := range hunk.Lines {
			if l.Old() {
				old = append(old, l.Line)
			}
		}
		if len(old) == 0 {
			return fmt.Errorf("hunk %d has no context", i+1)
		}
		at, n := 0, 0
		for j := from; j+len(old) <= len(lines); j++ {
			if slices.Equal(lines[j:j+len(old)], old) {
				at, n = j, n+1
			}
		}
		if n != 1 {
			return fmt.Errorf("hunk %d, written for line %d: its lines stand in %d places", i+1, hunk.OldPosition, n)
		}
		hunk.OldPosition = int64(at) + 1
		from = at + len(old)
	}
	return nil
}
