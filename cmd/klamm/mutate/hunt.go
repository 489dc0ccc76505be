package mutate

import (
	"context"
	"slices"
	"time"
)

// Found is what a hunt for a mutant showed.
type Found struct {
	// Starts is the number of seeds to each detection, in order: a start begins where the one before ended. Seeds are
	// independent, so the starts are.
	Starts []int64
	// Open is the seeds of the last start, if it ended without a detection.
	Open int64
	// Violations is the first violation of each detection.
	Violations []Violation
	// Anyway is the seeds that fail without the mutant, too: they are not counted as detections.
	Anyway []uint64
	// Unfinished is the seeds that did not end.
	Unfinished []uint64
	Seeds      int64
	Wall       time.Duration
}

// Hunt sweeps seeds with a mutant until it has been detected sweep.Failures times or the sweep is at its end. A seed
// detects the mutant if it fails with it and, judged by control, holds without it.
func Hunt(ctx context.Context, mutant, control Program, sweep Sweep) (Found, error) {
	begin := time.Now()
	var f Found
	wanted, first := sweep.Failures, sweep.First
	for left := sweep.Seeds; left > 0 && len(f.Starts) < wanted; {
		sweep.First, sweep.Seeds, sweep.Failures = first, left, wanted-len(f.Starts)
		swept, err := mutant.Sweep(ctx, sweep)
		if err != nil {
			return f, err
		}
		if err := f.take(ctx, control, sweep, &swept, wanted); err != nil {
			return f, err
		}
		first += uint64(swept.Seeds)
		left -= swept.Seeds
		late := sweep.Time > 0 && time.Since(begin) >= sweep.Time
		if len(swept.Unfinished) > 0 || swept.Seeds == 0 || late {
			break
		}
	}
	f.Wall = time.Since(begin)
	return f, nil
}

// take counts the failing seeds of one sweep.
func (f *Found) take(ctx context.Context, control Program, sweep Sweep, swept *Swept, wanted int) error {
	f.Unfinished = append(f.Unfinished, swept.Unfinished...)
	at := sweep.First - uint64(f.Open) // where the present start began
	for _, seed := range swept.Red() {
		without, err := control.Sweep(ctx, Sweep{Profile: sweep.Profile, First: seed, Seeds: 1, Failures: 1, Jobs: 1})
		if err != nil {
			return err
		}
		if len(without.Violations) > 0 {
			f.Anyway = append(f.Anyway, seed)
			continue
		}
		if len(f.Starts) == wanted {
			break
		}
		f.Starts = append(f.Starts, int64(seed-at)+1)
		f.Violations = append(f.Violations, swept.First(seed))
		at = seed + 1
	}
	f.Seeds += swept.Seeds
	f.Open = int64(sweep.First + uint64(swept.Seeds) - at)
	return nil
}

// Quantile is the least number of seeds within which the share num/den of the starts had detected the mutant; 0 if
// there was none. The open start is not among them.
func (f *Found) Quantile(num, den int) int64 {
	if len(f.Starts) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(f.Starts))
	rank := (len(sorted)*num + den - 1) / den
	return sorted[max(rank, 1)-1]
}
