package results

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
)

// Report is a set as a command prints it: JSON as a [File], text for people.
type Report struct {
	set *Set
	// all says that the set claims to be the whole sweep, so that what is missing is told.
	all bool
}

// Report is the report of one process, which ran its share of a sweep.
func (s *Set) Report() Report { return Report{set: s} }

// WholeReport is the report of joined results, which should be the whole sweep.
func (s *Set) WholeReport() Report { return Report{set: s, all: true} }

// Code is the exit code that the result deserves. A whole sweep with seeds missing is not conclusive.
func (r Report) Code() exit.Code {
	code := r.set.Code()
	if r.all && len(r.set.Missing()) > 0 && (code == exit.OK || code == exit.Interrupted) {
		return exit.Inconclusive
	}
	return code
}

// File is the report as a file.
func (r Report) File() File {
	f := r.set.File()
	f.Unreached = r.Unreached()
	if r.all {
		f.Missing = r.set.Missing()
	}
	return f
}

// Encode implements [show.Encoder].
func (r Report) Encode() ([]byte, error) { return r.File().Encode() }

// Unreached are the points that the profile should reach, and no seed of the set did.
func (r Report) Unreached() []string {
	l := r.set.Ledger()
	return l.Sweeps[0].Unreached()
}

// verdict is the result in one line.
func (r Report) verdict(sum *Sums) string {
	s := r.set
	switch r.Code() {
	case exit.Nondeterminism:
		return fmt.Sprintf("NONDETERMINISTIC: %d seeds gave two different runs", len(s.Diverged()))
	case exit.Violated:
		return fmt.Sprintf("VIOLATED by %d of %d seeds", s.Failing(), sum.Seeds)
	case exit.Interrupted:
		return fmt.Sprintf("interrupted; all held in the %s seeds that were run", show.Count(sum.Seeds))
	case exit.Inconclusive:
		if n := s.Missing().Count(); r.all && n > 0 {
			return fmt.Sprintf("incomplete: all held in %s seeds, %s are missing", show.Count(sum.Seeds), show.Count(int64(n)))
		}
		return fmt.Sprintf("inconclusive: %d seeds prove too little, %d did not end", len(s.Doubts()), len(s.Unfinished()))
	default:
		return fmt.Sprintf("all held in %s seeds", show.Count(sum.Seeds))
	}
}

// AppendText implements [show.Result].
func (r Report) AppendText(dst []byte) []byte {
	s := r.set
	sum := s.Sums()
	simulated := show.Duration(sum.SimTime)
	rows := [][]string{
		{"verdict", r.verdict(&sum)},
		{"seeds", fmt.Sprintf("%s from %d, profile %s%s", show.Count(sum.Seeds), s.first, s.key.Profile, r.particulars())},
		{"time", fmt.Sprintf("%s simulated in %s (x %s)", simulated, show.Duration(sum.Wall), show.Short(ratio(sum.SimTime, sum.Wall)))},
		{"events", fmt.Sprintf("%s (%s)", show.Count(sum.Events), show.Rate(sum.Events, sum.Wall))},
		{"digest", sum.Digest.String()},
		{"faults", CountsText(sum.Faults)},
		{"reached", CountsText(sum.Points)},
	}
	if list := r.Unreached(); len(list) > 0 {
		rows = append(rows, []string{"unreached", strings.Join(list, ", ")})
	}
	if r.all && len(s.Missing()) > 0 {
		rows = append(rows, []string{"missing", s.Missing().String()})
	}
	dst = show.Table(dst, rows...)
	for _, d := range s.Doubts() {
		dst = fmt.Appendf(dst, "seed %d is inconclusive: %s\n", d.Seed, d.Why)
	}
	for _, seed := range s.Unfinished() {
		dst = fmt.Appendf(dst, "seed %d did not end\n  %s\n", seed, s.Repeat(seed, false))
	}
	dst = r.appendMissing(dst)
	return r.appendFailures(dst)
}

// particulars say what is special about a set.
func (r Report) particulars() string {
	s := r.set
	text := ""
	for _, o := range s.key.Overrides {
		text += " with " + o
	}
	if n := len(s.processes); n > 1 {
		return text + fmt.Sprintf(", %d processes", n)
	}
	for _, p := range s.processes {
		if p.Shard != "" {
			text += ", shard " + p.Shard
		}
	}
	return text
}

func ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (r Report) appendMissing(dst []byte) []byte {
	if !r.all {
		return dst
	}
	lines := r.set.Complete()
	if len(lines) > 0 {
		dst = append(dst, "what is missing:\n"...)
	}
	for _, line := range lines {
		dst = fmt.Appendf(dst, "  %s\n", line)
	}
	return dst
}

// appendFailures lists seeds that diverged, and groups of failing ones.
func (r Report) appendFailures(dst []byte) []byte {
	for _, d := range r.set.Diverged() {
		dst = fmt.Appendf(dst, "seed %d is not deterministic: %s\n  %s\n", d.Seed, d.Where, r.set.Repeat(d.Seed, true))
	}
	const most = 20
	groups := r.set.Signatures()
	for i := range groups {
		if i == most {
			return fmt.Appendf(dst, "%d more signatures; -o json has all\n", len(groups)-most)
		}
		dst = groups[i].appendText(dst)
	}
	return dst
}

// appendText tells of a group: how many, and the seed to look at first with lines to paste.
func (g *Signature) appendText(dst []byte) []byte {
	dst = fmt.Appendf(dst, "%s: %d seeds, %d violations\n", g.Signature, g.Seeds, g.Count)
	x := &g.Smallest
	dst = fmt.Appendf(dst, "  seed %d, %s events", x.Seed, show.Count(x.Events))
	if x.Place != "" {
		dst = fmt.Appendf(dst, ", at %s", x.Place)
	}
	dst = fmt.Appendf(dst, ": %s\n", strings.ReplaceAll(strings.TrimRight(x.Message, "\n"), "\n", "\n      "))
	if x.Capsule != "" {
		dst = fmt.Appendf(dst, "  klamm replay %s\n", quote(x.Capsule))
	}
	dst = fmt.Appendf(dst, "  %s\n", x.Replay)
	if len(g.Others) == 0 {
		return dst
	}
	dst = append(dst, "  then seeds"...)
	for i, o := range g.Others {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = fmt.Appendf(dst, " %d (%s events)", o.Seed, show.Count(o.Events))
	}
	return append(dst, '\n')
}

// CountsText lists counters, the most frequent first.
func CountsText(counts map[string]int64) string {
	if len(counts) == 0 {
		return "none"
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %s", name, show.Count(counts[name]))
	}
	return strings.Join(names, ", ")
}
