package client_test

import (
	"fmt"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/member"
	"github.com/klamm-log/klamm/core/record"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupWorld is a client in a group with what it was told.
type groupWorld struct {
	*world
	g      *fakeGroup
	m      *member.Member
	events []member.Event
	done   []member.Commit
}

func newGroupWorld(t *testing.T, brokers int, o client.Options, topics ...int) *groupWorld {
	k := newKafka(brokers)
	for i, partitions := range topics {
		ft := k.topic(fmt.Sprintf("t%d", i), partitions)
		for p := range ft.parts {
			for j := range 5 {
				ft.parts[p].store(record.None, record.Options{}, fmt.Sprintf("%d/%d/%d", i, p, j))
			}
		}
	}
	g := k.newGroup()
	g.coordinator = int32(brokers - 1)
	o.Group.Group = "g"
	if o.Group.SessionTimeout == 0 {
		o.Group.SessionTimeout, o.Group.HeartbeatInterval = 2*core.Second, 200*core.Millisecond
		o.Group.RebalanceTimeout = 10 * core.Second
	}
	o.Cluster = fastCluster()
	o.Consumer.Reset = consumer.ResetEarliest
	w := newWorld(t, k, o)
	return &groupWorld{world: w, g: g, m: w.client.Group()}
}

func (w *groupWorld) drain() {
	w.events = w.m.Events(w.events)
	w.done = w.m.Commits(w.done)
}

// until runs the world, with events taken but no polls, until the condition holds.
func (w *groupWorld) until(done func() bool) {
	w.t.Helper()
	w.run(15*core.Second, func() bool { w.drain(); return done() })
}

// poll polls until so many records have come.
func (w *groupWorld) poll(n int) (got []consumer.Record) {
	w.t.Helper()
	w.until(func() bool {
		got = w.m.Poll(w.now, n-len(got), got)
		return len(got) >= n
	})
	return got
}

// kinds are the events so far, for comparison.
func (w *groupWorld) kinds() (out []string) {
	for _, e := range w.events {
		name := map[member.EventKind]string{member.EventAssigned: "assigned", member.EventRevoked: "revoked", member.EventLost: "lost",
			member.EventFailed: "failed", member.EventLeft: "left", member.EventFetched: "fetched"}[e.Kind]
		out = append(out, fmt.Sprintf("%s%v", name, e.Partitions))
	}
	return out
}

func cooperative() client.Options {
	return client.Options{Group: member.Options{Assignors: []assignor.Assignor{assignor.CooperativeSticky}}}
}

func tp(topic string, p int32) core.TopicPartition {
	return core.TopicPartition{Topic: topic, Partition: p}
}

func TestGroupJoinsReadsAndCommits(t *testing.T) {
	w := newGroupWorld(t, 2, client.Options{}, 2)
	w.g.committed[tp("t0", 1)] = 3
	w.m.Subscribe(w.now, []string{"t0"})
	got := w.poll(7)
	require.ElementsMatch(t, []string{"0/0/0", "0/0/1", "0/0/2", "0/0/3", "0/0/4", "0/1/3", "0/1/4"}, values(got))
	require.Equal(t, []string{"assigned[t0-0 t0-1]"}, w.kinds())
	require.Equal(t, 2, w.requests("JoinGroup"), "KIP-394: the second one with the member id")
	require.Equal(t, []string{"range", "cooperative-sticky"}, w.g.protocols)
	w.m.Commit(w.now, nil, 9)
	w.until(func() bool { return len(w.done) == 1 })
	require.Equal(t, uint64(9), w.done[0].Token)
	require.Equal(t, core.ErrNone, w.done[0].Err)
	require.Equal(t, map[core.TopicPartition]int64{tp("t0", 0): 5, tp("t0", 1): 5}, w.g.committed)
	lag, ok := w.client.Consumer().Lag("t0", 1)
	require.True(t, ok)
	require.Zero(t, lag)
	w.m.Leave(w.now)
	w.until(func() bool { return w.m.State() == member.Off })
	require.Equal(t, []string{"m1"}, w.g.left)
	require.Equal(t, "left[]", w.kinds()[len(w.events)-1])
}

// BUGS.md H2, KAFKA-3824: what the last poll returned may not have been processed when the timer fires or the process dies.
func TestAutoCommitStaysBehindProcessing(t *testing.T) {
	o := client.Options{Group: member.Options{AutoCommitInterval: 100 * core.Millisecond, Witness: true}}
	w := newGroupWorld(t, 1, o, 1)
	w.m.Subscribe(w.now, []string{"t0"})
	var got []consumer.Record
	w.until(func() bool { got = w.m.Poll(w.now, 2, got); return len(got) >= 2 })
	w.idle(core.Second)
	require.Equal(t, map[core.TopicPartition]int64{tp("t0", 0): 0}, w.g.committed, "nothing is processed; where it began is stored")
	got = w.m.Poll(w.now, 2, got)
	require.Len(t, got, 4)
	w.idle(core.Second)
	require.Equal(t, int64(2), w.g.committed[tp("t0", 0)], "two polls' worth was handed out, one is processed")
	w.drain()
	require.True(t, w.done[0].Auto)
	w.m.Leave(w.now)
	w.until(func() bool { return w.m.State() == member.Off })
	require.Equal(t, int64(4), w.g.committed[tp("t0", 0)], "who leaves is done")
}

func TestEagerRebalanceGivesEverythingUpFirst(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{Group: member.Options{Assignors: []assignor.Assignor{assignor.Range}}}, 4)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(20)
	w.g.ghosts["a-ghost"] = protocol.Subscription{Topics: []string{"t0"}}
	w.g.rebalance = true
	w.until(func() bool { return w.m.State() == member.Preparing })
	w.idle(core.Second)
	require.True(t, w.g.rebalance, "no JoinGroup before the application has polled")
	require.Len(t, w.m.Owned(nil), 4)
	w.drain()
	w.m.Poll(w.now, 10, nil)
	w.until(func() bool { return w.m.State() == member.Stable && len(w.m.Owned(nil)) == 2 })
	require.Equal(t, []string{"assigned[t0-0 t0-1 t0-2 t0-3]", "revoked[t0-0 t0-1 t0-2 t0-3]", "assigned[t0-2 t0-3]"}, w.kinds())
	require.Equal(t, []core.TopicPartition{tp("t0", 0), tp("t0", 1)}, w.g.plan["a-ghost"])
	require.Equal(t, int64(5), w.g.committed[tp("t0", 0)], "committed before it was given up")
	require.Empty(t, w.g.subscribed.Owned)
}

