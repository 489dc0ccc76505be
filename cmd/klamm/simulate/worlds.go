package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
	"github.com/spf13/pflag"
)

// world is one simulated world: a plan and, once it has run, its verdict.
type world struct {
	plan    sim.Plan
	verdict scenarios.Verdict
}

// drawnFrom are the flags that say what seeds are drawn from.
type drawnFrom struct {
	Profile string
	Set     []string
}

func (d *drawnFrom) flags(f *pflag.FlagSet) {
	f.StringVar(&d.Profile, "profile", "default", "what seeds draw from: "+strings.Join(scenarios.Profiles(), ", ")+" or a .json file")
	d.setFlag(f)
}

func (d *drawnFrom) setFlag(f *pflag.FlagSet) {
	f.StringArrayVar(&d.Set, "set", nil, "change the profile, for instance safety_ms=[1000,2000] or faults.crash.count=[1,9]; may be repeated")
}

// source is where seeds are drawn from.
type source struct {
	profile scenarios.Profile
	key     results.Key
}

// open loads the profile and changes it.
func (d *drawnFrom) open() (source, error) {
	p, err := loadProfile(d.Profile)
	if err != nil {
		return source{}, err
	}
	if p, err = scenarios.Override(p, d.Set); err != nil {
		return source{}, exit.With(exit.Usage, err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		return source{}, err
	}
	digest := sha256.Sum256(b)
	return source{p, results.Key{
		Code: thisCode(), Profile: d.Profile, Overrides: d.Set, ProfileHash: hex.EncodeToString(digest[:8]),
	}}, nil
}

// draw makes the world of a seed.
func (s source) draw(seed uint64) (sweep.World, error) {
	return &world{plan: scenarios.Draw(seed, s.profile)}, nil
}

// thisCode names this program's code: the commit, or, where that does not say all, a digest of the program's file.
func thisCode() string {
	v := cli.ThisVersion()
	if v.Revision != "" && !v.Modified {
		return v.Revision
	}
	path, err := os.Executable()
	if err == nil {
		var b []byte
		if b, err = os.ReadFile(path); err == nil {
			digest := sha256.Sum256(b)
			return "program-" + hex.EncodeToString(digest[:8])
		}
	}
	return "unknown"
}

// drawWorlds draws worlds from a profile: a built-in one, or one in a file whose name ends in .json.
func drawWorlds(profile string) (sweep.Draw, error) {
	s, err := (&drawnFrom{Profile: profile}).open()
	if err != nil {
		return nil, err
	}
	return s.draw, nil
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
func (w *world) Capsule(o sweep.Outcome) ([]byte, error) { return encoded(w.capsule(o)) }

func encoded(c sim.Capsule) ([]byte, error) {
	b, err := c.Encode()
	return append(b, '\n'), err
}

func (w *world) capsule(o sweep.Outcome) sim.Capsule {
	lines := w.verdict.Lines()
	if len(lines) == 0 { // the run did not get as far as a verdict
		for _, v := range o.Violations {
			lines = append(lines, v.Property+" "+v.Place+": "+v.Message)
		}
	}
	c := sim.NewCapsule(w.plan, w.verdict.Result, lines)
	v := cli.ThisVersion()
	c.Commit, c.Toolchain = v.Commit(), v.Go
	return c
}
