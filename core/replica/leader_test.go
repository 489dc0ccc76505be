package replica

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

// leaderOf is a node of the lab that leads epoch 0 of the one partition over a log of ten records; nobody else runs.
func leaderOf(t testing.TB, opts Options) (*labNode, *Replica) {
	t.Helper()
	l := newLab(t, 1, 1)
	l.min, l.opts = 1, opts
	l.ctl.init(1)
	l.ctl.quiet = true
	for id := range 3 {
		l.ctl.setBroker(core.NodeID(id), func(b *metadata.Broker) { b.Epoch = core.BrokerEpoch(10 * (id + 1)) })
	}
	l.ctl.version++
	n := l.nodes[0]
	n.start()
	l.run(100 * core.Millisecond)
	n.brokerEpoch = 10
	l.cuts["0->ctl"] = true
	n.learn(l.ctl.labImage)
	for range 10 {
		require.True(t, n.produce(0, "v", 1))
	}
	l.run(100 * core.Millisecond)
	require.Empty(t, l.failed)
	return n, n.parts[0].rep
}

func fetched(id core.NodeID, o core.Offset) FollowerFetch {
	return FollowerFetch{ID: id, LeaderEpoch: 0, BrokerEpoch: core.BrokerEpoch(10 * (id + 1)), FetchOffset: o, HighWatermark: core.NoOffset}
}

func TestAdmitFollower(t *testing.T) {
	n, r := leaderOf(t, Options{})
	require.Equal(t, core.ErrNone, r.AdmitFollower(1, 20, 0))
	require.Equal(t, core.ErrFencedLeaderEpoch, r.AdmitFollower(1, 20, -1), "a follower has to say")
	require.Equal(t, core.ErrUnknownLeaderEpoch, r.AdmitFollower(1, 20, 1))
	require.Equal(t, core.ErrUnknownLeaderEpoch, r.AdmitFollower(7, 80, 0), "not a replica, yet")
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(1, 3)))
	require.Equal(t, core.ErrNotLeaderOrFollower, r.AdmitFollower(1, 19, 0), "an earlier life")
	r.Retire()
	require.Equal(t, core.ErrNotLeaderOrFollower, r.AdmitFollower(1, 20, 0))
}

func TestFollowerFetched(t *testing.T) {
	n, r := leaderOf(t, Options{})
	fetch := func(ff FollowerFetch) core.ErrorCode { return r.FollowerFetched(n.clock(), n.image, ff) }
	require.Equal(t, core.ErrNone, fetch(fetched(1, 8)))
	require.Equal(t, core.ErrOffsetOutOfRange, fetch(fetched(1, 11)))
	require.Equal(t, core.ErrNotLeaderOrFollower, fetch(fetched(9, 1)))
	late := fetched(1, 9)
	late.LeaderEpoch = -1
	require.Equal(t, core.ErrFencedLeaderEpoch, fetch(late), "the epoch changed between admission and this")
	dead := fetched(2, 10)
	dead.BrokerEpoch = 29
	require.Equal(t, core.ErrNotLeaderOrFollower, fetch(dead), "KIP-903: the registry knows a later life")
	require.False(t, r.Advance(n.clock()), "node 2 has shown nothing")

	require.Equal(t, core.ErrNone, fetch(fetched(2, 10)))
	require.True(t, r.Advance(n.clock()))
	require.Equal(t, core.Offset(8), r.HighWatermark())
	require.Equal(t, core.ErrNone, fetch(fetched(1, 5)), "an older fetch, late")
	require.Equal(t, core.Offset(8), find(r.followers, 1).end)
	again := fetched(1, 4)
	again.BrokerEpoch = 25
	require.Equal(t, core.ErrNone, fetch(again), "a new life, of which the metadata does not tell yet")
	require.Equal(t, core.Offset(4), find(r.followers, 1).end, "it may have lost what the old one had")
	require.False(t, r.Advance(n.clock()))
	require.Equal(t, core.Offset(8), r.HighWatermark())
}

