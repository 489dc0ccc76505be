package results

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/klamm-log/klamm/scenarios/ledger"
)

// LedgerSchema names the format of a ledger.
const LedgerSchema = "klamm.ledger/v1"

// Ledger says which points sweeps have reached, each with the smallest seed that does: small, and, as a union of seeds
// and a minimum, idempotent, commutative and associative like a [Set].
type Ledger struct {
	Schema string        `json:"schema"`
	Sweeps []LedgerSweep `json:"sweeps"` // by key
}

// LedgerSweep is the part of one program and one profile.
type LedgerSweep struct {
	Code        string            `json:"code"`
	Profile     string            `json:"profile"`
	Overrides   []string          `json:"overrides,omitempty"`
	ProfileHash string            `json:"profile_hash"`
	Seeds       Ranges            `json:"seeds"`  // that were run
	Points      map[string]uint64 `json:"points"` // the smallest seed that reached each
}

// Ledger is the set's ledger.
func (s *Set) Ledger() Ledger {
	sum := s.Sums()
	return Ledger{Schema: LedgerSchema, Sweeps: []LedgerSweep{{
		Code: s.key.Code, Profile: s.key.Profile, Overrides: s.key.Overrides, ProfileHash: s.key.ProfileHash,
		Seeds: s.Ran(), Points: sum.FirstSeeds,
	}}}
}

// ParseLedger reads a ledger, or makes one of a result.
func ParseLedger(b []byte) (Ledger, error) {
	var l Ledger
	if err := json.Unmarshal(b, &l); err != nil {
		return l, err
	}
	if l.Schema == Schema {
		s, err := Parse(b)
		if err != nil {
			return l, err
		}
		return s.Ledger(), nil
	}
	if l.Schema != LedgerSchema {
		return l, fmt.Errorf("schema %q, this program reads %q and %q", l.Schema, LedgerSchema, Schema)
	}
	return JoinLedgers(l), nil // in order, each key once
}

// JoinLedgers is what ledgers have together. Sweeps of different programs or profiles stay apart.
func JoinLedgers(list ...Ledger) Ledger {
	out := Ledger{Schema: LedgerSchema, Sweeps: []LedgerSweep{}}
	for _, l := range list {
		for _, s := range l.Sweeps {
			at, found := slices.BinarySearchFunc(out.Sweeps, s, compareSweeps)
			if !found {
				s.Points = maps.Clone(s.Points)
				s.Seeds = s.Seeds.Union(nil)
				out.Sweeps = slices.Insert(out.Sweeps, at, s)
				continue
			}
			have := &out.Sweeps[at]
			have.Seeds = have.Seeds.Union(s.Seeds)
			for name, seed := range s.Points {
				if first, ok := have.Points[name]; !ok || seed < first {
					if have.Points == nil {
						have.Points = make(map[string]uint64)
					}
					have.Points[name] = seed
				}
			}
		}
	}
	return out
}

func compareSweeps(a, b LedgerSweep) int {
	return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Profile, b.Profile), slices.Compare(a.Overrides, b.Overrides),
		cmp.Compare(a.ProfileHash, b.ProfileHash))
}

// Judged reports whether anything is demanded of a sweep: it has seeds enough, and its profile is as it comes.
func (s *LedgerSweep) Judged() bool { return len(s.Overrides) == 0 && s.Seeds.Count() >= ledger.Enough }

// Unreached are the points that a sweep must reach and did not.
func (s *LedgerSweep) Unreached() []string {
	if !s.Judged() {
		return nil
	}
	var out []string
	for _, e := range ledger.Demanded(s.Profile) {
		if _, ok := s.Points[e.Name]; !ok {
			out = append(out, e.Name)
		}
	}
	return out
}

// Unreached are the points that sweeps of one program must reach together, if all their profiles were swept, and that none
// has reached.
func (l *Ledger) Unreached() []string {
	swept := make(map[[2]string]bool)   // code and profile
	reached := make(map[[2]string]bool) // code and point
	codes := make(map[string]bool)
	for i := range l.Sweeps {
		s := &l.Sweeps[i]
		if !s.Judged() {
			continue
		}
		codes[s.Code] = true
		swept[[2]string{s.Code, s.Profile}] = true
		for name := range s.Points {
			reached[[2]string{s.Code, name}] = true
		}
	}
	var out []string
	for _, e := range ledger.Together() {
		for code := range codes {
			all := !slices.ContainsFunc(e.Profiles, func(p string) bool { return !swept[[2]string{code, p}] })
			if all && !reached[[2]string{code, e.Name}] {
				out = append(out, e.Name)
			}
		}
	}
	return slices.Compact(out)
}

// Encode is the ledger as JSON, ended by a new line.
func (l Ledger) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(l, "", " ")
	return append(b, '\n'), err
}
