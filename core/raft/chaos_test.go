package raft

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// Flags of the chaos test: -raft.seeds=N runs N seeds, -raft.seed=K one seed with a trace.
var (
	chaosSeeds = flag.Int("raft.seeds", 150, "seeds of the chaos test")
	chaosFrom  = flag.Int("raft.from", 1, "first seed")
	chaosTrace = flag.Bool("raft.trace", false, "print every message")
)

// chaos draws a run from its seed: topology, knobs, and which kinds of faults it has (a swarm: each run a subset).
type chaos struct {
	c    *cluster
	rand *prng.Rand

	crashes, power, cuts, oneWay, pauses, lossy, members, wipes, resigns bool
	proposals                                                            int
	initial                                                              int
	next                                                                 core.NodeID
	asked                                                                int
	calm                                                                 core.Mono // no change of the voter set before
	busyMembers                                                          bool      // mostly changes of the voter set
}

func newChaos(t testing.TB, seed uint64) *chaos {
	r := prng.New(seed).Fork("chaos")
	o := quick()
	o.FetchBytes = []int32{1, 1, 200, 4096, 1 << 20}[r.Below(5)]
	o.SnapshotRecords = []int64{0, 0, 4, 15, 60}[r.Below(5)]
	o.Log.SegmentBytes = []int32{0, 1100, 1100, 4000}[r.Below(4)]
	o.ReadBytes = []int64{0, 100, 3000}[r.Below(3)]
	o.Log.RecentBatches = []int32{0, 1, 4}[r.Below(3)]
	voters := []int{1, 2, 3, 3, 3, 4, 5, 5}[r.Below(8)]
	h := &chaos{rand: r, initial: voters}
	var disk simdisk.Config
	if r.Chance(1, 3) {
		disk.Sync = simdisk.Latency{Base: core.Millisecond, Skew: 60 * core.Millisecond}
	}
	h.c = newCluster(t, seed, voters+int(r.Below(3)), voters, o, disk)
	h.next = core.NodeID(len(h.c.nodes) + 1)
	flip := func() bool { return r.Chance(1, 2) }
	h.crashes, h.power, h.cuts, h.oneWay, h.pauses, h.lossy = flip(), flip(), flip(), flip(), flip(), flip()
	h.members, h.wipes, h.resigns = flip(), r.Chance(1, 4), r.Chance(1, 4)
	h.busyMembers = h.members && flip()
	if h.power && flip() { // while something is being written is the worst moment
		h.c.ambush = 4 + r.Below(30)
	}
	if *chaosTrace {
		h.c.trace = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	}
	return h
}

func (h *chaos) any() *node { return h.c.nodes[h.rand.Below(int64(len(h.c.nodes)))] }

// some is any node, but often the leader: that is where it hurts.
func (h *chaos) some() *node {
	if l := h.c.leader(); l != nil && h.rand.Chance(1, 2) {
		return l
	}
	return h.any()
}

// act does one random thing.
func (h *chaos) act() {
	c := h.c
	if h.busyMembers && h.rand.Chance(1, 3) {
		h.member()
		return
	}
	switch h.rand.Below(14) {
	case 0, 1, 2, 3:
		n := 1 + int(h.rand.Below(3))
		var values []string
		for range n {
			h.proposals++
			values = append(values, fmt.Sprint("v", h.proposals))
		}
		for _, l := range c.nodes { // also one that does not know yet that it has been replaced
			if h.rand.Chance(2, 3) && c.propose(l, values...) {
				break
			}
		}
	case 4:
		if n := h.some(); h.crashes || h.power {
			c.trace("%6d  crash %d", c.now/core.Microsecond, n.id)
			c.stop(n, h.power && (!h.crashes || h.rand.Chance(1, 2)))
		}
	case 5, 6:
		if n := h.any(); !n.up {
			c.trace("%6d  start %d", c.now/core.Microsecond, n.id)
			c.start(n)
		}
	case 7:
		if h.cuts {
			c.isolate(h.some().id)
		}
	case 8:
		if h.oneWay {
			a, b := h.any(), h.any()
			c.cut[[2]core.NodeID{a.id, b.id}] = a != b
		}
	case 9:
		c.cut = map[[2]core.NodeID]bool{}
	case 10:
		if n := h.some(); h.pauses && n.up {
			n.paused = c.now.Add(core.Mono(h.rand.Between(1, 700)) * core.Millisecond)
		}
	case 11:
		if h.lossy {
			c.lossy, c.slow = 5+h.rand.Below(40), 5+h.rand.Below(40)
		}
	case 12:
		h.member()
	case 13:
		if n := h.some(); h.resigns && n.up && n.paused <= c.now {
			n.q.Resign(n.clock(), &n.out)
			c.turn(n)
		}
	}
}

