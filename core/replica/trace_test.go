package replica

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/sim/simdisk"
)

var rewrite = flag.Bool("rewrite", false, "write what the traces answer into testdata")

// TestTraces runs the scenarios of testdata/*.txt: lines of commands, each followed by what it answers, indented with
// "| ". Nodes are A, B and C; there is one partition, led by A in epoch 0, and nothing happens by chance. The checkers
// of the lab watch.
//
//	min N | elr                         before start: min.insync.replicas (else 1), hold the HighWatermark below it
//	slow N                              before start: its disk takes 50 ms to sync, and loses what is not
//	start                               all nodes run, are unfenced and in sync
//	lead N [isr=A,B]                    the controller's state; nobody knows yet
//	fence N | unfence N                 likewise
//	learn N...                          these nodes learn the newest metadata
//	produce N value... [x3]             batches of acks=all; x3: of three records each; value*: it fills a segment
//	put N value...                      the same with acks=1
//	delete N offset                     DeleteRecords
//	hold L... | pass L...               links such as A->B, A->ctl: keep messages; no longer, but what is kept is kept
//	release L... | lose L...            deliver what is kept and hold no longer; forget what is kept
//	run MS                              time passes
//	crash N | power N | boot N          the process dies, the machine dies, a new life starts and registers
//	checkpoint N                        the node writes its checkpoint files
//	propose N                           what AlterPartition would say now
//	show [N...] | points                replicas; the points of interest passed since the last time
func TestTraces(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			got := runTrace(t, string(text))
			if *rewrite {
				require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
				return
			}
			require.Equal(t, string(text), got)
		})
	}
}

func runTrace(t *testing.T, text string) string {
	x := &trace{l: newLab(t, 1, 1)}
	x.l.min, x.l.opts.MinInsyncReplicas = 1, 1
	x.l.ctl.quiet = true
	x.l.ctl.init(1)
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, "| ") {
			continue
		}
		out.WriteString(line + "\n")
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		for _, answer := range x.do(words) {
			out.WriteString("| " + answer + "\n")
		}
		require.Empty(t, x.l.failed, line)
	}
	x.l.checkFiles()
	require.Empty(t, x.l.failed)
	return out.String()
}

type trace struct{ l *lab }

func (x *trace) node(name string) *labNode { return x.l.nodes[nodeID(name)] }

func nodeID(name string) core.NodeID { return core.NodeID(strings.Index("ABC", name)) }

// link turns A->ctl into the lab's name of it.
func link(name string) string { return strings.NewReplacer("A", "0", "B", "1", "C", "2").Replace(name) }

