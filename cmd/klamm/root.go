package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// streams are what a process is born with.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what all commands share.
type app struct {
	streams
	*show.Printer // set before a command runs

	format     string
	cpuProfile string
}

// run runs one command line. It is the whole program but for the process around it.
func run(args []string, s streams) exit.Code {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal kills
	return runContext(ctx, args, s)
}

func runContext(ctx context.Context, args []string, s streams) exit.Code {
	a := &app{streams: s}
	root := newRoot(a)
	root.SetArgs(append([]string{}, args...)) // nil would mean those of the process
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	var coded *exit.Error
	if err != nil && !errors.As(err, &coded) { // not from a command: cobra could not make sense of the line
		coded = &exit.Error{Code: exit.Usage, Err: err}
		err = coded
	}
	if coded != nil && coded.Err != nil {
		a.printer().Talkf("klamm: %v", coded.Err)
	}
	return exit.Of(err)
}

// printer is the printer, also when the command line was too wrong to make one.
func (a *app) printer() *show.Printer {
	if a.Printer == nil {
		a.Printer = show.New(show.Options{Results: a.out, Talk: a.err})
	}
	return a.Printer
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "klamm",
		Short:         "A distributed log that speaks Kafka's protocol, and the simulator that proves it",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return a.open()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.StringVarP(&a.format, "output", "o", "text", "how results are printed: text or json")
	flags.StringVar(&a.cpuProfile, "cpuprofile", "", "write a CPU profile of this process to a file")
	_ = flags.MarkHidden("cpuprofile") // fails for unknown names only
	root.AddCommand(newSim(a), newReplay(a), newVersion(a))
	addSystemCommands(a, root)
	return root
}

// open makes the printer once the flags are known.
func (a *app) open() error {
	format, err := show.ParseFormat(a.format)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	o := show.Options{Results: a.out, Talk: a.err, Format: format}
	if f, ok := a.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Terminal = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.Width = width
		}
	}
	a.Printer = show.New(o)
	return nil
}

// does makes a command's RunE of a function. Its error gets an exit code, and the profile that was asked for is
// written.
func (a *app) does(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		stop, err := a.profile()
		if err == nil {
			err = f(cmd.Context(), args)
			err = errors.Join(err, stop())
		}
		var coded *exit.Error
		if err == nil || errors.As(err, &coded) {
			return err
		}
		return exit.With(exit.Of(err), err)
	}
}

// profile begins the CPU profile, if one was asked for.
func (a *app) profile() (stop func() error, err error) {
	if a.cpuProfile == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(a.cpuProfile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