// KIP-429: what stays is never interrupted; what moves is withheld until it is given up, which takes a second rebalance.
func TestCooperativeRebalanceTakesTwoRounds(t *testing.T) {
	w := newGroupWorld(t, 1, cooperative(), 4)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(20)
	w.g.ghosts["a-ghost"] = protocol.Subscription{Topics: []string{"t0"}, Generation: -1}
	w.g.rebalance = true
	w.until(func() bool { return len(w.events) == 2 })
	require.Equal(t, int32(2), w.g.generation)
	require.Empty(t, w.g.plan["a-ghost"], "not before this member has given it up")
	require.Len(t, w.g.subscribed.Owned, 4)
	require.Len(t, w.m.Owned(nil), 4)
	w.m.Poll(w.now, 10, nil)
	w.until(func() bool { return w.g.generation == 3 && w.m.State() == member.Stable })
	require.Equal(t, []string{"assigned[t0-0 t0-1 t0-2 t0-3]", "revoked[t0-2 t0-3]"}, w.kinds())
	require.Equal(t, []core.TopicPartition{tp("t0", 2), tp("t0", 3)}, w.g.plan["a-ghost"])
	require.Equal(t, []core.TopicPartition{tp("t0", 0), tp("t0", 1)}, w.m.Owned(nil))
	require.Equal(t, int64(5), w.g.committed[tp("t0", 3)])
}

// The application reads on while the group rebalances cooperatively, and its commits do not wait behind a parked JoinGroup.
func TestCommitPassesAParkedJoin(t *testing.T) {
	w := newGroupWorld(t, 1, cooperative(), 1)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(5)
	w.intercept = func(r *inbound) verdict {
		if _, ok := r.body.(*kmsg.JoinGroupRequest); ok {
			return verdict{delay: 5 * core.Second}
		}
		return verdict{}
	}
	w.g.rebalance = true
	w.until(func() bool { return w.m.State() == member.Joining })
	began := w.now.Mono
	w.m.Commit(w.now, nil, 1)
	w.until(func() bool { return len(w.done) == 1 })
	require.Less(t, w.now.Mono-began, core.Second)
	require.Equal(t, core.ErrNone, w.done[0].Err)
}

