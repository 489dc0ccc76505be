package raft

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
)

// oracle sees everything and judges after every turn: BUGS section 7.3 and the votes.
type oracle struct {
	c        *cluster
	leaders  map[core.LeaderEpoch]leaderOf // R-ONE-LEADER
	votes    map[voteKey]VoterKey
	promised map[metadata.DirectoryID]core.LeaderEpoch // R-EPOCH-MONO: the highest epoch that a replica has shown to others
	hw       core.Offset                               // R-HW-MONO: the end of what any leader has committed
	commits  map[core.LeaderEpoch]core.Offset          // the same by epoch
	records  map[core.Offset]committedRecord           // what was handed out, by offset
	operator map[operatorKey]*Response
}

// leaderOf is one process's leadership: a process that starts again is another.
type leaderOf struct {
	key  VoterKey
	boot int
}

type operatorKey struct {
	id    core.NodeID
	boot  int
	asker Asker
}

type voteKey struct {
	dir   metadata.DirectoryID
	epoch core.LeaderEpoch
}

type committedRecord struct {
	epoch core.LeaderEpoch
	value string
}

func newOracle(c *cluster) *oracle {
	return &oracle{c: c, leaders: map[core.LeaderEpoch]leaderOf{}, votes: map[voteKey]VoterKey{},
		promised: map[metadata.DirectoryID]core.LeaderEpoch{}, records: map[core.Offset]committedRecord{},
		operator: map[operatorKey]*Response{}, commits: map[core.LeaderEpoch]core.Offset{}}
}

func (o *oracle) wiped(*node) {}

func (o *oracle) violation(code, format string, args ...any) {
	o.c.t.Fatalf("at %d us: %s: %s\n%s", o.c.now/core.Microsecond, code, fmt.Sprintf(format, args...), o.c.describe())
}

// check judges a node after its turn.
func (o *oracle) check(n *node) {
	q := n.q
	if q.phase != phaseRunning {
		return
	}
	if q.log.Ready() {
		n.durable = q.log.DurableOffset()
	}
	switch {
	case q.role == roleLeader:
		o.leading(n)
		o.committing(n, q.lead.hw)
	case q.role == roleResigned && n.boot == n.led: // it committed its own removal and resigned in the same turn
		o.committing(n, q.hw)
	}
	o.monotone(n)
	if start := q.log.LogStartOffset(); start > 0 && !q.cut.pending() && !q.snaps.untidy {
		o.snapshotAt(n, start)
	}
}

func (o *oracle) monotone(n *node) {
	q := n.q
	if q.hw < n.hw {
		o.violation("R-HW-MONO", "node %d: from %d to %d", n.id, n.hw, q.hw)
	}
	n.hw = q.hw
	if q.hw > o.hw {
		o.violation("R-HW", "node %d knows %d as committed, leaders have committed %d", n.id, q.hw, o.hw)
	}
}

// leading judges a leader: alone in its epoch, with everything that is committed, and committing only what a majority has.
func (o *oracle) leading(n *node) {
	q := n.q
	epoch := q.hard.epoch
	me := leaderOf{q.self, n.boot}
	if other, ok := o.leaders[epoch]; !ok {
		o.leaders[epoch] = me
		n.mustApply = o.committedBefore(epoch)
		o.complete(n)
		o.voted(n, epoch, q.self)
	} else if other != me {
		o.violation("R-ONE-LEADER", "epoch %d: %v and %v", epoch, other, me)
	}
	n.led = n.boot
	if q.Active() && q.applied.Offset < n.mustApply {
		o.violation("L-ACTIVE", "node %d is active in epoch %d with %d applied, %d was committed before", n.id, epoch,
			q.applied.Offset, n.mustApply)
	}
}

// committing judges what a leader counts as committed.
func (o *oracle) committing(n *node, hw core.Offset) {
	q := n.q
	if hw <= o.hw {
		return
	}
	voters, have := q.voters.last().voters, 0
	for _, v := range voters {
		for _, m := range o.c.nodes {
			if v.ID == m.id && (v.DirectoryID == m.dir || noDirectory(v.DirectoryID)) && m.durable >= hw {
				have++
			}
		}
	}
	if have < voters.majority() {
		o.violation("R-MAJORITY-HW", "node %d committed up to %d, %d of %d voters have it", n.id, hw, have, len(voters))
	}
	if e := q.log.EpochOf(hw - 1); e != q.hard.epoch {
		o.violation("R-LEADER-COMPLETE", "node %d in epoch %d committed up to a record of epoch %d", n.id, q.hard.epoch, e)
	}
	o.hw, o.commits[q.hard.epoch] = hw, hw
}

// committedBefore is what leaders of earlier epochs have committed. A leader may be elected late, when a later one has
// committed more already; it will learn of that.
func (o *oracle) committedBefore(epoch core.LeaderEpoch) core.Offset {
	end := core.Offset(0)
	for e, hw := range o.commits { //det:unordered a maximum
		if e < epoch {
			end = max(end, hw)
		}
	}
	return end
}

