package broker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/coordination"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/log/compact"
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
	burials  int                 // how often its directory was told to go; not before the checkpoints have forgotten it
	internal *coordination.Topic // of coordinators, who alone write; nil for clients' topics
	wantsISR bool                // in Broker.isr.wanting
	copies   int                 // replicas of the partition, this one included
	followed *following          // the leader whose fetcher has it, nil if none
	past     log.Past            // what the checkpoints said of the log when it was opened, until it is ready
	// pointSaid is the recovery point that the checkpoint file says of the log, or may say once a write lands.
	pointSaid   core.Offset
	durableSeen core.Offset // DurableOffset at the end of the last turn
	writtenSeen core.Offset // WrittenOffset and epoch at the end of the last turn: what followers were offered
	epochSeen   core.LeaderEpoch
	// raisedStart is the log start that the next checkpoint has to say, ahead of the log's own.
	raisedStart core.Offset
	timer       deadline.Handle // of the log's deadline and the replica's
	timerAt     core.Mono
}

// lookup finds a partition by topic id (if the request names topics by id) or by name.
func (b *Broker) lookup(id core.TopicID, topic string, index int32) (*partition, core.ErrorCode) {
	missing := core.ErrUnknownTopicOrPartition
	if !id.IsZero() {
		t := b.image().TopicByID(id)
		if t == nil {
			return nil, core.ErrUnknownTopicID
		}
		topic = t.Name
	}
	p := b.byName[core.TopicPartition{Topic: topic, Partition: index}]
	if p == nil {
		if t := b.image().Topic(topic); t != nil && t.Partition(index) != nil {
			return nil, core.ErrNotLeaderOrFollower
		}
		return nil, missing
	}
	return p, p.Serving()
}

// openPartition makes the replica that the image assigns to this node.
func (b *Broker) openPartition(now core.Now, tp core.TopicPartition, id core.TopicID, past log.Past, out *step.Effects) *partition {
	slot := purgatory.Slot(len(b.partitions))
	said := past
	past.TopicID = id
	cfg, copies := b.topicConfig(tp.Topic), 1
	if state := b.image().Partition(id, tp.Partition); state != nil {
		copies = len(state.Replicas)
	}
	l := log.New(b.logConfig(cfg, copies), ownerPartitions+step.Owner(slot), tp.String(), past)
	p := &partition{
		Replica: replica.New(b.cfg.NodeID, tp, id, l, b.replicaOptions(&cfg)),
		cfg:     cfg, slot: slot, past: said, opening: true, pointSaid: past.RecoveryPoint, copies: copies, internal: b.coord.of(tp.Topic),
	}
	b.partitions = append(b.partitions, p)
	b.byName[tp], b.byKey[partitionKey{id, tp.Partition}] = p, p
	b.byTopic[id] = append(b.byTopic[id], p)
	b.opening++
	l.Open(now, out)
	b.touch(p)
	return p
}

// partitionOf is the partition around a replica of this broker.
func (b *Broker) partitionOf(r *replica.Replica) *partition {
	return b.partitions[r.Log.Owner()-ownerPartitions]
}