func TestExpelledMembersLoseAndComeBack(t *testing.T) {
	for name, expel := range map[string]func(*fakeGroup){
		"unknown member":     func(g *fakeGroup) { g.member = "" },
		"another generation": func(g *fakeGroup) { g.generation += 3 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newGroupWorld(t, 1, cooperative(), 1)
			w.m.Subscribe(w.now, []string{"t0"})
			w.poll(3)
			expel(w.g)
			w.until(func() bool { return len(w.events) >= 2 })
			require.Equal(t, []string{"assigned[t0-0]", "lost[t0-0]"}, w.kinds()[:2])
			w.m.Commit(w.now, []member.Offset{{TopicPartition: tp("t0", 0), Offset: 3}}, 1)
			require.Equal(t, "0/0/0", string(w.poll(1)[0].Value), "nothing was committed")
			require.Equal(t, core.ErrIllegalGeneration, w.done[0].Err)
			require.Empty(t, w.g.committed)
			require.Empty(t, w.g.subscribed.Owned, "a lost partition is not owned")
		})
	}
}

// A commit belongs to the claim under which it was made: it is not carried over to a later one.
func TestCommitIsFencedByItsClaim(t *testing.T) {
	w := newGroupWorld(t, 1, cooperative(), 1)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(3)
	w.intercept = func(r *inbound) verdict {
		_, ok := r.body.(*kmsg.OffsetCommitRequest)
		return verdict{loseRequest: ok}
	}
	w.m.Commit(w.now, nil, 1)
	w.idle(300 * core.Millisecond)
	w.g.member = "" // the session ends
	w.until(func() bool { return len(w.done) == 1 })
	require.Equal(t, core.ErrIllegalGeneration, w.done[0].Err)
	require.True(t, w.done[0].Ambiguous)
	w.intercept = nil
	require.Equal(t, "0/0/0", string(w.poll(1)[0].Value))
	require.Empty(t, w.g.committed)
}

func TestCoordinatorMoves(t *testing.T) {
	w := newGroupWorld(t, 3, client.Options{Group: member.Options{ManualCommit: true}}, 1)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(2)
	w.g.coordinator = 0
	w.m.Commit(w.now, nil, 1)
	w.until(func() bool { return len(w.done) == 1 })
	require.Equal(t, core.ErrNone, w.done[0].Err)
	require.Equal(t, core.NodeID(0), w.m.Coordinator())
	w.g.refuse = core.ErrCoordinatorLoadInProgress
	w.idle(500 * core.Millisecond)
	w.g.refuse = core.ErrNone
	w.kafka.brokers[0].fail()
	w.g.coordinator = 1
	w.idle(3 * core.Second)
	require.Equal(t, core.NodeID(1), w.m.Coordinator())
	w.drain()
	require.Equal(t, []string{"assigned[t0-0]"}, w.kinds(), "the membership outlives its coordinator")
}

// KIP-62: an application that hangs is out of the group, and in it again when it polls.
func TestSilentApplicationLeaves(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{}, 1)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(1)
	w.idle(11 * core.Second)
	w.drain()
	require.Equal(t, []string{"assigned[t0-0]", "lost[t0-0]"}, w.kinds())
	require.Equal(t, []string{"m1"}, w.g.left)
	require.Equal(t, "0/0/0", string(w.poll(1)[0].Value))
}

func TestNewPartitionsAndTopics(t *testing.T) {
	w := newGroupWorld(t, 1, cooperative(), 1)
	require.Error(t, w.m.SubscribePattern(w.now, "t("))
	require.NoError(t, w.m.SubscribePattern(w.now, "t[0-9]"))
	w.poll(5)
	ft := w.kafka.topics[0]
	ft.parts = append(ft.parts, w.kafka.topic("other", 1).parts[0])
	w.kafka.topic("t1", 1).parts[0].store(record.None, record.Options{}, "new")
	w.client.Cluster().Refresh()
	w.until(func() bool {
		w.m.Poll(w.now, 10, nil)
		return len(w.m.Owned(nil)) == 3
	})
	require.Equal(t, []core.TopicPartition{tp("t0", 0), tp("t0", 1), tp("t1", 0)}, w.m.Owned(nil))
	w.m.Subscribe(w.now, []string{"t1"})
	w.until(func() bool {
		w.m.Poll(w.now, 10, nil)
		return len(w.m.Owned(nil)) == 1
	})
}

