package simulate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

// simSchema names the format of klamm sim -o json.
const simSchema = "klamm.sim.result/v1"

// simResult is what klamm sim found out.
type simResult struct {
	Schema     string         `json:"schema"`
	Profile    string         `json:"profile"`
	FirstSeed  uint64         `json:"first_seed"`
	SeedsRun   int64          `json:"seeds_run"`
	Violations []simViolation `json:"violations"`
	// Diverged are seeds that gave two different runs. Nothing else in the result counts then.
	Diverged     []simDivergence  `json:"diverged,omitempty"`
	Inconclusive []simDoubt       `json:"inconclusive,omitempty"`
	Unfinished   []uint64         `json:"unfinished,omitempty"` // seeds that did not end in time
	Interrupted  bool             `json:"interrupted,omitempty"`
	Events       int64            `json:"events"`
	SimNs        int64            `json:"sim_ns"`
	WallNs       int64            `json:"wall_ns"`
	TraceDigest  string           `json:"trace_digest"` // of all seeds, whatever their order
	Faults       map[string]int64 `json:"faults"`       // fired, by kind
	Sometimes    map[string]int64 `json:"sometimes"`    // reached, by name
}

type simViolation struct {
	Seed     uint64 `json:"seed"`
	Property string `json:"property"`
	Place    string `json:"place,omitempty"`
	Message  string `json:"message"`
	Capsule  string `json:"capsule"` // path, empty if none was stored
}

type simDivergence struct {
	Seed    uint64 `json:"seed"`
	Where   string `json:"where"`
	Capsule string `json:"capsule"`
}

type simDoubt struct {
	Seed uint64 `json:"seed"`
	Why  string `json:"why"`
}

// newSimResult puts a summary into its final form. capsules are the paths by seed.
func newSimResult(profile string, first uint64, sum sweep.Summary, capsules map[uint64]string) simResult {
	r := simResult{
		Schema: simSchema, Profile: profile, FirstSeed: first, SeedsRun: sum.Seeds, Violations: []simViolation{},
		Unfinished: sum.Unfinished, Interrupted: sum.Interrupted, Events: sum.Events, SimNs: int64(sum.SimTime),
		WallNs: int64(sum.Wall), TraceDigest: sum.Digest.String(), Faults: sum.Faults, Sometimes: sum.Sometimes,
	}
	for _, f := range sum.Failures {
		if f.Divergence != "" {
			r.Diverged = append(r.Diverged, simDivergence{Seed: f.Seed, Where: f.Divergence, Capsule: capsules[f.Seed]})
		}
		for _, v := range f.Violations {
			r.Violations = append(r.Violations, simViolation{
				Seed: f.Seed, Property: v.Property, Place: v.Place, Message: v.Message, Capsule: capsules[f.Seed],
			})
		}
	}
	for _, d := range sum.Inconclusive {
		r.Inconclusive = append(r.Inconclusive, simDoubt(d))
	}
	return r
}

// code is the exit code that the result deserves. A failing seed is a failing seed, also if the sweep was interrupted.
func (r *simResult) code() exit.Code {
	switch {
	case len(r.Diverged) > 0:
		return exit.Nondeterminism
	case len(r.Violations) > 0:
		return exit.Violated
	case r.Interrupted:
		return exit.Interrupted
	case len(r.Unfinished) > 0, len(r.Inconclusive) > 0:
		return exit.Inconclusive
	}
	return exit.OK
}

// verdict is the result in one line.
func (r *simResult) verdict() string {
	switch r.code() {
	case exit.Nondeterminism:
		return fmt.Sprintf("NONDETERMINISTIC: %d seeds gave two different runs", len(r.Diverged))
	case exit.Violated:
		failing := make(map[uint64]bool)
		for _, v := range r.Violations {
			failing[v.Seed] = true
		}
		return fmt.Sprintf("VIOLATED by %d of %d seeds", len(failing), r.SeedsRun)
	case exit.Interrupted:
		return fmt.Sprintf("interrupted; all held in the %s seeds that were run", show.Count(r.SeedsRun))
	case exit.Inconclusive:
		return fmt.Sprintf("inconclusive: %d seeds prove too little, %d did not end", len(r.Inconclusive), len(r.Unfinished))
	default:
		return fmt.Sprintf("all held in %s seeds", show.Count(r.SeedsRun))
	}
}

