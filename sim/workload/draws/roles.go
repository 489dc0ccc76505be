package draws

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/workload"
)

func (d *drawer) producer(r *prng.Rand, n *workload.NetworkOptions) *workload.ProducerOptions {
	o := &workload.ProducerOptions{
		Acks:            one[int8](r.Fork("acks"), -1, -1, -1, 1, 0),
		Codec:           one(r.Fork("codec"), "none", "gzip", "snappy", "lz4", "zstd"),
		Partitioner:     one(r.Fork("partitioner"), "uniform-sticky", "adaptive", "sticky", "round-robin"),
		MaxInFlight:     int32(r.Fork("window").Between(1, 5)),
		Linger:          one(r.Fork("linger"), 0, 0, core.Millisecond, 5*core.Millisecond, 50*core.Millisecond),
		BatchSize:       one[int64](r.Fork("batch"), 0, 0, 1, 400, 4<<10, 128<<10),
		DeliveryTimeout: between(r.Fork("delivery"), n.RequestTimeout, 4*d.shape.Request),
		MaxRequestSize:  3 << 20,
	}
	if d.shape.Plain && r.Fork("plain").Chance(5, 6) {
		o.Codec = "none"
	}
	o.Idempotent = o.Acks == -1 && r.Fork("idempotent").Chance(2, 3)
	if own := r.Fork("memory"); own.Chance(1, 4) {
		o.BufferMemory = own.Between(2<<10, 64<<10)
	}
	if own := r.Fork("retries"); own.Chance(1, 5) {
		o.Retries = int32(one[int64](own, -1, 1, 3))
	}
	if own := r.Fork("granted"); own.Chance(1, 4) {
		o.RequestTimeout = between(own, core.Millisecond, 100*core.Millisecond)
	}
	return o
}

// Volumes: what a producer sends in a run of 1000 thousandths' intensity, in operations; records and bytes follow.
const (
	producesOfOne = 24
	recordsAtMost = 120
	bytesOfOne    = 256 << 10
)

func (d *drawer) produces(r *prng.Rand) []workload.Op {
	var ops []workload.Op
	n := d.shape.scaled(r.Fork("count").Between(producesOfOne/4, producesOfOne))
	lull := r.Fork("lull")
	quiet, loud := d.instant(lull), lull.Chance(1, 3) // everything before or after one instant: idleness and rush
	for i := range n {
		own := r.ForkN("produce", i)
		op := d.produce(own)
		if loud && op.At < quiet {
			op.At = d.shape.End - (d.shape.End-quiet)/8
		}
		ops = append(ops, op)
		if own.Fork("flush").Chance(1, 10) {
			ops = append(ops, workload.Op{Kind: workload.Flush, At: op.At, Partition: -1})
		}
	}
	return ops
}

func (d *drawer) produce(r *prng.Rand) workload.Op {
	t := d.topic(r.Fork("topic"))
	op := workload.Op{Kind: workload.Produce, At: d.instant(r.Fork("at")), Topic: t.Name, Partition: -1}
	if own := r.Fork("partition"); own.Chance(1, 3) {
		op.Partition = int32(own.Below(int64(t.Partitions)))
	}
	op.Keys = one[int32](r.Fork("keys"), 0, 0, 1, 3, 50, 5000)
	if t.Compact {
		t.compactedProduce(r.Fork("compacted"), &op)
	}
	op.Headers = one[int32](r.Fork("headers"), 0, 0, 0, 1, 5)
	op.Odd = r.Fork("odd").Chance(1, 5)
	op.Vary = r.Fork("vary").Chance(1, 2)
	size := r.Fork("size")
	switch size.Below(12) {
	case 0: // at the limit: the batch and record headers decide which side of it
		op.Size, op.Vary = max(0, t.MaxMessageBytes-int32(size.Between(0, 200))), false
	case 1: // beyond
		op.Size, op.Vary = t.MaxMessageBytes+int32(size.Between(1, 5000)), false
	case 2, 3:
		op.Size = int32(size.Between(500, 5000))
	case 4:
		op.Size = 0
	default:
		op.Size = int32(size.Between(12, 200))
	}
	count := r.Fork("records")
	op.Count = 1
	if count.Chance(3, 4) {
		op.Count = int32(count.Between(1, recordsAtMost))
	}
	op.Count = int32(max(1, min(int64(op.Count), bytesOfOne/int64(max(op.Size, 1)))))
	if d.shape.Plain { // many small batches, so that leaderships have boundaries to disagree about
		op.Count = min(op.Count, 30)
	}
	if own := r.Fork("every"); own.Chance(1, 3) || d.shape.Plain {
		op.Every = between(own, 100*core.Microsecond, 30*core.Millisecond)
	}
	return op
}

