package modern

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/stretchr/testify/require"
)

// tester is what rapid and testing have in common.
type tester interface {
	require.TestingT
	Helper()
}

// cluster is the topics.
type cluster struct {
	version int64
	made    int
	ids     map[string]core.TopicID
	counts  map[string]int32
}

func (c *cluster) Version() int64 { return c.version }

func (c *cluster) Topic(name string) (core.TopicID, int32, bool) {
	id, ok := c.ids[name]
	return id, c.counts[name], ok
}

func (c *cluster) Name(id core.TopicID) (string, bool) {
	for name, other := range c.ids {
		if other == id {
			return name, true
		}
	}
	return "", false
}

func (c *cluster) Names() iter.Seq[string] {
	var names []string
	for name := range c.ids {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Values(names)
}

// set gives a topic so many partitions; 0 deletes it, and what is made after that is another incarnation.
func (c *cluster) set(name string, partitions int32) {
	c.version++
	if partitions == 0 {
		delete(c.ids, name)
		return
	}
	if _, exists := c.ids[name]; !exists {
		c.made++
		c.ids[name] = core.TopicID{14: byte(c.made >> 8), 15: byte(c.made)}
	}
	c.counts[name] = partitions
}

func (c *cluster) partition(topic string, index int32) Partition {
	return Partition{Topic: c.ids[topic], Index: index}
}

// rig is one group over a log that may refuse.
type rig struct {
	t      tester
	log    []coord.Record
	refuse core.ErrorCode
	now    core.Now
	env    *Env
	timers coord.Timers
	g      *Group
	topics *cluster
}

func newRig(t tester) *rig {
	r := &rig{t: t, topics: &cluster{ids: map[string]core.TopicID{}, counts: map[string]int32{}}}
	r.now.Wall = 1_700_000_000_000
	r.env = &Env{Config: DefaultConfig(), Rand: prng.New(7), Log: r, Timers: &r.timers, Topics: r.topics}
	r.g = New(r.env, "g")
	return r
}

// Propose implements [coord.Proposer].
func (r *rig) Propose(_ core.Now, recs []coord.Record) core.ErrorCode {
	if r.refuse != core.ErrNone {
		return r.refuse
	}
	for _, rec := range recs {
		r.log = append(r.log, rec)
		replay(r.t, r.g, rec)
	}
	return core.ErrNone
}

// ProposeTxn implements [coord.Proposer].
func (r *rig) ProposeTxn(core.Now, coord.Producer, []coord.Record) core.ErrorCode {
	panic("a group writes no transactions")
}

func replay(t tester, g *Group, rec coord.Record) {
	key, err := ParseKey(rec.Key)
	require.NoError(t, err)
	require.Equal(t, rec.Key, key.AppendTo(nil))
	require.NoError(t, g.Replay(key, rec.Value))
}

// check asserts the group's invariants, and that its log says the same.
func (r *rig) check() {
	r.g.Check()
	loaded := New(r.env, "g")
	for _, rec := range r.log {
		replay(r.t, loaded, rec)
	}
	require.True(r.t, r.g.Equal(loaded), "live state is not what the log says")
}

// fail moves the group to a new coordinator. It has what it had replicated itself, up to one record, and then what is left in another's log
// that was compacted up to a second one: of each key below that only the last record.
func (r *rig) fail(own, compacted int) {
	last := map[string]int{}
	for i, rec := range r.log[:compacted] {
		last[string(rec.Key)] = i
	}
	var left []coord.Record
	for i, rec := range r.log {
		if i < own || i >= compacted || last[string(rec.Key)] == i {
			left = append(left, rec)
		}
	}
	r.log, r.timers = left, coord.Timers{}
	before := r.g
	r.g = New(r.env, "g")
	for _, rec := range r.log {
		replay(r.t, r.g, rec)
	}
	require.True(r.t, before.Equal(r.g), "the compacted log says something else")
	r.g.Restore(r.now)
}

// pass lets time go by, and what is due happen.
func (r *rig) pass(d core.Mono) {
	end := r.now.Mono.Add(d)
	for {
		at, ok := r.timers.Next()
		if !ok || at > end {
			break
		}
		r.now.Mono = max(at, r.now.Mono)
		e, _ := r.timers.PopDue(r.now.Mono)
		e.Expire(r.now)
	}
	r.now.Mono = end
	r.now.Wall += core.Wall(d / core.Millisecond)
}

// beat sends a heartbeat through the checks that the coordinator makes.
func (r *rig) beat(req HeartbeatRequest) HeartbeatResult {
	if code, message := req.Check(&r.env.Config); code != core.ErrNone {
		return HeartbeatResult{Code: code, Message: message}
	}
	return r.g.Heartbeat(r.now, &req)
}

func (r *rig) joins(id string, topics ...string) HeartbeatResult {
	return r.beat(joinRequest(id, topics...))
}

func joinRequest(id string, topics ...string) HeartbeatRequest {
	return HeartbeatRequest{MemberID: id, RebalanceTimeoutMs: 10_000, Topics: topics, TopicsSet: true, OwnedSet: true, ClientID: "c", ClientHost: "h"}
}

// owns is an ordinary heartbeat.
func owns(id string, epoch int32, owned ...Partition) HeartbeatRequest {
	return HeartbeatRequest{
		MemberID: id, MemberEpoch: epoch, RebalanceTimeoutMs: -1, Owned: owned, OwnedSet: true, ClientID: "c", ClientHost: "h",
	}
}

func (r *rig) partitions(topic string, indexes ...int32) []Partition {
	var list []Partition
	for _, i := range indexes {
		list = append(list, r.topics.partition(topic, i))
	}
	return list
}

func str(s string) *string { return &s }

func requireResult(t *testing.T, got HeartbeatResult, code core.ErrorCode, epoch int32, assignment []Partition) {
	t.Helper()
	require.Equal(t, code, got.Code, got.Message)
	require.Equal(t, epoch, got.MemberEpoch)
	require.Equal(t, assignment != nil, got.AssignmentSet, fmt.Sprint(got))
	require.ElementsMatch(t, assignment, got.Assignment)
}
