package fetch

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
)

// Options bounds the cache; zero fields mean Kafka's defaults.
type Options struct {
	Slots       int   // max.incremental.fetch.session.cache.slots, default 1,000
	EvictionMs  int64 // min.incremental.fetch.session.eviction.ms, default 120,000
	NoSessions  bool  // answer every fetch in full; legal for any broker
	MaxPerCache int   // partitions in all sessions together, default 1,000,000: bounds memory, not in Kafka
}

// Cache holds the sessions of one broker.
type Cache struct {
	opts       Options
	rand       *prng.Rand
	sessions   map[int32]*Session
	byAge      []*Session // in order of creation
	partitions int
}

// NewCache is an empty cache that draws session ids from rand.
func NewCache(opts Options, rand *prng.Rand) *Cache {
	if opts.Slots == 0 {
		opts.Slots = 1_000
	}
	if opts.EvictionMs == 0 {
		opts.EvictionMs = 120_000
	}
	if opts.MaxPerCache == 0 {
		opts.MaxPerCache = 1_000_000
	}
	return &Cache{opts: opts, rand: rand, sessions: make(map[int32]*Session)}
}

// Len is the number of sessions.
func (c *Cache) Len() int { return len(c.sessions) }

// Request is the session half of a Fetch request.
type Request struct {
	SessionID    int32
	SessionEpoch int32
	ByID         bool // Fetch v13+: topics are named by id
	Follower     bool // replica id >= 0
	Partitions   []Partition
	Forgotten    []Key
}

// Context is one fetch to serve.
type Context struct {
	Err        core.ErrorCode // set if the session is unusable; nothing is served then
	SessionID  int32          // for the response; 0 without a session
	Partitions []*Partition   // to serve, in this order

	session     *Session
	incremental bool // the answer leaves out what has not changed
}

// Begin resolves a request against the cache (KIP-227, "Fetch Session Handling").
func (c *Cache) Begin(now core.Mono, r *Request) Context {
	if r.SessionEpoch == InitialEpoch || r.SessionEpoch == FinalEpoch {
		c.close(r.SessionID)
		if r.SessionEpoch == FinalEpoch || c.opts.NoSessions || len(r.Partitions) == 0 || endless(r.Partitions) {
			return sessionless(r.Partitions)
		}
		return c.open(now, r)
	}
	s := c.sessions[r.SessionID]
	switch {
	case s == nil:
		return Context{Err: core.ErrFetchSessionIDNotFound}
	case s.epoch != r.SessionEpoch:
		return Context{Err: core.ErrInvalidFetchSessionEpoch}
	case s.byID != r.ByID:
		// A client that was upgraded or downgraded mixes names and ids; the two cannot share a session (KIP-516).
		return Context{Err: core.ErrFetchSessionTopicIDError}
	case endless(r.Partitions):
		c.close(s.id) // its client begins anew, without a session
		return Context{Err: core.ErrFetchSessionIDNotFound}
	}
	before := len(s.order)
	s.update(r.Partitions, r.Forgotten)
	c.partitions += len(s.order) - before
	s.lastUsed = now
	if c.partitions > c.opts.MaxPerCache {
		c.close(s.id) // its client begins anew, with a session if there is room
		return Context{Err: core.ErrFetchSessionIDNotFound}
	}
	if len(s.order) == 0 {
		c.close(s.id)
		return Context{}
	}
	s.epoch = nextEpoch(s.epoch)
	return Context{SessionID: s.id, Partitions: s.snapshot(), session: s, incremental: true}
}

// endless reports whether a topic's name is longer than any that there is. A session would keep it.
func endless(asked []Partition) bool {
	const longest = 249 // bytes, as Kafka's Topic.validate
	return slices.ContainsFunc(asked, func(p Partition) bool { return len(p.Topic) > longest })
}

// snapshot is the serving order; it is a copy because the session may change while the fetch is parked.
func (s *Session) snapshot() []*Partition { return append([]*Partition(nil), s.order...) }