// member changes the voter set, or wipes a disk.
func (h *chaos) member() {
	c := h.c
	l := c.leader()
	if l == nil || !h.members && !h.wipes || l.paused > c.now || c.now < h.calm {
		return
	}
	voters := l.q.voters.last().voters
	if h.wipes && h.rand.Chance(1, 3) && l.q.voters.last().kraft == 1 && h.wipeable() {
		n := h.any()
		if voters.has(VoterKey{n.id, n.dir}) && n != l && len(voters) > 2 {
			c.trace("%6d  wipe %d", c.now/core.Microsecond, n.id)
			c.stop(n, true)
			c.wipe(n)
			// A removal in the same moment can take the quorum its majority: the leader cannot know yet that a disk is lost.
			h.calm = c.now.Add(core.Second)
			return
		}
	}
	n := h.any()
	key := VoterKey{n.id, n.dir}
	v, listed := voters.byID(n.id)
	switch {
	case listed && v.DirectoryID != n.dir && h.wipes:
		h.asked++
		c.ask(l, &RemoveRaftVoterRequest{VoterID: v.ID, VoterDirectoryID: v.DirectoryID})
	case !listed && n.up:
		h.asked++
		c.ask(l, &AddRaftVoterRequest{VoterID: key.ID, VoterDirectoryID: key.DirectoryID, Listeners: endpointsOf(n.id), Timeout: core.Second})
	case listed && len(voters) > 2 && h.members && h.repaired(l) && h.rand.Chance(1, 2):
		h.asked++
		c.ask(l, &RemoveRaftVoterRequest{VoterID: v.ID, VoterDirectoryID: v.DirectoryID})
	}
}

// wipeable reports whether the fault atlas allows a disk to be lost: everybody has every record, every voter set in force is
// the same, and no earlier loss is unrepaired.
func (h *chaos) wipeable() bool {
	c := h.c
	l := c.leader()
	for _, n := range c.nodes {
		if !n.up || n.paused > c.now || n.durable != l.durable || n.q.hw != l.q.log.LogEndOffset() ||
			!slices.Equal(idsOf(n.q.voters.last().voters), idsOf(l.q.voters.last().voters)) || n.q.voters.last().kraft == 0 {
			return false
		}
	}
	return h.repaired(l)
}

// repaired reports that no voter has lost its disk. An operator who knows of a lost disk replaces that voter first: to remove
// another, before the leader has missed the lost one, can leave a voter set without a majority.
func (h *chaos) repaired(l *node) bool {
	for _, v := range l.q.voters.last().voters {
		if n := h.c.nodeOf(v.ID); n == nil || n.dir != v.DirectoryID {
			return false
		}
	}
	return true
}

