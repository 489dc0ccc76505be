// Package ledger is the catalogue of the points that runs of the simulator should reach.
//
// A point is a place in the source that calls Sometimes or Reachable (see core/invariant): a truncation, a refused ISR
// change, a snapshot that is fetched. A sweep that never comes by there proves nothing about it, however green it is. The
// catalogue lists all points with the profiles in which they must be reached; cmd/tidy holds it against the source, so a
// point that is new, renamed or gone fails there.
//
// What is marked rare is reported when it was not reached, and fails nothing: some hundred seeds may well miss it.
package ledger

import (
	_ "embed"
	"slices"
	"strings"
)

// Entry is one line of the catalogue.
type Entry struct {
	Name string
	Rare bool
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
		if i := slices.Index(e.Profiles, "rare"); i >= 0 {
			e.Rare = true
			e.Profiles = slices.Delete(e.Profiles, i, i+1)
		}
		out = append(out, e)
	}
	return out
}

// Demanded are the points that a sweep of a profile must reach.
func Demanded(profile string) []Entry {
	return slices.DeleteFunc(Catalogue(), func(e Entry) bool { return e.Rare || !slices.Contains(e.Profiles, profile) })
}
