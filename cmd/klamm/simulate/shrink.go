package simulate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/shrink"
	"github.com/klamm-log/klamm/sim"
	"github.com/spf13/cobra"
)

// shrinkOptions are the flags of klamm shrink.
type shrinkOptions struct {
	Seed  uint64
	Drawn drawnFrom
	Jobs  int
	Time  time.Duration
	Runs  int64
	Out   string
}

func newShrink(a *cli.App) *cobra.Command {
	var o shrinkOptions
	cmd := &cobra.Command{
		Use:   "shrink [CAPSULE]",
		Short: "Make a failing run as small as it can be",
		Long: `Take faults, clients, operations, nodes, partitions and settings out of a failing run, and
shorten its times, as long as the same property is violated. Every attempt is a run of its
own; they go on on all cores, and what comes of it does not depend on how many those are,
unless the time runs out. The smaller run is stored as a capsule, which "klamm replay" repeats.

The run is that of a capsule (- is standard input), or of a seed: --seed N --profile P.

Exit code: 0 if there is a smaller capsule, 1 if the run fails and nothing could be taken
away, 2 if the run does not fail with this program.`,
		Args: cobra.MaximumNArgs(1),
	}
	f := cmd.Flags()
	f.Uint64Var(&o.Seed, "seed", 0, "seed to shrink, instead of a capsule")
	o.Drawn.flags(f)
	f.IntVar(&o.Jobs, "jobs", runtime.GOMAXPROCS(0), "runs at the same time")
	f.DurationVar(&o.Time, "time", 30*time.Second, "how long candidates are run; 0 is no limit")
	f.Int64Var(&o.Runs, "runs", 0, "how many runs at most; 0 is no limit")
	f.StringVar(&o.Out, "out", "", "where the smaller capsule goes; the default is CAPSULE with .min.json at its end")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		seeded := cmd.Flags().Changed("seed")
		if seeded == (len(args) == 1) {
			return exit.Errorf(exit.Usage, "either a capsule or --seed")
		}
		return runShrink(ctx, a, o, args)
	})
	return cmd
}

func runShrink(ctx context.Context, a *cli.App, o shrinkOptions, args []string) error {
	if o.Jobs < 1 || o.Time < 0 || o.Runs < 0 {
		return exit.Errorf(exit.Usage, "--jobs is 1 or more, --time and --runs cannot be negative")
	}
	c, name, err := o.capsule(a, args)
	if err != nil {
		return err
	}
	roomy()
	r := shrinkResult{Schema: shrinkSchema, Source: name, Jobs: o.Jobs}
	begin := time.Now()
	first := scenarios.Run(c.Plan, nil)
	if len(first.Violations) == 0 {
		return exit.Errorf(exit.Inconclusive, "%s holds with this program: there is nothing to shrink", name)
	}
	if err := r.shrink(ctx, a, o, c.Plan, shrink.TargetOf(first.Violations[0]), begin); err != nil {
		return err
	}
	r.WallNs = int64(time.Since(begin))
	if c.Shrunk == nil {
		c.Shrunk = &sim.Shrunk{Seed: c.Plan.Seed, Profile: c.Plan.Profile, Events: r.Before.Events}
	}
	if r.Capsule, err = r.store(o.out(args, name), c.Shrunk); err != nil {
		return err
	}
	if err := a.Result(r); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.Silently(r.code())
}

// roomy lets the heap grow between collections, unless the user has said how far: thousands of small worlds one after the other
// leave nothing but garbage, and to collect it as often as usual takes a quarter of the time.
func roomy() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// capsule is what is to be shrunk, and its name.
func (o *shrinkOptions) capsule(a *cli.App, args []string) (c sim.Capsule, name string, err error) {
	if len(args) == 0 {
		from, err := o.Drawn.open()
		if err != nil {
			return c, "", err
		}
		c.Plan = scenarios.Draw(o.Seed, from.profile)
		return c, fmt.Sprintf("%s-%d", from.profile.Name, o.Seed), nil
	}
	b, err := a.ReadInput(args[0])
	if err != nil {
		return c, "", err
	}
	if c, err = sim.ParseCapsule(b); err != nil {
		return c, "", exit.Errorf(exit.Data, "%s: %w", args[0], err)
	}
	return c, args[0], nil
}

