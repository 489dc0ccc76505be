package fetch_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/fetch"
	"github.com/klamm-log/klamm/core/prng"
)

func cache(slots int) *fetch.Cache {
	return fetch.NewCache(fetch.Options{Slots: slots}, prng.New(1))
}

func asks(topic string, offsets ...core.Offset) (ps []fetch.Partition) {
	for i, o := range offsets {
		ps = append(ps, fetch.Partition{Key: fetch.Key{Topic: topic, Partition: int32(i)}, FetchOffset: o})
	}
	return ps
}

func open(t *testing.T, c *fetch.Cache, ps []fetch.Partition) fetch.Context {
	t.Helper()
	ctx := c.Begin(0, &fetch.Request{Partitions: ps})
	require.Zero(t, ctx.Err)
	require.NotZero(t, ctx.SessionID)
	return ctx
}

func TestFullFetchWithoutSession(t *testing.T) {
	c := cache(10)
	ctx := c.Begin(0, &fetch.Request{SessionEpoch: fetch.FinalEpoch, Partitions: asks("t", 5)})
	require.Zero(t, ctx.SessionID)
	require.Len(t, ctx.Partitions, 1)
	require.True(t, ctx.Include(ctx.Partitions[0], fetch.Answer{}))
	require.True(t, ctx.Include(ctx.Partitions[0], fetch.Answer{}), "nothing is remembered")
	require.Zero(t, c.Len())
}

func TestIncrementalAnswersChangesOnly(t *testing.T) {
	c := cache(10)
	first := open(t, c, asks("t", 0, 0))
	for _, p := range first.Partitions {
		require.True(t, first.Include(p, fetch.Answer{HighWatermark: 7}))
	}
	next := c.Begin(0, &fetch.Request{SessionID: first.SessionID, SessionEpoch: 1})
	require.Len(t, next.Partitions, 2)
	p := next.Partitions[0]
	require.False(t, next.Include(p, fetch.Answer{HighWatermark: 7}))
	for _, news := range []fetch.Answer{
		{HighWatermark: 8},
		{HighWatermark: 8, LogStartOffset: 2},
		{HighWatermark: 8, LogStartOffset: 2, Bytes: 1},
		{HighWatermark: 8, LogStartOffset: 2, Diverging: true},
		{HighWatermark: 8, LogStartOffset: 2, Redirected: true},
		{HighWatermark: 8, LogStartOffset: 2, Err: core.ErrNotLeaderOrFollower},
		{HighWatermark: 8, LogStartOffset: 2}, // the error has ended
	} {
		require.True(t, next.Include(p, news), "%+v", news)
	}
	require.False(t, next.Include(p, fetch.Answer{HighWatermark: 8, LogStartOffset: 2}))
}

func TestIncrementalRequestChangesTheSet(t *testing.T) {
	c := cache(10)
	ctx := open(t, c, asks("t", 0, 10))
	added := fetch.Partition{Key: fetch.Key{Topic: "u"}, FetchOffset: 3}
	moved := fetch.Partition{Key: fetch.Key{Topic: "t", Partition: 1}, FetchOffset: 11}
	ctx = c.Begin(0, &fetch.Request{
		SessionID: ctx.SessionID, SessionEpoch: 1,
		Partitions: []fetch.Partition{added, moved}, Forgotten: []fetch.Key{{Topic: "t", Partition: 0}},
	})
	require.Len(t, ctx.Partitions, 2)
	require.Equal(t, core.Offset(11), ctx.Partitions[0].FetchOffset)
	require.Equal(t, "u", ctx.Partitions[1].Topic)
}

