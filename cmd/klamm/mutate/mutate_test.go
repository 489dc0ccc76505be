package mutate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const diff = `diff --git a/core/a.go b/core/a.go
--- a/core/a.go
+++ b/core/a.go
@@ -2,3 +2,3 @@
 two
-three
+THREE
 four
@@ -6,2 +6,3 @@
 six
+six and a half
 seven
`

// files is a tree in memory.
func files(m map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		s, ok := m[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(s), nil
	}
}

func TestApply(t *testing.T) {
	got, err := Apply([]byte(diff), files(map[string]string{"core/a.go": "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"}))
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, "one\ntwo\nTHREE\nfour\nfive\nsix\nsix and a half\nseven\n", string(got["core/a.go"]))
}

func TestApplyFollowsCodeThatMoved(t *testing.T) {
	got, err := Apply([]byte(diff), files(map[string]string{"core/a.go": "new\nnew\none\ntwo\nthree\nfour\nsix\nseven"}))
	require.ErrorContains(t, err, "hunk 2") // "seven" without a line end is another line
	require.Nil(t, got)
	got, err = Apply([]byte(diff), files(map[string]string{"core/a.go": "new\nnew\none\ntwo\nthree\nfour\nsix\nseven\n"}))
	require.NoError(t, err)
	require.Equal(t, "new\nnew\none\ntwo\nTHREE\nfour\nsix\nsix and a half\nseven\n", string(got["core/a.go"]))
}

func TestApplyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		diff, src, want string
	}{
		"changed context":   {diff, "one\ntwo\nthree\nFOUR\nfive\nsix\nseven\n", "hunk 1, written for line 2: its lines stand in 0 places"},
		"changed line":      {diff, "one\ntwo\ntres\nfour\nfive\nsix\nseven\n", "hunk 1"},
		"two places":        {diff, "two\nthree\nfour\ntwo\nthree\nfour\nsix\nseven\n", "stand in 2 places"},
		"order":             {diff, "six\nseven\ntwo\nthree\nfour\n", "hunk 2"},
		"empty diff":        {"", "", "changes no file"},
		"a new file":        {"diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", "", "only the text of existing files"},
		"a file outside":    {"diff --git a/../x b/../x\n--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", "a\n", "outside of the tree"},
		"a truncated hunk":  {"--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n-a\n+b\n", "a\n", "fragment"},
		"a file not there":  {"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "", fs.ErrNotExist.Error()},
		"the same file two": {"diff --git a/core/a.go b/core/a.go\n--- a/core/a.go\n+++ b/core/a.go\n@@ -1 +1 @@\n-a\n+b\ndiff --git a/core/a.go b/core/a.go\n--- a/core/a.go\n+++ b/core/a.go\n@@ -1 +1 @@\n-a\n+b\n", "a\n", "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Apply([]byte(c.diff), files(map[string]string{"core/a.go": c.src, "../x": c.src}))
			require.ErrorContains(t, err, c.want)
			require.Nil(t, got)
		})
	}
}

func FuzzApply(f *testing.F) {
	f.Add(diff, "one\ntwo\nthree\nfour\nfive\nsix\nseven\n")
	f.Fuzz(func(t *testing.T, diff, src string) {
		read := func(string) ([]byte, error) { return []byte(src), nil }
		a, err := Apply([]byte(diff), read)
		b, again := Apply([]byte(diff), read)
		require.Equal(t, err == nil, again == nil)
		require.Equal(t, a, b)
	})
}

func TestParseText(t *testing.T) {
	m, err := parseText("# some-bug\n\nIt does * Budget: 7 wrong.\n\n* Source: here\n* Expected: A, B-C\n* Budget: 50 seeds\n* Missed: too hard\n")
	require.NoError(t, err)
	require.Equal(t, Mutant{ID: "some-bug", Source: "here", Expected: []string{"A", "B-C"}, Budget: 50, Profile: "default", Missed: "too hard"}, m)
	m, err = parseText("# some-bug\n* Source: here\n* Expected: A\n* Budget: 50 seeds\n* Profile: cluster\n")
	require.NoError(t, err)
	require.Equal(t, "cluster", m.Profile)
	for _, text := range []string{
		"", "# x\n* Source: a\n* Expected: b\n", "# x\n* Source: a\n* Expected: b\n* Budget: many\n",
		"# x\n* Source: a\n* Expected: b\n* Budget: 0 seeds\n", "* Source: a\n* Expected: b\n* Budget: 1 seeds\n",
	} {
		_, err := parseText(text)
		require.Error(t, err, "%q", text)
	}
}

