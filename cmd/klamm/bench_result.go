package main

import (
	"fmt"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/hist"
	"github.com/klamm-log/klamm/cmd/klamm/show"
)

// benchSchema names the format of klamm bench -o json.
const benchSchema = "klamm.bench.result/v1"

// benchResult is what a benchmark of a broker measured.
type benchResult struct {
	Schema           string   `json:"schema"`
	Kind             string   `json:"kind"`
	Topic            string   `json:"topic"`
	Records          int64    `json:"records"`
	Bytes            int64    `json:"bytes"` // of keys and values
	Errors           int64    `json:"errors"`
	WallNs           int64    `json:"wall_ns"`
	RecordsPerSecond float64  `json:"records_per_s"`
	MBPerSecond      float64  `json:"mb_per_s"` // of a million bytes
	Acks             string   `json:"acks,omitempty"`
	Codec            string   `json:"codec,omitempty"`
	Latency          *latency `json:"latency_ns,omitempty"`    // from a record's begin to its acknowledgement
	EndToEnd         *latency `json:"end_to_end_ns,omitempty"` // from a record's begin to its reading
}

// latency is a distribution in ns.
type latency struct {
	Min  int64 `json:"min"`
	Mean int64 `json:"mean"`
	P50  int64 `json:"p50"`
	P90  int64 `json:"p90"`
	P99  int64 `json:"p99"`
	P999 int64 `json:"p99_9"`
	Max  int64 `json:"max"`
}

func latencyOf(h *hist.Hist) *latency {
	return &latency{
		Min: int64(h.Min()), Mean: int64(h.Mean()), P50: int64(h.Quantile(500)), P90: int64(h.Quantile(900)),
		P99: int64(h.Quantile(990)), P999: int64(h.Quantile(999)), Max: int64(h.Max()),
	}
}

// measured fills in the rates.
func (r *benchResult) measured(wall time.Duration) {
	r.WallNs = int64(wall)
	r.RecordsPerSecond = show.PerSecond(r.Records, wall)
	r.MBPerSecond = show.PerSecond(r.Bytes, wall) / 1e6
}

// AppendText implements [show.Result].
func (r benchResult) AppendText(dst []byte) []byte {
	rows := [][]string{
		{r.Kind, fmt.Sprintf("%s records of topic %s in %s, %s failed", show.Count(r.Records), r.Topic,
			show.Duration(time.Duration(r.WallNs)), show.Count(r.Errors))},
		{"rate", fmt.Sprintf("%s records/s, %.1f MB/s", show.Count(int64(r.RecordsPerSecond)), r.MBPerSecond)},
	}
	if r.Latency != nil {
		rows = append(rows, []string{"latency", r.Latency.text()})
	}
	if r.EndToEnd != nil {
		rows = append(rows, []string{"end to end", r.EndToEnd.text()})
	}
	return show.Table(dst, rows...)
}

func (l *latency) text() string {
	d := func(ns int64) string { return show.Duration(time.Duration(ns)) }
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s, p99.9 %s, max %s", d(l.P50), d(l.P90), d(l.P99), d(l.P999), d(l.Max))
}
