package perf

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A process that finds roleEnv in its environment is no test: it plays that role, with options in optionsEnv (JSON).
const (
	roleEnv    = "KLAMM_PERF_ROLE"
	optionsEnv = "KLAMM_PERF_OPTIONS"
)

const (
	roleClient  = "client"  // prints its outcome and ends; its options are a load
	roleDiscard = "discard" // prints its address and serves
	roleEcho    = "echo"    // prints its address and serves
)

// clientLimit bounds one client, so that a broker that hangs ends the test.
const clientLimit = 10 * time.Minute

// play is the whole life of a process with a role. It ends with the process that started it, whose end closes stdin.
func play(role string) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // nobody writes
		os.Exit(0)
	}()
	switch role {
	case roleClient:
		return playClient([]byte(os.Getenv(optionsEnv)), os.Stdout)
	case roleDiscard:
		return playDiscard(os.Stdout)
	case roleEcho:
		return playEcho(os.Stdout)
	}
	return fmt.Errorf("no role %q", role)
}

// playClient puts a load on its brokers and prints the outcome as one line.
func playClient(options []byte, out io.Writer) error {
	var l load
	if err := json.Unmarshal(options, &l); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), clientLimit)
	defer cancel()
	got, err := l.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(got)
}

// process is a copy of the test binary that plays a role until the end of the test.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.Closer // the process ends when this is closed
	said  *bufio.Reader
}

// spawn starts a role. Options are what it takes, nil for none.
func spawn(t testing.TB, role string, options any) *process {
	t.Helper()
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role, optionsEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, stdin: stdin, said: bufio.NewReader(stdout)}
	t.Cleanup(func() {
		_ = p.stdin.Close() // closed already if the process ended before
		_ = p.cmd.Wait()    // what it failed at, it has said, and line has missed what it was to print
	})
	return p
}

// line waits for the next line that the process prints.
func (p *process) line() string {
	p.t.Helper()
	text, err := p.said.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%v ended early: %v", p.cmd.Env[len(p.cmd.Env)-2:], err)
	}
	return strings.TrimSpace(text)
}

// drive puts a load on brokers from a process of its own.
func drive(t testing.TB, l load) outcome {
	t.Helper()
	var got outcome
	if err := json.Unmarshal([]byte(spawn(t, roleClient, l).line()), &got); err != nil {
		t.Fatal(err)
	}
	return got
}