// fake is a shell script that answers as klamm sim would: seeds in red fail.
func fake(t *testing.T, red string) Program {
	path := filepath.Join(t.TempDir(), "klamm")
	script := fmt.Sprintf(`#!/bin/sh
while [ $# -gt 0 ]; do case $1 in --seed) seed=$2;; --seeds) seeds=$2;; --failures) failures=$2;; esac; shift; done
list= comma= n=0 run=0
while [ $run -lt $seeds ] && [ $n -lt $failures ]; do
  s=$((seed + run)); run=$((run + 1))
  case " %s " in *" $s "*) list="$list$comma{\"seed\": $s, \"property\": \"P\"}"; comma=,; n=$((n + 1));; esac
done
echo "{\"seeds_run\": $run, \"violations\": [$list]}"
[ $n -eq 0 ]
`, red)
	require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
	return Program(path)
}

func TestHuntCountsWhatOnlyTheMutantBreaks(t *testing.T) {
	mutant, control := fake(t, "3 4 10 11 20"), fake(t, "4 11 99")
	f, err := Hunt(context.Background(), mutant, control, Sweep{Profile: "p", First: 1, Seeds: 30, Failures: 3})
	require.NoError(t, err)
	require.Equal(t, []int64{3, 7, 10}, f.Starts, "3; 4..10; 11..20")
	require.Equal(t, []uint64{4, 11}, f.Anyway)
	require.EqualValues(t, 20, f.Seeds)
	require.Zero(t, f.Open)
	require.EqualValues(t, 7, f.Quantile(1, 2))
	require.EqualValues(t, 10, f.Quantile(9, 10))
	require.EqualValues(t, 10, f.Violations[1].Seed)
}

func TestHuntThatFindsTooLittle(t *testing.T) {
	f, err := Hunt(context.Background(), fake(t, "6"), fake(t, ""), Sweep{Profile: "p", First: 5, Seeds: 10, Failures: 4})
	require.NoError(t, err)
	require.Equal(t, []int64{2}, f.Starts)
	require.EqualValues(t, 8, f.Open, "7 to 14")
	require.EqualValues(t, 10, f.Seeds)
}

func TestHuntReportsABrokenProgram(t *testing.T) {
	_, err := Hunt(context.Background(), Program(filepath.Join(t.TempDir(), "none")), fake(t, ""), Sweep{Seeds: 1, Failures: 1})
	require.True(t, errors.Is(err, fs.ErrNotExist), "%v", err)
}

func TestScenarioLine(t *testing.T) {
	const text = "# a\n* Source: own\n* Expected: P\n* Budget: 5 seeds\n"
	m, err := parseText(text + "* Directed: core/replica TestTraces/kip279_leader_bounces\n")
	require.NoError(t, err)
	require.Equal(t, Scenario{Package: "core/replica", Test: "TestTraces/kip279_leader_bounces"}, m.Directed)
	require.Equal(t, "^TestTraces$/^kip279_leader_bounces$", exactly(m.Directed.Test))
	for _, bad := range []string{"TestTraces", "../out TestX"} {
		_, err := parseText(text + "* Directed: " + bad + "\n")
		require.ErrorContains(t, err, "is not a package and a test")
	}
}

func TestComplaint(t *testing.T) {
	for out, want := range map[string]string{
		"=== RUN   TestA\n    a_test.go:7: R-ONE-VOTE: two\n--- FAIL: TestA\n":                    "R-ONE-VOTE: two",
		"--- FAIL: TestA\n    \tError Trace:\ta_test.go:3\n    \tError:      \tShould be false\n": "Should be false",
		"panic: it broke\n\ngoroutine 1\n":                                                        "it broke",
		"FAIL\n":                                                                                  "it failed",
	} {
		require.Equal(t, want, complaint([]byte(out)))
	}
}
