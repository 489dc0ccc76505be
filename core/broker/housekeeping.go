package broker

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// checkpointState tracks the writing of the recovery-point and log-start checkpoints.
type checkpointState struct {
	writing  int          // files being written
	answers  []step.Reply // held until checkpoints written from now on are durable
	inFlight []step.Reply // held until those being written are
	raises   []raise      // log starts that take effect with the answers
	raising  []raise      // those that the checkpoints being written say
	burials  []*partition // logs to be deleted once the checkpoints do not name them
	burying  []*partition // those that the checkpoints being written leave out
	closing  bool         // logs were told to close
	final    bool         // the last checkpoints were handed out
}

// nodeName is the broker's name as a configuration resource.
func (b *Broker) nodeName() string { return strconv.FormatInt(int64(b.cfg.NodeID), 10) }

// schedule keeps the deadline of a partition's log: the instant at which its disk must have answered.
func (b *Broker) schedule(p *partition) {
	at, ok := p.Log.NextDeadline()
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
	var next earliest
	next.take(b.deadlines.Next())
	next.take(b.produces.NextDeadline())
	next.take(b.fetches.NextDeadline())
	next.take(b.commits.nextDeadline(b.image.Offset()))
	if b.quorum != nil {
		next.take(b.quorum.NextDeadline())
	}
	if b.phase == phaseStopping && !b.checkpoint.closing {
		next.take(0, true)
	}
	if b.phase == phaseServing {
		next.take(b.checkpointAt, true)
		next.take(b.retentionAt, true)
	}
	return next.at, next.ok
}

// earliest is the least of several optional instants.
type earliest struct {
	at core.Mono
	ok bool
}

func (e *earliest) take(at core.Mono, ok bool) {
	if ok && (!e.ok || at < e.at) {
		e.at, e.ok = at, true
	}
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
		b.touch(p)
	}
	if b.quorum != nil {
		if at, ok := b.quorum.NextDeadline(); ok && at <= now.Mono {
			b.quorum.Tick(now, out)
		}
	}
	if b.phase != phaseServing {
		return
	}
	if b.checkpointAt <= now.Mono {
		b.checkpointAt = now.Mono.Add(core.Millis(b.checkpointMs()))
		b.writeCheckpoints(tagWriteRecovery, tagWriteLogStart, out)
	}
	if b.retentionAt <= now.Mono {
		b.retentionAt = now.Mono.Add(core.Millis(b.cfg.RetentionCheckMs))
		b.applyRetention(now, out)
	}
}

// applyRetention removes what is past its time or size, never past the HighWatermark (KAFKA-5634).
func (b *Broker) applyRetention(now core.Now, out *step.Effects) {
	for _, p := range b.partitions {
		if p != nil && !p.deleting && p.Log.Ready() && p.Log.ApplyRetention(now, p.HighWatermark(), out) > 0 {
			b.touch(p)
		}
	}
}

// writeCheckpoints writes both checkpoint files, unless a writing is still under way.
func (b *Broker) writeCheckpoints(recovery, start smallfile.Tag, out *step.Effects) {
	if b.checkpoint.writing > 0 {
		return
	}
	points := []log.PartitionOffset{{TopicPartition: metadataPartition(), Offset: b.quorum.Log().RecoveryPoint()}}
	var starts []log.PartitionOffset
	for _, p := range b.partitions {
		if p == nil || p.deleting || p.opening {
			continue
		}
		points = append(points, log.PartitionOffset{TopicPartition: p.TP, Offset: p.Log.RecoveryPoint()})
		if s := max(p.Log.LogStartOffset(), p.raisedStart); s > 0 {
			starts = append(starts, log.PartitionOffset{TopicPartition: p.TP, Offset: s})
		}
	}
	b.checkpoint.writing = 2
	b.files.Replace(fileRecoveryPoint, log.AppendOffsets(nil, points), recovery, out)
	b.files.Replace(fileLogStart, log.AppendOffsets(nil, starts), start, out)
}

func metadataPartition() core.TopicPartition { return core.TopicPartition{Topic: "__cluster_metadata"} }

// checkpointWritten takes the completion of a checkpoint file or of the clean-shutdown marker.
func (b *Broker) checkpointWritten(now core.Now, r smallfile.Result, out *step.Effects) {
	if r.Tag == tagShutdownMarker {
		b.phase = phaseStopped
		return
	}
	if b.checkpoint.writing--; b.checkpoint.writing == 0 {
		for i := range b.checkpoint.raising {
			b.checkpoint.raising[i].take(b, now, out)
		}
		clear(b.checkpoint.raising)
		b.checkpoint.raising = b.checkpoint.raising[:0]
		out.Replies = append(out.Replies, b.checkpoint.inFlight...)
		b.checkpoint.inFlight = b.checkpoint.inFlight[:0]
		for _, p := range b.checkpoint.burying {
			p.Log.Delete(now, b.randomHex(), out)
			b.touch(p)
		}
		b.checkpoint.burying = b.checkpoint.burying[:0]
	}
}

// answerCheckpointed starts the writing of checkpoints that answers or deletions wait for.
func (b *Broker) answerCheckpointed(out *step.Effects) {
	c := &b.checkpoint
	if len(c.answers) == 0 && len(c.burials) == 0 || c.writing > 0 {
		return
	}
	c.burials, c.burying = c.burying[:0], c.burials
	c.answers, c.inFlight = c.inFlight[:0], c.answers
	c.raises, c.raising = c.raising[:0], c.raises
	b.writeCheckpoints(tagWriteRecovery, tagWriteLogStart, out)
}

// Shutdown begins an orderly end: requests are refused, logs are flushed and closed, and a marker vouches for them so
// that the next start scans nothing. The owner calls it between turns and polls until [Broker.Halted].
func (b *Broker) Shutdown() {
	if b.phase == phaseServing {
		b.phase = phaseStopping
	} else if b.phase < phaseServing {
		b.fail("stopped before start-up was complete")
	}
}

// stopping closes the logs, then writes the last checkpoints, then the marker.
func (b *Broker) stopping(now core.Now, out *step.Effects) {
	for _, p := range b.partitions {
		if p != nil && !p.deleting && p.Log.Ready() { // one that is still opening is closed when it is open
			p.Log.Close(now, out)
			b.touch(p)
			b.produces.Touch(p.slot) // waiters are told that nobody leads here any more
			b.fetches.Touch(p.slot)
		}
	}
	if !b.checkpoint.closing {
		b.checkpoint.closing = true
		b.quorum.Close(now, out)
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
	switch {
	case !b.quorum.Log().Closed() || b.files.Busy():
	case !b.checkpoint.final:
		b.checkpoint.final = true
		b.writeCheckpoints(tagShutdownPoint, tagShutdownStart, out)
	case b.anyOffline():
		b.fail("stopped; a partition was offline, so the next start scans its log")
	default:
		b.files.Replace(fileCleanShutdown, log.AppendCleanShutdown(nil, b.brokerEpoch()), tagShutdownMarker, out)
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

// brokerEpoch is the epoch of this incarnation's registration.
func (b *Broker) brokerEpoch() core.BrokerEpoch {
	if reg := b.image.Broker(b.cfg.NodeID); reg != nil {
		return reg.Epoch
	}
	return -1
}
