package producer

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/partitioner"
	"github.com/klamm-log/klamm/core/record"
)

// topic is what the producer keeps per topic.
type topic struct {
	meta        *cluster.Topic
	partitioner Partitioner
	parts       []*partition
	parked      []waiting // records whose partition cannot be named yet, in order
	view        partitioner.View
	seen        int64 // the metadata version of view
}

// waiting is an accepted record that is in no batch yet.
type waiting struct {
	record Record
	token  uint64
	size   int64
	since  core.Mono
	flush  bool
}

// partition is the queue of one partition and its numbering.
type partition struct {
	topic    *topic
	index    int32
	active   bool           // in Producer.active
	queue    []*batch       // oldest first: those in flight, then sealed ones, then at most one filling
	inflight int            // batches of the queue that are in flight
	sentTo   core.NodeID    // where those in flight are
	retryAt  core.Mono      // back-off after a failed attempt
	numbers  numbering      // idempotence
	builder  record.Builder // of the last batch while it is filling
}

type batchState uint8

const (
	filling  batchState = iota // takes more records
	sealed                     // complete; to be sent, perhaps again
	inFlight                   // an answer is awaited
)

// batch is some records of one partition on their way.
type batch struct {
	part     *partition
	state    batchState
	bytes    []byte // sealed: the record batch; filling: the builder's
	records  []member
	since    core.Mono // when its oldest record was produced
	flush    bool      // linger is not to be waited for
	attempts int
	topicID  core.TopicID // what the last request called the topic; zero if by name only

	numbered bool // it has a producer id, epoch and sequence
	sequence int32
	first    bool // the last attempt was sent as the oldest of its partition: all before it were settled
	unknown  bool // an attempt's outcome is unknown; see the package comment
	lent     bool // a lost request may still refer to bytes
	expired  bool // results are out; its answer is awaited for the numbering's sake only
	orphan   bool // results are out, and it is in no queue: its producer is no more
}

// member is a record of a batch, as far as its result needs it.
type member struct {
	token     uint64
	timestamp core.Wall
	size      int64
}

func (p *Producer) topic(name string) *topic {
	t, ok := p.topics[name]
	if !ok {
		t = &topic{meta: p.cl.Want(name), seen: -1}
		p.topics[name] = t
		p.order = append(p.order, t)
	}
	if t.partitioner == nil {
		t.partitioner = p.newPartitioner(name)
	}
	return t
}

func (p *Producer) newPartitioner(name string) Partitioner {
	r := p.rand.Fork("partitioner").Fork(name)
	switch p.opts.Partitioning {
	case AdaptiveSticky:
		return partitioner.NewUniformSticky(r, p.opts.BatchSize, true)
	case Sticky:
		return partitioner.NewSticky(r)
	case RoundRobin:
		return &partitioner.RoundRobin{}
	case UniformSticky:
	}
	return partitioner.NewUniformSticky(r, p.opts.BatchSize, false)
}

// place puts a record into a batch. It is false while the record's partition is not known to exist.
func (p *Producer) place(t *topic, w *waiting) bool {
	n := int32(len(t.meta.Partitions))
	if n == 0 || w.record.Partition >= n {
		p.cl.Refresh()
		return false
	}
	index := w.record.Partition
	chosen := index < 0
	if chosen {
		p.look(t)
		index = t.partitioner.Partition(t.view, w.record.Key)
	}
	for int32(len(t.parts)) < n {
		t.parts = append(t.parts, &partition{topic: t, index: int32(len(t.parts))})
	}
	opened := p.append(t.parts[index], w)
	if chosen {
		t.partitioner.Appended(t.view, index, w.size, opened)
	}
	return true
}

// look brings the partitioner's view of a topic up to date.
func (p *Producer) look(t *topic) {
	v := &t.view
	if t.seen != p.cl.MetadataVersion() {
		t.seen = p.cl.MetadataVersion()
		v.Partitions, v.Available = int32(len(t.meta.Partitions)), v.Available[:0]
		for i := range t.meta.Partitions {
			if t.meta.Partitions[i].Leader != core.NoNode {
				v.Available = append(v.Available, int32(i))
			}
		}
	}
	if p.opts.Partitioning != AdaptiveSticky {
		return
	}
	v.Queued = v.Queued[:0]
	for _, i := range v.Available {
		queued := 0
		if int(i) < len(t.parts) {
			queued = len(t.parts[i].queue)
		}
		v.Queued = append(v.Queued, int32(queued))
	}
}

