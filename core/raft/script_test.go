package raft

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/sim/simdisk"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios print into testdata")

// TestScenarios plays testdata/*.txt: one command per line, its output behind it, each line with "> " in front. Lines that
// begin with "#" say what is going on. The oracle watches as in the chaos test.
//
//	cluster nodes=N voters=N [fetch=BYTES] [snapshot=RECORDS]   a new cluster, nodes 1..N, of which the first are voters
//	elect N           N's patience ends, and the others do not hear from a leader; until it leads
//	propose N V...    N appends the values, one batch each
//	isolate N..., cut A B (messages from A to B), heal, join A B (both ways)
//	crash N (process), power N (loss), start N, wipe N, stall N (its disk answers nothing), unstall N
//	run D             simulated time passes
//	acked L F O       until leader L knows that F has everything below O
//	active N, caughtup N
//	ask N add|remove M       an operator's request; its answer is printed when it is there, at the latest after 1 s
//	vote V C E [pre]         asks V for its vote for C in epoch E, with a long log; prints the answer, if one comes in 50 ms
//	elections N       sets N's timer off without waiting for an outcome
//	show              every node: role, epoch, voters, and the log as offset:epoch:content up to the high watermark | rest
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(src))
			if *rewrite {
				if err := os.WriteFile(f, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(src) {
				t.Fatalf("%s plays otherwise:\n%s", f, got)
			}
		})
	}
}

// play runs a scenario and returns it with its actual outputs.
func play(t *testing.T, src string) string {
	var out strings.Builder
	s := &script{t: t}
	for line := range strings.Lines(src) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, ">") {
			continue
		}
		out.WriteString(line + "\n")
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(line, "#") {
			for printed := range strings.Lines(s.do(words)) {
				out.WriteString("> " + strings.TrimSuffix(printed, "\n") + "\n")
			}
		}
	}
	s.c.oracle.logMatch()
	return out.String()
}

type script struct {
	t *testing.T
	c *cluster
}

func (s *script) num(word string) int {
	n, err := strconv.Atoi(word)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *script) node(word string) *node { return s.c.node(core.NodeID(s.num(word))) }

// do performs one command and returns what it prints.
func (s *script) do(w []string) string {
	c := s.c
	switch w[0] {
	case "cluster":
		s.newCluster(w[1:])
	case "elect":
		s.elect(s.node(w[1]))
	case "elections":
		s.node(w[1]).q.timer = c.now
		c.run(core.Millisecond / 10)
	case "propose":
		for _, v := range w[2:] {
			if n := s.node(w[1]); n.q.role == roleLeader {
				n.q.builder.Begin(nil, record.Options{}) // a leader appends what its state machine had before it was active, too
				if err := n.q.builder.Append(0, nil, []byte(v), nil); err != nil {
					s.t.Fatal(err)
				}
				n.q.append(n.clock())
				c.turn(n)
			} else {
				return "does not lead"
			}
		}
	case "isolate":
		for _, id := range w[1:] {
			c.isolate(s.node(id).id)
		}
	case "cut":
		c.cut[[2]core.NodeID{s.node(w[1]).id, s.node(w[2]).id}] = true
	case "join":
		a, b := s.node(w[1]).id, s.node(w[2]).id
		delete(c.cut, [2]core.NodeID{a, b})
		delete(c.cut, [2]core.NodeID{b, a})
	case "heal":
		c.heal()
	case "crash", "power":
		c.stop(s.node(w[1]), w[0] == "power")
	case "start":
		c.start(s.node(w[1]))
	case "wipe":
		c.stop(s.node(w[1]), true)
		c.wipe(s.node(w[1]))
	case "stall":
		s.node(w[1]).stalled = true
	case "unstall":
		n := s.node(w[1])
		n.stalled = false
		n.out.Disk = append(n.out.Disk, n.held...)
		n.held = nil
		c.turn(n)
	default:
		return s.observe(w)
	}
	return ""
}

// observe performs the commands that let time pass or look.
func (s *script) observe(w []string) string {
	c := s.c
	switch w[0] {
	case "run":
		d, err := time.ParseDuration(w[1])
		if err != nil {
			s.t.Fatal(err)
		}
		c.run(core.Mono(d.Nanoseconds()))
	case "acked":
		l, f, o := s.node(w[1]), s.node(w[2]), core.Offset(s.num(w[3]))
		c.until(core.Second, strings.Join(w, " "), func() bool {
			return l.q.role == roleLeader && l.q.lead.replica(VoterKey{f.id, f.dir}).end >= o
		})
	case "active":
		c.until(core.Second, strings.Join(w, " "), s.node(w[1]).q.Active)
	case "caughtup":
		c.until(2*core.Second, strings.Join(w, " "), func() bool {
			l := c.leader()
			n := s.node(w[1])
			return l != nil && n.q.hw == l.q.log.LogEndOffset() && n.q.applied == l.q.applied
		})
	case "ask":
		return s.ask(w[1:])
	case "vote":
		return s.vote(w[1:])
	case "show":
		return s.show()
	default:
		s.t.Fatalf("no command %q", w[0])
	}
	return ""
}

