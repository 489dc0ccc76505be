package perfetto_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/scenarios/explain/perfetto"
)

type event struct {
	Ph, Name, Cat, ID, S string
	Pid, Tid             int
	TS                   *float64
	Dur                  *float64
	BindID               string `json:"bind_id"`
	FlowIn               bool   `json:"flow_in"`
	FlowOut              bool   `json:"flow_out"`
	Args                 map[string]any
}

// What the Trace Event Format asks for: each phase has its fields, what begins ends after it, flows have two ends, slices of
// one track do not cross.
func TestTraceEvents(t *testing.T) {
	p, err := scenarios.LoadProfile("cluster")
	require.NoError(t, err)
	tape := explain.Record(scenarios.Draw(2, p))
	var b bytes.Buffer
	require.NoError(t, perfetto.Write(&b, tape))
	var doc struct {
		TraceEvents     []event `json:"traceEvents"`
		DisplayTimeUnit string  `json:"displayTimeUnit"`
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &doc))
	require.Equal(t, "ns", doc.DisplayTimeUnit)

	open, begun := make(map[string]float64), make(map[int]string)
	flows := make(map[string][2]float64)
	tracks := make(map[[2]int][]float64) // where the slices end that the last one of a track stands in, itself included
	sent := 0
	for _, e := range doc.TraceEvents {
		require.Positive(t, e.Pid, "0 is the idle process")
		if e.Ph == "M" {
			if e.Name == "process_name" {
				begun[e.Pid] = e.Args["name"].(string)
			}
			continue
		}
		require.NotNil(t, e.TS, "%+v", e)
		require.NotEmpty(t, e.Name)
		require.NotEmpty(t, begun[e.Pid], "an event of a process without a name")
		switch e.Ph {
		case "X":
			require.NotNil(t, e.Dur)
			require.Positive(t, *e.Dur)
			track, end := [2]int{e.Pid, e.Tid}, *e.TS+*e.Dur
			around := tracks[track]
			for len(around) > 0 && around[len(around)-1] <= *e.TS {
				around = around[:len(around)-1]
			}
			if len(around) > 0 {
				require.LessOrEqual(t, end, around[len(around)-1], "%s crosses the slice that it begins in", e.Name)
			}
			tracks[track] = append(around, end)
			if e.FlowOut {
				flows[e.BindID] = [2]float64{*e.TS, -1}
				sent++
			}
			if e.FlowIn {
				f := flows[e.BindID]
				require.LessOrEqual(t, f[0], *e.TS, "a message arrives after it was sent")
				delete(flows, e.BindID)
			}
		case "b":
			open[e.Cat+e.ID] = *e.TS
		case "e":
			at, ok := open[e.Cat+e.ID]
			require.True(t, ok, "%s ends and has not begun", e.Name)
			require.LessOrEqual(t, at, *e.TS)
			delete(open, e.Cat+e.ID)
		case "i":
			require.Contains(t, []string{"t", "g"}, e.S)
		case "C":
			require.Len(t, e.Args, 2)
		default:
			t.Fatalf("phase %q", e.Ph)
		}
	}
	require.Empty(t, flows, "flows without an end")
	require.Greater(t, sent, 500)
	require.Len(t, begun, len(tape.Procs)+1)
}