func TestDivergence(t *testing.T) {
	n, r := leaderOf(t, Options{}) // epoch 0 has [0, 10)
	second := *n.image.parts[0]
	second.LeaderEpoch, second.PartitionEpoch, second.ISR = 3, 1, ids(0)
	r.Apply(n.clock(), &second, &n.out)
	for _, c := range []struct {
		epoch core.LeaderEpoch
		at    core.Offset
		e     core.LeaderEpoch
		end   core.Offset
		yes   bool
	}{
		{0, 10, 0, 10, false},
		{0, 11, 0, 10, true},
		{2, 4, 0, 10, true}, // an epoch that is unknown here
		{3, 10, 3, 10, false},
		{3, 11, 3, 10, true},
		{-1, 0, core.NoLeaderEpoch, core.NoOffset, false},
	} {
		e, end, yes := r.Divergence(c.epoch, c.at)
		require.Equal(t, []any{c.e, c.end, c.yes}, []any{e, end, yes}, "%+v", c)
	}
	for range 4 {
		require.True(t, n.produce(0, "v", 1))
	}
	n.l.run(100 * core.Millisecond)
	require.Equal(t, core.Offset(14), r.HighWatermark())
	require.Equal(t, core.ErrNone, r.Log.DeleteRecordsBefore(n.clock(), 12, 14, &n.out))
	_, _, yes := r.Divergence(0, 11)
	require.False(t, yes, "below the log start: OFFSET_OUT_OF_RANGE")
	_, end, yes := r.Divergence(0, 12)
	require.True(t, yes, "its record 11 is none of ours: our epoch 0 ended at 10")
	require.Equal(t, core.Offset(10), end)
	_, _, yes = r.Divergence(3, 12)
	require.False(t, yes)
	blind := FollowerFetch{ID: 1, LeaderEpoch: 3, BrokerEpoch: 20, FetchOffset: 12, LastFetchedEpoch: 3, HighWatermark: -1}
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, blind))
	require.Equal(t, core.NoOffset, find(r.followers, 1).end, "we hold none of its records")
	blind.LastFetchedEpoch = -1
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, blind))
	require.Equal(t, core.Offset(12), find(r.followers, 1).end, "it has none")
}

func TestFollowersAreToldOfTheHighWatermark(t *testing.T) {
	n, r := leaderOf(t, Options{})
	for _, id := range ids(1, 2) {
		require.True(t, r.NeedsHW(id), "told nothing yet")
		r.Sent(id, 0)
		require.False(t, r.NeedsHW(id))
		require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(id, 10)))
	}
	require.True(t, r.Advance(n.clock()))
	require.True(t, r.NeedsHW(1))
	r.Sent(1, 10)
	require.False(t, r.NeedsHW(1))
	lost := fetched(1, 10)
	lost.HighWatermark = 4
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, lost))
	require.True(t, r.NeedsHW(1), "it says itself that it does not know")
	require.False(t, r.NeedsHW(9))
}

func TestAckedCountsTheCommittedISR(t *testing.T) {
	n, r := leaderOf(t, Options{})
	done, _ := r.Acked(1, 2)
	require.False(t, done)
	for _, id := range ids(1, 2) {
		_ = r.FollowerFetched(n.clock(), n.image, fetched(id, 10))
	}
	r.Advance(n.clock())
	done, code := r.Acked(10, 3)
	require.True(t, done)
	require.Equal(t, core.ErrNone, code)
	r.Apply(n.clock(), &metadata.Partition{Replicas: ids(0, 1, 2), ISR: ids(0), LeaderEpoch: 0, PartitionEpoch: 1}, &step.Effects{})
	require.Equal(t, core.ErrNotEnoughReplicas, r.EnoughReplicas(2))
	require.Equal(t, core.ErrNone, r.EnoughReplicas(1))
	done, code = r.Acked(10, 2)
	require.True(t, done)
	require.Equal(t, core.ErrNotEnoughReplicasAfterAppend, code)
	_, expanding := r.Proposal(n.clock(), n.image)
	require.True(t, expanding)
	require.Equal(t, ids(0, 1, 2), r.MaximalISR())
	require.Equal(t, core.ErrNotEnoughReplicas, r.EnoughReplicas(2), "members that are only proposed protect nothing (A12a)")
	r.Retire()
	_, code = r.Acked(10, 1)
	require.Equal(t, core.ErrNotLeaderOrFollower, code)
}

// A restarted leader whose metadata is from before its death must not go on in its epoch: followers may hold records of
// it that it has lost.
func TestARestartedLeaderDoesNotResumeItsEpoch(t *testing.T) {
	n, r := leaderOf(t, Options{})
	require.True(t, r.Leading())
	state := n.image.parts[0]
	n.stop(false)
	n.start()
	n.l.run(100 * core.Millisecond)
	r = n.parts[0].rep
	r.Apply(n.clock(), state, &n.out)
	require.False(t, r.Leading())
	require.Equal(t, core.ErrNotLeaderOrFollower, r.Serving())
	next := *state
	next.LeaderEpoch, next.PartitionEpoch = 1, 1
	r.Apply(n.clock(), &next, &n.out)
	require.True(t, r.Leading())
	require.Equal(t, core.Offset(10), r.EpochStart())

	n.stop(false)
	n.start()
	n.l.run(100 * core.Millisecond)
	r = n.parts[0].rep
	alone := next
	alone.Replicas, alone.ISR = ids(0), ids(0)
	r.Apply(n.clock(), &alone, &n.out)
	require.True(t, r.Leading(), "nobody else can have a record of its epoch")
}

