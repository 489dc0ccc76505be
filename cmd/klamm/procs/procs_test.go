//go:build unix

package procs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience bounds every wait of the tests; none should come near it.
const patience = 20 * time.Second

// scripted is a cluster whose nodes are a shell script that sees its arguments as klamm node would.
func scripted(t *testing.T, nodes []Node, script string) (*Cluster, func() []string) {
	t.Helper()
	runtime.LockOSThread() // never undone: the nodes would die with the thread
	dir := t.TempDir()
	program := filepath.Join(dir, "klamm")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	l, err := NewLayout(nodes)
	require.NoError(t, err)
	var mu sync.Mutex
	var said []string
	c, err := Start(Options{Program: program, Layout: l, Dir: dir, Talk: func(n Node, line string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, fmt.Sprintf("%d %s", n.ID, line))
	}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Stop(0) })
	return c, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string{}, said...)
	}
}

func mustShape(t *testing.T, brokers, controllers int) []Node {
	nodes, err := Shape(brokers, controllers)
	require.NoError(t, err)
	return nodes
}

// serve is a node that serves until it is told to end, and says in which order that was.
const serve = `trap 'echo ended >&2; exit 0' TERM; echo '{}'; while :; do sleep 0.02; done`

func TestReadyAndStop(t *testing.T) {
	c, said := scripted(t, mustShape(t, 2, 2), `echo "$1 $(basename $(dirname $2)) $3 $4" >&2; `+serve)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, c.Ready(ctx))
	require.Positive(t, c.Pid(1))
	require.Zero(t, c.Pid(9))
	require.NoError(t, c.Stop(patience))
	lines := said()
	require.Contains(t, lines, "3 node node-3 -o json")
	var order []string
	for _, line := range lines {
		if strings.HasSuffix(line, "ended") {
			order = append(order, line[:1])
		}
	}
	require.Len(t, order, 4)
	require.ElementsMatch(t, []string{"1", "2"}, order[:2], "brokers before controllers")
	for range 4 {
		require.NoError(t, (<-c.Ended()).Err)
	}
}

func TestDiesAtStart(t *testing.T) {
	c, said := scripted(t, mustShape(t, 3, 0), `case $2 in *node-2*) echo 'no good' >&2; exit 78;; esac; `+serve)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var end *EndError
	require.ErrorAs(t, c.Ready(ctx), &end)
	require.Equal(t, []any{2, 78}, []any{end.Node.ID, end.Code})
	require.NoError(t, c.Stop(patience), "what ended before is not the stop's fault")
	require.Contains(t, said(), "2 no good")
}

func TestNeverServes(t *testing.T) {
	c, _ := scripted(t, mustShape(t, 1, 0), `exec sleep 60`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, c.Ready(ctx), "node 1 does not serve")
}

// TestKilledWhenLate: a node that does not listen is killed.
func TestKilledWhenLate(t *testing.T) {
	c, _ := scripted(t, mustShape(t, 1, 0), `trap '' TERM; echo '{}'; while :; do sleep 0.02; done`)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, c.Ready(ctx))
	require.ErrorContains(t, c.Stop(50*time.Millisecond), "node 1 did not end within 50ms and was killed")
	require.Equal(t, -1, (<-c.Ended()).Code)
}

func TestNoProgram(t *testing.T) {
	l, err := NewLayout(mustShape(t, 1, 0))
	require.NoError(t, err)
	_, err = Start(Options{Program: "/nonsense", Layout: l, Dir: t.TempDir()})
	require.ErrorContains(t, err, "node 1: ")
}
