package consumer

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// Consumer fetches assigned partitions. Make one with [New].
type Consumer struct {
	opts Options
	cl   *cluster.Cluster

	parts    map[core.TopicPartition]*partition // ever assigned
	assigned []*partition                       // in the order of assignment
	turn     int                                // where in assigned the next Poll begins
	sessions []*session                         // one per broker ever fetched from
	asks     []*ask                             // scratch of a turn

	events   []Event
	answers  []Answer
	tag      int64 // of requests sent now
	codecs   record.Codecs
	dirty    bool
	closed   bool
	deadline core.Mono
}

type partState uint8

const (
	locating   partState = iota // the position must be asked for
	validating                  // the position must be confirmed by the leader of a newer epoch
	fetching
	stopped // until the next Assign
)

// partition is one assigned partition.
type partition struct {
	meta     *cluster.Topic
	index    int32
	assigned bool
	paused   bool
	state    partState
	// moved counts everything that makes answers under way meaningless: seeks, resets, dropped buffers.
	moved uint32
	asked bool // a ListOffsets or OffsetForLeaderEpoch is in flight

	at       Start    // locating: what is looked for
	lostAt   position // locating after a loss: where the partition was, for the event
	position position // next to hand out
	fetch    position // next to fetch; the buffer lies between
	// leaderEpoch is the leader epoch in which the position is known to be valid.
	leaderEpoch core.LeaderEpoch
	doubted     core.LeaderEpoch // validating: the leader epoch that made it necessary
	incarnation int32

	buffer   []chunk
	buffered int64 // bytes in buffer
	reader   reader

	marks     Watermarks
	preferred core.NodeID // KIP-392; core.NoNode: the leader
	preferTil core.Mono
	astray    int       // times in a row that the preferred replica was of no use
	alone     core.Mono // until then the leader is not told where this consumer is, and so does not send it there again
	retryAt   core.Mono
	failures  int
	told      core.ErrorCode // the error of the last EventError since the partition last worked
}

// position is an offset and one more than the leader epoch of the record before it, 0 if that is unknown.
type position struct {
	offset       core.Offset
	epochPlusOne core.LeaderEpoch
}

// New makes a consumer on a cluster. Options must be valid; defaults are filled in.
func New(opts Options, cl *cluster.Cluster) *Consumer {
	return &Consumer{opts: opts.WithDefaults(), cl: cl, parts: make(map[core.TopicPartition]*partition),
		deadline: cluster.Never}
}

// Assign begins to consume a partition at the given place, or moves a partition that is consumed already. A paused
// partition stays paused.
func (c *Consumer) Assign(_ core.Now, topic string, partition int32, at Start) {
	c.dirty = true
	p := c.find(topic, partition)
	if p == nil {
		p = c.add(topic, partition)
	}
	if !p.assigned {
		p.assigned = true
		c.assigned = append(c.assigned, p)
	}
	p.incarnation = p.meta.Incarnation
	p.preferred, p.retryAt, p.failures, p.told = core.NoNode, 0, 0, core.ErrNone
	p.lostAt = position{offset: core.NoOffset}
	if at.Kind != SeekOffset {
		p.locate(at)
		return
	}
	p.moveTo(position{at.Offset, at.EpochPlusOne})
	p.leaderEpoch = core.NoLeaderEpoch // so that a known epoch is validated once there is a leader
	p.state = fetching
}

// Unassign stops consuming a partition and drops what was fetched of it.
func (c *Consumer) Unassign(_ core.Now, topic string, partition int32) {
	p := c.find(topic, partition)
	if p == nil || !p.assigned {
		return
	}
	c.dirty = true
	p.assigned, p.paused = false, false
	p.drop()
	for i, q := range c.assigned {
		if q == p {
			c.assigned = append(c.assigned[:i], c.assigned[i+1:]...)
			break
		}
	}
}

