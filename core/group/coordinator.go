package group

import (
	"bytes"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group/classic"
	"github.com/klamm-log/klamm/core/group/modern"
	"github.com/klamm-log/klamm/core/group/offsets"
	"github.com/klamm-log/klamm/core/group/records"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
)

// Options is what a Coordinator is made of.
type Options struct {
	Config config.Groups
	Rand   *prng.Rand // of this leadership alone: member ids are never given twice
	Log    coord.Proposer
	Topics modern.Topics // what consumer groups assign; nil if there are none
}

// Coordinator is one partition's groups. It implements [coord.Machine].
type Coordinator struct {
	opts    Options
	groups  *ordmap.Map[string, Group]
	offsets *offsets.Store
	timers  coord.Timers
	env     classic.Env
	// consumers is what the consumer groups share, as env is for the classic ones.
	consumers modern.Env
	// Groups have changed their protocol since TakeMigrated.
	upgraded, downgraded bool
	active               bool
	confirmed            core.Mono // when Confirm wrote last
	expiry               expiryTimer
}

// New is a coordinator of which nothing has been replayed.
func New(opts Options) *Coordinator {
	c := &Coordinator{opts: opts, groups: ordmap.Ordered[string, Group](), offsets: offsets.New()}
	c.env = classic.Env{Config: opts.Config, Rand: opts.Rand, Log: opts.Log, Timers: &c.timers}
	c.consumers = newConsumers(&opts, &c.timers)
	c.expiry.c, c.confirmed = c, -1
	return c
}

// Replay implements [coord.Machine].
func (c *Coordinator) Replay(e *coord.Entry) error {
	version, err := records.KeyVersion(e.Key)
	if err != nil {
		return err
	}
	switch version {
	case records.KeyOffset0, records.KeyOffset:
		return c.replayOffset(e)
	case records.KeyGroup:
		return c.replayClassic(e)
	}
	if modern.IsModern(version) {
		return c.replayConsumer(e)
	}
	// KIP-915: what a newer version has written and this one does not know is none of its business, so that a cluster can
	// be downgraded.
	return nil
}

func (c *Coordinator) replayOffset(e *coord.Entry) error {
	key, err := records.ParseOffsetKey(e.Key)
	if err != nil {
		return err
	}
	if e.Value == nil {
		c.offsets.Replay(key, nil, e.Offset, e.ProducerID)
		return nil
	}
	value, err := records.ParseOffsetValue(e.Value)
	if err != nil {
		return err
	}
	c.offsets.Replay(key, &value, e.Offset, e.ProducerID)
	if c.active {
		c.ensure(key.Group, value.Committed) // otherwise Activate does
	}
	return nil
}

func (c *Coordinator) replayClassic(e *coord.Entry) error {
	key, err := records.ParseGroupKey(e.Key)
	if err != nil {
		return err
	}
	if e.Value == nil {
		if g := c.classicGroup(key.Group); g != nil {
			g.SetHard(nil)
			c.groups.Delete(key.Group)
		}
		return nil
	}
	value, err := records.ParseGroupValue(bytes.Clone(e.Value)) // subscriptions and assignments point into it
	if err != nil {
		return err
	}
	if g := c.ensure(key.Group, value.Since); g != nil {
		g.SetHard(value)
	}
	return nil
}

// EndTxn implements [coord.Machine]. A group that only the transaction knew of comes into being, or is forgotten.
func (c *Coordinator) EndTxn(producer core.ProducerID, _ core.ProducerEpoch, commit bool) {
	touched := c.offsets.EndTxn(producer, commit)
	if !c.active {
		return // Activate does
	}
	for _, id := range touched {
		since := core.NoTimestamp
		for _, o := range c.offsets.Group(id) {
			since = max(since, o.Committed)
		}
		if since != core.NoTimestamp {
			c.ensure(id, since)
		}
		c.tidy(id)
	}
}

// Activate implements [coord.Machine]: groups that only have offsets come into being, sessions and the look for expired offsets
// begin.
func (c *Coordinator) Activate(now core.Now) {
	c.active = true
	for id := range c.offsets.Groups() {
		c.ensure(id, now.Wall)
	}
	for _, id := range c.offsets.OpenTxns() {
		c.ensure(id, now.Wall)
	}
	for _, g := range c.groups.All() {
		switch g := g.(type) {
		case classicGroup:
			g.Restore(now)
		case consumerGroup:
			g.Restore(now)
		}
	}
	c.expiry.arm(now)
}

// TakeAnswers takes what waiting requests have got since the last time.
func (c *Coordinator) TakeAnswers() []classic.Answer {
	a := c.env.Answers
	c.env.Answers = nil
	return a
}

// TakeMigrated reports whether classic groups have become consumer groups since the last time, and the other way round.
func (c *Coordinator) TakeMigrated() (upgraded, downgraded bool) {
	upgraded, downgraded = c.upgraded, c.downgraded
	c.upgraded, c.downgraded = false, false
	return upgraded, downgraded
}

// NextDeadline is the earliest instant at which the coordinator wants Expire.
func (c *Coordinator) NextDeadline() (core.Mono, bool) { return c.timers.Next() }

// Expire ends what is due.
func (c *Coordinator) Expire(now core.Now) {
	for {
		t, due := c.timers.PopDue(now.Mono)
		if !due {
			break
		}
		t.Expire(now)
	}
	c.takeDowngraded(now)
	for _, g := range c.env.Idle {
		c.tidy(g.ID())
	}
	c.env.Idle = nil
}

// Check asserts the invariants. owed are the tickets of all requests whose answer the coordinator owes.
func (c *Coordinator) Check(owed []coord.Ticket) {
	kept := make(map[coord.Ticket]bool)
	for _, g := range c.groups.All() {
		switch g := g.(type) {
		case classicGroup:
			g.Check(kept)
		case consumerGroup:
			g.Check()
		}
	}
	for _, t := range owed {
		invariant.Check(kept[t], "the request with ticket %d waits for a group that does not know it", t)
	}
	invariant.Check(len(kept) == len(owed), "groups owe %d answers, %d requests wait", len(kept), len(owed))
	for id := range c.offsets.Groups() {
		invariant.Check(c.groups.Has(id), "group %q has offsets and is not known", id)
	}
}
