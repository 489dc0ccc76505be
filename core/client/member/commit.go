package member

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commit is one commit until its outcome.
type commit struct {
	out      Commit
	claims   []*claim // parallel to out.Offsets
	settled  []bool   // likewise: the partition has its outcome
	made     []int32  // likewise: the incarnation of the topic
	due      core.Mono
	retryAt  core.Mono
	failures int
	inflight bool
	finished bool
	call     cluster.Call

	// of the attempt in flight
	sentAs     int32 // generation
	sentRound  uint64
	rebalanced bool // refused while the group rebalances: wait for the next generation
}

// Commit stores places; its [Commit] carries the token. Without offsets it stores where everything is that was handed out: the
// application says that it is done with it.
func (m *Member) Commit(now core.Now, offsets []Offset, token uint64) {
	m.renew()
	if offsets == nil {
		for tp, c := range m.claims.All() {
			if c.delivered.offset != core.NoOffset {
				offsets = append(offsets, Offset{TopicPartition: tp, Offset: c.delivered.offset, EpochPlusOne: c.delivered.epochPlusOne})
			}
		}
	}
	c := &commit{out: Commit{Token: token, Offsets: offsets, Tag: m.tag, Generation: m.generation}}
	for i := range offsets {
		c.claims = append(c.claims, m.claims.At(offsets[i].TopicPartition))
	}
	m.place(now, c)
}

func (m *Member) place(now core.Now, c *commit) {
	m.dirty = true
	c.due = now.Mono.Add(m.opts.CommitTimeout)
	c.settled, c.made = make([]bool, len(c.claims)), make([]int32, len(c.claims))
	for i, p := range c.claims {
		if p != nil {
			c.made[i] = p.incarnation
		}
	}
	m.commits = append(m.commits, c)
	if m.closed || m.state == Off || m.state == Failed || len(c.claims) == 0 {
		m.commits = m.commits[:len(m.commits)-1]
		m.finish(c, core.ErrIllegalGeneration)
	}
}

// Commits appends the outcomes of commits since the last call to dst, in the order of finishing.
func (m *Member) Commits(dst []Commit) []Commit {
	dst = append(dst, m.results...)
	clear(m.results)
	m.results = m.results[:0]
	return dst
}

// Unfinished appends the commits that have no outcome yet to dst: who throws the client away does not know what becomes of them.
func (m *Member) Unfinished(dst []Commit) []Commit {
	for _, c := range m.commits {
		if c.inflight || c.out.Ambiguous {
			dst = append(dst, c.out)
		}
	}
	return dst
}

// autoCommit commits what was processed, when it is time.
func (m *Member) autoCommit(now core.Now) {
	if m.opts.ManualCommit {
		return
	}
	if now.Mono >= m.autoAt {
		m.autoAt = now.Mono.Add(m.opts.AutoCommitInterval)
		m.commitProcessed(now, false)
	}
	m.wakeAt(now, m.autoAt)
}

// commitProcessed begins an automatic commit: of the partitions that are being revoked, or of all.
func (m *Member) commitProcessed(now core.Now, revoking bool) {
	if m.opts.ManualCommit {
		return
	}
	m.renew()
	c := &commit{out: Commit{Auto: true, Tag: m.tag, Generation: m.generation}}
	for tp, p := range m.claims.All() {
		if p.processed.offset != core.NoOffset && p.processed.offset != p.committed && (p.revoking || !revoking) {
			c.claims = append(c.claims, p)
			c.out.Offsets = append(c.out.Offsets, Offset{TopicPartition: tp, Offset: p.processed.offset, EpochPlusOne: p.processed.epochPlusOne})
		}
	}
	if len(c.claims) == 0 {
		return
	}
	for i, old := range m.commits { // what the coordinator has never taken in is out of date
		if old.out.Auto && !old.inflight && !old.out.Ambiguous && !slices.Contains(old.settled, true) {
			m.commits = append(m.commits[:i], m.commits[i+1:]...)
			break
		}
	}
	m.place(now, c)
}

// sendCommit sends the first commit that is not finished. One at a time: two on their way could arrive in either order if the
// connection is lost in between, and the older one would win.
func (m *Member) sendCommit(now core.Now, out *step.Effects) {
	for len(m.commits) > 0 {
		c := m.commits[0]
		if c.inflight {
			return
		}
		open := m.disown(c)
		switch {
		case open == 0:
			m.done(c)
			continue
		case now.Mono >= c.due:
			m.settle(c, core.ErrRequestTimedOut)
			m.done(c)
			continue
		}
		m.wakeAt(now, c.due)
		switch {
		case c.rebalanced && m.state != Stable && m.state != Leaving:
			return // after the rebalance, in its generation
		case now.Mono < c.retryAt:
			m.wakeAt(now, c.retryAt)
			return
		}
		l := m.link(now, cluster.Main, out)
		if l == nil {
			return
		}
		m.transmit(now, c, l, out)
		return
	}
}

// disown settles what is not this member's any more, or of a topic that is gone, and counts what is left to be committed.
func (m *Member) disown(c *commit) (open int) {
	m.renew()
	for i, p := range c.claims {
		switch {
		case c.settled[i]:
		case p == nil || !p.held:
			c.settled[i], c.out.Offsets[i].Err = true, core.ErrIllegalGeneration
		case p.incarnation != c.made[i]:
			c.settled[i], c.out.Offsets[i].Err = true, core.ErrUnknownTopicID
		default:
			open++
		}
	}
	return open
}