// KIP-207: the HighWatermark of a new leader lags until its followers have fetched.
func TestHWKnown(t *testing.T) {
	n, r := leaderOf(t, Options{})
	require.True(t, r.HWKnown(), "the epoch began at 0")
	next := *n.image.parts[0]
	next.LeaderEpoch, next.PartitionEpoch = 1, 1
	r.Apply(n.clock(), &next, &n.out)
	require.False(t, r.HWKnown())
	for _, id := range ids(1, 2) {
		ff := fetched(id, 10)
		ff.LeaderEpoch = 1
		require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, ff))
	}
	r.Advance(n.clock())
	require.True(t, r.HWKnown())
}

func TestCheckpointedHighWatermark(t *testing.T) {
	for _, c := range []struct{ file, want core.Offset }{{0, 0}, {4, 4}, {10, 10}, {99, 10}, {-5, 0}} {
		n, _ := leaderOf(t, Options{})
		n.stop(false)
		n.parts[0].hwFile = c.file
		n.start()
		n.l.run(100 * core.Millisecond)
		require.Equal(t, c.want, n.parts[0].rep.HighWatermark())
	}
}

func TestOldMetadataIsIgnored(t *testing.T) {
	n, r := leaderOf(t, Options{})
	for _, id := range ids(1, 2) {
		_ = r.FollowerFetched(n.clock(), n.image, fetched(id, 10))
	}
	p, ok := r.Proposal(n.clock(), n.image)
	require.False(t, ok, "%+v", p)
	shrunk := *n.image.parts[0]
	shrunk.ISR, shrunk.PartitionEpoch = ids(0, 1), 1
	r.Apply(n.clock(), &shrunk, &n.out)
	p, ok = r.Proposal(n.clock(), n.image)
	require.True(t, ok)
	require.Equal(t, []ISRMember{{0, 10}, {1, 20}, {2, 30}}, p.ISR)
	r.Apply(n.clock(), &shrunk, &n.out)
	require.Equal(t, ids(0, 1, 2), r.MaximalISR(), "the same state again does not end a proposal")
	r.Apply(n.clock(), n.image.parts[0], &n.out)
	require.Equal(t, core.PartitionEpoch(1), r.PartitionEpoch())
	require.Equal(t, ids(0, 1), r.ISR())
}

func TestPreferredReader(t *testing.T) {
	n, r := leaderOf(t, Options{})
	rack := func(s string) *string { return &s }
	reg := brokers{0: {Epoch: 10, Rack: rack("x")}, 1: {Epoch: 20, Rack: rack("y")}, 2: {Epoch: 30, Rack: rack("y")}}
	require.Equal(t, core.NoNode, r.PreferredReader(reg, "y", 0), "nobody has fetched")
	for id, o := range map[core.NodeID]core.Offset{1: 7, 2: 9} {
		require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), reg, fetched(id, o)))
	}
	require.Equal(t, core.NodeID(2), r.PreferredReader(reg, "y", 0), "the one that is furthest")
	require.Equal(t, core.NodeID(2), r.PreferredReader(reg, "y", 9))
	require.Equal(t, core.NoNode, r.PreferredReader(reg, "y", 10), "nobody there has it")
	require.Equal(t, core.NoNode, r.PreferredReader(reg, "x", 0), "the leader's own rack")
	require.Equal(t, core.NoNode, r.PreferredReader(reg, "z", 0))
	require.Equal(t, core.NoNode, r.PreferredReader(reg, "", 0))
	reg[2].Fenced = true
	require.Equal(t, core.NodeID(1), r.PreferredReader(reg, "y", 0))
	out := *n.image.parts[0]
	out.ISR, out.PartitionEpoch = ids(0, 2), 1
	r.Apply(n.clock(), &out, &n.out)
	require.Equal(t, core.NoNode, r.PreferredReader(reg, "y", 0), "out of sync")
}

