package explain_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/sim"
)

// drawn are seeds of worlds of one node, of several, and of a quorum alone.
func drawn(t *testing.T) []sim.Plan {
	var plans []sim.Plan
	for _, name := range []string{"default", "cluster", "quorum"} {
		p, err := scenarios.LoadProfile(name)
		require.NoError(t, err)
		plans = append(plans, scenarios.Draw(3, p))
	}
	return plans
}

// TestTapes holds one world of each kind against what a tape promises.
func TestTapes(t *testing.T) {
	for _, plan := range drawn(t) {
		tape := explain.Record(plan)
		t.Run(plan.Profile+"/watching changes nothing", func(t *testing.T) { watchingChangesNothing(t, plan, tape) })
		t.Run(plan.Profile+"/in order", func(t *testing.T) { inOrder(t, tape) })
		t.Run(plan.Profile+"/the past is closed", func(t *testing.T) { pastIsClosed(t, tape) })
	}
}

// watchingChangesNothing: a run that is watched is the run that is not, with the same hash chain and the same verdict.
func watchingChangesNothing(t *testing.T, plan sim.Plan, tape *explain.Tape) {
	alone := scenarios.Run(plan, nil)
	require.Equal(t, alone.Result.Chain, tape.Verdict.Result.Chain)
	require.Equal(t, alone.Result.Hash, tape.Verdict.Result.Hash)
	require.Equal(t, alone.Lines(), tape.Verdict.Lines())
	if plan.IsCluster() { // one is enough
		require.Equal(t, tape.Events, explain.Record(plan).Events, "a tape is a function of the plan")
	}
}

// inOrder: a message arrives after it was sent and where it was sent to, an answer is sent by who was asked after it was
// asked.
func inOrder(t *testing.T, tape *explain.Tape) {
	require.NotEmpty(t, tape.Messages)
	for i := 1; i < len(tape.Events); i++ {
		if tape.Events[i-1].At > tape.Events[i].At {
			t.Fatalf("event %d is later than the next", i-1)
		}
	}
	arrived := 0
	for i := range tape.Messages {
		m := &tape.Messages[i]
		sent := &tape.Events[m.Sent]
		if m.From != sent.Proc || sent.Kind != explain.Sent || sent.Msg != int32(i) {
			t.Fatalf("message %d was not sent by %+v", i, sent)
		}
		if m.Arrived != explain.None {
			arrived++
			if e := &tape.Events[m.Arrived]; m.To != e.Proc || sent.At >= e.At || e.Msg != int32(i) {
				t.Fatalf("message %d did not arrive by %+v", i, e)
			}
		}
		if m.Answers != explain.None {
			q := &tape.Messages[m.Answers]
			require.Equal(t, []int32{q.To, q.From, int32(q.Key)}, []int32{m.From, m.To, int32(m.Key)})
			require.Less(t, q.Arrived, m.Sent)
		}
	}
	require.Greater(t, arrived*10, len(tape.Messages)*8, "most messages arrive")
}

// pastIsClosed: the past holds what can have been known and nothing else, of each process a prefix, closed under messages.
func pastIsClosed(t *testing.T, tape *explain.Tape) {
	at := len(tape.Events) / 2
	for tape.Events[at].Proc == explain.None {
		at++
	}
	past := tape.Past(at, nil)
	require.True(t, past[at])
	open := make(map[int32]bool) // processes of which something was left out already
	size := 0
	for i := range tape.Events {
		e := &tape.Events[i]
		if e.Proc == explain.None {
			continue
		}
		if !past[i] {
			open[e.Proc] = true
			continue
		}
		size++
		if open[e.Proc] {
			t.Fatalf("event %d of %s follows one that was left out", i, tape.ProcName(e.Proc))
		}
		if e.Kind == explain.Arrived && !past[tape.Messages[e.Msg].Sent] {
			t.Fatalf("event %d arrived from nowhere", i)
		}
	}
	require.Less(t, size, len(tape.Events)*2/3, "not everything before an event is its past")
}

// What members of groups do is told, step by step, of partitions by their names; and so is what becomes of transactions.
func TestMembersAndTransactionsAreTold(t *testing.T) {
	profile, err := scenarios.LoadProfile("txn")
	require.NoError(t, err)
	told := make(map[string]int)
	for seed := range uint64(3) {
		tape := explain.Record(scenarios.Draw(seed, profile))
		for i := range tape.Events {
			e := &tape.Events[i]
			if e.Kind != explain.Op {
				continue
			}
			require.NotContains(t, e.Text, "{", "a partition without a name")
			for _, word := range []string{"from now on, in generation", "no more", "has committed", " for group g", "has processed", "commits transaction", "aborts transaction"} {
				if strings.Contains(e.Text, word) {
					told[word]++
				}
			}
		}
	}
	require.Len(t, told, 7, "%v", told)
}

// Every property that a checker can name has its demand and its source.
func TestEveryPropertyHasWords(t *testing.T) {
	named := regexp.MustCompile(`(?m)^\s*(?:const )?\w+\s+(?:checkers\.)?Property = "([^"]+)"|^\s*(?:const )?Property\w+\s+= "([^"]+)"`)
	n := 0
	files, err := filepath.Glob("../../sim/*.go")
	require.NoError(t, err)
	files = append(files, "../judge.go")
	require.NoError(t, filepath.WalkDir("../../checkers", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			files = append(files, path)
		}
		return err
	}))
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			name := m[1] + m[2]
			if name == "HISTORY" { // the recorder's own mistake, no promise
				continue
			}
			n++
			promise := explain.PromiseOf(name)
			require.NotEmpty(t, promise.Demands, name)
			require.NotEmpty(t, promise.Source, name)
		}
	}
	require.Greater(t, n, 80)
	require.Equal(t, explain.Promise{Property: "NEW-ONE"}, explain.PromiseOf("NEW-ONE"))
}

func TestSpan(t *testing.T) {
	for d, want := range map[core.Mono]string{
		0: "0 ns", 999: "999 ns", 1500: "1.50 us", 65_900_000: "65.9 ms", 123_400_000: "123 ms", 2_000_000_000: "2 s", 7_670_000_000: "7.67 s",
	} {
		require.Equal(t, want, explain.Span(d))
	}
	require.Equal(t, "1 event", explain.Count(1, "event"))
	require.Equal(t, "12,345 events", explain.Count(12345, "event"))
}