func TestServedPartitionsGoToTheEnd(t *testing.T) {
	c := cache(10)
	ctx := open(t, c, asks("t", 0, 0, 0))
	for _, p := range ctx.Partitions[:2] {
		ctx.Include(p, fetch.Answer{Bytes: 1})
	}
	ctx.Finish()
	ctx = c.Begin(0, &fetch.Request{SessionID: ctx.SessionID, SessionEpoch: 1})
	var order []int32
	for _, p := range ctx.Partitions {
		order = append(order, p.Partition)
	}
	require.Equal(t, []int32{2, 0, 1}, order)
}

func TestErrors(t *testing.T) {
	c := cache(10)
	id := open(t, c, asks("t", 0)).SessionID
	begin := func(r fetch.Request) core.ErrorCode { return c.Begin(0, &r).Err }
	require.Equal(t, core.ErrFetchSessionIDNotFound, begin(fetch.Request{SessionID: id + 1, SessionEpoch: 1}))
	require.Equal(t, core.ErrInvalidFetchSessionEpoch, begin(fetch.Request{SessionID: id, SessionEpoch: 2}))
	require.Equal(t, core.ErrFetchSessionTopicIDError, begin(fetch.Request{SessionID: id, SessionEpoch: 1, ByID: true}))
	require.Zero(t, begin(fetch.Request{SessionID: id, SessionEpoch: 1}), "errors leave the session as it was")
	require.Equal(t, core.ErrInvalidFetchSessionEpoch, begin(fetch.Request{SessionID: id, SessionEpoch: 1}), "no epoch twice")
}

func TestEmptiedSessionTurnsSessionless(t *testing.T) {
	c := cache(10)
	ctx := open(t, c, asks("t", 0))
	ctx = c.Begin(0, &fetch.Request{SessionID: ctx.SessionID, SessionEpoch: 1, Forgotten: []fetch.Key{{Topic: "t"}}})
	require.Zero(t, ctx.Err)
	require.Zero(t, ctx.SessionID)
	require.Zero(t, c.Len())
}

func TestNewSessionReplacesTheNamedOne(t *testing.T) {
	c := cache(10)
	old := open(t, c, asks("t", 0)).SessionID
	ctx := c.Begin(0, &fetch.Request{SessionID: old, SessionEpoch: fetch.InitialEpoch, Partitions: asks("t", 1)})
	require.NotEqual(t, old, ctx.SessionID)
	require.Equal(t, 1, c.Len())
}

func TestEviction(t *testing.T) {
	c := fetch.NewCache(fetch.Options{Slots: 2, EvictionMs: 1000, MaxPerCache: 10}, prng.New(1))
	at := func(now core.Mono, r fetch.Request) fetch.Context { return c.Begin(now, &r) }
	a := at(0, fetch.Request{Partitions: asks("a", 0)})
	b := at(0, fetch.Request{Partitions: asks("b", 0), Follower: true})
	require.Zero(t, at(core.Second, fetch.Request{Partitions: asks("c", 0)}).SessionID, "both were used within the age")
	f := at(core.Second, fetch.Request{Partitions: asks("f", 0), Follower: true})
	require.NotZero(t, f.SessionID, "a follower displaces a consumer")
	require.Equal(t, core.ErrFetchSessionIDNotFound, at(0, fetch.Request{SessionID: a.SessionID, SessionEpoch: 1}).Err)
	require.NotZero(t, at(2*core.Second, fetch.Request{Partitions: asks("d", 0)}).SessionID, "b is stale now")
	require.Equal(t, core.ErrFetchSessionIDNotFound, at(0, fetch.Request{SessionID: b.SessionID, SessionEpoch: 1}).Err)
	require.Equal(t, 2, c.Len())
	big := at(9*core.Second, fetch.Request{Partitions: asks("e", make([]core.Offset, 9)...)})
	require.Zero(t, big.SessionID, "memory stays bounded")
	require.Len(t, big.Partitions, 9, "and the fetch is served all the same")
}

