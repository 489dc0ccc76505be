package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Missing skips the test because the machine lacks something, and says so where the summary of .ci/run shows it:
// go test alone prints nothing about a skipped test.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	Note(t, format, args...)
	t.SkipNow()
}

// Note says in the summary of .ci/run that a part of the test did not happen.
func Note(t testing.TB, format string, args ...any) {
	t.Helper()
	why := "NOT CHECKED: " + t.Name() + ": " + fmt.Sprintf(format, args...)
	t.Log(why)
	notes := os.Getenv("CI_NOTES")
	if notes == "" {
		return
	}
	f, err := os.OpenFile(notes, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(f, why); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Module is the directory of this Go module.
func Module(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = up
	}
}

// Build builds the klamm binary from the parent module and returns its path. KLAMM_BINARY names one to use instead.
//
// The result of such a test must not come from go test's cache, which does not know that the product changed; so
// Build opens a file of the module that is too new for the cache to vouch for.
func Build(t testing.TB) string {
	t.Helper()
	if binary := os.Getenv("KLAMM_BINARY"); binary != "" {
		return binary
	}
	module := Module(t)
	stamp, err := os.CreateTemp(module, ".stamp-*")
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(stamp.Name())
	if closed := stamp.Close(); err == nil {
		err = closed
	}
	if removed := os.Remove(stamp.Name()); err == nil {
		err = removed
	}
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "klamm")
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/klamm")
	cmd.Dir = filepath.Join(module, "..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build ./cmd/klamm: %v\n%s", err, out)
	}
	return bin
}

// Install installs a program where that is a matter of one command: on Debian, as root, in CI. Elsewhere whoever
// needs it reports that it is missing.
func Install(t testing.TB, program string, packages ...string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil || os.Getenv("CI_NOTES") == "" || os.Getuid() != 0 {
		return
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	install := append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages...)
	for _, args := range [][]string{install, {"update", "-q"}, install} {
		out, err := exec.CommandContext(ctx, apt, args...).CombinedOutput()
		if err == nil && args[0] == "install" {
			return
		}
		t.Logf("apt-get %v: %v\n%s", args, err, out)
	}
}
