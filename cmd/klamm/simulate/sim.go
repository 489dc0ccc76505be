package simulate

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
	"github.com/spf13/cobra"
)

// simOptions are the flags of klamm sim.
type simOptions struct {
	Seeds    int64
	Seed     uint64
	Drawn    drawnFrom
	Shard    string
	Time     time.Duration
	Jobs     int
	Twice    bool
	Capsules string
	Failures int
	Result   string
	Resume   bool
	Ledger   string
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

A failing seed is stored as a capsule, which "klamm replay" repeats. Failures are grouped by
what they violated and where, numbers apart.

Many processes can share a sweep: each runs its shard, and "klamm merge" joins their results.
--shard 2/8 runs every eighth seed, from the second on. --shard auto takes the number from
the variables of Slurm, Kubernetes' indexed jobs and CI matrices; --shard auto/8 says how
many there are where they do not, as with GNU parallel. See docs/SCALE.md.

Exit code: 0 if all held, 1 if a property was violated, 2 if seeds prove too little or did not
end, 3 if a seed gave two different runs, 130 after an interruption.`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.Int64Var(&o.Seeds, "seeds", 0, "number of seeds, of all shards; 0 is as many as fit into --time")
	f.Uint64Var(&o.Seed, "seed", 1, "first seed; the others follow")
	o.Drawn.flags(f)
	f.StringVar(&o.Shard, "shard", "", "run only this share of the seeds: i/n, auto or auto/n")
	f.DurationVar(&o.Time, "time", 0, "how long seeds are begun; 0 is "+simTime.String()+" without --seeds, and no limit with it")
	f.IntVar(&o.Jobs, "jobs", runtime.GOMAXPROCS(0), "seeds run at the same time")
	f.BoolVar(&o.Twice, "twice", false, "run each seed twice and compare")
	f.StringVar(&o.Capsules, "capsules", "capsules", "directory for the capsules of failing seeds; empty for none")
	f.IntVar(&o.Failures, "failures", 10, "stop after so many failing seeds; 0 is never")
	f.StringVar(&o.Result, "result", "", "write the result to this file, too, every "+checkpointEvery.String()+" and at the end")
	f.BoolVar(&o.Resume, "resume", false, "take over what --result has already, and run the other seeds")
	f.StringVar(&o.Ledger, "ledger", "", "add the points that were reached to this ledger")
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error { return runSim(ctx, a, o) })
	return cmd
}

// options are what the flags mean, or why they cannot work. The seeds are those of the whole sweep.
func (o simOptions) options() (sweep.Options, error) {
	switch {
	case o.Seeds < 0 || o.Time < 0 || o.Jobs < 1 || o.Failures < 0:
		return sweep.Options{}, exit.Errorf(exit.Usage, "--seeds, --time and --failures cannot be negative, --jobs is 1 or more")
	case o.Seeds > 0 && o.Seed > math.MaxUint64-uint64(o.Seeds-1):
		return sweep.Options{}, exit.Errorf(exit.Usage, "there are no %d seeds from %d on", o.Seeds, o.Seed)
	case o.Resume && o.Result == "":
		return sweep.Options{}, exit.Errorf(exit.Usage, "--resume needs --result, which names the file")
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
	shard, err := shardOf(o.Shard, os.Getenv)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	source, err := o.Drawn.open()
	if err != nil {
		return err
	}
	rec, err := newRecorder(a, o, source.key, shard)
	if err != nil {
		return err
	}
	idle := false
	so.Step = shard.Of
	so.First, so.Seeds, idle = share(shard, so.First, so.Seeds)
	so.Done, so.Skip = rec.done, rec.has
	var sum sweep.Summary
	if !idle {
		roomy()
		s := sweep.New(source.draw, so)
		stop, stopWriting := a.Progress(func() string { return progressLine(s.Progress()) }), rec.keepWriting()
		sum, err = s.Run(ctx)
		stopWriting()
		stop()
		if err != nil {
			return err
		}
	}
	return rec.finish(sum)
}

// share is a shard's seeds of a sweep: the first, and how many; idle, if none. Without a number (0) there is no end.
func share(shard results.Shard, first uint64, n int64) (seed uint64, count int64, idle bool) {
	if n == 0 {
		return first + shard.Index%shard.Of, 0, false
	}
	seed, count = shard.First(first, n)
	return seed, count, count == 0
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

// failureLine tells of a failing seed at once, while others run; the result has the details.
func failureLine(f *sweep.Failure, key results.Key, capsule string) string {
	what := "is not deterministic"
	if len(f.Violations) > 0 {
		what = "violated " + f.Violations[0].Property
	}
	again := key.Repeat(f.Seed, f.Divergence != "")
	if capsule != "" && f.Divergence == "" {
		again = "klamm replay " + capsule
	}
	return fmt.Sprintf("seed %d %s: %s", f.Seed, what, again)
}
