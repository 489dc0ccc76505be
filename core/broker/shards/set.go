package shards

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Host is the broker around a Set.
type Host interface {
	// Append appends one batch to a partition of the topic that this broker leads in the epoch; see [coord.Log]. It must not
	// call back into the plane: the HighWatermark is told later in the turn, by [Set.Advanced].
	coord.Log

	// Read begins to read a partition at an offset, up to about the topic's load buffer size, from the log as the leader has
	// it, not only what is committed. [Set.Loaded] or [Set.LoadFailed] follows, never within the call.
	Read(now core.Now, partition int32, epoch core.LeaderEpoch, from core.Offset, out *step.Effects)

	// Image is the committed image of the cluster.
	Image() *metadata.Image
}

// Asker is the broker around who asks other brokers.
type Asker interface {
	// Ask puts a request to a broker, which may be this one. then is called once, never within the call: with nil if there is no
	// answer, and then nobody knows whether the request was executed.
	Ask(now core.Now, to core.NodeID, body wire.Request, timeout core.Mono, then func(core.Now, wire.Response, *step.Effects), out *step.Effects)
}

// Machine is a coordinator's state as a Set needs it.
type Machine interface {
	coord.Machine
	// NextDeadline is the earliest instant at which the machine wants Expire.
	NextDeadline() (core.Mono, bool)
	// Expire does what is due.
	Expire(now core.Now)
}

// Event is something of a shard's life that a plane wants counted.
type Event uint8

// The events.
const (
	Loading Event = iota
	Loaded
	AnswerDropped // the leadership ended first
	AnswerTimedOut
	ParkedDropped
)

// Hooks is what a plane does with its shards.
type Hooks[M Machine] interface {
	// Note counts an event.
	Note(e Event, out *step.Effects)
	// Activated tells that a shard serves from now on.
	Activated(now core.Now, s *Shard[M], out *step.Effects)
	// Settle tells that something has happened to a shard that serves, before answers leave it.
	Settle(now core.Now, s *Shard[M], out *step.Effects)
}

// Options is what a Set is made of.
type Options[M Machine] struct {
	Topic string
	Host  Host
	Hooks Hooks[M]
	// New makes an empty machine for one leadership of a partition.
	New func(partition int32, epoch core.LeaderEpoch, log coord.Proposer) M
	// Codec compresses what is proposed.
	Codec record.Codec
	// AnswerTimeout is how long an answer waits for the HighWatermark.
	AnswerTimeout core.Mono
	// Check keeps what [Set.Touched] tells.
	Check bool
}

// Shard is one partition's coordinator with what waits in it.
type Shard[M Machine] struct {
	*coord.Shard[M, Part]
	reading bool
	touched bool // in Set.touched
	// Parked are requests that wait for the machine itself, as a JoinGroup does for others to join.
	Parked map[coord.Ticket]*Pending
}

// Set is the shards of one internal topic on this broker. Make it with [New].
type Set[M Machine] struct {
	opts   Options[M]
	shards *ordmap.Map[int32, *Shard[M]] // by partition, also those that are not led any more
	led    []*Shard[M]                   // those that are not Inactive, by partition
	ticket coord.Ticket
	// touched are the shards that something has happened to since the last Touched; only kept with Options.Check.
	touched []*Shard[M]
}

// New is a set that leads nothing.
func New[M Machine](opts Options[M]) *Set[M] {
	return &Set[M]{opts: opts, shards: ordmap.Ordered[int32, *Shard[M]]()}
}

// shard makes the shard of a partition.
func (p *Set[M]) shard(partition int32) *Shard[M] {
	s := &Shard[M]{Parked: make(map[coord.Ticket]*Pending)}
	s.Shard = coord.New[M, Part](coord.Options[M]{
		Partition: partition, Log: p.opts.Host, Codec: p.opts.Codec, AnswerTimeout: p.opts.AnswerTimeout,
		New: func(epoch core.LeaderEpoch) M { return p.opts.New(partition, epoch, s.Shard) },
	})
	return s
}

// Lead tells that this broker leads a partition of the topic from now on, whose log held [start, end) at the election. A
// leadership in an older epoch ends with it.
func (p *Set[M]) Lead(now core.Now, partition int32, epoch core.LeaderEpoch, start, end core.Offset, out *step.Effects) {
	s := p.shards.At(partition)
	if s == nil {
		s = p.shard(partition)
		p.shards.Set(partition, s)
	}
	if s.Phase() != coord.Inactive {
		if epoch <= s.Epoch() {
			return
		}
		p.drop(s, out)
	}
	s.Lead(epoch, start, end)
	at, _ := slices.BinarySearchFunc(p.led, partition, func(s *Shard[M], id int32) int { return cmp.Compare(s.Partition(), id) })
	p.led = slices.Insert(p.led, at, s)
	p.opts.Hooks.Note(Loading, out)
	p.read(now, s, out)
}

