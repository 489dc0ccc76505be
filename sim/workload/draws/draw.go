package draws

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/workload"
)

// Clients makes the clients of a seed. Each client's plan depends on its own stream and the shape alone.
func Clients(r *prng.Rand, shape Shape) []workload.Plan {
	s := shape.withDefaults()
	d := &drawer{shape: &s}
	d.drawTopics(r.Fork("topics"))
	plans := []workload.Plan{d.creator(r.Fork("creator")), d.reader(r.Fork("reader"))}
	if len(d.topics) == 0 {
		return plans // there is nothing to do anything to
	}
	for i := range r.Fork("count").Between(1, int64(s.Clients)) {
		plans = append(plans, d.client(r.ForkN("client", i), FirstID+int32(i), i == 0))
	}
	return plans
}

// drawer makes plans for one shape.
type drawer struct {
	shape  *Shape
	topics []drawnTopic
}

// drawnTopic is a topic of the shape with what was drawn for it.
type drawnTopic struct {
	TopicShape
	configs     []workload.Config
	churned     bool
	replication int16
}

func (d *drawer) drawTopics(r *prng.Rand) {
	for _, t := range d.shape.Topics {
		d.topics = append(d.topics, d.drawTopic(r.Fork(t.Name), t))
	}
	for _, name := range d.shape.Churn {
		own := r.Fork(name)
		t := d.drawTopic(own, TopicShape{Name: name, Partitions: int32(own.Between(1, 3))})
		t.churned = true
		d.topics = append(d.topics, t)
	}
}

// drawTopic draws a topic's configuration. Short segments and small messages are likely: they make rolls and refusals
// frequent. (Kafka 4 wants at least 1 MiB of segment.bytes, KIP-1030; smaller ones are the broker's tuning.) Retention is
// always named, since the broker's default would delete old timestamps.
func (d *drawer) drawTopic(r *prng.Rand, t TopicShape) drawnTopic {
	out := drawnTopic{TopicShape: t, replication: 1}
	if d.shape.Replication > 1 {
		d.replicate(r.Fork("replication"), &out)
	}
	retention := int64(-1)
	if t.Retention && r.Fork("retention").Chance(1, 2) {
		retention = r.Fork("retention.ms").Between(100, 20_000)
	}
	out.set("retention.ms", retention)
	if t.Compact {
		out.compacted(r.Fork("compacted"))
	}
	if own := r.Fork("segment"); own.Chance(1, 3) {
		out.set("segment.ms", own.Between(100, 5000))
	}
	if own := r.Fork("max.message"); out.MaxMessageBytes == 0 {
		out.MaxMessageBytes = 1 << 20
		if own.Chance(1, 2) {
			out.MaxMessageBytes = int32(own.Between(600, 64<<10))
		}
	}
	out.set("max.message.bytes", int64(out.MaxMessageBytes))
	if r.Fork("timestamp").Chance(1, 4) {
		out.configs = append(out.configs, workload.Config{Name: "message.timestamp.type", Value: "LogAppendTime"})
	}
	return out
}

func (t *drawnTopic) set(name string, value int64) {
	t.configs = append(t.configs, workload.Config{Name: name, Value: strconv.FormatInt(value, 10)})
}

// creator makes the topics that exist from the beginning.
func (d *drawer) creator(r *prng.Rand) workload.Plan {
	p := workload.Plan{ID: CreatorID, Kind: workload.Admin, Network: d.network(r.Fork("network"), false)}
	for i := range d.topics {
		if t := &d.topics[i]; !t.churned {
			p.Ops = append(p.Ops, workload.Op{ID: int32(i), At: d.shape.Start, Kind: workload.CreateTopic, Topic: t.Name, Partition: -1,
				Partitions: t.Partitions, Replication: t.replication, Configs: t.configs})
		}
	}
	return p
}

