package consumer

import (
	"math"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// session is a fetch session with one broker (KIP-227), or the wish for one.
type session struct {
	node     core.NodeID
	id       int32 // 0: none yet
	epoch    int32 // of the next request; 0 asks for a new session and closes the one named by id
	byID     bool  // the session's partitions were named by topic id
	inflight bool
	retryAt  core.Mono
	tag      int64 // the consumer's when the request in flight left

	entries []entry
	at      map[*partition]int // index into entries

	call cluster.Call
	body *kmsg.FetchRequest // nil while a lost request may still refer to it
}

// entry is a partition as the broker's session has it, and as it was when the request in flight left.
type entry struct {
	p       *partition
	topicID core.TopicID
	offset  core.Offset
	epoch   core.LeaderEpoch
	moved   uint32
	wanted  bool // scratch of a turn
	stale   bool // its last answer was an error: what the broker remembers of it is in doubt
}

// fetchAll sends a fetch to every broker that is idle and has something to be asked.
func (c *Consumer) fetchAll(now core.Now, out *step.Effects) {
	for _, s := range c.sessions {
		for i := range s.entries {
			s.entries[i].wanted = false
		}
	}
	ready := false
	for _, p := range c.assigned {
		if p.state != fetching || p.paused || now.Mono < p.retryAt {
			continue
		}
		node := c.source(now, p)
		if node == core.NoNode {
			c.cl.Refresh()
			continue
		}
		s := c.session(node)
		if s.inflight {
			continue
		}
		ready = true
		s.want(p)
	}
	if !ready {
		return
	}
	for _, s := range c.sessions {
		if s.inflight || !s.wanted() || c.held(s) >= c.opts.BufferBytes {
			continue
		}
		if now.Mono < s.retryAt {
			c.wakeAt(now, s.retryAt)
			continue
		}
		if l := c.cl.Link(now, s.node, cluster.Fetching, out); l != nil {
			c.fetchFrom(now, s, l, out)
		} else if c.cl.Failing(s.node, cluster.Fetching) {
			c.leave(now, s)
		}
	}
}

// source is the node to fetch a partition from.
func (c *Consumer) source(now core.Now, p *partition) core.NodeID {
	switch {
	case p.preferred == core.NoNode:
	case now.Mono >= p.preferTil:
		p.preferred = core.NoNode
	case !c.cl.Known(p.preferred): // the leader has heard of it, and we have not yet
		c.stray(now, p)
		c.cl.Refresh()
	}
	if p.preferred != core.NoNode {
		return p.preferred
	}
	leader, _ := p.meta.Leader(p.index)
	return leader
}

func (c *Consumer) session(node core.NodeID) *session {
	for _, s := range c.sessions {
		if s.node == node {
			return s
		}
	}
	s := &session{node: node, at: make(map[*partition]int)}
	c.sessions = append(c.sessions, s)
	return s
}

// want marks a partition to be in the session's next request.
func (s *session) want(p *partition) {
	i, ok := s.at[p]
	if !ok {
		i = len(s.entries)
		s.at[p] = i
		s.entries = append(s.entries, entry{p: p, offset: core.NoOffset, epoch: core.NoLeaderEpoch})
	}
	s.entries[i].wanted = true
}

func (s *session) wanted() bool {
	for i := range s.entries {
		if s.entries[i].wanted {
			return true
		}
	}
	return false
}

// held is the number of bytes that were fetched from a broker's partitions and not handed out. Paused partitions do
// not count: nobody may be going to drain them.
func (c *Consumer) held(s *session) int64 {
	n := int64(0)
	for i := range s.entries {
		if p := s.entries[i].p; p.assigned && !p.paused {
			n += p.buffered
		}
	}
	return n
}

// fetchFrom sends a broker's next fetch: all partitions, or what changed since the last one.
func (c *Consumer) fetchFrom(now core.Now, s *session, l *cluster.Link, out *step.Effects) {
	byID := l.Supports(int16(kmsg.Fetch), 13)
	for i := range s.entries {
		byID = byID && (!s.entries[i].wanted || !s.entries[i].p.meta.ID.IsZero())
	}
	if byID != s.byID { // one session cannot mix names and ids (KIP-516)
		s.byID, s.epoch = byID, 0
	}
	if c.opts.NoSessions {
		s.id, s.epoch = 0, -1
	}
	req := s.request()
	req.MaxWaitMillis = int32(min(c.opts.MaxWait/core.Millisecond, math.MaxInt32))
	req.MinBytes, req.MaxBytes = c.opts.MinBytes, c.opts.MaxBytes
	req.IsolationLevel = int8(c.opts.Isolation)
	if req.Rack = c.opts.Rack; s.alone(now) {
		req.Rack = ""
	}
	req.SessionID, req.SessionEpoch = s.id, s.epoch
	s.fill(req, c.opts.PartitionMaxBytes)
	s.call = cluster.Call{Owner: cluster.Consumer, Ref: s, Body: req, MinVersion: 4,
		Timeout: c.cl.Options().RequestTimeout.Add(c.opts.MaxWait)}
	if !byID {
		s.call.MaxVersion = 12
	}
	if c.cl.Call(now, l, &s.call, out) {
		s.inflight, s.tag = true, c.tag
		return
	}
	for i := range s.entries {
		if e := &s.entries[i]; e.wanted {
			c.stop(e.p, core.ErrUnsupportedVersion, core.NoOffset, "Fetch")
		}
	}
	s.reset()
}

// alone reports whether something is asked for that the broker is to answer itself.
func (s *session) alone(now core.Now) bool {
	return slices.ContainsFunc(s.entries, func(e entry) bool { return e.wanted && now.Mono < e.p.alone })
}

// request is an empty request body.
func (s *session) request() *kmsg.FetchRequest {
	if s.body == nil {
		s.body = kmsg.NewPtrFetchRequest()
	}
	s.body.Topics, s.body.ForgottenTopics = s.body.Topics[:0], s.body.ForgottenTopics[:0]
	return s.body
}

// fill names the partitions in a request and brings the entries up to what the broker will know.
func (s *session) fill(req *kmsg.FetchRequest, maxBytes int32) {
	full := s.epoch <= 0
	kept := s.entries[:0]
	for i := range s.entries {
		e := s.entries[i]
		known := !full && e.offset != core.NoOffset
		renamed := known && s.byID && e.topicID != e.p.meta.ID
		if known && (!e.wanted || renamed) {
			s.forget(req, &e)
		}
		if !e.wanted {
			delete(s.at, e.p)
			continue
		}
		changed := !known || renamed || e.stale || e.offset != e.p.fetch.offset || e.epoch != e.p.leaderEpoch
		e.stale = false
		e.topicID, e.offset, e.epoch, e.moved = e.p.meta.ID, e.p.fetch.offset, e.p.leaderEpoch, e.p.moved
		if changed {
			addPartition(req, &e, maxBytes)
		}
		s.at[e.p] = len(kept)
		kept = append(kept, e)
	}
	clear(s.entries[len(kept):])
	s.entries = kept
}

func addPartition(req *kmsg.FetchRequest, e *entry, maxBytes int32) {
	n := len(req.Topics)
	if n == 0 || req.Topics[n-1].Topic != e.p.meta.Name {
		if n < cap(req.Topics) { // keep the memory of its partitions
			req.Topics = req.Topics[:n+1]
		} else {
			req.Topics = append(req.Topics, kmsg.FetchRequestTopic{})
		}
		t := &req.Topics[n]
		t.Topic, t.TopicID, t.Partitions = e.p.meta.Name, e.topicID, t.Partitions[:0]
	}
	t := &req.Topics[len(req.Topics)-1]
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.CurrentLeaderEpoch = e.p.index, int32(e.epoch)
	p.FetchOffset, p.PartitionMaxBytes = int64(e.offset), maxBytes
	t.Partitions = append(t.Partitions, p)
}

func (s *session) forget(req *kmsg.FetchRequest, e *entry) {
	n := len(req.ForgottenTopics)
	if n == 0 || req.ForgottenTopics[n-1].Topic != e.p.meta.Name || req.ForgottenTopics[n-1].TopicID != e.topicID {
		f := kmsg.NewFetchRequestForgottenTopic()
		f.Topic, f.TopicID = e.p.meta.Name, e.topicID
		req.ForgottenTopics = append(req.ForgottenTopics, f)
		n++
	}
	f := &req.ForgottenTopics[n-1]
	f.Partitions = append(f.Partitions, e.p.index)
}

// leave stops preferring the broker, which cannot be reached. It stays the source of partitions that it leads.
func (c *Consumer) leave(now core.Now, s *session) {
	for i := range s.entries {
		if p := s.entries[i].p; p.preferred == s.node {
			c.stray(now, p)
		}
	}
}

// reset makes the next request name all partitions, and ask for a new session in place of the old one.
func (s *session) reset() {
	s.epoch = 0
	clear(s.entries)
	s.entries = s.entries[:0]
	clear(s.at)
}

// advance moves to the next epoch after a good answer.
func (s *session) advance(id int32) {
	switch {
	case id == 0: // the broker keeps no session: its cache is full, or the request was a full one of no session
		s.id = 0
		s.reset()
	case s.epoch == math.MaxInt32:
		s.id, s.epoch = id, 1
	default:
		s.id, s.epoch = id, s.epoch+1
	}
}
