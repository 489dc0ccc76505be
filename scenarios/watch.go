package scenarios

import (
	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/cluster"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
)

// Watcher sees all of a run that can be seen, in the order in which it happens. Nothing that it answers counts, and
// nothing that it does changes the run.
type Watcher interface {
	// Event is told every event of the world.
	Event(ev sim.TraceEvent)
	// Witness is told what the oracle is told, before the oracle is. A world of one node has no such witness.
	history.Witness
	// Violated is told the oracle's finding at the moment of it.
	Violated(at core.Mono, x checkers.Violation)
}

// RunWatched is [Run] with somebody who watches.
func RunWatched(plan sim.Plan, w Watcher) Verdict {
	oracle := cluster.New()
	return judge(plan, oracle, sim.Options{Watch: w.Event, Witness: &watched{Oracle: oracle, w: w}})
}

// watched is an oracle that somebody looks at. Its answers are the oracle's.
type watched struct {
	*cluster.Oracle
	w    Watcher
	told bool
}

// broke passes on the oracle's finding, once.
func (o *watched) broke(at core.Mono) {
	if o.told || !o.Broken() {
		return
	}
	o.told = true
	for _, x := range o.Violations() {
		o.w.Violated(at, x)
	}
}

// Up implements [history.Witness], as the methods below do.
func (o *watched) Up(at core.Mono, node core.NodeID) {
	o.w.Up(at, node)
	o.Oracle.Up(at, node)
}

// Down is a node's end.
func (o *watched) Down(at core.Mono, node core.NodeID, wiped bool) {
	o.w.Down(at, node, wiped)
	o.Oracle.Down(at, node, wiped)
	o.broke(at)
}

// LogOpened is a log after its recovery.
func (o *watched) LogOpened(at core.Mono, x history.Opening) {
	o.w.LogOpened(at, x)
	o.Oracle.LogOpened(at, x)
	o.broke(at)
}

// LogChanged is a change of a log.
func (o *watched) LogChanged(at core.Mono, e history.LogEntry) {
	o.w.LogChanged(at, e)
	o.Oracle.LogChanged(at, e)
	o.broke(at)
}

// LogClosed is a log that is ready no more.
func (o *watched) LogClosed(at core.Mono, node core.NodeID, k history.Key) {
	o.w.LogClosed(at, node, k)
	o.Oracle.LogClosed(at, node, k)
	o.broke(at)
}

// Durable is how much of a log is fsynced.
func (o *watched) Durable(node core.NodeID, k history.Key, off core.Offset) {
	o.w.Durable(node, k, off)
	o.Oracle.Durable(node, k, off)
}

// Replica is a look at a replica.
func (o *watched) Replica(at core.Mono, v history.ReplicaLook) {
	o.w.Replica(at, v)
	o.Oracle.Replica(at, v)
	o.broke(at)
}

// Partition is a committed state.
func (o *watched) Partition(at core.Mono, s history.PartitionState) {
	o.w.Partition(at, s)
	o.Oracle.Partition(at, s)
	o.broke(at)
}

// Broker is a committed registration.
func (o *watched) Broker(at core.Mono, s history.BrokerState) {
	o.w.Broker(at, s)
	o.Oracle.Broker(at, s)
	o.broke(at)
}

// ImageSeen ends what a committed image has changed.
func (o *watched) ImageSeen(at core.Mono, off core.Offset) {
	o.w.ImageSeen(at, off)
	o.Oracle.ImageSeen(at, off)
	o.broke(at)
}

// Applied is how much of the metadata log a node has applied.
func (o *watched) Applied(at core.Mono, node core.NodeID, off core.Offset, epoch core.BrokerEpoch) {
	o.w.Applied(at, node, off, epoch)
	o.Oracle.Applied(at, node, off, epoch)
	o.broke(at)
}

// Quorum is a look at a node's part of the quorum.
func (o *watched) Quorum(at core.Mono, v history.QuorumLook) {
	o.w.Quorum(at, v)
	o.Oracle.Quorum(at, v)
	o.broke(at)
}

// Voters is a voter set in a node's metadata log.
func (o *watched) Voters(node core.NodeID, v history.VoterSet) {
	o.w.Voters(node, v)
	o.Oracle.Voters(node, v)
}

// Accepted is what a leader acknowledges.
func (o *watched) Accepted(at core.Mono, a history.Acceptance) {
	o.w.Accepted(at, a)
	o.Oracle.Accepted(at, a)
	o.broke(at)
}

// Acked is what a client was told to be stored.
func (o *watched) Acked(at core.Mono, k history.Key, last core.Offset) {
	o.w.Acked(at, k, last)
	o.Oracle.Acked(at, k, last)
	o.broke(at)
}

// Told is what a client was told to be committed.
func (o *watched) Told(at core.Mono, k history.Key, end, stable core.Offset) {
	o.w.Told(at, k, end, stable)
	o.Oracle.Told(at, k, end, stable)
	o.broke(at)
}

// Deleted is what a client was told to be gone.
func (o *watched) Deleted(at core.Mono, k history.Key, before core.Offset) {
	o.w.Deleted(at, k, before)
	o.Oracle.Deleted(at, k, before)
	o.broke(at)
}
