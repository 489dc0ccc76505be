package groups

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Topic is the topic that coordinators keep their state in.
const Topic = "__consumer_offsets"

// Host is the broker around a plane.
type Host interface {
	// Append appends one batch to a partition of [Topic] that this broker leads in the epoch; see [coord.Log]. It must not
	// call back into the plane: the HighWatermark is told later in the turn, by [Plane.Advanced].
	coord.Log

	// Read begins to read a partition at an offset, up to about offsets.load.buffer.size bytes, from the log as the leader has
	// it, not only what is committed. [Plane.Loaded] or [Plane.LoadFailed] follows, never within the call.
	Read(now core.Now, partition int32, epoch core.LeaderEpoch, from core.Offset, out *step.Effects)

	// Image is the committed image of the cluster.
	Image() *metadata.Image

	// Client is the listener that a request came through, and the other end's address as "host:port".
	Client(r *step.Request) (listener, remote string)

	// CreateOffsetsTopic asks the controller for [Topic], with offsets.topic.num.partitions and its siblings. It is
	// called whenever a client looks for a coordinator and there is none; the host sees to it that one request is under way
	// at most.
	CreateOffsetsTopic(now core.Now, out *step.Effects)
}

// Options is what a Plane is made of.
type Options struct {
	Config config.Groups
	Rand   *prng.Rand // member ids
	Host   Host
	// Check asserts the coordinators' invariants after each turn, see [Plane.Check].
	Check bool
}

// shard is one partition's coordinator with what waits in it.
type shard struct {
	*coord.Shard[*group.Coordinator, part]
	reading bool
	touched bool // in Plane.touched
	// parked are requests that wait for the group itself: for members to join, for the leader's assignment.
	parked map[coord.Ticket]*pending
}

// Plane is a broker's group coordinators.
type Plane struct {
	opts   Options
	host   Host
	shards *ordmap.Map[int32, *shard] // by partition, also those that are not led any more
	led    []*shard                   // those that are not Inactive, by partition
	ticket coord.Ticket
	// touched are the shards that something has happened to since the last Check; only kept with Options.Check.
	touched []*shard
	// topicsVersion rises with every change of the image that consumer groups must look at.
	topicsVersion int64
}

// New is a plane that leads nothing.
func New(opts Options) *Plane {
	return &Plane{opts: opts, host: opts.Host, shards: ordmap.Ordered[int32, *shard]()}
}

// newShard makes the shard of a partition.
func (p *Plane) newShard(partition int32) *shard {
	s := &shard{parked: make(map[coord.Ticket]*pending)}
	cfg := p.opts.Config
	s.Shard = coord.New[*group.Coordinator, part](coord.Options[*group.Coordinator]{
		Partition: partition, Log: p.host, Codec: record.Codec(cfg.TopicCodec), AnswerTimeout: core.Millis(cfg.CommitTimeoutMs),
		New: func(epoch core.LeaderEpoch) *group.Coordinator {
			// A leadership has a stream of its own, so that no member id is given twice.
			rand := p.opts.Rand.ForkN("partition", int64(partition)).ForkN("epoch", int64(epoch))
			return group.New(group.Options{Config: cfg, Rand: rand, Log: s.Shard, Topics: topics{p}})
		},
	})
	return s
}

// Lead tells that this broker leads a partition of [Topic] from now on, whose log held [start, end) at the election. A
// leadership in an older epoch ends with it.
func (p *Plane) Lead(now core.Now, partition int32, epoch core.LeaderEpoch, start, end core.Offset, out *step.Effects) {
	s := p.shards.At(partition)
	if s == nil {
		s = p.newShard(partition)
		p.shards.Set(partition, s)
	}
	if s.Phase() != coord.Inactive {
		if epoch <= s.Epoch() {
			return
		}
		p.drop(s, out)
	}
	s.Lead(epoch, start, end)
	at, _ := slices.BinarySearchFunc(p.led, partition, func(s *shard, id int32) int { return cmp.Compare(s.Partition(), id) })
	p.led = slices.Insert(p.led, at, s)
	out.Reachable("groups.loading", nil)
	p.read(now, s, out)
}

