package modern

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/stretchr/testify/require"
)

// KIP-848, "Rebalance Process": A has everything, B joins, A gives up, B gets it.
func TestSecondMember(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 3)
	requireResult(t, r.joins("A", "foo"), core.ErrNone, 1, r.partitions("foo", 0, 1, 2))
	require.Equal(t, "Stable", r.g.StateName())

	requireResult(t, r.joins("B", "foo"), core.ErrNone, 2, []Partition{}) // nothing is free
	require.Equal(t, "Reconciling", r.g.StateName())
	requireResult(t, r.beat(owns("A", 1, r.partitions("foo", 0, 1, 2)...)), core.ErrNone, 1, r.partitions("foo", 0, 1))
	requireResult(t, r.beat(owns("A", 1, r.partitions("foo", 0, 1, 2)...)), core.ErrNone, 1, nil) // still giving up
	requireResult(t, r.beat(owns("B", 2)), core.ErrNone, 2, nil)                                  // so nothing for B
	requireResult(t, r.beat(owns("A", 1, r.partitions("foo", 0, 1)...)), core.ErrNone, 2, nil)
	requireResult(t, r.beat(owns("B", 2)), core.ErrNone, 2, r.partitions("foo", 2))
	require.Equal(t, "Stable", r.g.StateName())
	r.check()

	// A leaves: the group is to be assigned anew, by the next heartbeat.
	requireResult(t, r.beat(HeartbeatRequest{MemberID: "A", MemberEpoch: LeaveEpoch}), core.ErrNone, LeaveEpoch, nil)
	require.Equal(t, "Assigning", r.g.StateName())
	requireResult(t, r.beat(owns("B", 2, r.partitions("foo", 2)...)), core.ErrNone, 4-1, r.partitions("foo", 0, 1, 2))
	r.check()
}

// "The member has a time-out to revoke": then it is removed, and its partitions are free.
func TestRebalanceTimeout(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2)
	r.joins("A", "foo")
	r.joins("B", "foo")
	all := r.partitions("foo", 0, 1)
	requireResult(t, r.beat(owns("A", 1, all...)), core.ErrNone, 1, all[:1])
	for range 9 { // heartbeats alone do not help
		r.pass(core.Second)
		requireResult(t, r.beat(owns("A", 1, all...)), core.ErrNone, 1, nil)
		requireResult(t, r.beat(owns("B", 2)), core.ErrNone, 2, nil)
	}
	r.pass(core.Second)
	require.Equal(t, core.ErrUnknownMemberID, r.beat(owns("A", 1, all...)).Code)
	requireResult(t, r.beat(owns("B", 2)), core.ErrNone, 3, all)
	r.check()
}

func TestSessionTimeout(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2)
	r.joins("A", "foo")
	r.pass(44 * core.Second)
	requireResult(t, r.beat(owns("A", 1, r.partitions("foo", 0, 1)...)), core.ErrNone, 1, nil)
	r.pass(44 * core.Second)
	require.Len(t, r.g.Members(), 1)
	r.refuse = core.ErrNotEnoughReplicas // the removal cannot be written now; it is tried again
	r.pass(2 * core.Second)
	require.Len(t, r.g.Members(), 1)
	r.refuse = core.ErrNone
	r.pass(core.Second)
	require.Equal(t, "Empty", r.g.StateName())
	r.check()
}

// Fencing by member epoch; the previous epoch is taken from a member that has not heard of the new one.
func TestEpochs(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2)
	r.joins("A", "foo")
	all := r.partitions("foo", 0, 1)
	require.Equal(t, core.ErrFencedMemberEpoch, r.beat(owns("A", 2, all...)).Code)
	r.joins("B", "foo")
	r.beat(owns("A", 1, all...))
	requireResult(t, r.beat(owns("A", 1, all[:1]...)), core.ErrNone, 2, nil) // the answer is lost
	require.Equal(t, core.ErrFencedMemberEpoch, r.beat(owns("A", 1, all...)).Code, "has more than it was assigned")
	lost := owns("A", 1)
	lost.OwnedSet = false
	require.Equal(t, core.ErrFencedMemberEpoch, r.beat(lost).Code, "does not say what it has")
	requireResult(t, r.beat(owns("A", 1, all[:1]...)), core.ErrNone, 2, nil)
	require.Equal(t, core.ErrUnknownMemberID, r.beat(owns("C", 1)).Code)
	full := owns("A", 2, all[:1]...)
	full.RebalanceTimeoutMs, full.Topics, full.TopicsSet = 10_000, []string{"foo"}, true
	requireResult(t, r.beat(full), core.ErrNone, 2, all[:1]) // a full request is told its assignment
	r.check()
}