// Pause keeps a partition assigned without fetching it or handing out its records.
func (c *Consumer) Pause(_ core.Now, topic string, partition int32) {
	c.setPaused(topic, partition, true)
}

// Resume ends a pause.
func (c *Consumer) Resume(_ core.Now, topic string, partition int32) {
	c.setPaused(topic, partition, false)
}

func (c *Consumer) setPaused(topic string, partition int32, paused bool) {
	if p := c.find(topic, partition); p != nil && p.assigned {
		p.paused, c.dirty = paused, true
	}
}

// Position is the offset of the next record to be handed out, and one more than the leader epoch of the one before it
// (0: unknown): what Assign takes to go on from here. It is false while the position is being looked for.
func (c *Consumer) Position(topic string, partition int32) (o core.Offset, epochPlusOne core.LeaderEpoch, ok bool) {
	p := c.find(topic, partition)
	if p == nil || !p.assigned || p.state == locating {
		return core.NoOffset, 0, false
	}
	return p.position.offset, p.position.epochPlusOne, true
}

// Watermarks is what the last fetch told of the partition's log; false before one did.
func (c *Consumer) Watermarks(topic string, partition int32) (Watermarks, bool) {
	p := c.find(topic, partition)
	if p == nil || p.marks.HighWatermark == core.NoOffset {
		return Watermarks{core.NoOffset, core.NoOffset, core.NoOffset}, false
	}
	return p.marks, true
}

// Lag is how many offsets the position is behind what may be read; false if either is unknown.
func (c *Consumer) Lag(topic string, partition int32) (int64, bool) {
	p := c.find(topic, partition)
	if p == nil || !p.assigned || p.state == locating || p.marks.HighWatermark == core.NoOffset {
		return 0, false
	}
	end := p.marks.HighWatermark
	if c.opts.Isolation == ReadCommitted {
		end = p.marks.LastStableOffset
	}
	return max(0, int64(end-p.position.offset)), true
}

// Events appends what happened to partitions since the last call to dst.
func (c *Consumer) Events(dst []Event) []Event {
	dst = append(dst, c.events...)
	c.events = c.events[:0]
	return dst
}

// Close stops everything.
func (c *Consumer) Close() {
	for _, p := range c.assigned {
		p.assigned = false
		p.drop()
	}
	c.assigned, c.closed, c.dirty, c.deadline = nil, true, false, cluster.Never
}

// EndTurn asks for positions and records.
func (c *Consumer) EndTurn(now core.Now, out *step.Effects) {
	c.dirty = false
	c.deadline = cluster.Never
	if c.closed || len(c.assigned) == 0 && len(c.sessions) == 0 {
		return
	}
	for _, p := range c.assigned {
		c.watch(p)
	}
	c.askPositions(now, out)
	c.fetchAll(now, out)
	for _, p := range c.assigned {
		c.wakeAt(now, p.retryAt)
	}
}

// NextDeadline is when the consumer must be looked at again; [cluster.Never] if it waits for events only.
func (c *Consumer) NextDeadline() core.Mono {
	if c.dirty {
		return 0
	}
	return c.deadline
}

// wakeAt makes the consumer be looked at at an instant that is to come.
func (c *Consumer) wakeAt(now core.Now, at core.Mono) {
	if at > now.Mono {
		c.deadline = min(c.deadline, at)
	}
}

// Done takes the end of one of the consumer's calls.
func (c *Consumer) Done(now core.Now, done *cluster.Completion) {
	if c.closed {
		return
	}
	switch ref := done.Call.Ref.(type) {
	case *session:
		c.fetched(now, ref, done)
	case *ask:
		c.told(now, ref, done)
	}
}

func (c *Consumer) find(topic string, index int32) *partition {
	return c.parts[core.TopicPartition{Topic: topic, Partition: index}]
}

func (c *Consumer) add(topic string, index int32) *partition {
	p := &partition{meta: c.cl.Want(topic), index: index, preferred: core.NoNode, leaderEpoch: core.NoLeaderEpoch,
		marks: Watermarks{core.NoOffset, core.NoOffset, core.NoOffset}}
	c.parts[core.TopicPartition{Topic: topic, Partition: index}] = p
	return p
}

