package results

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

// sorted are all runs by seed.
func (s *Set) sorted() []*Run {
	out := make([]*Run, 0, len(s.runs))
	for _, seed := range s.seeds() {
		for i := range s.runs[seed] {
			out = append(out, &s.runs[seed][i])
		}
	}
	return out
}

func (s *Set) seeds() []uint64 { return slices.Sorted(maps.Keys(s.runs)) }

// Sums is what runs add up to. Of two runs of one seed only the first counts.
type Sums struct {
	Seeds   int64
	Events  int64
	SimTime time.Duration
	Wall    time.Duration // of all processes together
	Digest  sweep.Digest
	Faults  map[string]int64 // fired, by kind
	Points  map[string]int64 // reached, by name
	// FirstSeeds is the smallest seed that reached each point.
	FirstSeeds map[string]uint64
	// Reaching is how many seeds reached each point.
	Reaching map[string]int64
}

// Sums adds up.
func (s *Set) Sums() Sums {
	sum := Sums{
		Faults: make(map[string]int64), Points: make(map[string]int64), FirstSeeds: make(map[string]uint64), Reaching: make(map[string]int64),
	}
	for _, seed := range s.seeds() {
		r := &s.runs[seed][0]
		sum.Seeds++
		sum.Events += r.Events
		sum.SimTime += time.Duration(r.SimNs)
		sum.Digest.Add(seed, r.Hash)
		s.names.addTo(sum.Faults, r.faults)
		s.names.addTo(sum.Points, r.points)
		r.points.each(func(name int, _ int64) {
			n := s.names.list[name]
			sum.Reaching[n]++
			if _, ok := sum.FirstSeeds[n]; !ok {
				sum.FirstSeeds[n] = seed
			}
		})
	}
	for _, p := range s.processes {
		sum.Wall += time.Duration(p.WallNs)
	}
	return sum
}

// Ran are the seeds that have a run.
func (s *Set) Ran() Ranges { return of(s.seeds()) }

// Missing are the seeds that were asked for and have no run.
func (s *Set) Missing() Ranges { return s.wanted.Minus(s.Ran()) }

// Unfinished are the seeds that a process gave up and no other ran.
func (s *Set) Unfinished() []uint64 {
	var out []uint64
	for seed := range s.unfinished {
		if !s.Has(seed) {
			out = append(out, seed)
		}
	}
	slices.Sort(out)
	return out
}

// Diverged are the seeds that gave two different runs, in one process or in two.
func (s *Set) Diverged() []Divergence {
	out := append(slices.Clone(s.diverged), s.conflicts()...)
	slices.SortStableFunc(out, func(a, b Divergence) int { return compareSeeds(a.Seed, b.Seed) })
	return out
}

func compareSeeds(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// conflict says how two runs of one seed differ.
func conflict(a, b *Run) string {
	if a.Hash == b.Hash && a.Events == b.Events {
		return fmt.Sprintf("two results have run it with hash %s and say different things of it: %d violations in one, %d in the other",
			a.Hash, len(a.Violations), len(b.Violations))
	}
	return fmt.Sprintf("two results have run it: one has %d events and hash %s, the other %d and %s", a.Events, a.Hash, b.Events, b.Hash)
}

// Failing is how many seeds violated something.
func (s *Set) Failing() int {
	n := 0
	for _, list := range s.runs {
		if slices.ContainsFunc(list, func(r Run) bool { return len(r.Violations) > 0 }) {
			n++
		}
	}
	return n
}

// Doubts are the seeds that prove less than they should.
func (s *Set) Doubts() []sweep.Doubt {
	var out []sweep.Doubt
	for _, r := range s.sorted() {
		if r.Inconclusive != "" {
			out = append(out, sweep.Doubt{Seed: r.Seed, Why: r.Inconclusive})
		}
	}
	return out
}

// Interrupted reports whether a process was interrupted, and what it left undone was not made up for.
func (s *Set) Interrupted() bool {
	return s.interrupted && (len(s.wanted) == 0 || len(s.Missing()) > 0)
}

// Code is the exit code of the set by itself: a failing seed is a failing seed, also where others are missing.
func (s *Set) Code() exit.Code {
	switch {
	case len(s.Diverged()) > 0:
		return exit.Nondeterminism
	case s.Failing() > 0:
		return exit.Violated
	case s.Interrupted():
		return exit.Interrupted
	case len(s.Unfinished()) > 0, len(s.Doubts()) > 0:
		return exit.Inconclusive
	}
	return exit.OK
}

// Repeat is the command that runs a seed again.
func (s *Set) Repeat(seed uint64, twice bool) string { return s.key.Repeat(seed, twice) }

// Repeat is the command that runs a seed again, twice to compare the runs.
func (k Key) Repeat(seed uint64, twice bool) string {
	again := ""
	if twice {
		again = " --twice"
	}
	return fmt.Sprintf("klamm sim --seed %d --seeds 1%s%s", seed, again, k.flags())
}

// flags are the flags that say what seeds are drawn from.
func (k Key) flags() string {
	line := " --profile " + quote(k.Profile)
	for _, o := range k.Overrides {
		line += " --set " + quote(o)
	}
	return line
}

// quote makes one word of a shell's command line.
func quote(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:,=+@%", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Complete are the commands that run what is missing; some of them, if they are many. Shards that are incomplete are
// resumed.
func (s *Set) Complete() []string {
	const most = 8
	missing := s.Missing()
	if len(missing) == 0 {
		return nil
	}
	wanted := fmt.Sprintf("--seed %d --seeds %d%s", s.wanted[0][0], s.wanted.Count(), s.key.flags())
	var lines []string
	add := func(line string) bool {
		if len(lines) == most {
			lines = append(lines, "...")
		}
		if len(lines) > most {
			return false
		}
		lines = append(lines, line)
		return true
	}
	if n := s.shards(); n > 1 && len(s.wanted) == 1 {
		lacking := make(map[uint64]bool)
		for _, r := range missing {
			for i := range min(n, r[1]-r[0]+1) {
				lacking[(r[0]+i-s.first)%n] = true
			}
		}
		for _, residue := range slices.Sorted(maps.Keys(lacking)) {
			if !add(fmt.Sprintf("klamm sim --shard %d/%d %s", residue, n, wanted)) {
				break
			}
		}
		return lines
	}
	for _, r := range missing {
		if !add(fmt.Sprintf("klamm sim --seed %d --seeds %d%s", r[0], r[1]-r[0]+1, s.key.flags())) {
			break
		}
	}
	return lines
}

// shards is into how many shards the processes cut the seeds; 0 if they do not agree.
func (s *Set) shards() uint64 {
	n := uint64(0)
	for _, p := range s.processes {
		shard, err := ParseShard(p.Shard)
		if err != nil || n != 0 && shard.Of != n {
			return 0
		}
		n = shard.Of
	}
	return n
}
