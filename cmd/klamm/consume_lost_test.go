//go:build unix

package main

import (
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
)

// full is a file on a disk that is.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// What could not be printed is not committed, and who comes next reads it.
func TestUnprintedIsNotCommitted(t *testing.T) {
	_, addr := node(t, t.TempDir(), "127.0.0.1:0")
	must(t, exit.OK, "", "topic", "create", "t", "-p", "1", "-b", addr)
	must(t, exit.OK, "a\nb\n", "produce", "t", "-b", addr)
	args := []string{"consume", "t", "-g", "g", "-e", "--from", "beginning", "-b", addr}
	if code := cli.Run(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: full{}, Err: io.Discard}, commands); code != exit.IO {
		t.Fatalf("exit %d", int(code))
	}
	if got := must(t, exit.OK, "", args...); got != "a\nb\n" {
		t.Errorf("the next member got %q", got)
	}
}