// sessionless serves what is asked. What is named twice is served once, as it was asked for last: a parked fetch looks at all
// its partitions whenever one of them changes.
func sessionless(asked []Partition) Context {
	ctx := Context{Partitions: make([]*Partition, 0, len(asked))}
	const few = 8 // are looked through: many clients never use sessions, and each of their fetches comes here
	var at map[Key]int
	if len(asked) > few {
		at = make(map[Key]int, len(asked))
	}
	for i := range asked {
		p := &asked[i]
		j, twice := at[p.Key]
		if at == nil {
			j = slices.IndexFunc(ctx.Partitions, func(o *Partition) bool { return o.Key == p.Key })
			twice = j >= 0
		}
		if twice {
			ctx.Partitions[j] = p
			continue
		}
		if at != nil {
			at[p.Key] = len(ctx.Partitions)
		}
		ctx.Partitions = append(ctx.Partitions, p)
	}
	return ctx
}

// open makes a session for a full fetch, if there is room.
func (c *Cache) open(now core.Mono, r *Request) Context {
	if !c.makeRoom(now, r.Follower, len(r.Partitions)) {
		return sessionless(r.Partitions)
	}
	s := newSession(c.freshID(), r.ByID, r.Follower, now)
	s.update(r.Partitions, nil)
	c.sessions[s.id] = s
	c.byAge = append(c.byAge, s)
	c.partitions += len(s.order)
	return Context{SessionID: s.id, Partitions: s.snapshot(), session: s}
}

// makeRoom evicts at most one session: one that has not been used for the eviction age, or, for a follower, any
// consumer's. Replication must not lose its sessions to a crowd of consumers.
func (c *Cache) makeRoom(now core.Mono, follower bool, partitions int) bool {
	if c.partitions+partitions > c.opts.MaxPerCache {
		return false
	}
	if len(c.sessions) < c.opts.Slots {
		return true
	}
	stale := core.Millis(c.opts.EvictionMs)
	var victim *Session
	for _, s := range c.byAge {
		evictable := now-s.lastUsed > stale || follower && !s.follower
		if evictable && (victim == nil || s.lastUsed < victim.lastUsed) {
			victim = s
		}
	}
	if victim == nil {
		return false
	}
	c.close(victim.id)
	return true
}

func (c *Cache) freshID() int32 {
	for {
		id := int32(c.rand.Between(1, 1<<31-1))
		if c.sessions[id] == nil {
			return id
		}
	}
}

func (c *Cache) close(id int32) {
	if s := c.sessions[id]; s != nil {
		c.partitions -= len(s.order)
		delete(c.sessions, id)
		c.byAge = slices.DeleteFunc(c.byAge, func(o *Session) bool { return o == s })
	}
}

// Answer is what one partition's answer says, as far as inclusion depends on it.
type Answer struct {
	Err            core.ErrorCode
	HighWatermark  core.Offset
	LogStartOffset core.Offset
	Bytes          int64
	Diverging      bool // a diverging epoch is told (KIP-595)
	Redirected     bool // a preferred read replica is told (KIP-392)
}

// Include reports whether the partition belongs into the response and remembers what it is told. A full fetch
// answers every partition; an incremental one leaves out those with nothing new.
func (ctx *Context) Include(p *Partition, a Answer) bool {
	if ctx.session == nil {
		return true
	}
	p.served = a.Bytes > 0
	news := a.Bytes > 0 || a.Err != core.ErrNone || a.Diverging || a.Redirected || !p.answered.known ||
		p.answered.highWatermark != a.HighWatermark || p.answered.logStartOffset != a.LogStartOffset
	// After an error the next answer is told in full whatever it is, so that the client sees the error end.
	p.answered.known = a.Err == core.ErrNone
	p.answered.highWatermark, p.answered.logStartOffset = a.HighWatermark, a.LogStartOffset
	return news || !ctx.incremental
}

// Finish ends the serving, after Include was asked about every partition: those that returned records go to the end
// of the session's order.
func (ctx *Context) Finish() {
	if ctx.session != nil {
		ctx.session.rotate()
	}
}
