package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/show"
)

var rewrite = flag.Bool("rewrite", false, "write golden files instead of comparing")

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
	var out, err bytes.Buffer
	code = runContext(ctx, args, streams{in: strings.NewReader(stdin), out: &out, err: &err})
	return code, out.String(), err.String()
}

// must runs a command line that has to end with a code, and returns what it printed.
func must(t *testing.T, want exit.Code, stdin string, args ...string) string {
	t.Helper()
	code, out, talk := klamm(t.Context(), stdin, args...)
	if code != want {
		t.Fatalf("klamm %s: exit %d (%v), want %d\n%s%s", strings.Join(args, " "), int(code), code, int(want), out, talk)
	}
	return out
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
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

// printed is a result in both formats.
func printed(t *testing.T, r show.Result) string {
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

// Every command line that makes no sense says why and ends with 64, before anything is done.
func TestUsage(t *testing.T) {
	for _, test := range []struct {
		line string
		code exit.Code
		says string
	}{
		{"nonsense", exit.Usage, `unknown command "nonsense"`},
		{"--nonsense", exit.Usage, "unknown flag: --nonsense"},
		{"-o yaml version", exit.Usage, `output format "yaml" is neither text nor json`},
		{"version more", exit.Usage, `unknown command "more"`},
		{"sim --seeds x", exit.Usage, "invalid argument"},
		{"sim --seeds -1", exit.Usage, "cannot be negative"},
		{"sim --jobs 0", exit.Usage, "--jobs is 1 or more"},
		{"sim --seed 18446744073709551615 --seeds 2", exit.Usage, "there are no 2 seeds"},
		{"sim --profile nonsense", exit.Usage, `there is no profile "nonsense"`},
		{"sim --profile /nonsense.json", exit.NoInput, "no such file"},
		{"replay", exit.Usage, "accepts 1 arg(s), received 0"},
		{"replay /nonsense", exit.NoInput, "no such file"},
		{"bench sim --time -1s", exit.Usage, "--time is positive"},
	} {
		code, out, talk := klamm(t.Context(), "", strings.Fields(test.line)...)
		if code != test.code || !strings.HasPrefix(talk, "klamm: ") || !strings.Contains(talk, test.says) || out != "" {
			t.Errorf("klamm %s: exit %d, printed %q, said %q; want %d and %q", test.line, int(code), out, talk, int(test.code), test.says)
		}
	}
}

func TestHelp(t *testing.T) {
	if out := must(t, exit.OK, ""); !strings.Contains(out, "Available Commands") {
		t.Errorf("klamm alone prints %q", out)
	}
	if out := must(t, exit.OK, "", "sim", "--help"); !strings.Contains(out, "--capsules") {
		t.Errorf("klamm sim --help prints %q", out)
	}
}