// Unlead tells that this broker does not lead a partition any more, or must not trust what it has of it. Whoever waits is
// told to look for the new coordinator. A leadership in a newer epoch is not touched.
func (p *Set[M]) Unlead(_ core.Now, partition int32, epoch core.LeaderEpoch, out *step.Effects) {
	if s := p.shards.At(partition); s != nil && s.Phase() != coord.Inactive && s.Epoch() <= epoch {
		p.drop(s, out)
	}
}

// drop throws a shard's state away.
func (p *Set[M]) drop(s *Shard[M], out *step.Effects) {
	s.reading = false
	p.led = slices.DeleteFunc(p.led, func(other *Shard[M]) bool { return other == s })
	for _, x := range s.Unlead() {
		p.opts.Hooks.Note(AnswerDropped, out)
		x.Of.Refuse(x.Index, core.ErrNotCoordinator, out)
	}
	for _, t := range slices.Sorted(maps.Keys(s.Parked)) {
		p.opts.Hooks.Note(ParkedDropped, out)
		s.Parked[t].Refuse(0, core.ErrNotCoordinator, out)
	}
	clear(s.Parked)
}

// read asks for the next bytes of a log that is being loaded.
func (p *Set[M]) read(now core.Now, s *Shard[M], out *step.Effects) {
	from, wanted := s.Wanted()
	if s.reading = wanted; wanted {
		p.opts.Host.Read(now, s.Partition(), s.Epoch(), from, out)
	}
}