func (m *Member) transmit(now core.Now, c *commit, l *cluster.Link, out *step.Effects) {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation, req.MemberID, req.InstanceID = m.opts.Group, m.generation, m.memberID, m.instance()
	var open []*claim
	at := make(map[string]int)
	for i, p := range c.claims {
		if c.settled[i] {
			continue
		}
		open = append(open, p)
		o := &c.out.Offsets[i]
		row := kmsg.NewOffsetCommitRequestTopicPartition()
		row.Partition, row.Offset, row.LeaderEpoch = o.Partition, int64(o.Offset), int32(o.EpochPlusOne)-1
		row.Metadata = kmsg.StringPtr(o.Metadata)
		n, ok := at[o.Topic]
		if !ok {
			n = len(req.Topics)
			at[o.Topic] = n
			t := kmsg.NewOffsetCommitRequestTopic()
			t.Topic, t.TopicID = o.Topic, m.cl.Want(o.Topic).ID
			req.Topics = append(req.Topics, t)
		}
		req.Topics[n].Partitions = append(req.Topics[n].Partitions, row)
	}
	// Below version 1 there is no generation: a commit that cannot be fenced.
	c.call = cluster.Call{Owner: cluster.Group, Ref: c, Body: req, MinVersion: 1}
	if m.opts.InstanceID != "" {
		c.call.MinVersion = 7
	}
	if !m.byIDs(open) {
		c.call.MaxVersion = namedOnly
	}
	if !m.cl.Call(now, l, &c.call, out) {
		m.settle(c, core.ErrUnsupportedVersion)
		m.done(c)
		return
	}
	c.inflight, c.rebalanced, c.sentAs, c.sentRound = true, false, m.generation, m.round
}

// committed takes the end of one attempt.
func (m *Member) committed(now core.Now, c *commit, done *cluster.Completion) {
	if c.finished { // its time was up, or the membership over
		return
	}
	c.inflight, m.dirty = false, true
	resp, ok := done.Resp.(*kmsg.OffsetCommitResponse)
	if !ok {
		c.out.Ambiguous = true
		m.lostTouch(now)
		m.retryCommit(now, c)
		return
	}
	for i := range resp.Topics {
		name := m.topicName(resp.Version, resp.Topics[i].Topic, resp.Topics[i].TopicID)
		for j := range resp.Topics[i].Partitions {
			p := &resp.Topics[i].Partitions[j]
			if at := c.find(core.TopicPartition{Topic: name, Partition: p.Partition}); at >= 0 && !m.rowCommitted(now, c, at, core.ErrorCode(p.ErrorCode)) {
				return
			}
		}
	}
	if m.disown(c) > 0 {
		m.retryCommit(now, c)
	}
}

func (c *commit) find(tp core.TopicPartition) int {
	for i := range c.out.Offsets {
		if c.out.Offsets[i].TopicPartition == tp && !c.settled[i] {
			return i
		}
	}
	return -1
}

// rowCommitted takes one partition's outcome. It is false if the membership is over.
func (m *Member) rowCommitted(now core.Now, c *commit, at int, code core.ErrorCode) bool {
	switch code {
	case core.ErrNone:
		c.settled[at], c.out.Offsets[at].Err = true, core.ErrNone
		if c.claims[at].incarnation == c.made[at] {
			c.claims[at].committed = c.out.Offsets[at].Offset
		}
	case core.ErrRebalanceInProgress:
		// The next generation has been decided, and the coordinator waits for its assignment: commit in that one.
		c.rebalanced = true
		if m.state == Stable {
			m.rejoin = true
		}
	case core.ErrIllegalGeneration, core.ErrUnknownMemberID, core.ErrStaleMemberEpoch, core.ErrFencedMemberEpoch, core.ErrGroupIDNotFound:
		switch {
		case c.sentAs != m.generation || c.sentRound != m.round: // there is a newer one: try again, if the claim has survived
		case code == core.ErrStaleMemberEpoch: // the next heartbeat tells the new epoch
			m.modern.beatNow = true
		default:
			m.expelled(now, code)
			return false
		}
	case core.ErrFencedInstanceID:
		m.fail(code, "another process has the same group.instance.id")
		return false
	case core.ErrRequestTimedOut: // it may have been appended
		c.out.Ambiguous = true
		m.coordinatorSays(now, core.ErrNotCoordinator)
	case core.ErrUnknownTopicID: // the topic has another by now
		m.cl.Refresh()
	case core.ErrUnknownTopicOrPartition, core.ErrUnstableOffsetCommit:
	default:
		if code.Retriable() {
			// A coordinator that ceases to be one answers so too what it has appended: the records may survive it.
			c.out.Ambiguous = c.out.Ambiguous || code != core.ErrCoordinatorLoadInProgress
			m.coordinatorSays(now, code)
			return true
		}
		c.settled[at], c.out.Offsets[at].Err = true, code
	}
	return true
}

func (m *Member) retryCommit(now core.Now, c *commit) {
	c.failures++
	c.retryAt = m.cl.RetryAfter(now.Mono, c.failures)
}

// settle gives all partitions without an outcome the same.
func (m *Member) settle(c *commit, code core.ErrorCode) {
	for i := range c.claims {
		if !c.settled[i] {
			c.settled[i], c.out.Offsets[i].Err = true, code
		}
	}
}

// done takes the first commit, which is settled, out of the queue.
func (m *Member) done(c *commit) {
	m.commits = m.commits[1:]
	m.finish(c, core.ErrNone)
	m.dirty = true
}

// finish tells the outcome; what has none yet gets the given one.
func (m *Member) finish(c *commit, code core.ErrorCode) {
	c.finished = true
	if c.inflight {
		c.out.Ambiguous = true
	}
	m.settle(c, code)
	for i := range c.out.Offsets {
		if c.out.Err = c.out.Offsets[i].Err; c.out.Err != core.ErrNone {
			break
		}
	}
	if !c.out.Auto || m.opts.Witness {
		m.results = append(m.results, c.out)
	}
}
