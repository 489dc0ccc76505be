//go:build !js

package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/mutate"
	"github.com/klamm-log/klamm/cmd/klamm/show"
)

// shrunkResult is how small the first detection became.
type shrunkResult struct {
	mutate.Shrunk
	// Holds says that the program without the bug keeps every promise in the smaller run: it shows the bug and nothing else.
	Holds bool `json:"holds"`
}

// shrink makes a detection smaller with the mutant's program, and asks the one without the bug about what is left.
func (l *lab) shrink(ctx context.Context, program mutate.Program, capsule string) (*shrunkResult, error) {
	small, err := program.Shrink(ctx, capsule, l.o.Jobs)
	if err != nil {
		return nil, err
	}
	without, err := l.control.Replay(ctx, small.Capsule)
	return &shrunkResult{Shrunk: small, Holds: len(without.Verdict) == 0}, err
}

// appendShrunk tells how small the detections became, and what that took.
func (r *mutantsResult) appendShrunk(dst []byte) []byte {
	rows := [][]string{{"SHRUNK", "PROPERTY", "EVENTS", "AFTER", "SHARE", "NODES", "FAULTS", "CLIENTS", "OPERATIONS", "RUNS", "TIME", "PROCESSOR", "END", "WITHOUT"}}
	var shares, walls, used []int64
	for i := range r.Mutants {
		if s := r.Mutants[i].Shrunk; s != nil {
			rows = append(rows, append([]string{r.Mutants[i].ID}, s.cells()...))
			shares, walls, used = append(shares, s.share()), append(walls, s.WallNs), append(used, s.CPUNs)
		}
	}
	if len(shares) == 0 {
		return dst
	}
	dst = show.Table(dst, rows...)
	return fmt.Appendf(dst, "%d shrunk: in the median to %s of the events; time in the median %s, 95th percentile %s; processor %s, %s\n",
		len(shares), percent(quantile(shares, 50)), took(quantile(walls, 50)), took(quantile(walls, 95)), took(quantile(used, 50)), took(quantile(used, 95)))
}

func (s *shrunkResult) cells() []string {
	end, without := "cut short", "FAILS"
	if s.Complete {
		end = "complete"
	}
	if s.Holds {
		without = "holds"
	}
	change := func(before, after int) string { return fmt.Sprintf("%d -> %d", before, after) }
	b, a := &s.Before, &s.After
	return []string{
		s.Property, show.Count(b.Events), show.Count(a.Events), percent(s.share()), change(b.Nodes, a.Nodes), change(b.Faults, a.Faults),
		change(b.Clients, a.Clients), change(b.Ops, a.Ops), show.Count(s.Runs), took(s.WallNs), took(s.CPUNs), end, without,
	}
}

// share is the events that are left, in thousandths of those there were, rounded up.
func (s *shrunkResult) share() int64 {
	return (1000*s.After.Events + s.Before.Events - 1) / max(1, s.Before.Events)
}

func percent(thousandths int64) string {
	return fmt.Sprintf("%d.%d %%", thousandths/10, thousandths%10)
}

func took(ns int64) string { return show.Duration(time.Duration(ns)) }

// quantile is the least value that p per cent of the values do not exceed.
func quantile(values []int64, p int) int64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(1, (len(sorted)*p+99)/100)-1]
}