// complete judges a new leader's log.
func (o *oracle) complete(n *node) {
	if end := n.q.lead.start; end < n.mustApply {
		o.violation("R-LEADER-COMPLETE", "node %d leads epoch %d with a log up to %d, %d is committed", n.id, n.q.hard.epoch, end, n.mustApply)
	}
}

func (o *oracle) snapshotAt(n *node, start core.Offset) {
	i := slices.IndexFunc(n.q.snaps.list, func(s *storedSnapshot) bool { return s.id.Offset == start })
	if i < 0 {
		o.violation("R-SNAP", "node %d: log start %d, snapshots %v", n.id, start, n.q.snaps.list)
	}
	if _, ok := n.disk.Content(snapshotPath(n.q.snaps.list[i].id)); !ok {
		o.violation("R-SNAP", "node %d: no file for %v", n.id, n.q.snaps.list[i].id)
	}
}

// handedOut judges a committed record: the same for everybody, for ever.
func (o *oracle) handedOut(n *node, r Committed) {
	if r.Value == nil && !r.Reset {
		o.violation("R-LOG-MATCH", "node %d: a record without a value", n.id)
	}
	if r.SnapshotEnd {
		if want := o.stateBefore(r.Offset + 1); !slices.Equal(n.state, want) {
			o.violation("SM-DETERMINISM", "node %d: a snapshot at %d has\n%v, want\n%v", n.id, r.Offset+1, n.state, want)
		}
	}
	if r.SnapshotEnd || r.Reset || n.inSnapshot(r) {
		return
	}
	mine := committedRecord{r.Epoch, string(r.Value)}
	if theirs, ok := o.records[r.Offset]; ok && theirs != mine {
		o.violation("R-LOG-MATCH", "offset %d: node %d has %v, another had %v", r.Offset, n.id, mine, theirs)
	}
	o.records[r.Offset] = mine
}

// inSnapshot tells a snapshot's middle records from the log's: the log's come at the offset behind those before.
func (n *node) inSnapshot(r Committed) bool {
	s := n.q.snaps.newest()
	return s.Offset == r.Offset+1 && len(n.q.ready) == 0 && n.c.oracle.records[r.Offset] != (committedRecord{r.Epoch, string(r.Value)}) &&
		slices.Contains(n.c.oracle.stateBefore(r.Offset+1), string(r.Value))
}

// stateBefore is the fold of everything that was committed below an offset.
func (o *oracle) stateBefore(end core.Offset) []string {
	var offsets []core.Offset
	for at := range o.records { //det:unordered sorted
		if at < end {
			offsets = append(offsets, at)
		}
	}
	slices.Sort(offsets)
	var state []string
	for _, at := range offsets {
		state = append(state, o.records[at].value)
	}
	return state
}

// called and answered judge what leaves a node.
func (o *oracle) called(n *node, c Call) { o.shows(n, n.q.hard.epoch, c.Req) }

func (o *oracle) shows(n *node, epoch core.LeaderEpoch, req Request) {
	o.promised[n.dir] = max(o.promised[n.dir], epoch)
	if r, ok := req.(*VoteRequest); ok && !r.PreVote {
		o.voted(n, r.ReplicaEpoch, n.q.self)
	}
}

func (o *oracle) answered(n *node, a Answer) {
	c := a.Resp.quorum()
	if to, ok := o.operator[operatorKey{n.id, n.boot, a.To}]; ok {
		*to = a.Resp
	}
	if n.q.phase != phaseRunning {
		return
	}
	if r, ok := a.Resp.(*VoteResponse); ok && r.VoteGranted {
		if req := n.asked[a.To]; !req.PreVote {
			o.voted(n, req.ReplicaEpoch, VoterKey{req.ReplicaID, req.ReplicaDirectoryID})
		}
	}
	if c.LeaderEpoch < o.promised[n.dir] {
		o.violation("R-EPOCH-MONO", "node %d answers in epoch %d, it has shown %d", n.id, c.LeaderEpoch, o.promised[n.dir])
	}
	o.promised[n.dir] = c.LeaderEpoch
}

// voted notes a vote that others know of.
func (o *oracle) voted(n *node, epoch core.LeaderEpoch, candidate VoterKey) {
	k := voteKey{n.dir, epoch}
	if before, ok := o.votes[k]; ok && before != candidate {
		o.violation("R-ONE-VOTE", "node %d voted for %v and %v in epoch %d", n.id, before, candidate, epoch)
	}
	o.votes[k] = candidate
}

// logMatch compares the files of all nodes below the least HighWatermark of each pair (R-LOG-MATCH).
func (o *oracle) logMatch() {
	all := map[core.Offset][]byte{}
	for _, n := range o.c.nodes {
		if !n.up || n.q.phase != phaseRunning || !n.q.log.Ready() || n.q.cut.pending() {
			continue
		}
		o.votersMatch(n)
		for _, b := range n.batches() {
			if b.LastOffset() >= n.q.hw || b.BaseOffset() < n.q.log.LogStartOffset() {
				continue
			}
			if other, ok := all[b.BaseOffset()]; ok && !bytes.Equal(other, b) {
				o.violation("R-LOG-MATCH", "batch at %d: node %d has another", b.BaseOffset(), n.id)
			}
			all[b.BaseOffset()] = b
		}
	}
}

