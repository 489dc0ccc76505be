//go:build !js

package simulate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/mutate"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/spf13/cobra"
)

// mutantsOptions are the flags of klamm mutants.
type mutantsOptions struct {
	Profile string
	Seed    uint64
	Starts  int
	Time    time.Duration
	Jobs    int
	Keep    string
	// Shrink makes the first detection's capsule as small as klamm shrink can.
	Shrink bool
	// Directed runs the scenarios written for the bugs instead of seeds.
	Directed bool
}

func newMutants(a *cli.App) *cobra.Command {
	var o mutantsOptions
	cmd := &cobra.Command{
		Use:   "mutants [ID...]",
		Short: "Measure whether the simulator finds deliberate bugs",
		Long: `Build klamm with one deliberate bug at a time and run seeds until the simulator finds it.
The bugs are diffs in ` + mutate.Dir + `; they are applied in memory, the source is not touched.
Without an ID, all of them are tried. It needs the source tree and the go command.

A seed detects a mutant if it fails with it and holds without it. The first detection is
replayed. With --starts N seeds are run until N detections; each begins where the one
before ended, and the median and the 90th percentile of their lengths are shown.

With --shrink the first detection is made smaller, too, by the program with the bug; the program
without must hold in what is left. Events before and after are shown, and the time it took.

With --directed no seeds are run, but the scenario that was written for each bug, where there is
one: it must fail with the bug and pass without.

Exit code: 0 if all were found in time, 1 if one was not, 65 if a diff does not apply.`,
	}
	f := cmd.Flags()
	f.StringVar(&o.Profile, "profile", "", "what seeds draw from, instead of each mutant's own profile")
	f.Uint64Var(&o.Seed, "seed", 1, "first seed")
	f.IntVar(&o.Starts, "starts", 1, "detections to wait for")
	f.DurationVar(&o.Time, "time", 2*time.Minute, "how long seeds are begun, per mutant; 0 is no limit")
	f.IntVar(&o.Jobs, "jobs", runtime.GOMAXPROCS(0), "seeds run at the same time")
	f.StringVar(&o.Keep, "keep", "", "directory that keeps the programs with the bugs, and the capsules; empty for none")
	f.BoolVar(&o.Shrink, "shrink", false, "shrink the first detection of each")
	f.BoolVar(&o.Directed, "directed", false, "run the scenarios written for the bugs instead of seeds")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error { return runMutants(ctx, a, o, args) })
	return cmd
}

func runMutants(ctx context.Context, a *cli.App, o mutantsOptions, ids []string) error {
	if o.Starts < 1 || o.Jobs < 1 || o.Time < 0 {
		return exit.Errorf(exit.Usage, "--starts and --jobs are 1 or more, --time cannot be negative")
	}
	tree, err := mutate.OpenTree(ctx)
	if err != nil {
		return exit.With(exit.NoInput, err)
	}
	if o.Directed {
		return runDirected(ctx, a, tree, ids)
	}
	if len(ids) == 0 {
		if ids, err = mutate.List(tree.Root()); err != nil {
			return err
		}
	}
	l := lab{App: a, o: o, tree: tree}
	if err := l.open(ctx); err != nil {
		return err
	}
	defer l.close()
	r := mutantsResult{Schema: mutantsSchema, FirstSeed: o.Seed, Mutants: []mutantResult{}}
	for _, id := range ids {
		m, err := l.try(ctx, id)
		if err != nil {
			return err
		}
		r.Mutants = append(r.Mutants, m)
	}
	if err := a.Result(r); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.Silently(r.code())
}

// lab is where mutants are built and hunted.
type lab struct {
	*cli.App
	o       mutantsOptions
	tree    mutate.Tree
	dir     string // of files that go away
	keep    string
	control mutate.Program
}

func (l *lab) open(ctx context.Context) (err error) {
	if l.dir, err = os.MkdirTemp("", "klamm-mutants-"); err != nil {
		return err
	}
	l.keep = l.dir
	if l.o.Keep != "" {
		if l.keep, err = filepath.Abs(l.o.Keep); err != nil {
			return err
		}
	}
	l.Talkf("building the control, without a bug")
	control := filepath.Join(l.dir, "control")
	if err := os.Mkdir(control, 0o755); err != nil {
		return err
	}
	program := filepath.Join(control, "klamm")
	l.control = mutate.Program(program)
	return exit.With(exit.Data, l.tree.Build(ctx, nil, control, program))
}

