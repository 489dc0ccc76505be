package simulate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
)

// impatient is a stored run that violates something.
const impatient = "../../../scenarios/explain/story/testdata/impatient.json"

func TestExplainUsage(t *testing.T) {
	clitest.CheckUsage(t, Commands, []clitest.Usage{
		{Line: "explain", Code: exit.Usage, Says: "either a capsule or a --seed"},
		{Line: "explain " + impatient + " --seed 1", Code: exit.Usage, Says: "either a capsule or a --seed"},
		{Line: "explain " + impatient + " --around -1s", Code: exit.Usage, Says: "cannot be negative"},
		{Line: "explain " + impatient + " --node broker9", Code: exit.Usage, Says: `no process "broker9"`},
		{Line: "explain nowhere.json", Code: exit.NoInput, Says: "nowhere.json"},
		{Line: "explain explain_test.go", Code: exit.Data, Says: "capsule"},
		{Line: "explain --seed 1 --profile nothing", Code: exit.Usage, Says: "nothing"},
	})
}

// One call tells the story and writes every form; a form on standard output stands there alone.
func TestExplainWritesEveryForm(t *testing.T) {
	dir := t.TempDir()
	begins := map[string]string{"html": "<!doctype html>", "perfetto": "{", "pcap": "\x4d\x3c\xb2\xa1", "mermaid": "sequenceDiagram\n"}
	args := []string{"explain", impatient, "-o", "json"}
	for form := range begins {
		args = append(args, "--"+form, filepath.Join(dir, form))
	}
	var got explainResult
	require.NoError(t, json.Unmarshal([]byte(clitest.Must(t, Commands, exit.OK, "", args...)), &got))
	require.Equal(t, explainSchema, got.Schema)
	require.Len(t, got.Files, len(begins))
	require.NotEmpty(t, got.Verdict)
	require.Contains(t, strings.Join(got.Story, "\n"), "is VIOLATED")
	for form, begin := range begins {
		text, err := os.ReadFile(filepath.Join(dir, form))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), begin), form)
	}

	capsule, err := os.ReadFile(impatient)
	require.NoError(t, err)
	out := clitest.Must(t, Commands, exit.OK, string(capsule), "explain", "-", "--mermaid", "-")
	require.True(t, strings.HasPrefix(out, "sequenceDiagram\n"))
	require.NotContains(t, out, "VIOLATED")
}
