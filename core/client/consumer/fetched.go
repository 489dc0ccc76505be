package consumer

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetched takes the end of a fetch.
func (c *Consumer) fetched(now core.Now, s *session, done *cluster.Completion) {
	s.inflight = false
	resp, ok := done.Resp.(*kmsg.FetchResponse)
	if !ok {
		// Whether the broker advanced the session is unknown: begin another, and do not insist on a replica that may be
		// unreachable for us.
		s.body = nil
		c.leave(now, s)
		s.reset()
		return
	}
	if err := core.ErrorCode(resp.ErrorCode); err != core.ErrNone {
		c.sessionError(now, s, err)
		return
	}
	for i := range resp.Brokers {
		b := &resp.Brokers[i]
		c.cl.HintNode(core.NodeID(b.NodeID), b.Host, b.Port)
	}
	for i := range resp.Topics {
		c.takeTopic(now, s, resp.Version, &resp.Topics[i])
	}
	s.advance(resp.SessionID)
}

// sessionError treats an error of a fetch as a whole.
func (c *Consumer) sessionError(now core.Now, s *session, err core.ErrorCode) {
	switch err {
	case core.ErrFetchSessionIDNotFound: // evicted from the broker's cache, or the broker was restarted
		s.id = 0
	case core.ErrInvalidFetchSessionEpoch, core.ErrFetchSessionTopicIDError:
		// The id stays: epoch 0 closes that session, which would else keep its place in the broker's cache.
	default:
		if err != core.ErrUnsupportedVersion && !err.Retriable() {
			c.tellAll(now, s, err)
		}
		s.retryAt = c.cl.RetryAfter(now.Mono, 1)
	}
	s.reset()
}

// takeTopic uses one topic of a response: each partition that is still where it was when the request left.
func (c *Consumer) takeTopic(now core.Now, s *session, version int16, t *kmsg.FetchResponseTopic) {
	var meta *cluster.Topic
	if version >= 13 {
		meta = c.cl.TopicByID(t.TopicID)
	} else if p := c.anyOf(t); p != nil {
		meta = p.meta
	}
	if meta == nil {
		return
	}
	for j := range t.Partitions {
		r := &t.Partitions[j]
		p := c.find(meta.Name, r.Partition)
		if p == nil {
			continue
		}
		at, ok := s.at[p]
		if !ok || s.entries[at].moved != p.moved || !p.assigned || p.state != fetching {
			continue
		}
		// A former leader's answer may come when the next one's has been used: it begins before the position.
		if e := &s.entries[at]; e.offset == p.fetch.offset {
			c.take(now, s, p, e, r)
		}
	}
}

// anyOf is a known partition of a topic that a response names.
func (c *Consumer) anyOf(t *kmsg.FetchResponseTopic) *partition {
	for j := range t.Partitions {
		if p := c.find(t.Topic, t.Partitions[j].Partition); p != nil {
			return p
		}
	}
	return nil
}

func (c *Consumer) tellAll(now core.Now, s *session, err core.ErrorCode) {
	for i := range s.entries {
		if p := s.entries[i].p; p.assigned {
			c.trouble(now, p, err, "fetch")
		}
	}
}

// take uses one partition of a response.
func (c *Consumer) take(now core.Now, s *session, p *partition, e *entry, r *kmsg.FetchResponseTopicPartition) {
	err := core.ErrorCode(r.ErrorCode)
	if err != core.ErrNone {
		e.stale = true // brokers drop or keep such a partition in the session: name it again, or forget it
		c.fetchError(now, s, p, r, err)
		return
	}
	p.marks.HighWatermark = core.Offset(r.HighWatermark)
	p.marks.LastStableOffset = core.Offset(r.LastStableOffset)
	if r.LogStartOffset >= 0 {
		p.marks.LogStartOffset = core.Offset(r.LogStartOffset)
	}
	if r.PreferredReadReplica >= 0 && len(r.RecordBatches) == 0 {
		p.preferred = core.NodeID(r.PreferredReadReplica)
		p.preferTil = now.Mono.Add(c.cl.Options().MetadataMaxAge)
		return
	}
	from := p.fetch.offset
	if len(r.RecordBatches) == 0 {
		c.keep(s, p, e, from)
		p.works()
		return
	}
	if p.preferred == s.node {
		p.astray = 0
	}
	next, good, detail := c.verify(p.fetch, core.Offset(r.HighWatermark), r.RecordBatches)
	if next.offset > p.fetch.offset {
		p.buffer = append(p.buffer, newChunk(r, good, c.opts.Isolation == ReadCommitted))
		p.buffered += int64(len(r.RecordBatches))
		p.fetch = next
	}
	c.keep(s, p, e, from)
	if detail != "" {
		e.stale = true
		c.trouble(now, p, core.ErrCorruptMessage, detail)
		return
	}
	p.works()
}

// fetchError treats a partition's error.
func (c *Consumer) fetchError(now core.Now, s *session, p *partition, r *kmsg.FetchResponseTopicPartition,
	err core.ErrorCode) {
	switch err {
	case core.ErrOffsetOutOfRange:
		leader, _ := p.meta.Leader(p.index)
		switch {
		case s.node != leader: // a follower may not have it yet, or not any more (KIP-392)
			c.stray(now, p)
		case len(p.buffer) > 0: // hand out what was fetched before; then the error comes again
			p.retryAt = c.cl.RetryAfter(now.Mono, 1)
		default:
			c.lose(p, err, "the position is not in the log")
		}
	case core.ErrNotLeaderOrFollower, core.ErrFencedLeaderEpoch, core.ErrReplicaNotAvailable, core.ErrKafkaStorageError,
		core.ErrOffsetNotAvailable, core.ErrUnknownTopicOrPartition, core.ErrUnknownTopicID, core.ErrInconsistentTopicID,
		core.ErrLeaderNotAvailable:
		p.preferred = core.NoNode
		c.cl.Refresh()
		before, _ := p.meta.Leader(p.index)
		c.cl.Hint(p.meta, p.index, core.NodeID(r.CurrentLeader.LeaderID), core.LeaderEpoch(r.CurrentLeader.LeaderEpoch))
		if after, _ := p.meta.Leader(p.index); before == after {
			p.failures++
			p.retryAt = c.cl.RetryAfter(now.Mono, p.failures)
		}
	case core.ErrUnknownLeaderEpoch: // the broker is behind us and will catch up
		p.failures++
		p.retryAt = c.cl.RetryAfter(now.Mono, p.failures)
	case core.ErrTopicAuthorizationFailed, core.ErrInvalidTopic:
		c.stop(p, err, core.NoOffset, "fetch")
	default:
		c.trouble(now, p, err, "fetch")
	}
}
