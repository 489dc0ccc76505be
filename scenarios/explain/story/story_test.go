package story_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/scenarios/explain/explaintest"
	"github.com/klamm-log/klamm/scenarios/explain/story"
	"github.com/klamm-log/klamm/sim"
)

var rewrite = flag.Bool("rewrite", false, "write the stories anew")

// The whole story of a follower that was let into the ISR without a committed record. The tape is written by hand: a
// story of a run would be another one after each change of the core.
func TestTheStoryOfAFollowerThatJoinsTooEarly(t *testing.T) {
	got := string(story.Append(nil, explaintest.JoinsTooEarly(), story.Options{Capsule: "joins.json"}))
	const file = "testdata/joins-too-early.txt"
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// The story of a stored run that asks for more than any broker can do: it must be done a millisecond after the faults.
func TestTheStoryOfACapsule(t *testing.T) {
	b, err := os.ReadFile("testdata/impatient.json")
	require.NoError(t, err)
	c, err := sim.ParseCapsule(b)
	require.NoError(t, err)
	tape := explain.Record(c.Plan)
	require.NotEqual(t, explain.None, tape.Broke)
	lines := strings.Split(string(story.Append(nil, tape, story.Options{})), "\n")
	text := strings.Join(lines, "\n")
	require.LessOrEqual(t, len(lines), 130)
	require.Contains(t, text, string(tape.Found.Property)+" is VIOLATED", text)
	require.Contains(t, text, "Demanded:  "+explain.PromiseOf(string(tape.Found.Property)).Demands[:20])
	require.Contains(t, text, "broker1  loses its power", text)
	require.Contains(t, text, "=== here "+string(tape.Found.Property)+" is violated ===")

	all := strings.Count(string(story.Append(nil, tape, story.Options{Filter: explain.Filter{All: true}})), "\n")
	require.Greater(t, all, 2*len(lines), "everything is more than what matters")
	for _, line := range filtered(tape, explain.Filter{Node: "broker1"}) {
		require.Contains(t, line, "broker1")
	}
	for _, line := range filtered(tape, explain.Filter{Around: 100 * core.Millisecond}) {
		require.NotContains(t, line, " 0.0")
	}
}

// filtered are the lines that tell events.
func filtered(t *explain.Tape, f explain.Filter) []string {
	var out []string
	for line := range strings.Lines(string(story.Append(nil, t, story.Options{Filter: f}))) {
		if len(line) > 16 && line[13:15] == " s" && !strings.Contains(line, "===") {
			out = append(out, line)
		}
	}
	return out
}

func TestARunThatKeptItsPromisesHasNoStory(t *testing.T) {
	tape := explaintest.JoinsTooEarly()
	tape.Broke = explain.None
	require.Contains(t, string(story.Append(nil, tape, story.Options{})), "nothing to explain")
	require.Nil(t, tape.Stored(0, history.Key{Partition: 9}))
}
