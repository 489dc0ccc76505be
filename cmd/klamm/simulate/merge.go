package simulate

import (
	"context"
	"errors"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/spf13/cobra"
)

// mergeOptions are the flags of klamm merge.
type mergeOptions struct {
	Result string
	Ledger string
}

func newMerge(a *cli.App) *cobra.Command {
	var o mergeOptions
	cmd := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Join the results of shards into that of the whole sweep",
		Long: `Join results of klamm sim (from --result, or -o json) into one. They must be of one program
and one profile. Order does not matter, nor whether some overlap, are incomplete, or have
been joined before: each seed counts once, and the digest is that of one process that ran
all seeds. A file named - is read from standard input.

Exit code: that of the whole sweep, as klamm sim has it; 2 also if seeds are missing, with the
lines that run them, 3 also if two results have different runs of a seed, 65 if the results
are of different sweeps.`,
		Args: cobra.MinimumNArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&o.Result, "result", "", "write the joined result to this file, too")
	f.StringVar(&o.Ledger, "ledger", "", "add the points that were reached to this ledger")
	cmd.RunE = a.Does(func(_ context.Context, args []string) error { return runMerge(a, o, args) })
	return cmd
}

func runMerge(a *cli.App, o mergeOptions, paths []string) error {
	var whole *results.Set
	for _, path := range paths {
		b, err := a.ReadInput(path)
		if err != nil {
			return err
		}
		s, err := results.Parse(b)
		if err != nil {
			return exit.Errorf(exit.Data, "%s: %w", path, err)
		}
		if whole == nil {
			whole = s
		} else if err := whole.Join(s); err != nil {
			return exit.Errorf(exit.Data, "%s: %w", path, err)
		}
	}
	report := whole.WholeReport()
	if o.Result != "" {
		b, err := report.Encode()
		if err := errors.Join(err, results.WriteFile(o.Result, b)); err != nil {
			return exit.With(exit.IO, err)
		}
	}
	if err := addToLedger(o.Ledger, whole.Ledger()); err != nil {
		return err
	}
	if err := a.Result(report); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.Silently(report.Code())
}