func TestAnIdlePartitionInSyncHasNoDeadline(t *testing.T) {
	n, r := leaderOf(t, Options{LagTime: core.Second})
	for _, id := range ids(1, 2) {
		_ = r.FollowerFetched(n.clock(), n.image, fetched(id, 10))
	}
	r.Advance(n.clock())
	for at, ok := r.NextDeadline(); ok; at, ok = r.NextDeadline() { // what was set while they were behind
		n.l.now = max(n.l.now, at)
		r.Tick(n.clock())
	}
	require.Equal(t, ids(0, 1, 2), r.ISR())
	_, ok := r.Proposal(n.clock(), n.image)
	require.False(t, ok)
	n.l.now += core.Minute
	require.True(t, n.produce(0, "v", 1))
	at, ok := r.NextDeadline()
	require.True(t, ok)
	require.Equal(t, n.l.now+core.Second, at, "they were at the end until now")
	n.l.now = at
	r.Tick(n.clock())
	p, ok := r.Proposal(n.clock(), n.image)
	require.True(t, ok)
	require.Equal(t, []ISRMember{{0, 10}}, p.ISR)
}

// outcome is the answer of a controller that agrees, in the next partition epoch.
func outcome(p Proposal, isr ...core.NodeID) Outcome {
	return Outcome{ID: p.ID, LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch + 1, ISR: isr}
}

// shrinking is a leader with a proposal {0, 1} in flight: node 2 has never come.
func shrinking(t *testing.T) (*labNode, *Replica, Proposal) {
	t.Helper()
	n, r := leaderOf(t, Options{LagTime: core.Second})
	n.l.now += 990 * core.Millisecond
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(1, 10)))
	p, ok := r.Proposal(n.clock(), n.image)
	require.True(t, ok)
	require.Equal(t, []ISRMember{{0, 10}, {1, 20}}, p.ISR)
	_, ok = r.Proposal(n.clock(), n.image)
	require.False(t, ok, "one at a time")
	require.Equal(t, ids(0, 1, 2), r.MaximalISR())
	return n, r, p
}

func TestOutcomesOfAProposal(t *testing.T) {
	for _, c := range []struct {
		name    string
		code    core.ErrorCode
		isr     []core.NodeID // afterwards
		maximal []core.NodeID
		again   core.Mono // after which the same proposal comes again, 0 if not
	}{
		{"committed", core.ErrNone, ids(0, 1), ids(0, 1), 0},
		{"lost", core.ErrNetworkException, ids(0, 1, 2), ids(0, 1, 2), 50 * core.Millisecond},
		{"not the controller", core.ErrNotController, ids(0, 1, 2), ids(0, 1, 2), 50 * core.Millisecond},
		{"a code that nobody knows", 999, ids(0, 1, 2), ids(0, 1, 2), 50 * core.Millisecond},
		{"the partition epoch has passed", core.ErrInvalidUpdateVersion, ids(0, 1, 2), ids(0, 1, 2), core.Second},
		{"fenced", core.ErrFencedLeaderEpoch, ids(0, 1, 2), ids(0, 1, 2), core.Second},
		{"a member may not join", core.ErrIneligibleReplica, ids(0, 1, 2), ids(0, 1, 2), 0},
	} {
		n, r, p := shrinking(t)
		o := outcome(p, 0, 1)
		o.Code = c.code
		r.Proposed(n.clock(), Outcome{ID: p.ID + 1})
		require.True(t, r.pending.inFlight, "another proposal's outcome")
		r.Proposed(n.clock(), o)
		require.Equal(t, c.isr, r.ISR(), c.name)
		require.Equal(t, c.maximal, r.MaximalISR(), c.name)
		require.Equal(t, c.again != 0, r.pending != nil, c.name)
		if c.again == 0 {
			continue
		}
		at, ok := r.NextDeadline()
		require.True(t, ok)
		require.LessOrEqual(t, at, n.l.now+c.again, c.name)
		n.l.now += c.again - 1
		_, ok = r.Proposal(n.clock(), n.image)
		require.False(t, ok, c.name)
		n.l.now++
		same, ok := r.Proposal(n.clock(), n.image)
		require.True(t, ok, c.name)
		require.Equal(t, p, same, c.name)
	}
}

// Who has left the ISR by a proposal of the leader's own may be eligible to lead (KIP-966), and then a deletion waits for it. The answer to
// the proposal does not tell; metadata does, in the same partition epoch.
func TestWhoLeavesTheISRMayBeEligible(t *testing.T) {
	for _, c := range []struct {
		elr []core.NodeID
		low core.Offset
	}{{ids(2), core.NoOffset}, {nil, 5}} {
		n, r, p := shrinking(t)
		r.Proposed(n.clock(), outcome(p, 0, 1))
		require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(1, 10)))
		require.True(t, r.Advance(n.clock()))
		require.Equal(t, core.ErrNone, r.Log.DeleteRecordsBefore(n.clock(), 5, r.HighWatermark(), &n.out))
		ff := fetched(1, 10)
		ff.LogStartOffset = 5
		require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, ff))
		require.Equal(t, core.NoOffset, r.LowWatermark(), "2 may be eligible, and has not fetched")

		state := *n.image.parts[0]
		state.PartitionEpoch, state.ISR, state.EligibleLeaderReplicas = r.PartitionEpoch(), ids(0, 1), c.elr
		r.Apply(n.clock(), &state, &n.out)
		require.Equal(t, c.low, r.LowWatermark(), "%v", c.elr)
		require.Equal(t, ids(0, 1), r.ISR())
	}
}