func (d *drawer) consumer(r *prng.Rand) *workload.ConsumerOptions {
	o := &workload.ConsumerOptions{
		Reset:             one(r.Fork("reset"), "earliest", "earliest", "latest", "none"),
		MaxWait:           one(r.Fork("wait"), 0, 5*core.Millisecond, 50*core.Millisecond, 200*core.Millisecond),
		MinBytes:          one[int32](r.Fork("min"), 0, 0, 1, 100, 20_000),
		MaxBytes:          one[int32](r.Fork("max"), 0, 0, 0, 1, 5000),
		PartitionMaxBytes: one[int32](r.Fork("partition"), 0, 0, 0, 1, 3000),
		NoSessions:        r.Fork("sessions").Chance(1, 4),
		Committed:         r.Fork("committed").Chance(1, 3),
		Rack:              d.rack(r),
	}
	if own := r.Fork("buffer"); own.Chance(1, 3) {
		o.BufferBytes = own.Between(1, 20_000)
	}
	o.FinalReads = !o.Tiny() && r.Fork("final").Chance(1, 3)
	return o
}

func (d *drawer) consumes(r *prng.Rand) []workload.Op {
	var ops []workload.Op
	var mine []workload.Op
	began := d.shape.Start
	if own := r.Fork("late"); own.Chance(1, 3) {
		began = d.instant(own)
	}
	for i := range d.topics {
		for p := range d.topics[i].Partitions {
			own := r.ForkN(d.topics[i].Name, int64(p))
			if !own.Chance(2, 3) {
				continue
			}
			op := workload.Op{Kind: workload.Assign, At: began, Topic: d.topics[i].Name, Partition: p}
			op.Where, op.Permille, op.Ago = d.where(own.Fork("where"))
			mine = append(mine, op)
		}
	}
	if ops = append(ops, mine...); len(mine) == 0 {
		return ops
	}
	if own := r.Fork("pace"); own.Chance(1, 2) { // slow processing
		ops = append(ops, workload.Op{Kind: workload.Poll, At: began, Partition: -1, Max: int32(own.Between(1, 50)),
			Every: between(own, core.Millisecond, 300*core.Millisecond)})
	}
	most := int64(6)
	if r.Fork("storm").Chance(1, 4) {
		most = 60
	}
	for i := range d.shape.scaled(r.Fork("count").Between(0, most)) {
		ops = append(ops, d.consume(r.ForkN("op", i), one(r.ForkN("victim", i), mine...))...)
	}
	return ops
}

// consume is one intervention in the reading of an assigned partition.
func (d *drawer) consume(r *prng.Rand, victim workload.Op) []workload.Op {
	op := workload.Op{At: d.instant(r.Fork("at")), Topic: victim.Topic, Partition: victim.Partition}
	later := op
	later.At = min(d.shape.End, op.At.Add(between(r.Fork("length"), core.Millisecond, 2*core.Second)))
	own := r.Fork("kind")
	switch own.Below(8) {
	case 0:
		op.Kind, later.Kind = workload.Pause, workload.Resume
		return []workload.Op{op, later}
	case 1:
		op.Kind, later.Kind = workload.Unassign, workload.Assign
		later.Where, later.Permille, later.Ago = d.where(own)
		return []workload.Op{op, later}
	case 2: // a consumer that stands still for a while
		return []workload.Op{{Kind: workload.Poll, At: op.At, Partition: -1}, {Kind: workload.Poll, At: later.At, Partition: -1, Max: int32(own.Between(1, 500))}}
	}
	op.Kind = workload.Seek
	op.Where, op.Permille, op.Ago = d.where(own)
	return []workload.Op{op}
}

