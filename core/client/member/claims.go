package member

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/step"
)

// claim is one partition that the member owns.
type claim struct {
	tp     core.TopicPartition
	id     core.TopicID // KIP-848: as assigned
	number uint64       // of all claims of this member
	held   bool         // false once it was given up or lost
	// incarnation of the topic that the offsets below belong to, see [cluster.Topic].
	incarnation int32

	located  bool // the consumer reads it; else the committed offset is still to be fetched
	paused   bool // by the application
	revoking bool

	// committed <= processed <= delivered where known, unless the application seeks. Offsets are those of the next record.
	delivered place // behind what was handed to the application
	processed place // behind what it is done with
	committed core.Offset
}

// place is an offset with one more than the leader epoch of the record before it; core.NoOffset if it is not known.
type place struct {
	offset       core.Offset
	epochPlusOne core.LeaderEpoch
}

// giving is a revocation that waits for the application and for commits.
type giving struct {
	active bool
	told   bool // the application has taken the event
	agreed bool // and has polled since
	begun  bool // the automatic commit was asked for
	until  core.Mono
}

// assign makes partitions this member's.
func (m *Member) assign(list []core.TopicPartition, ids map[core.TopicPartition]core.TopicID) {
	if len(list) == 0 {
		return
	}
	for _, tp := range list {
		m.claimed++
		m.claims.Set(tp, &claim{
			tp: tp, id: ids[tp], number: m.claimed, held: true, incarnation: m.cl.Want(tp.Topic).Incarnation, committed: core.NoOffset,
			delivered: place{offset: core.NoOffset}, processed: place{offset: core.NoOffset},
		})
	}
	m.event(Event{Kind: EventAssigned, Partitions: list, Generation: m.generation})
}

// renew forgets the offsets of claims whose topic was deleted and made again. They say nothing of the new one, and a commit, which names the
// topic or its id of today, would make them the new one's.
func (m *Member) renew() {
	for tp, c := range m.claims.All() {
		if is := m.cl.Want(tp.Topic).Incarnation; c.incarnation != is {
			c.incarnation, c.committed = is, core.NoOffset
			c.delivered, c.processed = place{offset: core.NoOffset}, place{offset: core.NoOffset}
		}
	}
}

// revoke tells the application to give partitions up. Nothing more of them is handed out.
func (m *Member) revoke(now core.Now, list []core.TopicPartition) {
	var told []core.TopicPartition
	for _, tp := range list {
		c := m.claims.At(tp)
		if c == nil || c.revoking {
			continue
		}
		c.revoking = true
		m.k.Pause(now, tp.Topic, tp.Partition)
		told = append(told, tp)
	}
	if len(told) == 0 {
		return
	}
	m.dirty = true
	m.giving = giving{active: true, until: now.Mono.Add(m.opts.RebalanceTimeout)}
	m.event(Event{Kind: EventRevoked, Partitions: told})
}

// release gives up what is being revoked, once the application has agreed and its commits are answered.
func (m *Member) release(now core.Now, out *step.Effects) {
	g := &m.giving
	if !g.active || !g.agreed {
		return
	}
	if !g.begun {
		g.begun = true
		// A coordinator that cannot be reached must not hold the group up for longer than one request may take.
		g.until = min(g.until, now.Mono.Add(m.cl.Options().RequestTimeout))
		m.commitProcessed(now, true)
	}
	if len(m.commits) > 0 && now.Mono < g.until {
		m.wakeAt(now, g.until)
		return
	}
	m.giving = giving{}
	switch {
	case m.state == Leaving:
	case m.opts.Protocol == Consumer:
		out.Reachable("member.gave-up-for-target", nil)
	case m.opts.cooperative():
		out.Reachable("member.gave-up-for-another", nil)
	default:
		out.Reachable("member.gave-up-to-join", nil)
	}
	for _, tp := range m.claims.Keys() {
		if c := m.claims.At(tp); c.revoking {
			m.drop(c)
		}
	}
	if m.opts.Protocol == Consumer {
		m.modern.beatNow = true
		m.reconcile(now)
	}
}

