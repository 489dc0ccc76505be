package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/keeping"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/log/cleaner"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// checkpointState tracks the writing of the recovery-point and log-start checkpoints.
type checkpointState struct {
	writing int          // files being written
	raises  []*raise     // log starts that take effect with the next checkpoints
	raising []*raise     // those that the checkpoints being written say
	burials []*partition // logs to be deleted once the checkpoints do not name them
	burying []*partition // those that the checkpoints being written leave out
	// pointsAwaited and marksAwaited say that burying waits for the checkpoints, and for the file of HighWatermarks.
	pointsAwaited, marksAwaited bool
	lower                       bool        // a truncation waits for the recovery points
	said                        []saidPoint // what the checkpoints being written say
	closing                     bool        // logs were told to close
	final                       bool        // the last checkpoints were handed out
}

// saidPoint is one log's entry in the recovery-point checkpoint.
type saidPoint struct {
	p     *partition // nil for the metadata log
	point core.Offset
	clean core.Offset // in the cleaner's checkpoint
}

// schedule keeps the deadline of a partition: the instant at which its disk must have answered, or a follower that is
// behind must have caught up.
func (b *Broker) schedule(p *partition) {
	var next keeping.Earliest
	next.Take(p.Log.NextDeadline())
	if !p.deleting {
		next.Take(p.Replica.NextDeadline())
	}
	if p.internal != nil {
		next.Take(p.internal.NextDeadline(p.TP.Partition))
	}
	at, ok := next.At, next.OK
	if ok && at == p.timerAt {
		return
	}
	b.deadlines.Cancel(p.timer)
	p.timer, p.timerAt = deadline.Handle{}, 0
	if ok {
		p.timer, p.timerAt = b.deadlines.Add(at, p), at
	}
}

// scheduleHousekeeping starts the periodic work.
func (b *Broker) scheduleHousekeeping(now core.Now) {
	b.checkpointAt = now.Mono.Add(core.Millis(b.checkpointMs()))
	b.retentionAt = now.Mono.Add(core.Millis(b.cfg.RetentionCheckMs))
	b.marksAt = now.Mono.Add(core.Millis(b.cfg.HWCheckpointMs))
	b.cleaner = cleaner.New(now, b.cfg.Cleaner)
}

func (b *Broker) checkpointMs() int64 {
	if b.opts.Tuning.CheckpointMs > 0 {
		return b.opts.Tuning.CheckpointMs
	}
	return b.cfg.CheckpointIntervalMs
}

// NextDeadline implements [step.Machine].
func (b *Broker) NextDeadline() (core.Mono, bool) {
	if b.halt != "" {
		return 0, false
	}
	var next keeping.Earliest
	next.Take(b.deadlines.Next())
	next.Take(b.produces.NextDeadline())
	next.Take(b.fetches.NextDeadline())
	next.Take(b.peers.NextDeadline())
	if b.coord != nil {
		next.Take(b.coord.groups.NextDeadline())
		next.Take(b.coord.txns.NextDeadline())
	}
	if b.plane != nil {
		next.Take(b.plane.NextDeadline())
		next.Take(b.lifecycleDue())
		next.Take(b.isrDue())
		next.Take(b.route.NextDeadline())
		next.Take(b.deletionDue())
		for _, f := range b.leaders {
			if !f.asking {
				next.Take(f.fetcher.NextDeadline())
			} else if f.fetcher.Starved() {
				next.Take(f.since+patience, true)
			}
		}
	}
	switch b.phase {
	case phaseStopping:
		if !b.checkpoint.closing {
			next.Take(b.life.giveUp, true)
		}
	case phaseLeaving:
		next.Take(b.desertedAt(), b.life.giveUp > 0)
		next.Take(b.life.giveUp, true) // 0, which is at once, before it has asked
	case phaseServing:
		next.Take(b.checkpointAt, true)
		if b.cfg.Roles.Broker {
			next.Take(b.retentionAt, true)
			next.Take(b.marksAt, true)
			next.Take(b.cleaner.NextDeadline())
		}
	default: // start-up waits for events
	}
	return next.At, next.OK
}

// tick does what is due.
func (b *Broker) tick(now core.Now, out *step.Effects) {
	for {
		p, ok := b.deadlines.PopDue(now.Mono)
		if !ok {
			break
		}
		p.timer, p.timerAt = deadline.Handle{}, 0
		p.Log.Tick(now)
		p.Replica.Tick(now)
		b.touch(p)
	}
	b.peers.Tick(now, out)
	b.route.Tick(now)
	if b.plane != nil {
		b.plane.Tick(now, out)
	}
	for _, f := range b.leaders {
		f.fetcher.Tick(now)
	}
	if b.coord != nil {
		b.coord.tick(now, out)
	}
	if b.phase != phaseServing && b.phase != phaseLeaving {
		return
	}
	if b.checkpointAt <= now.Mono {
		b.checkpointAt = now.Mono.Add(core.Millis(b.checkpointMs()))
		b.writeCheckpoints(out)
	}
	if !b.cfg.Roles.Broker {
		return
	}
	if b.marksAt <= now.Mono {
		b.marksAt = now.Mono.Add(core.Millis(b.cfg.HWCheckpointMs))
		b.writeMarks(out)
	}
	if b.retentionAt <= now.Mono {
		b.retentionAt = now.Mono.Add(core.Millis(b.cfg.RetentionCheckMs))
		b.applyRetention(now, out)
	}
	b.cleaner.Tick(now, b.compacted, func(l *log.Log) { b.touch(b.partitions[l.Owner()-ownerPartitions]) }, out)
}

