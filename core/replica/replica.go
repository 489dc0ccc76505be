package replica

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

// Registry is what a replica may know of brokers; *metadata.Image implements it.
type Registry interface {
	// Broker is the registration of a broker, nil when there is none.
	Broker(id core.NodeID) *metadata.Broker
}

// Options shape a replica. A zero field means its default.
type Options struct {
	LagTime core.Mono // replica.lag.time.max.ms, default 30 s
	Backoff core.Mono // between attempts to change the ISR, default 50 ms

	MinInsyncReplicas int // min.insync.replicas of the topic, default 1
	// ELR says that eligible leader replicas are tracked (KIP-966): the HighWatermark then stands still while the ISR has
	// fewer members than MinInsyncReplicas. Kafka holds it back whether or not the feature is on.
	ELR bool
	// Lossy says that the topic permits the loss of committed records: unclean elections are enabled, or durability is
	// the operating system's. A follower then cuts below its HighWatermark when its leader says so, as Kafka always does.
	Lossy bool
	// HoldStart says that a follower's log start is raised by the owner ([Replica.WantedStart]), who makes it durable first:
	// what the leader hears of it must not be taken back by a crash.
	HoldStart bool
}

func (o Options) withDefaults() Options {
	if o.LagTime <= 0 {
		o.LagTime = 30 * core.Second
	}
	if o.Backoff <= 0 {
		o.Backoff = 50 * core.Millisecond
	}
	o.MinInsyncReplicas = max(1, o.MinInsyncReplicas)
	return o
}

// Replica is this node's replica of one partition.
type Replica struct {
	TP      core.TopicPartition
	TopicID core.TopicID
	Log     *log.Log

	self core.NodeID
	opts Options

	// What the metadata log says, or an AlterPartition answer that is ahead of it.
	leader         core.NodeID
	epoch          core.LeaderEpoch
	partitionEpoch core.PartitionEpoch
	replicas       []core.NodeID // in the order of preference
	isr            []core.NodeID // committed, sorted
	elr            []core.NodeID // eligible leader replicas (KIP-966)

	highWatermark core.Offset
	checkpointed  core.Offset // HighWatermark of the node's checkpoint, until the log is ready for the first time
	opened        bool        // the log has been ready
	ready         bool        // the log was ready when it was last looked at
	forgiving     bool        // an unclean election was seen since the log last agreed with a leader's

	leading    bool          // leads, and has noted where the epoch starts
	epochStart core.Offset   // while leading: log end when the leadership began
	followers  []follower    // while leader: the other replicas, by id
	maximal    []core.NodeID // while leader: committed and proposed ISR, sorted
	pending    *pending      // the proposal that is not resolved
	quietUntil core.Mono     // no new proposal before
	proposals  uint64        // numbers of proposals handed out
	checkAt    core.Mono     // when a follower may have lagged too long, 0 if none is behind

	leaderHW    core.Offset // while following: the leader's HighWatermark in this epoch, NoOffset before it was told
	leaderStart core.Offset // and its log start offset
	everywhere  core.Offset // what it says that all replicas have, in this epoch
	verified    bool        // the leader has answered without finding a divergence, in this epoch

	points []step.Point // see Points
}

// New is a replica on node self that neither leads nor follows yet.
func New(self core.NodeID, tp core.TopicPartition, id core.TopicID, l *log.Log, opts Options) *Replica {
	return &Replica{TP: tp, TopicID: id, Log: l, self: self, opts: opts.withDefaults(), leader: core.NoNode,
		epoch: core.NoLeaderEpoch, partitionEpoch: -1, leaderHW: core.NoOffset, leaderStart: core.NoOffset}
}

// Configure replaces the options, for instance after a change of the topic's configuration.
func (r *Replica) Configure(opts Options) { r.opts = opts.withDefaults() }

// SetCheckpointedHW gives the entry of replication-offset-checkpoint, before the log is ready. It may lag behind what
// was committed; an entry beyond what the log holds is cut down to it.
func (r *Replica) SetCheckpointedHW(o core.Offset) {
	r.checkpointed = max(0, o)
	r.Log.Replicated(r.checkpointed)
}

// Apply takes over what the committed metadata says of the partition. Older partition epochs are ignored, the present
// one changes nothing but the ELR: an AlterPartition answer may have been faster, and a proposal that is under way was made under it.
//
// A new leader epoch forgets everything that followers have shown before (KIP-320: only acknowledgements of the same
// epoch count). Becoming a follower cuts nothing (KIP-101: cutting to the own HighWatermark, which lags, would drop
// committed records); where the log diverges is found by fetching.
func (r *Replica) Apply(now core.Now, state *metadata.Partition, out *step.Effects) {
	if state.PartitionEpoch == r.partitionEpoch {
		r.elr = state.EligibleLeaderReplicas // the answer says nothing of it
	}
	if state.PartitionEpoch <= r.partitionEpoch {
		return
	}
	invariant.Check(state.LeaderEpoch >= r.epoch, "%v: leader epoch falls from %d to %d at partition epoch %d",
		r.TP, r.epoch, state.LeaderEpoch, state.PartitionEpoch)
	invariant.Check(state.LeaderEpoch > r.epoch || state.Leader == r.leader || r.leader == core.NoNode,
		"%v: leader epoch %d had leader %d, now %d", r.TP, r.epoch, r.leader, state.Leader)
	newEpoch := state.LeaderEpoch > r.epoch
	r.replicas, r.isr = slices.Clone(state.Replicas), sorted(state.ISR)
	r.elr = state.EligibleLeaderReplicas
	r.partitionEpoch = state.PartitionEpoch
	if r.pending != nil {
		// The controller has moved on: either this is the proposal, or it will be refused (A8: partition epochs are
		// compared). In both cases the state is the truth.
		out.Reachable("replica.proposal-overtaken", nil)
		r.pending = nil
	}
	r.forgiving = r.forgiving || state.LeaderRecoveryState == metadata.Recovering
	if newEpoch || state.Leader != r.leader {
		r.leader, r.epoch = state.Leader, state.LeaderEpoch
		r.leading, r.epochStart, r.quietUntil, r.checkAt = false, 0, 0, 0
		r.leaderHW, r.leaderStart, r.everywhere, r.verified = core.NoOffset, core.NoOffset, 0, false
		r.followers = r.followers[:0]
	}
	if r.leader == r.self {
		r.track(now.Mono)
	}
	r.maximal = r.isr
	r.Settle()
	r.arm(now.Mono)
}

