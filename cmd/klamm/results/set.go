package results

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

// Key says of what a set is the result. Sets are joined only if their keys are equal.
type Key struct {
	// Code is the program: a commit, or a digest of the program's file where the commit does not say all. Programs for
	// other processors have the same code, and must give the same runs.
	Code    string
	Profile string // what the seeds draw from, as klamm sim takes it
	// Overrides are the settings of the command line that changed the profile, in order.
	Overrides []string
	// ProfileHash is a digest of the profile's contents, changes included: a file's name does not say all.
	ProfileHash string
}

// differ says what keeps two keys from being joined; nil if nothing does.
func (k Key) differ(o Key) error {
	switch {
	case k.Code != o.Code:
		return fmt.Errorf("%w: one is of program %s, another of %s", ErrDifferent, k.Code, o.Code)
	case k.Profile != o.Profile:
		return fmt.Errorf("%w: one is of profile %s, another of %s", ErrDifferent, k.Profile, o.Profile)
	case !slices.Equal(k.Overrides, o.Overrides):
		return fmt.Errorf("%w: profile %s was changed by %q in one, by %q in another", ErrDifferent, k.Profile, k.Overrides, o.Overrides)
	case k.ProfileHash != o.ProfileHash:
		return fmt.Errorf("%w: profile %s had other contents in one than in another", ErrDifferent, k.Profile)
	}
	return nil
}

// ErrDifferent is why results cannot be joined: they are not of one program and one profile.
var ErrDifferent = errors.New("results of different sweeps")

// Violation is one broken property of a run.
type Violation = sweep.Violation

// Run is what one seed's run showed.
type Run struct {
	Seed         uint64
	Hash         string
	Events       int64
	SimNs        int64
	Inconclusive string
	Violations   []Violation
	Capsule      string // path; not part of what a run is

	faults, points counts
}

// compare orders runs: by seed, then by whatever tells two runs of one seed apart. 0 is the same run.
func compare(a, b *Run) int {
	return cmp.Or(
		cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.Events, b.Events), cmp.Compare(a.SimNs, b.SimNs),
		cmp.Compare(a.Inconclusive, b.Inconclusive), slices.CompareFunc(a.Violations, b.Violations, compareViolations),
	)
}

func compareViolations(a, b Violation) int {
	return cmp.Or(cmp.Compare(a.Property, b.Property), cmp.Compare(a.Place, b.Place), cmp.Compare(stable(a), stable(b)))
}

// stable is a violation's message without what may differ between equal runs: the addresses in a panic's stack.
func stable(v Violation) string {
	if v.Property == sweep.PropertyPanic {
		first, _, _ := strings.Cut(v.Message, "\n")
		return first
	}
	return v.Message
}

// Divergence is a seed of which one process saw two different runs.
type Divergence struct {
	Seed    uint64
	Where   string
	Capsule string // not part of what it is
}

// Process is one process that ran seeds.
type Process struct {
	ID     string // unique
	Shard  string // "2/8"; empty for all seeds
	WallNs int64
}

// Set is runs by seed. The zero value is not usable; make one with [New].
type Set struct {
	key         Key
	first       uint64           // the first seed that was asked for, of all shards
	wanted      Ranges           // all seeds that were asked for, of all shards; empty if nobody said how many
	names       *names           // of the counters in runs
	runs        map[uint64][]Run // sorted; more than one: nondeterminism
	diverged    []Divergence     // sorted
	unfinished  map[uint64]bool  // some of which another process may have finished
	interrupted bool
	processes   map[string]Process
}

// New is a set without runs. first is where the sweep's seeds begin, wanted which there are, or nothing.
func New(key Key, first uint64, wanted Ranges) *Set {
	return &Set{
		key: key, first: first, wanted: wanted, names: &names{}, runs: make(map[uint64][]Run),
		unfinished: make(map[uint64]bool), processes: make(map[string]Process),
	}
}

// Key is what the set is a result of.
func (s *Set) Key() Key { return s.key }

