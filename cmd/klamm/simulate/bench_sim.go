package simulate

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
	"github.com/spf13/cobra"
)

// NewBench is klamm bench with what runs everywhere.
func NewBench(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure a broker, of any make, or the simulator",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBenchSim(a))
	return cmd
}

// benchSimOptions are the flags of klamm bench sim.
type benchSimOptions struct {
	Profile string
	Seed    uint64
	Time    time.Duration
	Jobs    int
}

func newBenchSim(a *cli.App) *cobra.Command {
	var o benchSimOptions
	cmd := &cobra.Command{Use: "sim", Short: "Measure how fast seeds are run", Args: cobra.NoArgs}
	f := cmd.Flags()
	f.StringVar(&o.Profile, "profile", "default", "what seeds draw from")
	f.Uint64Var(&o.Seed, "seed", 1, "first seed")
	f.DurationVar(&o.Time, "time", 10*time.Second, "how long seeds are begun")
	f.IntVar(&o.Jobs, "jobs", runtime.GOMAXPROCS(0), "seeds run at the same time")
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error { return runBenchSim(ctx, a, o) })
	return cmd
}

func runBenchSim(ctx context.Context, a *cli.App, o benchSimOptions) error {
	if o.Time <= 0 || o.Jobs < 1 {
		return exit.Errorf(exit.Usage, "--time is positive, --jobs is 1 or more")
	}
	roomy()
	draw, err := drawWorlds(o.Profile)
	if err != nil {
		return err
	}
	s := sweep.New(draw, sweep.Options{First: o.Seed, Budget: o.Time, Grace: simGrace, Jobs: o.Jobs})
	stop := a.Progress(func() string { return progressLine(s.Progress()) })
	sum, err := s.Run(ctx)
	stop()
	if err != nil {
		return err
	}
	if err := a.Result(newBenchSimResult(o, sum)); err != nil {
		return exit.With(exit.IO, err)
	}
	if sum.Interrupted {
		return exit.Silently(exit.Interrupted)
	}
	return nil
}

// benchSimSchema names the format of klamm bench sim -o json.
const benchSimSchema = "klamm.bench.sim.result/v1"

// benchSimResult is how fast seeds were run. Rates are those of all jobs together.
type benchSimResult struct {
	Schema          string  `json:"schema"`
	Profile         string  `json:"profile"`
	Jobs            int     `json:"jobs"`
	SeedsRun        int64   `json:"seeds_run"`
	Failing         int     `json:"failing"`
	Events          int64   `json:"events"`
	SimNs           int64   `json:"sim_ns"`
	WallNs          int64   `json:"wall_ns"`
	EventsPerSecond float64 `json:"events_per_s"`
	SimPerSecond    float64 `json:"sim_s_per_s"`
	SeedsPerHour    float64 `json:"seeds_per_hour"`
}

func newBenchSimResult(o benchSimOptions, sum sweep.Summary) benchSimResult {
	return benchSimResult{
		Schema: benchSimSchema, Profile: o.Profile, Jobs: o.Jobs, SeedsRun: sum.Seeds, Failing: len(sum.Failures),
		Events: sum.Events, SimNs: int64(sum.SimTime), WallNs: int64(sum.Wall),
		EventsPerSecond: show.PerSecond(sum.Events, sum.Wall), SimPerSecond: ratio(sum.SimTime, sum.Wall),
		SeedsPerHour: show.PerSecond(sum.Seeds, sum.Wall) * 3600,
	}
}

// AppendText implements [show.Result].
func (r benchSimResult) AppendText(dst []byte) []byte {
	return show.Table(dst,
		[]string{"sim", fmt.Sprintf("%s seeds of profile %s in %s, %d jobs, %d failing", show.Count(r.SeedsRun), r.Profile,
			show.Duration(time.Duration(r.WallNs)), r.Jobs, r.Failing)},
		[]string{"events", show.Short(r.EventsPerSecond) + "/s"},
		[]string{"time", show.Short(r.SimPerSecond) + " simulated s per s"},
		[]string{"seeds", show.Short(r.SeedsPerHour) + " per hour"},
	)
}
