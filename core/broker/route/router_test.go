package route_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// node is a router whose requests to itself are kept until the test answers them.
type node struct {
	*route.Router
	asked []*step.Request
	heard []wire.Response
	out   step.Effects
}

func newNode() *node {
	n := &node{}
	n.Router = route.New(route.Options{
		Config: config.Broker{NodeID: 1},
		Handle: func(_ core.Now, r *step.Request, _ *step.Effects) { n.asked = append(n.asked, r) },
	})
	return n
}

func at(ms int64) core.Now { return core.Now{Mono: core.Millis(ms)} }

func (n *node) ask(ms, timeout int64) {
	n.AskBroker(at(ms), 1, route.LaneMarkers, kmsg.NewPtrDescribeClusterRequest(), core.Millis(timeout),
		func(_ core.Now, body wire.Response, _ *step.Effects) { n.heard = append(n.heard, body) }, &n.out)
}

// answer replies to one of the node's requests to itself, as a handler does.
func (n *node) answer(i int, body wire.Response) {
	r := n.asked[i]
	n.out.Replies = append(n.out.Replies, step.Reply{Conn: r.Conn, Seq: r.Seq, Version: r.Version, Body: body})
}

func TestANodeAnswersItself(t *testing.T) {
	n := newNode()
	n.ask(0, 100)
	n.ask(0, 100)
	require.Len(t, n.asked, 2)
	client := step.Reply{Conn: 7, Seq: 3}
	n.out.Replies = append(n.out.Replies, client)
	require.False(t, n.Deliver(at(1), &n.out))

	second := kmsg.NewPtrDescribeClusterResponse()
	n.answer(1, second)
	require.Empty(t, n.heard, "never within the call")
	require.True(t, n.Deliver(at(1), &n.out))
	require.Equal(t, []wire.Response{second}, n.heard)
	require.Equal(t, []step.Reply{client}, n.out.Replies, "clients' replies stay, its own go")

	n.answer(0, nil) // as a broker that is leaving refuses
	require.True(t, n.Deliver(at(2), &n.out))
	require.Equal(t, []wire.Response{second, nil}, n.heard)
	_, due := n.NextDeadline()
	require.False(t, due)
}

func TestAnAnswerThatComesTooLateIsNobodys(t *testing.T) {
	n := newNode()
	n.ask(0, 100)
	due, ok := n.NextDeadline()
	require.True(t, ok)
	require.Equal(t, core.Millis(100), due)
	n.Tick(at(100))
	require.True(t, n.Deliver(at(100), &n.out))
	require.Equal(t, []wire.Response{nil}, n.heard)

	n.answer(0, kmsg.NewPtrDescribeClusterResponse())
	require.False(t, n.Deliver(at(101), &n.out))
	require.Len(t, n.heard, 1)
	require.Empty(t, n.out.Replies, "it goes to no connection either")
}

// What is asked again from within an answer waits for the next round.
func TestAskingAgainFromWithinAnAnswer(t *testing.T) {
	n := newNode()
	again := 0
	var then route.Then
	then = func(now core.Now, _ wire.Response, out *step.Effects) {
		if again++; again < 3 {
			n.AskBroker(now, 1, route.LaneVerify, kmsg.NewPtrDescribeClusterRequest(), core.Second, then, out)
			n.answer(again, nil)
		}
	}
	n.AskBroker(at(0), 1, route.LaneVerify, kmsg.NewPtrDescribeClusterRequest(), core.Second, then, &n.out)
	n.answer(0, nil)
	for want := 1; want <= 3; want++ {
		require.True(t, n.Deliver(at(1), &n.out))
		require.Equal(t, want, again)
	}
	require.False(t, n.Deliver(at(1), &n.out))
}
