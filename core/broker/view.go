package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/broker/txns"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/raft"
)

// ReplicaView is a look at one replica's state, for simulators and tools.
type ReplicaView struct {
	TP      core.TopicPartition
	TopicID core.TopicID
	// Leader says that this broker leads in Epoch as far as it knows, and answers clients.
	Leader           bool
	LeaderID         core.NodeID
	Epoch            core.LeaderEpoch
	PartitionEpoch   core.PartitionEpoch
	ISR, MaximalISR  []core.NodeID // of a leader; the replica's own slices
	EpochStart       core.Offset   // of a leader: where its epoch begins
	HWKnown          bool          // of a leader: the HighWatermark has reached EpochStart (KIP-207)
	LogStartOffset   core.Offset
	HighWatermark    core.Offset
	LogEndOffset     core.Offset
	DurableOffset    core.Offset
	LastStableOffset core.Offset
	Producers        *pstate.Table // the replica's own; read it before the next turn
	Offline          string        // why the log is offline; empty while it is not
	Opening          bool          // the log is not ready, or not any more: of the counters two are kept, HighWatermark and DurableOffset
}

// JournalEntry is one change of one log.
type JournalEntry struct {
	TP      core.TopicPartition
	TopicID core.TopicID // core.MetadataTopicID for the metadata log
	log.Entry
}

// Replicas are all replicas of this broker, in the order of their making.
func (b *Broker) Replicas() []ReplicaView {
	var out []ReplicaView
	for _, p := range b.partitions {
		if p != nil && !p.deleting {
			out = append(out, p.view())
		}
	}
	return out
}

// View is one replica's state, if there is one here.
func (b *Broker) View(tp core.TopicPartition) (ReplicaView, bool) {
	p := b.byName[tp]
	if p == nil {
		return ReplicaView{}, false
	}
	return p.view(), true
}

// Moved are the replicas that the last turn touched. Collected only with Tuning.Check.
func (b *Broker) Moved() []ReplicaView { return b.moved }

// Journal is what the last turn did to the logs, in order; it begins when a log is ready. Collected only with
// Tuning.Check.
func (b *Broker) Journal() []JournalEntry { return b.journal }

// Image is the committed image of the cluster, as applied here; read it before the next turn.
func (b *Broker) Image() *metadata.Image { return b.image() }

// Quorum is this node's seat in the metadata quorum, nil before the data directory has been read; read it only.
func (b *Broker) Quorum() *raft.Quorum {
	if b.plane == nil {
		return nil
	}
	return b.plane.Quorum()
}

// Controlling reports whether this node's controller is the active one and serves.
func (b *Broker) Controlling() bool { return b.plane != nil && b.plane.Active() }

// Coordinators are the group coordinators of the partitions that this node leads; read them before the next turn.
func (b *Broker) Coordinators() []groups.View {
	if b.coord == nil {
		return nil
	}
	return b.coord.groups.Views()
}

// TransactionCoordinators are the transaction coordinators of the partitions that this node leads; read them before the next turn.
func (b *Broker) TransactionCoordinators() []txns.View {
	if b.coord == nil {
		return nil
	}
	return b.coord.txns.Views()
}

// BrokerEpoch is the epoch of this incarnation's registration, -1 without one.
func (b *Broker) BrokerEpoch() core.BrokerEpoch { return b.brokerEpoch() }

// CleanerView is a look at a compacted log, for simulators and tools.
type CleanerView struct {
	TP         core.TopicPartition
	Due        bool        // by the topic's configuration the next round is due
	Round      bool        // one is under way
	CleanPoint core.Offset // where the last round ended
	End        core.Offset // the log's
}

// Compacted are the logs that the cleaner sees to, in the order of their making; none if it is off.
func (b *Broker) Compacted(now core.Now) []CleanerView {
	var out []CleanerView
	for _, p := range b.partitions {
		if p == nil || !p.cfg.Compact || p.deleting || !p.Log.Ready() || b.cfg.Cleaner.Disabled {
			continue
		}
		_, due := p.Log.CleanDue(now, p.LastStableOffset())
		out = append(out, CleanerView{TP: p.TP, Due: due, Round: p.Log.Cleaning(), CleanPoint: p.Log.CleanPoint(), End: p.Log.LogEndOffset()})
	}
	return out
}

// observe gathers what the simulator wants to see of a partition's turn.
func (b *Broker) observe(p *partition) {
	b.journal = appendJournal(b.journal, p.TP, p.TopicID, p.Log)
	if !p.deleting {
		b.moved = append(b.moved, p.view())
	}
}

func appendJournal(dst []JournalEntry, tp core.TopicPartition, id core.TopicID, l *log.Log) []JournalEntry {
	for _, e := range l.TakeJournal() {
		dst = append(dst, JournalEntry{TP: tp, TopicID: id, Entry: e})
	}
	return dst
}

func (p *partition) view() ReplicaView {
	v := ReplicaView{
		TP: p.TP, TopicID: p.TopicID, Epoch: p.LeaderEpoch(), Leader: p.Serving() == core.ErrNone,
		LeaderID: p.Replica.Leader(), PartitionEpoch: p.PartitionEpoch(), ISR: p.ISR(), MaximalISR: p.MaximalISR(),
	}
	if f, offline := p.Log.Offline(); offline {
		v.Offline = f.File + ": " + f.What
		return v
	}
	v.HighWatermark, v.DurableOffset = p.HighWatermark(), p.Log.DurableOffset()
	if v.Opening = !p.Log.Ready(); v.Opening {
		return v
	}
	v.EpochStart, v.HWKnown = p.EpochStart(), p.HWKnown()
	v.LogStartOffset = p.Log.LogStartOffset()
	v.LogEndOffset = p.Log.LogEndOffset()
	v.LastStableOffset, v.Producers = p.LastStableOffset(), p.Log.Producers()
	return v
}

// ClusterID is the cluster that the data directory belongs to; empty until start-up has read it.
func (b *Broker) ClusterID() string { return b.cfg.ClusterID }

// Notices are what an operator should know that came up in the last turn, in words: a log that has failed, a vote that this
// node does not have. What ends the node is in Halted.
func (b *Broker) Notices() []string { return b.notices }
