package scenarios

import (
	"fmt"

	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
)

// drawCleaner draws a log cleaner that looks often, and sometimes has memory for few keys, or must go slowly.
func drawCleaner(r *prng.Rand, b *sim.BrokerPlan) {
	set := func(name string, v int64) {
		b.Properties = append(b.Properties, sim.Property{Name: name, Value: fmt.Sprint(v)})
	}
	set("log.cleaner.backoff.ms", r.Fork("backoff").Between(20, 500))
	if own := r.Fork("memory"); own.Chance(1, 3) {
		set("log.cleaner.dedupe.buffer.size", own.Between(1, 1500))
	}
	if own := r.Fork("chunk"); own.Chance(1, 2) {
		set("log.cleaner.io.buffer.size", own.Between(1, 4000))
	}
	if own := r.Fork("rate"); own.Chance(1, 3) {
		set("log.cleaner.io.max.bytes.per.second", own.Between(50_000, 500_000))
	}
	set("log.cleaner.threads", r.Fork("threads").Between(1, 3))
	// Only sealed segments are compacted.
	if b.Tuning.SegmentBytes == 0 {
		b.Tuning.SegmentBytes = int32(r.Fork("segment").Between(1024, 16<<10))
	}
}

// drawCoordinatorsCleaner lets half of the seeds compact the coordinators' own topics all the time, on all brokers, with tombstones and
// markers that do not stay long: what one coordinator has written, the next one loads from what the cleaner left of it.
func drawCoordinatorsCleaner(r *prng.Rand, plan *sim.Plan) {
	if !r.Fork("clean").Chance(1, 2) {
		return
	}
	props := []sim.Property{
		{Name: "log.cleaner.min.cleanable.ratio", Value: one(r.Fork("ratio"), "0.01", "0.3")},
		{Name: "log.cleaner.delete.retention.ms", Value: one(r.Fork("retention"), "0", "1", "200", "1000")},
	}
	for i := range plan.Brokers {
		b := &plan.Brokers[i]
		if b.IsBroker() {
			drawCleaner(r.ForkN("broker", int64(i)), b)
			b.Properties = append(b.Properties, props...)
		}
	}
}

func one[T any](r *prng.Rand, list ...T) T { return list[r.Below(int64(len(list)))] }
