package groups

import (
	"maps"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// Topic is the topic that coordinators keep their state in.
const Topic = shards.OffsetsTopic

// Host is the broker around a plane.
type Host interface {
	shards.Host
	shards.Finder
	shards.Asker // transaction coordinators
}

// Options is what a Plane is made of.
type Options struct {
	Config config.Groups
	Rand   *prng.Rand // member ids
	Host   Host
	// Verification makes transactional offsets wait until the transaction coordinator has said that they belong to an open
	// transaction: transaction.partition.verification.enable (KIP-890).
	Verification bool
	// Check asserts the coordinators' invariants after each turn, see [Plane.Check].
	Check bool
}

// shard is one partition's coordinator with what waits in it. Parked requests wait for members to join, or for the leader's
// assignment.
type shard = shards.Shard[*group.Coordinator]

// pending is a request whose answer is not out yet.
type pending = shards.Pending

// Plane is a broker's group coordinators.
type Plane struct {
	*shards.Set[*group.Coordinator]
	opts Options
	host Host
	// topicsVersion rises with every change of the image that consumer groups must look at.
	topicsVersion int64
	// asking are the transactional commits that wait for a transaction coordinator, in the order of their coming.
	asking []*txnCommit
}

// New is a plane that leads nothing.
func New(opts Options) *Plane {
	p := &Plane{opts: opts, host: opts.Host}
	cfg := opts.Config
	p.Set = shards.New(shards.Options[*group.Coordinator]{
		Topic: Topic, Host: opts.Host, Hooks: hooks{p}, Check: opts.Check,
		Codec: record.Codec(cfg.TopicCodec), AnswerTimeout: core.Millis(cfg.CommitTimeoutMs),
		New: func(partition int32, epoch core.LeaderEpoch, log coord.Proposer) *group.Coordinator {
			// A leadership has a stream of its own, so that no member id is given twice.
			rand := opts.Rand.ForkN("partition", int64(partition)).ForkN("epoch", int64(epoch))
			return group.New(group.Options{Config: cfg, Rand: rand, Log: log, Topics: topics{p}})
		},
	})
	return p
}

// hooks is the plane as its shards see it.
type hooks struct{ p *Plane }

// Note implements [shards.Hooks].
func (hooks) Note(e shards.Event, out *step.Effects) {
	switch e {
	case shards.Loading:
		out.Reachable("groups.loading", nil)
	case shards.Loaded:
		out.Reachable("groups.loaded", nil)
	case shards.AnswerDropped:
		out.Reachable("groups.answer-dropped", nil)
	case shards.AnswerTimedOut:
		out.Reachable("groups.answer-timed-out", nil)
	case shards.ParkedDropped:
		out.Reachable("groups.parked-dropped", nil)
	}
}

// Activated implements [shards.Hooks].
func (h hooks) Activated(now core.Now, s *shard, _ *step.Effects) { h.p.purge(now, s) }

// Settle implements [shards.Hooks]: what the groups have to say to those who waited for them become answers of the shard.
func (hooks) Settle(now core.Now, s *shard, out *step.Effects) {
	upgraded, downgraded := s.Machine().TakeMigrated()
	out.Sometimes(upgraded, "groups.upgraded", nil)
	out.Sometimes(downgraded, "groups.downgraded", nil)
	for _, a := range s.Machine().TakeAnswers() {
		w := s.Parked[a.Ticket]
		delete(s.Parked, a.Ticket)
		fill(w, a)
		s.Defer(now, shards.Part{Of: w})
	}
}

// Handle takes a request if it is one for coordinators; the answer is whether it was.
func (p *Plane) Handle(now core.Now, r *step.Request, out *step.Effects) bool {
	h := p.handler(r.Body)
	if h == nil {
		return false
	}
	h(now, r, out)
	return true
}

// Applied tells what changed in the committed image: offsets of deleted topics go.
func (p *Plane) Applied(now core.Now, changes []metadata.Change, out *step.Effects) {
	p.noteTopics(changes)
	if !slices.ContainsFunc(changes, func(c metadata.Change) bool { return c.Kind == metadata.TopicDeleted && c.Topic != Topic }) {
		return
	}
	for s := range p.Active() {
		p.purge(now, s)
		p.Settle(now, s, out)
	}
}

// purge removes the offsets of partitions whose topic is gone. It runs after each load, too: a topic may have been deleted
// while nobody led the shard. That the topic is missing here and now means that it was deleted, not that this broker has not
// heard of it: whoever took the commit had the topic in its image, at an older metadata offset than our election.
func (p *Plane) purge(now core.Now, s *shard) {
	image := p.host.Image()
	s.Machine().Purge(now, func(topic string, id core.TopicID) bool {
		t := image.Topic(topic)
		return t == nil || !id.IsZero() && t.ID != id
	})
}

// Check asserts the invariants of every coordinator that something has happened to since the last time, and that no request
// is lost. It needs Options.Check.
func (p *Plane) Check() {
	for s := range p.Touched() {
		s.Machine().Check(slices.Sorted(maps.Keys(s.Parked)))
	}
}

// View is one coordinator as simulators and tools see it.
type View = shards.View[*group.Coordinator]

// PartitionFor is the partition of [Topic] that a group belongs to.
func PartitionFor(groupID string, partitions int32) int32 {
	return coord.PartitionFor(groupID, partitions)
}
