//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/groups"
)

func TestGroupUsage(t *testing.T) {
	for _, test := range []struct {
		line string
		code exit.Code
		says string
	}{
		{"consume a b", exit.Usage, "accepts 1 arg(s)"},
		{"consume t -g g --from 5", exit.Usage, "--from 5"},
		{"consume t -g g -p 1", exit.Usage, "the group assigns"},
		{"consume t -g g -p 1 --from beginning", exit.Usage, "the group assigns"},
		{"consume t u -g g --regex --from beginning", exit.Usage, "--regex"},
		{"consume t -g g --protocol x", exit.Usage, "--protocol"},
		{"consume t -g g --assignor uniform", exit.Usage, "--assignor"},
		{"consume t u -g g --from end --regex", exit.Usage, "--regex"},
		{"consume t( -g g --from end --regex", exit.Usage, "missing closing )"},
		{"group describe", exit.Usage, "at least 1 arg(s)"},
		{"group reset-offsets g --to x", exit.Usage, "--to"},
		{"group reset-offsets g --to @x", exit.Usage, "--to"},
		{"group list -b 127.0.0.1:1 --timeout 50ms", exit.Unavailable, "no broker answers"},
	} {
		code, out, talk := klamm(t.Context(), "", strings.Fields(test.line)...)
		if code != test.code || !strings.Contains(talk, test.says) || out != "" {
			t.Errorf("klamm %s: exit %d, printed %q, said %q; want %d and %q", test.line, int(code), out, talk, int(test.code), test.says)
		}
	}
}

// A group of processes: members share the partitions, commit what they print, and the group is listed, moved and deleted.
func TestGroupEndToEnd(t *testing.T) {
	_, addr := node(t, t.TempDir(), "127.0.0.1:0")
	do := func(want exit.Code, stdin string, args ...string) string {
		t.Helper()
		return must(t, want, stdin, append(args, "-b", addr)...)
	}
	do(exit.OK, "", "topic", "create", "t", "-p", "4")
	write := func(from, to int) {
		for p := range 4 {
			var lines strings.Builder
			for i := from; i < to; i++ {
				fmt.Fprintf(&lines, "%d-%d\n", p, i)
			}
			do(exit.OK, lines.String(), "produce", "t", "-p", fmt.Sprint(p))
		}
	}
	write(0, 100)
	member := func() *process {
		return spawn(t, "consume", "t", "-g", "g", "--from", "beginning", "--assignor", "cooperative-sticky", "-b", addr)
	}
	a := member()
	var got []string
	read := func(p *process, n int) {
		for range n {
			line, err := p.out.ReadString('\n')
			if err != nil {
				t.Fatalf("%v; %s", err, p.talk)
			}
			got = append(got, strings.TrimSpace(line))
		}
	}
	read(a, 400)
	b := member()
	d := awaitGroup(t, addr, 2)
	if n := []int{d.Members[0].Partitions, d.Members[1].Partitions}; !slices.Equal(n, []int{2, 2}) {
		t.Fatalf("two members have %v partitions", n)
	}
	write(100, 200)
	read(a, 200)
	read(b, 200)
	do(exit.TempFail, "", "group", "reset-offsets", "g", "--to", "beginning")
	a.signal(syscall.SIGINT)
	if code := a.end(); code != int(exit.Interrupted) {
		t.Fatalf("exit code %d; %s", code, a.talk)
	}
	awaitGroup(t, addr, 1)
	write(200, 210)
	read(b, 40)
	b.signal(syscall.SIGINT)
	b.end()
	slices.Sort(got)
	if all := slices.Compact(slices.Clone(got)); len(got) != 840 || len(all) != 840 {
		t.Fatalf("%d records, %d of them different, want 840 once each", len(got), len(all))
	}
	if d := awaitGroup(t, addr, 0); d.Lag != 0 || d.State != "Empty" || d.Partitions[3].Committed != 210 {
		t.Fatalf("%+v", d)
	}
	if got := do(exit.OK, "", "group", "list"); !strings.Contains(got, "g      Empty  classic") {
		t.Fatal(got)
	}
	do(exit.OK, "", "group", "reset-offsets", "g", "--to", "-10", "--dry-run")
	do(exit.OK, "", "group", "reset-offsets", "g", "--to", "-3", "-t", "t:1")
	do(exit.OK, "", "group", "reset-offsets", "g", "--to", "5000", "-t", "t:2")
	if got := do(exit.OK, "", "consume", "t", "-g", "g", "-e"); got != "1-207\n1-208\n1-209\n" {
		t.Fatalf("after going back by three: %q", got)
	}
	do(exit.OK, "", "group", "delete", "g", "--dry-run")
	do(exit.OK, "", "group", "delete", "g")
	do(exit.NoInput, "", "group", "describe", "g")
	do(exit.NoInput, "", "group", "reset-offsets", "g", "--to", "end")
}

// awaitGroup waits until group g has so many members and is not rebalancing.
func awaitGroup(t *testing.T, addr string, members int) groups.Description {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		var d groups.Descriptions
		out := must(t, exit.OK, "", "group", "describe", "g", "-o", "json", "-b", addr)
		if err := json.Unmarshal([]byte(out), &d); err != nil || len(d) != 1 {
			t.Fatalf("%v: %s", err, out)
		}
		total := 0
		for _, m := range d[0].Members {
			total += m.Partitions
		}
		if len(d[0].Members) == members && (members == 0 || d[0].State == "Stable" && total == 4) {
			return d[0]
		}
		if time.Now().After(end) {
			t.Fatalf("the group does not come to have %d members: %+v", members, d[0])
		}
	}
}