func (s *script) newCluster(args []string) {
	o := quick()
	nodes, voters := 3, 3
	for _, a := range args {
		name, value, _ := strings.Cut(a, "=")
		switch n := s.num(value); name {
		case "nodes":
			nodes = n
		case "voters":
			voters = n
		case "fetch":
			o.FetchBytes = int32(n)
		case "snapshot":
			o.SnapshotRecords = int64(n)
		case "segment":
			o.Log.SegmentBytes = int32(n)
		}
	}
	s.c = newCluster(s.t, 7, nodes, voters, o, simdisk.Config{})
	s.c.run(10 * core.Millisecond)
}

// elect lets one node campaign while the others are patient, but have lost their leader.
func (s *script) elect(n *node) {
	epoch := n.q.hard.epoch
	n.q.Resign(n.clock(), &n.out)
	s.c.turn(n)
	s.c.until(400*core.Millisecond, fmt.Sprint("election of ", n.id), func() bool {
		for _, m := range s.c.nodes {
			if m.up && m != n && m.q.role != roleLeader && m.q.role != roleObserver {
				m.q.timer = s.c.now.Add(500 * core.Millisecond)
				m.q.follow.heard = false
			}
		}
		switch n.q.role {
		case roleUnattached, roleVoted, roleFollower, roleResigned:
			n.q.timer = min(n.q.timer, s.c.now.Add(core.Millisecond))
		case roleNone, roleProspective, roleCandidate, roleLeader, roleObserver:
		}
		return n.q.role == roleLeader && n.q.hard.epoch > epoch
	})
}

func (s *script) ask(w []string) string {
	n, m := s.node(w[0]), s.node(w[2])
	var req Request = &RemoveRaftVoterRequest{VoterID: m.id, VoterDirectoryID: m.dir}
	if w[1] == "add" {
		req = &AddRaftVoterRequest{VoterID: m.id, VoterDirectoryID: m.dir, Listeners: endpointsOf(m.id), Timeout: core.Second, AckNow: len(w) > 3}
	}
	got := s.c.ask(n, req)
	if len(w) > 3 { // "now": do not let time pass
		s.c.until(10*core.Millisecond, "an answer", func() bool {
			return *got != nil || n.q.role != roleLeader || n.q.log.WrittenOffset() == n.q.log.LogEndOffset()
		})
	} else {
		limit := s.c.now.Add(core.Second)
		for *got == nil && s.c.step(limit) {
		}
	}
	switch r := (*got).(type) {
	case *AddRaftVoterResponse:
		return strings.TrimSpace(fmt.Sprint(r.Code, " ", r.Why))
	case *RemoveRaftVoterResponse:
		return strings.TrimSpace(fmt.Sprint(r.Code, " ", r.Why))
	}
	return "not answered"
}

// vote asks a node for a vote as a candidate with a long log would.
func (s *script) vote(w []string) string {
	n, m, epoch := s.node(w[0]), s.node(w[1]), core.LeaderEpoch(s.num(w[2]))
	got := s.c.ask(n, &VoteRequest{VoterID: core.NoNode, ReplicaID: m.id, ReplicaDirectoryID: m.dir, ReplicaEpoch: epoch,
		LastOffset: 1000, LastOffsetEpoch: epoch - 1, PreVote: len(w) > 3})
	limit := s.c.now.Add(50 * core.Millisecond)
	for *got == nil && s.c.step(limit) {
	}
	if *got == nil {
		return "no answer"
	}
	return printResponse(*got)
}

func (s *script) show() string {
	var b strings.Builder
	for _, n := range s.c.nodes {
		if !n.up {
			fmt.Fprintf(&b, "%d down\n", n.id)
			continue
		}
		q := n.q
		fmt.Fprintf(&b, "%d %s epoch=%d voters=%v log=[%d,%d)", n.id, q.role, q.hard.epoch, idsOf(q.voters.last().voters),
			q.log.LogStartOffset(), q.log.LogEndOffset())
		marked := false
		for _, batch := range n.batches() {
			if batch.BaseOffset() < q.log.LogStartOffset() {
				continue
			}
			if batch.BaseOffset() >= q.hw && !marked {
				b.WriteString(" |")
				marked = true
			}
			fmt.Fprintf(&b, " %d:%d:%s", batch.BaseOffset(), batch.PartitionLeaderEpoch(), contentOf(batch))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// contentOf names a batch's records.
func contentOf(b record.Batch) string {
	var codecs record.Codecs
	var it record.Iterator
	if err := it.Reset(b, &codecs, 1<<20); err != nil {
		return err.Error()
	}
	var words []string
	var r record.Record
	for it.Next(&r) {
		if !b.Attributes().Control() {
			words = append(words, string(r.Value))
			continue
		}
		rec, err := controlOf(&r)
		switch rec := rec.(type) {
		case *metadata.LeaderChangeMessage:
			words = append(words, fmt.Sprintf("leader%d", rec.LeaderID))
		case *metadata.KRaftVersionRecord:
			words = append(words, fmt.Sprintf("kraft%d", rec.KRaftVersion))
		case *metadata.VotersRecord:
			words = append(words, strings.ReplaceAll(fmt.Sprintf("voters%v", idsOf(rec.Voters)), " ", ","))
		default:
			words = append(words, fmt.Sprint(rec, err))
		}
	}
	return strings.Join(words, "+")
}
