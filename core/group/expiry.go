package group

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
)

// expiryTimer looks for expired offsets every offsets.retention.check.interval.ms, for the whole partition at once.
type expiryTimer struct {
	c      *Coordinator
	handle deadline.Handle
}

func (t *expiryTimer) arm(now core.Now) {
	t.handle = t.c.timers.Add(now.Mono.Add(core.Millis(t.c.opts.Config.RetentionCheckMs)), t)
}

// Expire implements [coord.Timer].
func (t *expiryTimer) Expire(now core.Now) {
	t.c.expireOffsets(now)
	t.arm(now)
}

// expireOffsets removes the offsets whose retention is over, and groups of which nothing is left (KIP-211). What the log does
// not take is found again the next time.
func (c *Coordinator) expireOffsets(now core.Now) {
	for id, g := range c.groups.All() {
		var keys [][]byte
		all := true
		for tp, o := range c.offsets.Group(id) {
			base, expires := g.ExpiryBase(&o)
			due := expires && now.Wall-base >= core.Wall(c.opts.Config.RetentionMs)
			if o.Expires != core.NoTimestamp { // what the client asked for counts, as long as the group may lose offsets at all
				due = expires && now.Wall >= o.Expires
			}
			// What members subscribe to is in use, however long ago they have committed. And the offset of a transaction
			// that is open would come back with its commit.
			if !due || g.SubscribedTo(tp.Topic) || c.offsets.Pending(id, tp) {
				all = false
				continue
			}
			keys = append(keys, offsetKey(id, tp))
		}
		if c.tombstones(now, keys) != core.ErrNone {
			return
		}
		if all && g.Deserted() && !c.offsets.InTxn(id) && c.bury(now, g, false) != core.ErrNone {
			return
		}
	}
}

// Purge removes the offsets of topics that are gone, of every group.
func (c *Coordinator) Purge(now core.Now, gone func(topic string, id core.TopicID) bool) {
	for id := range c.groups.All() {
		var keys [][]byte
		for tp, o := range c.offsets.Group(id) {
			if gone(tp.Topic, o.TopicID) {
				keys = append(keys, offsetKey(id, tp))
			}
		}
		for tp, o := range c.offsets.PendingOf(id) {
			if gone(tp.Topic, o.TopicID) {
				keys = append(keys, offsetKey(id, tp))
			}
		}
		if c.tombstones(now, keys) != core.ErrNone {
			return // they go with the next deletion, or expire
		}
		c.tidy(id)
	}
}