// A follower names a partition again when its position has changed; then it learns all of it again, because the answer
// before may have been dropped as stale. A consumer is told changes only.
func TestFollowersAreToldAgainWhatTheyAskAgain(t *testing.T) {
	for _, follower := range []bool{false, true} {
		c := cache(10)
		first := c.Begin(0, &fetch.Request{Partitions: asks("t", 0, 0), Follower: follower})
		for _, p := range first.Partitions {
			require.True(t, first.Include(p, fetch.Answer{HighWatermark: 7}))
		}
		next := c.Begin(0, &fetch.Request{SessionID: first.SessionID, SessionEpoch: 1, Partitions: asks("t", 3), Follower: follower})
		require.Len(t, next.Partitions, 2)
		require.Equal(t, follower, next.Include(next.Partitions[0], fetch.Answer{HighWatermark: 7}))
		require.False(t, next.Include(next.Partitions[1], fetch.Answer{HighWatermark: 7}))
	}
}

// Named twice, with or without a session, a partition is served once, from where it was asked for last, as in Kafka: a parked fetch
// looks at all its partitions whenever one changes, and a million times the same one would be a million looks.
func TestAPartitionNamedTwiceIsServedOnce(t *testing.T) {
	for _, epoch := range []int32{fetch.InitialEpoch, fetch.FinalEpoch} {
		for _, times := range []int{1, 3, 100} {
			var asked []fetch.Partition
			for i := range times {
				asked = append(asked, asks("t", core.Offset(i), 7)...)
			}
			ctx := cache(10).Begin(0, &fetch.Request{SessionEpoch: epoch, Partitions: asked})
			require.Len(t, ctx.Partitions, 2)
			require.Equal(t, core.Offset(times-1), ctx.Partitions[0].FetchOffset)
			require.Equal(t, core.Offset(7), ctx.Partitions[1].FetchOffset)
		}
	}
}

// The bound on partitions holds for sessions that grow, too.
func TestASessionThatGrowsTooLargeEnds(t *testing.T) {
	c := fetch.NewCache(fetch.Options{MaxPerCache: 3}, prng.New(1))
	ctx := open(t, c, asks("t", 0, 0))
	ctx = c.Begin(0, &fetch.Request{SessionID: ctx.SessionID, SessionEpoch: 1, Partitions: asks("t", 0, 0, 0)})
	require.Zero(t, ctx.Err, "what it has already counts once")
	ctx = c.Begin(0, &fetch.Request{SessionID: ctx.SessionID, SessionEpoch: 2, Partitions: asks("u", 0)})
	require.Equal(t, core.ErrFetchSessionIDNotFound, ctx.Err)
	require.Zero(t, c.Len())
	open(t, c, asks("t", 0, 0, 0)) // there is room again
}

func TestSessionsThatHaveEndedAreForgotten(t *testing.T) {
	c := cache(10)
	ctx := open(t, c, asks("t", 0))
	for range 100 {
		ctx = c.Begin(0, &fetch.Request{SessionID: ctx.SessionID, SessionEpoch: fetch.InitialEpoch, Partitions: asks("t", 0)})
	}
	require.Equal(t, 1, c.Len())
	require.Equal(t, 1, c.Kept())
}

// What no topic can be called is not remembered: sessions are bounded by their number and by that of their partitions, and names of 32 KiB
// would make of a million partitions as many gigabytes.
func TestEndlessNamesGetNoSession(t *testing.T) {
	c := cache(10)
	endless := asks(strings.Repeat("x", 250), 0)
	ctx := c.Begin(0, &fetch.Request{Partitions: endless})
	require.Zero(t, ctx.SessionID)
	require.Len(t, ctx.Partitions, 1, "and answered all the same")
	require.Zero(t, c.Len())
	first := open(t, c, asks(strings.Repeat("x", 249), 0))
	next := c.Begin(0, &fetch.Request{SessionID: first.SessionID, SessionEpoch: 1, Partitions: endless})
	require.Equal(t, core.ErrFetchSessionIDNotFound, next.Err)
	require.Zero(t, c.Len())
}
