package broker

import (
	"fmt"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// coordination connects the group coordinators with the partitions that hold their state: it tells them what this broker
// leads, reads what they load, and appends what they propose. It is their [groups.Host].
type coordination struct {
	b      *Broker
	plane  *groups.Plane
	shards map[int32]*shard
}

// shard is what the coordinator of one partition has been told.
type shard struct {
	p     *partition
	epoch core.LeaderEpoch // NoLeaderEpoch: nothing is led
	hw    core.Offset
	// What is being loaded: [from, end) of the log. reading says that the disk owes an answer.
	from, end core.Offset
	wanted    bool
	reading   bool
	query     log.Query
	need      log.ReadRequest // of the lookup; Len 0 while the records themselves are read
}

func newCoordination(b *Broker) *coordination {
	c := &coordination{b: b, shards: make(map[int32]*shard)}
	c.plane = groups.New(groups.Options{
		Config: b.cfg.Groups, Rand: b.rand.Fork("groups"), Host: c, Check: b.opts.Tuning.Check,
	})
	return c
}

// maxGroupsRead bounds offsets.load.buffer.size: a read is in memory as a whole.
const maxGroupsRead = 5 << 20

// settle follows a partition of the coordinators' topic: who leads it, how far it is committed, what can be read by now.
func (c *coordination) settle(now core.Now, p *partition, out *step.Effects) {
	id := p.TP.Partition
	s := c.shards[id]
	leads := p.Leading() && p.Serving() == core.ErrNone && !p.deleting
	if s != nil && s.epoch != core.NoLeaderEpoch && (s.p != p || !leads || s.epoch != p.LeaderEpoch()) {
		if s.p != p && p.deleting {
			return // of an earlier incarnation of the topic
		}
		epoch := s.epoch
		*s = shard{epoch: core.NoLeaderEpoch}
		c.plane.Unlead(now, id, epoch, out)
	}
	if !leads {
		return
	}
	if s == nil || s.epoch == core.NoLeaderEpoch {
		s = &shard{p: p, epoch: p.LeaderEpoch(), hw: core.NoOffset, end: p.Log.LogEndOffset()}
		c.shards[id] = s
		c.plane.Lead(now, id, s.epoch, p.Log.LogStartOffset(), s.end, out)
	}
	c.load(now, s, out)
	if hw := p.HighWatermark(); hw != s.hw {
		s.hw = hw
		c.plane.Advanced(now, id, s.epoch, hw, out)
	}
}

// Read implements [groups.Host].
func (c *coordination) Read(now core.Now, partition int32, epoch core.LeaderEpoch, from core.Offset, out *step.Effects) {
	if s := c.shards[partition]; s != nil && s.epoch == epoch {
		s.wanted, s.from = true, from
		c.b.touch(s.p) // the read begins when the partition is settled, not within the call
	}
}

// load goes on with what is to be read. What a follower has taken over in its last turns may not be in the file yet: then the
// write's completion comes back here.
func (c *coordination) load(now core.Now, s *shard, out *step.Effects) {
	if !s.wanted || s.reading {
		return
	}
	if s.from < s.end && s.from >= s.p.Log.WrittenOffset() {
		return
	}
	s.query = log.Query{
		Offset: s.from, MaxBytes: min(int64(c.b.cfg.Groups.LoadBufferBytes), maxGroupsRead), MinOneBatch: true, UpperBound: s.end,
	}
	c.located(now, s, s.p.Log.Locate(s.query), out)
}

// located goes on where a lookup has led to.
func (c *coordination) located(now core.Now, s *shard, at log.Located, out *step.Effects) {
	switch {
	case at.Need.Len > 0:
		s.need, s.reading = at.Need, true
		c.b.reads.start(c.b, at.Need, pendingRead{load: s}, out)
	case at.Code != core.ErrNone:
		c.failed(s, "offset "+strconv.FormatInt(int64(s.from), 10)+": "+at.Code.String())
	case at.Span.Len == 0:
		s.wanted = false
		c.plane.Loaded(now, s.p.TP.Partition, s.epoch, nil, true, out)
	default:
		s.need, s.reading = log.ReadRequest{}, true
		c.b.reads.start(c.b, log.ReadRequest(at.Span), pendingRead{load: s}, out)
	}
}

// readDone takes what was read for a coordinator that still wants it.
func (c *coordination) readDone(now core.Now, s *shard, d *step.DiskDone, out *step.Effects) {
	if !s.reading {
		return // the leadership has ended meanwhile
	}
	s.reading = false
	switch {
	case d.Err != step.DiskOK:
		c.failed(s, fmt.Sprintf("offset %d cannot be read: %v", s.from, d.Err))
	case s.need.Len > 0:
		c.located(now, s, s.p.Log.ResolveLocate(s.query, s.need, d.Data), out)
	default:
		s.wanted = false
		c.plane.Loaded(now, s.p.TP.Partition, s.epoch, d.Data, false, out)
	}
	c.b.touch(s.p)
}

func (c *coordination) failed(s *shard, why string) {
	s.wanted = false
	c.plane.LoadFailed(s.p.TP.Partition, s.epoch, why)
}

// Append implements [coord.Log]: as acks=all would be, under the epoch in which the coordinator has validated.
func (c *coordination) Append(now core.Now, partition int32, epoch core.LeaderEpoch, batch []byte) (core.Offset, core.ErrorCode) {
	s := c.shards[partition]
	if s == nil || s.epoch != epoch || s.p.LeaderEpoch() != epoch || s.p.Serving() != core.ErrNone {
		return core.NoOffset, core.ErrNotLeaderOrFollower
	}
	if code := s.p.EnoughReplicas(int(s.p.cfg.MinInsyncReplicas)); code != core.ErrNone {
		return core.NoOffset, code
	}
	if len(batch) > int(s.p.cfg.MaxMessageBytes) {
		return core.NoOffset, core.ErrMessageTooLarge
	}
	sum, refusal := record.Check(batch, record.Limits{}, &c.b.codecs)
	if !refusal.OK() {
		return core.NoOffset, refusal.Code
	}
	a := s.p.Append(now, batch, &sum)
	c.b.touch(s.p)
	if a.Code != core.ErrNone {
		return core.NoOffset, a.Code
	}
	return a.Last + 1, core.ErrNone
}

// Image implements [groups.Host].
func (c *coordination) Image() *metadata.Image { return c.b.image() }

// Client implements [groups.Host].
func (c *coordination) Client(r *step.Request) (listener, remote string) {
	if of := c.b.conns[r.Conn]; of != nil {
		return of.listener, of.remote
	}
	return "", ""
}

// CreateOffsetsTopic implements [groups.Host].
func (c *coordination) CreateOffsetsTopic(now core.Now, out *step.Effects) {
	cfg := &c.b.cfg.Groups
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = groups.Topic, cfg.TopicPartitions, cfg.TopicReplication
	for _, x := range [][2]string{
		{"cleanup.policy", "compact"}, {"compression.type", "producer"}, {"segment.bytes", strconv.Itoa(int(cfg.TopicSegmentBytes))},
	} {
		entry := kmsg.NewCreateTopicsRequestTopicConfig()
		entry.Name, entry.Value = x[0], &x[1]
		t.Configs = append(t.Configs, entry)
	}
	_ = c.b.createTopic(now, &t, out) // who looks for a coordinator asks again, whatever became of it
}
