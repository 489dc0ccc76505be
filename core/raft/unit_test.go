package raft

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

func TestStateFileIsKafkas(t *testing.T) {
	h := hardState{epoch: 7, voted: VoterKey{3, metadata.DirectoryID{1, 2, 15: 9}}, leader: 3}
	const want = `{"leaderId":3,"leaderEpoch":7,"votedId":3,"votedDirectoryId":"AQIAAAAAAAAAAAAAAAAACQ","data_version":1}`
	if got := string(h.encode()); got != want {
		t.Fatalf("encoded\n%s, want\n%s", got, want)
	}
	if back, err := parseElectionState([]byte(want)); err != nil || back != h {
		t.Fatal(back, err)
	}
}

func TestStateFileRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := hardState{epoch: core.LeaderEpoch(rapid.Int32Min(0).Draw(t, "epoch")), voted: nobody(),
			leader: core.NodeID(rapid.Int32Range(-1, 9).Draw(t, "leader"))}
		if rapid.Bool().Draw(t, "voted") {
			h.voted.ID = core.NodeID(rapid.Int32Range(0, 9).Draw(t, "id"))
			copy(h.voted.DirectoryID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "dir"))
		}
		if back, err := parseElectionState(h.encode()); err != nil || back != h {
			t.Fatal(h, back, err)
		}
	})
}

func TestStateFileOfOthers(t *testing.T) {
	for _, c := range []struct{ text, wrong string }{
		{"", ""},
		{`{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,"currentVoters":[],"data_version":0}`, ""},
		{`{"leaderEpoch":-1}`, "negative"},
		{`{"data_version":2}`, "not known"},
		{`{"votedDirectoryId":"!"}`, "directory id"},
		{`{`, "unexpected end"},
	} {
		h, err := parseElectionState([]byte(c.text))
		if c.wrong == "" && (err != nil || h.voted != nobody()) || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%q: %+v, %v", c.text, h, err)
		}
	}
}

func voterOf(id core.NodeID, dir byte) metadata.VoterRegistration {
	return metadata.VoterRegistration{ID: id, DirectoryID: metadata.DirectoryID{dir}}
}

