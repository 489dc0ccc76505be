package modern

import (
	"fmt"
	"slices"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// client is a consumer as KIP-848 wants it: it gives up what it is not assigned any more, says so, and takes what is new after that.
type client struct {
	id         string
	instance   *string
	topics     []string
	regex      string
	epoch      int32
	owned      map[Partition]bool
	assignment []Partition // as last told
	busy       bool        // has to give something up and has not yet
	dead       bool        // sends nothing any more, and has not noticed that it should not work
	full       bool        // its next heartbeat says everything
	firsts     []HeartbeatRequest
	classic    bool // speaks the classic protocol, cooperatively: full means that it must join again
}

// classicBeat does what a classic consumer does next, or loses the request or the answer: JoinGroup and SyncGroup if it must join,
// else Heartbeat.
func (m *model) classicBeat(c *client, fate int) {
	if fate == 1 {
		return
	}
	if !c.full {
		m.classicHears(c, m.g.HeartbeatClassic(m.now, c.id, nil, c.epoch), fate)
		return
	}
	wish := protocol.Subscription{Topics: c.topics, Generation: c.epoch}
	for p := range c.owned {
		if name, exists := m.topics.Name(p.Topic); exists {
			wish.Owned = append(wish.Owned, core.TopicPartition{Topic: name, Partition: p.Index})
		}
	}
	got := m.g.JoinClassic(m.now, &ClassicJoin{
		MemberID: c.id, SessionTimeoutMs: 20_000, RebalanceTimeoutMs: 20_000, ProtocolType: protocol.Type,
		Protocols: []ClassicProtocol{{Name: "cooperative-sticky", Metadata: wish.AppendTo(nil, protocol.Newest)}},
	})
	if got.Code == core.ErrUnknownMemberID {
		m.classicHears(c, got.Code, fate)
	}
	if got.Code != core.ErrNone || fate == 2 {
		return
	}
	assigned, code := m.g.SyncClassic(m.now, c.id, nil, got.Generation, nil, nil)
	if m.classicHears(c, code, 0); code != core.ErrNone {
		return
	}
	a, _, err := protocol.ParseAssignment(assigned)
	require.NoError(m.rt, err)
	c.epoch, c.full, c.assignment, c.busy = got.Generation, false, m.g.named(a.Partitions), false
	for p := range c.owned {
		c.busy = c.busy || !slices.Contains(c.assignment, p)
	}
	if !c.busy {
		c.settle()
	}
}

func (m *model) classicHears(c *client, code core.ErrorCode, fate int) {
	if fate == 2 {
		return
	}
	switch code {
	case core.ErrNone:
	case core.ErrUnknownMemberID, core.ErrIllegalGeneration:
		c.owned, c.busy, c.assignment, c.epoch, c.full = map[Partition]bool{}, false, nil, -1, true
	default:
		c.full = true
	}
}

func (c *client) request() HeartbeatRequest {
	r := HeartbeatRequest{
		MemberID: c.id, MemberEpoch: c.epoch, InstanceID: c.instance, RebalanceTimeoutMs: -1, OwnedSet: true, ClientID: "c", ClientHost: "h",
	}
	for p := range c.owned {
		r.Owned = append(r.Owned, p)
	}
	slices.SortFunc(r.Owned, Partition.Compare)
	if c.epoch == JoinEpoch || c.full {
		r.RebalanceTimeoutMs, r.Topics, r.TopicsSet, r.Regex = 20_000, c.topics, true, str(c.regex)
	}
	return r
}

// hear takes an answer.
func (c *client) hear(res HeartbeatResult) {
	switch res.Code {
	case core.ErrNone:
	case core.ErrFencedMemberEpoch, core.ErrUnknownMemberID:
		c.epoch, c.owned, c.busy, c.assignment = JoinEpoch, map[Partition]bool{}, false, nil
		return
	case core.ErrFencedInstanceID:
		c.dead = true
		return
	default:
		c.full = true
		return // UNRELEASED_INSTANCE_ID and what the log refuses: again later
	}
	c.epoch, c.full = res.MemberEpoch, false
	if res.AssignmentSet {
		c.assignment, c.busy = res.Assignment, false
		for p := range c.owned {
			c.busy = c.busy || !slices.Contains(c.assignment, p)
		}
	}
	if !c.busy {
		c.settle()
	}
}

// settle gives up what is not assigned, and takes the rest.
func (c *client) settle() {
	c.full = c.full || c.classic && c.busy // who gave something up joins again
	c.busy = false
	for p := range c.owned {
		if !slices.Contains(c.assignment, p) {
			delete(c.owned, p)
		}
	}
	for _, p := range c.assignment {
		c.owned[p] = true
	}
}

// model is a group with its clients and what can happen to them.
type model struct {
	*rig
	rt      *rapid.T
	clients []*client
	made    int
}

func (m *model) pick() *client {
	var alive []*client
	for _, c := range m.clients {
		if !c.dead {
			alive = append(alive, c)
		}
	}
	if len(alive) == 0 {
		return nil
	}
	return rapid.SampledFrom(alive).Draw(m.rt, "client")
}

func (m *model) start(instance *string) {
	m.made++
	c := &client{id: fmt.Sprintf("m%03d", m.made), instance: instance, owned: map[Partition]bool{}}
	c.classic = instance == nil && rapid.IntRange(0, 2).Draw(m.rt, "classic") == 0
	m.subscribe(c)
	m.clients = append(m.clients, c)
}

func (m *model) subscribe(c *client) {
	c.topics, c.regex = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "ab", "ghost"}), 1, 3, rapid.ID).Draw(m.rt, "topics"), ""
	if !c.classic && rapid.IntRange(0, 3).Draw(m.rt, "regex") == 0 {
		c.topics, c.regex = nil, rapid.SampledFrom([]string{"a.*", "[b-z]+", "nothing"}).Draw(m.rt, "expression")
	}
	c.full = true
}