// A partition is added while the answer to the leader's SyncGroup is lost. The coordinator has the assignment, and answers the repetition with
// that, whatever comes with it: the leader must see that it does not fit.
func TestPartitionsAddedWhileTheAssignmentIsRepeated(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{}, 1)
	w.intercept = func(r *inbound) verdict {
		if _, ok := r.body.(*kmsg.SyncGroupRequest); !ok || r.nth > 1 {
			return verdict{}
		}
		ft := w.kafka.topics[0]
		ft.parts = append(ft.parts, w.kafka.topic("other", 1).parts[0])
		w.client.Cluster().Refresh()
		return verdict{loseResponse: true}
	}
	w.m.Subscribe(w.now, []string{"t0"})
	w.until(func() bool {
		w.m.Poll(w.now, 10, nil)
		return len(w.m.Owned(nil)) == 2
	})
}

// KIP-345: a static member keeps its partitions over a restart, and says no farewell.
func TestStaticMember(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{Group: member.Options{InstanceID: "i"}}, 1)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(1)
	require.Equal(t, 1, w.requests("JoinGroup"))
	w.m.Leave(w.now)
	w.until(func() bool { return w.m.State() == member.Off })
	require.Empty(t, w.g.left)
}

// KIP-814: a static leader that comes back causes no rebalance, unless topics have come or grown while it was away.
func TestStaticLeaderComesBack(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{Group: member.Options{InstanceID: "i"}}, 1)
	owns := func(n int) {
		t.Helper()
		w.until(func() bool {
			w.m.Poll(w.now, 10, nil)
			return len(w.m.Owned(nil)) == n
		})
	}
	away := func() {
		t.Helper()
		w.m.Leave(w.now)
		w.until(func() bool { return w.m.State() == member.Off })
	}
	w.m.Subscribe(w.now, []string{"late", "t0"})
	owns(1)
	away()
	w.m.Subscribe(w.now, []string{"late", "t0"})
	owns(1)
	w.idle(core.Second)
	require.Equal(t, 2, w.requests("JoinGroup"))
	require.Equal(t, int32(1), w.g.generation)
	away()
	w.kafka.topic("late", 3)
	w.m.Subscribe(w.now, []string{"late", "t0"})
	owns(4)
	require.Equal(t, int32(2), w.g.generation)
}

func TestFencedInstanceFails(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{Group: member.Options{InstanceID: "i"}}, 1)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(1)
	w.g.refuse = core.ErrFencedInstanceID
	w.until(func() bool { return w.m.State() == member.Failed })
	require.Equal(t, []string{"assigned[t0-0]", "lost[t0-0]", "failed[]"}, w.kinds())
}

// Somebody who may not be in the group any more is told so by heartbeats: no repetition helps, and its partitions go to others.
func TestForbiddenMemberFails(t *testing.T) {
	for _, protocol := range []member.Protocol{member.Classic, member.Consumer} {
		w := newGroupWorld(t, 1, client.Options{Group: member.Options{Protocol: protocol, ManualCommit: true}}, 1)
		w.g.target = map[core.TopicID][]int32{w.kafka.topics[0].id: {0}}
		w.g.retarget = true
		w.m.Subscribe(w.now, []string{"t0"})
		w.poll(1)
		w.g.refuse = core.ErrGroupAuthorizationFailed
		w.until(func() bool { return w.m.State() == member.Failed })
		require.Equal(t, []string{"assigned[t0-0]", "lost[t0-0]", "failed[]"}, w.kinds())
		require.Equal(t, core.ErrGroupAuthorizationFailed, w.events[2].Err)
	}
}

// KIP-447: an offset that a transaction is about to overwrite is waited for.
func TestUnstableOffsetsAreWaitedFor(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{}, 1)
	w.g.committed[tp("t0", 0)] = 4
	w.g.unstable = 3
	w.m.Subscribe(w.now, []string{"t0"})
	require.Equal(t, "0/0/4", string(w.poll(1)[0].Value))
	require.Equal(t, 4, w.requests("OffsetFetch"))
}

