package scenarios

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/simnet"
	"github.com/klamm-log/klamm/sim/workload"
	"github.com/klamm-log/klamm/sim/workload/draws"
)

// Draw makes the plan of a seed. Equal seeds and profiles give equal plans.
func Draw(seed uint64, p Profile) sim.Plan {
	r := prng.New(seed).Fork("plan/" + p.Name)
	if p.Cluster != nil {
		return drawCluster(r, seed, p)
	}
	plan := sim.Plan{
		Seed: seed, Profile: p.Name,
		Safety: ms(p.SafetyMs.draw(r.Fork("safety"))), Settle: ms(p.SettleMs),
		Net: drawNet(r.Fork("net"), p),
	}
	plan.Brokers = []sim.BrokerPlan{drawBroker(r.Fork("broker"), p)}
	topics := drawTopics(r.Fork("topics"), p)
	plan.Clients = append([]workload.Plan{setup(topics)}, draws.Clients(r.Fork("clients"), drawShape(r.Fork("shape"), p, &plan, topics))...)
	draws.Bound(plan.Clients, p.VolumeKiB<<10)
	plan.ExpectLoss = p.ExpectLoss
	plan.Faults = drawFaults(r.Fork("faults"), p, &plan)
	plan.Brokers[0].Disk.Plan = drawDiskFaults(r.Fork("disk"), p, &plan)
	plan.Buggify = drawBuggify(r.Fork("buggify"), p)
	return plan
}

func ms(n int64) core.Mono { return core.Mono(n) * core.Millisecond }

func (g Range) draw(r *prng.Rand) int64 { return r.Between(g[0], g[1]) }

// knob is value with the profile's chance for knobs, else 0: the default.
func knob(r *prng.Rand, p Profile, lo, hi int64) int64 {
	v := r.Between(lo, hi)
	if !r.Chance(p.KnobsPerMille, 1000) {
		return 0
	}
	return v
}

func drawNet(r *prng.Rand, p Profile) simnet.Config {
	return simnet.Config{
		BaseLatency:   core.Mono(knob(r.Fork("base"), p, int64(5*core.Microsecond), int64(5*core.Millisecond))),
		Jitter:        core.Mono(knob(r.Fork("jitter"), p, int64(core.Microsecond), int64(20*core.Millisecond))),
		FragmentBytes: knob(r.Fork("fragment"), p, 1, 2000),
	}
}

// drawBroker draws the sizes that make rare paths frequent: segments of a few batches, index entries for each, reads
// that need many rounds, memory for few batches.
func drawBroker(r *prng.Rand, p Profile) sim.BrokerPlan {
	b := sim.BrokerPlan{PerEvent: core.Mono(r.Fork("pace").Between(500, 20_000))}
	t := &b.Tuning
	t.SegmentBytes = int32(knob(r.Fork("segment"), p, 1024, 64<<10))
	t.IndexIntervalBytes = int32(knob(r.Fork("index"), p, 1, 4096))
	t.RecentBatches = int32(knob(r.Fork("recent"), p, 1, 64))
	t.RecoveryChunkBytes = knob(r.Fork("chunk"), p, 256, 8192)
	t.LookupBytes = knob(r.Fork("lookup"), p, 256, 4096)
	t.CheckpointMs = knob(r.Fork("checkpoint"), p, 20, 2000)
	if v := knob(r.Fork("sessions"), p, 1, 4); v > 0 {
		b.Properties = append(b.Properties, sim.Property{Name: "max.incremental.fetch.session.cache.slots", Value: fmt.Sprint(v)})
	}
	if v := knob(r.Fork("retention-check"), p, 50, 2000); v > 0 { // by default retention looks every five minutes: never
		b.Properties = append(b.Properties, sim.Property{Name: "log.retention.check.interval.ms", Value: fmt.Sprint(v)})
	}
	if v := knob(r.Fork("fetch"), p, 1024, 64<<10); v > 0 {
		b.Properties = append(b.Properties, sim.Property{Name: "fetch.max.bytes", Value: fmt.Sprint(v)})
	}
	if p.CompactPerMille > 0 {
		drawCleaner(r.Fork("cleaner"), &b)
	}
	return b
}

// drawTopics draws the topics that exist from the beginning.
func drawTopics(r *prng.Rand, p Profile) []draws.TopicShape {
	out := make([]draws.TopicShape, p.Topics.draw(r))
	for i := range out {
		out[i] = draws.TopicShape{Name: fmt.Sprintf("t%d", i), Partitions: int32(p.Partitions.draw(r))}
		if r.Chance(1, 4) {
			out[i].MaxMessageBytes = int32(r.Between(2_000, 100_000))
		}
		out[i].Retention = r.Chance(1, 5)
		if p.CompactPerMille > 0 {
			out[i].Compact = r.Chance(p.CompactPerMille, 1000)
		}
	}
	return out
}