func TestVoterSetsDifferByOne(t *testing.T) {
	base := voterSet{voterOf(1, 1), voterOf(2, 2), voterOf(3, 3)}
	for _, c := range []struct {
		name string
		next voterSet
		want bool
	}{
		{"the same", base, true},
		{"one more", base.with(voterOf(4, 4)), true},
		{"one less", base.without(2), true},
		{"two more", base.with(voterOf(4, 4)).with(voterOf(5, 5)), false},
		{"one for another", base.without(2).with(voterOf(4, 4)), false},
		{"another disk", base.with(voterOf(2, 9)), false},
	} {
		if got := differsByOne(base, c.next); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	static := voterSet{voterOf(1, 0), voterOf(2, 0), voterOf(3, 0)}
	if !differsByOne(static, base) {
		t.Error("directory ids that are learnt change nobody")
	}
	if !static.has(VoterKey{2, metadata.DirectoryID{7}}) || base.has(VoterKey{2, metadata.DirectoryID{7}}) {
		t.Error("with a directory id the voter is that replica only, without one any with the id")
	}
	if !slices.Equal(idsOf(base.without(1).with(voterOf(1, 1))), []core.NodeID{1, 2, 3}) {
		t.Error("voters are in order of id")
	}
}

func TestVoterHistoryIsAFold(t *testing.T) {
	var h voterHistory
	h.reset(configuration{offset: core.NoOffset, voters: voterSet{voterOf(1, 0)}})
	h.add(3, &metadata.KRaftVersionRecord{KRaftVersion: 1})
	h.add(4, &metadata.VotersRecord{Voters: []metadata.VoterRegistration{voterOf(2, 2), voterOf(1, 1)}})
	h.add(9, &metadata.VotersRecord{Voters: []metadata.VoterRegistration{voterOf(1, 1)}})
	if h.add(10, &metadata.LeaderChangeMessage{}) {
		t.Error("a LeaderChange changes no voter set")
	}
	if c := h.before(9); c.offset != 4 || c.kraft != 1 || !slices.Equal(idsOf(c.voters), []core.NodeID{1, 2}) {
		t.Error("before 9:", c)
	}
	if c := h.before(2); c.offset != core.NoOffset {
		t.Error("before 2:", c)
	}
	if h.truncate(10) || !h.truncate(9) || h.last().offset != 4 {
		t.Error("truncated to", h.last())
	}
	h.forget(5)
	if len(h.steps) != 1 || h.last().offset != 4 {
		t.Error("forgotten:", h.steps)
	}
}

func TestAddresses(t *testing.T) {
	for addr, want := range map[string]string{"host:9093": "host:9093", "[::1]:9093": "[::1]:9093", "10.0.0.1:1": "10.0.0.1:1", "odd": "odd:0"} {
		if got := joinAddr(splitAddr(addr)); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
	list := []metadata.VoterEndpoint{{Name: "A", Host: "a", Port: 1}, {Name: "B", Host: "b", Port: 2}}
	if addrOf(list, "B") != "b:2" || addrOf(list, "C") != "a:1" || addrOf(nil, "A") != "" {
		t.Error("addrOf")
	}
}

func TestSnapshotNamesAreKafkas(t *testing.T) {
	id := OffsetAndEpoch{1234, 7}
	const want = Dir + "/00000000000000001234-0000000007.checkpoint"
	if got := snapshotPath(id); got != want {
		t.Fatal(got)
	}
	if back, ok := parseSnapshotName(strings.TrimPrefix(want, Dir+"/")); !ok || back != id {
		t.Fatal(back, ok)
	}
	for _, name := range []string{"00000000000000001234-0000000007.checkpoint.part", "00000000000000001234.log", "quorum-state",
		"0000000000000000123x-0000000007.checkpoint", "00000000000000001234-000000007.checkpoint", "-0000000000000001234-0000000007.checkpoint"} {
		if _, ok := parseSnapshotName(name); ok {
			t.Error(name)
		}
	}
}

func TestSnapshotIsWholeOrRefused(t *testing.T) {
	q := New(quick(), Owners{})
	q.voters.add(4, &metadata.KRaftVersionRecord{KRaftVersion: 1})
	q.voters.add(5, &metadata.VotersRecord{Voters: []metadata.VoterRegistration{voterOf(1, 1)}})
	id := OffsetAndEpoch{20, 3}
	data := q.buildSnapshot(core.Now{Wall: 5}, id, [][]byte{[]byte("a"), []byte("b")})
	s, err := q.parseSnapshot(id, data)
	if err != nil || len(s.records) != 2 || string(s.records[1].Value) != "b" || s.kraft != 1 || len(s.voters.Voters) != 1 {
		t.Fatal(s, err)
	}
	for n := range len(data) {
		if s, err := q.parseSnapshot(id, data[:n]); err == nil {
			t.Fatalf("%d of %d bytes are %v", n, len(data), s)
		}
	}
	for i := range data {
		damaged := bytes.Clone(data)
		damaged[i] ^= 0x40
		if s, err := q.parseSnapshot(id, damaged); err == nil && !outsideChecksum(data, i) {
			t.Fatalf("with byte %d damaged it is %v", i, s)
		}
	}
	if _, err := q.parseSnapshot(id, append(bytes.Clone(data), data...)); err == nil {
		t.Fatal("bytes behind the footer")
	}
}

// outsideChecksum reports whether a byte is a batch's base offset or leader epoch, which no checksum covers.
func outsideChecksum(data []byte, i int) bool {
	for at := 0; at < len(data); {
		b, _, err := record.ParseBatch(data[at:])
		if err != nil {
			return false
		}
		if n := int(b.SizeInBytes()); i < at+n {
			return i-at < 8 || i-at >= 12 && i-at < 16
		}
		at += int(b.SizeInBytes())
	}
	return false
}

func batchAt(t *testing.T, epoch core.LeaderEpoch) []byte {
	t.Helper()
	var b record.Builder
	b.Begin(nil, record.Options{PartitionLeaderEpoch: epoch})
	if err := b.Append(0, nil, []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	data, err := b.Finish(&record.Codecs{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// KAFKA-18723: bytes of a later epoch can arrive under the name of an earlier leader.
func TestFetchedBatchesAreOfTheEpoch(t *testing.T) {
	one := len(batchAt(t, 1))
	join := func(epochs ...core.LeaderEpoch) (all []byte) {
		for _, e := range epochs {
			all = append(all, batchAt(t, e)...)
		}
		return all
	}
	for _, c := range []struct {
		data          []byte
		epoch, latest core.LeaderEpoch
		want          int // batches kept
	}{
		{join(1, 2, 3), 3, 1, 3},
		{join(1, 2, 3), 2, 1, 2},
		{join(2, 1), 3, 1, 1},
		{join(1, 2), 3, 2, 0},
	} {
		if got := len(ofEpoch(c.data, c.epoch, c.latest)); got != c.want*one {
			t.Errorf("%d bytes kept, want %d batches of %d", got, c.want, one)
		}
	}
	cut := join(1, 1)[:one+10]
	if got := ofEpoch(cut, 1, 1); len(got) != len(cut) {
		t.Error("an incomplete batch at the end is the log's affair")
	}
}

// cell is what a role does with a request of its own epoch.
type cell struct {
	role    role
	granted bool // a standard vote
	pre     bool // a pre-vote
	fetch   core.ErrorCode
}

// The table of roles and requests: who votes, and who serves.
func TestRolesAndRequests(t *testing.T) {
	for _, c := range []cell{
		{roleUnattached, true, true, core.ErrNotLeaderOrFollower},
		{roleVoted, false, true, core.ErrNotLeaderOrFollower},
		{roleProspective, true, true, core.ErrNotLeaderOrFollower},
		{roleCandidate, false, true, core.ErrNotLeaderOrFollower},
		{roleLeader, false, false, core.ErrNone},
		{roleFollower, false, false, core.ErrNotLeaderOrFollower},
		{roleObserver, true, true, core.ErrNotLeaderOrFollower},
		{roleResigned, false, true, core.ErrNotLeaderOrFollower},
		{roleNone, false, false, core.ErrNotLeaderOrFollower},
	} {
		q := New(Options{NodeID: 1, Static: []Bootstrap{{1, "a:1"}, {2, "b:2"}, {3, "c:3"}}, Voter: true}, Owners{})
		q.phase, q.role = phaseRunning, c.role
		q.hard = hardState{epoch: 4, voted: nobody(), leader: core.NoNode}
		switch c.role {
		case roleVoted:
			q.hard.voted = VoterKey{ID: 3}
		case roleCandidate, roleLeader, roleResigned:
			q.hard.voted = q.self
		case roleFollower:
			q.hard.leader, q.leaderAddr, q.follow.heard = 3, "c:3", true
		default:
		}
		candidate := VoterKey{ID: 2}
		if got := q.mayGrant(candidate, false, true); got != c.granted {
			t.Errorf("%v grants a vote: %v", c.role, got)
		}
		if got := q.mayGrant(candidate, true, true); got != c.pre {
			t.Errorf("%v grants a pre-vote: %v", c.role, got)
		}
		if q.mayGrant(candidate, true, false) || c.role != roleVoted && q.mayGrant(candidate, false, false) {
			t.Errorf("%v votes for a log that is behind", c.role)
		}
		if got := q.leaderOnly(4); got != c.fetch {
			t.Errorf("%v serves: %v", c.role, got)
		}
		if q.leaderOnly(3) != core.ErrFencedLeaderEpoch || q.leaderOnly(5) != core.ErrUnknownLeaderEpoch {
			t.Errorf("%v serves other epochs", c.role)
		}
	}
	q := New(Options{NodeID: 1, Static: []Bootstrap{{1, "a:1"}, {2, "b:2"}}, Voter: true}, Owners{})
	q.phase, q.role, q.hard.leader = phaseRunning, roleFollower, 2
	if !q.mayGrant(VoterKey{ID: 2}, true, true) {
		t.Error("a follower that has not heard from its leader grants pre-votes (KIP-996)")
	}
}

// A single voter that founds a cluster writes what a Kafka controller writes.
func TestFirstRecords(t *testing.T) {
	c := newCluster(t, 3, 1, 1, quick(), simdisk.Config{})
	c.run(100 * core.Millisecond)
	var names []string
	for _, b := range c.nodes[0].batches() {
		names = append(names, contentOf(b))
	}
	if got := strings.Join(names, "+"); got != "leader1+kraft1+voters[1]" {
		t.Fatal(got)
	}
	v := c.nodes[0].q.View(c.nodes[0].clock())
	if v.LeaderID != 1 || v.HighWatermark != 3 || len(v.Voters) != 1 || v.Voters[0].LogEndOffset != 3 || v.KRaftVersion != 1 {
		t.Fatalf("%+v", v)
	}
}

// DescribeQuorum data: who has what, and since when.
func TestView(t *testing.T) {
	c := newCluster(t, 5, 4, 3, quick(), simdisk.Config{})
	c.until(5*core.Second, "a leader", func() bool { l := c.leader(); return l != nil && l.q.Active() })
	c.run(core.Second)
	l := c.leader()
	v := l.q.View(l.clock())
	if len(v.Voters) != 3 || len(v.Observers) != 1 || v.Observers[0].ID != 4 {
		t.Fatalf("%+v", v)
	}
	for _, r := range append(v.Voters, v.Observers...) {
		if r.LogEndOffset != l.q.log.LogEndOffset() || r.LastFetchTime < l.clock().Wall-300 || r.LastCaughtUpTime < l.clock().Wall-300 {
			t.Fatalf("%+v", r)
		}
	}
}

// A quorum that is closed answers nobody's question and lets its log go.
func TestClose(t *testing.T) {
	c := newCluster(t, 5, 3, 3, quick(), simdisk.Config{})
	c.until(5*core.Second, "a leader", func() bool { l := c.leader(); return l != nil && l.q.Active() })
	l := c.leader()
	epoch := l.q.hard.epoch
	l.q.Resign(l.clock(), &l.out)
	c.turn(l)
	c.until(core.Second, "an heir", func() bool { n := c.leader(); return n != nil && n != l && n.q.hard.epoch > epoch })
	l.q.Close(l.clock(), &l.out)
	c.turn(l)
	c.until(core.Second, "the log's end", func() bool { return l.q.Log().Closed() })
	if l.q.Active() {
		t.Fatal("active")
	}
	got := c.ask(l, &FetchRequest{CurrentLeaderEpoch: epoch})
	if r, ok := (*got).(*FetchResponse); !ok || r.Code != core.ErrBrokerNotAvailable {
		t.Fatalf("%+v", *got)
	}
}

// A disk that fails ends the quorum, whatever it was writing.
func TestFailedDisk(t *testing.T) {
	for _, kind := range []step.DiskOpKind{step.Open, step.Append, step.Sync, step.Rename, step.SyncDir} {
		q := New(quick(), Owners{Log: 1, Files: 2, Reads: 3})
		disk := simdisk.New(prng.New(1), simdisk.Config{})
		var out step.Effects
		now := core.Now{Mono: 1, Wall: 1}
		q.Open(now, &out)
		seen := 0
		for range 2000 {
			q.EndTurn(now, &out)
			if _, failed := q.Failed(); failed {
				break
			}
			for _, op := range out.Disk {
				if op.Kind == kind && q.phase == phaseRunning {
					seen++
					done := &step.DiskDone{Op: op.Op, Kind: op.Kind, File: op.File, Path: op.Path, Err: step.ErrIO}
					deliver(q, now, done, &out)
					continue
				}
				disk.Submit(now.Mono, op)
			}
			out.Reset()
			if at, ok := disk.NextDeadline(); ok {
				now.Mono = max(now.Mono, at)
				disk.Poll(now.Mono, func(d *step.DiskDone) { deliver(q, now, d, &out) })
			}
		}
		if _, failed := q.Failed(); !failed || seen == 0 {
			t.Errorf("kind %d failed %d times, the quorum goes on", kind, seen)
		}
	}
}

func deliver(q *Quorum, now core.Now, d *step.DiskDone, out *step.Effects) {
	switch d.Owner() {
	case 1:
		q.LogDone(now, d, out)
	case 2:
		q.FilesDone(now, d, out)
	default:
		q.ReadsDone(now, d, out)
	}
}

// A turn in which nothing happens to the quorum, as most turns of a broker are, takes no memory.
func TestIdleTurnsTakeNoMemory(t *testing.T) {
	c := newCluster(t, 5, 4, 3, quick(), simdisk.Config{})
	c.until(5*core.Second, "a leader", func() bool { l := c.leader(); return l != nil && l.q.Active() })
	c.run(core.Second)
	for _, n := range c.nodes {
		var out step.Effects
		got := testing.AllocsPerRun(100, func() {
			n.q.EndTurn(n.clock(), &out)
			n.q.NextDeadline()
			n.q.Drain()
			n.q.Calls()
			n.q.Answers()
			out.Reset()
		})
		if got > 0 {
			t.Errorf("node %d, %v: %v allocations", n.id, n.q.role, got)
		}
	}
}

// A cut of the log takes the reads under way along. What is still to be handed out is read when the cut is done, and until then
// nobody need ask again.
func TestACutEndsTheReadsUnderWay(t *testing.T) {
	c := newCluster(t, 7, 3, 3, quick(), simdisk.Config{Read: simdisk.Latency{Base: 20 * core.Millisecond}})
	c.until(5*core.Second, "a leader", func() bool { l := c.leader(); return l != nil && l.q.Active() })
	l := c.leader()
	for i := range 5 {
		c.propose(l, fmt.Sprint("v", i))
		c.run(10 * core.Millisecond)
	}
	f := c.node(l.id%3 + 1)
	c.until(core.Second, "five values", func() bool { return len(f.state) == 5 })
	c.stop(f, false)
	c.start(f)
	c.until(core.Second, "a read", func() bool { return f.q.phase == phaseRunning && f.q.applied.Offset < f.q.hw && f.q.reader.op != 0 })
	f.q.cut.wanted, f.q.cut.to = true, f.q.log.LogEndOffset()-1
	f.q.hw, f.hw = f.q.cut.to, f.q.cut.to // as if the last record were nobody else's
	c.turn(f)
	if !f.q.cut.running || f.q.Reading() {
		t.Fatalf("cut running: %v, reading: %v", f.q.cut.running, f.q.Reading())
	}
	c.until(core.Second, "five values again", func() bool { return len(f.state) == 5 })
}
