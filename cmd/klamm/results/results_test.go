package results_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

func key() results.Key {
	return results.Key{Code: "0123abc", Profile: "some", ProfileHash: "00ff"}
}

// outcome is a run of a seed that holds.
func outcome(seed uint64) sweep.Outcome {
	return sweep.Outcome{
		Hash: fmt.Sprintf("%032x", seed), Events: 1000 + int64(seed), SimTime: time.Minute,
		Faults:    []sweep.Count{{Name: "crash", N: 2}, {Name: "disk/slow", N: int64(seed)}},
		Sometimes: []sweep.Count{{Name: "log.tail-cut", N: 1}},
	}
}

// set is the result of a process that ran seeds 1 to 10.
func set() *results.Set {
	s := results.New(key(), 1, results.Seeds(1, 10))
	for seed := uint64(1); seed <= 10; seed++ {
		s.Add(seed, outcome(seed), "")
	}
	s.Ended(results.Process{ID: "a1", WallNs: 30_100_000_000}, nil, false)
	return s
}

func violated(s *results.Set) {
	lost := outcome(7)
	lost.Violations = []sweep.Violation{
		{Property: "ACKED", Place: "t-0@17", Message: "the record is gone"},
		{Property: "ACKED", Place: "t-1@3", Message: "the record is gone"},
	}
	s.Add(7, lost, "capsules/default-7.json")
	small := outcome(3)
	small.Violations = []sweep.Violation{{Property: "ACKED", Place: "t-1@900", Message: "the record is gone"}}
	s.Add(3, small, "")
	panics := outcome(9)
	panics.Violations = []sweep.Violation{{Property: sweep.PropertyPanic, Message: "index out of range [7]\ngithub.com/klamm-log/klamm/core/log.(*Log).cut(0xc000)\n\t/x/log.go:7"}}
	s.Add(9, panics, "")
}

// without is the set but for some seeds.
func without(seeds ...uint64) *results.Set {
	s := results.New(key(), 1, results.Seeds(1, 10))
	for seed := uint64(1); seed <= 10; seed++ {
		if !contains(seeds, seed) {
			s.Add(seed, outcome(seed), "")
		}
	}
	s.Ended(results.Process{ID: "a1", WallNs: 30_100_000_000}, nil, false)
	return s
}

func contains(seeds []uint64, seed uint64) bool {
	for _, s := range seeds {
		if s == seed {
			return true
		}
	}
	return false
}

func TestReport(t *testing.T) {
	red := without(3, 7, 9)
	violated(red)
	interrupted := without(4, 5, 6)
	interrupted.Ended(results.Process{}, []uint64{4}, true)
	inconclusive := without(4)
	doubt := outcome(4)
	doubt.Inconclusive = "nothing was written"
	inconclusive.Add(4, doubt, "")
	unfinished := without(8, 10)
	unfinished.Ended(results.Process{}, []uint64{8, 10}, false)
	diverged := without(3, 7, 9)
	violated(diverged)
	diverged.Diverge(5, "the runs part after event 3", "")
	for name, test := range map[string]struct {
		set  *results.Set
		code exit.Code
	}{
		"held": {set(), exit.OK}, "violated": {red, exit.Violated}, "interrupted": {interrupted, exit.Interrupted},
		"inconclusive": {inconclusive, exit.Inconclusive}, "unfinished": {unfinished, exit.Inconclusive}, "diverged": {diverged, exit.Nondeterminism},
	} {
		r := test.set.Report()
		require.Equal(t, test.code, r.Code(), name)
		clitest.Golden(t, "sim_"+name+".txt", clitest.Printed(t, r))
	}
}

