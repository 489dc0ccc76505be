package raft

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// cluster is a deterministic world of quorum nodes: simulated disks, messages with seeded delays that can be lost or
// doubled, cut links, crashes, power losses, pauses. One seed makes one run.
type cluster struct {
	t      testing.TB
	rand   *prng.Rand
	now    core.Mono
	seq    int64
	events []event // pending, unordered
	nodes  []*node // by id
	cut    map[[2]core.NodeID]bool
	lossy  int64 // one message in so many is lost, one doubled; 0: none
	ambush int64 // one turn in so many that leaves a vote or epoch not yet durable ends in a power loss soon after; 0: none
	slow   int64 // one message in so many takes long; 0: none
	oracle *oracle
	trace  func(format string, args ...any)
	points map[string]int
	base   Options
	disk   simdisk.Config
	done   int
}

type event struct {
	at  core.Mono
	seq int64
	id  core.NodeID // whose event it is; a paused node's waits
	run func()
}

type node struct {
	c      *cluster
	id     core.NodeID
	dir    metadata.DirectoryID
	wipes  int
	boot   int // counts processes
	opts   Options
	disk   *simdisk.Disk
	q      *Quorum
	up     bool
	paused core.Mono
	out    step.Effects
	point  core.Offset // the recovery-point checkpoint
	saving bool
	askers map[Asker]reply
	next   Asker
	state  []string    // folded from what was handed out
	hw     core.Offset // of this process
	// durable is what the node's log was last known to have synced; it must be there after any crash.
	durable   core.Offset
	asked     map[Asker]*VoteRequest
	manual    bool        // snapshots only when told
	mustApply core.Offset // what was committed when it was last elected
	stalled   bool        // the disk takes nothing
	held      []step.DiskOp
	led       int // the boot in which it last led
}

type reply struct {
	to   *node
	boot int
	call CallID
}

func newCluster(t testing.TB, seed uint64, nodes, voters int, base Options, disk simdisk.Config) *cluster {
	c := &cluster{t: t, rand: prng.New(seed), cut: map[[2]core.NodeID]bool{}, trace: func(string, ...any) {},
		points: map[string]int{}, now: core.Second, base: base, disk: disk}
	c.oracle = newOracle(c)
	for i := range voters {
		c.base.Static = append(c.base.Static, Bootstrap{ID: core.NodeID(i + 1), Addr: addrOfNode(core.NodeID(i + 1))})
	}
	for i := range nodes {
		c.addNode(core.NodeID(i+1), true)
	}
	return c
}

func addrOfNode(id core.NodeID) string { return fmt.Sprintf("n%d:%d", id, 9000+id) }

func endpointsOf(id core.NodeID) []metadata.VoterEndpoint {
	return []metadata.VoterEndpoint{{Name: "CONTROLLER", Host: fmt.Sprintf("n%d", id), Port: uint16(9000 + id)}}
}

// addNode starts a node with an empty disk.
func (c *cluster) addNode(id core.NodeID, voter bool) *node {
	n := &node{c: c, id: id, opts: c.base, asked: map[Asker]*VoteRequest{}}
	n.opts.NodeID, n.opts.Voter = id, voter
	n.opts.Endpoints = endpointsOf(id)
	c.nodes = append(c.nodes, n)
	c.wipe(n)
	return n
}

// wipe replaces a node's disk and starts it.
func (c *cluster) wipe(n *node) {
	n.wipes++
	n.dir = metadata.DirectoryID{0: byte(n.id), 1: byte(n.wipes), 15: 0xd1}
	if n.wipes > 1 {
		// A node that comes back with nothing must not found a quorum of its own: it asks the others, as an operator who knows
		// of the loss lets it.
		n.opts.Static, n.opts.Seeds = nil, nil
		for _, m := range c.nodes {
			if m != n {
				n.opts.Seeds = append(n.opts.Seeds, addrOfNode(m.id))
			}
		}
	}
	n.disk = simdisk.New(c.rand.ForkN("disk", int64(n.id)*100+int64(n.wipes)), c.disk)
	n.point, n.durable = 0, 0
	c.oracle.wiped(n)
	c.start(n)
}

func (c *cluster) start(n *node) {
	n.boot++
	n.up, n.askers, n.state, n.hw, n.saving = true, map[Asker]reply{}, nil, 0, false
	o := n.opts
	o.DirectoryID = n.dir
	o.Rand = c.rand.ForkN("node", int64(n.id)*1000+int64(n.boot))
	o.Past = log.Past{RecoveryPoint: n.point}
	n.q = New(o, Owners{Log: 1, Files: 2, Reads: 3})
	n.out.Reset()
	n.q.Open(n.clock(), &n.out)
	c.turn(n)
}