// track brings the followers in line with the replicas; those that stay keep what they have shown.
func (r *Replica) track(now core.Mono) {
	kept := r.followers
	r.followers = make([]follower, 0, max(0, len(r.replicas)-1))
	for _, id := range sorted(r.replicas) {
		if id == r.self {
			continue
		}
		f := follower{id: id}
		if old := find(kept, id); old != nil {
			f = *old
		} else {
			f.reset(now, slices.Contains(r.isr, id))
		}
		r.followers = append(r.followers, f)
	}
}

// Retire ends the replica's part: the topic was deleted, or the partition was reassigned to others.
func (r *Replica) Retire() {
	r.leader, r.leading, r.pending, r.checkAt = core.NoNode, false, nil, 0
	r.followers, r.maximal, r.isr, r.replicas = nil, nil, nil, nil
}

// Settle looks at the log. When it has become ready, after start-up or after a truncation, the HighWatermark is brought
// into it, and a leader notes in the log's epoch history where its epoch begins, before it appends in it (KIP-101).
// It is cheap and may be called at any time; until then a new leader answers nobody.
func (r *Replica) Settle() {
	ready := r.Log.Ready()
	if ready && !r.ready {
		if !r.opened {
			r.opened, r.highWatermark = true, r.checkpointed
		}
		start := r.Log.LogStartOffset()
		r.highWatermark = min(max(r.highWatermark, start), max(start, r.Log.DurableOffset()))
		r.Log.Replicated(r.highWatermark) // recovery has met markers again that were decided long ago
	}
	r.ready = ready
	if !ready || r.leading || r.leader != r.self || r.resumed() {
		return
	}
	r.leading, r.epochStart = true, r.Log.LogEndOffset()
	if r.Log.LatestEpoch() < r.epoch {
		r.Log.AssignEpoch(r.epoch)
	}
}

// resumed reports that the log has seen the present epoch already although this process has not led in it: a process
// that led in it has died, and the metadata does not know yet. What it had appended and not synced is lost here, but
// followers may have it; appending again in the same epoch would put two contents at one (epoch, offset), and no
// follower would ever notice. The controller ends the epoch when it sees the new incarnation. A lone replica has no
// follower that could be deceived.
func (r *Replica) resumed() bool {
	return len(r.replicas) > 1 && r.Log.LatestEpoch() >= r.epoch
}

// Check asserts the package's invariants.
func (r *Replica) Check() {
	if !r.Log.Ready() || !r.ready {
		return
	}
	start, durable, end := r.Log.LogStartOffset(), r.Log.DurableOffset(), r.Log.LogEndOffset()
	lso, hw := r.LastStableOffset(), r.highWatermark
	if start > lso || lso > hw || hw > max(start, durable) || durable > end {
		invariant.Unreachable("a replica's offsets are out of order", invariant.Details{
			"partition": r.TP, "start": start, "lso": lso, "hw": hw, "durable": durable, "end": end,
		})
	}
	if !r.leading {
		return
	}
	for i := range r.followers {
		f := &r.followers[i]
		if f.end > end {
			invariant.Unreachable("a follower is ahead of its leader's log", invariant.Details{
				"partition": r.TP, "follower": f.id, "at": f.end, "epoch": r.epoch, "end": end,
			})
		}
	}
	for _, id := range r.isr {
		if !slices.Contains(r.maximal, id) {
			invariant.Unreachable("the ISR is not within the maximal ISR", invariant.Details{"partition": r.TP, "isr": r.isr, "maximal": r.maximal})
		}
	}
	if r.pending == nil && len(r.maximal) != len(r.isr) {
		invariant.Unreachable("the maximal ISR is not the ISR without a proposal", invariant.Details{"partition": r.TP, "isr": r.isr, "maximal": r.maximal})
	}
}

// Points moves the points of interest that were passed since the last call into the effects.
func (r *Replica) Points(out *step.Effects) {
	out.Points = append(out.Points, r.points...)
	clear(r.points)
	r.points = r.points[:0]
}

// reachable is sometimes without a condition.
func (r *Replica) reachable(message string, details invariant.Details) {
	r.sometimes(true, message, details)
}

// sometimes remembers a point once per turn, see [step.Effects.Sometimes].
func (r *Replica) sometimes(condition bool, message string, details invariant.Details) {
	if condition && !slices.ContainsFunc(r.points, func(p step.Point) bool { return p.Message == message }) {
		r.points = append(r.points, step.Point{Message: message, Details: details})
	}
}
