package coordination

import (
	"fmt"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
)

// Plane is the coordinators of one internal topic.
type Plane interface {
	// Lead tells that this broker leads a partition from now on, whose log held [start, end) at the election.
	Lead(now core.Now, partition int32, epoch core.LeaderEpoch, start, end core.Offset, out *step.Effects)
	// Unlead tells that this broker does not lead a partition any more, or must not trust what it has of it.
	Unlead(now core.Now, partition int32, epoch core.LeaderEpoch, out *step.Effects)
	// Loaded brings what was read: whole batches from the wanted offset on. done says that nothing is left.
	Loaded(now core.Now, partition int32, epoch core.LeaderEpoch, batches []byte, done bool, out *step.Effects)
	// LoadFailed tells that the log cannot be read, and why.
	LoadFailed(partition int32, epoch core.LeaderEpoch, why string)
	// Advanced tells a partition's HighWatermark under a leadership.
	Advanced(now core.Now, partition int32, epoch core.LeaderEpoch, hw core.Offset, out *step.Effects)
}

// Host is the broker around a topic.
type Host interface {
	// Config is the configuration of a partition's topic.
	Config(r *replica.Replica) *config.Topic
	// Touch notes that a partition has work at the end of the turn.
	Touch(r *replica.Replica)
	// Load reads bytes of a log file; [Load.Done] follows, never within the call.
	Load(need log.ReadRequest, l *Load, out *step.Effects)
}

// maxRead bounds offsets.load.buffer.size and its sibling: a read is in memory as a whole, and replayed in one turn.
const maxRead = 512 << 10

// Options is what a Topic is made of.
type Options struct {
	Host Host
	// LoadBufferBytes is about how much is read at once: offsets.load.buffer.size, transaction.state.log.load.buffer.size.
	LoadBufferBytes int32
}

// Topic is the partitions of one internal topic as their coordinators know them.
type Topic struct {
	opts  Options
	plane Plane
	parts map[int32]*Load
	// codecs are of batches that coordinators propose.
	codecs record.Codecs
}

// Load is what the coordinator of one partition has been told, and what is being read for it.
type Load struct {
	topic *Topic
	r     *replica.Replica // nil: nothing is led
	epoch core.LeaderEpoch
	hw    core.Offset
	// What is being loaded: [from, end) of the log. reading says that the disk owes an answer.
	from, end core.Offset
	wanted    bool
	reading   bool
	failures  int       // reads in a row that the disk has refused
	retryAt   core.Mono // no read before
	query     log.Query
	need      log.ReadRequest // of the lookup; Len 0 while the records themselves are read
}

// New is a topic without partitions. [Topic.Open] must come before anything else.
func New(opts Options) *Topic { return &Topic{opts: opts, parts: make(map[int32]*Load)} }

// Open tells the coordinators, which are made around the topic.
func (t *Topic) Open(plane Plane) { t.plane = plane }

// Settle follows a partition: who leads it, how far it is committed, what can be read by now. deleting says that its topic
// is gone.
func (t *Topic) Settle(now core.Now, r *replica.Replica, deleting bool, out *step.Effects) {
	id := r.TP.Partition
	l := t.parts[id]
	leads := r.Leading() && r.Serving() == core.ErrNone && !deleting
	if l != nil && l.r != nil && (l.r != r || !leads || l.epoch != r.LeaderEpoch()) {
		if l.r != r && deleting {
			return // of an earlier incarnation of the topic
		}
		delete(t.parts, id)
		ended := l.epoch
		*l = Load{topic: t} // a read that is under way finds nobody
		l = nil
		t.plane.Unlead(now, id, ended, out)
	}
	if !leads {
		return
	}
	if l == nil {
		l = &Load{topic: t, r: r, epoch: r.LeaderEpoch(), hw: core.NoOffset, end: r.Log.LogEndOffset()}
		t.parts[id] = l
		t.plane.Lead(now, id, l.epoch, r.Log.LogStartOffset(), l.end, out)
	}
	l.goOn(now, out)
	if hw := r.HighWatermark(); hw != l.hw {
		l.hw = hw
		t.plane.Advanced(now, id, l.epoch, hw, out)
	}
}

// Read begins to read a partition at an offset, from the log as the leader has it, not only what is committed. The plane's
// Loaded or LoadFailed follows, never within the call.
func (t *Topic) Read(_ core.Now, partition int32, epoch core.LeaderEpoch, from core.Offset, _ *step.Effects) {
	if l := t.parts[partition]; l != nil && l.epoch == epoch {
		l.wanted, l.from = true, from
		t.opts.Host.Touch(l.r) // the read begins when the partition is settled
	}
}

