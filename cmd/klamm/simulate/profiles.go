package simulate

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/spf13/cobra"
)

func newProfiles(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profiles",
		Short: "List what seeds can be drawn from",
		Args:  cobra.NoArgs,
		RunE:  a.Does(func(context.Context, []string) error { return listProfiles(a) }),
	}
	var d drawnFrom
	shown := &cobra.Command{
		Use:   "show NAME",
		Short: "Print a profile as JSON, which a file for --profile may have",
		Args:  cobra.ExactArgs(1),
	}
	d.setFlag(shown.Flags())
	shown.RunE = a.Does(func(_ context.Context, args []string) error {
		d.Profile = args[0]
		s, err := d.open()
		if err != nil {
			return err
		}
		return exit.With(exit.IO, a.Result(shownProfile(s.profile)))
	})
	cmd.AddCommand(shown)
	return cmd
}

// shownProfile is a profile as it is printed: as JSON in either format, a range on one line.
type shownProfile scenarios.Profile

// Encode implements [show.Encoder].
func (p shownProfile) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(p, "", " ")
	b = regexp.MustCompile(`\[\s+(-?\d+),\s+(-?\d+)\s+\]`).ReplaceAll(b, []byte("[$1, $2]"))
	return append(b, '\n'), err
}

// AppendText implements [show.Result].
func (p shownProfile) AppendText(dst []byte) []byte {
	b, err := p.Encode()
	if err != nil {
		panic(err) // numbers and texts
	}
	return append(dst, b...)
}

// profilesSchema names the format of klamm profiles -o json.
const profilesSchema = "klamm.profiles.result/v1"

// profilesResult is the list of profiles.
type profilesResult struct {
	Schema   string        `json:"schema"`
	Profiles []profileLine `json:"profiles"`
}

type profileLine struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

func listProfiles(a *cli.App) error {
	r := profilesResult{Schema: profilesSchema}
	for _, name := range append(scenarios.Profiles(), scenarios.CanaryProfile) {
		p, err := scenarios.LoadProfile(name)
		if err != nil {
			return err
		}
		r.Profiles = append(r.Profiles, profileLine{Name: p.Name, Doc: p.Doc})
	}
	return exit.With(exit.IO, a.Result(r))
}

// AppendText implements [show.Result].
func (r profilesResult) AppendText(dst []byte) []byte {
	rows := make([][]string, 0, len(r.Profiles))
	for _, p := range r.Profiles {
		rows = append(rows, []string{p.Name, p.Doc})
	}
	return show.Table(dst, rows...)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
