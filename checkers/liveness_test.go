package checkers

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// splitLiveness is the cases of testdata/liveness.cases and how many obligations each leaves open.
func splitLiveness(t testing.TB) (cases []textCase, open []int) {
	src, err := os.ReadFile("testdata/liveness.cases")
	require.NoError(t, err)
	for _, part := range strings.Split(string(src), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		want, body, _ := strings.Cut(rest, "\n")
		want, left, ok := strings.Cut(want, " open ")
		require.True(t, ok, name)
		n, err := strconv.Atoi(left)
		require.NoError(t, err, name)
		cases = append(cases, readCase(t, name+"\n"+want+"\n"+body))
		open = append(open, n)
	}
	return cases, open
}

func livenessCases(t testing.TB) []textCase {
	cases, _ := splitLiveness(t)
	return cases
}

func TestLiveness(t *testing.T) {
	cases, open := splitLiveness(t)
	at := history.Place{}
	owed := Liveness{
		Stop: 100, Produce: 50, Consume: 50, Start: 50,
		Producing: []history.Place{at}, Consuming: []Consuming{{Process: 3, Place: at}}, Serving: []core.NodeID{1},
	}
	for n, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			require.Empty(t, Check(tc.log, Options{}), "the history is unsafe too")
			out := CheckLiveness(tc.log, owed, Options{})
			require.Equal(t, tc.want, found(out.Violations), "%v", out.Violations)
			require.Equal(t, open[n], out.Open)
			require.Equal(t, 3, out.Met+out.Open+len(out.Violations))
		})
	}
}

func TestLivenessOfAnEmptyHistoryIsOpen(t *testing.T) {
	out := CheckLiveness(&history.Log{}, Liveness{Stop: 1, Start: 1, Serving: []core.NodeID{1}}, Options{})
	require.Equal(t, Outcome{Open: 1}, out)
}
