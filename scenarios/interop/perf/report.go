package perf

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// sample is what one run of one work on one server gave.
type sample struct {
	MBps      float64 // values
	BrokerCPU float64 // seconds of all brokers per GB of values
	ClientCPU float64 // seconds of the client per GB of values
	latency           // of a closed loop
	Warm      float64 // MB/s at which memory was warmed before, 0 if it was not
}

// String is the sample in a line.
func (s sample) String() string {
	words := fmt.Sprintf("%.0f MB/s, %.2f CPU-s/GB, of the client %.2f", s.MBps, s.BrokerCPU, s.ClientCPU)
	if s.P50 > 0 {
		words += fmt.Sprintf(", p50 %.0f us, p99 %.0f us", s.P50, s.P99)
	}
	return words + fmt.Sprintf("; memory was warmed at %.0f MB/s", s.Warm)
}

// figure is one of a sample's numbers that are reported.
type figure string

const (
	rate   figure = "MB/s"
	cpu    figure = "CPU-s/GB"
	median figure = "p50, us"
	p99    figure = "p99, us"
)

// of is the figure's value.
func (f figure) of(s sample) float64 {
	switch f {
	case rate:
		return s.MBps
	case cpu:
		return s.BrokerCPU
	case median:
		return s.P50
	case p99:
		return s.P99
	}
	return math.NaN()
}

// text is a value with as many digits as mean something.
func (f figure) text(v float64) string {
	if f == cpu {
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// figures are what is reported of a work.
func (w work) figures() []figure {
	if w.Mode == loop {
		return []figure{median, p99}
	}
	return []figure{rate, cpu}
}

// target is what Klamm is to reach at a work: a bound of a figure, or of its ratio to that of another server.
type target struct {
	Figure  figure
	AtLeast bool // else at most
	Bound   float64
	Times   string // the other server; empty for none
}

// met tells whether a value, or a ratio, is good enough.
func (g target) met(v float64) bool {
	if g.AtLeast {
		return v >= g.Bound
	}
	return v <= g.Bound
}

// String is the target in the unit of its figure.
func (g target) String() string {
	sign := "<="
	if g.AtLeast {
		sign = ">="
	}
	if g.Times == "" {
		return fmt.Sprintf("%s %g", sign, g.Bound)
	}
	return fmt.Sprintf("%s %g x %s", sign, g.Bound, g.Times)
}

// results are the samples of a run, one per round.
type results struct {
	works   []work
	samples map[string]map[string][]sample // by work and server
}

// add takes one more sample.
func (r *results) add(w work, server string, s sample) {
	if r.samples == nil {
		r.samples = make(map[string]map[string][]sample)
	}
	if r.samples[w.Name] == nil {
		r.works = append(r.works, w)
		r.samples[w.Name] = make(map[string][]sample)
	}
	r.samples[w.Name][server] = append(r.samples[w.Name][server], s)
}

// servers are the names in the order of the report.
func servers() []string { return []string{klamm, earlier, kafka, kafkaSynced, discarding, machine} }

// baselines are the servers that others are compared with: an earlier build only if there was one.
func (r *results) baselines() []string {
	for _, by := range r.samples {
		if len(by[earlier]) > 0 {
			return []string{earlier, kafka, discarding, machine}
		}
	}
	return []string{kafka, discarding, machine}
}

// String is a Markdown table: a line for each figure of each server at each work.
func (r *results) String() string {
	var b strings.Builder
	b.WriteString("| work | server | rounds | median |")
	for _, base := range r.baselines() {
		fmt.Fprintf(&b, " / %s |", base)
	}
	b.WriteString(" target |\n|---|---|---|---|" + strings.Repeat("---|", len(r.baselines())) + "---|\n")
	for _, w := range r.works {
		for _, f := range w.figures() {
			for _, server := range servers() {
				b.WriteString(r.line(w, f, server))
			}
		}
	}
	b.WriteString(r.warmth())
	return b.String()
}

// line is that of one server, empty if it took no part.
func (r *results) line(w work, f figure, server string) string {
	samples := r.samples[w.Name][server]
	if len(samples) == 0 {
		return ""
	}
	var values []float64
	var texts []string
	for _, s := range samples {
		values, texts = append(values, f.of(s)), append(texts, f.text(f.of(s)))
	}
	cells := []string{w.Name + ", " + string(f), server, strings.Join(texts, ", "), f.text(middle(values))}
	for _, base := range r.baselines() {
		cell := ""
		if ratio, ok := r.ratio(w, f, server, base); ok && base != server {
			cell = fmt.Sprintf("%.2f", ratio)
		}
		cells = append(cells, cell)
	}
	verdicts := ""
	if server == klamm {
		verdicts = r.verdicts(w, f)
	}
	return "| " + strings.Join(append(cells, verdicts), " | ") + " |\n"
}

// ratio is the median of a server's ratios to another's sample of the same round. It is false if one has no sample.
func (r *results) ratio(w work, f figure, server, base string) (float64, bool) {
	mine, theirs := r.samples[w.Name][server], r.samples[w.Name][base]
	var ratios []float64
	for i := range min(len(mine), len(theirs)) {
		if below := f.of(theirs[i]); below > 0 {
			ratios = append(ratios, f.of(mine[i])/below)
		}
	}
	return middle(ratios), len(ratios) > 0
}

// verdicts tell which of the targets for a figure Klamm has met.
func (r *results) verdicts(w work, f figure) string {
	var out []string
	for _, g := range w.Targets {
		if g.Figure == f {
			out = append(out, g.String()+": "+r.verdict(w, g))
		}
	}
	return strings.Join(out, "; ")
}

// verdict is met, missed, or that nobody can tell.
func (r *results) verdict(w work, g target) string {
	var reached float64
	var known bool
	if g.Times != "" {
		reached, known = r.ratio(w, g.Figure, klamm, g.Times)
	} else {
		var values []float64
		for _, s := range r.samples[w.Name][klamm] {
			values = append(values, g.Figure.of(s))
		}
		reached, known = middle(values), len(values) > 0
	}
	switch {
	case !known:
		return "not measured"
	case g.met(reached):
		return "met"
	}
	return "**missed**"
}

// warmth says how warm memory was, from the slowest and the fastest write before a measurement.
func (r *results) warmth() string {
	var speeds []float64
	for _, w := range r.works {
		for _, server := range servers() {
			for _, s := range r.samples[w.Name][server] {
				if s.Warm > 0 {
					speeds = append(speeds, s.Warm)
				}
			}
		}
	}
	if len(speeds) == 0 {
		return "\nMemory was not warmed.\n"
	}
	return fmt.Sprintf("\nMemory was warmed before each measurement by a file written at %.0f to %.0f MB/s, median %.0f.\n",
		slices.Min(speeds), slices.Max(speeds), middle(speeds))
}

// middle is the median: of an even number the mean of the two in the middle, of none NaN.
func middle(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