// locate makes the partition look for a place.
func (p *partition) locate(at Start) {
	p.drop()
	p.state, p.at = locating, at
}

// moveTo makes the next record to hand out the one at a position.
func (p *partition) moveTo(to position) {
	p.drop()
	p.position, p.fetch = to, to
}

// drop forgets what was fetched and not handed out, and disowns the answers under way.
func (p *partition) drop() {
	p.moved++
	p.asked = false
	clear(p.buffer)
	p.buffer, p.buffered = p.buffer[:0], 0
	p.reader = reader{}
	p.fetch = p.position
}

// watch reacts to what the metadata says of a partition's leader.
func (c *Consumer) watch(p *partition) {
	if p.state == stopped {
		return
	}
	if err := p.meta.Err; err != core.ErrNone && !err.Retriable() {
		c.stop(p, err, core.NoOffset, "metadata")
		return
	}
	if p.meta.Answered && int(p.index) >= len(p.meta.Partitions) && p.told != core.ErrUnknownTopicOrPartition {
		p.told = core.ErrUnknownTopicOrPartition // told once; it may be created yet
		c.event(p, Event{Kind: EventError, From: p.position.offset, To: p.position.offset, Err: p.told, Detail: "metadata"})
	}
	if p.incarnation != p.meta.Incarnation {
		// The topic was deleted and made again: offsets of the old one mean nothing (KIP-516).
		p.incarnation, p.leaderEpoch = p.meta.Incarnation, core.NoLeaderEpoch
		p.position.epochPlusOne = 0
		if p.state != locating {
			c.lose(p, core.ErrUnknownTopicID, "the topic was deleted and created again")
		}
		return
	}
	_, epoch := p.meta.Leader(p.index)
	if p.state == locating || epoch <= p.leaderEpoch || p.state == validating && epoch == p.doubted {
		return
	}
	p.preferred = core.NoNode
	if p.position.epochPlusOne == 0 {
		p.leaderEpoch = epoch // nothing to compare
		return
	}
	p.drop()
	p.state, p.doubted = validating, epoch
}

// lose treats a position that is no longer in the log according to the reset policy.
func (c *Consumer) lose(p *partition, err core.ErrorCode, detail string) {
	if c.opts.Reset == ResetNone {
		c.stop(p, err, p.position.offset, detail)
		return
	}
	p.lostAt = p.position
	p.locate(Start{Kind: SeekReset})
}

func (c *Consumer) stop(p *partition, err core.ErrorCode, to core.Offset, detail string) {
	p.drop()
	p.state = stopped
	c.event(p, Event{Kind: EventStopped, From: p.position.offset, To: to, Err: err, Detail: detail})
}

func (c *Consumer) event(p *partition, e Event) {
	e.Topic, e.Partition = p.meta.Name, p.index
	c.events = append(c.events, e)
}

// trouble tells of an error once and makes the partition wait before the next attempt.
func (c *Consumer) trouble(now core.Now, p *partition, err core.ErrorCode, detail string) {
	p.failures++
	p.retryAt = c.cl.RetryAfter(now.Mono, p.failures)
	if p.told != err {
		p.told = err
		c.event(p, Event{Kind: EventError, From: p.position.offset, To: p.position.offset, Err: err, Detail: detail})
	}
}

// stray comes back from the preferred replica to the leader, which need not know yet that there is nothing to be had from that one.
func (c *Consumer) stray(now core.Now, p *partition) {
	if p.preferred == core.NoNode {
		return
	}
	p.preferred = core.NoNode
	p.astray++
	p.alone = c.cl.RetryAfter(now.Mono, p.astray)
}

// works notes that the partition has recovered.
func (p *partition) works() { p.failures, p.told, p.retryAt = 0, core.ErrNone, 0 }