// core chooses who is healed: everybody, or a majority of the voters (BUGS section 8). The rest stays broken for good: cut off,
// deaf (nothing reaches it) or mute (nothing leaves it).
func (h *chaos) core() []*node {
	c := h.c
	last := c.nodes[0]
	for _, n := range c.nodes {
		if n.up && n.q.phase == phaseRunning && n.q.end().Compare(last.q.end()) > 0 {
			last = n
		}
	}
	voters := last.q.voters.last().voters
	broken := (len(voters) - 1) / 2
	for _, n := range c.nodes { // with views that differ, or a disk that is lost, a majority of one may be none of another
		same := n.up && n.q.phase == phaseRunning && slices.Equal(idsOf(n.q.voters.last().voters), idsOf(voters))
		if v, listed := voters.byID(n.id); !same || listed && !isVoter(v, VoterKey{n.id, n.dir}) {
			broken = 0
		}
	}
	if broken == 0 || h.rand.Chance(1, 3) {
		return c.nodes
	}
	bad := map[core.NodeID]bool{}
	for len(bad) < broken {
		id := voters[h.rand.Below(int64(len(voters)))].ID
		bad[id] = true
		kind := h.rand.Below(3)
		for _, n := range c.nodes {
			if n.id != id && kind != 0 {
				c.cut[[2]core.NodeID{n.id, id}] = true
			}
			if n.id != id && kind != 1 {
				c.cut[[2]core.NodeID{id, n.id}] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(c.nodes), func(n *node) bool { return bad[n.id] })
}

// heal ends the faults. The core must get a leader that stays, and everything that is committed.
func (h *chaos) heal() {
	c := h.c
	c.heal()
	for _, n := range c.nodes {
		n.paused = 0
		if !n.up {
			c.start(n)
		}
	}
	c.run(core.Millisecond * 20)
	healthy := h.core()
	c.trace("%6d  healed: %d of %d nodes", c.now/core.Microsecond, len(healthy), len(c.nodes))
	c.run(4 * core.Second)
	var l *node
	for _, n := range healthy {
		if n.q.role == roleLeader && (l == nil || n.q.hard.epoch > l.q.hard.epoch) {
			l = n
		}
	}
	if l == nil || !l.q.Active() {
		c.t.Fatalf("L-STABLE-LEADER: nobody leads the core of %d\n%s", len(healthy), c.describe())
	}
	epoch := l.q.hard.epoch
	if !c.propose(l, "last") {
		c.t.Fatalf("L-META: not proposed\n%s", c.describe())
	}
	c.run(3 * core.Second)
	for _, n := range healthy {
		if n.q.hard.epoch != epoch || n.q.hard.leader != l.id {
			c.t.Fatalf("L-STABLE-LEADER: node %d is not in epoch %d\n%s", n.id, epoch, c.describe())
		}
		if k := len(n.state); k == 0 || n.state[k-1] != "last" || !slices.Equal(n.state, l.state) {
			c.t.Fatalf("L-META: node %d has not everything\n%s", n.id, c.describe())
		}
		if len(n.q.box.open) > 20 {
			c.t.Fatalf("node %d has %d calls open", n.id, len(n.q.box.open))
		}
	}
	c.oracle.logMatch()
}

func (h *chaos) run() {
	for range 120 {
		h.act()
		most := 300 * core.Millisecond
		if h.rand.Chance(1, 12) { // time to elect and to commit
			most = core.Second
			h.c.run(most / 4)
		}
		h.c.run(core.Mono(h.rand.Skewed(int64(most))))
		if h.rand.Chance(1, 10) {
			h.c.oracle.logMatch()
		}
	}
	h.heal()
}

func TestChaos(t *testing.T) {
	points := map[string]int{}
	proposed, asked := 0, 0
	for seed := *chaosFrom; seed < *chaosFrom+*chaosSeeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := newChaos(t, uint64(seed))
			h.run()
			proposed += len(h.c.nodes[0].state)
			asked += h.asked
			for p, n := range h.c.points {
				points[p] += n
			}
		})
	}
	t.Log("committed", proposed, "asked", asked)
	var names []string
	for p := range points {
		names = append(names, p)
	}
	slices.Sort(names)
	for _, p := range names {
		t.Log(p, points[p])
	}
}