// A joined result says what is missing, and how to run it.
func TestWholeReport(t *testing.T) {
	s := without(4, 5, 6, 10)
	s.Ended(results.Process{}, []uint64{4}, true)
	r := s.WholeReport()
	require.Equal(t, exit.Inconclusive, r.Code())
	clitest.Golden(t, "merge_incomplete.txt", string(r.AppendText(nil)))
	require.NoError(t, s.Join(set()))
	require.Equal(t, exit.OK, s.WholeReport().Code(), "what was interrupted has been made up for")
	require.Empty(t, s.Complete())

	shards := results.New(key(), 1, results.Seeds(1, 10))
	for seed := uint64(1); seed <= 10; seed += 3 {
		shards.Add(seed, outcome(seed), "")
	}
	shards.Ended(results.Process{ID: "a", Shard: "0/3", WallNs: 1}, nil, false)
	require.Equal(t, []string{
		"klamm sim --shard 1/3 --seed 1 --seeds 10 --profile some",
		"klamm sim --shard 2/3 --seed 1 --seeds 10 --profile some",
	}, shards.Complete())
}

// Two runs of a seed by one program are nondeterminism, whatever else is in the results.
func TestConflict(t *testing.T) {
	a, b := set(), set()
	other := outcome(5)
	other.Hash = "another"
	b.Add(5, other, "")
	require.NoError(t, a.Join(b))
	require.Equal(t, exit.Nondeterminism, a.WholeReport().Code())
	clitest.Golden(t, "merge_conflict.txt", string(a.WholeReport().AppendText(nil)))
	require.EqualValues(t, 10, a.Sums().Seeds, "a seed counts once")

	// So are different counters or verdicts of equal histories.
	for _, change := range []func(*sweep.Outcome){
		func(o *sweep.Outcome) { o.Faults[0].N++ },
		func(o *sweep.Outcome) { o.Sometimes = nil },
		func(o *sweep.Outcome) { o.Violations = []sweep.Violation{{Property: "ACKED"}} },
	} {
		a, b := set(), without(5)
		o := outcome(5)
		change(&o)
		b.Add(5, o, "")
		require.NoError(t, a.Join(b))
		require.Equal(t, exit.Nondeterminism, a.Code())
	}
}

func TestDifferentSweepsDoNotJoin(t *testing.T) {
	for _, change := range []func(*results.Key){
		func(k *results.Key) { k.Code = "other" },
		func(k *results.Key) { k.Profile = "other" },
		func(k *results.Key) { k.ProfileHash = "other" },
		func(k *results.Key) { k.Overrides = []string{"disk=[]"} },
	} {
		k := key()
		change(&k)
		s := set()
		before := encode(t, s)
		require.ErrorIs(t, s.Join(results.New(k, 1, nil)), results.ErrDifferent)
		require.Equal(t, before, encode(t, s))
	}
}

func encode(t testing.TB, s *results.Set) string {
	t.Helper()
	b, err := s.Report().Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParseRefuses(t *testing.T) {
	whole := encode(t, set())
	for _, test := range []struct{ in, why string }{
		{"", "unexpected end"},
		{whole[:len(whole)/2], "unexpected end"},
		{`{"schema":"x"}`, `schema "x"`},
		{`{"schema":"klamm.sim.result/v1","seeds_run":3}`, results.ErrNoRuns.Error()},
		{strings.Replace(whole, `"seed":3`, `"seed":30`, 1), "the file is damaged"},
		{strings.Replace(whole, `"faults":[0,2,1,1]`, `"faults":[0,2,1]`, 1), "without a value"},
		{strings.Replace(whole, `"faults":[0,2,1,1]`, `"faults":[0,2,9,1]`, 1), "counter 9 of 3"},
		{strings.Replace(whole, `"disk/slow",`, `"crash",`, 1), "stands twice"},
	} {
		_, err := results.Parse([]byte(test.in))
		require.ErrorContains(t, err, test.why)
	}
}

// A file is replaced at once, and what cannot be written leaves the old one.
func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	require.NoError(t, results.WriteFile(path, []byte("one")))
	require.NoError(t, results.WriteFile(path, []byte("two")))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "two", string(b))
	list, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Error(t, results.WriteFile(filepath.Join(path, "below-a-file"), nil))
	_, err = results.ReadFile(path)
	require.ErrorContains(t, err, path)
	_, err = results.ReadFile(path + "x")
	require.True(t, errors.Is(err, os.ErrNotExist))
}

