package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Schema names the format of klamm sim -o json and of klamm merge -o json.
const Schema = "klamm.sim.result/v1"

// File is a set as it is printed and stored. What is not in Names, Runs, Processes and Wanted, or says what the set is the
// result of, is computed from them and there for readers.
type File struct {
	Schema      string        `json:"schema"`
	Code        string        `json:"code"`
	Profile     string        `json:"profile"`
	Overrides   []string      `json:"overrides,omitempty"`
	ProfileHash string        `json:"profile_hash"`
	FirstSeed   uint64        `json:"first_seed"`
	SeedsRun    int64         `json:"seeds_run"`
	Violations  []FileFailure `json:"violations"`
	Signatures  []Signature   `json:"signatures,omitempty"`
	// Diverged are seeds that gave two different runs. Nothing else in the result counts then.
	Diverged     []FileDivergence `json:"diverged,omitempty"`
	Inconclusive []FileDoubt      `json:"inconclusive,omitempty"`
	Unfinished   []uint64         `json:"unfinished,omitempty"` // seeds that did not end in time
	Interrupted  bool             `json:"interrupted,omitempty"`
	Events       int64            `json:"events"`
	SimNs        int64            `json:"sim_ns"`
	WallNs       int64            `json:"wall_ns"`             // of all processes together
	TraceDigest  string           `json:"trace_digest"`        // of all seeds, whatever their order
	Faults       map[string]int64 `json:"faults"`              // fired, by kind
	Sometimes    map[string]int64 `json:"sometimes"`           // reached, by name
	Unreached    []string         `json:"unreached,omitempty"` // points that the profile should reach, and no seed did
	Wanted       Ranges           `json:"wanted,omitempty"`    // seeds that were asked for, of all shards
	Missing      Ranges           `json:"missing,omitempty"`   // those without a run, after a merge
	Processes    []FileProcess    `json:"processes"`
	Names        []string         `json:"names"` // of the counters in Runs
	Runs         []FileRun        `json:"runs"`  // by seed
}

// FileFailure is one violation.
type FileFailure struct {
	Seed     uint64 `json:"seed"`
	Property string `json:"property"`
	Place    string `json:"place,omitempty"`
	Message  string `json:"message"`
	Capsule  string `json:"capsule"` // path, empty if none was stored
}

// FileDivergence is a seed with two different runs.
type FileDivergence struct {
	Seed    uint64 `json:"seed"`
	Where   string `json:"where"`
	Capsule string `json:"capsule"`
	Runs    int    `json:"runs,omitempty"` // how many there are in the field runs; 0 if one process saw both
}

// FileDoubt is a seed that proves less than it should.
type FileDoubt struct {
	Seed uint64 `json:"seed"`
	Why  string `json:"why"`
}

// FileProcess is one process that ran seeds.
type FileProcess struct {
	ID     string `json:"id"`
	Shard  string `json:"shard,omitempty"`
	WallNs int64  `json:"wall_ns"`
}

// FileRun is one run. Counters are numbers of names and values in turn, by name.
type FileRun struct {
	Seed         uint64        `json:"seed"`
	Hash         string        `json:"hash"`
	Events       int64         `json:"events"`
	SimNs        int64         `json:"sim_ns"`
	Faults       []int64       `json:"faults,omitempty"`
	Sometimes    []int64       `json:"sometimes,omitempty"`
	Inconclusive string        `json:"inconclusive,omitempty"`
	Violations   []FileFailure `json:"violations,omitempty"`
	Capsule      string        `json:"capsule,omitempty"`
}

// File is the set as a file.
func (s *Set) File() File {
	sum := s.Sums()
	f := File{
		Schema: Schema, Code: s.key.Code, Profile: s.key.Profile, Overrides: s.key.Overrides, ProfileHash: s.key.ProfileHash,
		FirstSeed: s.first, SeedsRun: sum.Seeds, Violations: []FileFailure{}, Processes: []FileProcess{}, Signatures: s.Signatures(),
		Unfinished: s.Unfinished(), Interrupted: s.interrupted, Events: sum.Events, SimNs: int64(sum.SimTime), WallNs: int64(sum.Wall),
		TraceDigest: sum.Digest.String(), Faults: sum.Faults, Sometimes: sum.Points, Wanted: s.wanted,
	}
	for _, d := range s.diverged {
		f.Diverged = append(f.Diverged, FileDivergence{Seed: d.Seed, Where: d.Where, Capsule: d.Capsule})
	}
	for _, d := range s.conflicts() {
		f.Diverged = append(f.Diverged, FileDivergence{Seed: d.Seed, Where: d.Where, Capsule: d.Capsule, Runs: len(s.runs[d.Seed])})
	}
	for _, d := range s.Doubts() {
		f.Inconclusive = append(f.Inconclusive, FileDoubt(d))
	}
	for _, id := range slices.Sorted(maps.Keys(s.processes)) {
		f.Processes = append(f.Processes, FileProcess(s.processes[id]))
	}
	runs := s.sorted()
	names, place := s.names.table(func(yield func(counts)) {
		for _, r := range runs {
			yield(r.faults)
			yield(r.points)
		}
	})
	f.Names = names
	for _, r := range runs {
		run := FileRun{
			Seed: r.Seed, Hash: r.Hash, Events: r.Events, SimNs: r.SimNs, Inconclusive: r.Inconclusive, Capsule: r.Capsule,
			Faults: unpack(r.faults, place), Sometimes: unpack(r.points, place),
		}
		for _, v := range r.Violations {
			run.Violations = append(run.Violations, FileFailure{Seed: r.Seed, Property: v.Property, Place: v.Place, Message: v.Message, Capsule: r.Capsule})
		}
		f.Violations = append(f.Violations, run.Violations...)
		f.Runs = append(f.Runs, run)
	}
	return f
}

