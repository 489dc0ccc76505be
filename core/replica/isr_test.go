package replica

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

type brokers map[core.NodeID]*metadata.Broker

func (b brokers) Broker(id core.NodeID) *metadata.Broker { return b[id] }

func ids(n ...core.NodeID) []core.NodeID { return n }

const testLag = 100

func TestCommittedEnd(t *testing.T) {
	// now is 1,000; a follower with caughtUp 950 keeps up, one with 900 lags.
	f := func(id core.NodeID, end core.Offset, caughtUp core.Mono, eligible bool) follower {
		return follower{id: id, end: end, caughtUp: caughtUp, eligible: eligible}
	}
	for _, c := range []struct {
		name    string
		own     core.Offset
		maximal []core.NodeID
		fs      []follower
		want    core.Offset
	}{
		{"alone", 7, ids(1), nil, 7},
		{"alone, followers know nothing yet", 7, ids(1), []follower{f(2, core.NoOffset, never, true)}, 7},
		{"the least of the ISR", 7, ids(1, 2, 3), []follower{f(2, 5, 950, true), f(3, 6, 950, true)}, 5},
		{"the leader's own durable end", 4, ids(1, 2), []follower{f(2, 5, 950, true)}, 4},
		{"a member that has not fetched in this epoch", 7, ids(1, 2), []follower{f(2, core.NoOffset, 950, true)}, core.NoOffset},
		{"a member that is no replica", 7, ids(1, 9), nil, core.NoOffset},
		{"a member that lags counts", 7, ids(1, 2), []follower{f(2, 3, 0, false)}, 3},
		{"no member, but keeps up and may join", 7, ids(1), []follower{f(2, 5, 950, true)}, 5},
		{"no member, keeps up, may not join (KAFKA-15021)", 7, ids(1), []follower{f(2, 5, 950, false)}, 7},
		{"no member, lags", 7, ids(1), []follower{f(2, 5, 900, true)}, 7},
	} {
		require.Equal(t, c.want, committedEnd(c.own, 1, c.maximal, c.fs, 1000, testLag), c.name)
	}
}

func TestDesiredISR(t *testing.T) {
	f := func(id core.NodeID, end core.Offset, caughtUp core.Mono) follower {
		return follower{id: id, end: end, caughtUp: caughtUp, eligible: true}
	}
	outcast := f(3, 10, 950)
	outcast.eligible = false
	for _, c := range []struct {
		name string
		isr  []core.NodeID
		fs   []follower
		want []core.NodeID
	}{
		{"as it is", ids(1, 2), []follower{f(2, 10, 0), f(3, 4, 950)}, ids(1, 2)},
		{"at the end after long", ids(1, 2), []follower{f(2, 10, 0)}, ids(1, 2)},
		{"behind, not for long", ids(1, 2), []follower{f(2, 3, 901)}, ids(1, 2)},
		{"behind for the lag time", ids(1, 2), []follower{f(2, 3, 900)}, ids(1)},
		{"never fetched in this epoch", ids(1, 2), []follower{f(2, core.NoOffset, 900)}, ids(1)},
		{"never fetched, but the epoch is young", ids(1, 2), []follower{f(2, core.NoOffset, 950)}, ids(1, 2)},
		{"at the HighWatermark, below the epoch start", ids(1), []follower{f(3, 5, 950)}, ids(1)},
		{"at the epoch start", ids(1), []follower{f(3, 6, never)}, ids(1, 3)},
		{"fenced", ids(1), []follower{outcast}, ids(1)},
		{"one leaves and one joins", ids(1, 2), []follower{f(2, 3, 0), f(3, 8, 950)}, ids(1, 3)},
		{"a member that is no replica leaves", ids(1, 9), nil, ids(1)},
	} {
		b := bounds{highWatermark: 5, epochStart: 6, leaderEnd: 10, now: 1000, lag: testLag}
		want, changed := desiredISR(c.isr, 1, c.fs, b)
		require.Equal(t, c.want, want, c.name)
		require.Equal(t, !slices.Equal(c.want, c.isr), changed, c.name)
	}
}

func TestEffectiveMin(t *testing.T) {
	require.Equal(t, 1, effectiveMin(0, 3))
	require.Equal(t, 2, effectiveMin(2, 3))
	require.Equal(t, 3, effectiveMin(9, 3), "more than there are could never be reached")
	require.Equal(t, 1, effectiveMin(2, 0))
}

func TestUnion(t *testing.T) {
	a := ids(3, 1)
	require.Equal(t, ids(1, 2, 3), union(a, ids(1, 2)))
	require.Equal(t, ids(3, 1), a)
}

// TestEligible is KIP-841 and KIP-903.
func TestEligible(t *testing.T) {
	for _, c := range []struct {
		name string
		reg  *metadata.Broker
		want bool
	}{
		{"active, the incarnation that fetched", &metadata.Broker{Epoch: 5}, true},
		{"not registered", nil, false},
		{"fenced", &metadata.Broker{Epoch: 5, Fenced: true}, false},
		{"shutting down", &metadata.Broker{Epoch: 5, InControlledShutdown: true}, false},
		{"a later incarnation", &metadata.Broker{Epoch: 6}, false},
		{"an earlier one: our metadata is old", &metadata.Broker{Epoch: 4}, false},
	} {
		require.Equal(t, c.want, eligible(brokers{2: c.reg}, &follower{id: 2, brokerEpoch: 5}), c.name)
	}
	require.False(t, eligible(brokers{2: {}}, &follower{id: 2, brokerEpoch: -1}), "the fetch did not say")
}
