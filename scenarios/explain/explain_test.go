package explain_test

import (
	"os"
	"regexp"
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

// A run that is watched is the run that is not: the same hash chain, the same verdict.
func TestWatchingChangesNothing(t *testing.T) {
	for _, plan := range drawn(t) {
		alone := scenarios.Run(plan, nil)
		tape := explain.Record(plan)
		require.Equal(t, alone.Result.Chain, tape.Verdict.Result.Chain, plan.Profile)
		require.Equal(t, alone.Result.Hash, tape.Verdict.Result.Hash, plan.Profile)
		require.Equal(t, alone.Lines(), tape.Verdict.Lines())
		again := explain.Record(plan)
		require.Equal(t, tape.Events, again.Events, "a tape is a function of the plan")
	}
}

// What a tape promises: events are in order, a message arrives after it was sent and where it was sent to, an answer is
// sent by who was asked after it was asked.
func TestTapesAreInOrder(t *testing.T) {
	for _, plan := range drawn(t) {
		tape := explain.Record(plan)
		require.NotEmpty(t, tape.Messages)
		for i := 1; i < len(tape.Events); i++ {
			require.LessOrEqual(t, tape.Events[i-1].At, tape.Events[i].At)
		}
		for i := range tape.Messages {
			m := &tape.Messages[i]
			require.Equal(t, m.From, tape.Events[m.Sent].Proc)
			require.Equal(t, explain.Sent, tape.Events[m.Sent].Kind)
			require.Equal(t, int32(i), tape.Events[m.Sent].Msg)
			if m.Arrived != explain.None {
				require.Greater(t, m.Arrived, m.Sent)
				require.Equal(t, m.To, tape.Events[m.Arrived].Proc)
				require.Less(t, tape.Events[m.Sent].At, tape.Events[m.Arrived].At)
			}
			if m.Answers != explain.None {
				q := &tape.Messages[m.Answers]
				require.Equal(t, []int32{q.To, q.From, int32(q.Key)}, []int32{m.From, m.To, int32(m.Key)})
				require.Less(t, q.Arrived, m.Sent)
			}
		}
		arrived := 0
		for i := range tape.Messages {
			if tape.Messages[i].Arrived != explain.None {
				arrived++
			}
		}
		require.Greater(t, arrived*10, len(tape.Messages)*8, "most messages arrive")
	}
}

// The past holds what can have been known and nothing else: of each process a prefix, closed under messages.
func TestPastIsClosed(t *testing.T) {
	for _, plan := range drawn(t) {
		tape := explain.Record(plan)
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
			require.False(t, open[e.Proc], "event %d of %s follows one that was left out", i, tape.ProcName(e.Proc))
			if e.Kind == explain.Arrived {
				require.True(t, past[tape.Messages[e.Msg].Sent])
			}
		}
		require.Less(t, size, len(tape.Events)*2/3, "not everything before an event is its past")
	}
}

// Every property that a checker can name has its demand and its source.
func TestEveryPropertyHasWords(t *testing.T) {
	named := regexp.MustCompile(`(?m)^\s*(?:const )?\w+\s+(?:checkers\.)?Property = "([^"]+)"|^\s*Property\w+\s+= "([^"]+)"`)
	n := 0
	for _, file := range []string{"../../checkers/property.go", "../../checkers/cluster/property.go", "../judge.go"} {
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
	require.Greater(t, n, 50)
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
