package transport

import (
	"context"
	"sync"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/step"
	"github.com/stretchr/testify/require"
)

// counter is a machine that records the order of events and ticks at given instants.
type counter struct {
	last    map[step.PeerID]int32
	events  int
	ticks   []core.Mono
	asks    []core.Mono // deadlines still to come
	arrived func(c *counter)
}

func (c *counter) Step(now core.Now, ev step.Event, _ *step.Effects) {
	switch ev := ev.(type) {
	case *step.PeerResponse:
		if ev.Corr != c.last[ev.Peer]+1 {
			panic("out of order")
		}
		c.last[ev.Peer] = ev.Corr
		c.events++
	case *step.Tick:
		c.ticks = append(c.ticks, now.Mono)
		c.asks = c.asks[1:]
	}
	c.arrived(c)
}

func (*counter) EndTurn(core.Now, *step.Effects) {}

func (c *counter) NextDeadline() (core.Mono, bool) {
	if len(c.asks) == 0 {
		return 0, false
	}
	return c.asks[0], true
}

// TestLoopKeepsOrder delivers from many goroutines; nothing is lost and each goroutine's order holds.
func TestLoopKeepsOrder(t *testing.T) {
	const senders, each = 8, 5_000
	ctx, cancel := context.WithCancel(context.Background())
	m := &counter{last: map[step.PeerID]int32{}, arrived: func(c *counter) {
		if c.events == senders*each {
			cancel()
		}
	}}
	clock := NewClock()
	loop := NewLoop(clock)
	var group sync.WaitGroup
	for id := range step.PeerID(senders) {
		group.Go(func() {
			for i := range int32(each) {
				loop.Deliver(&step.PeerResponse{Peer: id, Corr: i + 1})
			}
		})
	}
	require.ErrorIs(t, loop.Run(ctx, node.New(m, clock, Network{}, noDisk{})), context.Canceled)
	group.Wait()
	require.Equal(t, senders*each, m.events)
}

// TestLoopMeetsDeadlines ticks without any event, never early.
func TestLoopMeetsDeadlines(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	clock := NewClock()
	start := clock.Now().Mono
	asked := []core.Mono{start + core.Millisecond, start + 3*core.Millisecond, start + 3*core.Millisecond, start + 20*core.Millisecond}
	m := &counter{asks: asked, arrived: func(c *counter) {
		if len(c.asks) == 0 {
			cancel()
		}
	}}
	require.ErrorIs(t, NewLoop(clock).Run(ctx, node.New(m, clock, Network{}, noDisk{})), context.Canceled)
	require.Len(t, m.ticks, len(asked))
	for i := range asked {
		require.GreaterOrEqual(t, m.ticks[i], asked[i])
	}
}

func TestClockMovesForward(t *testing.T) {
	clock := NewClock()
	a, b := clock.Now(), clock.Now()
	require.GreaterOrEqual(t, b.Mono, a.Mono)
	require.Positive(t, a.Wall)
}