// Unlead tells that this broker does not lead a partition any more, or must not trust what it has of it. Whoever waits is
// told to look for the new coordinator. A leadership in a newer epoch is not touched.
func (p *Plane) Unlead(_ core.Now, partition int32, epoch core.LeaderEpoch, out *step.Effects) {
	if s := p.shards.At(partition); s != nil && s.Phase() != coord.Inactive && s.Epoch() <= epoch {
		p.drop(s, out)
	}
}

// drop throws a shard's state away.
func (p *Plane) drop(s *shard, out *step.Effects) {
	s.reading = false
	p.led = slices.DeleteFunc(p.led, func(other *shard) bool { return other == s })
	for _, x := range s.Unlead() {
		out.Reachable("groups.answer-dropped", nil)
		x.of.refuse(x.index, core.ErrNotCoordinator, out)
	}
	for _, t := range slices.Sorted(maps.Keys(s.parked)) {
		out.Reachable("groups.parked-dropped", nil)
		s.parked[t].refuse(0, core.ErrNotCoordinator, out)
	}
	clear(s.parked)
}

// read asks for the next bytes of a log that is being loaded.
func (p *Plane) read(now core.Now, s *shard, out *step.Effects) {
	from, wanted := s.Wanted()
	if s.reading = wanted; wanted {
		p.host.Read(now, s.Partition(), s.Epoch(), from, out)
	}
}

// Loaded brings what was read: whole batches from the wanted offset on. done says that nothing is left in the log below its
// end at the election, which need not be seen from the batches where the log has been compacted.
func (p *Plane) Loaded(now core.Now, partition int32, epoch core.LeaderEpoch, batches []byte, done bool, out *step.Effects) {
	s := p.shards.At(partition)
	if s == nil || !s.reading || s.Epoch() != epoch {
		return
	}
	before := s.End()
	s.Loaded(epoch, batches, done)
	if s.Phase() == coord.Loading && s.End() == before && len(batches) > 0 {
		s.Fail("a read brought no whole batch")
	}
	p.read(now, s, out)
	p.Advanced(now, partition, epoch, s.HighWatermark(), out)
}

// LoadFailed tells that the log cannot be read. The partition's groups are not served until somebody leads it anew.
func (p *Plane) LoadFailed(partition int32, epoch core.LeaderEpoch, why string) {
	if s := p.shards.At(partition); s != nil && s.Epoch() == epoch {
		s.reading = false
		s.Fail(why)
	}
}

// Advanced tells a partition's HighWatermark under a leadership.
func (p *Plane) Advanced(now core.Now, partition int32, epoch core.LeaderEpoch, hw core.Offset, out *step.Effects) {
	s := p.shards.At(partition)
	if s == nil {
		return
	}
	if s.Advanced(now, epoch, hw) {
		out.Reachable("groups.loaded", nil)
		p.purge(now, s)
	}
	p.settle(now, s, out)
}

