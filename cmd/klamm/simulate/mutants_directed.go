//go:build !js

package simulate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/mutate"
	"github.com/klamm-log/klamm/cmd/klamm/show"
)

// directedSchema names the format of klamm mutants --directed -o json.
const directedSchema = "klamm.mutants.directed/v1"

// directedResult is what the directed scenarios showed.
type directedResult struct {
	Schema  string         `json:"schema"`
	Mutants []stagedResult `json:"mutants"`
}

// stagedResult is one mutant's scenario, with the bug and without.
type stagedResult struct {
	ID       string `json:"id"`
	Scenario string `json:"scenario"`
	Found    bool   `json:"found"`         // it fails with the bug and passes without
	Control  bool   `json:"control"`       // it passes without
	Why      string `json:"why,omitempty"` // what it says with the bug
	WallNs   int64  `json:"wall_ns"`
}

// runDirected runs the scenarios that were written for the mutants, all of those that have one if none is named.
func runDirected(ctx context.Context, a *cli.App, tree mutate.Tree, ids []string) error {
	named := len(ids) > 0
	if !named {
		var err error
		if ids, err = mutate.List(tree.Root()); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "klamm-mutants-")
	if err != nil {
		return err
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			a.Talkf("klamm: %v", err)
		}
	}()
	r := directedResult{Schema: directedSchema, Mutants: []stagedResult{}}
	for _, id := range ids {
		m, err := mutate.Load(tree.Root(), id)
		switch {
		case err != nil:
			return exit.With(exit.Of(err), err)
		case m.Directed == (mutate.Scenario{}) && named:
			return exit.Errorf(exit.Usage, "no scenario was written for %s; its README.md would name it in a line \"* Directed: package test\"", id)
		case m.Directed == (mutate.Scenario{}):
			continue
		}
		a.Talkf("%s: %v", id, m.Directed)
		staged, err := stage(ctx, tree, m, filepath.Join(dir, id))
		if err != nil {
			return exit.With(exit.Data, err)
		}
		r.Mutants = append(r.Mutants, staged)
	}
	if err := a.Result(r); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.Silently(r.code())
}

// stage runs one mutant's scenario with the bug and without.
func stage(ctx context.Context, tree mutate.Tree, m mutate.Mutant, dir string) (stagedResult, error) {
	r := stagedResult{ID: m.ID, Scenario: m.Directed.String()}
	changed, err := tree.Changed(m)
	if err != nil {
		return r, err
	}
	for _, files := range []map[string][]byte{nil, changed} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return r, err
		}
		s, err := tree.Stage(ctx, m.Directed, files, dir)
		if err != nil {
			return r, fmt.Errorf("mutant %s: %w", m.ID, err)
		}
		if r.WallNs += int64(s.Wall); files == nil {
			r.Control = !s.Failed
		} else {
			r.Found, r.Why = s.Failed && r.Control, s.Why
		}
	}
	return r, nil
}

// code is the exit code that the result deserves.
func (r *directedResult) code() exit.Code {
	for i := range r.Mutants {
		if !r.Mutants[i].Found {
			return exit.Violated
		}
	}
	return exit.OK
}

// AppendText implements [show.Result].
func (r directedResult) AppendText(dst []byte) []byte {
	rows := [][]string{{"MUTANT", "FOUND", "SCENARIO", "TIME", "IT SAYS"}}
	for i := range r.Mutants {
		m := &r.Mutants[i]
		verdict := "yes"
		switch {
		case !m.Control:
			verdict = "RED WITHOUT"
		case !m.Found:
			verdict = "NO"
		}
		rows = append(rows, []string{m.ID, verdict, m.Scenario, show.Duration(time.Duration(m.WallNs)), m.Why})
	}
	return show.Table(dst, rows...)
}