// stop ends a node's process; with power its disk forgets what was not synced.
func (c *cluster) stop(n *node, power bool) {
	if !n.up {
		return
	}
	n.up, n.held, n.stalled = false, nil, false
	if power {
		n.disk.PowerLoss(c.now)
	} else {
		n.disk.ProcessCrash(c.now)
	}
}

func (n *node) clock() core.Now {
	return core.Now{Mono: n.c.now, Wall: core.Wall(n.c.now/core.Millisecond) + 1_000_000}
}

// after schedules an event of a node's.
func (c *cluster) after(d core.Mono, id core.NodeID, run func()) {
	c.seq++
	c.events = append(c.events, event{c.now.Add(d), c.seq, id, run})
}

func (c *cluster) node(id core.NodeID) *node {
	i := slices.IndexFunc(c.nodes, func(n *node) bool { return n.id == id })
	return c.nodes[i]
}

func (c *cluster) byAddr(addr string) *node {
	for _, n := range c.nodes {
		if addrOfNode(n.id) == addr {
			return n
		}
	}
	return nil
}

// next finds the earliest thing to happen: an event, a disk's completion, a node's deadline.
func (c *cluster) step(until core.Mono) bool {
	at, what := until, func() {}
	found := false
	best := -1
	for i := range c.events {
		e := &c.events[i]
		if n := c.nodeOf(e.id); n != nil && n.paused > e.at {
			e.at = n.paused
		}
		if e.at <= at && (best < 0 || e.at < c.events[best].at || e.at == c.events[best].at && e.seq < c.events[best].seq) {
			best, at, found = i, e.at, true
		}
	}
	if best >= 0 {
		e := c.events[best]
		what = func() {
			c.events[best] = c.events[len(c.events)-1]
			c.events = c.events[:len(c.events)-1]
			e.run()
		}
	}
	for _, n := range c.nodes {
		if !n.up {
			continue
		}
		if d, ok := n.disk.NextDeadline(); ok && max(d, n.paused) < at {
			at, found = max(d, n.paused, c.now), true
			what = func() { c.disks(n) }
		}
		if d, ok := n.q.NextDeadline(); ok && max(d, n.paused, c.now) < at {
			at, found = max(d, n.paused, c.now), true
			what = func() {
				n.q.Tick(n.clock(), &n.out)
				c.turn(n)
			}
		}
	}
	c.now = max(c.now, at)
	what()
	c.done++
	return found
}

func (c *cluster) nodeOf(id core.NodeID) *node {
	for _, n := range c.nodes {
		if n.id == id {
			return n
		}
	}
	return nil
}

// run lets simulated time pass.
func (c *cluster) run(d core.Mono) {
	until := c.now.Add(d)
	spins, last := 0, c.now
	for c.step(until) {
		if c.now != last {
			spins, last = 0, c.now
		}
		if spins++; spins > 20_000 {
			c.t.Fatalf("at %d the world spins", c.now)
		}
	}
}

// until lets time pass until cond holds; it fails the test after d.
func (c *cluster) until(d core.Mono, what string, cond func() bool) {
	c.t.Helper()
	limit := c.now.Add(d)
	for !cond() {
		if !c.step(limit) {
			c.t.Fatalf("%s did not happen\n%s", what, c.describe())
		}
	}
}

func (c *cluster) disks(n *node) {
	n.disk.Poll(c.now, func(d *step.DiskDone) {
		if !n.up {
			return
		}
		switch d.Owner() {
		case 1:
			n.q.LogDone(n.clock(), d, &n.out)
		case 2:
			n.q.FilesDone(n.clock(), d, &n.out)
		default:
			n.q.ReadsDone(n.clock(), d, &n.out)
		}
	})
	c.turn(n)
}