// setup is the client that makes the topics; clients that come before it wait, as real ones do.
func setup(topics []draws.TopicShape) workload.Plan {
	p := workload.Plan{ID: workload.MaxClientID, Kind: workload.Admin}
	for i, t := range topics {
		op := workload.Op{ID: int32(i), Kind: workload.CreateTopic, Topic: t.Name, Partitions: t.Partitions}
		if t.MaxMessageBytes > 0 {
			op.Configs = append(op.Configs, workload.Config{Name: "max.message.bytes", Value: fmt.Sprint(t.MaxMessageBytes)})
		}
		p.Ops = append(p.Ops, op)
	}
	return p
}

func drawShape(r *prng.Rand, p Profile, plan *sim.Plan, topics []draws.TopicShape) draws.Shape {
	s := draws.Shape{
		Brokers: int32(len(plan.Brokers)), Topics: topics, End: plan.Safety,
		Clients: int32(r.Between(2, 8)), Intensity: int32(p.Intensity.draw(r) * 400),
	}
	if r.Chance(1, 3) {
		s.Churn = []string{"churn0", "churn1"}[:r.Between(1, 2)]
	}
	return s
}

// drawFaults draws for each rule whether the seed has it, and then each fault's instant, length and target.
func drawFaults(r *prng.Rand, p Profile, plan *sim.Plan) []sim.Fault {
	var out []sim.Fault
	for i, rule := range p.Faults {
		own := r.Fork(rule.Kind)
		if !own.Chance(rule.PerMille, 1000) {
			continue
		}
		for j := range rule.Count.draw(own) {
			out = append(out, drawFault(own.ForkN("fault", j), int64(i)*1000+j, rule, plan))
		}
	}
	return out
}

func drawFault(r *prng.Rand, id int64, rule FaultRule, plan *sim.Plan) sim.Fault {
	f := sim.Fault{ID: id, Kind: sim.FaultKind(rule.Kind), At: core.Mono(r.Below(int64(plan.Safety))), Amount: rule.Amount.draw(r)}
	if rule.LengthMs != (Range{}) {
		f.Until = f.At + ms(rule.LengthMs.draw(r))
	}
	if plan.IsCluster() {
		return drawNodeFault(r, f, rule, plan)
	}
	brokers, clients := int64(len(plan.Brokers)), int64(len(plan.Clients))
	f.Node = int32(r.Below(brokers))
	switch {
	case rule.Links && clients > 0:
		f.Peer = int32(brokers + r.Below(clients))
		if r.Chance(1, 2) {
			f.Node, f.Peer = f.Peer, f.Node
		}
	case rule.Clients && clients > 0 && r.Chance(1, 3):
		f.Node = int32(brokers + r.Below(clients))
	}
	if f.Kind == sim.CutAPI { // what clients wait for most: Produce, Fetch, ListOffsets, Metadata
		f.Amount = r.Below(4)
		if f.Node < int32(brokers) {
			f.Node, f.Peer = f.Peer, f.Node
		}
	}
	return f
}

// drawBuggify draws which places are unkind in the seed, and how often: mostly rarely.
func drawBuggify(r *prng.Rand, p Profile) []sim.Buggify {
	if p.BuggifyPerMille == 0 || r.Fork("none").Chance(1, 3) {
		return nil
	}
	var out []sim.Buggify
	for _, point := range sim.BuggifyPoints() {
		own := r.Fork(point)
		if own.Chance(p.BuggifyPerMille, 1000) {
			out = append(out, sim.Buggify{Point: point, PerMille: 1 + own.Skewed(200)})
		}
	}
	return out
}

func drawDiskFaults(r *prng.Rand, p Profile, plan *sim.Plan) []simdisk.Fault {
	var out []simdisk.Fault
	for i, rule := range p.Disk {
		own := r.Fork(rule.Kind)
		if !own.Chance(rule.PerMille, 1000) {
			continue
		}
		for j := range rule.Count.draw(own) {
			d := own.ForkN("fault", j)
			f := simdisk.Fault{ID: int64(i)*1000 + j, At: core.Mono(d.Below(int64(plan.Safety))), After: rule.After.draw(d), Amount: rule.Amount.draw(d)}
			if err := f.Kind.UnmarshalText([]byte(rule.Kind)); err != nil {
				panic(err) // profiles are checked by a test
			}
			if rule.LengthMs != (Range{}) {
				f.Until = f.At + ms(rule.LengthMs.draw(d))
			}
			out = append(out, f)
		}
	}
	return out
}
