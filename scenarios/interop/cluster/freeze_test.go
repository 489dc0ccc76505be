package cluster_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// Freezes shorter and longer than whatever runs out meanwhile: the fetch timeout of the quorum (2 s), a session (9 s), the
// socket timeout of a follower and the time for which it may lag (30 s).
var freezes = []time.Duration{700 * time.Millisecond, 3 * time.Second, 10 * time.Second, 20 * time.Second, 33 * time.Second}

// SIGSTOP and SIGCONT of any nodes, two at a time now and then, the next freeze beginning before everything is as it was: what a
// node had asked for when it was frozen, and what others had asked of it, is answered after its world has moved on. In
// the end every replica is in every ISR again, and the logs agree.
func TestFreeze(t *testing.T) {
	b := newBattle(t, harness.ClusterOptions{}, true, hurried()...)
	seed := uint64(time.Now().UnixNano())
	t.Logf("drawn from %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range pick(12, 1) {
		for range r.IntN(3) {
			b.freeze(r)
			harness.Wait(time.Duration(r.IntN(2000)) * time.Millisecond)
		}
		b.freeze(r)
		_, took := b.cluster.AwaitFull(t, topic, rejoin)
		_, also := b.cluster.AwaitFull(t, probed, rejoin)
		b.fire.awaitAcks(resume)
		t.Logf("in sync %v after the last freeze; load %s", round(took+also), load())
		if r.IntN(2) == 0 {
			b.spread()
		}
	}
	b.finish(nil)
}

// freeze stops one or two nodes for a while.
func (b *battle) freeze(r *rand.Rand) {
	b.t.Helper()
	order, n := r.Perm(len(b.cluster.Nodes)), 1
	if r.IntN(4) == 0 {
		n = 2
	}
	long := freezes[r.IntN(pick(len(freezes), 3))]
	b.t.Logf("nodes %v stop for %v", order[:n], long)
	for _, i := range order[:n] {
		b.cluster.Nodes[i].Signal(syscall.SIGSTOP)
	}
	harness.Wait(long)
	for _, i := range order[:n] {
		b.cluster.Nodes[i].Signal(syscall.SIGCONT)
		harness.Wait(time.Duration(r.IntN(500)) * time.Millisecond)
	}
}