// logConfig is a topic's configuration as core/log takes it. With followers the log tells what it has written before that
// is synced: they read it then.
func (b *Broker) logConfig(t config.Topic, copies int) log.Config {
	c := log.Config{
		SegmentBytes: t.SegmentBytes, SegmentMs: t.SegmentMs,
		IndexIntervalBytes: t.IndexIntervalBytes, IndexMaxBytes: t.SegmentIndexBytes,
		RetentionMs: cmp.Or(t.RetentionMs, 1), RetentionBytes: cmp.Or(t.RetentionBytes, 1), // 0 is the log's default, not the strictest limit
		Compacted:         t.MayHaveHoles,
		FileDeleteDelayMs: t.FileDeleteDelayMs,
		Cleaning: compact.Policy{MinDirty: t.MinCleanableRatio, MinLagMs: t.MinCompactionLagMs,
			MaxLagMs: t.MaxCompactionLagMs, DeleteRetentionMs: t.DeleteRetentionMs},
		ProducerIDExpirationMs: b.cfg.ProducerIDExpirationMs,
		RecoveryChunkBytes:     b.opts.Tuning.RecoveryChunkBytes,
		LookupBytes:            b.opts.Tuning.LookupBytes,
		RecentBatches:          b.opts.Tuning.RecentBatches,
		DiskTimeout:            core.Millis(b.cfg.DiskStallMs),
		TrackWrites:            copies > 1,
		Journal:                b.opts.Tuning.Check,
	}
	if !t.Delete {
		c.RetentionMs, c.RetentionBytes = -1, -1
	}
	if t.Compact && t.MaxCompactionLagMs > 0 {
		c.SegmentMs = min(c.SegmentMs, t.MaxCompactionLagMs) // KIP-354: what is in the active segment is never compacted
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

// replicaOptions is what a topic's configuration means for its replicas.
func (b *Broker) replicaOptions(t *config.Topic) replica.Options {
	return replica.Options{
		LagTime: core.Millis(b.cfg.ReplicaLagMs), MinInsyncReplicas: int(t.MinInsyncReplicas),
		ELR:       b.elr(),
		HoldStart: true,
		Lossy:     t.UncleanLeaderElection || b.cfg.Durability == config.DurabilityOS && !t.Flushed,
	}
}

// elr reports whether eligible leader replicas are tracked (KIP-966).
func (b *Broker) elr() bool {
	m := b.image()
	return m.FeatureLevel(metadata.EligibleLeaderReplicasFeature) > 0 && m.MetadataVersion().HasElr()
}

// topicConfig resolves a topic's configuration over all layers of the committed image.
func (b *Broker) topicConfig(topic string) config.Topic {
	return b.plane.TopicConfig(topic)
}

// settle looks at a partition after its log's turn: noticing that it has become ready or offline, advancing the
// HighWatermark, and waking those who wait for either.
func (b *Broker) settle(now core.Now, p *partition, out *step.Effects) {
	_, offline := p.Log.Offline()
	if p.opening && (offline || p.Log.Ready()) {
		p.opening = false
		b.opening--
	}
	if p.Log.Ready() {
		p.past = log.Past{}
	}
	p.Settle()
	moved := p.Advance(now)
	p.Points(out)
	if written := p.Log.WrittenOffset(); written != p.writtenSeen || p.LeaderEpoch() != p.epochSeen {
		p.writtenSeen, p.epochSeen = written, p.LeaderEpoch()
		b.fetches.Touch(p.slot) // followers may read it before it is synced
	}
	if offline {
		b.handOver(p)
	}
	if f, _ := p.Log.Offline(); offline && !p.offline {
		b.notices = append(b.notices, fmt.Sprintf("the log of %v has failed (%s: %s); this broker does without it until it is started again", p.TP, f.File, f.What))
	}
	if moved || offline && !p.offline {
		p.offline = offline
		b.produces.Touch(p.slot)
		b.fetches.Touch(p.slot)
	}
	if durable := p.Log.DurableOffset(); durable != p.durableSeen {
		p.durableSeen = durable
		b.produces.Touch(p.slot) // acks=1 waits for no more than this
	}
	if p.internal != nil {
		p.internal.Settle(now, p.Replica, p.deleting, out)
	}
	if p.followed != nil {
		b.followStart(p)
		p.followed.fetcher.Touch(p.Replica)
	}
	if p.copies > 1 && p.Leading() {
		b.wantISR(p)
	}
	b.lowerCheckpoint(p)
	if b.opts.Tuning.Check {
		b.observe(p)
	}
	if p.deleting {
		b.letGo(now, p, offline, out)
	}
}

// letGo frees the name of a partition whose topic was deleted, or that was reassigned away, when its directory is gone. A log
// that has failed has its directory still, and is buried like any other: were the name free before that, the directory that
// is put away later would be that of the topic's next incarnation, which is written into it. If burying it fails
// it is tried once more; then the directory stays, and the next incarnation's log reports whose it is.
func (b *Broker) letGo(now core.Now, p *partition, offline bool, out *step.Effects) {
	if offline && p.burials == 1 {
		b.bury(now, p, out)
		return
	}
	if !p.Log.Closed() && !(offline && p.burials > 1) {
		return
	}
	b.deadlines.Cancel(p.timer)
	b.partitions[p.slot] = nil
	delete(b.leaving, p.TP)
	if t := b.image().Topic(p.TP.Topic); t != nil && t.Partition(p.TP.Partition) != nil && b.phase <= phaseLeaving {
		b.applyPartition(now, t.Name, t.ID, t.Partition(p.TP.Partition), out)
	}
}

// bury has a partition's directory removed.
func (b *Broker) bury(now core.Now, p *partition, out *step.Effects) {
	p.burials++
	p.Log.Delete(now, b.randomHex(), out)
	b.touch(p)
}

// handOver ends the broker if it leads a partition whose log has failed while others hold all of it: nobody else can lead before this
// broker is gone. Kafka halts when its last log directory fails, and there is only one here. Without a replica in sync there
// is nobody to hand over to, and the broker goes on with its other partitions.
func (b *Broker) handOver(p *partition) {
	if !b.Serving() || p.deleting || !p.Leading() || len(p.ISR()) < 2 {
		return
	}
	f, _ := p.Log.Offline()
	b.fail(fmt.Sprintf("the log of %v, which this broker leads, has failed (%s: %s); the broker ends so that a replica in sync takes over",
		p.TP, f.File, f.What))
}

// applyPartition brings a replica in line with the image: opened if new, leading or following in the epoch that the image
// says, closed and deleted if it has been reassigned away (KIP-455).
func (b *Broker) applyPartition(now core.Now, topic string, id core.TopicID, state *metadata.Partition, out *step.Effects) {
	tp := core.TopicPartition{Topic: topic, Partition: state.ID}
	p := b.byName[tp]
	mine := slices.Contains(state.Replicas, b.cfg.NodeID)
	switch {
	case p == nil && !mine:
		return
	case p == nil:
		if b.leaving[tp] != nil {
			return // the directory is still the old incarnation's; settle comes back here when it is gone
		}
		p = b.openPartition(now, tp, id, log.Past{}, out)
	case !mine:
		out.Reachable("broker.replica-reassigned-away", nil)
		b.byTopic[p.TopicID] = slices.DeleteFunc(b.byTopic[p.TopicID], func(q *partition) bool { return q == p })
		b.deletePartition(p)
		return
	}
	b.lead(now, p, state, out)
}

// lead lets a replica take over what the image says of its partition.
func (b *Broker) lead(now core.Now, p *partition, state *metadata.Partition, out *step.Effects) {
	if p.copies != len(state.Replicas) {
		p.copies = len(state.Replicas)
		p.Log.Reconfigure(b.logConfig(p.cfg, p.copies))
	}
	p.Apply(now, state, out)
	p.Consider(b.image()) // whoever has left the ISR because it is fenced must not be waited for until somebody fetches
	b.follow(p)
	b.produces.Touch(p.slot) // waiters are bound to the epoch under which they were admitted
	b.fetches.Touch(p.slot)
	b.wantISR(p)
	b.touch(p)
}

// deletePartition removes a replica whose topic is gone.
func (b *Broker) deletePartition(p *partition) {
	delete(b.byName, p.TP)
	delete(b.byKey, partitionKey{p.TopicID, p.TP.Partition})
	if p.opening {
		p.opening = false
		b.opening--
	}
	p.deleting = true
	b.leaving[p.TP] = p
	p.Retire()
	b.follow(p)
	b.touch(p)
	b.produces.Touch(p.slot)
	b.fetches.Touch(p.slot)
	// First the checkpoints forget it, then the directory goes, then the name is free: so an entry that outlives a crash
	// always finds the directory it speaks of.
	b.checkpoint.burials = append(b.checkpoint.burials, p)
}
