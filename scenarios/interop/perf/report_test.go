package perf

import (
	"strings"
	"testing"
)

// TestReport holds the table of two rounds against what it should be: ratios are those of pairs, and their median counts.
func TestReport(t *testing.T) {
	w := work{Name: "w", Mode: produce, Targets: []target{
		{Figure: rate, AtLeast: true, Bound: 2, Times: kafka},
		{Figure: rate, AtLeast: true, Bound: 0.9, Times: discarding},
		{Figure: cpu, Bound: 0.6},
	}}
	l := closedLoop(1, target{Figure: median, Bound: 2, Times: machine})
	var r results
	for _, s := range []sample{{MBps: 300, BrokerCPU: 0.5, Warm: 1500}, {MBps: 500, BrokerCPU: 0.6, Warm: 300}} {
		r.add(w, klamm, s)
	}
	r.add(w, kafka, sample{MBps: 100, BrokerCPU: 1})
	r.add(w, kafka, sample{MBps: 400, BrokerCPU: 1})
	r.add(l, klamm, sample{latency: latency{P50: 180, P99: 400}})
	r.add(l, machine, sample{latency: latency{P50: 75, P99: 130}})
	want := `
| work | server | rounds | median | / Kafka | / discard | / machine | target |
|---|---|---|---|---|---|---|---|
| w, MB/s | Klamm | 300, 500 | 400 | 2.12 |  |  | >= 2 x Kafka: met; >= 0.9 x discard: not measured |
| w, MB/s | Kafka | 100, 400 | 250 |  |  |  |  |
| w, CPU-s/GB | Klamm | 0.50, 0.60 | 0.55 | 0.55 |  |  | <= 0.6: met |
| w, CPU-s/GB | Kafka | 1.00, 1.00 | 1.00 |  |  |  |  |
| closed loop, 1 client, 100 B, p50, us | Klamm | 180 | 180 |  |  | 2.40 | <= 2 x machine: **missed** |
| closed loop, 1 client, 100 B, p50, us | machine | 75 | 75 |  |  |  |  |
| closed loop, 1 client, 100 B, p99, us | Klamm | 400 | 400 |  |  | 3.08 |  |
| closed loop, 1 client, 100 B, p99, us | machine | 130 | 130 |  |  |  |  |

Memory was warmed before each measurement by a file written at 300 to 1500 MB/s, median 900.
`
	if got := r.String(); got != strings.TrimPrefix(want, "\n") {
		t.Errorf("the table is\n%s\nnot%s", got, want)
	}
}

// TestParseStat: a process may have any name.
func TestParseStat(t *testing.T) {
	got, err := parseStat("7 (a) (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 9 9 20 0 1 0 1 1 1")
	if err != nil || got != 3 {
		t.Errorf("%v s, %v", got, err)
	}
	if _, err := parseStat("7 (a) S 1"); err == nil {
		t.Error("a line that ends early is understood")
	}
}