func (x *trace) do(w []string) []string {
	l := x.l
	switch w[0] {
	case "min":
		l.min = number(w[1])
		l.opts.MinInsyncReplicas = l.min
	case "elr":
		l.opts.ELR = true
	case "slow": // the stream is one with which a sync under way does not outlive a power loss
		x.node(w[1]).disk = simdisk.New(l.rand.Fork("late"), simdisk.Config{
			Sync: simdisk.Latency{Base: 50 * core.Millisecond}, Outcomes: []simdisk.Outcome{simdisk.WriteOld}})
	case "start":
		for _, n := range l.nodes {
			n.start()
			l.ctl.register(l, n)
		}
		for _, n := range l.nodes {
			l.ctl.unfence(l, n.id)
		}
		l.run(500 * core.Millisecond)
		x.learn("A", "B", "C")
		l.run(500 * core.Millisecond)
	case "learn":
		x.learn(w[1:]...)
	case "run":
		l.run(core.Mono(number(w[1])) * core.Millisecond)
	case "hold", "pass", "release", "lose":
		x.links(w[0], w[1:])
	case "show":
		return x.show(w[1:])
	case "points":
		var passed []string
		for name := range l.points {
			if strings.HasPrefix(name, "replica.") && !strings.Contains(name, "bound-above") {
				passed = append(passed, name)
			}
		}
		clear(l.points)
		slices.Sort(passed)
		return passed
	case "lead", "fence", "unfence":
		x.control(w)
	default:
		return x.onNode(x.node(w[1]), w)
	}
	return nil
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func (x *trace) learn(names ...string) {
	for _, name := range names {
		x.node(name).learn(x.l.ctl.labImage)
	}
	x.l.checkCluster()
}

func (x *trace) links(what string, names []string) {
	for _, name := range names {
		k := link(name)
		if what == "hold" {
			x.l.holds[k] = true
			continue
		}
		if what == "pass" {
			delete(x.l.holds, k)
			continue
		}
		held := x.l.held[k]
		delete(x.l.held, k)
		if what == "release" {
			delete(x.l.holds, k)
			for _, deliver := range held {
				x.l.events.Add(x.l.now, deliver)
			}
		}
	}
}

func (x *trace) control(w []string) {
	c, id := &x.l.ctl, nodeID(w[1])
	switch w[0] {
	case "lead":
		c.set(0, func(p *metadata.Partition) {
			if p.Leader == id {
				p.LeaderEpoch++ // elected again
			}
			p.Leader = id
			if len(w) > 2 {
				p.ISR = nil
				for name := range strings.SplitSeq(strings.TrimPrefix(w[2], "isr="), ",") {
					p.ISR = append(p.ISR, nodeID(name))
				}
			}
		})
		c.publish(x.l)
	case "fence":
		c.fence(x.l, id)
	case "unfence":
		c.unfence(x.l, id)
	}
}

func (x *trace) onNode(n *labNode, w []string) []string {
	switch w[0] {
	case "produce", "put":
		return x.produce(n, w)
	case "delete":
		r := n.parts[0].rep
		code := r.Log.DeleteRecordsBefore(n.clock(), core.Offset(number(w[2])), r.HighWatermark(), &n.out)
		n.endTurn()
		if code != core.ErrNone {
			return []string{code.String()}
		}
	case "crash", "power":
		n.stop(w[0] == "power")
	case "boot":
		x.l.ctl.register(x.l, n)
		n.start()
		x.l.run(50 * core.Millisecond)
		n.learn(x.l.ctl.labImage)
	case "checkpoint":
		n.checkpoint()
	case "propose":
		r := n.parts[0].rep
		want, _ := desiredISR(r.isr, r.self, r.followers, r.bounds(x.l.now))
		return []string{"would have " + names(want)}
	default:
		panic("no command " + w[0])
	}
	return nil
}

func (x *trace) produce(n *labNode, w []string) []string {
	records := 1
	if last := w[len(w)-1]; strings.HasPrefix(last, "x") && len(last) == 2 {
		records, w = number(last[1:]), w[:len(w)-1]
	}
	r := n.parts[0].rep
	for _, value := range w[2:] {
		if code := r.EnoughReplicas(x.l.min); w[0] == "produce" && code != core.ErrNone {
			return []string{code.String()}
		}
		least := x.l.min
		if w[0] == "put" {
			x.l.min = 1
		}
		if code := r.Serving(); !n.produce(0, value, records) {
			return []string{code.String()}
		}
		x.l.min = least
	}
	return nil
}

func names(ids []core.NodeID) string {
	s := ""
	for _, id := range ids {
		s += string("ABC"[id])
	}
	return s
}

// show describes replicas: role, epoch, ISR, maximal ISR, log start, HighWatermark and the log as epoch:value.
func (x *trace) show(which []string) []string {
	var out []string
	for _, n := range x.l.nodes {
		if name := names([]core.NodeID{n.id}); len(which) == 0 || slices.Contains(which, name) {
			out = append(out, name+" "+x.describe(n))
		}
	}
	if len(which) == 0 {
		s := x.l.ctl.parts[0]
		leader := "nobody"
		if s.Leader >= 0 {
			leader = names([]core.NodeID{s.Leader})
		}
		out = append(out, fmt.Sprintf("controller: %s e%d isr=%s, committed %s", leader, s.LeaderEpoch, names(s.ISR),
			x.cells(0, x.l.oracle[0])))
	}
	return out
}

func (x *trace) describe(n *labNode) string {
	p := n.parts[0]
	r := p.rep
	if !n.up {
		return "is down"
	}
	if f, offline := r.Log.Offline(); offline {
		return "is offline: " + f.What
	}
	if !r.Log.Ready() {
		return "is not ready"
	}
	role := fmt.Sprintf("idle e%d", r.epoch)
	switch leader, following := r.Following(); {
	case r.Leading():
		role = fmt.Sprintf("leads e%d from %d isr=%s", r.epoch, r.epochStart, names(r.isr))
		if !slices.Equal(r.isr, r.maximal) {
			role += " max=" + names(r.maximal)
		}
	case following:
		role = fmt.Sprintf("follows %s e%d", names([]core.NodeID{leader}), r.epoch)
	}
	if d := r.Log.DurableOffset(); d != r.Log.LogEndOffset() {
		role += fmt.Sprintf(" durable=%d", d)
	}
	return fmt.Sprintf("%s hw=%d log=%s", role, r.highWatermark, x.cells(r.Log.LogStartOffset(), p.content.cells[max(0, r.Log.LogStartOffset()-p.content.base):]))
}

func (x *trace) cells(start core.Offset, cells []cell) string {
	s := fmt.Sprintf("%d[", start)
	for i, c := range cells {
		if i > 0 {
			s += " "
		}
		s += fmt.Sprintf("%d:%s", c.epoch, x.l.values[c.crc])
	}
	return s + "]"
}