// goOn goes on with what is to be read. What a follower has taken over in its last turns may not be in the file yet: then the
// write's completion comes back here.
func (l *Load) goOn(now core.Now, out *step.Effects) {
	if !l.wanted || l.reading || l.retryAt > now.Mono {
		return
	}
	if l.from < l.end && l.from >= l.r.Log.WrittenOffset() {
		return
	}
	l.query = log.Query{
		Offset: l.from, MaxBytes: min(int64(l.topic.opts.LoadBufferBytes), maxRead), MinOneBatch: true, UpperBound: l.end,
	}
	l.located(now, l.r.Log.Locate(l.query), out)
}

// located goes on where a lookup has led to.
func (l *Load) located(now core.Now, at log.Located, out *step.Effects) {
	switch {
	case at.Need.Len > 0:
		l.need, l.reading = at.Need, true
		l.topic.opts.Host.Load(at.Need, l, out)
	case at.Code != core.ErrNone:
		l.failed("offset " + strconv.FormatInt(int64(l.from), 10) + ": " + at.Code.String())
	case at.Span.Len == 0:
		l.wanted = false
		l.topic.plane.Loaded(now, l.r.TP.Partition, l.epoch, nil, true, out)
	default:
		l.need, l.reading = log.ReadRequest{}, true
		l.topic.opts.Host.Load(log.ReadRequest(at.Span), l, out)
	}
}

// How often a read that the disk refuses is repeated, and the pause before the first repetition; the next ones are twice as
// long as the one before.
const (
	repetitions = 4
	firstPause  = 100 * core.Millisecond
)

// refused repeats a read after a pause, some times. Then the log is offline, as after a write that has failed: a broker that
// leads it hands over. Kafka takes the log directory offline at once. To give up only the coordinator would be worse than
// either: nobody else becomes the leader of a partition whose leader is well, and its groups have no coordinator.
func (l *Load) refused(now core.Now, d *step.DiskDone) {
	if l.failures < repetitions {
		l.retryAt = now.Mono.Add(firstPause << l.failures)
		l.failures++
		return
	}
	why := fmt.Sprintf("offset %d cannot be read: %v %s", l.from, d.Err, d.Detail)
	l.r.Log.TakeOffline(log.Failure{Code: core.ErrKafkaStorageError, File: l.r.Log.Dir(), Offset: l.from, What: why})
	l.failed(why)
}

// NextDeadline is when a partition's read is to be tried again, if it is; then [Topic.Settle] does it.
func (t *Topic) NextDeadline(partition int32) (core.Mono, bool) {
	l := t.parts[partition]
	if l == nil || !l.wanted || l.reading || l.failures == 0 {
		return 0, false
	}
	return l.retryAt, true
}

// Done takes what was read, for a coordinator that still wants it. A read that has failed is repeated after a pause.
func (l *Load) Done(now core.Now, d *step.DiskDone, out *step.Effects) {
	if !l.reading {
		return // the leadership has ended meanwhile
	}
	l.reading = false
	r := l.r
	switch {
	case d.Err != step.DiskOK:
		out.Reachable("broker.coordinator-load-repeated", nil)
		l.refused(now, d)
	case l.need.Len > 0:
		l.located(now, r.Log.ResolveLocate(l.query, l.need, d.Data), out)
	default:
		l.wanted, l.failures = false, 0
		l.topic.plane.Loaded(now, r.TP.Partition, l.epoch, d.Data, false, out)
	}
	l.topic.opts.Host.Touch(r)
}

func (l *Load) failed(why string) {
	l.wanted = false
	l.topic.plane.LoadFailed(l.r.TP.Partition, l.epoch, why)
}

// Append implements [coord.Log]: as acks=all would be, under the epoch in which the coordinator has validated.
func (t *Topic) Append(now core.Now, partition int32, epoch core.LeaderEpoch, batch []byte) (core.Offset, core.ErrorCode) {
	l := t.parts[partition]
	if l == nil || l.epoch != epoch || l.r.LeaderEpoch() != epoch || l.r.Serving() != core.ErrNone {
		return core.NoOffset, core.ErrNotLeaderOrFollower
	}
	cfg := t.opts.Host.Config(l.r)
	if code := l.r.EnoughReplicas(int(cfg.MinInsyncReplicas)); code != core.ErrNone {
		return core.NoOffset, code
	}
	if len(batch) > int(cfg.MaxMessageBytes) {
		return core.NoOffset, core.ErrMessageTooLarge
	}
	sum, refusal := record.Check(batch, record.Limits{Internal: true}, &t.codecs) // a transaction's offsets have no sequence
	if !refusal.OK() {
		return core.NoOffset, refusal.Code
	}
	a := l.r.Append(now, batch, &sum)
	t.opts.Host.Touch(l.r)
	if a.Code != core.ErrNone {
		return core.NoOffset, a.Code
	}
	return a.Last + 1, core.ErrNone
}
