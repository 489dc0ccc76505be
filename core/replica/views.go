package replica

import (
	"github.com/klamm-log/klamm/core"
)

// Leader is who leads as far as this node knows, or NoNode.
func (r *Replica) Leader() core.NodeID { return r.leader }

// LeaderEpoch is the current epoch.
func (r *Replica) LeaderEpoch() core.LeaderEpoch { return r.epoch }

// PartitionEpoch is that of the committed state that this replica acts on, -1 before the first.
func (r *Replica) PartitionEpoch() core.PartitionEpoch { return r.partitionEpoch }

// ISR is the committed in-sync replicas, sorted. The slice is the replica's own.
func (r *Replica) ISR() []core.NodeID { return r.isr }

// MaximalISR is every replica that is, or may already be, in the ISR: committed and proposed members (KIP-497), sorted.
// The slice is the replica's own.
func (r *Replica) MaximalISR() []core.NodeID { return r.maximal }

// EpochStart is where the log ended when this replica's leadership began. It means nothing unless the replica leads.
func (r *Replica) EpochStart() core.Offset { return r.epochStart }

// Leading reports whether this replica leads and has noted where its epoch starts.
func (r *Replica) Leading() bool { return r.leading }

// Following is the leader that this replica follows, and whether it follows one.
func (r *Replica) Following() (core.NodeID, bool) {
	return r.leader, r.leader != core.NoNode && r.leader != r.self
}

// HighWatermark is the end of what is known to be committed: what every in-sync replica holds durably. The leader's is
// exact but for the time after an election, see HWKnown; a follower's lags.
func (r *Replica) HighWatermark() core.Offset { return r.highWatermark }

// HWKnown reports whether a leader's HighWatermark has reached the start of its epoch. Before, it may lie below what
// an earlier leader has told clients, and ListOffsets answers OFFSET_NOT_AVAILABLE (KIP-207).
func (r *Replica) HWKnown() bool { return r.leading && r.highWatermark >= r.epochStart }

// LastStableOffset is the HighWatermark, or if that is less the first offset of the oldest transaction that is open or whose marker is not
// below the HighWatermark (KIP-98). An undecided record at the HighWatermark or above would not hold it back, and so need not be asked for.
//
// Why also those with a marker: T writes 10 to 19, its ABORT stands at 20, the HighWatermark is 15. Were 15 stable and the marker lost with
// its leader, 10 would be unstable again: the offset would fall.
func (r *Replica) LastStableOffset() core.Offset {
	if first, open := r.Log.FirstUnstable(); open {
		return min(r.highWatermark, first) // first is not below the log start
	}
	return r.highWatermark
}

// Serving says whether clients may write here, and read as from a leader; if not, Kafka's answer.
func (r *Replica) Serving() core.ErrorCode {
	switch _, offline := r.Log.Offline(); {
	case offline:
		return core.ErrKafkaStorageError
	case !r.leading || !r.Log.Ready():
		return core.ErrNotLeaderOrFollower
	}
	return core.ErrNone
}

// ServingReads says whether consumers may read here: from the leader, or from a follower up to its own HighWatermark
// (KIP-392). If not, Kafka's answer.
func (r *Replica) ServingReads() core.ErrorCode {
	if _, following := r.Following(); following && r.Log.Ready() && r.ready {
		return core.ErrNone
	}
	return r.Serving()
}

// CheckEpoch compares the leader epoch that a client believes in with the current one; -1 is not checked (KIP-320).
func (r *Replica) CheckEpoch(believed core.LeaderEpoch) core.ErrorCode {
	switch {
	case believed == core.NoLeaderEpoch || believed == r.epoch:
		return core.ErrNone
	case believed < r.epoch:
		return core.ErrFencedLeaderEpoch
	}
	return core.ErrUnknownLeaderEpoch
}

// EpochAt is the leader epoch of the record at an offset, or NoLeaderEpoch.
func (r *Replica) EpochAt(o core.Offset) core.LeaderEpoch { return r.Log.EpochOf(o) }

// EpochEnd is the largest epoch at or below the one asked for and its end offset, or (-1, -1). The current epoch is
// known to its leader even before it has appended anything in it (KIP-279). Epochs below -1 are older than everything, as
// in Kafka: they end where the oldest begins.
func (r *Replica) EpochEnd(asked core.LeaderEpoch) (core.LeaderEpoch, core.Offset) {
	if asked == r.epoch && r.leading {
		return r.epoch, r.Log.LogEndOffset()
	}
	if known := r.Log.Epochs(); asked < core.NoLeaderEpoch && len(known) > 0 {
		return asked, max(known[0].Start, r.Log.LogStartOffset())
	}
	return r.Log.EpochEnd(asked)
}

// PreferredReader is the replica that a consumer in the given rack should read from instead of this leader, or NoNode
// (KIP-392, RackAwareReplicaSelector): the in-sync follower in that rack that holds the offset and is furthest. A
// follower outside the ISR may lag for ever, and the consumer with it.
func (r *Replica) PreferredReader(reg Registry, rack string, offset core.Offset) core.NodeID {
	if !r.leading || rack == "" || inRack(reg, r.self, rack) {
		return core.NoNode
	}
	var best *follower
	for _, id := range r.isr {
		f := find(r.followers, id)
		if f == nil || f.end < offset || f.start > offset || f.start < 0 || !inRack(reg, id, rack) {
			continue
		}
		if best == nil || f.end > best.end || f.end == best.end && f.caughtUp > best.caughtUp {
			best = f
		}
	}
	if best == nil {
		return core.NoNode
	}
	return best.id
}

// inRack reports whether the broker is alive and in the rack.
func inRack(reg Registry, id core.NodeID, rack string) bool {
	b := reg.Broker(id)
	return b != nil && !b.Fenced && b.Rack != nil && *b.Rack == rack
}
