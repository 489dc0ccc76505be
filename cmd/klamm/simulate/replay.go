package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
	"github.com/spf13/cobra"
)

func newReplay(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "replay CAPSULE",
		Short: "Repeat a failing run and compare it with what was recorded",
		Long: `Repeat the run that a capsule describes. The repetition must reproduce the recorded chain
of hashes; where it does not, the first difference is named. That is nondeterminism if the
same code recorded the capsule, and to be expected if the code has changed since.
A capsule named - is read from standard input.`,
		Args: cobra.ExactArgs(1),
		RunE: a.Does(func(_ context.Context, args []string) error { return runReplay(a, args[0]) }),
	}
}

// replaySchema names the format of klamm replay -o json.
const replaySchema = "klamm.replay.result/v1"

// replayResult is what a repetition showed.
type replayResult struct {
	Schema  string `json:"schema"`
	Capsule string `json:"capsule"`
	Seed    uint64 `json:"seed"`
	// Shrunk is the run that a shrunk capsule was made from.
	Shrunk   *sim.Shrunk `json:"shrunk,omitempty"`
	Recorded []string    `json:"recorded"` // the verdict in the capsule
	Verdict  []string    `json:"verdict"`  // of the repetition
	// Divergence says where the repetition parts from the recording; empty if it does not.
	Divergence string `json:"divergence,omitempty"`
	// Since says which code recorded and which repeated; empty if they are known to be the same.
	Since    string `json:"since,omitempty"`
	SameCode bool   `json:"same_code"`
	Events   int64  `json:"events"`
	SimNs    int64  `json:"sim_ns"`
	WallNs   int64  `json:"wall_ns"`
	Hash     string `json:"hash"`
}

func runReplay(a *cli.App, path string) error {
	b, err := a.ReadInput(path)
	if err != nil {
		return err
	}
	c, err := sim.ParseCapsule(b)
	if err != nil {
		return exit.Errorf(exit.Data, "%s: %w", path, err)
	}
	r := replay(path, c, cli.ThisVersion())
	if err := a.Result(r); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.Silently(r.code())
}

// replay repeats a capsule's run.
func replay(path string, c sim.Capsule, v cli.Version) replayResult {
	begin := time.Now()
	verdict := scenarios.Run(c.Plan, nil)
	r := replayResult{
		Schema: replaySchema, Capsule: path, Seed: c.Plan.Seed, Shrunk: c.Shrunk, Recorded: c.Verdict, Verdict: verdict.Lines(),
		Events: verdict.Result.Events, SimNs: int64(verdict.Result.SimTime), WallNs: int64(time.Since(begin)),
		Hash: verdict.Result.Hash.String(),
	}
	if d := sim.Compare(c.Chain, verdict.Result.Chain); d != nil {
		r.Divergence = d.String()
	}
	// A modified source may have been modified again, and nothing is known about an unknown one.
	r.SameCode = v.Revision != "" && !v.Modified && v.Commit() == c.Commit && v.Go == c.Toolchain
	if !r.SameCode {
		r.Since = fmt.Sprintf("recorded by %s with %s, repeated by %s with %s",
			cli.OrUnknown(c.Commit), cli.OrUnknown(c.Toolchain), cli.OrUnknown(v.Commit()), v.Go)
	}
	return r
}

// code: what differs from its recording is nondeterministic if the same code recorded it. Otherwise the recording is
// simply out of date, and only the repetition's own verdict counts.
func (r *replayResult) code() exit.Code {
	switch {
	case r.Divergence != "" && r.SameCode:
		return exit.Nondeterminism
	case len(r.Verdict) > 0:
		return exit.Violated
	case r.Divergence != "":
		return exit.Inconclusive
	}
	return exit.OK
}

// AppendText implements [show.Result].
func (r replayResult) AppendText(dst []byte) []byte {
	chain := "equals the recording"
	if r.Divergence != "" {
		chain = "DIFFERS: " + r.Divergence
	}
	rows := [][]string{
		{"capsule", r.Capsule},
		{"seed", fmt.Sprint(r.Seed)},
		{"chain", chain},
	}
	if s := r.Shrunk; s != nil {
		rows = append(rows, []string{"shrunk", fmt.Sprintf("from seed %d of profile %s, %s events", s.Seed, s.Profile, show.Count(s.Events))})
	}
	if r.Since != "" {
		rows = append(rows, []string{"code", r.Since})
	}
	verdict := "all held"
	if n := len(r.Verdict); n > 0 {
		verdict = fmt.Sprintf("VIOLATED: %d properties or places", n)
	}
	if !slices.Equal(r.Verdict, r.Recorded) {
		verdict += fmt.Sprintf("; another verdict than the recorded one, which has %d violations", len(r.Recorded))
	}
	rows = append(rows, []string{"verdict", verdict}, []string{"events", show.Count(r.Events)},
		[]string{"time", fmt.Sprintf("%s simulated in %s", show.Duration(time.Duration(r.SimNs)), show.Duration(time.Duration(r.WallNs)))},
		[]string{"hash", r.Hash})
	dst = show.Table(dst, rows...)
	for _, v := range r.Verdict {
		dst = fmt.Appendf(dst, "%s\n", v)
	}
	return dst
}
