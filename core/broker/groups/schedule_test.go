package groups_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// client is one process that believes to be a member of a group. It learns from answers only.
type client struct {
	group    string
	instance *string
	id       string
	gen      int32
	leader   bool
	members  []string
	protocol *string
	replaced bool          // another process has joined under its instance id, and knows
	next     func(*client) // what a client would do now
}

// schedule drives a plane through whatever can happen, and holds its answers against a model.
type schedule struct {
	*rig
	rt      *rapid.T
	epoch   core.LeaderEpoch
	leading bool
	stalled bool
	clients []*client
	pending map[uint64]func(wire.Response)
	nonce   int

	// committed is, per group and partition, what a fetch may find: the last acknowledged offset and all attempts since.
	committed map[string][]int64
	// synced is the highest generation of a group of which a member was given an assignment; assigned is which.
	synced   map[string]int32
	acked    map[string]bool // something was acknowledged for the partition
	assigned map[string]string
}

func newSchedule(rt *rapid.T) *schedule {
	s := &schedule{
		rig: newRig(rt), rt: rt, pending: make(map[uint64]func(wire.Response)), committed: make(map[string][]int64),
		synced: make(map[string]int32), acked: make(map[string]bool), assigned: make(map[string]string),
	}
	s.rig.auto = false
	return s
}

func (s *schedule) draw(label string, n int) int { return rapid.IntRange(0, n-1).Draw(s.rt, label) }

// ask sends a request; then gets the answer when it comes.
func (s *schedule) ask(version int16, req kmsg.Request, then func(wire.Response)) uint64 {
	req.SetVersion(version)
	s.nextSeq++
	s.pending[s.nextSeq] = then
	s.plane.Handle(s.now, &step.Request{Conn: 1, Seq: s.nextSeq, Version: version, Body: req, ClientID: "c"}, &s.out)
	return s.nextSeq
}

// settleTurn ends a turn: the HighWatermark follows unless it is stalled, answers reach the clients.
func (s *schedule) settleTurn() {
	s.answerReads()
	if !s.stalled {
		for _, v := range s.plane.Views() {
			s.commit(v.Partition, v.Epoch)
		}
		s.answerReads()
	}
	replies := slices.Clone(s.out.Replies)
	s.out.Reset()
	for _, reply := range replies {
		then, owed := s.pending[reply.Seq]
		require.True(s.rt, owed, "request %d is answered twice, or was never asked", reply.Seq)
		delete(s.pending, reply.Seq)
		then(reply.Body)
	}
	s.check()
}

// check compares every coordinator with what its log says.
func (s *schedule) check() {
	s.plane.Check()
	for _, v := range s.plane.Views() {
		if v.Machine == nil {
			continue
		}
		l := s.logs[v.Partition]
		require.Equal(s.rt, l.end, v.End)
		require.Equal(s.rt, fold(s.rt, l), string(v.Machine.AppendState(nil)), "live state is not what is replayed")
	}
}

// nolog refuses everything: a coordinator that is only replayed.
type nolog struct{}

func (nolog) Append(core.Now, int32, core.LeaderEpoch, []byte) (core.Offset, core.ErrorCode) {
	return 0, core.ErrNotLeaderOrFollower
}
func (nolog) Propose(core.Now, []coord.Record) core.ErrorCode { return core.ErrNotLeaderOrFollower }
func (nolog) ProposeTxn(core.Now, coord.Producer, []coord.Record) core.ErrorCode {
	return core.ErrNotLeaderOrFollower
}

func fold(t require.TestingT, l *memLog) string {
	sh := coord.New[*group.Coordinator, int](coord.Options[*group.Coordinator]{Log: nolog{}, New: func(core.LeaderEpoch) *group.Coordinator {
		return group.New(group.Options{Rand: prng.New(1), Log: nolog{}})
	}})
	sh.Lead(1, 0, l.end)
	for _, b := range l.batches {
		sh.Loaded(1, b, false)
	}
	require.Contains(t, []coord.Phase{coord.Settling}, sh.Phase(), sh.Why())
	return string(sh.Machine().AppendState(nil))
}