// append adds a record to the partition's last batch, or to a new one. It reports whether it opened one.
func (p *Producer) append(part *partition, w *waiting) (opened bool) {
	var b *batch
	if n := len(part.queue); n > 0 && part.queue[n-1].state == filling {
		b = part.queue[n-1]
		limit := min(p.opts.BatchSize, p.maxBatch())
		if part.builder.SizeWith(w.record.Timestamp, w.record.Key, w.record.Value, w.record.Headers) > limit {
			p.seal(b)
			b = nil
		}
	}
	if b == nil {
		b, opened = p.open(part, w.since), true
	}
	b.flush = b.flush || w.flush
	if err := part.builder.Append(w.record.Timestamp, w.record.Key, w.record.Value, w.record.Headers); err != nil {
		panic(err) // sizes were checked against max.request.size, which is below 2 GiB
	}
	b.records = append(b.records, member{token: w.token, timestamp: w.record.Timestamp, size: w.size})
	return opened
}

// open adds an empty batch to the partition's queue.
func (p *Producer) open(part *partition, since core.Mono) *batch {
	b := p.newBatch(part, since)
	part.builder.Begin(b.bytes[:0], record.Options{Codec: p.opts.Compression, Transactional: p.txn.On()})
	part.queue = append(part.queue, b)
	p.activate(part)
	return b
}

func (p *Producer) newBatch(part *partition, since core.Mono) *batch {
	var b *batch
	if n := len(p.batches); n > 0 {
		b, p.batches = p.batches[n-1], p.batches[:n-1]
	} else {
		b = &batch{}
	}
	*b = batch{part: part, since: since, bytes: b.bytes[:0], records: b.records[:0]}
	return b
}

// seal completes the partition's filling batch.
func (p *Producer) seal(b *batch) {
	bytes, err := b.part.builder.Finish(&p.codecs)
	if err != nil {
		panic(err) // the codec was validated
	}
	b.bytes, b.state = bytes, sealed
}

// keepFree bounds the batches kept for reuse.
const keepFree = 256

// release takes a batch out of its queue and keeps its memory for the next one, unless somebody may still read it.
func (p *Producer) release(b *batch) {
	part := b.part
	for i, q := range part.queue {
		if q == b {
			copy(part.queue[i:], part.queue[i+1:])
			part.queue[len(part.queue)-1] = nil
			part.queue = part.queue[:len(part.queue)-1]
			break
		}
	}
	if b.lent {
		b.bytes = nil
	}
	if len(p.batches) < keepFree {
		p.batches = append(p.batches, b)
	}
}

func (p *Producer) activate(part *partition) {
	if !part.active {
		part.active = true
		p.active = append(p.active, part)
	}
}

// deactivate drops partitions whose queue has become empty.
func (p *Producer) deactivate() {
	kept := p.active[:0]
	for _, part := range p.active {
		if len(part.queue) > 0 {
			kept = append(kept, part)
		} else {
			part.active = false
		}
	}
	clear(p.active[len(kept):])
	p.active = kept
}

// unpark places what can be placed by now, and fails what has no hope.
func (p *Producer) unpark(now core.Now, t *topic) {
	fatal := t.meta.Err != core.ErrNone && !t.meta.Err.Retriable()
	kept := t.parked[:0]
	for i := range t.parked {
		w := &t.parked[i]
		due := w.since.Add(p.opts.DeliveryTimeout)
		switch {
		case fatal:
			p.failParked(w, t.meta.Err)
			p.cl.Refresh() // perhaps the next record is luckier
		case p.place(t, w):
		case now.Mono >= due:
			p.failParked(w, core.ErrUnknownTopicOrPartition)
		default:
			p.wakeAt(now, due)
			kept = append(kept, *w)
		}
	}
	clear(t.parked[len(kept):])
	t.parked = kept
}

func (p *Producer) failParked(w *waiting, err core.ErrorCode) {
	p.finish(w.size, Result{Token: w.token, Partition: w.record.Partition, Offset: core.NoOffset,
		Timestamp: w.record.Timestamp, Err: err})
}