// turn ends a node's turn and carries its effects out.
func (c *cluster) turn(n *node) {
	if !n.up {
		return
	}
	n.q.EndTurn(n.clock(), &n.out)
	if why, failed := n.q.Failed(); failed {
		c.t.Fatalf("at %d node %d failed: %s\n%s", c.now, n.id, why, c.describe())
	}
	n.q.Check()
	c.drain(n)
	for laps := 0; n.q.Reading(); laps++ { // the broker goes on within its turn
		if laps == 100 {
			c.t.Fatalf("at %d node %d wants to read on without end: applied %d, high watermark %d\n%s", c.now, n.id, n.q.applied.Offset, n.q.hw, c.describe())
		}
		n.q.EndTurn(n.clock(), &n.out)
		c.drain(n)
	}
	if !n.manual && n.opts.SnapshotRecords > 0 && n.q.SnapshotDue() {
		c.snapshot(n)
	}
	c.checkpoint(n)
	for _, p := range n.out.Points {
		c.points[p.Message]++
	}
	if n.stalled {
		n.held = append(n.held, n.out.Disk...)
	} else {
		for _, op := range n.out.Disk {
			n.disk.Submit(c.now, op)
		}
	}
	n.out.Reset()
	c.oracle.check(n)
	for _, a := range n.q.Answers() { // those of an earlier epoch wait less than calls of a later one
		c.reply(n, a)
	}
	for _, call := range n.q.Calls() {
		c.send(n, call)
	}
	if c.ambush > 0 && n.q.phase == phaseRunning && !n.q.store.stateDurable() && c.rand.Chance(1, c.ambush) {
		boot := n.boot
		c.after(core.Mono(c.rand.Skewed(int64(5*core.Millisecond))), 0, func() {
			if n.up && n.boot == boot {
				c.trace("%6d  ambush %d", c.now/core.Microsecond, n.id)
				c.stop(n, true)
				c.after(core.Mono(c.rand.Skewed(int64(20*core.Millisecond))), 0, func() {
					if !n.up {
						c.start(n)
					}
				})
			}
		})
	}
}

// drain folds what is committed into the node's state.
func (c *cluster) drain(n *node) {
	for _, r := range n.q.Drain() {
		if r.Reset {
			n.state = nil
		}
		if r.Value != nil {
			n.state = append(n.state, string(r.Value))
		}
		c.oracle.handedOut(n, r)
	}
}

// snapshot writes the node's state down.
func (c *cluster) snapshot(n *node) {
	values := make([][]byte, len(n.state))
	for i, s := range n.state {
		values[i] = []byte(s)
	}
	n.q.WriteSnapshot(n.clock(), n.q.Applied(), values, &n.out)
	n.q.log.EndTurn(n.clock(), &n.out)
}

// checkpoint writes the recovery point: now and then, and when a truncation waits for it.
func (c *cluster) checkpoint(n *node) {
	_, needed := n.q.Log().NeedsCheckpoint()
	if n.saving || !needed && !c.rand.Chance(1, 50) {
		return
	}
	n.saving = true
	point, boot := n.q.Log().RecoveryPoint(), n.boot
	// From now on the file may say this much: a truncation that begins before the write has ended must know.
	n.q.Log().Checkpointed(n.clock(), max(n.point, point), &n.out)
	c.after(core.Mono(c.rand.Between(1, 2000))*core.Microsecond, n.id, func() {
		if n.boot != boot || !n.up {
			return
		}
		n.point, n.saving = point, false
		n.q.Log().Checkpointed(n.clock(), point, &n.out)
		c.turn(n)
	})
}

func (c *cluster) delay() core.Mono {
	d := core.Mono(c.rand.Between(100, 1500)) * core.Microsecond
	if c.slow > 0 && c.rand.Chance(1, c.slow) {
		d += core.Mono(c.rand.Between(1, 400)) * core.Millisecond
	}
	return d
}

func (c *cluster) connected(a, b core.NodeID) bool { return !c.cut[[2]core.NodeID{a, b}] }

// send carries a call to its peer, perhaps; whoever called learns of a loss after a while.
func (c *cluster) send(n *node, call Call) {
	to, boot := c.byAddr(call.To.Addr), n.boot
	c.oracle.called(n, call)
	fail := func() {
		c.after(core.Mono(c.rand.Between(1, 200))*core.Millisecond, n.id, func() {
			if n.up && n.boot == boot {
				n.q.Response(n.clock(), call.ID, nil, &n.out)
				c.turn(n)
			}
		})
	}
	if to == nil || c.lossy > 0 && c.rand.Chance(1, c.lossy) {
		fail()
		return
	}
	copies := 1
	if c.lossy > 0 && c.rand.Chance(1, c.lossy) {
		copies = 2 // the connection broke, the request arrives all the same, and again
	}
	for i := range copies {
		c.after(c.delay(), to.id, func() {
			if !to.up || !c.connected(n.id, to.id) || to.q.phase == phaseNew {
				if i == 0 {
					fail()
				}
				return
			}
			to.next++
			if r, ok := call.Req.(*VoteRequest); ok {
				to.asked[to.next] = r
			}
			if i == 0 {
				to.askers[to.next] = reply{n, boot, call.ID}
				c.after(2*core.Second, n.id, func() { // the caller's own timeout
					if n.up && n.boot == boot {
						n.q.Response(n.clock(), call.ID, nil, &n.out)
						c.turn(n)
					}
				})
			}
			c.trace("%6d  %d -> %d  %s", c.now/core.Microsecond, n.id, to.id, printRequest(call.Req))
			to.q.Receive(to.clock(), to.next, call.Req, &to.out)
			c.turn(to)
		})
	}
}