// where draws a place in a log.
func (d *drawer) where(r *prng.Rand) (w workload.Where, permille int32, ago core.Wall) {
	switch r.Below(8) {
	case 0:
		return "", 0, 0
	case 1, 2, 3:
		return workload.Beginning, 0, 0
	case 4:
		return workload.End, 0, 0
	case 5:
		return workload.AtTime, 0, core.Wall(r.Skewed(int64(d.shape.End / core.Millisecond)))
	}
	return workload.AtPermille, int32(r.Below(1200)), 0
}

func (d *drawer) administers(r *prng.Rand) []workload.Op {
	var ops []workload.Op
	for i := range d.shape.scaled(r.Fork("count").Between(4, 40)) {
		own := r.ForkN("op", i)
		t := d.topic(own.Fork("topic"))
		op := d.administer(own, t)
		if d.shape.Replication > 1 && own.Fork("cluster").Chance(1, 2) {
			op = d.govern(own.Fork("govern"), t)
		}
		op.At = d.instant(own.Fork("at"))
		ops = append(ops, op)
	}
	return ops
}

// administer draws one operation on a topic.
func (d *drawer) administer(r *prng.Rand, t *drawnTopic) workload.Op {
	op := workload.Op{Topic: t.Name, Partition: int32(r.Fork("partition").Below(int64(t.Partitions)))}
	own := r.Fork("kind")
	if t.churned {
		op.Partition = -1
		if own.Chance(1, 2) {
			op.Kind = workload.DeleteTopic
			return op
		}
		op.Kind, op.Partitions, op.Replication, op.Configs = workload.CreateTopic, t.Partitions, t.replication, t.configs
		return op
	}
	switch own.Below(16) {
	case 0, 1:
		op.Kind = workload.DeleteRecords
		op.Permille = one[int32](own, -1, 0, 100, 500, 900, 1000, 1001)
	case 2, 3:
		op.Kind, op.Partition = workload.AlterConfig, -1
		op.Configs = []workload.Config{d.alteration(own, t)}
	case 4:
		op.Kind, op.Partition, op.Partitions = workload.CreatePartitions, -1, t.Partitions+int32(own.Below(3))
	case 5, 6:
		op.Kind, op.Partition = workload.Describe, -1
	default:
		op.Kind = workload.ListOffsets
		op.Where = one(own, workload.Beginning, workload.End, workload.End, workload.AtTime, workload.AtTime, workload.MaxTimestamp)
		if op.Where == workload.AtTime {
			op.Ago = core.Wall(own.Skewed(int64(d.shape.End / core.Millisecond)))
		}
	}
	return op
}

// alteration is a change of one setting that the recorder can bear: a retention only where the shape allows it.
func (d *drawer) alteration(r *prng.Rand, t *drawnTopic) workload.Config {
	number := func(name string, n int64) workload.Config {
		return workload.Config{Name: name, Value: strconv.FormatInt(n, 10)}
	}
	switch r.Below(5) {
	case 0:
		return number("segment.bytes", r.Between(1<<20, 2<<20))
	case 1:
		return number("max.message.bytes", r.Between(500, 1<<20))
	case 2:
		return workload.Config{Name: "message.timestamp.type", Value: one(r, "CreateTime", "LogAppendTime")}
	case 3:
		if t.Retention {
			return number("retention.bytes", r.Between(1<<10, 64<<10))
		}
	}
	if t.Retention {
		return number("retention.ms", r.Between(50, 20_000))
	}
	return number("segment.ms", r.Between(100, 5000))
}