func TestARefusedProposalIsNotRepeatedAtOnce(t *testing.T) {
	n, r, p := shrinking(t)
	r.Proposed(n.clock(), Outcome{ID: p.ID, Code: core.ErrIneligibleReplica})
	_, ok := r.Proposal(n.clock(), n.image)
	require.False(t, ok)
	r.Tick(n.clock())
	at, ok := r.NextDeadline()
	require.True(t, ok)
	require.Equal(t, n.l.now+50*core.Millisecond, at)
	n.l.now = at
	r.Tick(n.clock())
	again, ok := r.Proposal(n.clock(), n.image)
	require.True(t, ok)
	require.NotEqual(t, p.ID, again.ID)
}

func TestARefusalAfterALossIsDoubted(t *testing.T) {
	n, r, p := shrinking(t)
	r.Proposed(n.clock(), Outcome{ID: p.ID, Code: core.ErrNetworkException})
	for range 3 {
		n.l.now += 50 * core.Millisecond
		_, ok := r.Proposal(n.clock(), n.image)
		require.True(t, ok)
		r.Proposed(n.clock(), Outcome{ID: p.ID, Code: core.ErrIneligibleReplica})
		require.NotNil(t, r.pending)
	}
	n.l.now += core.Second
	_, ok := r.Proposal(n.clock(), n.image)
	require.True(t, ok)
	r.Proposed(n.clock(), Outcome{ID: p.ID, Code: core.ErrIneligibleReplica})
	require.Nil(t, r.pending)
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	n, r := leaderOf(t, Options{})
	var reg Registry = &n.image
	ff := [2]FollowerFetch{fetched(1, 10), fetched(2, 10)}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for i := range ff {
			_ = r.FollowerFetched(n.clock(), reg, ff[i])
		}
		r.Settle()
		r.Advance(n.clock())
		if _, ok := r.Proposal(n.clock(), reg); ok {
			t.Fatal("nothing to propose")
		}
		r.NextDeadline()
		r.Check()
	}))
}

// A member dies: it is fenced and taken out of the ISR in one breath. What the others have is committed then, and not when one
// of them next fetches, which may be replica.fetch.wait.max.ms later.
func TestAFencedFollowerHoldsNothingUp(t *testing.T) {
	n, r := leaderOf(t, Options{})
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(1, 10)))
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(2, 8)))
	require.True(t, r.Advance(n.clock()))
	require.Equal(t, core.Offset(8), r.HighWatermark())
	require.False(t, r.Consider(n.image), "nothing has changed")

	n.l.ctl.setBroker(2, func(b *metadata.Broker) { b.Fenced = true })
	without := *n.image.parts[0]
	without.PartitionEpoch, without.ISR = without.PartitionEpoch+1, ids(0, 1)
	r.Apply(n.clock(), &without, &n.out)
	require.False(t, r.Advance(n.clock()), "it might join again: that it is fenced has not been looked up")
	require.True(t, r.Consider(n.l.ctl.labImage))
	require.True(t, r.Advance(n.clock()))
	require.Equal(t, core.Offset(10), r.HighWatermark())
}

// How far all replicas have the log counts those that are out of sync, too, and not what an earlier leader knew.
func TestEverywhere(t *testing.T) {
	n, r := leaderOf(t, Options{})
	require.Zero(t, r.Everywhere())
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(1, 10)))
	require.Zero(t, r.Everywhere(), "nobody has heard of the other follower")
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(2, 8)))
	require.Equal(t, core.Offset(8), r.Everywhere())

	without := *n.image.parts[0]
	without.PartitionEpoch, without.ISR = without.PartitionEpoch+1, ids(0, 1)
	r.Apply(n.clock(), &without, &n.out)
	require.Equal(t, core.ErrNone, r.FollowerFetched(n.clock(), n.image, fetched(1, 10)))
	require.Equal(t, core.Offset(8), r.Everywhere())

	next := without
	next.PartitionEpoch, next.LeaderEpoch = next.PartitionEpoch+1, next.LeaderEpoch+1
	r.Apply(n.clock(), &next, &n.out)
	require.Zero(t, r.Everywhere())
}