// A first heartbeat that is executed late, or again, must not pass for a member that has given up what it was asked to.
func TestJoinAgainReleasesNothing(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2)
	all := r.partitions("foo", 0, 1)
	r.joins("A", "foo")
	r.joins("B", "foo")
	requireResult(t, r.beat(owns("A", 1, all...)), core.ErrNone, 1, all[:1])
	requireResult(t, r.joins("A", "foo"), core.ErrNone, 1, all[:1])
	requireResult(t, r.beat(owns("B", 2)), core.ErrNone, 2, nil)
	requireResult(t, r.beat(owns("A", 1, all[:1]...)), core.ErrNone, 2, nil) // if it was no ghost, this follows
	requireResult(t, r.beat(owns("B", 2)), core.ErrNone, 2, all[1:])
	r.check()
}

func TestStaticMember(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2)
	all := r.partitions("foo", 0, 1)
	static := func(req HeartbeatRequest) HeartbeatRequest {
		req.InstanceID = str("i")
		return req
	}
	requireResult(t, r.beat(static(joinRequest("A", "foo"))), core.ErrNone, 1, all)
	require.Equal(t, core.ErrUnreleasedInstanceID, r.beat(static(joinRequest("B", "foo"))).Code)
	requireResult(t, r.beat(static(joinRequest("A", "foo"))), core.ErrNone, 1, all) // its own first request again
	leave := static(HeartbeatRequest{MemberID: "A", MemberEpoch: LeaveStaticEpoch})
	requireResult(t, r.beat(leave), core.ErrNone, LeaveStaticEpoch, nil)
	requireResult(t, r.joins("C", "foo"), core.ErrNone, 2, []Partition{}) // its partitions are kept for it
	require.Equal(t, core.ErrFencedMemberEpoch, r.beat(static(owns("A", 1, all...))).Code)

	// It comes back under another member id, gives one partition up at once (it has none yet), and C gets that.
	requireResult(t, r.beat(static(joinRequest("B", "foo"))), core.ErrNone, 2, all[:1])
	requireResult(t, r.beat(owns("C", 2)), core.ErrNone, 2, all[1:])
	require.Equal(t, core.ErrFencedInstanceID, r.beat(static(owns("A", 1, all...))).Code)
	require.Equal(t, core.ErrUnknownMemberID, r.beat(owns("A", 1)).Code)
	r.check()

	// One that does not come back in time is removed.
	leave.MemberID = "B"
	r.beat(leave)
	for range 46 {
		r.pass(core.Second)
		r.beat(owns("C", 2, all[1:]...))
	}
	require.Len(t, r.g.Members(), 1)
	requireResult(t, r.joins("C", "foo"), core.ErrNone, 3, all)
	r.check()
}

// The coordinator moved between the two batches by which a static member came back: the next one knows the new member, at epoch 0. Its
// request comes again, and brings it an epoch to go on with.
func TestStaticMemberComesBackInTwoSteps(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2)
	all := r.partitions("foo", 0, 1)
	static := func(req HeartbeatRequest) HeartbeatRequest {
		req.InstanceID = str("i")
		return req
	}
	requireResult(t, r.beat(static(joinRequest("A", "foo"))), core.ErrNone, 1, all)
	r.beat(static(HeartbeatRequest{MemberID: "A", MemberEpoch: LeaveStaticEpoch}))
	require.Equal(t, core.ErrNone, r.g.replace(r.now, r.g.Member("A"), "B"))
	requireResult(t, r.beat(static(joinRequest("B", "foo"))), core.ErrNone, 1, all)
	require.Equal(t, core.ErrNone, r.beat(static(owns("B", 1, all...))).Code)
	r.check()
}

func TestTopicsChange(t *testing.T) {
	r := newRig(t)
	r.joins("A", "foo") // it does not exist yet
	requireResult(t, r.beat(owns("A", 1)), core.ErrNone, 1, nil)
	r.topics.set("bar", 1)
	requireResult(t, r.beat(owns("A", 1)), core.ErrNone, 1, nil) // none of its business
	r.topics.set("foo", 1)
	requireResult(t, r.beat(owns("A", 1)), core.ErrNone, 2, r.partitions("foo", 0))
	old := r.partitions("foo", 0)
	r.topics.set("foo", 2)
	requireResult(t, r.beat(owns("A", 2, old...)), core.ErrNone, 3, r.partitions("foo", 0, 1))
	r.topics.set("foo", 0)
	r.topics.set("foo", 1) // another incarnation under the same name
	got := r.beat(owns("A", 3, old...))
	requireResult(t, got, core.ErrNone, 3, []Partition{})
	requireResult(t, r.beat(owns("A", 3)), core.ErrNone, 4, r.partitions("foo", 0))
	require.NotEqual(t, old, r.partitions("foo", 0))
	r.check()
}

