package results_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

// drawOutcome draws a run. Few seeds, hashes and counters, so that drawn runs overlap and contradict each other.
func drawOutcome(t *rapid.T) sweep.Outcome {
	name := rapid.SampledFrom([]string{"crash", "disk/slow", "raft.pre-vote", "log.tail-cut", "fetch.parked"})
	counter := rapid.Custom(func(t *rapid.T) sweep.Count {
		return sweep.Count{Name: name.Draw(t, "name"), N: rapid.Int64Range(0, 2).Draw(t, "n")}
	})
	violation := rapid.Custom(func(t *rapid.T) sweep.Violation {
		return sweep.Violation{
			Property: rapid.SampledFrom([]string{"ACKED", "ORDER", sweep.PropertyPanic}).Draw(t, "property"),
			Place:    rapid.SampledFrom([]string{"", "t-0@1", "t-0@2"}).Draw(t, "place"),
			Message:  rapid.SampledFrom([]string{"gone", "panic\nstack a", "panic\nstack b"}).Draw(t, "message"),
		}
	})
	return sweep.Outcome{
		Hash: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "hash"), Events: rapid.Int64Range(0, 2).Draw(t, "events"),
		SimTime: time.Duration(rapid.Int64Range(0, 1).Draw(t, "time")), Faults: rapid.SliceOfN(counter, 0, 3).Draw(t, "faults"),
		Sometimes: rapid.SliceOfN(counter, 0, 3).Draw(t, "sometimes"), Violations: rapid.SliceOfN(violation, 0, 2).Draw(t, "violations"),
		Inconclusive: rapid.SampledFrom([]string{"", "", "nothing was written"}).Draw(t, "why"),
	}
}

// drawSet draws the result of a process: any seeds of any range, possibly interrupted, possibly with contradictions.
func drawSet(t *rapid.T) *results.Set {
	seed := rapid.Uint64Range(1, 8)
	path := rapid.SampledFrom([]string{"", "a.json", "b.json"})
	first := seed.Draw(t, "first")
	s := results.New(key(), first, results.Seeds(first, rapid.Int64Range(0, 6).Draw(t, "wanted")))
	for range rapid.IntRange(0, 6).Draw(t, "runs") {
		s.Add(seed.Draw(t, "seed"), drawOutcome(t), path.Draw(t, "capsule"))
	}
	for range rapid.IntRange(0, 1).Draw(t, "diverged") {
		s.Diverge(seed.Draw(t, "seed"), rapid.SampledFrom([]string{"here", "there"}).Draw(t, "where"), path.Draw(t, "capsule"))
	}
	s.Ended(results.Process{
		ID: rapid.SampledFrom([]string{"p", "q", "r"}).Draw(t, "process"), WallNs: rapid.Int64Range(1, 3).Draw(t, "wall"),
	}, rapid.SliceOfN(seed, 0, 2).Draw(t, "unfinished"), rapid.Bool().Draw(t, "interrupted"))
	return s
}

func join(t *rapid.T, list ...*results.Set) *results.Set {
	s := list[0].Clone()
	for _, o := range list[1:] {
		if err := s.Join(o); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// reread is the set after it was written and read.
func reread(t *rapid.T, s *results.Set) *results.Set {
	b, err := s.WholeReport().Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := results.Parse(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return got
}

// text is all that a set says, in both formats.
func text(t *rapid.T, s *results.Set) string {
	b, err := s.WholeReport().Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(s.WholeReport().AppendText(b))
}

func same(t *rapid.T, law string, a, b *results.Set) {
	if x, y := text(t, a), text(t, b); x != y {
		t.Fatalf("%s\n%s\n---\n%s", law, x, y)
	}
}

// TestJoinIsASemilattice: joining is idempotent, commutative and associative, also over files.
func TestJoinIsASemilattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawSet(t), drawSet(t), drawSet(t)
		before := text(t, b)
		same(t, "idempotent", a, join(t, a, a))
		same(t, "commutative", join(t, a, b), join(t, b, a))
		same(t, "associative", join(t, join(t, a, b), c), join(t, a, join(t, b, c)))
		same(t, "absorbing", join(t, a, b), join(t, join(t, a, b), b, a))
		same(t, "written and read", a, reread(t, a))
		same(t, "joined over files", join(t, a, b, c), join(t, reread(t, c), reread(t, join(t, reread(t, a), b))))
		if after := text(t, b); after != before {
			t.Fatalf("joining changed what was joined\n%s\n---\n%s", before, after)
		}
	})
}

// TestShardsAreTheSweep: the shards of a sweep, each run up to some point, in any order, with some run again, give what
// one process gives.
func TestShardsAreTheSweep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, n := rapid.Uint64Range(0, 1000).Draw(t, "first"), rapid.Int64Range(1, 60).Draw(t, "seeds")
		of := rapid.Uint64Range(1, 9).Draw(t, "of")
		base := rapid.Uint64Range(0, 1).Draw(t, "base") // shards are counted from 0 or from 1
		whole := results.New(key(), first, results.Seeds(first, n))
		for seed := first; seed < first+uint64(n); seed++ {
			whole.Add(seed, outcome(seed), "")
		}
		whole.Ended(results.Process{ID: "whole", WallNs: 1}, nil, false)

		var parts []*results.Set
		for i := base; i < base+of; i++ {
			shard := results.Shard{Index: i, Of: of}
			seed, count := shard.First(first, n)
			run := func(from, to int64) {
				p := results.New(key(), first, results.Seeds(first, n))
				for k := from; k < to; k++ {
					p.Add(seed+uint64(k)*of, outcome(seed+uint64(k)*of), "")
				}
				p.Ended(results.Process{ID: fmt.Sprint(i, from), Shard: shard.String(), WallNs: 1}, nil, to < count)
				parts = append(parts, p)
			}
			killed := rapid.Int64Range(0, count).Draw(t, "killed after")
			overlap := rapid.Int64Range(0, killed).Draw(t, "again from")
			run(0, killed)
			run(overlap, count)
		}
		order := rapid.Permutation(parts).Draw(t, "order")
		got := results.New(key(), first, nil)
		for _, p := range order {
			if err := got.Join(p); err != nil {
				t.Fatal(err)
			}
		}
		if got.WholeReport().Code() != exit.OK || len(got.Missing()) > 0 || got.Ran().Count() != uint64(n) {
			t.Fatalf("code %v, missing %v, ran %v", got.WholeReport().Code(), got.Missing(), got.Ran())
		}
		x, y := got.Sums(), whole.Sums()
		x.Wall, y.Wall = 0, 0
		if fmt.Sprint(x) != fmt.Sprint(y) {
			t.Fatalf("shards %v\nwhole %v", x, y)
		}
	})
}