func (l *lab) close() {
	if err := os.RemoveAll(l.dir); err != nil {
		l.Talkf("klamm: %v", err)
	}
}

// try builds and hunts one mutant.
func (l *lab) try(ctx context.Context, id string) (mutantResult, error) {
	r := mutantResult{ID: id}
	m, err := mutate.Load(l.tree.Root(), id)
	if err != nil {
		return r, exit.With(exit.Of(err), err)
	}
	r.Expected, r.Budget, r.Missed, r.Profile = m.Expected, m.Budget, m.Missed, m.Profile
	if l.o.Profile != "" {
		r.Profile = l.o.Profile
	}
	program, err := l.build(ctx, m)
	if err != nil {
		return r, err
	}
	l.Talkf("%s: running seeds", id)
	found, err := mutate.Hunt(ctx, program, l.control, mutate.Sweep{
		Profile: r.Profile, First: l.o.Seed, Seeds: m.Budget * int64(l.o.Starts), Failures: l.o.Starts,
		Time: l.o.Time, Jobs: l.o.Jobs, Capsules: filepath.Join(l.keep, id),
	})
	if err != nil {
		return r, err
	}
	r.fill(&found)
	if len(found.Violations) == 0 {
		return r, nil
	}
	return r, l.replay(ctx, program, found.Violations[0].Capsule, &r)
}

func (l *lab) build(ctx context.Context, m mutate.Mutant) (mutate.Program, error) {
	files, err := l.tree.Changed(m)
	if err != nil {
		return "", exit.With(exit.Data, err)
	}
	dir := filepath.Join(l.dir, m.ID)
	for _, d := range []string{dir, filepath.Join(l.keep, m.ID)} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", err
		}
	}
	program := filepath.Join(l.keep, m.ID, "klamm")
	l.Talkf("%s: building", m.ID)
	return mutate.Program(program), exit.With(exit.Data, l.tree.Build(ctx, files, dir, program))
}

// replay proves that the capsule of the first detection repeats it.
func (l *lab) replay(ctx context.Context, program mutate.Program, capsule string, r *mutantResult) error {
	again, err := program.Replay(ctx, capsule)
	if err != nil {
		return err
	}
	r.Replayed = again.Faithful()
	if l.o.Keep != "" {
		r.Capsule, r.Program = capsule, string(program)
	}
	if !l.o.Shrink {
		return nil
	}
	l.Talkf("%s: shrinking", r.ID)
	r.Shrunk, err = l.shrink(ctx, program, capsule)
	return err
}

// mutantsSchema names the format of klamm mutants -o json.
const mutantsSchema = "klamm.mutants.result/v1"

// mutantsResult is what klamm mutants found out.
type mutantsResult struct {
	Schema    string         `json:"schema"`
	FirstSeed uint64         `json:"first_seed"`
	Mutants   []mutantResult `json:"mutants"`
}

// mutantResult is what one mutant's hunt showed.
type mutantResult struct {
	ID       string   `json:"id"`
	Profile  string   `json:"profile"`
	Expected []string `json:"expected"`
	Budget   int64    `json:"budget"`
	Missed   string   `json:"missed,omitempty"` // why it need not be found
	// Starts is the seeds to each detection; Open those after the last one.
	Starts     []int64          `json:"starts"`
	Open       int64            `json:"open"`
	Median     int64            `json:"median"`
	P90        int64            `json:"p90"`
	Properties map[string]int64 `json:"properties"` // what caught it: detections by first violated property
	Seed       uint64           `json:"seed"`       // of the first detection
	Violation  string           `json:"violation"`
	Replayed   bool             `json:"replayed"`             // the first detection's capsule repeats it
	Anyway     []uint64         `json:"anyway,omitempty"`     // seeds that fail without the mutant, too
	Unfinished []uint64         `json:"unfinished,omitempty"` // seeds that did not end
	Seeds      int64            `json:"seeds"`
	WallNs     int64            `json:"wall_ns"`
	Program    string           `json:"program,omitempty"`
	Capsule    string           `json:"capsule,omitempty"`
	Shrunk     *shrunkResult    `json:"shrunk,omitempty"` // with --shrink, the first detection
}

