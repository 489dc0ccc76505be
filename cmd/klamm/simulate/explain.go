package simulate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/scenarios/explain/html"
	"github.com/klamm-log/klamm/scenarios/explain/mermaid"
	"github.com/klamm-log/klamm/scenarios/explain/pcap"
	"github.com/klamm-log/klamm/scenarios/explain/perfetto"
	"github.com/klamm-log/klamm/scenarios/explain/story"
	"github.com/klamm-log/klamm/sim"
	"github.com/spf13/cobra"
)

// explainOptions are the flags of klamm explain.
type explainOptions struct {
	Seed     uint64
	Drawn    drawnFrom
	All      bool
	Lines    int
	Around   time.Duration
	Node     string
	Topic    string
	HTML     string
	Perfetto string
	Pcap     string
	Mermaid  string
	seeded   bool // --seed was given
}

func newExplain(a *cli.App) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain [CAPSULE]",
		Short: "Tell why a run broke a promise",
		Long: `Repeat the run of a capsule, or of a seed of a profile, with somebody who watches, and tell
what led to the violation: what was demanded and who says so, what was seen instead, the
steps in its causal past that matter, the life of the offset in question, and what each
node held at that moment. What repeats is folded; --all tells everything.

The whole run can be written in other forms besides: a page to look at (--html), a trace for
ui.perfetto.dev (--perfetto), the packets for Wireshark (--pcap), a sequence diagram of
what matters (--mermaid, after "klamm shrink"). A capsule or a file named - is standard
input or output; with a form on standard output there is no story.`,
		Args: cobra.MaximumNArgs(1),
	}
	f := cmd.Flags()
	f.Uint64Var(&o.Seed, "seed", 0, "the seed to explain, instead of a capsule")
	o.Drawn.flags(f)
	f.BoolVar(&o.All, "all", false, "tell everything in the causal past")
	f.IntVar(&o.Lines, "events", 0, "tell so many events at most; 0 is what fits about 80 lines")
	f.DurationVar(&o.Around, "around", 0, "tell only what happened so long before the violation, in simulated time")
	f.StringVar(&o.Node, "node", "", "tell only this process' events, for instance broker2")
	f.StringVar(&o.Topic, "topic", "", "tell only what is about this topic, or about none")
	f.StringVar(&o.HTML, "html", "", "write one page with a space-time diagram to a file")
	f.StringVar(&o.Perfetto, "perfetto", "", "write a trace for the Perfetto UI to a file")
	f.StringVar(&o.Pcap, "pcap", "", "write the packets to a file, for Wireshark")
	f.StringVar(&o.Mermaid, "mermaid", "", "write a Mermaid sequence diagram to a file")
	cmd.RunE = a.Does(func(_ context.Context, args []string) error {
		o.seeded = cmd.Flags().Changed("seed")
		return runExplain(a, o, args)
	})
	return cmd
}

// plan is the plan to be explained, and where it came from.
func (o *explainOptions) plan(a *cli.App, args []string) (sim.Plan, string, error) {
	switch {
	case o.seeded == (len(args) == 1):
		return sim.Plan{}, "", exit.Errorf(exit.Usage, "explain either a capsule or a --seed")
	case o.Lines < 0 || o.Around < 0:
		return sim.Plan{}, "", exit.Errorf(exit.Usage, "--events and --around cannot be negative")
	case o.seeded:
		from, err := o.Drawn.open()
		if err != nil {
			return sim.Plan{}, "", err
		}
		return scenarios.Draw(o.Seed, from.profile), "", nil
	}
	b, err := a.ReadInput(args[0])
	if err != nil {
		return sim.Plan{}, "", err
	}
	c, err := sim.ParseCapsule(b)
	if err != nil {
		return sim.Plan{}, "", exit.Errorf(exit.Data, "%s: %w", args[0], err)
	}
	return c.Plan, args[0], nil
}

func runExplain(a *cli.App, o explainOptions, args []string) error {
	plan, capsule, err := o.plan(a, args)
	if err != nil {
		return err
	}
	t := explain.Record(plan)
	so := story.Options{Capsule: capsule, Filter: explain.Filter{
		Most: o.Lines, All: o.All, Around: core.Mono(o.Around), Node: o.Node, Topic: o.Topic,
	}}
	if o.Node != "" && !known(t, o.Node) {
		return exit.Errorf(exit.Usage, "there is no process %q in this run", o.Node)
	}
	r := explainResult{Schema: explainSchema, Capsule: capsule, Seed: plan.Seed, Verdict: t.Verdict.Lines(), Files: []string{}}
	for _, f := range o.forms() {
		if f.path == "" {
			continue
		}
		if err := writeForm(a, f, t, so.Filter); err != nil {
			return err
		}
		if f.path == "-" {
			return nil
		}
		r.Files = append(r.Files, f.path)
	}
	r.Story = strings.Split(strings.TrimSuffix(string(story.Append(nil, t, so)), "\n"), "\n")
	return exit.With(exit.IO, a.Result(r))
}

func known(t *explain.Tape, name string) bool {
	for i := range t.Procs {
		if t.Procs[i].Name == name {
			return true
		}
	}
	return false
}

// form is a way to write a run out.
type form struct {
	path  string
	write func(io.Writer, *explain.Tape, explain.Filter) error
}

func (o *explainOptions) forms() []form {
	whole := func(write func(io.Writer, *explain.Tape) error) func(io.Writer, *explain.Tape, explain.Filter) error {
		return func(w io.Writer, t *explain.Tape, _ explain.Filter) error { return write(w, t) }
	}
	return []form{
		{o.HTML, whole(html.Write)},
		{o.Perfetto, whole(perfetto.Write)},
		{o.Pcap, whole(pcap.Write)},
		{o.Mermaid, mermaid.Write},
	}
}

// writeForm writes a run to a file, or to standard output. A form that refuses a run says so in words.
func writeForm(a *cli.App, f form, t *explain.Tape, filter explain.Filter) (err error) {
	if f.path == "-" {
		return f.write(a.Out, t, filter)
	}
	file, err := os.Create(f.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriterSize(file, 1<<20)
	if err := f.write(w, t, filter); err != nil {
		return err
	}
	return w.Flush()
}

// explainSchema names the format of klamm explain -o json.
const explainSchema = "klamm.explain.result/v1"

// explainResult is a story, and what else was written.
type explainResult struct {
	Schema  string   `json:"schema"`
	Capsule string   `json:"capsule,omitempty"`
	Seed    uint64   `json:"seed"`
	Verdict []string `json:"verdict"`
	Story   []string `json:"story"` // lines
	Files   []string `json:"files"` // written besides
}

// AppendText implements [show.Result].
func (r explainResult) AppendText(dst []byte) []byte {
	for _, line := range r.Story {
		dst = fmt.Appendf(dst, "%s\n", line)
	}
	for _, file := range r.Files {
		dst = fmt.Appendf(dst, "written: %s\n", file)
	}
	return dst
}