func TestRegex(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 1)
	r.topics.set("foobar", 1)
	join := joinRequest("A")
	join.TopicsSet, join.Regex = false, str("fo+")
	requireResult(t, r.beat(join), core.ErrNone, 1, r.partitions("foo", 0)) // the whole name must match
	require.True(t, r.g.SubscribedTo("foo"))
	require.False(t, r.g.SubscribedTo("foobar"))
	r.topics.set("fooo", 1)
	both := append(r.partitions("foo", 0), r.partitions("fooo", 0)...)
	requireResult(t, r.beat(owns("A", 1, r.partitions("foo", 0)...)), core.ErrNone, 2, both)

	for _, bad := range []string{"(", "a)|(b", "x{2000}", `\1`} {
		change := owns("A", 2, both...)
		change.Regex = str(bad)
		got := r.beat(change)
		require.Equal(t, core.ErrInvalidRegularExpression, got.Code, bad)
		require.NotEmpty(t, got.Message)
	}
	change := owns("A", 2, both...)
	change.Regex, change.Topics, change.TopicsSet = str(""), []string{"foobar"}, true
	requireResult(t, r.beat(change), core.ErrNone, 2, []Partition{})
	requireResult(t, r.beat(owns("A", 2)), core.ErrNone, 3, r.partitions("foobar", 0))
	require.Zero(t, r.g.regexes.Len(), "an expression that nobody uses is forgotten")
	r.check()
}

func TestAssignorChoice(t *testing.T) {
	r := newRig(t)
	r.topics.set("a", 2)
	r.topics.set("b", 2)
	with := func(id, name string) HeartbeatRequest {
		req := joinRequest(id, "a", "b")
		req.ServerAssignor = &name
		return req
	}
	require.Equal(t, core.ErrUnsupportedAssignor, r.beat(with("A", "sticky")).Code)
	require.Equal(t, "uniform", r.g.AssignorName())
	r.beat(with("A", "range"))
	require.Equal(t, "range", r.g.AssignorName())
	r.joins("B", "a", "b")
	require.Equal(t, append(r.partitions("a", 0), r.partitions("b", 0)...), r.g.Target("A")) // co-partitioned
	r.check()
}

func TestRefusedRequests(t *testing.T) {
	r := newRig(t)
	r.env.Config.MaxSize = 1
	long := make([]byte, 40_000)
	for name, c := range map[string]struct {
		change func(*HeartbeatRequest)
		want   core.ErrorCode
	}{
		"no rebalance time-out": {func(q *HeartbeatRequest) { q.RebalanceTimeoutMs = -1 }, core.ErrInvalidRequest},
		"no subscription":       {func(q *HeartbeatRequest) { q.TopicsSet = false }, core.ErrInvalidRequest},
		"owns something":        {func(q *HeartbeatRequest) { q.Owned = []Partition{{}} }, core.ErrInvalidRequest},
		"null partitions":       {func(q *HeartbeatRequest) { q.OwnedSet = false }, core.ErrInvalidRequest},
		"empty instance id":     {func(q *HeartbeatRequest) { q.InstanceID = str("") }, core.ErrInvalidRequest},
		"empty rack":            {func(q *HeartbeatRequest) { q.RackID = str("") }, core.ErrInvalidRequest},
		"epoch -3":              {func(q *HeartbeatRequest) { q.MemberEpoch = -3 }, core.ErrInvalidRequest},
		"-2 and not static":     {func(q *HeartbeatRequest) { q.MemberEpoch = -2 }, core.ErrInvalidRequest},
		"no member id":          {func(q *HeartbeatRequest) { q.MemberID, q.MemberEpoch = "", 1 }, core.ErrInvalidRequest},
		"huge member id":        {func(q *HeartbeatRequest) { q.MemberID = string(long) }, core.ErrInvalidRequest},
		"huge expression":       {func(q *HeartbeatRequest) { q.Regex = str(string(long)) }, core.ErrInvalidRegularExpression},
	} {
		req := joinRequest("A", "foo")
		c.change(&req)
		require.Equal(t, c.want, r.beat(req).Code, name)
	}
	require.Empty(t, r.log)
	require.True(t, r.g.Shell())

	r.refuse = core.ErrNotLeaderOrFollower
	require.Equal(t, core.ErrNotCoordinator, r.joins("A", "foo").Code)
	require.True(t, r.g.Shell(), "a refusal of the log changes nothing")
	r.refuse = core.ErrNone
	got := r.joins("", "foo") // version 0 lets the coordinator give the id
	require.Len(t, got.MemberID, 22)
	require.Equal(t, core.ErrGroupMaxSizeReached, r.joins("B", "foo").Code)
	r.check()
}