// out is where the smaller capsule goes.
func (o *shrinkOptions) out(args []string, name string) string {
	if o.Out != "" {
		return o.Out
	}
	if len(args) == 1 && args[0] == "-" {
		name = "capsule"
	}
	return strings.TrimSuffix(name, ".json") + ".min.json"
}

// shrink does the work, in the time that is left of what began then.
func (r *shrinkResult) shrink(
	ctx context.Context, a *cli.App, o shrinkOptions, plan sim.Plan, t shrink.Target, begin time.Time,
) error {
	crew := crew{jobs: o.Jobs, target: t, ctx: ctx}
	if o.Time > 0 {
		crew.until = begin.Add(o.Time)
	}
	var mu sync.Mutex
	var last shrink.Progress
	stop := a.Progress(func() string {
		mu.Lock()
		defer mu.Unlock()
		return shrinkLine(last, time.Since(begin))
	})
	out, err := shrink.Shrink(plan, t, crew.judge, shrink.Options{Runs: o.Runs, Progress: func(p shrink.Progress) {
		mu.Lock()
		defer mu.Unlock()
		last = p
	}})
	stop()
	if errors.Is(err, shrink.ErrHolds) {
		return exit.With(exit.Nondeterminism, err) // the run before failed, and was the same
	}
	if err != nil {
		return err
	}
	r.plan, r.Property, r.Runs, r.Rounds, r.Complete = out.Plan, t.Property, out.Runs, out.Rounds, out.Complete
	r.Interrupted, r.Broken = ctx.Err() != nil, crew.broken
	r.Before, r.After = extentOf(plan, out.Before), extentOf(out.Plan, out.After)
	return nil
}

// shrinkLine is the state of the work in one line.
func shrinkLine(p shrink.Progress, wall time.Duration) string {
	return fmt.Sprintf("%s: round %d, %s: %s runs, %s events, %d faults, %d clients, %d operations, %d nodes", show.Duration(wall),
		p.Round, cmp.Or(p.Pass, "first run"), show.Count(p.Runs), show.Count(p.Events), p.Size.Faults, p.Size.Clients, p.Size.Ops, p.Size.Nodes)
}

// crew judges candidates on all cores, until its time is over.
type crew struct {
	jobs   int
	target shrink.Target
	until  time.Time // zero: no limit
	begun  bool      // the run that is to be shrunk has been judged, whatever time that took
	ctx    context.Context
	broken int64 // candidates that the simulator could not run
}

// judge implements [shrink.Runner]: workers take the candidates in their order, and none behind the first that fails; what runs
// there already is given up, as is all when the time is over.
func (c *crew) judge(batch []shrink.Candidate) []shrink.Outcome {
	out := make([]shrink.Outcome, len(batch))
	var mu sync.Mutex
	next, end := 0, len(batch)
	unwanted := func(i int) bool {
		mu.Lock()
		defer mu.Unlock()
		late := c.begun && !c.until.IsZero() && time.Now().After(c.until)
		return i >= end || c.ctx.Err() != nil || late && !batch[i].Must
	}
	take := func() (int, bool) {
		mu.Lock()
		i := next
		next++
		mu.Unlock()
		return i, !unwanted(i)
	}
	work := func() {
		for i, ok := take(); ok; i, ok = take() {
			batch[i].GiveUp = func() bool { return unwanted(i) }
			o, broken := judge(batch[i], c.target)
			mu.Lock()
			if out[i] = o; o.Fails {
				end = min(end, i)
			}
			if broken {
				c.broken++
			}
			mu.Unlock()
		}
	}
	var workers sync.WaitGroup
	for range min(c.jobs, len(batch)) {
		workers.Go(work)
	}
	workers.Wait()
	c.begun = true
	return out
}