// Add adds the run of a seed.
func (s *Set) Add(seed uint64, o sweep.Outcome, capsule string) {
	r := Run{
		Seed: seed, Hash: o.Hash, Events: o.Events, SimNs: int64(o.SimTime), Violations: slices.Clone(o.Violations), Capsule: capsule,
		faults: s.names.packNamed(o.Faults), points: s.names.packNamed(o.Sometimes),
	}
	if len(r.Violations) == 0 {
		r.Inconclusive = o.Inconclusive
	}
	s.add(r)
}

// add adds a run whose counters have this set's names.
func (s *Set) add(r Run) {
	list := s.runs[r.Seed]
	at, found := slices.BinarySearchFunc(list, r, s.order)
	if !found {
		s.runs[r.Seed] = slices.Insert(list, at, r)
		return
	}
	list[at].Capsule = either(list[at].Capsule, r.Capsule)
	if list[at].message() > r.message() { // stacks may differ
		list[at].Violations = r.Violations
	}
}

// order is compare with the counters, too.
func (s *Set) order(a, b Run) int {
	return cmp.Or(compare(&a, &b), cmp.Compare(s.spell(a.faults), s.spell(b.faults)), cmp.Compare(s.spell(a.points), s.spell(b.points)))
}

// spell makes counters comparable whatever numbers their names have: numbers depend on the order of joining.
func (s *Set) spell(c counts) string {
	var parts []string
	c.each(func(name int, n int64) { parts = append(parts, fmt.Sprintf("%s=%d", s.names.list[name], n)) })
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func (r *Run) message() string {
	var b strings.Builder
	for _, v := range r.Violations {
		b.WriteString(v.Message)
	}
	return b.String()
}

// either is the smaller of two texts that are not empty.
func either(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// Has reports whether the set has a run of a seed.
func (s *Set) Has(seed uint64) bool { return len(s.runs[seed]) > 0 }

// Diverge notes that one process saw two different runs of a seed.
func (s *Set) Diverge(seed uint64, where, capsule string) {
	d := Divergence{Seed: seed, Where: where, Capsule: capsule}
	at, found := slices.BinarySearchFunc(s.diverged, d, func(a, b Divergence) int {
		return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Where, b.Where))
	})
	if found {
		s.diverged[at].Capsule = either(s.diverged[at].Capsule, capsule)
		return
	}
	s.diverged = slices.Insert(s.diverged, at, d)
}

// Ended notes how a process ended, or, while it runs, how far it is: the last word of a process counts. One without an ID
// is not listed.
func (s *Set) Ended(p Process, unfinished []uint64, interrupted bool) {
	if old, ok := s.processes[p.ID]; p.ID != "" && (!ok || old.WallNs < p.WallNs) {
		s.processes[p.ID] = p
	}
	for _, seed := range unfinished {
		s.unfinished[seed] = true
	}
	s.interrupted = s.interrupted || interrupted
}

// Resume says that a process goes on where another was interrupted: that it was is made up for.
func (s *Set) Resume() { s.interrupted = false }

// Join adds what another set has. It refuses sets of another key, and then changes nothing.
func (s *Set) Join(o *Set) error {
	if err := s.key.differ(o.key); err != nil {
		return err
	}
	s.first = min(s.first, o.first)
	s.wanted = s.wanted.Union(o.wanted)
	for _, seed := range slices.Sorted(maps.Keys(o.runs)) {
		for _, r := range o.runs[seed] {
			r.faults, r.points = s.names.translate(r.faults, o.names), s.names.translate(r.points, o.names)
			s.add(r)
		}
	}
	for _, d := range o.diverged {
		s.Diverge(d.Seed, d.Where, d.Capsule)
	}
	for _, id := range slices.Sorted(maps.Keys(o.processes)) {
		s.Ended(o.processes[id], nil, false)
	}
	for seed := range o.unfinished {
		s.unfinished[seed] = true
	}
	s.interrupted = s.interrupted || o.interrupted
	return nil
}

// Clone is a set of its own with the same contents.
func (s *Set) Clone() *Set {
	c := New(s.key, s.first, slices.Clone(s.wanted))
	if err := c.Join(s); err != nil {
		panic(err) // the keys are the same
	}
	return c
}