// Offsets are committed under the current epoch, or under an older one for what the member has had since then (KIP-1251).
func TestCommitChecks(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2)
	check := func(id string, epoch int32, p Partition) core.ErrorCode {
		code, perPartition := r.g.CheckCommit(id, nil, epoch, false)
		if code == core.ErrNone && perPartition {
			code = r.g.CheckPartition(id, epoch, p)
		}
		return code
	}
	all := r.partitions("foo", 0, 1)
	require.Equal(t, core.ErrNone, check("", -1, all[0]), "an empty group's offsets are anybody's")
	r.joins("A", "foo")
	require.Equal(t, core.ErrUnknownMemberID, check("", -1, all[0]))
	require.Equal(t, core.ErrStaleMemberEpoch, check("A", -1, all[0]))
	code, _ := r.g.CheckCommit("", nil, -1, true)
	require.Equal(t, core.ErrNone, code, "KIP-447 without a member")
	require.Equal(t, core.ErrNone, check("A", 1, all[0]))
	require.Equal(t, core.ErrStaleMemberEpoch, check("A", 2, all[0]))
	r.joins("B", "foo")
	r.beat(owns("A", 1, all...))
	require.Equal(t, core.ErrNone, check("A", 1, all[1]), "it may commit what it is giving up")
	r.beat(owns("A", 1, all[:1]...))
	require.Equal(t, core.ErrNone, check("A", 1, all[0]), "has not heard of epoch 2, and has had this one all the time")
	require.Equal(t, core.ErrStaleMemberEpoch, check("A", 1, all[1]), "has given this one up")
	r.beat(owns("B", 2))
	require.Equal(t, core.ErrNone, check("B", 2, all[1]))
	require.Equal(t, core.ErrStaleMemberEpoch, check("B", 1, all[1]), "did not have it then")

	require.Equal(t, core.ErrNone, r.g.CheckFetch("", -1))
	require.Equal(t, core.ErrNone, r.g.CheckFetch("A", 2))
	require.Equal(t, core.ErrStaleMemberEpoch, r.g.CheckFetch("A", 1))
	require.Equal(t, core.ErrUnknownMemberID, r.g.CheckFetch("C", 1))
	r.check()
}

func TestDelete(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2)
	join := joinRequest("A", "foo")
	join.Regex = str("x.*")
	r.beat(join)
	require.Equal(t, core.ErrNonEmptyGroup, r.g.CheckDelete())
	r.beat(HeartbeatRequest{MemberID: "A", MemberEpoch: LeaveEpoch})
	require.Equal(t, core.ErrNone, r.g.CheckDelete())
	require.False(t, r.g.Shell())
	for _, key := range r.g.Tombstones(nil) {
		k, err := ParseKey(key)
		require.NoError(t, err)
		require.NoError(t, r.g.Replay(k, nil))
	}
	require.True(t, r.g.Shell())
	require.True(t, r.g.Equal(New(r.env, "g")))
}

// In a large group many changes share one target, and nobody waits for it longer than a heartbeat's interval.
func TestTargetsKeepTheirDistance(t *testing.T) {
	r := newRig(t)
	r.topics.set("foo", 2000)
	r.pass(core.Second)
	r.joins("A", "foo")
	all := r.g.Target("A")
	require.Len(t, all, 2000)
	for i := range 50 {
		require.Equal(t, core.ErrNone, r.joins(string(rune('a'+i)), "foo").Code)
	}
	require.Equal(t, int32(51), r.g.Epoch())
	require.Equal(t, int32(1), r.g.AssignmentEpoch())
	require.Equal(t, "Assigning", r.g.StateName())
	r.check()
	r.pass(100 * core.Millisecond)
	requireResult(t, r.beat(owns("A", 1, all...)), core.ErrNone, 1, r.g.Target("A"))
	require.Equal(t, int32(51), r.g.AssignmentEpoch())
	require.Len(t, r.g.Target("A"), 40)
	r.check()
}