// judge runs one candidate. A plan that the simulator cannot run is none that shows the target; that there was one is told.
func judge(c shrink.Candidate, t shrink.Target) (o shrink.Outcome, broken bool) {
	defer func() {
		if recover() != nil {
			o, broken = shrink.Outcome{Ran: true}, true
		}
	}()
	return shrink.Judge(c, t), false
}

// shrinkSchema names the format of klamm shrink -o json.
const shrinkSchema = "klamm.shrink.result/v1"

// shrinkResult is what came of shrinking.
type shrinkResult struct {
	Schema      string   `json:"schema"`
	Source      string   `json:"source"`
	Capsule     string   `json:"capsule"`
	Property    string   `json:"property"`
	Verdict     []string `json:"verdict"`
	Before      extent   `json:"before"`
	After       extent   `json:"after"`
	Runs        int64    `json:"runs"`
	Broken      int64    `json:"broken,omitempty"` // candidates that the simulator could not run: a bug of the shrinker or the simulator
	Rounds      int      `json:"rounds"`
	Complete    bool     `json:"complete"`
	Interrupted bool     `json:"interrupted,omitempty"`
	Jobs        int      `json:"jobs"`
	WallNs      int64    `json:"wall_ns"`

	plan sim.Plan
}

// extent is how large a run is.
type extent struct {
	Events int64 `json:"events"`
	SimNs  int64 `json:"sim_ns"`
	shrink.Size
}

func extentOf(p sim.Plan, o shrink.Outcome) extent {
	return extent{Events: o.Events, SimNs: int64(o.End), Size: shrink.SizeOf(p)}
}

// store writes the smaller run as a capsule.
func (r *shrinkResult) store(path string, from *sim.Shrunk) (string, error) {
	w := world{plan: r.plan}
	c := w.capsule(w.Run())
	c.Shrunk, r.Verdict = from, c.Verdict
	b, err := encoded(c)
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, b, 0o644)
}

func (r *shrinkResult) code() exit.Code {
	switch {
	case r.Interrupted:
		return exit.Interrupted
	case r.After.Events >= r.Before.Events && r.After.Size == r.Before.Size:
		return exit.Violated
	}
	return exit.OK
}

// AppendText implements [show.Result].
func (r shrinkResult) AppendText(dst []byte) []byte {
	row := func(what string, before, after int64) []string {
		return []string{what, show.Count(before), show.Count(after)}
	}
	b, f := &r.Before, &r.After
	dst = show.Table(dst, []string{"", "BEFORE", "AFTER"}, row("events", b.Events, f.Events),
		[]string{"simulated", show.Duration(time.Duration(b.SimNs)), show.Duration(time.Duration(f.SimNs))},
		row("nodes", int64(b.Nodes), int64(f.Nodes)), row("faults", int64(b.Faults), int64(f.Faults)),
		row("clients", int64(b.Clients), int64(f.Clients)), row("operations", int64(b.Ops), int64(f.Ops)),
		row("settings", int64(b.Knobs), int64(f.Knobs)))
	how := "nothing more can go"
	if !r.Complete {
		how = "it was cut short, and more might go"
	}
	dst = fmt.Appendf(dst, "%s runs in %s; %s\n", show.Count(r.Runs), show.Duration(time.Duration(r.WallNs)), how)
	if r.Broken > 0 {
		dst = fmt.Appendf(dst, "%d candidates could not be run: that is a bug of klamm\n", r.Broken)
	}
	const most = 3
	for _, v := range r.Verdict[:min(most, len(r.Verdict))] {
		dst = fmt.Appendf(dst, "%s\n", v)
	}
	if n := len(r.Verdict) - most; n > 0 {
		dst = fmt.Appendf(dst, "and %d more\n", n)
	}
	return fmt.Appendf(dst, "klamm replay %s\n", r.Capsule)
}
