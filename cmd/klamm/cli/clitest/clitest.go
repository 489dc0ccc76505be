// Package clitest runs command lines of klamm inside a test, and compares what they print with golden files.
package clitest

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
)

var rewrite = flag.Bool("rewrite", false, "write golden files instead of comparing")

// Run runs a command line in this process.
func Run(ctx context.Context, commands cli.Commands, stdin string, args ...string) (code exit.Code, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Run(ctx, args, cli.Streams{In: strings.NewReader(stdin), Out: &out, Err: &err}, commands)
	return code, out.String(), err.String()
}

// Must runs a command line that has to end with a code, and returns what it printed.
func Must(t *testing.T, commands cli.Commands, want exit.Code, stdin string, args ...string) string {
	t.Helper()
	code, out, talk := Run(t.Context(), commands, stdin, args...)
	if code != want {
		t.Fatalf("klamm %s: exit %d (%v), want %d\n%s%s", strings.Join(args, " "), int(code), code, int(want), out, talk)
	}
	return out
}

// Golden compares with a file of testdata.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -rewrite accepts it)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// Printed is a result in both formats.
func Printed(t *testing.T, r show.Result) string {
	t.Helper()
	var out bytes.Buffer
	for _, f := range []show.Format{show.Text, show.JSON} {
		p := show.New(show.Options{Results: &out, Talk: &out, Format: f})
		if err := p.Result(r); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// Usage is a command line that makes no sense, what it must end with and what it must say.
type Usage struct {
	Line string
	Code exit.Code
	Says string
}

// CheckUsage runs command lines that make no sense: each says why and prints nothing.
func CheckUsage(t *testing.T, commands cli.Commands, list []Usage) {
	t.Helper()
	for _, u := range list {
		code, out, talk := Run(t.Context(), commands, "", strings.Fields(u.Line)...)
		if code != u.Code || !strings.HasPrefix(talk, "klamm: ") || !strings.Contains(talk, u.Says) || out != "" {
			t.Errorf("klamm %s: exit %d, printed %q, said %q; want %d and %q", u.Line, int(code), out, talk, int(u.Code), u.Says)
		}
	}
}