func TestSign(t *testing.T) {
	for _, test := range []struct {
		v    sweep.Violation
		want string
	}{
		{sweep.Violation{Property: "ACKED", Place: "t0-1@17", Message: "gone"}, "ACKED t#-#@#"},
		{sweep.Violation{Property: "ACKED", Place: "t3-0@-1"}, "ACKED t#-#@#"},
		{sweep.Violation{Property: "ACKED", Place: "churn0-2"}, "ACKED churn#-#"},
		{sweep.Violation{Property: "L-HEALTHY", Message: "node 3: log of topic NSrJqTc6QdyMvcpTbIKXNg is offline (at 7 ns)"}, "L-HEALTHY: node #: log of topic # is offline"},
		{sweep.Violation{Property: "L-HEALTHY", Message: "brokers [1 2 3] do not serve"}, "L-HEALTHY: brokers [#] do not serve"},
		{sweep.Violation{Property: "L-HEALTHY", Message: "brokers [2] do not serve"}, "L-HEALTHY: brokers [#] do not serve"},
		{sweep.Violation{Property: "INVARIANT", Place: "broker2", Message: "invariant broken: a follower is ahead of its leader's log (at 5, end 4) (at 17 ns)"}, "INVARIANT broker#: invariant broken: a follower is ahead of its leader's log"},
		{sweep.Violation{Property: "INVARIANT", Place: "broker1", Message: "invariant broken: append of 7 bytes, the batch has 9"}, "INVARIANT broker#: invariant broken: append of # bytes, the batch has #"},
		{
			sweep.Violation{Property: sweep.PropertyPanic, Message: "runtime error: index out of range [5] with length 5\ngoroutine 7\ngithub.com/klamm-log/klamm/core/log.(*Log).cut(0xc0001, {0x1, 0x2})\n\t/src/log.go:12 +0x1f"},
			"PANIC: runtime error: index out of range [#] with length # in core/log.(*Log).cut",
		},
		{sweep.Violation{Property: "P"}, "P"},
	} {
		require.Equal(t, test.want, results.Sign(test.v))
	}
}

// Of a signature the smallest seed comes first, and what can be pasted into a shell.
func TestSignatures(t *testing.T) {
	k := key()
	k.Overrides = []string{"safety_ms=[1000,2000]"}
	s := results.New(k, 1, nil)
	for seed, events := range map[uint64]int64{1: 900, 2: 100, 3: 500, 4: 100, 5: 0} {
		o := outcome(seed)
		o.Events = events
		o.Violations = []sweep.Violation{{Property: "ACKED", Place: fmt.Sprintf("t-0@%d", seed), Message: "gone"}, {Property: "ACKED", Place: "t-1@1"}}
		if seed == 3 {
			o.Violations = append(o.Violations, sweep.Violation{Property: "OTHER"})
		}
		s.Add(seed, o, "")
	}
	list := s.Signatures()
	require.Len(t, list, 2)
	require.Equal(t, "ACKED t-#@#", list[0].Signature)
	require.Equal(t, 5, list[0].Seeds)
	require.Equal(t, 10, list[0].Count)
	require.EqualValues(t, 2, list[0].Smallest.Seed)
	require.Equal(t, "klamm sim --seed 2 --seeds 1 --profile some --set 'safety_ms=[1000,2000]'", list[0].Smallest.Replay)
	require.EqualValues(t, 4, list[0].Others[0].Seed)
	require.EqualValues(t, 5, list[0].Others[3].Seed, "one that did not get to count its events comes last")
	require.Equal(t, "OTHER", list[1].Signature)
}

func TestShard(t *testing.T) {
	for _, text := range []string{"x", "1", "1/", "/2", "1/0", "3/2", "-1/2", "1/2/3"} {
		_, err := results.ParseShard(text)
		require.Error(t, err, text)
	}
	s, err := results.ParseShard("")
	require.NoError(t, err)
	require.Equal(t, results.Whole(), s)
	s, err = results.ParseShard("2/8")
	require.NoError(t, err)
	require.Equal(t, "2/8", s.String())
}