// Ledgers join as sets do, and the ledger of a join is the join of the ledgers.
func TestLedgersJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := func() results.Ledger {
			s := drawSet(t)
			l := s.Ledger()
			if rapid.Bool().Draw(t, "other profile") {
				l.Sweeps[0].Profile = "swarm"
			}
			return results.JoinLedgers(l)
		}
		a, b, c := drawn(), drawn(), drawn()
		j := results.JoinLedgers
		for law, pair := range map[string][2]results.Ledger{
			"idempotent": {a, j(a, a)}, "commutative": {j(a, b), j(b, a)}, "associative": {j(j(a, b), c), j(a, j(b, c))},
		} {
			x, _ := pair[0].Encode()
			y, _ := pair[1].Encode()
			if string(x) != string(y) {
				t.Fatalf("%s\n%s\n%s", law, x, y)
			}
			again, err := results.ParseLedger(y)
			if err != nil {
				t.Fatal(err)
			}
			if z, _ := again.Encode(); string(z) != string(y) {
				t.Fatalf("written and read\n%s\n%s", y, z)
			}
		}
	})
}

func TestLedger(t *testing.T) {
	s := set()
	l := s.Ledger()
	require.Empty(t, l.Sweeps[0].Unreached(), "nothing is demanded of a profile that is not ours")
	l.Sweeps[0].Profile = "default"
	require.Empty(t, l.Sweeps[0].Unreached(), "nothing is demanded of ten seeds")
	l.Sweeps[0].Seeds = results.Seeds(1, 100)
	require.Equal(t, map[string]uint64{"log.tail-cut": 1}, l.Sweeps[0].Points)
	require.NotContains(t, l.Sweeps[0].Unreached(), "log.tail-cut")
	require.Contains(t, l.Sweeps[0].Unreached(), "fetch.parked", "the profile default must reach it")
	l.Sweeps[0].Overrides = []string{"faults=[]"}
	require.Empty(t, l.Sweeps[0].Unreached(), "nothing is demanded of a changed profile")
	require.Empty(t, l.Unreached())

	// What profiles must reach together is demanded once all of them were swept.
	l = results.Ledger{Sweeps: []results.LedgerSweep{{Profile: "swarm", Seeds: results.Seeds(1, 100)}}}
	require.Empty(t, l.Unreached())
	for _, p := range []string{"calm", "cluster", "default", "media", "quorum"} {
		l.Sweeps = append(l.Sweeps, results.LedgerSweep{Profile: p, Seeds: results.Seeds(1, 100), Points: map[string]uint64{}})
	}
	missed := l.Unreached()
	require.NotEmpty(t, missed)
	l.Sweeps[2].Points[missed[0]] = 7
	require.Equal(t, missed[1:], append([]string{}, l.Unreached()...))

	fromResult, err := results.ParseLedger([]byte(encode(t, s)))
	require.NoError(t, err)
	require.Equal(t, s.Ledger(), fromResult)
	_, err = results.ParseLedger([]byte(`{"schema":"x"}`))
	require.ErrorContains(t, err, `schema "x"`)
}

// Ranges are sets of seeds.
func TestRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.Custom(func(t *rapid.T) results.Ranges {
			var out results.Ranges
			for range rapid.IntRange(0, 4).Draw(t, "n") {
				out = out.Union(results.Seeds(rapid.Uint64Range(0, 20).Draw(t, "first"), rapid.Int64Range(0, 6).Draw(t, "count")))
			}
			return out
		})
		a, b := r.Draw(t, "a"), r.Draw(t, "b")
		seeds := func(r results.Ranges) []uint64 {
			var out []uint64
			for _, x := range r {
				for s := x[0]; s <= x[1]; s++ {
					out = append(out, s)
				}
			}
			return out
		}
		want := slices.Concat(seeds(a), seeds(b))
		slices.Sort(want)
		want = slices.Compact(want)
		if got := seeds(a.Union(b)); !slices.Equal(got, want) || a.Union(b).Count() != uint64(len(want)) {
			t.Fatalf("%v and %v: %v", a, b, got)
		}
		want = slices.DeleteFunc(seeds(a), func(s uint64) bool { return slices.Contains(seeds(b), s) })
		if got := seeds(a.Minus(b)); !slices.Equal(got, want) {
			t.Fatalf("%v without %v: %v", a, b, got)
		}
	})
	require.Equal(t, results.Ranges{{5, ^uint64(0)}}, results.Ranges{{5, ^uint64(0)}}.Union(results.Seeds(9, 2)))
	many := strings.Count(results.Ranges{{1, 1}, {3, 3}, {5, 5}, {7, 7}, {9, 9}, {11, 11}, {13, 13}, {15, 15}, {17, 17}, {19, 20}}.String(), ",")
	require.Equal(t, 8, many)
}