func (s *schedule) lead() {
	s.epoch++
	s.leading = true
	for p := range int32(partitions) {
		s.plane.Lead(s.now, p, s.epoch, 0, s.logs[p].end, &s.out)
	}
}

// unlead ends the leadership; what is not committed may be lost.
func (s *schedule) unlead(lose bool) {
	s.leading = false
	for p := range int32(partitions) {
		s.plane.Unlead(s.now, p, s.epoch, &s.out)
		l := s.logs[p]
		for lose && l.end > l.hw {
			last := l.batches[len(l.batches)-1]
			l.batches, l.end = l.batches[:len(l.batches)-1], last.BaseOffset()
		}
	}
}

func (s *schedule) pick(group string) *client {
	var of []*client
	for _, c := range s.clients {
		if c.group == group {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return nil
	}
	return of[s.draw("client", len(of))]
}

func (s *schedule) join(c *client) {
	req := joining(c.group, c.id)
	req.InstanceID = c.instance
	req.RebalanceTimeoutMillis = []int32{3_000, 60_000}[s.draw("patience", 2)]
	c.next = func(*client) {} // it waits
	names := []string{"range", "sticky"}
	req.Protocols = nil
	for _, name := range names[max(0, s.draw("protocols", 5)-3):] {
		req.Protocols = append(req.Protocols, kmsg.JoinGroupRequestProtocol{Name: name, Metadata: subscription("t", fmt.Sprint("x", s.draw("topic", 2)))})
	}
	version := int16(9)
	if s.draw("old", 4) == 0 {
		version = 5
	}
	if s.draw("oldest", 6) == 0 && c.instance == nil {
		version = 3
	}
	lost := s.draw("lost", 8) == 0 // the client has given up, and is a zombie of what it knew
	s.ask(version, req, func(body wire.Response) {
		resp := body.(*kmsg.JoinGroupResponse)
		if lost {
			c.next = s.join
			return
		}
		switch core.ErrorCode(resp.ErrorCode) {
		case core.ErrNone:
			c.replaced = false
			c.id, c.gen, c.protocol, c.leader = resp.MemberID, resp.Generation, resp.Protocol, resp.LeaderID == resp.MemberID
			c.members, c.next = nil, s.sync
			s.replaces(c)
			for _, m := range resp.Members {
				c.members = append(c.members, m.MemberID)
			}
			require.NotEmpty(s.rt, c.id)
			require.Positive(s.rt, c.gen)
			if c.leader && !resp.SkipAssignment {
				require.Contains(s.rt, c.members, c.id)
			}
		case core.ErrMemberIDRequired:
			c.id, c.next = resp.MemberID, s.join
		case core.ErrUnknownMemberID, core.ErrFencedInstanceID:
			c.id, c.gen, c.next = "", 0, s.join
		default:
		}
	})
}

func (s *schedule) sync(c *client) {
	req := s.syncing(c.group, c.id, c.gen, nil)
	req.InstanceID = c.instance
	if c.leader {
		s.nonce++
		for _, m := range c.members {
			req.GroupAssignment = append(req.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{
				MemberID: m, MemberAssignment: []byte(fmt.Sprintf("%d for %s", s.nonce, m)),
			})
		}
	}
	id, gen := c.id, c.gen
	s.ask(5, req, func(body wire.Response) {
		resp := body.(*kmsg.SyncGroupResponse)
		if resp.ErrorCode != 0 {
			c.next = s.join
			return
		}
		c.next = s.beat
		s.synced[c.group] = max(s.synced[c.group], gen)
		if len(resp.MemberAssignment) == 0 {
			return
		}
		nonce, _, _ := strings.Cut(string(resp.MemberAssignment), " ")
		key := fmt.Sprintf("%s/%d", c.group, gen)
		if s.assigned[key] == "" {
			s.assigned[key] = nonce
		}
		require.Equal(s.rt, s.assigned[key], nonce, "members of one generation are given parts of two assignments (%s)", id)
	})
}

// replaces notes whom a static member has replaced for good: none of the log's generations has had the old id since it knows its own.
func (s *schedule) replaces(c *client) {
	for _, other := range s.clients {
		if c.instance != nil && other != c && other.group == c.group && other.instance != nil && *other.instance == *c.instance && other.id != c.id {
			other.replaced = other.id != ""
		}
	}
}

func (s *schedule) beat(c *client) {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = c.group, c.id, c.instance, c.gen
	replaced, serving := c.replaced, s.serving(c.group)
	s.ask(4, req, func(body wire.Response) {
		if body.(*kmsg.HeartbeatResponse).ErrorCode != 0 {
			c.next = s.join
		}
		if code := core.ErrorCode(body.(*kmsg.HeartbeatResponse).ErrorCode); replaced && serving {
			require.NotContains(s.rt, []core.ErrorCode{core.ErrNone, core.ErrRebalanceInProgress}, code, "a process that has been replaced lives on")
		}
	})
}

// serving reports whether the group's coordinator is past loading: only then heartbeats mean something.
func (s *schedule) serving(groupID string) bool {
	for _, v := range s.plane.Views() {
		if v.Partition == groups.PartitionFor(groupID, partitions) {
			return v.Phase == coord.Active
		}
	}
	return false
}

func (s *schedule) commitAs(groupID string, c *client) {
	partition, offset := int32(s.draw("partition", 2)), int64(s.nextSeq)
	req := committing(groupID, "", -1, partition, offset)
	stale := false
	if c != nil {
		req.MemberID, req.Generation, req.InstanceID = c.id, c.gen, c.instance
		stale = c.gen > 0 && c.gen < s.synced[groupID]
	}
	key := fmt.Sprintf("%s/%d", groupID, partition)
	s.committed[key] = append(s.committed[key], offset)
	s.ask(9, req, func(body wire.Response) {
		if body.(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode != 0 {
			return
		}
		require.False(s.rt, stale, "a member of generation %d has committed after members of %d had been assigned", req.Generation, s.synced[groupID])
		i := slices.Index(s.committed[key], offset)
		require.NotEqual(s.rt, -1, i, "an offset older than an acknowledged one is acknowledged")
		s.committed[key], s.acked[key] = s.committed[key][i:], true
	})
}

func (s *schedule) fetch(groupID string) {
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = groupID
	req.Groups, req.RequireStable = []kmsg.OffsetFetchRequestGroup{g}, true
	s.ask(9, req, func(body wire.Response) {
		row := body.(*kmsg.OffsetFetchResponse).Groups[0]
		if row.ErrorCode != 0 {
			return
		}
		for partition := range int32(2) {
			got := int64(-1)
			for _, topic := range row.Topics {
				for _, p := range topic.Partitions {
					if p.Partition == partition {
						got = p.Offset
					}
				}
			}
			may := s.committed[fmt.Sprintf("%s/%d", groupID, partition)]
			if got == -1 && !s.acked[fmt.Sprintf("%s/%d", groupID, partition)] {
				continue
			}
			key := fmt.Sprintf("%s/%d", groupID, partition)
			require.Contains(s.rt, may, got, "an offset that was overwritten, or never committed")
			s.committed[key], s.acked[key] = may[slices.Index(may, got):], true // what was shown is committed
		}
	})
}

func (s *schedule) leave(c *client) {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = c.group
	m := kmsg.NewLeaveGroupRequestMember()
	m.MemberID, m.InstanceID = c.id, c.instance
	req.Members = []kmsg.LeaveGroupRequestMember{m, m}
	s.ask(5, req, func(wire.Response) { c.id, c.gen, c.next = "", 0, s.join })
}

func (s *schedule) turn() {
	groupID := []string{"a", "b"}[s.draw("group", 2)]
	c := s.pick(groupID)
	if c == nil || len(s.clients) < 6 && s.draw("new", 5) == 0 {
		c = &client{group: groupID, next: s.join}
		if s.draw("static", 3) == 0 {
			id := fmt.Sprint("i", s.draw("instance", 2))
			c.instance = &id
		}
		s.clients = append(s.clients, c)
	}
	switch s.draw("what", 40) {
	default:
		c.next(c)
		if s.draw("moment", 4) == 0 {
			s.tickTo(s.now.Mono + 100*core.Millisecond)
		}
	case 0:
		s.join(c)
	case 4:
		s.sync(c)
	case 7:
		s.beat(c)
	case 8, 9:
		s.commitAs(groupID, c)
	case 10:
		s.commitAs(groupID, nil)
	case 11:
		s.fetch(groupID)
	case 12:
		s.leave(c)
	case 13:
		d := []core.Mono{50 * core.Millisecond, core.Second, 7 * core.Second, 70 * core.Second}[s.draw("time", 4)]
		s.tickTo(s.now.Mono + d)
	case 14, 16, 17:
		s.refuse = []core.ErrorCode{core.ErrNone, core.ErrNotEnoughReplicas}[s.draw("refuse", 2)]
		s.stalled = s.draw("stall", 2) == 0
	case 15, 18, 19:
		if s.leading {
			s.unlead(s.draw("lose", 2) == 0)
		} else {
			s.lead()
		}
	}
	s.settleTurn()
}

// tickTo lets time pass, doing what is due on the way.
func (s *schedule) tickTo(end core.Mono) {
	for {
		at, ok := s.plane.NextDeadline()
		if !ok || at > end {
			at = end
		}
		at = max(at, s.now.Mono)
		s.now.Wall += core.Wall((at - s.now.Mono) / core.Millisecond)
		s.now.Mono = at
		s.plane.Tick(s.now, &s.out)
		s.settleTurn()
		if at == end {
			return
		}
	}
}

// Members that join, leave, die, come back as zombies and are replaced, commits of all kinds, appends that fail, a HighWatermark
// that stands still, coordinators that lose what they have not committed: at every step the live state is the replayed one,
// every request is answered once, nobody of an older generation commits, and what was acknowledged stays.
func TestSchedules(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newSchedule(rt)
		s.lead()
		s.settleTurn()
		for range rapid.IntRange(1, 150).Draw(rt, "turns") {
			s.turn()
		}
		s.calm()
	})
}

