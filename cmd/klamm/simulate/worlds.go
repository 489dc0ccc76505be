package simulate

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
)

// world is one simulated world: a plan and, once it has run, its verdict.
type world struct {
	plan    sim.Plan
	verdict scenarios.Verdict
}

// drawWorlds draws worlds from a profile: a built-in one, or one in a file whose name ends in .json.
func drawWorlds(profile string) (sweep.Draw, error) {
	p, err := loadProfile(profile)
	if err != nil {
		return nil, err
	}
	return func(seed uint64) (sweep.World, error) { return &world{plan: scenarios.Draw(seed, p)}, nil }, nil
}

func loadProfile(name string) (scenarios.Profile, error) {
	if slices.Contains(scenarios.Profiles(), name) || !strings.HasSuffix(name, ".json") {
		p, err := scenarios.LoadProfile(name)
		return p, exit.With(exit.Usage, err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return scenarios.Profile{}, err
	}
	p, err := scenarios.ParseProfile(b)
	return p, exit.With(exit.Data, err)
}

// Run implements [sweep.World].
func (w *world) Run() sweep.Outcome {
	w.verdict = scenarios.Run(w.plan, nil)
	r := &w.verdict.Result
	o := sweep.Outcome{
		Hash: r.Hash.String(), Events: r.Events, SimTime: time.Duration(r.SimTime),
		Faults: counts(r.Faults), Sometimes: counts(r.Sometimes), Inconclusive: w.verdict.Inconclusive,
	}
	for _, v := range w.verdict.Violations {
		o.Violations = append(o.Violations, sweep.Violation(v))
	}
	for _, l := range r.Chain {
		o.Chain = append(o.Chain, sweep.Link{Events: l.Events, At: time.Duration(l.At), Hash: l.Hash})
	}
	return o
}

func counts(list []sim.FaultCount) []sweep.Count {
	out := make([]sweep.Count, 0, len(list))
	for _, c := range list {
		out = append(out, sweep.Count(c))
	}
	return out
}

// Capsule implements [sweep.World].
func (w *world) Capsule(o sweep.Outcome) ([]byte, error) {
	lines := w.verdict.Lines()
	if len(lines) == 0 { // the run did not get as far as a verdict
		for _, v := range o.Violations {
			lines = append(lines, v.Property+" "+v.Place+": "+v.Message)
		}
	}
	c := sim.NewCapsule(w.plan, w.verdict.Result, lines)
	v := cli.ThisVersion()
	c.Commit, c.Toolchain = v.Commit(), v.Go
	b, err := c.Encode()
	return append(b, '\n'), err
}
