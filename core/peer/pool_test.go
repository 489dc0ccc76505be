package peer_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/step"
)

func at(ms int64) core.Now { return core.Now{Mono: core.Millis(ms)} }

// rig is a pool whose calls are numbered from 1 and whose results are gathered.
type rig struct {
	*peer.Pool
	out   *step.Effects
	calls int
	ended []int
	last  []peer.Result
}

func newRig() *rig { return &rig{Pool: peer.New("me"), out: &step.Effects{}} }

// call makes a call and returns its number.
func (r *rig) call(ms int64, lane peer.Lane) int {
	r.calls++
	n := r.calls
	r.Call(at(ms), peer.Call{
		Addr: "a:1", Lane: lane, Body: kmsg.NewPtrMetadataRequest(), Timeout: core.Second,
		Then: func(_ core.Now, res *peer.Result, _ *step.Effects) {
			r.ended, r.last = append(r.ended, n), append(r.last, *res)
		},
	}, r.out)
	return n
}

// results are the calls that have ended since the last time.
func (r *rig) results() ([]int, []peer.Result) {
	r.ended, r.last = nil, nil
	r.Deliver(at(0), r.out)
	return r.ended, r.last
}

// kinds are the kinds of the sends of one peer.
func kinds(out *step.Effects, id step.PeerID) (ks []step.SendKind) {
	for _, s := range out.Sends {
		if s.Peer == id {
			ks = append(ks, s.Kind)
		}
	}
	return ks
}

func TestCallsWaitForTheConnectionAndAreAnsweredInOrder(t *testing.T) {
	r := newRig()
	first, second := r.call(0, 0), r.call(0, 0)
	require.Equal(t, []step.SendKind{step.Dial}, kinds(r.out, 1))
	r.State(&step.PeerState{Peer: 1, Open: true}, r.out)
	require.Equal(t, []step.SendKind{step.Dial, step.Call, step.Call}, kinds(r.out, 1))
	r.Response(&step.PeerResponse{Peer: 1, Corr: r.out.Sends[1].Corr, Body: kmsg.NewPtrMetadataResponse()}, r.out)
	r.Response(&step.PeerResponse{Peer: 1, Corr: r.out.Sends[2].Corr, Body: kmsg.NewPtrMetadataResponse()}, r.out)
	ended, results := r.results()
	require.Equal(t, []int{first, second}, ended)
	require.NotNil(t, results[0].Body)
	ended, _ = r.results()
	require.Empty(t, ended, "each result once")
	require.Zero(t, r.Outstanding())
	_, pending := r.NextDeadline()
	require.False(t, pending, "an idle pool costs nothing")
}

func TestLanesDoNotShareAConnection(t *testing.T) {
	r := newRig()
	r.call(0, 0)
	r.call(0, 1)
	require.Len(t, r.out.Sends, 2)
	require.NotEqual(t, r.out.Sends[0].Peer, r.out.Sends[1].Peer)
}

func TestClosingFailsEverythingOnTheConnection(t *testing.T) {
	r := newRig()
	r.call(0, 0)
	r.State(&step.PeerState{Peer: 1, Err: "connection refused"}, r.out)
	_, results := r.results()
	require.Equal(t, []peer.Result{{Broken: true, Why: "connection refused"}}, results, "never sent, and said so")
	r.call(0, 0)
	r.State(&step.PeerState{Peer: 2, Open: true}, r.out)
	r.State(&step.PeerState{Peer: 2, Err: "reset"}, r.out)
	_, results = r.results()
	require.Equal(t, []peer.Result{{Sent: true, Broken: true, Why: "reset"}}, results)
	r.call(0, 0)
	require.Equal(t, []step.SendKind{step.Dial}, kinds(r.out, 3), "the next call dials anew")
}

func TestTimeoutHangsUp(t *testing.T) {
	r := newRig()
	first, late := r.call(0, 0), r.call(500, 0)
	r.State(&step.PeerState{Peer: 1, Open: true}, r.out)
	due, ok := r.NextDeadline()
	require.True(t, ok)
	require.Equal(t, core.Second, due)
	r.Tick(at(999), r.out)
	ended, _ := r.results()
	require.Empty(t, ended)
	r.Tick(at(1000), r.out)
	ended, _ = r.results()
	require.Equal(t, []int{first, late}, ended, "what is behind the silent one fails with it")
	require.Contains(t, kinds(r.out, 1), step.Hangup)
	r.Response(&step.PeerResponse{Peer: 1, Corr: 1, Body: kmsg.NewPtrMetadataResponse()}, r.out)
	ended, _ = r.results()
	require.Empty(t, ended, "an answer after the end is nobody's")
}

func TestStrayAnswerEndsTheConnection(t *testing.T) {
	r := newRig()
	id := r.call(0, 0)
	r.State(&step.PeerState{Peer: 1, Open: true}, r.out)
	r.Response(&step.PeerResponse{Peer: 1, Corr: 77, Body: kmsg.NewPtrMetadataResponse()}, r.out)
	ended, results := r.results()
	require.Equal(t, []int{id}, ended)
	require.Nil(t, results[0].Body)
	require.Contains(t, kinds(r.out, 1), step.Hangup)
}

func TestContinuationMayCallAgain(t *testing.T) {
	r := newRig()
	again := false
	r.Call(at(0), peer.Call{Addr: "a:1", Body: kmsg.NewPtrMetadataRequest(), Timeout: core.Second,
		Then: func(core.Now, *peer.Result, *step.Effects) { again = true; r.call(0, 0) }}, r.out)
	r.State(&step.PeerState{Peer: 1, Err: "refused"}, r.out)
	r.Deliver(at(0), r.out)
	require.True(t, again)
	require.Equal(t, 1, r.Outstanding())
}

func TestCloseFailsAllCalls(t *testing.T) {
	r := newRig()
	first, second := r.call(0, 0), r.call(0, 1)
	r.Close(r.out)
	ended, _ := r.results()
	require.Equal(t, []int{first, second}, ended)
	require.Zero(t, r.Outstanding())
}

func TestIdleConnectionThatBreaksIsNamed(t *testing.T) {
	r := newRig()
	r.call(0, 1)
	r.State(&step.PeerState{Peer: 1, Open: true}, r.out)
	r.Response(&step.PeerResponse{Peer: 1, Corr: r.out.Sends[1].Corr, Body: kmsg.NewPtrMetadataResponse()}, r.out)
	require.Empty(t, r.Lost())
	r.State(&step.PeerState{Peer: 1, Err: "reset"}, r.out)
	require.Equal(t, []peer.Lost{{Addr: "a:1", Lane: 1}}, r.Lost())
	require.Empty(t, r.Lost(), "once")
}