// reply carries an answer back. The bytes of a span are read when the edge sends them, not when the answer is given.
func (c *cluster) reply(n *node, a Answer) {
	to, ok := n.askers[a.To]
	delete(n.askers, a.To)
	c.oracle.answered(n, a)
	if !ok {
		return
	}
	boot := n.boot
	deliver := func(resp Response) {
		c.after(c.delay(), to.to.id, func() {
			if !to.to.up || to.to.boot != to.boot {
				return
			}
			if !c.connected(n.id, to.to.id) || c.lossy > 0 && c.rand.Chance(1, c.lossy) {
				resp = nil
			}
			if resp != nil {
				c.trace("%6d  %d <- %d  %s", c.now/core.Microsecond, to.to.id, n.id, printResponse(resp))
			}
			to.to.q.Response(to.to.clock(), to.call, resp, &to.to.out)
			c.turn(to.to)
		})
	}
	if a.Span.Len == 0 || !n.disk.Hold(a.Span.File) {
		if a.Span.Len > 0 {
			deliver(nil)
			return
		}
		deliver(a.Resp)
		return
	}
	c.after(core.Mono(c.rand.Skewed(int64(2*core.Millisecond))), n.id, func() {
		if !n.up || n.boot != boot {
			deliver(nil)
			return
		}
		data, err := n.disk.ReadSpan(a.Span, nil)
		n.disk.Release(a.Span.File)
		if err != nil {
			deliver(nil)
			return
		}
		switch r := a.Resp.(type) {
		case *FetchResponse:
			r.Records = data
		case *FetchSnapshotResponse:
			r.Bytes = data
		}
		deliver(a.Resp)
	})
}

// ask sends an operator's request to a node and returns where its answer will be.
func (c *cluster) ask(to *node, req Request) *Response {
	var got Response
	answer := &got
	to.next++
	asker := to.next
	if r, ok := req.(*VoteRequest); ok {
		to.asked[asker] = r
	}
	c.oracle.operator[operatorKey{to.id, to.boot, asker}] = answer
	to.q.Receive(to.clock(), asker, req, &to.out)
	c.turn(to)
	return answer
}

// leader is the node that leads the highest epoch, nil if none leads.
func (c *cluster) leader() *node {
	var found *node
	for _, n := range c.nodes {
		if n.up && n.q.role == roleLeader && (found == nil || n.q.hard.epoch > found.q.hard.epoch) {
			found = n
		}
	}
	return found
}

// propose appends a value at a leader that may.
func (c *cluster) propose(n *node, values ...string) bool {
	if n == nil || !n.up || n.paused > c.now || !n.q.Active() {
		return false
	}
	var batch [][]byte
	for _, v := range values {
		batch = append(batch, []byte(v))
	}
	n.q.Propose(n.clock(), batch)
	c.turn(n)
	return true
}

// isolate cuts every link of a node, in both directions.
func (c *cluster) isolate(id core.NodeID) {
	for _, n := range c.nodes {
		if n.id != id {
			c.cut[[2]core.NodeID{id, n.id}], c.cut[[2]core.NodeID{n.id, id}] = true, true
		}
	}
}

func (c *cluster) heal() {
	c.cut = map[[2]core.NodeID]bool{}
	c.lossy, c.slow, c.ambush = 0, 0, 0
}

func (c *cluster) describe() string {
	var b strings.Builder
	for _, n := range c.nodes {
		if !n.up {
			fmt.Fprintf(&b, "node %d: down, durable %d\n", n.id, n.durable)
			continue
		}
		q := n.q
		fmt.Fprintf(&b, "node %d: %v epoch %d leader %d log [%d,%d) last epoch %d durable %d hw %d applied %d voters %v cut %+v timer %d paused %v\n",
			n.id, q.role, q.hard.epoch, q.hard.leader, q.log.LogStartOffset(), q.log.LogEndOffset(), q.log.LatestEpoch(),
			q.log.DurableOffset(), q.hw, q.applied.Offset, idsOf(q.voters.last().voters), q.cut.pending(), q.timer, n.paused > c.now)
	}
	return b.String()
}

func idsOf(s voterSet) []core.NodeID {
	var ids []core.NodeID
	for _, v := range s {
		ids = append(ids, v.ID)
	}
	return ids
}
