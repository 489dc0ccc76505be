package broker

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/purgatory"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
)

// partition is a replica with what the broker needs around it.
type partition struct {
	*replica.Replica
	cfg      config.Topic
	slot     purgatory.Slot
	dirty    bool // in Broker.dirty
	opening  bool // counted in Broker.opening
	offline  bool // the log's failure has been noticed
	deleting bool
	// raisedStart is the log start that the next checkpoint has to say, ahead of the log's own.
	raisedStart core.Offset
	timer       deadline.Handle // of the log's deadline
	timerAt     core.Mono
}

// lookup finds a partition by topic id (if the request names topics by id) or by name.
func (b *Broker) lookup(id core.TopicID, topic string, index int32) (*partition, core.ErrorCode) {
	missing := core.ErrUnknownTopicOrPartition
	if !id.IsZero() {
		t := b.image.TopicByID(id)
		if t == nil {
			return nil, core.ErrUnknownTopicID
		}
		topic = t.Name
	}
	p := b.byName[core.TopicPartition{Topic: topic, Partition: index}]
	if p == nil {
		if t := b.image.Topic(topic); t != nil && t.Partition(index) != nil {
			return nil, core.ErrNotLeaderOrFollower
		}
		return nil, missing
	}
	return p, p.Serving()
}

// openPartition makes the replica that the image assigns to this node.
func (b *Broker) openPartition(now core.Now, tp core.TopicPartition, id core.TopicID, past log.Past, out *step.Effects) *partition {
	slot := purgatory.Slot(len(b.partitions))
	past.TopicID = id
	cfg := b.topicConfig(tp.Topic)
	l := log.New(b.logConfig(cfg), ownerPartitions+step.Owner(slot), tp.String(), past)
	p := &partition{Replica: replica.New(b.cfg.NodeID, tp, id, l, replica.Options{}), cfg: cfg, slot: slot, opening: true}
	b.partitions = append(b.partitions, p)
	b.byName[tp] = p
	b.byTopic[id] = append(b.byTopic[id], p)
	b.opening++
	l.Open(now, out)
	b.touch(p)
	return p
}

// logConfig is a topic's configuration as core/log takes it.
func (b *Broker) logConfig(t config.Topic) log.Config {
	c := log.Config{
		SegmentBytes: t.SegmentBytes, SegmentMs: t.SegmentMs,
		IndexIntervalBytes: t.IndexIntervalBytes, IndexMaxBytes: t.SegmentIndexBytes,
		RetentionMs: t.RetentionMs, RetentionBytes: t.RetentionBytes,
		Compacted:              t.Compact,
		ProducerIDExpirationMs: b.cfg.ProducerIDExpirationMs,
		RecoveryChunkBytes:     b.opts.Tuning.RecoveryChunkBytes,
		LookupBytes:            b.opts.Tuning.LookupBytes,
		RecentBatches:          b.opts.Tuning.RecentBatches,
		DiskTimeout:            core.Millis(b.cfg.DiskStallMs),
	}
	if !t.Delete {
		c.RetentionMs, c.RetentionBytes = -1, -1
	}
	if t.LogAppendTime {
		c.TimestampType = record.LogAppendTime
	}
	if b.cfg.Durability == config.DurabilityOS && !t.Flushed {
		c.Policy = log.OS
	}
	if b.opts.Tuning.SegmentBytes > 0 {
		c.SegmentBytes = b.opts.Tuning.SegmentBytes
	}
	if b.opts.Tuning.IndexIntervalBytes > 0 {
		c.IndexIntervalBytes = b.opts.Tuning.IndexIntervalBytes
	}
	return c
}

// topicConfig resolves a topic's configuration over all layers of the committed image.
func (b *Broker) topicConfig(topic string) config.Topic {
	return config.ResolveTopic(b.configLayers(topic))
}

// settle looks at a partition after its log's turn: noticing that it has become ready or offline, advancing the
// HighWatermark, and waking those who wait for either.
func (b *Broker) settle(now core.Now, p *partition, out *step.Effects) {
	_, offline := p.Log.Offline()
	if p.opening && (offline || p.Log.Ready()) {
		p.opening = false
		b.opening--
	}
	p.Settle()
	moved := p.Advance(now)
	if moved && b.opts.Tuning.Check {
		b.moved = append(b.moved, p.view())
	}
	if moved || offline && !p.offline {
		p.offline = offline
		b.produces.Touch(p.slot)
		b.fetches.Touch(p.slot)
	}
	if p.deleting && (p.Log.Closed() || offline) {
		b.deadlines.Cancel(p.timer)
		b.partitions[p.slot] = nil
		delete(b.leaving, p.TP)
		if t := b.image.Topic(p.TP.Topic); t != nil && t.Partition(p.TP.Partition) != nil && b.phase <= phaseServing {
			b.applyPartition(now, t.Name, t.ID, t.Partition(p.TP.Partition), out)
		}
	}
}

// applyPartition brings a replica in line with the image: opened if new, led in the epoch that the image says.
func (b *Broker) applyPartition(now core.Now, topic string, id core.TopicID, state *metadata.Partition, out *step.Effects) {
	tp := core.TopicPartition{Topic: topic, Partition: state.ID}
	p := b.byName[tp]
	if p == nil {
		if !slices.Contains(state.Replicas, b.cfg.NodeID) {
			return
		}
		if b.leaving[tp] != nil {
			return // the directory is still the old incarnation's; settle comes back here when it is gone
		}
		p = b.openPartition(now, tp, id, log.Past{}, out)
	}
	p.Apply(now, state, out)
	b.produces.Touch(p.slot) // waiters are bound to the epoch under which they were admitted
	b.fetches.Touch(p.slot)
	b.touch(p)
}

// deletePartition removes a replica whose topic is gone.
func (b *Broker) deletePartition(p *partition) {
	delete(b.byName, p.TP)
	if p.opening {
		p.opening = false
		b.opening--
	}
	p.deleting = true
	b.leaving[p.TP] = p
	p.Retire()
	b.produces.Touch(p.slot)
	b.fetches.Touch(p.slot)
	// First the checkpoints forget it, then the directory goes, then the name is free: so an entry that outlives a crash
	// always finds the directory it speaks of.
	b.checkpoint.burials = append(b.checkpoint.burials, p)
}
