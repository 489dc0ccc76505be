package results

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

// Signature is what failures have in common: the property and its place without numbers, which differ from seed to seed.
// One bug may have several signatures, and two bugs the same, but the first thing to look at is one seed of each.
type Signature struct {
	Signature string `json:"signature"`
	Property  string `json:"property"`
	Seeds     int    `json:"seeds"`      // that violated it
	Count     int    `json:"violations"` // of it, in all seeds
	// Smallest is the seed with the fewest events, and with that the quickest to understand.
	Smallest Example   `json:"smallest"`
	Others   []Example `json:"others,omitempty"` // the next smallest
}

// Example is a failing seed.
type Example struct {
	Seed    uint64 `json:"seed"`
	Events  int64  `json:"events"`
	Place   string `json:"place,omitempty"`
	Message string `json:"message"` // the first violation's
	Capsule string `json:"capsule,omitempty"`
	Replay  string `json:"replay"` // the command that repeats it
}

// maxOthers is how many seeds of a signature are listed besides the smallest.
const maxOthers = 4

// Sign is a violation's signature.
func Sign(v Violation) string {
	switch {
	case v.Property == sweep.PropertyPanic, strings.HasPrefix(v.Message, broken):
		// The place is in the text: what broke, and for a panic the function where.
		where := strings.TrimSpace(v.Property + " " + normal(v.Place))
		return strings.TrimSpace(where + ": " + normal(headline(v.Message)) + " " + function(v.Message))
	case v.Place != "":
		return v.Property + " " + normal(v.Place)
	case headline(v.Message) != "":
		return v.Property + ": " + normal(headline(v.Message))
	}
	return v.Property
}

// broken is how the text of a broken invariant of the core begins.
const broken = "invariant broken: "

// headline is a message's first line up to its details, which differ from seed to seed.
func headline(message string) string {
	line, _, _ := strings.Cut(message, "\n")
	line, _, _ = strings.Cut(line, " (")
	const most = 120
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most])
	}
	return line
}

// function is the first function of ours in a panic's stack.
func function(message string) string {
	_, stack, _ := strings.Cut(message, "\n")
	for line := range strings.Lines(stack) {
		if name, ok := strings.CutPrefix(line, "github.com/klamm-log/klamm/"); ok {
			name, _, _ = strings.Cut(strings.TrimRight(name, "\n"), "({")
			if at := strings.LastIndex(name, "(0x"); at > 0 {
				name = name[:at]
			}
			return "in " + strings.TrimSuffix(name, "(...)")
		}
	}
	return ""
}

// What stands for a number, or something else that names one of many.
var (
	uuid   = regexp.MustCompile(`\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b`)
	word   = regexp.MustCompile(`[A-Za-z0-9_-]{22}|[0-9a-fA-F]{8,}|0x[0-9a-f]+`)
	number = regexp.MustCompile(`(^|[^A-Za-z0-9#-])-[0-9]+|[0-9]+(?:\.[0-9]+)?`)
	series = regexp.MustCompile(`#(?:[ ,]+#)+`)
)

// normal replaces what names one of many by #, and a list of such by one.
func normal(s string) string {
	s = uuid.ReplaceAllString(s, "#")
	s = word.ReplaceAllStringFunc(s, func(w string) string {
		// Kafka's topic ids in base64, and digests: neither is a word of a language.
		if strings.IndexFunc(w, unicode.IsDigit) < 0 || len(w) == 22 && strings.IndexFunc(w, unicode.IsUpper) < 0 {
			return w
		}
		return "#"
	})
	s = number.ReplaceAllString(s, "${1}#")
	return series.ReplaceAllString(s, "#")
}

// Signatures groups all violations, those of most seeds first.
func (s *Set) Signatures() []Signature {
	groups := make(map[string]*Signature)
	all := make(map[string][]Example)
	for _, r := range s.sorted() {
		seen := make(map[string]bool)
		for _, v := range r.Violations {
			name := Sign(v)
			g := groups[name]
			if g == nil {
				g = &Signature{Signature: name, Property: v.Property}
				groups[name] = g
			}
			g.Count++
			if !seen[name] {
				seen[name] = true
				g.Seeds++
				all[name] = append(all[name], Example{
					Seed: r.Seed, Events: r.Events, Place: v.Place, Message: v.Message, Capsule: r.Capsule, Replay: s.Repeat(r.Seed, false),
				})
			}
		}
	}
	out := make([]Signature, 0, len(groups))
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := *groups[name]
		list := all[name]
		slices.SortStableFunc(list, func(a, b Example) int { // a run that panicked has no events, and would look small
			return cmp.Or(cmp.Compare(unknown(a.Events), unknown(b.Events)), cmp.Compare(a.Events, b.Events), cmp.Compare(a.Seed, b.Seed))
		})
		g.Smallest = list[0]
		g.Others = slices.Clone(list[1:min(len(list), 1+maxOthers)])
		out = append(out, g)
	}
	slices.SortStableFunc(out, func(a, b Signature) int { return cmp.Compare(b.Seeds, a.Seeds) })
	return out
}

func unknown(events int64) int {
	if events == 0 {
		return 1
	}
	return 0
}