// compacted yields the logs of compacted topics, for the cleaner to choose from.
func (b *Broker) compacted(yield func(cleaner.Candidate)) {
	for _, p := range b.partitions {
		if p != nil && p.cfg.Compact && !p.deleting && p.Log.Ready() {
			yield(cleaner.Candidate{Log: p.Log, Stable: p.LastStableOffset(), Everywhere: p.Everywhere()})
		}
	}
}

// applyRetention removes what is past its time or size, never past the HighWatermark (KAFKA-5634), and forgets producers that have been
// silent for producer.id.expiration.ms.
func (b *Broker) applyRetention(now core.Now, out *step.Effects) {
	for _, p := range b.partitions {
		if p == nil || p.deleting || !p.Log.Ready() {
			continue
		}
		removed, forgotten := p.Log.ApplyRetention(now, p.HighWatermark(), out), p.Log.ExpireProducers(now)
		if removed+forgotten > 0 {
			b.touch(p)
		}
	}
}

// writeCheckpoints writes the recovery points and the log starts, unless a writing is still under way.
func (b *Broker) writeCheckpoints(out *step.Effects) {
	c := &b.checkpoint
	if c.writing > 0 {
		return
	}
	c.lower = false
	c.said = append(c.said[:0], saidPoint{point: b.plane.Quorum().Log().RecoveryPoint()})
	var files keeping.Checkpoints
	files.Add(metadataPartition(), b.plane.Quorum().Log(), c.said[0].point, 0)
	if b.phase < phaseLogs { // no log is open yet; the metadata log may need the files all the same
		for _, tp := range b.boot.past.All(metadataPartition()) {
			files.AddPast(tp, b.boot.past.Of(tp))
		}
	}
	for _, p := range b.partitions {
		switch {
		case p == nil || p.deleting:
			continue
		case p.past != (log.Past{}): // not ready yet: were it left out, a crash now would lose its log start
			files.AddPast(p.TP, p.past)
			continue
		case p.opening:
			continue
		}
		point := p.Log.RecoveryPoint()
		clean := files.Add(p.TP, p.Log, point, max(p.Log.LogStartOffset(), p.raisedStart))
		c.said = append(c.said, saidPoint{p, point, clean})
		if point > p.pointSaid { // the file may say so from now on
			p.pointSaid = point
			p.Log.Supposed(point)
		}
	}
	b.plane.Quorum().Log().Supposed(c.said[0].point)
	c.writing = files.Write(b.files, tagCheckpoint, out)
}

// lowerCheckpoint notes that a log is about to be cut below what the recovery-point checkpoint promises of it.
func (b *Broker) lowerCheckpoint(p *partition) {
	if _, needs := p.Log.NeedsCheckpoint(); needs {
		b.checkpoint.lower = true
	}
}

// writeMarks writes the HighWatermarks (replication-offset-checkpoint). They are hints: a replica that starts without
// its entry knows less until it hears from the leader, and nothing else.
func (b *Broker) writeMarks(out *step.Effects) {
	if b.marksWriting {
		return
	}
	b.marksWriting = true
	var marks []log.PartitionOffset
	if b.phase < phaseLogs {
		for _, tp := range b.boot.past.All(metadataPartition()) {
			if mark, ok := b.boot.past.Marks[tp]; ok {
				marks = append(marks, log.PartitionOffset{TopicPartition: tp, Offset: mark})
			}
		}
	}
	for _, p := range b.partitions {
		if p != nil && !p.deleting && !p.opening && (p.Log.Ready() || p.Log.Closed()) { // the last file is written when all are closed
			marks = append(marks, log.PartitionOffset{TopicPartition: p.TP, Offset: p.HighWatermark()})
		}
	}
	b.files.Replace(fileHighWatermark, log.AppendOffsets(nil, marks), tagHWCheckpoint, out)
}

// buryForgotten removes the directories of deleted logs when no checkpoint names them any more.
func (b *Broker) buryForgotten(now core.Now, out *step.Effects) {
	c := &b.checkpoint
	if c.pointsAwaited || c.marksAwaited {
		return
	}
	for _, p := range c.burying {
		b.bury(now, p, out)
	}
	clear(c.burying)
	c.burying = c.burying[:0]
}

