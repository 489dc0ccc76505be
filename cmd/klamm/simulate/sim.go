package simulate

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/spf13/cobra"
)

// simOptions are the flags of klamm sim.
type simOptions struct {
	Seeds    int64
	Seed     uint64
	Profile  string
	Time     time.Duration
	Jobs     int
	Twice    bool
	Capsules string
	Failures int
}

// Limits of klamm sim without flags: with the seeds that are running when the time is over it ends within a minute.
const (
	simTime  = 30 * time.Second
	simGrace = 20 * time.Second
)

func newSim(a *cli.App) *cobra.Command {
	var o simOptions
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run seeds in the simulator and judge them",
		Long: `Run seeds in the simulator, each a world of brokers, clients, network, disks and clocks
with faults, on all cores, and check every promise in each of them. One seed makes one
run, byte for byte. Without --seeds, seeds are begun for ` + simTime.String() + `.

A failing seed is stored as a capsule, which "klamm replay" repeats.`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.Int64Var(&o.Seeds, "seeds", 0, "number of seeds; 0 is as many as fit into --time")
	f.Uint64Var(&o.Seed, "seed", 1, "first seed; the others follow")
	f.StringVar(&o.Profile, "profile", "default", "what seeds draw from: "+strings.Join(scenarios.Profiles(), ", ")+" or a .json file")
	f.DurationVar(&o.Time, "time", 0, "how long seeds are begun; 0 is "+simTime.String()+" without --seeds, and no limit with it")
	f.IntVar(&o.Jobs, "jobs", runtime.GOMAXPROCS(0), "seeds run at the same time")
	f.BoolVar(&o.Twice, "twice", false, "run each seed twice and compare")
	f.StringVar(&o.Capsules, "capsules", "capsules", "directory for the capsules of failing seeds; empty for none")
	f.IntVar(&o.Failures, "failures", 10, "stop after so many failing seeds; 0 is never")
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error { return runSim(ctx, a, o) })
	return cmd
}

// options are what the flags mean, or why they cannot work.
func (o simOptions) options() (sweep.Options, error) {
	switch {
	case o.Seeds < 0 || o.Time < 0 || o.Jobs < 1 || o.Failures < 0:
		return sweep.Options{}, exit.Errorf(exit.Usage, "--seeds, --time and --failures cannot be negative, --jobs is 1 or more")
	case o.Seeds > 0 && o.Seed > math.MaxUint64-uint64(o.Seeds-1):
		return sweep.Options{}, exit.Errorf(exit.Usage, "there are no %d seeds from %d on", o.Seeds, o.Seed)
	}
	s := sweep.Options{
		First: o.Seed, Seeds: o.Seeds, Budget: o.Time, Grace: simGrace, Jobs: o.Jobs, Twice: o.Twice, MaxFailures: o.Failures,
	}
	if s.Seeds == 0 && s.Budget == 0 {
		s.Budget = simTime
	}
	return s, nil
}

func runSim(ctx context.Context, a *cli.App, o simOptions) error {
	so, err := o.options()
	if err != nil {
		return err
	}
	draw, err := drawWorlds(o.Profile)
	if err != nil {
		return err
	}
	capsules := make(map[uint64]string)
	so.Failed = func(f sweep.Failure) {
		path, err := storeCapsule(o.Capsules, o.Profile, f)
		if err != nil {
			a.Talkf("klamm: the capsule of seed %d is lost: %v", f.Seed, err)
		}
		capsules[f.Seed] = path
		a.Talkf("%s", failureLine(f, o.Profile, path))
	}
	s := sweep.New(draw, so)
	stop := a.Progress(func() string { return progressLine(s.Progress()) })
	sum, err := s.Run(ctx)
	stop()
	if err != nil {
		return err
	}
	r := newSimResult(o.Profile, o.Seed, sum, capsules)
	if err := a.Result(r); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.Silently(r.code())
}

// progressLine is the state of a sweep in one line.
func progressLine(p sweep.Progress) string {
	line := fmt.Sprintf("%s: %s seeds, %s events (%s), %s simulated (x %s), %d failing", show.Duration(p.Wall),
		show.Count(p.Seeds), show.Short(float64(p.Events)), show.Rate(p.Events, p.Wall), show.Duration(p.SimTime),
		show.Short(ratio(p.SimTime, p.Wall)), p.Failures)
	if p.For > 5*time.Second {
		line += fmt.Sprintf(", seed %d since %s", p.Slow, show.Duration(p.For))
	}
	return line
}

func ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// storeCapsule writes the capsule of a failing seed and returns its path; "" without a directory. What a seed without a
// world has to tell cannot be replayed.
func storeCapsule(dir, profile string, f sweep.Failure) (string, error) {
	if dir == "" || f.World == nil {
		return "", nil
	}
	b, err := f.World.Capsule(f.Outcome)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	name := strings.TrimSuffix(filepath.Base(profile), ".json")
	path := filepath.Join(dir, fmt.Sprintf("%s-%d.json", name, f.Seed))
	return path, os.WriteFile(path, b, 0o644)
}
