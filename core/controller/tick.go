package controller

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// electInterval is how often leaderless partitions are looked at again, as in Kafka. Most get their leader when a
// broker is unfenced; what is left waits for unclean.leader.election.enable, which may be switched on meanwhile.
const electInterval = 300 * core.Second

// maxElections bounds the records of one tick. What is left is due at once, after whatever else waits.
const maxElections = 1000

// duties is when the controller looks after what nobody asks for.
type duties struct {
	balanceAt core.Mono // of leaderships that are not the preferred replica's
	electAt   core.Mono // of partitions without a leader
}

// apply brings the next look at leaderless partitions forward if another configuration may make them electable.
func (d *duties) apply(ch *metadata.Change) {
	if ch.Kind == metadata.ConfigChanged && ch.Key == uncleanKey {
		d.electAt = 0
	}
}

// Tick does one thing that is due, and makes the records for it. Call it, and [Controller.Replay] what it returns, until
// [Controller.NextDeadline] is in the future: brokers are fenced one by one, so that each fencing sees the leaders that
// the one before it chose.
func (c *Controller) Tick(now core.Now) []metadata.Record {
	if node, ok := c.soft.expired(now); ok {
		return c.fence(c.image.Broker(node))
	}
	if c.duty.electAt <= now.Mono {
		recs, more := c.electSome(c.index.leaderless, func(g *change) {})
		if !more {
			c.duty.electAt = now.Mono.Add(electInterval)
		}
		if len(recs) > 0 {
			return recs
		}
	}
	if c.opts.AutoRebalance && c.duty.balanceAt <= now.Mono {
		recs, more := c.electSome(c.index.imbalanced, func(g *change) { g.election = electPreferred })
		if !more {
			c.duty.balanceAt = now.Mono.Add(c.opts.ImbalanceCheck)
		}
		return recs
	}
	return nil
}

// electSome makes the records of at most maxElections elections, and says whether there may be more.
func (c *Controller) electSome(parts *partitions, wish func(*change)) (recs []metadata.Record, more bool) {
	for topic, id := range parts.all() {
		if len(recs) == maxElections {
			return recs, true
		}
		t := c.image.TopicByID(topic)
		g := c.change(t, t.Partition(id))
		wish(g)
		if rec := g.record(); rec != nil && rec.Leader != metadata.LeaderKeep {
			recs = append(recs, rec)
		}
	}
	return recs, false
}

// NextDeadline is when [Controller.Tick] has something to do, and false if nothing is to come.
func (c *Controller) NextDeadline() (at core.Mono, ok bool) {
	at, ok = c.soft.due.Next()
	sooner := func(t core.Mono) {
		if !ok || t < at {
			at, ok = t, true
		}
	}
	if c.index.leaderless.len() > 0 {
		sooner(c.duty.electAt)
	}
	if c.opts.AutoRebalance && c.index.imbalanced.len() > 0 {
		sooner(c.duty.balanceAt)
	}
	return at, ok
}