// AppendText implements [show.Result].
func (r simResult) AppendText(dst []byte) []byte {
	wall, simulated := time.Duration(r.WallNs), time.Duration(r.SimNs)
	dst = show.Table(dst,
		[]string{"verdict", r.verdict()},
		[]string{"seeds", fmt.Sprintf("%s from %d, profile %s", show.Count(r.SeedsRun), r.FirstSeed, r.Profile)},
		[]string{"time", fmt.Sprintf("%s simulated in %s (x %s)", show.Duration(simulated), show.Duration(wall), show.Short(ratio(simulated, wall)))},
		[]string{"events", fmt.Sprintf("%s (%s)", show.Count(r.Events), show.Rate(r.Events, wall))},
		[]string{"digest", r.TraceDigest},
		[]string{"faults", countsText(r.Faults)},
		[]string{"reached", countsText(r.Sometimes)},
	)
	for _, d := range r.Inconclusive {
		dst = fmt.Appendf(dst, "seed %d is inconclusive: %s\n", d.Seed, d.Why)
	}
	for _, seed := range r.Unfinished {
		dst = fmt.Appendf(dst, "seed %d did not end\n  klamm sim --seed %d --seeds 1 --profile %s\n", seed, seed, r.Profile)
	}
	return r.appendFailures(dst)
}

// appendFailures lists failing seeds by seed, each with the line that repeats it.
func (r *simResult) appendFailures(dst []byte) []byte {
	for _, d := range r.Diverged {
		dst = failureText(dst, sweep.Failure{Seed: d.Seed, Divergence: d.Where}, r.Profile, d.Capsule)
	}
	for i := 0; i < len(r.Violations); {
		f := sweep.Failure{Seed: r.Violations[i].Seed}
		capsule := r.Violations[i].Capsule
		for ; i < len(r.Violations) && r.Violations[i].Seed == f.Seed; i++ {
			v := &r.Violations[i]
			f.Violations = append(f.Violations, sweep.Violation{Property: v.Property, Place: v.Place, Message: v.Message})
		}
		dst = failureText(dst, f, r.Profile, capsule)
	}
	return dst
}

// failureText tells of a failing seed: what it violated, and a line to paste.
func failureText(dst []byte, f sweep.Failure, profile, capsule string) []byte {
	if f.Divergence != "" {
		dst = fmt.Appendf(dst, "seed %d is not deterministic: %s\n", f.Seed, f.Divergence)
	}
	const most = 5
	for i, v := range f.Violations {
		if i == most {
			dst = fmt.Appendf(dst, "seed %d violated %d more\n", f.Seed, len(f.Violations)-most)
			break
		}
		dst = fmt.Appendf(dst, "seed %d violated %s", f.Seed, v.Property)
		if v.Place != "" {
			dst = fmt.Appendf(dst, " at %s", v.Place)
		}
		dst = fmt.Appendf(dst, ": %s\n", strings.ReplaceAll(v.Message, "\n", "\n    "))
	}
	if capsule != "" && f.Divergence == "" {
		dst = fmt.Appendf(dst, "  klamm replay %s\n", capsule)
	}
	return fmt.Appendf(dst, "  %s\n", repeatLine(f, profile))
}

// repeatLine is the command that runs a failing seed again.
func repeatLine(f sweep.Failure, profile string) string {
	twice := ""
	if f.Divergence != "" {
		twice = " --twice"
	}
	return fmt.Sprintf("klamm sim --seed %d --seeds 1%s --profile %s", f.Seed, twice, profile)
}

// failureLine tells of a failing seed at once, while others run; the result has the details.
func failureLine(f sweep.Failure, profile, capsule string) string {
	what := "is not deterministic"
	if len(f.Violations) > 0 {
		what = "violated " + f.Violations[0].Property
	}
	again := repeatLine(f, profile)
	if capsule != "" && f.Divergence == "" {
		again = "klamm replay " + capsule
	}
	return fmt.Sprintf("seed %d %s: %s", f.Seed, what, again)
}

// countsText lists counters, the most frequent first.
func countsText(counts map[string]int64) string {
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