func TestPauseAndSeekOwnedPartitions(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{}, 2)
	w.m.Subscribe(w.now, []string{"t0"})
	w.until(func() bool { return len(w.m.Owned(nil)) == 2 })
	w.m.Pause(w.now, "t0", 0) // before its offset is known
	require.ElementsMatch(t, []string{"0/1/0", "0/1/1", "0/1/2", "0/1/3", "0/1/4"}, values(w.poll(5)))
	require.True(t, w.m.Seek(w.now, "t0", 0, consumer.Start{Kind: consumer.SeekOffset, Offset: 3}))
	w.idle(core.Second)
	require.Empty(t, w.m.Poll(w.now, 10, nil))
	w.m.Resume(w.now, "t0", 0)
	require.Equal(t, []string{"0/0/3", "0/0/4"}, values(w.poll(2)))
	require.False(t, w.m.Seek(w.now, "t0", 7, consumer.Start{}))
}

// Old brokers: one coordinator per request, offsets without groups, topics by name.
func TestGroupOnAnOldBroker(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{Group: member.Options{ManualCommit: true}}, 1)
	for key, most := range map[kmsg.Key]int16{kmsg.FindCoordinator: 2, kmsg.OffsetFetch: 5, kmsg.OffsetCommit: 6, kmsg.JoinGroup: 3,
		kmsg.Metadata: 8, kmsg.Fetch: 11, kmsg.LeaveGroup: 1} {
		w.kafka.limits[int16(key)] = most
	}
	w.g.committed[tp("t0", 0)] = 2
	w.m.Subscribe(w.now, []string{"t0"})
	require.Equal(t, "0/0/2", string(w.poll(1)[0].Value))
	w.m.Commit(w.now, nil, 1)
	w.until(func() bool { return len(w.done) == 1 })
	require.Equal(t, int64(3), w.g.committed[tp("t0", 0)])
	w.m.Leave(w.now)
	w.until(func() bool { return w.m.State() == member.Off })
	require.Equal(t, []string{"m1"}, w.g.left)
}

// KIP-848: the coordinator assigns; the member reports what it has given up before it is given anything new.
func TestModernGroup(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{Group: member.Options{Protocol: member.Consumer, RebalanceTimeout: 20 * core.Second}}, 3)
	id := w.kafka.topics[0].id
	w.g.target = map[core.TopicID][]int32{id: {0, 1}}
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(10)
	require.Equal(t, []string{"t0"}, w.g.beats[0].SubscribedTopicNames)
	require.NotNil(t, w.g.beats[0].Topics, "an empty list: null would be \"as before\"")
	require.Empty(t, w.g.beats[0].Topics)
	require.Equal(t, []int32{0, 1}, w.g.beats[1].Topics[0].Partitions)
	require.Nil(t, w.g.beats[1].SubscribedTopicNames, "unchanged")
	w.m.Poll(w.now, 10, nil)
	w.g.target, w.g.retarget = map[core.TopicID][]int32{id: {1, 2}}, true
	w.until(func() bool { return len(w.events) == 2 })
	require.Equal(t, []string{"assigned[t0-0 t0-1]", "revoked[t0-0]"}, w.kinds())
	w.m.Poll(w.now, 10, nil)
	w.until(func() bool { return len(w.events) == 3 })
	require.Equal(t, "assigned[t0-2]", w.kinds()[2])
	require.Equal(t, int64(5), w.g.committed[tp("t0", 0)])
	w.idle(5 * core.Second)
	last := w.g.beats[len(w.g.beats)-1]
	require.Nil(t, last.Topics)
	w.g.generation += 2 // fenced
	w.until(func() bool { return len(w.events) == 5 })
	require.Equal(t, []string{"lost[t0-1 t0-2]", "assigned[t0-1 t0-2]"}, w.kinds()[3:])
	w.g.refuse = core.ErrGroupIDNotFound // it is empty, and has expired
	w.until(func() bool { return len(w.events) == 6 })
	require.NotEqual(t, member.Failed, w.m.State())
	w.g.refuse = core.ErrNone
	w.until(func() bool { return len(w.events) == 7 })
	require.Equal(t, []string{"lost[t0-1 t0-2]", "assigned[t0-1 t0-2]"}, w.kinds()[5:])
	w.m.Leave(w.now)
	w.until(func() bool { return w.m.State() == member.Off })
	require.Len(t, w.g.left, 1)
}

func TestModernPatternGoesToTheCoordinator(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{Group: member.Options{Protocol: member.Consumer}}, 1, 1)
	w.g.target = map[core.TopicID][]int32{w.kafka.topics[1].id: {0}}
	require.NoError(t, w.m.SubscribePattern(w.now, "t[1-9]"))
	require.Equal(t, "1/0/0", string(w.poll(1)[0].Value))
	require.Equal(t, "t[1-9]", *w.g.beats[0].SubscribedTopicRegex)
	require.Empty(t, w.g.beats[0].SubscribedTopicNames)
}