func (r *mutantResult) fill(f *mutate.Found) {
	r.Starts = append([]int64{}, f.Starts...) // an empty list in JSON, not null
	r.Open, r.Median, r.P90 = f.Open, f.Quantile(1, 2), f.Quantile(9, 10)
	r.Anyway, r.Unfinished, r.Seeds, r.WallNs = f.Anyway, f.Unfinished, f.Seeds, int64(f.Wall)
	r.Properties = make(map[string]int64)
	for _, v := range f.Violations {
		r.Properties[v.Property]++
	}
	if len(f.Violations) > 0 {
		v := f.Violations[0]
		r.Seed = v.Seed
		r.Violation, _, _ = strings.Cut(strings.TrimSpace(v.Property+" "+v.Place)+": "+v.Message, "\n")
	}
}

// found reports whether the mutant was detected within its budget and could be replayed.
func (r *mutantResult) found() bool {
	return len(r.Starts) > 0 && r.Median <= r.Budget && r.Replayed
}

// code is the exit code that the result deserves.
func (r *mutantsResult) code() exit.Code {
	for i := range r.Mutants {
		if m := &r.Mutants[i]; !m.found() && m.Missed == "" {
			return exit.Violated
		}
	}
	return exit.OK
}

// AppendText implements [show.Result].
func (r mutantsResult) AppendText(dst []byte) []byte {
	rows := [][]string{{"MUTANT", "FOUND", "STARTS", "MEDIAN", "P90", "BUDGET", "CAUGHT BY", "REPLAY", "SEEDS", "TIME"}}
	for i := range r.Mutants {
		rows = append(rows, r.Mutants[i].row())
	}
	dst = show.Table(dst, rows...)
	for i := range r.Mutants {
		dst = r.Mutants[i].appendNotes(dst)
	}
	return r.appendShrunk(dst)
}

func (r *mutantResult) row() []string {
	verdict, replayed, median, p90 := "yes", "equal", fmt.Sprint(r.Median), fmt.Sprint(r.P90)
	switch {
	case len(r.Starts) == 0:
		verdict, replayed, median, p90 = "NO", "-", fmt.Sprintf("> %d", r.Open), "-"
	case !r.Replayed:
		replayed = "DIFFERS"
	case r.Median > r.Budget:
		verdict = "LATE"
	}
	return []string{r.ID, verdict, fmt.Sprint(len(r.Starts)), median, p90, fmt.Sprint(r.Budget), results.CountsText(r.Properties),
		replayed, fmt.Sprint(r.Seeds), show.Duration(time.Duration(r.WallNs))}
}

// appendNotes tells of the first detection, and of what makes the numbers doubtful.
func (r *mutantResult) appendNotes(dst []byte) []byte {
	if len(r.Starts) > 0 {
		dst = fmt.Appendf(dst, "%s, seed %d: %s\n", r.ID, r.Seed, r.Violation)
	}
	if r.Program != "" {
		dst = fmt.Appendf(dst, "  %s replay %s\n  %s shrink %s\n", r.Program, r.Capsule, r.Program, r.Capsule)
	}
	if len(r.Starts) == 0 && r.Missed != "" {
		dst = fmt.Appendf(dst, "%s is known to be missed: %s\n", r.ID, r.Missed)
	}
	if len(r.Anyway) > 0 {
		dst = fmt.Appendf(dst, "%s: not counted, because they fail without the mutant, too (profile %s): seeds %v\n", r.ID, r.Profile, r.Anyway)
	}
	if len(r.Unfinished) > 0 {
		dst = fmt.Appendf(dst, "%s: seeds that did not end: %v\n", r.ID, slices.Sorted(slices.Values(r.Unfinished)))
	}
	return dst
}
