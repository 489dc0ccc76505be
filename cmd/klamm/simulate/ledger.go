package simulate

import (
	"context"
	"fmt"
	"strings"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/scenarios/ledger"
	"github.com/spf13/cobra"
)

func newLedger(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "ledger [FILE...]",
		Short: "Judge which points of the code sweeps have reached",
		Long: `Join ledgers (klamm sim --ledger) and results (klamm sim --result) and say of each point of
the catalogue which profiles reached it, with the smallest seed that does. Without a file,
print the catalogue. A file named - is read from standard input.

Exit code: 1 if a sweep reached not all points that its profile must reach; points that are
marked rare, profiles changed with --set, and sweeps of less than ` + fmt.Sprint(ledger.Enough) + ` seeds are not judged.`,
		RunE: a.Does(func(_ context.Context, args []string) error { return runLedger(a, args) }),
	}
}

func runLedger(a *cli.App, paths []string) error {
	list := make([]results.Ledger, 0, len(paths))
	for _, path := range paths {
		b, err := a.ReadInput(path)
		if err != nil {
			return err
		}
		l, err := results.ParseLedger(b)
		if err != nil {
			return exit.Errorf(exit.Data, "%s: %w", path, err)
		}
		list = append(list, l)
	}
	r := newLedgerResult(results.JoinLedgers(list...))
	if err := a.Result(r); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.Silently(r.code())
}

// ledgerResultSchema names the format of klamm ledger -o json.
const ledgerResultSchema = "klamm.ledger.result/v1"

// ledgerResult is the catalogue with what was reached.
type ledgerResult struct {
	Schema    string          `json:"schema"`
	Points    []ledgerPoint   `json:"points"`
	Sweeps    []ledgerSummary `json:"sweeps"`
	Together  []string        `json:"unreached_together"` // that one of several profiles must reach, and none did
	Unreached int             `json:"unreached"`          // demanded and not reached, over all sweeps
}

// ledgerPoint is one point of the catalogue, or one that is not in it.
type ledgerPoint struct {
	Name     string            `json:"name"`
	What     string            `json:"what"`
	Rare     bool              `json:"rare,omitempty"`
	Any      bool              `json:"any,omitempty"`     // one of the profiles must, not each
	Profiles []string          `json:"profiles"`          // that must reach it; of a rare one: that have
	Seeds    map[string]uint64 `json:"seeds"`             // the smallest that reached it, by profile
	Foreign  bool              `json:"foreign,omitempty"` // this program does not know it
}

// ledgerSummary is one sweep.
type ledgerSummary struct {
	Code      string         `json:"code"`
	Profile   string         `json:"profile"`
	Overrides []string       `json:"overrides,omitempty"`
	Seeds     results.Ranges `json:"seeds"`
	Judged    bool           `json:"judged"` // enough seeds, of an unchanged profile
	Reached   int            `json:"reached"`
	Unreached []string       `json:"unreached"`
}

func newLedgerResult(l results.Ledger) ledgerResult {
	r := ledgerResult{
		Schema: ledgerResultSchema, Points: []ledgerPoint{}, Sweeps: []ledgerSummary{}, Together: append([]string{}, l.Unreached()...),
	}
	r.Unreached = len(r.Together)
	known := make(map[string]int)
	for _, e := range ledger.Catalogue() {
		known[e.Name] = len(r.Points)
		r.Points = append(r.Points, ledgerPoint{
			Name: e.Name, What: e.What, Rare: e.Rare, Any: e.Any, Profiles: append([]string{}, e.Profiles...), Seeds: map[string]uint64{},
		})
	}
	for i := range l.Sweeps {
		s := &l.Sweeps[i]
		unreached := append([]string{}, s.Unreached()...)
		r.Unreached += len(unreached)
		r.Sweeps = append(r.Sweeps, ledgerSummary{
			Code: s.Code, Profile: s.Profile, Overrides: s.Overrides, Seeds: s.Seeds, Judged: s.Judged(), Reached: len(s.Points), Unreached: unreached,
		})
		for _, name := range sortedKeys(s.Points) {
			at, ok := known[name]
			if !ok {
				at = len(r.Points)
				known[name] = at
				r.Points = append(r.Points, ledgerPoint{Name: name, What: "not in this program's catalogue", Profiles: []string{}, Seeds: map[string]uint64{}, Foreign: true})
			}
			seeds := r.Points[at].Seeds
			if old, ok := seeds[s.Profile]; !ok || s.Points[name] < old {
				seeds[s.Profile] = s.Points[name]
			}
		}
	}
	return r
}

func (r *ledgerResult) code() exit.Code {
	if r.Unreached > 0 {
		return exit.Violated
	}
	return exit.OK
}

// AppendText implements [show.Result].
func (r ledgerResult) AppendText(dst []byte) []byte {
	rows := [][]string{{"POINT", "MUST BE REACHED BY", "REACHED BY (SMALLEST SEED)", "WHAT HAPPENS"}}
	for i := range r.Points {
		p := &r.Points[i]
		must := strings.Join(p.Profiles, " ")
		if p.Any {
			must = "any of " + must
		} else if p.Rare {
			must = "rare"
		}
		reached := make([]string, 0, len(p.Seeds))
		for _, profile := range sortedKeys(p.Seeds) {
			reached = append(reached, fmt.Sprintf("%s %d", profile, p.Seeds[profile]))
		}
		by := strings.Join(reached, ", ")
		if by == "" {
			by = "-"
		}
		rows = append(rows, []string{p.Name, must, by, p.What})
	}
	dst = show.Table(dst, rows...)
	for i := range r.Sweeps {
		s := &r.Sweeps[i]
		dst = fmt.Appendf(dst, "profile %s, seeds %v: %d points reached", s.Profile, s.Seeds, s.Reached)
		switch {
		case len(s.Overrides) > 0:
			dst = fmt.Appendf(dst, ", not judged: changed by %s", strings.Join(s.Overrides, " "))
		case !s.Judged:
			dst = fmt.Appendf(dst, ", not judged: less than %d seeds", ledger.Enough)
		}
		dst = append(dst, '\n')
		for _, name := range s.Unreached {
			dst = fmt.Appendf(dst, "  UNREACHED %s\n", name)
		}
	}
	for _, name := range r.Together {
		dst = fmt.Appendf(dst, "UNREACHED by all profiles that should: %s\n", name)
	}
	return dst
}
