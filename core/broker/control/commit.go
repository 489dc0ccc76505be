package control

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
	req      *step.Request
	reply    step.Reply
}

// applied reports whether the change is committed and applied here. One that the log has refused never is: the answer waits
// for the node's end, or that of its leadership.
func (w *commitWait) applied(p *Plane) bool {
	return w.end != core.NoOffset && w.end <= p.image.Offset()+1
}

// propose replays records into the controller's image and appends them to the metadata log, as one batch. They are
// committed when the image has reached the offset before the returned one.
func (p *Plane) propose(now core.Now, recs []metadata.Record) (end core.Offset) {
	if len(recs) == 0 {
		// The answer rests on what has been proposed, so it waits for that: a topic that exists already must not be
		// reported before its creation is certain.
		return p.pending
	}
	level := p.ctl.MetadataVersion(recs)
	values := make([][]byte, len(recs))
	for i, r := range recs {
		values[i] = metadata.AppendTo(nil, r, level)
	}
	base := p.quorum.Propose(now, values)
	if base == core.NoOffset {
		return base // the log is offline and the node about to end
	}
	if err := p.ctl.Replay(recs, base, p.quorum.Epoch()); err != nil {
		p.fail("the controller proposed what it cannot replay: " + err.Error())
	}
	p.pending, p.fresh = base+core.Offset(len(recs)), true
	return p.pending
}

// answerAfter holds a reply back until everything below end is applied.
func (p *Plane) answerAfter(r *step.Request, end core.Offset, opened bool, deadline core.Mono, reply step.Reply) {
	p.commits.waiting = append(p.commits.waiting, commitWait{end: end, opened: opened, deadline: deadline, req: r, reply: reply})
}

// release sends the answers whose change has been applied.
func (q *commitQueue) release(p *Plane, now core.Now, out *step.Effects) {
	kept := q.waiting[:0]
	for _, w := range q.waiting {
		if w.applied(p) && (!w.opened || p.Opening == 0 || w.deadline <= now.Mono) {
			p.send(w.reply, out)
		} else {
			kept = append(kept, w)
		}
	}
	clear(q.waiting[len(kept):])
	q.waiting = kept
}

// abandon answers NOT_CONTROLLER to everybody whose change is not committed: this node no longer learns first what
// becomes of it.
func (q *commitQueue) abandon(p *Plane, out *step.Effects) {
	for _, w := range q.waiting {
		if w.applied(p) {
			p.send(w.reply, out) // it is committed; only its partitions here were not open yet
			continue
		}
		p.send(answer(w.req, Refusal(w.req.Body, core.ErrNotController, "")), out)
	}
	clear(q.waiting)
	q.waiting = q.waiting[:0]
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

// applyCommitted replays what the quorum has committed. A snapshot begins a new image; what differs from the old one is
// then told as changes, as if they had been replayed one by one (KIP-630).
func (p *Plane) applyCommitted() {
	var before *metadata.Image
	for _, c := range p.quorum.Drain() {
		if c.Reset {
			before, p.image = p.image, metadata.NewImage()
			if c.Value == nil {
				p.changes = append(p.changes, p.image.ChangesSince(before)...)
				before = nil
				continue
			}
		}
		into := &p.changes
		if before != nil {
			into = nil
		}
		rec, err := metadata.Parse(c.Value)
		if err == nil {
			err = p.image.Replay(rec, c.Offset, c.Epoch, into)
		}
		if err != nil {
			p.fail("the metadata log cannot be applied: " + err.Error())
			return
		}
		if before != nil && c.SnapshotEnd {
			p.changes = append(p.changes, p.image.ChangesSince(before)...)
			before = nil
		}
	}
}
