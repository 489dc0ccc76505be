package html_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/scenarios/explain/explaintest"
	"github.com/klamm-log/klamm/scenarios/explain/html"
)

// data is what stands in the page.
func data(t *testing.T, tape *explain.Tape) (page string, d map[string]any) {
	var b bytes.Buffer
	require.NoError(t, html.Write(&b, tape))
	_, rest, ok := strings.Cut(b.String(), "const D = ")
	require.True(t, ok)
	text, _, ok := strings.Cut(rest, ";\n")
	require.True(t, ok)
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	return b.String(), d
}

func TestThePageHasEverything(t *testing.T) {
	tape := explaintest.JoinsTooEarly()
	page, d := data(t, tape)
	for _, column := range []string{"at", "kind", "proc", "text", "msg", "state"} {
		require.Len(t, d[column], len(tape.Events), column)
	}
	for _, column := range []string{"sent", "got", "from", "to", "class"} {
		require.Len(t, d[column], len(tape.Messages), column)
	}
	require.Len(t, d["past"], len(tape.Events))
	require.Len(t, d["states"], len(tape.States))
	require.NotEmpty(t, d["story"])
	require.Equal(t, "ISR-COMPLETE", d["property"])
	require.Len(t, d["faults"], 1)
	require.NotRegexp(t, regexp.MustCompile(`(?:src|href)\s*=|https?://|@import|url\(`), page, "it needs nothing from elsewhere")
}

// No text of a run can end the script that it stands in.
func TestTextsCannotEscape(t *testing.T) {
	tape := explaintest.JoinsTooEarly()
	const evil = "</script><script>alert(1)</script><!--"
	tape.Events[0].Text, tape.Found.Message, tape.Procs[0].Name = evil, evil, evil
	page, d := data(t, tape)
	require.NotContains(t, page, evil)
	require.Equal(t, 1, strings.Count(page, "</script>"))
	require.Equal(t, evil, d["seen"])
}