// settle lets the answers go that may: those of the groups become answers of the shard, and those whose offset is committed
// leave.
func (p *Plane) settle(now core.Now, s *shard, out *step.Effects) {
	if p.opts.Check && !s.touched {
		s.touched = true
		p.touched = append(p.touched, s)
	}
	if s.Phase() == coord.Active {
		for _, a := range s.Machine().TakeAnswers() {
			w := s.parked[a.Ticket]
			delete(s.parked, a.Ticket)
			w.fill(a)
			s.Defer(now, part{of: w})
		}
	}
	for {
		x, committed, ok := s.Next(now)
		if !ok {
			return
		}
		if committed {
			x.of.done(out)
			continue
		}
		// What Kafka answers when the append has not been replicated in time.
		out.Reachable("groups.answer-timed-out", nil)
		x.of.refuse(x.index, core.ErrCoordinatorNotAvailable, out)
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

// shardFor is the shard that coordinates a group, and why it does not serve it.
func (p *Plane) shardFor(groupID string) (*shard, core.ErrorCode) {
	partitions := p.partitions()
	if partitions == 0 {
		return nil, core.ErrNotCoordinator
	}
	s := p.shards.At(PartitionFor(groupID, partitions))
	if s == nil {
		return nil, core.ErrNotCoordinator
	}
	return s, s.Phase().Code()
}

// partitions is the number of partitions of [Topic], 0 without it. It never changes once the topic is there: the offsets of a
// group would have to move (Kafka warns of it, too).
func (p *Plane) partitions() int32 {
	t := p.host.Image().Topic(Topic)
	if t == nil {
		return 0
	}
	return int32(len(t.Partitions()))
}

// active are the shards that serve, in the order of partitions.
func (p *Plane) active() iter.Seq[*shard] {
	return func(yield func(*shard) bool) {
		for _, s := range p.led {
			if s.Phase() == coord.Active && !yield(s) {
				return
			}
		}
	}
}

// Applied tells what changed in the committed image: offsets of deleted topics go.
func (p *Plane) Applied(now core.Now, changes []metadata.Change, out *step.Effects) {
	p.noteTopics(changes)
	if !slices.ContainsFunc(changes, func(c metadata.Change) bool { return c.Kind == metadata.TopicDeleted && c.Topic != Topic }) {
		return
	}
	for s := range p.active() {
		p.purge(now, s)
		p.settle(now, s, out)
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

// NextDeadline is the earliest instant at which the plane wants a Tick. It is asked every turn, and takes no memory.
func (p *Plane) NextDeadline() (at core.Mono, ok bool) {
	for _, s := range p.led {
		if s.Phase() != coord.Active {
			continue
		}
		if d, due := s.Machine().NextDeadline(); due && (!ok || d < at) {
			at, ok = d, true
		}
		if d, due := s.NextDeadline(); due && (!ok || d < at) {
			at, ok = d, true
		}
	}
	return at, ok
}

// Tick does what is due: sessions and rebalances end, answers stop waiting.
func (p *Plane) Tick(now core.Now, out *step.Effects) {
	for s := range p.active() {
		s.Machine().Expire(now)
		p.settle(now, s, out)
	}
}

// Check asserts the invariants of every coordinator that something has happened to since the last time, and that no request
// is lost. It needs Options.Check.
func (p *Plane) Check() {
	for _, s := range p.touched {
		if s.touched = false; s.Phase() == coord.Active {
			s.Machine().Check(slices.Sorted(maps.Keys(s.parked)))
		}
	}
	p.touched = p.touched[:0]
}

// View is one coordinator as simulators and tools see it.
type View struct {
	Partition int32
	Epoch     core.LeaderEpoch
	Phase     coord.Phase
	Why       string      // Failed: what could not be read
	End       core.Offset // everything below has been replayed
	// Groups is the state; nil unless Active. Read it before the next turn.
	Groups *group.Coordinator
}

// Views are the coordinators of the partitions that this broker leads, by partition.
func (p *Plane) Views() []View {
	var list []View
	for _, s := range p.led {
		v := View{Partition: s.Partition(), Epoch: s.Epoch(), Phase: s.Phase(), Why: s.Why(), End: s.End()}
		if s.Phase() == coord.Active {
			v.Groups = s.Machine()
		}
		list = append(list, v)
	}
	return list
}

// PartitionFor is the partition of [Topic] that a group belongs to: Java's hash of the string, which is over UTF-16, without
// its sign, modulo the number of partitions.
func PartitionFor(groupID string, partitions int32) int32 {
	var h int32
	for _, r := range groupID {
		if r > 0xffff {
			r -= 0x10000
			h = 31*h + 0xd800 + r>>10
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + r
	}
	if h == -1<<31 {
		h = 0 // Utils.abs, for which the least int is 0
	}
	return max(h, -h) % partitions
}

// answer is the reply to a request with a response body.
func answer(r *step.Request, body wire.Response) step.Reply {
	return step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Body: body}
}