func metadataPartition() core.TopicPartition { return core.TopicPartition{Topic: metadataTopic} }

// checkpointWritten takes the completion of a checkpoint file or of the clean-shutdown marker.
func (b *Broker) checkpointWritten(now core.Now, r smallfile.Result, out *step.Effects) {
	c := &b.checkpoint
	switch r.Tag {
	case tagShutdownMarker:
		b.phase = phaseStopped
		return
	case tagHWCheckpoint:
		b.marksWriting, c.marksAwaited = false, false
		b.buryForgotten(now, out)
		return
	}
	if c.writing--; c.writing > 0 {
		return
	}
	for _, s := range c.said {
		if s.p == nil {
			b.plane.Quorum().Log().Checkpointed(now, s.point, out)
			continue
		}
		s.p.pointSaid = s.point
		s.p.Log.CleanPointSaid(s.clean, true)
		s.p.Log.Checkpointed(now, s.point, out)
		b.touch(s.p)
	}
	for i := range c.raising {
		c.raising[i].take(b, now, out)
	}
	clear(c.raising)
	c.raising = c.raising[:0]
	c.pointsAwaited = false
	b.buryForgotten(now, out)
}

// writeAwaited starts the writing of checkpoints that raised log starts, deletions or truncations wait for.
func (b *Broker) writeAwaited(out *step.Effects) {
	c := &b.checkpoint
	if b.plane != nil {
		if _, needs := b.plane.Quorum().Log().NeedsCheckpoint(); needs {
			c.lower = true
		}
	}
	bury := len(c.burials) > 0 && len(c.burying) == 0 && !b.marksWriting
	if len(c.raises) == 0 && !bury && !c.lower || c.writing > 0 {
		return
	}
	if bury {
		c.burials, c.burying = c.burying[:0], c.burials
		c.pointsAwaited, c.marksAwaited = true, true
		b.writeMarks(out)
	}
	c.raises, c.raising = c.raising[:0], c.raises
	b.writeCheckpoints(out)
}

// Shutdown begins an orderly end: the controller moves leaderships away, requests are refused, logs are flushed and
// closed, and a marker vouches for them so that the next start scans nothing. The owner calls it between turns and polls
// until [Broker.Halted].
func (b *Broker) Shutdown() {
	if b.phase == phaseServing {
		b.phase = phaseLeaving
	} else if b.phase < phaseServing {
		b.fail("stopped before start-up was complete")
	}
}

// stopping closes the logs, then writes the last checkpoints, then the marker.
func (b *Broker) stopping(now core.Now, out *step.Effects) {
	b.closeLogs(now, out)
	if !b.checkpoint.closing {
		if b.life.giveUp > now.Mono { // what the quorum's leader still has to tell the others
			return
		}
		b.checkpoint.closing = true
		b.peers.Close(out)
		b.plane.Close(now, out)
		return
	}
	for _, p := range b.partitions {
		if p == nil {
			continue
		}
		if _, offline := p.Log.Offline(); !p.Log.Closed() && !offline {
			return
		}
	}
	if !b.plane.Closed() {
		b.plane.Close(now, out) // the log may have been truncating when it was told first, and have ignored it
	}
	switch {
	case !b.plane.Closed() || b.files.Busy():
	case !b.checkpoint.final:
		b.checkpoint.final = true
		b.writeCheckpoints(out)
		b.writeMarks(out)
	case b.anyOffline():
		b.fail("stopped; a partition was offline, so the next start scans its log")
	default:
		b.files.Replace(fileCleanShutdown, log.AppendCleanShutdown(nil, b.brokerEpoch()), tagShutdownMarker, out)
	}
}

// closingAtOnce bounds the logs that are being closed: each opens several files to write its indexes and its snapshot.
const closingAtOnce = 256

// closeLogs closes logs, some at a time. One that is still opening is closed when it is open.
func (b *Broker) closeLogs(now core.Now, out *step.Effects) {
	busy := 0
	for _, p := range b.partitions {
		if p == nil || p.deleting || p.opening {
			continue
		}
		if _, offline := p.Log.Offline(); !offline && !p.Log.Ready() && !p.Log.Closed() {
			busy++
		}
	}
	for _, p := range b.partitions {
		if busy >= closingAtOnce {
			return
		}
		if p != nil && !p.deleting && p.Log.Ready() {
			busy++
			p.Log.Close(now, out)
			b.touch(p)
			b.produces.Touch(p.slot) // waiters are told that nobody leads here any more
			b.fetches.Touch(p.slot)
		}
	}
}

func (b *Broker) anyOffline() bool {
	for _, p := range b.partitions {
		if p != nil && p.offline {
			return true
		}
	}
	return false
}

// brokerEpoch is the epoch of this incarnation's registration, -1 without one.
func (b *Broker) brokerEpoch() core.BrokerEpoch { return b.life.epoch }