// unpack is counters as pairs, by the places of their names in the file.
func unpack(c counts, place []int) []int64 {
	var pairs []pair
	c.each(func(name int, n int64) { pairs = append(pairs, pair{place[name], n}) })
	slices.SortFunc(pairs, func(a, b pair) int { return a.name - b.name })
	out := make([]int64, 0, 2*len(pairs))
	for _, p := range pairs {
		out = append(out, int64(p.name), p.n)
	}
	return out
}

// ErrNoRuns is why a result of an older program cannot be joined.
var ErrNoRuns = errors.New("the result does not say what each seed showed: it was written by an older klamm")

// Parse reads a set. What is computed from the runs must be what the file says, or the file is damaged.
func Parse(b []byte) (*Set, error) {
	var f File
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	switch {
	case f.Schema != Schema:
		return nil, fmt.Errorf("schema %q, this program reads %q", f.Schema, Schema)
	case f.Processes == nil && f.Runs == nil:
		return nil, ErrNoRuns
	}
	s := New(Key{Code: f.Code, Profile: f.Profile, Overrides: f.Overrides, ProfileHash: f.ProfileHash}, f.FirstSeed, f.Wanted.Union(nil))
	for _, name := range f.Names {
		s.names.number(name)
	}
	if len(s.names.list) != len(f.Names) {
		return nil, errors.New("a name of a counter stands twice")
	}
	for i := range f.Runs {
		r, err := f.Runs[i].parse(len(f.Names))
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", f.Runs[i].Seed, err)
		}
		s.add(r)
	}
	for _, d := range f.Diverged {
		if d.Runs == 0 { // else the runs say so
			s.Diverge(d.Seed, d.Where, d.Capsule)
		}
	}
	for _, p := range f.Processes {
		s.Ended(Process(p), nil, false)
	}
	s.Ended(Process{}, f.Unfinished, f.Interrupted)
	if got := s.Sums().Digest.String(); got != f.TraceDigest {
		return nil, fmt.Errorf("the file is damaged: its digest is %s, that of its runs %s", f.TraceDigest, got)
	}
	return s, nil
}

// parse makes a run whose counters have a set's names of the same order.
func (f *FileRun) parse(names int) (Run, error) {
	r := Run{Seed: f.Seed, Hash: f.Hash, Events: f.Events, SimNs: f.SimNs, Inconclusive: f.Inconclusive, Capsule: f.Capsule}
	for _, v := range f.Violations {
		r.Violations = append(r.Violations, Violation{Property: v.Property, Place: v.Place, Message: v.Message})
	}
	var err, err2 error
	r.faults, err = parseCounts(f.Faults, names)
	r.points, err2 = parseCounts(f.Sometimes, names)
	return r, errors.Join(err, err2)
}

func parseCounts(list []int64, names int) (counts, error) {
	if len(list)%2 != 0 {
		return "", errors.New("a counter without a value")
	}
	pairs := make([]pair, 0, len(list)/2)
	last := int64(-1)
	for i := 0; i < len(list); i += 2 {
		if list[i] <= last || list[i] >= int64(names) {
			return "", fmt.Errorf("counter %d of %d names after counter %d", list[i], names, last)
		}
		last = list[i]
		pairs = append(pairs, pair{int(last), list[i+1]})
	}
	return pack(pairs), nil
}

// Encode is the file as JSON, a run per line.
func (f File) Encode() ([]byte, error) {
	runs := f.Runs
	f.Runs = []FileRun{}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-len("[]\n}")]
	b = append(b, '[')
	for i := range runs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n    "...)
		line, err := json.Marshal(&runs[i])
		if err != nil {
			return nil, err
		}
		b = append(b, line...)
	}
	return append(b, "\n  ]\n}\n"...), nil
}

// WriteFile writes a result. Whoever reads the path sees the old or the new contents, and a process that dies leaves the old.
func WriteFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// ReadFile reads a set.
func ReadFile(path string) (*Set, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// conflicts are the seeds of which there are two runs.
func (s *Set) conflicts() []Divergence {
	var out []Divergence
	for _, seed := range s.seeds() {
		if list := s.runs[seed]; len(list) > 1 {
			out = append(out, Divergence{Seed: seed, Where: conflict(&list[0], &list[1]), Capsule: either(list[0].Capsule, list[1].Capsule)})
		}
	}
	return out
}