func TestGroupOptions(t *testing.T) {
	for _, bad := range []member.Options{
		{Protocol: 7}, {Assignors: []assignor.Assignor{assignor.Uniform}}, {Assignors: []assignor.Assignor{assignor.Range, assignor.Range}},
		{SessionTimeout: core.Second, HeartbeatInterval: core.Second}, {RebalanceTimeout: -1},
	} {
		require.Error(t, bad.WithDefaults().Validate(), "%+v", bad)
	}
	require.NoError(t, member.Options{}.WithDefaults().Validate())
}

// A topic is deleted and made again while a member joins: its id of before is of no use to the coordinator, and nothing but the answer to
// OffsetFetch tells the member so, which reads nothing yet.
func TestOffsetsOfATopicThatWasMadeAnewAreFetched(t *testing.T) {
	w := newGroupWorld(t, 1, cooperative(), 1)
	w.m.Subscribe(w.now, []string{"t0"})
	renewed := false
	w.intercept = func(r *inbound) verdict {
		if _, ok := r.body.(*kmsg.OffsetFetchRequest); ok && !renewed {
			renewed = true
			anew := w.kafka.topic("t0", 1)
			anew.parts[0].store(record.None, record.Options{}, "first")
			w.kafka.topics = w.kafka.topics[1:]
		}
		return verdict{}
	}
	require.Equal(t, []string{"first"}, values(w.poll(1)))
}

// The same of a commit, while the partition is paused: its outcome does not wait for the commit's time to be up.
func TestCommitOfATopicThatWasMadeAnewEnds(t *testing.T) {
	w := newGroupWorld(t, 1, client.Options{Group: member.Options{ManualCommit: true}}, 1)
	w.m.Subscribe(w.now, []string{"t0"})
	w.poll(3)
	w.m.Pause(w.now, "t0", 0)
	w.idle(2 * core.Second)
	w.kafka.topic("t0", 1)
	w.kafka.topics = w.kafka.topics[1:]
	w.m.Commit(w.now, nil, 1)
	w.until(func() bool { return len(w.done) == 1 })
	require.Equal(t, core.ErrUnknownTopicID, w.done[0].Err)
}

// A topic is deleted and made again under the same name. What was processed of the old one says nothing of the new one, which has no
// records yet: neither what the timer commits nor what the application wanted to commit before is stored for it.
func TestOffsetsOfADeletedTopicAreNotCommittedForItsSuccessor(t *testing.T) {
	for _, protocol := range []member.Protocol{member.Classic, member.Consumer} {
		o := client.Options{Group: member.Options{Protocol: protocol, AutoCommitInterval: 3 * core.Second, CommitTimeout: 20 * core.Second}}
		w := newGroupWorld(t, 1, o, 1)
		old := w.kafka.topics[0]
		w.g.target = map[core.TopicID][]int32{old.id: {0}}
		w.m.Subscribe(w.now, []string{"t0"})
		w.poll(5)
		w.m.Poll(w.now, 1, nil)
		w.intercept = func(r *inbound) verdict {
			_, ok := r.body.(*kmsg.OffsetCommitRequest)
			return verdict{loseRequest: ok}
		}
		w.m.Commit(w.now, nil, 1)
		w.idle(100 * core.Millisecond)
		anew := w.kafka.topic("t0", 1)
		w.kafka.topics = w.kafka.topics[1:]
		w.g.target, w.g.retarget = map[core.TopicID][]int32{anew.id: {0}}, true
		w.until(func() bool { return w.client.Cluster().TopicByID(anew.id) != nil })
		w.intercept = nil
		w.until(func() bool { return len(w.done) > 0 })
		require.Equal(t, uint64(1), w.done[0].Token)
		require.Equal(t, core.ErrUnknownTopicID, w.done[0].Err)
		w.idle(5 * core.Second)
		require.Empty(t, w.g.committed, "protocol %d", protocol)

		anew.parts[0].store(record.None, record.Options{}, "first", "second")
		require.Equal(t, []string{"first", "second"}, values(w.poll(2)))
		w.m.Poll(w.now, 1, nil)
		w.until(func() bool { return w.g.committed[tp("t0", 0)] == 2 })
	}
}