// Loaded brings what was read: whole batches from the wanted offset on. done says that nothing is left in the log below its
// end at the election, which need not be seen from the batches where the log has been compacted.
func (p *Set[M]) Loaded(now core.Now, partition int32, epoch core.LeaderEpoch, batches []byte, done bool, out *step.Effects) {
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

// LoadFailed tells that the log cannot be read. The partition's keys are not served until somebody leads it anew.
func (p *Set[M]) LoadFailed(partition int32, epoch core.LeaderEpoch, why string) {
	if s := p.shards.At(partition); s != nil && s.Epoch() == epoch {
		s.reading = false
		s.Fail(why)
	}
}

// Advanced tells a partition's HighWatermark under a leadership.
func (p *Set[M]) Advanced(now core.Now, partition int32, epoch core.LeaderEpoch, hw core.Offset, out *step.Effects) {
	s := p.shards.At(partition)
	if s == nil {
		return
	}
	if s.Advanced(now, epoch, hw) {
		p.opts.Hooks.Note(Loaded, out)
		p.opts.Hooks.Activated(now, s, out)
	}
	p.Settle(now, s, out)
}

// Settle lets the answers go that may: the plane makes what its machine has to say answers of the shard, and those whose offset
// is committed leave.
func (p *Set[M]) Settle(now core.Now, s *Shard[M], out *step.Effects) {
	if p.opts.Check && !s.touched {
		s.touched = true
		p.touched = append(p.touched, s)
	}
	if s.Phase() == coord.Active {
		p.opts.Hooks.Settle(now, s, out)
	}
	for {
		x, committed, ok := s.Next(now)
		if !ok {
			return
		}
		if committed {
			x.Of.Done(out)
			continue
		}
		// What Kafka answers when the append has not been replicated in time.
		p.opts.Hooks.Note(AnswerTimedOut, out)
		x.Of.Refuse(x.Index, core.ErrCoordinatorNotAvailable, out)
	}
}

// Wait lets a part of an answer wait until what it rests on is committed.
func (p *Set[M]) Wait(now core.Now, s *Shard[M], w *Pending, index int, out *step.Effects) {
	s.Defer(now, Part{Of: w, Index: index})
	p.Settle(now, s, out)
}

// Park is the ticket of a request that waits for the machine.
func (p *Set[M]) Park(s *Shard[M], w *Pending) coord.Ticket {
	p.ticket++
	s.Parked[p.ticket] = w
	return p.ticket
}

// Serving is the shard that serves a key. Otherwise the part is refused with the reason.
func (p *Set[M]) Serving(w *Pending, index int, key string, out *step.Effects) *Shard[M] {
	s, code := p.For(key)
	if code != core.ErrNone {
		w.Refuse(index, code, out)
		return nil
	}
	return s
}

// For is the shard that coordinates a key, and why it does not serve it.
func (p *Set[M]) For(key string) (*Shard[M], core.ErrorCode) {
	partitions := p.Partitions()
	if partitions == 0 {
		return nil, core.ErrNotCoordinator
	}
	s := p.shards.At(coord.PartitionFor(key, partitions))
	if s == nil {
		return nil, core.ErrNotCoordinator
	}
	return s, s.Phase().Code()
}

// At is the shard of a partition, nil if it was never led.
func (p *Set[M]) At(partition int32) *Shard[M] { return p.shards.At(partition) }

// Partitions is the number of partitions of the topic, 0 without it. It never changes once the topic is there: the state of a
// key would have to move (Kafka warns of it, too).
func (p *Set[M]) Partitions() int32 {
	t := p.opts.Host.Image().Topic(p.opts.Topic)
	if t == nil {
		return 0
	}
	return int32(len(t.Partitions()))
}

// MarkerCode is why a partition takes no transaction marker under a leadership, none if it does. Until the shard serves one would
// be missed: it may lie behind what is being loaded (Kafka refuses it with COORDINATOR_LOAD_IN_PROGRESS, too).
func (p *Set[M]) MarkerCode(partition int32, epoch core.LeaderEpoch) core.ErrorCode {
	s := p.shards.At(partition)
	if s == nil || s.Epoch() != epoch {
		return core.ErrNotCoordinator
	}
	return s.Phase().Code()
}

// Marked applies a transaction marker that was appended to a partition under a leadership, with next behind it. It must be told
// before anything else is appended there.
func (p *Set[M]) Marked(
	now core.Now, partition int32, epoch core.LeaderEpoch, next core.Offset, m *coord.Marker, out *step.Effects,
) {
	if s := p.shards.At(partition); s != nil {
		s.Marked(epoch, next, m)
		p.Settle(now, s, out)
	}
}

// Active are the shards that serve, in the order of partitions.
func (p *Set[M]) Active() iter.Seq[*Shard[M]] {
	return func(yield func(*Shard[M]) bool) {
		for _, s := range p.led {
			if s.Phase() == coord.Active && !yield(s) {
				return
			}
		}
	}
}

// Complete is why a list of everything that this broker coordinates would look complete and not be; none if it would be: a partition is
// loading, or could not be read.
func (p *Set[M]) Complete() core.ErrorCode {
	why := core.ErrNone
	for _, s := range p.led {
		switch s.Phase() {
		case coord.Loading, coord.Settling:
			return core.ErrCoordinatorLoadInProgress
		case coord.Failed:
			why = core.ErrCoordinatorNotAvailable
		case coord.Active, coord.Inactive:
		}
	}
	return why
}

// View is one coordinator as simulators and tools see it.
type View[M Machine] struct {
	Partition int32
	Epoch     core.LeaderEpoch
	Phase     coord.Phase
	Why       string      // Failed: what could not be read
	End       core.Offset // everything below has been replayed
	// Machine is the state; its zero value unless Active. Read it before the next turn.
	Machine M
}

// Views are the coordinators of the partitions that this broker leads, by partition.
func (p *Set[M]) Views() []View[M] {
	var list []View[M]
	for _, s := range p.led {
		v := View[M]{Partition: s.Partition(), Epoch: s.Epoch(), Phase: s.Phase(), Why: s.Why(), End: s.End()}
		if s.Phase() == coord.Active {
			v.Machine = s.Machine()
		}
		list = append(list, v)
	}
	return list
}

// NextDeadline is the earliest instant at which the set wants a Tick. It is asked every turn, and takes no memory.
func (p *Set[M]) NextDeadline() (at core.Mono, ok bool) {
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

// Tick does what is due: the machines' timers expire, answers stop waiting.
func (p *Set[M]) Tick(now core.Now, out *step.Effects) {
	for s := range p.Active() {
		s.Machine().Expire(now)
		p.Settle(now, s, out)
	}
}

// Touched are the shards that serve and that something has happened to since the last call. It needs Options.Check.
func (p *Set[M]) Touched() iter.Seq[*Shard[M]] {
	return func(yield func(*Shard[M]) bool) {
		list := p.touched
		for _, s := range list {
			s.touched = false
		}
		p.touched = p.touched[:0]
		for _, s := range list {
			if s.Phase() == coord.Active && !yield(s) {
				return
			}
		}
	}
}
