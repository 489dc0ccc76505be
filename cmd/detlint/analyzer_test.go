package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

// TestCorpus runs the analyzer over every package under testdata. Each line there that must be reported carries its
// expectation; a line without one must stay silent. The expectations are the specification of the messages.
func TestCorpus(t *testing.T) {
	packages := corpus(t)
	for _, name := range []string{"core/order", "core/schedule", "core/floats", "core/calls", "core/clean"} {
		if !slices.Contains(packages, module+"/"+name) {
			t.Fatalf("corpus has lost %s; it has %q", name, packages)
		}
	}
	// One load for all: type checking the standard library is what takes the time.
	analysistest.Run(t, analysistest.TestData(), newAnalyzer(), packages...)
}

// corpus lists the import paths under testdata/src.
func corpus(t *testing.T) []string {
	t.Helper()
	root := filepath.Join(analysistest.TestData(), "src")
	var packages []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		packages = append(packages, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

func TestDeterministicScope(t *testing.T) {
	for path, want := range map[string]bool{
		module + "/core":                     true,
		module + "/core/log":                 true,
		module + "/core/internal/prng":       true,
		module + "/sim/simnet":               true,
		module + "/checkers":                 true,
		module + "/scenarios/mutants":        true,
		module + "/scenarios/interop":        false,
		module + "/scenarios/interop/kcat":   false,
		module + "/scenarios/interoperable":  true,
		module + "/cmd/klamm":                false,
		module + "/disk":                     false,
		module + "/corelike":                 false,
		module:                               false,
		"github.com/klamm-log/klamm2/core":   false,
		"example.com/core":                   false,
		"github.com/anishathalye/porcupine":  false,
		module + "/core.test":                false,
		module + "/core/log.test":            false,
		module + "/core/log_test":            true, // holds only test files, which are never judged
		module + "/transport/core":           false,
		module + "/scenarios/interop/../sim": false,
	} {
		if got := deterministic(path); got != want {
			t.Errorf("deterministic(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestParseVerbs(t *testing.T) {
	for _, test := range []struct {
		format string
		want   []verb
	}{
		{"plain", nil},
		{"100%%", nil},
		{"%d %v", []verb{{'d', 0}, {'v', 1}}},
		{"%+08.3v|%#x", []verb{{'v', 0}, {'x', 1}}},
		{"%*d %p", []verb{{'*', 0}, {'d', 1}, {'p', 2}}},
		{"%[2]p %[1]v %v", []verb{{'p', 1}, {'v', 0}, {'v', 1}}},
		{"broken %", nil},
		{"broken %[3", nil},
	} {
		if got := parseVerbs(test.format); !slices.Equal(got, test.want) {
			t.Errorf("parseVerbs(%q) = %v, want %v", test.format, got, test.want)
		}
	}
}