// calm is the end of a schedule: everything heals, and what was promised must be so.
func (s *schedule) calm() {
	s.refuse, s.stalled = core.ErrNone, false
	if !s.leading {
		s.lead()
	}
	s.settleTurn()
	for _, id := range []string{"a", "b"} {
		s.fetchAll(id)
	}
	// Nobody heartbeats any more: after the longest wait that there is all groups are empty and all requests answered.
	s.tickTo(s.now.Mono + 20*core.Minute)
	require.Empty(s.rt, s.pending, "requests that are never answered")
	for _, v := range s.plane.Views() {
		require.Equal(s.rt, coord.Active, v.Phase)
		for _, g := range v.Machine.List(nil, nil) {
			require.Equal(s.rt, "Empty", g.StateName())
		}
	}
}

// fetchAll finds every acknowledged offset, or one that was attempted after it.
func (s *schedule) fetchAll(groupID string) {
	for partition := range int32(2) {
		may := s.committed[fmt.Sprintf("%s/%d", groupID, partition)]
		req := kmsg.NewPtrOffsetFetchRequest()
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group, g.Topics = groupID, []kmsg.OffsetFetchRequestGroupTopic{{Topic: "t", Partitions: []int32{partition}}}
		req.Groups = []kmsg.OffsetFetchRequestGroup{g}
		acked := s.acked[fmt.Sprintf("%s/%d", groupID, partition)]
		s.ask(9, req, func(body wire.Response) {
			got := body.(*kmsg.OffsetFetchResponse).Groups[0].Topics[0].Partitions[0].Offset
			if acked || got != -1 {
				require.Contains(s.rt, may, got, "an acknowledged offset is lost")
			}
		})
		s.settleTurn()
	}
}
