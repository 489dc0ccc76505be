// Package cli is what all commands of klamm share: the streams, the printer, the flags of every command, exit codes.
//
// A command is one file: flags fill an options struct, and a function of the options does the work. Its constructor takes
// the [App] and returns the cobra command, whose RunE is [App.Does].
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Streams are what a process is born with.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// App is what all commands share.
type App struct {
	Streams
	*show.Printer // set before a command runs

	format     string
	cpuProfile string
}

// Commands makes the commands of a program.
type Commands func(a *App) []*cobra.Command

// Run runs one command line until it ends, or a signal or the context ends it. It is the whole program but for the process
// around it.
func Run(ctx context.Context, args []string, s Streams, commands Commands) exit.Code {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal kills
	a := &App{Streams: s}
	root := newRoot(a)
	root.AddCommand(commands(a)...)
	root.SetArgs(append([]string{}, args...)) // nil would mean those of the process
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	var coded *exit.Error
	if err != nil && !errors.As(err, &coded) { // not from a command: cobra could not make sense of the line
		coded = &exit.Error{Code: exit.Usage, Err: err}
		err = coded
	}
	if coded != nil && coded.Err != nil {
		a.printer().Talkf("klamm: %s", strings.ReplaceAll(coded.Err.Error(), context.Canceled.Error(), "interrupted"))
	}
	return exit.Of(err)
}

// printer is the printer, also when the command line was too wrong to make one.
func (a *App) printer() *show.Printer {
	if a.Printer == nil {
		a.Printer = show.New(show.Options{Results: a.Out, Talk: a.Err})
	}
	return a.Printer
}

func newRoot(a *App) *cobra.Command {
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
	return root
}

// open makes the printer once the flags are known.
func (a *App) open() error {
	format, err := show.ParseFormat(a.format)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	o := show.Options{Results: a.Out, Talk: a.Err, Format: format}
	if f, ok := a.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Terminal = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.Width = width
		}
	}
	a.Printer = show.New(o)
	return nil
}

// Does makes a command's RunE of a function. Its error gets an exit code, and the profile that was asked for is
// written.
func (a *App) Does(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
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
func (a *App) profile() (stop func() error, err error) {
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

// ReadInput reads a file that a command line names; "-" is standard input.
func (a *App) ReadInput(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(a.In)
	}
	return os.ReadFile(path)
}
