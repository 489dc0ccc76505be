package broker

import "github.com/klamm-log/klamm/core"

// ReplicaView is a look at one replica's counters, for simulators and tools.
type ReplicaView struct {
	TP               core.TopicPartition
	TopicID          core.TopicID
	Leader           bool // this broker leads and may answer clients
	Epoch            core.LeaderEpoch
	LogStartOffset   core.Offset
	HighWatermark    core.Offset
	LogEndOffset     core.Offset
	DurableOffset    core.Offset
	Offline          string // why the log is offline; empty while it is not
	Opening          bool
	LastStableOffset core.Offset
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

// Moved are the replicas whose HighWatermark or log start changed in the last turn. Collected only with Tuning.Check.
func (b *Broker) Moved() []ReplicaView { return b.moved }

func (p *partition) view() ReplicaView {
	v := ReplicaView{TP: p.TP, TopicID: p.TopicID, Epoch: p.LeaderEpoch(), Leader: p.Serving() == core.ErrNone}
	if f, offline := p.Log.Offline(); offline {
		v.Offline = f.File + ": " + f.What
		return v
	}
	if v.Opening = !p.Log.Ready(); v.Opening {
		return v
	}
	v.LogStartOffset, v.HighWatermark = p.Log.LogStartOffset(), p.HighWatermark()
	v.LogEndOffset, v.DurableOffset = p.Log.LogEndOffset(), p.Log.DurableOffset()
	v.LastStableOffset = p.LastStableOffset()
	return v
}

// ClusterID is the cluster that the data directory belongs to; empty until start-up has read it.
func (b *Broker) ClusterID() string { return b.cfg.ClusterID }