// send delivers a client's heartbeat, and its answer, or loses one of them.
func (m *model) send(c *client, fate int) {
	if c.classic {
		m.classicBeat(c, fate)
		return
	}
	req := c.request()
	if req.MemberEpoch == JoinEpoch {
		c.firsts = append(c.firsts, req)
	}
	if fate == 1 {
		c.full = c.full || req.TopicsSet
		return
	}
	res := m.beat(req)
	if fate == 2 {
		c.full = true // after an error clients send full requests
		return
	}
	c.hear(res)
}

// step lets one thing happen.
func (m *model) step() {
	c := m.pick()
	action := rapid.IntRange(0, 19).Draw(m.rt, "action")
	if c == nil && action < 15 {
		action = 15
	}
	switch action {
	default:
		m.send(c, rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2}).Draw(m.rt, "fate"))
	case 8:
		c.settle()
	case 9:
		m.subscribe(c)
	case 10: // an old first heartbeat is executed late
		if len(c.firsts) > 0 {
			m.beat(rapid.SampledFrom(c.firsts).Draw(m.rt, "late"))
		}
	case 11:
		c.dead = true
	case 12: // leaves, and a static one starts again under another member id
		epoch := LeaveEpoch
		if c.instance != nil {
			epoch = LeaveStaticEpoch
		}
		c.dead, c.owned = true, map[Partition]bool{} // gives everything up first
		if c.classic {
			_ = m.g.LeaveClassic(m.now, c.id, nil) // may be refused: it has been removed, or the log is read-only
			break
		}
		m.beat(HeartbeatRequest{MemberID: c.id, MemberEpoch: epoch, InstanceID: c.instance, RebalanceTimeoutMs: -1})
		if c.instance != nil {
			m.start(c.instance)
		}
	case 15:
		if len(m.clients) < 12 {
			var instance *string
			if rapid.IntRange(0, 2).Draw(m.rt, "static") == 0 {
				instance = str(fmt.Sprintf("i%d", m.made))
			}
			m.start(instance)
		}
	case 16:
		m.topics.set(rapid.SampledFrom([]string{"a", "b", "ab", "bc"}).Draw(m.rt, "topic"), rapid.Int32Range(0, 5).Draw(m.rt, "partitions"))
	case 17:
		m.pass(core.Millis(rapid.Int64Range(0, 30_000).Draw(m.rt, "ms")))
	case 18:
		m.fail(rapid.IntRange(0, len(m.log)).Draw(m.rt, "own"), rapid.IntRange(0, len(m.log)).Draw(m.rt, "compacted"))
	case 19:
		m.refuse = rapid.SampledFrom([]core.ErrorCode{core.ErrNone, core.ErrNotEnoughReplicas}).Draw(m.rt, "log")
	}
	m.check()
	m.oneOwner()
}

// oneOwner is G-ONE-OWNER: no partition is worked on by two clients that the coordinator has not fenced, dead ones included.
func (m *model) oneOwner() {
	owner := map[Partition]string{}
	for _, c := range m.clients {
		if !m.g.members.Has(c.id) {
			continue
		}
		for p := range c.owned {
			require.Empty(m.rt, owner[p], "%v is owned by %s and %s", p, owner[p], c.id)
			owner[p] = c.id
		}
	}
}

// converge is L-GROUP-STABLE: when nothing happens any more, whoever is alive gets its share, and everything is shared out. So it
// is again after a topic alone has changed, and after one more member has come.
func (m *model) converge() {
	m.refuse = core.ErrNone
	m.quiet(110) // sessions and rebalance time-outs of the dead end
	m.allShared()
	m.topics.set("b", 7)
	m.quiet(40)
	m.allShared()
	m.start(nil)
	m.quiet(40)
	m.allShared()
}

// quiet lets seconds pass in which everybody who is alive does what it should.
func (m *model) quiet(seconds int) {
	for range seconds {
		m.pass(core.Second)
		for _, c := range m.clients {
			if !c.dead {
				m.send(c, 0)
				c.settle()
			}
		}
		m.check()
		m.oneOwner()
	}
}

func (m *model) allShared() {
	if len(m.g.Members()) == 0 {
		require.Nil(m.rt, m.aliveOne())
		return
	}
	require.Equal(m.rt, "Stable", m.g.StateName())
	owned := map[Partition]bool{}
	for _, c := range m.clients {
		if c.dead {
			require.False(m.rt, m.g.members.Has(c.id), "%s is dead and a member", c.id)
			continue
		}
		require.Len(m.rt, c.owned, len(m.g.Target(c.id)))
		for _, p := range m.g.Target(c.id) {
			require.True(m.rt, c.owned[p])
			owned[p] = true
		}
	}
	for name := range m.topics.Names() {
		if !m.g.SubscribedTo(name) {
			continue
		}
		for i := range m.topics.counts[name] {
			require.True(m.rt, owned[m.topics.partition(name, i)], "%s-%d belongs to nobody", name, i)
		}
	}
}

func (m *model) aliveOne() *client {
	for _, c := range m.clients {
		if !c.dead {
			return c
		}
	}
	return nil
}

// Members come, go, pause, die, lose messages and come back; topics change; the coordinator moves, its log compacted anywhere;
// the log refuses. Nobody ever works on a partition of another, the log always says what the coordinator thinks, and in the end
// all is shared out.
func TestRandomSchedules(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{rig: newRig(rt), rt: rt}
		m.topics.set("a", 3)
		m.topics.set("b", 2)
		for range rapid.IntRange(10, 120).Draw(rt, "steps") {
			m.step()
		}
		m.converge()
	})
}
