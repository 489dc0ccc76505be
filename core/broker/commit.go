package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

// commitQueue holds answers to changes of metadata until the change is committed and applied here.
type commitQueue struct{ waiting []commitWait }

// commitWait is one answer.
type commitWait struct {
	end      core.Offset // the change's records lie below it
	opened   bool        // wait too until partitions that the change created can be written to
	deadline core.Mono   // for opened only: a change that was proposed cannot be taken back, so its answer waits
	reply    step.Reply
}

// propose replays records into the controller's image and appends them to the metadata log. They are committed when
// the image has reached the offset before the returned one.
func (b *Broker) propose(now core.Now, recs []metadata.Record) (end core.Offset) {
	if len(recs) == 0 {
		return b.quorum.Log().LogEndOffset()
	}
	level := b.ctl.MetadataVersion(recs)
	values := make([][]byte, len(recs))
	for i, r := range recs {
		values[i] = metadata.AppendTo(nil, r, level)
	}
	base := b.quorum.Propose(now, values)
	if base == core.NoOffset {
		return base // the log is offline and the broker about to end
	}
	if err := b.ctl.Replay(recs, base, b.quorum.Epoch()); err != nil {
		b.fail("the controller proposed what it cannot replay: " + err.Error())
	}
	return base + core.Offset(len(recs))
}

// answerAfter holds a reply back until everything below end is applied.
func (b *Broker) answerAfter(end core.Offset, opened bool, deadline core.Mono, reply step.Reply) {
	b.commits.waiting = append(b.commits.waiting, commitWait{end: end, opened: opened, deadline: deadline, reply: reply})
}

// release sends the answers whose change has been applied.
func (q *commitQueue) release(b *Broker, now core.Now, out *step.Effects) {
	kept := q.waiting[:0]
	for _, w := range q.waiting {
		applied := w.end <= b.image.Offset()+1
		if applied && (!w.opened || b.opening == 0 || w.deadline <= now.Mono) {
			out.Replies = append(out.Replies, w.reply)
		} else {
			kept = append(kept, w)
		}
	}
	clear(q.waiting[len(kept):])
	q.waiting = kept
}

// nextDeadline is the earliest instant at which an applied change stops waiting for its partitions.
func (q *commitQueue) nextDeadline(applied core.Offset) (at core.Mono, ok bool) {
	for _, w := range q.waiting {
		if w.opened && w.end <= applied+1 && (!ok || w.deadline < at) {
			at, ok = w.deadline, true
		}
	}
	return at, ok
}

// applyCommitted replays what the quorum has committed and acts on what it changed.
func (b *Broker) applyCommitted(now core.Now, out *step.Effects) {
	for _, c := range b.quorum.Drain() {
		rec, err := metadata.Parse(c.Value)
		if err == nil {
			err = b.image.Replay(rec, c.Offset, c.Epoch, &b.changes)
		}
		if err != nil {
			b.fail("the metadata log cannot be applied: " + err.Error())
			return
		}
	}
	if b.phase >= phaseLogs { // until then everything is read from the image at once
		for i := range b.changes {
			b.applyChange(now, &b.changes[i], out)
		}
	}
	clear(b.changes)
	b.changes = b.changes[:0]
}

// applyChange brings replicas in line with one change of the image.
func (b *Broker) applyChange(now core.Now, c *metadata.Change, out *step.Effects) {
	switch c.Kind {
	case metadata.TopicDeleted:
		for _, p := range b.byTopic[c.TopicID] {
			b.deletePartition(p)
		}
		delete(b.byTopic, c.TopicID)
	case metadata.PartitionCreated, metadata.PartitionChanged:
		b.applyPartition(now, c.Topic, c.TopicID, c.After, out)
	case metadata.ConfigChanged:
		b.applyConfig(now, c.Resource)
	default: // no replica depends on the other changes
	}
}

// applyConfig resolves the configuration of the topics that a changed resource touches: the topic itself, or all of
// them for a broker's.
func (b *Broker) applyConfig(now core.Now, res metadata.ConfigResource) {
	for _, p := range b.partitions {
		if p == nil || p.deleting || res.Type == metadata.ResourceTopic && res.Name != p.TP.Topic {
			continue
		}
		p.cfg = b.topicConfig(p.TP.Topic)
		p.Log.Reconfigure(b.logConfig(p.cfg))
		b.touch(p)
	}
	b.retentionAt = min(b.retentionAt, now.Mono) // a shorter retention takes effect without waiting for the interval
}

// configLayers looks a topic's property up through the layers below its own defaults: the topic's override, then the
// broker's dynamic value, the cluster's dynamic default and the static file under the broker's name for it.
func (b *Broker) configLayers(topic string) func(name, synonym string) (string, bool) {
	return func(name, synonym string) (string, bool) {
		if v, ok := b.image.Config(metadata.ConfigResource{Type: metadata.ResourceTopic, Name: topic}, name); ok {
			return v, true
		}
		if synonym == "" {
			return "", false
		}
		for _, res := range []string{b.nodeName(), ""} {
			if v, ok := b.image.Config(metadata.ConfigResource{Type: metadata.ResourceBroker, Name: res}, synonym); ok {
				return v, true
			}
		}
		v, ok := b.opts.Static[synonym]
		return v, ok
	}
}