// votersMatch compares a node's voter set with the fold of what is in its files (KIP-853: reverted on truncation).
func (o *oracle) votersMatch(n *node) {
	q := n.q
	if !n.up || q.phase != phaseRunning || !q.log.Ready() || q.cut.pending() || q.log.WrittenOffset() != q.log.LogEndOffset() {
		return
	}
	want := q.voters.steps[0]
	for _, b := range n.batches() {
		if !b.Attributes().Control() || b.BaseOffset() <= want.offset || b.LastOffset() >= q.log.LogEndOffset() {
			continue
		}
		var codecs record.Codecs
		var it record.Iterator
		if err := it.Reset(b, &codecs, 1<<20); err != nil {
			o.violation("VOTERS", "node %d: %v", n.id, err)
		}
		var r record.Record
		for it.Next(&r) {
			if rec, err := controlOf(&r); err != nil {
				o.violation("VOTERS", "node %d: %v", n.id, err)
			} else if v, ok := rec.(*metadata.VotersRecord); ok {
				want = configuration{offset: r.Offset, voters: voterSet(v.Voters)}
			}
		}
	}
	got := q.voters.last()
	// A voter set that came with a snapshot stands at the snapshot's end, wherever its record was.
	fromSnapshot := got.offset < q.snaps.newest().Offset
	if !fromSnapshot && got.offset != want.offset || want.offset >= q.snaps.newest().Offset && !slices.Equal(idsOf(got.voters), idsOf(want.voters)) {
		o.violation("VOTERS", "node %d: voters %v of offset %d, the log has %v of %d", n.id, idsOf(got.voters), got.offset,
			idsOf(want.voters), want.offset)
	}
}

// batches is what is in a node's segment files.
func (n *node) batches() []record.Batch {
	var list []record.Batch
	for _, name := range n.disk.Names(Dir) {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		if !strings.Contains(name, "/") {
			name = Dir + "/" + name
		}
		data, _ := n.disk.Content(name)
		for len(data) > 0 {
			b, rest, err := record.ParseBatch(data)
			if err != nil {
				break
			}
			list, data = append(list, b), rest
		}
	}
	return list
}

func printRequest(r Request) string {
	switch r := r.(type) {
	case *VoteRequest:
		what := "Vote"
		if r.PreVote {
			what = "PreVote"
		}
		return fmt.Sprintf("%s epoch=%d candidate=%d end=%d/%d", what, r.ReplicaEpoch, r.ReplicaID, r.LastOffset, r.LastOffsetEpoch)
	case *BeginQuorumEpochRequest:
		return fmt.Sprintf("BeginQuorumEpoch epoch=%d leader=%d", r.LeaderEpoch, r.LeaderID)
	case *EndQuorumEpochRequest:
		return fmt.Sprintf("EndQuorumEpoch epoch=%d leader=%d", r.LeaderEpoch, r.LeaderID)
	case *FetchRequest:
		return fmt.Sprintf("Fetch epoch=%d offset=%d/%d hw=%d", r.CurrentLeaderEpoch, r.FetchOffset, r.LastFetchedEpoch, r.HighWatermark)
	case *FetchSnapshotRequest:
		return fmt.Sprintf("FetchSnapshot epoch=%d id=%d/%d pos=%d", r.CurrentLeaderEpoch, r.SnapshotID.Offset, r.SnapshotID.Epoch, r.Position)
	case *UpdateRaftVoterRequest:
		return fmt.Sprintf("UpdateRaftVoter %d", r.VoterID)
	}
	return fmt.Sprintf("%T", r)
}

func printResponse(r Response) string {
	c := r.quorum()
	head := fmt.Sprintf("epoch=%d leader=%d", c.LeaderEpoch, c.LeaderID)
	switch r := r.(type) {
	case *VoteResponse:
		return fmt.Sprintf("VoteResponse %s granted=%v %v", head, r.VoteGranted, r.Code)
	case *FetchResponse:
		what := fmt.Sprintf("%d bytes", len(r.Records))
		if r.DivergingEpoch.Present() {
			what = fmt.Sprintf("diverging=%d/%d", r.DivergingEpoch.Offset, r.DivergingEpoch.Epoch)
		}
		if r.SnapshotID.Present() {
			what = fmt.Sprintf("snapshot=%d/%d", r.SnapshotID.Offset, r.SnapshotID.Epoch)
		}
		return fmt.Sprintf("FetchResponse %s hw=%d %s %v", head, r.HighWatermark, what, r.Code)
	case *FetchSnapshotResponse:
		return fmt.Sprintf("FetchSnapshotResponse %s %d+%d of %d %v", head, r.Position, len(r.Bytes), r.Size, r.Code)
	case *BeginQuorumEpochResponse:
		return fmt.Sprintf("BeginQuorumEpochResponse %s %v", head, r.Code)
	case *EndQuorumEpochResponse:
		return fmt.Sprintf("EndQuorumEpochResponse %s %v", head, r.Code)
	}
	return fmt.Sprintf("%T %s", r, head)
}
