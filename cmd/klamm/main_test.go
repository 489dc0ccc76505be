package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
)

// asMain makes the test binary be klamm, for tests that need a process of its own.
const asMain = "KLAMM_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// klamm runs a command line in this process.
func klamm(ctx context.Context, stdin string, args ...string) (code exit.Code, stdout, stderr string) {
	return clitest.Run(ctx, commands, stdin, args...)
}

// must runs a command line that has to end with a code, and returns what it printed.
func must(t *testing.T, want exit.Code, stdin string, args ...string) string {
	t.Helper()
	return clitest.Must(t, commands, want, stdin, args...)
}

// Every command line that makes no sense says why and ends with 64, before anything is done.
func TestUsage(t *testing.T) {
	clitest.CheckUsage(t, commands, []clitest.Usage{
		{Line: "nonsense", Code: exit.Usage, Says: `unknown command "nonsense"`},
		{Line: "--nonsense", Code: exit.Usage, Says: "unknown flag: --nonsense"},
		{Line: "-o yaml version", Code: exit.Usage, Says: `output format "yaml" is neither text nor json`},
		{Line: "version more", Code: exit.Usage, Says: `unknown command "more"`},
	})
}

func TestHelp(t *testing.T) {
	if out := must(t, exit.OK, ""); !strings.Contains(out, "Available Commands") {
		t.Errorf("klamm alone prints %q", out)
	}
	if out := must(t, exit.OK, "", "sim", "--help"); !strings.Contains(out, "--capsules") {
		t.Errorf("klamm sim --help prints %q", out)
	}
}

// The program knows what it is made of.
func TestVersion(t *testing.T) {
	var got cli.Version
	if err := json.Unmarshal([]byte(must(t, exit.OK, "", "version", "-o", "json")), &got); err != nil || got.Go == "" || got.Kmsg == "" {
		t.Errorf("%+v, %v", got, err)
	}
}
