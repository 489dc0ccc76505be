// Package ledger is the catalogue of the points that runs of the simulator should reach.
//
// A point is a place in the source that calls Sometimes or Reachable (see core/invariant): a truncation, a refused ISR
// change, a snapshot that is fetched. A sweep that never comes by there proves nothing about it, however green it is. The
// catalogue lists all points with the profiles in which they must be reached; cmd/tidy holds it against the source, so a
// point that is new, renamed or gone fails there.
//
// What is marked rare is listed when it was not reached, and fails nothing: some hundred seeds may well miss it.
package ledger

import (
	_ "embed"
	"slices"
	"strings"
)

// Entry is one line of the catalogue.
type Entry struct {
	Name string
	Rare bool // nobody must reach it
	Any  bool // one of the profiles must, not each
	// Profiles are those that reach the point: often enough to demand it of a sweep, or, of a rare point, at all. None:
	// no seed is known to have reached it.
	Profiles []string
	What     string // what happens there
}

//go:embed catalogue.txt
var catalogue string

// Catalogue is all points by name.
func Catalogue() []Entry {
	var out []Entry
	for line := range strings.Lines(catalogue) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, "|")
		profiles, what, _ := strings.Cut(rest, "|")
		e := Entry{Name: strings.TrimSpace(name), Profiles: strings.Fields(profiles), What: strings.TrimSpace(what)}
		if n := len(e.Profiles); n > 0 && (e.Profiles[0] == "rare" || e.Profiles[0] == "any") {
			e.Rare, e.Any = e.Profiles[0] == "rare", e.Profiles[0] == "any"
			e.Profiles = e.Profiles[1:]
		}
		out = append(out, e)
	}
	return out
}

// Enough is how many seeds a sweep has of which anything is demanded.
const Enough = 100

// Demanded are the points that a sweep of a profile must reach by itself.
func Demanded(profile string) []Entry {
	return slices.DeleteFunc(Catalogue(), func(e Entry) bool { return e.Rare || e.Any || !slices.Contains(e.Profiles, profile) })
}

// Together are the points that sweeps of several profiles must reach together: each has one that is enough.
func Together() []Entry {
	return slices.DeleteFunc(Catalogue(), func(e Entry) bool { return !e.Any })
}
