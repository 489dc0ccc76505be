package mutate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Staged is what a directed scenario showed.
type Staged struct {
	Failed bool
	Why    string // its first line of complaint
	Wall   time.Duration
}

// Stage runs a scenario with the changed files in place of the tree's (nil: none). The error says that it could not be run:
// there is no such test, or the tree does not compile. Files of the build go to a directory that only the caller uses.
func (t Tree) Stage(ctx context.Context, s Scenario, changed map[string][]byte, dir string) (Staged, error) {
	listed, err := t.overlay(changed, dir)
	if err != nil {
		return Staged{}, err
	}
	begin := time.Now()
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-overlay", listed, "-run", exactly(s.Test), "./"+s.Package)
	cmd.Dir = t.root
	out, err := cmd.CombinedOutput()
	r := Staged{Wall: time.Since(begin)}
	var exited *exec.ExitError
	switch ran := bytes.Contains(out, []byte("=== RUN   "+s.Test+"\n")); {
	case !ran:
		return r, fmt.Errorf("the scenario %v did not run: %w\n%s", s, errors.Join(err, ctx.Err()), tail(out))
	case err == nil:
		return r, nil
	case !errors.As(err, &exited) || ctx.Err() != nil:
		return r, fmt.Errorf("the scenario %v: %w", s, errors.Join(err, ctx.Err()))
	}
	r.Failed, r.Why = true, complaint(out)
	return r, nil
}

// exactly is the pattern that matches one test, and at each level of it one subtest.
func exactly(test string) string {
	levels := strings.Split(test, "/")
	for i := range levels {
		levels[i] = "^" + regexp.QuoteMeta(levels[i]) + "$"
	}
	return strings.Join(levels, "/")
}

// complained finds what a test says when it fails: a panic, the heading of testify's message, or the place of a t.Error.
var complained = regexp.MustCompile(`(?m)^(?:panic: (.+)|\s+Error:\s+(.+)|\s+\S+_test\.go:\d+: (.+))$`)

// complaint is the first thing that the test has to say.
func complaint(out []byte) string {
	found := complained.FindSubmatch(out)
	for _, text := range found[min(1, len(found)):] {
		if len(text) > 0 {
			return string(bytes.TrimSpace(text))
		}
	}
	return "it failed"
}
