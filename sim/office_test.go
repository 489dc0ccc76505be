package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim/simnet"
	"github.com/klamm-log/klamm/sim/workload"
)

// lonely is a calm cluster of three whose clients ask for many partitions at an instant at which nobody hears the leader of the
// quorum: what it proposes then is longer than all that is committed before it leads again.
func lonely(at core.Mono) Plan {
	plan := Plan{Seed: 1, Profile: "lonely", Safety: at, Settle: 60 * core.Second}
	for range 3 {
		plan.Brokers = append(plan.Brokers, BrokerPlan{PerEvent: core.Microsecond})
	}
	for i := range int32(6) {
		plan.Clients = append(plan.Clients, workload.Plan{ID: i + 1, Kind: workload.Admin, Ops: []workload.Op{{
			ID: 1, At: at, Kind: workload.CreateTopic, Topic: "lost", Partitions: 300, Replication: 1, Partition: -1,
		}}})
	}
	return plan
}

// controller is the node that is the active controller, nil if there is none or only a former one that does not know.
func (r *run) controller() *process {
	var found *process
	for _, p := range r.brokers {
		if p.up && p.machine.(machine).Controlling() && (found == nil || p.quorum().Epoch() > found.quorum().Epoch()) {
			found = p
		}
	}
	return found
}

// cutOff takes a node's links to the others, or gives them back.
func (r *run) cutOff(p *process, off bool) {
	for j := range r.brokers {
		for _, link := range [][2]simnet.Host{{p.host, simnet.Host(j)}, {simnet.Host(j), p.host}} {
			switch {
			case j == p.id:
			case off:
				r.w.net.Cut(link[0], link[1])
			default:
				r.w.net.Heal(r.w.now, link[0], link[1])
			}
		}
	}
	r.w.refreshNet()
}

// A controller that proposes what is never committed, is succeeded, and takes office again, must not hold the answers of
// its second term until the log is as long as the proposals of the first would have made it. Those that change nothing
// rest on what is committed. Heartbeats are such, and brokers that wait for their answers send no more: they were fenced.
func TestAControllerAgainOwesNothingToItsFirstTerm(t *testing.T) {
	const ask = 15 * core.Second
	plan := lonely(ask)
	const before = ask - core.Millisecond
	r := &run{w: newWorld(plan.Seed, plan.Net), plan: plan, history: &history.Log{}, fired: make(map[FaultKind]int64), points: make(map[string]int64)}
	r.build()
	until := func(what string, limit core.Mono, ok func() bool) {
		t.Helper()
		r.w.runUntil(r.w.now+limit, ok)
		require.True(t, ok(), what)
	}
	r.w.runUntil(before, func() bool { return false })
	first := r.controller()
	require.NotNil(t, first)
	others := func() bool { c := r.controller(); return c != nil && c != first }
	r.cutOff(first, true)
	for _, c := range r.clients {
		for _, p := range r.brokers {
			if p != first {
				r.w.net.Cut(c.host, p.host)
			}
		}
	}
	until("it is not asked for anything", core.Second, func() bool { return first.quorum().Log().LogEndOffset() > 300 })
	for _, c := range r.clients { // or they would ask the next one, too
		r.down(c, false)
	}
	until("nobody succeeds the controller", 10*core.Second, others)
	until("the controller that nobody hears does not resign", 10*core.Second, func() bool { return !first.machine.(machine).Controlling() })
	r.cutOff(first, false)
	for range 20 { // until chance makes it the controller again
		until("there is no controller", 30*core.Second, func() bool { return r.controller() != nil })
		c := r.controller()
		if c == first {
			break
		}
		until("it does not follow", 30*core.Second, func() bool { return first.quorum().Role() == "follower" })
		r.cutOff(c, true)
		until("nobody succeeds", 30*core.Second, func() bool { n := r.controller(); return n != nil && n != c })
		r.cutOff(c, false)
	}
	require.Same(t, first, r.controller())
	require.Less(t, first.quorum().Log().LogEndOffset(), core.Offset(300), "its first term would not show any more")
	fenced := func() bool {
		for i := range r.brokers {
			if b := first.machine.(machine).Image().Broker(nodeID(i)); b == nil || b.Fenced {
				return true
			}
		}
		return false
	}
	until("not all brokers serve", 5*core.Second, func() bool { return !fenced() })
	r.w.runUntil(r.w.now+30*core.Second, fenced)
	require.False(t, fenced(), "a broker that beats was fenced at %d ns", r.w.now)
	require.Empty(t, r.w.panics)
}