// reader follows every topic from its beginning, with plain options, and reads everything again in the end.
func (d *drawer) reader(r *prng.Rand) workload.Plan {
	p := workload.Plan{ID: ReaderID, Kind: workload.Consumer, Network: d.network(r.Fork("network"), false),
		Consumer: &workload.ConsumerOptions{Reset: "earliest", FinalReads: true, Rack: d.rack(r)}}
	for i := range d.topics {
		for partition := range d.topics[i].Partitions {
			p.Ops = append(p.Ops, workload.Op{Kind: workload.Assign, At: d.shape.Start, Topic: d.topics[i].Name, Partition: partition, Where: workload.Beginning})
		}
	}
	return finished(p)
}

// rack is where a consumer is; mostly somewhere, if there are racks at all.
func (d *drawer) rack(r *prng.Rand) string {
	own := r.Fork("rack")
	if len(d.shape.Racks) == 0 || own.Chance(1, 4) {
		return ""
	}
	return one(own, d.shape.Racks...)
}

// client draws one client. The first one writes: a run without records shows nothing.
func (d *drawer) client(r *prng.Rand, id int32, writes bool) workload.Plan {
	p := workload.Plan{ID: id, Network: d.network(r.Fork("network"), true)}
	kind := r.Fork("kind").Below(20)
	switch own := r.Fork("role"); {
	case writes || kind < 10:
		p.Kind = workload.Producer
		p.Producer = d.producer(own.Fork("options"), &p.Network)
		p.Ops = d.produces(own)
	case kind < 17:
		p.Kind = workload.Consumer
		p.Consumer = d.consumer(own.Fork("options"))
		p.Ops = d.consumes(own)
	default:
		p.Kind = workload.Admin
		p.Ops = d.administers(own)
	}
	if own := r.Fork("crash"); own.Chance(1, 5) {
		for range own.Between(1, 3) {
			p.Ops = append(p.Ops, workload.Op{Kind: workload.Crash, At: d.instant(own), Partition: -1})
		}
	}
	return finished(p)
}

// finished numbers operations in the order of drawing and sorts them by time.
func finished(p workload.Plan) workload.Plan {
	for i := range p.Ops {
		p.Ops[i].ID = int32(i)
	}
	return workload.Sorted(p)
}

// instant is somewhere in the run.
func (d *drawer) instant(r *prng.Rand) core.Mono {
	return d.shape.Start + core.Mono(r.Below(int64(d.shape.End-d.shape.Start)))
}

// topic is one of the topics; those that come and go are rarer.
func (d *drawer) topic(r *prng.Rand) *drawnTopic {
	fixed := int64(len(d.shape.Topics))
	if all := int64(len(d.topics)); fixed == 0 || all > fixed && r.Chance(1, 6) {
		return &d.topics[r.Between(fixed, all-1)]
	}
	return &d.topics[r.Skewed(fixed)]
}

// network draws connection options. Impatient clients give up on requests that are still being executed, and repeat
// them on a new connection.
func (d *drawer) network(r *prng.Rand, untame bool) workload.NetworkOptions {
	n := workload.NetworkOptions{RequestTimeout: d.shape.Request, ConnectTimeout: d.shape.Request,
		MetadataMaxAge: 5 * core.Second, RetryBackoff: 50 * core.Millisecond}
	if !untame {
		return n
	}
	if own := r.Fork("request"); own.Chance(1, 3) {
		n.RequestTimeout = between(own, 20*core.Millisecond, 300*core.Millisecond)
	}
	if own := r.Fork("metadata"); own.Chance(1, 3) {
		n.MetadataMaxAge = between(own, 50*core.Millisecond, 2*core.Second)
	}
	if own := r.Fork("backoff"); own.Chance(1, 3) {
		n.RetryBackoff = between(own, core.Millisecond, 20*core.Millisecond)
	}
	if own := r.Fork("idle"); own.Chance(1, 8) {
		n.MaxIdle = between(own, 100*core.Millisecond, core.Second)
	}
	return n
}

func between(r *prng.Rand, lo, hi core.Mono) core.Mono {
	return core.Mono(r.Between(int64(lo), int64(hi)))
}

// one is one of the values.
func one[T any](r *prng.Rand, values ...T) T { return values[r.Below(int64(len(values)))] }