// drop ends one claim.
func (m *Member) drop(c *claim) {
	c.held = false
	m.claims.Delete(c.tp)
	m.k.Unassign(core.Now{}, c.tp.Topic, c.tp.Partition)
}

// lose ends all claims without the application's consent, and the membership with them.
func (m *Member) lose(why core.ErrorCode, detail string) {
	m.dirty = true
	m.reset()
	m.giving = giving{}
	list := m.claims.Keys()
	for _, tp := range list {
		m.drop(m.claims.At(tp))
	}
	if len(list) > 0 {
		m.event(Event{Kind: EventLost, Partitions: list, Err: why, Detail: detail})
	}
}

// finished takes the application's word that it is done with everything that it was handed.
func (m *Member) finished() {
	for _, c := range m.claims.All() {
		c.processed = c.delivered
	}
}

// Poll appends up to so many records of the member's partitions to dst. The application says by it that it is done with what
// the last Poll returned, and with the partitions whose revocation Events has told.
func (m *Member) Poll(now core.Now, maxRecords int, dst []consumer.Record) []consumer.Record {
	m.polledAt = now.Mono
	if m.asleep {
		m.asleep, m.dirty = false, true
	}
	m.renew()
	m.finished()
	if m.giving.active && m.giving.told && !m.giving.agreed {
		m.giving.agreed, m.dirty = true, true
	}
	dst = m.k.Poll(now, maxRecords, dst)
	for tp, c := range m.claims.All() {
		if !c.located || c.revoking {
			continue
		}
		if o, epoch, ok := m.k.Position(tp.Topic, tp.Partition); ok {
			if c.processed.offset == core.NoOffset {
				// Where reading begins: without it a group that starts at the log's end would skip what is written between
				// two owners that have read nothing.
				c.processed = place{o, epoch}
				if len(dst) > 0 {
					c.processed = c.first(dst, c.processed)
				}
			}
			c.delivered = place{o, epoch}
		}
	}
	return dst
}

// first is the place of the first record of a partition in a poll that handed out records, before the position that follows
// them.
func (c *claim) first(records []consumer.Record, after place) place {
	for i := range records {
		if r := &records[i]; r.Topic == c.tp.Topic && r.Partition == c.tp.Partition {
			return place{offset: r.Offset}
		}
	}
	return after
}

// Pause keeps a partition without reading it.
func (m *Member) Pause(now core.Now, topic string, partition int32) {
	m.setPaused(now, topic, partition, true)
}

// Resume ends a pause.
func (m *Member) Resume(now core.Now, topic string, partition int32) {
	m.setPaused(now, topic, partition, false)
}

func (m *Member) setPaused(now core.Now, topic string, partition int32, paused bool) {
	c := m.claims.At(core.TopicPartition{Topic: topic, Partition: partition})
	if c == nil || c.revoking {
		return
	}
	c.paused = paused
	switch {
	case !c.located:
	case paused:
		m.k.Pause(now, topic, partition)
	default:
		m.k.Resume(now, topic, partition)
	}
}

// Seek moves an owned partition; it is false if the partition is not this member's. The next commit is of the new place.
func (m *Member) Seek(now core.Now, topic string, partition int32, to consumer.Start) bool {
	c := m.claims.At(core.TopicPartition{Topic: topic, Partition: partition})
	if c == nil || c.revoking {
		return false
	}
	m.dirty = true
	m.locate(now, c, to)
	return true
}

// locate begins to read a claim at a place.
func (m *Member) locate(now core.Now, c *claim, at consumer.Start) {
	c.located = true
	c.delivered, c.processed = place{offset: core.NoOffset}, place{offset: core.NoOffset}
	m.k.Assign(now, c.tp.Topic, c.tp.Partition, at)
	if c.paused {
		m.k.Pause(now, c.tp.Topic, c.tp.Partition)
	}
}
